/* A list of the caps in force; ended ones are dropped when somebody looks. */
#include "gateway/power/caps.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"

struct entry {
	struct list in_all;
	struct cap_rec cap;
	int64_t until_mono_us;
};

static struct list all;

static struct list *entries(void)
{
	if (!all.next)
		list_init(&all);
	return &all;
}

static void drop(struct entry *e)
{
	list_remove(&e->in_all);
	mem_free((char *)e->cap.object);
	mem_free((char *)e->cap.user);
	mem_free((char *)e->cap.reason);
	mem_free(e);
}

int caps_set(struct gateway *g, int node, int evse, const struct cap_rec *cap)
{
	struct entry *e = NEW(struct entry);
	e->cap = *cap;
	e->cap.object = mem_strdup(cap->object);
	e->cap.user = mem_strdup(cap->user);
	e->cap.reason = mem_strdup(cap->reason);
	e->until_mono_us = clock_mono_us() + (cap->until_us - clock_wall_us());
	e->cap.id = control_cap_set(g->control, node, evse, cap->ma, "operator", e->cap.user, e->until_mono_us);
	list_append(entries(), &e->in_all);
	control_tick(g->control, clock_mono_us());
	return e->cap.id;
}

int caps_clear(struct gateway *g, int id)
{
	LIST_WALK(entries(), struct entry, in_all, e) {
		if (e->cap.id != id)
			continue;
		int err = control_cap_clear(g->control, id);
		drop(e);
		return err;
	}
	return ERR_NOT_FOUND;
}

void caps_each(void (*see)(void *arg, const struct cap_rec *cap), void *arg)
{
	int64_t now = clock_mono_us();
	LIST_WALK(entries(), struct entry, in_all, e) {
		if (e->until_mono_us <= now)
			drop(e);
		else
			see(arg, &e->cap);
	}
}

struct least {
	char one[80];             /* "G-07/1" */
	int32_t ma;
};

/* Objects are named as they were given: an EVSE with its number, or its station for the first. */
static void take_lower(void *arg, const struct cap_rec *cap)
{
	struct least *l = arg;
	size_t n = strlen(cap->object);
	bool fits = strcmp(cap->object, l->one) == 0 || (strncmp(cap->object, l->one, n) == 0 && strcmp(l->one + n, "/1") == 0);
	if (fits && cap->ma < l->ma)
		l->ma = cap->ma;
}

int32_t caps_of(const char *station, int evse, int32_t otherwise_ma)
{
	struct least l = { .ma = otherwise_ma };
	snprintf(l.one, sizeof(l.one), "%s/%d", station, evse);
	caps_each(take_lower, &l);
	return l.ma;
}

void caps_free(void)
{
	LIST_WALK(entries(), struct entry, in_all, e)
		drop(e);
}
