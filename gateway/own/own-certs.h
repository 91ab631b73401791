/* The certificates of one of the box's own stations: PEM files in a folder of its own. Roots that a CSMS installed, and the station's own key
 * and certificate. Loop thread. */
#ifndef AMPGATE_GATEWAY_OWN_CERTS_H
#define AMPGATE_GATEWAY_OWN_CERTS_H

#include "base/buf.h"
#include "base/mem.h"
#include "ocpp/certs.h"

#define OWN_CERTS_MOST 20
#define OWN_CERTS_PATH 600

/* Where those of a station are, below the state directory; the caller's. */
char *own_certs_dir(const char *state_dir, const char *station);

/* ERR_INVALID: no certificate, or not valid now; ERR_FULL; ERR_STORAGE. What is there already stays as it is. */
int own_certs_install(const char *dir, const char *type, struct slice pem) MUST_CHECK;
size_t own_certs_list(const char *dir, struct arena *mem, struct certificate_id **out);
int own_certs_delete(const char *dir, const struct certificate_id *id) MUST_CHECK;
/* A new key, which waits beside the present one, and a request for it. */
int own_certs_request(const char *dir, const char *common_name, const char *organisation, struct buf *csr) MUST_CHECK;
/* The chain's first certificate belongs to the key that waits, is valid now, and leads to a root of the CSMS where one is installed: both take
 * the place of the present ones. ERR_INVALID else. */
int own_certs_take(const char *dir, struct slice chain) MUST_CHECK;

/* For who makes connections with it: the same, but the present ones stay until own_certs_settle says which of the two is to be used. It may also lead
 * to a root in `more`, a file or directory; NULL: none. */
int own_certs_take_on_trial(const char *dir, const char *more, struct slice chain) MUST_CHECK;
void own_certs_settle(const char *dir, bool good);
enum own_pair { OWN_PRESENT, OWN_TRIAL };
bool own_certs_pair(const char *dir, enum own_pair which, char path_out[OWN_CERTS_PATH]); /* key and chain in one file; false: there is none */
/* Wall time at which the present certificate ends, or the one in the file `otherwise` where there is none; 0: neither is there. */
int64_t own_certs_end(const char *dir, const char *otherwise);
/* Files of the roots of a type, NULL behind the last. */
const char *const *own_certs_roots(const char *dir, const char *type, struct arena *mem);

/* Who signs firmware: valid now and from a manufacturer's root that is installed. */
bool own_certs_trust_signer(const char *dir, struct slice pem);
/* Blocks for as long as the file takes to read. RSA-PSS or ECDSA with SHA-256 over all of it; signature in base64. */
bool own_certs_verify(const char *file, const char *pem, const char *signature);

#endif
