/* The ends of all certificates that the box uses or knows of: its own for listeners and console, those it shows a CSMS, roots that it was given or
 * that were installed, what CSMSs and stations showed at their handshakes. 90, 30 and 7 days before the end, and at it, each is told once: in
 * the log and as an event. Loop thread. */
#ifndef AMPGATE_GATEWAY_PKI_EXPIRY_H
#define AMPGATE_GATEWAY_PKI_EXPIRY_H

#include "gateway/gateway.h"
#include "gateway/pki/cert.h"

int expiry_open(struct gateway *g) MUST_CHECK; /* the store is open, the sessions are */
void expiry_close(void);
/* Something may be another one now: everything is looked at again, in a moment. Fine before the opening. */
void expiry_look(void);
/* A station has shown this certificate; it is remembered over restarts. */
void expiry_station(struct session *s, struct x509_st *shown);

/* Whether that is the certificate it showed last. */
bool expiry_station_shows(struct session *s, const char *serial);

/* How near an end is. A distance that the certificate never had is none: one for a day is not about to end for all its life. */
enum expiry_level { EXPIRY_FAR, EXPIRY_90, EXPIRY_30, EXPIRY_7, EXPIRY_OVER };
enum expiry_level expiry_level(const struct cert_facts *f, int64_t now_us);

struct expiry_view {
	const char *use;   /* "server", "client", "csms", "station" ... */
	const char *name;  /* of the entry, the uplink, the station */
	const char *file;  /* NULL: it was seen at a handshake */
	struct cert_facts facts;
};
/* As of the last look. */
void expiry_each(void (*see)(void *arg, const struct expiry_view *v), void *arg);

#endif
