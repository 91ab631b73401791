/* The names of transactions. Names in the kept store, owner: the group's identity:
 *   tx/STATION/ID   number, next sequence number, remote start, registers, fingerprints, the name towards the CSMS, with spaces between; "-" for none
 *   tx-next         the next number for a member whose transactions the CSMS names
 *
 * Two of the four pairs of versions need nothing of this for what goes up: where both sides let the CSMS name a transaction, the session of the
 * member has the name. But what the CSMS asks of a transaction has to find its member, and stations are known that count from 1.
 *
 * Easy to get wrong: a name outlives its transaction until another begins on that EVSE, because a stop may come again after a crash. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "gateway/group/group-local.h"
#include "storage/kept.h"

#define OLD_ONES 4        /* per EVSE: of those, whose end was never seen */
#define TXS_MOST 20000
#define UNIQUE_ENOUGH 20  /* shorter names are counters, which two stations may share */

static struct named *named_add(struct group *g, const char *station, struct slice member_tx)
{
	struct named *n = NEW(struct named);
	n->group = g;
	n->station = mem_strdup(station);
	n->member_tx = mem_text(member_tx);
	n->start_wh = n->wh = NAN;
	n->remote_start_id = -1;
	list_append(&g->txs, &n->in_group);
	g->n_txs++;
	return n;
}

static void named_free(struct named *n)
{
	list_remove(&n->in_group);
	n->group->n_txs--;
	mem_free(n->station);
	mem_free(n->member_tx);
	mem_free(n->up_tx);
	mem_free(n);
}

static char *kept_name(const struct named *n)
{
	struct buf name = { 0 };
	buf_printf(&name, "tx/%s/%s", n->station, n->member_tx);
	return name.p;
}

static void forget(struct named *n)
{
	char *name = kept_name(n);
	int err = kept_remove(n->group->gw->store, n->group->face->id, name, NULL, NULL);
	if (err)
		log_error(&n->group->log, "%s could not be removed: %s", name, err_text(err));
	mem_free(name);
	named_free(n);
}

int named_keep(struct named *n, store_done *done, void *arg)
{
	struct buf value = { 0 };
	char *name = kept_name(n);
	buf_printf(&value, "%d %" PRId64 " %" PRId64 " %.3f %.3f %s %s %s", n->number, n->seq, n->remote_start_id, n->start_wh, n->wh, n->last[0] ? n->last : "-",
	           n->start[0] ? n->start : "-", n->up_tx ? n->up_tx : "-");
	int err = kept_put(n->group->gw->store, n->group->face->id, name, buf_view(&value), done, arg);
	mem_free(name);
	buf_free(&value);
	return err;
}

static bool load_one(void *arg, const char *name, struct slice value)
{
	struct group *g = arg;
	char *text = mem_text(value), last[33] = "-", start[33] = "-";
	const char *station = name + strlen("tx/"), *slash = strchr(station, '/');
	int number, used = 0;
	int64_t seq, remote;
	double from, now;
	if (slash && sscanf(text, "%d %" SCNd64 " %" SCNd64 " %lf %lf %32s %32s %n", &number, &seq, &remote, &from, &now, last, start, &used) >= 7 && used) {
		char *id = mem_text((struct slice){ station, (size_t)(slash - station) });
		struct named *n = named_add(g, id, slice_of(slash + 1));
		n->number = number;
		n->seq = seq;
		n->remote_start_id = remote;
		n->start_wh = from;
		n->wh = now;
		snprintf(n->last, sizeof(n->last), "%s", strcmp(last, "-") ? last : "");
		snprintf(n->start, sizeof(n->start), "%s", strcmp(start, "-") ? start : "");
		n->up_tx = strcmp(text + used, "-") ? mem_strdup(text + used) : NULL;
		mem_free(id);
	}
	mem_free(text);
	return true;
}

void txs_open(struct group *g)
{
	list_init(&g->txs);
	int err = kept_each(g->gw->store, g->face->id, "tx/", load_one, g);
	if (err)
		log_error(&g->log, "the names of transactions cannot be read: %s", err_text(err));
}

void txs_close(struct group *g)
{
	LIST_WALK(&g->txs, struct named, in_group, n)
		named_free(n);
}

/* The newest of that name stands last. */
struct named *named_of(const struct group *g, const char *station, struct slice member_tx)
{
	struct named *found = NULL;
	LIST_WALK(&g->txs, struct named, in_group, n)
		if (slice_is(member_tx, n->member_tx) && strcmp(n->station, station) == 0)
			found = n;
	return found;
}

struct named *named_up(const struct group *g, struct slice up_tx)
{
	struct named *found = NULL;
	LIST_WALK(&g->txs, struct named, in_group, n)
		if (n->up_tx && slice_is(up_tx, n->up_tx))
			found = n;
	return found;
}

struct named *named_by_start(const struct group *g, const char *station, const char *fingerprint)
{
	struct named *found = NULL;
	LIST_WALK(&g->txs, struct named, in_group, n)
		if (strcmp(n->start, fingerprint) == 0 && strcmp(n->station, station) == 0)
			found = n;
	return found;
}

struct named *named_new(struct group *g, const char *station, struct slice member_tx, int number)
{
	struct named *old = named_of(g, station, member_tx);
	if (old)
		named_free(old); /* its row in the store is written over */
	if (g->n_txs >= TXS_MOST)
		forget(LIST_TOP(&g->txs, struct named, in_group));
	struct named *n = named_add(g, station, member_tx);
	n->number = number;
	return n;
}

const char *named_choose_up(struct named *n)
{
	char id[UUID_TEXT];
	size_t length = strlen(n->member_tx);
	if (!n->up_tx && length >= UNIQUE_ENOUGH && length <= 36 && !named_up(n->group, slice_of(n->member_tx)))
		n->up_tx = mem_strdup(n->member_tx);
	else if (!n->up_tx)
		n->up_tx = mem_strdup(uuid_text(id));
	return n->up_tx;
}

int64_t txs_next_id(struct group *g)
{
	struct arena mem = { 0 };
	struct slice value;
	char text[24];
	int64_t next = 1;
	if (kept_get(g->gw->store, g->face->id, "tx-next", &mem, &value) == 0 && int_parse(value, &next) != 0)
		next = 1;
	LIST_WALK(&g->txs, struct named, in_group, n) { /* those whose counter is still on its way to disk */
		int64_t id;
		if (int_parse(slice_of(n->member_tx), &id) == 0 && n->start[0] && id >= next)
			next = id + 1;
	}
	snprintf(text, sizeof(text), "%" PRId64, next + 1);
	int err = kept_put(g->gw->store, g->face->id, "tx-next", slice_of(text), NULL, NULL);
	if (err)
		log_error(&g->log, "the number of a transaction could not be kept: %s", err_text(err));
	arena_free(&mem);
	return next;
}

/* Those that are over on this EVSE, and all but the newest of those that never ended. */
void named_forget_old(struct group *g, const char *station, int number, const struct named *newest)
{
	unsigned open_ones = 0;
	for (struct list *at = g->txs.prev, *before; at != &g->txs; at = before) {
		struct named *n = LIST_ITEM(at, struct named, in_group);
		before = at->prev;
		if (n == newest || n->number != number || strcmp(n->station, station) != 0)
			continue;
		if (n->over || ++open_ones > OLD_ONES)
			forget(n);
	}
}
