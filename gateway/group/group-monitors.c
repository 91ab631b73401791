/* Monitors of variables (2.x, block N). Every station numbers its own, so the group gives each monitor that the CSMS sets one number, knows what each
 * station calls it, and tells events and reports under it. Names in the kept store, owner: the group's identity:
 *   monitor/NUMBER/STATION   the station's own number of it
 *   wish/monitor/NUMBER      the entry of SetVariableMonitoring, for stations that come later
 *
 * A monitor without an EVSE is set at every station that is here and holds only when all took it: where one did not, it is taken back from the others.
 * One that came with a station gets a number when it is first heard of.
 *
 * Easy to get wrong: an answer shows what was asked, in its order, whatever came back when. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/group/group-local.h"
#include "ocpp/convert.h"
#include "ocpp/monitors.h"
#include "ocpp/splice.h"
#include "storage/kept.h"

#define PATIENCE_US (20 * US_PER_S)
#define MEMBER_US (65 * US_PER_S)
#define MONITORS_MOST 2000 /* numbers of stations that are known */
#define ENTRIES_MOST 50    /* in one CALL */

/* A monitor as its station numbers it. */
struct numbered {
	struct list in_group;
	int64_t number, theirs;
	char *station;
};

struct entry {
	struct slice text;           /* as asked; a window into the vigil's text */
	struct place *place;         /* that it is about; NULL: the whole */
	int64_t number;              /* in the group; -1: none yet */
	unsigned asked, took;
	char status[32];             /* the worst so far; "" */
};

struct vigil {
	struct group *group;
	char *id, *text;
	size_t length;
	const struct action *act;
	struct entry entries[ENTRIES_MOST];
	size_t n;
	bool clears;                 /* entries are numbers to clear */
	unsigned waiting;
	bool answered;
	struct timer patience;
};

/* One CALL to one member. */
struct put {
	struct vigil *vigil;         /* NULL: nobody waits */
	struct member *member;
	size_t one;
	int64_t number;
	bool clears;
};

/* --- numbers --- */

static void kept_name(const struct numbered *n, char out[96])
{
	snprintf(out, 96, "monitor/%lld/%s", (long long)n->number, n->station);
}

static void keep(struct group *g, const struct numbered *n)
{
	char name[96], theirs[24];
	kept_name(n, name);
	snprintf(theirs, sizeof(theirs), "%lld", (long long)n->theirs);
	int err = kept_put(g->gw->store, g->face->id, name, slice_of(theirs), NULL, NULL);
	if (err)
		log_error(&g->log, "%s could not be kept: %s", name, err_text(err));
}

static struct numbered *add(struct group *g, int64_t number, const char *station, int64_t theirs)
{
	struct numbered *n = NEW(struct numbered);
	*n = (struct numbered){ .number = number, .theirs = theirs, .station = mem_strdup(station) };
	list_append(&g->monitors, &n->in_group);
	g->n_monitors++;
	if (number >= g->next_monitor)
		g->next_monitor = number + 1;
	return n;
}

static void drop(struct group *g, struct numbered *n)
{
	list_remove(&n->in_group);
	g->n_monitors--;
	mem_free(n->station);
	mem_free(n);
}

static void forget(struct group *g, struct numbered *n)
{
	char name[96];
	kept_name(n, name);
	int err = kept_remove(g->gw->store, g->face->id, name, NULL, NULL);
	if (err)
		log_error(&g->log, "%s could not be removed: %s", name, err_text(err));
	drop(g, n);
}

static struct numbered *find(const struct group *g, int64_t number, const char *station)
{
	LIST_WALK(&g->monitors, struct numbered, in_group, n)
		if (n->number == number && (!station || strcmp(n->station, station) == 0))
			return n;
	return NULL;
}

static struct numbered *find_theirs(const struct group *g, const char *station, int64_t theirs)
{
	LIST_WALK(&g->monitors, struct numbered, in_group, n)
		if (n->theirs == theirs && strcmp(n->station, station) == 0)
			return n;
	return NULL;
}

static void learn(struct group *g, int64_t number, const char *station, int64_t theirs)
{
	struct numbered *n = find(g, number, station), *old = find_theirs(g, station, theirs);
	if (old && old != n)
		forget(g, old); /* the station has given that number anew */
	if (!n)
		n = add(g, number, station, theirs);
	n->theirs = theirs;
	keep(g, n);
}

static bool see_kept(void *arg, const char *name, struct slice value)
{
	struct group *g = arg;
	int64_t theirs;
	char *end;
	long long number = strtoll(name + strlen("monitor/"), &end, 10);
	if (*end == '/' && int_parse(value, &theirs) == 0)
		add(g, number, end + 1, theirs);
	return true;
}

void group_monitors_open(struct group *g)
{
	list_init(&g->monitors);
	g->next_monitor = 1;
	if (kept_each(g->gw->store, g->face->id, "monitor/", see_kept, g) != 0)
		log_error(&g->log, "the numbers of monitors cannot be read");
}

void group_monitors_close(struct group *g)
{
	LIST_WALK(&g->monitors, struct numbered, in_group, n)
		drop(g, n);
}

static int number_for(void *arg, int theirs)
{
	struct member *m = arg;
	struct group *g = m->group;
	struct numbered *n = find_theirs(g, m->session->id, theirs);
	if (!n && g->n_monitors >= MONITORS_MOST)
		return theirs;
	if (!n) {
		n = add(g, g->next_monitor, m->session->id, theirs);
		keep(g, n);
	}
	return (int)n->number;
}

void group_monitor_numbers(struct member *m, struct buf *text, const char *list, const char *path)
{
	if (convert_numbers(text, list, path, number_for, m) != 0)
		log_debug(&m->session->log, "a monitor has no number");
}

/* --- the answer --- */

static void vigil_free(struct vigil *w)
{
	timer_cancel(&w->patience);
	mem_free(w->id);
	mem_free(w->text);
	mem_free(w);
}

static void copy(struct json_writer *w, struct slice from, const char *name)
{
	struct slice value = splice_find(from, name);
	if (value.n)
		jw_raw(w, name, value);
}

static void write_result(struct json_writer *w, const struct vigil *q, const struct entry *e)
{
	bool yes = strcmp(e->status, "Accepted") == 0;
	jw_object(w, NULL);
	if (q->clears || (yes && e->number >= 0))
		jw_int(w, "id", e->number);
	jw_string(w, "status", e->status[0] ? e->status : q->clears ? "NotFound" : "Rejected");
	for (size_t i = 0; i < 4 && !q->clears; i++)
		copy(w, e->text, (const char *const[]){ "type", "severity", "component", "variable" }[i]);
	jw_end(w, '}');
}

static void answer(struct vigil *q)
{
	struct buf payload = { 0 };
	struct json_writer w;
	q->answered = true;
	timer_cancel(&q->patience);
	jw_open(&w, &payload);
	jw_object(&w, NULL);
	jw_array(&w, q->clears ? "clearMonitoringResult" : "setMonitoringResult");
	for (size_t i = 0; i < q->n; i++)
		write_result(&w, q, &q->entries[i]);
	jw_end(&w, ']');
	jw_end(&w, '}');
	group_answer(q->group, slice_of(q->id), buf_view(&payload));
	buf_free(&payload);
}

/* --- asking --- */

static void note_worst(struct entry *e, struct slice word)
{
	static const char *const words[] = { "", "NotFound", "Accepted", "Duplicate", "UnknownComponent", "UnknownVariable", "UnsupportedMonitorType", "Rejected" };
	size_t now = 0, then = 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		now = slice_is(word, words[i]) ? i : now;
		then = strcmp(e->status, words[i]) == 0 ? i : then;
	}
	if (now > then)
		snprintf(e->status, sizeof(e->status), "%s", words[now]);
}

static void on_put(void *arg, struct call *c, int err, struct frame *f);

static int send_put(const struct put *p, const char *action, const struct buf *payload)
{
	char id[UUID_TEXT];
	struct buf text = { 0 };
	const struct action *act = catalogue_find(p->member->link->version, slice_of(action));
	struct put *own = NEW(struct put);
	*own = *p;
	frame_write_call(&text, slice_of(uuid_text(id)), action, buf_view(payload));
	struct ask ask = { .text = buf_view(&text), .id = slice_of(id), .act = act, .timeout_us = MEMBER_US, .done = on_put, .arg = own };
	int err = act ? calls_ask(&p->member->calls, &ask, NULL) : ERR_UNSUPPORTED;
	if (err)
		mem_free(own);
	buf_free(&text);
	return err;
}

static int send_clear(const struct put *p, int64_t theirs)
{
	struct buf payload = { 0 };
	buf_printf(&payload, "{\"id\":[%lld]}", (long long)theirs);
	int err = send_put(p, "ClearVariableMonitoring", &payload);
	buf_free(&payload);
	return err;
}

static void write_place(struct json_writer *w, struct slice entry, const struct place *p)
{
	char digits[16];
	struct buf component = { 0 };
	struct slice whole = splice_find(entry, "component");
	if (!p) {
		jw_raw(w, "component", whole);
		return;
	}
	snprintf(digits, sizeof(digits), "%d", p->evse);
	splice_write(&component, whole, splice_find(whole, "evse.id"), slice_of(digits));
	jw_raw(w, "component", buf_view(&component));
	buf_free(&component);
}

/* The entry as this member has it. */
static int send_set(const struct put *p, struct slice entry, const struct place *place)
{
	struct buf payload = { 0 };
	struct json_writer w;
	const struct numbered *known = find(p->member->group, p->number, p->member->session->id);
	jw_open(&w, &payload);
	jw_object(&w, NULL);
	jw_array(&w, "setMonitoringData");
	jw_object(&w, NULL);
	if (known)
		jw_int(&w, "id", known->theirs);
	for (size_t i = 0; i < 5; i++)
		copy(&w, entry, (const char *const[]){ "transaction", "value", "type", "severity", "variable" }[i]);
	write_place(&w, entry, place);
	jw_end(&w, '}');
	jw_end(&w, ']');
	jw_end(&w, '}');
	int err = send_put(p, "SetVariableMonitoring", &payload);
	buf_free(&payload);
	return err;
}

/* --- wishes --- */

static void wish_name(int64_t number, char out[40])
{
	snprintf(out, 40, "monitor/%lld", (long long)number);
}

static void wish(struct group *g, const struct entry *e)
{
	char name[40];
	wish_name(e->number, name);
	wish_put(g, name, e->text);
}

static void unwish(struct group *g, int64_t number)
{
	char name[40];
	wish_name(number, name);
	wish_remove(g, name);
}

/* The station that an entry is about; NULL: all. */
static struct place *place_in(struct group *g, struct slice entry, bool *known_out)
{
	int64_t evse = 0;
	struct slice at = splice_find(entry, "component.evse.id");
	*known_out = true;
	if (!at.n || int_parse(at, &evse) != 0 || evse < 1)
		return NULL;
	struct place *p = place_at(g, (int)evse);
	*known_out = p != NULL;
	return p;
}

static bool tell_monitor(void *arg, const char *name, struct slice value)
{
	struct member *m = arg;
	bool known;
	int64_t number = strtoll(name + strlen("wish/monitor/"), NULL, 10);
	const struct place *p = place_in(m->group, value, &known);
	if (find(m->group, number, m->session->id) || !known || (p && strcmp(p->station, m->session->id) != 0))
		return true;
	if (send_set(&(struct put){ .member = m, .number = number }, value, p) != 0)
		log_debug(&m->session->log, "it has no monitors");
	return true;
}

void group_monitors_tell(struct member *m)
{
	if (m->link && kept_each(m->group->gw->store, m->group->face->id, "wish/monitor/", tell_monitor, m) != 0)
		log_error(&m->group->log, "the monitors that %s missed cannot be read", m->session->id);
}

/* --- what comes of it --- */

static void take_back(struct group *g, int64_t number)
{
	LIST_WALK(&g->monitors, struct numbered, in_group, n) {
		struct member *m = n->number == number ? group_member(g, n->station) : NULL;
		if (m && member_is_here(m) && send_clear(&(struct put){ .member = m, .number = number, .clears = true }, n->theirs) != 0)
			log_warn(&g->log, "a monitor could not be taken back from %s", n->station);
	}
}

static void conclude(struct vigil *q, struct entry *e)
{
	bool yes = strcmp(e->status, "Accepted") == 0;
	if (q->clears && (yes || strcmp(e->status, "NotFound") == 0))
		unwish(q->group, e->number);
	else if (!q->clears && yes)
		wish(q->group, e);
	else if (!q->clears && e->took)
		take_back(q->group, e->number);
}

static void done_with_one(struct vigil *q)
{
	if (--q->waiting)
		return;
	for (size_t i = 0; i < q->n && !q->answered; i++)
		conclude(q, &q->entries[i]);
	if (!q->answered)
		answer(q);
	vigil_free(q);
}

static void on_patience_over(void *arg)
{
	struct vigil *q = arg;
	log_warn(&q->group->log, "%u stations have not answered %s in time", q->waiting, q->act->name);
	for (size_t i = 0; i < q->n; i++) {
		if (q->entries[i].asked)
			note_worst(&q->entries[i], SLICE("Rejected"));
		conclude(q, &q->entries[i]);
	}
	answer(q);
}

static struct slice status_of(struct frame *f, bool clears)
{
	return f && f->kind == FRAME_RESULT ? json_text(frame_tree(f), clears ? "clearMonitoringResult.0.status" : "setMonitoringResult.0.status") : (struct slice){ NULL, 0 };
}

static void on_set(const struct put *p, struct slice status, struct frame *f)
{
	int64_t theirs = slice_is(status, "Accepted") ? json_int(frame_tree(f), "setMonitoringResult.0.id", -1) : -1;
	struct vigil *q = p->vigil;
	if (theirs >= 0)
		learn(p->member->group, p->number, p->member->session->id, theirs);
	if (theirs >= 0 && q && q->answered && strcmp(q->entries[p->one].status, "Accepted") != 0)
		take_back(p->member->group, p->number); /* too late: the CSMS has heard no */
	if (q && theirs >= 0)
		q->entries[p->one].took++;
}

static void on_put(void *arg, struct call *c, int err, struct frame *f)
{
	struct put *p = arg;
	struct vigil *q = p->vigil;
	struct slice status = err ? (struct slice){ NULL, 0 } : status_of(f, p->clears);
	struct numbered *n = find(p->member->group, p->number, p->member->session->id);
	(void)c;
	if (!p->clears)
		on_set(p, status, f);
	else if (n && (slice_is(status, "Accepted") || slice_is(status, "NotFound")))
		forget(p->member->group, n);
	if (q && !q->answered)
		note_worst(&q->entries[p->one], status.p ? status : SLICE("Rejected"));
	mem_free(p);
	if (q)
		done_with_one(q);
}

/* --- the CSMS's CALLs --- */

static struct vigil *vigil_new(struct group *g, const struct frame *f, bool clears)
{
	struct vigil *q = NEW(struct vigil);
	*q = (struct vigil){ .group = g, .id = mem_text(f->id), .text = mem_text(f->payload), .length = f->payload.n, .act = f->act, .clears = clears, .waiting = 1 };
	return q;
}

static void set_at(struct vigil *q, size_t i, struct member *m)
{
	struct entry *e = &q->entries[i];
	q->waiting++;
	e->asked++;
	if (send_set(&(struct put){ .vigil = q, .member = m, .one = i, .number = e->number }, e->text, e->place) == 0)
		return;
	q->waiting--;
	e->asked--; /* it has no monitors, as all of 1.6 */
}

/* A number that the CSMS names has to be one of ours; else the group gives one. */
static bool number_it(struct group *g, struct entry *e)
{
	struct slice id = splice_find(e->text, "id");
	e->number = g->next_monitor;
	if (!id.n)
		g->next_monitor++;
	return !id.n || (int_parse(id, &e->number) == 0 && find(g, e->number, NULL));
}

static void set_one(struct vigil *q, size_t i)
{
	struct entry *e = &q->entries[i];
	bool known;
	size_t at = 0;
	struct member *m;
	e->place = place_in(q->group, e->text, &known);
	if (!known)
		note_worst(e, SLICE("UnknownComponent"));
	if (!known || !number_it(q->group, e) || q->group->n_monitors >= MONITORS_MOST) {
		note_worst(e, known ? SLICE("Rejected") : SLICE("UnknownComponent"));
		return;
	}
	while ((m = map_next(&q->group->members, &at, NULL)))
		if (member_is_here(m) && (!e->place || strcmp(e->place->station, m->session->id) == 0))
			set_at(q, i, m);
}

void group_set_monitors(struct group *g, struct frame *f, struct event *e)
{
	struct vigil *q = vigil_new(g, f, false);
	char path[40];
	(void)e;
	for (; q->n < ENTRIES_MOST; q->n++) {
		snprintf(path, sizeof(path), "setMonitoringData.%zu", q->n);
		q->entries[q->n].text = splice_find((struct slice){ q->text, q->length }, path);
		if (!q->entries[q->n].text.n)
			break;
	}
	timer_set(&q->patience, PATIENCE_US, on_patience_over, q);
	for (size_t i = 0; i < q->n; i++)
		set_one(q, i);
	done_with_one(q);
}

/* Who has it and is away keeps it, so that the CSMS cannot be told that it is gone. */
static void clear_one(struct vigil *q, size_t i)
{
	struct entry *e = &q->entries[i];
	LIST_WALK(&q->group->monitors, struct numbered, in_group, n) {
		struct member *m = n->number == e->number ? group_member(q->group, n->station) : NULL;
		if (n->number != e->number)
			continue;
		q->waiting++;
		e->asked++;
		if (m && member_is_here(m) && send_clear(&(struct put){ .vigil = q, .member = m, .one = i, .number = e->number, .clears = true }, n->theirs) == 0)
			continue;
		q->waiting--;
		note_worst(e, SLICE("Rejected"));
	}
}

void group_clear_monitors(struct group *g, struct frame *f, struct event *e)
{
	struct vigil *q = vigil_new(g, f, true);
	(void)e;
	while (q->n < ENTRIES_MOST && monitors_read_clear(f, q->n, &q->entries[q->n].number) == 0)
		q->n++;
	timer_set(&q->patience, PATIENCE_US, on_patience_over, q);
	for (size_t i = 0; i < q->n; i++)
		clear_one(q, i);
	done_with_one(q);
}
