/* What is known about each action: who may call it, in which versions, what happens to it while no CSMS can be reached, and what it
 * means to us. The rows stand in actions.def. */
#ifndef AMPGATE_OCPP_CATALOGUE_H
#define AMPGATE_OCPP_CATALOGUE_H

#include <stdint.h>

#include "ocpp/event.h"
#include "ocpp/version.h"

enum caller { STATION = 1, CSMS = 2, EITHER = 3 };

enum offline {
	HOLD,   /* kept durably and delivered later, in order: what bills and transactions hang on */
	LATEST, /* answered; only the newest (per connector, where it names one) is delivered later */
	ANSWER, /* answered; nobody needs it later */
	REFUSE, /* needs the CSMS's knowledge: answered with the message's own status of failure, else CALLERROR */
	NOTICE  /* answered and kept for later delivery outside the transaction order (security events, firmware states) */
};

struct action {
	const char *name;
	uint8_t versions; /* V16 | V201 | V21 */
	uint8_t from;     /* enum caller */
	uint8_t offline;  /* enum offline; only for what stations call */
	uint8_t send;     /* a SEND (2.1), never answered */
	uint16_t event;   /* enum event_kind; EV_NONE: carried, not understood */
	/* The answer to a REFUSE row while alone, per version family: JSON text, NULL: CALLERROR. */
	const char *refusal_16, *refusal_2x;
};

/* The row, or NULL where this version has no such action. Names are case-sensitive (2.x Part 4 4.1.6). */
const struct action *catalogue_find(enum ocpp_version v, struct slice name);
const struct action *catalogue_for_event(enum ocpp_version v, enum event_kind kind); /* the row that carries this meaning */
const char *catalogue_refusal(enum ocpp_version v, const struct action *act); /* the text of a REFUSE row for this version, or NULL */
size_t catalogue_count(void);
const struct action *catalogue_at(size_t i);

#endif
