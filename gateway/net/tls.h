/* TLS contexts: what a listener shows and what a dialler believes. 1.2 and newer, unless said otherwise; the four suites that the standards ask of a server (2.x
 * A00.FR.318, 421) and those of 1.3; no compression, no renegotiation. Contexts count their users: free one while links live on it. */
#ifndef AMPGATE_GATEWAY_TLS_H
#define AMPGATE_GATEWAY_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct ssl_st;
struct tls_server;
struct tls_client;

#define TLS_WHY 256 /* room for the reason of a failure, in English, with the file it is about */

/* PEM files. A certificate file may hold the chain behind it, which is then sent. */
struct tls_server_config {
	const char *cert, *key;
	const char *cert2, *key2;  /* the second kind of key (ECDSA beside RSA, either order), or NULL */
	const char *client_ca;     /* roots of client certificates; NULL: none are asked for */
	const char *client_crl;    /* revocation lists of these roots; NULL: nobody looks. With one, a root without a list, or an old one, accepts nobody */
	const char *local_ca, *local_crl; /* the same two of the box's own authority, beside the others; NULL: it is not believed */
	bool require_client;       /* the handshake fails without one */
	bool old_peers;            /* TLS 1.0 and 1.1 too, with the suite that the standard leaves to them (1.6 Security A00.FR.313, 314) */
};
int tls_server_open(const struct tls_server_config *c, struct tls_server **out, char why[TLS_WHY]) MUST_CHECK;
void tls_server_free(struct tls_server **t);
struct ssl_st *tls_server_new(struct tls_server *t); /* for one connection; the caller's */

enum tls_ocsp { TLS_OCSP_SOFT, TLS_OCSP_HARD, TLS_OCSP_OFF };

struct tls_client_config {
	const char *ca;            /* roots: a file, or a directory of .pem and .crt files; NULL: the system's */
	const char *const *more_ca; /* files of further roots, NULL behind the last; NULL: none. What cannot be read is passed over */
	const char *cert, *key;    /* our own certificate, or NULL */
	bool check_name;           /* the certificate must name the host: an alternative name, or the CN as the standards have it */
	bool insecure;             /* no check at all: for trying out only */
	enum tls_ocsp ocsp;        /* soft: what the server's staple says is revoked is refused; hard: so is a server without a good one */
};
int tls_client_open(const struct tls_client_config *c, struct tls_client **out, char why[TLS_WHY]) MUST_CHECK;
void tls_client_free(struct tls_client **t);
/* host: name or address, for SNI and the check; with the port it names the server whose session is resumed. */
struct ssl_st *tls_client_new(struct tls_client *t, const char *host, const char *port);
/* How the handshake of such a connection ended: a session that did not do is not tried again. */
void tls_client_done(struct ssl_st *ssl, bool well);

/* Whether a server's certificate led to, or through, the authority with this fingerprint at its last handshake that was looked at. */
bool tls_client_led_to(const struct tls_client *t, const char *fingerprint);

/* Why the last handshake that failed did. */
enum tls_fault { TLS_FAULT_OTHER, TLS_FAULT_CERTIFICATE, TLS_FAULT_VERSION, TLS_FAULT_SUITE };
enum tls_fault tls_client_fault(const struct tls_client *t);

struct tls_client_view {
	uint64_t handshakes, resumed; /* that went well so far; of these, by a session from before */
	size_t sessions;              /* kept now */
};
void tls_client_view(const struct tls_client *t, struct tls_client_view *out);
/* The certificates that servers have shown, the newest of each. */
struct cert_facts;
void tls_client_peers(const struct tls_client *t, void (*see)(void *arg, const char *host, const struct cert_facts *f), void *arg);

#endif
