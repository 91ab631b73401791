/* A charging station: connectors and their transactions, authorisation, meter values, speaking OCPP over any link. In the daemon it runs
 * the box's own relays over the in-process link; in the simulator it runs imagined cars over a WebSocket. It owns no socket and no thread;
 * its outputs are an ordered relay and a link. Loop thread, no allocation after station_open but for messages. */
#ifndef AMPGATE_STATION_STATION_H
#define AMPGATE_STATION_STATION_H

#include "base/mem.h"
#include "ocpp/event.h"
#include "ocpp/link.h"
#include "station/host.h"

/* The hardware of one EVSE as the station sees it: fed by whoever polls it. */
struct evse_input {
	bool plugged, wants_energy;   /* IEC 61851 states: A: neither, B: plugged, C or D: both. Without a pilot both are true while a car may charge */
	bool closed;                  /* contactor feedback */
	const char *fault;            /* NULL: none; else a 1.6 errorCode: "PowerSwitchFailure", "GroundFailure" ... Opens at once; a transaction goes on without energy */
	int phases;                   /* switched now; 0: as many as the station has */
	bool single;                  /* it can be switched to its first phase alone; see station_conf.knows_phases */
	double i_a[3];                /* own phases; NaN: unknown */
	double v[3];                  /* NaN: unknown */
	double energy_wh;             /* register */
};

struct station_preset {
	const char *name;             /* a 1.6 key or "Component.Variable" */
	const char *value;
};

struct station_conf {
	const char *id;
	enum ocpp_version version;
	const char *vendor, *model, *serial, *firmware;
	int n_evses;                  /* 0: a local controller, whose profiles are for its group */
	int phases;                   /* 1 to 3 */
	const char *const *rotations; /* of each EVSE: the phases of the grid at its L1, L2 and L3, as "STR"; NULL: not known */
	bool knows_phases;            /* its inputs say which EVSE can use its first phase alone; else nobody knows, and any number is taken for true */
	int32_t max_ma;               /* hardware rating per phase */
	int32_t min_ma;               /* 6000; below it the contactor opens. For an on/off load max_ma */
	int64_t sample_us;            /* MeterValueSampleInterval; 0: none */
	bool authorize_local;         /* start without asking the CSMS first (free, or the token is on the local list) */
	const char *free_token;       /* starts by itself with this token when a car is there; NULL: needs a token or a remote start */
	int64_t heartbeat_us;         /* used until BootNotification's answer says otherwise */
	int64_t call_timeout_us;
	bool peer_inside;             /* at the other end of the link is this program: each EVSE's transactions have a turn of their own (wire.h), so
	                               * that a start is handed over, and so on disk, whatever else has no answer yet */
	const char *feature_profiles; /* 1.6; NULL: all but FirmwareManagement, which a host has to offer */
	const char *connector_type;   /* as OCPP names it; NULL: "cType2" */
	int security_profile;
	bool security_events;         /* tells of them: StartupOfTheDevice and the like */
	const struct station_preset *presets; /* of settings, ended by a row without a name; NULL: none */
	const struct station_host *host;      /* NULL: a station on its own */
	void *host_arg;
	uint64_t seed;                /* of message and transaction ids: simulators repeat; another one for each station. 0: random */
};

struct station_events {
	/* What the EVSE's output shall be: closed or not, and the current the pilot offers. Idempotent. */
	void (*output)(void *arg, int evse, bool close, int32_t offered_ma);
	/* Opens the connector's lock; the answer is station_unlocked. ERR_UNSUPPORTED: this EVSE has none. NULL: none has. */
	int (*unlock)(void *arg, int evse);
	/* Of a local controller: what its profiles allow the group, per phase (INFINITY: anything), the profile it is from (-1: none), and the wall
	 * time at which that may change by itself (INT64_MAX: never). Called again then. NULL: nobody wants to know. */
	void (*group)(void *arg, double amps, int64_t profile, int64_t until_us);
	/* Of a local controller: what others than the CSMS limit the whole to, in A per phase (INFINITY: nobody does), and who, as OCPP's
	 * chargingLimitSource. NULL: nobody ever does. */
	double (*outer)(void *arg, const char **source_out);
	/* Of a local controller: the stations behind it, separated by commas. NULL: it does not tell. */
	const char *(*members)(void *arg, struct arena *mem);
	/* A transaction began or ended, for ledgers of simulators and status pages; may be NULL. tx: id as known (empty before the answer). */
	void (*tx)(void *arg, int evse, enum tx_phase phase, const char *tx, const char *token, int64_t wall_us, double wh, const char *reason);
};

struct station;
struct station *station_open(const struct station_conf *conf, const struct station_events *events, void *arg);
void station_close(struct station *s); /* opens every output; the link, if any, must be gone or is released */

/* The link came up (boots if it has not since power-up, then reports status), or went. The station becomes the link's owner's delegate: whoever
 * owns the link calls these from its link_events. */
void station_link_up(struct station *s, struct link *l);
void station_link_down(struct station *s);
void station_text(struct station *s, struct slice text);
void station_room(struct station *s);

void station_input(struct station *s, int evse, const struct evse_input *in); /* evse from 1 */
void station_token(struct station *s, int evse, const char *token);           /* a card was shown: starts, or stops what it started */
void station_stop(struct station *s, int evse, const char *reason);           /* local stop */
void station_unlocked(struct station *s, int evse, bool unlocked);            /* what became of events->unlock */
void station_free(struct station *s, const char *token); /* from now on a car starts by itself with this token, which outlives the station; or no more: NULL */

/* How a local controller tells of a limit on its group: a change of less than so many percent is not told, and whether how much is. */
struct station_reporting {
	double significance;
	bool with_schedules;
};
struct station_reporting station_reporting(const struct station *s);

struct station_view {
	bool booted, online;
	enum evse_state state;
	bool running;                 /* a transaction */
	bool authorised;              /* a token was accepted and has not ended: the cable belongs to somebody */
	const char *tx, *token;       /* "" when none */
	int32_t limit_ma;             /* what profiles allow now; MA_NONE-like INT32_MAX: nothing limits */
	int limit_phases;             /* on how many phases they mean it: 1 or 3 */
	double start_wh;
	int64_t queued;               /* messages waiting to be sent */
	double cost;                  /* of the charge as the CSMS told it; NaN: not told */
	const char *shown;            /* what is to be read at the EVSE; "" nothing */
};
void station_view(const struct station *s, int evse, struct station_view *out);

#endif
