/* What a certificate says of itself, and certificates out of PEM text and files. OpenSSL's types go no further than who includes its headers. */
#ifndef AMPGATE_GATEWAY_PKI_CERT_H
#define AMPGATE_GATEWAY_PKI_CERT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct x509_st;
struct stack_st_X509;

struct cert_facts {
	char subject[128], issuer[128]; /* the CN, else the O, else "" */
	char serial[48];                /* hex, upper case, no zeros in front */
	char fingerprint[65];           /* SHA-256, hex */
	int64_t starts_us, ends_us;     /* wall */
	bool authority;                 /* it may issue others */
};
void cert_facts(struct x509_st *x, struct cert_facts *out);
int64_t cert_ends_us(const struct x509_st *x); /* wall; 0: it does not say so that we understand */
bool cert_is_valid_now(const struct x509_st *x);
/* RFC 7633: no connection without a word of its authority that it is not revoked. */
bool cert_must_staple(const struct x509_st *x);

/* The first in the text, or NULL; all of them, never NULL. The caller's. */
struct x509_st *cert_read(struct slice pem);
struct stack_st_X509 *cert_read_all(struct slice pem);
/* The first in the file; NULL: there is none. */
struct x509_st *cert_read_file(const char *path);

/* Each certificate in a file, or in the files of a directory that end in .pem or .crt; `file` names the one it is in. ERR_NOT_FOUND: not one
 * certificate could be read. */
int cert_each(const char *path, void (*see)(void *arg, const char *file, struct x509_st *x), void *arg);

#endif
