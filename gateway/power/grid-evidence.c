/* Evidence of what the grid operator asked for and got: a line of the journal for each change of an input and of the limit, and one when the
 * measured power is at or below it. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/power/grid-local.h"

static const struct grid_source *csms_named(const struct grid_site *g, const char *input)
{
	for (size_t i = 0; input && i < g->n; i++)
		if (g->sources[i]->conf->kind == GRID_CSMS && strcmp(g->sources[i]->conf->id, input) == 0)
			return g->sources[i];
	return NULL;
}

static void write_line(const struct grid_site *g, const struct grid_evidence *e, struct json_writer *w)
{
	const struct grid_source *csms = e->is == GRID_LIMITED ? csms_named(g, e->input) : NULL;
	jw_object(w, NULL);
	jw_string(w, "input", e->input);
	jw_string(w, "was", grid_state_text(e->was));
	jw_string(w, "state", grid_state_text(e->is));
	grid_view_limit(w, e->limit_w);
	if (e->kind == GRID_LIMIT_OBEYED)
		jw_int(w, "took_ms", e->took_us / US_PER_MS);
	if (e->kind != GRID_INPUT_CHANGED)
		jw_int(w, "charging_w", grid_charging_w(g, 0));
	if (csms)
		grid_view_origin(w, csms);
	jw_string(w, "why", e->why);
	jw_end(w, '}');
}

void grid_evidence_write(void *arg, const struct grid_evidence *e)
{
	static const char *const codes[] = { "grid.input", "grid.limit", "grid.obeyed" };
	const struct grid_site *g = arg;
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
	telemetry_event(g->gw, codes[e->kind], e->is == GRID_FAIL_SAFE ? "warning" : "info", object.p, args.p);
	buf_free(&args);
	buf_free(&object);
}
