/* Asks a station form by form: each in its own profile, which lasts for seconds, never allows more than the live limit does and is cleared
 * again. Where the car draws more than the tried limit its current tells whether the form is followed, and how fast.
 *
 * Easy to get wrong: a profile at the level of ours replaces ours, so ours go out again after each try; at a level of the CSMS's it would
 * replace the CSMS's, so such a try is left out. A TxDefaultProfile below a TxProfile says nothing by being without effect. */
#include "gateway/power/probe.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "gateway/manage/commission.h"
#include "gateway/power/charger.h"
#include "gateway/power/csms-profiles.h"
#include "ocpp/profile.h"
#include "storage/kept.h"

#define LOOK_US (US_PER_S / 4)
#define REST_US (3 * US_PER_S / 2) /* ours are to be back before the next one; two limits in a second are one too many */
#define READY_US (20 * US_PER_S)   /* a fallback that comes in the middle would look like a limit that is followed */
#define MOST_US (30 * US_PER_S)    /* to wait for a current */
#define RISE_US (10 * US_PER_S)    /* for the car to come back up after the trial before; one that does not is not waited for again */
#define ENOUGH_MA 500
#define KEPT "limits/probe/" /* and the EVSE: its last result, as probed_write tells it */

enum change { AS_KNOWN, OTHER_UNIT, OTHER_START, TENTHS, LEVEL_0, OTHER_PHASES };
enum follows { NOT_MEASURED, FOLLOWED, NOT_FOLLOWED };

#define KNOWN_FORM (-1)

static const struct trial {
	int form;                 /* enum limit_form, or KNOWN_FORM */
	bool all;                 /* of the whole station: connector 0, EVSE 0 */
	enum change change;
} trials[] = {
	{ FORM_TX, false, AS_KNOWN },
	{ FORM_TX_DEFAULT, false, AS_KNOWN },
	{ FORM_TX_DEFAULT, true, AS_KNOWN },
	{ FORM_STATION_MAX, true, AS_KNOWN },
	{ KNOWN_FORM, false, OTHER_UNIT },
	{ KNOWN_FORM, false, OTHER_START },
	{ KNOWN_FORM, false, TENTHS },
	{ KNOWN_FORM, false, LEVEL_0 },
	{ KNOWN_FORM, false, OTHER_PHASES },
};
#define TRIALS (sizeof(trials) / sizeof(trials[0]))

struct outcome {
	bool tried, accepted;
	const char *note;         /* NULL: none */
	enum follows follows;
	int64_t response_us;
	struct event sent;
};

struct probing {
	struct gateway *g;
	struct task *task;
	struct timer timer;
	char *station, *user;
	int evse, control;
	enum limit_form form;     /* the known one */
	size_t at;
	bool in_flight, stopped, measurable, stays_low;
	int64_t begun_us, sent_us;
	int64_t due_us;           /* when the trial that is next could have begun */
	uint64_t lives;           /* live limits sent when this one was */
	struct outcome outcomes[TRIALS];
};

static void probing_free(struct probing *p)
{
	timer_cancel(&p->timer);
	mem_free(p->station);
	mem_free(p->user);
	mem_free(p);
}

static struct session *charging_session(const struct probing *p)
{
	struct session *s = session_find(p->g, p->station);
	return s && s->link && s->evses[p->evse].tx[0] ? s : NULL;
}

static int32_t drawn_ma(const struct probing *p, int64_t *at_us)
{
	struct evse_view v;
	int32_t most = 0;
	control_evse_view(p->g->control, p->control, &v);
	for (int i = 0; i < v.n_lines && i < 3; i++)
		most = v.drawn_ma[i] > most ? v.drawn_ma[i] : most;
	*at_us = v.drawn_at_us;
	return most;
}

/* --- what is tried --- */

static enum limit_form form_of(const struct probing *p, const struct trial *t)
{
	return t->form == KNOWN_FORM ? p->form : (enum limit_form)t->form;
}

/* The least a car charges with, or half an ampere above it; NaN: this EVSE has not so much now. */
static double least_a(const struct probing *p, const struct session *s, bool tenths)
{
	struct evse_view v;
	control_evse_view(p->g->control, p->control, &v);
	double has = fmin(v.grant.ma / 1000.0, csms_profiles_evse_a(s, p->evse)), least = s->conf->min_current_ma / 1000.0;
	if (tenths)
		return floor(least) + 0.5 <= has ? floor(least) + 0.5 : NAN;
	return has >= least ? least : NAN;
}

static int running(const struct session *s)
{
	int n = 0;
	for (int i = 1; i <= s->n_evses; i++)
		n += s->evses[i].tx[0] != 0;
	return n;
}

static bool csms_is_at(const struct charger *c, int evse, enum profile_purpose purpose)
{
	return csms_profiles_level(c->s, evse, purpose) >= 0 || csms_profiles_level(c->s, 0, purpose) >= 0 || c->coming[purpose] >= 0;
}

/* NULL: it can be tried, with this command; else why not. */
static const char *describe(const struct probing *p, struct charger *c, const struct trial *t, struct event *e)
{
	static const enum profile_purpose purposes[FORMS] = { PURPOSE_TX, PURPOSE_TX_DEFAULT, PURPOSE_STATION_MAX };
	enum limit_form form = form_of(p, t);
	struct traits known = c->traits;
	event_init(e, CMD_SET_PROFILE);
	e->purpose = purposes[form];
	e->evse = t->all || form == FORM_STATION_MAX ? 0 : p->evse;
	e->tx = form == FORM_TX ? slice_of(c->s->evses[p->evse].tx) : (struct slice){ 0 };
	e->limit_a = least_a(p, c->s, t->change == TENTHS);
	if (isnan(e->limit_a))
		return "its limit is lower now";
	if (e->evse == 0 && running(c->s) > 1)
		return "another car charges at this station";
	e->duration_s = (MOST_US + 10 * US_PER_S) / US_PER_S;
	e->profile_id = c->first_id + LIMITS_PROFILE_IDS - 1;
	e->stack_level = charger_live_level(c, form, e->evse);
	if (known.max_level >= 0 && csms_profiles_level(c->s, -1, e->purpose) >= e->stack_level)
		return "the CSMS has a profile there";
	if (t->change == LEVEL_0 && (e->stack_level == 0 || csms_is_at(c, p->evse, e->purpose)))
		return e->stack_level == 0 ? "that is the level in use" : "the CSMS has a profile there";
	if (t->change == OTHER_PHASES && c->s->conf->dc)
		return "direct current has no phases";
	if (t->change == LEVEL_0)
		e->stack_level = 0;
	if (form != FORM_TX && (c->fallback_refused || known.max_level == 0))
		e->then_a = c->s->conf->fallback_current_ma / 1000.0;
	c->traits.unit ^= t->change == OTHER_UNIT;
	c->traits.relative_only ^= t->change == OTHER_START;
	c->traits.whole_amps &= t->change != TENTHS;
	charger_word(c, e);
	if (t->change == OTHER_PHASES)
		e->phases = e->phases ? 0 : charger_lines(c);
	c->traits = known;
	return NULL;
}

/* --- one after the other --- */

static void next_trial(void *arg);
static void conclude(struct probing *p, const char *failure);

static void on_cleared(void *arg, struct call *call, int err, struct frame *answer)
{
	const struct session *s = arg;
	(void)call;
	if (!answer)
		log_debug(&s->log, "a limit that was tried could not be cleared, it ends by itself: %s", err_text(err));
}

static void put_back(const struct probing *p, struct session *s)
{
	struct event e;
	event_init(&e, CMD_CLEAR_PROFILE);
	e.profile_id = charger_of(p->g->limits, s)->first_id + LIMITS_PROFILE_IDS - 1;
	e.evse = -1;
	e.stack_level = -1;
	if (session_command(s, &e, on_cleared, s) != 0)
		log_debug(&s->log, "a limit that was tried could not be cleared, it ends by itself");
	limits_csms_cleared(p->g->limits, s);
}

static void end_trial(struct probing *p)
{
	struct session *s = charging_session(p);
	if (s && p->outcomes[p->at].accepted)
		put_back(p, s);
	p->at++;
	p->due_us = clock_mono_us() + REST_US;
	task_tell(p->task, "probing", (double)p->at / TRIALS);
	timer_set(&p->timer, REST_US, next_trial, p);
}

static void on_look(void *arg)
{
	struct probing *p = arg;
	struct outcome *o = &p->outcomes[p->at];
	const struct session *s = charging_session(p);
	int64_t at_us, now = clock_mono_us(), response_us = s ? limits_traits(p->g->limits, charging_session(p))->response_us : 0;
	int64_t most_us = 2 * response_us < MOST_US ? 2 * response_us : MOST_US;
	int32_t ma = drawn_ma(p, &at_us);
	bool disturbed = !s || limits_counts(p->g->limits, s)->sent != p->lives;
	if (disturbed)
		o->note = "a live limit came between";
	else if (at_us > p->sent_us && ma <= (int32_t)lrint(o->sent.limit_a * 1000) + ENOUGH_MA)
		o->follows = FOLLOWED, o->response_us = at_us - p->sent_us;
	else if (now - p->sent_us > most_us)
		o->follows = NOT_FOLLOWED;
	else {
		timer_set(&p->timer, LOOK_US, on_look, p);
		return;
	}
	end_trial(p);
}

static void on_answered(void *arg, struct call *call, int err, struct frame *answer)
{
	struct probing *p = arg;
	struct outcome *o = &p->outcomes[p->at];
	p->in_flight = false;
	if (p->stopped) {
		struct session *s = charging_session(p);
		if (s)
			put_back(p, s);
		probing_free(p);
		return;
	}
	o->accepted = answer && !charger_refused(answer, call->act);
	o->note = answer ? NULL : err_text(err);
	o->tried = answer != NULL;
	o->sent.tx = (struct slice){ 0 };
	if (o->accepted && p->measurable)
		timer_set(&p->timer, LOOK_US, on_look, p);
	else
		end_trial(p);
}

static bool is_ready(const struct probing *p, const struct charger *c)
{
	bool installed = c->fallback_refused || c->fallback[0].there || c->fallback[p->evse].there;
	return (installed && limits_counts(p->g->limits, c->s)->sent) || clock_mono_us() - p->begun_us > READY_US;
}

/* Whether the current will tell of this trial. False: not yet, the car may still come up. */
static bool look_whether_measurable(struct probing *p, const struct trial *t, const struct outcome *o)
{
	bool hidden = form_of(p, t) == FORM_TX_DEFAULT && (t->all || p->form == FORM_TX);
	bool shows = !hidden && t->change != LEVEL_0;
	int64_t at_us;
	p->measurable = shows && drawn_ma(p, &at_us) > (int32_t)lrint(o->sent.limit_a * 1000) + 2 * ENOUGH_MA;
	if (!shows || p->measurable || p->stays_low)
		return true;
	p->stays_low = clock_mono_us() - p->due_us > RISE_US;
	return false;
}

static void next_trial(void *arg)
{
	struct probing *p = arg;
	struct session *s = charging_session(p);
	if (!s || p->at == TRIALS) {
		conclude(p, s ? NULL : "the station or its transaction is gone");
		return;
	}
	if (p->at == 0 && !is_ready(p, charger_of(p->g->limits, s))) {
		p->due_us = clock_mono_us();
		timer_set(&p->timer, LOOK_US, next_trial, p);
		return;
	}
	const struct trial *t = &trials[p->at];
	struct outcome *o = &p->outcomes[p->at];
	o->note = describe(p, charger_of(p->g->limits, s), t, &o->sent);
	if (o->note) {
		o->sent.tx = (struct slice){ 0 };
		p->at++;
		timer_set(&p->timer, 0, next_trial, p);
		return;
	}
	if (!look_whether_measurable(p, t, o)) {
		timer_set(&p->timer, LOOK_US, next_trial, p);
		return;
	}
	p->sent_us = clock_mono_us();
	p->lives = limits_counts(p->g->limits, s)->sent;
	p->in_flight = true;
	int err = session_command(s, &o->sent, on_answered, p);
	if (err) {
		p->in_flight = false;
		conclude(p, err_text(err));
	}
}

/* --- what follows from it --- */

static bool good(const struct outcome *o)
{
	return o->accepted && o->follows != NOT_FOLLOWED;
}

static const struct outcome *outcome_of(const struct probing *p, int form, enum change change)
{
	for (size_t i = 0; i < TRIALS; i++)
		if (trials[i].form == form && trials[i].change == change)
			return &p->outcomes[i];
	return NULL;
}

static const struct outcome *whole_default(const struct probing *p)
{
	for (size_t i = 0; i < TRIALS; i++)
		if (trials[i].form == FORM_TX_DEFAULT && trials[i].all)
			return &p->outcomes[i];
	return NULL;
}

/* A wording that was taken where the known one was not. True: it is another one. */
static bool learn_wording(const struct probing *p, struct traits *t)
{
	if (good(outcome_of(p, KNOWN_FORM, OTHER_UNIT)))
		t->unit = !t->unit;
	else if (good(outcome_of(p, KNOWN_FORM, OTHER_START)))
		t->relative_only = !t->relative_only;
	else if (good(outcome_of(p, KNOWN_FORM, OTHER_PHASES)))
		t->number_phases = !t->number_phases;
	else if (good(outcome_of(p, KNOWN_FORM, LEVEL_0)))
		t->max_level = 0;
	else
		return false;
	return true;
}

/* The known form where it is good, else the first that is; and what refused the known wording. */
static void learn(const struct probing *p, struct charger *c)
{
	const struct outcome *known = outcome_of(p, (int)p->form, AS_KNOWN), *tenths = outcome_of(p, KNOWN_FORM, TENTHS);
	enum limit_form form = p->form;
	bool changed = false;
	for (int i = 0; i < FORMS && !good(outcome_of(p, (int)form, AS_KNOWN)); i++)
		if (good(outcome_of(p, i, AS_KNOWN)))
			form = (enum limit_form)i;
	if (form != p->form) {
		c->form = form;
		charger_learn_form(c, form);
	}
	if (good(known) && tenths->tried && !tenths->accepted && !c->traits.whole_amps)
		changed = c->traits.whole_amps = true;
	if (form == p->form && !good(known) && learn_wording(p, &c->traits))
		changed = true;
	if (whole_default(p)->tried && !whole_default(p)->accepted && good(outcome_of(p, FORM_TX_DEFAULT, AS_KNOWN)) && c->traits.connector_zero) {
		changed = true;
		c->traits.connector_zero = false;
	}
	if (changed)
		charger_keep_traits(c);
	for (size_t i = 0; i < TRIALS; i++)
		if (p->outcomes[i].follows == FOLLOWED)
			limits_slow(p->g->limits, c->s, p->outcomes[i].response_us);
}

static void write_outcome(struct json_writer *w, enum ocpp_version version, const struct outcome *o)
{
	static const char *const words[] = { "not measured", "followed", "not followed" };
	jw_object(w, NULL);
	jw_string(w, "purpose", profile_purpose_word(version, o->sent.purpose));
	jw_int(w, "connector", o->sent.evse);
	jw_int(w, "level", o->sent.stack_level);
	jw_string(w, "unit", o->sent.in_watts ? "W" : "A");
	jw_string(w, "kind", o->sent.time_us ? "Absolute" : "Relative");
	if (o->sent.phases)
		jw_int(w, "phases", o->sent.phases);
	jw_number(w, "limit_a", o->sent.limit_a, 1);
	jw_string(w, "answer", !o->tried ? "not tried" : o->accepted ? "accepted" : "refused");
	jw_string(w, "current", words[o->follows]);
	if (o->follows == FOLLOWED)
		jw_number(w, "response_s", (double)o->response_us / US_PER_S, 1);
	if (o->note)
		jw_string(w, "note", o->note);
	jw_end(w, '}');
}

static void write_all(const struct probing *p, struct json_writer *w, const char *failure)
{
	const struct session *s = session_find(p->g, p->station);
	jw_object(w, NULL);
	jw_string(w, "station", p->station);
	jw_int(w, "evse", p->evse);
	jw_time(w, "at", clock_wall_us());
	if (failure)
		jw_string(w, "failure", failure);
	if (s)
		jw_string(w, "form", traits_form_text(charger_of(p->g->limits, session_find(p->g, p->station))->form));
	jw_array(w, "forms");
	for (size_t i = 0; i < p->at; i++)
		write_outcome(w, s ? s->version : OCPP16, &p->outcomes[i]);
	jw_end(w, ']');
	jw_end(w, '}');
}

static void conclude(struct probing *p, const char *failure)
{
	struct buf json = { 0 };
	struct json_writer w;
	struct session *s = session_find(p->g, p->station);
	char name[32];
	if (s && !failure)
		learn(p, charger_of(p->g->limits, s));
	jw_open(&w, &json);
	write_all(p, &w, failure);
	snprintf(name, sizeof(name), KEPT "%d", p->evse);
	if (!failure && kept_put(p->g->store, p->station, name, buf_view(&json), NULL, NULL) != 0)
		log_warn(NULL, "what was found out about station %s could not be kept", p->station);
	commission_probed(p->g, p->task, p->user, &json);
	probing_free(p);
}

static void stop_probing(void *arg)
{
	struct probing *p = arg;
	struct session *s = charging_session(p);
	task_end(p->task, TASK_STOPPED, (struct slice){ 0 });
	timer_cancel(&p->timer);
	p->stopped = true;
	if (p->in_flight)
		return; /* the answer frees it */
	if (s)
		put_back(p, s);
	probing_free(p);
}

struct task *probe_station(struct gateway *g, const char *user, const char *station, int evse)
{
	struct session *s = session_find(g, station);
	int control = control_find_evse(g->control, station, evse);
	if (!s || !s->link || control < 0 || evse < 1 || evse > s->n_evses || !s->evses[evse].tx[0])
		return NULL;
	struct probing *p = NEW(struct probing);
	*p = (struct probing){ .g = g, .station = mem_strdup(station), .user = mem_strdup(user), .evse = evse, .control = control, .begun_us = clock_mono_us(),
		.form = charger_of(g->limits, s)->form };
	p->task = task_new("probe", user, stop_probing, p);
	timer_set(&p->timer, 0, next_trial, p);
	return p->task;
}

static bool write_kept(void *arg, const char *name, struct slice value)
{
	(void)name;
	jw_raw(arg, NULL, value);
	return true;
}

int probed_write(const struct gateway *g, const char *station, struct json_writer *w)
{
	jw_array(w, NULL);
	int err = kept_each(g->store, station, KEPT, write_kept, w);
	jw_end(w, ']');
	return err;
}
