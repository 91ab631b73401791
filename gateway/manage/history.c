/* Once a second every object is looked at; sums are kept for the minute and the quarter that run. Objects are numbered: circuits, then EVSEs in the
 * order of energy/control, then the sum of all EVSEs. */
#include "gateway/manage/history.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "storage/history.h"

#define SECONDS 900         /* kept in memory */
#define OBJECTS_IN_MEMORY 120
#define MINUTE 60
#define QUARTER 900
#define KEEP_MINUTES_S (48 * 3600)
#define KEEP_QUARTERS_S (35 * 24 * 3600)

struct point {
	int32_t ma[3], limit_ma;
};

struct mean {
	int64_t sum[3];
	int32_t top, limit_ma, n[3];
};

struct object {
	char name[80];
	struct point *seconds;   /* a ring; NULL: too many objects for it */
	struct mean minute, quarter;
};

static struct {
	struct gateway *g;
	struct object *objects;
	size_t n, n_nodes, n_evses;
	int64_t second;          /* wall, of the newest point; 0: none */
	int64_t from;            /* of the first */
	struct timer timer;
} hi;

static void mean_reset(struct mean *m)
{
	*m = (struct mean){ .top = HISTORY_NONE, .limit_ma = HISTORY_NONE };
}

static void mean_add(struct mean *m, const struct point *p)
{
	for (int i = 0; i < 3; i++) {
		if (p->ma[i] == HISTORY_NONE)
			continue;
		m->sum[i] += p->ma[i];
		m->n[i]++;
		if (p->ma[i] > m->top)
			m->top = p->ma[i];
	}
	m->limit_ma = p->limit_ma;
}

static int32_t known(int32_t ma)
{
	return ma == MA_NONE ? HISTORY_NONE : ma;
}

static void look_at_node(size_t i, struct point *p)
{
	struct node_view v;
	control_node_view(hi.g->control, (int)i, &v);
	p->limit_ma = HISTORY_NONE;
	for (int k = 0; k < 3; k++) {
		p->ma[k] = known(v.measured.l[k]);
		if (v.limit.l[k] > 0 && v.limit.l[k] != MA_NONE && (p->limit_ma == HISTORY_NONE || v.limit.l[k] < p->limit_ma))
			p->limit_ma = v.limit.l[k];
	}
}

static void look_at_evse(size_t i, struct point *p, struct point *sum)
{
	struct evse_view v;
	control_evse_view(hi.g->control, (int)i, &v);
	p->limit_ma = v.grant.ma;
	for (int k = 0; k < 3; k++)
		p->ma[k] = v.drawn_at_us ? 0 : HISTORY_NONE;
	for (int k = 0; v.drawn_at_us && k < v.n_lines; k++) {
		p->ma[v.lines[k]] = v.drawn_ma[k];
		sum->ma[v.lines[k]] += v.drawn_ma[k];
	}
}

static void add_row(struct history_rec *rows, size_t *n, const struct object *o, struct mean *m, int step_s, int64_t at_s)
{
	struct history_rec r = { .object = o->name, .step_s = step_s, .at_s = at_s, .top_ma = m->top, .limit_ma = m->limit_ma };
	for (int i = 0; i < 3; i++)
		r.ma[i] = m->n[i] ? (int32_t)(m->sum[i] / m->n[i]) : HISTORY_NONE;
	if (m->n[0] || m->n[1] || m->n[2])
		rows[(*n)++] = r;
	mean_reset(m);
}

static void store(int step_s, int64_t now)
{
	struct history_rec *rows = mem_new((hi.n + 1) * sizeof(*rows));
	size_t n = 0;
	for (size_t i = 0; i < hi.n; i++)
		add_row(rows, &n, &hi.objects[i], step_s == MINUTE ? &hi.objects[i].minute : &hi.objects[i].quarter, step_s, now - now % step_s - step_s);
	int err = n ? history_add(hi.g->store, rows, n) : 0;
	if (!err && step_s == QUARTER)
		err = history_trim(hi.g->store, MINUTE, now - KEEP_MINUTES_S);
	if (!err && step_s == QUARTER)
		err = history_trim(hi.g->store, QUARTER, now - KEEP_QUARTERS_S);
	if (err)
		log_warn(NULL, "the history of currents is not stored: %s", err_text(err));
	mem_free(rows);
}

static void take(size_t i, const struct point *p, int64_t now)
{
	struct object *o = &hi.objects[i];
	if (o->seconds)
		o->seconds[now % SECONDS] = *p;
	mean_add(&o->minute, p);
	mean_add(&o->quarter, p);
}

/* Seconds for which nobody looked (the machine slept, the clock was set) are unknown. */
static void forget_gap(int64_t now)
{
	static const struct point nothing = { { HISTORY_NONE, HISTORY_NONE, HISTORY_NONE }, HISTORY_NONE };
	int64_t gap = hi.second && now > hi.second ? now - hi.second : SECONDS;
	if (hi.second && now <= hi.second)
		hi.from = now;
	for (int64_t s = 1; s < gap && s < SECONDS; s++)
		for (size_t i = 0; i < hi.n; i++)
			if (hi.objects[i].seconds)
				hi.objects[i].seconds[(now - s) % SECONDS] = nothing;
}

static void on_second(void *arg)
{
	int64_t now = clock_wall_us() / US_PER_S;
	struct point p, sum = { { 0, 0, 0 }, HISTORY_NONE };
	(void)arg;
	timer_set(&hi.timer, US_PER_S - clock_wall_us() % US_PER_S, on_second, NULL);
	if (now == hi.second)
		return;
	if (hi.second && now / MINUTE != hi.second / MINUTE)
		store(MINUTE, now);
	if (hi.second && now / QUARTER != hi.second / QUARTER)
		store(QUARTER, now);
	if (control_nodes(hi.g->control) != hi.n_nodes || control_evses(hi.g->control) != hi.n_evses) { /* another configuration */
		struct gateway *g = hi.g;
		history_close();
		history_open(g);
		return;
	}
	forget_gap(now);
	for (size_t i = 0; i < hi.n_nodes; i++) {
		look_at_node(i, &p);
		take(i, &p, now);
	}
	for (size_t i = 0; i < hi.n_evses; i++) {
		look_at_evse(i, &p, &sum);
		take(hi.n_nodes + i, &p, now);
	}
	take(hi.n_nodes + hi.n_evses, &sum, now);
	hi.second = now;
	if (!hi.from)
		hi.from = now;
}

/* --- reading --- */

struct columns {
	struct buf parts[6]; /* t l1 l2 l3 top limit */
	struct json_writer w[6];
};

static void put_ma(struct json_writer *w, int32_t ma)
{
	jw_number(w, NULL, ma == HISTORY_NONE ? NAN : ma / 1000.0, 1);
}

static bool put_row(void *arg, const struct history_rec *r)
{
	struct columns *c = arg;
	jw_int(&c->w[0], NULL, r->at_s);
	for (int i = 0; i < 3; i++)
		put_ma(&c->w[1 + i], r->ma[i]);
	put_ma(&c->w[4], r->top_ma);
	put_ma(&c->w[5], r->limit_ma);
	return true;
}

static void put_seconds(struct columns *c, const struct object *o, int64_t since)
{
	int64_t from = since > hi.from ? since : hi.from;
	if (from < hi.second - SECONDS + 1)
		from = hi.second - SECONDS + 1;
	for (int64_t s = from; o->seconds && hi.second && s <= hi.second; s++) {
		const struct point *p = &o->seconds[s % SECONDS];
		struct history_rec r = { .at_s = s, .limit_ma = p->limit_ma, .top_ma = HISTORY_NONE };
		for (int i = 0; i < 3; i++) {
			r.ma[i] = p->ma[i];
			r.top_ma = p->ma[i] > r.top_ma ? p->ma[i] : r.top_ma;
		}
		put_row(c, &r);
	}
}

static const struct object *find(const char *name)
{
	for (size_t i = 0; i < hi.n; i++) {
		const char *slash = strchr(hi.objects[i].name, '/');
		if (strcmp(slash ? slash + 1 : hi.objects[i].name, name) == 0)
			return &hi.objects[i];
	}
	return NULL;
}

int history_write(struct gateway *g, const char *object, int64_t since_s, struct json_writer *w)
{
	static const char *const names[] = { "t", "l1", "l2", "l3", "top", "limit" };
	const struct object *o = find(object);
	struct columns c = { .parts = { { 0 } } };
	if (!o)
		return ERR_NOT_FOUND;
	int64_t now = clock_wall_us() / US_PER_S;
	int step = since_s >= now - SECONDS && o->seconds ? 1 : since_s >= now - KEEP_MINUTES_S ? MINUTE : QUARTER, err = 0;
	for (int i = 0; i < 6; i++) {
		jw_open(&c.w[i], &c.parts[i]);
		jw_array(&c.w[i], NULL);
	}
	if (step == 1)
		put_seconds(&c, o, since_s);
	else
		err = history_each(g->store, o->name, step, since_s, put_row, &c);
	jw_object(w, NULL);
	jw_string(w, "object", object);
	jw_int(w, "step_s", step);
	for (int i = 0; i < 6; i++) {
		jw_end(&c.w[i], ']');
		jw_raw(w, names[i], buf_view(&c.parts[i]));
		buf_free(&c.parts[i]);
	}
	jw_end(w, '}');
	return err;
}

/* --- life --- */

void history_open(struct gateway *g)
{
	hi.g = g;
	hi.n_nodes = control_nodes(g->control);
	hi.n_evses = control_evses(g->control);
	hi.n = hi.n_nodes + hi.n_evses + 1;
	hi.objects = mem_new(hi.n * sizeof(*hi.objects));
	for (size_t i = 0; i < hi.n; i++) {
		struct object *o = &hi.objects[i];
		struct node_view n;
		struct evse_view e;
		if (i < hi.n_nodes) {
			control_node_view(g->control, (int)i, &n);
			snprintf(o->name, sizeof(o->name), "circuit/%.60s", n.id);
		} else if (i < hi.n - 1) {
			control_evse_view(g->control, (int)(i - hi.n_nodes), &e);
			snprintf(o->name, sizeof(o->name), "evse/%.60s/%d", e.station, e.evse);
		} else {
			snprintf(o->name, sizeof(o->name), "ev");
		}
		if (i < hi.n_nodes || i == hi.n - 1 || hi.n <= OBJECTS_IN_MEMORY)
			o->seconds = mem_new(SECONDS * sizeof(*o->seconds));
		mean_reset(&o->minute);
		mean_reset(&o->quarter);
	}
	timer_set(&hi.timer, 0, on_second, NULL);
}

void history_close(void)
{
	timer_cancel(&hi.timer);
	for (size_t i = 0; i < hi.n; i++)
		mem_free(hi.objects[i].seconds);
	mem_free(hi.objects);
	memset(&hi, 0, sizeof(hi));
}
