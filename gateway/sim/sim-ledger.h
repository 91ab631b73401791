/* What a simulator knows of transactions: a station what really happened, a CSMS what it was told. Either prints it as JSON lines, and one
 * is held against the other: what was lost on the way, and what would be billed twice. Times are wall time in microseconds. One thread. */
#ifndef AMPGATE_GATEWAY_SIM_LEDGER_H
#define AMPGATE_GATEWAY_SIM_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

struct sim_tx {
	char station[49], tx[64], token[64], reason[32];
	int evse;
	int64_t start_us, stop_us;  /* 0: no such message */
	double start_wh, stop_wh;   /* NaN: not said */
	unsigned starts, stops;     /* a CSMS: messages that began and ended it */
};

/* Zero-initialise. */
struct sim_ledger {
	struct sim_tx *rows;
	size_t count;
};

struct sim_tx *sim_ledger_add(struct sim_ledger *l, struct slice station, int evse); /* valid until the next one */
/* The newest with this id at this station; NULL: none. */
struct sim_tx *sim_ledger_find(struct sim_ledger *l, struct slice station, struct slice tx);
void sim_ledger_free(struct sim_ledger *l);

void sim_ledger_print(const struct sim_ledger *l, struct buf *out);      /* one JSON object a line */
int sim_ledger_read(struct sim_ledger *l, struct slice line) MUST_CHECK; /* adds what such a line says; ERR_SYNTAX */

/* The CSMS's rows against the stations'. A row belongs to a start if station, EVSE, time (half a second) and register (1 Wh) agree. Rows of
 * stations that the truth does not know are not looked at. */
struct sim_verdict {
	unsigned starts, stops;         /* that really happened */
	unsigned lost_starts, lost_stops;
	unsigned duplicates;            /* starts and stops told more than once, and rows that belong to nothing */
	char first[208];                /* the first thing wrong, for people; "" */
};
void sim_ledger_compare(const struct sim_ledger *truth, const struct sim_ledger *told, struct sim_verdict *out);

#endif
