/* TLS contexts.
 *
 * OpenSSL picks among several certificates of one context by the suites the peer offers: one slot per kind of key. Easy to get wrong: the RSA
 * key exchange suites have no forward secrecy and are not in anybody's default list, yet the standards ask a server for them, so they are
 * named, last; and OpenSSL writes with write(2), so SIGPIPE must be ignored where TLS is used. */
#include "gateway/net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "gateway/net/tls-local.h"

#define SUITES_12                                                                                                                            \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"                                         \
	"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305:AES128-GCM-SHA256:AES256-GCM-SHA384"

/* The only one of these that a version before 1.2 has; OpenSSL counts its digests as too weak for any level above 0. */
#define SUITES_OLD SUITES_12 ":AES128-SHA:@SECLEVEL=0"

struct tls_server {
	SSL_CTX *ctx;
};

int tls_failed(char why[TLS_WHY], const char *what, const char *file)
{
	unsigned long first = ERR_peek_error();
	const char *reason = ERR_GET_LIB(first) == ERR_LIB_SYS ? err_text(-(int)ERR_GET_REASON(first)) : ERR_reason_error_string(first);
	snprintf(why, TLS_WHY, "%s%s%s: %s", what, file ? " " : "", file ? file : "", reason ? reason : "OpenSSL gives no reason");
	return ERR_TLS;
}

SSL_CTX *tls_context(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);
	if (!ctx)
		return NULL;
	signal(SIGPIPE, SIG_IGN);
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* resumption by ticket costs the server no memory */
	if (SSL_CTX_set_cipher_list(ctx, SUITES_12) == 1)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

int tls_use_pair(SSL_CTX *ctx, const char *cert, const char *key, char why[TLS_WHY])
{
	if (!cert)
		return 0;
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		return tls_failed(why, "certificate", cert);
	if (SSL_CTX_use_PrivateKey_file(ctx, key ? key : cert, SSL_FILETYPE_PEM) != 1)
		return tls_failed(why, "key", key ? key : cert);
	if (SSL_CTX_check_private_key(ctx) != 1)
		return tls_failed(why, "key does not belong to certificate", cert);
	return 0;
}

/* Believes an authority, by its list of what it took back where there is one. */
static int believe(SSL_CTX *ctx, STACK_OF(X509_NAME) *names, const char *ca, const char *crl, char why[TLS_WHY])
{
	X509_STORE *roots = SSL_CTX_get_cert_store(ctx);
	if (!ca)
		return 0;
	if (SSL_add_file_cert_subjects_to_stack(names, ca) != 1 || SSL_CTX_load_verify_file(ctx, ca) != 1)
		return tls_failed(why, "client roots", ca);
	if (crl && X509_load_crl_file(X509_STORE_add_lookup(roots, X509_LOOKUP_file()), crl, X509_FILETYPE_PEM) < 1)
		return tls_failed(why, "revocation list", crl);
	if (crl)
		X509_STORE_set_flags(roots, X509_V_FLAG_CRL_CHECK);
	return 0;
}

static int ask_clients(SSL_CTX *ctx, const struct tls_server_config *c, char why[TLS_WHY])
{
	if (!c->client_ca && !c->local_ca)
		return 0;
	STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
	int err = believe(ctx, names, c->client_ca, c->client_crl, why);
	if (!err)
		err = believe(ctx, names, c->local_ca, c->local_crl, why);
	SSL_CTX_set_client_CA_list(ctx, names); /* takes them */
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | (c->require_client ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
	return err;
}

static int open_to_old(SSL_CTX *ctx, const struct tls_server_config *c, char why[TLS_WHY])
{
	if (!c->old_peers)
		return 0;
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION) == 1 && SSL_CTX_set_cipher_list(ctx, SUITES_OLD) == 1)
		return 0;
	return tls_failed(why, "TLS 1.0", NULL);
}

int tls_server_open(const struct tls_server_config *c, struct tls_server **out, char why[TLS_WHY])
{
	ERR_clear_error();
	SSL_CTX *ctx = tls_context(TLS_server_method());
	int err = ctx ? open_to_old(ctx, c, why) : tls_failed(why, "TLS", NULL);
	if (!err)
		err = tls_use_pair(ctx, c->cert, c->key, why);
	if (!err)
		err = tls_use_pair(ctx, c->cert2, c->key2, why);
	if (!err)
		err = ask_clients(ctx, c, why);
	if (err) {
		SSL_CTX_free(ctx);
		return err;
	}
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"ampgate", 7);
	*out = NEW(struct tls_server);
	(*out)->ctx = ctx;
	return 0;
}

void tls_server_free(struct tls_server **t)
{
	if (*t)
		SSL_CTX_free((*t)->ctx);
	mem_free(*t);
	*t = NULL;
}

struct ssl_st *tls_server_new(struct tls_server *t)
{
	SSL *ssl = SSL_new(t->ctx);
	if (!ssl)
		abort(); /* out of memory, as in base/mem */
	SSL_set_accept_state(ssl);
	return ssl;
}
