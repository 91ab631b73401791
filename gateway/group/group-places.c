/* The numbers of a group's EVSEs. Names in the kept store, owner: the group's identity:
 *   place/NUMBER      EVSE, a space, the station's identity
 *   reserved/NUMBER   the reservation that it has
 *
 * A number is given when an EVSE is first seen, in the order of the file for those that it names, and is never given again: a station that
 * left the file keeps its numbers and is shown as unavailable, and one that says `replaces` takes over those of its predecessor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/group/group-local.h"
#include "storage/kept.h"

static void keep(const struct place *p)
{
	char name[24];
	struct buf value = { 0 };
	snprintf(name, sizeof(name), "place/%04d", p->number);
	buf_printf(&value, "%d %s", p->evse, p->station);
	int err = kept_put(p->group->gw->store, p->group->face->id, name, buf_view(&value), NULL, NULL);
	if (err)
		log_error(&p->group->log, "the number of %s evse %d could not be kept: %s", p->station, p->evse, err_text(err));
	buf_free(&value);
}

static struct place *place_new(struct group *g, int number, const char *station, int evse)
{
	struct place *p = NEW(struct place);
	p->group = g;
	p->number = number;
	p->station = mem_strdup(station);
	p->evse = evse;
	p->remote_start_id = p->reservation = -1;
	list_append(&g->places, &p->in_group);
	return p;
}

int places_count(const struct group *g)
{
	return list_empty(&g->places) ? 0 : LIST_ITEM(g->places.prev, struct place, in_group)->number;
}

struct place *place_at(const struct group *g, int number)
{
	LIST_WALK(&g->places, struct place, in_group, p)
		if (p->number == number)
			return p;
	return NULL;
}

struct place *place_known(const struct group *g, const char *station, int evse)
{
	LIST_WALK(&g->places, struct place, in_group, p)
		if (p->evse == evse && strcmp(p->station, station) == 0)
			return p;
	return NULL;
}

struct place *place_of(struct group *g, const char *station, int evse)
{
	struct place *p = place_known(g, station, evse);
	if (p || evse < 1)
		return p;
	int number = places_count(g) + 1;
	if (number > PLACES_MOST) {
		log_warn(&g->log, "%s evse %d gets no number, there are %d already", station, evse, PLACES_MOST);
		return NULL;
	}
	p = place_new(g, number, station, evse);
	p->due = true;
	keep(p);
	log_info(&g->log, "%s evse %d is number %d", station, evse, number);
	return p;
}

void place_reserve(struct place *p, int64_t reservation)
{
	char name[24], id[24];
	snprintf(name, sizeof(name), "reserved/%04d", p->number);
	snprintf(id, sizeof(id), "%lld", (long long)reservation);
	p->reservation = reservation;
	int err = reservation >= 0 ? kept_put(p->group->gw->store, p->group->face->id, name, slice_of(id), NULL, NULL)
	                           : kept_remove(p->group->gw->store, p->group->face->id, name, NULL, NULL);
	if (err)
		log_error(&p->group->log, "a reservation could not be kept: %s", err_text(err));
}

static bool load_reserved(void *arg, const char *name, struct slice value)
{
	struct place *p = place_at(arg, (int)strtol(name + strlen("reserved/"), NULL, 10));
	if (p && int_parse(value, &p->reservation) != 0)
		p->reservation = -1;
	return true;
}

static bool load_one(void *arg, const char *name, struct slice value)
{
	struct group *g = arg;
	char *text = mem_text(value), *end;
	long number = strtol(name + strlen("place/"), NULL, 10), evse = strtol(text, &end, 10);
	if (number >= 1 && number <= PLACES_MOST && evse >= 1 && *end == ' ')
		place_new(g, (int)number, end + 1, (int)evse)->due = true;
	mem_free(text);
	return true;
}

/* The EVSEs of the predecessor, by their numbers, as far as the new station has as many. */
static void take_over(struct group *g, const struct station_settings *st)
{
	LIST_WALK(&g->places, struct place, in_group, p) {
		if (strcmp(p->station, st->replaces) != 0 || place_known(g, st->id, p->evse))
			continue;
		log_info(&g->log, "%s evse %d takes over number %d of %s", st->id, p->evse, p->number, p->station);
		mem_free(p->station);
		p->station = mem_strdup(st->id);
		keep(p);
	}
}

void places_configure(struct group *g)
{
	const struct settings *conf = g->gw->conf;
	for (size_t i = 0; i < conf->n_stations; i++)
		if (conf->stations[i].uplink == g->conf && conf->stations[i].replaces)
			take_over(g, &conf->stations[i]);
	for (size_t i = 0; i < conf->n_stations; i++)
		for (int evse = 1; conf->stations[i].uplink == g->conf && evse <= conf->stations[i].evses; evse++)
			place_of(g, conf->stations[i].id, evse);
	for (size_t i = 0; i < conf->n_evses; i++)
		if (conf->evses[i].uplink == g->conf)
			place_of(g, conf->evses[i].station, conf->evses[i].evse);
}

void places_open(struct group *g)
{
	list_init(&g->places);
	int err = kept_each(g->gw->store, g->face->id, "place/", load_one, g);
	if (!err)
		err = kept_each(g->gw->store, g->face->id, "reserved/", load_reserved, g);
	if (err)
		log_error(&g->log, "the numbers cannot be read: %s", err_text(err));
	places_configure(g);
}

void places_close(struct group *g)
{
	LIST_WALK(&g->places, struct place, in_group, p) {
		list_remove(&p->in_group);
		mem_free(p->station);
		mem_free(p);
	}
}

/* --- states --- */

#define ABSENCE_US (3 * US_PER_S) /* a station that is back sooner was not away */

static const struct member *member_at(const struct place *p)
{
	return group_member(p->group, p->station);
}

static bool is_absent(const struct place *p)
{
	const struct member *m = member_at(p);
	return !m || (!member_is_here(m) && clock_mono_us() - m->left_us >= ABSENCE_US);
}

enum evse_state place_shown(const struct place *p)
{
	const struct member *m = member_at(p);
	if (is_absent(p) || p->state == EVSE_UNKNOWN)
		return EVSE_UNAVAILABLE;
	if (m && m->whole != EVSE_UNKNOWN)
		return m->whole;
	return dialect_state(dialect_of(p->group->version), p->state);
}

bool place_is_free(const struct place *p)
{
	const struct member *m = member_at(p);
	return m && member_is_here(m) && (p->state == EVSE_AVAILABLE || p->state == EVSE_PREPARING || p->state == EVSE_OCCUPIED);
}

/* Connectors inside an EVSE share its number: the one in use speaks for it. And what a transaction tells of a car is not hidden by a plain
 * Occupied. */
void place_state(struct place *p, int connector, enum evse_state state, struct slice error)
{
	char text[sizeof(p->error)];
	if (state == EVSE_UNKNOWN || (state == EVSE_AVAILABLE && p->connector && connector && connector != p->connector))
		return;
	if (state == EVSE_OCCUPIED && p->state >= EVSE_PREPARING && p->state <= EVSE_FINISHING)
		return;
	if (connector > 0)
		p->connector = state == EVSE_AVAILABLE ? 0 : connector;
	snprintf(text, sizeof(text), "%.*s", SLICE_ARG(error));
	p->due = p->due || p->state != state || strcmp(p->error, text) != 0;
	p->state = state;
	memcpy(p->error, text, sizeof(text));
	if (p->due)
		group_say_states(p->group);
}
