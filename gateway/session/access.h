/* Who may connect as a station: identity, credentials, security profile and OCPP version of a WebSocket request (OCPP 2.x A00, 1.6-J 3, and
 * the security whitepaper). Accepted links go to their sessions. Loop thread. */
#ifndef AMPGATE_GATEWAY_ACCESS_H
#define AMPGATE_GATEWAY_ACCESS_H

#include "gateway/gateway.h"
#include "gateway/net/listen.h"

struct access; /* one per listener */

int access_open(struct gateway *g, const struct listener_settings *conf, struct access **out) MUST_CHECK; /* logs why it cannot */
void access_close(struct access *a);
/* The same listener by other settings that need no new socket; its certificate is read again, for those who connect from now on. What cannot be
 * read is logged, and the one before stays. */
int access_use(struct access *a, const struct listener_settings *conf) MUST_CHECK;
const char *access_id(const struct access *a);

/* Compares a password as shown with the one configured: as text, or as the hex digits of its bytes (stations are known that send the hex
 * text itself, and others that send the bytes). Takes the same time wherever they differ. */
bool access_password_matches(struct slice shown, const char *configured);

#endif
