/* A station's certificate names the station as the box knows it (certificate_cn, else its identity), whatever its request says: who asked is known by
 * the connection it asked on. Easy to get wrong: a certificate that was taken back must not come in by a TLS session from before, so listeners
 * get new contexts, whose tickets are new too. */
#include "gateway/pki/signing.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "gateway/conf/reload.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/pki/cert.h"
#include "gateway/pki/expiry.h"
#include "gateway/session/session.h"
#include "ocpp/certs.h"

#define DAYS 365
#define DAY_US (24 * 3600 * US_PER_S)
#define ROOT_MOST 16384
#define JUST_NOW_S 5
#define CLOCK_US (5 * US_PER_S) /* how often the clock is looked at while nobody vouches for it */

static struct {
	struct gateway *g;
	struct timer daily;
	bool by_guess; /* the list is from a time that nobody vouched for */
} sg;

/* ---- SignCertificate ---- */

bool signing_is_ours(const struct session *s, struct frame *f)
{
	if (!slice_is(f->action, "SignCertificate") || s->own || s->group || !certificate_request_of(f).p)
		return false;
	return s->conf->uplink ? s->conf->uplink->pki == PKI_LOCAL : authority_is_there(s->gw->state_dir);
}

static void tell(struct session *s, const char *code, const char *severity, const char *why)
{
	struct buf args = { 0 };
	if (why) {
		buf_puts(&args, "{\"why\":");
		json_quote(&args, slice_of(why));
		buf_puts(&args, "}");
	}
	telemetry_event(s->gw, code, severity, s->id, args.p);
	buf_free(&args);
}

static void on_signed(void *arg, struct call *c, int err, struct frame *answer)
{
	struct session *s = arg;
	(void)c;
	bool taken = answer && slice_is(json_text(frame_tree(answer), "status"), "Accepted");
	if (taken)
		log_info(&s->log, "it has its new certificate");
	else
		log_warn(&s->log, "it does not take its new certificate%s%s", err ? ": " : "", err ? err_text(err) : "");
	tell(s, taken ? "certificate.issued" : "certificate.not_taken", taken ? "info" : "warning", NULL);
}

static void send_signed(struct session *s, struct slice pem)
{
	struct buf payload = { 0 };
	const struct action *act;
	int err = certificate_write_signed(s->version, pem, &payload, &act);
	if (!err)
		err = session_call(s, slice_of(act->name), buf_view(&payload), on_signed, s);
	if (err)
		log_warn(&s->log, "its new certificate cannot be sent: %s", err_text(err));
	buf_free(&payload);
}

void signing_answer(struct session *s, struct frame *f)
{
	char why[AUTHORITY_WHY];
	struct buf pem = { 0 };
	struct authority_ask ask = { .kind = ISSUED_STATION, .name = s->conf->certificate_cn ? s->conf->certificate_cn : s->id, .days = DAYS };
	int err = authority_issue(s->gw->state_dir, certificate_request_of(f), &ask, &pem, why);
	session_answer(s, f->id, err ? SLICE("{\"status\":\"Rejected\"}") : SLICE("{\"status\":\"Accepted\"}"));
	if (err) {
		log_warn(&s->log, "no certificate is issued: %s", why);
		tell(s, "certificate.denied", "warning", why);
	} else {
		send_signed(s, buf_view(&pem));
	}
	buf_free(&pem);
}

/* ---- roots, renewal ---- */

int signing_install(struct session *s, call_done *done, void *arg)
{
	char path[AUTHORITY_PATH];
	struct buf pem = { 0 }, payload = { 0 };
	const struct action *act;
	authority_root(s->gw->state_dir, path);
	int err = file_read(path, ROOT_MOST, &pem) == 0 ? 0 : ERR_NOT_FOUND;
	if (!err)
		err = certificate_write_root(s->version, buf_view(&pem), &payload, &act);
	if (!err)
		err = session_call(s, slice_of(act->name), buf_view(&payload), done, arg);
	buf_free(&pem);
	buf_free(&payload);
	return err;
}

int signing_trigger(struct session *s, call_done *done, void *arg)
{
	struct buf payload = { 0 };
	const struct action *act;
	int err = certificate_write_trigger(s->version, &payload, &act);
	if (!err)
		err = session_call(s, slice_of(act->name), buf_view(&payload), done, arg);
	buf_free(&payload);
	return err;
}

/* ---- taking back ---- */

/* Of those taken back just now; the others have lost theirs already. */
static void see_revoked(void *arg, const struct issued *i)
{
	struct gateway *g = arg;
	size_t at = 0;
	struct session *s;
	if (i->revoked_s < clock_wall_us() / US_PER_S - JUST_NOW_S)
		return;
	while ((s = map_next(&g->sessions, &at, NULL))) {
		if (!s->link || !expiry_station_shows(s, i->serial))
			continue;
		log_info(&s->log, "its certificate was taken back, the connection ends");
		link_close(s->link, 1008, "certificate revoked");
	}
}

void signing_changed(struct gateway *g)
{
	reload_certificates(g);
}

int signing_revoke(struct gateway *g, const char *which, char why[AUTHORITY_WHY])
{
	int n = authority_revoke(g->state_dir, which, why);
	if (n <= 0)
		return n;
	signing_changed(g);
	(void)!authority_each(g->state_dir, see_revoked, g);
	return n;
}

/* ---- life ---- */

static void renew_list(void)
{
	char why[AUTHORITY_WHY];
	if (authority_is_there(sg.g->state_dir) && authority_renew_list(sg.g->state_dir, why) != 0)
		log_error(NULL, "local authority: %s; without a list that holds, its certificates are refused in a week", why);
}

static void on_day(void *arg);

/* A list that was made by a clock that nobody vouched for may be overdue by the right one: it is made again as soon as the time is known. */
static void renew_later(void)
{
	sg.by_guess = !clock_trusted();
	timer_set(&sg.daily, sg.by_guess ? CLOCK_US : DAY_US, on_day, NULL);
}

static void on_day(void *arg)
{
	(void)arg;
	if (sg.by_guess && !clock_trusted()) {
		renew_later();
		return;
	}
	renew_list();
	if (authority_is_there(sg.g->state_dir))
		signing_changed(sg.g);
	renew_later();
}

int signing_open(struct gateway *g)
{
	sg.g = g;
	renew_list();
	renew_later();
	return 0;
}

void signing_close(void)
{
	timer_cancel(&sg.daily);
	memset(&sg, 0, sizeof(sg));
}
