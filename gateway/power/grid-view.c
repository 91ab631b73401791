/* What the verb grid.show shows. */
#include "base/clock.h"
#include "gateway/power/grid-conf.h"
#include "gateway/power/grid-local.h"

void grid_view_limit(struct json_writer *w, int64_t limit_w)
{
	if (limit_w == GRID_FREE_W)
		jw_null(w, "limit_w");
	else
		jw_int(w, "limit_w", limit_w);
}

void grid_view_origin(struct json_writer *w, const struct grid_source *s)
{
	jw_string(w, "by", s->by);
	if (s->until_us)
		jw_time(w, "until", s->until_us);
	else
		jw_null(w, "until");
}

static void write_moment(struct json_writer *w, const char *key, int64_t mono_us)
{
	if (mono_us)
		jw_time(w, key, clock_wall_us() - (clock_mono_us() - mono_us));
	else
		jw_null(w, key);
}

static void write_input(struct json_writer *w, const struct grid_source *s)
{
	static const char *const kinds[] = { "contact", "ripple", "register", "server", "command", "csms" };
	struct grid_input_view v;
	grid_input_look(s->site->grid, s->index, &v);
	jw_object(w, NULL);
	jw_string(w, "id", v.id);
	jw_string(w, "kind", kinds[s->conf->kind]);
	jw_int(w, "priority", s->conf->priority);
	jw_string(w, "state", grid_state_text(v.state));
	grid_view_limit(w, v.limit_w);
	write_moment(w, "since", v.since_us);
	if (v.state == GRID_LIMITED && s->conf->kind == GRID_CSMS)
		grid_view_origin(w, s);
	else
		write_moment(w, "until", v.until_us);
	jw_number(w, "heard_s", (double)(clock_mono_us() - v.heard_us) / US_PER_S, 1);
	jw_string(w, "fault", v.fault);
	jw_end(w, '}');
}

void grid_site_brief(const struct grid_site *g, struct json_writer *w)
{
	struct grid_now now;
	grid_look(g->grid, &now);
	jw_string(w, "state", grid_state_text(now.state));
	grid_view_limit(w, now.limit_w);
	jw_string(w, "decided_by", now.input < 0 ? NULL : g->sources[now.input]->conf->id);
	write_moment(w, "since", now.since_us);
}

void grid_site_view(const struct grid_site *g, struct json_writer *w)
{
	const struct settings *conf = g->gw->conf;
	jw_string(w, "circuit", conf->circuits[g->node].id);
	jw_string(w, "counts", conf->grid->counts == GRID_DEVICES ? "devices" : "total");
	grid_site_brief(g, w);
	jw_int(w, "charging_w", grid_charging_w(g, 0));
	jw_int(w, "dimmed_keeps_w", grid_conf_keeps_w(conf));
	jw_int(w, "devices", grid_conf_devices(conf));
	jw_int(w, "others_w", grid_others_w(g));
	jw_array(w, "inputs");
	for (size_t i = 0; i < g->n; i++)
		write_input(w, g->sources[i]);
	jw_end(w, ']');
}
