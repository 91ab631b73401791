/* One connector: from what its hardware says and what it is permitted, the state that OCPP reports and the output of its relay.
 * No time, no messages; the station decides when a transaction runs and tells it here. Loop thread. */
#ifndef AMPGATE_STATION_CONNECTOR_H
#define AMPGATE_STATION_CONNECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "ocpp/event.h"
#include "station/station.h"

struct connector;

/* Both are called after the change. `output` first, so that a relay is open before anybody hears why. Neither may change the connector. */
struct connector_events {
	void (*output)(void *arg, struct connector *c);
	void (*state)(void *arg, struct connector *c, enum evse_state old);
};

struct connector {
	int evse;
	int32_t min_ma;
	const struct connector_events *events;
	void *arg;

	struct evse_input in;     /* .fault points at `fault` or is NULL */
	char fault[32];
	int32_t permit_ma;        /* per phase: what profiles and the hardware allow now */
	bool running;             /* a transaction */
	bool halted;              /* the transaction goes on without energy (its token was refused) */
	bool claimed;             /* a token was accepted and waits for a car */
	bool reserved;
	bool inoperative;
	bool used;                /* the car that is plugged in had its transaction */

	enum evse_state state;
	bool close;               /* the output as last given */
	int32_t offered_ma;
};

void connector_open(struct connector *c, int evse, int32_t min_ma, const struct connector_events *events, void *arg);

/* Facts. Each settles state and output before it returns. */
void connector_feed(struct connector *c, const struct evse_input *in);
void connector_leave(struct connector *c, const struct evse_input *in); /* the car went and its transaction with it: no state between */
void connector_permit(struct connector *c, int32_t ma);
void connector_run(struct connector *c, bool running);
void connector_halt(struct connector *c, bool halted);
void connector_claim(struct connector *c, bool claimed);
void connector_reserve(struct connector *c, bool reserved);
void connector_operative(struct connector *c, bool operative);
void connector_forget_use(struct connector *c); /* after a reset the plugged car counts as new */

/* A transaction could begin, had it a token. */
bool connector_ready(const struct connector *c);

#endif
