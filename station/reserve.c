/* Reservations: of one EVSE, or of whichever is free when the token comes. There are as many places for them as EVSEs.
 *
 * Easy to get wrong: promises of any EVSE show at no connector until there are as many of them as free EVSEs; then all of those are shown as
 * reserved, since whoever else came would break one (2.0.1 H01.FR.20, FR.24; 1.6 specification 5.13). A promise ends when its token comes,
 * not when its transaction begins (H03.FR.09), and the transaction then names it. */
#include <string.h>

#include "base/clock.h"
#include "station/inside.h"

static void drop(struct reservation *r)
{
	timer_cancel(&r->end);
	r->id = -1;
	keep_reservation(r);
}

static void tell(struct station *s, int64_t id, const char *status)
{
	struct event ev;
	event_init(&ev, EV_RESERVATION);
	ev.reservation = id;
	ev.word = slice_of(status);
	if (station_talks(s))
		wire_tell(&s->wire, &ev);
}

static struct reservation *find(struct station *s, int64_t id)
{
	for (int i = 0; i < s->conf.n_evses; i++) {
		if (s->reservations[i].id == id)
			return &s->reservations[i];
	}
	return NULL;
}

static const struct reservation *of_evse(const struct station *s, int evse)
{
	for (int i = 0; i < s->conf.n_evses; i++) {
		if (s->reservations[i].id >= 0 && s->reservations[i].evse == evse)
			return &s->reservations[i];
	}
	return NULL;
}

static int count_unplaced(const struct station *s)
{
	int n = 0;
	for (int i = 0; i < s->conf.n_evses; i++)
		n += s->reservations[i].id >= 0 && !s->reservations[i].evse;
	return n;
}

/* Nobody is there, and nobody was promised it. */
static bool is_free(const struct evse *e)
{
	const struct connector *c = &e->con;
	return !c->in.fault && !c->inoperative && !c->in.plugged && !e->authorised && !e->asking && !of_evse(e->s, c->evse);
}

static int count_free(const struct station *s)
{
	int n = 0;
	for (int i = 0; i < s->conf.n_evses; i++)
		n += is_free(&s->evses[i]);
	return n;
}

void reserve_settle(struct station *s)
{
	int unplaced = count_unplaced(s);
	bool all = unplaced && unplaced >= count_free(s);
	for (int i = 0; i < s->conf.n_evses; i++) {
		struct evse *e = &s->evses[i];
		bool promised = of_evse(s, e->con.evse) || (all && is_free(e));
		if (promised != e->con.reserved)
			connector_reserve(&e->con, promised);
	}
}

/* Make and cancel */

static const char *evse_status(const struct evse *e)
{
	if (e->con.in.fault)
		return "Faulted";
	if (e->con.inoperative)
		return "Unavailable";
	return is_free(e) ? NULL : "Occupied";
}

static const char *any_status(const struct station *s)
{
	const char *worst = NULL;
	if (count_free(s) > count_unplaced(s))
		return NULL;
	for (int i = 0; i < s->conf.n_evses; i++) {
		const char *one = evse_status(&s->evses[i]);
		if (!one || strcmp(one, "Occupied") == 0)
			return "Occupied";
		if (!worst || strcmp(one, "Unavailable") == 0)
			worst = one;
	}
	return worst;
}

static const char *status_of(struct station *s, const struct event *cmd)
{
	const char *type = keys_text(&s->keys, KEY_CONNECTOR_TYPE);
	bool any = cmd->evse <= 0;
	const struct evse *e = station_evse(s, cmd->evse);
	if (!keys_bool(&s->keys, KEY_RESERVATIONS) || (any && !keys_bool(&s->keys, KEY_RESERVE_ANY)) || (!any && !e))
		return "Rejected";
	if (cmd->word.p && !slice_eq_nocase(cmd->word, slice_of(type)))
		return "Rejected"; /* a connector that no EVSE has */
	return any ? any_status(s) : evse_status(e);
}

static void on_over(void *arg)
{
	struct reservation *r = arg;
	struct station *s = r->s;
	int64_t id = r->id;
	log_info(&s->log, "reservation %lld is over", (long long)id);
	drop(r);
	tell(s, id, "Expired");
	reserve_settle(s);
}

static void fill(struct station *s, struct reservation *r, const struct event *cmd)
{
	r->id = cmd->reservation;
	r->evse = cmd->evse > 0 ? cmd->evse : 0;
	put_text(r->token, sizeof(r->token), cmd->token);
	put_text(r->group, sizeof(r->group), cmd->group);
	r->until_us = cmd->time_us;
	timer_set(&r->end, cmd->time_us - clock_wall_us(), on_over, r);
	keep_reservation(r);
	reserve_settle(s);
}

const char *reserve_make(struct station *s, const struct event *cmd)
{
	struct reservation *old = find(s, cmd->reservation), *r;
	int64_t was = old ? old->id : -1;
	if (cmd->reservation < 0 || cmd->time_us <= clock_wall_us())
		return "Rejected";
	if (old)
		old->id = -1; /* the same number again replaces it, and must not stand in its own way */
	const char *status = status_of(s, cmd);
	r = old ? old : find(s, -1);
	if (status || !r) {
		if (old)
			old->id = was;
		return status ? status : "Occupied";
	}
	fill(s, r, cmd);
	return "Accepted";
}

bool reserve_cancel(struct station *s, int64_t id)
{
	struct reservation *r = id >= 0 ? find(s, id) : NULL;
	if (!r)
		return false;
	drop(r);
	reserve_settle(s);
	return true;
}

/* Use */

static bool is_for(const struct reservation *r, struct slice token, struct slice group)
{
	if (slice_eq_nocase(slice_of(r->token), token))
		return true;
	return r->group[0] && group.n && slice_eq_nocase(slice_of(r->group), group);
}

/* The promise that a token has at an EVSE: that of the place first. */
static struct reservation *promise(const struct evse *e, struct slice token, struct slice group)
{
	struct reservation *found = NULL;
	for (int i = 0; i < e->s->conf.n_evses; i++) {
		struct reservation *r = &e->s->reservations[i];
		if (r->id < 0 || (r->evse && r->evse != e->con.evse) || !is_for(r, token, group))
			continue;
		if (!found || r->evse)
			found = r;
	}
	return found;
}

bool reserve_refuses(const struct evse *e, struct slice token, struct slice group)
{
	return e->con.reserved && !promise(e, token, group);
}

bool reserve_may_know(const struct evse *e)
{
	for (int i = 0; i < e->s->conf.n_evses; i++) {
		const struct reservation *r = &e->s->reservations[i];
		if (r->id >= 0 && r->group[0] && (!r->evse || r->evse == e->con.evse))
			return true;
	}
	return false;
}

int64_t reserve_use(struct evse *e, struct slice token, struct slice group)
{
	struct reservation *r = promise(e, token, group);
	if (!r)
		return -1;
	int64_t id = r->id;
	drop(r);
	return id;
}

void reserve_evse_lost(struct evse *e)
{
	struct station *s = e->s;
	for (int i = 0; i < s->conf.n_evses; i++) {
		struct reservation *r = &s->reservations[i];
		int64_t id = r->id;
		if (id < 0 || r->evse != e->con.evse)
			continue;
		drop(r);
		tell(s, id, "Removed");
		e->con.reserved = false; /* its state is told just now, and hides this anyway */
	}
	reserve_settle(s);
}

/* Life */

void reserve_open(struct station *s)
{
	s->reservations = arena_new(&s->mem, (size_t)s->conf.n_evses * sizeof(s->reservations[0]));
	for (int i = 0; i < s->conf.n_evses; i++) {
		s->reservations[i].id = -1;
		s->reservations[i].s = s;
	}
}

void reserve_close(struct station *s)
{
	for (int i = 0; i < s->conf.n_evses; i++)
		timer_cancel(&s->reservations[i].end);
}
