/* What a station does differently in each version, as rows: who speaks for a station asks here and never for the version. */
#ifndef AMPGATE_OCPP_DIALECT_H
#define AMPGATE_OCPP_DIALECT_H

#include <stdbool.h>

#include "ocpp/event.h"
#include "ocpp/version.h"

struct dialect {
	bool names_tx;         /* the station names its transactions; else the CSMS does, in the answer to the start */
	bool tx_tells_all;     /* samples and charging states of a transaction travel in its own messages */
	bool station_status;   /* the station as a whole has a StatusNotification, of connector 0 */
	bool unlock_ends_tx;   /* UnlockConnector ends a running transaction; else it is refused while one runs */
	bool refuses_by_error; /* a station that was rejected answers every CALL with SecurityError */
	bool plain_update;     /* UpdateFirmware's answer has no status */
	const char *too_many;  /* CALLERROR code for more items than are taken */
	unsigned names;        /* which of a setting's two names: 0 the key, 1 component and variable */
	bool compresses;       /* permessage-deflate is asked of a CSMS and a local controller (2.x Part 4, table 2); 1.6 advises against */
	bool phases_ensured;   /* a profile for fewer phases than the station can hold to is refused (2.0.1 K01.FR.43); else its limit is taken as given */
	bool defaults_stack;   /* TxDefaultProfiles of the station and of an EVSE are one stack; else the EVSE's own hide the station's */
};

const struct dialect *dialect_of(enum ocpp_version v);

/* A security event's type in this version's spelling; given in that of 2.x. */
struct slice dialect_security_event(const struct dialect *d, struct slice type);

/* The state as this version's StatusNotification can tell it: 2.x knows only Occupied for all that a plugged car does. */
enum evse_state dialect_state(const struct dialect *d, enum evse_state state);

/* The word of AvailabilityState for it. */
const char *dialect_state_word(enum evse_state state);

#endif
