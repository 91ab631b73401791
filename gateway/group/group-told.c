/* Questions that stations answer with messages of their own: display messages, customer information, reports of monitors. One question of the CSMS
 * is one at every station that is here, and what they tell goes up as one account, its parts counted by the group.
 *
 *   asked -> all have answered, or time is up: one answer -> parts go up as they come, the last that is here always held back
 *         -> the last station is through, or says no more: the part held back goes up as the last one
 *
 * Easy to get wrong: which part is the last is known only when the next station has none, so one is held back; and a station may begin to tell before
 * the others have answered, while the CSMS wants the answer first. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/group/group-local.h"
#include "ocpp/convert.h"
#include "ocpp/dictionary.h"
#include "ocpp/splice.h"
#include "ocpp/validate.h"

#define PATIENCE_US (20 * US_PER_S) /* for the answers */
#define PAUSE_US (60 * US_PER_S)    /* between two parts */
#define GATHERS_MOST 16
#define PARTS_MOST 400              /* held until the answer is given */

struct question {
	const char *asks, *tells;
	const char *list;   /* of what is told; NULL: a text */
	const char *place;  /* of the EVSE in an entry */
	bool counted;       /* parts say their number and when they were made */
	const char *none;   /* the part that says that there is nothing; NULL: nothing is said then */
};

static const struct question questions[] = {
	{ "GetDisplayMessages", "NotifyDisplayMessages", "messageInfo", "display.evse.id", false, NULL },
	{ "CustomerInformation", "NotifyCustomerInformation", NULL, NULL, true, "\"data\":\"\"" },
	{ "GetMonitoringReport", "NotifyMonitoringReport", "monitor", "component.evse.id", true, NULL },
};

struct gather {
	struct list in_group;
	struct group *group;
	const struct question *question;
	char *id;                  /* of the CSMS's CALL; NULL: answered */
	const struct action *act;
	int64_t request_id, seq;
	unsigned unanswered;
	bool any;                  /* some station has said yes */
	char word[40];             /* what those say who have not; "" */
	struct list tellers, parts;
	size_t n_parts;
	int64_t *seen;             /* ids of display messages that were told */
	size_t n_seen;
	struct timer patience;
};

struct teller {
	struct list in_gather;
	struct gather *gather;
	struct member *member;
	const struct action *act;
	bool waits, tells;         /* its answer is not here; it has more to tell */
};

struct part {
	struct list in_gather;
	char *body;                /* "messageInfo":[...] */
};

/* --- sending --- */

static bool is_valid(const struct group *g, const char *action, const struct buf *payload)
{
	struct verdict v;
	const struct shape *shape = dictionary_shape(g->version, action, false);
	return shape && validate(shape, buf_view(payload), g->version, &v) == 0;
}

static void send_part(struct gather *t, const char *body, bool more)
{
	struct buf payload = { 0 };
	char now[TIME_TEXT];
	buf_printf(&payload, "{\"requestId\":%lld,\"tbc\":%s", (long long)t->request_id, more ? "true" : "false");
	if (t->question->counted)
		buf_printf(&payload, ",\"seqNo\":%lld,\"generatedAt\":\"%s\"", (long long)t->seq++, time_text(clock_wall_us(), now));
	if (body)
		buf_printf(&payload, ",%s", body);
	buf_puts(&payload, "}");
	if (is_valid(t->group, t->question->tells, &payload))
		group_ask(t->group, catalogue_find(t->group->version, slice_of(t->question->tells)), buf_view(&payload), NULL, NULL);
	else
		log_warn(&t->group->log, "what a station told with %s is not valid and was left out", t->question->tells);
	buf_free(&payload);
}

static void drop_part(struct gather *t, struct part *p)
{
	list_remove(&p->in_gather);
	t->n_parts--;
	mem_free(p->body);
	mem_free(p);
}

static void send_all_but(struct gather *t, size_t kept, bool more)
{
	while (t->n_parts > kept) {
		struct part *p = LIST_ITEM(t->parts.next, struct part, in_gather);
		send_part(t, p->body, more || t->n_parts > 1);
		drop_part(t, p);
	}
}

static void gather_free(struct gather *t)
{
	timer_cancel(&t->patience);
	LIST_WALK(&t->tellers, struct teller, in_gather, w) {
		list_remove(&w->in_gather);
		if (w->waits)
			w->gather = NULL; /* its call still ends */
		else
			mem_free(w);
	}
	LIST_WALK(&t->parts, struct part, in_gather, p)
		drop_part(t, p);
	list_remove(&t->in_group);
	t->group->n_gathers--;
	mem_free(t->seen);
	mem_free(t->id);
	mem_free(t);
}

static bool all_are_through(const struct gather *t)
{
	LIST_WALK(&t->tellers, struct teller, in_gather, w)
		if (w->waits || w->tells)
			return false;
	return true;
}

static void finish(struct gather *t)
{
	if (!t->n_parts && t->any && !t->seq && t->question->counted)
		send_part(t, t->question->none, false);
	send_all_but(t, 0, false);
	gather_free(t);
}

/* --- the answer --- */

static void on_pause_over(void *arg)
{
	struct gather *t = arg;
	log_warn(&t->group->log, "not every station has told all that %s asked for", t->question->asks);
	finish(t);
}

static void go_on(struct gather *t)
{
	if (t->id)
		return;
	if (all_are_through(t)) {
		finish(t);
		return;
	}
	send_all_but(t, 1, true);
	timer_set(&t->patience, PAUSE_US, on_pause_over, t);
}

static void answer(struct gather *t)
{
	timer_cancel(&t->patience);
	group_answer_status(t->group, slice_of(t->id), t->act, t->any ? SLICE("Accepted") : slice_of(t->word[0] ? t->word : NULL));
	mem_free(t->id);
	t->id = NULL;
	go_on(t);
}

static void on_patience_over(void *arg)
{
	struct gather *t = arg;
	log_warn(&t->group->log, "%u stations have not answered %s in time", t->unanswered, t->act->name);
	LIST_WALK(&t->tellers, struct teller, in_gather, w) {
		if (!w->waits)
			continue;
		list_remove(&w->in_gather);
		w->gather = NULL;
	}
	answer(t);
}

static void note_answer(struct teller *w, int err, struct frame *f)
{
	struct gather *t = w->gather;
	struct arena mem = { 0 };
	struct reply r;
	if (!err && f && codec_read_answer(w->act, f, &mem, &r) == 0 && r.status.p) {
		w->tells = slice_is(r.status, "Accepted");
		t->any |= w->tells;
		if (!w->tells)
			snprintf(t->word, sizeof(t->word), "%.*s", SLICE_ARG(r.status));
	}
	arena_free(&mem);
}

static void on_asked(void *arg, struct call *c, int err, struct frame *f)
{
	struct teller *w = arg;
	struct gather *t = w->gather;
	(void)c;
	w->waits = false;
	if (!t) {
		mem_free(w);
		return;
	}
	note_answer(w, err, f);
	if (--t->unanswered)
		go_on(t);
	else
		answer(t);
}

static void put(struct gather *t, struct member *m, struct frame *f, const struct event *e)
{
	struct teller *w = NEW(struct teller);
	*w = (struct teller){ .gather = t, .member = m, .waits = true };
	list_append(&t->tellers, &w->in_gather);
	t->unanswered++;
	if (member_ask(m, f, e, &w->act, on_asked, w) == 0)
		return;
	t->unanswered--;
	list_remove(&w->in_gather);
	mem_free(w);
}

static const struct question *question_of(const char *action, bool told)
{
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		if (strcmp(told ? questions[i].tells : questions[i].asks, action) == 0)
			return &questions[i];
	return NULL;
}

/* The same question under the same number again means the new one. */
static void forget_same(struct group *g, const struct question *q, int64_t request_id)
{
	LIST_WALK(&g->gathers, struct gather, in_group, t)
		if (t->question == q && t->request_id == request_id && !t->id)
			gather_free(t);
}

void group_question(struct group *g, struct frame *f, struct event *e)
{
	const struct question *q = question_of(f->act->name, false);
	int64_t request_id = json_int(frame_tree(f), "requestId", 0);
	struct member *m;
	size_t at = 0;
	forget_same(g, q, request_id);
	if (g->n_gathers >= GATHERS_MOST) {
		group_answer_status(g, f->id, f->act, (struct slice){ NULL, 0 });
		return;
	}
	struct gather *t = NEW(struct gather);
	*t = (struct gather){ .group = g, .question = q, .id = mem_text(f->id), .act = f->act, .request_id = request_id };
	list_init(&t->tellers);
	list_init(&t->parts);
	list_append(&g->gathers, &t->in_group);
	g->n_gathers++;
	t->unanswered = 1;
	while ((m = map_next(&g->members, &at, NULL)))
		if (member_is_here(m))
			put(t, m, f, e);
	if (--t->unanswered)
		timer_set(&t->patience, PATIENCE_US, on_patience_over, t);
	else
		answer(t);
}

/* --- what they tell --- */

static bool was_seen(struct gather *t, int64_t id)
{
	for (size_t i = 0; i < t->n_seen; i++)
		if (t->seen[i] == id)
			return true;
	t->seen = mem_grow(t->seen, (t->n_seen + 1) * sizeof(*t->seen));
	t->seen[t->n_seen++] = id;
	return false;
}

/* A message that was set at all of them is one to the CSMS. */
static bool is_news(struct gather *t, const struct buf *entry)
{
	int64_t id;
	return strcmp(t->question->list, "messageInfo") != 0 || int_parse(splice_find(buf_view(entry), "id"), &id) != 0 || !was_seen(t, id);
}

static void with_own_number(struct gather *t, struct member *m, struct buf *entry)
{
	int64_t evse;
	char digits[16];
	struct buf changed = { 0 };
	struct slice at = splice_find(buf_view(entry), t->question->place);
	if (int_parse(at, &evse) != 0 || evse < 1)
		return;
	const struct place *p = place_of(m->group, m->session->id, (int)evse);
	snprintf(digits, sizeof(digits), "%d", p ? p->number : 0);
	splice_write(&changed, buf_view(entry), at, slice_of(digits));
	buf_free(entry);
	*entry = changed;
}

static void with_own_tx(struct member *m, struct buf *entry)
{
	struct buf changed = { 0 }, quoted = { 0 };
	struct slice at = splice_find(buf_view(entry), "transactionId");
	const struct named *n = at.n > 2 ? named_of(m->group, m->session->id, (struct slice){ at.p + 1, at.n - 2 }) : NULL;
	if (!n || !n->up_tx)
		return;
	json_quote(&quoted, slice_of(n->up_tx));
	splice_write(&changed, buf_view(entry), at, buf_view(&quoted));
	buf_free(&quoted);
	buf_free(entry);
	*entry = changed;
}

/* The entries of its list as the group tells them; how many there are. */
static size_t retell(struct gather *t, struct member *m, const struct frame *f, struct buf *list)
{
	size_t n = 0;
	char path[40];
	for (unsigned i = 0;; i++) {
		struct buf entry = { 0 };
		snprintf(path, sizeof(path), "%s.%u", t->question->list, i);
		struct slice one = splice_find(f->payload, path);
		if (!one.n)
			return n;
		buf_slice(&entry, one);
		with_own_number(t, m, &entry);
		with_own_tx(m, &entry);
		group_monitor_numbers(m, &entry, "variableMonitoring", "id");
		if (is_news(t, &entry)) {
			buf_puts(list, n++ ? "," : "");
			buf_slice(list, buf_view(&entry));
		}
		buf_free(&entry);
	}
}

static void add_part(struct gather *t, struct member *m, const struct frame *f)
{
	struct buf body = { 0 }, list = { 0 };
	struct slice data = splice_find(f->payload, "data");
	bool some = t->question->list ? retell(t, m, f, &list) > 0 : data.n > 0;
	if (some && t->n_parts < PARTS_MOST) {
		struct part *p = NEW(struct part);
		if (t->question->list)
			buf_printf(&body, "\"%s\":[%.*s]", t->question->list, SLICE_ARG(buf_view(&list)));
		else
			buf_printf(&body, "\"data\":%.*s", SLICE_ARG(data));
		p->body = mem_text(buf_view(&body));
		list_append(&t->parts, &p->in_gather);
		t->n_parts++;
	}
	buf_free(&body);
	buf_free(&list);
}

static struct teller *teller_of(struct member *m, const struct question *q, int64_t request_id)
{
	LIST_WALK(&m->group->gathers, struct gather, in_group, t)
		LIST_WALK(&t->tellers, struct teller, in_gather, w)
			if (t->question == q && t->request_id == request_id && w->member == m && w->tells)
				return w;
	return NULL;
}

bool group_told(struct member *m, struct frame *f)
{
	const struct question *q = question_of(f->act->name, true);
	if (!q)
		return false;
	struct teller *w = teller_of(m, q, json_int(frame_tree(f), "requestId", 0));
	group_member_answer(m, f->id, SLICE("{}"));
	if (!w)
		return true; /* nobody waits for it any more */
	w->tells = json_bool(frame_tree(f), "tbc", false);
	add_part(w->gather, m, f);
	go_on(w->gather);
	return true;
}

/* The calls of its members have ended. */
void told_close(struct group *g)
{
	LIST_WALK(&g->gathers, struct gather, in_group, t)
		gather_free(t);
}
