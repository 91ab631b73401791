/* Samples of stations and their EVSEs. */
#include <math.h>
#include <string.h>

#include "gateway/http/metrics-local.h"
#include "gateway/session/session.h"

/* --- stations --- */

static void each_session(struct writing *w, void (*see)(struct writing *w, struct session *s))
{
	size_t at = 0;
	struct session *s;
	while ((s = map_next(&w->g->sessions, &at, NULL)))
		see(w, s);
}

static const char *state_of(const struct session *s)
{
	return !s->link ? "offline" : s->rejected ? "rejected" : s->accepted ? "online" : "pending";
}

void metric_stations(struct writing *w)
{
	static const char *const states[] = { "online", "offline", "pending", "rejected" };
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		size_t at = 0;
		int n = 0;
		struct session *s;
		while ((s = map_next(&w->g->sessions, &at, NULL)))
			n += strcmp(state_of(s), states[i]) == 0;
		metric_sample(w, n, "state", states[i], NULL);
	}
}

static void see_up(struct writing *w, struct session *s)
{
	metric_sample(w, s->link != NULL, "station", s->id, NULL);
}

void metric_station_up(struct writing *w)
{
	each_session(w, see_up);
}

static void see_info(struct writing *w, struct session *s)
{
	metric_sample(w, 1, "station", s->id, "vendor", s->vendor, "model", s->model, "firmware", s->firmware, "subprotocol", s->link ? version_subprotocol(s->version) : "", NULL);
}

void metric_station_info(struct writing *w)
{
	each_session(w, see_info);
}

static void see_connects(struct writing *w, struct session *s)
{
	metric_sample(w, (double)s->link_number, "station", s->id, NULL);
}

void metric_connects(struct writing *w)
{
	each_session(w, see_connects);
}

static void see_faults(struct writing *w, struct session *s)
{
	metric_sample(w, (double)s->faults, "station", s->id, NULL);
}

void metric_faults(struct writing *w)
{
	each_session(w, see_faults);
}

/* --- EVSEs --- */

typedef void see_evse(struct writing *w, struct session *s, int n, const struct evse_view *v);

static void each_evse(struct writing *w, see_evse *see)
{
	for (size_t i = 0; i < control_evses(w->g->control); i++) {
		struct evse_view v;
		control_evse_view(w->g->control, (int)i, &v);
		struct session *s = session_find(w->g, v.station);
		if (s && v.evse <= s->n_evses)
			see(w, s, v.evse, &v);
	}
}

static void see_evse_state(struct writing *w, struct session *s, int n, const struct evse_view *v)
{
	char t[12];
	(void)v;
	metric_sample(w, 1, "station", s->id, "evse", metric_number(n, t), "state", evse_state_text(s->evses[n].state), NULL);
}
void metric_evse_state(struct writing *w) { each_evse(w, see_evse_state); }

static void see_evse_current(struct writing *w, struct session *s, int n, const struct evse_view *v)
{
	char t[12];
	for (int i = 0; v->drawn_at_us && i < v->n_lines; i++)
		metric_sample(w, v->drawn_ma[i] / 1000.0, "station", s->id, "evse", metric_number(n, t), "phase", metric_phases[v->lines[i]], NULL);
}
void metric_evse_current(struct writing *w) { each_evse(w, see_evse_current); }

static void see_evse_limit(struct writing *w, struct session *s, int n, const struct evse_view *v)
{
	char t[12];
	for (int i = 0; i < v->n_lines; i++)
		metric_sample(w, v->grant.ma / 1000.0, "station", s->id, "evse", metric_number(n, t), "phase", metric_phases[v->lines[i]], NULL);
}
void metric_evse_limit(struct writing *w) { each_evse(w, see_evse_limit); }

static void see_evse_offered(struct writing *w, struct session *s, int n, const struct evse_view *v)
{
	char t[12];
	metric_sample(w, v->confirmed_ma < 0 ? NAN : v->confirmed_ma / 1000.0, "station", s->id, "evse", metric_number(n, t), NULL);
}
void metric_evse_offered(struct writing *w) { each_evse(w, see_evse_offered); }

static void see_evse_reason(struct writing *w, struct session *s, int n, const struct evse_view *v)
{
	char t[12];
	if (v->grant.binding.reason)
		metric_sample(w, 1, "station", s->id, "evse", metric_number(n, t), "reason", v->grant.binding.reason, NULL);
}
void metric_evse_reason(struct writing *w) { each_evse(w, see_evse_reason); }

static void see_evse_power(struct writing *w, struct session *s, int n, const struct evse_view *v)
{
	char t[12];
	(void)v;
	metric_sample(w, s->evses[n].power_w, "station", s->id, "evse", metric_number(n, t), NULL);
}
void metric_evse_power(struct writing *w) { each_evse(w, see_evse_power); }

static void see_evse_energy(struct writing *w, struct session *s, int n, const struct evse_view *v)
{
	char t[12];
	(void)v;
	metric_sample(w, s->evses[n].energy_wh * JOULES, "station", s->id, "evse", metric_number(n, t), NULL);
}
void metric_evse_energy(struct writing *w) { each_evse(w, see_evse_energy); }

static void see_unconfirmed(struct writing *w, struct session *s, int n, const struct evse_view *v)
{
	char t[12];
	metric_sample(w, v->sent_ma >= 0 && v->sent_ma != v->confirmed_ma, "station", s->id, "evse", metric_number(n, t), NULL);
}
void metric_unconfirmed(struct writing *w) { each_evse(w, see_unconfirmed); }

void metric_active(struct writing *w)
{
	int n = 0;
	for (size_t i = 0; i < control_evses(w->g->control); i++) {
		struct evse_view v;
		control_evse_view(w->g->control, (int)i, &v);
		n += v.running;
	}
	metric_sample(w, n, NULL);
}
