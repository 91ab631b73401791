/* AdditionalRootCertificateCheck (2.x M05, 1.6 security whitepaper 7.1): who takes the place of the root of the CSMS. A new root has to be signed by
 * the one before; both count until a connection leads to the new one; then the one before is gone. Files of an own station (own-certs.h). */
#ifndef AMPGATE_GATEWAY_OWN_ROOTS_H
#define AMPGATE_GATEWAY_OWN_ROOTS_H

#include "base/error.h"
#include "base/str.h"

/* Whether this root may be installed. `ca`: those of the configuration, a file or a directory; NULL: the system's, which sign nothing. ERR_INVALID: no
 * root that counts has signed it; ERR_FULL: one waits for its first connection already. */
int own_roots_may_follow(const char *dir, const char *ca, struct slice pem) MUST_CHECK;

/* `leads` says whether a connection led to the certificate with this fingerprint. If one led to the newest that is installed, the others are removed
 * and those of the configuration do not count any more; true: so it is now, and was not before. */
bool own_roots_settle(const char *dir, bool (*leads)(void *arg, const char *fingerprint), void *arg);
bool own_roots_replace(const char *dir); /* those of the configuration do not count any more */

#endif
