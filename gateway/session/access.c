/* The decision on a station's WebSocket request, and its hand-over. */
#include "gateway/session/access.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "gateway/net/tls.h"
#include "gateway/pki/authority.h"
#include "gateway/pki/expiry.h"
#include "gateway/session/learnt.h"
#include "gateway/session/proofs.h"
#include "gateway/session/raised.h"
#include "gateway/session/refusals.h"
#include "gateway/session/session.h"

#define HEAD_MOST 8192
#define CONNECTIONS_MOST 4096
#define HEADS_MOST 512
#define QUEUE_MOST (1024 * 1024)
#define PASSWORD_MOST 128

struct access {
	struct gateway *gw;
	const struct listener_settings *conf;
	struct listener *listener;
	struct tls_server *tls;
	struct log log;
};

static bool same_bytes(struct slice a, const char *b, size_t n)
{
	unsigned char differ = a.n != n;
	for (size_t i = 0; i < a.n; i++)
		differ |= (unsigned char)(a.p[i] ^ (n ? b[i % n] : 0));
	return !differ;
}

bool access_password_matches(struct slice shown, const char *configured)
{
	char bytes[PASSWORD_MOST];
	size_t n = strlen(configured);
	bool same = same_bytes(shown, configured, n);
	int raw = hex_parse((struct slice){ configured, n }, bytes, sizeof(bytes));
	if (raw > 0)
		same |= same_bytes(shown, bytes, (size_t)raw);
	return same;
}

/* OCPP identifierString (2.x Part 4 3.1), and at most what our own records hold. Configured stations may be called anything. */
static bool identity_is_plain(struct slice id)
{
	if (!id.n || id.n > 48)
		return false;
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("*-_=:+|@. ", c));
		if (!plain)
			return false;
	}
	return true;
}

static int profile_of(const struct ws_request *rq)
{
	if (rq->tls)
		return rq->has_certificate ? 3 : 2;
	return rq->has_credentials ? 1 : 0;
}

static void refuse(struct ws_verdict *v, int status, const char *reason)
{
	*v = (struct ws_verdict){ .status = status, .version = -1, .reason = reason };
}

/* The authority vouches for many stations: whose certificate it is says its CN, which is the station's serial number by the standards (2.x
 * A00.FR.405), its identity where nothing else is configured; and O, the operator's name (A00.FR.404). */
static bool certificate_fits(const struct access *a, const struct station_settings *conf, const struct ws_request *rq)
{
	const char *cn = conf->certificate_cn ? conf->certificate_cn : conf->id, *o = a->conf->tls ? a->conf->tls->client_o : NULL;
	return slice_is(rq->client_cn, cn) && (!o || slice_is(rq->client_o, o));
}

static void choose_version(const struct station_settings *conf, const struct ws_request *rq, struct ws_verdict *v)
{
	enum ocpp_version ours[OCPP_VERSIONS];
	size_t n = 0;
	for (size_t i = 0; conf->subprotocols && conf->subprotocols[i] && n < OCPP_VERSIONS; i++) {
		int version = version_parse(slice_of(conf->subprotocols[i]));
		if (version >= 0)
			ours[n++] = (enum ocpp_version)version;
	}
	int chosen = version_choose(rq->subprotocols, ours, n);
	*v = (struct ws_verdict){ .status = 101, .version = chosen < 0 ? -1 : chosen };
	if (chosen < 0)
		v->reason = "no subprotocol in common";
}

static void on_proof(void *arg, uint64_t ticket)
{
	const struct access *a = arg;
	listener_again(a->listener, ticket);
}

/* A certificate takes the place of the password. */
static enum proof credentials_fit(struct access *a, struct session *s, const struct ws_request *rq)
{
	struct proof_ask ask = { .password = rq->password, .source = rq->source, .ticket = rq->ticket, .ready = on_proof, .arg = a };
	if (rq->has_certificate)
		return PROOF_RIGHT;
	enum proof r = rq->has_credentials && slice_eq(rq->user, rq->identity) ? learnt_fits(s, &ask) : PROOF_WRONG;
	bool open = !s->conf->password && !learnt_is_needed(s);
	return r == PROOF_WRONG && open ? PROOF_RIGHT : r;
}

/* The verdict of who has shown all that is needed but for the password. */
static void judge_credentials(struct access *a, struct session *s, const struct ws_request *rq, struct ws_verdict *v)
{
	switch (credentials_fit(a, s, rq)) {
	case PROOF_LATER:
		*v = (struct ws_verdict){ .status = WS_JUDGED_LATER };
		break;
	case PROOF_BUSY:
		refuse(v, 503, "too many passwords are being checked");
		break;
	case PROOF_WRONG:
		refuse(v, 401, rq->has_credentials ? "wrong user or password" : "no credentials");
		break;
	case PROOF_RIGHT:
		if (s->conf->password_relay && !rq->has_credentials)
			refuse(v, 401, "no credentials to relay");
		else
			choose_version(s->conf, rq, v);
		break;
	}
}

static void look_at(void *arg, const struct ws_request *rq, struct ws_verdict *v)
{
	struct access *a = arg;
	const struct station_settings *known = settings_station(a->gw->conf, rq->identity);
	if (!known && !identity_is_plain(rq->identity)) {
		refuse(v, 404, "identity is not one of OCPP");
		return;
	}
	if (!listener_is_for(a->conf, rq->identity)) {
		refuse(v, 403, "this listener is for other stations");
		return;
	}
	struct session *s = session_of(a->gw, rq->identity);
	if (!s || s->own || s->group) { /* the box's own are not on the network */
		refuse(v, 404, "unknown identity");
		return;
	}
	int least = s->conf->min_security_profile > a->conf->min_security_profile ? s->conf->min_security_profile : a->conf->min_security_profile;
	if (profile_of(rq) < least && !(least == 1 && !s->conf->password && !s->conf->password_relay))
		refuse(v, rq->tls || least == 1 ? 401 : 403, "security profile too low");
	else if (profile_of(rq) < raised_least(s))
		refuse(v, rq->tls || raised_least(s) == 1 ? 401 : 403, "below the security profile that it was raised to");
	else if (rq->has_certificate && !certificate_fits(a, s->conf, rq))
		refuse(v, 401, "the certificate is not this station's");
	else
		judge_credentials(a, s, rq, v);
}

static void judge(void *arg, const struct ws_request *rq, struct ws_verdict *v)
{
	look_at(arg, rq, v);
	if (v->status != WS_JUDGED_LATER && (v->status != 101 || v->version < 0))
		refusal_note(rq->identity, v->status, v->reason ? v->reason : "refused");
}

static void accepted(void *arg, const struct ws_request *rq, struct link *l)
{
	struct access *a = arg;
	struct session *s = session_of(a->gw, rq->identity);
	s->profile = profile_of(rq);
	refusal_over(rq->identity);
	raised_seen(s, s->profile);
	if (s->conf->password_relay) {
		mem_free((char *)s->credential.p);
		s->credential = (struct slice){ mem_text(rq->password), rq->password.n };
		session_password_changed(s);
	}
	if (rq->certificate)
		expiry_station(s, rq->certificate);
	session_attach(s, l);
}

static int open_tls(struct access *a, struct tls_server **out)
{
	const struct tls_settings *conf = a->conf->tls;
	struct tls_server_config t = { .cert = conf->cert, .key = conf->key, .cert2 = conf->second_cert, .key2 = conf->second_key,
		.client_ca = conf->client_ca, .client_crl = conf->client_crl, .old_peers = conf->old_stations };
	char fault[TLS_WHY] = "", root[AUTHORITY_PATH], list[AUTHORITY_PATH];
	authority_root(a->gw->state_dir, root);
	authority_list(a->gw->state_dir, list);
	if (conf->pki == PKI_LOCAL && !authority_is_there(a->gw->state_dir)) {
		log_warn(&a->log, "pki is local, and there is no local authority: ampgate pki init makes one");
	} else if (conf->pki == PKI_LOCAL) {
		t.local_ca = root;
		t.local_crl = list;
	}
	int err = tls_server_open(&t, out, fault);
	if (err)
		log_error(&a->log, "TLS cannot be set up: %s", fault);
	return err;
}

int access_open(struct gateway *g, const struct listener_settings *conf, struct access **out)
{
	struct access *a = NEW(struct access);
	a->gw = g;
	a->conf = conf;
	a->log = (struct log){ NULL, "listener", conf->id };
	int err = conf->tls ? open_tls(a, &a->tls) : 0;
	struct listener_config c = { .address = conf->address, .port = conf->port, .tls = a->tls, .head_most = HEAD_MOST,
		.message_most = (size_t)conf->max_message_bytes, .queue_most = QUEUE_MOST, .connections_most = CONNECTIONS_MOST,
		.heads_most = HEADS_MOST, .ping_us = conf->ping_us,
		.pong_timeout_us = conf->ping_us, .deflate = true, .judge = judge, .accepted = accepted, .arg = a };
	if (!err) {
		err = listener_open(&c, &a->listener);
		if (err)
			log_error(&a->log, "cannot listen on %s port %d: %s", conf->address, conf->port, err_text(err));
	}
	if (err) {
		access_close(a);
		return err;
	}
	log_info(&a->log, "stations connect to %s port %d%s", conf->address, listener_port(a->listener), conf->tls ? " by TLS" : "");
	*out = a;
	return 0;
}

int access_use(struct access *a, const struct listener_settings *conf)
{
	struct tls_server *fresh = NULL;
	a->conf = conf;
	if (!conf->tls)
		return 0;
	int err = open_tls(a, &fresh);
	if (err)
		return err;
	listener_use_tls(a->listener, fresh);
	tls_server_free(&a->tls);
	a->tls = fresh;
	return 0;
}

const char *access_id(const struct access *a)
{
	return a->conf->id;
}

void access_close(struct access *a)
{
	if (!a)
		return;
	proofs_forget(a);
	if (a->listener)
		listener_close(a->listener);
	tls_server_free(&a->tls);
	mem_free(a);
}
