/* What the files of the station share: the cabinet, its EVSEs, and who does what. Not for other folders. */
#ifndef AMPGATE_STATION_INSIDE_H
#define AMPGATE_STATION_INSIDE_H

#include "base/log.h"
#include "base/timer.h"
#include "energy/profile.h"
#include "ocpp/dialect.h"
#include "ocpp/frame.h"
#include "station/authz.h"
#include "station/connector.h"
#include "station/display.h"
#include "station/host.h"
#include "station/keys.h"
#include "station/monitors.h"
#include "station/network.h"
#include "station/sampling.h"
#include "station/station.h"
#include "station/txn.h"
#include "station/wire.h"

#define TOKEN_MOST 256

/* A token on its way: as it was shown, and what came with it. */
struct shown {
	char token[TOKEN_MOST], type[24], group[TOKEN_MOST];
};

struct evse {
	struct station *s;
	struct connector con;
	double register_wh;           /* last known */
	int32_t limit_ma;             /* what profiles allow now; INT32_MAX: nothing limits */
	int limit_phases;

	/* The transaction (charge.c). */
	struct txn *tx;               /* NULL: none */
	unsigned reached;             /* points (enum point) that held when last looked at */
	unsigned counted;             /* stop points that this transaction has reached: it ends when one of them is lost */
	int32_t rate_ma;              /* what it was offered when its messages told it last; 0: not yet */
	struct timer rate;            /* runs: it was told a moment ago */
	enum evse_state told;         /* charging state as the transaction's messages told it last */
	const char *ended_by;         /* why its authorisation ended, while the transaction goes on; NULL: it has not */
	double most_wh;               /* register at which a refused transaction stops getting energy; NaN: not refused */

	/* Who may charge (grant.c): a token that was accepted, or is being asked about, and what comes with it. */
	struct shown who, other;      /* `other`: one that may stop what `who` started, while it is asked about */
	bool authorised;              /* who was accepted: a car is waited for, or the power path is closed */
	bool untold;                  /* no message of a transaction named who yet */
	const char *trigger;          /* how who came: "Authorized" or "RemoteStart" */
	int64_t remote_start_id;      /* -1: none */
	int64_t reservation;          /* that who used up; -1: none */
	bool asking, asking_other;
	struct timer claim;           /* no car came: 1.6 ConnectionTimeOut, 2.x EVConnectionTimeOut */
	struct charging_profile profile; /* of a remote start; n_periods 0: none */
	struct arena profile_mem;

	/* Meter values (meters.c). */
	struct timer sample, collect;
	struct sample *kept;          /* for the end of the transaction */
	size_t n_kept;

	/* For whoever stands there (display.c). */
	double cost;                  /* so far, or of the last charge; NaN: not told */
	bool charged;                 /* a transaction ended, and its car is still here */
	char *personal, *shown;       /* the CSMS's message for this token; what is to be read now */

	struct unlocking {
		char id[FRAME_ID_MOST + 1];
		const struct action *act; /* whose answer waits; NULL: none */
	} unlocking;
	bool unavailable;             /* the CSMS made it so; firmware and faults do not count */
	struct timer status;          /* a state has to last before it is told */
	enum evse_state reported;     /* as the peer knows it, in its version's words */
	char reported_fault[32];
};

enum registration { REG_NONE, REG_PENDING, REG_REJECTED, REG_ACCEPTED };

struct reset_kind {
	const char *word;             /* as the CSMS says it */
	bool when_idle;
	const char *reason;           /* with which transactions end */
	const char *boot_reason;
};

/* A promise that an EVSE, or any one, is free when its token comes. */
struct reservation {
	int64_t id;                   /* -1: this place is free */
	int evse;                     /* 0: any */
	int64_t until_us;             /* wall time */
	char token[TOKEN_MOST], group[TOKEN_MOST];
	struct timer end;
	struct station *s;
};

/* A log on its way (logs.c). */
struct log_job {
	bool running;
	struct arena mem;
	const char *type, *url, *told;
	int64_t request_id, from_us, to_us;
	int retries;
	int64_t retry_us;
	char name[FILE_NAME_MOST];
	struct timer retry;
};

/* An update (firmware.c). */
struct firmware {
	int step;
	struct arena mem;
	const char *url, *certificate, *signature, *told;
	int64_t request_id, fetch_us, install_us;
	int retries;
	int64_t retry_us;
	bool holding;                 /* EVSEs without a transaction are kept free of one */
	int came_back;                /* from an installation before this start: 1 with another version, -1 with the same */
	struct timer timer;
};

/* Events on their way, and a certificate that is waited for (security.c). */
struct security {
	struct list waiting;
	size_t n_waiting;
	int64_t repeated;
	struct timer wait;
};

struct station {
	struct station_conf conf;     /* texts in `mem` */
	struct arena mem;
	const struct station_events *events;
	void *arg;
	const struct dialect *dialect;
	struct log log;
	struct wire wire;
	struct txns *txns;                   /* one, or where the peer is inside one for each EVSE; station_txns */
	int n_txns;
	struct authz authz;
	struct keys keys;
	struct profiles profiles;
	bool switches_phases;                /* as its key says */
	struct list raw_profiles;            /* as they were set (schedule.c) */
	struct display display;
	struct monitors monitors;
	struct networks networks;
	struct log_job log_job;
	struct firmware firmware;
	struct security security;
	bool recalling;                      /* what is kept is being read, and not to be kept again */
	struct link *link;
	enum registration registration;
	const char *boot_reason;
	const struct reset_kind *reset;      /* under way: transactions have ended, their messages are leaving */
	const struct reset_kind *reset_idle; /* wanted when no transaction runs */
	bool inoperative;
	unsigned reporting;                  /* states on their way */
	bool booting;                        /* a BootNotification is under way */
	bool closing;
	int64_t offline_since_us;            /* monotonic */
	struct timer boot, heartbeat, limits, reset_latest, aligned, aligned_end;
	int64_t aligned_us, aligned_end_us;  /* wall time at which they are due */
	struct reservation *reservations;    /* conf.n_evses places */
	struct evse evses[];                 /* conf.n_evses */
};

static inline bool station_talks(const struct station *s)
{
	return s->link && s->registration == REG_ACCEPTED;
}
struct evse *station_evse(struct station *s, int evse); /* NULL: there is no such EVSE */
struct txns *station_txns(struct station *s, int evse); /* where its transactions' messages go */
bool station_owes(const struct station *s, struct slice tx); /* messages of it, or of any where it is absent, are not answered yet */

static inline struct slice text_or_absent(const char *text)
{
	return text[0] ? slice_of(text) : (struct slice){ 0 };
}
void put_text(char *out, size_t room, struct slice s); /* cut where it does not fit */

/* evse.c: the place, its connector and its status */
void evse_open(struct evse *e, struct station *s, int number);
void evse_close(struct evse *e);
void evse_feed(struct evse *e, const struct evse_input *in);
enum evse_state evse_told_state(const struct evse *e);     /* as this version's status can say it */
void evse_report(struct evse *e);                          /* StatusNotification */
bool evse_report_due(const struct evse *e);                /* what the peer knows is no longer so */

/* charge.c: transactions */
enum point { POINT_CONNECTED = 1, POINT_AUTHORIZED = 2, POINT_POWER_PATH = 4, POINT_ENERGY = 8 };
int charge_points(struct slice list, unsigned *out) MUST_CHECK; /* of TxStartPoint and TxStopPoint; ERR_INVALID: one that is not offered */
bool charge_may_begin(const struct evse *e);               /* the station as a whole lets transactions begin, and this place is fit */
void charge_happened(struct evse *e, const char *trigger, const char *reason); /* after a change: starts, tells, or ends with the reason */
void charge_state(struct evse *e);                         /* the connector's state changed */
void charge_rate(struct evse *e);                          /* what it may draw may have changed */
void charge_power(struct evse *e);                         /* closes the power path if who is authorised and a car is there */
void charge_end(struct evse *e, const char *trigger, const char *reason); /* whatever the stop points are */
void charge_begin_event(const struct evse *e, struct event *ev, enum tx_phase phase, const char *reason);
void charge_profile_tx(const struct evse *e, struct profile_tx *out);
extern const struct txns_events charge_txns_events;

/* grant.c: tokens */
void grant_token(struct evse *e, const char *token);
void grant_try(struct evse *e);                            /* a free EVSE takes its token; who waited gets power */
void grant_outlived(struct evse *e);                       /* the transaction ended and its authorisation did not */
/* The authorisation ends: the power path opens, and the transaction if its stop points say so. */
void grant_end(struct evse *e, const char *trigger, const char *reason);
void grant_wait(struct evse *e);                           /* the car left, and what it began waits for it as long as for one to come */
void grant_withdraw(struct evse *e, const char *reason);   /* the same for who still waits for a car */
/* A remote start; `profile` may be NULL. False: not now. */
bool grant_remote(struct evse *e, const struct event *cmd, const struct charging_profile *profile);
bool grant_could(const struct evse *e, struct slice token, struct slice group); /* a remote start of this token is possible */
void grant_refused(struct evse *e, struct slice status);   /* the CSMS answered the transaction's token with a no */

/* meters.c: when meter values are taken, and for whom */
size_t meters_take(const struct evse *e, enum key list, enum sampling_context context, struct sample out[SAMPLES_MOST]);
void meters_tx_changed(struct evse *e);                    /* a transaction began or ended, or an interval was set */
size_t meters_of_end(struct evse *e, struct sample **out); /* everything for the end of the transaction; the evse's until the next call */
void meters_now(struct evse *e, bool of_tx);               /* on a trigger: of the running transaction's message, or MeterValues */
void meters_aligned_changed(struct station *s);
void meters_drop(struct evse *e);

/* reserve.c: reservations */
void reserve_open(struct station *s);
void reserve_close(struct station *s);
const char *reserve_make(struct station *s, const struct event *cmd); /* the status to answer with */
bool reserve_cancel(struct station *s, int64_t id);
bool reserve_refuses(const struct evse *e, struct slice token, struct slice group); /* it is kept for somebody else */
bool reserve_may_know(const struct evse *e);               /* a group decides, which the CSMS may have to be asked for */
int64_t reserve_use(struct evse *e, struct slice token, struct slice group); /* the token came: its id, -1: none was for it */
void reserve_evse_lost(struct evse *e);                    /* faulted or unavailable: what was promised there is void */
void reserve_settle(struct station *s);                    /* shows which EVSEs are promised */

/* model.c: the device model */
int model_find(struct station *s, struct setting *asked);  /* its row; ERR_NOT_FOUND, and why in asked->result */
void model_show(struct station *s, struct setting *out, struct arena *mem); /* fills in value and kind, or result */
void model_changed(struct station *s);                     /* settings did */
bool model_is_fixed(const struct station *s, size_t row);  /* of this station a row is read-only that others may write */

/* schedule.c: charging profiles */
void schedule_open(struct station *s);
void schedule_close(struct station *s);
void schedule_recall(struct station *s, struct slice value);
bool schedule_ensures(const struct station *s, int evse, const struct charging_profile *p); /* the numbers of phases it asks for; evse 0: at each */

/* logs.c */
void logs_tell_state(struct station *s, bool of_extension);
void logs_close(struct station *s);

/* firmware.c */
void firmware_tell_state(struct station *s, bool of_extension);
void firmware_soon(struct station *s);
void firmware_recall(struct station *s, struct slice value);
bool firmware_was_installed(const struct station *s);
void firmware_tell_outcome(struct station *s);
void firmware_close(struct station *s);

/* security.c */
#define CERTIFICATES_MOST 20
void security_open(struct station *s);
void security_close(struct station *s);
void security_flow(struct station *s);                     /* events that waited */
int security_set_password(struct station *s, struct slice password) MUST_CHECK;
bool security_can_ask(const struct station *s);
void security_ask(struct station *s);                      /* for a new certificate of its own */
size_t security_count(const struct station *s);

/* keep.c: what outlives a restart */
void keep_text(struct station *s, const char *name, struct slice value);
void keep_number(struct station *s, const char *kind, int64_t number, struct slice value); /* as "kind.number" */
void keep_setting(struct station *s, size_t row);
void keep_availability(struct station *s, int evse, bool operative); /* evse 0: the whole */
void keep_reservation(const struct reservation *r);
void keep_tokens(void *arg, bool list);
void keep_recall(struct station *s);

/* station.c */
void station_boot(struct station *s);
void station_heartbeat(struct station *s);
void station_heartbeat_changed(struct station *s);
void station_report_whole(struct station *s);
void station_limits(struct station *s);                    /* what profiles allow now, to every connector */
void station_limits_soon(struct station *s);               /* the same on the next turn: from inside a connector's callback */
bool station_running(const struct station *s);             /* any transaction */
void station_reset(struct station *s, const struct reset_kind *kind);
void station_reset_if_due(struct station *s);

/* commands.c */
void commands_on_call(struct station *s, struct frame *f);

#endif
