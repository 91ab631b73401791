/* What the files of the authority share, gateway/pki/authority*.c: its root, as opened for an act, and the pieces of certificates. */
#ifndef AMPGATE_GATEWAY_PKI_AUTHORITY_LOCAL_H
#define AMPGATE_GATEWAY_PKI_AUTHORITY_LOCAL_H

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "gateway/pki/authority.h"

#define DAY_S 86400

struct authority {
	const char *dir;
	X509 *root;
	EVP_PKEY *key;
};

/* ERR_NOT_FOUND, ERR_STORAGE with the reason; else to be closed. */
int authority_open(const char *dir, struct authority *a, char why[AUTHORITY_WHY]);
void authority_close(struct authority *a);
/* `err` again, with its reason and what OpenSSL says to it. */
int authority_fail(char why[AUTHORITY_WHY], int err, const char *text);
int64_t authority_now_s(void);

/* Each false when it does not fit. */
bool cert_put_name(X509_NAME *name, const char *field, const char *value); /* no value: nothing to do */
bool cert_put_serial(X509 *x);                                             /* one that nobody can guess */
bool cert_put_times(X509 *x, int64_t ends_s);                              /* from a day ago */
bool cert_put_extension(X509 *x, X509 *issuer, int nid, const char *value);

#endif
