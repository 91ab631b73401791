/* Keys of the ways into the box: listeners, their certificates, and who may use the console. */
#include <string.h>

#include "gateway/conf/settings-rows.h"
#include "gateway/conf/settings-tables.h"

static const struct conf_row tls_ref = { .name = "tls", .type = CONF_REF, .refers = "tls", .table = &tls_table };

static int read_listener_tls(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	(void)row;
	if (n->kind == CONF_SCALAR && strcmp(n->text, "none") == 0)
		return 0;
	return conf_read(f, &tls_ref, n, at);
}

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
const struct conf_table listen_table = { .noun = "listen", .rows = listen_rows };

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
const struct conf_table tls_table = { .noun = "tls entry", .size = sizeof(struct tls_settings), .rows = tls_rows };

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
const struct conf_table console_table = { .noun = "console", .size = sizeof(struct console_settings), .rows = console_rows };
