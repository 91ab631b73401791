/* The box's own authority at work: it answers SignCertificate of stations in place of a CSMS (uplinks.X.pki: local, or a station without an uplink),
 * gives stations its root, has them renew, and takes certificates back. Loop thread. */
#ifndef AMPGATE_GATEWAY_PKI_SIGNING_H
#define AMPGATE_GATEWAY_PKI_SIGNING_H

#include "gateway/gateway.h"
#include "gateway/pki/authority.h"
#include "ocpp/calls.h"
#include "ocpp/frame.h"

int signing_open(struct gateway *g) MUST_CHECK; /* before the listeners: the list of what was taken back is made anew, now and each day */
void signing_close(void);

/* Whether a station's CALL is for the authority here, and the answer to it. CertificateSigned follows. */
bool signing_is_ours(const struct session *s, struct frame *f);
void signing_answer(struct session *s, struct frame *f);

/* InstallCertificate of the root, and the word to ask for a new certificate. `done` as in session_call. ERR_UNSUPPORTED: not in its version. */
int signing_install(struct session *s, call_done *done, void *arg) MUST_CHECK;
int signing_trigger(struct session *s, call_done *done, void *arg) MUST_CHECK;
/* As authority_revoke; listeners refuse them from now on, and stations that are connected by one lose their connection. */
int signing_revoke(struct gateway *g, const char *which, char why[AUTHORITY_WHY]);
/* The root is there now, or another one. */
void signing_changed(struct gateway *g);

#endif
