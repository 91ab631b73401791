/* Open addressing with linear probing; a removed slot keeps a mark until the next growth. */
#include "base/map.h"

#include <string.h>

#include "base/mem.h"

struct map_slot {
	char *key; /* NULL: never used, or removed when `gone` */
	size_t len;
	void *value;
	uint32_t hash;
	bool gone;
};

static uint32_t hash_of(struct slice key) /* FNV-1a */
{
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (unsigned char)key.p[i]) * 16777619u;
	return h;
}

static struct map_slot *find(const struct map *m, struct slice key, uint32_t hash)
{
	if (!m->size)
		return NULL;
	for (size_t i = hash & (m->size - 1);; i = (i + 1) & (m->size - 1)) {
		struct map_slot *s = &m->slots[i];
		if (!s->key && !s->gone)
			return NULL;
		if (s->key && s->hash == hash && s->len == key.n && memcmp(s->key, key.p, key.n) == 0)
			return s;
	}
}

static struct map_slot *free_slot(struct map *m, uint32_t hash)
{
	size_t i = hash & (m->size - 1);
	while (m->slots[i].key)
		i = (i + 1) & (m->size - 1);
	return &m->slots[i];
}

static void grow(struct map *m)
{
	struct map old = *m;
	m->size = old.size ? (old.count * 2 >= old.size ? old.size * 2 : old.size) : 16;
	m->slots = mem_new(m->size * sizeof(*m->slots));
	m->used = m->count;
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i].key)
			*free_slot(m, old.slots[i].hash) = old.slots[i];
	mem_free(old.slots);
}

void *map_get(const struct map *m, struct slice key)
{
	struct map_slot *s = find(m, key, hash_of(key));
	return s ? s->value : NULL;
}

void map_put(struct map *m, struct slice key, void *value)
{
	uint32_t hash = hash_of(key);
	struct map_slot *s = find(m, key, hash);
	if (s) {
		s->value = value;
		return;
	}
	if (!m->size || (m->used + 1) * 4 > m->size * 3)
		grow(m);
	s = free_slot(m, hash);
	m->used += !s->gone;
	m->count++;
	*s = (struct map_slot){ .key = mem_text(key), .len = key.n, .value = value, .hash = hash };
}

void *map_remove(struct map *m, struct slice key)
{
	struct map_slot *s = find(m, key, hash_of(key));
	if (!s)
		return NULL;
	void *value = s->value;
	mem_free(s->key);
	*s = (struct map_slot){ .gone = true };
	m->count--;
	return value;
}

void *map_next(const struct map *m, size_t *at, const char **key_out)
{
	while (*at < m->size) {
		struct map_slot *s = &m->slots[(*at)++];
		if (!s->key)
			continue;
		if (key_out)
			*key_out = s->key;
		return s->value;
	}
	return NULL;
}

void map_free(struct map *m)
{
	for (size_t i = 0; i < m->size; i++)
		mem_free(m->slots[i].key);
	mem_free(m->slots);
	*m = (struct map){ 0 };
}
