/* The load balancer of one site: fed with meter samples and what stations say, stepped once a second (and at once when a node is over its
 * limit), it decides the limit of every EVSE and can say why. No sockets, no clock of its own: the caller passes monotonic time.
 * Inside: meter (samples, age), guard (stale meters, silent stations, fallbacks), alloc (the pure division), limit (whether and when to
 * send). Loop thread. */
#ifndef AMPGATE_ENERGY_CONTROL_H
#define AMPGATE_ENERGY_CONTROL_H

#include "energy/site.h"
#include "ocpp/event.h"

enum strategy { STRATEGY_FAIR, STRATEGY_PRIORITY, STRATEGY_FIRST_COME, STRATEGY_DEADLINE, STRATEGY_FAIR_ENERGY, STRATEGY_READY };
enum meter_lost { LOST_FALLBACK, LOST_STOP, LOST_AMPS, LOST_HIGHEST /* no cap, once half an hour was seen: its highest base load is planned with */ };

struct control_conf {
	enum strategy strategy;
	int64_t interval_us;          /* of the tick, 1 s */
	int64_t increase_after_us;    /* calm time before a raise; -1: that of limits that are kept, 45 s to 5 min by what is free */
	int32_t increase_step_ma;     /* per raise; 0: no bound */
	int64_t rotate_every_us;      /* who waits, when not everyone gets min_ma */
	int64_t rebalance_us;         /* limits that still fit are kept for so long before shares are made even; 0: always even */
	bool margin;                  /* keep a margin below every limit, as wide as overloads make it */
	int64_t resend_us;            /* an unchanged limit is sent again after this (its dead-man must not run out); 0: never */
	enum meter_lost on_meter_lost;
	int64_t meter_lost_after_us;
	int32_t meter_lost_ma;        /* per EVSE, for LOST_AMPS */
	const struct node_conf *nodes;
	size_t n_nodes;
	const struct meter_conf *meters;
	size_t n_meters;
	const struct evse_conf *evses;
	size_t n_evses;
	const struct fixture_conf *fixtures;
	size_t n_fixtures;
	int32_t voltage_mv;           /* phase to neutral, where no meter says; 0: 230 V */
};

/* A reason is a word of reasons.def. The texts live until the next call that changes the balancer. */
struct cap {
	const char *reason;
	const char *ref;              /* circuit, meter, user ...; NULL: none */
	int phase;                    /* 1..3; 0: all */
	int32_t value_ma;
	int64_t since_us;             /* monotonic */
	int64_t until_us;             /* monotonic; 0: open */
};

/* What an EVSE is granted. */
struct grant {
	int32_t ma;                   /* per phase used; 0: paused */
	uint8_t phases;               /* how many phases it is granted for: 1 or 3 */
	uint8_t phase;                /* with one of three: which, 1..3 of its own; 0: its first, which has no name on the wire */
	bool wake;                    /* it was paused, may charge again and does not: a wake-up sequence may help */
	bool pressed;                 /* a node above is over its limit, or will be with what has been ordered: a lower limit is for now */
	struct cap binding;
};

/* A cap from outside: an operator, the grid operator, a tariff, a schedule. On a node or on an EVSE. */
struct cap_conf {
	int node, evse;               /* index, the other -1 */
	struct milliamps line;        /* per grid line, base load included; MA_NONE: no bound. An EVSE's is line.l[0], for all its phases */
	int64_t power_w;              /* node: of all lines together; -1: no bound */
	bool devices;                 /* node: line and power_w bound what the EVSEs below take, other loads do not count */
	bool surplus;                 /* node: what a battery has or wants decides too, see fixture_conf; without it only the meter does */
	const char *reason, *owner;   /* a word of reasons.def; copied */
	int64_t until_us;             /* monotonic */
};

struct control;

/* `send` is called when a limit is to go to an EVSE (changed enough, or due again); the caller puts it on the wire and reports with
 * control_evse_answered. Never called from inside the feeding functions, only from control_tick. */
struct control_events {
	void (*send)(void *arg, int evse, const struct grant *g);
};

/* Copies the configuration (ids included). */
struct control *control_open(const struct control_conf *conf, const struct control_events *events, void *arg);
void control_close(struct control *c);
/* The same balancer with another configuration: what is known of meters, loads and cars stays, and so do the ids of caps. Nodes, meters and
 * EVSEs that were there keep their place and their id; new ones stand behind them. Call control_tick next: until then the texts of caps are
 * not to be read. */
void control_change(struct control *c, const struct control_conf *conf);

struct meter_sample {
	int64_t at_us;                /* monotonic, when it was read */
	struct milliamps ma;          /* import positive; signed */
	double power_w;               /* NaN: not known */
	double voltage_v[3];          /* NaN: not known */
	double import_wh, export_wh;  /* NaN: not known */
};
/* True: a node is over its limit now, and control_tick should be called at once. */
bool control_meter(struct control *c, int meter, const struct meter_sample *s);
void control_meter_failed(struct control *c, int meter, const char *why); /* a read failed: unknown, not 0 */

void control_evse_link(struct control *c, int evse, bool online, int64_t now_us);
/* What the station says of the EVSE, and that a transaction runs there: it wants current. True: a charge begins. It may take what its socket
 * gives by itself, on top of all that is shared out, until a tick makes room. */
bool control_evse_state(struct control *c, int evse, enum evse_state state, int64_t now_us);
bool control_evse_tx(struct control *c, int evse, bool running, int64_t now_us);
/* What it draws on its own phases, from the station's meter values; energy_wh NaN: not said. */
void control_evse_draw(struct control *c, int evse, const int32_t own_ma[3], double energy_wh, int64_t now_us);
/* What its driver, a calendar or the CSMS says: the energy of the whole session (NaN: nobody said) and when it leaves (monotonic; 0: nobody
 * said). Both may be wrong. Forgotten when the transaction ends. */
void control_evse_need(struct control *c, int evse, double need_wh, int64_t depart_us);
/* This session counts for more (or, below zero, for less) than its EVSE's priority says. Forgotten when the transaction ends. */
void control_evse_favour(struct control *c, int evse, int32_t more);
/* Its car is being woken: room is made for it before it begins. */
void control_evse_woken(struct control *c, int evse, int64_t now_us);
/* The station answered a limit: accepted or not. */
void control_evse_answered(struct control *c, int evse, int32_t ma, bool accepted, int64_t now_us);

/* A cap by the operator or another input, on a node (evse -1) or an EVSE (node -1); always with an end. Returns its id, from 1. */
int control_cap_set(struct control *c, int node, int evse, int32_t ma, const char *reason, const char *owner, int64_t until_us);
/* The same in full. `id` 0: a new one; else it replaces that one, which keeps its age when nothing but its values changed. */
int control_cap_put(struct control *c, int id, const struct cap_conf *cap);
int control_cap_clear(struct control *c, int id);
/* Those in force on a node. Returns how many were written, at most `most`; their texts live until the next call that changes the balancer. */
size_t control_node_caps(const struct control *c, int node, struct cap_conf *out, size_t most);
/* How the wall clock stands, for windows of it: wall time less monotonic time. Until it is said it is not trusted. */
void control_wall(struct control *c, int64_t offset_us, bool trusted);
/* What the CSMS's own charging profiles allow this EVSE, and which of them it is ("TxProfile/0/771"): a cap beside all others. MA_NONE: they
 * allow anything. until_us: when that may change, 0: open. */
void control_evse_profile(struct control *c, int evse, int32_t ma, const char *ref, int64_t until_us);

/* Below this charging is of little use (minChargingRate of the CSMS's profile): it gets so much or waits, unless its own caps leave less anyway.
 * 0: nothing said. */
void control_evse_least(struct control *c, int evse, int32_t ma);

/* What this station goes by when it is silent: its configured fallback, unless it did not take that. */
void control_evse_alone(struct control *c, int evse, int32_t ma);
/* What it was told by an earlier process, and may still go by. */
void control_evse_before(struct control *c, int evse, int32_t ma);
/* Whether it was seen to follow its limits. Until then what it may draw at most is counted, whatever it was told. */
void control_evse_proved(struct control *c, int evse, bool proved);
/* How its hardware can charge on one phase, where its configuration says that it changes over: its first alone until this is told. */
enum single { SINGLE_FIRST, SINGLE_ANY, SINGLE_NEVER };
void control_evse_single(struct control *c, int evse, enum single can);
/* How it follows its limits, for `why` ("stubborn"); NULL: as it should. A text that lasts. */
void control_evse_conduct(struct control *c, int evse, const char *conduct);

void control_tick(struct control *c, int64_t now_us);

/* Views, for status, telemetry and `why`. */
struct node_view {
	const char *id;
	struct milliamps limit;       /* in force now, caps included */
	struct milliamps measured;    /* by its meter, or summed; MA_NONE: unknown */
	struct milliamps planned;     /* base load plus what is granted below */
	double power_w;               /* measured, or summed; NaN: unknown */
	int64_t power_limit_w;        /* of the contract; 0: none */
	int64_t power_allowed_w;      /* now, by the window and by caps; -1: no bound */
	int64_t planned_w;            /* what is planned, of all lines together, generation counted */
	int64_t window_us, window_mean_w; /* -1: no mean, because the clock is not trusted or nothing is known */
	bool metered, stale;
	int binding;                  /* EVSEs for which this node is the binding cap */
	int binding_phase;            /* 1..3, 0: none */
};
struct evse_view {
	const char *id, *station;
	int evse, node;
	enum evse_state state;
	bool online, running, waiting;
	struct grant grant;
	int32_t sent_ma, confirmed_ma; /* last sent and last accepted; -1: none */
	int32_t drawn_ma[3];          /* on its own phases */
	int32_t counted_ma[3];        /* what it may take there at most, as plans count it: silent, deaf, or with an order on its way */
	int64_t drawn_at_us;          /* monotonic; 0: never */
	double energy_wh;             /* NaN: unknown */
	uint8_t lines[3], n_lines;
	uint8_t phases;               /* own phases its car uses, as bits; all of them until it has shown that */
};
struct meter_view {
	const char *id;
	struct meter_sample last;     /* at_us 0: never */
	bool stale;
	int64_t age_us;               /* of the last change of value: a frozen meter is a lost one */
	const char *fault;            /* NULL: none */
};
size_t control_nodes(const struct control *c);
size_t control_evses(const struct control *c);
size_t control_meters(const struct control *c);
void control_node_view(const struct control *c, int node, struct node_view *out);
void control_evse_view(const struct control *c, int evse, struct evse_view *out);
void control_meter_view(const struct control *c, int meter, int64_t now_us, struct meter_view *out);
/* The chain of caps of an EVSE, ascending by value; the first binds. Returns how many were written, at most `most`. */
size_t control_why(const struct control *c, int evse, struct cap *out, size_t most);
int control_find_evse(const struct control *c, const char *station, int evse); /* index, or ERR_NOT_FOUND */
int control_find_node(const struct control *c, const char *id);
int control_find_meter(const struct control *c, const char *id);

#endif
