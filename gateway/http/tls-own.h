/* The certificate that the box makes for its console: nobody vouches for it, so its fingerprint is what a person compares. Loop thread. */
#ifndef AMPGATE_GATEWAY_TLS_OWN_H
#define AMPGATE_GATEWAY_TLS_OWN_H

#include "base/error.h"
#include "base/buf.h"

struct tls_own {
	struct buf cert, key; /* paths */
	char fingerprint[96]; /* SHA-256, "AB:CD:..." */
	int64_t expires_us;   /* wall */
};

/* Finds or makes DIR/tls/console.crt and .key (ECDSA P-256, ten years), naming this host, `names` (NULL-terminated, or NULL) and its addresses. Also
 * made anew when the old one has ended. Logs why it cannot. */
int tls_own_open(const char *dir, const char *const *names, struct tls_own *out) MUST_CHECK;
void tls_own_free(struct tls_own *t);

/* Of any PEM certificate. ERR_SYNTAX, ERR_NOT_FOUND. */
int tls_cert_look(const char *path, char fingerprint_out[96], int64_t *expires_us_out) MUST_CHECK;

#endif
