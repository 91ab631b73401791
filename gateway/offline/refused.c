/* Names in the kept store, per station:  refused/TX -> nothing. It is there until the station has taken the stop, or the transaction is over. A
 * station that is away, or does not answer, is asked again when it is back. */
#include "gateway/offline/refused.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "gateway/mqtt/telemetry.h"
#include "ocpp/codec.h"
#include "storage/kept.h"
#include "storage/txs.h"

struct stopping {
	struct session *s;
	char *name; /* in the kept store */
};

static void stopping_free(struct stopping *t)
{
	mem_free(t->name);
	mem_free(t);
}

static void on_answered(void *arg, struct call *c, int err, struct frame *answer)
{
	struct stopping *t = arg;
	struct arena mem = { 0 };
	struct reply r;
	reply_init(&r);
	if (answer && codec_read_answer(c->act, answer, &mem, &r) == 0 && !slice_is(r.status, "Accepted"))
		log_warn(&t->s->log, "the station does not stop the transaction: %.*s", SLICE_ARG(r.status));
	arena_free(&mem);
	if (answer && kept_remove(t->s->gw->store, t->s->id, t->name, NULL, NULL) != 0)
		log_error(&t->s->log, "%s could not be removed", t->name);
	if (!answer)
		log_warn(&t->s->log, "the station did not take the stop of %s: %s; it is asked again when it is back", t->name, err_text(err));
	stopping_free(t);
}

static bool runs(struct session *s, const char *tx)
{
	struct arena mem = { 0 };
	struct tx_rec rec;
	bool running = tx_by_station_id(s->gw->store, s->id, tx, &mem, &rec) == 0 && rec.running;
	arena_free(&mem);
	return running;
}

static void stop(struct session *s, const char *tx)
{
	struct event e;
	struct stopping *t = NEW(struct stopping);
	struct buf name = { 0 };
	buf_printf(&name, "refused/%s", tx);
	*t = (struct stopping){ s, name.p };
	event_init(&e, CMD_REMOTE_STOP);
	e.tx = slice_of(tx);
	if (!runs(s, tx)) {
		if (kept_remove(s->gw->store, s->id, t->name, NULL, NULL) != 0)
			log_error(&s->log, "%s could not be removed", t->name);
		stopping_free(t);
	} else if (session_command(s, &e, on_answered, t) != 0) {
		stopping_free(t); /* it is away; refused_resume */
	}
}

void refused_tx(struct session *s, const char *tx, const char *action, struct slice status)
{
	bool stops = s->gw->conf->authorization.on_refused == REFUSED_STOP && runs(s, tx);
	struct buf args = { 0 }, name = { 0 };
	struct json_writer w;
	log_warn(&s->log, "the CSMS answered %.*s to a %s that was accepted here%s", SLICE_ARG(status), action, stops ? "; its transaction is stopped" : "");
	jw_open(&w, &args);
	jw_object(&w, NULL);
	jw_string(&w, "action", action);
	jw_text(&w, "status", status);
	jw_string(&w, "tx", tx);
	jw_bool(&w, "stopped", stops);
	jw_end(&w, '}');
	telemetry_event(s->gw, "tx.refused", "warning", s->id, args.p);
	buf_free(&args);
	if (!stops)
		return;
	buf_printf(&name, "refused/%s", tx);
	if (kept_put(s->gw->store, s->id, name.p, slice_of(action), NULL, NULL) != 0)
		log_error(&s->log, "%s could not be kept", name.p);
	buf_free(&name);
	stop(s, tx);
}

void refused_token(struct session *s, const char *token, const char *action, struct slice status)
{
	for (int i = 1; i <= s->n_evses; i++)
		if (s->evses[i].tx[0] && strcmp(s->evses[i].token, token) == 0)
			refused_tx(s, s->evses[i].tx, action, status);
}

static bool resume_one(void *arg, const char *name, struct slice value)
{
	(void)value;
	stop(arg, name + strlen("refused/"));
	return true;
}

void refused_resume(struct session *s)
{
	if (kept_each(s->gw->store, s->id, "refused/", resume_one, s) != 0)
		log_error(&s->log, "what is to be stopped cannot be read");
}
