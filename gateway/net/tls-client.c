/* The dialling side: roots, the check of the name, and sessions to resume.
 *
 * A session that a server hands out (a ticket, or an id in TLS 1.2) is kept per host and port, in memory, and offered at the next handshake:
 * that saves the certificates on the wire and the signatures on both sides. It carries over what the first handshake found about the server's
 * certificate, so it counts for a time only, and not beyond the certificate's end.
 *
 * Easy to get wrong: OpenSSL spoils a session whose connection broke without a farewell, which is when it is needed most, so connections get
 * copies; in TLS 1.3 tickets arrive with the first data, when whoever made the connection may have let go of its tls_client: what they are put
 * into is counted by its users. */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/net/tls-local.h"
#include "gateway/pki/cert.h"

#define HOSTS_MOST 16                       /* an uplink has a handful of endpoints */
#define CHAIN_MOST 4
#define RESUME_US (12 * 3600 * US_PER_S)    /* after the handshake that looked at the certificate */

/* One server, as we know it. */
struct known {
	char *host;                         /* "csms.example:443" */
	SSL_SESSION *session;               /* NULL: none to resume */
	int64_t looked_us;                  /* monotonic: when its certificate was looked at */
	struct cert_facts facts;            /* of that certificate */
	char chain[CHAIN_MOST][65];         /* fingerprints of the authorities that it led to */
};

struct tls_memory {
	unsigned users;                     /* the tls_client and its connections */
	struct known hosts[HOSTS_MOST];
	size_t n;
	enum tls_fault fault;               /* of the last handshake that failed */
};

struct tls_client {
	SSL_CTX *ctx;
	bool check_name;
	enum tls_ocsp ocsp;
	struct tls_memory *memory;
};

/* What a connection carries with it. */
struct attempt {
	struct tls_memory *memory;
	char *host;
	int64_t looked_us;                  /* of the session it offers */
	bool hard;
};

static void memory_release(struct tls_memory *m)
{
	if (--m->users)
		return;
	for (size_t i = 0; i < m->n; i++) {
		mem_free(m->hosts[i].host);
		SSL_SESSION_free(m->hosts[i].session);
	}
	mem_free(m);
}

static void free_attempt(void *parent, void *p, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
	struct attempt *a = p;
	(void)parent, (void)ad, (void)index, (void)argl, (void)argp;
	if (!a)
		return;
	memory_release(a->memory);
	mem_free(a->host);
	mem_free(a);
}

static int attempt_slot(void)
{
	static int slot = -1;
	if (slot < 0)
		slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_attempt);
	return slot;
}

/* The entry of a host; with `make` the oldest gives its place where all are taken. */
static struct known *known(struct tls_memory *m, const char *host, bool make)
{
	struct known *oldest = &m->hosts[0];
	for (size_t i = 0; i < m->n; i++) {
		if (strcmp(m->hosts[i].host, host) == 0)
			return &m->hosts[i];
		if (m->hosts[i].looked_us < oldest->looked_us)
			oldest = &m->hosts[i];
	}
	if (!make)
		return NULL;
	struct known *k = m->n < HOSTS_MOST ? &m->hosts[m->n++] : oldest;
	mem_free(k->host);
	SSL_SESSION_free(k->session);
	*k = (struct known){ .host = mem_strdup(host) };
	return k;
}

/* A session to keep. 0: the reference stays OpenSSL's. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
	const struct attempt *a = SSL_get_ex_data(ssl, attempt_slot());
	X509 *shown = SSL_SESSION_get0_peer(session);
	SSL_SESSION *copy = a && SSL_SESSION_is_resumable(session) ? SSL_SESSION_dup(session) : NULL;
	if (!copy)
		return 0;
	struct known *k = known(a->memory, a->host, true);
	SSL_SESSION_free(k->session);
	k->session = copy;
	k->looked_us = SSL_session_reused(ssl) ? a->looked_us : clock_mono_us();
	if (shown)
		cert_facts(shown, &k->facts);
	return 0;
}

static int on_staple(SSL *ssl, void *arg)
{
	const struct attempt *a = SSL_get_ex_data(ssl, attempt_slot());
	(void)arg;
	if (!a || SSL_session_reused(ssl))
		return 1;
	long verdict = tls_staple_verdict(ssl, a->hard);
	if (verdict != X509_V_OK)
		SSL_set_verify_result(ssl, verdict);
	return verdict == X509_V_OK;
}

/* ---- roots ---- */

static void add_root(void *arg, const char *file, X509 *x)
{
	(void)file;
	X509_STORE_add_cert(arg, x);
}

static int load_roots(SSL_CTX *ctx, const struct tls_client_config *c, char why[TLS_WHY])
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	if (c->insecure)
		return 0;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN); /* what was given is believed, also one that another has signed */
	if (c->ca && cert_each(c->ca, add_root, store) != 0) {
		snprintf(why, TLS_WHY, "roots %s: %s", c->ca, access(c->ca, R_OK) != 0 ? err_text(-errno) : "there is no certificate");
		return ERR_TLS;
	}
	if (!c->ca && SSL_CTX_set_default_verify_paths(ctx) != 1)
		return tls_failed(why, "roots", NULL);
	for (const char *const *more = c->more_ca; more && *more; more++)
		(void)!cert_each(*more, add_root, store);
	return 0;
}

/* ---- life ---- */

int tls_client_open(const struct tls_client_config *c, struct tls_client **out, char why[TLS_WHY])
{
	ERR_clear_error();
	SSL_CTX *ctx = tls_context(TLS_client_method());
	int err = ctx ? load_roots(ctx, c, why) : tls_failed(why, "TLS", NULL);
	if (!err)
		err = tls_use_pair(ctx, c->cert, c->key, why);
	if (err) {
		SSL_CTX_free(ctx);
		return err;
	}
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_session);
	SSL_CTX_set_tlsext_status_cb(ctx, on_staple);
	*out = NEW(struct tls_client);
	(*out)->ctx = ctx;
	(*out)->check_name = c->check_name && !c->insecure;
	(*out)->ocsp = c->insecure ? TLS_OCSP_OFF : c->ocsp;
	(*out)->memory = NEW(struct tls_memory);
	(*out)->memory->users = 1;
	return 0;
}

void tls_client_free(struct tls_client **t)
{
	if (*t) {
		SSL_CTX_free((*t)->ctx);
		memory_release((*t)->memory);
	}
	mem_free(*t);
	*t = NULL;
}

static bool is_address(const char *host)
{
	unsigned char bytes[16];
	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static void offer_session(SSL *ssl, struct attempt *a)
{
	struct known *k = known(a->memory, a->host, false);
	if (!k || !k->session || clock_mono_us() - k->looked_us > RESUME_US || k->facts.ends_us <= clock_wall_us())
		return;
	SSL_SESSION *copy = SSL_SESSION_dup(k->session);
	a->looked_us = k->looked_us;
	if (copy)
		SSL_set_session(ssl, copy);
	SSL_SESSION_free(copy);
}

static void attach(SSL *ssl, struct tls_client *t, const char *host, const char *port)
{
	struct attempt *a = NEW(struct attempt);
	a->host = mem_new(strlen(host) + strlen(port) + 2);
	sprintf(a->host, "%s:%s", host, port);
	a->memory = t->memory;
	a->memory->users++;
	a->hard = t->ocsp == TLS_OCSP_HARD;
	SSL_set_ex_data(ssl, attempt_slot(), a);
	if (t->ocsp != TLS_OCSP_OFF)
		SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
	offer_session(ssl, a);
}

static void check_name(SSL *ssl, const char *host)
{
	if (is_address(host)) {
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
		return;
	}
	/* The CN counts even where alternative names exist: certificates after the OCPP standards carry the host there (A00.FR.510 on). */
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	SSL_set1_host(ssl, host);
}

struct ssl_st *tls_client_new(struct tls_client *t, const char *host, const char *port)
{
	SSL *ssl = SSL_new(t->ctx);
	if (!ssl)
		abort(); /* out of memory, as in base/mem */
	SSL_set_connect_state(ssl);
	if (!is_address(host))
		SSL_set_tlsext_host_name(ssl, host);
	if (t->check_name)
		check_name(ssl, host);
	attach(ssl, t, host, port);
	return ssl;
}

static enum tls_fault fault_of(const SSL *ssl)
{
	if (SSL_get_verify_result(ssl) != X509_V_OK)
		return TLS_FAULT_CERTIFICATE;
	switch (ERR_GET_REASON(ERR_peek_error())) {
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_WRONG_SSL_VERSION:
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
		return TLS_FAULT_VERSION;
	case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
	case SSL_R_WRONG_CIPHER_RETURNED:
	case SSL_R_UNKNOWN_CIPHER_RETURNED:
	case SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY:
		return TLS_FAULT_SUITE;
	default:
		return TLS_FAULT_OTHER;
	}
}

enum tls_fault tls_client_fault(const struct tls_client *t)
{
	return t->memory->fault;
}

static void note_chain(const SSL *ssl, struct known *k)
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	memset(k->chain, 0, sizeof(k->chain));
	for (int i = 1; chain && i < sk_X509_num(chain) && i <= CHAIN_MOST; i++) {
		struct cert_facts f;
		cert_facts(sk_X509_value(chain, i), &f);
		memcpy(k->chain[i - 1], f.fingerprint, sizeof(f.fingerprint));
	}
}

bool tls_client_led_to(const struct tls_client *t, const char *fingerprint)
{
	for (size_t i = 0; i < t->memory->n; i++)
		for (int c = 0; c < CHAIN_MOST; c++)
			if (strcmp(t->memory->hosts[i].chain[c], fingerprint) == 0)
				return true;
	return false;
}

void tls_client_done(struct ssl_st *ssl, bool well)
{
	const struct attempt *a = SSL_get_ex_data(ssl, attempt_slot());
	if (a && !well)
		a->memory->fault = fault_of(ssl);
	X509 *shown = SSL_get0_peer_certificate(ssl);
	struct known *k = a ? known(a->memory, a->host, well) : NULL;
	if (!k)
		return;
	if (well && shown && !SSL_session_reused(ssl)) {
		cert_facts(shown, &k->facts);
		note_chain(ssl, k);
		k->looked_us = clock_mono_us();
	} else if (!well) {
		SSL_SESSION_free(k->session);
		k->session = NULL;
	}
}

void tls_client_view(const struct tls_client *t, struct tls_client_view *out)
{
	*out = (struct tls_client_view){ .handshakes = (uint64_t)SSL_CTX_sess_connect_good(t->ctx), .resumed = (uint64_t)SSL_CTX_sess_hits(t->ctx) };
	for (size_t i = 0; i < t->memory->n; i++)
		out->sessions += t->memory->hosts[i].session != NULL;
}

void tls_client_peers(const struct tls_client *t, void (*see)(void *arg, const char *host, const struct cert_facts *f), void *arg)
{
	for (size_t i = 0; i < t->memory->n; i++)
		if (t->memory->hosts[i].facts.ends_us)
			see(arg, t->memory->hosts[i].host, &t->memory->hosts[i].facts);
}
