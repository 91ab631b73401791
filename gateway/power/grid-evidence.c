/* Evidence of what the grid operator asked for and got: a line of the journal for each change of an input and of the limit, and one when the
 * measured power is at or below it.
 *
 * A line that the disk does not take stays here with its time and is tried again. It then gets a number behind those that came meanwhile, so
 * readers go by the time. A line from before the clock was known says so and where the machine's monotonic clock stood; once it is known, a line of
 * its own ties both clocks, so that readers can tell when those were (command-grid.c does). */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/power/grid-local.h"
#include "storage/journal.h"

#define AGAIN_US (2 * US_PER_S)
#define UNWRITTEN_MOST 1000

static const struct grid_source *csms_named(const struct grid_site *g, const char *input)
{
	for (size_t i = 0; input && i < g->n; i++)
		if (g->sources[i]->conf->kind == GRID_CSMS && strcmp(g->sources[i]->conf->id, input) == 0)
			return g->sources[i];
	return NULL;
}

static void write_watts(struct json_writer *w, const char *key, int64_t watts)
{
	if (watts < 0)
		jw_null(w, key);
	else
		jw_int(w, key, watts);
}

/* While we start, the balancer has not looked at the site yet. */
static void write_power(const struct grid_site *g, struct json_writer *w)
{
	write_watts(w, "charging_w", g->running ? grid_charging_w(g, 0) : -1);
	write_watts(w, "circuit_w", g->running ? grid_circuit_w(g) : -1);
	if (g->gw->conf->grid->n_others)
		write_watts(w, "others_w", g->running ? grid_others_w(g) : -1);
}

/* Where the machine stands, which the time of a line can be told from once the clock is known. */
static void write_moment(struct json_writer *w)
{
	char boot[17];
	snprintf(boot, sizeof(boot), "%016llx", (unsigned long long)clock_boot());
	jw_string(w, "boot", boot);
	jw_int(w, "mono_ms", clock_mono_us() / US_PER_MS);
}

static void write_clock(struct grid_site *g, struct json_writer *w)
{
	if (clock_trusted())
		return;
	jw_bool(w, "clock_trusted", false);
	write_moment(w);
	g->doubted = true;
}

static void write_line(struct grid_site *g, const struct grid_evidence *e, struct json_writer *w)
{
	const struct grid_source *csms = e->is == GRID_LIMITED ? csms_named(g, e->input) : NULL;
	jw_object(w, NULL);
	jw_string(w, "input", e->input);
	jw_string(w, "was", grid_state_text(e->was));
	jw_string(w, "state", grid_state_text(e->is));
	grid_view_limit(w, e->limit_w);
	if (e->heard_us)
		jw_time(w, "heard", clock_wall_us() - (clock_mono_us() - e->heard_us));
	if (e->kind == GRID_LIMIT_OBEYED)
		jw_int(w, "took_ms", e->took_us / US_PER_MS);
	if (e->kind != GRID_INPUT_CHANGED)
		write_power(g, w);
	if (e->most_w >= 0)
		jw_int(w, "most_w", e->most_w);
	if (csms)
		grid_view_origin(w, csms);
	jw_string(w, "why", e->why);
	write_clock(g, w);
	jw_end(w, '}');
}

/* --- to the journal --- */

struct line {
	struct list entry;
	struct grid_site *g;
	int64_t wall_us;
	const char *code, *severity;
	char *object, *args;
};

/* Those that wait for room, the oldest first; it is tried alone until it is taken. */
static struct list unwritten = { &unwritten, &unwritten };
static size_t n_unwritten;
static struct timer again;

static void drop(struct line *l)
{
	mem_free(l->object);
	mem_free(l->args);
	mem_free(l);
}

static struct line *take_oldest(void)
{
	struct line *l = LIST_TOP(&unwritten, struct line, entry);
	list_remove(&l->entry);
	n_unwritten--;
	return l;
}

static void on_again(void *arg);

static void keep(struct line *l, int err)
{
	if (!n_unwritten)
		log_error(NULL, "evidence of the grid operator's limits cannot be written, and is tried again: %s", grid_durable_text(err));
	list_append(&unwritten, &l->entry);
	if (++n_unwritten > UNWRITTEN_MOST) {
		struct line *oldest = take_oldest();
		log_error(NULL, "evidence is lost: %s %s", oldest->code, oldest->args);
		drop(oldest);
	}
	timer_set(&again, AGAIN_US, on_again, NULL);
}

static void on_written(void *arg, int err, int64_t value)
{
	struct line *l = arg;
	if (err && l->g->gw)
		keep(l, err);
	else
		drop(l);
	grid_durable_done(NULL, err, value);
}

static void write_again(struct line *l, store_done *done)
{
	struct journal_rec rec = { .wall_us = l->wall_us, .code = l->code, .severity = l->severity, .object = l->object, .args = l->args };
	grid_durable_given();
	int64_t seq = journal_add(l->g->gw->store, &rec, done, l);
	if (seq < 0)
		done(l, (int)seq, 0);
}

static void on_tried(void *arg, int err, int64_t value)
{
	struct line *l = arg;
	if (err && l->g->gw) {
		list_prepend(&unwritten, &l->entry);
		n_unwritten++;
		timer_set(&again, AGAIN_US, on_again, NULL);
	} else {
		log_info(NULL, "evidence of the grid operator's limits is written again, %zu lines late", n_unwritten + 1);
		drop(l);
		while (!list_empty(&unwritten))
			write_again(take_oldest(), on_written);
	}
	grid_durable_done(NULL, err, value);
}

static void on_again(void *arg)
{
	(void)arg;
	if (!list_empty(&unwritten))
		write_again(take_oldest(), on_tried);
}

void grid_evidence_forget(void)
{
	timer_cancel(&again);
	LIST_WALK(&unwritten, struct line, entry, l)
		drop(l);
	list_init(&unwritten);
	n_unwritten = 0;
}

static void put(struct grid_site *g, const char *code, const char *severity, const char *object, const char *args)
{
	struct line *l = NEW(struct line);
	*l = (struct line){ .g = g, .wall_us = clock_wall_us(), .code = code, .severity = severity, .object = mem_strdup(object), .args = mem_strdup(args) };
	grid_durable_given();
	telemetry_event_then(g->gw, code, severity, object, args, on_written, l);
}

void grid_evidence_clock(struct grid_site *g)
{
	struct buf args = { 0 };
	struct json_writer w;
	if (!g->doubted || !clock_trusted())
		return;
	g->doubted = false;
	jw_open(&w, &args);
	jw_object(&w, NULL);
	write_moment(&w);
	jw_end(&w, '}');
	put(g, "grid.clock", "info", "grid/clock", args.p);
	buf_free(&args);
}

void grid_evidence_write(void *arg, const struct grid_evidence *e)
{
	static const char *const codes[] = { "grid.input", "grid.limit", "grid.obeyed" };
	struct grid_site *g = arg;
	struct buf args = { 0 }, object = { 0 };
	struct json_writer w;
	jw_open(&w, &args);
	write_line(g, e, &w);
	buf_printf(&object, "grid/%s", e->input ? e->input : "all");
	if (e->limit_w == GRID_FREE_W)
		log_info(NULL, "%s %s: %s, no limit", codes[e->kind], e->input ? e->input : "-", grid_state_text(e->is));
	else
		log_info(NULL, "%s %s: %s, %lld W%s%s", codes[e->kind], e->input ? e->input : "-", grid_state_text(e->is), (long long)e->limit_w,
			e->why ? ", " : "", e->why ? e->why : "");
	put(g, codes[e->kind], e->is == GRID_FAIL_SAFE ? "warning" : "info", object.p, args.p);
	buf_free(&args);
	buf_free(&object);
}
