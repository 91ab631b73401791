/* The ways out: uplinks and what they show a CSMS, identities that are seen there, and the broker.
 *
 * Easy to get wrong: stations of an aggregate have one identity for all, so what is an error for one mode is needed by the other; and an identity
 * is taken once towards us and once per uplink, by stations, EVSEs of the box and aggregates alike. */
#include <string.h>

#include "base/plugin.h"
#include "gateway/conf/check-local.h"
#include "gateway/manage/command.h"
#include "gateway/net/mux.h"

/* ---- uplinks ---- */

static bool is_secure(const char *url)
{
	return strncmp(url, "wss://", 6) == 0;
}

static void check_endpoints(struct checking *c, const struct uplink_settings *u, const struct conf_node *n)
{
	const struct conf_node *list = conf_child(n, "endpoints");
	for (const struct conf_node *e = list->first; e; e = e->next) {
		const struct conf_node *url = conf_child(e, "url");
		if (u->security_profile >= 2 && !is_secure(url->text))
			settings_wrong(c->report, url, "profile %d needs wss://", u->security_profile);
		else if (u->security_profile < 2 && is_secure(url->text))
			settings_wrong(c->report, url, "profile %d is without TLS: use 2 or 3 with wss://", u->security_profile);
	}
}

/* What makes many stations one, and nothing of it elsewhere. */
static void check_mode(struct checking *c, const struct uplink_settings *u, const struct conf_node *n)
{
	const struct conf_node *circuit = conf_child(n, "circuit");
	if (u->mode != UPLINK_AGGREGATE) {
		refuse_keys(c, n, "identity vendor model circuit", "unless mode is aggregate");
		if (u->version != UPLINK_AS_STATION)
			settings_wrong(c->report, conf_child(n, "version"), "every station speaks its own version unless mode is aggregate");
		return;
	}
	need(c, n, u->identity, "identity", "by mode aggregate");
	refuse_keys(c, n, "own_identity", "with mode aggregate, which has one identity for all");
	if (u->version == UPLINK_AS_STATION)
		settings_wrong(c->report, conf_child(n, "version") ? conf_child(n, "version") : n, "mode aggregate needs one version for all: ocpp1.6 or ocpp2.0.1");
	if (u->on_loss == ON_LOSS_MIRROR)
		settings_wrong(c->report, conf_child(n, "on_loss"), "stations of an aggregate are not disconnected: it has no effect in this mode");
	if (circuit && u->group_circuit && !settings_feeds_only(c->s, u->group_circuit, u))
		settings_wrong(c->report, circuit, "circuit '%s' does not feed all stations of this uplink and no others", u->group_circuit->id);
	else if (!u->group_circuit)
		warn_at(c, n, NULL, "no circuit feeds these stations and no others, so a limit for the whole will be refused");
}

static void check_multiplex(struct checking *c, const struct uplink_settings *u, const struct conf_node *n)
{
	if (u->mode != UPLINK_MULTIPLEX)
		return;
	if (u->security_profile < 2)
		settings_wrong(c->report, conf_child(n, "mode"), "mode multiplex needs TLS: security_profile 2 or 3 with wss://");
	else if (!mux_is_built())
		settings_wrong(c->report, conf_child(n, "mode"), "this program was built without HTTP/2 (configure --with-nghttp2)");
}

/* A member shows the CSMS nothing of its own. */
void check_member(struct checking *c, const struct station_settings *st)
{
	const struct conf_node *n = settings_node(c->s, "stations", st->id, NULL, NULL);
	bool member = st->uplink && st->uplink->mode == UPLINK_AGGREGATE;
	if (!member)
		refuse_keys(c, n, "replaces", "unless the uplink is an aggregate");
	else
		refuse_keys(c, n, "uplink_id", "on an uplink with mode aggregate");
	if (member && st->password_relay)
		settings_wrong(c->report, conf_child(n, "password") ? conf_child(n, "password") : n, "nothing can be relayed to an uplink with mode aggregate");
	if (member && st->replaces && settings_station(c->s, slice_of(st->replaces)))
		settings_wrong(c->report, conf_child(n, "replaces"), "station '%s' is still there", st->replaces);
}

void check_uplink(struct checking *c, const struct uplink_settings *u)
{
	const struct conf_node *n = settings_node(c->s, "uplinks", u->id, NULL, NULL);
	check_mode(c, u, n);
	check_multiplex(c, u, n);
	check_endpoints(c, u, n);
	if (u->security_profile == 3 && !((u->own_identity || u->mode == UPLINK_AGGREGATE) && !u->cert && !u->key)) { /* whose certificate the CSMS may have issued */
		need(c, n, u->cert, "cert", "by security_profile 3");
		need(c, n, u->key, "key", "by security_profile 3");
	} else if (u->security_profile < 3) {
		refuse_keys(c, n, "cert key", "below security_profile 3");
	}
	if (u->security_profile == 0 || u->security_profile == 3)
		refuse_keys(c, n, "password user", "with this security_profile");
	if (u->security_profile < 2)
		refuse_keys(c, n, "ca check_name ocsp", "below security_profile 2");
	if (!u->own_identity || u->security_profile < 2)
		refuse_keys(c, n, "additional_root_check", "without own_identity and TLS");
}

/* Profiles 1 and 2 show a password for everyone on the uplink. */
void check_shown(struct checking *c, const struct uplink_settings *u, bool relayed)
{
	if (u && !relayed && !u->password && (u->security_profile == 1 || u->security_profile == 2))
		settings_wrong(c->report, settings_node(c->s, "uplinks", u->id, NULL, NULL), "missing key 'password', needed by security_profile %d",
			u->security_profile);
}

/* ---- identities ---- */

struct identities {
	struct map by_name; /* "station G-01", "uplink cpo G-01" -> what has it */
	struct arena mem;
};

static void claim(struct checking *c, struct identities *ids, char *name, const struct conf_node *n, const char *where)
{
	const struct conf_node *other = map_get(&ids->by_name, slice_of(name));
	if (other)
		settings_wrong(c->report, n, "'%s' has the same identity%s", other->key, where);
	else
		map_put(&ids->by_name, slice_of(name), (void *)n);
}

void check_identities(struct checking *c)
{
	struct identities ids = { 0 };
	for (size_t i = 0; i < c->s->n_stations; i++) {
		const struct station_settings *st = &c->s->stations[i];
		const struct conf_node *n = settings_node(c->s, "stations", st->id, NULL, NULL);
		claim(c, &ids, arena_printf(&ids.mem, "/%s", st->id), n, "");
		if (st->uplink && st->uplink->mode != UPLINK_AGGREGATE)
			claim(c, &ids, arena_printf(&ids.mem, "%s/%s", st->uplink->id, st->uplink_id), n, " towards the CSMS");
	}
	for (size_t i = 0; i < c->s->n_evses; i++) {
		const struct evse_settings *e = &c->s->evses[i];
		const struct conf_node *n = settings_node(c->s, "evses", e->id, NULL, NULL);
		if (e->evse > 1)
			continue; /* its station has claimed */
		claim(c, &ids, arena_printf(&ids.mem, "/%s", e->station), n, "");
		if (e->uplink && e->uplink->mode != UPLINK_AGGREGATE)
			claim(c, &ids, arena_printf(&ids.mem, "%s/%s", e->uplink->id, e->station), n, " towards the CSMS");
	}
	for (size_t i = 0; i < c->s->n_uplinks; i++)
		if (c->s->uplinks[i].mode == UPLINK_AGGREGATE && c->s->uplinks[i].identity)
			claim(c, &ids, arena_printf(&ids.mem, "/%s", c->s->uplinks[i].identity),
				settings_node(c->s, "uplinks", c->s->uplinks[i].id, "identity", NULL), "");
	map_free(&ids.by_name);
	arena_free(&ids.mem);
}

/* ---- MQTT and other sinks ---- */

/* Each word is a verb, and none that is for administrators. */
static void check_commands(struct checking *c, const struct conf_node *list)
{
	size_t n;
	const struct verb *verbs = command_table(&n);
	for (const struct conf_node *word = list->kind == CONF_LIST ? list->first : NULL; word; word = word->next) {
		size_t i = 0;
		while (i < n && strcmp(verbs[i].name, word->text) != 0)
			i++;
		if (i == n)
			settings_wrong(c->report, word, "there is no command '%s'", word->text);
		else if (verbs[i].role > ROLE_INSTALLER)
			settings_wrong(c->report, word, "'%s' is for administrators, not for a broker", word->text);
	}
}

void check_sink(struct checking *c, const struct sink_settings *k)
{
	const struct conf_node *n = settings_node(c->s, "sinks", k->id, NULL, NULL);
	if (strcmp(k->id, "mqtt") == 0 || strcmp(k->id, "sparkplug") == 0)
		settings_wrong(c->report, n, "'%s' is what the section mqtt is called elsewhere: give this sink another name", k->id);
	check_plugin(c->s, c->report, n, k->plugin, k->options, AG_SINK);
	check_commands(c, settings_node(c->s, "sinks", k->id, "commands", NULL));
}

static bool has_driver(const char *name)
{
	for (const struct ag_builtin *b = ag_builtins; b->driver; b++)
		if (strcmp(b->driver, name) == 0)
			return true;
	return false;
}

/* Its names are levels of topics. */
static void check_sparkplug(struct checking *c)
{
	static const char *const keys[] = { "group_id", "edge_node", "primary_host" };
	const struct mqtt_settings *m = &c->s->mqtt;
	const char *const levels[] = { m->sparkplug.group_id, m->sparkplug.edge_node, m->sparkplug.primary_host };
	for (int i = 0; i < 3; i++)
		if (levels[i] && strpbrk(levels[i], "/+#"))
			settings_wrong(c->report, settings_node(c->s, "mqtt", "sparkplug", keys[i], NULL), "'%s' is no level of a topic: no '/', '+' or '#'", levels[i]);
	if (m->sparkplug.enabled && !has_driver("sparkplug"))
		settings_wrong(c->report, settings_node(c->s, "mqtt", "sparkplug", "enabled", NULL), "this program was built without Sparkplug B (configure --with-sparkplug)");
}

void check_mqtt(struct checking *c)
{
	const struct mqtt_settings *m = &c->s->mqtt;
	const struct conf_node *n = settings_node(c->s, "mqtt", NULL, NULL, NULL);
	if (!m->url)
		return;
	check_commands(c, settings_node(c->s, "mqtt", "commands", NULL, NULL));
	check_sparkplug(c);
	if (!m->tls)
		refuse_keys(c, n, "ca", "without mqtts://");
	if (m->password && !m->username)
		need(c, n, NULL, "username", "by 'password'");
	if (strpbrk(m->base, "+#$") || *m->base == '/' || m->base[strlen(m->base) - 1] == '/')
		settings_wrong(c->report, settings_node(c->s, "mqtt", "base", NULL, NULL), "'%s' cannot begin a topic", m->base);
}
