/* The writing side. Numbers are written so that reading gives the same bits: doubles with 17 digits, NaN as null, "never" (the largest time)
 * as -1. */
#include "energy/record.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "config.h"
#include "energy/control-local.h"
#include "energy/record-local.h"

static void put(struct control *c, struct buf *line)
{
	buf_puts(line, c->sending ? ",\"sending\":true}\n" : "}\n");
	c->record(c->record_arg, line->p, line->n);
	buf_free(line);
}

static void real(struct buf *b, const char *key, double v)
{
	if (isfinite(v))
		buf_printf(b, ",\"%s\":%.17g", key, v);
	else
		buf_printf(b, ",\"%s\":null", key);
}

static void text(struct buf *b, const char *key, const char *v)
{
	buf_printf(b, ",\"%s\":", key);
	if (v)
		json_quote(b, slice_of(v));
	else
		buf_puts(b, "null");
}

static long long moment(int64_t us)
{
	return us == INT64_MAX ? -1 : (long long)us;
}

static void three(struct buf *b, const char *key, const int32_t v[3])
{
	buf_printf(b, ",\"%s\":[%d,%d,%d]", key, (int)v[0], (int)v[1], (int)v[2]);
}

/* --- the configuration --- */

static void write_node(struct buf *b, const struct node_conf *n)
{
	buf_printf(b, "{\"parent\":%d,\"meter\":%d,\"power_w\":%lld,\"window_us\":%lld,\"apparent\":%s,\"imbalance\":%d", n->parent, n->meter,
		   (long long)n->power_w, (long long)n->window_us, n->apparent ? "true" : "false", (int)n->imbalance_ma);
	text(b, "id", n->id);
	three(b, "limit", n->limit.l);
	three(b, "reserve", n->reserve.l);
	buf_puts(b, "}");
}

static void write_evse(struct buf *b, const struct evse_conf *e)
{
	buf_printf(b, "{\"evse\":%d,\"node\":%d,\"n_lines\":%d,\"min\":%d,\"max\":%d,\"step\":%d,\"fallback\":%d,\"fallback_after\":%lld,\"priority\":%d,"
		   "\"on_off\":%s,\"switch_after\":%lld,\"lines\":[%d,%d,%d]", e->evse, e->node, e->n_lines, (int)e->min_ma, (int)e->max_ma, (int)e->step_ma, (int)e->fallback_ma,
		   (long long)e->fallback_after_us, e->priority, e->on_off ? "true" : "false", (long long)e->switch_after_us, e->lines[0], e->lines[1], e->lines[2]);
	text(b, "id", e->id);
	text(b, "station", e->station);
	buf_puts(b, "}");
}

static void write_fixture(struct buf *b, const struct fixture_conf *f)
{
	buf_printf(b, "{\"node\":%d,\"kind\":%d,\"meter\":%d,\"firm\":%d,\"yields\":%d,\"feeds\":%d", f->node, (int)f->kind, f->meter, f->firm, f->yields,
		   f->feeds_cars);
	text(b, "id", f->id);
	three(b, "estimate", f->estimate.l);
	buf_puts(b, "}");
}

static void write_conf(struct buf *b, const struct control_conf *c)
{
	buf_printf(b, ",\"strategy\":%d,\"interval\":%lld,\"after\":%lld,\"step\":%d,\"rotate\":%lld,\"rebalance\":%lld,\"margin\":%d,\"resend\":%lld,"
		   "\"on_lost\":%d,\"lost_after\":%lld,\"lost_ma\":%d,\"mv\":%d", (int)c->strategy, (long long)c->interval_us, (long long)c->increase_after_us,
		   (int)c->increase_step_ma, (long long)c->rotate_every_us, (long long)c->rebalance_us, c->margin, (long long)c->resend_us,
		   (int)c->on_meter_lost, (long long)c->meter_lost_after_us, (int)c->meter_lost_ma, (int)c->voltage_mv);
	buf_puts(b, ",\"nodes\":[");
	for (size_t i = 0; i < c->n_nodes; i++) {
		buf_puts(b, i ? "," : "");
		write_node(b, &c->nodes[i]);
	}
	buf_puts(b, "],\"meters\":[");
	for (size_t i = 0; i < c->n_meters; i++) {
		buf_printf(b, "%s{\"stale\":%lld", i ? "," : "", (long long)c->meters[i].stale_after_us);
		text(b, "id", c->meters[i].id);
		buf_puts(b, "}");
	}
	buf_puts(b, "],\"evses\":[");
	for (size_t i = 0; i < c->n_evses; i++) {
		buf_puts(b, i ? "," : "");
		write_evse(b, &c->evses[i]);
	}
	buf_puts(b, "],\"fixtures\":[");
	for (size_t i = 0; i < c->n_fixtures; i++) {
		buf_puts(b, i ? "," : "");
		write_fixture(b, &c->fixtures[i]);
	}
	buf_puts(b, "]");
}

static void write_open(struct control *c, const struct control_conf *conf, bool change)
{
	struct buf b = { 0 };
	buf_printf(&b, "{\"in\":\"open\",\"v\":1,\"change\":%s", change ? "true" : "false");
	text(&b, "version", PACKAGE_VERSION);
	write_conf(&b, conf);
	put(c, &b);
}

static void write_known(struct control *c)
{
	struct buf bytes = { 0 }, b = { 0 };
	control_known(c, &bytes);
	buf_puts(&b, "{\"in\":\"known\",\"state\":\"");
	b.n += base64_text(bytes.p, bytes.n, buf_room(&b, 4 * ((bytes.n + 2) / 3) + 1));
	buf_puts(&b, "\"");
	put(c, &b);
	buf_free(&bytes);
	for (size_t i = 0; i < c->site.parts.n_evses; i++)
		if (c->seats[i].conduct)
			record_conduct(c, (int)i, c->seats[i].conduct); /* a text, so it is not among the bytes */
}

void control_record(struct control *c, void (*write)(void *arg, const char *line, size_t n), void *arg)
{
	c->record = write;
	c->record_arg = arg;
	if (!write)
		return;
	write_open(c, &c->conf, false);
	if (c->now_us)
		write_known(c);
}

void record_change(struct control *c, const struct control_conf *conf)
{
	if (c->record)
		write_open(c, conf, true);
}

/* --- what is told --- */

void record_meter(struct control *c, int meter, const struct meter_sample *s)
{
	struct buf b = { 0 };
	if (!c->record)
		return;
	buf_printf(&b, "{\"in\":\"meter\",\"i\":%d,\"t\":%lld", meter, (long long)s->at_us);
	three(&b, "ma", s->ma.l);
	real(&b, "w", s->power_w);
	real(&b, "v1", s->voltage_v[0]);
	real(&b, "v2", s->voltage_v[1]);
	real(&b, "v3", s->voltage_v[2]);
	real(&b, "wh", s->import_wh);
	real(&b, "wh_out", s->export_wh);
	put(c, &b);
}

void record_meter_failed(struct control *c, int meter, const char *why)
{
	struct buf b = { 0 };
	if (!c->record)
		return;
	buf_printf(&b, "{\"in\":\"meter_failed\",\"i\":%d", meter);
	text(&b, "why", why);
	put(c, &b);
}

/* One whole number about an EVSE, at a time. */
static void record_evse(struct control *c, const char *what, int evse, long long value, int64_t now_us)
{
	struct buf b = { 0 };
	if (!c->record)
		return;
	buf_printf(&b, "{\"in\":\"%s\",\"i\":%d,\"is\":%lld,\"t\":%lld", what, evse, value, (long long)now_us);
	put(c, &b);
}

void record_link(struct control *c, int evse, bool online, int64_t now_us)
{
	record_evse(c, "link", evse, online, now_us);
}

void record_state(struct control *c, int evse, enum evse_state state, int64_t now_us)
{
	record_evse(c, "state", evse, state, now_us);
}

void record_tx(struct control *c, int evse, bool running, int64_t now_us)
{
	record_evse(c, "tx", evse, running, now_us);
}

void record_woken(struct control *c, int evse, int64_t now_us)
{
	record_evse(c, "woken", evse, true, now_us);
}

void record_favour(struct control *c, int evse, int32_t more)
{
	if (c->seats[evse].favour != more)
		record_evse(c, "favour", evse, more, 0);
}

void record_least(struct control *c, int evse, int32_t ma)
{
	if (c->seats[evse].worth_ma != ma)
		record_evse(c, "least", evse, ma, 0);
}

void record_alone(struct control *c, int evse, int32_t ma)
{
	record_evse(c, "alone", evse, ma, 0);
}

void record_before(struct control *c, int evse, int32_t ma)
{
	record_evse(c, "before", evse, ma, 0);
}

void record_proved(struct control *c, int evse, bool proved)
{
	record_evse(c, "proved", evse, proved, 0);
}

void record_single(struct control *c, int evse, enum single can)
{
	record_evse(c, "single", evse, can, 0);
}

void record_draw(struct control *c, int evse, const int32_t own_ma[3], double energy_wh, int64_t now_us)
{
	struct buf b = { 0 };
	if (!c->record)
		return;
	buf_printf(&b, "{\"in\":\"draw\",\"i\":%d,\"t\":%lld", evse, (long long)now_us);
	three(&b, "ma", own_ma);
	real(&b, "wh", energy_wh);
	put(c, &b);
}

void record_need(struct control *c, int evse, double need_wh, int64_t depart_us)
{
	struct buf b = { 0 };
	if (!c->record)
		return;
	buf_printf(&b, "{\"in\":\"need\",\"i\":%d,\"leaves\":%lld", evse, (long long)depart_us);
	real(&b, "wh", need_wh);
	put(c, &b);
}

void record_answered(struct control *c, int evse, int32_t ma, bool accepted, int64_t now_us)
{
	struct buf b = { 0 };
	if (!c->record)
		return;
	buf_printf(&b, "{\"in\":\"answered\",\"i\":%d,\"ma\":%d,\"ok\":%s,\"t\":%lld", evse, (int)ma, accepted ? "true" : "false", (long long)now_us);
	put(c, &b);
}

void record_cap(struct control *c, int id, const struct cap_conf *cap)
{
	struct buf b = { 0 };
	if (!c->record)
		return;
	buf_printf(&b, "{\"in\":\"cap\",\"id\":%d,\"node\":%d,\"evse\":%d,\"power_w\":%lld,\"devices\":%d,\"surplus\":%d,\"until\":%lld", id, cap->node,
		   cap->evse, (long long)cap->power_w, cap->devices, cap->surplus, moment(cap->until_us));
	three(&b, "line", cap->line.l);
	text(&b, "reason", cap->reason);
	text(&b, "owner", cap->owner);
	put(c, &b);
}

void record_cap_clear(struct control *c, int id)
{
	record_evse(c, "cap_clear", id, 0, 0);
}

void record_profile(struct control *c, int evse, int32_t ma, const char *ref, int64_t until_us)
{
	struct buf b = { 0 };
	if (!c->record)
		return;
	buf_printf(&b, "{\"in\":\"profile\",\"i\":%d,\"ma\":%d,\"until\":%lld", evse, (int)ma, moment(until_us));
	text(&b, "ref", ref);
	put(c, &b);
}

void record_conduct(struct control *c, int evse, const char *conduct)
{
	struct buf b = { 0 };
	if (!c->record)
		return;
	buf_printf(&b, "{\"in\":\"conduct\",\"i\":%d", evse);
	text(&b, "is", conduct);
	put(c, &b);
}

void record_wall(struct control *c, int64_t offset_us, bool trusted)
{
	struct buf b = { 0 };
	if (!c->record || (c->wall.offset_us == offset_us && c->wall.trusted == trusted))
		return;
	buf_printf(&b, "{\"in\":\"wall\",\"offset\":%lld,\"trusted\":%s", (long long)offset_us, trusted ? "true" : "false");
	put(c, &b);
}

void record_tick(struct control *c, int64_t now_us)
{
	struct buf b = { 0 };
	if (!c->record)
		return;
	buf_printf(&b, "{\"in\":\"tick\",\"t\":%lld", (long long)now_us);
	put(c, &b);
}

/* --- what is decided --- */

void record_order(struct control *c, int evse, const struct grant *g)
{
	struct buf b = { 0 };
	if (!c->record)
		return;
	buf_printf(&b, "{\"out\":\"limit\",\"i\":%d,\"ma\":%d,\"wake\":%d", evse, (int)g->ma, g->wake);
	text(&b, "reason", g->binding.reason);
	text(&b, "ref", g->binding.ref);
	buf_printf(&b, ",\"phase\":%d", g->binding.phase);
	put(c, &b);
}
