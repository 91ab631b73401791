/* Inside the TLS of this folder: what contexts of both sides share. */
#ifndef AMPGATE_GATEWAY_NET_TLS_LOCAL_H
#define AMPGATE_GATEWAY_NET_TLS_LOCAL_H

#include <openssl/ssl.h>

#include "gateway/net/tls.h"

/* Writes what OpenSSL said last, of a file or of nothing; ERR_TLS. */
int tls_failed(char why[TLS_WHY], const char *what, const char *file);
SSL_CTX *tls_context(const SSL_METHOD *method);                                              /* NULL: OpenSSL has none */
int tls_use_pair(SSL_CTX *ctx, const char *cert, const char *key, char why[TLS_WHY]) MUST_CHECK; /* cert NULL: fine, nothing is done */

/* What the server's authority says of the certificate it has just shown (RFC 6066, RFC 6960): X509_V_OK, or the X509_V_ERR_ for which the
 * handshake has to end. `hard`: no good word is as bad as a bad one; else only what is said to be revoked is refused, and what says of itself that
 * it must come with such a word and does not. */
long tls_staple_verdict(SSL *ssl, bool hard);

#endif
