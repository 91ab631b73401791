/* Programs under measurement: started with files of their own in a temporary folder, and looked at from outside. Linux. */
#ifndef AMPGATE_TESTS_BENCH_PROCESS_H
#define AMPGATE_TESTS_BENCH_PROCESS_H

#include <sys/types.h>

void bench_open(void);                 /* makes the folder; many descriptors, no SIGPIPE */
const char *bench_path(const char *name); /* in the folder; good for the next four calls */
void bench_write(const char *name, const char *text);
void bench_clean(const char *name);    /* removes it with all that is below; "": the folder itself */

/* Ends with its parent. `log` in the folder gets what it says. */
pid_t process_start(const char *log, const char *const argv[]);
void process_stop(pid_t *pid, int signal); /* and waits; fine for 0 */
pid_t daemon_start(void);              /* ./ampgated with ampgate.yaml and state from the folder */

double process_cpu_ms(pid_t pid);      /* of all its threads since it started */
double process_private_kib(pid_t pid); /* what it has in memory for itself */
double process_peak_kib(pid_t pid);    /* the most it ever had in memory, shared libraries included */

#endif
