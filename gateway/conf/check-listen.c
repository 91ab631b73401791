/* The ways in: listeners and their certificates, the console, and whether each station finds one that lets it in.
 *
 * Easy to get wrong: an address that stands for all collides with every other on its port; and what makes a listener weaker (old stations, low
 * profiles) is an error unless the stations that need it are named. */
#include <arpa/inet.h>
#include <string.h>

#include "gateway/conf/check-local.h"
#include "gateway/session/password-hash.h"

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

const char *check_port_taken(const struct settings *s, const char *address, int port)
{
	struct listener_settings here = { .address = address, .port = port }, console = { .port = -1 }, metrics = { .port = -1 };
	if (s->console_listener)
		console = (struct listener_settings){ .address = s->console_listener->address, .port = s->console_listener->port };
	if (s->metrics)
		metrics = (struct listener_settings){ .address = s->metrics->address, .port = s->metrics->port };
	for (size_t i = 0; i < s->n_listeners; i++)
		if (collide(&s->listeners[i], &here))
			return "a listener for stations";
	return collide(&console, &here) ? "the console" : collide(&metrics, &here) ? "the metrics" : NULL;
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

void check_listeners(struct checking *c)
{
	for (size_t i = 0; i < c->s->n_tls; i++)
		check_certificates(c, &c->s->tls[i]);
	for (size_t i = 0; i < c->s->n_listeners; i++)
		check_listener(c, &c->s->listeners[i]);
	check_tls(c);
	check_console(c);
}

/* ---- stations ---- */

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

void check_way_in(struct checking *c, const struct station_settings *st)
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
void check_password(struct checking *c, const struct station_settings *st)
{
	const struct conf_node *own = settings_node(c->s, "stations", st->id, "password", NULL);
	if (password_hash_is(st->password) && !password_hash_is_valid(st->password))
		settings_wrong(c->report, own ? own : settings_node(c->s, "station_defaults", "password", NULL, NULL),
			"not a hash that `ampgate hash` makes (scrypt, 2^10 to 2^17)");
	if (password_hash_is(st->uplink_password))
		settings_wrong(c->report, settings_node(c->s, "uplinks", st->uplink->id, "password", NULL), "the CSMS has to be shown the password, not a hash");
}
