/* Logs for the CSMS: GetDiagnostics of 1.6, GetLog of its security extension and of 2.x. The host has the log and sends it; here are the
 * order of states, the repetitions, and what a second request does to the first (2.0.1 N01.FR.12: the first is cancelled). */
#include <string.h>

#include "base/clock.h"
#include "ocpp/files.h"
#include "station/commands.h"
#include "station/inside.h"

#define RETRY_S 60 /* where the request does not say */

static bool has_log(const struct station *s)
{
	return s->conf.host && s->conf.host->send_log;
}

static void tell(struct station *s, const char *status)
{
	struct event ev;
	s->log_job.told = status;
	event_init(&ev, EV_LOG);
	ev.word = slice_of(status);
	ev.request_id = s->log_job.request_id;
	if (s->link)
		wire_tell(&s->wire, &ev);
}

/* What a trigger is answered with: an upload that runs, else nothing is going on (2.0.1 F06.FR.14, FR.15). */
void logs_tell_state(struct station *s, bool of_extension)
{
	struct event ev;
	event_init(&ev, EV_LOG);
	ev.word = s->log_job.running ? slice_of(s->log_job.told) : SLICE("Idle");
	ev.request_id = s->log_job.running ? s->log_job.request_id : of_extension ? 0 : -1;
	wire_tell(&s->wire, &ev);
}

static void end(struct station *s, const char *status)
{
	timer_cancel(&s->log_job.retry);
	s->log_job.running = false;
	tell(s, status);
	arena_free(&s->log_job.mem);
}

static int send(struct station *s)
{
	struct log_job *j = &s->log_job;
	const struct log_ask ask = { .type = j->type, .url = slice_of(j->url), .request_id = j->request_id, .from_us = j->from_us,
		.to_us = j->to_us };
	return s->conf.host->send_log(s->conf.host_arg, &ask, j->name);
}

static void on_retry(void *arg)
{
	struct station *s = arg;
	if (send(s) != 0)
		station_log_sent(s, SEND_FAILED);
}

static const char *end_word(const struct station *s, enum send_end e)
{
	bool plain = s->log_job.request_id < 0;
	if (e == SEND_DONE)
		return "Uploaded";
	if (plain)
		return "UploadFailed";
	return e == SEND_REFUSED ? "PermissionDenied" : e == SEND_NO_WAY ? "NotSupportedOperation" : "UploadFailure";
}

void station_log_sent(struct station *s, enum send_end e)
{
	struct log_job *j = &s->log_job;
	if (!j->running)
		return;
	if (e == SEND_FAILED && j->retries-- > 0) {
		timer_set(&j->retry, j->retry_us, on_retry, s);
		return;
	}
	log_info(&s->log, "the log %s: %s", j->name, end_word(s, e));
	end(s, end_word(s, e));
}

static void take(struct station *s, const struct file_ask *ask)
{
	struct log_job *j = &s->log_job;
	j->type = arena_text(&j->mem, ask->log_type);
	j->url = arena_text(&j->mem, ask->url);
	j->request_id = ask->request_id;
	j->from_us = ask->from_us;
	j->to_us = ask->to_us;
	j->retries = ask->retries > 0 ? ask->retries : 0;
	j->retry_us = (ask->retry_s > 0 ? ask->retry_s : RETRY_S) * US_PER_S;
	j->name[0] = 0;
}

static void after_start(struct station *s, struct request *q)
{
	(void)q;
	if (s->log_job.running)
		tell(s, "Uploading");
}

static void after_cancel(struct station *s, struct request *q)
{
	struct event ev;
	event_init(&ev, EV_LOG);
	ev.word = SLICE("AcceptedCanceled");
	ev.request_id = q->number;
	if (q->number >= 0)
		wire_tell(&s->wire, &ev);
	after_start(s, q);
}

void logs_get(struct station *s, struct request *q)
{
	struct file_ask ask;
	bool again = s->log_job.running;
	int err = file_ask_read(q->f, &ask);
	if (!has_log(s) && strcmp(q->f->act->name, "GetDiagnostics") == 0) {
		q->error = "NotSupported"; /* its answer cannot say no */
		return;
	}
	if (err || !has_log(s)) {
		file_write_log_answer(q->f, "Rejected", NULL, &q->payload);
		return;
	}
	q->number = s->log_job.request_id;
	if (again) {
		s->conf.host->stop_log(s->conf.host_arg);
		timer_cancel(&s->log_job.retry);
		arena_free(&s->log_job.mem);
	}
	take(s, &ask);
	err = send(s);
	s->log_job.running = !err;
	if (err)
		arena_free(&s->log_job.mem);
	file_write_log_answer(q->f, err ? "Rejected" : again ? "AcceptedCanceled" : "Accepted", err ? NULL : s->log_job.name, &q->payload);
	q->after = again ? after_cancel : after_start;
}

void logs_close(struct station *s)
{
	timer_cancel(&s->log_job.retry);
	if (s->log_job.running && s->conf.host->stop_log)
		s->conf.host->stop_log(s->conf.host_arg);
	arena_free(&s->log_job.mem);
}
