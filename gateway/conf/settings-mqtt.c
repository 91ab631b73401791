/* Keys of telemetry and commands over a broker. */
#include <string.h>

#include "gateway/conf/settings-rows.h"
#include "gateway/conf/settings-tables.h"

static int read_mqtt_protocol(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	int i;
	if (settings_word(f, row, n, &i) != 0)
		return ERR_INVALID;
	*(int *)at = i == 0 ? 5 : 4;
	return 0;
}

static int read_mqtt_url(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	struct mqtt_settings *m = OWNER(mqtt_settings, url, at);
	struct conf_row text = *row;
	struct settings_url url;
	text.type = CONF_TEXT;
	if (conf_read(f, &text, n, &m->url) != 0)
		return ERR_INVALID;
	const char *rest = settings_scheme(n->text, "mqtt://", "mqtts://", &m->tls);
	if (!rest || settings_url(rest, &url) != 0 || url.path.n > 1)
		return settings_refuse(f, n, "write it like mqtts://host:8883", "not the address of a broker");
	m->host = arena_text(f->mem, url.host);
	m->port = url.port ? url.port : m->tls ? 8883 : 1883;
	return 0;
}

/* Rows of these tables count from the start of mqtt. */
static const struct conf_row backlog_rows[] = {
	{ .name = "max_age", .type = CONF_DURATION, .min = H, .max = 365 * DAY, .preset = "14d", AT(mqtt_settings, backlog_max_age_us),
	  .help = "Events and samples that are older when the broker is back are left out" },
	{ 0 }
};
static const struct conf_table backlog_table = { .noun = "mqtt.backlog", .rows = backlog_rows };
static const struct conf_row homeassistant_rows[] = {
	{ .name = "enabled", .type = CONF_BOOL, .preset = "false", AT(mqtt_settings, homeassistant.enabled),
	  .help = "Stations announce themselves to Home Assistant by its MQTT discovery" },
	{ .name = "prefix", .type = CONF_TEXT, .min = 1, .max = 64, .preset = "homeassistant", AT(mqtt_settings, homeassistant.prefix),
	  .help = "Its discovery prefix" },
	{ 0 }
};
static const struct conf_table homeassistant_table = { .takes_effect = AT_RESTART, .noun = "mqtt.homeassistant", .rows = homeassistant_rows };

static const struct conf_row sparkplug_rows[] = {
	{ .name = "enabled", .type = CONF_BOOL, .preset = "false", AT(mqtt_settings, sparkplug.enabled),
	  .help = "The box is an edge node of Sparkplug B 3.0 at the same broker, its stations are devices; by a connection of its own" },
	{ .name = "group_id", .type = CONF_TEXT, .min = 1, .max = 64, .preset = "ampgate", AT(mqtt_settings, sparkplug.group_id),
	  .help = "Group that the edge node belongs to" },
	{ .name = "edge_node", .type = CONF_TEXT, .min = 1, .max = 64, AT(mqtt_settings, sparkplug.edge_node),
	  .help = "Its name, one of a kind in the group; the id of the site when not said" },
	{ .name = "primary_host", .type = CONF_TEXT, .min = 1, .max = 64, AT(mqtt_settings, sparkplug.primary_host),
	  .help = "Host application without which nothing is published, by its STATE messages; none when not said" },
	{ 0 }
};
static const struct conf_table sparkplug_table = { .takes_effect = AT_RESTART, .noun = "mqtt.sparkplug", .rows = sparkplug_rows };

static const struct conf_row mqtt_rows[] = {
	{ .name = "url", .type = CONF_SPECIAL, .read = read_mqtt_url, .shape = "mqtt:// or mqtts:// address", .required = true, AT(mqtt_settings, url),
	  .takes_effect = AT_RESTART, .help = "The broker" },
	{ .name = "protocol", .type = CONF_SPECIAL, .read = read_mqtt_protocol, .words = WORDS("5", "3.1.1"), .preset = "5", AT(mqtt_settings, protocol),
	  .takes_effect = AT_RESTART, .help = "Version of MQTT" },
	{ .name = "username", .type = CONF_TEXT, AT(mqtt_settings, username), .takes_effect = AT_RESTART, .help = "User name at the broker" },
	{ .name = "password", .type = CONF_SECRET, AT(mqtt_settings, password), .takes_effect = AT_RESTART, .help = "Its password" },
	{ .name = "base", .type = CONF_TEXT, .min = 1, .max = 64, .preset = "ampgate", AT(mqtt_settings, base), .takes_effect = AT_RESTART,
	  .help = "First level of all topics, before the id of the site" },
	{ .name = "telemetry_interval", .type = CONF_DURATION, .min = S, .max = H, .preset = "10s", AT(mqtt_settings, telemetry_interval_us),
	  .help = "Time from one telemetry message to the next" },
	{ .name = "commands", .type = CONF_TEXTS, .preset = "[refresh]", AT(mqtt_settings, commands),
	  .help = "The only commands that are taken from the broker: verbs as in ampgate(1); what is allowed here may be done as an installer" },
	{ .name = "backlog", .type = CONF_SECTION, .table = &backlog_table, .help = "What is kept while the broker is away" },
	{ .name = "homeassistant", .type = CONF_SECTION, .table = &homeassistant_table, .help = "Discovery by Home Assistant" },
	{ .name = "sparkplug", .type = CONF_SECTION, .table = &sparkplug_table, .help = "Sparkplug B for SCADA systems" },
	{ .name = "ca", .type = CONF_PATH, AT(mqtt_settings, ca), .takes_effect = AT_RESTART,
	  .help = "Authorities that may vouch for the broker, PEM; those of the system when not said" },
	{ 0 }
};
const struct conf_table mqtt_table = { .noun = "mqtt", .size = sizeof(struct mqtt_settings), .rows = mqtt_rows };
