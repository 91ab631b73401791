/* Inside the balancer: its state between ticks. Shared by control.c, which decides, and control-view.c, which tells. */
#ifndef AMPGATE_ENERGY_CONTROL_LOCAL_H
#define AMPGATE_ENERGY_CONTROL_LOCAL_H

#include "energy/alloc.h"
#include "energy/car.h"
#include "energy/control.h"
#include "energy/guard.h"
#include "energy/limit.h"
#include "energy/load.h"
#include "energy/margin.h"
#include "energy/meter.h"
#include "energy/need.h"
#include "energy/net.h"
#include "energy/policy.h"
#include "energy/window.h"
#include "energy/witness.h"

#define CAPS_MOST 1024
#define CHAIN_MOST 40
#define MOVED_MA 4000 /* a change of the cars' current that a living meter above them must show */

struct told_cap {                     /* by the operator or another input */
	int id;                       /* 0: free */
	int node, evse;
	int32_t ma;                   /* of an EVSE */
	int32_t line[3];              /* of a node */
	int64_t power_w;              /* of a node; -1: no bound */
	bool devices, surplus;
	char reason[24], owner[64];
	int64_t since_us, until_us;
};

#define MOMENTS 16

struct moment {                        /* what EVSEs take at least and at most, as known at a tick */
	int64_t at_us;
	int64_t low[3], high[3];
};

struct junction {                     /* a node */
	const struct node_conf *conf;
	int32_t sockets;              /* EVSEs at or below it */
	struct meter *meter;          /* NULL: none */
	struct load load;
	struct net net;
	struct margin margin;
	struct window window;         /* of conf->power_w */
	enum guard_meter guard;
	int64_t guard_since_us;
	struct moment moments[MOMENTS]; /* of the last ticks, while the meter is late */
	size_t moment_at;             /* the next one's place */
	int64_t drawn[3];             /* by the EVSEs below, as far as known */
	int64_t drawn_then[3];        /* the same when the meter's values last changed, at seen_change_us */
	int64_t drawn_later[3];       /* the same when every report from before that had been replaced */
	int64_t seen_change_us;
	int64_t contradicted_us;      /* since when that is far from what they draw now; 0: it is not */
	int64_t hollow_us;            /* its meter said last that nothing flows, on a line or at all, while those below reported a current; 0: it is believed */
	int hollow_line;              /* which, or WITNESS_ALL */
	struct witness witness;       /* what those below say against its meter */
	int32_t limit[3];             /* caps included */
	const struct told_cap *cap[ALLOC_ROOMS]; /* the one that makes the limit; NULL: the node's own */
	int64_t order[ALLOC_SUM + 1]; /* what that said last: mA of a line, W of all; NO_BOUND: none */
	int64_t base[3];
	int64_t base_sum;             /* of all lines together, generation counted */
	int64_t uneven[3];            /* room for uneven loads as last told, see control-rooms.c */
	int64_t room[ALLOC_ROOMS];    /* for EVSEs, before any of them is counted; NO_BOUND: no limit */
	int64_t bears;                /* so much more than room[ALLOC_SUM] may be taken for a while, see window.h */
	int64_t passes;               /* part of room[ALLOC_SUM] that ends with the window: who begins does without */
	uint8_t crowded;              /* rooms that are planned above what there is, whatever was cut, as bits */
	int32_t slack_ppm[3];         /* of late, per line: 0: all was shared out, 1000000: some was left that nobody could take */
	int64_t left[ALLOC_ROOMS];    /* room for EVSEs less what is allocated below; meaningless where there is no limit */
};

#define NO_BOUND (INT64_MAX / 4)

static inline int32_t least(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

enum seat_way {
	SEAT_FREE,                    /* no car that wants current */
	SEAT_FAULT,
	SEAT_OFFLINE,                 /* counted, cannot be told */
	SEAT_UNCONFIRMED,             /* counted, told again and again */
	SEAT_SERVED                   /* takes part in the allocation */
};

struct seat {                         /* an EVSE */
	const struct evse_conf *conf;
	struct car car;
	struct limit limit;
	enum evse_state state;
	bool online, tx;
	int64_t link_us;              /* when it was last known: link lost, or the start; 0: not yet */
	int64_t relinked_us;          /* its link came back; 0: never lost */
	int64_t state_us;
	int64_t arrived_us, served_us, waits_us;
	int tight_node, tight_room;   /* that lowered it, or has no room for more: while limit.hold is LIMIT_ROOM; -1: none */
	bool left;                    /* was served in this transaction and then had to wait */
	bool left_idle;               /* it took nothing when it had to */
	double energy_wh;
	double begun_wh;              /* energy_wh when its transaction began; NaN: not known yet */
	double need_wh;               /* NaN: nobody said */
	int64_t depart_us;            /* 0: nobody said */
	int32_t favour;               /* of this session, beside its EVSE's priority */
	int pauses;                   /* in this transaction */
	bool pressed;                 /* a node above has less than has been ordered */
	bool single;                  /* told to use one phase alone: */
	uint8_t alone;                /* which of its own, from 0 */
	bool unshown;                 /* told so only now, and not seen to do it: it may go on with three, and is offered its minimum */
	bool stays;                   /* on that one until its transaction ends */
	bool widens;                  /* is paused to use all of them again */
	int refusals;                 /* so often it was told so and did not do it, */
	int64_t refused_us;           /* lastly then */
	enum single can_single;       /* what its hardware can */
	int64_t switched_us, fits_us; /* 0: never; what it waits for is so since */
	bool phased;                  /* its reports tell phase by phase, as those do that were once not the same on all of them */
	bool over;                    /* a device above still carries too much although it must have followed its last order by now */
	bool unheard;                 /* was lowered while its car took nothing: nothing shows that it goes by that, so it is told once more */
	bool asleep;                  /* was paused and does not come back by itself */
	int32_t order_ma;             /* lowest that it itself was ordered to, by a cap or a profile; MA_NONE: nobody does */
	int64_t eased_us;             /* that, or the order to a node above, rose last */
	int64_t woken_us;             /* last wake-up sequence; 0: none since it was paused */
	/* of the last tick */
	int32_t min_ma;               /* of this seat: its station's, or what is worth while */
	int32_t rate_ma;              /* needed on average until it leaves */
	int32_t left_wh;              /* needed in all */
	enum seat_way way;
	int32_t fixed[3];             /* per grid line, counted before anybody is allocated */
	const struct told_cap *cap;   /* the lowest that was told for it */
	struct told_cap profile;      /* of the CSMS; ma MA_NONE: none */
	int32_t worth_ma;             /* below it charging is of little use; 0: nobody said */
	const struct junction *lost;  /* the node above whose meter is lost and allows least; NULL: none */
	int32_t lost_ma;
	bool frozen;                  /* the meter of a node above is stale */
	int32_t asked_ma;             /* the least of its own caps */
	int32_t take_ma;              /* what it takes of its share */
	struct alloc_share share;     /* as an offer */
	int32_t borne_ma;             /* takes nothing, and could begin with so much without harm; 0: not at the node and line below; MA_NONE: any */
	int crowd_node, crowd_line;
	const char *conduct;          /* of its station, where it does not follow; NULL */
	int32_t place;                /* among those who wait, from 1; 0: does not wait */
	char place_text[12];
	struct grant grant;
};

/* How long limits have been left alone. */
struct pace {
	int64_t balanced_us;          /* shares were made even last */
	int64_t changed_us;           /* somebody came or left last, or another limit was ordered */
	bool ordered;                 /* that was so in this tick */
	int64_t small_us;             /* last small raise */
	bool uneven;                  /* that has been since shares were made even */
};

struct control {
	struct control_conf conf;     /* its pointers are into `site` */
	struct site site;
	struct control_events events;
	void *arg;
	void (*record)(void *arg, const char *line, size_t n); /* record.h; NULL: nobody records */
	void *record_arg;
	bool sending;                 /* an order is being handed out: what is told now belongs to it */
	const struct policy *policy;
	struct meter *meters;
	struct junction *nodes;
	struct seat *seats;
	struct told_cap caps[CAPS_MOST];
	size_t caps_end;              /* none in use from here on */
	struct wall wall;
	struct need_usual usual;
	int last_cap;
	struct pace pace;
	bool starts_alone;            /* cars here begin by their socket's fallback before they are told anything: that much is kept free */
	int64_t now_us;               /* of the last tick */
	int64_t slack_us;             /* slack.c has looked last */
	/* scratch of the tick */
	struct alloc_node *rooms;
	struct alloc_evse *asks;
	struct alloc_share *shares;
	struct policy_evse *ranks;
	struct ranked *work;
	int32_t *order;
	int64_t (*free)[ALLOC_ROOMS];
	int64_t (*wanted)[ALLOC_ROOMS];
	struct ranked *queue;
	bool *send;
	void *scratch;
};

bool control_runs(const struct seat *s);
/* What an EVSE takes on an own phase, as a range. */
void control_range(const struct seat *s, int phase, int64_t now_us, int32_t *low_out, int32_t *high_out);
/* control-meters.c: whether a node's meter is believed. */
void meters_judge(struct control *c, struct junction *n);
/* control-witness.c: what those below a node say against its meter. Fed with each of its samples. True: what it says is not to be learnt from now. */
bool witness_hear(struct control *c, struct junction *n, const struct meter_sample *s);
/* For how long it has been lost by what they say, as meter_lost_for; 0: it is not. `why` then says it, else it is left alone. */
int64_t witness_lost_for(const struct control *c, const struct junction *n, char why[METER_FAULT]);
/* A battery below that is regulated to what the meter shows can make it show nothing. */
bool witness_regulated(const struct control *c, const struct junction *n);
/* The line on which it says that nothing flows, while those below have reported a current since; WITNESS_ALL: on none; -1: it is believed. */
int witness_hollow(const struct control *c, const struct junction *n, char why[METER_FAULT]);
/* control-rooms.c: a node's meter has spoken, and the EVSEs below take this; base loads from meters and estimates; the rooms of every node. */
void rooms_feed(struct control *c, struct junction *n, const struct meter_sample *s, const int64_t low[3], const int64_t high[3]);
void rooms_base(struct control *c);
void rooms_make(struct control *c);
int32_t rooms_margin(const struct control *c, const struct junction *n, int l); /* kept free below the limit of a line */
int32_t rooms_voltage(const struct control *c, const struct junction *n); /* millivolts, phase to neutral */
/* control-asks.c: fills c->asks and c->ranks of an EVSE; all that limits it by itself; what a node keeps from those who wait, on each line. */
void control_ask(struct control *c, size_t i);
double control_most_w(const struct control *c, const struct seat *s); /* that its socket can give */
int32_t control_asks(const struct seat *s);
int32_t control_step(const struct seat *s); /* its limits are multiples of this */
int32_t control_spare(const struct control *c, size_t node);
int32_t control_spare_sum(const struct control *c, size_t node); /* and of its power */
/* slack.c: after a division; how much more than its need a car counts for the lines that it uses, 1000000: no more. */
void slack_watch(struct control *c);
int64_t slack_worth_ppm(const struct control *c, const struct seat *s);
bool control_uneven(const struct seat *s);
void control_free(struct control *c);       /* c->free as if nobody took anything */
/* Counts a current on a line at every node above. `uneven`: whoever takes it does not take the same on all three. */
void control_take(struct control *c, int node, int line, int64_t ma, bool uneven);
/* sleepers.c: who takes nothing is offered something only as far as the devices above bear it. After the asks, before the division. */
void control_sleepers(struct control *c);
#define PHASES_SHOW_US (120 * INT64_C(1000000)) /* stations report every 10 to 60 s */
/* phases.c: who changes over between one phase and three; and a transaction begins or ends. */
void control_phases_seen(struct control *c);
void control_phases(struct control *c);
void phases_begin(struct seat *s);
/* control-move.c: from shares to limits. */
void control_move(struct control *c);
bool control_can_tell(const struct seat *s);
void control_tell(struct control *c, size_t i);
uint8_t control_lines(const struct seat *s); /* grid lines its car uses, as bits */
/* The chain of reasons, sorted; `out` has room for CHAIN_MOST. */
size_t control_chain(const struct control *c, const struct seat *s, struct cap *out);

#endif
