/* Three sources, the later ones better: a data file by vendor and model (traits.h), what stations of the model were found to take, and what the
 * station itself says when asked. What it says is kept, so that a restart asks nobody again.
 *
 * Easy to get wrong: a fallback in a unit that the station does not take is refused for the wrong reason, so questions come first; but one that
 * is never answered must not keep the fallback away. */
#include "gateway/power/charger.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/power/csms-profiles.h"
#include "ocpp/codec.h"
#include "ocpp/dialect.h"
#include "storage/kept.h"

#define START_IN_THE_PAST_US (10 * US_PER_S) /* a station whose clock is behind must not find its limit in the future */
#define VOLTS 230.0

static const char *const interval_names[] = { "MeterValueSampleInterval", "SampledDataCtrlr.TxUpdatedInterval" };

static void take_level(struct charger *c, struct slice value)
{
	int64_t level;
	if (int_parse(value, &level) == 0 && level >= 0 && level <= 1000)
		c->traits.max_level = (int)level;
}

static void take_unit(struct charger *c, struct slice value)
{
	char *text = mem_text(value);
	if (!strchr(text, 'A') && !strstr(text, "urrent"))
		c->traits.unit = strchr(text, 'W') || strstr(text, "ower");
	mem_free(text);
}

/* It selects the phase for charging on one (2.0.1 ACPhaseSwitchingSupported), so it is told which; left to itself it would take any. */
static void take_choice(struct charger *c, struct slice value)
{
	bool can = slice_is(value, "true");
	for (int i = 1; i <= c->s->n_evses; i++)
		if (c->s->evses[i].control >= 0)
			control_evse_single(c->gw->control, c->s->evses[i].control, can ? SINGLE_ANY : SINGLE_FIRST);
}

static void no_answer(void *arg, struct call *call, int err, struct frame *answer)
{
	const struct charger *c = arg;
	(void)call;
	if (!answer)
		log_debug(&c->s->log, "the meter interval could not be set: %s", err_text(err));
}

int64_t charger_meter_interval_us(const struct charger *c)
{
	int64_t us = c->s->conf->meter_interval_us;
	return us > c->traits.meter_interval_us ? us : c->traits.meter_interval_us;
}

/* Limits are judged by meter values: they must come as often as the configuration wants, and may come more often. */
static void want_interval(struct charger *c, struct slice value)
{
	struct event e;
	char text[24];
	int64_t now_s, wanted_s = charger_meter_interval_us(c) / US_PER_S;
	if (int_parse(value, &now_s) == 0 && now_s > 0 && now_s <= wanted_s)
		return;
	snprintf(text, sizeof(text), "%lld", (long long)wanted_s);
	event_init(&e, CMD_SET_CONFIG);
	e.word = slice_of(interval_names[dialect_of(c->s->version)->names]);
	e.value = slice_of(text);
	if (session_command(c->s, &e, no_answer, c) != 0)
		log_debug(&c->s->log, "the meter interval could not be asked for");
}

/* What a station is asked about itself; what is kept is asked once. */
static const struct question {
	const char *kept;         /* NULL: it may change, and is asked on each link */
	const char *names[2];     /* by dialect; NULL: there is no such thing */
	void (*take)(struct charger *c, struct slice value);
} questions[] = {
	{ "limits/level", { "ChargeProfileMaxStackLevel", "SmartChargingCtrlr.ProfileStackLevel" }, take_level },
	{ "limits/unit", { "ChargingScheduleAllowedChargingRateUnit", "SmartChargingCtrlr.RateUnit" }, take_unit },
	{ NULL, { "MeterValueSampleInterval", "SampledDataCtrlr.TxUpdatedInterval" }, want_interval },
	{ NULL, { NULL, "SmartChargingCtrlr.ACPhaseSwitchingSupported" }, take_choice },
};
#define QUESTIONS ((int)(sizeof(questions) / sizeof(questions[0])))

static void recall_response(struct charger *c)
{
	struct arena mem = { 0 };
	struct slice value;
	int64_t us;
	if (kept_get(c->gw->store, c->s->id, "limits/response", &mem, &value) == 0 && int_parse(value, &us) == 0 && us > c->traits.response_us) {
		c->traits.response_us = us;
		c->traits.min_interval_us = us > c->traits.min_interval_us ? us : c->traits.min_interval_us;
	}
	arena_free(&mem);
}

static void recall_way(struct charger *c)
{
	struct arena mem = { 0 };
	struct slice value;
	int level, unit, relative, whole_amps, zero = c->traits.connector_zero, phases = c->traits.number_phases;
	if (kept_get(c->gw->store, c->s->id, "limits/way", &mem, &value) == 0 &&
	    sscanf(arena_text(&mem, value), "%d %d %d %d %d %d", &level, &unit, &relative, &whole_amps, &zero, &phases) >= 4) {
		c->traits.max_level = level;
		c->traits.unit = unit;
		c->traits.relative_only = relative;
		c->traits.whole_amps = whole_amps;
		c->traits.connector_zero = zero;
		c->traits.number_phases = phases;
	}
	arena_free(&mem);
}

void charger_know(struct charger *c)
{
	struct store *store = c->gw->store;
	struct arena mem = { 0 };
	struct slice value;
	c->traits = traits_of(limits_book(c->limits), slice_of(c->s->vendor), slice_of(c->s->model), slice_of(c->s->firmware));
	traits_recall(store, c->s->vendor, c->s->model, &c->traits);
	if (c->s->conf->limit_response_us)
		c->traits.response_us = c->s->conf->limit_response_us;
	recall_response(c);
	c->form = (enum limit_form)c->traits.form;
	c->asked = 0;
	for (int i = 0; i < QUESTIONS; i++) {
		if (!questions[i].kept || kept_get(store, c->s->id, questions[i].kept, &mem, &value) != 0)
			continue;
		questions[i].take(c, value);
		c->asked = c->asked == i ? i + 1 : c->asked;
	}
	arena_free(&mem);
	c->way = 0;
	recall_way(c);
	charger_move_ids(c);
}

/* --- asking --- */

static void on_told(void *arg, struct call *call, int err, struct frame *answer)
{
	struct charger *c = arg;
	struct arena mem = { 0 };
	struct reply reply;
	if (err == ERR_CLOSED || err == ERR_REFUSED || c->asked >= QUESTIONS)
		return;
	const struct question *q = &questions[c->asked];
	if (answer && codec_read_answer(call->act, answer, &mem, &reply) == 0 && reply.value.p) {
		q->take(c, reply.value);
		if (q->kept && kept_put(c->gw->store, c->s->id, q->kept, reply.value, NULL, NULL) != 0)
			log_warn(&c->s->log, "what the station said about its limits could not be kept");
	}
	arena_free(&mem);
	c->asked++;
	charger_ask(c);
}

/* What an outlet of the box can is known by its pins. */
static bool concerns(const struct charger *c, const struct question *q)
{
	bool chooses = c->s->conf->switch_phases_after_us && !c->s->own;
	return q->names[dialect_of(c->s->version)->names] && (q->take != take_choice || chooses);
}

void charger_ask(struct charger *c)
{
	struct event e;
	int names = (int)dialect_of(c->s->version)->names;
	while (c->asked < QUESTIONS && !concerns(c, &questions[c->asked]))
		c->asked++;
	if (c->asked >= QUESTIONS) {
		limits_review(c->limits, c->s);
		return;
	}
	event_init(&e, CMD_GET_CONFIG);
	e.word = slice_of(questions[c->asked].names[names]);
	if (session_command(c->s, &e, on_told, c) != 0)
		log_debug(&c->s->log, "a question about limits could not be asked");
}

bool charger_refused(const struct frame *answer, const struct action *act)
{
	struct arena mem = { 0 };
	struct reply reply;
	struct frame f = *answer;
	f.tree = NULL;
	bool no = codec_read_answer(act, &f, &mem, &reply) != 0 || !slice_is(reply.status, "Accepted");
	frame_done(&f);
	arena_free(&mem);
	return no;
}

/* --- learning --- */

void charger_learn_form(struct charger *c, enum limit_form form)
{
	if (form == (enum limit_form)c->traits.form)
		return;
	c->traits.form = form;
	traits_learnt(c->gw->store, c->s->vendor, c->s->model, form);
	log_info(&c->s->log, "limits go out as %s from now on, for this model", traits_form_text(form));
}

void charger_learn_response(struct charger *c, int64_t response_us)
{
	char text[24];
	snprintf(text, sizeof(text), "%lld", (long long)response_us);
	c->traits.response_us = response_us;
	c->traits.min_interval_us = response_us > c->traits.min_interval_us ? response_us : c->traits.min_interval_us;
	if (kept_put(c->gw->store, c->s->id, "limits/response", slice_of(text), NULL, NULL) != 0)
		log_warn(&c->s->log, "how long it takes to follow could not be kept");
}

/* --- other ways --- */

static bool lower_levels(struct traits *t)
{
	bool high = t->max_level > 0;
	t->max_level = -1;
	return high;
}

static bool other_unit(struct traits *t)
{
	t->unit = !t->unit;
	return true;
}

static bool no_start(struct traits *t)
{
	bool had = !t->relative_only;
	t->relative_only = true;
	return had;
}

static bool whole(struct traits *t)
{
	bool tenths = !t->whole_amps;
	t->whole_amps = true;
	return tenths;
}

static bool level_nought(struct traits *t)
{
	bool other = t->max_level != 0;
	t->max_level = 0;
	return other;
}

/* Each from what is known; false: it is what is known. */
static const struct way {
	const char *text;
	bool (*change)(struct traits *t);
} ways[] = {
	{ NULL, NULL },
	{ "at the lowest stack levels", lower_levels },
	{ "in the other unit", other_unit },
	{ "without a start", no_start },
	{ "in whole amperes", whole },
	{ "at stack level 0", level_nought },
};
#define WAYS ((int)(sizeof(ways) / sizeof(ways[0])))

bool charger_other_way(struct charger *c)
{
	if (!c->way)
		c->told = c->traits;
	while (++c->way < WAYS) {
		c->traits = c->told;
		if (!ways[c->way].change(&c->traits))
			continue;
		log_info(&c->s->log, "limits are refused in every form, they are tried %s", ways[c->way].text);
		limits_review(c->limits, c->s);
		return true;
	}
	c->way = 0;
	c->traits = c->told;
	return false;
}

void charger_keep_traits(struct charger *c)
{
	char text[64];
	const struct traits *t = &c->traits;
	snprintf(text, sizeof(text), "%d %d %d %d %d %d", t->max_level, t->unit, t->relative_only, t->whole_amps, t->connector_zero, t->number_phases);
	if (kept_put(c->gw->store, c->s->id, "limits/way", slice_of(text), NULL, NULL) != 0)
		log_warn(&c->s->log, "how it takes limits could not be kept");
}

void charger_keep_way(struct charger *c)
{
	if (!c->way)
		return;
	log_info(&c->s->log, "limits are taken %s", ways[c->way].text);
	c->way = 0;
	c->traits.connector_zero = c->told.connector_zero;
	fallback_forget(c); /* it was refused for the same reason */
	charger_keep_traits(c);
	limits_review(c->limits, c->s);
}

/* --- ids and levels --- */

struct id_range {
	int64_t first;
	bool taken;
};

static void see_id(void *arg, int evse, const struct charging_profile *p, struct slice message)
{
	struct id_range *r = arg;
	(void)evse;
	(void)message;
	r->taken = r->taken || (p->id >= r->first && p->id < r->first + LIMITS_PROFILE_IDS);
}

bool charger_move_ids(struct charger *c)
{
	struct id_range r = { .first = LIMITS_PROFILE_ID };
	int64_t was = c->first_id;
	for (; c->s->csms; r.first -= LIMITS_PROFILE_IDS) {
		r.taken = false;
		csms_profiles_each(c->s, see_id, &r);
		if (!r.taken)
			break;
	}
	c->first_id = r.first;
	return was && was != c->first_id;
}

int64_t charger_profile_id(const struct charger *c, int evse, int place)
{
	return c->first_id + evse * PROFILES_PER_EVSE + place;
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int most(int a, int b)
{
	return a > b ? a : b;
}

/* In one stack every default of the station is in the way of ours. */
static bool defaults_stack(const struct charger *c)
{
	return dialect_of(c->s->version)->defaults_stack;
}

/* A station that said how many levels it has gives us the highest: a CSMS that starts from 0 does not meet ours there. */
int charger_live_level(const struct charger *c, enum limit_form form, int evse)
{
	static const enum profile_purpose purposes[FORMS] = { PURPOSE_TX, PURPOSE_TX_DEFAULT, PURPOSE_STATION_MAX };
	int above = most(csms_profiles_level(c->s, evse, purposes[form]), csms_profiles_level(c->s, 0, purposes[form]));
	above = most(above, c->coming[purposes[form]]) + 1;
	if (form == FORM_TX_DEFAULT)
		above = most(above, most(c->fallback[evse].level, defaults_stack(c) ? c->fallback[0].level : -1) + 1);
	return c->traits.max_level >= 0 ? c->traits.max_level : above;
}

int charger_fallback_level(const struct charger *c, int evse)
{
	int above = most(csms_profiles_level(c->s, defaults_stack(c) ? -1 : evse, PURPOSE_TX_DEFAULT), c->coming[PURPOSE_TX_DEFAULT]) + 1;
	return c->traits.max_level >= 0 ? least(most(above, c->traits.max_level - 1), c->traits.max_level) : above;
}

/* --- wording --- */

int charger_lines(const struct charger *c)
{
	struct evse_view v = { .n_lines = 3 };
	int control = control_find_evse(c->gw->control, c->s->id, 1);
	if (control >= 0)
		control_evse_view(c->gw->control, control, &v);
	return v.n_lines;
}

/* Direct current is told in watts at the car, and knows no phases. */
static void word_direct(const struct charger *c, struct event *e)
{
	double share = settings_wire_share(c->gw->conf, c->s->conf);
	e->in_watts = true;
	e->limit_a *= share;
	e->then_a *= share;
}

static void word_alternating(const struct charger *c, struct event *e)
{
	int lines = charger_lines(c);
	e->in_watts = c->traits.unit;
	if (c->traits.number_phases && (lines == 1 || e->in_watts))
		e->phases = lines;
	if (c->traits.whole_amps)
		e->limit_a = floor(e->limit_a + 1e-6);
}

void charger_word(const struct charger *c, struct event *e)
{
	(c->s->conf->dc ? word_direct : word_alternating)(c, e);
	e->time_us = c->traits.relative_only ? 0 : clock_wall_us() - START_IN_THE_PAST_US;
}

double charger_rounded(const struct charger *c, double amps)
{
	double volts = VOLTS * (c->traits.number_phases ? charger_lines(c) : 3), share = settings_wire_share(c->gw->conf, c->s->conf);
	if (c->s->conf->dc)
		return floor(amps * share * 3 * VOLTS + 1e-6) / (3 * VOLTS) / share;
	if (c->traits.whole_amps)
		amps = floor(amps + 1e-6);
	return c->traits.unit ? floor(amps * volts + 1e-6) / volts : floor(amps * 10 + 1e-6) / 10;
}
