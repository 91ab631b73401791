/* Between versions: bytes where they fit, meaning where they do not.
 *
 * Whether bytes fit is asked of the dictionary of the other version, not of a list of pairs: what 2.1 says in 2.0.1's fields passes to 2.0.1,
 * and a DataTransfer passes everywhere. Between equal versions nobody asks: what a station deviates in goes on as it does without us. */
#include "ocpp/convert.h"

#include <stdio.h>
#include <string.h>

#include "ocpp/bind.h"
#include "ocpp/certs.h"
#include "ocpp/dialect.h"
#include "ocpp/dictionary.h"
#include "ocpp/jobs.h"
#include "ocpp/profile-write.h"
#include "ocpp/splice.h"
#include "ocpp/validate.h"

/* --- numbers in place --- */

static const char *path_of(const struct frame *f, size_t field)
{
	for (const struct row *r = codec_call_rows(f->version, f->act); r->path; r++)
		if (r->at == field && (r->as == AS_INT || r->as == AS_COUNT))
			return r->path;
	return NULL;
}

/* "evse":{"id":7} for the path evse.id. */
static void insert(struct buf *text, const char *path, const char *number)
{
	struct buf member = { 0 }, longer = { 0 };
	const char *dot = strchr(path, '.');
	if (dot)
		buf_printf(&member, "\"%.*s\":{\"%s\":%s}", (int)(dot - path), path, dot + 1, number);
	else
		buf_printf(&member, "\"%s\":%s", path, number);
	splice_insert_member(&longer, buf_view(text), buf_view(text), buf_view(&member));
	buf_free(&member);
	buf_free(text);
	*text = longer;
}

static void put_number(struct buf *text, const char *path, int number, bool may_insert)
{
	char digits[16];
	struct buf changed = { 0 };
	if (!path)
		return;
	struct slice window = splice_find(buf_view(text), path);
	snprintf(digits, sizeof(digits), "%d", number);
	if (!window.n && may_insert) {
		insert(text, path, digits);
		return;
	}
	if (!window.n || slice_is(window, digits))
		return;
	splice_write(&changed, buf_view(text), window, slice_of(digits));
	buf_free(text);
	*text = changed;
}

/* The window of codec_tx_window is without quotes, so any text fits where an id stood. */
static void put_tx(const struct frame *f, struct buf *text, struct slice tx)
{
	struct slice window = codec_tx_window(f);
	if (!window.n || !tx.p || slice_eq(window, tx))
		return;
	splice_write(text, f->payload, window, tx);
}

static void with_numbers(const struct frame *f, const struct event *e, struct buf *text)
{
	put_tx(f, text, e->tx);
	if (!text->n)
		buf_slice(text, f->payload);
	if (e->evse >= 0)
		put_number(text, path_of(f, EVENT_AT(evse)), e->evse, e->evse > 0);
	if (e->connector > 0)
		put_number(text, path_of(f, EVENT_AT(connector)), e->connector, false);
}

static bool fits(enum ocpp_version v, const struct action *act, bool response, struct slice payload)
{
	const struct shape *shape = dictionary_shape(v, act->name, response);
	struct verdict verdict;
	return shape && validate(shape, payload, v, &verdict) == 0;
}

static bool carries(struct frame *f, const struct event *e, enum ocpp_version to, struct buf *payload)
{
	struct buf text = { 0 };
	if (!f->act || !(f->act->versions & 1 << to) || f->act->event != e->kind)
		return false;
	with_numbers(f, e, &text);
	bool ok = f->version == to || fits(to, f->act, false, buf_view(&text));
	if (ok)
		buf_slice(payload, buf_view(&text));
	buf_free(&text);
	return ok;
}

/* Entry after entry, as long as there are some. */
int convert_numbers(struct buf *text, const char *list, const char *path, int (*map)(void *arg, int number), void *arg)
{
	char place[128];
	for (unsigned i = 0;; i++) {
		int64_t theirs;
		snprintf(place, sizeof(place), "%s.%u", list, i);
		if (!splice_find(buf_view(text), place).n)
			return 0;
		snprintf(place, sizeof(place), "%s.%u.%s", list, i, path);
		if (int_parse(splice_find(buf_view(text), place), &theirs) != 0 || theirs < 1 || theirs > INT32_MAX)
			continue;
		int number = map(arg, (int)theirs);
		if (number < 1)
			return ERR_NOT_FOUND;
		put_number(text, place, number, false);
	}
}

int convert_list(const struct frame *f, enum ocpp_version to, const char *list, const char *path, int (*map)(void *arg, int evse), void *arg,
                 struct buf *payload)
{
	struct buf text = { 0 };
	if (!(f->act->versions & 1 << to))
		return ERR_UNSUPPORTED;
	buf_slice(&text, f->payload);
	int err = convert_numbers(&text, list, path, map, arg);
	if (!err && f->version != to && !fits(to, f->act, false, buf_view(&text)))
		err = ERR_UNSUPPORTED;
	if (!err)
		buf_slice(payload, buf_view(&text));
	buf_free(&text);
	return err;
}

/* --- by meaning --- */

/* What is triggered, where the versions call it differently. 1.6 tells of a transaction by its meter values. */
static const struct {
	const char *in_16, *in_2x;
} triggers[] = {
	{ "SignChargePointCertificate", "SignChargingStationCertificate" },
	{ "DiagnosticsStatusNotification", "LogStatusNotification" },
	{ "MeterValues", "TransactionEvent" },
};

static struct slice trigger_in(struct slice word, const struct dialect *d)
{
	for (size_t i = 0; i < sizeof(triggers) / sizeof(triggers[0]); i++) {
		if (d->tx_tells_all && slice_is(word, triggers[i].in_16) && strcmp(triggers[i].in_16, "MeterValues") != 0)
			return slice_of(triggers[i].in_2x);
		if (!d->tx_tells_all && slice_is(word, triggers[i].in_2x) && strcmp(triggers[i].in_2x, "LogStatusNotification") != 0)
			return slice_of(triggers[i].in_16);
	}
	return word;
}

static struct event said_in(const struct event *e, enum ocpp_version to)
{
	struct event said = *e;
	const struct dialect *d = dialect_of(to);
	if (e->kind == CMD_TRIGGER)
		said.word = trigger_in(e->word, d);
	if (e->kind == EV_METER && e->tx.p && d->tx_tells_all) {
		said.kind = EV_TX;
		said.phase = TX_UPDATE;
		said.reason = SLICE("MeterValuePeriodic");
	}
	return said;
}

int convert_call(struct frame *f, const struct event *e, enum ocpp_version to, struct buf *payload, const struct action **act_out)
{
	if (carries(f, e, to, payload)) {
		*act_out = f->act;
		return 0;
	}
	if (e->kind == CMD_SEND_LIST)
		return codec_write_list(to, f, payload, act_out);
	if (e->kind == CMD_FIRMWARE || e->kind == CMD_GET_LOG)
		return jobs_convert(to, f, e->request_id, payload, act_out);
	if (e->kind == CMD_CERTIFICATE)
		return certificate_convert(to, f, payload, act_out);
	if (e->kind == CMD_SET_PROFILE)
		return profile_write_message(to, f, e, payload, act_out);
	struct event said = said_in(e, to);
	int err = codec_write_call(to, &said, payload, act_out);
	if (!err && e->kind == CMD_TRIGGER && !fits(to, *act_out, false, buf_view(payload))) {
		buf_reset(payload);
		return ERR_UNSUPPORTED; /* nothing of that name is sent by a station of that version */
	}
	return err;
}

/* --- answers --- */

/* Words that only one version has, and the nearest that the other has: who reads an answer wants to know whether it was a yes. */
static const struct {
	const char *word, *near;
} near_words[] = {
	{ "UnknownConnector", "UnlockFailed" },
	{ "OngoingAuthorizedTransaction", "UnlockFailed" },
	{ "Scheduled", "Accepted" },
	{ "NotSupported", "Rejected" },
	{ "NotSupported", "Failed" },
	{ "NoProfiles", "Unknown" },
};

/* 2.x has room for a reason beside most statuses; where there is none it is left off. */
static void put_reason(enum ocpp_version to, const struct action *act, const struct reply *r, struct buf *text)
{
	struct buf member = { 0 }, longer = { 0 };
	struct json_writer w;
	if (!r->reason.p)
		return;
	buf_puts(&member, "\"statusInfo\":");
	jw_open(&w, &member);
	jw_object(&w, NULL);
	jw_text(&w, "reasonCode", r->reason);
	if (r->info.n)
		jw_text(&w, "additionalInfo", r->info);
	jw_end(&w, '}');
	splice_insert_member(&longer, buf_view(text), buf_view(text), buf_view(&member));
	buf_free(&member);
	if (!fits(to, act, true, buf_view(&longer))) {
		buf_free(&longer);
		return;
	}
	buf_free(text);
	*text = longer;
}

static bool near_fits(enum ocpp_version to, const struct action *act, struct reply *r, struct buf *payload)
{
	for (size_t i = 0; i < sizeof(near_words) / sizeof(near_words[0]); i++) {
		if (!slice_is(r->status, near_words[i].word))
			continue;
		r->status = slice_of(near_words[i].near);
		buf_reset(payload);
		if (codec_write_answer(to, act, r, payload) == 0 && fits(to, act, true, buf_view(payload)))
			return true;
		r->status = slice_of(near_words[i].word);
	}
	return false;
}

int convert_reply(enum ocpp_version to, const struct action *act, struct reply *r, struct buf *payload)
{
	struct buf text = { 0 };
	struct reply nothing;
	int err = codec_write_answer(to, act, r, &text);
	if (!err && r->status.p && !fits(to, act, true, buf_view(&text)) && !near_fits(to, act, r, &text)) {
		buf_reset(&text);
		reply_init(&nothing);
		err = codec_write_answer(to, act, &nothing, &text);
	}
	if (!err)
		put_reason(to, act, r, &text);
	if (!err)
		buf_slice(payload, buf_view(&text));
	buf_free(&text);
	return err;
}

static bool answer_carries(const struct action *asked, const struct frame *answer, const struct action *act, enum ocpp_version to, struct slice tx)
{
	if (asked != act || tx.p)
		return false;
	return answer->version == to || fits(to, act, true, answer->payload);
}

int convert_answer(const struct action *asked, struct frame *answer, const struct action *act, enum ocpp_version to, struct slice tx,
                   struct buf *payload)
{
	struct arena mem = { 0 };
	struct reply r;
	if (answer->kind != FRAME_RESULT)
		return ERR_UNSUPPORTED;
	if (answer_carries(asked, answer, act, to, tx)) {
		buf_slice(payload, answer->payload);
		return 0;
	}
	int err = codec_read_answer(asked, answer, &mem, &r);
	if (!err) {
		if (tx.p)
			r.tx = tx;
		/* A CSMS that says nothing about the token of a transaction has nothing against it (2.x E01: only where a token was shown). */
		if (!r.token_status.p && codec_answer_names_tx(act))
			r.token_status = SLICE("Accepted");
		err = convert_reply(to, act, &r, payload);
	}
	arena_free(&mem);
	return err;
}

void convert_tx_status(bool ongoing, struct buf *payload)
{
	struct json_writer w;
	jw_open(&w, payload);
	jw_object(&w, NULL);
	jw_bool(&w, "ongoingIndicator", ongoing);
	jw_bool(&w, "messagesInQueue", false);
	jw_end(&w, '}');
}
