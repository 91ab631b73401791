/* What the files of a group share. */
#ifndef AMPGATE_GATEWAY_GROUP_LOCAL_H
#define AMPGATE_GATEWAY_GROUP_LOCAL_H

#include "base/list.h"
#include "base/map.h"
#include "base/timer.h"
#include "gateway/group/group.h"
#include "ocpp/certs.h"
#include "ocpp/codec.h"
#include "ocpp/dialect.h"

#define PLACES_MOST 1000 /* connectors of one group */

/* An EVSE of a member, under its number in the group (group-places.c). */
struct place {
	struct list in_group;      /* by number */
	struct group *group;
	int number;                /* from 1 */
	char *station;             /* owned */
	int evse;
	enum evse_state state;     /* as the member told it last */
	char error[40];
	int connector;             /* 2.x: the one inside the EVSE that is in use; 0: none known */
	int64_t reservation;       /* made last; -1: none */
	int64_t remote_start_id;   /* asked for by the CSMS, its transaction not begun; -1: none */
	enum evse_state told;      /* what the CSMS was told last */
	bool due, sending;         /* the CSMS has to hear; is being told */
};

struct member {
	struct group *group;
	struct session *session;
	struct link *link;         /* our end of its lane; NULL: its session has no use for one now */
	struct calls calls;        /* the CSMS's and ours, by that link */
	int64_t came_us;           /* monotonic, when the station came; 0: it is away */
	int64_t left_us;           /* monotonic, when it went */
	bool greeted;              /* what it missed was put to it */
	enum evse_state whole;     /* of the station: unavailable or faulted, which then holds for all it has */
	struct list passing;       /* its CALLs on their way (group-up.c) */
};

/* A transaction as its member calls it and as the group does (group-txs.c). */
struct named {
	struct list in_group;
	struct group *group;
	char *station, *member_tx;
	char *up_tx;               /* NULL: the CSMS has not heard of it */
	int number;                /* 0: not known yet */
	int64_t seq;               /* the next sequence number, where the group has to count */
	char last[33];             /* fingerprint of the newest message that was counted, hex */
	char start[33];            /* that of its start, where the member could not name it; "" */
	int64_t remote_start_id;   /* that its start told the CSMS; -1: none */
	double start_wh, wh;       /* first and newest register; NaN: none seen */
	bool over;
};

struct job;                        /* group-jobs.c */

struct group {
	struct gateway *gw;
	const struct uplink_settings *conf;
	struct session *face;      /* the group as a station */
	struct link *link;         /* our end of the link to it; NULL: for a moment there is none */
	enum ocpp_version version; /* towards the CSMS */
	struct log log;
	struct map members;        /* identity -> struct member */
	struct list places, txs;
	size_t n_txs;
	struct map asked;          /* message id -> struct asking */
	bool accepted, refused;    /* by the CSMS; neither: it has not answered the boot yet */
	int64_t list_version;      /* of the local list, as sent last; -1: as kept */
	int64_t interval_s;
	struct timer boot, heartbeat, tick, reconnect;
	unsigned telling;          /* states on their way */
	bool whole_due;            /* the state of the station as a whole */
	struct job *jobs[2];       /* firmware, log; NULL: none under way */
	int cap;                   /* id of the group limit in energy/control; 0: none */
	int32_t cap_ma;
	int64_t cap_until_us;
	struct list gathers;       /* questions that are being told of (group-told.c) */
	size_t n_gathers;
	struct list monitors;      /* numbers of monitors (group-monitors.c) */
	size_t n_monitors;
	int64_t next_monitor;
	struct list requests;      /* of members to sign a certificate (group-certs.c) */
	struct later say;
};

/* --- group.c --- */

/* A CALL of the group to the CSMS. `done` gets the answer, or NULL when there will be none. */
typedef void group_done(void *arg, const struct action *asked, struct frame *answer);
void group_ask(struct group *g, const struct action *act, struct slice payload, group_done *done, void *arg);
int group_tell(struct group *g, const struct event *e, group_done *done, void *arg); /* the same by its meaning */
void group_answer(struct group *g, struct slice id, struct slice payload);           /* to a CALL of the CSMS */
void group_refuse(struct group *g, struct slice id, const char *code, const char *why);
void group_answer_status(struct group *g, struct slice id, const struct action *act, struct slice status); /* absent: the message's word for no */
/* The same with a reason of the standard's list and a text, for versions that have room for them; NULL: none. */
void group_answer_reason(struct group *g, struct slice id, const struct action *act, struct slice status, const char *reason, const char *info);
void group_boot(struct group *g, const char *reason);
void group_heartbeat(struct group *g);
void group_say_states(struct group *g);  /* what is due, at the end of the turn */
void group_review_states(struct group *g); /* who came or went is shown as that */

/* --- group-members.c --- */
void members_greet(struct group *g);     /* who is here for a while is told what it missed */
void members_close(struct group *g);
/* Puts a CALL to a member; `e` its meaning with the member's own numbers. `done` as calls_ask. */
int member_ask(struct member *m, struct frame *f, const struct event *e, const struct action **act_out, call_done *done, void *arg) MUST_CHECK;
void group_member_answer(struct member *m, struct slice id, struct slice payload);
void group_member_refuse(struct member *m, struct slice id, const char *code, const char *why);
struct member *group_member(const struct group *g, const char *station); /* NULL: none */
bool member_is_here(const struct member *m);

/* --- group-places.c --- */
void places_open(struct group *g);
void places_configure(struct group *g); /* numbers for what the configuration names */
void places_close(struct group *g);
struct place *place_at(const struct group *g, int number);               /* NULL: no such number */
struct place *place_of(struct group *g, const char *station, int evse);  /* given a number when first seen; NULL: no room */
struct place *place_known(const struct group *g, const char *station, int evse);
int places_count(const struct group *g);
void place_state(struct place *p, int connector, enum evse_state state, struct slice error);
void place_reserve(struct place *p, int64_t reservation);                /* -1: no more */
enum evse_state place_shown(const struct place *p);                      /* what the CSMS should see */
bool place_is_free(const struct place *p);

/* --- group-txs.c --- */
void txs_open(struct group *g);
void txs_close(struct group *g);
struct named *named_of(const struct group *g, const char *station, struct slice member_tx);
struct named *named_up(const struct group *g, struct slice up_tx);
struct named *named_by_start(const struct group *g, const char *station, const char *fingerprint);
struct named *named_new(struct group *g, const char *station, struct slice member_tx, int number);
const char *named_choose_up(struct named *n);                            /* a name for the CSMS, where the group gives it */
int64_t txs_next_id(struct group *g);                                    /* a number for a member that wants one */
int named_keep(struct named *n, store_done *done, void *arg) MUST_CHECK; /* `done` when it is on disk */
void named_forget_old(struct group *g, const char *station, int number, const struct named *newest);

/* --- group-up.c --- */
void group_member_call(struct member *m, struct frame *f);

/* --- group-down.c --- */
void group_csms_call(struct group *g, struct frame *f);

/* --- group-fan.c: one CALL to many members, one answer --- */

enum fan_rule { FAN_ALL, FAN_ANY }; /* one no makes it a no; one yes makes it a yes */
/* `ours`: what the group itself says to it, counted in; NULL: nothing. */
void group_fan(struct group *g, struct frame *f, const struct event *e, enum fan_rule rule, const char *ours);

/* --- group-config.c --- */
void group_config(struct group *g, struct frame *f, struct event *e);
const char *group_config_name(const char *name, enum ocpp_version v); /* what this version calls a setting; NULL: nothing */

/* --- group-wishes.c: what members that are away have to be told when they come back --- */
void wish_put(struct group *g, const char *name, struct slice value);
void wish_remove(struct group *g, const char *name);
void wishes_tell(struct member *m);

/* --- group-told.c: questions that stations answer with messages of their own --- */
void group_question(struct group *g, struct frame *f, struct event *e);
bool group_told(struct member *m, struct frame *f); /* false: it is no answer to such a question */
void told_close(struct group *g);

/* --- group-monitors.c --- */
void group_monitors_open(struct group *g);
void group_monitors_close(struct group *g);
void group_monitors_tell(struct member *m); /* those it missed */
void group_set_monitors(struct group *g, struct frame *f, struct event *e);
void group_clear_monitors(struct group *g, struct frame *f, struct event *e);
/* The group's numbers in place of the member's, in each entry of a list. */
void group_monitor_numbers(struct member *m, struct buf *text, const char *list, const char *path);

/* --- group-profiles.c --- */
void group_profiles(struct group *g, struct frame *f, struct event *e);

/* --- group-certs.c --- */
void group_certs_open(struct group *g);
void group_certs_close(struct group *g);
bool group_note_request(struct member *m, struct frame *f);            /* SignCertificate on its way up; false: it has no readable request */
struct member *group_signed_for(struct group *g, struct frame *f);     /* CertificateSigned; NULL: nobody here has asked for that */
void group_installed(struct group *g, struct frame *f);

/* --- group-key.c --- */
bool group_has_key(const struct group *g);                  /* it connects by a certificate */
bool group_take_signed(struct group *g, struct frame *f);   /* CertificateSigned for our own request; false: it is not */

/* InstallCertificate and DeleteCertificate of roots of the CSMS, which are the box's too: it is the box that connects. Its own word, to be counted with
 * those of the stations; NULL: it has none. */
const char *group_root(struct group *g, struct frame *f);
size_t group_roots(const struct group *g, struct arena *mem, struct certificate_id **out);

/* --- group-jobs.c --- */
void group_job(struct group *g, struct frame *f, const struct event *e);
void group_job_status(struct member *m, const struct event *e, store_done *done, void *arg); /* `done` when it is on disk, or at once */
void group_job_tell(struct group *g, enum event_kind kind); /* for a trigger */
void group_jobs_open(struct group *g);
void group_jobs_look(struct group *g); /* now and then: who stays away has failed */
void group_jobs_close(struct group *g);

/* --- group-limit.c --- */
void group_limit_look(struct group *g);
void group_schedule(struct group *g, struct frame *f);
bool group_can_limit(const struct group *g);

#endif
