/* A simulated CSMS: accepts any station in any of our versions, answers everything sensibly, and keeps a ledger that does not look for
 * duplicates: a second StartTransaction is a second transaction, as with many a real one. It may have several endpoints, which share the
 * ledger as the front ends of one service do. Loop thread. */
#ifndef AMPGATE_GATEWAY_SIM_CSMS_H
#define AMPGATE_GATEWAY_SIM_CSMS_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/sim/sim-ledger.h"

#define SIM_CSMS_ENDPOINTS 4

struct sim_csms_conf {
	const char *const *blocked;  /* tokens, NULL at the end; NULL: none. Every other one is accepted */
	const char *remote_start;    /* a car that is plugged in is started with this token; NULL: it is not */
	int64_t interval_s;          /* heartbeat interval in the answer to BootNotification */
	int64_t first_tx;            /* 1.6: the first transaction id */
	/* A station connected or went; may be NULL. */
	void (*links)(void *arg, int endpoint, unsigned count);
	void *arg;
};

struct sim_csms;
struct sim_csms *sim_csms_open(const struct sim_csms_conf *conf); /* borrows the conf's texts */
void sim_csms_close(struct sim_csms *c);

/* Adds an endpoint that listens there; its number from 0, or an error. `port` 0: any free one. */
int sim_csms_listen(struct sim_csms *c, const char *address, int port) MUST_CHECK;
int sim_csms_port(const struct sim_csms *c, int endpoint);
unsigned sim_csms_links(const struct sim_csms *c, int endpoint);

/* An endpoint vanishes: its links are closed, nothing listens. And is there again, at the same port. */
void sim_csms_cut(struct sim_csms *c, int endpoint);
int sim_csms_return(struct sim_csms *c, int endpoint) MUST_CHECK;

void sim_csms_refuse(struct sim_csms *c, bool refuse); /* new links are answered 503 */
void sim_csms_silent(struct sim_csms *c, bool silent); /* nothing is answered */

struct sim_ledger *sim_csms_ledger(struct sim_csms *c);
uint64_t sim_csms_messages(const struct sim_csms *c);

/* `ampgate sim csms ...`: exit status. */
int sim_csms_main(int argc, char **argv);

#endif
