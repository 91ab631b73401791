/* ampgated --demo: the main job on an embedded site of simulated stations, meters and a CSMS, with a verdict computed from what was measured. */
#ifndef AMPGATE_GATEWAY_DEMO_H
#define AMPGATE_GATEWAY_DEMO_H

/* Exit status: 0 only when the verdict is PASS. `seconds` 0: stays until interrupted. `log_level` NULL: warnings. */
int demo_run(int seconds, const char *log_level);

/* The same site as an installer may find it, to try the commissioning: two current transformers of the main meter changed over, the third turned
 * round, three stations wired otherwise than configured. Nothing is judged; stays until interrupted. */
int demo_run_miswired(const char *log_level);

#endif
