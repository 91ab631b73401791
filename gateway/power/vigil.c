/* Easy to get wrong: a wake-up is a pause by a cap that ends by itself, so a program that stops in the middle leaves nobody asleep; and there
 * are few of them in a transaction, or a car that wants nothing would be switched all night. */
#include "gateway/power/vigil.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/power/limits.h"
#include "gateway/power/traits.h"
#include "gateway/session/session.h"
#include "ocpp/dialect.h"
#include "storage/kept.h"

#define EVSES_MOST 20000
#define ASK_AGAIN_US (60 * US_PER_S)
#define TRY_AGAIN_US (600 * US_PER_S)     /* after all forms were in vain */

/* How long the pauses are, by stage, in times of its model's response; 0: the limit again. Between the stages it has two of them. */
static const int wake_pauses[] = { 0, 2, 4 };
#define WAKE_STAGES ((int)(sizeof(wake_pauses) / sizeof(wake_pauses[0])))
#define SILENT_INTERVALS 7                /* of its meter, and then half a one */

struct vigil {
	struct follow f;
	bool looked;                  /* what was kept of its station is known */
	int stage;                    /* of waking, in this transaction */
	int64_t next_us;              /* when the next step of the present conduct is due; 0: none */
	bool tried_default;           /* all forms, for one that stays at its default */
	uint8_t phases;               /* as last told */
};

static struct vigil *all;
static size_t n_all;

void vigil_open(struct gateway *g)
{
	n_all = control_evses(g->control);
	all = mem_new((n_all + 1) * sizeof(*all));
	for (size_t i = 0; i < n_all; i++)
		follow_init(&all[i].f);
}

void vigil_close(void)
{
	mem_free(all);
	all = NULL;
	n_all = 0;
}

static void grow(size_t n)
{
	if (n <= n_all || n > EVSES_MOST)
		return;
	all = mem_grow(all, n * sizeof(*all));
	for (; n_all < n; n_all++) {
		all[n_all] = (struct vigil){ 0 };
		follow_init(&all[n_all].f);
	}
}

const struct follow *vigil_view(const struct gateway *g, int evse)
{
	(void)g;
	return evse >= 0 && (size_t)evse < n_all ? &all[evse].f : NULL;
}

/* --- telling --- */

struct seen {
	struct gateway *g;
	struct session *s;
	struct vigil *w;
	struct evse_view v;
	int control;
	int64_t now_us;
};

static void tell_event(const struct seen *x, const char *code, const char *severity)
{
	struct buf args = { 0 };
	struct json_writer w;
	jw_open(&w, &args);
	jw_object(&w, NULL);
	jw_int(&w, "evse", x->v.evse);
	jw_number(&w, "told_a", x->w->f.told_ma / 1000.0, 1);
	jw_array(&w, "drawn_a");
	for (int i = 0; i < x->v.n_lines; i++)
		jw_number(&w, NULL, x->v.drawn_ma[i] / 1000.0, 1);
	jw_end(&w, ']');
	jw_number(&w, "after_s", (double)(x->now_us - x->w->f.told_us) / US_PER_S, 1);
	if (x->w->f.over_permille)
		jw_number(&w, "over_percent", x->w->f.over_permille / 10.0, 1);
	jw_end(&w, '}');
	log_info(&x->s->log, "evse %d: %s %s", x->v.evse, code, args.p);
	telemetry_event(x->g, code, severity, x->v.id, args.p);
	buf_free(&args);
}

static void tell_conduct(const struct seen *x)
{
	char code[40];
	snprintf(code, sizeof(code), "limit.%s", conduct_text(x->w->f.conduct));
	bool bad = x->w->f.conduct == CONDUCT_REFUSED || x->w->f.conduct == CONDUCT_STUBBORN || x->w->f.conduct == CONDUCT_SILENT;
	tell_event(x, code, bad ? "warning" : "info");
}

static void tell_phases(const struct seen *x)
{
	if (!x->w->f.phases || x->w->f.phases == x->w->phases)
		return;
	x->w->phases = x->w->f.phases;
	int used = __builtin_popcount(x->w->phases);
	if (used < x->v.n_lines)
		log_info(&x->s->log, "evse %d: the car uses %d of %d phases", x->v.evse, used, x->v.n_lines);
	if (used < x->v.n_lines)
		telemetry_event(x->g, "evse.phases", "info", x->v.id, used == 1 ? "{\"used\":1}" : "{\"used\":2}");
}

/* --- acting --- */

static void is_proved(const struct seen *x)
{
	for (int i = 1; i <= x->s->n_evses; i++)
		if (x->s->evses[i].control >= 0)
			control_evse_proved(x->g->control, x->s->evses[i].control, true);
	if (kept_put(x->g->store, x->s->id, "limits/proved", SLICE("1"), NULL, NULL) != 0)
		log_warn(&x->s->log, "that it follows its limits could not be kept");
	log_info(&x->s->log, "it was seen to follow its limits");
}

static void on_triggered(void *arg, struct call *call, int err, struct frame *answer)
{
	const struct session *s = arg;
	(void)call;
	if (!answer)
		log_debug(&s->log, "meter values could not be asked for: %s", err_text(err));
}

static void ask_for_values(const struct seen *x)
{
	struct event e;
	event_init(&e, CMD_TRIGGER);
	e.evse = x->v.evse;
	e.word = slice_of(dialect_of(x->s->version)->tx_tells_all ? "TransactionEvent" : "MeterValues");
	if (session_command(x->s, &e, on_triggered, x->s) != 0)
		log_debug(&x->s->log, "meter values could not be asked for");
	x->w->next_us = x->now_us + ASK_AGAIN_US;
}

static void wake(const struct seen *x)
{
	x->w->next_us = 0;
	if (x->w->stage >= WAKE_STAGES) {
		tell_event(x, "limit.left_asleep", "warning");
		return;
	}
	int64_t response_us = limits_traits(x->g->limits, x->s)->response_us;
	control_evse_woken(x->g->control, x->control, x->now_us);
	int64_t pause_us = wake_pauses[x->w->stage++] * response_us;
	if (pause_us && control_cap_set(x->g->control, -1, x->control, 0, "wake_up", x->s->id, x->now_us + pause_us) < 0)
		log_warn(&x->s->log, "too many caps are in force, evse %d is not woken", x->v.evse);
	if (!pause_us)
		limits_doubt(x->g->limits, x->s, x->v.evse);
	x->w->next_us = x->now_us + pause_us + 2 * response_us;
}

static void next_form(const struct seen *x)
{
	if (limits_not_followed(x->g->limits, x->s, x->v.evse)) {
		follow_again(&x->w->f, x->now_us);
		return;
	}
	tell_event(x, "limit.out_of_control", "error");
	x->w->next_us = x->now_us + TRY_AGAIN_US;
}

/* A car may want no more than that by itself, so all forms are tried once and no alarm is raised. */
static void off_default(const struct seen *x)
{
	if (x->w->tried_default)
		return;
	x->w->tried_default = !limits_not_followed(x->g->limits, x->s, x->v.evse);
	if (!x->w->tried_default)
		follow_again(&x->w->f, x->now_us);
}

static void act(const struct seen *x)
{
	struct follow *f = &x->w->f;
	x->w->next_us = 0;
	switch (f->conduct) {
	case CONDUCT_LATE:
		limits_doubt(x->g->limits, x->s, x->v.evse);
		break;
	case CONDUCT_STUBBORN:
		next_form(x);
		break;
	case CONDUCT_DEFAULT:
		off_default(x);
		break;
	case CONDUCT_OVERSHOOT:
		limits_correct(x->g->limits, x->s, x->v.evse, f->over_permille);
		break;
	case CONDUCT_SLOW:
		limits_slow(x->g->limits, x->s, f->response_us);
		break;
	case CONDUCT_ASLEEP:
		wake(x);
		break;
	case CONDUCT_SILENT:
		ask_for_values(x);
		break;
	case CONDUCT_FOLLOWS:
		limits_followed(x->g->limits, x->s, x->v.evse);
		break;
	default:
		break;
	}
}

/* A conduct that goes on. */
static void go_on(const struct seen *x)
{
	if (!x->w->next_us || x->now_us < x->w->next_us)
		return;
	if (x->w->f.conduct == CONDUCT_ASLEEP)
		wake(x);
	else if (x->w->f.conduct == CONDUCT_SILENT)
		ask_for_values(x);
	else if (x->w->f.conduct == CONDUCT_STUBBORN)
		next_form(x);
}

/* --- looking --- */

static void look_up(const struct seen *x)
{
	struct arena mem = { 0 };
	struct slice value;
	char name[32];
	int64_t ma;
	x->w->looked = true;
	bool known = x->s->own || kept_get(x->g->store, x->s->id, "limits/proved", &mem, &value) == 0;
	control_evse_proved(x->g->control, x->control, known);
	snprintf(name, sizeof(name), "limits/told/%d", x->v.evse);
	if (kept_get(x->g->store, x->s->id, name, &mem, &value) == 0 && int_parse(value, &ma) == 0 && ma > 0)
		control_evse_before(x->g->control, x->control, ma < INT32_MAX ? (int32_t)ma : INT32_MAX);
	arena_free(&mem);
}

static void gather(const struct seen *x, struct follow_facts *n)
{
	const struct session_evse *e = &x->s->evses[x->v.evse];
	int64_t interval_us = limits_meter_interval_us(x->g->limits, x->s);
	*n = (struct follow_facts){ .now_us = x->now_us, .online = x->v.online, .running = e->tx[0], .ended_itself = e->state == EVSE_SUSPENDED_EV,
		.drawn_us = x->v.drawn_at_us, .n_lines = x->v.n_lines, .min_ma = x->s->conf->min_current_ma, .max_ma = x->s->conf->max_current_ma,
		.alone_ma = x->s->conf->fallback_current_ma, .response_us = limits_traits(x->g->limits, x->s)->response_us,
		.silent_us = interval_us * SILENT_INTERVALS + interval_us / 2 };
	memcpy(n->drawn_ma, x->v.drawn_ma, sizeof(n->drawn_ma));
	n->answer = limits_state(x->g->limits, x->s, x->v.evse, &n->told_ma, &n->accepted_us);
}

static void vigil_one(const struct seen *x)
{
	struct follow_facts n;
	bool proved = x->w->f.proved;
	if (!x->w->looked)
		look_up(x);
	gather(x, &n);
	bool changed = follow_step(&x->w->f, &n);
	enum conduct c = x->w->f.conduct;
	if (!n.running)
		x->w->stage = x->w->phases = x->w->tried_default = 0;
	if (x->w->f.proved && !proved)
		is_proved(x);
	if (x->w->f.within && (c == CONDUCT_FOLLOWS || c == CONDUCT_SLOW || c == CONDUCT_OVERSHOOT))
		limits_confirm(x->g->limits, x->s, x->v.evse);
	tell_phases(x);
	control_evse_conduct(x->g->control, x->control, c == CONDUCT_UNKNOWN || c == CONDUCT_FOLLOWS ? NULL : conduct_text(c));
	if (!changed) {
		go_on(x);
		return;
	}
	if (c != CONDUCT_UNKNOWN)
		tell_conduct(x);
	act(x);
}

static bool find(struct gateway *g, size_t i, struct seen *x)
{
	*x = (struct seen){ .g = g, .w = &all[i], .control = (int)i, .now_us = clock_mono_us() };
	control_evse_view(g->control, (int)i, &x->v);
	x->s = session_find(g, x->v.station);
	return x->s && x->s->conf->circuit && x->v.evse <= x->s->n_evses && x->s->evses[x->v.evse].control == (int)i;
}

void vigil_start(struct gateway *g)
{
	grow(control_evses(g->control));
	for (size_t i = 0; i < n_all; i++) {
		struct seen x;
		if (find(g, i, &x))
			look_up(&x);
	}
}

void vigil_tick(struct gateway *g)
{
	grow(control_evses(g->control));
	for (size_t i = 0; i < n_all; i++) {
		struct seen x;
		if (find(g, i, &x))
			vigil_one(&x);
	}
}
