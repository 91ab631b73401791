/* Settings of the whole. A write goes to every station and has one answer: accepted when all took it, else refused, with the log naming who did
 * not. A read is put to every station and merged: a value that all share is shown as it is, one that differs as what differs. Some are the
 * group's own: how many connectors it has, how often it says that it lives, what it is.
 *
 *   CSMS's CALL -> inquiry: one CALL per station, in its own names and version -> merged -> the answer (and reports)
 *
 * Easy to get wrong: a station of another version has another name for a setting, or none; what it has none for it was not asked. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config.h"
#include "gateway/group/group-local.h"
#include "ocpp/settings-ask.h"
#include "station/keys.h"

#define PATIENCE_US (20 * US_PER_S)
#define MEMBER_US (65 * US_PER_S)
#define VALUES_MOST 4   /* different ones that are shown */
#define NAMES_MOST 400  /* settings in one inquiry */
#define REPORT_EACH 40  /* settings in one NotifyReport */
#define SHOWN_MOST 3    /* stations that are named beside a value; more are counted */
#define VALUE_MOST 480
#define PASSWORD_LEAST 16 /* 1.6 A00.FR.206: hex digits or text; 2.x A00.FR.205 */
#define PASSWORD_MOST 64

/* A value and who has it. */
struct variant {
	char *value;
	unsigned count;
	struct buf who;
};

struct merged {
	struct setting setting;     /* as asked, or as first heard of; its name lives in the inquiry's arena */
	int row;                    /* in station/keys.h; -1: none */
	unsigned ok, at_reboot, refused, unknown;
	struct variant variants[VALUES_MOST];
	bool own;                   /* the group's to answer */
};

struct inquiry {
	struct group *group;
	struct arena mem;
	char *id, *text;            /* of the CSMS's CALL */
	size_t length;
	bool sets, all, reports;
	bool chooses;               /* a report of some of it */
	int64_t request_id;
	struct merged *asked;
	size_t n, room;
	unsigned waiting;
	bool answered;
	struct timer patience;
};

/* One CALL to one member. */
struct put {
	struct inquiry *inquiry;
	struct member *member;
	size_t one;                 /* the only setting it is about; SIZE_MAX: all of them */
	const struct action *act;
};

static unsigned names_of(enum ocpp_version v)
{
	return dialect_of(v)->names;
}

/* --- names --- */

/* What another version calls it; absent: nothing. */
static struct slice translated(struct slice name, int row, unsigned from, unsigned to)
{
	if (from == to)
		return name;
	return slice_of(row >= 0 ? keys_name((size_t)row, to) : NULL);
}

const char *group_config_name(const char *name, enum ocpp_version v)
{
	for (unsigned names = 0; names < 2; names++) {
		int row = keys_find(names, slice_of(name));
		if (row >= 0)
			return keys_name((size_t)row, names_of(v));
	}
	bool variable = strchr(name, '.') != NULL;
	return variable == (names_of(v) == 1) ? name : NULL;
}

/* --- the group's own --- */

static bool is_own(int row)
{
	switch (row) {
	case KEY_CONNECTORS:
	case KEY_HEARTBEAT:
	case KEY_VENDOR:
	case KEY_MODEL:
	case KEY_SERIAL:
	case KEY_FIRMWARE:
	case KEY_PASSWORD:
	case KEY_SECURITY_PROFILE:
		return true;
	default:
		return false;
	}
}

static const char *own_value(struct inquiry *q, int row)
{
	const struct uplink_settings *conf = q->group->conf;
	switch (row) {
	case KEY_CONNECTORS:
		return arena_printf(&q->mem, "%d", places_count(q->group));
	case KEY_HEARTBEAT:
		return arena_printf(&q->mem, "%lld", (long long)q->group->interval_s);
	case KEY_VENDOR:
		return conf->vendor;
	case KEY_MODEL:
		return conf->model;
	case KEY_SERIAL:
		return conf->identity;
	case KEY_SECURITY_PROFILE:
		return arena_printf(&q->mem, "%d", conf->security_profile);
	case KEY_PASSWORD:
		return NULL;
	default:
		return PACKAGE_VERSION;
	}
}

/* What the group shows the CSMS from its next connection on; its session learns it from the answer (gateway/session/learnt.h). */
static bool takes_password(const struct group *g, struct slice password)
{
	return g->conf->group_password && password.n >= PASSWORD_LEAST && password.n <= PASSWORD_MOST;
}

static enum setting_result set_own(struct group *g, const struct merged *m)
{
	int64_t seconds;
	if (m->row == KEY_PASSWORD)
		return takes_password(g, m->setting.value) ? SETTING_OK : SETTING_REFUSED;
	if (m->row != KEY_HEARTBEAT || int_parse(m->setting.value, &seconds) != 0 || seconds < 1 || seconds > 86400)
		return SETTING_REFUSED;
	g->interval_s = seconds;
	return SETTING_OK;
}

/* --- merging --- */

static struct merged *add(struct inquiry *q, const struct setting *s)
{
	if (q->n == q->room) {
		q->room = q->room ? 2 * q->room : 32;
		q->asked = mem_grow(q->asked, q->room * sizeof(*q->asked));
	}
	struct merged *m = &q->asked[q->n++];
	*m = (struct merged){ .setting = *s };
	m->setting.name = arena_slice(&q->mem, s->name);
	m->row = keys_find(names_of(q->group->version), m->setting.name);
	m->setting.kind = m->row >= 0 ? keys_kind((size_t)m->row) : &setting_writable;
	m->own = !m->setting.evse && is_own(m->row);
	return m;
}

static void note_value(struct merged *m, struct slice value, const char *station)
{
	struct variant *v = m->variants, *end = v + VALUES_MOST;
	while (v < end && v->value && !slice_is(value, v->value))
		v++;
	if (v == end)
		v--; /* one more of the many */
	if (!v->value)
		v->value = mem_text(value);
	v->count++;
	if (v->count <= SHOWN_MOST)
		buf_printf(&v->who, "%s%s", v->who.n ? " " : "", station);
}

static void note(struct merged *m, const struct setting *s, const char *station, bool sets)
{
	switch (s->result) {
	case SETTING_OK:
		m->ok++;
		if (m->row < 0 && s->kind == &setting_readonly)
			m->setting.kind = s->kind;
		if (!sets)
			note_value(m, s->value.p ? s->value : SLICE(""), station);
		break;
	case SETTING_AT_REBOOT:
		m->at_reboot++;
		break;
	case SETTING_REFUSED:
		m->refused++;
		break;
	default:
		m->unknown++;
		break;
	}
}

/* "10", or "differs: 10 (38 stations), 20 (S-07 S-12)": the values of the most first, who has them where that is short. */
static const char *shown(struct inquiry *q, const struct merged *m)
{
	struct buf text = { 0 };
	if (!m->variants[1].value)
		return m->variants[0].value ? m->variants[0].value : "";
	buf_puts(&text, "differs: ");
	for (const struct variant *v = m->variants; v < m->variants + VALUES_MOST && v->value; v++) {
		buf_printf(&text, "%s%s (", v == m->variants ? "" : ", ", v->value);
		if (v->count > SHOWN_MOST)
			buf_printf(&text, "%u stations)", v->count);
		else
			buf_printf(&text, "%s)", v->who.p);
	}
	const char *kept = arena_text(&q->mem, (struct slice){ text.p, text.n < VALUE_MOST ? text.n : VALUE_MOST });
	buf_free(&text);
	return kept;
}

/* What a write comes to; nobody may have said anything about it. */
static enum setting_result written(const struct merged *m)
{
	unsigned took = m->ok + m->at_reboot;
	if (!took && !m->refused && m->unknown)
		return SETTING_UNKNOWN;
	if (!took || m->refused || m->unknown)
		return SETTING_REFUSED;
	return m->at_reboot ? SETTING_AT_REBOOT : SETTING_OK;
}

static void conclude(struct inquiry *q, struct merged *m)
{
	bool unknown = m->setting.result == SETTING_NO_ATTRIBUTE;
	if (unknown)
		return;
	if (m->own) {
		const char *value = own_value(q, m->row);
		m->setting.result = q->sets ? set_own(q->group, m) : value ? SETTING_OK : SETTING_REFUSED; /* a secret is only written */
		m->setting.value = q->sets ? m->setting.value : slice_of(value);
		return;
	}
	if (!q->sets) {
		m->setting.result = m->ok ? SETTING_OK : m->refused ? SETTING_REFUSED : SETTING_UNKNOWN;
		m->setting.value = slice_of(shown(q, m));
		return;
	}
	unsigned took = m->ok + m->at_reboot;
	m->setting.result = written(m);
	if (took && (m->refused || m->unknown))
		log_warn(&q->group->log, "%.*s was taken by %u stations and not by %u", SLICE_ARG(m->setting.name), took, m->refused + m->unknown);
	if (took && !m->refused && !m->unknown && !m->setting.evse) {
		char *name = arena_printf(&q->mem, "config/%.*s", SLICE_ARG(m->setting.name));
		wish_put(q->group, name, m->setting.value);
	}
}

/* --- the answer --- */

static void on_reported(void *arg, const struct action *asked, struct frame *answer)
{
	(void)arg, (void)asked, (void)answer;
}

static void report(struct inquiry *q, const struct setting *s, size_t n)
{
	for (size_t at = 0, seq = 0; at < n; at += REPORT_EACH, seq++) {
		struct buf payload = { 0 };
		const struct action *act;
		size_t some = n - at < REPORT_EACH ? n - at : REPORT_EACH;
		if (settings_write_report(q->group->version, q->request_id, (int64_t)seq, at + some < n, clock_wall_us(), s + at, some, &payload, &act) == 0)
			group_ask(q->group, act, buf_view(&payload), on_reported, NULL);
		buf_free(&payload);
	}
}

/* Whether a criterion of GetReport holds for what this is about: a component that does not say counts as active, available and enabled (2.x
 * B08.FR.07 to 13), and only what is faulted has a problem. */
static bool meets(const struct inquiry *q, const struct setting *s, unsigned criteria)
{
	const struct place *p = s->evse ? place_at(q->group, s->evse) : NULL;
	return !criteria || criteria & ~(unsigned)CRITERION_PROBLEM || (p && place_shown(p) == EVSE_FAULTED);
}

/* GetReport: only what was asked for. Its answer says whether that is anything, so it waits for the stations. */
static size_t choose(struct inquiry *q, struct frame *asked, struct setting *told, size_t n)
{
	struct report_ask ask;
	size_t kept = 0;
	report_ask_read(asked, &ask);
	for (size_t i = 0; i < n; i++)
		if (report_ask_names(&ask, &told[i]) && meets(q, &told[i], ask.criteria))
			told[kept++] = told[i];
	return kept;
}

static void answer_report(struct inquiry *q, struct setting *told, size_t n)
{
	struct frame f;
	struct frame_fault fault;
	if (q->chooses && frame_parse(&f, q->group->version, (struct slice){ q->text, q->length }, &fault) == 0) {
		n = choose(q, &f, told, n);
		group_answer_status(q->group, slice_of(q->id), f.act, n ? SLICE("Accepted") : SLICE("EmptyResultSet"));
		frame_done(&f);
	}
	report(q, told, n);
}

static void answer(struct inquiry *q)
{
	struct frame f;
	struct frame_fault fault;
	struct buf payload = { 0 };
	struct setting *s, *told = arena_new(&q->mem, (q->n + 1) * sizeof(*told));
	size_t n = 0, told_n = 0;
	q->answered = true;
	timer_cancel(&q->patience);
	for (size_t i = 0; i < q->n; i++) {
		conclude(q, &q->asked[i]);
		if (!q->all || q->asked[i].setting.result == SETTING_OK)
			told[told_n++] = q->asked[i].setting;
	}
	if (q->reports) {
		answer_report(q, told, told_n);
	} else if (frame_parse(&f, q->group->version, (struct slice){ q->text, q->length }, &fault) == 0) {
		/* The answer shows components and variables as they were asked, so the CALL is read again. */
		if (settings_read(&f, &q->mem, &s, &n) == 0)
			for (size_t i = 0; i < n && i < told_n && !q->all; i++)
				told[i].asked = s[i].asked;
		settings_write_answer(&f, told, told_n, &payload);
		group_answer(q->group, slice_of(q->id), buf_view(&payload));
		frame_done(&f);
	}
	buf_free(&payload);
}

static void inquiry_free(struct inquiry *q)
{
	timer_cancel(&q->patience);
	for (size_t i = 0; i < q->n; i++)
		for (struct variant *v = q->asked[i].variants; v < q->asked[i].variants + VALUES_MOST; v++) {
			mem_free(v->value);
			buf_free(&v->who);
		}
	mem_free(q->asked);
	mem_free(q->id);
	mem_free(q->text);
	arena_free(&q->mem);
	mem_free(q);
}

static void done_with_one(struct inquiry *q)
{
	if (--q->waiting)
		return;
	if (!q->answered)
		answer(q);
	inquiry_free(q);
}

static void on_patience_over(void *arg)
{
	struct inquiry *q = arg;
	log_warn(&q->group->log, "%u stations have not answered a question for their settings in time", q->waiting);
	for (size_t i = 0; q->sets && i < q->n; i++)
		q->asked[i].refused += q->waiting;
	answer(q);
}

/* --- putting it to a member --- */

/* Which of those asked a member's answer is about. */
static struct merged *find(struct inquiry *q, const struct member *m, enum ocpp_version v, const struct setting *s)
{
	unsigned theirs = names_of(v), ours = names_of(q->group->version);
	const struct place *p = s->evse ? place_known(m->group, m->session->id, s->evse) : NULL;
	struct setting said = { .name = translated(s->name, keys_find(theirs, s->name), theirs, ours), .evse = p ? p->number : 0, .connector = s->connector };
	if (!said.name.p || (s->evse && !p))
		return NULL;
	for (size_t i = 0; i < q->n; i++) {
		const struct setting *asked = &q->asked[i].setting;
		if (asked->evse == said.evse && asked->connector == said.connector && slice_eq_nocase(asked->name, said.name))
			return &q->asked[i];
	}
	return q->all && q->n < NAMES_MOST ? add(q, &said) : NULL;
}

static void note_answer(struct put *p, enum ocpp_version v, struct frame *f)
{
	struct inquiry *q = p->inquiry;
	struct setting *s;
	size_t n;
	if (settings_read_answer(f, &q->mem, &s, &n) != 0) {
		if (p->one != SIZE_MAX)
			q->asked[p->one].refused++;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct merged *m = p->one != SIZE_MAX ? &q->asked[p->one] : find(q, p->member, v, &s[i]);
		if (m && !m->own)
			note(m, &s[i], p->member->session->id, q->sets);
	}
}

static void on_put(void *arg, struct call *c, int err, struct frame *f)
{
	struct put *p = arg;
	struct inquiry *q = p->inquiry;
	(void)c;
	if (!q->answered && !err && f)
		note_answer(p, f->version, f);
	else if (!q->answered && q->sets)
		for (size_t i = 0; i < q->n; i++)
			q->asked[i].refused += p->one == SIZE_MAX || p->one == i;
	mem_free(p);
	done_with_one(q);
}

static void send_put(struct inquiry *q, struct member *m, size_t one, const struct action *act, const struct buf *payload)
{
	char id[UUID_TEXT];
	struct buf text = { 0 };
	struct put *p = NEW(struct put);
	*p = (struct put){ q, m, one, act };
	frame_write_call(&text, slice_of(uuid_text(id)), act->name, buf_view(payload));
	struct ask ask = { .text = buf_view(&text), .id = slice_of(id), .act = act, .timeout_us = MEMBER_US, .done = on_put, .arg = p };
	q->waiting++;
	int err = calls_ask(&m->calls, &ask, NULL);
	if (err)
		on_put(p, NULL, err, NULL);
	buf_free(&text);
}

/* The setting as this member calls it; false: it is not for it, or has no name there. */
static bool for_member(struct inquiry *q, const struct member *m, const struct merged *a, struct setting *out)
{
	unsigned ours = names_of(q->group->version), theirs = names_of(m->link->version);
	int number = a->setting.evse;
	const struct place *p = number ? place_at(q->group, number) : NULL;
	if (a->own || a->setting.result == SETTING_NO_ATTRIBUTE || (number && (!p || strcmp(p->station, m->session->id) != 0)))
		return false;
	*out = a->setting;
	out->name = translated(a->setting.name, a->row, ours, theirs);
	out->evse = p ? p->evse : 0;
	return out->name.p != NULL;
}

static void set_at(struct inquiry *q, struct member *m)
{
	for (size_t i = 0; i < q->n; i++) {
		struct setting s;
		struct buf payload = { 0 };
		const struct action *act;
		bool meant = !q->asked[i].setting.evse || for_member(q, m, &q->asked[i], &s);
		if (for_member(q, m, &q->asked[i], &s) && settings_write_set(m->link->version, &s, 1, &payload, &act) == 0)
			send_put(q, m, i, act, &payload);
		else if (meant && !q->asked[i].own)
			q->asked[i].unknown++;
		buf_free(&payload);
	}
}

static size_t names_to_read(struct inquiry *q, const struct member *m, struct setting *out)
{
	unsigned theirs = names_of(m->link->version);
	size_t n = 0;
	for (size_t i = 0; i < q->n && !q->all; i++)
		if (for_member(q, m, &q->asked[i], &out[n]))
			n++;
	for (size_t row = 0; q->all && theirs == 1 && row < keys_count(); row++)
		if (keys_name(row, theirs) && keys_place(row) == PLACE_STATION && !keys_is_live(row) && n < SETTINGS_MOST)
			out[n++] = (struct setting){ .name = slice_of(keys_name(row, theirs)) };
	return n;
}

/* Who is asked for all says what it has where its version can be asked so, else what we know the names of. */
static void read_from(struct inquiry *q, struct member *m)
{
	struct buf payload = { 0 };
	const struct action *act;
	struct setting *s = arena_new(&q->mem, (q->n + keys_count() + 1) * sizeof(*s));
	size_t n = names_to_read(q, m, s);
	if ((n || q->all) && settings_write_get(m->link->version, s, n, &payload, &act) == 0)
		send_put(q, m, SIZE_MAX, act, &payload);
	buf_free(&payload);
}

static void put_to_all(struct inquiry *q)
{
	struct member *m;
	size_t at = 0;
	q->waiting = 1;
	while ((m = map_next(&q->group->members, &at, NULL))) {
		if (!member_is_here(m))
			continue;
		if (q->sets)
			set_at(q, m);
		else
			read_from(q, m);
	}
	if (q->waiting > 1)
		timer_set(&q->patience, PATIENCE_US, on_patience_over, q);
	done_with_one(q);
}

/* --- what is asked --- */

static void add_own(struct inquiry *q)
{
	unsigned names = names_of(q->group->version);
	for (size_t row = 0; row < keys_count(); row++)
		if (is_own((int)row) && keys_name(row, names))
			add(q, &(struct setting){ .name = slice_of(keys_name(row, names)) });
}

/* One report per number, of what everybody asks a report for. */
static void add_places(struct inquiry *q)
{
	LIST_WALK(&q->group->places, struct place, in_group, p) {
		struct setting state = { .name = slice_of(keys_name(KEY_CONNECTOR_STATE, 1)), .evse = p->number, .connector = 1,
			.value = slice_of(dialect_state_word(place_shown(p))) };
		struct merged *m = q->n < NAMES_MOST ? add(q, &state) : NULL;
		if (m)
			note(m, &state, p->station, false);
	}
}

static struct inquiry *inquiry_new(struct group *g, const struct frame *f, const struct event *e)
{
	struct inquiry *q = NEW(struct inquiry);
	q->group = g;
	q->id = mem_text(f->id);
	q->text = mem_text(f->raw);
	q->length = f->raw.n;
	q->sets = e->kind == CMD_SET_CONFIG;
	q->reports = e->kind == CMD_GET_REPORT;
	q->request_id = e->request_id;
	return q;
}

void group_config(struct group *g, struct frame *f, struct event *e)
{
	struct setting *s;
	size_t n = 0;
	struct inquiry *q = inquiry_new(g, f, e);
	if (!q->reports && settings_read(f, &q->mem, &s, &n) != 0) {
		group_refuse(g, f->id, "GenericError", "which settings are meant cannot be read");
		inquiry_free(q);
		return;
	}
	for (size_t i = 0; i < n; i++)
		add(q, &s[i])->setting.value = s[i].value.p ? arena_slice(&q->mem, s[i].value) : s[i].value;
	q->all = !n;
	if (q->all)
		add_own(q);
	if (q->reports) {
		add_places(q);
		q->chooses = strcmp(f->act->name, "GetReport") == 0;
		if (!q->chooses)
			group_answer_status(g, f->id, f->act, SLICE("Accepted"));
	}
	put_to_all(q);
}
