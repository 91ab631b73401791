/* A new key and the request for a certificate for it (PKCS #10). */
#ifndef AMPGATE_GATEWAY_PKI_REQUEST_H
#define AMPGATE_GATEWAY_PKI_REQUEST_H

#include "base/buf.h"

/* ECDSA, P-256, both as PEM. The caller wipes the key (request_wipe). ERR_INVALID: a name that does not fit a certificate. */
int request_make(const char *common_name, const char *organisation, struct buf *key, struct buf *csr) MUST_CHECK;
void request_wipe(struct buf *key); /* overwritten, then freed */

#endif
