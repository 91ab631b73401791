/* Memory that does not fail. Small allocations end the program when the system has none left: state is on disk and the service restarts.
 * That is only sound because everything a peer sends is bounded before it is stored. */
#ifndef AMPGATE_BASE_MEM_H
#define AMPGATE_BASE_MEM_H

#include <stddef.h>

#include "base/str.h"

/* Zeroed memory, never NULL. Release with mem_free. */
void *mem_new(size_t size);
void *mem_grow(void *p, size_t size); /* realloc; the new part is not zeroed */
char *mem_strdup(const char *s);      /* NULL stays NULL */
char *mem_text(struct slice s);       /* a NUL-terminated copy */
void mem_free(void *p);

#define NEW(type) ((type *)mem_new(sizeof(type)))

/* An arena: many small allocations that die together, such as all that belongs to one frame or one reload. One thread at a time. */
struct arena {
	struct arena_chunk *chunks;
};

void *arena_new(struct arena *a, size_t size); /* zeroed, aligned for any type */
char *arena_text(struct arena *a, struct slice s);
struct slice arena_slice(struct arena *a, struct slice s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arena_free(struct arena *a); /* everything; the arena can be used again */

#endif
