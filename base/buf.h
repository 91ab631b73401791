/* Growing bytes. Zero-initialise, append, free. Always NUL-terminated behind `n`, so p can be read as text. */
#ifndef AMPGATE_BASE_BUF_H
#define AMPGATE_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "base/str.h"

struct buf {
	char *p; /* NULL while nothing was added */
	size_t n, room;
};

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_puts(struct buf *b, const char *text);
void buf_slice(struct buf *b, struct slice s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap);
char *buf_room(struct buf *b, size_t n);    /* at least n free bytes behind b->n; the caller then adds to b->n */
void buf_consume(struct buf *b, size_t n);  /* drops n bytes from the front */
void buf_reset(struct buf *b);              /* empty, memory kept */
void buf_free(struct buf *b);
struct slice buf_view(const struct buf *b); /* valid until the next change */

#endif
