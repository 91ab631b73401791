/* List and cache share one map, since the list beats the cache anyway (1.6 specification 3.5.3, 2.0.1 C13.FR.01). Tokens compare without
 * case (CiString, identifierString). */
#include "station/authz.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "ocpp/codec.h"

struct known {
	bool listed;
	bool accepted;
	int64_t expiry_us;    /* 0: none */
	char *group;
};

#define KEY_MOST 256

/* False: no token of any version is that long. */
static bool key_of(struct slice token, char out[KEY_MOST], struct slice *key)
{
	if (!token.n || token.n > KEY_MOST)
		return false;
	for (size_t i = 0; i < token.n; i++)
		out[i] = (char)tolower((unsigned char)token.p[i]);
	*key = (struct slice){ out, token.n };
	return true;
}

static void forget(struct authz *a, struct slice key)
{
	struct known *k = map_remove(&a->known, key);
	if (!k)
		return;
	*(k->listed ? &a->listed : &a->cached) -= 1;
	mem_free(k->group);
	mem_free(k);
}

static void remember(struct authz *a, struct slice key, const struct reply *r, bool listed)
{
	struct known *k = NEW(struct known);
	*k = (struct known){
		.listed = listed,
		.accepted = slice_is(r->token_status, "Accepted"),
		.expiry_us = r->expiry_us,
		.group = r->group.p ? mem_text(r->group) : NULL,
	};
	forget(a, key);
	map_put(&a->known, key, k);
	*(listed ? &a->listed : &a->cached) += 1;
}

static void forget_all(struct authz *a, bool listed)
{
	const char *name;
	size_t at = 0;
	struct known *k;
	while ((k = map_next(&a->known, &at, &name))) {
		if (k->listed != listed)
			continue;
		char key[KEY_MOST];
		size_t n = strlen(name);
		memcpy(key, name, n);
		forget(a, (struct slice){ key, n });
		at = 0;
	}
}

void authz_close(struct authz *a)
{
	forget_all(a, true);
	forget_all(a, false);
	map_free(&a->known);
}

enum verdict authz_look(const struct authz *a, struct slice token, int64_t wall_us, const char **group_out)
{
	char room[KEY_MOST];
	struct slice key;
	*group_out = "";
	const struct known *k = key_of(token, room, &key) ? map_get(&a->known, key) : NULL;
	if (!k)
		return TOKEN_UNKNOWN;
	if (k->group)
		*group_out = k->group;
	return k->accepted && (!k->expiry_us || wall_us < k->expiry_us) ? TOKEN_GOOD : TOKEN_BAD;
}

void authz_learn(struct authz *a, struct slice token, const struct reply *r)
{
	char room[KEY_MOST];
	struct slice key;
	if (!r->token_status.p || !key_of(token, room, &key))
		return;
	const struct known *k = map_get(&a->known, key);
	if ((k && k->listed) || (!k && a->cached >= AUTHZ_CACHE_MOST))
		return;
	remember(a, key, r, false);
}

void authz_clear_cache(struct authz *a)
{
	forget_all(a, false);
}

static void apply_entry(struct authz *a, const struct event *token, const struct reply *info)
{
	char room[KEY_MOST];
	struct slice key;
	if (!key_of(token->token, room, &key))
		return;
	const struct known *k = map_get(&a->known, key);
	if (info->token_status.p)
		remember(a, key, info, true);
	else if (k && k->listed)
		forget(a, key);
}

/* How many entries the message has. */
static size_t count_entries(struct frame *f)
{
	struct arena mem = { 0 };
	struct event token;
	struct reply info;
	size_t n = 0;
	while (n <= AUTHZ_LIST_MOST && codec_list_entry(f, n, &mem, &token, &info) == 0)
		n++;
	arena_free(&mem);
	return n;
}

const char *authz_send_list(struct authz *a, struct frame *f, const struct event *e)
{
	struct arena mem = { 0 };
	struct event token;
	struct reply info;
	size_t n = count_entries(f);
	if (e->list_version <= 0 || n + (e->list_full ? 0 : a->listed) > AUTHZ_LIST_MOST)
		return "Failed";
	if (!e->list_full && e->list_version <= a->version)
		return "VersionMismatch"; /* 2.0.1 D01.FR.19 */
	if (e->list_full)
		forget_all(a, true);
	for (size_t i = 0; codec_list_entry(f, i, &mem, &token, &info) == 0; i++)
		apply_entry(a, &token, &info);
	a->version = e->list_version;
	arena_free(&mem);
	return "Accepted";
}
