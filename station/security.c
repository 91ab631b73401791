/* Keys, certificates and security events. The host keeps and checks certificates; here are the conversation about them and its repetitions.
 *
 *   a new key -> SignCertificate -> accepted, the certificate is waited for -> CertificateSigned, the host takes it
 *                                \-- none comes: again, the wait doubled each time (2.0.1 A02.FR.17 to 19)
 *
 * Events that have to arrive wait for the registration, oldest first out when there are too many (A04.FR.02). */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "station/commands.h"
#include "station/inside.h"

#define EVENTS_MOST 50

static const struct station_host *host_of(const struct station *s)
{
	return s->conf.host;
}

/* Events */

struct waiting_event {
	struct list entry;
	int64_t wall_us;
	const char *type;
	char info[256];
};

static void send_event(struct station *s, const struct waiting_event *e)
{
	struct event ev;
	event_init(&ev, EV_SECURITY);
	ev.word = dialect_security_event(s->dialect, slice_of(e->type));
	ev.time_us = e->wall_us;
	ev.value = text_or_absent(e->info);
	wire_tell(&s->wire, &ev);
}

void station_security_event(struct station *s, const char *type, const char *info)
{
	struct waiting_event e = { .wall_us = clock_wall_us(), .type = type };
	put_text(e.info, sizeof(e.info), slice_of(info));
	if (host_of(s) && host_of(s)->log_security)
		host_of(s)->log_security(s->conf.host_arg, e.wall_us, type, slice_of(info));
	if (!s->conf.security_events)
		return;
	if (station_talks(s)) {
		send_event(s, &e);
		return;
	}
	struct waiting_event *kept = NEW(struct waiting_event);
	*kept = e;
	list_append(&s->security.waiting, &kept->entry);
	if (++s->security.n_waiting > EVENTS_MOST) {
		struct waiting_event *oldest = LIST_TOP(&s->security.waiting, struct waiting_event, entry);
		list_remove(&oldest->entry);
		mem_free(oldest);
		s->security.n_waiting--;
	}
}

void security_flow(struct station *s)
{
	LIST_WALK(&s->security.waiting, struct waiting_event, entry, e) {
		send_event(s, e);
		list_remove(&e->entry);
		mem_free(e);
		s->security.n_waiting--;
	}
}

/* Passwords */

int security_set_password(struct station *s, struct slice password)
{
	const struct station_host *h = host_of(s);
	if (!h || !h->set_password || password.n < 16 || password.n > 40)
		return ERR_REFUSED; /* 2.0.1 A00.FR.205: at least 16 characters, 40 at most */
	int err = h->set_password(s->conf.host_arg, password);
	if (!err)
		station_security_event(s, "ReconfigurationOfSecurityParameters", "a new password");
	return err;
}

/* A new certificate for the station */

static void on_wait_over(void *arg);

static void wait_for_it(struct station *s)
{
	int64_t wait_us = keys_int(&s->keys, KEY_SIGNING_WAIT) * US_PER_S;
	for (int64_t i = 0; i < s->security.repeated; i++)
		wait_us *= 2;
	timer_set(&s->security.wait, wait_us, on_wait_over, s);
}

static void on_asked(void *arg, int err, const struct reply *r)
{
	struct station *s = arg;
	if (s->closing || err || !slice_is(r->status, "Accepted")) {
		log_warn(&s->log, "the CSMS does not sign our certificate");
		return;
	}
	wait_for_it(s);
}

static int ask_to_sign(struct station *s, const char *type)
{
	const struct station_host *h = host_of(s);
	const struct action *act;
	struct buf csr = { 0 }, payload = { 0 };
	int err = h && h->make_request ? h->make_request(s->conf.host_arg, type, keys_text(&s->keys, KEY_ORGANISATION), &csr) : ERR_UNSUPPORTED;
	if (!err)
		err = certificate_write_request(s->conf.version, type, buf_view(&csr), &payload, &act);
	if (!err)
		err = wire_ask_text(&s->wire, act, buf_view(&payload), NULL, on_asked, s);
	if (err)
		log_warn(&s->log, "no certificate was asked for: %s", err_text(err));
	buf_free(&csr);
	buf_free(&payload);
	return err;
}

static void on_wait_over(void *arg)
{
	struct station *s = arg;
	if (s->security.repeated++ < keys_int(&s->keys, KEY_SIGNING_TIMES))
		ask_to_sign(s, "ChargingStationCertificate");
}

bool security_can_ask(const struct station *s)
{
	return host_of(s) && host_of(s)->make_request && host_of(s)->take_certificate;
}

void security_ask(struct station *s)
{
	s->security.repeated = 0;
	timer_cancel(&s->security.wait);
	ask_to_sign(s, "ChargingStationCertificate");
}

int station_ask_certificate(struct station *s)
{
	if (!security_can_ask(s))
		return ERR_UNSUPPORTED;
	security_ask(s);
	return 0;
}

/* CertificateSigned */

static void after_bad_chain(struct station *s, struct request *q)
{
	(void)q;
	station_security_event(s, "InvalidChargingStationCertificate", "");
}

void security_signed(struct station *s, struct request *q)
{
	const struct station_host *h = host_of(s);
	struct certificate_ask ask;
	certificate_ask_read(q->f, &ask);
	bool ours = !ask.type.p || slice_is(ask.type, "ChargingStationCertificate");
	int err = h && h->take_certificate && ours ? h->take_certificate(s->conf.host_arg, "ChargingStationCertificate", ask.pem) : ERR_REFUSED;
	if (!err)
		timer_cancel(&s->security.wait);
	else if (err == ERR_INVALID)
		q->after = after_bad_chain; /* and no repetition (A02.FR.20) */
	if (err == ERR_INVALID)
		timer_cancel(&s->security.wait);
	answer_if(q, !err);
}

/* Roots */

static void after_bad_root(struct station *s, struct request *q)
{
	(void)q;
	station_security_event(s, "InvalidCsmsCertificate", "");
}

void security_install(struct station *s, struct request *q)
{
	const struct station_host *h = host_of(s);
	struct certificate_ask ask;
	certificate_ask_read(q->f, &ask);
	const char *type = arena_text(&q->mem, ask.type.p ? ask.type : SLICE(""));
	int err = h && h->install_certificate ? h->install_certificate(s->conf.host_arg, type, ask.pem) : ERR_REFUSED;
	bool of_csms = strcmp(type, "CSMSRootCertificate") == 0;
	q->after = err == ERR_INVALID && of_csms ? after_bad_root : NULL;
	answer(q, !err ? "Accepted" : err == ERR_STORAGE ? "Failed" : "Rejected");
}

static size_t all(const struct station *s, struct arena *mem, struct certificate_id **out)
{
	const struct station_host *h = host_of(s);
	*out = NULL;
	return h && h->certificates ? h->certificates(s->conf.host_arg, mem, out) : 0;
}

size_t security_count(const struct station *s)
{
	struct arena mem = { 0 };
	struct certificate_id *ids;
	size_t n = all(s, &mem, &ids);
	arena_free(&mem);
	return n;
}

static bool is_own(const struct certificate_id *id)
{
	return strcmp(id->type, "ChargingStationCertificate") == 0;
}

void security_list(struct station *s, struct request *q)
{
	struct certificate_id *ids, *wanted;
	size_t n = all(s, &q->mem, &ids), found = 0;
	wanted = arena_new(&q->mem, (n + 1) * sizeof(*wanted));
	for (size_t i = 0; i < n; i++) {
		if (!is_own(&ids[i]) && certificates_wanted(q->f, ids[i].type))
			wanted[found++] = ids[i];
	}
	certificates_write_answer(q->f, wanted, found, &q->payload);
}

/* The station's own certificate is not deleted (2.0.1 M04.FR.06). */
void security_delete(struct station *s, struct request *q)
{
	const struct station_host *h = host_of(s);
	struct certificate_ask ask;
	struct certificate_id *ids;
	size_t n = all(s, &q->mem, &ids);
	const char *status = "NotFound";
	certificate_ask_read(q->f, &ask);
	for (size_t i = 0; i < n; i++) {
		if (!certificate_ask_is(&ask, &ids[i]))
			continue;
		bool gone = !is_own(&ids[i]) && h->delete_certificate && h->delete_certificate(s->conf.host_arg, &ids[i]) == 0;
		status = gone ? "Accepted" : "Failed";
		break;
	}
	answer(q, status);
}

void security_open(struct station *s)
{
	list_init(&s->security.waiting);
}

void security_close(struct station *s)
{
	timer_cancel(&s->security.wait);
	LIST_WALK(&s->security.waiting, struct waiting_event, entry, e) {
		list_remove(&e->entry);
		mem_free(e);
	}
}
