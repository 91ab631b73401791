/* What the files of the check share, gateway/conf/check*.c: the question, and how its messages are made. */
#ifndef AMPGATE_GATEWAY_CHECK_LOCAL_H
#define AMPGATE_GATEWAY_CHECK_LOCAL_H

#include "gateway/conf/check.h"
#include "gateway/conf/settings-tables.h"

struct checking {
	const struct settings *s;
	struct conf_report *report;
	struct buf *proofs; /* NULL: not wanted */
};

static inline void warn_at(struct checking *c, const struct conf_node *n, const char *hint, const char *text)
{
	conf_say(c->report, CONF_WARNING, n->kind == CONF_MAP && n->key ? &n->key_pos : &n->pos, hint, "%s", text);
}

static inline void refuse_keys(struct checking *c, const struct conf_node *map, const char *keys, const char *why)
{
	check_refuse_keys(c->report, map, keys, why);
}

static inline void need(struct checking *c, const struct conf_node *map, bool there, const char *key, const char *why)
{
	if (!there)
		settings_wrong(c->report, map, "missing key '%s', needed %s", key, why);
}

/* --- check-listen.c: the ways in --- */
void check_listeners(struct checking *c);                                     /* certificates, listeners, the console's among them */
/* Who has this port in the configuration, in words; NULL: nobody. */
const char *check_port_taken(const struct settings *s, const char *address, int port);
void check_way_in(struct checking *c, const struct station_settings *st);
void check_password(struct checking *c, const struct station_settings *st);

/* --- check-device.c: what is wired to the box --- */
void check_buses(struct checking *c);
void check_meters(struct checking *c);                                        /* and the plugins that are loaded */
void check_evse(struct checking *c, const struct evse_settings *e);

/* --- check-uplink.c: the ways out --- */
void check_uplink(struct checking *c, const struct uplink_settings *u);
void check_member(struct checking *c, const struct station_settings *st);     /* of an aggregate, or not */
void check_shown(struct checking *c, const struct uplink_settings *u, bool relayed); /* the password that the CSMS is shown */
void check_identities(struct checking *c);
void check_mqtt(struct checking *c);
void check_sink(struct checking *c, const struct sink_settings *k);

#endif
