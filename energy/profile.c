/* Installing, replacing, clearing. Which profiles may stand side by side differs between the versions: 1.6 knows one per purpose, level and
 * connector, 2.x also two whose validity does not overlap (2.0.1 K01.FR.06). Judging them is profile-limit.c. */
#include "energy/profile.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "energy/profile-local.h"

static void free_periods(struct charging_profile *c)
{
	for (size_t k = 0; k < c->n_periods; k++)
		mem_free(c->periods[k].v2x);
	mem_free(c->periods);
}

static void forget(struct profiles *p, struct installed *i)
{
	struct charging_profile *next;
	list_remove(&i->entry);
	p->count--;
	for (struct charging_profile *c = i->profile.more; c; c = next) {
		next = c->more;
		free_periods(c);
		mem_free(c);
	}
	free_periods(&i->profile);
	mem_free((void *)i->profile.tx.p);
	mem_free(i);
}

static void drop(struct profiles *p, struct installed *i)
{
	int64_t id = i->profile.id;
	forget(p, i);
	if (p->gone)
		p->gone(p->arg, id);
}

void profiles_open(struct profiles *p, int phases)
{
	*p = (struct profiles){ .phases = phases, .purposes = PROFILES_OF_STATION, .stack_most = PROFILES_STACK_MOST };
	list_init(&p->installed);
}

void profiles_close(struct profiles *p)
{
	LIST_WALK(&p->installed, struct installed, entry, i)
		forget(p, i);
}

static bool belongs(const struct profiles *p, int evse, const struct charging_profile *profile)
{
	if (profile->stack_level > p->stack_most || !(p->purposes & 1u << profile->purpose))
		return false;
	if (profile->purpose == PURPOSE_STATION_MAX)
		return evse == 0;
	return profile->purpose == PURPOSE_TX ? evse > 0 : evse >= 0;
}

static bool overlap(const struct charging_profile *a, const struct charging_profile *b)
{
	return (!a->valid_to_us || b->valid_from_us < a->valid_to_us) && (!b->valid_to_us || a->valid_from_us < b->valid_to_us);
}

static bool replaces(const struct profiles *p, const struct charging_profile *a, int evse, const struct installed *b)
{
	if (a->id >= 0 && a->id == b->profile.id)
		return true;
	if (a->purpose != b->profile.purpose || a->stack_level != b->profile.stack_level || evse != b->evse)
		return false;
	return !p->defaults_stack || overlap(a, &b->profile);
}

/* Another profile in whose way this one would stand. */
static int conflict(const struct profiles *p, const struct charging_profile *a, int evse)
{
	LIST_WALK((struct list *)&p->installed, struct installed, entry, b) {
		if (a->id >= 0 && a->id == b->profile.id) {
			if (b->profile.purpose == PURPOSE_EXTERNAL && a->purpose != PURPOSE_EXTERNAL)
				return ERR_INVALID;
			continue;
		}
		bool twice = p->defaults_stack && a->purpose == PURPOSE_TX_DEFAULT && b->profile.purpose == PURPOSE_TX_DEFAULT;
		if (twice && a->stack_level == b->profile.stack_level && (evse == 0) != (b->evse == 0) && overlap(a, &b->profile))
			return ERR_EXISTS;
	}
	return 0;
}

static void copy_schedule(struct charging_profile *to, const struct charging_profile *from)
{
	*to = *from;
	to->periods = mem_new(from->n_periods * sizeof(from->periods[0]));
	memcpy(to->periods, from->periods, from->n_periods * sizeof(from->periods[0]));
	for (size_t k = 0; k < from->n_periods; k++) {
		const struct charging_v2x *v = from->periods[k].v2x;
		to->periods[k].v2x = v ? memcpy(mem_new(sizeof(*v)), v, sizeof(*v)) : NULL;
	}
}

static struct installed *copy_of(const struct charging_profile *profile, int evse)
{
	struct installed *i = NEW(struct installed);
	struct charging_profile *last = &i->profile;
	i->evse = evse;
	copy_schedule(last, profile);
	for (const struct charging_profile *c = profile->more; c; c = c->more) {
		last->more = NEW(struct charging_profile);
		last = last->more;
		copy_schedule(last, c);
	}
	i->profile.tx = (struct slice){ profile->tx.p ? mem_text(profile->tx) : NULL, profile->tx.n };
	return i;
}

/* When its schedules begin that do not say it. */
static void begin(struct charging_profile *c, int64_t now_us)
{
	/* The station as a whole has no start of charging that a Relative schedule could count from. */
	if (c->kind == PROFILE_RELATIVE && c->purpose == PURPOSE_STATION_MAX)
		c->kind = PROFILE_ABSOLUTE;
	if (c->kind != PROFILE_RELATIVE && !c->start_us) {
		c->start_us = now_us;
		c->local_time = false;
	}
}

int profiles_set(struct profiles *p, int evse, const struct charging_profile *profile, const struct profile_tx *tx, int64_t now_us)
{
	if (!belongs(p, evse, profile))
		return ERR_INVALID;
	if (profile->purpose == PURPOSE_TX && (!tx || !tx->running))
		return ERR_NOT_FOUND;
	if (profile->purpose == PURPOSE_TX && profile->tx.p && tx->id.p && !slice_eq(profile->tx, tx->id))
		return ERR_NOT_FOUND;
	int err = conflict(p, profile, evse);
	if (err)
		return err;
	LIST_WALK(&p->installed, struct installed, entry, old) {
		if (replaces(p, profile, evse, old))
			drop(p, old);
	}
	if (p->count == PROFILES_MOST)
		return ERR_FULL;
	struct installed *i = copy_of(profile, evse);
	for (struct charging_profile *c = &i->profile; c; c = c->more)
		begin(c, now_us);
	if (p->random && profile->random_delay_s > 0 && (profile->purpose == PURPOSE_TX || profile->purpose == PURPOSE_TX_DEFAULT))
		i->delay_us = p->random() % (uint64_t)(profile->random_delay_s + 1) * US_PER_S; /* 2.1 K01.FR.95 */
	list_append(&p->installed, &i->entry);
	p->count++;
	return 0;
}

static bool meant(const struct profile_filter *f, const struct installed *i)
{
	if (f->id >= 0)
		return f->id == i->profile.id;
	return (f->evse < 0 || f->evse == i->evse) && (f->stack_level < 0 || f->stack_level == i->profile.stack_level) &&
	       (f->purpose == PURPOSE_NONE || f->purpose == i->profile.purpose);
}

size_t profiles_count(const struct profiles *p, const struct profile_filter *f)
{
	size_t n = 0;
	LIST_WALK((struct list *)&p->installed, struct installed, entry, i)
		n += meant(f, i);
	return n;
}

size_t profiles_clear(struct profiles *p, const struct profile_filter *f)
{
	size_t before = p->count;
	LIST_WALK(&p->installed, struct installed, entry, i) {
		if (meant(f, i))
			drop(p, i);
	}
	return before - p->count;
}

void profiles_end_tx(struct profiles *p, int evse)
{
	profiles_clear(p, &(struct profile_filter){ .id = -1, .evse = evse, .stack_level = -1, .purpose = PURPOSE_TX });
}

static void put_values(double at[3], const double to[3])
{
	for (int i = 0; i < 3; i++)
		if (!isnan(to[i]))
			at[i] = to[i];
}

static void update(struct charging_period *period, const struct charging_v2x *to)
{
	struct charging_v2x *v = period->v2x;
	if (!v) {
		v = mem_new(sizeof(*v));
		for (int i = 0; i < 3; i++)
			v->limit[i] = v->discharge[i] = v->setpoint[i] = NAN;
		v->limit[0] = isinf(period->limit) ? NAN : period->limit;
		period->v2x = v;
	}
	put_values(v->limit, to->limit);
	put_values(v->discharge, to->discharge);
	put_values(v->setpoint, to->setpoint);
	if (!isnan(v->limit[0]))
		period->limit = v->limit[0];
}

int profiles_update(struct profiles *p, int64_t id, const struct charging_v2x *to, int64_t now_us)
{
	LIST_WALK(&p->installed, struct installed, entry, i) {
		if (i->profile.id != id || i->profile.kind != PROFILE_DYNAMIC)
			continue;
		update(&i->profile.periods[0], to);
		i->profile.start_us = now_us;
		return 0;
	}
	return ERR_NOT_FOUND;
}

static bool has_schedule(const struct charging_profile *c, int64_t id)
{
	while (c && c->schedule_id != id)
		c = c->more;
	return c;
}

bool profiles_choose(struct profiles *p, int evse, int64_t schedule_id)
{
	bool any = false;
	LIST_WALK(&p->installed, struct installed, entry, i) {
		if (i->evse != evse || i->profile.purpose != PURPOSE_TX || !i->profile.more || !has_schedule(&i->profile, schedule_id))
			continue;
		any = any || i->chosen != schedule_id;
		i->chosen = schedule_id;
	}
	return any;
}

void profiles_offline(struct profiles *p, int64_t now_us)
{
	if (!p->offline_us)
		p->offline_us = now_us;
}

void profiles_online(struct profiles *p, int64_t now_us)
{
	int64_t away_us = p->offline_us ? now_us - p->offline_us : 0;
	p->offline_us = 0;
	LIST_WALK(&p->installed, struct installed, entry, i) {
		if (i->profile.offline_most_s > 0 && i->profile.offline_ends_it && away_us >= i->profile.offline_most_s * US_PER_S)
			drop(p, i);
	}
}

const struct charging_profile *profiles_find(const struct profiles *p, int64_t id, int *evse_out)
{
	LIST_WALK((struct list *)&p->installed, struct installed, entry, i) {
		if (i->profile.id != id)
			continue;
		if (evse_out)
			*evse_out = i->evse;
		return &i->profile;
	}
	return NULL;
}

int profiles_top_level(const struct profiles *p, int evse, enum profile_purpose purpose)
{
	int top = -1;
	LIST_WALK((struct list *)&p->installed, struct installed, entry, i) {
		bool asked = (evse < 0 || i->evse == evse) && (purpose == PURPOSE_NONE || i->profile.purpose == purpose);
		if (asked && i->profile.stack_level > top)
			top = i->profile.stack_level;
	}
	return top;
}

