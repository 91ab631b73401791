/* One slot per EVSE: what is on the wire and what is to follow. A station is asked one thing at a time and may be busy with the CSMS's request,
 * so a newer limit replaces one that still waits.
 *
 * What goes out is counted and kept few: no more than one in a second for a station, raises further apart (some stations write each limit to
 * flash), and none that would put the same number on the wire, unless it is there to keep the dead-man from ending. One thing comes before that
 * second: where a circuit is over its limit, or will be, a lower limit goes at once. A station still hears one at a time, the next one when it
 * has answered, and these exceptions are counted.
 *
 * Easy to get wrong: a TxDefaultProfile that is our live limit hides the fallback on the same EVSE, so it carries the fallback in its own
 * schedule where there is no second level for it; and a station that rebooted has forgotten what it accepted. */
#include "gateway/power/limits.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/power/charger.h"
#include "gateway/power/csms-profiles.h"
#include "storage/kept.h"

#define SPARE_SLOTS 256                 /* for EVSEs that a change of the configuration brings: slots hold timers and must not move */
#define GREET_US (2 * US_PER_S)
#define LEAST_US US_PER_S               /* between two limits for one station */
#define FRESH_US ((LIMITS_RENEWED_S - 10) * US_PER_S) /* so long after it was sent an unchanged limit need not be sent again */

struct slot {
	struct limits *limits;
	int evse;                 /* in energy/control */
	bool in_flight, again;
	bool at_once;             /* what is to follow */
	bool early;               /* what is sent now does not wait for the station's second */
	bool granted;
	enum limit_form form;     /* of what was sent */
	int refusals;             /* of different forms, one after the other */
	int unheard;              /* forms that were accepted and not followed, one after the other */
	int over_permille;        /* what this station draws above its limit */
	struct grant grant;       /* newest */
	int32_t sent_ma, kept_ma;
	int64_t sent_tx_us;       /* the transaction it was sent for */
	int64_t sent_us;          /* monotonic; 0: nothing */
	bool answered, accepted;
	bool lost;                /* no answer came in time: its current has to tell */
	bool doubted;             /* sent again, whether it changes something or not */
	int64_t accepted_us;      /* when this number was first accepted; 0: not yet */
	double wire_a;            /* what was written, or would be: the least of everything */
	int wire_level, wire_phases, wire_phase;
	struct timer later;
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
	l->book = traits_open(g->conf->station_models ? g->conf->station_models : DATA_DIR "/stations", SYSCONF_DIR "/stations", &report);
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

struct traits_book *limits_book(const struct limits *l)
{
	return l->book;
}

struct charger *charger_known(const struct limits *l, const struct session *s)
{
	return map_get(&l->chargers, slice_of(s->id));
}

struct charger *charger_of(struct limits *l, struct session *s)
{
	struct charger *c = charger_known(l, s);
	if (c)
		return c;
	c = NEW(struct charger);
	c->limits = l;
	c->gw = l->gw;
	c->s = s;
	for (int i = 0; i < PURPOSES; i++)
		c->coming[i] = -1;
	map_put(&l->chargers, slice_of(s->id), c);
	fallback_forget(c);
	charger_know(c);
	return c;
}

static struct slot *slot_on(const struct limits *l, const struct session *s, int evse)
{
	int control = evse >= 1 && evse <= s->n_evses ? s->evses[evse].control : -1;
	return control < 0 ? NULL : &l->slots[control];
}

/* --- what goes on the wire --- */

static double station_sum_a(const struct charger *c)
{
	double sum = 0;
	for (int i = 1; i <= c->s->n_evses; i++)
		if (c->s->evses[i].control >= 0 && c->s->evses[i].tx[0])
			sum += c->limits->slots[c->s->evses[i].control].grant.ma / 1000.0;
	return fmin(sum, csms_profiles_station_a(c->s));
}

/* A station that draws more than it is told is told less; not below the least a car charges with, that would be a pause. */
static double corrected_a(const struct slot *slot, const struct charger *c)
{
	double amps = slot->grant.ma / 1000.0, least = c->s->conf->min_current_ma / 1000.0;
	if (!slot->over_permille || amps <= least)
		return amps;
	return fmax(least, amps * 1000 / (1000 + slot->over_permille));
}

/* For how many phases it is, and which one: ours stands above what the CSMS said, and would hide that it meant one. */
static void word_phases(const struct slot *slot, const struct charger *c, struct event *e)
{
	if (e->evse <= 0 || c->s->conf->dc)
		return;
	int theirs;
	if (c->s->conf->switch_phases_after_us) {
		e->phases = slot->grant.phases;
		e->phase_to_use = slot->grant.phase;
	}
	if (!csms_profiles_evse_phases(c->s, e->evse, &theirs))
		return;
	e->phases = 1;
	e->phase_to_use = theirs ? theirs : e->phase_to_use;
}

/* The fallback, where it goes over into it. The maximum of the station hides nothing, a default hides what the CSMS said as fallback.c has it. */
static void describe_then(const struct slot *slot, const struct charger *c, struct event *e)
{
	e->then_a = c->s->conf->fallback_current_ma / 1000.0 * (slot->form == FORM_STATION_MAX ? c->s->conf->evses : 1);
	if (slot->form != FORM_TX_DEFAULT)
		return;
	struct csms_default theirs = csms_profiles_default(c->s, e->evse);
	e->then_a = fmin(e->then_a, theirs.amps);
	e->then_phases = c->s->conf->dc || !c->traits.number_phases ? 0 : theirs.phases;
}

/* The command for a grant in the slot's form. */
static void describe(const struct slot *slot, const struct charger *c, int evse, struct event *e)
{
	struct session *s = c->s;
	event_init(e, CMD_SET_PROFILE);
	e->limit_a = fmin(corrected_a(slot, c), csms_profiles_evse_a(s, evse));
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
	e->stack_level = charger_live_level(c, slot->form, e->evse);
	e->profile_id = charger_profile_id(c, e->evse, (int)slot->form);
	if (slot->form != FORM_TX && (c->fallback_refused || c->traits.max_level == 0))
		describe_then(slot, c, e);
	charger_word(c, e);
	word_phases(slot, c, e);
}

static void on_cleared(void *arg, struct call *call, int err, struct frame *answer)
{
	const struct session *s = arg;
	(void)call;
	if (!answer)
		log_debug(&s->log, "a limit could not be cleared: %s", err_text(err));
}

static void clear(const struct charger *c, int evse, enum limit_form form)
{
	struct event e;
	event_init(&e, CMD_CLEAR_PROFILE);
	e.profile_id = charger_profile_id(c, evse, (int)form);
	e.evse = -1;
	e.stack_level = -1;
	if (session_command(c->s, &e, on_cleared, c->s) != 0)
		log_debug(&c->s->log, "a limit could not be cleared");
}

static void clear_maximum(struct charger *c)
{
	c->has_maximum = false;
	clear(c, 0, FORM_STATION_MAX);
}

static void send_newest(struct slot *slot, bool at_once);

static void on_later(void *arg)
{
	send_newest(arg, true);
}

/* Whether it has to wait until the station has had its rest: a reduction no longer than the least, and not at all where it is needed now; a raise
 * as long as the model asks. */
static bool waits(struct slot *slot, const struct charger *c, int evse, bool at_once)
{
	bool same_tx = slot->sent_tx_us == c->s->evses[evse].tx_since_us;
	int32_t before_ma = same_tx ? slot->sent_ma : c->s->conf->fallback_current_ma;
	bool lower = slot->grant.ma < before_ma, hurry = at_once || lower;
	int64_t rest_us = hurry || c->traits.min_interval_us < LEAST_US ? LEAST_US : c->traits.min_interval_us;
	rest_us += c->sent_us - clock_mono_us();
	slot->early = false;
	if (!c->sent_us || rest_us <= 0)
		return false;
	slot->early = lower && slot->grant.pressed;
	if (slot->early)
		return false;
	timer_set(&slot->later, rest_us, on_later, slot);
	return true;
}

/* The station has this number already, in this form, and will keep it for a while. */
static bool changes_nothing(const struct slot *slot, const struct charger *c, enum limit_form form_before, const struct event *e)
{
	bool same_tx = slot->sent_tx_us == c->s->evses[e->evse ? e->evse : 1].tx_since_us;
	return slot->accepted && !slot->doubted && same_tx && slot->form == form_before && slot->wire_level == e->stack_level && slot->wire_phases == e->phases && slot->wire_phase == e->phase_to_use && slot->sent_us &&
	       clock_mono_us() - slot->sent_us < FRESH_US && fabs(slot->wire_a - charger_rounded(c, e->limit_a)) < 0.05;
}

/* A refused form gives way to the next; a TxProfile only when its transaction is still there, else that was the reason. */
static bool next_form(struct slot *slot, struct charger *c, int evse)
{
	if (slot->form == FORM_TX && c->s->evses[evse].tx_since_us != slot->sent_tx_us)
		return true;
	if (++slot->refusals == FORMS) {
		slot->refusals = 0;
		c->form = (enum limit_form)c->traits.form;
		return charger_other_way(c);
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
	struct evse_view v;
	bool accepted = answer && !charger_refused(answer, call->act);
	control_evse_view(g->control, slot->evse, &v);
	struct charger *c = charger_of(slot->limits, session_find(g, v.station));
	slot->in_flight = false;
	slot->answered = answer != NULL;
	slot->lost = err == ERR_TIMEOUT;
	slot->accepted = accepted;
	if (accepted && !slot->accepted_us)
		slot->accepted_us = clock_mono_us();
	c->counts.refused += answer && !accepted;
	if (accepted) {
		slot->refusals = 0;
		c->has_maximum = c->has_maximum || slot->form == FORM_STATION_MAX;
		charger_keep_way(c);
		if (slot->form != FORM_TX && c->fallback_refused)
			fallback_counts(c, true); /* its schedule goes over into it */
		if (slot->form == c->form && !slot->unheard)
			charger_learn_form(c, slot->form);
	}
	if (!accepted && answer && next_form(slot, c, v.evse)) {
		slot->again = true;
	} else {
		control_evse_answered(g->control, slot->evse, slot->sent_ma, accepted, clock_mono_us());
		if (!accepted && err != ERR_CLOSED && err != ERR_REFUSED)
			log_warn(&c->s->log, "evse %d did not take its limit of %.1f A: %s", v.evse, slot->sent_ma / 1000.0, answer ? "refused" : err_text(err));
	}
	if (slot->again)
		send_newest(slot, !accepted || slot->at_once);
}

/* What it may go by when we are gone and come back: the next process counts it until it hears from the station. A raise is on disk before it
 * is sent, a reduction may be there later. */
static int keep_told(struct slot *slot, const struct charger *c, int evse, store_done *done)
{
	char name[32], text[16];
	slot->kept_ma = slot->grant.ma;
	snprintf(name, sizeof(name), "limits/told/%d", evse);
	snprintf(text, sizeof(text), "%d", (int)slot->grant.ma);
	int err = kept_put(c->gw->store, c->s->id, name, slice_of(text), done, slot);
	if (err)
		log_warn(&c->s->log, "what it is told could not be kept: %s", err_text(err));
	return err;
}

static void on_kept(void *arg, int err, int64_t value)
{
	struct slot *slot = arg;
	(void)value;
	slot->in_flight = false;
	if (err)
		log_warn(NULL, "what a station is told could not be kept: %s", err_text(err));
	send_newest(slot, true);
}

static void put_on_wire(struct slot *slot, struct charger *c, int evse, const struct event *e)
{
	double wire_a = charger_rounded(c, e->limit_a);
	if (fabs(wire_a - slot->wire_a) > 0.05 || slot->sent_tx_us != c->s->evses[evse].tx_since_us)
		slot->accepted_us = 0;
	slot->doubted = false;
	slot->sent_ma = slot->grant.ma;
	slot->sent_tx_us = c->s->evses[evse].tx_since_us;
	slot->sent_us = c->sent_us = clock_mono_us();
	slot->wire_a = wire_a;
	slot->wire_level = e->stack_level;
	slot->wire_phases = e->phases;
	slot->wire_phase = e->phase_to_use;
	slot->accepted = false;
	slot->in_flight = true;
	c->counts.sent++;
	c->counts.at_once += slot->early;
	int err = session_command(c->s, e, on_answered, slot);
	if (err) {
		slot->in_flight = false;
		log_warn(&c->s->log, "a limit could not be sent: %s", err_text(err));
	}
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
	enum limit_form before = slot->form;
	enum limit_form next = csms_profiles_has_priority(s) ? FORM_STATION_MAX : c->form; /* priority charging ignores all but that */
	if (c->has_maximum && next != FORM_STATION_MAX)
		clear_maximum(c); /* it bounds whatever comes */
	slot->form = next;
	if (slot->form == FORM_TX && !s->evses[v.evse].tx[0])
		return; /* no transaction, no TxProfile: its fallback holds until one starts */
	if (waits(slot, c, v.evse, at_once))
		return;
	timer_cancel(&slot->later);
	describe(slot, c, v.evse, &e);
	if (changes_nothing(slot, c, before, &e)) {
		c->counts.unchanged++;
		slot->sent_ma = slot->grant.ma;
		control_evse_answered(g->control, slot->evse, slot->sent_ma, true, clock_mono_us());
		return;
	}
	if (slot->grant.ma > slot->kept_ma && keep_told(slot, c, v.evse, on_kept) == 0) {
		slot->in_flight = true; /* a newer one meanwhile is noted */
		return;
	}
	put_on_wire(slot, c, v.evse, &e);
	if (slot->grant.ma != slot->kept_ma && keep_told(slot, c, v.evse, NULL) != 0)
		log_debug(&s->log, "the higher one stays kept");
}

static void send_or_note(struct slot *slot, bool at_once)
{
	slot->at_once = slot->in_flight && (at_once || slot->at_once);
	slot->again = slot->in_flight;
	if (!slot->in_flight)
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
		struct slot *slot = slot_on(c->limits, c->s, i);
		if (!slot || (evse != 0 && evse != i) || !c->s->evses[i].tx[0] || !slot->granted)
			continue;
		slot->accepted = false; /* it may be gone or hidden */
		send_or_note(slot, true);
	}
}

void limits_again(struct limits *l, struct session *s, int evse)
{
	struct charger *c = charger_known(l, s);
	if (c && !s->group)
		send_again(c, evse);
}

double limits_told_a(const struct limits *l, const struct session *s, int evse)
{
	const struct charger *c = charger_known(l, s);
	const struct slot *slot = slot_on(l, s, evse);
	if (!c || !s->conf->circuit || evse < 1 || evse > s->n_evses)
		return INFINITY;
	if (slot && s->evses[evse].tx[0] && slot->sent_us && slot->sent_tx_us == s->evses[evse].tx_since_us)
		return charger_rounded(c, fmin(slot->sent_ma / 1000.0, corrected_a(slot, c)));
	return fallback_told_a(c, evse);
}

const struct limits_counts *limits_counts(const struct limits *l, const struct session *s)
{
	static const struct limits_counts none;
	const struct charger *c = charger_known(l, s);
	return c ? &c->counts : &none;
}

/* --- what the meter says about them --- */

bool limits_not_followed(struct limits *l, struct session *s, int evse)
{
	struct charger *c = charger_of(l, s);
	struct slot *slot = slot_on(l, s, evse);
	if (!slot || !slot->granted || slot->in_flight)
		return true;
	if (++slot->unheard >= FORMS) {
		slot->unheard = 0;
		c->form = (enum limit_form)c->traits.form;
		return false;
	}
	c->form = (c->form + 1) % FORMS;
	if (slot->form == FORM_TX)
		clear(c, evse, FORM_TX); /* it would hide the default that comes after it */
	log_info(&s->log, "evse %d accepts a limit as %s and does not follow it, %s is tried", evse, traits_form_text(slot->form), traits_form_text(c->form));
	if (c->form == FORM_TX_DEFAULT)
		limits_review(l, s);
	slot->accepted = false;
	send_or_note(slot, true);
	return true;
}

void limits_followed(struct limits *l, struct session *s, int evse)
{
	struct charger *c = charger_of(l, s);
	struct slot *slot = slot_on(l, s, evse);
	if (!slot)
		return;
	slot->unheard = 0;
	if (slot->accepted && slot->form == c->form)
		charger_learn_form(c, slot->form);
}

void limits_correct(struct limits *l, struct session *s, int evse, int over_permille)
{
	struct slot *slot = slot_on(l, s, evse);
	if (!slot || slot->over_permille == over_permille)
		return;
	slot->over_permille = over_permille;
	if (slot->granted)
		send_or_note(slot, true);
}

void limits_confirm(struct limits *l, struct session *s, int evse)
{
	struct slot *slot = slot_on(l, s, evse);
	if (slot && slot->lost)
		control_evse_answered(l->gw->control, slot->evse, slot->sent_ma, true, clock_mono_us());
}

void limits_doubt(struct limits *l, struct session *s, int evse)
{
	struct slot *slot = slot_on(l, s, evse);
	if (!slot || !slot->granted)
		return;
	slot->doubted = true;
	send_or_note(slot, true);
}

void limits_slow(struct limits *l, struct session *s, int64_t response_us)
{
	struct charger *c = charger_of(l, s);
	if (response_us > c->traits.response_us)
		charger_learn_response(c, response_us);
}

enum follow_answer limits_state(struct limits *l, struct session *s, int evse, int32_t *told_ma, int64_t *accepted_us)
{
	const struct slot *slot = slot_on(l, s, evse);
	*told_ma = -1;
	*accepted_us = 0;
	if (!slot || !slot->sent_us || !s->evses[evse].tx[0] || slot->sent_tx_us != s->evses[evse].tx_since_us)
		return ANSWER_NONE;
	int32_t wire_ma = (int32_t)lrint(fmin(slot->wire_a, 2000) * 1000);
	*told_ma = wire_ma < slot->sent_ma ? wire_ma : slot->sent_ma;
	*accepted_us = slot->accepted_us;
	if (slot->lost) {
		*accepted_us = slot->sent_us;
		return ANSWER_ACCEPTED;
	}
	return slot->accepted ? ANSWER_ACCEPTED : slot->answered && slot->refusals == 0 && !slot->in_flight ? ANSWER_REFUSED : ANSWER_NONE;
}

int64_t limits_meter_interval_us(struct limits *l, struct session *s)
{
	return charger_meter_interval_us(charger_of(l, s));
}

const struct traits *limits_traits(struct limits *l, struct session *s)
{
	return &charger_of(l, s)->traits;
}

/* --- coming, going, and the CSMS --- */

static void on_greet(void *arg)
{
	struct charger *c = arg;
	struct session *s = c->s;
	if (!s->link || s->fallback_installed || !s->conf->circuit)
		return;
	fallback_forget(c);
	c->fallback_refused = false;
	s->fallback_installed = true;
	charger_ask(c);
}

static void may_have_forgotten(struct charger *c)
{
	for (int i = 1; i <= c->s->n_evses; i++) {
		struct slot *slot = slot_on(c->limits, c->s, i);
		if (slot)
			slot->accepted = false;
	}
}

void limits_greet(struct limits *l, struct session *s)
{
	if (s->group)
		return; /* its stations are limited one by one */
	struct charger *c = charger_of(l, s);
	charger_know(c);
	may_have_forgotten(c);
	if (!s->fallback_installed)
		timer_set(&c->greet, GREET_US, on_greet, c);
}

void limits_link_down(struct limits *l, struct session *s)
{
	struct charger *c = charger_known(l, s);
	s->fallback_installed = false;
	if (c)
		timer_cancel(&c->greet);
}

void limits_csms_profile(struct limits *l, struct session *s, int evse, enum profile_purpose purpose)
{
	if (s->group)
		return; /* its stations are limited one by one */
	struct charger *c = charger_of(l, s);
	/* It takes them after all; a TxProfile of the CSMS would stand for our TxDefaultProfile. */
	if (purpose == PURPOSE_TX && c->form == FORM_TX_DEFAULT) {
		c->form = FORM_TX;
		charger_learn_form(c, FORM_TX);
	}
	if (charger_move_ids(c))
		fallback_forget(c);
	if (purpose == PURPOSE_TX_DEFAULT)
		c->fallback[evse < 0 || evse > SESSION_EVSES ? 0 : evse].there = false; /* replaced, if it stood at the same level */
	limits_review(l, s);
	send_again(c, evse < 0 ? 0 : evse);
}

void limits_make_room(struct limits *l, struct session *s, enum profile_purpose purpose, int level)
{
	struct charger *c = charger_known(l, s);
	if (!c || !s->conf->circuit || c->traits.max_level >= 0 || level <= c->coming[purpose])
		return;
	c->coming[purpose] = level;
	if (purpose == PURPOSE_TX_DEFAULT)
		limits_review(l, s);
	for (int i = 1; i <= s->n_evses; i++) {
		struct slot *slot = slot_on(l, s, i);
		if (!slot || !slot->accepted || slot->sent_tx_us != s->evses[i].tx_since_us || charger_live_level(c, slot->form, i) == slot->wire_level)
			continue;
		c->sent_us = 0; /* not another set-point, the same one elsewhere */
		send_or_note(slot, true);
	}
}

void limits_csms_cleared(struct limits *l, struct session *s)
{
	if (s->group)
		return; /* its stations are limited one by one */
	struct charger *c = charger_of(l, s);
	for (int i = 0; i <= SESSION_EVSES; i++)
		c->fallback[i].there = false;
	limits_review(l, s);
	send_again(c, 0);
}
