/* The two ends of a relay under test: many charging stations and a CSMS on raw sockets, with as little work of their own as can be. One
 * thread; addresses are 127.0.0.1. What must not happen ends the program with a message. */
#ifndef AMPGATE_TESTS_BENCH_PEERS_H
#define AMPGATE_TESTS_BENCH_PEERS_H

#include <stdint.h>
#include <sys/types.h>

#define STATIONS_MOST 4000

/* A CSMS process: accepts everything, answers each CALL at once. It ends with its parent. */
pid_t csms_start(int port);
uint64_t csms_answered(void); /* CALLs, by all CSMS so far */

int free_port(void);
void wait_for_port(int port);

/* Starts the stations' clock; the first n identities S-0000... are used from then on. */
void stations_open(unsigned n, int port);
void stations_close(void); /* all sockets at once, without a goodbye */

/* Connects every station that is not connected and boots it; again and again while that fails. Returns when all have been answered by the
 * CSMS: microseconds since the call. */
int64_t stations_serve(void);
/* Every station asks until the CSMS itself has answered; those whose link breaks connect again. As stations_serve. */
int64_t stations_reach_csms(void);

struct latency {
	uint64_t calls;
	double seconds;
	int64_t p50_us, p99_us;
};
void stations_saturate(unsigned calls_each, struct latency *out);         /* each one asks again when it is answered */
void stations_at_rate(unsigned calls_per_s, double seconds, struct latency *out); /* spread evenly over stations and time */
void stations_transact(double seconds, struct latency *out); /* each one starts and stops transactions without a pause */
void stations_idle(double seconds); /* answers pings and does nothing else */

int64_t now_us(void);
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
