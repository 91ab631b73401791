/* A station as somebody who takes limits: the ways of its model, what it said about itself, and what is installed in it by us. Shared by
 * limits.c (the live limit of each transaction), fallback.c (what it does by itself) and charger.c (how that is found out). Loop thread. */
#ifndef AMPGATE_GATEWAY_CHARGER_H
#define AMPGATE_GATEWAY_CHARGER_H

#include "gateway/power/limits.h"
#include "gateway/power/traits.h"
#include "ocpp/catalogue.h"

#define PROFILE_FALLBACK FORMS              /* its place among an EVSE's profile ids; before it those of the forms */
#define PROFILES_PER_EVSE (FORMS + 1)

struct charger {
	struct limits *limits;
	struct gateway *gw;
	struct session *s;
	struct timer greet;
	struct traits traits;
	enum limit_form form;
	int64_t first_id;         /* of our profiles in it */
	int coming[PURPOSES];     /* the highest level at which the CSMS set a profile of this purpose; -1: none yet */
	int way;                  /* of wording, counted from what is known; 0: that */
	struct traits told;       /* what is known, while others are tried */
	int asked;                /* questions up to here were asked on this link or answered before */
	int64_t sent_us;          /* the last live limit, monotonic; 0: none */
	bool fallback_refused;
	bool has_maximum;         /* a live limit of ours for the whole station is installed in it */
	struct {
		bool there;
		int32_t ma;
		int level;
		int theirs_phases, theirs_phase; /* for which phases the CSMS means what it hides; struct csms_default */
	} fallback[SESSION_EVSES + 1]; /* as installed */
	struct limits_counts counts;
};

struct charger *charger_of(struct limits *l, struct session *s);   /* made when first asked for */
struct charger *charger_known(const struct limits *l, const struct session *s); /* NULL: not asked for yet */
struct traits_book *limits_book(const struct limits *l);

/* What is known without asking: the data file, what was learnt of the model, what this station said. */
void charger_know(struct charger *c);
/* Asks what is not known, one thing at a time, then installs the fallback. */
void charger_ask(struct charger *c);

/* The form that was accepted, for this model. */
void charger_learn_form(struct charger *c, enum limit_form form);
/* How long this station's current takes to follow; kept. */
void charger_learn_response(struct charger *c, int64_t response_us);
/* All forms are refused as they are worded now: the next wording is tried. Levels first, for some count theirs where the highest is meant; then
 * the other unit, schedules without a start, whole amperes. False: all of them have been, and it begins from the front. */
bool charger_other_way(struct charger *c);
void charger_keep_traits(struct charger *c); /* level, unit, start and rounding: kept for this station */
void charger_keep_way(struct charger *c); /* a limit was accepted as worded now: kept for this station */

/* Our ids make room for those of the CSMS. True: they have moved, ours have to be installed again. */
bool charger_move_ids(struct charger *c);
int64_t charger_profile_id(const struct charger *c, int evse, int place);

int charger_live_level(const struct charger *c, enum limit_form form, int evse);
int charger_fallback_level(const struct charger *c, int evse);

/* The unit, phases, start and rounding that this station takes, for a command with limit_a per phase of the grid. */
void charger_word(const struct charger *c, struct event *e);
int charger_lines(const struct charger *c); /* phases at its first EVSE */
int64_t charger_meter_interval_us(const struct charger *c); /* as configured, or as its model can */
/* What of a limit arrives: rounded as charger_word and the message round it. */
double charger_rounded(const struct charger *c, double amps);

/* The station did not accept (or there was no answer it could be read from). */
bool charger_refused(const struct frame *answer, const struct action *act);

/* fallback.c */
void fallback_forget(struct charger *c); /* nothing is installed any more, as far as we know */
void fallback_counts(const struct charger *c, bool taken); /* what is counted for its EVSEs while it is silent: the fallback, or its maximum */
double fallback_told_a(const struct charger *c, int evse); /* what an EVSE without a transaction's own limit goes by; INFINITY: nothing of ours */

#endif
