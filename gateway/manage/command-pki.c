/* Verbs about certificates: all that the box knows, and its own authority. No private key passes here: who wants a certificate makes the key and sends a
 * request (ctl/ctl-pki.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "gateway/manage/command.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/own/identity.h"
#include "gateway/pki/cert.h"
#include "gateway/pki/expiry.h"
#include "gateway/pki/signing.h"
#include "gateway/session/session.h"

#define DAY_US (24 * 3600 * US_PER_S)
#define DAYS_MOST 3650
#define PEM_MOST 16384

static void write_end(struct json_writer *w, int64_t ends_us)
{
	jw_time(w, "ends", ends_us);
	jw_int(w, "days", (ends_us - clock_wall_us()) / DAY_US);
}

static void write_watched(void *arg, const struct expiry_view *v)
{
	static const char *const states[] = { "ok", "ok", "ends soon", "ends soon", "ended" };
	struct json_writer *w = arg;
	jw_object(w, NULL);
	jw_string(w, "use", v->use);
	jw_string(w, "name", v->name);
	jw_string(w, "subject", v->facts.subject);
	jw_string(w, "issuer", v->facts.issuer);
	jw_string(w, "serial", v->facts.serial);
	write_end(w, v->facts.ends_us);
	jw_string(w, "state", states[expiry_level(&v->facts, clock_wall_us())]);
	jw_string(w, "file", v->file);
	jw_end(w, '}');
}

static void write_issued(void *arg, const struct issued *i)
{
	struct json_writer *w = arg;
	jw_object(w, NULL);
	jw_string(w, "use", i->kind == ISSUED_SERVER ? "issued server" : "issued");
	jw_string(w, "name", i->name);
	jw_string(w, "subject", i->name);
	jw_string(w, "issuer", "local authority");
	jw_string(w, "serial", i->serial);
	write_end(w, i->ends_s * US_PER_S);
	jw_string(w, "state", i->revoked_s ? "revoked" : i->ends_s * US_PER_S <= clock_wall_us() ? "ended" : "ok");
	jw_end(w, '}');
}

int run_pki_list(struct command *c)
{
	jw_array(&c->w, NULL);
	expiry_each(write_watched, &c->w);
	int err = authority_each(c->g->state_dir, write_issued, &c->w);
	jw_end(&c->w, ']');
	return err && err != ERR_NOT_FOUND ? command_fail(c, COMMAND_FAILED, "the authority's books cannot be read: %s", err_text(err)) : COMMAND_OK;
}

static int failed(struct command *c, int err, const char *why)
{
	return command_fail(c, err == ERR_NOT_FOUND ? COMMAND_NOT_FOUND : err == ERR_EXISTS ? COMMAND_FORBIDDEN : err == ERR_INVALID ? COMMAND_USAGE : COMMAND_FAILED, "%s", why);
}

static void tell(struct command *c, const char *code, const char *object)
{
	struct buf args = { 0 };
	struct json_writer w;
	jw_open(&w, &args);
	jw_object(&w, NULL);
	jw_string(&w, "by", c->user);
	jw_end(&w, '}');
	telemetry_event(c->g, code, "info", object, args.p);
	buf_free(&args);
}

/* The root as it goes into stations and browsers. */
static int write_root(struct command *c, const char *key)
{
	char path[AUTHORITY_PATH];
	struct buf pem = { 0 };
	authority_root(c->g->state_dir, path);
	int err = file_read(path, PEM_MOST, &pem);
	if (!err)
		jw_text(&c->w, key, buf_view(&pem));
	buf_free(&pem);
	return err;
}

int run_pki_root(struct command *c)
{
	return write_root(c, NULL) == 0 ? COMMAND_OK : command_fail(c, COMMAND_NOT_FOUND, "there is no local authority: ampgate pki init makes one");
}

int run_pki_init(struct command *c)
{
	const char *name = command_text(c, "name"), *organisation = command_text(c, "organisation"), *key = command_text(c, "key");
	char why[AUTHORITY_WHY], path[AUTHORITY_PATH], own[96];
	if (key && strcmp(key, "rsa") != 0 && strcmp(key, "ecdsa") != 0)
		return command_fail(c, COMMAND_USAGE, "key is ecdsa or rsa");
	snprintf(own, sizeof(own), "%.40s authority", c->g->conf->site.id);
	int err = authority_init(c->g->state_dir, name ? name : own, organisation, key && strcmp(key, "rsa") == 0, why);
	if (err)
		return failed(c, err, why);
	signing_changed(c->g);
	tell(c, "pki.init", "pki/root");
	authority_root(c->g->state_dir, path);
	log_info(NULL, "a local authority is there: %s", path);
	jw_object(&c->w, NULL);
	jw_string(&c->w, "file", path);
	err = write_root(c, "certificate");
	jw_end(&c->w, '}');
	return err ? command_fail(c, COMMAND_FAILED, "%s: %s", path, err_text(err)) : COMMAND_OK;
}

/* How a station's certificate names it. */
static const char *name_of(const struct command *c, const char *station)
{
	const struct session *s = session_find(c->g, station);
	return s && s->conf->certificate_cn ? s->conf->certificate_cn : station;
}

static int read_ask(struct command *c, struct authority_ask *ask)
{
	const char *kind = command_text(c, "kind"), *name = command_text(c, "name");
	int64_t days = json_int(c->args, "days", 365);
	bool server = kind && strcmp(kind, "server") == 0;
	if (!kind || (!server && strcmp(kind, "station") != 0))
		return command_fail(c, COMMAND_USAGE, "kind is station or server");
	if (!name || !*name || strlen(name) > 64 || strpbrk(name, "\r\n"))
		return command_fail(c, COMMAND_USAGE, "name is missing, or longer than 64 characters");
	if (days < 1 || days > DAYS_MOST)
		return command_fail(c, COMMAND_USAGE, "days is from 1 to %d", DAYS_MOST);
	*ask = (struct authority_ask){ .kind = server ? ISSUED_SERVER : ISSUED_STATION, .name = server ? name : name_of(c, name),
		.names = command_text(c, "names"), .days = (int)days };
	return COMMAND_OK;
}

int run_pki_issue(struct command *c)
{
	const char *csr = command_text(c, "csr");
	char why[AUTHORITY_WHY], object[80];
	struct authority_ask ask;
	struct buf pem = { 0 };
	int bad = read_ask(c, &ask);
	if (bad)
		return bad;
	if (!csr)
		return command_fail(c, COMMAND_USAGE, "csr is missing: a certificate request in PEM");
	int err = authority_issue(c->g->state_dir, slice_of(csr), &ask, &pem, why);
	if (!err) {
		snprintf(object, sizeof(object), "pki/%.64s", ask.name);
		tell(c, "pki.issued", object);
		jw_object(&c->w, NULL);
		jw_string(&c->w, "name", ask.name);
		jw_text(&c->w, "certificate", buf_view(&pem));
		(void)!write_root(c, "authority");
		jw_end(&c->w, '}');
	}
	buf_free(&pem);
	return err ? failed(c, err, why) : COMMAND_OK;
}

int run_pki_revoke(struct command *c)
{
	const char *which = command_text(c, "name");
	char why[AUTHORITY_WHY], object[80];
	if (!which)
		return command_fail(c, COMMAND_USAGE, "name is missing: a station, the name of a server, or a serial");
	int n = signing_revoke(c->g, name_of(c, which), why);
	if (n < 0)
		return failed(c, n, why);
	snprintf(object, sizeof(object), "pki/%.64s", which);
	tell(c, "pki.revoked", object);
	jw_object(&c->w, NULL);
	jw_int(&c->w, "revoked", n);
	jw_end(&c->w, '}');
	return COMMAND_OK;
}

/* What a station said to it. */
static void on_answer(void *arg, struct call *call, int err, struct frame *answer)
{
	struct command *c = arg;
	struct slice status = answer ? json_text(frame_tree(answer), "status") : (struct slice){ 0 };
	(void)call;
	if (err || !status.p) {
		command_fail(c, COMMAND_FAILED, "%s", err == ERR_TIMEOUT ? "the station does not answer" : err ? err_text(err) : "the station does not know this message");
		command_finish(c, err == ERR_TIMEOUT ? COMMAND_TIMEOUT : COMMAND_FAILED);
		return;
	}
	jw_object(&c->w, NULL);
	jw_text(&c->w, "status", status);
	jw_end(&c->w, '}');
	command_finish(c, COMMAND_OK);
}

static int sent(struct command *c, int err)
{
	if (err == ERR_NOT_FOUND)
		return command_fail(c, COMMAND_NOT_FOUND, "there is no local authority: ampgate pki init makes one");
	if (err == ERR_CLOSED)
		return command_fail(c, COMMAND_FORBIDDEN, "it is not connected");
	return err ? command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_LATER;
}

int run_pki_install(struct command *c)
{
	int err;
	struct session *s = command_station(c, &err);
	return s ? sent(c, signing_install(s, on_answer, c)) : err;
}

/* Of an uplink: its own identity asks the CSMS. Of a station: it is told to ask whoever issues its certificates. */
int run_pki_renew(struct command *c)
{
	const char *name = command_text(c, "name");
	struct session *s = name ? session_find(c->g, name) : NULL;
	if (!name)
		return command_fail(c, COMMAND_USAGE, "name is missing: an uplink or a station");
	int err = identity_renew(c->g, name);
	if (err == ERR_NOT_FOUND && !s)
		return command_fail(c, COMMAND_NOT_FOUND, "'%s' is no uplink with an own_identity, and no station that has been seen", name);
	if (err == ERR_NOT_FOUND)
		return sent(c, signing_trigger(s, on_answer, c));
	if (err)
		return sent(c, err);
	jw_object(&c->w, NULL);
	jw_string(&c->w, "status", "asked");
	jw_end(&c->w, '}');
	return COMMAND_OK;
}
