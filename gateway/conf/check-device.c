/* What is wired to the box: buses, meters, plugins, EVSEs and their points.
 *
 * Easy to get wrong: each driver has keys of its own. One that only another driver reads has to be refused here, and a new key of an EVSE or a meter
 * belongs into the list of every driver that does not read it. A plugin is loaded to be asked, as a start would do it. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/plugin.h"
#include "gateway/conf/check-local.h"
#include "gateway/plug/modules.h"
#include "gateway/power/hours.h"

/* ---- buses ---- */

void check_buses(struct checking *c)
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

/* What the schema does not name has no effect. False: there was such a one. */
static bool check_options(struct checking *c, const ag_plugin *p, const struct conf_node *options)
{
	cJSON *schema = p->config_schema ? json_parse(slice_of(p->config_schema)) : NULL;
	bool known = true;
	for (const struct conf_node *o = options && schema ? options->first : NULL; o; o = o->next)
		if (!cJSON_GetObjectItemCaseSensitive(schema, o->key)) {
			conf_say(c->report, CONF_ERROR, &o->key_pos, NULL, "'%s' is no option of plugin %s", o->key, p->name);
			known = false;
		}
	cJSON_Delete(schema);
	return known;
}

/* The option that a text speaks of, where it names one. */
static const struct conf_node *named_in(const char *text, const struct conf_node *options)
{
	for (const struct conf_node *o = options ? options->first : NULL; o; o = o->next) {
		size_t n = strlen(o->key);
		const char *at = strstr(text, o->key);
		if (n && at && (at == text || !isalnum((unsigned char)at[-1])) && !isalnum((unsigned char)at[n]))
			return o;
	}
	return NULL;
}

/* Its `create` knows best. Meters, inputs and readers open nothing there; what an outlet or a sink begins with is not for a check. A warning,
 * as the program runs all the same: a driver that comes to refuse what it took must not stop a whole site at the next start. */
static void check_by_trial(struct checking *c, const ag_plugin *p, uint32_t kind, const struct conf_node *n, const char *options)
{
	static const char *const then[] = { [AG_METER] = "the meter counts as lost: its fallback is in force", [AG_GRID] = "the input counts as silent",
		[AG_AUTH] = "no card is read there" };
	const struct conf_node *map = conf_child(n, "options"), *of;
	char why[200];
	if (!(kind & (AG_METER | AG_GRID | AG_AUTH)) || module_try(p, n->key ? n->key : "check", options ? options : "{}", why, sizeof(why)) == 0)
		return;
	of = named_in(why, map);
	conf_say(c->report, CONF_WARNING, of ? &of->key_pos : map ? &map->key_pos : &conf_child(n, "plugin")->pos, then[kind], "plugin %s refuses its options: %s",
		 p->name, why);
}

void check_plugin(const struct settings *s, struct conf_report *report, const struct conf_node *n, const char *plugin, const char *options, uint32_t kind)
{
	static const char *const nouns[] = { [AG_METER] = "meters", [AG_EVSE] = "EVSEs", [AG_GRID] = "grid inputs", [AG_AUTH] = "card readers", [AG_SINK] = "sinks" };
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
	else if (p && check_options(&c, p, conf_child(n, "options")))
		check_by_trial(&c, p, kind, n, options);
}

static void check_meter(struct checking *c, const struct meter_settings *m, const struct conf_node *n)
{
	if (m->driver != METER_PLUGIN)
		refuse_keys(c, n, "plugin options", "without driver plugin");
	if (m->driver == METER_PLUGIN) {
		refuse_keys(c, n, "model host port bus unit ct_ratio invert", "with driver plugin");
		need(c, n, m->plugin, "plugin", "by driver plugin");
		if (m->plugin)
			check_plugin(c->s, c->report, n, m->plugin, m->options, AG_METER);
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
	for (size_t i = 0; s->grid && i < s->grid->n_others; i++)
		if (s->grid->others[i].meter == m)
			return true;
	return false;
}

void check_meters(struct checking *c)
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

static void check_reader(struct checking *c, const struct reader_settings *r, const struct conf_node *n)
{
	if (r->driver != READER_PLUGIN) {
		need(c, n, r->device, "device", "by this driver");
		if (r->driver == READER_KEYBOARD)
			refuse_keys(c, n, "baud", "with driver keyboard");
		refuse_keys(c, n, "plugin options", "without driver plugin");
		return;
	}
	need(c, n, r->plugin, "plugin", "by driver plugin");
	refuse_keys(c, n, "device baud", "with driver plugin");
	if (r->plugin)
		check_plugin(c->s, c->report, n, r->plugin, r->options, AG_AUTH);
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
			check_plugin(c->s, c->report, n, e->plugin, e->options, AG_EVSE);
		break;
	}
	if (e->driver != EVSE_PLUGIN)
		refuse_keys(c, n, "plugin options", "without driver plugin");
	if (e->controller) {
		check_modbus_place(c, e->controller->host, e->controller->bus, conf_child(n, "controller"));
		check_model(c, e->controller->model, conf_child(conf_child(n, "controller"), "model"), true);
	}
	if (e->reader)
		check_reader(c, e->reader, conf_child(n, "reader"));
}

/* Why this driver can never open L2 and L3 alone; NULL: it can where its hardware says so, which is known when it runs (relays.c). */
static const char *one_contactor(const struct evse_settings *e)
{
	switch (e->driver) {
	case EVSE_MODBUS_RELAY:
		return "driver modbus-relay switches one contactor: it cannot open L2 and L3 alone";
	case EVSE_GPIO_RELAY:
		return "driver gpio-relay switches one contactor: it cannot open L2 and L3 alone";
	case EVSE_MODBUS_EVSE:
		return "driver modbus-evse is told a current and nothing of phases";
	case EVSE_SIM:
		return e->pilot ? NULL : "the simulated EVSE has a second contactor only with 'pilot: true'";
	case EVSE_PLUGIN:
		return e->pilot ? NULL : "without 'pilot: true' it is all or nothing: that is not changed over";
	case EVSE_PILOT_BOARD:
		break;
	}
	return NULL;
}

static void check_switching(struct checking *c, const struct evse_settings *e, const struct conf_node *n)
{
	const char *never = one_contactor(e);
	if (!e->switch_phases_after_us)
		return;
	if (never)
		settings_wrong(c->report, conf_child(n, "switch_phases_after"), "%s", never);
	else if (__builtin_popcount(e->phases) != 3)
		settings_wrong(c->report, conf_child(n, "switch_phases_after"), "only an EVSE with three phases can do that");
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

/* Where a key stands; the whole object where it does not, as its value is the preset. */
static const struct conf_node *key_or_all(const struct conf_node *n, const char *key)
{
	const struct conf_node *child = conf_child(n, key);
	return child ? child : n;
}

/* What a station has once: its EVSEs agree on it. */
static void check_station_mates(struct checking *c, const struct evse_settings *e, const struct conf_node *n)
{
	int count;
	const struct evse_settings *first = settings_own_station(c->s, slice_of(e->station), &count);
	if (first == e)
		return;
	if (first->uplink != e->uplink)
		settings_wrong(c->report, key_or_all(n, "uplink"), "station '%s' has another uplink ('%s')", e->station, first->id);
	if (first->version != e->version)
		settings_wrong(c->report, key_or_all(n, "version"), "station '%s' speaks another version ('%s')", e->station, first->id);
	if (first->switch_phases_after_us != e->switch_phases_after_us)
		settings_wrong(c->report, key_or_all(n, "switch_phases_after"), "station '%s' changes phases over otherwise ('%s')", e->station, first->id);
	if (first->current_ma != e->current_ma || first->pilot != e->pilot || __builtin_popcount(first->phases) != __builtin_popcount(e->phases))
		settings_wrong(c->report, conf_child(n, "current_a"), "the EVSEs of station '%s' are alike in current_a, phases and pilot ('%s')", e->station,
			first->id);
	if (first->authorize != e->authorize || !str_same(first->token, e->token))
		settings_wrong(c->report, key_or_all(n, "authorize"), "station '%s' authorizes otherwise ('%s')", e->station, first->id);
}

void check_evse(struct checking *c, const struct evse_settings *e)
{
	const struct conf_node *n = settings_node(c->s, "evses", e->id, NULL, NULL);
	check_driver(c, e, n);
	check_switching(c, e, n);
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
