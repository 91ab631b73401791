/* Growing bytes, doubling. */
#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

char *buf_room(struct buf *b, size_t n)
{
	if (b->room - b->n < n + 1 || !b->p) {
		size_t room = b->room ? b->room : 64;
		while (room - b->n < n + 1)
			room *= 2;
		b->p = mem_grow(b->p, room);
		b->room = room;
	}
	return b->p + b->n;
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	char *to = buf_room(b, n);
	if (n)
		memcpy(to, bytes, n);
	b->n += n;
	b->p[b->n] = 0;
}

void buf_puts(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_slice(struct buf *b, struct slice s)
{
	buf_add(b, s.p, s.n);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	assert(fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	vsnprintf(buf_room(b, (size_t)n), (size_t)n + 1, fmt, again);
	va_end(again);
	b->n += (size_t)n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_consume(struct buf *b, size_t n)
{
	if (!n)
		return;
	memmove(b->p, b->p + n, b->n - n + 1);
	b->n -= n;
}

void buf_reset(struct buf *b)
{
	b->n = 0;
	if (b->p)
		b->p[0] = 0;
}

void buf_free(struct buf *b)
{
	mem_free(b->p);
	*b = (struct buf){ 0 };
}

struct slice buf_view(const struct buf *b)
{
	return (struct slice){ b->p ? b->p : "", b->n };
}
