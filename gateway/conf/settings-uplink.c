/* Keys of the way to a CSMS, and of what happens while there is none. */
#include <string.h>

#include "gateway/conf/settings-rows.h"
#include "gateway/conf/settings-tables.h"
#include "ocpp/version.h"

/* {id} means the station that uses the uplink, so there is nothing to look up yet. */
static int read_uplink_password(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	(void)row;
	if (strncmp(n->text, "cred:", 5) != 0)
		settings_secret_literal(f->report, n);
	*(const char **)at = n->text;
	return 0;
}

static int read_endpoint_url(struct conf_fill *f, const struct conf_row *row, const struct conf_node *n, void *at)
{
	struct conf_row text = *row;
	struct settings_url url;
	bool tls;
	text.type = CONF_TEXT;
	if (conf_read(f, &text, n, at) != 0)
		return ERR_INVALID;
	const char *rest = settings_scheme(n->text, "ws://", "wss://", &tls);
	if (!rest || settings_url(rest, &url) != 0 || memchr(url.path.p, '#', url.path.n))
		return settings_refuse(f, n, "write it like wss://host/path/{id}", "not the address of a CSMS");
	if (!strstr(n->text, "{id}"))
		*(const char **)at = arena_printf(f->mem, "%s%s{id}", n->text, n->text[strlen(n->text) - 1] == '/' ? "" : "/");
	return 0;
}

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
const struct conf_table offline_table = { .noun = "offline", .size = sizeof(struct offline_settings), .rows = offline_rows };

static const struct conf_row authorization_rows[] = {
	{ .name = "order", .type = CONF_CHOICE, .words = WORDS("csms_first", "list_first", "both", "list_only"), .preset = "csms_first", AT(authorization_settings, order),
	  .help = "Who is asked for a token: csms_first asks the CSMS, list_first answers here what offline.authorize accepts and asks the CSMS for the "
	          "rest, both does so and asks the CSMS all the same, list_only never asks it" },
	{ .name = "on_refused", .type = CONF_CHOICE, .words = WORDS("stop", "report"), .preset = "stop", AT(authorization_settings, on_refused),
	  .help = "When the CSMS refuses a token that was accepted here: stop ends its transaction, report only tells (event tx.refused)" },
	{ 0 }
};
const struct conf_table authorization_table = { .noun = "authorization", .size = sizeof(struct authorization_settings), .rows = authorization_rows };
