/* Easy to get wrong: a profile that no listener takes would send the station away for good, so the box says no to it in the station's place; and an answer
 * waits for the disk, since a station that was told to go up must not find a box that has forgotten it. */
#include "gateway/session/raised.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/own/alarm.h"
#include "gateway/session/learnt.h"
#include "ocpp/credential.h"
#include "storage/kept.h"

#define NAME "security-profile"
#define SLOTS 16
#define PROFILE_MOST 3

struct raised {
	int least;        /* the highest that the station has come with after a raise; 0: none */
	int pending;      /* accepted, not come with yet; -1: none */
	int instead_of;   /* the configured least profile then */
	int slots[SLOTS]; /* 2.x: the profile of each slot; -1: not known */
};

static struct raised *raised_new(const struct session *s)
{
	struct raised *r = NEW(struct raised);
	r->instead_of = s->conf->min_security_profile;
	r->pending = -1;
	for (size_t i = 0; i < SLOTS; i++)
		r->slots[i] = -1;
	return r;
}

static struct raised *in_force(const struct session *s)
{
	return s->raised && s->raised->instead_of == s->conf->min_security_profile ? s->raised : NULL;
}

void raised_free(struct session *s)
{
	mem_free(s->raised);
	s->raised = NULL;
}

static int keep(struct session *s, store_done *done, void *arg)
{
	const struct raised *r = s->raised;
	struct buf text = { 0 };
	struct json_writer w;
	jw_open(&w, &text);
	jw_object(&w, NULL);
	jw_int(&w, "least", r->least);
	jw_int(&w, "pending", r->pending);
	jw_int(&w, "instead_of", r->instead_of);
	jw_array(&w, "slots");
	for (size_t i = 0; i < SLOTS; i++)
		jw_int(&w, NULL, r->slots[i]);
	jw_end(&w, ']');
	jw_end(&w, '}');
	int err = kept_put(s->gw->store, s->id, NAME, buf_view(&text), done, arg);
	if (err)
		log_error(&s->log, "its security profile could not be stored: %s; after a restart the one before counts", err_text(err));
	buf_free(&text);
	return err;
}

void raised_load(struct session *s)
{
	struct arena mem = { 0 };
	struct slice text;
	char path[24];
	cJSON *tree = kept_get(s->gw->store, s->id, NAME, &mem, &text) == 0 ? json_parse(text) : NULL;
	if (tree) {
		struct raised *r = s->raised = raised_new(s);
		r->least = (int)json_int(tree, "least", 0);
		r->pending = (int)json_int(tree, "pending", -1);
		r->instead_of = (int)json_int(tree, "instead_of", -1);
		for (size_t i = 0; i < SLOTS; i++) {
			snprintf(path, sizeof(path), "slots.%zu", i);
			r->slots[i] = (int)json_int(tree, path, -1);
		}
	}
	cJSON_Delete(tree);
	arena_free(&mem);
}

int raised_least(const struct session *s)
{
	const struct raised *r = in_force(s);
	return r ? r->least : 0;
}

int raised_pending(const struct session *s)
{
	const struct raised *r = in_force(s);
	return r ? r->pending : -1;
}

static void tell(struct session *s, const char *code, int profile)
{
	char object[64], args[40];
	snprintf(object, sizeof(object), "station/%s", s->id);
	snprintf(args, sizeof(args), "{\"profile\":%d}", profile);
	telemetry_event(s->gw, code, "info", object, args);
}

void raised_seen(struct session *s, int profile)
{
	int pending = raised_pending(s);
	if (pending < 0)
		return;
	if (profile < pending) {
		log_warn(&s->log, "it has come with security profile %d and not with %d, to which it was raised", profile, pending);
		return;
	}
	s->raised->least = pending;
	s->raised->pending = -1;
	log_info(&s->log, "it has come with security profile %d; a lower one is refused from now on", profile);
	if (keep(s, NULL, NULL) == 0)
		tell(s, "station.profile_raised", pending);
}

/* --- on the way --- */

static bool takes(const struct listener_settings *l, int profile)
{
	if (l->min_security_profile > profile)
		return false;
	return profile < 2 ? !l->tls : l->tls && (profile < 3 || l->tls->client_ca || l->tls->pki == PKI_LOCAL);
}

static bool some_listener_takes(const struct session *s, int profile)
{
	const struct settings *conf = s->gw->conf;
	for (size_t i = 0; i < conf->n_listeners; i++)
		if (listener_is_for(&conf->listeners[i], slice_of(s->id)) && takes(&conf->listeners[i], profile))
			return true;
	return false;
}

static bool knows_a_password(const struct session *s)
{
	return s->conf->password || s->conf->password_relay || s->learnt;
}

const char *raised_refuses(const struct session *s, struct frame *call)
{
	int asked = s->own || s->group ? -1 : security_profile_asked(call);
	int least = raised_least(s) > s->conf->min_security_profile ? raised_least(s) : s->conf->min_security_profile;
	if (asked < 0)
		return NULL;
	if (asked < least)
		return "a security profile is never lowered from afar";
	if (asked > PROFILE_MOST || !some_listener_takes(s, asked))
		return "no listener takes this security profile";
	if ((asked == 1 || asked == 2) && !knows_a_password(s))
		return "no password of the station is known";
	return NULL;
}

/* The profile that the station goes to by this; -1: none. A slot that it fills is noted. */
static int goes_to(struct raised *r, struct frame *call, struct frame *answer, bool *noted_out)
{
	int slot, profile;
	*noted_out = network_slot_given(call, answer, &slot, &profile) && slot < SLOTS;
	if (*noted_out) {
		r->slots[slot] = profile;
		return -1;
	}
	slot = network_first_slot_given(call, answer);
	return slot >= 0 && slot < SLOTS ? r->slots[slot] : security_profile_given(call, answer);
}

static void begin(struct session *s, struct raised *r, int profile)
{
	const struct uplink_settings *u = s->conf->uplink;
	r->pending = profile;
	log_info(&s->log, "the CSMS raises it to security profile %d; once it has come with that, a lower one is refused", profile);
	if (u && u->mode != UPLINK_AGGREGATE && u->security_profile < profile)
		log_warn(&s->log, "its lane to the CSMS stays at security profile %d: uplinks.%s.security_profile says so", u->security_profile, u->id);
	tell(s, "station.profile_raises", profile);
	char info[100];
	snprintf(info, sizeof(info), "%s: security profile %d", s->id, profile);
	alarm_raise(s->gw, "ReconfigurationOfSecurityParameters", info, s->conf->uplink);
}

bool raised_look(struct session *s, struct frame *call, struct frame *answer, store_done *done, void *arg)
{
	bool noted;
	if (s->own || s->group)
		return false;
	struct raised *r = raised_new(s);
	if (in_force(s))
		*r = *s->raised;
	int profile = goes_to(r, call, answer, &noted);
	bool higher = profile > r->least && profile > s->conf->min_security_profile && profile <= PROFILE_MOST;
	if (!noted && !higher) {
		mem_free(r);
		return false;
	}
	if (higher)
		begin(s, r, profile);
	raised_free(s);
	s->raised = r;
	return keep(s, done, arg) == 0;
}
