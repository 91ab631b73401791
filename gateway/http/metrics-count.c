/* What is counted as it happens, in base/stats under the names of its families: frames, cycles of the balancer, the delay of the loop. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "gateway/http/metrics-local.h"
#include "gateway/session/trace.h"

#define LAG_US (US_PER_S / 4)

static struct {
	struct gateway *g;
	struct trace_listener trace;
	struct timer lag;
	int64_t lag_due_us, cycle_us;
	int64_t *over_since_us; /* by node; 0: within its limit */
	size_t n_nodes;
	bool open;
} mt;

static void on_trace(void *arg, const struct trace_rec *r)
{
	static const char *const types[] = { "unreadable", "", "call", "result", "error", "result_error", "send" };
	const char *side = r->side == TRACE_STATION ? "station" : "csms";
	struct buf labels = { 0 };
	char *action = mem_text(r->action.n && r->action.n < 64 ? r->action : SLICE("-"));
	(void)arg;
	stats_label(&labels, "side", side);
	stats_label(&labels, "direction", r->way == TRACE_RX ? "rx" : "tx");
	stats_label(&labels, "type", r->kind >= 0 && r->kind <= 6 ? types[r->kind] : types[0]);
	stats_label(&labels, "action", r->verdict == TRACE_MALFORMED ? "-" : action);
	stats_add(P "ocpp_messages_total", labels.p, 1);
	buf_reset(&labels);
	stats_label(&labels, "side", side);
	if (r->rtt_us > 0)
		stats_observe(P "ocpp_call_duration_seconds", labels.p, (double)r->rtt_us / US_PER_S);
	stats_label(&labels, "code", r->verdict == TRACE_MALFORMED ? "malformed" : "error");
	if (r->verdict == TRACE_MALFORMED || r->kind == 4 || r->kind == 5)
		stats_add(P "ocpp_errors_total", labels.p, 1);
	mem_free(action);
	buf_free(&labels);
}

static void count_node(struct gateway *g, int i, double s, int64_t now)
{
	struct node_view v;
	struct buf labels = { 0 };
	bool over = false;
	control_node_view(g->control, i, &v);
	stats_label(&labels, "circuit", v.id);
	stats_add(P "circuit_binding_seconds_total", labels.p, v.binding ? s : 0);
	for (int p = 0; p < 3; p++) {
		if (!v.limit.l[p] || v.measured.l[p] == MA_NONE)
			continue;
		bool here = v.measured.l[p] > v.limit.l[p];
		over |= here;
		buf_reset(&labels);
		stats_label(&labels, "circuit", v.id);
		stats_label(&labels, "phase", metric_phases[p]);
		stats_add(P "circuit_over_limit_seconds_total", labels.p, here ? s : 0);
	}
	if (over && !mt.over_since_us[i])
		mt.over_since_us[i] = now;
	if (!over && mt.over_since_us[i]) {
		stats_observe(P "balancing_reaction_seconds", "", (double)(now - mt.over_since_us[i]) / US_PER_S);
		mt.over_since_us[i] = 0;
	}
	buf_free(&labels);
}

static void count_evse(struct gateway *g, int i, double s)
{
	struct evse_view v;
	struct buf labels = { 0 };
	char t[12];
	control_evse_view(g->control, i, &v);
	if (v.waiting) {
		stats_label(&labels, "station", v.station);
		stats_label(&labels, "evse", metric_number(v.evse, t));
		stats_add(P "evse_waiting_seconds_total", labels.p, s);
	}
	buf_free(&labels);
}

void metrics_cycle(struct gateway *g, int64_t took_us)
{
	int64_t now = clock_mono_us();
	double s = mt.cycle_us ? (double)(now - mt.cycle_us) / US_PER_S : 0;
	if (!mt.open)
		return;
	mt.cycle_us = now;
	if (control_nodes(g->control) != mt.n_nodes) { /* another configuration */
		mem_free(mt.over_since_us);
		mt.n_nodes = control_nodes(g->control);
		mt.over_since_us = mem_new((mt.n_nodes + 1) * sizeof(*mt.over_since_us));
	}
	stats_observe(P "balancing_cycle_duration_seconds", "", (double)took_us / US_PER_S);
	for (size_t i = 0; i < control_nodes(g->control); i++)
		count_node(g, (int)i, s, now);
	for (size_t i = 0; i < control_evses(g->control); i++)
		count_evse(g, (int)i, s);
}

static void on_lag(void *arg)
{
	int64_t now = clock_mono_us();
	(void)arg;
	stats_observe(P "loop_lag_seconds", "", (double)(now > mt.lag_due_us ? now - mt.lag_due_us : 0) / US_PER_S);
	mt.lag_due_us = now + LAG_US;
	timer_set(&mt.lag, LAG_US, on_lag, NULL);
}

void metrics_open(struct gateway *g)
{
	mt.g = g;
	mt.open = true;
	stats_open();
	mt.n_nodes = control_nodes(g->control);
	mt.over_since_us = mem_new((mt.n_nodes + 1) * sizeof(*mt.over_since_us));
	mt.trace = (struct trace_listener){ .see = on_trace };
	trace_listen(&mt.trace);
	mt.lag_due_us = clock_mono_us() + LAG_US;
	timer_set(&mt.lag, LAG_US, on_lag, NULL);
}

void metrics_close(void)
{
	if (!mt.open)
		return;
	trace_unlisten(&mt.trace);
	timer_cancel(&mt.lag);
	mem_free(mt.over_since_us);
	memset(&mt, 0, sizeof(mt));
	stats_free();
}
