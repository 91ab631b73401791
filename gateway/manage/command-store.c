/* Verbs about what is on disk: messages that wait for the CSMS, transactions, tokens.
 *
 * Easy to get wrong: a change is answered when it is on disk, so its handler says COMMAND_LATER; and a walk ends after a number of rows, as contents
 * may be large. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/manage/command.h"
#include "gateway/manage/view.h"
#include "gateway/offline/replay.h"
#include "storage/outbox.h"
#include "storage/tokens.h"
#include "storage/txs.h"

#define LIST_MOST 1000
#define EXPORT_MOST 100 /* contents may be large */

/* --- queue and transactions --- */

struct listing { /* what a walk writes to */
	struct json_writer *w;
	int left;
	bool contents;
	const char *tx; /* NULL: of any transaction */
};

static bool write_record(void *arg, const struct outbox_rec *r)
{
	static const char *const states[] = { "unsent", "sent-unconfirmed", "parked" };
	static const char *const clocks[] = { "untrusted", "trusted", "corrected" };
	struct listing *l = arg;
	struct json_writer *w = l->w;
	if (l->tx && (!r->tx || strcmp(r->tx, l->tx) != 0))
		return true;
	jw_object(w, NULL);
	jw_int(w, "seq", r->seq);
	jw_string(w, "station", r->station);
	jw_string(w, "action", r->action);
	jw_string(w, "state", states[r->state]);
	jw_string(w, "message_id", r->message_id);
	jw_string(w, "tx", r->tx);
	jw_time(w, "at", r->wall_us);
	jw_int(w, "attempts", r->attempts);
	jw_int(w, "failures", r->failures);
	jw_string(w, "why", r->parked_why);
	if (l->contents) {
		jw_bool(w, "late", r->late);
		jw_string(w, "clock", clocks[r->clock]);
		jw_int(w, "mono_us", r->mono_us);
		jw_raw(w, "payload", r->payload.p ? r->payload : SLICE("null"));
	}
	jw_end(w, '}');
	return --l->left > 0;
}

static int write_queue(struct command *c, struct listing *l, const char *station, int64_t after)
{
	jw_array(&c->w, NULL);
	int err = outbox_each(c->g->store, station, after, write_record, l);
	jw_end(&c->w, ']');
	return err ? command_fail(c, COMMAND_FAILED, "the queue cannot be read: %s", err_text(err)) : COMMAND_OK;
}

int run_queue_list(struct command *c)
{
	return write_queue(c, &(struct listing){ .w = &c->w, .left = LIST_MOST }, command_text(c, "station"), json_int(c->args, "after", 0));
}

int run_queue_export(struct command *c)
{
	return write_queue(c, &(struct listing){ .w = &c->w, .left = EXPORT_MOST, .contents = true }, command_text(c, "station"),
		json_int(c->args, "after", 0));
}

struct wanted {
	struct listing list;
	int64_t seq;
	bool found;
};

static bool write_wanted(void *arg, const struct outbox_rec *r)
{
	struct wanted *want = arg;
	want->found = r->seq == want->seq;
	if (want->found)
		write_record(&want->list, r);
	return false;
}

int run_queue_show(struct command *c)
{
	struct wanted want = { { .w = &c->w, .contents = true }, json_int(c->args, "seq", 0), false };
	int err = outbox_each(c->g->store, NULL, want.seq - 1, write_wanted, &want);
	if (err)
		return command_fail(c, COMMAND_FAILED, "the queue cannot be read: %s", err_text(err));
	return want.found ? COMMAND_OK : command_fail(c, COMMAND_NOT_FOUND, "no message %lld waits", (long long)want.seq);
}

static void on_parked(void *arg, int err, int64_t seq)
{
	struct command *c = arg;
	replay_kick_all(c->g);
	jw_bool(&c->w, NULL, err == 0);
	command_finish(c, !err ? COMMAND_OK : err == ERR_NOT_FOUND ? command_fail(c, COMMAND_NOT_FOUND, "no message %lld waits", (long long)seq)
	                                                            : command_fail(c, COMMAND_FAILED, "%s", err_text(err)));
}

int run_queue_park(struct command *c)
{
	const char *reason = command_text(c, "reason");
	int err = outbox_park(c->g->store, json_int(c->args, "seq", 0), reason ? reason : "by the operator", on_parked, c);
	return err ? command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_LATER;
}

static void on_retry_stored(void *arg, int err, int64_t count)
{
	struct command *c = arg;
	(void)count;
	replay_kick_all(c->g);
	jw_bool(&c->w, NULL, err == 0);
	command_finish(c, err ? command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_OK);
}

int run_queue_retry(struct command *c)
{
	int err = outbox_retry(c->g->store, command_text(c, "station"), on_retry_stored, c);
	return err ? command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_LATER;
}

static void write_moment(struct json_writer *w, const char *key, int64_t wall_us)
{
	if (wall_us)
		jw_time(w, key, wall_us);
	else
		jw_null(w, key);
}

static void write_tx_fields(struct listing *l, const struct tx_rec *t)
{
	char shown[TOKEN_SHOWN];
	jw_int(l->w, "seq", t->start_seq);
	jw_string(l->w, "station", t->station);
	jw_int(l->w, "evse", t->evse);
	jw_string(l->w, "tx", t->station_tx);
	jw_string(l->w, "csms_tx", t->csms_tx);
	jw_string(l->w, "token", t->token ? view_token(t->token, shown) : NULL);
	write_moment(l->w, "start", t->start_us);
	write_moment(l->w, "stop", t->stop_us);
	jw_number(l->w, "start_wh", t->start_wh, 3);
	jw_number(l->w, "stop_wh", t->stop_wh, 3);
	jw_string(l->w, "reason", t->stop_reason);
	jw_bool(l->w, "offline", t->offline);
	jw_bool(l->w, "confirmed", t->confirmed);
}

static bool write_tx(void *arg, const struct tx_rec *t)
{
	struct listing *l = arg;
	jw_object(l->w, NULL);
	write_tx_fields(l, t);
	jw_end(l->w, '}');
	return --l->left > 0;
}

int run_tx_show(struct command *c)
{
	const char *station = command_text(c, "station"), *tx = command_text(c, "tx");
	struct arena mem = { 0 };
	struct tx_rec t;
	if (!station || !tx)
		return command_fail(c, COMMAND_USAGE, "station and tx are needed");
	int err = tx_by_station_id(c->g->store, station, tx, &mem, &t);
	if (err == ERR_NOT_FOUND)
		err = tx_by_csms_id(c->g->store, station, tx, &mem, &t);
	if (err == ERR_NOT_FOUND) {
		err = command_fail(c, COMMAND_NOT_FOUND, "station '%s' has no transaction '%s'", station, tx);
	} else if (err) {
		err = command_fail(c, COMMAND_FAILED, "the ledger cannot be read: %s", err_text(err));
	} else {
		struct listing l = { .w = &c->w, .left = LIST_MOST, .tx = t.station_tx };
		jw_object(&c->w, NULL);
		write_tx_fields(&l, &t);
		jw_array(&c->w, "queue");
		err = t.station_tx ? outbox_each(c->g->store, station, 0, write_record, &l) : 0;
		jw_end(&c->w, ']');
		jw_end(&c->w, '}');
		err = err ? command_fail(c, COMMAND_FAILED, "the queue cannot be read: %s", err_text(err)) : COMMAND_OK;
	}
	arena_free(&mem);
	return err;
}

int run_tx_list(struct command *c)
{
	struct listing l = { .w = &c->w, .left = LIST_MOST };
	jw_array(&c->w, NULL);
	int err = tx_each(c->g->store, command_text(c, "station"), json_int(c->args, "after", 0), write_tx, &l);
	jw_end(&c->w, ']');
	return err ? command_fail(c, COMMAND_FAILED, "the ledger cannot be read: %s", err_text(err)) : COMMAND_OK;
}

static bool write_token(void *arg, const struct token_rec *t)
{
	struct json_writer *w = arg;
	char shown[TOKEN_SHOWN], *token = mem_text(t->token);
	jw_object(w, NULL);
	jw_string(w, "token", view_token(token, shown));
	jw_string(w, "source", t->source == TOKEN_LIST ? "list" : "cache");
	jw_string(w, "status", t->status);
	write_moment(w, "expiry", t->expiry_us);
	jw_end(w, '}');
	mem_free(token);
	return true;
}

int run_token_list(struct command *c)
{
	jw_array(&c->w, NULL);
	int err = token_each(c->g->store, write_token, &c->w);
	jw_end(&c->w, ']');
	return err ? command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_OK;
}

static void on_token_stored(void *arg, int err, int64_t value)
{
	struct command *c = arg;
	(void)value;
	jw_bool(&c->w, NULL, err == 0);
	command_finish(c, err ? command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_OK);
}

int run_token_add(struct command *c)
{
	const char *token = command_text(c, "token"), *status = command_text(c, "status");
	if (!token || !*token || strlen(token) > 255)
		return command_fail(c, COMMAND_USAGE, "token is missing or longer than 255 characters");
	struct token_rec rec = { .source = TOKEN_LIST, .token = slice_of(token), .status = status ? status : "Accepted", .updated_us = clock_wall_us() };
	int err = token_put(c->g->store, &rec, on_token_stored, c);
	return err ? command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_LATER;
}

int run_token_del(struct command *c)
{
	const char *token = command_text(c, "token");
	struct arena mem = { 0 };
	struct token_rec rec;
	if (!token || !*token)
		return command_fail(c, COMMAND_USAGE, "token is missing");
	int err = token_find(c->g->store, NULL, slice_of(token), clock_wall_us(), INT64_MAX, &mem, &rec);
	bool listed = !err && rec.source == TOKEN_LIST;
	arena_free(&mem);
	if (err && err != ERR_NOT_FOUND)
		return command_fail(c, COMMAND_FAILED, "%s", err_text(err));
	if (!listed)
		return command_fail(c, COMMAND_NOT_FOUND, "the local list has no such token");
	err = token_remove(c->g->store, TOKEN_LIST, slice_of(token), on_token_stored, c);
	return err ? command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_LATER;
}
