/* A string map from "name{labels}" to counters, and the order in which they were made. */
#include "base/stats.h"

#include <stddef.h>
#include <stdio.h>

#include "base/map.h"
#include "base/mem.h"

static struct {
	struct map by_name;
	struct arena mem;
	struct stat_cell **order;
	size_t count, room;
} all;

struct stat_cell *stat_named(const char *name, const char *labels)
{
	char key[256];
	int n = snprintf(key, sizeof(key), "%s{%s}", name, labels);
	struct slice k = { key, (size_t)n < sizeof(key) ? (size_t)n : sizeof(key) - 1 };
	struct stat_cell *s = map_get(&all.by_name, k);
	if (s)
		return s;
	s = arena_new(&all.mem, sizeof(*s));
	s->name = arena_text(&all.mem, slice_of(name));
	s->labels = arena_text(&all.mem, slice_of(labels));
	map_put(&all.by_name, k, s);
	if (all.count == all.room) {
		all.room = all.room ? all.room * 2 : 64;
		all.order = mem_grow(all.order, all.room * sizeof(struct stat_cell *));
	}
	all.order[all.count++] = s;
	return s;
}

void stats_each(void (*see)(const struct stat_cell *s, void *arg), void *arg)
{
	for (size_t i = 0; i < all.count; i++)
		see(all.order[i], arg);
}

void stats_free(void)
{
	map_free(&all.by_name);
	arena_free(&all.mem);
	mem_free(all.order);
	all.order = NULL;
	all.count = all.room = 0;
}
