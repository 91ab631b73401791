/* Every key that this release understands, one row each; docs/CONFIG.md is written from here. A key without a row is refused, and a row
 * without a reader in the program does not belong here. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "gateway/conf/settings-tables.h"
#include "ocpp/version.h"

#define MS INT64_C(1000)
#define S (1000 * MS)
#define MIN (60 * S)
#define H (60 * MIN)
#define DAY (24 * H)
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define A INT64_C(1000)

#define AT(type, field) .at = offsetof(struct type, field)
#define OWNER(type, field, at) ((struct type *)(void *)((char *)(at) - offsetof(struct type, field)))
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define ROTATIONS WORDS("RST", "STR", "TRS", "RTS", "SRT", "TSR")

/* ---- values with a form of their own ---- */

static int wrong(struct conf_fill *f, const struct conf_node *n, const char *hint, const char *text)
{
	conf_say(f->report, CONF_ERROR, &n->pos, hint, "%s", text);
	return ERR_INVALID;
}

static int read_word(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, int *out)
{
	struct conf_row choice = *row;
	choice.type = CONF_CHOICE;
	return conf_read(f, &choice, n, out);
}

static int read_rotation(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	int i;
	if (read_word(f, row, n, &i) != 0)
		return ERR_INVALID;
	*(const char **)at = row->words[i];
	return 0;
}

/* Ranges have had their list dealt out by now, so a list here belongs to a single station. */
static int read_station_rotation(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	if (n->kind == CONF_LIST)
		return wrong(f, n, "give this station one rotation", "a list of rotations needs a range of stations");
	return read_rotation(f, row, n, at);
}

static int read_wired_phases(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	struct conf_row part = *row;
	int count;
	part.type = n->kind == CONF_SCALAR ? CONF_INT : CONF_PHASES;
	if (n->kind != CONF_SCALAR)
		return conf_read(f, &part, n, at);
	if (conf_read(f, &part, n, &count) != 0)
		return ERR_INVALID;
	*(uint8_t *)at = (uint8_t)(PHASES_COUNTED | count);
	return 0;
}

static int read_parity(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	int i;
	if (read_word(f, row, n, &i) != 0)
		return ERR_INVALID;
	*(char *)at = "NEO"[i];
	return 0;
}

static int read_mqtt_protocol(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	int i;
	if (read_word(f, row, n, &i) != 0)
		return ERR_INVALID;
	*(int *)at = i == 0 ? 5 : 4;
	return 0;
}

static int read_meter_lost(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	struct meter_lost_settings *lost = OWNER(meter_lost_settings, limit, at);
	struct conf_row amps = *row;
	int i;
	amps.type = CONF_AMPS;
	if (n->kind == CONF_SCALAR && strspn(n->text, "0123456789.") > 0) {
		lost->limit = LOST_AMPS;
		return conf_read(f, &amps, n, &lost->limit_ma);
	}
	if (read_word(f, row, n, &i) != 0)
		return ERR_INVALID;
	lost->limit = (enum meter_lost)i;
	return 0;
}

static int read_rebalance(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	struct conf_row duration = *row;
	int i;
	duration.type = CONF_DURATION;
	if (n->kind == CONF_SCALAR && strspn(n->text, "0123456789.") > 0)
		return conf_read(f, &duration, n, at);
	if (read_word(f, row, n, &i) != 0)
		return ERR_INVALID;
	*(int64_t *)at = REBALANCE_AUTO;
	return 0;
}

/* ---- references that may also be a word ---- */

static const struct conf_table tls_table;
static const struct conf_row tls_ref = { .name = "tls", .type = CONF_REF, .refers = "tls", .table = &tls_table };
static const struct conf_row auto_circuit_rows[] = {
	{ .name = "circuit", .type = CONF_REF, .refers = "circuits", .table = &circuit_table, .required = true, AT(onboarding_settings, circuit),
	  .help = "Where unknown stations are put" },
	{ 0 }
};
static const struct conf_table auto_table = { .noun = "onboarding.auto", .size = sizeof(struct onboarding_settings), .rows = auto_circuit_rows };
static const struct conf_row onboarding_rows[] = {
	{ .name = "auto", .type = CONF_SECTION, .required = true, .table = &auto_table, .help = "Unknown stations are served on this circuit" },
	{ 0 }
};
static const struct conf_table onboarding_table = { .noun = "onboarding", .size = sizeof(struct onboarding_settings), .rows = onboarding_rows };

static int read_listener_tls(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	(void)row;
	if (n->kind == CONF_SCALAR && strcmp(n->text, "none") == 0)
		return 0;
	return conf_read(f, &tls_ref, n, at);
}

static int read_onboarding(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	struct onboarding_settings *o = at;
	int i;
	if (n->kind == CONF_MAP) {
		o->mode = ONBOARDING_AUTO;
		conf_fill(f, &onboarding_table, n, o);
		return 0;
	}
	if (read_word(f, row, n, &i) != 0)
		return ERR_INVALID;
	o->mode = (enum onboarding_mode)i;
	return 0;
}

/* ---- secrets with a twist ---- */

static int read_station_password(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	struct conf_row plain = *row;
	plain.read = NULL;
	if (strcmp(n->text, "relay") != 0)
		return conf_read(f, &plain, n, at);
	OWNER(station_settings, password, at)->password_relay = true;
	return 0;
}

/* {id} means the station that uses the uplink, so there is nothing to look up yet. */
static int read_uplink_password(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	(void)row;
	if (strncmp(n->text, "cred:", 5) != 0)
		settings_secret_literal(f->report, n);
	*(const char **)at = n->text;
	return 0;
}

/* ---- addresses ---- */

struct url {
	struct slice host, path;
	int port; /* 0: not said */
};

/* What stands behind "scheme://": host or [v6], port, the rest. */
static int url_parse(const char *rest, struct url *out)
{
	struct slice all = { rest, strcspn(rest, "/?#") };
	const char *bracket = *rest == '[' ? memchr(rest, ']', all.n) : NULL;
	const char *colon = memchr(bracket ? bracket : rest, ':', all.n - (size_t)((bracket ? bracket : rest) - rest));
	int64_t port = 0;
	out->host = bracket ? (struct slice){ rest + 1, (size_t)(bracket - rest - 1) } : (struct slice){ rest, colon ? (size_t)(colon - rest) : all.n };
	out->path = slice_of(rest + all.n);
	if (colon && (int_parse((struct slice){ colon + 1, (size_t)(rest + all.n - colon - 1) }, &port) != 0 || port < 1 || port > 65535))
		return ERR_SYNTAX;
	if (!out->host.n || memchr(out->host.p, '@', out->host.n) || strpbrk(rest, " \t\"<>"))
		return ERR_SYNTAX;
	out->port = (int)port;
	return 0;
}

/* The part behind the first of two schemes that fits, and which it was: NULL when neither does. */
static const char *scheme(const char *url, const char *plain, const char *secure, bool *is_secure)
{
	*is_secure = strncmp(url, secure, strlen(secure)) == 0;
	if (*is_secure)
		return url + strlen(secure);
	return strncmp(url, plain, strlen(plain)) == 0 ? url + strlen(plain) : NULL;
}

static int read_mqtt_url(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	struct mqtt_settings *m = OWNER(mqtt_settings, url, at);
	struct conf_row text = *row;
	struct url url;
	text.type = CONF_TEXT;
	if (conf_read(f, &text, n, &m->url) != 0)
		return ERR_INVALID;
	const char *rest = scheme(n->text, "mqtt://", "mqtts://", &m->tls);
	if (!rest || url_parse(rest, &url) != 0 || url.path.n > 1)
		return wrong(f, n, "write it like mqtts://host:8883", "not the address of a broker");
	m->host = arena_text(f->mem, url.host);
	m->port = url.port ? url.port : m->tls ? 8883 : 1883;
	return 0;
}

static int read_endpoint_url(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	struct conf_row text = *row;
	struct url url;
	bool tls;
	text.type = CONF_TEXT;
	if (conf_read(f, &text, n, at) != 0)
		return ERR_INVALID;
	const char *rest = scheme(n->text, "ws://", "wss://", &tls);
	if (!rest || url_parse(rest, &url) != 0 || memchr(url.path.p, '#', url.path.n))
		return wrong(f, n, "write it like wss://host/path/{id}", "not the address of a CSMS");
	if (!strstr(n->text, "{id}"))
		*(const char **)at = arena_printf(f->mem, "%s%s{id}", n->text, n->text[strlen(n->text) - 1] == '/' ? "" : "/");
	return 0;
}

/* ---- the site ---- */

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

static const struct conf_row listener_rows[] = {
	{ .name = "address", .type = CONF_TEXT, AT(listener_settings, address), .preset = "0.0.0.0", .takes_effect = AT_RELISTEN,
	  .help = "IPv4 or IPv6 address to listen on" },
	{ .name = "port", .type = CONF_INT, .min = 1, .max = 65535, .required = true, AT(listener_settings, port), .takes_effect = AT_RELISTEN,
	  .help = "TCP port" },
	{ .name = "tls", .type = CONF_SPECIAL, .read = read_listener_tls, .shape = "`none`, or the id of an entry in tls", .preset = "none",
	  AT(listener_settings, tls), .takes_effect = AT_RELISTEN, .help = "Certificate that stations see; none is a plain socket" },
	{ .name = "min_security_profile", .type = CONF_INT, .min = 0, .max = 3, .preset = "1", AT(listener_settings, min_security_profile),
	  .help = "Stations below this OCPP security profile are refused; 0 lets them in without a password" },
	{ .name = "only", .type = CONF_TEXTS, AT(listener_settings, only),
	  .help = "The stations that may come here, where others must not: for exceptions that an old station needs, without weakening the other ports" },
	{ .name = "ping", .type = CONF_DURATION, .min = 0, .max = H, .preset = "60s", AT(listener_settings, ping_us),
	  .help = "Pause after which a silent station is pinged; 0s sends none" },
	{ .name = "max_message", .type = CONF_SIZE, .min = 4 * KIB, .max = 16 * MIB, .preset = "256KiB", AT(listener_settings, max_message_bytes),
	  .help = "A station that sends a longer message is disconnected" },
	{ 0 }
};
static const struct conf_table listener_table = { .noun = "listener", .size = sizeof(struct listener_settings), .rows = listener_rows };

static const struct conf_row console_listener_rows[] = {
	{ .name = "address", .type = CONF_TEXT, AT(console_listener_settings, address), .preset = "127.0.0.1", .takes_effect = AT_RELISTEN,
	  .help = "IPv4 or IPv6 address to listen on" },
	{ .name = "port", .type = CONF_INT, .min = 1, .max = 65535, .required = true, AT(console_listener_settings, port), .takes_effect = AT_RELISTEN,
	  .help = "TCP port" },
	{ .name = "tls", .type = CONF_SPECIAL, .read = read_listener_tls, .shape = "`none`, or the id of an entry in tls", .preset = "none",
	  AT(console_listener_settings, tls), .takes_effect = AT_RELISTEN, .help = "Certificate that browsers see; none is for loopback addresses only" },
	{ .name = "redirect_from", .type = CONF_INT, .min = 1, .max = 65535, AT(console_listener_settings, redirect_from), .takes_effect = AT_RELISTEN,
	  .help = "Plain port on the same address that sends browsers to the TLS one" },
	{ 0 }
};
static const struct conf_table console_listener_table = { .noun = "console listener", .size = sizeof(struct console_listener_settings),
	.rows = console_listener_rows };

static const struct conf_row metrics_rows[] = {
	{ .name = "address", .type = CONF_TEXT, AT(metrics_settings, address), .preset = "127.0.0.1", .takes_effect = AT_RELISTEN,
	  .help = "IPv4 or IPv6 address to listen on" },
	{ .name = "port", .type = CONF_INT, .min = 1, .max = 65535, .preset = "9464", AT(metrics_settings, port), .takes_effect = AT_RELISTEN, .help = "TCP port" },
	{ .name = "auth", .type = CONF_CHOICE, .words = WORDS("none", "token"), .preset = "none", AT(metrics_settings, auth), .takes_effect = AT_RELISTEN,
	  .help = "Whether a bearer token of the API has to be shown" },
	{ 0 }
};
static const struct conf_table metrics_table = { .noun = "metrics listener", .size = sizeof(struct metrics_settings), .rows = metrics_rows };

static const struct conf_row listen_rows[] = {
	{ .name = "ocpp", .type = CONF_OBJECTS, AT(settings, listeners), .table = &listener_table,
	  .help = "Where charging stations connect; their identity is the last segment of the path" },
	{ .name = "console", .type = CONF_MAYBE, AT(settings, console_listener), .table = &console_listener_table,
	  .help = "Where browsers and programs reach the console, the API and the metrics" },
	{ .name = "metrics", .type = CONF_MAYBE, AT(settings, metrics), .table = &metrics_table, .help = "A plain listener for Prometheus alone" },
	{ 0 }
};
static const struct conf_table listen_table = { .noun = "listen", .rows = listen_rows };

static const struct conf_row tls_rows[] = {
	{ .name = "mode", .type = CONF_CHOICE, .words = WORDS("files", "self-signed"), .preset = "files", AT(tls_settings, mode), .takes_effect = AT_RELISTEN,
	  .help = "Where the certificate comes from: the files named here, or one for the console that the box makes for itself at its first start" },
	{ .name = "cert", .type = CONF_PATH, AT(tls_settings, cert), .takes_effect = AT_RELISTEN,
	  .help = "Certificate of this box with its chain, PEM" },
	{ .name = "key", .type = CONF_SECRET_PATH, AT(tls_settings, key), .takes_effect = AT_RELISTEN, .help = "Its private key, PEM" },
	{ .name = "second_cert", .type = CONF_PATH, AT(tls_settings, second_cert), .takes_effect = AT_RELISTEN,
	  .help = "One more certificate with the other kind of key, RSA beside ECDSA, for stations that know only one of them, PEM" },
	{ .name = "second_key", .type = CONF_SECRET_PATH, AT(tls_settings, second_key), .takes_effect = AT_RELISTEN, .help = "Its private key, PEM" },
	{ .name = "client_o", .type = CONF_TEXT, AT(tls_settings, client_o),
	  .help = "Organisation (O) that certificates of stations have to name" },
	{ .name = "client_ca", .type = CONF_PATH, AT(tls_settings, client_ca), .takes_effect = AT_RELISTEN,
	  .help = "Authorities whose station certificates are accepted (security profile 3), PEM" },
	{ .name = "client_crl", .type = CONF_PATH, AT(tls_settings, client_crl), .takes_effect = AT_RELISTEN,
	  .help = "Revocation list of these authorities, PEM; without one of an authority, or after its next update is due, none of its certificates is accepted" },
	{ .name = "pki", .type = CONF_CHOICE, .words = WORDS("none", "local"), .preset = "none", AT(tls_settings, pki),
	  .help = "Whether certificates that the box's own authority issued to stations are accepted too, but for those it took back (ampgate pki)" },
	{ .name = "old_stations", .type = CONF_BOOL, .preset = "false", AT(tls_settings, old_stations), .takes_effect = AT_RELISTEN,
	  .help = "TLS 1.0 and 1.1 too, with TLS_RSA_WITH_AES_128_CBC_SHA, which needs an RSA key; its listeners have to name the stations in only" },
	{ 0 }
};
static const struct conf_table tls_table = { .noun = "tls entry", .size = sizeof(struct tls_settings), .rows = tls_rows };

/* ---- people ---- */

static const struct conf_row user_rows[] = {
	{ .name = "role", .type = CONF_CHOICE, .words = WORDS("viewer", "operator", "installer", "admin"), .required = true, AT(user_settings, role),
	  .help = "What this person may do; each may what the ones before it may" },
	{ .name = "password", .type = CONF_SECRET, .required = true, AT(user_settings, password), .help = "As it is typed in" },
	{ 0 }
};
static const struct conf_table user_table = { .noun = "user", .size = sizeof(struct user_settings), .rows = user_rows };

/* Rows of this table count from the start of console. */
static const struct conf_row console_rows[] = {
	{ .name = "users", .type = CONF_OBJECTS, AT(console_settings, users), .table = &user_table,
	  .help = "Who may log in, beside those made at the console itself; there is no default password, see `ampgate setup-code`" },
	{ .name = "language", .type = CONF_CHOICE, .words = WORDS("en", "de"), .preset = "en", AT(console_settings, language),
	  .help = "Language for browsers that ask for none that there is" },
	{ .name = "login", .type = CONF_CHOICE, .words = WORDS("required", "none"), .preset = "required", AT(console_settings, login), .takes_effect = AT_RELISTEN,
	  .help = "none lets everyone who can reach the listener do everything, and is for loopback addresses only" },
	{ .name = "names", .type = CONF_TEXTS, AT(console_settings, names), .help = "Host names under which browsers reach the box, beside its addresses" },
	{ .name = "frame_ancestors", .type = CONF_TEXTS, AT(console_settings, frame_ancestors),
	  .help = "Origins that may show the console in a frame, such as that of a home automation" },
	{ 0 }
};
static const struct conf_table console_table = { .noun = "console", .size = sizeof(struct console_settings), .rows = console_rows };

/* ---- electricity ---- */

static const struct conf_row circuit_rows[] = {
	{ .name = "kind", .type = CONF_CHOICE, .words = WORDS("feeder", "grid_connection"), .preset = "feeder", AT(circuit_settings, kind),
	  .help = "Exactly one circuit is the grid_connection, the root of the tree" },
	{ .name = "name", .type = CONF_TEXT, AT(circuit_settings, name), .help = "Name for people" },
	{ .name = "parent", .type = CONF_REF, .refers = "circuits", .table = &circuit_table, AT(circuit_settings, parent),
	  .help = "The circuit that feeds this one" },
	{ .name = "limit_a", .type = CONF_PHASE_AMPS, .min = 1 * A, .max = 10000 * A, .required = true, AT(circuit_settings, limit_ma),
	  .help = "What the circuit may carry per phase" },
	{ .name = "reserve_a", .type = CONF_AMPS, .min = 0, .max = 10000 * A, .preset = "0", AT(circuit_settings, reserve_ma),
	  .help = "Kept free below the limit" },
	{ .name = "phases", .type = CONF_PHASES, AT(circuit_settings, phases), .help = "Phases of the grid that it has; those of its parent when not said" },
	{ .name = "meter", .type = CONF_REF, .refers = "meters", .table = &meter_table, AT(circuit_settings, meter),
	  .help = "What measures it; without one the circuits and stations below are added up" },
	{ .name = "power_limit_w", .type = CONF_INT, .min = 100, .max = 100000000, AT(circuit_settings, power_limit_w),
	  .help = "Power of the contract: the mean over power_window stays at or below it" },
	{ .name = "power_limit_va", .type = CONF_INT, .min = 100, .max = 100000000, AT(circuit_settings, power_limit_va),
	  .help = "The same as apparent power, for a transformer" },
	{ .name = "power_window", .type = CONF_DURATION, .min = 0, .max = H, .preset = "15m", .at_times = true, AT(circuit_settings, power_window_us),
	  .help = "Time of the clock over which power counts, from each full hour on; 0s: at every moment" },
	{ .name = "imbalance_a", .type = CONF_AMPS, .min = 1 * A, .max = 1000 * A, AT(circuit_settings, imbalance_ma),
	  .help = "Most that one phase may carry above another because of cars that do not load all three" },
	{ .name = "fuse", .type = CONF_MAYBE, .table = &fuse_table, AT(circuit_settings, fuse),
	  .help = "What protects it: its trip curve is set against the time in which an overload is answered" },
	{ 0 }
};
const struct conf_table circuit_table = { .noun = "circuit", .size = sizeof(struct circuit_settings), .rows = circuit_rows };

static const struct conf_row bus_rows[] = {
	{ .name = "device", .type = CONF_TEXT, .required = true, AT(bus_settings, device), .takes_effect = AT_RECONNECT, .help = "Serial device" },
	{ .name = "baud", .type = CONF_INT, .min = 1200, .max = 115200, .preset = "9600", AT(bus_settings, baud), .takes_effect = AT_RECONNECT,
	  .help = "Bits per second" },
	{ .name = "parity", .type = CONF_SPECIAL, .read = read_parity, .words = WORDS("none", "even", "odd"), .preset = "even", AT(bus_settings, parity),
	  .takes_effect = AT_RECONNECT, .help = "Parity; with none there are two stop bits" },
	{ 0 }
};
const struct conf_table bus_table = { .takes_effect = AT_RESTART, .noun = "bus", .size = sizeof(struct bus_settings), .rows = bus_rows };

/* What a plugin wants is its own business: the map travels to it as JSON. A number or a truth value without quotes is one there too. */
static void write_option(struct json_writer *w, const struct conf_node *n)
{
	cJSON *plain = n->kind == CONF_SCALAR && !n->quoted ? json_parse(slice_of(n->text)) : NULL;
	if (n->kind != CONF_SCALAR) {
		n->kind == CONF_MAP ? jw_object(w, n->key) : jw_array(w, n->key);
		for (const struct conf_node *child = n->first; child; child = child->next)
			write_option(w, child);
		jw_end(w, n->kind == CONF_MAP ? '}' : ']');
	} else if (conf_is_null(n)) {
		jw_null(w, n->key);
	} else if (cJSON_IsNumber(plain) || cJSON_IsBool(plain)) {
		jw_raw(w, n->key, slice_of(n->text));
	} else {
		jw_string(w, n->key, n->text);
	}
	cJSON_Delete(plain);
}

int settings_options(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	struct buf out = { 0 };
	struct json_writer w;
	(void)row;
	if (n->kind != CONF_MAP)
		return wrong(f, n, "write {key: value}", "options are a map");
	jw_open(&w, &out);
	jw_object(&w, NULL);
	for (const struct conf_node *child = n->first; child; child = child->next)
		write_option(&w, child);
	jw_end(&w, '}');
	*(const char **)at = arena_text(f->mem, buf_view(&out));
	buf_free(&out);
	return 0;
}

static const struct conf_row meter_rows[] = {
	{ .name = "driver", .type = CONF_CHOICE, .words = WORDS("modbus-tcp", "modbus-rtu", "sim", "plugin"), .required = true, AT(meter_settings, driver),
	  .takes_effect = AT_RECONNECT, .help = "How it is read; sim is a meter that exists only in this program" },
	{ .name = "plugin", .type = CONF_TEXT, .min = 1, .max = 40, AT(meter_settings, plugin), .takes_effect = AT_RESTART,
	  .help = "plugin: which one of plugins.load" },
	{ .name = "options", .type = CONF_SPECIAL, .read = settings_options, .shape = "a map, as the plugin wants it", AT(meter_settings, options),
	  .takes_effect = AT_RESTART, .help = "plugin: what is for the plugin; `ampgate plugin test` tries it" },
	{ .name = "model", .type = CONF_ID, AT(meter_settings, model), .takes_effect = AT_RECONNECT,
	  .help = "Name of its register map, a file in the models directory" },
	{ .name = "host", .type = CONF_TEXT, AT(meter_settings, host), .takes_effect = AT_RECONNECT, .help = "modbus-tcp: address or name" },
	{ .name = "port", .type = CONF_INT, .min = 1, .max = 65535, .preset = "502", .at_times = true, AT(meter_settings, port), .takes_effect = AT_RECONNECT,
	  .help = "modbus-tcp: TCP port" },
	{ .name = "bus", .type = CONF_REF, .refers = "buses", .table = &bus_table, AT(meter_settings, bus), .takes_effect = AT_RECONNECT,
	  .help = "modbus-rtu: its line" },
	{ .name = "unit", .type = CONF_INT, .min = 0, .max = 255, .preset = "1", .at_times = true, AT(meter_settings, unit), .takes_effect = AT_RECONNECT,
	  .help = "Modbus unit number" },
	{ .name = "poll", .type = CONF_DURATION, .min = 100 * MS, .max = H, .preset = "1s", AT(meter_settings, poll_us), .help = "Time from reading to reading" },
	{ .name = "stale_after", .type = CONF_DURATION, .min = 500 * MS, .max = H, .preset = "5s", AT(meter_settings, stale_after_us),
	  .help = "A meter without a reading for this long counts as lost" },
	{ .name = "ct_ratio", .type = CONF_NUMBER, .min = 1, .max = 100000000, .preset = "1", AT(meter_settings, ct_ratio),
	  .help = "Factor of current transformers that the meter does not know of" },
	{ .name = "invert", .type = CONF_BOOL, .preset = "false", AT(meter_settings, invert), .help = "Built in backwards: import and export change places" },
	{ 0 }
};
const struct conf_table meter_table = { .takes_effect = AT_RESTART, .noun = "meter", .size = sizeof(struct meter_settings), .rows = meter_rows };

static const struct conf_row increase_rows[] = {
	{ .name = "after", .type = CONF_DURATION, .min = 0, .max = H, .preset = "15s", AT(balancing_settings, increase.after_us),
	  .help = "Room has to stay this long before a current rises" },
	{ .name = "step_a", .type = CONF_AMPS, .min = A / 10, .max = 1000 * A, .preset = "4", AT(balancing_settings, increase.step_ma), .help = "Most that it rises at once" },
	{ 0 }
};
/* Rows of this table count from the start of balancing, not of increase. */
static const struct conf_table increase_table = { .noun = "balancing.increase", .rows = increase_rows };

static const struct conf_row meter_lost_rows[] = {
	{ .name = "after", .type = CONF_DURATION, .min = 0, .max = H, .preset = "3s", AT(meter_lost_settings, after_us),
	  .help = "Time that readings may be stale before currents are lowered" },
	{ .name = "limit", .type = CONF_SPECIAL, .read = read_meter_lost, .words = WORDS("fallback", "stop"), .shape = "amperes per EVSE, or ", .max = 1000 * A,
	  .preset = "fallback", AT(meter_lost_settings, limit), .help = "Current of each EVSE below a circuit whose meter is lost" },
	{ 0 }
};
static const struct conf_table meter_lost_table = { .noun = "balancing.on_meter_lost", .size = sizeof(struct meter_lost_settings), .rows = meter_lost_rows };

static const struct conf_row balancing_rows[] = {
	{ .name = "interval", .type = CONF_DURATION, .min = 200 * MS, .max = MIN, .preset = "1s", AT(balancing_settings, interval_us),
	  .help = "Time from one allocation to the next" },
	{ .name = "strategy", .type = CONF_CHOICE, .words = WORDS("fair", "priority", "first-come", "deadline", "fair-energy", "ready"), .preset = "fair",
	  AT(balancing_settings, strategy),
	  .help = "Who gets what is left when it is not enough for everyone; deadline: in proportion to what each needs until it leaves, as far as known; fair-energy: who has got least in its session; ready: as many vehicles ready as can be" },
	{ .name = "rebalance_every", .type = CONF_SPECIAL, .read = read_rebalance, .words = WORDS("auto"), .shape = "duration, or ", .max = H,
	  .preset = "auto", AT(balancing_settings, rebalance_us),
	  .help = "Shares that still fit are kept for so long before they are made even again; 0s: always even; auto: 10m by deadline, else 0s" },
	{ .name = "margin", .type = CONF_CHOICE, .words = WORDS("auto", "on", "off"), .preset = "auto", AT(balancing_settings, margin),
	  .help = "Keeps half a per cent to six per cent of every limit free, as much as the overloads seen ask for; auto: on by deadline, else off" },
	{ .name = "min_current_a", .type = CONF_AMPS, .min = 6 * A, .max = 80 * A, .preset = "6", AT(balancing_settings, min_current_ma),
	  .help = "An EVSE that would get less is paused" },
	{ .name = "rotate_every", .type = CONF_DURATION, .min = MIN, .max = DAY, .preset = "15m", AT(balancing_settings, rotate_every_us),
	  .help = "Time after which the paused ones have their turn" },
	{ .name = "increase", .type = CONF_SECTION, .table = &increase_table, .help = "How currents rise; they fall at once" },
	{ .name = "on_meter_lost", .type = CONF_SECTION, .table = &meter_lost_table, AT(balancing_settings, on_meter_lost), .help = "What happens without readings" },
	{ .name = "decision_log", .type = CONF_SIZE, .min = 0, .max = GIB, .preset = "16MiB", .takes_effect = AT_RESTART, AT(balancing_settings, decision_log_bytes),
	  .help = "Room for what was decided and from what, to be replayed with ampgate balance --replay; 0 keeps none" },
	{ 0 }
};
static const struct conf_table balancing_table = { .noun = "balancing", .size = sizeof(struct balancing_settings), .rows = balancing_rows };

/* ---- stations ---- */

/* Keys that station_defaults and a station share, in that order of precedence. */
#define STATION_SHARED_ROWS                                                                                                                  \
	{ .name = "uplink", .type = CONF_REF, .refers = "uplinks", .table = &uplink_table, AT(station_settings, uplink), .takes_effect = AT_RECONNECT,    \
	  .help = "Where its messages go; without one they stay in the box" },                                                                    \
	{ .name = "subprotocols", .type = CONF_TEXTS, .words = WORDS("ocpp2.1", "ocpp2.0.1", "ocpp1.6"), .later = "ocpp1.5s ocpp1.2s",             \
	  .preset = "[ocpp2.1, ocpp2.0.1, ocpp1.6]", AT(station_settings, subprotocols), .takes_effect = AT_RECONNECT,                            \
	  .help = "Versions that may be spoken, in order of preference" },                                                                       \
	{ .name = "password", .type = CONF_SECRET, .read = read_station_password, .shape = "`cred:NAME`, a hash, or `relay`", AT(station_settings, password),    \
	  .takes_effect = AT_RECONNECT, .help = "What it has to show, or its hash (`ampgate hash`); relay passes what it shows on to the CSMS" },   \
	{ .name = "min_security_profile", .type = CONF_INT, .min = 0, .max = 3, .preset = "0", AT(station_settings, min_security_profile),           \
	  .takes_effect = AT_RECONNECT, .help = "Refused below this profile, whatever its listener allows" },                                    \
	{ .name = "evses", .type = CONF_INT, .min = 1, .max = 64, .preset = "1", AT(station_settings, evses), .help = "How many EVSEs it has" },       \
	{ .name = "kind", .type = CONF_CHOICE, .words = WORDS("ac", "dc"), .preset = "ac", AT(station_settings, dc),                                  \
	  .help = "dc: it charges with direct current; it is told powers, and what it draws is read from its power" },                           \
	{ .name = "max_power_w", .type = CONF_INT, .min = 0, .max = 10000000, .preset = "0", .at_times = true, AT(station_settings, max_power_w),     \
	  .help = "dc: most that one EVSE gives to a car" },                                                                                     \
	{ .name = "min_power_w", .type = CONF_INT, .min = 0, .max = 10000000, .preset = "3000", .at_times = true, AT(station_settings, min_power_w),  \
	  .help = "dc: an EVSE that would get less is paused" },                                                                                 \
	{ .name = "fallback_power_w", .type = CONF_INT, .min = 0, .max = 10000000, .preset = "0", .at_times = true,                                  \
	  AT(station_settings, fallback_power_w), .help = "dc: what each EVSE gives by itself when this box cannot reach it; 0 pauses" },          \
	{ .name = "efficiency", .type = CONF_NUMBER, .min = 500, .max = 1000, .preset = "0.93", .at_times = true, AT(station_settings, efficiency),   \
	  .help = "dc: the part of what it draws from the grid that reaches the car" },                                                          \
	{ .name = "max_current_a", .type = CONF_AMPS, .min = 6 * A, .max = 1000 * A, .preset = "32", AT(station_settings, max_current_ma),            \
	  .help = "Most that one EVSE gets per phase" },                                                                                        \
	{ .name = "min_current_a", .type = CONF_AMPS, .min = 6 * A, .max = 80 * A, AT(station_settings, min_current_ma),                             \
	  .help = "An EVSE that would get less is paused; that of balancing when not said" },                                                    \
	{ .name = "fallback_current_a", .type = CONF_AMPS, .min = 0, .max = 1000 * A, .preset = "6", AT(station_settings, fallback_current_ma),       \
	  .help = "What each EVSE takes per phase when this box cannot reach it; kept in the station as its default profile" },                   \
	{ .name = "switch_phases_after", .type = CONF_DURATION, .min = 0, .max = DAY, .preset = "0s", AT(station_settings, switch_phases_after_us),   \
	  .help = "It can charge on one phase alone, by numberPhases (its first, or the one with most room where it has ACPhaseSwitchingSupported): it does where three would have to wait, and changes no sooner than this again; 0: it cannot" }, \
	{ .name = "step_a", .type = CONF_AMPS, .min = 0, .max = 100 * A, .preset = "0", AT(station_settings, step_ma),                               \
	  .help = "It takes multiples of this only, so nothing else is planned for it; 0: any" },                                                \
	{ .name = "priority", .type = CONF_INT, .min = 0, .max = 100, .preset = "0", AT(station_settings, priority), .help = "The highest is served first" }, \
	{ .name = "meter_interval", .type = CONF_DURATION, .min = S, .max = H, .preset = "10s", AT(station_settings, meter_interval_us),              \
	  .help = "How often it is asked to send meter values while charging" },                                                                \
	{ .name = "limit_response", .type = CONF_DURATION, .min = 0, .max = H, .preset = "0s", AT(station_settings, limit_response_us),                \
	  .help = "How long its current takes to follow a limit; 0 for what is known of the model, 15 s where nothing is" },                      \
	{ .name = "validation", .type = CONF_CHOICE, .words = WORDS("lenient", "strict", "off"), .preset = "lenient", AT(station_settings, validation), \
	  .help = "Messages that break the standard: lenient reports them, strict answers an error, off does not look" }

static const struct conf_row station_defaults_rows[] = { STATION_SHARED_ROWS, { 0 } };
const struct conf_table station_defaults_table = { .noun = "station_defaults", .size = sizeof(struct station_settings), .rows = station_defaults_rows };

static const struct conf_row station_rows[] = {
	{ .name = "name", .type = CONF_TEXT, AT(station_settings, name), .help = "Name for people" },
	{ .name = "circuit", .type = CONF_REF, .refers = "circuits", .table = &circuit_table, .required = true, AT(station_settings, circuit),
	  .help = "What feeds it" },
	{ .name = "rotation", .type = CONF_SPECIAL, .read = read_station_rotation, .words = ROTATIONS,
	  .shape = "a word, or a list that is dealt out over a range: ", AT(station_settings, rotation),
	  .help = "Phases of the grid at the terminals L1, L2 and L3 of the station; RST when neither this nor phases says otherwise" },
	{ .name = "phases", .type = CONF_SPECIAL, .read = read_wired_phases, .shape = "1 to 3, or a list of L1, L2, L3", .min = 1, .max = 3,
	  AT(station_settings, phases), .help = "How many phases it uses, or which of the grid; all of its circuit when not said" },
	{ .name = "certificate_cn", .type = CONF_TEXT, .min = 1, .max = 64, AT(station_settings, certificate_cn),
	  .help = "CN of its certificate under security profile 3, such as its serial number; its identity when not said" },
	{ .name = "uplink_id", .type = CONF_IDENTITY, AT(station_settings, uplink_id), .takes_effect = AT_RECONNECT,
	  .help = "Its identity towards the CSMS, where it differs" },
	{ .name = "replaces", .type = CONF_IDENTITY, AT(station_settings, replaces),
	  .help = "The station in whose place it stands: in an aggregate it takes over the numbers" },
	STATION_SHARED_ROWS,
	{ 0 }
};
static const struct conf_table station_table = { .noun = "station", .size = sizeof(struct station_settings), .ids_are_identities = true, .rows = station_rows };

/* ---- EVSEs of this box ---- */

#define POINT_ROWS                                                                                                                           \
	{ .name = "host", .type = CONF_TEXT, AT(io_point, host), .takes_effect = AT_RECONNECT, .help = "Modbus TCP: address or name" },           \
	{ .name = "port", .type = CONF_INT, .min = 1, .max = 65535, .preset = "502", .at_times = true, AT(io_point, port), .takes_effect = AT_RECONNECT,            \
	  .help = "Modbus TCP: port" },                                                                                                         \
	{ .name = "bus", .type = CONF_REF, .refers = "buses", .table = &bus_table, AT(io_point, bus), .takes_effect = AT_RECONNECT,               \
	  .help = "Modbus RTU: its line" },                                                                                                     \
	{ .name = "unit", .type = CONF_INT, .min = 0, .max = 255, .preset = "1", AT(io_point, unit), .takes_effect = AT_RECONNECT,                \
	  .help = "Modbus unit number" }

#define LINE_ROWS                                                                                                                            \
	{ .name = "chip", .type = CONF_TEXT, .max = 100, AT(io_point, chip), .takes_effect = AT_RECONNECT, .help = "GPIO: the chip, as gpiochip0" },  \
	{ .name = "line", .type = CONF_INT, .min = 0, .max = 65535, .at_times = true, AT(io_point, line), .takes_effect = AT_RECONNECT,               \
	  .help = "GPIO: number of the line" },                                                                                                 \
	{ .name = "active", .type = CONF_CHOICE, .words = WORDS("high", "low"), .preset = "high", AT(io_point, active),                               \
	  .takes_effect = AT_RECONNECT, .help = "The level that means closed, pressed or present" }

static const struct conf_row contactor_rows[] = {
	POINT_ROWS,
	{ .name = "coil", .type = CONF_INT, .min = 0, .max = 65535, .at_times = true, AT(io_point, address), .takes_effect = AT_RECONNECT,
	  .help = "Modbus: number of the coil, from 0" },
	LINE_ROWS,
	{ 0 }
};
static const struct conf_table contactor_table = { .noun = "contactor", .size = sizeof(struct io_point), .rows = contactor_rows };

static const struct conf_row feedback_rows[] = {
	POINT_ROWS,
	{ .name = "input", .type = CONF_INT, .min = 0, .max = 65535, .at_times = true, AT(io_point, address), .takes_effect = AT_RECONNECT,
	  .help = "Modbus: number of the discrete input, from 0" },
	LINE_ROWS,
	{ 0 }
};
static const struct conf_table feedback_table = { .noun = "feedback", .size = sizeof(struct io_point), .rows = feedback_rows };

static const struct conf_row board_rows[] = {
	{ .name = "device", .type = CONF_TEXT, .min = 1, .required = true, AT(board_settings, device), .takes_effect = AT_RECONNECT,
	  .help = "Serial device of the board" },
	{ .name = "baud", .type = CONF_INT, .min = 9600, .max = 460800, .preset = "115200", AT(board_settings, baud), .takes_effect = AT_RECONNECT,
	  .help = "Speed of its line" },
	{ 0 }
};
static const struct conf_table board_table = { .noun = "board", .size = sizeof(struct board_settings), .rows = board_rows };

static const struct conf_row controller_rows[] = {
	{ .name = "model", .type = CONF_TEXT, .min = 1, .max = 40, .required = true, AT(controller_settings, model), .takes_effect = AT_RECONNECT,
	  .help = "Its register map, from the directory of controllers" },
	{ .name = "host", .type = CONF_TEXT, AT(controller_settings, host), .takes_effect = AT_RECONNECT, .help = "Modbus TCP: address or name" },
	{ .name = "port", .type = CONF_INT, .min = 1, .max = 65535, .preset = "502", .at_times = true, AT(controller_settings, port),
	  .takes_effect = AT_RECONNECT, .help = "Modbus TCP: port" },
	{ .name = "bus", .type = CONF_REF, .refers = "buses", .table = &bus_table, AT(controller_settings, bus), .takes_effect = AT_RECONNECT,
	  .help = "Modbus RTU: its line" },
	{ .name = "unit", .type = CONF_INT, .min = 0, .max = 255, .preset = "1", AT(controller_settings, unit), .takes_effect = AT_RECONNECT,
	  .help = "Modbus unit number" },
	{ 0 }
};
static const struct conf_table controller_table = { .noun = "controller", .size = sizeof(struct controller_settings), .rows = controller_rows };

static const struct conf_row reader_rows[] = {
	{ .name = "driver", .type = CONF_CHOICE, .words = WORDS("keyboard", "serial", "plugin"), .required = true, AT(reader_settings, driver),
	  .takes_effect = AT_RECONNECT, .help = "It types like a keyboard (an input event device), sends lines, or is read by a plugin" },
	{ .name = "device", .type = CONF_TEXT, .min = 1, AT(reader_settings, device), .takes_effect = AT_RECONNECT,
	  .help = "Its device; EVSEs that name the same one share it" },
	{ .name = "baud", .type = CONF_INT, .min = 300, .max = 460800, .preset = "9600", .at_times = true, AT(reader_settings, baud),
	  .takes_effect = AT_RECONNECT, .help = "Speed of a serial line" },
	{ .name = "plugin", .type = CONF_TEXT, .min = 1, .max = 40, AT(reader_settings, plugin), .takes_effect = AT_RESTART,
	  .help = "Driver plugin: which one of plugins.load; EVSEs that name the same one with the same options share the reader" },
	{ .name = "options", .type = CONF_SPECIAL, .read = settings_options, .shape = "a map, as the plugin wants it", AT(reader_settings, options),
	  .takes_effect = AT_RESTART, .help = "Driver plugin: what is for the plugin; `ampgate plugin test` tries it" },
	{ 0 }
};
static const struct conf_table reader_table = { .noun = "reader", .size = sizeof(struct reader_settings), .rows = reader_rows };

static const struct conf_row evse_rows[] = {
	{ .name = "circuit", .type = CONF_REF, .refers = "circuits", .table = &circuit_table, .required = true, AT(evse_settings, circuit),
	  .help = "What feeds it" },
	{ .name = "uplink", .type = CONF_REF, .refers = "uplinks", .table = &uplink_table, AT(evse_settings, uplink), .takes_effect = AT_RECONNECT,
	  .help = "Where it appears as a station; without one it is known to this box alone" },
	{ .name = "station", .type = CONF_IDENTITY, AT(evse_settings, station), .takes_effect = AT_RECONNECT,
	  .help = "The station it belongs to, where one station has several EVSEs; they are numbered in the order of the file" },
	{ .name = "version", .type = CONF_CHOICE, .words = WORDS("ocpp1.6", "ocpp2.0.1"), .preset = "ocpp1.6", AT(evse_settings, version),
	  .takes_effect = AT_RECONNECT, .help = "What it speaks as a station" },
	{ .name = "driver", .type = CONF_CHOICE, .words = WORDS("modbus-relay", "sim", "gpio-relay", "pilot-board", "modbus-evse", "plugin"), .required = true,
	  AT(evse_settings, driver), .takes_effect = AT_RECONNECT,
	  .help = "What switches it; sim is a contactor with a car that exists only in this program" },
	{ .name = "plugin", .type = CONF_TEXT, .min = 1, .max = 40, AT(evse_settings, plugin), .takes_effect = AT_RESTART,
	  .help = "Driver plugin: which one of plugins.load" },
	{ .name = "options", .type = CONF_SPECIAL, .read = settings_options, .shape = "a map, as the plugin wants it", AT(evse_settings, options),
	  .takes_effect = AT_RESTART, .help = "Driver plugin: what is for the plugin; `ampgate plugin test` tries it" },
	{ .name = "rotation", .type = CONF_SPECIAL, .read = read_rotation, .words = ROTATIONS, AT(evse_settings, rotation),
	  .help = "Phases of the grid at the terminals L1, L2 and L3 of the EVSE; RST when neither this nor phases says otherwise" },
	{ .name = "phases", .type = CONF_SPECIAL, .read = read_wired_phases, .shape = "1 to 3, or a list of L1, L2, L3", .min = 1, .max = 3,
	  AT(evse_settings, phases), .help = "How many phases it switches, or which of the grid; all of its circuit when not said" },
	{ .name = "current_a", .type = CONF_AMPS, .min = 1 * A, .max = 80 * A, .required = true, AT(evse_settings, current_ma),
	  .help = "What it takes per phase when it is on: all or nothing without a control pilot, else the most" },
	{ .name = "switch_phases_after", .type = CONF_DURATION, .min = 0, .max = DAY, .preset = "0s", .at_times = true, AT(evse_settings, switch_phases_after_us),
	  .help = "Its hardware has a second contactor for L2 and L3: it charges on its L1 alone where three phases would have to wait, and changes no sooner than this again; 0: it does not" },
	{ .name = "pilot", .type = CONF_BOOL, .preset = "false", .at_times = true, AT(evse_settings, pilot), .takes_effect = AT_RECONNECT,
	  .help = "Drivers sim and plugin: with a control pilot, so that the car is told how much" },
	{ .name = "file", .type = CONF_TEXT, .at_times = true, AT(evse_settings, file), .takes_effect = AT_RECONNECT,
	  .help = "Driver sim: a JSON file that moves the car and breaks things while the program runs" },
	{ .name = "wake", .type = CONF_BOOL, .preset = "true", .at_times = true, AT(evse_settings, wake), .takes_effect = AT_RECONNECT,
	  .help = "With a pilot board: a car that does not ask within half a minute is woken once, by state E or F of its pilot" },
	{ .name = "authorize", .type = CONF_CHOICES, .words = WORDS("free", "remote", "local_list", "cache", "schedule"), .preset = "[remote, local_list]",
	  AT(evse_settings, authorize),
	  .help = "Who may start: anyone who plugs in, the CSMS, tokens of the local list, tokens seen before, anyone during 'hours'" },
	{ .name = "hours", .type = CONF_TEXTS, .preset = "[]", .at_times = true, AT(evse_settings, hours), .help = "Local times of day at which charging needs no token: [22:00-06:00]" },
	{ .name = "token", .type = CONF_TEXT, .min = 1, .max = 20, .preset = "FREE", .at_times = true, AT(evse_settings, token),
	  .help = "Token that sessions carry which nobody had to authorize" },
	{ .name = "contactor", .type = CONF_MAYBE, .table = &contactor_table, AT(evse_settings, contactor), .help = "The output that closes the contactor" },
	{ .name = "feedback", .type = CONF_MAYBE, .table = &feedback_table, AT(evse_settings, feedback),
	  .help = "The input that tells whether the contactor is closed, to notice a welded one" },
	{ .name = "plugged", .type = CONF_MAYBE, .table = &feedback_table, AT(evse_settings, plugged),
	  .help = "The input that tells whether a load is there; without it one is taken to be" },
	{ .name = "emergency_stop", .type = CONF_MAYBE, .table = &feedback_table, AT(evse_settings, emergency_stop),
	  .help = "Driver gpio-relay: the input of an emergency stop" },
	{ .name = "residual_current", .type = CONF_MAYBE, .table = &feedback_table, AT(evse_settings, residual_current),
	  .help = "Driver gpio-relay: the input that tells that a residual current device has tripped" },
	{ .name = "mains", .type = CONF_MAYBE, .table = &feedback_table, AT(evse_settings, mains), .help = "Driver gpio-relay: the input that tells that there is supply" },
	{ .name = "heartbeat", .type = CONF_MAYBE, .table = &contactor_table, AT(evse_settings, heartbeat),
	  .help = "Driver gpio-relay: an output that changes its level several times a second as long as this program is well, for a watchdog" },
	{ .name = "board", .type = CONF_MAYBE, .table = &board_table, AT(evse_settings, board), .help = "Driver pilot-board: the board" },
	{ .name = "controller", .type = CONF_MAYBE, .table = &controller_table, AT(evse_settings, controller), .help = "Driver modbus-evse: the charge controller" },
	{ .name = "reader", .type = CONF_MAYBE, .table = &reader_table, AT(evse_settings, reader), .help = "The card reader in front of this EVSE" },
	{ .name = "meter", .type = CONF_MAYBE, .table = &meter_table, AT(evse_settings, meter), .help = "The meter of this EVSE; its phases are those at the EVSE's terminals" },
	{ 0 }
};
static const struct conf_table evse_table = { .takes_effect = AT_RESTART, .noun = "evse", .size = sizeof(struct evse_settings), .ids_are_identities = true, .rows = evse_rows };

/* ---- outward ---- */

static const struct conf_row endpoint_rows[] = {
	{ .name = "url", .type = CONF_SPECIAL, .read = read_endpoint_url, .shape = "ws:// or wss:// address", .required = true, AT(endpoint_settings, url),
	  .takes_effect = AT_RECONNECT, .help = "{id} stands for the station's identity, which is appended when {id} does not occur" },
	{ .name = "priority", .type = CONF_INT, .min = 1, .max = 100, .preset = "1", AT(endpoint_settings, priority), .takes_effect = AT_RECONNECT,
	  .help = "The lowest is tried first" },
	{ 0 }
};
static const struct conf_table endpoint_table = { .noun = "endpoint", .size = sizeof(struct endpoint_settings), .rows = endpoint_rows };

static const struct conf_row reconnect_rows[] = {
	{ .name = "min", .type = CONF_DURATION, .min = 100 * MS, .max = H, .preset = "5s", AT(uplink_settings, reconnect.min_us), .help = "First pause" },
	{ .name = "max", .type = CONF_DURATION, .min = S, .max = DAY, .preset = "5m", AT(uplink_settings, reconnect.max_us), .help = "Longest pause; each is twice the one before" },
	{ .name = "jitter", .type = CONF_PERCENT, .min = 0, .max = 100, .preset = "50%", AT(uplink_settings, reconnect.jitter_percent),
	  .help = "Random part of each pause, so that a site does not return all at once" },
	{ 0 }
};
/* Rows of this table count from the start of the uplink. */
static const struct conf_table reconnect_table = { .noun = "reconnect", .rows = reconnect_rows };

static const struct conf_row uplink_rows[] = {
	{ .name = "mode", .type = CONF_CHOICE, .words = WORDS("per-station", "aggregate", "multiplex"), .preset = "per-station", AT(uplink_settings, mode),
	  .takes_effect = AT_RESTART, .help = "A connection of its own for every station; one for all of them, shown as one station; or one in which every station has its stream" },
	{ .name = "version", .type = CONF_CHOICE, .words = WORDS("as-station", "ocpp1.6", "ocpp2.0.1"), .later = "ocpp2.1", .preset = "as-station",
	  AT(uplink_settings, version), .takes_effect = AT_RESTART, .help = "The version of OCPP that the station speaks; aggregate has one for all" },
	{ .name = "identity", .type = CONF_IDENTITY, .at_times = true, AT(uplink_settings, identity), .takes_effect = AT_RESTART,
	  .help = "What the stations are called as one (aggregate)" },
	{ .name = "vendor", .type = CONF_TEXT, .min = 1, .max = 20, .preset = "ampgate", .at_times = true, AT(uplink_settings, vendor),
	  .help = "Vendor that the boot of an aggregate names" },
	{ .name = "model", .type = CONF_TEXT, .min = 1, .max = 20, .preset = "aggregate", .at_times = true, AT(uplink_settings, model),
	  .help = "Model that the boot of an aggregate names" },
	{ .name = "circuit", .type = CONF_REF, .refers = "circuits", .table = &circuit_table, .at_times = true, AT(uplink_settings, group_circuit),
	  .help = "What a limit of the CSMS for an aggregate as a whole is for; found by itself where a circuit feeds these stations and no others" },
	{ .name = "on_loss", .type = CONF_CHOICE, .words = WORDS("hold", "mirror"), .preset = "hold", AT(uplink_settings, on_loss),
	  .help = "While the CSMS is away: hold serves stations alone, mirror disconnects them too" },
	{ .name = "compress", .type = CONF_CHOICE, .words = WORDS("auto", "always", "never"), .preset = "auto", AT(uplink_settings, compress),
	  .takes_effect = AT_RECONNECT, .help = "Whether compression (permessage-deflate) is offered to the CSMS: auto does with OCPP 2.x, which asks for it" },
	{ .name = "failback_after", .type = CONF_DURATION, .min = 0, .max = DAY, .preset = "10m", AT(uplink_settings, failback_after_us),
	  .help = "Time on a later endpoint after which the first is tried again; 0s stays" },
	{ .name = "security_profile", .type = CONF_INT, .min = 0, .max = 3, .preset = "1", AT(uplink_settings, security_profile), .takes_effect = AT_RECONNECT,
	  .help = "OCPP security profile towards the CSMS: 1 password, 2 with TLS, 3 client certificate" },
	{ .name = "user", .type = CONF_TEXT, .preset = "{id}", .at_times = true, AT(uplink_settings, user), .takes_effect = AT_RECONNECT,
	  .help = "User name of the password, {id} is the station's identity towards the CSMS" },
	{ .name = "password", .type = CONF_SECRET, .read = read_uplink_password, .shape = "`cred:NAME`, {id} in it is the station's identity towards the CSMS",
	  AT(uplink_settings, password), .takes_effect = AT_RECONNECT, .help = "What is shown to the CSMS (profiles 1 and 2)" },
	{ .name = "ca", .type = CONF_PATH, AT(uplink_settings, ca), .takes_effect = AT_RECONNECT,
	  .help = "Authorities that may vouch for the CSMS, PEM: a file, or a directory of .pem and .crt files; those of the system when not said" },
	{ .name = "cert", .type = CONF_PATH, AT(uplink_settings, cert), .takes_effect = AT_RECONNECT, 
	  .help = "Client certificate (profile 3), PEM; own_identity renews it, and needs none here once it has one of its own" },
	{ .name = "key", .type = CONF_SECRET_PATH, AT(uplink_settings, key), .takes_effect = AT_RECONNECT, .help = "Its private key, PEM" },
	{ .name = "check_name", .type = CONF_BOOL, .preset = "true", .at_times = true, AT(uplink_settings, check_name), .takes_effect = AT_RECONNECT,
	  .help = "Whether the certificate of the CSMS must carry its host name" },
	{ .name = "ocsp", .type = CONF_CHOICE, .words = WORDS("soft", "hard", "off"), .preset = "soft", .at_times = true, AT(uplink_settings, ocsp),
	  .takes_effect = AT_RECONNECT, .help = "What the authority of the CSMS says of its certificate, stapled to the handshake: soft refuses what is revoked, hard what is not said to be good, off does not ask" },
	{ .name = "pki", .type = CONF_CHOICE, .words = WORDS("relay", "local"), .preset = "relay", AT(uplink_settings, pki),
	  .help = "Who answers a station that asks for a certificate (SignCertificate): the CSMS, or the box's own authority (ampgate pki)" },
	{ .name = "ping", .type = CONF_DURATION, .min = 0, .max = H, .preset = "30s", AT(uplink_settings, ping_us), .takes_effect = AT_RECONNECT,
	  .help = "Pause after which a silent connection is pinged; 0s sends none" },
	{ .name = "call_timeout", .type = CONF_DURATION, .min = S, .max = 10 * MIN, .preset = "30s", AT(uplink_settings, call_timeout_us),
	  .help = "Longest wait for an answer of the CSMS" },
	{ .name = "message_attempts", .type = CONF_INT, .min = 1, .max = 1000, .preset = "3", AT(uplink_settings, message_attempts),
	  .help = "A transaction message that the CSMS has refused this often is set aside for the operator; an outage does not count" },
	{ .name = "message_retry_interval", .type = CONF_DURATION, .min = 100 * MS, .max = H, .preset = "10s", AT(uplink_settings, message_retry_us),
	  .help = "Pause before such a message is sent again, times the number of refusals so far" },
	{ .name = "interfaces", .type = CONF_TEXTS, .preset = "[]", AT(uplink_settings, interfaces), .takes_effect = AT_RECONNECT,
	  .help = "Network interfaces that are tried in this order for each endpoint: [eth0, wwan0]; as the system routes when not said" },
	{ .name = "drain_parallel", .type = CONF_INT, .min = 1, .max = 10000, .preset = "64", AT(uplink_settings, drain_parallel),
	  .help = "When the CSMS is back: how many stations deliver what waited at the same time; what happens now does not wait" },
	{ .name = "endpoints", .type = CONF_ITEMS, .required = true, .table = &endpoint_table, AT(uplink_settings, endpoints), .takes_effect = AT_RECONNECT,
	  .help = "Addresses of the CSMS" },
	{ .name = "reconnect", .type = CONF_SECTION, .table = &reconnect_table, .help = "Pauses between attempts" },
	{ .name = "own_identity", .type = CONF_IDENTITY, AT(uplink_settings, own_identity), .takes_effect = AT_RESTART,
	  .help = "The box itself as a station without EVSEs, for limits of the whole group, its device model and its logs" },
	{ .name = "additional_root_check", .type = CONF_BOOL, .preset = "false", .at_times = true, AT(uplink_settings, additional_root_check), .takes_effect = AT_RESTART,
	  .help = "AdditionalRootCertificateCheck of own_identity: a root that the CSMS installs has to be signed by the one before, and takes its place once a connection leads to it" },
	{ .name = "own_version", .type = CONF_CHOICE, .words = WORDS("ocpp1.6", "ocpp2.0.1", "ocpp2.1"), .preset = "ocpp2.0.1",
	  AT(uplink_settings, own_version), .takes_effect = AT_RESTART, .help = "What own_identity speaks" },
	{ 0 }
};
_Static_assert(UPLINK_FIRST_VERSION + OCPP201 == 2, "words of version stand in the order of ocpp/version.h");
const struct conf_table uplink_table = { .noun = "uplink", .size = sizeof(struct uplink_settings), .rows = uplink_rows };

static const struct conf_row queue_rows[] = {
	{ .name = "max_age", .type = CONF_DURATION, .min = H, .max = 3650 * DAY, .preset = "90d", AT(offline_settings, queue.max_age_us),
	  .help = "What is older is dropped" },
	{ .name = "max_size", .type = CONF_SIZE, .min = MIB, .max = 64 * GIB, .preset = "256MiB", AT(offline_settings, queue.max_size_bytes),
	  .help = "Room on disk for it" },
	{ .name = "when_full", .type = CONF_CHOICE, .words = WORDS("thin_meter_values", "refuse"), .preset = "thin_meter_values",
	  AT(offline_settings, queue.when_full),
	  .help = "Before new transactions are refused for want of room: thin_meter_values leaves out every second meter value inside transactions, never a "
	          "signed one, a start or a stop; refuse leaves out nothing" },
	{ 0 }
};
/* Rows of this table count from the start of offline. */
static const struct conf_table queue_table = { .takes_effect = AT_RESTART, .noun = "offline.queue", .rows = queue_rows };

static const struct conf_row offline_rows[] = {
	{ .name = "authorize", .type = CONF_CHOICES, .words = WORDS("local_list", "cache", "all"), .preset = "[local_list, cache]", AT(offline_settings, authorize),
	  .help = "Whose tokens are accepted while the CSMS is away; what a list or the cache knows as blocked or expired never is" },
	{ .name = "cache_lifetime", .type = CONF_DURATION, .min = 0, .max = 3650 * DAY, .preset = "90d", AT(offline_settings, cache_lifetime_us),
	  .help = "Time after which an answer of the CSMS does not count any more, unless it is given again; 0s: it always counts" },
	{ .name = "serve_time", .type = CONF_CHOICE, .words = WORDS("trusted", "always"), .preset = "trusted", AT(offline_settings, serve_time),
	  .help = "Whether heartbeats are answered with this box's time while nobody vouches for it: no time server so far, no word of the CSMS; "
	          "always is for boxes with a good clock of their own" },
	{ .name = "queue", .type = CONF_SECTION, .table = &queue_table, .help = "Messages that wait for the CSMS" },
	{ 0 }
};
static const struct conf_table offline_table = { .noun = "offline", .size = sizeof(struct offline_settings), .rows = offline_rows };

static const struct conf_row authorization_rows[] = {
	{ .name = "order", .type = CONF_CHOICE, .words = WORDS("csms_first", "list_first", "both", "list_only"), .preset = "csms_first", AT(authorization_settings, order),
	  .help = "Who is asked for a token: csms_first asks the CSMS, list_first answers here what offline.authorize accepts and asks the CSMS for the "
	          "rest, both does so and asks the CSMS all the same, list_only never asks it" },
	{ .name = "on_refused", .type = CONF_CHOICE, .words = WORDS("stop", "report"), .preset = "stop", AT(authorization_settings, on_refused),
	  .help = "When the CSMS refuses a token that was accepted here: stop ends its transaction, report only tells (event tx.refused)" },
	{ 0 }
};
static const struct conf_table authorization_table = { .noun = "authorization", .size = sizeof(struct authorization_settings), .rows = authorization_rows };

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
static const struct conf_table mqtt_table = { .noun = "mqtt", .size = sizeof(struct mqtt_settings), .rows = mqtt_rows };

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

/* ---- the root ---- */

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
	{ .name = "onboarding", .type = CONF_SPECIAL, .read = read_onboarding, .words = WORDS("manual", "reject"), .shape = "`{auto: {circuit: ID}}`, or ",
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
