/* List and cache share one map, since the list beats the cache anyway (1.6 specification 3.5.3, 2.0.1 C13.FR.01). Tokens compare without
 * case (CiString, identifierString). */
#include "station/authz.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "ocpp/codec.h"

struct known {
	bool listed;
	bool accepted;
	int64_t expiry_us;    /* wall time; 0: none */
	int64_t learnt_us;    /* wall time */
	uint64_t used;        /* when, by the count of uses */
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

static struct known *remember(struct authz *a, struct slice key, const struct reply *r, bool listed)
{
	struct known *k = NEW(struct known);
	*k = (struct known){
		.listed = listed,
		.accepted = slice_is(r->token_status, "Accepted"),
		.expiry_us = r->expiry_us,
		.learnt_us = clock_wall_us(),
		.used = ++a->uses,
		.group = r->group.p ? mem_text(r->group) : NULL,
	};
	forget(a, key);
	map_put(&a->known, key, k);
	*(listed ? &a->listed : &a->cached) += 1;
	return k;
}

static void tell_changed(const struct authz *a, bool list)
{
	if (a->changed)
		a->changed(a->arg, list);
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

static const struct known *find(const struct authz *a, struct slice token)
{
	char room[KEY_MOST];
	struct slice key;
	const struct known *k = key_of(token, room, &key) ? map_get(&a->known, key) : NULL;
	return k && (k->listed ? a->list_off : a->cache_off) ? NULL : k;
}

static bool is_over(const struct authz *a, const struct known *k, int64_t wall_us)
{
	if (k->expiry_us && wall_us >= k->expiry_us)
		return true;
	return !k->listed && a->lifetime_us && wall_us >= k->learnt_us + a->lifetime_us;
}

enum standing authz_look(const struct authz *a, struct slice token, int64_t wall_us, const char **group_out)
{
	const struct known *k = find(a, token);
	*group_out = k && k->group ? k->group : "";
	if (!k)
		return TOKEN_UNKNOWN;
	return k->accepted && !is_over(a, k, wall_us) ? TOKEN_GOOD : TOKEN_BAD;
}

bool authz_is_listed(const struct authz *a, struct slice token)
{
	const struct known *k = find(a, token);
	return k && k->listed;
}

/* Whichever is no good, else the one that was not used for longest (1.6 specification 3.5.1, 2.0.1 C10.FR.07). */
static void make_room(struct authz *a)
{
	const char *name, *worst_name = NULL;
	const struct known *k, *worst = NULL;
	char key[KEY_MOST];
	size_t at = 0;
	while ((k = map_next(&a->known, &at, &name))) {
		if (k->listed || (worst && (k->accepted != worst->accepted ? k->accepted : k->used > worst->used)))
			continue;
		worst = k;
		worst_name = name;
	}
	if (!worst)
		return;
	size_t n = strlen(worst_name);
	memcpy(key, worst_name, n);
	forget(a, (struct slice){ key, n });
}

void authz_learn(struct authz *a, struct slice token, const struct reply *r)
{
	char room[KEY_MOST];
	struct slice key;
	if (!r->token_status.p || a->cache_off || !key_of(token, room, &key))
		return;
	const struct known *k = map_get(&a->known, key);
	if (k && k->listed)
		return;
	if (!k && a->cached >= AUTHZ_CACHE_MOST)
		make_room(a);
	remember(a, key, r, false);
	tell_changed(a, false);
}

void authz_clear_cache(struct authz *a)
{
	forget_all(a, false);
	tell_changed(a, false);
}

void authz_forget(struct authz *a, struct slice token)
{
	char room[KEY_MOST];
	struct slice key;
	const struct known *k = key_of(token, room, &key) ? map_get(&a->known, key) : NULL;
	if (!k || k->listed)
		return;
	forget(a, key);
	tell_changed(a, false);
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
	if (a->list_off || e->list_version <= 0 || n + (e->list_full ? 0 : a->listed) > AUTHZ_LIST_MOST)
		return "Failed";
	if (!e->list_full && e->list_version <= a->version)
		return "VersionMismatch"; /* 2.0.1 D01.FR.19 */
	if (e->list_full)
		forget_all(a, true);
	for (size_t i = 0; codec_list_entry(f, i, &mem, &token, &info) == 0; i++)
		apply_entry(a, &token, &info);
	a->version = a->listed || !e->list_full ? e->list_version : 0; /* an empty list has no version (1.6 specification 6.34) */
	arena_free(&mem);
	tell_changed(a, true);
	return "Accepted";
}

/* As text */

void authz_write(const struct authz *a, bool list, struct buf *out)
{
	struct json_writer w;
	const struct known *k;
	const char *name;
	size_t at = 0;
	jw_open(&w, out);
	jw_object(&w, NULL);
	jw_int(&w, "version", list ? a->version : 0);
	jw_array(&w, "tokens");
	while ((k = map_next(&a->known, &at, &name))) {
		if (k->listed != list)
			continue;
		jw_object(&w, NULL);
		jw_string(&w, "token", name);
		jw_bool(&w, "accepted", k->accepted);
		if (k->expiry_us)
			jw_time(&w, "expiry", k->expiry_us);
		jw_time(&w, "learnt", k->learnt_us);
		if (k->group)
			jw_string(&w, "group", k->group);
		jw_end(&w, '}');
	}
	jw_end(&w, ']');
	jw_end(&w, '}');
}

static void recall_one(struct authz *a, bool list, const cJSON *item)
{
	char room[KEY_MOST];
	struct slice key;
	struct reply r;
	reply_init(&r);
	r.token_status = json_bool(item, "accepted", false) ? SLICE("Accepted") : SLICE("Invalid");
	r.group = json_text(item, "group");
	if (time_parse(json_text(item, "expiry"), &r.expiry_us) != 0)
		r.expiry_us = 0;
	if (!key_of(json_text(item, "token"), room, &key))
		return;
	struct known *k = remember(a, key, &r, list);
	if (time_parse(json_text(item, "learnt"), &k->learnt_us) != 0)
		k->learnt_us = clock_wall_us();
}

void authz_recall(struct authz *a, bool list, struct slice text)
{
	cJSON *tree = json_parse(text);
	const cJSON *item;
	size_t most = list ? AUTHZ_LIST_MOST : AUTHZ_CACHE_MOST;
	cJSON_ArrayForEach(item, json_at(tree, "tokens")) {
		if ((list ? a->listed : a->cached) < most)
			recall_one(a, list, item);
	}
	if (list)
		a->version = json_int(tree, "version", 0);
	cJSON_Delete(tree);
}
