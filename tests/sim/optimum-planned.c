/* A program per slot, of the cars that are there as they are believed to be; what its first slot gives comes true. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/optimum.h"
#include "tests/sim/program.h"

/* A tenth of it would do; an hour's delay must cost more than rounding. */
#define LATER_PER_SLOT (0.01 * SLOT_S / 3600)
#define SOON_S 1800.0

static double usual_wh(const struct world_conf *c)
{
	double sum = 0;
	for (int i = 0; i < c->n_sessions; i++)
		sum += c->sessions[i].need_wh / c->n_sessions;
	return sum;
}

/* Who has been here for an hour is taken to stay another. */
static double believed_end_s(const struct world_session *s, double now)
{
	double end = isnan(s->told_leave_s) ? now + fmax(2 * SOON_S, now - (double)s->arrive_s) : s->told_leave_s;
	return fmax(end, now + SOON_S);
}

static double believed_wh(const struct world_session *s, double usual)
{
	double left = (isnan(s->told_need_wh) ? usual : s->told_need_wh) - s->got_wh;
	return fmax(left, usual / 10);
}

/* The cars that are there, as they are believed to be. */
static void believe(const struct world_conf *c, double now, double usual, struct world_conf *out, int *who)
{
	out->n_sessions = 0;
	for (int i = 0; i < c->n_sessions; i++) {
		const struct world_session *s = &c->sessions[i];
		if ((double)s->arrive_s >= now + SLOT_S || (double)s->leave_s <= now || s->got_wh >= s->need_wh)
			continue;
		struct world_session *b = &out->sessions[out->n_sessions];
		who[out->n_sessions++] = i;
		*b = *s;
		b->arrive_s = (int64_t)fmax(now, (double)s->arrive_s);
		b->leave_s = (int64_t)believed_end_s(s, now);
		b->need_wh = believed_wh(s, usual);
	}
}

/* What of the plan's first slot comes true. */
static void take(const struct world_conf *c, const struct program *p, const double *x, int slot, const int *who)
{
	for (int k = 0; k < p->columns; k++) {
		struct world_session *s = &c->sessions[who[p->session_of[k]]];
		double share = program_share(c, s, slot);
		if (p->slot_of[k] == slot)
			s->got_wh = fmin(s->need_wh, s->got_wh + fmin(x[k], share * program_top_a(c, s)) * program_wh_per_amp(c, s));
	}
}

double optimum_planned_wh(const struct world_conf *conf, double *jain_out)
{
	struct world_conf c = *conf, now = *conf;
	size_t size = ((size_t)c.n_sessions + 1) * sizeof(*c.sessions);
	struct slots t;
	double sum = 0, shares = 0, squares = 0, usual = usual_wh(conf);
	int *who = calloc((size_t)c.n_sessions + 1, sizeof(*who));
	program_weather(conf, &t);
	c.sessions = memcpy(malloc(size), conf->sessions, size);
	now.sessions = malloc(size);
	for (int k = 0; k < t.n; k++) {
		struct program p;
		believe(&c, (double)c.begin_s + k * (double)SLOT_S, usual, &now, who);
		program_make(&p, &now, &t, LATER_PER_SLOT);
		double *x = calloc((size_t)p.columns + 1, sizeof(*x));
		if (p.columns && program_solve(&p, x))
			take(&c, &p, x, k, who);
		free(x);
		program_free(&p);
	}
	for (int i = 0; i < c.n_sessions; i++) {
		double share = c.sessions[i].got_wh / c.sessions[i].need_wh;
		sum += c.sessions[i].got_wh;
		shares += share;
		squares += share * share;
	}
	*jain_out = squares > 0 ? shares * shares / squares / c.n_sessions : NAN;
	void *all[] = { c.sessions, now.sessions, who, t.room };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]);
	return sum;
}
