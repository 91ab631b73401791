/* TLS contexts: what a listener shows and what a dialler believes. 1.2 and newer; the four suites that the standards ask of a server (2.x
 * A00.FR.318, 421) and those of 1.3; no compression, no renegotiation. Contexts count their users: free one while links live on it. */
#ifndef AMPGATE_GATEWAY_TLS_H
#define AMPGATE_GATEWAY_TLS_H

#include <stdbool.h>

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
	bool require_client;       /* the handshake fails without one */
};
int tls_server_open(const struct tls_server_config *c, struct tls_server **out, char why[TLS_WHY]) MUST_CHECK;
void tls_server_free(struct tls_server **t);
struct ssl_st *tls_server_new(struct tls_server *t); /* for one connection; the caller's */

struct tls_client_config {
	const char *ca;            /* file of roots; NULL: the system's */
	const char *cert, *key;    /* our own certificate, or NULL */
	bool check_name;           /* the certificate must name the host: an alternative name, or the CN as the standards have it */
	bool insecure;             /* no check at all: for trying out only */
};
int tls_client_open(const struct tls_client_config *c, struct tls_client **out, char why[TLS_WHY]) MUST_CHECK;
void tls_client_free(struct tls_client **t);
struct ssl_st *tls_client_new(struct tls_client *t, const char *host); /* host: name or address, for SNI and the check */

#endif
