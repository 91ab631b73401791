/* How an uplink does TLS: whom it believes, and what it shows of itself. Where the box has an identity of its own on the uplink (own_identity),
 * the CSMS may install roots and renew the box's certificate by that identity's messages (2.x A02, M05; 1.6 security extension): they are files
 * in that identity's folder (own/own-certs.h) and count beside `ca`, and in place of `cert` and `key`. Loop thread. */
#ifndef AMPGATE_GATEWAY_SESSION_UPLINK_TLS_H
#define AMPGATE_GATEWAY_SESSION_UPLINK_TLS_H

#include "gateway/conf/settings.h"
#include "gateway/net/tls.h"

struct uplink_tls;

/* Whose messages the box's own certificate and roots come by: the own identity, or that of an aggregate; NULL: nobody's. */
static inline const char *uplink_tls_identity(const struct uplink_settings *conf)
{
	return conf->mode == UPLINK_AGGREGATE ? conf->identity : conf->own_identity;
}

/* *out is NULL where no endpoint has TLS; every call below bears that. `conf` is borrowed. */
int uplink_tls_open(const struct uplink_settings *conf, const char *state_dir, struct uplink_tls **out, char why[TLS_WHY]) MUST_CHECK;
void uplink_tls_use(struct uplink_tls *t, const struct uplink_settings *conf); /* the same in all that matters here */
void uplink_tls_close(struct uplink_tls **t);

/* For connections from now on. Borrowed until the next call of uplink_tls_reread or uplink_tls_settle. */
struct tls_client *uplink_tls_client(const struct uplink_tls *t);
/* The same with the certificate that the CSMS has issued and that no connection has been made with yet; NULL: there is none such. */
struct tls_client *uplink_tls_trial(const struct uplink_tls *t);

/* Profile 3, and there is no certificate to show. */
bool uplink_tls_is_bare(const struct uplink_tls *t);

/* Reads the folder of the own identity again. What cannot be read leaves things as they are; ERR_TLS then. */
int uplink_tls_reread(struct uplink_tls *t, char why[TLS_WHY]) MUST_CHECK;
/* The trial is over: its certificate takes the place of the present one, or is thrown away. */
void uplink_tls_settle(struct uplink_tls *t, bool good);

/* With additional_root_check: whether a connection has led to the newest root that the CSMS installed, so that it is the only one now. To be read again
 * then. */
bool uplink_tls_root_settled(struct uplink_tls *t);

/* One like uplink_tls_client, without what that one remembers; the caller's. */
int uplink_tls_fresh(const struct uplink_settings *conf, const char *state_dir, struct tls_client **out, char why[TLS_WHY]) MUST_CHECK;

#endif
