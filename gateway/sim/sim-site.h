/* `ampgate sim site`: a day of a configured site in simulated time, around the balancer of the daemon. */
#ifndef AMPGATE_GATEWAY_SIM_SITE_H
#define AMPGATE_GATEWAY_SIM_SITE_H

int sim_site_main(int argc, char **argv); /* the exit status: 0 kept, 1 a circuit was over its limit for too long, 2 usage, 3 configuration */

#endif
