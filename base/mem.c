/* Allocation that cannot fail, and arenas: chunks of doubling size, filled from the front. */
#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_FIRST 1024
#define CHUNK_MOST (256 * 1024)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size, used;
	_Alignas(max_align_t) unsigned char data[];
};

static void *check(void *p)
{
	if (!p) {
		static const char text[] = "ampgate: out of memory\n";
		fputs(text, stderr);
		abort();
	}
	return p;
}

void *mem_new(size_t size)
{
	return check(calloc(1, size ? size : 1));
}

void *mem_grow(void *p, size_t size)
{
	return check(realloc(p, size ? size : 1));
}

char *mem_strdup(const char *s)
{
	return s ? check(strdup(s)) : NULL;
}

char *mem_text(struct slice s)
{
	char *text = mem_new(s.n + 1);
	if (s.n)
		memcpy(text, s.p, s.n);
	return text;
}

void mem_free(void *p)
{
	free(p);
}

static struct arena_chunk *chunk_add(struct arena *a, size_t need)
{
	size_t size = a->chunks ? a->chunks->size * 2 : CHUNK_FIRST;
	if (size > CHUNK_MOST)
		size = CHUNK_MOST;
	if (size < need)
		size = need;
	struct arena_chunk *c = mem_new(sizeof(*c) + size);
	c->size = size;
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

void *arena_new(struct arena *a, size_t size)
{
	size_t need = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	struct arena_chunk *c = a->chunks;
	if (!c || c->size - c->used < need)
		c = chunk_add(a, need);
	void *p = c->data + c->used;
	c->used += need;
	return p;
}

char *arena_text(struct arena *a, struct slice s)
{
	char *text = arena_new(a, s.n + 1);
	if (s.n)
		memcpy(text, s.p, s.n);
	return text;
}

struct slice arena_slice(struct arena *a, struct slice s)
{
	return (struct slice){ arena_text(a, s), s.n };
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	assert(fmt);
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *text = arena_new(a, (size_t)n + 1);
	vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	return text;
}

void arena_free(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *next = a->chunks->next;
		free(a->chunks);
		a->chunks = next;
	}
}
