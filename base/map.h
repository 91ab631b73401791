/* A string map: text keys (copied), pointer values (borrowed). Open addressing; not for hostile keys without a bound on their number. */
#ifndef AMPGATE_BASE_MAP_H
#define AMPGATE_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct map {
	struct map_slot *slots;
	size_t count, used, size;
};

void *map_get(const struct map *m, struct slice key);          /* NULL: no such key */
void map_put(struct map *m, struct slice key, void *value);    /* value not NULL; replaces */
void *map_remove(struct map *m, struct slice key);             /* the value it had, or NULL */
void *map_next(const struct map *m, size_t *at, const char **key_out); /* start with *at = 0; NULL at the end; order is arbitrary */
void map_free(struct map *m);                                  /* keys and table, not the values */

#endif
