/* What the station knows about a customer, told and forgotten (2.0.1 N09, N10): tokens in the cache and on the list, and transactions that
 * run. Names, contracts and certificates of customers it never has. */
#include <string.h>

#include "base/clock.h"
#include "ocpp/notices.h"
#include "station/commands.h"
#include "station/inside.h"

static void add_line(struct buf *out, const char *what, const char *more)
{
	buf_printf(out, "%s%s%s", out->n ? "; " : "", what, more);
}

static void describe(struct station *s, struct slice token, struct buf *out)
{
	const char *group;
	enum standing v = authz_look(&s->authz, token, clock_wall_us(), &group);
	if (v != TOKEN_UNKNOWN) {
		bool listed = authz_is_listed(&s->authz, token);
		add_line(out, listed ? "in the local list: " : "in the cache: ", v == TOKEN_GOOD ? "accepted" : "not accepted");
	}
	if (group[0])
		add_line(out, "group ", group);
	for (int i = 0; i < s->conf.n_evses; i++) {
		const struct evse *e = &s->evses[i];
		if (e->tx && slice_eq_nocase(token, slice_of(e->tx->token)))
			add_line(out, "transaction ", e->tx->id);
	}
}

static void after_report(struct station *s, struct request *q)
{
	const struct action *act;
	const char *data = q->what;
	struct buf payload = { 0 };
	int err = customer_write_report(s->conf.version, q->number, clock_wall_us(), slice_of(data), &payload, &act);
	if (!err)
		err = wire_ask_text(&s->wire, act, buf_view(&payload), NULL, NULL, NULL);
	if (err)
		log_warn(&s->log, "customer information was not sent: %s", err_text(err));
	buf_free(&payload);
}

/* Of the three ways to name a customer exactly one is used, unless there is nothing to be done (N09.FR.07, N10.FR.04). */
static const char *status_of(const struct customer_ask *ask)
{
	int ways = (ask->token.p != NULL) + (ask->identifier.p != NULL) + ask->certificate;
	if (!ask->report && !ask->clear)
		return "Rejected";
	return ways == 1 ? "Accepted" : "Invalid";
}

void customer_tell(struct station *s, struct request *q)
{
	struct customer_ask ask;
	struct buf data = { 0 };
	customer_ask_read(q->f, &ask);
	const char *status = status_of(&ask);
	answer(q, status);
	if (strcmp(status, "Accepted") != 0)
		return;
	if (ask.token.p)
		describe(s, ask.token, &data);
	if (ask.clear && ask.token.p)
		authz_forget(&s->authz, ask.token);
	if (ask.clear && data.n && !ask.report)
		buf_reset(&data);
	q->number = ask.request_id;
	q->what = arena_text(&q->mem, data.n ? buf_view(&data) : SLICE(""));
	q->after = after_report;
	buf_free(&data);
}
