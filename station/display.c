/* Which of the messages stands at which EVSE: one that is always in front hides all others, those in front hide the normal ones, and equals
 * take turns (2.0.1 O01 to O06). A message for a transaction stands at that transaction's EVSE and goes with it; a message for a state
 * stands while the EVSE is in it. Behind the message stands what the charge costs so far, as the CSMS said last.
 *
 * A new message that is always in front takes the place of the one that is: there can only be one (O01.FR.12). */
#include "station/display.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ocpp/splice.h"
#include "station/commands.h"
#include "station/inside.h"

#define TURN_US (10 * US_PER_S)
#define LOOK_US (60 * US_PER_S)

enum priority { NORMAL_CYCLE, IN_FRONT, ALWAYS_FRONT };

struct message {
	struct list entry;
	cJSON *tree;
	struct notice n;          /* texts live with `tree` and behind the struct */
	enum priority priority;
};

static void drop(struct station *s, struct message *m)
{
	keep_number(s, "message", m->n.id, (struct slice){ 0 });
	list_remove(&m->entry);
	s->display.count--;
	cJSON_Delete(m->tree);
	mem_free(m);
}

static int priority_of(struct slice word)
{
	static const char *const words[] = { [NORMAL_CYCLE] = "NormalCycle", [IN_FRONT] = "InFront", [ALWAYS_FRONT] = "AlwaysFront" };
	for (int i = 0; i < 3; i++) {
		if (slice_is(word, words[i]))
			return i;
	}
	return -1;
}

/* What is shown */

static const char *state_of(const struct evse *e)
{
	if (e->con.in.fault)
		return "Faulted";
	if (e->con.inoperative)
		return "Unavailable";
	return e->tx ? "Charging" : "Idle";
}

static bool stands_at(const struct message *m, const struct evse *e, int64_t now_us)
{
	if ((m->n.from_us && now_us < m->n.from_us) || (m->n.to_us && now_us >= m->n.to_us))
		return false;
	if (m->n.tx.n && !(e->tx && slice_is(m->n.tx, e->tx->id)))
		return false;
	return !m->n.state.n || slice_is(m->n.state, state_of(e));
}

/* The message of this turn among the most important ones that stand here, how many those are in *count_out. */
static const struct message *message_at(const struct station *s, const struct evse *e, unsigned *count_out)
{
	const struct message *found[DISPLAY_MOST];
	unsigned n = 0;
	int best = -1;
	LIST_WALK(&s->display.messages, struct message, entry, m) {
		if (!stands_at(m, e, clock_wall_us()) || (int)m->priority < best)
			continue;
		if ((int)m->priority > best)
			n = 0;
		best = (int)m->priority;
		if (n < DISPLAY_MOST)
			found[n++] = m;
	}
	*count_out = n;
	return n ? found[s->display.turn % n] : NULL;
}

static void add_cost(const struct evse *e, struct buf *out)
{
	const char *otherwise = keys_text(&e->s->keys, KEY_COST_FALLBACK);
	if (isfinite(e->cost))
		buf_printf(out, "%s%.2f %s", out->n ? "\n" : "", e->cost, keys_text(&e->s->keys, KEY_CURRENCY));
	else if (e->charged && otherwise[0])
		buf_printf(out, "%s%s", out->n ? "\n" : "", otherwise);
}

static unsigned compose(const struct station *s, const struct evse *e, struct buf *out)
{
	unsigned n = 0;
	const struct message *m = keys_bool(&s->keys, KEY_DISPLAY) ? message_at(s, e, &n) : NULL;
	if (m)
		buf_slice(out, m->n.content);
	else if (e->tx && e->personal)
		buf_puts(out, e->personal);
	else if (!e->tx && !e->charged)
		buf_puts(out, keys_text(&s->keys, KEY_TARIFF_FALLBACK));
	add_cost(e, out);
	return n;
}

void display_text(const struct station *s, int evse, struct buf *out)
{
	compose(s, &s->evses[evse - 1], out);
}

static unsigned show(struct evse *e)
{
	struct buf text = { 0 };
	struct station *s = e->s;
	unsigned n = compose(s, e, &text);
	const char *now = text.p ? text.p : "";
	if (strcmp(now, e->shown ? e->shown : "") != 0) {
		mem_free(e->shown);
		e->shown = mem_strdup(now);
		log_info(&s->log, "EVSE %d shows: %s", e->con.evse, now);
		if (s->conf.host && s->conf.host->show)
			s->conf.host->show(s->conf.host_arg, e->con.evse, now);
	}
	buf_free(&text);
	return n;
}

static void on_turn(void *arg)
{
	struct station *s = arg;
	s->display.turn++;
	display_settle(s);
}

static void on_next(void *arg)
{
	display_settle(arg);
}

static void drop_old(struct station *s, int64_t now_us, int64_t *next_us)
{
	LIST_WALK(&s->display.messages, struct message, entry, m) {
		int64_t when = m->n.from_us > now_us ? m->n.from_us : m->n.to_us;
		if (m->n.to_us && now_us >= m->n.to_us)
			drop(s, m);
		else if (when > now_us && when < *next_us)
			*next_us = when;
	}
}

void display_settle(struct station *s)
{
	int64_t now_us = clock_wall_us(), next_us = INT64_MAX;
	unsigned most = 0;
	drop_old(s, now_us, &next_us);
	for (int i = 0; i < s->conf.n_evses; i++) {
		unsigned n = show(&s->evses[i]);
		most = n > most ? n : most;
	}
	timer_cancel(&s->display.next);
	if (next_us != INT64_MAX)
		timer_set(&s->display.next, next_us - now_us < LOOK_US ? next_us - now_us : LOOK_US, on_next, s);
	if (most < 2)
		timer_cancel(&s->display.turns);
	else if (!timer_is_set(&s->display.turns))
		timer_set(&s->display.turns, TURN_US, on_turn, s);
}

void display_tx_ended(struct station *s, struct slice tx)
{
	LIST_WALK(&s->display.messages, struct message, entry, m) {
		if (m->n.tx.n && slice_eq(m->n.tx, tx))
			drop(s, m);
	}
	display_settle(s);
}

/* SetDisplayMessage */

static struct evse *evse_with(struct station *s, struct slice tx)
{
	for (int i = 0; i < s->conf.n_evses; i++) {
		if (s->evses[i].tx && slice_is(tx, s->evses[i].tx->id))
			return &s->evses[i];
	}
	return NULL;
}

static bool is_state(struct slice word)
{
	return slice_is(word, "Charging") || slice_is(word, "Faulted") || slice_is(word, "Idle") || slice_is(word, "Unavailable");
}

static const char *status_of(struct station *s, const struct notice *n)
{
	if (!slice_is(n->format, "ASCII") && !slice_is(n->format, "UTF8"))
		return "NotSupportedMessageFormat";
	if (priority_of(n->priority) < 0)
		return "NotSupportedPriority";
	if (n->state.p && !is_state(n->state))
		return "NotSupportedState";
	if (n->tx.p && !evse_with(s, n->tx))
		return "UnknownTransaction";
	if (!keys_bool(&s->keys, KEY_DISPLAY) || (n->to_us && n->to_us <= clock_wall_us()))
		return "Rejected";
	return "Accepted";
}

static bool gives_way(const struct message *old, const struct notice *fresh)
{
	return old->n.id == fresh->id || (old->priority == ALWAYS_FRONT && priority_of(fresh->priority) == ALWAYS_FRONT);
}

static bool add(struct station *s, const struct notice *n)
{
	LIST_WALK(&s->display.messages, struct message, entry, old) {
		if (gives_way(old, n))
			drop(s, old);
	}
	if (s->display.count >= DISPLAY_MOST)
		return false;
	struct message *m = mem_new(sizeof(*m) + n->raw.n);
	memcpy(m + 1, n->raw.p, n->raw.n);
	struct slice raw = { (char *)(m + 1), n->raw.n };
	m->tree = json_parse(raw);
	if (notice_read_raw(m->tree, raw, &m->n) != 0) {
		cJSON_Delete(m->tree);
		mem_free(m);
		return false;
	}
	m->priority = (enum priority)priority_of(m->n.priority);
	list_append(&s->display.messages, &m->entry);
	s->display.count++;
	return true;
}

static void after_change(struct station *s, struct request *q)
{
	(void)q;
	display_settle(s);
}

void display_set(struct station *s, struct request *q)
{
	struct notice n;
	const char *status = notice_read(q->f, &n) == 0 ? status_of(s, &n) : "Rejected";
	if (strcmp(status, "Accepted") == 0 && !add(s, &n))
		status = "Rejected";
	if (strcmp(status, "Accepted") == 0)
		keep_number(s, "message", n.id, n.raw);
	q->after = after_change;
	answer(q, status);
}

void display_recall(struct station *s, struct slice raw)
{
	cJSON *tree = json_parse(raw);
	struct notice n;
	if (notice_read_raw(tree, raw, &n) == 0 && !n.tx.n) /* what stood for a transaction went with it */
		add(s, &n);
	cJSON_Delete(tree);
}

/* GetDisplayMessages, ClearDisplayMessage */

struct found {
	size_t n;
	struct slice raw[DISPLAY_MOST];
};

static void after_get(struct station *s, struct request *q)
{
	const struct found *f = q->what;
	struct buf payload = { 0 };
	const struct action *act;
	int err = notice_write_report(s->conf.version, q->number, false, f->raw, f->n, &payload, &act);
	if (!err)
		err = wire_ask_text(&s->wire, act, buf_view(&payload), NULL, NULL, NULL);
	if (err)
		log_warn(&s->log, "display messages were not reported: %s", err_text(err));
	buf_free(&payload);
}

void display_get(struct station *s, struct request *q)
{
	struct notice_filter filter;
	struct found *f = arena_new(&q->mem, sizeof(*f));
	notice_filter_read(q->f, &filter);
	LIST_WALK(&s->display.messages, struct message, entry, m) {
		if (notice_filter_fits(&filter, m->n.id, m->n.priority, m->n.state))
			f->raw[f->n++] = m->n.raw;
	}
	q->number = filter.request_id;
	q->what = f;
	q->after = f->n ? after_get : NULL;
	answer(q, f->n ? "Accepted" : "Unknown");
}

void display_clear(struct station *s, struct request *q)
{
	int64_t id = json_int(frame_tree(q->f), "id", -1);
	bool found = false;
	LIST_WALK(&s->display.messages, struct message, entry, m) {
		if (m->n.id != id)
			continue;
		drop(s, m);
		found = true;
	}
	q->after = after_change;
	answer(q, found ? "Accepted" : "Unknown");
}

/* CostUpdated: the answer has nothing to say, even where the transaction is not ours (2.0.1 I02). */
void display_cost(struct station *s, struct request *q)
{
	struct cost cost;
	cost_read(q->f, &cost);
	struct evse *e = evse_with(s, cost.tx);
	if (e)
		e->cost = cost.total;
	q->after = after_change;
	buf_puts(&q->payload, "{}");
}

/* Life */

void display_open(struct station *s)
{
	list_init(&s->display.messages);
}

void display_close(struct station *s)
{
	timer_cancel(&s->display.next);
	timer_cancel(&s->display.turns);
	LIST_WALK(&s->display.messages, struct message, entry, m) {
		list_remove(&m->entry);
		cJSON_Delete(m->tree);
		mem_free(m);
	}
}
