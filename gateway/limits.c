/* One slot per EVSE: what is on the wire and what is to follow. One charger per station: how it takes limits, and its fallback. A station is
 * asked one thing at a time and may be busy with the CSMS's request, so a newer limit replaces one that still waits.
 *
 * Easy to get wrong: a TxDefaultProfile on an EVSE hides the one on connector 0 even after it has run out, so where the CSMS has one there,
 * or our live limit is one, the fallback has to be there too. And with a single stack level there is no place for two: the live limit then
 * goes over into the fallback in its own schedule. */
#include "gateway/limits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/csms-profiles.h"
#include "gateway/traits.h"
#include "ocpp/codec.h"
#include "ocpp/dialect.h"
#include "storage/kept.h"

#define SPARE_SLOTS 256                      /* for EVSEs that a change of the configuration brings: slots hold timers and must not move */
#define FALLBACK FORMS                       /* its place among an EVSE's profile ids */
#define IDS_PER_EVSE (FORMS + 1)
#define GREET_US (2 * US_PER_S)
#define START_IN_THE_PAST_US (10 * US_PER_S) /* a station whose clock is behind must not find its limit in the future */
#define SPACING_US (5 * US_PER_S)            /* between limits for one station, unless they go down: some write each to flash */

struct slot {
	struct limits *limits;
	int evse;                 /* in energy/control */
	bool in_flight, again;
	bool granted;
	enum limit_form form;     /* of what was sent */
	int refusals;             /* of different forms, one after the other */
	struct grant grant;       /* newest */
	int32_t sent_ma;
	int64_t sent_tx_us;       /* the transaction it was sent for */
	struct timer later;
};

/* What a station is asked about itself, once; the answers are kept. */
static const struct question {
	const char *kept;
	const char *names[2];     /* by dialect */
} questions[] = {
	{ "limits/level", { "ChargeProfileMaxStackLevel", "SmartChargingCtrlr.ProfileStackLevel" } },
	{ "limits/unit", { "ChargingScheduleAllowedChargingRateUnit", "SmartChargingCtrlr.RateUnit" } },
};
#define QUESTIONS ((int)(sizeof(questions) / sizeof(questions[0])))

struct charger {
	struct limits *limits;
	struct session *s;
	struct timer greet;
	struct traits traits;
	enum limit_form form;
	int asked;                /* questions[] up to here */
	int64_t sent_us;
	bool fallback_refused;
	struct {
		bool there;
		int32_t ma;
		int level;
	} fallback[SESSION_EVSES + 1]; /* as installed */
};

struct limits {
	struct gateway *gw;
	struct slot *slots;
	size_t n_slots;
	struct map chargers;      /* station -> struct charger */
	struct traits_book *book;
};

static void report_traits(struct conf_report *report)
{
	for (size_t i = 0; i < report->n; i++)
		log_warn(NULL, "%s:%u: %s", report->messages[i].file, report->messages[i].line, report->messages[i].text);
	conf_report_free(report);
}

struct limits *limits_open(struct gateway *g)
{
	struct limits *l = NEW(struct limits);
	struct conf_report report = { 0 };
	size_t n = control_evses(g->control) + SPARE_SLOTS;
	l->gw = g;
	l->n_slots = n;
	l->slots = mem_new(n * sizeof(*l->slots));
	for (size_t i = 0; i < n; i++)
		l->slots[i] = (struct slot){ .limits = l, .evse = (int)i };
	l->book = traits_open(DATA_DIR "/stations", SYSCONF_DIR "/stations", &report);
	report_traits(&report);
	return l;
}

void limits_close(struct limits *l)
{
	size_t at = 0;
	struct charger *c;
	if (!l)
		return;
	while ((c = map_next(&l->chargers, &at, NULL))) {
		timer_cancel(&c->greet);
		mem_free(c);
	}
	for (size_t i = 0; i < l->n_slots; i++)
		timer_cancel(&l->slots[i].later);
	map_free(&l->chargers);
	traits_close(l->book);
	mem_free(l->slots);
	mem_free(l);
}

int limits_grow(const struct limits *l, size_t n_evses)
{
	return n_evses <= l->n_slots ? 0 : ERR_FULL;
}

/* --- what is known of a station --- */

static void apply_answer(struct charger *c, int question, struct slice value)
{
	int64_t level;
	char *text = mem_text(value);
	if (question == 0 && int_parse(value, &level) == 0 && level >= 0 && level <= 1000)
		c->traits.max_level = (int)level;
	if (question == 1 && !strchr(text, 'A') && !strstr(text, "urrent"))
		c->traits.unit = strchr(text, 'W') || strstr(text, "ower");
	mem_free(text);
}

/* The data file, then what was learnt of this model, then what this station said itself. */
static void know(struct charger *c)
{
	struct store *store = c->limits->gw->store;
	struct arena mem = { 0 };
	struct slice value;
	c->traits = traits_of(c->limits->book, slice_of(c->s->vendor), slice_of(c->s->model));
	traits_recall(store, c->s->vendor, c->s->model, &c->traits);
	c->form = (enum limit_form)c->traits.form;
	c->asked = 0;
	for (int i = 0; i < QUESTIONS; i++) {
		if (kept_get(store, c->s->id, questions[i].kept, &mem, &value) != 0)
			continue;
		apply_answer(c, i, value);
		c->asked = c->asked == i ? i + 1 : c->asked;
	}
	arena_free(&mem);
}

static struct charger *charger_of(struct limits *l, struct session *s)
{
	struct charger *c = map_get(&l->chargers, slice_of(s->id));
	if (c)
		return c;
	c = NEW(struct charger);
	c->limits = l;
	c->s = s;
	map_put(&l->chargers, slice_of(s->id), c);
	know(c);
	return c;
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int most(int a, int b)
{
	return a > b ? a : b;
}

/* A station that said how many levels it has gives us the highest: a CSMS that starts from 0 does not meet ours there. */
static int live_level(const struct charger *c, enum limit_form form, int evse)
{
	static const enum profile_purpose purposes[FORMS] = { PURPOSE_TX, PURPOSE_TX_DEFAULT, PURPOSE_STATION_MAX };
	int above = most(csms_profiles_level(c->s, evse, purposes[form]), csms_profiles_level(c->s, 0, purposes[form])) + 1;
	if (form == FORM_TX_DEFAULT)
		above = most(above, c->fallback[evse].level + 1);
	return c->traits.max_level >= 0 ? c->traits.max_level : above;
}

static int fallback_level(const struct charger *c, int evse)
{
	int above = csms_profiles_level(c->s, evse, PURPOSE_TX_DEFAULT) + 1;
	return c->traits.max_level >= 0 ? least(most(above, c->traits.max_level - 1), c->traits.max_level) : above;
}

static void common(const struct charger *c, struct event *e)
{
	struct evse_view v = { .n_lines = 3 };
	int control = control_find_evse(c->limits->gw->control, c->s->id, 1);
	if (control >= 0)
		control_evse_view(c->limits->gw->control, control, &v);
	e->in_watts = c->traits.unit;
	if (v.n_lines == 1 || e->in_watts)
		e->phases = v.n_lines;
	if (c->traits.whole_amps)
		e->limit_a = floor(e->limit_a + 1e-6);
	e->time_us = c->traits.relative_only ? 0 : clock_wall_us() - START_IN_THE_PAST_US;
}

/* --- the live limit --- */

static double station_sum_a(const struct charger *c)
{
	double sum = 0;
	for (int i = 1; i <= c->s->n_evses; i++)
		if (c->s->evses[i].control >= 0 && c->s->evses[i].tx[0])
			sum += c->limits->slots[c->s->evses[i].control].grant.ma / 1000.0;
	return fmin(sum, csms_profiles_station_a(c->s));
}

/* The command for a grant in the slot's form. */
static void describe(const struct slot *slot, struct charger *c, int evse, struct event *e)
{
	struct session *s = c->s;
	event_init(e, CMD_SET_PROFILE);
	e->limit_a = fmin(slot->grant.ma / 1000.0, csms_profiles_evse_a(s, evse));
	e->duration_s = LIMITS_EXPIRY_S;
	e->evse = evse;
	switch (slot->form) {
	case FORM_TX:
		e->purpose = PURPOSE_TX;
		e->tx = slice_of(s->evses[evse].tx);
		break;
	case FORM_TX_DEFAULT:
		e->purpose = PURPOSE_TX_DEFAULT;
		break;
	default:
		e->purpose = PURPOSE_STATION_MAX;
		e->evse = 0;
		e->limit_a = station_sum_a(c);
		break;
	}
	e->stack_level = live_level(c, slot->form, e->evse);
	e->profile_id = LIMITS_PROFILE_ID + e->evse * IDS_PER_EVSE + (int)slot->form;
	if (slot->form != FORM_TX && (c->fallback_refused || c->traits.max_level == 0))
		e->then_a = s->conf->fallback_current_ma / 1000.0 * (slot->form == FORM_STATION_MAX ? s->conf->evses : 1);
	common(c, e);
}

static void send_newest(struct slot *slot, bool at_once);

static bool refused(const struct frame *answer, const struct action *act, struct arena *mem)
{
	struct reply reply;
	struct frame f = *answer;
	f.tree = NULL;
	bool no = codec_read_answer(act, &f, mem, &reply) != 0 || !slice_is(reply.status, "Accepted");
	frame_done(&f);
	return no;
}

static void learn_form(struct charger *c, enum limit_form form)
{
	if (form == (enum limit_form)c->traits.form)
		return;
	c->traits.form = form;
	traits_learnt(c->limits->gw->store, c->s->vendor, c->s->model, form);
	log_info(&c->s->log, "limits go out as %s from now on, for this model", traits_form_text(form));
}

/* Some count their levels where the highest is meant. True: from now on ours are as low as they can be. */
static bool distrust_level(struct charger *c)
{
	if (c->traits.max_level <= 0)
		return false;
	log_info(&c->s->log, "limits are refused at stack level %d, which the station said it has", c->traits.max_level);
	c->traits.max_level = -1;
	if (kept_put(c->limits->gw->store, c->s->id, questions[0].kept, SLICE("-1"), NULL, NULL) != 0)
		log_warn(&c->s->log, "that could not be kept");
	limits_review(c->limits, c->s);
	return true;
}

/* A refused form gives way to the next; a TxProfile only when its transaction is still there, else that was the reason. */
static bool next_form(struct slot *slot, struct charger *c, int evse)
{
	if (slot->form == FORM_TX && c->s->evses[evse].tx_since_us != slot->sent_tx_us)
		return true;
	if (++slot->refusals == FORMS) {
		slot->refusals = 0;
		c->form = (enum limit_form)c->traits.form;
		return distrust_level(c);
	}
	if (c->form == slot->form)
		c->form = (slot->form + 1) % FORMS;
	log_info(&c->s->log, "evse %d refuses a limit as %s, %s is tried", evse, traits_form_text(slot->form), traits_form_text(c->form));
	if (c->form == FORM_TX_DEFAULT)
		limits_review(c->limits, c->s);
	return true;
}

static void on_answered(void *arg, struct call *call, int err, struct frame *answer)
{
	struct slot *slot = arg;
	struct gateway *g = slot->limits->gw;
	struct arena mem = { 0 };
	struct evse_view v;
	bool accepted = answer && !refused(answer, call->act, &mem);
	arena_free(&mem);
	control_evse_view(g->control, slot->evse, &v);
	struct charger *c = charger_of(slot->limits, session_find(g, v.station));
	slot->in_flight = false;
	if (accepted) {
		slot->refusals = 0;
		if (slot->form == c->form)
			learn_form(c, slot->form);
	}
	if (!accepted && answer && next_form(slot, c, v.evse)) {
		slot->again = true;
	} else {
		control_evse_answered(g->control, slot->evse, slot->sent_ma, accepted, clock_mono_us());
		if (!accepted && err != ERR_CLOSED && err != ERR_REFUSED)
			log_warn(&c->s->log, "evse %d did not take its limit of %.1f A: %s", v.evse, slot->sent_ma / 1000.0, answer ? "refused" : err_text(err));
	}
	if (slot->again)
		send_newest(slot, !accepted);
}

static void on_later(void *arg)
{
	send_newest(arg, true);
}

/* Whether it can wait until the station has had its rest; reductions cannot. */
static bool waits(struct slot *slot, const struct charger *c, int evse)
{
	bool same_tx = slot->sent_tx_us == c->s->evses[evse].tx_since_us;
	int32_t before_ma = same_tx ? slot->sent_ma : c->s->conf->fallback_current_ma;
	int64_t rest_us = c->sent_us + SPACING_US - clock_mono_us();
	if (!c->sent_us || rest_us <= 0 || slot->grant.ma < before_ma)
		return false;
	timer_set(&slot->later, rest_us, on_later, slot);
	return true;
}

static void send_newest(struct slot *slot, bool at_once)
{
	struct gateway *g = slot->limits->gw;
	struct evse_view v;
	struct event e;
	control_evse_view(g->control, slot->evse, &v);
	struct session *s = session_find(g, v.station);
	slot->again = false;
	if (!s || !s->link || v.evse > SESSION_EVSES)
		return;
	struct charger *c = charger_of(slot->limits, s);
	slot->form = csms_profiles_has_priority(s) ? FORM_STATION_MAX : c->form; /* priority charging ignores all but that */
	if (slot->form == FORM_TX && !s->evses[v.evse].tx[0])
		return; /* no transaction, no TxProfile: its fallback holds until one starts */
	if (!at_once && waits(slot, c, v.evse))
		return;
	timer_cancel(&slot->later);
	describe(slot, c, v.evse, &e);
	slot->sent_ma = slot->grant.ma;
	slot->sent_tx_us = s->evses[v.evse].tx_since_us;
	slot->in_flight = true;
	c->sent_us = clock_mono_us();
	int err = session_command(s, &e, on_answered, slot);
	if (err) {
		slot->in_flight = false;
		log_warn(&s->log, "a limit could not be sent: %s", err_text(err));
	}
}

static void send_or_note(struct slot *slot, bool at_once)
{
	if (slot->in_flight)
		slot->again = true;
	else
		send_newest(slot, at_once);
}

void limits_send(struct limits *l, int evse, const struct grant *grant)
{
	struct slot *slot = &l->slots[evse];
	slot->grant = *grant;
	slot->granted = true;
	send_or_note(slot, false);
}

static void send_again(struct charger *c, int evse)
{
	for (int i = 1; i <= c->s->n_evses; i++) {
		const struct session_evse *e = &c->s->evses[i];
		if ((evse == 0 || evse == i) && e->tx[0] && e->control >= 0 && c->limits->slots[e->control].granted)
			send_or_note(&c->limits->slots[e->control], true);
	}
}

/* --- the fallback --- */

static void forget_fallback(struct charger *c)
{
	memset(c->fallback, 0, sizeof(c->fallback));
	for (int i = 0; i <= SESSION_EVSES; i++)
		c->fallback[i].level = -1;
}

static void on_fallback_answered(void *arg, struct call *call, int err, struct frame *answer)
{
	struct charger *c = arg;
	struct arena mem = { 0 };
	bool no = !answer || refused(answer, call->act, &mem);
	arena_free(&mem);
	if (!no)
		c->fallback_refused = false;
	if (!no || err == ERR_CLOSED || err == ERR_REFUSED)
		return;
	if (answer && c->traits.connector_zero) {
		c->traits.connector_zero = false;
		log_info(&c->s->log, "a fallback for the whole station is refused, each EVSE gets its own");
		limits_review(c->limits, c->s);
		return;
	}
	c->fallback_refused = true;
	log_warn(&c->s->log, "the fallback of %.1f A is not installed: %s", c->s->conf->fallback_current_ma / 1000.0, answer ? "refused" : "no answer");
}

static void install_fallback(struct charger *c, int evse)
{
	double amps = fmin(c->s->conf->fallback_current_ma / 1000.0, csms_profiles_default_a(c->s, evse));
	int32_t ma = (int32_t)lrint(amps * 1000);
	int level = fallback_level(c, evse);
	struct event e;
	if (c->fallback[evse].there && c->fallback[evse].ma == ma && c->fallback[evse].level == level)
		return;
	event_init(&e, CMD_SET_PROFILE);
	e.purpose = PURPOSE_TX_DEFAULT;
	e.evse = evse;
	e.profile_id = LIMITS_PROFILE_ID + evse * IDS_PER_EVSE + FALLBACK;
	e.limit_a = amps;
	e.stack_level = level;
	common(c, &e);
	c->fallback[evse].ma = ma;
	c->fallback[evse].level = level;
	c->fallback[evse].there = session_command(c->s, &e, on_fallback_answered, c) == 0;
}

static bool has_default_of_its_own(const struct charger *c, int evse)
{
	return c->fallback[evse].there || c->form == FORM_TX_DEFAULT || csms_profiles_level(c->s, evse, PURPOSE_TX_DEFAULT) >= 0;
}

void limits_review(struct limits *l, struct session *s)
{
	struct charger *c = map_get(&l->chargers, slice_of(s->id));
	if (!c || !s->link || !s->fallback_installed || !s->conf->circuit || s->conf->fallback_current_ma <= 0)
		return;
	if (c->traits.connector_zero)
		install_fallback(c, 0);
	if (c->form == FORM_TX_DEFAULT && c->traits.max_level == 0)
		return; /* the live limit has its place, and the fallback in its schedule */
	for (int i = 1; i <= s->n_evses; i++)
		if (!c->traits.connector_zero || has_default_of_its_own(c, i))
			install_fallback(c, i);
}

/* --- questions, one after the other --- */

static void ask_next(struct charger *c);

static void on_told(void *arg, struct call *call, int err, struct frame *answer)
{
	struct charger *c = arg;
	struct arena mem = { 0 };
	struct reply reply;
	const struct question *q = &questions[c->asked];
	if (err == ERR_CLOSED || err == ERR_REFUSED)
		return;
	if (answer && codec_read_answer(call->act, answer, &mem, &reply) == 0 && reply.value.p && c->asked < QUESTIONS) {
		apply_answer(c, c->asked, reply.value);
		if (kept_put(c->limits->gw->store, c->s->id, q->kept, reply.value, NULL, NULL) != 0)
			log_warn(&c->s->log, "what the station said about its limits could not be kept");
	}
	arena_free(&mem);
	c->asked++;
	ask_next(c);
}

static void ask_next(struct charger *c)
{
	struct event e;
	if (c->asked >= QUESTIONS) {
		limits_review(c->limits, c->s);
		return;
	}
	event_init(&e, CMD_GET_CONFIG);
	e.word = slice_of(questions[c->asked].names[dialect_of(c->s->version)->names]);
	if (session_command(c->s, &e, on_told, c) != 0)
		log_debug(&c->s->log, "a question about limits could not be asked");
}

/* --- coming, going, and the CSMS --- */

static void on_greet(void *arg)
{
	struct charger *c = arg;
	struct session *s = c->s;
	if (!s->link || s->fallback_installed || !s->conf->circuit)
		return;
	forget_fallback(c);
	c->fallback_refused = false;
	s->fallback_installed = true;
	ask_next(c); /* first: a fallback in the wrong unit would be refused for the wrong reason */
}

void limits_greet(struct limits *l, struct session *s)
{
	struct charger *c = charger_of(l, s);
	know(c);
	if (!s->fallback_installed)
		timer_set(&c->greet, GREET_US, on_greet, c);
}

void limits_link_down(struct limits *l, struct session *s)
{
	struct charger *c = map_get(&l->chargers, slice_of(s->id));
	s->fallback_installed = false;
	if (c)
		timer_cancel(&c->greet);
}

void limits_csms_profile(struct limits *l, struct session *s, int evse, enum profile_purpose purpose)
{
	struct charger *c = charger_of(l, s);
	/* It takes them after all; a TxProfile of the CSMS would stand for our TxDefaultProfile. */
	if (purpose == PURPOSE_TX && c->form == FORM_TX_DEFAULT) {
		c->form = FORM_TX;
		learn_form(c, FORM_TX);
	}
	if (purpose == PURPOSE_TX_DEFAULT)
		c->fallback[evse < 0 || evse > SESSION_EVSES ? 0 : evse].there = false; /* replaced, if it stood at the same level */
	limits_review(l, s);
	send_again(c, evse < 0 ? 0 : evse);
}

void limits_csms_cleared(struct limits *l, struct session *s)
{
	struct charger *c = charger_of(l, s);
	for (int i = 0; i <= SESSION_EVSES; i++)
		c->fallback[i].there = false;
	limits_review(l, s);
	send_again(c, 0);
}
