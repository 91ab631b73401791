/* The box's own lane to a CSMS (uplinks.X.own_identity): a station without EVSEs, as OCPP has a local controller (2.x Part 1, 8 and Part 4, 6).
 * It is one of our stations in-process, so boot, device model, settings, reports, logs, monitors and security events are the same code that
 * outlets have. What its charging profiles allow the station is the limit of the group: of all cars together, other loads do not count
 * (2.0.1 K03). Loop thread. */
#ifndef AMPGATE_GATEWAY_IDENTITY_H
#define AMPGATE_GATEWAY_IDENTITY_H

#include "gateway/gateway.h"
#include "station/station.h"

int identities_open(struct gateway *g) MUST_CHECK;
/* How it wants limits told. False: no identity of ours. */
bool identity_reporting(const char *id, struct station_reporting *out);
void identities_close(struct gateway *g);

/* The CSMS has taken the box's new certificate, or turned it away (session/uplink.h). */
void identity_certificate_settled(const char *identity, bool good, const char *why);
/* A security event of the box, told by this identity; nothing where it is none of ours. */
void identity_security_event(const char *identity, const char *type, const char *info);
/* Asks for a new certificate by the identity of an uplink: a new key, SignCertificate. ERR_NOT_FOUND: it has none; ERR_CLOSED: it is
 * not connected. */
int identity_renew(const struct gateway *g, const char *uplink) MUST_CHECK;

#endif
