/* In the order in which they were begun. Easy to get wrong: what runs still must not be forgotten, or its repetition would run beside it; there are
 * never more of these than connections. */
#include "gateway/http/idempotent.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"

#define KEPT_US (24 * 3600 * US_PER_S)
#define KEY_MOST 255

struct idempotent {
	struct list entry;
	char *user, *key;
	unsigned char digest[SHA256_DIGEST_LENGTH];
	int64_t begun_us;
	int status;        /* 0: it runs */
	char type[64];
	struct buf body;
};

static struct list all;
static size_t n_all, n_bytes;
static bool closed;

static void forget(struct idempotent *i)
{
	list_remove(&i->entry);
	n_all--;
	n_bytes -= i->body.n;
	buf_free(&i->body);
	mem_free(i->user);
	mem_free(i->key);
	mem_free(i);
}

static void make_room(void)
{
	int64_t before = clock_mono_us() - KEPT_US;
	LIST_WALK(&all, struct idempotent, entry, i)
		if (i->status && (i->begun_us < before || n_all > IDEMPOTENT_MOST || n_bytes > IDEMPOTENT_BYTES))
			forget(i);
}

bool idempotent_key_ok(struct slice key)
{
	for (size_t i = 0; i < key.n; i++)
		if (key.p[i] < 0x20 || key.p[i] > 0x7E)
			return false;
	return key.n >= 1 && key.n <= KEY_MOST;
}

/* Lengths go in too, so that no part can pass for the beginning of the next. */
static void digest_of(const struct slice *what, size_t n, unsigned char out[SHA256_DIGEST_LENGTH])
{
	struct buf text = { 0 };
	for (size_t i = 0; i < n; i++) {
		buf_printf(&text, "%zu:", what[i].n);
		buf_slice(&text, what[i]);
	}
	SHA256((const unsigned char *)text.p, text.n, out);
	buf_free(&text);
}

static struct idempotent *find(const char *user, struct slice key)
{
	LIST_WALK(&all, struct idempotent, entry, i)
		if (strcmp(i->user, user) == 0 && slice_is(key, i->key))
			return i;
	return NULL;
}

enum idempotent_is idempotent_begin(const char *user, struct slice key, const struct slice *what, size_t n, struct idempotent **out)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	if (!all.next)
		list_init(&all);
	closed = false;
	make_room();
	digest_of(what, n, digest);
	*out = find(user, key);
	if (*out)
		return memcmp((*out)->digest, digest, sizeof(digest)) != 0 ? IDEMPOTENT_OTHER : (*out)->status ? IDEMPOTENT_KNOWN : IDEMPOTENT_RUNNING;
	struct idempotent *i = NEW(struct idempotent);
	i->user = mem_strdup(user);
	i->key = mem_text(key);
	memcpy(i->digest, digest, sizeof(digest));
	i->begun_us = clock_mono_us();
	list_append(&all, &i->entry);
	n_all++;
	*out = i;
	return IDEMPOTENT_NEW;
}

void idempotent_done(struct idempotent *i, int status, const char *type, struct slice body)
{
	if (closed) {
		forget(i);
		return;
	}
	i->status = status;
	snprintf(i->type, sizeof(i->type), "%s", type);
	buf_slice(&i->body, body);
	n_bytes += i->body.n;
}

void idempotent_answer(const struct idempotent *i, struct http_exchange *x, const char *headers)
{
	struct buf all_headers = { 0 };
	buf_printf(&all_headers, "%sIdempotency-Replayed: true\r\n", headers);
	http_answer(x, i->status, i->type, all_headers.p, i->body.p ? buf_view(&i->body) : SLICE(""));
	buf_free(&all_headers);
}

void idempotent_close(void)
{
	if (!all.next)
		return;
	closed = true;
	LIST_WALK(&all, struct idempotent, entry, i)
		if (i->status)
			forget(i); /* the others when they are done */
}
