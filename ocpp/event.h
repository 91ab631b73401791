/* What messages mean to us, without a version. Energy, storage, station and the API see these and never a payload.
 *
 * A flat struct: fields that a kind does not use are zero (absent slices, evse -1 where 0 has a meaning). Slices live as long as the
 * arena and frame they were read from. Words of statuses and reasons are OCPP's own, as text, since the versions share them. */
#ifndef AMPGATE_OCPP_EVENT_H
#define AMPGATE_OCPP_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum event_kind {
	EV_NONE, /* carried, not understood */
	/* what stations say */
	EV_BOOT,
	EV_HEARTBEAT,
	EV_STATUS,       /* a connector's state */
	EV_AUTHORIZE,
	EV_TX,           /* start, update or end of a transaction; see phase */
	EV_METER,        /* meter values outside TransactionEvent */
	EV_DATA,         /* DataTransfer, either way */
	EV_FIRMWARE,     /* firmware update state */
	EV_LOG,          /* diagnostics or log upload state */
	EV_SECURITY,
	EV_NOTIFY,       /* NotifyEvent: device model events, among them availability */
	EV_REPORT,
	EV_LIMIT,        /* a station's own or external limit was set or cleared */
	EV_NEEDS,        /* NotifyEVChargingNeeds */
	EV_SCHEDULE,     /* NotifyEVChargingSchedule: the schedule that the car has chosen, by its id in request_id */
	EV_RESERVATION,  /* ReservationStatusUpdate */
	EV_PRIORITY,     /* 2.1: priority charging was switched on or off at the station */
	EV_PULL,         /* 2.1: the station asks for the next values of a dynamic profile: profile_id */
	/* what is asked of stations */
	CMD_REMOTE_START,
	CMD_REMOTE_STOP,
	CMD_SET_PROFILE,
	CMD_CLEAR_PROFILE,
	CMD_GET_SCHEDULE,
	CMD_UPDATE_PROFILE, /* 2.1 UpdateDynamicSchedule: profile_id, and limit_a in the unit of that profile */
	CMD_PRIORITY,    /* 2.1 UsePriorityCharging */
	CMD_RESET,
	CMD_UNLOCK,
	CMD_TRIGGER,
	CMD_AVAILABILITY,
	CMD_SET_CONFIG,  /* ChangeConfiguration, SetVariables */
	CMD_GET_CONFIG,
	CMD_GET_REPORT,  /* GetBaseReport, GetReport */
	CMD_SEND_LIST,
	CMD_LIST_VERSION,
	CMD_CLEAR_CACHE,
	CMD_RESERVE,
	CMD_CANCEL_RESERVATION,
	CMD_FIRMWARE,
	CMD_GET_LOG,
	CMD_TX_STATUS,
	CMD_CERTIFICATE, /* any of the certificate messages */
	CMD_NETWORK,     /* SetNetworkProfile */
	EVENT_KINDS
};

enum tx_phase { TX_START = 1, TX_UPDATE, TX_END };

/* A connector's condition in the words of 1.6, which tell more; 2.x states are mapped (Occupied with its chargingState). */
enum evse_state {
	EVSE_UNKNOWN,
	EVSE_AVAILABLE,
	EVSE_PREPARING,
	EVSE_CHARGING,
	EVSE_SUSPENDED_EV,
	EVSE_SUSPENDED_EVSE,
	EVSE_FINISHING,
	EVSE_RESERVED,
	EVSE_UNAVAILABLE,
	EVSE_FAULTED,
	EVSE_OCCUPIED, /* 2.x only: a car, nothing known about its charging */
	EVSE_STATES
};
const char *evse_state_text(enum evse_state s); /* INTERFACES' words: "available", "suspended_ev", ... "occupied" */

enum measurand {
	MEAS_OTHER,
	MEAS_ENERGY_IMPORT, /* Energy.Active.Import.Register, Wh */
	MEAS_ENERGY_EXPORT, /* Energy.Active.Export.Register, Wh */
	MEAS_POWER_IMPORT,  /* Power.Active.Import, W */
	MEAS_POWER_OFFERED, /* W */
	MEAS_CURRENT_IMPORT, /* A */
	MEAS_CURRENT_OFFERED, /* A */
	MEAS_POWER_EXPORT,  /* W, what a car feeds back */
	MEAS_CURRENT_EXPORT, /* A */
	MEAS_VOLTAGE,       /* V */
	MEAS_SOC            /* percent */
};

/* One sampled value, scaled to the unit of its measurand. */
struct sample {
	int64_t time_us;          /* wall time; 0: not said */
	enum measurand measurand;
	uint8_t phase;            /* 1..3: L1..L3 of the station (L1-N counts as L1); 0: no phase said */
	bool begin, end;          /* context Transaction.Begin, Transaction.End */
	double value;
	bool clock, trigger;      /* context Sample.Clock, Trigger */
};

enum profile_purpose {
	PURPOSE_NONE,
	PURPOSE_STATION_MAX,
	PURPOSE_TX_DEFAULT,
	PURPOSE_TX,
	PURPOSE_EXTERNAL,         /* 2.x: set by the station's surroundings, only reported */
	PURPOSE_PRIORITY,         /* 2.1 */
	PURPOSE_LOCAL_GENERATION, /* 2.1 */
	PURPOSES
};

struct event {
	enum event_kind kind;
	int evse;            /* EVSE id 1..n, in 1.6 the connectorId; 0: the whole station; -1: not said */
	int connector;       /* 2.x connectorId inside the EVSE; 0: not said */
	int64_t time_us;     /* wall time that the message carries; 0: none. CMD_RESERVE: the expiry; CMD_SET_PROFILE: when the schedule starts */

	struct slice token, token_type; /* idTag, or idToken and its type; 1.6 has no type */
	struct slice group;             /* parentIdTag, groupIdToken */

	/* EV_TX, EV_METER, CMD_REMOTE_STOP, CMD_SET_PROFILE */
	enum tx_phase phase;
	struct slice tx;     /* transaction id as on the wire: the digits of 1.6's integer, the string of 2.x. Absent in a 1.6 start */
	int64_t seq_no;      /* 2.x; -1: none */
	double meter_wh;     /* register at start or end; EV_NEEDS: what the car asks for, its departure in time_us; NaN: not said */
	struct slice reason; /* TX_END: stop reason ("Local" where none is said); else trigger reason */
	struct slice trigger; /* TX_END, ours: the trigger reason where it is not the one that the stop reason implies */
	bool offline;        /* 2.x: happened while the station had no link */
	int64_t remote_start_id;  /* 2.x; -1: none */
	int64_t reservation;      /* reservation id; -1: none */
	enum evse_state state;    /* EV_STATUS, and EV_TX with a chargingState */

	/* EV_BOOT */
	struct slice vendor, model, serial, firmware, boot_reason;

	/* EV_STATUS */
	struct slice error;  /* 1.6 errorCode, absent for NoError */

	/* EV_METER, EV_TX */
	struct sample *samples;
	size_t n_samples;

	bool activated;      /* EV_PRIORITY, CMD_PRIORITY; EV_LIMIT: the limit is critical for the grid */

	/* CMD_SET_PROFILE (ours and the CSMS's), CMD_CLEAR_PROFILE */
	enum profile_purpose purpose;
	int64_t profile_id;  /* -1: none */
	int stack_level;     /* CMD_CLEAR_PROFILE: -1: any */
	double limit_a;      /* per phase; what the first period allows (a limit in W is divided by 230 V and the phases, 3 if not said); NaN: none */
	int phases;          /* numberPhases; 0: not said */
	int phase_to_use;    /* with 1 of them: phaseToUse, 1..3 of the EVSE's own; 0: not said, and never in 1.6 */
	int64_t duration_s;  /* 0: none */
	bool in_watts;       /* ours: the station takes no amperes */
	double then_a;       /* ours: instead of ending after its duration the limit becomes this; NaN: it ends */
	int then_phases;     /* of then_a; 0: as before it */

	/* CMD_RESET: "Soft"/"Hard" or "Immediate"/"OnIdle"; CMD_TRIGGER: the requested message; CMD_AVAILABILITY: "Operative"/"Inoperative";
	 * EV_STATUS: 1.6 info in `value`; CMD_SET_CONFIG, CMD_GET_CONFIG: the key (2.x "Component.Variable", either with its instance in brackets, "MessageTimeout[Default]";
	 * the first one asked for) and its value; EV_FIRMWARE, EV_LOG, EV_RESERVATION: the status; EV_SECURITY: the type, and techInfo;
	 * EV_DATA: messageId, and data (text as it is, anything else as JSON), the vendorId in `vendor`; EV_NOTIFY: component.variable of the
	 * first availability in it, else of the first event, and its value; EV_LIMIT: "Set" or "Cleared", with limit_a, its source in `reason`, the
	 * JSON of its schedules in `value` (only read), and PURPOSE_EXTERNAL or PURPOSE_LOCAL_GENERATION; CMD_GET_SCHEDULE: nothing, the length in duration_s; CMD_GET_REPORT: the report base; CMD_RESERVE: 2.x connectorType */
	struct slice word, value;
	int64_t list_version;     /* CMD_SEND_LIST; the entries are read with codec_list_entry */
	bool list_full;
	int64_t request_id;       /* 2.x requestId; -1: none */
};

/* An answer, same manner. Which fields count follows from the kind of the request. */
struct reply {
	struct slice status;        /* OCPP's word: "Accepted", "Rejected", ...; absent: the message has none */
	struct slice token_status;  /* idTagInfo.status, idTokenInfo.status; absent: none in the answer */
	struct slice group;         /* parentIdTag, groupIdToken.idToken */
	int64_t expiry_us;          /* of the token; 0: none */
	int64_t time_us;            /* currentTime; 0: none */
	int64_t interval_s;         /* BootNotification; -1: none */
	struct slice tx;            /* 1.6 StartTransaction: the digits; RequestStart: the id */
	int64_t list_version;       /* GetLocalListVersion */
	int priority;               /* chargingPriority, 0 where absent */
	struct slice key, value;    /* CMD_SET_CONFIG, CMD_GET_CONFIG: as in struct event, the first one answered; value absent: none told */
	double total_cost;          /* TransactionEvent; NaN: none */
	struct slice message;       /* TransactionEvent: updatedPersonalMessage.content; absent: none */
	struct slice reason, info;  /* 2.x statusInfo: a reason code of the standard's list, and a text; absent: none */
	struct slice error_code;    /* the answer was a CALLERROR with this code; everything else is absent then */
};

void event_init(struct event *e, enum event_kind kind); /* everything absent */
void reply_init(struct reply *r);

#endif
