/* Every input has a state; a new word has to last its debounce time before it counts, but a word that says the same refreshes at once.
 *
 *                 free                         limit
 *   UNKNOWN ----------------> FREE <----------------------> LIMITED
 *      |                        |    (until is over: FREE)     |
 *      | silent for stale_after | silent                       | silent
 *      +----------------------> FAIL_SAFE <--------------------+
 *                               | speaks again, and hold is over: FREE or LIMITED
 *
 * An input that has to speak and has not yet is counted with its fail-safe from the first moment: a program that starts does not know whether
 * it is dimmed. One that need not speak is free until it does, and what it said holds until it says something else.
 *
 * While the fail-safe is held, a word that is lower than it counts all the same: it was said, and hold is there to be careful. An input that is
 * deaf, as a server whose port somebody else has, is held in its fail-safe until it hears, with its last word waiting.
 *
 * The limit of all: of those that say a limit, the ones with the highest priority, and of these the lowest. A higher one that is free takes
 * nothing away from a lower one that limits, and neither does one that is silent: a fail-safe can only lower what others of its priority or less
 * have said. */
#include "energy/grid.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define FAULT_TEXT 96

struct input {
	struct grid_input_conf conf;
	enum grid_state state;
	int64_t limit_w, since_us, heard_us, until_us;
	/* A word that waits for its debounce time, or for the end of the fail-safe. */
	bool waits;
	int64_t next_w, next_until_us, next_since_us;
	bool deaf;              /* nobody can reach it */
	int64_t lower_w;        /* a word that counts though the fail-safe is held; GRID_FREE_W: none */
	char fault[FAULT_TEXT];
};

struct grid {
	struct input *inputs;
	size_t n;
	void (*evidence)(void *arg, const struct grid_evidence *e);
	void *arg;
	struct grid_now now;
	bool changed;
	int64_t held_up_us;     /* until then nobody counts as silent */
	int64_t ordered_us;     /* when a limit was first heard that is not seen to be obeyed yet; 0: none */
	int64_t most_w;         /* measured since it was; -1: it was not, or nothing */
};

const char *grid_state_text(enum grid_state s)
{
	static const char *const texts[] = { "unknown", "free", "limited", "fail_safe" };
	return texts[s];
}

static void tell(const struct grid *g, const struct grid_evidence *e)
{
	if (g->evidence)
		g->evidence(g->arg, e);
}

static bool fails_safe(const struct input *in)
{
	return (in->state == GRID_FAIL_SAFE || (in->state == GRID_UNKNOWN && in->conf.stale_after_us)) && in->conf.fail_safe_w != GRID_FREE_W;
}

static bool has_to_speak(const struct input *in)
{
	return in->conf.stale_after_us || in->deaf;
}

static bool limits(const struct input *in)
{
	return in->state == GRID_LIMITED || fails_safe(in);
}

static int64_t limit_of(const struct input *in)
{
	if (in->state == GRID_LIMITED)
		return in->limit_w;
	return in->lower_w != GRID_FREE_W ? in->lower_w : in->conf.fail_safe_w;
}

static const char *why_of(const struct input *in)
{
	if (!fails_safe(in))
		return NULL;
	return in->fault[0] ? in->fault : in->state == GRID_UNKNOWN ? "not heard since the start" : "silent";
}

/* The highest priority of those that say a limit; those below it have no say. */
static int said_priority(const struct grid *g)
{
	int highest = INT_MIN;
	for (size_t i = 0; i < g->n; i++)
		if (g->inputs[i].state == GRID_LIMITED && g->inputs[i].conf.priority > highest)
			highest = g->inputs[i].conf.priority;
	return highest;
}

static bool goes_before(const struct input *a, const struct input *b)
{
	if (limit_of(a) != limit_of(b))
		return limit_of(a) < limit_of(b);
	return a->conf.priority > b->conf.priority;
}

static int decides(const struct grid *g)
{
	int best = -1, least = said_priority(g);
	for (size_t i = 0; i < g->n; i++)
		if (limits(&g->inputs[i]) && g->inputs[i].conf.priority >= least && (best < 0 || goes_before(&g->inputs[i], &g->inputs[best])))
			best = (int)i;
	return best;
}

/* What is measured from now on is about another limit. */
static void order(struct grid *g, int64_t limit_w, int64_t heard_us)
{
	g->most_w = -1;
	if (limit_w == GRID_FREE_W)
		g->ordered_us = 0;
	else if (g->now.limit_w == GRID_FREE_W || limit_w < g->now.limit_w)
		g->ordered_us = heard_us;
}

/* heard_us: when the word was that brings this about; 0: no word does. */
static void combine(struct grid *g, int64_t heard_us, int64_t now_us)
{
	int best = decides(g);
	const struct input *in = best < 0 ? NULL : &g->inputs[best];
	struct grid_now is = { !in ? GRID_FREE : in->state == GRID_LIMITED ? GRID_LIMITED : GRID_FAIL_SAFE, in ? limit_of(in) : GRID_FREE_W, best, now_us, false };
	if (is.limit_w == g->now.limit_w && is.state == g->now.state && is.input == g->now.input)
		return;
	struct grid_evidence e = { .kind = GRID_LIMIT_CHANGED, .at_us = now_us, .input = in ? in->conf.id : NULL, .was = g->now.state, .is = is.state,
				   .limit_w = is.limit_w, .heard_us = heard_us, .most_w = g->most_w, .why = in ? why_of(in) : NULL };
	order(g, is.limit_w, heard_us ? heard_us : now_us);
	g->now = is;
	g->changed = true;
	tell(g, &e);
}

/* The word that waits, where it is below the fail-safe. */
static int64_t lower_word(const struct input *in)
{
	return in->waits && in->next_w != GRID_FREE_W && in->next_w < in->conf.fail_safe_w ? in->next_w : GRID_FREE_W;
}

static void enter(struct grid *g, struct input *in, enum grid_state state, int64_t limit_w, const char *why, int64_t now_us)
{
	enum grid_state was = in->state;
	bool same = was == state && in->limit_w == limit_w;
	int64_t heard_us = in->waits && !why ? in->next_since_us : 0;
	in->state = state;
	in->limit_w = limit_w;
	in->waits = in->waits && in->deaf; /* one that is deaf keeps its word */
	in->lower_w = lower_word(in);
	if (same)
		return;
	in->since_us = now_us;
	struct grid_evidence e = { .kind = GRID_INPUT_CHANGED, .at_us = now_us, .input = in->conf.id, .was = was, .is = state,
				   .limit_w = state == GRID_FAIL_SAFE ? in->conf.fail_safe_w : limit_w, .heard_us = heard_us, .most_w = -1, .why = why };
	tell(g, &e);
	combine(g, heard_us, now_us);
}

static void free_inputs(struct grid *g)
{
	for (size_t i = 0; i < g->n; i++)
		mem_free((char *)g->inputs[i].conf.id);
	mem_free(g->inputs);
}

static int input_named(const struct grid *g, const char *id)
{
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->inputs[i].conf.id, id) == 0)
			return (int)i;
	return -1;
}

/* In place of those that are there; whoever keeps its id keeps its state. */
static void make_inputs(struct grid *g, const struct grid_input_conf *inputs, size_t n, int64_t now_us)
{
	struct input *made = mem_new((n + 1) * sizeof(*made));
	for (size_t i = 0; i < n; i++) {
		int was = input_named(g, inputs[i].id);
		made[i] = was < 0 ? (struct input){ .limit_w = GRID_FREE_W, .lower_w = GRID_FREE_W, .since_us = now_us, .heard_us = now_us } : g->inputs[was];
		made[i].conf = inputs[i];
		made[i].conf.id = mem_strdup(inputs[i].id);
	}
	free_inputs(g);
	g->inputs = made;
	g->n = n;
}

struct grid *grid_open(const struct grid_input_conf *inputs, size_t n, void (*evidence)(void *arg, const struct grid_evidence *e), void *arg,
		       int64_t now_us)
{
	struct grid *g = NEW(struct grid);
	g->evidence = evidence;
	g->arg = arg;
	make_inputs(g, inputs, n, now_us);
	g->now = (struct grid_now){ GRID_FREE, GRID_FREE_W, -1, now_us, false };
	g->most_w = -1;
	combine(g, 0, now_us);
	return g;
}

void grid_close(struct grid *g)
{
	if (!g)
		return;
	free_inputs(g);
	mem_free(g);
}

void grid_change(struct grid *g, const struct grid_input_conf *inputs, size_t n, int64_t now_us)
{
	char *decided = g->now.input < 0 ? NULL : mem_strdup(g->inputs[g->now.input].conf.id);
	make_inputs(g, inputs, n, now_us);
	g->now.input = decided ? input_named(g, decided) : -1;
	mem_free(decided);
	for (size_t i = 0; i < n; i++)
		if (g->inputs[i].state == GRID_FAIL_SAFE && !has_to_speak(&g->inputs[i]))
			enter(g, &g->inputs[i], GRID_UNKNOWN, GRID_FREE_W, "it need not speak any more", now_us);
	combine(g, 0, now_us);
	g->changed = true;
}

static struct input *input_at(struct grid *g, int input)
{
	return input >= 0 && (size_t)input < g->n ? &g->inputs[input] : NULL;
}

static bool held(const struct input *in, int64_t now_us)
{
	return in->state == GRID_FAIL_SAFE && (in->deaf || now_us - in->since_us < in->conf.hold_us);
}

static void settle(struct grid *g, struct input *in, int64_t now_us)
{
	if (!in->waits || now_us - in->next_since_us < in->conf.debounce_us)
		return;
	if (held(in, now_us)) {
		in->lower_w = lower_word(in);
		combine(g, in->deaf ? 0 : in->next_since_us, now_us);
		return;
	}
	in->until_us = in->next_until_us;
	enter(g, in, in->next_w == GRID_FREE_W ? GRID_FREE : GRID_LIMITED, in->next_w, NULL, now_us);
}

void grid_says(struct grid *g, int input, int64_t limit_w, int64_t until_us, int64_t now_us)
{
	struct input *in = input_at(g, input);
	if (!in)
		return;
	in->heard_us = now_us;
	if (!in->deaf)
		in->fault[0] = 0;
	if (limit_w < 0)
		limit_w = GRID_FREE_W;
	if (!in->waits || in->next_w != limit_w)
		in->next_since_us = now_us;
	in->waits = true;
	in->next_w = limit_w;
	in->next_until_us = until_us;
	settle(g, in, now_us);
}

static void step_input(struct grid *g, struct input *in, int64_t now_us)
{
	settle(g, in, now_us);
	if (in->state == GRID_LIMITED && in->until_us && now_us >= in->until_us) {
		in->until_us = 0;
		enter(g, in, GRID_FREE, GRID_FREE_W, "its time is over", now_us);
	}
	bool silent = in->conf.stale_after_us && now_us - in->heard_us >= in->conf.stale_after_us && now_us >= g->held_up_us;
	if (silent && in->state != GRID_FAIL_SAFE)
		enter(g, in, GRID_FAIL_SAFE, in->conf.fail_safe_w, in->fault[0] ? in->fault : "silent", now_us);
}

void grid_fails(struct grid *g, int input, const char *why, int64_t now_us)
{
	struct input *in = input_at(g, input);
	if (!in)
		return;
	snprintf(in->fault, sizeof(in->fault), "%s", why ? why : "not heard");
	in->waits = false; /* a word interrupted by nonsense has to begin again */
	in->lower_w = GRID_FREE_W;
	combine(g, 0, now_us);
	step_input(g, in, now_us);
}

/* What holds waits from now on, unless something newer does. */
static void put_back(struct input *in)
{
	if (in->waits || (in->state != GRID_LIMITED && in->state != GRID_FREE))
		return;
	in->waits = true;
	in->next_w = in->limit_w;
	in->next_until_us = in->until_us;
	in->next_since_us = in->since_us;
}

void grid_deaf(struct grid *g, int input, const char *why, int64_t now_us)
{
	struct input *in = input_at(g, input);
	if (!in)
		return;
	snprintf(in->fault, sizeof(in->fault), "%s", why);
	in->deaf = true;
	put_back(in);
	enter(g, in, GRID_FAIL_SAFE, in->conf.fail_safe_w, in->fault, now_us);
}

void grid_hears(struct grid *g, int input, int64_t now_us)
{
	struct input *in = input_at(g, input);
	if (!in || !in->deaf)
		return;
	in->deaf = false;
	in->fault[0] = 0;
	if (in->conf.stale_after_us && now_us - in->heard_us >= in->conf.stale_after_us)
		in->waits = false;
	in->lower_w = lower_word(in);
	settle(g, in, now_us);
	if (!in->waits && in->state == GRID_FAIL_SAFE && !has_to_speak(in))
		enter(g, in, GRID_UNKNOWN, GRID_FREE_W, "it can be heard again", now_us);
	combine(g, 0, now_us);
}

void grid_held_up(struct grid *g, int64_t until_us)
{
	g->held_up_us = until_us;
}

void grid_power(struct grid *g, int64_t watts, int64_t now_us)
{
	if (g->now.limit_w == GRID_FREE_W || (g->ordered_us && watts > g->now.limit_w))
		return;
	g->most_w = watts > g->most_w ? watts : g->most_w;
	if (!g->ordered_us)
		return;
	struct grid_evidence e = { .kind = GRID_LIMIT_OBEYED, .at_us = now_us, .input = g->now.input < 0 ? NULL : g->inputs[g->now.input].conf.id,
				   .was = g->now.state, .is = g->now.state, .limit_w = g->now.limit_w, .took_us = now_us - g->ordered_us, .most_w = -1 };
	g->ordered_us = 0;
	tell(g, &e);
}

bool grid_step(struct grid *g, int64_t now_us)
{
	for (size_t i = 0; i < g->n; i++)
		step_input(g, &g->inputs[i], now_us);
	bool changed = g->changed;
	g->changed = false;
	return changed;
}

void grid_look(const struct grid *g, struct grid_now *out)
{
	*out = g->now;
	out->ordered = g->ordered_us != 0;
}

size_t grid_inputs(const struct grid *g)
{
	return g->n;
}

void grid_input_look(const struct grid *g, int input, struct grid_input_view *out)
{
	const struct input *in = &g->inputs[input];
	*out = (struct grid_input_view){ in->conf.id, in->state, limits(in) ? limit_of(in) : GRID_FREE_W, in->since_us, in->heard_us, in->until_us,
					 in->fault[0] ? in->fault : NULL };
}

int64_t grid_dimmed_w(int devices, int64_t dim_w, int64_t large_w)
{
	static const int percent[] = { 100, 100, 80, 75, 70, 65, 60, 55, 50, 45 };
	if (devices < 1)
		return 0;
	int share = percent[devices > 9 ? 9 : devices];
	int64_t first = large_w * 2 / 5 > dim_w ? large_w * 2 / 5 : dim_w;
	return first + (devices - 1) * dim_w * share / 100;
}

int grid_ripple(unsigned wired, unsigned closed)
{
	static const int percent[] = { 100, 60, 30, 0 };
	closed &= wired;
	if (!closed)
		return wired & 1 ? -1 : 100;
	/* More than one closed happens while they change over, and with a fault; the lowest is right in both cases. */
	for (int i = 3; i >= 0; i--)
		if (closed & (1u << i))
			return percent[i];
	return -1;
}
