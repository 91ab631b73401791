/* Every key that this release understands has one row, here for the whole box and in settings-*.c by subject; docs/CONFIG.md is written from
 * them. A key without a row is refused, and a row without a reader in the program does not belong here. */
#include "base/log.h"
#include "gateway/conf/settings-rows.h"
#include "gateway/conf/settings-tables.h"

static const struct conf_row site_rows[] = {
	{ .name = "id", .type = CONF_ID, AT(site_settings, id), .preset = "site", .takes_effect = AT_RESTART,
	  .help = "Name of the site in topics, metrics and file names" },
	{ .name = "name", .type = CONF_TEXT, AT(site_settings, name), .help = "Name of the site for people" },
	{ .name = "timezone", .type = CONF_TEXT, AT(site_settings, timezone), .help = "Zone of displayed times, as in Europe/Berlin; stored times are UTC" },
	{ .name = "locked", .type = CONF_BOOL, .preset = "false", AT(site_settings, locked),
	  .help = "Only these files count: nothing is changed through the client, MQTT or the console" },
	{ .name = "voltage_v", .type = CONF_INT, .min = 100, .max = 480, .preset = "230", AT(site_settings, voltage_v),
	  .help = "Voltage from phase to neutral, used where no meter measures it" },
	{ 0 }
};
static const struct conf_table site_table = { .noun = "site", .size = sizeof(struct site_settings), .rows = site_rows };

static const struct conf_row log_rows[] = {
	{ .name = "level", .type = CONF_CHOICE, .words = WORDS("error", "warn", "info", "debug"), .preset = "info", AT(log_settings, level),
	  .help = "Least important lines that are written" },
	{ .name = "target", .type = CONF_CHOICE, .words = WORDS("stderr", "journal", "syslog"), .preset = "stderr", AT(log_settings, target),
	  .takes_effect = AT_RESTART, .help = "Where they are written to" },
	{ 0 }
};
static const struct conf_table log_table = { .noun = "log", .size = sizeof(struct log_settings), .rows = log_rows };
_Static_assert(LVL_ERROR == 0 && LVL_DEBUG == 3 && LOG_TO_STDERR == 0 && LOG_TO_SYSLOG == 2, "words of log stand in the order of base/log.h");

static const struct conf_row control_rows[] = {
	{ .name = "socket", .type = CONF_TEXT, .min = 2, .max = 107, .preset = RUN_DIR "/control.sock", AT(control_settings, socket), .takes_effect = AT_RESTART,
	  .help = "Socket that the client ampgate connects to" },
	{ 0 }
};
static const struct conf_table control_table = { .noun = "control", .size = sizeof(struct control_settings), .rows = control_rows };

static const struct conf_row firmware_rows[] = {
	{ .name = "hook", .type = CONF_PATH, AT(firmware_settings, hook), .takes_effect = AT_RESTART,
	  .help = "Program that installs firmware of this box for its own stations; called with install FILE, confirm or rollback. Without it a CSMS cannot update the box" },
	{ .name = "confirm_within", .type = CONF_DURATION, .min = S, .max = 24 * H, .preset = "10m", AT(firmware_settings, confirm_us), .takes_effect = AT_RESTART,
	  .help = "A new program that the CSMS has not accepted by then is rolled back" },
	{ 0 }
};
static const struct conf_table firmware_table = { .noun = "firmware", .size = sizeof(struct firmware_settings), .rows = firmware_rows };

static const struct conf_row plugins_rows[] = {
	{ .name = "dir", .type = CONF_TEXT, .max = 300, .preset = PLUGIN_DIR, AT(plugins_settings, dir), .takes_effect = AT_RESTART, .help = "Directory of their files" },
	{ .name = "load", .type = CONF_TEXTS, AT(plugins_settings, load), .takes_effect = AT_RESTART,
	  .help = "Names of files without .so; they run with the rights of the daemon, and only root or its user may be able to write them" },
	{ 0 }
};
static const struct conf_table plugins_table = { .noun = "plugins", .size = sizeof(struct plugins_settings), .takes_effect = AT_RESTART, .rows = plugins_rows };

static const struct conf_row sink_rows[] = {
	{ .name = "plugin", .type = CONF_TEXT, .min = 1, .max = 40, .required = true, AT(sink_settings, plugin), .help = "Which one of plugins.load" },
	{ .name = "options", .type = CONF_SPECIAL, .read = settings_options, .shape = "a map, as the plugin wants it", AT(sink_settings, options),
	  .help = "What is for the plugin; `ampgate plugin test` tries it" },
	{ .name = "commands", .type = CONF_TEXTS, .preset = "[]", AT(sink_settings, commands),
	  .help = "The only commands that are taken from this sink: verbs as in ampgate(1); what is allowed here may be done as an installer" },
	{ 0 }
};
static const struct conf_table sink_table = { .noun = "sink", .size = sizeof(struct sink_settings), .takes_effect = AT_RESTART, .rows = sink_rows };

static const struct conf_row root_rows[] = {
	{ .name = "version", .type = CONF_INT, .min = 1, .max = 1, .required = true, AT(settings, version), .help = "Version of this file's keys" },
	{ .name = "onboarding", .type = CONF_SPECIAL, .read = settings_onboarding, .words = WORDS("manual", "reject"), .shape = "`{auto: {circuit: ID}}`, or ",
	  .preset = "manual", AT(settings, onboarding), .help = "Stations that are not listed: wait to be accepted, are refused, or are served on a circuit" },
	{ .name = "site", .type = CONF_SECTION, .table = &site_table, AT(settings, site), .help = "The place" },
	{ .name = "listen", .type = CONF_SECTION, .table = &listen_table, .help = "Sockets" },
	{ .name = "tls", .type = CONF_OBJECTS, .table = &tls_table, AT(settings, tls), .help = "Certificates for listeners" },
	{ .name = "console", .type = CONF_SECTION, .table = &console_table, AT(settings, console), .help = "The web console and who may use it" },
	{ .name = "circuits", .type = CONF_OBJECTS, .table = &circuit_table, .required = true, AT(settings, circuits),
	  .help = "The tree of fuses, from the grid connection down" },
	{ .name = "buses", .type = CONF_OBJECTS, .table = &bus_table, AT(settings, buses), .help = "Serial lines for Modbus" },
	{ .name = "meters", .type = CONF_OBJECTS, .table = &meter_table, AT(settings, meters), .help = "Meters of circuits" },
	{ .name = "balancing", .type = CONF_SECTION, .table = &balancing_table, AT(settings, balancing), .help = "How current is shared" },
	{ .name = "station_defaults", .type = CONF_SECTION, .table = &station_defaults_table, AT(settings, station_defaults),
	  .help = "What holds for every station that does not say otherwise, and for stations that are not listed" },
	{ .name = "stations", .type = CONF_OBJECTS, .table = &station_table, AT(settings, stations),
	  .help = "Charging stations by their identity or a range of them, \"G-[01-11]\"; a plain identity refines a range" },
	{ .name = "evses", .type = CONF_OBJECTS, .table = &evse_table, AT(settings, evses), .help = "EVSEs that this box switches itself" },
	{ .name = "loads", .type = CONF_OBJECTS, .table = &load_table, AT(settings, loads), .help = "What draws or feeds beside the stations" },
	{ .name = "grid_operator", .type = CONF_MAYBE, .table = &grid_table, AT(settings, grid), .help = "Limits of the grid operator" },
	{ .name = "schedules", .type = CONF_OBJECTS, .table = &schedule_table, AT(settings, schedules), .help = "Times of the week with lower limits" },
	{ .name = "tariffs", .type = CONF_OBJECTS, .table = &tariff_table, AT(settings, tariffs), .help = "Lower limits while energy is dear" },
	{ .name = "uplinks", .type = CONF_OBJECTS, .table = &uplink_table, AT(settings, uplinks), .help = "Charging station management systems" },
	{ .name = "authorization", .type = CONF_SECTION, .table = &authorization_table, AT(settings, authorization), .help = "Who decides who may charge" },
	{ .name = "offline", .type = CONF_SECTION, .table = &offline_table, AT(settings, offline), .help = "What happens while the CSMS is away" },
	{ .name = "mqtt", .type = CONF_SECTION, .table = &mqtt_table, AT(settings, mqtt), .help = "Telemetry and commands over a broker; without it there is no MQTT" },
	{ .name = "log", .type = CONF_SECTION, .table = &log_table, AT(settings, log), .help = "The log" },
	{ .name = "control", .type = CONF_SECTION, .table = &control_table, AT(settings, control), .help = "The local control socket" },
	{ .name = "plugins", .type = CONF_SECTION, .table = &plugins_table, AT(settings, plugins), .help = "Drivers that are loaded from files, ampgate-plugin(3)" },
	{ .name = "sinks", .type = CONF_OBJECTS, .table = &sink_table, AT(settings, sinks), .help = "Plugins that are told what goes to a broker: telemetry, and events without a gap" },
	{ .name = "firmware", .type = CONF_SECTION, .table = &firmware_table, AT(settings, firmware), .help = "Updates of this box by a CSMS of its own stations" },
	{ 0 }
};
const struct conf_table settings_table = { .noun = "the configuration", .size = sizeof(struct settings), .rows = root_rows };
