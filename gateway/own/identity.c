/* Easy to get wrong: the group's limit must survive a restart of the box, and count before the CSMS is there again; so the station keeps its
 * profiles (station/host.h), and what they allow is applied as soon as it is open. */
#include "gateway/own/identity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "config.h"
#include "gateway/group/group.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/own/alarm.h"
#include "gateway/own/own-host.h"
#include "gateway/pki/expiry.h"
#include "gateway/power/announce.h"
#include "gateway/power/grid-inputs.h"
#include "gateway/session/session.h"
#include "gateway/session/uplink-tls.h"
#include "ocpp/version.h"
#include "station/link-local.h"
#include "station/station.h"

#define REBOOT_US US_PER_S
#define CALL_TIMEOUT_US (30 * US_PER_S)
#define FOR_EVER_US (INT64_MAX / 4)
#define MEMBERS_MOST 2400 /* bytes; a reported value has 2,500 at most */

struct identity {
	struct gateway *gw;
	const char *id;
	enum ocpp_version version;
	struct station *station;
	struct own_host *host;        /* its memory, logs, files and certificates */
	struct link *link;
	struct timer reconnect;
	double group_a;
	int cap;                      /* of the group's limit; 0: none */
};

static struct {
	struct gateway *gw;
	struct identity *all;
	size_t n;
} boxes;

/* --- its link --- */

static void connect_session(void *arg);

static void on_up(void *arg, struct link *l)
{
	const struct identity *b = arg;
	station_link_up(b->station, l);
}

static void on_text(void *arg, struct link *l, struct slice text)
{
	const struct identity *b = arg;
	(void)l;
	station_text(b->station, text);
}

static void on_room(void *arg, struct link *l)
{
	const struct identity *b = arg;
	(void)l;
	station_room(b->station);
}

/* A reset ends the link; it comes back as after a reboot. */
static void on_down(void *arg, struct link *l, const struct link_end *why)
{
	struct identity *b = arg;
	(void)why;
	b->link = NULL;
	station_link_down(b->station);
	link_release(l);
	timer_set(&b->reconnect, REBOOT_US, connect_session, b);
}

static const struct link_events link_events = { .up = on_up, .text = on_text, .room = on_room, .down = on_down };

static void connect_session(void *arg)
{
	struct identity *b = arg;
	struct link *gateway_end;
	struct session *s = session_of(b->gw, slice_of(b->id));
	if (!s)
		return;
	link_local_pair(b->version, b->id, &b->link, &gateway_end);
	b->link->events = &link_events;
	b->link->owner = b;
	session_attach(s, gateway_end);
}

/* --- the group --- */

static void tell_group(const struct identity *b, double amps, int64_t profile)
{
	char args[96];
	if (isinf(amps))
		snprintf(args, sizeof(args), "{\"limit_a\":null}");
	else
		snprintf(args, sizeof(args), "{\"limit_a\":%.1f,\"profile\":%lld}", amps, (long long)profile);
	telemetry_event(b->gw, "group.limit", "info", b->id, args);
	log_info(NULL, "%s: the CSMS limits all cars together: %s", b->id, args);
}

static void lift_group(struct identity *b)
{
	if (b->cap && control_cap_clear(b->gw->control, b->cap) != 0)
		log_debug(NULL, "%s: the group's limit was gone already", b->id);
	b->cap = 0;
}

/* All cars below the grid connection, by phase. */
static void limit_group(struct identity *b, double amps, const char *owner)
{
	int32_t ma = amps < 1e6 ? (int32_t)floor(amps * 1000) : 1000000000;
	struct cap_conf cap = { .node = 0, .evse = -1, .line = { { ma, ma, ma } }, .power_w = -1, .devices = true, .reason = "csms_group",
		.owner = owner, .until_us = FOR_EVER_US };
	int id = control_cap_put(b->gw->control, b->cap, &cap);
	if (id < 0)
		log_error(NULL, "%s: the group's limit of %.1f A cannot be applied: %s", b->id, amps, err_text(id));
	else
		b->cap = id;
}

static void on_group(void *arg, double amps, int64_t profile, int64_t until_us)
{
	struct identity *b = arg;
	char owner[64];
	snprintf(owner, sizeof(owner), "%s/%lld", b->id, (long long)profile);
	if (amps != b->group_a) {
		b->group_a = amps;
		tell_group(b, amps, profile);
		if (isinf(amps))
			lift_group(b);
		else
			limit_group(b, amps, owner);
	}
	grid_inputs_csms(b->id, amps, owner, until_us); /* its tick finds the cap in place */
}

static const char *on_members(void *arg, struct arena *mem)
{
	const struct identity *b = arg;
	struct buf list = { 0 };
	size_t at = 0;
	const struct session *s;
	while ((s = map_next(&b->gw->sessions, &at, NULL))) {
		if (s->link && strcmp(s->id, b->id) != 0 && list.n + strlen(s->id) < MEMBERS_MOST)
			buf_printf(&list, "%s%s", list.n ? "," : "", s->id);
	}
	const char *text = arena_text(mem, buf_view(&list));
	buf_free(&list);
	return text;
}

static double on_outer(void *arg, const char **source_out)
{
	const struct identity *b = arg;
	return announce_outer_a(b->gw, source_out);
}

static void on_output(void *arg, int evse, bool close, int32_t offered_ma)
{
	(void)arg;
	(void)evse;
	(void)close;
	(void)offered_ma;
}

static const struct station_events events = { .output = on_output, .group = on_group, .outer = on_outer, .members = on_members };

/* --- life --- */

static void open_one(struct gateway *g, const struct uplink_settings *u, struct identity *b)
{
	static const struct station_preset checked[] = { { "SecurityCtrlr.AdditionalRootCertificateCheck", "true" }, { NULL, NULL } };
	*b = (struct identity){ .gw = g, .id = u->own_identity, .version = (enum ocpp_version)u->own_version, .group_a = INFINITY };
	b->host = own_host_open(g, b->id, g->conf->site.id);
	struct station_conf conf = {
		.id = b->id,
		.version = b->version,
		.vendor = "ampgate",
		.model = "ampgate",
		.serial = g->conf->site.id,
		.firmware = PACKAGE_VERSION,
		.phases = 3,
		.max_ma = INT32_MAX,
		.call_timeout_us = CALL_TIMEOUT_US,
		.security_profile = u->security_profile,
		.security_events = true,
		.presets = u->additional_root_check ? checked : NULL,
		.host = own_host_ops(b->host),
		.host_arg = b->host,
	};
	b->station = station_open(&conf, &events, b);
	own_host_serves(b->host, b->station);
	connect_session(b);
}

static struct identity *identity_of(const char *id)
{
	for (size_t i = 0; i < boxes.n; i++)
		if (id && strcmp(boxes.all[i].id, id) == 0)
			return &boxes.all[i];
	return NULL;
}

static const struct uplink_settings *uplink_of(const char *identity)
{
	const struct settings *conf = boxes.gw->conf;
	size_t i = 0;
	while (i < conf->n_uplinks && !str_same(uplink_tls_identity(&conf->uplinks[i]), identity))
		i++;
	return i < conf->n_uplinks ? &conf->uplinks[i] : NULL;
}

void identity_certificate_settled(const char *identity, bool good, const char *why)
{
	struct buf args = { 0 };
	if (!boxes.gw)
		return;
	if (!good) {
		buf_puts(&args, "{\"why\":");
		json_quote(&args, slice_of(why));
		buf_puts(&args, "}");
		alarm_raise(boxes.gw, "DiscardedRenewedClientCertificate", why, uplink_of(identity));
	}
	expiry_look();
	telemetry_event(boxes.gw, good ? "certificate.renewed" : "certificate.refused", good ? "info" : "warning", identity, args.p);
	buf_free(&args);
}

void identity_security_event(const char *identity, const char *type, const char *info)
{
	const struct identity *b = identity_of(identity);
	if (b)
		station_security_event(b->station, type, info);
}

int identity_renew(const struct gateway *g, const char *uplink)
{
	for (size_t i = 0; i < g->conf->n_uplinks; i++) {
		const struct identity *b = strcmp(g->conf->uplinks[i].id, uplink) == 0 ? identity_of(g->conf->uplinks[i].own_identity) : NULL;
		const struct session *s = b ? session_find(g, b->id) : NULL;
		struct group *group = strcmp(g->conf->uplinks[i].id, uplink) == 0 && g->conf->uplinks[i].security_profile == 3 ? group_find(g, uplink) : NULL;
		if (group)
			return group_renew(group);
		if (b)
			return s && session_lane_is_up(s) ? station_ask_certificate(b->station) : ERR_CLOSED;
	}
	return ERR_NOT_FOUND;
}

int identities_open(struct gateway *g)
{
	boxes.gw = g;
	boxes.all = mem_new((g->conf->n_uplinks + 1) * sizeof(*boxes.all));
	for (size_t i = 0; i < g->conf->n_uplinks; i++)
		if (g->conf->uplinks[i].own_identity)
			open_one(g, &g->conf->uplinks[i], &boxes.all[boxes.n++]);
	return 0;
}

bool identity_reporting(const char *id, struct station_reporting *out)
{
	for (size_t i = 0; i < boxes.n; i++) {
		if (strcmp(boxes.all[i].id, id) != 0)
			continue;
		*out = station_reporting(boxes.all[i].station);
		return true;
	}
	return false;
}

void identities_close(struct gateway *g)
{
	(void)g;
	for (size_t i = 0; i < boxes.n; i++) {
		struct identity *b = &boxes.all[i];
		timer_cancel(&b->reconnect);
		if (b->link)
			link_release(b->link);
		b->link = NULL;
		station_close(b->station);
		own_host_close(b->host);
	}
	mem_free(boxes.all);
	memset(&boxes, 0, sizeof(boxes));
}
