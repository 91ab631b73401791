/* What the files of the station share: the cabinet, its EVSEs, and who does what. Not for other folders. */
#ifndef AMPGATE_STATION_INSIDE_H
#define AMPGATE_STATION_INSIDE_H

#include "base/log.h"
#include "base/timer.h"
#include "ocpp/dialect.h"
#include "station/authz.h"
#include "station/connector.h"
#include "station/keys.h"
#include "energy/profile.h"
#include "station/sampling.h"
#include "station/station.h"
#include "station/txn.h"
#include "station/wire.h"

#define TOKEN_MOST 256

struct evse {
	struct station *s;
	struct connector con;
	double register_wh;           /* last known */
	int32_t limit_ma;             /* what profiles allow now; INT32_MAX: nothing limits */
	struct txn *tx;               /* NULL: no transaction */
	struct timer sample;

	/* A token that was accepted, or is being asked about, and what comes with it. */
	char token[TOKEN_MOST], token_type[24], group[TOKEN_MOST];
	const char *trigger;          /* "Authorized" or "RemoteStart" */
	int64_t remote_start_id;      /* -1: none */
	bool asking;
	struct timer claim;           /* no car came: 1.6 ConnectionTimeOut, 2.x EVConnectionTimeOut */
	struct charging_profile profile; /* of a remote start; n_periods 0: none */
	struct arena profile_mem;

	struct {
		int64_t id;           /* -1: none */
		char token[TOKEN_MOST];
		struct timer end;
	} reservation;

	enum evse_state reported;     /* as the peer knows it, in its version's words */
};

enum registration { REG_NONE, REG_PENDING, REG_REJECTED, REG_ACCEPTED };

struct reset_kind {
	const char *word;             /* as the CSMS says it */
	bool when_idle;
	const char *reason;           /* with which transactions end */
	const char *boot_reason;
};

struct station {
	struct station_conf conf;     /* texts in `mem` */
	struct arena mem;
	const struct station_events *events;
	void *arg;
	const struct dialect *dialect;
	struct log log;
	struct wire wire;
	struct txns txns;
	struct authz authz;
	struct keys keys;
	struct profiles profiles;
	struct link *link;
	enum registration registration;
	const char *boot_reason;
	const struct reset_kind *reset;      /* under way: transactions have ended, their messages are leaving */
	const struct reset_kind *reset_idle; /* wanted when no transaction runs */
	bool inoperative;
	bool booting;                        /* a BootNotification is under way */
	bool closing;
	struct timer boot, heartbeat, limits, reset_latest;
	struct evse evses[];          /* conf.n_evses */
};

static inline bool station_talks(const struct station *s)
{
	return s->link && s->registration == REG_ACCEPTED;
}
struct evse *station_evse(struct station *s, int evse); /* NULL: there is no such EVSE */

/* evse.c */
void evse_open(struct evse *e, struct station *s, int number);
void evse_close(struct evse *e);
void evse_feed(struct evse *e, const struct evse_input *in);
void evse_token(struct evse *e, const char *token);
void evse_try_start(struct evse *e);
void evse_stop(struct evse *e, const char *reason);        /* ends the transaction, if one runs */
void evse_unclaim(struct evse *e);
void evse_report(struct evse *e);                          /* StatusNotification */
void evse_sample(struct evse *e, const char *trigger);     /* meter values now, in the transaction where one runs */
void evse_sampling_changed(struct evse *e);
void evse_profile_tx(const struct evse *e, struct profile_tx *out);
/* A remote start; `profile` may be NULL. False: not now. */
bool evse_remote_start(struct evse *e, const struct event *cmd, const struct charging_profile *profile);
bool evse_reserve(struct evse *e, const struct event *cmd);
void evse_unreserve(struct evse *e);
extern const struct txns_events evse_txns_events;

/* station.c */
void station_boot(struct station *s);
void station_heartbeat(struct station *s);
void station_heartbeat_changed(struct station *s);
void station_report_whole(struct station *s);
void station_limits(struct station *s);                    /* what profiles allow now, to every connector */
bool station_running(const struct station *s);             /* any transaction */
void station_reset(struct station *s, const struct reset_kind *kind);
void station_reset_if_due(struct station *s);

/* commands.c */
void commands_on_call(struct station *s, struct frame *f);

#endif
