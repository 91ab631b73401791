/* The way to a CSMS: its endpoints by priority, and one lane per station (OCPP 2.x Part 4 6: a local controller opens one WebSocket upwards
 * for each station, under the station's identity). Lanes reconnect with the standard's back-off (2.x Part 4 5.3), fail over to the next
 * endpoint at once, and go back to a better one after a while, the new connection first and the old one closed when it stands.
 * Loop thread. */
#ifndef AMPGATE_GATEWAY_UPLINK_H
#define AMPGATE_GATEWAY_UPLINK_H

#include "base/list.h"
#include "base/timer.h"
#include "gateway/conf/settings.h"
#include "gateway/net/tls.h"
#include "gateway/offline/pace.h"
#include "ocpp/link.h"

enum lane_state { LANE_OFF, LANE_CONNECTING, LANE_UP, LANE_WAITING };

struct uplink;
struct lane;

struct lane_events {
	void (*up)(void *owner);
	void (*failed)(void *owner, const struct link_end *why); /* an attempt failed; the next is already planned */
	void (*down)(void *owner, const struct link_end *why);   /* it was up */
	void (*text)(void *owner, struct slice text);
	void (*room)(void *owner);
};

struct lane {
	struct list in_uplink;
	struct uplink *uplink;
	enum lane_state state;
	bool inside;                   /* it ends in this box (gateway/group/group.h): no endpoint, no retries */
	struct link *link;             /* the connection in use or being opened */
	struct link *better;           /* one being opened to a better endpoint while `link` is up */
	int endpoint, better_endpoint; /* index into the uplink's endpoints */
	int interface, better_interface; /* index into the uplink's interfaces; 0 where there are none */
	int tried_interfaces;          /* that failed for this endpoint */
	int tried;                     /* endpoints that failed in this round */
	bool on_trial, better_on_trial; /* `link`, `better` show the certificate that is on trial (uplink-tls.h) */
	unsigned rounds;               /* rounds without success, for the back-off */
	struct timer retry;
	const char *identity;          /* towards the CSMS; borrowed from the owner */
	struct slice password;         /* borrowed; absent: none */
	enum ocpp_version version;
	const struct lane_events *events;
	void *owner;
	struct log log;
};

int uplink_open(const struct uplink_settings *conf, const char *state_dir, struct uplink **out) MUST_CHECK; /* logs why it cannot */
void uplink_close(struct uplink *u);                                                 /* its lanes are closed already */
void uplink_use(struct uplink *u, const struct uplink_settings *conf);               /* the same in all that its connections depend on */
const struct uplink_settings *uplink_conf(const struct uplink *u);
/* Roots or certificates of the own identity are other ones: connections from now on go by them. One that is on trial is tried by a connection of the
 * own identity, beside the one that it has; identity_certificate_settled tells how it went. */
void uplink_certificates_changed(struct uplink *u);
const char *uplink_tls_event(const struct uplink *u); /* the security event that its last failed handshake is, in the words of 2.x; NULL: none */
struct pace *uplink_pace(struct uplink *u); /* turns for what waited */

/* Starts connecting; `log` of the owner becomes the lane's parent. A lane that is open already is left alone. */
void lane_open(struct lane *l, struct uplink *u, const struct log *owner_log);
/* The same for a lane inside the box; takes the link, which is being opened. */
void lane_attach(struct lane *l, struct uplink *u, const struct log *owner_log, struct link *link);
void lane_close(struct lane *l, int code, const char *reason); /* no callback follows */
int lane_send(struct lane *l, struct slice text);              /* ERR_CLOSED while it is not up */

enum uplink_state { UPLINK_DOWN, UPLINK_CONNECTING, UPLINK_UP, UPLINK_AUTH_FAILED };
/* How the lanes of a multiplexed uplink travel. */
enum uplink_sharing { SHARING_NONE, SHARING_UNKNOWN, SHARING_SHARED, SHARING_SEPARATE };
struct uplink_view {
	const char *id;
	enum uplink_state state;
	size_t lanes, lanes_up;
	int endpoint;           /* that most lanes use, from 1 */
	const char *url;
	const char *interface;  /* NULL: as the system routes */
	int64_t since_us;       /* monotonic, of the state */
	int64_t rtt_us;         /* of the fastest lane's last ping; 0: not known */
	const char *fault;      /* why the last attempt failed; "" */
	enum uplink_sharing sharing;
	const char *separate_why; /* SHARING_SEPARATE: why */
	unsigned connections;   /* shared ones open now */
	uint64_t handshakes;    /* of shared ones so far */
	struct tls_client_view tls; /* all zero without TLS */
};
void uplink_view(const struct uplink *u, struct uplink_view *out);

/* The certificates that its servers have shown. */
void uplink_peers(const struct uplink *u, void (*see)(void *arg, const char *host, const struct cert_facts *f), void *arg);

/* Held: its lanes are closed and none is opened, as if the CSMS were out of reach. For trying out what happens then. */
void uplink_hold(struct uplink *u, bool held);

/* Moves all lanes to an endpoint (index from 0) now. */
int uplink_switch(struct uplink *u, int endpoint) MUST_CHECK;

#endif
