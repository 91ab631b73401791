/* The certificates of one of the box's own stations: PEM files in a folder of its own. Roots that a CSMS installed, and the station's own key
 * and certificate. Loop thread. */
#ifndef AMPGATE_GATEWAY_OWN_CERTS_H
#define AMPGATE_GATEWAY_OWN_CERTS_H

#include "base/buf.h"
#include "base/mem.h"
#include "ocpp/certs.h"

#define OWN_CERTS_MOST 20

/* ERR_INVALID: no certificate, or not valid now; ERR_FULL; ERR_STORAGE. What is there already stays as it is. */
int own_certs_install(const char *dir, const char *type, struct slice pem) MUST_CHECK;
size_t own_certs_list(const char *dir, struct arena *mem, struct certificate_id **out);
int own_certs_delete(const char *dir, const struct certificate_id *id) MUST_CHECK;
/* A new key, which waits beside the present one, and a request for it. */
int own_certs_request(const char *dir, const char *common_name, const char *organisation, struct buf *csr) MUST_CHECK;
/* The chain's first certificate belongs to the key that waits, is valid now, and leads to a root of the CSMS where one is installed: both take
 * the place of the present ones. ERR_INVALID else. */
int own_certs_take(const char *dir, struct slice chain) MUST_CHECK;

/* Who signs firmware: valid now and from a manufacturer's root that is installed. */
bool own_certs_trust_signer(const char *dir, struct slice pem);
/* Blocks for as long as the file takes to read. RSA-PSS or ECDSA with SHA-256 over all of it; signature in base64. */
bool own_certs_verify(const char *file, const char *pem, const char *signature);

#endif
