/* Nothing here decides anything: schedules and tariffs are the daemon's own (gateway/power/times.c), over a clock that stands still and is moved a
 * second at a time, and the inputs are the state machine of energy/grid with the configuration's priorities, debounce and fail-safes. What a
 * contact or a register would say is told by --grid. An input that the configuration calls stale when it is silent speaks every second. */
#include "gateway/sim/sim-rules.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/zone.h"
#include "gateway/gateway.h"
#include "gateway/power/grid-conf.h"
#include "gateway/power/times.h"

#define DAY_S 86400
#define HOUR_S 3600
#define MONDAY_US INT64_C(1772409600000000) /* 2026-03-02 00:00 */
#define FOLLOW_S 15
#define RULES_MOST 64
#define CAPS_MOST 16

struct held {
	char rule[96];
	bool now;
	int64_t since_s, held_s;
	double most_w;
};

struct sim_rules {
	struct gateway gw;        /* as much of it as times.c asks for */
	struct sim_word words[SIM_WORDS];
	size_t n_words;
	struct grid *grid;        /* NULL: no inputs */
	int cap;                  /* of the inputs; 0: none */
	int64_t now_s;
	struct held held[RULES_MOST];
	size_t n_held;
};

/* --- words --- */

static bool read_value(const char *text, struct sim_word *out)
{
	long long value;
	int used = 0;
	if (strcmp(text, "closed") == 0 || strcmp(text, "lost") == 0) {
		out->kind = *text == 'c' ? SIM_CLOSED : SIM_LOST;
		return true;
	}
	if (sscanf(text, "%9lld%n", &value, &used) != 1 || value < 0)
		return false;
	out->value = value;
	out->kind = text[used] == '%' ? SIM_PERCENT : SIM_WATTS;
	return !text[used] || (!strcmp(text + used, "%") && (value == 100 || value == 60 || value == 30 || value == 0));
}

bool sim_word_read(const char *text, struct sim_word *out)
{
	char value[32];
	int from, to, used = 0;
	memset(out, 0, sizeof(*out));
	if (sscanf(text, "%63[^=@]=%31[^=@]@%2d-%2d%n", out->input, value, &from, &to, &used) != 4 || text[used])
		return false;
	out->from_s = from * HOUR_S;
	out->to_s = to * HOUR_S;
	return from >= 0 && from < to && to <= 24 && read_value(value, out);
}

static int input_named(const struct settings *s, const char *id)
{
	for (size_t i = 0; s->grid && i < s->grid->n_inputs; i++)
		if (strcmp(s->grid->inputs[i].id, id) == 0)
			return (int)i;
	return -1;
}

static bool can_say(enum grid_input_kind kind, const struct sim_word *w)
{
	if (w->kind == SIM_LOST)
		return true;
	return w->kind == (kind == GRID_CONTACT ? SIM_CLOSED : kind == GRID_RIPPLE ? SIM_PERCENT : SIM_WATTS);
}

static bool fits(const struct settings *s, const struct sim_word *w, char *why, size_t room)
{
	int i = input_named(s, w->input);
	if (i < 0)
		snprintf(why, room, "the configuration has no input '%s' of the grid operator", w->input);
	else if (!can_say(s->grid->inputs[i].kind, w))
		snprintf(why, room, "%s is said '%s'", w->input,
			 s->grid->inputs[i].kind == GRID_CONTACT ? "closed" : s->grid->inputs[i].kind == GRID_RIPPLE ? "100%, 60%, 30% or 0%" : "watts");
	else
		return true;
	return false;
}

/* --- start and stop --- */

static void open_grid(struct sim_rules *r)
{
	const struct grid_settings *c = r->gw.conf->grid;
	struct grid_input_conf *inputs = mem_new((c->n_inputs + 1) * sizeof(*inputs));
	for (size_t i = 0; i < c->n_inputs; i++)
		inputs[i] = grid_conf_input(r->gw.conf, &c->inputs[i]);
	r->grid = grid_open(inputs, c->n_inputs, NULL, NULL, 0);
	mem_free(inputs);
}

struct sim_rules *sim_rules_open(const struct settings *s, const struct sim_word *words, size_t n, char *why, size_t room)
{
	for (size_t i = 0; i < n; i++)
		if (!fits(s, &words[i], why, room))
			return NULL;
	struct sim_rules *r = NEW(struct sim_rules);
	r->gw.conf = s;
	r->gw.zone = zone_open(s->site.timezone ? s->site.timezone : "UTC");
	memcpy(r->words, words, n * sizeof(*words));
	r->n_words = n;
	clock_freeze(0, sim_rules_midnight_us(r));
	return r;
}

void sim_rules_close(struct sim_rules *r)
{
	if (!r)
		return;
	times_close();
	grid_close(r->grid);
	zone_close(&r->gw.zone);
	mem_free(r);
}

int64_t sim_rules_midnight_us(const struct sim_rules *r)
{
	return zone_utc_us(r->gw.zone, MONDAY_US);
}

void sim_rules_begin(struct sim_rules *r, struct control *control)
{
	r->gw.control = control;
	if (r->gw.conf->grid)
		open_grid(r);
	if (times_open(&r->gw) != 0)
		times_close();
}

/* --- the grid operator --- */

static const struct sim_word *word_now(const struct sim_rules *r, const char *input)
{
	int of_day = (int)(r->now_s % DAY_S);
	for (size_t i = 0; i < r->n_words; i++)
		if (strcmp(r->words[i].input, input) == 0 && of_day >= r->words[i].from_s && of_day < r->words[i].to_s)
			return &r->words[i];
	return NULL;
}

static int64_t says_w(const struct settings *s, const struct grid_input_settings *in, const struct sim_word *w)
{
	if (!w || (w->kind == SIM_PERCENT && w->value == 100))
		return GRID_FREE_W;
	if (w->kind == SIM_CLOSED)
		return grid_conf_contact_w(s, in);
	return w->kind == SIM_PERCENT ? grid_conf_rated_w(s) * w->value / 100 : w->value;
}

static void hear_inputs(struct sim_rules *r)
{
	const struct settings *s = r->gw.conf;
	int64_t now_us = r->now_s * US_PER_S;
	for (size_t i = 0; i < s->grid->n_inputs; i++) {
		const struct sim_word *w = word_now(r, s->grid->inputs[i].id);
		if (w && w->kind == SIM_LOST)
			grid_fails(r->grid, (int)i, "not heard", now_us);
		else
			grid_says(r->grid, (int)i, says_w(s, &s->grid->inputs[i], w), 0, now_us);
	}
}

static void apply_grid(struct sim_rules *r)
{
	struct grid_now now;
	grid_look(r->grid, &now);
	if (now.limit_w != GRID_FREE_W) {
		struct cap_conf cap = grid_conf_cap(r->gw.conf, &now, grid_conf_others_w(r->gw.conf));
		r->cap = control_cap_put(r->gw.control, r->cap, &cap);
	} else if (r->cap) {
		control_cap_clear(r->gw.control, r->cap);
		r->cap = 0;
	}
}

void sim_rules_second(struct sim_rules *r, int64_t now_s)
{
	clock_advance((now_s - r->now_s) * US_PER_S);
	r->now_s = now_s;
	times_step();
	if (!r->grid)
		return;
	hear_inputs(r);
	if (grid_step(r->grid, now_s * US_PER_S))
		apply_grid(r);
}

/* --- what became of it --- */

static struct held *held_named(struct sim_rules *r, const char *rule)
{
	for (size_t i = 0; i < r->n_held; i++)
		if (strcmp(r->held[i].rule, rule) == 0)
			return &r->held[i];
	if (r->n_held == RULES_MOST)
		return NULL;
	struct held *h = &r->held[r->n_held++];
	snprintf(h->rule, sizeof(h->rule), "%s", rule);
	return h;
}

static void note_cap(struct sim_rules *r, const struct cap_conf *cap)
{
	char rule[96];
	snprintf(rule, sizeof(rule), "%s %s", cap->reason, cap->owner);
	struct held *h = held_named(r, rule);
	if (!h || h->now)
		return; /* one rule may set several caps */
	h->now = true;
}

static void note_rule(struct held *h, bool held_before, int64_t now_s, double charging_w)
{
	if (!h->now)
		return;
	h->since_s = held_before ? h->since_s : now_s;
	h->held_s++;
	if (now_s - h->since_s >= FOLLOW_S && charging_w > h->most_w)
		h->most_w = charging_w;
}

void sim_rules_note(struct sim_rules *r, double charging_w)
{
	bool before[RULES_MOST];
	struct cap_conf caps[CAPS_MOST];
	for (size_t i = 0; i < RULES_MOST; i++) {
		before[i] = r->held[i].now;
		r->held[i].now = false;
	}
	for (size_t n = 0; n < control_nodes(r->gw.control); n++) {
		size_t found = control_node_caps(r->gw.control, (int)n, caps, CAPS_MOST);
		for (size_t i = 0; i < found; i++)
			note_cap(r, &caps[i]);
	}
	for (size_t i = 0; i < r->n_held; i++)
		note_rule(&r->held[i], before[i], r->now_s, charging_w);
}

void sim_rules_each(const struct sim_rules *r, void (*see)(void *arg, const char *rule, int64_t held_s, double most_w), void *arg)
{
	for (size_t i = 0; i < r->n_held; i++)
		see(arg, r->held[i].rule, r->held[i].held_s, r->held[i].most_w);
}
