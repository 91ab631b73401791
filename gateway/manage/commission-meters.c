/* The check of the meters: voltage, current and power of each channel, averaged over some seconds; what they mean says commission-judge.c.
 *
 * Easy to get wrong: a channel whose load is too small shows nothing, which is neither good nor bad: a meter can be ok and not proven. */
#include <math.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/manage/commission-local.h"
#include "gateway/power/balance.h"

struct channel {
	double p, u, i;
	int n;
};

struct metering {
	struct gateway *g;
	struct task *task;
	char *user;
	struct timer timer;
	int64_t begun_us, for_us;
	struct channel *channels; /* three per meter */
};

static void metering_free(struct metering *m)
{
	timer_cancel(&m->timer);
	mem_free(m->channels);
	mem_free(m->user);
	mem_free(m);
}

static void stop_metering(void *arg)
{
	struct metering *m = arg;
	task_end(m->task, TASK_STOPPED, (struct slice){ 0 });
	metering_free(m);
}

/* Which two channels are to be changed over: those that show another phase's current, when they are exactly two. */
static void write_pair(struct json_writer *w, const enum wiring found[3])
{
	int n = 0, at[3];
	for (int i = 0; i < 3; i++)
		if (found[i] == WIRING_SWAPPED || found[i] == WIRING_SWAPPED_REVERSED)
			at[n++] = i + 1;
	jw_array(w, "swap");
	for (int i = 0; n >= 2 && i < n; i++)
		jw_int(w, NULL, at[i]);
	jw_end(w, ']');
}

static bool write_metering(struct metering *m, size_t i, struct json_writer *w)
{
	struct meter_view v;
	enum wiring found[3];
	bool ok = true, any = false;
	control_meter_view(m->g->control, (int)i, clock_mono_us(), &v);
	jw_object(w, NULL);
	jw_string(w, "meter", v.id);
	jw_bool(w, "reads", v.last.at_us && !v.stale);
	jw_array(w, "phases");
	for (int p = 0; p < 3; p++) {
		const struct channel *c = &m->channels[3 * i + (size_t)p];
		double n = c->n, cosine;
		found[p] = c->n ? judge_wiring(c->p / n, c->u / n, c->i / n, &cosine) : (cosine = NAN, WIRING_UNKNOWN);
		ok &= found[p] == WIRING_OK || found[p] == WIRING_UNLOADED || found[p] == WIRING_UNKNOWN;
		any |= found[p] == WIRING_OK;
		jw_object(w, NULL);
		jw_int(w, "phase", p + 1);
		jw_number(w, "u_v", c->n ? c->u / n : NAN, 1);
		jw_number(w, "i_a", c->n ? c->i / n : NAN, 2);
		jw_number(w, "p_w", c->n ? c->p / n : NAN, 0);
		jw_number(w, "cos", cosine, 2);
		jw_string(w, "verdict", wiring_text(found[p]));
		jw_end(w, '}');
	}
	jw_end(w, ']');
	write_pair(w, found);
	jw_bool(w, "ok", ok && v.last.at_us && !v.stale);
	jw_bool(w, "proven", any);
	jw_end(w, '}');
	return ok && v.last.at_us && !v.stale;
}

static void end_metering(struct metering *m)
{
	struct buf json = { 0 };
	struct json_writer w;
	bool ok = control_meters(m->g->control) > 0;
	jw_open(&w, &json);
	jw_object(&w, NULL);
	jw_array(&w, "meters");
	for (size_t i = 0; i < control_meters(m->g->control); i++)
		ok &= write_metering(m, i, &w);
	jw_end(&w, ']');
	jw_end(&w, '}');
	commission_conclude(m->g, m->task, "meters", m->user, ok, &json);
	metering_free(m);
}

static void look_at_meter(struct channel c[3], const ag_meter_sample *s)
{
	for (int p = 0; p < 3; p++) {
		bool known = (s->valid & AG_I) && (s->valid & AG_U) && (s->valid & AG_P) && !isnan(s->i_a[p]) && !isnan(s->u_v[p]) && !isnan(s->p_w[p]);
		if (!known)
			continue;
		c[p].p += s->p_w[p];
		c[p].u += s->u_v[p];
		c[p].i += fabs(s->i_a[p]);
		c[p].n++;
	}
}

static void on_metering(void *arg)
{
	struct metering *m = arg;
	int64_t passed = clock_mono_us() - m->begun_us;
	for (size_t i = 0; i < control_meters(m->g->control); i++) {
		const ag_meter_sample *s = balance_sample((int)i);
		if (s)
			look_at_meter(&m->channels[3 * i], s);
	}
	task_tell(m->task, "baseline", (double)passed / (double)m->for_us);
	if (passed >= m->for_us)
		end_metering(m);
	else
		timer_set(&m->timer, LOOK_US, on_metering, m);
}

struct task *commission_meters(struct gateway *g, const char *user, int64_t for_us)
{
	struct metering *m = NEW(struct metering);
	*m = (struct metering){ .g = g, .user = mem_strdup(user), .begun_us = clock_mono_us(), .for_us = for_us };
	m->channels = mem_new((3 * control_meters(g->control) + 1) * sizeof(*m->channels));
	m->task = task_new("meters", user, stop_metering, m);
	timer_set(&m->timer, LOOK_US, on_metering, m);
	return m->task;
}
