/* The simulators: stations, a CSMS and meters that behave as real ones do, each usable alone from the command line (`ampgate sim`). */
#ifndef AMPGATE_GATEWAY_SIM_H
#define AMPGATE_GATEWAY_SIM_H

/* argv[0] is "sim". Exit status. */
int sim_main(int argc, char **argv);

#endif
