/* What goes up first when a lane comes up. Names in the kept store, per station:
 *   boot            payload of the newest BootNotification that was answered here
 *   accepted        a CSMS accepted this station once; the value is the heartbeat interval it gave
 *   rejected        an installer does not want this station, until the configuration names it
 *   status/E/C      action, newline, payload of the newest state of a connector that was answered here
 *   status/A/E      the same of the newest message A about the car at an EVSE, while it is there
 *   notice/N        action, newline, payload of a single notice */
#include "gateway/offline/owed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/offline/replay.h"
#include "gateway/session/trace.h"
#include "ocpp/codec.h"
#include "storage/kept.h"

#define RETRY_US (10 * US_PER_S)
#define NOTICES_MOST 100 /* per station; a flood of notices must not fill the disk */
#define SECURITY_MOST 1000 /* of those that are guaranteed; no flood of others takes their place */
#define NAME_TEXT 56
#define AT_ONCE 32       /* notices on their way; the station's own requests and its transactions want room too */

static void keep(struct session *s, const char *name, struct slice value)
{
	int err = kept_put(s->gw->store, s->id, name, value, NULL, NULL);
	if (err)
		log_error(&s->log, "%s could not be kept: %s", name, err_text(err));
}

static void forget(struct session *s, const char *name)
{
	int err = kept_remove(s->gw->store, s->id, name, NULL, NULL);
	if (err)
		log_error(&s->log, "%s could not be removed: %s", name, err_text(err));
}

static int keep_message(struct session *s, const char *name, const struct frame *f, store_done *done, void *arg)
{
	struct buf value = { 0 };
	buf_printf(&value, "%s\n", f->act->name);
	buf_slice(&value, f->payload);
	int err = kept_put(s->gw->store, s->id, name, buf_view(&value), done, arg);
	if (err)
		log_error(&s->log, "%s could not be kept: %s", name, err_text(err));
	buf_free(&value);
	return err;
}

static bool count_one(void *arg, const char *name, struct slice value)
{
	unsigned *count = arg;
	(void)name, (void)value;
	++*count;
	return true;
}

static bool is_notice(const char *name)
{
	return strncmp(name, "notice/", 7) == 0;
}

static void load_rejection(struct session *s, struct arena *mem)
{
	struct slice value;
	s->rejected = kept_get(s->gw->store, s->id, "rejected", mem, &value) == 0;
	if (s->configured)
		owed_unreject(s);
	else if (s->rejected)
		s->accepted = false;
}

void owed_load(struct session *s)
{
	struct arena mem = { 0 };
	struct slice value;
	int64_t interval;
	unsigned statuses = 0;
	if (kept_get(s->gw->store, s->id, "accepted", &mem, &value) == 0) {
		s->accepted = s->owed.accepted_kept = true;
		if (int_parse(value, &interval) == 0)
			s->interval_s = interval;
	}
	s->owed.boot = kept_get(s->gw->store, s->id, "boot", &mem, &value) == 0;
	load_rejection(s, &mem);
	if (kept_each(s->gw->store, s->id, "status/", count_one, &statuses) != 0 ||
	    kept_each(s->gw->store, s->id, "notice/", count_one, &s->owed.notices) != 0)
		log_error(&s->log, "what is owed to the CSMS cannot be read");
	s->owed.of_cars = statuses > 0;
	s->owed.more = statuses || s->owed.notices;
	arena_free(&mem);
}

static void on_pay_again(void *arg)
{
	owed_pay(arg);
}

/* The CSMS did not answer it, but is there. */
static void pay_later(struct session *s)
{
	if (session_lane_is_up(s) && !timer_is_set(&s->owed.retry))
		timer_set(&s->owed.retry, RETRY_US, on_pay_again, s);
}

int owed_reject(struct session *s, store_done *done, void *arg)
{
	int err = kept_put(s->gw->store, s->id, "rejected", SLICE("1"), done, arg);
	if (!err) {
		s->rejected = true;
		s->accepted = false;
	}
	return err;
}

void owed_unreject(struct session *s)
{
	if (s->rejected)
		forget(s, "rejected");
	s->rejected = false;
}

void owed_boot(struct session *s, const struct frame *f)
{
	s->owed.boot = true;
	keep(s, "boot", f->payload);
	pay_later(s);
}

static void status_name(const struct event *e, char name[NAME_TEXT])
{
	snprintf(name, NAME_TEXT, "status/%d/%d", e->evse, e->connector);
}

static const char *const of_cars[] = { "NotifyEVChargingNeeds", "NotifyEVChargingSchedule" };

static void car_name(const char *action, int evse, char name[NAME_TEXT])
{
	snprintf(name, NAME_TEXT, "status/%s/%d", action, evse);
}

void owed_car_left(struct session *s, int evse)
{
	char name[NAME_TEXT];
	for (size_t i = 0; s->owed.of_cars && i < sizeof(of_cars) / sizeof(of_cars[0]); i++) {
		car_name(of_cars[i], evse, name);
		forget(s, name);
	}
}

void owed_status(struct session *s, const struct frame *f, const struct event *e)
{
	char name[NAME_TEXT];
	if (e->kind == EV_STATUS)
		status_name(e, name);
	else
		car_name(f->act->name, e->evse, name);
	s->owed.of_cars |= e->kind != EV_STATUS;
	s->owed.more = true;
	keep_message(s, name, f, NULL, NULL);
	pay_later(s);
}

void owed_status_seen(struct session *s, const struct event *e)
{
	char name[NAME_TEXT];
	if (!s->owed.more && !s->owed.paying)
		return;
	status_name(e, name);
	forget(s, name);
}

bool owed_notice(struct session *s, const struct frame *f, store_done *done, void *arg)
{
	char name[NAME_TEXT];
	if (s->owed.notices >= (f->act->event == EV_SECURITY ? SECURITY_MOST : NOTICES_MOST)) {
		log_warn(&s->log, "more than %d notices wait for the CSMS; there is no room for a %s", NOTICES_MOST, f->act->name);
		return false;
	}
	s->owed.notices++;
	s->owed.more = true;
	snprintf(name, sizeof(name), "notice/%020lld", (long long)clock_wall_us());
	int err = keep_message(s, name, f, done, arg);
	pay_later(s);
	return !err;
}

void owed_boot_accepted(struct session *s, int64_t interval_s)
{
	char text[24];
	if (s->owed.boot)
		forget(s, "boot");
	s->owed.boot = false;
	bool known = s->owed.accepted_kept && (interval_s <= 0 || s->interval_s == interval_s);
	s->accepted = true;
	if (known)
		return;
	if (interval_s > 0)
		s->interval_s = interval_s;
	s->owed.accepted_kept = true;
	snprintf(text, sizeof(text), "%lld", (long long)s->interval_s);
	keep(s, "accepted", slice_of(text));
}

/* --- paying --- */

static int ask_csms(struct session *s, const char *action, struct slice payload, call_done *done, void *arg)
{
	char id[UUID_TEXT];
	struct buf text = { 0 };
	uuid_text(id);
	frame_write_call(&text, slice_of(id), action, payload);
	struct ask ask = { .text = buf_view(&text), .id = slice_of(id), .act = catalogue_find(s->lane.version, slice_of(action)),
		.timeout_us = uplink_conf(s->lane.uplink)->call_timeout_us, .done = done, .arg = arg };
	struct frame f = { .kind = FRAME_CALL, .id = ask.id, .action = slice_of(action) };
	trace_frame(s, TRACE_CSMS, TRACE_TX, ask.text, &f, TRACE_REPLAYED);
	int err = calls_ask(&s->to_csms, &ask, NULL);
	buf_free(&text);
	return err;
}

struct payment {
	struct session *s;
	char *name;
};

static void payment_over(struct payment *p, int64_t again_us)
{
	struct session *s = p->s;
	if (!--s->owed.paying && s->owed.more && session_lane_is_up(s))
		timer_set(&s->owed.retry, again_us, on_pay_again, s);
	mem_free(p->name);
	mem_free(p);
}

static void on_forgotten(void *arg, int err, int64_t value)
{
	struct payment *p = arg;
	(void)value;
	if (err)
		log_error(&p->s->log, "%s could not be removed: %s", p->name, err_text(err));
	else if (is_notice(p->name) && p->s->owed.notices)
		p->s->owed.notices--;
	payment_over(p, 0);
}

static void on_paid(void *arg, struct call *c, int err, struct frame *answer)
{
	struct payment *p = arg;
	(void)c;
	/* A refusal ends it as well: the CSMS has seen the message. */
	if (answer && kept_remove(p->s->gw->store, p->s->id, p->name, on_forgotten, p) == 0)
		return;
	log_debug(&p->s->log, "%s stays owed: %s", p->name, err_text(err));
	p->s->owed.more = true;
	payment_over(p, RETRY_US);
}

static bool pay_one(void *arg, const char *name, struct slice value)
{
	struct session *s = arg;
	const char *newline = memchr(value.p, '\n', value.n);
	if (!newline)
		return true;
	if (is_notice(name) && s->owed.paying >= AT_ONCE) {
		s->owed.more = true;
		return false;
	}
	char *action = mem_text((struct slice){ value.p, (size_t)(newline - value.p) });
	struct slice payload = { newline + 1, value.n - (size_t)(newline + 1 - value.p) };
	struct payment *p = NEW(struct payment);
	p->s = s;
	p->name = mem_strdup(name);
	s->owed.paying++;
	int err = ask_csms(s, action, payload, on_paid, p);
	if (err)
		on_paid(p, NULL, err, NULL);
	mem_free(action);
	return err == 0;
}

static void pay_rest(struct session *s)
{
	if (!session_lane_is_up(s))
		return; /* it closed meanwhile: the next one begins anew */
	if (s->owed.more && !s->owed.paying) {
		s->owed.more = false;
		if (kept_each(s->gw->store, s->id, "status/", pay_one, s) != 0 || kept_each(s->gw->store, s->id, "notice/", pay_one, s) != 0)
			log_error(&s->log, "what is owed to the CSMS cannot be read");
	}
	s->replay.ready = true;
	replay_kick(s);
}

static void on_boot_answered(void *arg, struct call *c, int err, struct frame *answer)
{
	struct session *s = arg;
	struct arena mem = { 0 };
	struct reply reply;
	int64_t wait_us = RETRY_US;
	s->owed.boot_in_flight = false;
	reply_init(&reply);
	if (answer && codec_read_answer(c->act, answer, &mem, &reply) == 0) {
		if (reply.time_us)
			clock_told(reply.time_us);
		if (reply.interval_s > 0)
			wait_us = reply.interval_s * US_PER_S;
	}
	if (slice_is(reply.status, "Accepted")) {
		s->put_off = false;
		owed_boot_accepted(s, reply.interval_s);
		pay_rest(s);
	} else if (err != ERR_CLOSED && err != ERR_REFUSED) {
		log_warn(&s->log, "the CSMS does not accept the station yet: %.*s", SLICE_ARG(reply.status));
		timer_set(&s->owed.retry, wait_us, on_pay_again, s);
	}
	arena_free(&mem);
}

void owed_pay(struct session *s)
{
	struct arena mem = { 0 };
	struct slice boot;
	if (!session_lane_is_up(s) || s->owed.boot_in_flight)
		return;
	if (s->lane.version != s->version) {
		s->replay.ready = true; /* what is owed is of the station's present version, this lane is not */
		replay_kick(s);
	} else if (!s->owed.boot || kept_get(s->gw->store, s->id, "boot", &mem, &boot) != 0) {
		pay_rest(s);
	} else if (ask_csms(s, "BootNotification", boot, on_boot_answered, s) == 0) {
		s->owed.boot_in_flight = true;
	} else {
		timer_set(&s->owed.retry, RETRY_US, on_pay_again, s);
	}
	arena_free(&mem);
}

void owed_stop(struct session *s)
{
	timer_cancel(&s->owed.retry);
}
