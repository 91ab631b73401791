/* Everything that can be known about a configuration without starting it, beyond what reading it shows: whether keys fit together, and
 * whether the files, models and addresses that it names are there. The electrical part is in check-electric.c.
 *
 * A key that has no effect under the driver or profile beside it is an error: it would be accepted and ignored. */
#include "gateway/conf/check.h"
#include "gateway/manage/command.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/plugin.h"
#include "gateway/conf/settings-tables.h"
#include "gateway/net/mux.h"
#include "gateway/plug/modules.h"
#include "gateway/power/hours.h"
#include "gateway/session/password-hash.h"

struct checking {
	const struct settings *s;
	struct conf_report *report;
};

static void warn_at(struct checking *c, const struct conf_node *n, const char *hint, const char *text)
{
	conf_say(c->report, CONF_WARNING, n->kind == CONF_MAP && n->key ? &n->key_pos : &n->pos, hint, "%s", text);
}

void check_refuse_keys(struct conf_report *report, const struct conf_node *map, const char *keys, const char *why)
{
	for (const struct conf_node *n = map->kind == CONF_MAP ? map->first : NULL; n; n = n->next) {
		const char *at = strstr(keys, n->key);
		size_t len = strlen(n->key);
		if (at && (at == keys || at[-1] == ' ') && (at[len] == ' ' || !at[len]) && !conf_is_null(n))
			conf_say(report, CONF_ERROR, &n->key_pos, NULL, "'%s' has no effect %s", n->key, why);
	}
}

static void refuse_keys(struct checking *c, const struct conf_node *map, const char *keys, const char *why)
{
	check_refuse_keys(c->report, map, keys, why);
}

static void need(struct checking *c, const struct conf_node *map, const void *value, const char *key, const char *why)
{
	if (!value)
		settings_wrong(c->report, map, "missing key '%s', needed %s", key, why);
}

/* ---- files ---- */

static void check_paths(struct checking *c)
{
	const struct conf_fill *f = &c->s->source->fill;
	for (size_t i = 0; i < f->n_uses; i++) {
		const struct conf_use *use = &f->uses[i];
		if (use->row->type != CONF_PATH && use->row->type != CONF_SECRET_PATH)
			continue;
		const char *path = *(const char *const *)use->at;
		if (strncmp(path, "cred:", 5) == 0)
			continue; /* a credential that is missing, which is said */
		if (*path != '/')
			settings_wrong(c->report, use->node, "'%s' has to be a whole path, from /", path);
		else if (access(path, R_OK) != 0)
			settings_wrong(c->report, use->node, "'%s' cannot be read: %s", path, err_text(-errno));
	}
}

static void check_buses(struct checking *c)
{
	for (size_t i = 0; i < c->s->n_buses; i++) {
		const struct bus_settings *b = &c->s->buses[i];
		const struct conf_node *n = settings_node(c->s, "buses", b->id, "device", NULL);
		if (*b->device != '/')
			settings_wrong(c->report, n, "'%s' has to be a whole path, from /", b->device);
		else if (access(b->device, F_OK) != 0)
			warn_at(c, n, NULL, "this device is not there now");
	}
}

static void check_timezone(struct checking *c)
{
	const char *zone = c->s->site.timezone;
	struct buf path = { 0 };
	if (!zone || access("/usr/share/zoneinfo", R_OK) != 0)
		return;
	buf_printf(&path, "/usr/share/zoneinfo/%s", zone);
	if (*zone == '/' || strstr(zone, "..") || access(path.p, R_OK) != 0)
		settings_wrong(c->report, settings_node(c->s, "site", "timezone", NULL, NULL), "time zone '%s' is not known", zone);
	buf_free(&path);
}

/* ---- meters and Modbus ---- */

struct names {
	const char *names[256]; /* NULL-terminated */
	size_t n;
	bool any_directory;
};

static void list_models(struct arena *mem, const char *path, struct names *out)
{
	DIR *dir = path ? opendir(path) : NULL;
	const struct dirent *d;
	if (!dir)
		return;
	out->any_directory = true;
	while ((d = readdir(dir)) && out->n < 255) {
		size_t n = strlen(d->d_name);
		if (n > 5 && strcmp(d->d_name + n - 5, ".yaml") == 0)
			out->names[out->n++] = arena_text(mem, (struct slice){ d->d_name, n - 5 });
	}
	closedir(dir);
}

static void check_model(struct checking *c, const char *model, const struct conf_node *n, bool is_controller)
{
	const char *what = is_controller ? "controller" : "meter model";
	struct arena mem = { 0 };
	struct names known = { { "sunspec" }, .n = is_controller ? 0 : 1 }; /* needs no file: the device says where things are */
	list_models(&mem, c->s->source->models, &known);
	list_models(&mem, is_controller ? SYSCONF_DIR "/controllers" : SYSCONF_DIR "/models", &known);
	list_models(&mem, is_controller ? DATA_DIR "/controllers" : DATA_DIR "/models", &known);
	const char *near = str_nearest(model, known.names);
	bool found = false;
	for (size_t i = 0; i < known.n; i++)
		found = found || strcmp(known.names[i], model) == 0;
	if (!known.any_directory)
		conf_say(c->report, CONF_WARNING, &n->pos, NULL, "there is no directory of %ss, so this was not checked", what);
	else if (!found)
		conf_say(c->report, CONF_ERROR, &n->pos, near ? arena_printf(&mem, "did you mean '%s'?", near) : is_controller ? NULL : "a file of this name in the models directory",
			"%s '%s' is not known", what, model);
	arena_free(&mem);
}

/* ---- plugins ---- */

static const struct conf_node *plugins_key(const struct checking *c, const char *key)
{
	return conf_at(c->s->source->tree, (const char *const[]){ "plugins", key }, 2);
}

/* Loading is the only way to know: what a start would refuse is refused here. */
static void check_plugins(struct checking *c)
{
	const struct conf_node *n = plugins_key(c, "load");
	for (const struct conf_node *item = n ? n->first : NULL; item; item = item->next) {
		char why[300] = "";
		const struct ag_builtin *b = ag_builtins;
		while (b->driver && strcmp(b->driver, item->text) != 0)
			b++;
		if (b->driver)
			conf_say(c->report, CONF_ERROR, &item->pos, "give its file another name", "'%s' is a driver of the program's own", item->text);
		else if (strchr(item->text, '/'))
			conf_say(c->report, CONF_ERROR, &item->pos, "plugins.dir says where the files are", "a plugin is a name, not a path");
		else if (!module_find(c->s->plugins.dir, item->text, why, sizeof(why)))
			conf_say(c->report, CONF_ERROR, &item->pos, NULL, "plugin '%s' cannot be loaded: %s", item->text, why);
	}
}

/* What the schema does not name has no effect. */
static void check_options(struct checking *c, const ag_plugin *p, const struct conf_node *options)
{
	cJSON *schema = p->config_schema ? json_parse(slice_of(p->config_schema)) : NULL;
	for (const struct conf_node *o = options && schema ? options->first : NULL; o; o = o->next)
		if (!cJSON_GetObjectItemCaseSensitive(schema, o->key))
			conf_say(c->report, CONF_ERROR, &o->key_pos, NULL, "'%s' is no option of plugin %s", o->key, p->name);
	cJSON_Delete(schema);
}

void check_plugin(const struct settings *s, struct conf_report *report, const struct conf_node *n, const char *plugin, uint32_t kind)
{
	static const char *const nouns[] = { [AG_METER] = "meters", [AG_EVSE] = "EVSEs", [AG_GRID] = "grid inputs" };
	struct checking c = { .s = s, .report = report };
	char why[300] = "";
	const char *const *name = s->plugins.load;
	const struct conf_node *at = conf_child(n, "plugin");
	while (name && *name && strcmp(*name, plugin) != 0)
		name++;
	if (!name || !*name) {
		conf_say(report, CONF_ERROR, &at->pos, "name it in plugins.load", "plugin '%s' is not loaded", plugin);
		return;
	}
	const ag_plugin *p = module_find(s->plugins.dir, plugin, why, sizeof(why));
	if (p && !(p->kinds & kind))
		conf_say(report, CONF_ERROR, &at->pos, NULL, "plugin '%s' is no driver of %s", plugin, nouns[kind]);
	else if (p)
		check_options(&c, p, conf_child(n, "options"));
}

static void check_meter(struct checking *c, const struct meter_settings *m, const struct conf_node *n)
{
	if (m->driver != METER_PLUGIN)
		refuse_keys(c, n, "plugin options", "without driver plugin");
	if (m->driver == METER_PLUGIN) {
		refuse_keys(c, n, "model host port bus unit ct_ratio invert", "with driver plugin");
		need(c, n, m->plugin, "plugin", "by driver plugin");
		if (m->plugin)
			check_plugin(c->s, c->report, n, m->plugin, AG_METER);
	} else if (m->driver == METER_SIM) {
		refuse_keys(c, n, "model host port bus unit", "with driver sim");
	} else {
		need(c, n, m->model, "model", "by this driver");
		if (m->model)
			check_model(c, m->model, conf_child(n, "model"), false);
	}
	if (m->driver == METER_MODBUS_TCP) {
		need(c, n, m->host, "host", "by driver modbus-tcp");
		refuse_keys(c, n, "bus", "with driver modbus-tcp");
	}
	if (m->driver == METER_MODBUS_RTU) {
		need(c, n, m->bus, "bus", "by driver modbus-rtu");
		refuse_keys(c, n, "host port", "with driver modbus-rtu");
	}
	if (m->stale_after_us <= m->poll_us)
		settings_wrong(c->report, conf_child(n, "stale_after") ? conf_child(n, "stale_after") : n, "stale_after has to be longer than poll");
}

/* An overload that no meter sees has to end before a fuse is warm. */
#define BLIND_US INT64_C(10000000)

static void check_blind_time(struct checking *c, const struct meter_settings *m)
{
	if (m->stale_after_us + c->s->balancing.on_meter_lost.after_us > BLIND_US)
		warn_at(c, settings_node(c->s, "meters", m->id, "stale_after", NULL), NULL,
			"with balancing.on_meter_lost.after this is more than 10s in which an overload is not seen");
}

static bool measures_a_circuit(const struct settings *s, const struct meter_settings *m)
{
	for (size_t i = 0; i < s->n_circuits; i++)
		if (s->circuits[i].meter == m)
			return true;
	return false;
}

static bool measures_a_load(const struct settings *s, const struct meter_settings *m)
{
	for (size_t i = 0; i < s->n_loads; i++)
		if (s->loads[i].meter == m)
			return true;
	return false;
}

static void check_meters(struct checking *c)
{
	check_plugins(c);
	for (size_t i = 0; i < c->s->n_meters; i++) {
		const struct meter_settings *m = &c->s->meters[i];
		const struct conf_node *n = settings_node(c->s, "meters", m->id, NULL, NULL);
		check_meter(c, m, n);
		if (measures_a_circuit(c->s, m))
			check_blind_time(c, m);
		else if (!measures_a_load(c->s, m))
			warn_at(c, n, NULL, "no circuit and no load uses this meter");
	}
}

static void check_modbus_place(struct checking *c, const char *host, const struct bus_settings *bus, const struct conf_node *n)
{
	if (bus)
		refuse_keys(c, n, "host port", "on a bus");
	else
		need(c, n, host, "host", "unless 'bus' is given");
}

/* A point of an EVSE: a line of a chip for gpio-relay, else `what` (coil, input) of a Modbus device. */
static void check_point(struct checking *c, const struct evse_settings *e, const struct io_point *p, const char *key, const char *what)
{
	const struct conf_node *n = conf_child(settings_node(c->s, "evses", e->id, NULL, NULL), key);
	if (!p || (e->driver != EVSE_GPIO_RELAY && e->driver != EVSE_MODBUS_RELAY))
		return; /* refused as a whole */
	if (e->driver == EVSE_GPIO_RELAY) {
		need(c, n, p->chip, "chip", "by driver gpio-relay");
		need(c, n, conf_child(n, "line"), "line", "by driver gpio-relay");
		refuse_keys(c, n, "host port bus unit coil input", "with driver gpio-relay");
		return;
	}
	refuse_keys(c, n, "chip line", "on a Modbus board");
	need(c, n, conf_child(n, what), what, "by driver modbus-relay");
	check_modbus_place(c, p->host, p->bus, n);
}

static bool same_point(const struct io_point *a, const struct io_point *b)
{
	if (!a || !b || a->chip || b->chip)
		return a && b && a->chip && b->chip && strcmp(a->chip, b->chip) == 0 && a->line == b->line;
	return a->bus == b->bus && str_same(a->host, b->host) && (a->bus || a->port == b->port) && a->unit == b->unit && a->address == b->address;
}

/* Keys that only some drivers have. */
static void check_driver(struct checking *c, const struct evse_settings *e, const struct conf_node *n)
{
	switch (e->driver) {
	case EVSE_MODBUS_RELAY:
		need(c, n, e->contactor, "contactor", "by driver modbus-relay");
		refuse_keys(c, n, "pilot file wake emergency_stop residual_current mains heartbeat board controller", "with driver modbus-relay");
		break;
	case EVSE_GPIO_RELAY:
		need(c, n, e->contactor, "contactor", "by driver gpio-relay");
		refuse_keys(c, n, "pilot file wake board controller", "with driver gpio-relay");
		break;
	case EVSE_SIM:
		refuse_keys(c, n, "contactor feedback plugged emergency_stop residual_current mains heartbeat board controller", "with driver sim");
		break;
	case EVSE_PILOT_BOARD:
		need(c, n, e->board, "board", "by driver pilot-board");
		refuse_keys(c, n, "pilot file contactor feedback plugged emergency_stop residual_current mains heartbeat controller", "with driver pilot-board");
		break;
	case EVSE_MODBUS_EVSE:
		need(c, n, e->controller, "controller", "by driver modbus-evse");
		refuse_keys(c, n, "pilot file wake contactor feedback plugged emergency_stop residual_current mains heartbeat board", "with driver modbus-evse");
		break;
	case EVSE_PLUGIN:
		need(c, n, e->plugin, "plugin", "by driver plugin");
		refuse_keys(c, n, "file contactor feedback plugged emergency_stop residual_current mains heartbeat board controller", "with driver plugin");
		if (e->plugin)
			check_plugin(c->s, c->report, n, e->plugin, AG_EVSE);
		break;
	}
	if (e->driver != EVSE_PLUGIN)
		refuse_keys(c, n, "plugin options", "without driver plugin");
	if (e->controller) {
		check_modbus_place(c, e->controller->host, e->controller->bus, conf_child(n, "controller"));
		check_model(c, e->controller->model, conf_child(conf_child(n, "controller"), "model"), true);
	}
	if (e->reader && e->reader->driver == READER_KEYBOARD)
		refuse_keys(c, conf_child(n, "reader"), "baud", "with driver keyboard");
}

/* "22:00-06:00" */
static void check_hours(struct checking *c, const struct evse_settings *e, const struct conf_node *n)
{
	int from, to;
	for (size_t i = 0; e->hours[i]; i++) {
		if (!hours_read(e->hours[i], &from, &to))
			settings_wrong(c->report, conf_child(n, "hours"), "'%s' is no time of day as 22:00-06:00", e->hours[i]);
	}
	if (!(e->authorize & AUTHORIZE_SCHEDULE))
		refuse_keys(c, n, "hours", "unless 'authorize' has schedule");
	else if (!e->hours[0])
		need(c, n, NULL, "hours", "by 'authorize: [schedule]'");
}

/* What a station has once: its EVSEs agree on it. */
static void check_station_mates(struct checking *c, const struct evse_settings *e, const struct conf_node *n)
{
	int count;
	const struct evse_settings *first = settings_own_station(c->s, slice_of(e->station), &count);
	if (first == e)
		return;
	if (first->uplink != e->uplink)
		settings_wrong(c->report, conf_child(n, "uplink"), "station '%s' has another uplink ('%s')", e->station, first->id);
	if (first->version != e->version)
		settings_wrong(c->report, conf_child(n, "version"), "station '%s' speaks another version ('%s')", e->station, first->id);
	if (first->current_ma != e->current_ma || first->pilot != e->pilot || __builtin_popcount(first->phases) != __builtin_popcount(e->phases))
		settings_wrong(c->report, conf_child(n, "current_a"), "the EVSEs of station '%s' are alike in current_a, phases and pilot ('%s')", e->station,
			first->id);
	if (first->authorize != e->authorize || !str_same(first->token, e->token))
		settings_wrong(c->report, conf_child(n, "authorize"), "station '%s' authorizes otherwise ('%s')", e->station, first->id);
}

static void check_evse(struct checking *c, const struct evse_settings *e)
{
	const struct conf_node *n = settings_node(c->s, "evses", e->id, NULL, NULL);
	check_driver(c, e, n);
	check_point(c, e, e->contactor, "contactor", "coil");
	check_point(c, e, e->feedback, "feedback", "input");
	check_point(c, e, e->plugged, "plugged", "input");
	check_point(c, e, e->emergency_stop, "emergency_stop", "input");
	check_point(c, e, e->residual_current, "residual_current", "input");
	check_point(c, e, e->mains, "mains", "input");
	check_point(c, e, e->heartbeat, "heartbeat", "coil");
	check_hours(c, e, n);
	check_station_mates(c, e, n);
	if (e->meter)
		check_meter(c, e->meter, conf_child(n, "meter"));
	if (!e->authorize)
		settings_wrong(c->report, conf_child(n, "authorize"), "nobody could start here");
	if (!(e->authorize & (AUTHORIZE_FREE | AUTHORIZE_SCHEDULE)))
		refuse_keys(c, n, "token", "unless 'authorize' has free");
	for (const struct evse_settings *o = c->s->evses; o < e; o++)
		if (same_point(o->contactor, e->contactor))
			settings_wrong(c->report, conf_child(n, "contactor"), "this is the contactor of '%s' already", o->id);
}

/* ---- listeners ---- */

static bool is_any(const char *address)
{
	return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

static bool collide(const struct listener_settings *a, const struct listener_settings *b)
{
	return a->port == b->port && (strcmp(a->address, b->address) == 0 || is_any(a->address) || is_any(b->address));
}

static void check_certificates(struct checking *c, const struct tls_settings *t)
{
	const struct conf_node *n = settings_node(c->s, "tls", t->id, NULL, NULL);
	if (!t->second_cert != !t->second_key)
		need(c, n, NULL, t->second_cert ? "second_key" : "second_cert", t->second_cert ? "by 'second_cert'" : "by 'second_key'");
	if (t->client_o && !t->client_ca && t->pki != PKI_LOCAL)
		refuse_keys(c, n, "client_o", "without client_ca");
	if (t->client_ca && t->pki == PKI_LOCAL)
		need(c, n, t->client_crl, "client_crl", "where pki is local, as each authority has a list then");
	if (t->client_crl && !t->client_ca)
		refuse_keys(c, n, "client_crl", "without client_ca");
}

/* What is weaker is for stations that are named, and for these only. */
static void check_only(struct checking *c, const struct listener_settings *l)
{
	const struct conf_node *n = settings_node(c->s, "listen", "ocpp", l->id, NULL), *list = settings_node(c->s, "listen", "ocpp", l->id, "only");
	if (l->tls && l->tls->old_stations && !(l->only && *l->only))
		settings_wrong(c->report, conf_child(n, "tls"), "tls '%s' is for old stations, which the listener has to name in 'only'", l->tls->id);
	for (const char *const *id = l->only; id && *id; id++)
		if (!settings_station(c->s, slice_of(*id)))
			settings_wrong(c->report, list, "station '%s' is not defined", *id);
}

static void check_listener(struct checking *c, const struct listener_settings *l)
{
	const struct conf_node *n = settings_node(c->s, "listen", "ocpp", l->id, NULL);
	unsigned char address[sizeof(struct in6_addr)];
	if (inet_pton(AF_INET, l->address, address) != 1 && inet_pton(AF_INET6, l->address, address) != 1)
		settings_wrong(c->report, settings_node(c->s, "listen", "ocpp", l->id, "address"), "'%s' is no IPv4 or IPv6 address", l->address);
	if (!l->tls && l->min_security_profile >= 2)
		settings_wrong(c->report, settings_node(c->s, "listen", "ocpp", l->id, "min_security_profile"), "profile %d needs 'tls'", l->min_security_profile);
	if (l->min_security_profile == 3 && l->tls && !l->tls->client_ca && l->tls->pki != PKI_LOCAL)
		settings_wrong(c->report, settings_node(c->s, "tls", l->tls->id, NULL, NULL), "profile 3 on listener '%s' needs 'client_ca' here", l->id);
	check_only(c, l);
	for (const struct listener_settings *o = c->s->listeners; o < l; o++)
		if (collide(o, l))
			settings_wrong(c->report, conf_child(n, "port"), "port %d is taken by listener '%s'", l->port, o->id);
}

static bool is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

static void check_plain_listener(struct checking *c, const char *noun, const char *address, int port)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	if (inet_pton(AF_INET, address, bytes) != 1 && inet_pton(AF_INET6, address, bytes) != 1)
		settings_wrong(c->report, settings_node(c->s, "listen", noun, "address", NULL), "'%s' is no IPv4 or IPv6 address", address);
	for (size_t i = 0; i < c->s->n_listeners; i++) {
		struct listener_settings here = { .address = address, .port = port };
		if (collide(&c->s->listeners[i], &here))
			settings_wrong(c->report, settings_node(c->s, "listen", noun, "port", NULL), "port %d is taken by listener '%s'", port, c->s->listeners[i].id);
	}
}

static void check_tls(struct checking *c)
{
	for (size_t i = 0; i < c->s->n_tls; i++) {
		const struct tls_settings *t = &c->s->tls[i];
		const struct conf_node *n = settings_node(c->s, "tls", t->id, NULL, NULL);
		if (t->mode == TLS_SELF_SIGNED) {
			refuse_keys(c, n, "cert key client_ca pki", "with mode self-signed");
		} else {
			need(c, n, t->cert, "cert", "unless 'mode' is self-signed");
			need(c, n, t->key, "key", "unless 'mode' is self-signed");
		}
	}
	for (size_t i = 0; i < c->s->n_listeners; i++)
		if (c->s->listeners[i].tls && c->s->listeners[i].tls->mode == TLS_SELF_SIGNED)
			settings_wrong(c->report, settings_node(c->s, "listen", "ocpp", c->s->listeners[i].id, "tls"), "stations need a certificate that somebody vouches for");
}

static void check_console(struct checking *c)
{
	const struct console_listener_settings *l = c->s->console_listener;
	if (l) {
		check_plain_listener(c, "console", l->address, l->port);
		if (!l->tls && !is_loopback(l->address))
			settings_wrong(c->report, settings_node(c->s, "listen", "console", "tls", NULL), "on address %s the console needs 'tls'", l->address);
		if (!l->tls && l->redirect_from)
			refuse_keys(c, settings_node(c->s, "listen", "console", NULL, NULL), "redirect_from", "without 'tls'");
		if (c->s->console.login == LOGIN_NONE && !is_loopback(l->address))
			settings_wrong(c->report, settings_node(c->s, "console", "login", NULL, NULL), "login none is for a console on a loopback address");
	}
	if (c->s->metrics)
		check_plain_listener(c, "metrics", c->s->metrics->address, c->s->metrics->port);
	if (l && c->s->metrics && l->port == c->s->metrics->port && (strcmp(l->address, c->s->metrics->address) == 0 || is_any(l->address)))
		settings_wrong(c->report, settings_node(c->s, "listen", "metrics", "port", NULL), "port %d is taken by the console", l->port);
}

/* The highest profile that a station can reach there. */
static int most_profile(const struct listener_settings *l)
{
	return !l->tls ? 1 : l->tls->client_ca || l->tls->pki == PKI_LOCAL ? 3 : 2;
}

/* Without a password a station comes in with profile 0, or with a certificate. */
static bool lets_in(const struct listener_settings *l, const struct station_settings *st)
{
	int least = l->min_security_profile > st->min_security_profile ? l->min_security_profile : st->min_security_profile;
	int most = most_profile(l);
	return listener_is_for(l, slice_of(st->id)) && least <= most && (st->password || st->password_relay || least == 0 || most == 3);
}

static void check_way_in(struct checking *c, const struct station_settings *st)
{
	const struct conf_node *n = settings_node(c->s, "stations", st->id, NULL, NULL);
	if (!c->s->n_listeners) {
		settings_wrong(c->report, settings_node(c->s, "stations", NULL, NULL, NULL), "no listener for stations, see listen.ocpp");
		return;
	}
	for (size_t i = 0; i < c->s->n_listeners; i++)
		if (lets_in(&c->s->listeners[i], st))
			return;
	conf_say(c->report, CONF_ERROR, &n->key_pos, st->password ? NULL : "give it a password, or set min_security_profile: 0",
		"no listener would let this station in");
}

/* A hash can be checked against, and not be shown. */
static void check_password(struct checking *c, const struct station_settings *st)
{
	const struct conf_node *own = settings_node(c->s, "stations", st->id, "password", NULL);
	if (password_hash_is(st->password) && !password_hash_is_valid(st->password))
		settings_wrong(c->report, own ? own : settings_node(c->s, "station_defaults", "password", NULL, NULL),
			"not a hash that `ampgate hash` makes (scrypt, 2^10 to 2^17)");
	if (password_hash_is(st->uplink_password))
		settings_wrong(c->report, settings_node(c->s, "uplinks", st->uplink->id, "password", NULL), "the CSMS has to be shown the password, not a hash");
}

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
static void check_member(struct checking *c, const struct station_settings *st)
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

static void check_uplink(struct checking *c, const struct uplink_settings *u)
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
static void check_shown(struct checking *c, const struct uplink_settings *u, bool relayed)
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

static void check_identities(struct checking *c)
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

/* ---- MQTT ---- */

/* Each word is a verb, and none that is for administrators. */
static void check_mqtt_commands(struct checking *c)
{
	const struct conf_node *list = settings_node(c->s, "mqtt", "commands", NULL, NULL);
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

static void check_mqtt(struct checking *c)
{
	const struct mqtt_settings *m = &c->s->mqtt;
	const struct conf_node *n = settings_node(c->s, "mqtt", NULL, NULL, NULL);
	if (!m->url)
		return;
	check_mqtt_commands(c);
	if (!m->tls)
		refuse_keys(c, n, "ca", "without mqtts://");
	if (m->password && !m->username)
		need(c, n, NULL, "username", "by 'password'");
	if (strpbrk(m->base, "+#$") || *m->base == '/' || m->base[strlen(m->base) - 1] == '/')
		settings_wrong(c->report, settings_node(c->s, "mqtt", "base", NULL, NULL), "'%s' cannot begin a topic", m->base);
}

/* ---- all of it ---- */

int check_settings(const struct settings *s, struct conf_report *report, struct buf *proofs)
{
	struct checking c = { s, report };
	unsigned before = report->errors;
	check_paths(&c);
	check_timezone(&c);
	for (size_t i = 0; i < s->n_tls; i++)
		check_certificates(&c, &s->tls[i]);
	for (size_t i = 0; i < s->n_listeners; i++)
		check_listener(&c, &s->listeners[i]);
	check_tls(&c);
	check_console(&c);
	check_buses(&c);
	check_meters(&c);
	for (size_t i = 0; i < s->n_stations; i++) {
		check_way_in(&c, &s->stations[i]);
		check_member(&c, &s->stations[i]);
		check_password(&c, &s->stations[i]);
		check_shown(&c, s->stations[i].uplink, s->stations[i].password_relay);
	}
	for (size_t i = 0; i < s->n_evses; i++) {
		check_evse(&c, &s->evses[i]);
		check_shown(&c, s->evses[i].uplink, false);
	}
	for (size_t i = 0; i < s->n_uplinks; i++)
		check_uplink(&c, &s->uplinks[i]);
	check_identities(&c);
	check_mqtt(&c);
	check_electric(s, report, proofs);
	check_grid(s, report, proofs);
	return report->errors > before ? ERR_INVALID : 0;
}

static void verdict(const struct conf_report *r, struct buf *out)
{
	buf_printf(out, "%u error%s, %u warning%s: configuration %s\n", r->errors, r->errors == 1 ? "" : "s", r->warnings, r->warnings == 1 ? "" : "s",
		r->errors ? "not usable (exit 3)" : "usable");
}

int check_files(const struct settings_files *files, struct conf_report *report, struct buf *proofs, struct settings **out)
{
	struct settings *s;
	int loaded = settings_load_partly(files, &s, report), rc = loaded;
	if (s)
		rc = check_settings(s, report, proofs);
	rc = loaded ? loaded : rc;
	if (rc)
		settings_free(&s);
	*out = s;
	return rc;
}

int check_config(const struct settings_files *files, struct buf *out, struct settings **out_settings)
{
	struct conf_report report = { 0 };
	struct buf proofs = { 0 };
	struct settings *s;
	int rc = check_files(files, &report, &proofs, &s);
	conf_report_print(&report, out);
	buf_slice(out, buf_view(&proofs));
	verdict(&report, out);
	if (out_settings)
		*out_settings = s;
	else
		settings_free(&s);
	buf_free(&proofs);
	conf_report_free(&report);
	return rc == 0 ? 0 : CHECK_EXIT_INVALID;
}
