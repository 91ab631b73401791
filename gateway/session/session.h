/* One station, whatever it is made of: its link (a WebSocket, or the in-process link of a relay), its lane to the CSMS, and what is known
 * about it. A session lives from the start, or a stranger's first contact, to the end of the process; links come and go.
 *
 *                      link up              lane up
 *   AWAY <-----------------------> WAITING ---------> ONLINE
 *     ^  link down    (any state)     |                | ^
 *     |                               | first attempt  | | lane up: what the CSMS missed goes up (owed.h, replay.h)
 *     |                               | failed         v |
 *     +------------------------------ +-----------> ISLAND    every request is answered here (local.h)
 *
 * WAITING: the lane is being opened for the first time, so requests wait for it a moment instead of being answered by us. Under on_loss
 * "mirror" a station is not served alone: instead of ISLAND its link is closed.
 *
 * Frames pass through as bytes. Two `calls` objects keep the rule of one outstanding CALL per direction: one towards the station, shared by
 * the CSMS and by us; one towards the CSMS, shared by the station, the replay and what we owe. Loop thread. */
#ifndef AMPGATE_GATEWAY_SESSION_H
#define AMPGATE_GATEWAY_SESSION_H

#include "base/loop.h"
#include "gateway/gateway.h"
#include "gateway/session/uplink.h"
#include "ocpp/calls.h"
#include "ocpp/event.h"

enum session_state { SESSION_AWAY, SESSION_WAITING, SESSION_ONLINE, SESSION_ISLAND };

#define SESSION_EVSES 32 /* EVSE ids we keep a state for; more are carried, not understood */

struct session_evse {
	enum evse_state state;
	int64_t since_us;         /* monotonic */
	int control;              /* index in energy/control; -1: none */
	char tx[64];              /* running transaction, as the station knows it; "" */
	char token[64];
	int64_t tx_since_us;      /* wall */
	double tx_start_wh, energy_wh; /* NaN: unknown */
	double power_w;           /* NaN: unknown */
	double soc_percent;       /* of the car; 0: unknown */
	double need_wh;           /* what the car wants in its whole session, as told last; NaN: nobody has said */
	int64_t leaves_us;        /* wall, when it wants to leave; 0: nobody has said */
	char error[40];           /* errorCode other than NoError; "" */
};

struct session {
	struct gateway *gw;
	const struct station_settings *conf;
	const struct evse_settings *own; /* it is one of the box's own EVSEs; NULL: a station on the network */
	const struct uplink_settings *group; /* it is a group of stations, shown as one (group.h); NULL: a single one */
	const char *id;
	struct log log;
	enum session_state state;
	int64_t since_us;             /* monotonic, of the state */
	struct link *link;            /* the station's; NULL: away */
	uint64_t link_number;         /* counts its links: an answer belongs on the link its question came by */
	enum ocpp_version version;    /* of the present or last link */
	struct lane lane;
	struct calls to_station, to_csms;
	struct slice credential;      /* what the station showed us, for password: relay; owned */

	struct list held;             /* transaction messages whose sender waits (ledger.h) */
	struct list unstored;         /* answers of the CSMS that the disk has not taken yet (ledger.c) */
	struct {
		struct list waiting;  /* texts of the CSMS (behind.c) */
		unsigned count, holds;
		bool letting_go;
		struct later go_on;
	} behind;
	struct {
		int64_t seq;          /* of the record being sent or confirmed; 0: none */
		struct call *call;    /* while it is being sent */
		bool ready;           /* boot and states have gone up, the queue may */
		struct list overdue;  /* sent on this lane, their answers not yet here after the timeout (replay.c) */
		struct pace_place place; /* in the line of those who deliver what waited */
		struct timer retry;
		struct later kick;
	} replay;
	struct {
		bool boot;            /* the CSMS has not seen the last boot */
		bool boot_in_flight;
		bool accepted_kept;   /* that it was accepted, with interval_s, is on disk */
		bool of_cars;         /* what cars want may be kept */
		bool more;            /* states or notices may wait that are not on their way */
		unsigned paying;      /* on their way */
		unsigned notices;     /* kept */
		struct timer retry;
	} owed;

	int profile;                  /* security profile of its last link */
	struct raised *raised;        /* its least security profile, where a CSMS has raised it (raised.h) */
	bool proven;                  /* `proof` is the digest of a password that fits its hash (proofs.h) */
	unsigned char proof[32];
	struct slice credential_before; /* as `credential`, until the CSMS has taken the new one; owned */
	struct learnt *learnt;        /* its password, where a CSMS has changed it (learnt.h) */
	struct csms_profiles *csms;   /* what the CSMS has installed in it */
	struct reported *reported;    /* what it says that limits it from elsewhere */
	struct announced *announced;  /* what its CSMS was told that limits the site (announce.h); NULL: not looked up yet */
	struct {
		char token[64];       /* of the last remote start of the CSMS that the station took */
		int64_t at_us;        /* monotonic */
	} remote;
	bool accepted;                /* a CSMS accepted it once, or the configuration names it */
	bool put_off;                 /* the CSMS has answered its last boot with Pending or Rejected: what is to be delivered waits */
	bool rejected;                /* an installer does not want it (owed_reject); never together with `configured` */
	bool booted;                  /* BootNotification seen on this link */
	bool fallback_installed;
	int64_t interval_s;           /* heartbeat interval last given */
	char vendor[51], model[51], firmware[51], serial[51];
	int n_evses;                  /* highest EVSE id seen or configured */
	struct session_evse *evses;   /* by EVSE id, up to n_evses; [0]: the station. Moves when a higher one is seen */
	uint64_t faults;              /* unreadable frames */
	struct deviations *deviations; /* deviations.h; NULL: none seen */
	bool closed;                  /* the program ends: no lane is opened any more */
	bool configured;              /* named in the file */
};

void sessions_open(struct gateway *g); /* of all configured stations: those that never came are seen too */

/* The session of an identity, made at first contact. NULL: a stranger that onboarding refuses. */
struct session *session_of(struct gateway *g, struct slice identity);
struct session *session_find(const struct gateway *g, const char *identity);

/* A station's link is open. The newest wins: an older link of the same identity is closed (2.x: a stale connection must not block). */
void session_attach(struct session *s, struct link *l);

/* After a restart: opens lanes for stations that are not here but whose records wait in the outbox. */
void sessions_drain(struct gateway *g);
/* The station came or went, its queue has run empty or begins with a record of another version: opens or closes the lane accordingly. */
void session_lane_review(struct session *s);

/* g->conf is another one: every session takes its settings out of it, lanes that do not fit any more are closed, new stations are known. Links
 * of stations stay, but those of stations that are neither configured nor let in. Then, with all uplinks in place, sessions_review_lanes. */
void sessions_take_settings(struct gateway *g);
void sessions_review_lanes(struct gateway *g);

/* Stops everything of all sessions; their memory stays until sessions_free. */
void sessions_close(struct gateway *g, const char *reason);
void sessions_free(struct gateway *g);

/* Our own CALL to a station: waits its turn behind the CSMS's, never reaches the CSMS. `done` as in ocpp/calls.h. */
int session_command(struct session *s, const struct event *command, call_done *done, void *arg) MUST_CHECK;
/* The same with an action and payload as text, for `ampgate call`. */
int session_call(struct session *s, struct slice action, struct slice payload, call_done *done, void *arg) MUST_CHECK;

/* Our own CALL to the CSMS, in the station's name. ERR_CLOSED: the lane is not up. */
int session_tell(struct session *s, struct slice action, struct slice payload, call_done *done, void *arg) MUST_CHECK;

/* For the modules of this folder. */
void session_answer(struct session *s, struct slice id, struct slice payload);             /* RESULT to the station, ours */
void session_refuse(struct session *s, struct slice id, const char *code, const char *text); /* CALLERROR to the station, ours */
void session_forward_answer(struct session *s, const struct frame *answer);                 /* the CSMS's bytes, to the station */
void session_password_changed(struct session *s); /* its lane, which borrows it, shows the present one from its next attempt on */
bool session_lane_is_up(const struct session *s);
bool session_waits_for_lane(const struct session *s);  /* up, or its first attempt is under way */
const char *session_state_text(enum session_state st);
struct session_evse *session_evse(struct session *s, int evse); /* made when first seen; NULL: beyond what is kept */

#endif
