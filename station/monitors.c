/* Monitors look at the device model when the hardware has said something, when a setting changed, and by the clock.
 *
 *   upper, lower   an event when the value passes the threshold, and another, `cleared`, when it comes back
 *   delta          an event when a number has moved that far since the last one, or when anything else is not what it was
 *   periodic       an event every so many seconds; clock aligned: at multiples of that from midnight UTC
 *
 * Each EVSE has two that cannot be cleared: of its Problem, and of its lock's (G05). Events that happen without a link wait if they are severe enough
 * (OfflineQueuingSeverity), oldest first out, and are forgotten when there are too many (2.0.1 N07). */
#include "station/monitors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ocpp/settings.h"
#include "station/commands.h"
#include "station/inside.h"

#define REPORT_ITEMS 16
#define WAITING_MOST 100
#define FIXED_SEVERITY 2
#define DAY_US (86400 * US_PER_S)

struct monitor {
	struct list entry;
	struct monitor_told told; /* about.name is the table's own text */
	bool beyond;              /* a threshold: on the far side */
	char *last;               /* delta: the value that the last event told */
	int64_t due_us;           /* periodic, wall time */
};

struct waiting_event {
	struct list entry;
	const struct action *act;
	struct slice text;        /* behind the struct */
};

static struct monitor *find(const struct station *s, int64_t id)
{
	LIST_WALK(&s->monitors.all, struct monitor, entry, m) {
		if (m->told.id == id)
			return m;
	}
	return NULL;
}

static void drop(struct station *s, struct monitor *m)
{
	if (!m->told.fixed)
		keep_number(s, "monitor", m->told.id, (struct slice){ 0 });
	list_remove(&m->entry);
	s->monitors.count--;
	mem_free(m->last);
	mem_free(m);
}

static void keep(struct station *s, const struct monitor *m)
{
	const struct monitor_told *t = &m->told;
	struct buf text = { 0 };
	struct json_writer w;
	jw_open(&w, &text);
	jw_object(&w, NULL);
	jw_text(&w, "name", t->about.name);
	jw_int(&w, "evse", t->about.evse);
	jw_int(&w, "connector", t->about.connector);
	jw_int(&w, "type", t->type);
	jw_number(&w, "value", t->value, 6);
	jw_int(&w, "severity", t->severity);
	jw_bool(&w, "transaction", t->transaction);
	jw_end(&w, '}');
	keep_number(s, "monitor", t->id, buf_view(&text));
	buf_free(&text);
}

/* Events */

static void queue_event(struct station *s, const struct action *act, struct slice text)
{
	struct monitors *ms = &s->monitors;
	struct waiting_event *e = mem_new(sizeof(*e) + text.n);
	e->act = act;
	memcpy(e + 1, text.p, text.n);
	e->text = (struct slice){ (char *)(e + 1), text.n };
	list_append(&ms->waiting, &e->entry);
	if (++ms->n_waiting <= WAITING_MOST)
		return;
	struct waiting_event *oldest = LIST_TOP(&ms->waiting, struct waiting_event, entry);
	list_remove(&oldest->entry);
	mem_free(oldest);
	ms->n_waiting--;
}

static struct slice tx_at(const struct station *s, int evse)
{
	const struct evse *e = evse >= 1 && evse <= s->conf.n_evses ? &s->evses[evse - 1] : NULL;
	return e && e->tx ? slice_of(e->tx->id) : (struct slice){ 0 };
}

static void fire(struct station *s, struct monitor *m, const struct setting *now, const char *trigger, bool cleared)
{
	struct buf payload = { 0 };
	const struct action *act;
	struct event_told e = { .about = *now, .id = s->monitors.next_event++, .monitor = m->told.id, .time_us = clock_wall_us(),
		.trigger = trigger, .fixed = m->told.fixed, .cleared = cleared, .severity = m->told.severity,
		.tx = tx_at(s, now->evse) };
	if (m->told.severity > s->monitors.level)
		return;
	int err = monitors_write_event(s->conf.version, e.time_us, &e, &payload, &act);
	if (!err && station_talks(s))
		err = wire_ask_text(&s->wire, act, buf_view(&payload), NULL, NULL, NULL);
	else if (!err && m->told.severity <= keys_int(&s->keys, KEY_OFFLINE_SEVERITY))
		queue_event(s, act, buf_view(&payload));
	if (err)
		log_warn(&s->log, "an event of monitor %lld was not sent: %s", (long long)m->told.id, err_text(err));
	buf_free(&payload);
}

void monitors_flow(struct station *s)
{
	LIST_WALK(&s->monitors.waiting, struct waiting_event, entry, e) {
		if (wire_ask_text(&s->wire, e->act, e->text, NULL, NULL, NULL) != 0)
			return;
		list_remove(&e->entry);
		s->monitors.n_waiting--;
		mem_free(e);
	}
}

/* Looking */

static double number_of(struct slice value)
{
	char text[64];
	char *end;
	put_text(text, sizeof(text), value);
	double number = strtod(text, &end);
	return end != text && !*end ? number : NAN;
}

static void look_at_threshold(struct station *s, struct monitor *m, const struct setting *now)
{
	double value = number_of(now->value);
	bool beyond = m->told.type == MONITOR_UPPER ? value > m->told.value : value < m->told.value;
	if (beyond == m->beyond)
		return;
	m->beyond = beyond;
	fire(s, m, now, "Alerting", !beyond);
}

static bool moved(const struct monitor *m, struct slice now)
{
	double value = number_of(now), last = number_of(slice_of(m->last));
	if (isfinite(value) && isfinite(last))
		return fabs(value - last) >= m->told.value && value != last;
	return !slice_is(now, m->last);
}

static void look_at_delta(struct station *s, struct monitor *m, const struct setting *now)
{
	bool first = !m->last;
	if (!first && !moved(m, now->value))
		return;
	mem_free(m->last);
	m->last = mem_text(now->value);
	if (!first)
		fire(s, m, now, "Delta", false);
}

static int64_t next_due(const struct monitor *m, int64_t now_us)
{
	int64_t every_us = (int64_t)(m->told.value * US_PER_S);
	if (m->told.type == MONITOR_PERIODIC)
		return now_us + every_us;
	int64_t day_us = now_us - now_us % DAY_US;
	return day_us + ((now_us - day_us) / every_us + 1) * every_us;
}

static void look_at_clock(struct station *s, struct monitor *m, const struct setting *now)
{
	int64_t now_us = clock_wall_us();
	bool due = m->due_us && now_us >= m->due_us;
	if (due || !m->due_us || m->due_us > next_due(m, now_us))
		m->due_us = next_due(m, now_us);
	if (due)
		fire(s, m, now, "Periodic", false);
}

static void look_at(struct station *s, struct monitor *m)
{
	struct arena mem = { 0 };
	struct setting now = m->told.about;
	if (m->told.transaction && !(now.evse ? tx_at(s, now.evse).p != NULL : station_running(s)))
		return;
	model_show(s, &now, &mem);
	if (m->told.type == MONITOR_UPPER || m->told.type == MONITOR_LOWER)
		look_at_threshold(s, m, &now);
	else if (m->told.type == MONITOR_DELTA)
		look_at_delta(s, m, &now);
	else
		look_at_clock(s, m, &now);
	arena_free(&mem);
}

static void on_look(void *arg)
{
	monitors_look(arg);
}

void monitors_look(struct station *s)
{
	int64_t next_us = INT64_MAX;
	if (!s->monitors.count || !keys_bool(&s->keys, KEY_MONITORING))
		return;
	LIST_WALK(&s->monitors.all, struct monitor, entry, m) {
		look_at(s, m);
		if (m->due_us && m->due_us < next_us)
			next_us = m->due_us;
	}
	timer_cancel(&s->monitors.look);
	if (next_us != INT64_MAX)
		timer_set(&s->monitors.look, next_us - clock_wall_us(), on_look, s);
}

/* SetVariableMonitoring */

static bool is_number(const struct setting *about)
{
	return about->kind->type == TYPE_INT || about->kind->type == TYPE_DECIMAL;
}

static bool type_fits(const struct monitor_ask *a)
{
	if (a->type < 0 || a->about.kind->access == ACCESS_WRITE)
		return false;
	return is_number(&a->about) || (a->type != MONITOR_UPPER && a->type != MONITOR_LOWER);
}

static bool value_fits(const struct monitor_ask *a)
{
	const struct setting_kind *k = a->about.kind;
	if (!isfinite(a->value))
		return false;
	if (a->type == MONITOR_UPPER || a->type == MONITOR_LOWER)
		return !(k->min || k->max) || (a->value >= (double)k->min && a->value <= (double)k->max);
	if (a->type == MONITOR_DELTA)
		return a->value >= 0 && !(is_number(&a->about) && (a->value == 0 || (k->max && a->value > (double)(k->max - k->min))));
	return a->value >= 1 && a->value <= 86400;
}

static bool is_about(const struct monitor *m, const struct setting *about)
{
	return slice_eq_nocase(m->told.about.name, about->name) && m->told.about.evse == about->evse && m->told.about.connector == about->connector;
}

static const char *status_of(struct station *s, struct monitor_ask *a, struct arena *mem, struct monitor **old)
{
	*old = a->id >= 0 ? find(s, a->id) : NULL;
	model_show(s, &a->about, mem);
	if (a->about.result != SETTING_OK)
		return a->about.result == SETTING_NO_COMPONENT ? "UnknownComponent" : "UnknownVariable";
	if (!type_fits(a))
		return "UnsupportedMonitorType";
	if (!value_fits(a) || a->severity < 0 || a->severity > 9)
		return "Rejected";
	if (a->id >= 0 && (!*old || (*old)->told.fixed || !is_about(*old, &a->about)))
		return "Rejected";
	LIST_WALK(&s->monitors.all, struct monitor, entry, m) {
		if (m != *old && !m->told.fixed && is_about(m, &a->about) && (int)m->told.type == a->type && m->told.severity == a->severity)
			return "Duplicate";
	}
	return *old || s->monitors.count < MONITORS_MOST ? "Accepted" : "Rejected";
}

static struct monitor *add(struct station *s, int64_t id, const struct setting *about)
{
	struct monitor *m = NEW(struct monitor);
	int row = keys_find(s->dialect->names, about->name);
	m->told.id = id;
	m->told.about = (struct setting){ .name = slice_of(keys_name((size_t)row, s->dialect->names)), .evse = about->evse,
		.connector = about->connector };
	list_append(&s->monitors.all, &m->entry);
	s->monitors.count++;
	if (id >= s->monitors.next_id)
		s->monitors.next_id = id + 1;
	return m;
}

static void set(struct station *s, struct monitor_ask *a, struct arena *mem)
{
	struct monitor *m;
	a->status = status_of(s, a, mem, &m);
	if (strcmp(a->status, "Accepted") != 0)
		return;
	if (!m)
		m = add(s, s->monitors.next_id, &a->about);
	m->told.type = (enum monitor_type)a->type;
	m->told.value = a->value;
	m->told.severity = a->severity;
	m->told.transaction = a->transaction;
	m->beyond = false;
	m->due_us = 0;
	mem_free(m->last);
	m->last = NULL;
	a->id_out = m->told.id;
	keep(s, m);
}

static void after_set(struct station *s, struct request *q)
{
	(void)q;
	monitors_look(s);
}

void monitors_set(struct station *s, struct request *q)
{
	struct monitor_ask *asked;
	size_t n;
	int err = monitors_read(q->f, &q->mem, MONITORS_MOST, &asked, &n);
	if (err) {
		q->error = err == ERR_TOO_LARGE ? s->dialect->too_many : "PropertyConstraintViolation";
		return;
	}
	for (size_t i = 0; i < n; i++)
		set(s, &asked[i], &q->mem);
	monitors_write_answer(asked, n, &q->payload);
	q->after = after_set;
}

/* Clear, base and level */

void monitors_clear(struct station *s, struct request *q)
{
	struct json_writer w;
	int64_t id;
	jw_open(&w, &q->payload);
	jw_object(&w, NULL);
	jw_array(&w, "clearMonitoringResult");
	for (size_t i = 0; i < MONITORS_MOST && monitors_read_clear(q->f, i, &id) == 0; i++) {
		struct monitor *m = find(s, id);
		jw_object(&w, NULL);
		jw_string(&w, "status", !m ? "NotFound" : m->told.fixed ? "Rejected" : "Accepted");
		jw_int(&w, "id", id);
		jw_end(&w, '}');
		if (m && !m->told.fixed)
			drop(s, m);
	}
	jw_end(&w, ']');
	jw_end(&w, '}');
}

static const char *base_word(struct slice word)
{
	static const char *const words[] = { "All", "FactoryDefault", "HardWiredOnly" };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (slice_is(word, words[i]))
			return words[i];
	}
	return NULL;
}

void monitors_base(struct station *s, struct request *q)
{
	const char *base = base_word(json_text(frame_tree(q->f), "monitoringBase"));
	if (!base) {
		answer(q, "NotSupported");
		return;
	}
	s->monitors.base = base;
	LIST_WALK(&s->monitors.all, struct monitor, entry, m) {
		if (!m->told.fixed && strcmp(base, "All") != 0)
			drop(s, m);
	}
	answer(q, "Accepted");
}

void monitors_level(struct station *s, struct request *q)
{
	int64_t level = json_int(frame_tree(q->f), "severity", -1);
	bool good = level >= 0 && level <= 9;
	if (good)
		s->monitors.level = (int)level;
	answer_if(q, good);
}

/* Report */

static bool is_wanted(const struct monitor *m, const struct report_ask *ask)
{
	static const unsigned bits[MONITOR_TYPES] = { [MONITOR_UPPER] = CRITERION_THRESHOLD, [MONITOR_LOWER] = CRITERION_THRESHOLD,
		[MONITOR_DELTA] = CRITERION_DELTA, [MONITOR_PERIODIC] = CRITERION_PERIODIC, [MONITOR_PERIODIC_CLOCK] = CRITERION_PERIODIC };
	return (!ask->monitors || ask->monitors & bits[m->told.type]) && report_ask_names(ask, &m->told.about);
}

struct found {
	size_t n;
	struct monitor_told some[];
};

static void after_report(struct station *s, struct request *q)
{
	const struct found *f = q->what;
	const struct action *act;
	struct buf payload = { 0 };
	for (size_t at = 0, seq = 0; at < f->n; at += REPORT_ITEMS, seq++) {
		size_t some = f->n - at < REPORT_ITEMS ? f->n - at : REPORT_ITEMS;
		buf_reset(&payload);
		int err = monitors_write_report(s->conf.version, q->number, (int64_t)seq, at + some < f->n, clock_wall_us(), f->some + at, some,
		                                &payload, &act);
		if (!err)
			err = wire_ask_text(&s->wire, act, buf_view(&payload), NULL, NULL, NULL);
		if (err)
			log_warn(&s->log, "a part of the monitoring report was not sent: %s", err_text(err));
	}
	buf_free(&payload);
}

void monitors_report(struct station *s, struct request *q)
{
	struct report_ask ask;
	struct found *f = arena_new(&q->mem, sizeof(*f) + (s->monitors.count + 1) * sizeof(f->some[0]));
	report_ask_read(q->f, &ask);
	LIST_WALK(&s->monitors.all, struct monitor, entry, m) {
		if (is_wanted(m, &ask))
			f->some[f->n++] = m->told;
	}
	q->number = ask.request_id;
	q->what = f;
	q->after = f->n ? after_report : NULL;
	answer(q, f->n ? "Accepted" : "EmptyResultSet");
}

/* Life */

void monitors_recall(struct station *s, const char *name, struct slice value)
{
	const char *dot = strrchr(name, '.');
	cJSON *tree = json_parse(value);
	struct setting about = { .name = json_text(tree, "name"), .evse = (int)json_int(tree, "evse", 0),
		.connector = (int)json_int(tree, "connector", 0) };
	int64_t id, type = json_int(tree, "type", -1);
	bool known = dot && int_parse(slice_of(dot + 1), &id) == 0 && about.name.p && model_find(s, &about) >= 0;
	if (known && type >= 0 && type < MONITOR_TYPES && s->monitors.count < MONITORS_MOST && !find(s, id)) {
		struct monitor *m = add(s, id, &about);
		m->told.type = (enum monitor_type)type;
		m->told.value = json_number(tree, "value", 0);
		m->told.severity = (int)json_int(tree, "severity", 9);
		m->told.transaction = json_bool(tree, "transaction", false);
	}
	cJSON_Delete(tree);
}

static void add_fixed(struct station *s, const char *name, int evse, int connector)
{
	struct setting about = { .name = slice_of(name), .evse = evse, .connector = connector };
	struct monitor *m = add(s, s->monitors.next_id, &about);
	m->told.fixed = true;
	m->told.type = MONITOR_DELTA;
	m->told.value = 1;
	m->told.severity = FIXED_SEVERITY;
}

void monitors_open(struct station *s)
{
	list_init(&s->monitors.all);
	list_init(&s->monitors.waiting);
	s->monitors.next_id = 1;
	s->monitors.level = 9;
	s->monitors.base = "All";
	for (int i = 1; s->dialect->names == 1 && i <= s->conf.n_evses; i++) {
		add_fixed(s, "EVSE.Problem", i, 0);
		add_fixed(s, "ConnectorPlugRetentionLock.Problem", i, 1);
	}
}

void monitors_close(struct station *s)
{
	timer_cancel(&s->monitors.look);
	LIST_WALK(&s->monitors.all, struct monitor, entry, m) {
		list_remove(&m->entry);
		mem_free(m->last);
		mem_free(m);
	}
	LIST_WALK(&s->monitors.waiting, struct waiting_event, entry, e) {
		list_remove(&e->entry);
		mem_free(e);
	}
}
