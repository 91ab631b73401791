/* Passwords that were changed on the way through.
 *
 * A new password is kept together with a hash of the configured one that it replaces: whoever writes another password into the configuration means
 * it, and what was learnt before is forgotten. Easy to get wrong: a station of 1.6 is given 40 hex digits and shows either these or the 20 bytes
 * that they stand for; towards the CSMS we show what the station showed last, in the new value. The box's own stations show nothing here: what they
 * take is shown by the box alone, which therefore connects anew with it at once (2.x A01, 1.6 Security Whitepaper A01). */
#include "gateway/session/learnt.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "gateway/own/alarm.h"
#include "gateway/session/access.h"
#include "ocpp/credential.h"
#include "storage/kept.h"

#define NAME "password"
#define BYTES_MOST 64

struct learnt {
	char *password;
	char instead_of[2 * SHA256_DIGEST_LENGTH + 1]; /* hash of the configured passwords then, downwards and upwards */
	bool shown;                                    /* the station has come with it */
	bool taken;                                    /* the CSMS has let the lane in with it */
	bool other;                                    /* the lane shows the one before, as the new one was refused */
	bool own;                                      /* a station of the box took it */
	bool anew;                                     /* and its lane has to be opened with it */
	char bytes[BYTES_MOST];                        /* what such a station shows, where that is not the text */
	size_t n_bytes;
};

static void hash_of(const struct session *s, char out[2 * SHA256_DIGEST_LENGTH + 1])
{
	unsigned char sum[SHA256_DIGEST_LENGTH];
	struct buf text = { 0 };
	buf_printf(&text, "%s\n%s", s->conf->password ? s->conf->password : "", s->conf->uplink_password ? s->conf->uplink_password : "");
	SHA256((const unsigned char *)text.p, text.n, sum);
	explicit_bzero(text.p, text.n);
	buf_free(&text);
	for (size_t i = 0; i < sizeof(sum); i++) {
		out[2 * i] = "0123456789abcdef"[sum[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[sum[i] & 15];
	}
	out[2 * sizeof(sum)] = '\0';
}

/* What was learnt, where the configuration is still the one it was learnt under. */
static struct learnt *in_force(const struct session *s)
{
	char now[2 * SHA256_DIGEST_LENGTH + 1];
	if (!s->learnt)
		return NULL;
	hash_of(s, now);
	return strcmp(now, s->learnt->instead_of) == 0 ? s->learnt : NULL;
}

void learnt_free(struct session *s)
{
	if (!s->learnt)
		return;
	explicit_bzero(s->learnt->password, strlen(s->learnt->password));
	mem_free(s->learnt->password);
	mem_free(s->learnt);
	s->learnt = NULL;
}

static int keep(struct session *s, store_done *done, void *arg)
{
	struct buf text = { 0 };
	struct json_writer w;
	jw_open(&w, &text);
	jw_object(&w, NULL);
	jw_string(&w, "password", s->learnt->password);
	jw_string(&w, "instead_of", s->learnt->instead_of);
	jw_bool(&w, "shown", s->learnt->shown);
	jw_bool(&w, "taken", s->learnt->taken);
	jw_bool(&w, "own", s->learnt->own);
	jw_end(&w, '}');
	int err = kept_put(s->gw->store, s->id, NAME, buf_view(&text), done, arg);
	if (err)
		log_error(&s->log, "its new password could not be stored: %s; after a restart the old one counts", err_text(err));
	explicit_bzero(text.p, text.n);
	buf_free(&text);
	return err;
}

/* That it was shown or taken: when this is lost, it happens again. */
static void note(struct session *s)
{
	if (keep(s, NULL, NULL) != 0)
		log_debug(&s->log, "the use of its new password is not noted");
}

static void is_own(struct session *s)
{
	struct learnt *l = s->learnt;
	l->own = true;
	l->n_bytes = credential_bytes(s->version, slice_of(l->password), l->bytes, sizeof(l->bytes));
}

void learnt_load(struct session *s)
{
	struct arena mem = { 0 };
	struct slice text;
	cJSON *tree = kept_get(s->gw->store, s->id, NAME, &mem, &text) == 0 ? json_parse(text) : NULL;
	struct slice password = json_text(tree, "password"), instead_of = json_text(tree, "instead_of");
	if (password.n && instead_of.n == 2 * SHA256_DIGEST_LENGTH) {
		s->learnt = NEW(struct learnt);
		s->learnt->password = mem_text(password);
		memcpy(s->learnt->instead_of, instead_of.p, instead_of.n);
		s->learnt->shown = json_bool(tree, "shown", false);
		s->learnt->taken = json_bool(tree, "taken", false);
		if (json_bool(tree, "own", false))
			is_own(s);
	}
	cJSON_Delete(tree);
	arena_free(&mem);
}

/* As bytes where the station has shown bytes until now. */
static struct slice in_its_form(struct slice before, const char *text)
{
	char bytes[BYTES_MOST];
	int n = hex_parse(slice_of(text), bytes, sizeof(bytes));
	bool raw = n > 0 && before.n == (size_t)n;
	return raw ? (struct slice){ mem_text((struct slice){ bytes, (size_t)n }), (size_t)n } : (struct slice){ mem_text(slice_of(text)), strlen(text) };
}

/* A relayed credential: the lane may come again before the station does. */
static void relay_it(struct session *s, const char *text)
{
	struct slice fresh = in_its_form(s->credential, text);
	mem_free((char *)s->credential_before.p);
	s->credential_before = s->credential;
	s->credential = fresh;
}

static void reconfigured(struct session *s, const char *what)
{
	char info[100];
	snprintf(info, sizeof(info), "%s: %s", s->id, what);
	alarm_raise(s->gw, "ReconfigurationOfSecurityParameters", info, s->conf->uplink);
}

static void take(struct session *s, struct slice given)
{
	learnt_free(s);
	s->learnt = NEW(struct learnt);
	s->learnt->password = mem_text(given);
	hash_of(s, s->learnt->instead_of);
}

static bool learn(struct session *s, struct slice given, store_done *done, void *arg)
{
	take(s, given);
	log_info(&s->log, "the CSMS has changed the station's password; the new one counts from its next connection on");
	reconfigured(s, "a new password");
	return keep(s, done, arg) == 0;
}

int learnt_own(struct session *s, struct slice given)
{
	const struct uplink_settings *u = s->conf->uplink;
	if (!u || u->mode == UPLINK_AGGREGATE || !s->conf->uplink_password || s->conf->password_relay)
		return ERR_REFUSED;
	take(s, given);
	is_own(s);
	s->learnt->anew = true;
	session_password_changed(s); /* the one before is freed */
	log_info(&s->log, "the CSMS has changed the station's password");
	return keep(s, NULL, NULL);
}

/* One that a station of the box has just taken. */
static bool is_taken_here(const struct session *s, struct slice given)
{
	return s->learnt && s->learnt->anew && slice_is(given, s->learnt->password);
}

void learnt_answered(struct session *s)
{
	if (!s->learnt || !s->learnt->anew)
		return;
	s->learnt->anew = false;
	session_password_changed(s);
	if (s->lane.link)
		link_close(s->lane.link, 1000, "a new password");
}

bool learnt_look(struct session *s, struct frame *call, struct frame *answer, store_done *done, void *arg)
{
	struct arena mem = { 0 };
	struct slice given = credential_given(call, answer, &mem);
	bool waits = false;
	if (given.p && is_taken_here(s, given)) {
		waits = keep(s, done, arg) == 0;
	} else if (given.p && s->conf->password_relay) {
		relay_it(s, given.p);
		log_info(&s->log, "the CSMS has changed the password that is relayed");
	} else if (given.p) {
		waits = learn(s, given, done, arg);
	}
	session_password_changed(s);
	arena_free(&mem);
	return waits;
}

static enum proof fits_configured(struct session *s, const struct proof_ask *ask)
{
	return s->conf->password ? proof_of(s, s->conf->password, ask) : PROOF_WRONG;
}

enum proof learnt_fits(struct session *s, const struct proof_ask *ask)
{
	struct learnt *l = in_force(s);
	if (!l)
		return fits_configured(s, ask);
	if (!access_password_matches(ask->password, l->password))
		return l->shown ? PROOF_WRONG : fits_configured(s, ask);
	if (!l->shown) {
		l->shown = true;
		note(s);
		log_info(&s->log, "the station has come with its new password; the one before does not count any more");
	}
	return PROOF_RIGHT;
}

bool learnt_is_needed(const struct session *s)
{
	const struct learnt *l = in_force(s);
	return l && l->shown;
}

/* --- upwards --- */

struct slice learnt_upwards(const struct session *s)
{
	const struct learnt *l = in_force(s);
	if (!l || l->other || !s->conf->uplink_password)
		return (struct slice){ 0 };
	return l->n_bytes ? (struct slice){ l->bytes, l->n_bytes } : slice_of(l->password);
}

static bool swap_relayed(struct session *s)
{
	struct slice other = s->credential_before;
	if (!other.p)
		return false;
	s->credential_before = s->credential;
	s->credential = other;
	return true;
}

bool learnt_refused_upwards(struct session *s)
{
	struct learnt *l = in_force(s);
	bool other = s->conf->password_relay ? swap_relayed(s) : l && !l->taken && s->conf->uplink_password;
	if (!other)
		return false;
	if (!s->conf->password_relay)
		l->other = !l->other;
	session_password_changed(s);
	log_warn(&s->log, "the CSMS refuses the password that it has changed; the other one is tried next");
	return true;
}

void learnt_taken_upwards(struct session *s)
{
	struct learnt *l = in_force(s);
	mem_free((char *)s->credential_before.p);
	s->credential_before = (struct slice){ 0 };
	if (!l || l->taken || l->other || !s->conf->uplink_password || s->lane.inside)
		return;
	l->taken = true;
	note(s);
}
