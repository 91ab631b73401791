/* One entry for each source on each EVSE, with an engine of its own: several sources bind by minimum, whatever the engine thinks of levels.
 *
 * Names in the kept store, per station: said/EVSE/KIND/SOURCE, where KIND is "limit" or "made"; the value is the time at which it came, newline,
 * the schedules, which may be missing.
 *
 * Easy to get wrong: a limit without a schedule says that there is one and not how much. And what is generated on the spot is no limit but adds to
 * the others; alone it means nothing. */
#include "gateway/power/reported.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "energy/profile.h"
#include "gateway/mqtt/telemetry.h"
#include "ocpp/profile-read.h"
#include "storage/kept.h"

#define ENTRIES_MOST 64
#define SOURCE_MOST 20
#define LOOK_US (60 * US_PER_S) /* schedules follow wall time, which may be set: look again at least this often */

struct entry {
	struct list entry;
	struct reported_limit told;
	char source[SOURCE_MOST + 1];
	struct profiles says;     /* empty where no amount was told */
};

struct reported {
	struct session *s;
	struct list entries;
	size_t n;
	struct timer look;
	int caps[SESSION_EVSES + 1]; /* in force, by EVSE; 0: none */
};

static void kept_name(const struct entry *e, char name[64])
{
	snprintf(name, 64, "said/%d/%s/%s", e->told.evse, e->told.generation ? "made" : "limit", e->source);
}

static void entry_free(struct reported *r, struct entry *e)
{
	list_remove(&e->entry);
	r->n--;
	profiles_close(&e->says);
	mem_free((char *)e->told.schedules.p);
	mem_free(e);
}

static void drop(struct reported *r, struct entry *e)
{
	char name[64];
	kept_name(e, name);
	if (kept_remove(r->s->gw->store, r->s->id, name, NULL, NULL) != 0)
		log_error(&r->s->log, "%s could not be removed", name);
	entry_free(r, e);
}

/* --- what they leave --- */

static double entry_a(const struct entry *e, int evse, int64_t wall_us, int64_t *until_us)
{
	static const struct profile_tx none;
	if (evse == 0)
		return profiles_station_limit(&e->says, wall_us, until_us).amps;
	return profiles_allowed(&e->says, evse, &none, wall_us, until_us).amps;
}

/* The one that leaves least. NULL: nothing is limited. */
static const struct entry *lowest(const struct reported *r, int evse, int64_t wall_us, int64_t *until_us, double *amps_out)
{
	const struct entry *low = NULL;
	double made = 0;
	*amps_out = INFINITY;
	LIST_WALK((struct list *)&r->entries, struct entry, entry, e) {
		double amps = entry_a(e, evse, wall_us, until_us);
		if (e->told.generation && isfinite(amps))
			made += amps;
		if (e->told.generation || amps >= *amps_out)
			continue;
		*amps_out = amps;
		low = e;
	}
	*amps_out += made;
	return low;
}

double reported_a(const struct session *s, int evse, int64_t wall_us, int64_t *until_us)
{
	double amps = INFINITY;
	if (s->reported)
		lowest(s->reported, evse, wall_us, until_us, &amps);
	return amps;
}

const struct reported_limit *reported_at(const struct session *s, size_t i)
{
	if (!s->reported)
		return NULL;
	LIST_WALK(&s->reported->entries, struct entry, entry, e) {
		if (i-- == 0)
			return &e->told;
	}
	return NULL;
}

/* --- the caps --- */

static void lift(const struct reported *r, int *cap)
{
	if (*cap && control_cap_clear(r->s->gw->control, *cap) != 0)
		log_debug(&r->s->log, "a reported limit had ended already");
	*cap = 0;
}

static void put(const struct reported *r, int control, int *cap, const struct cap_conf *c)
{
	struct control *all = r->s->gw->control;
	int id = control_cap_put(all, *cap, c);
	if (id == ERR_NOT_FOUND)
		id = control_cap_put(all, 0, c); /* the last one has ended by itself */
	if (id < 0)
		log_error(&r->s->log, "a reported limit of EVSE %d cannot be applied: %s", control, err_text(id));
	*cap = id < 0 ? 0 : id;
}

static void look_at(struct reported *r, int evse, int64_t now_us, int64_t *next_us)
{
	int control = r->s->evses[evse].control;
	int64_t until_us = INT64_MAX;
	double amps;
	const struct entry *low = lowest(r, evse, now_us, &until_us, &amps);
	*next_us = until_us < *next_us ? until_us : *next_us;
	if (control < 0)
		return;
	if (!low) {
		lift(r, &r->caps[evse]);
		return;
	}
	amps /= settings_wire_share(r->s->gw->conf, r->s->conf);
	int32_t ma = amps < 2000 ? (int32_t)floor(amps * 1000 + 1e-3) : 2000000;
	struct cap_conf cap = { .node = -1, .evse = control, .line = { { ma, ma, ma } }, .power_w = -1, .reason = "station_limit", .owner = low->source,
		.until_us = until_us == INT64_MAX ? INT64_MAX : clock_mono_us() + until_us - now_us };
	put(r, evse, &r->caps[evse], &cap);
}

static void look(void *arg)
{
	struct reported *r = arg;
	int64_t now_us = clock_wall_us(), next_us = INT64_MAX;
	for (int i = 1; i <= r->s->n_evses && i <= SESSION_EVSES; i++)
		look_at(r, i, now_us, &next_us);
	timer_cancel(&r->look);
	if (r->n)
		timer_set(&r->look, next_us - now_us < LOOK_US ? next_us - now_us : LOOK_US, look, r);
}

/* --- what is told --- */

static struct entry *find(struct reported *r, int evse, bool generation, struct slice source)
{
	LIST_WALK(&r->entries, struct entry, entry, e) {
		if (e->told.evse == evse && e->told.generation == generation && slice_is(source, e->source))
			return e;
	}
	return NULL;
}

/* ERR_INVALID: its schedules cannot be read. */
static int add(struct reported *r, int evse, bool generation, struct slice source, struct slice schedules, int64_t at_us)
{
	static const struct profile_tx none;
	struct arena mem = { 0 };
	struct charging_profile profile;
	cJSON *tree = schedules.n ? json_parse(schedules) : NULL;
	int err = tree ? profile_read_reported(tree, PURPOSE_EXTERNAL, &mem, &profile) : schedules.n ? ERR_INVALID : 0;
	struct entry *e = NEW(struct entry);
	snprintf(e->source, sizeof(e->source), "%.*s", SLICE_ARG(source));
	e->told = (struct reported_limit){ evse, e->source, generation, { NULL, 0 }, at_us };
	profiles_open(&e->says, 3);
	e->says.purposes = ~0u;
	if (!err && tree) {
		e->told.schedules = (struct slice){ mem_text(schedules), schedules.n };
		err = profiles_set(&e->says, evse, &profile, &none, at_us);
	}
	cJSON_Delete(tree);
	arena_free(&mem);
	list_append(&r->entries, &e->entry);
	r->n++;
	if (err)
		entry_free(r, e);
	return err;
}

static void keep(struct reported *r, const struct entry *e, int64_t at_us)
{
	struct buf value = { 0 };
	char name[64];
	kept_name(e, name);
	buf_printf(&value, "%lld\n", (long long)at_us);
	buf_slice(&value, e->told.schedules);
	int err = kept_put(r->s->gw->store, r->s->id, name, buf_view(&value), NULL, NULL);
	if (err)
		log_error(&r->s->log, "%s could not be kept: %s", name, err_text(err));
	buf_free(&value);
}

static void tell(const struct session *s, const char *code, int evse, struct slice source, double amps)
{
	struct buf args = { 0 };
	struct json_writer w;
	jw_open(&w, &args);
	jw_object(&w, NULL);
	jw_text(&w, "source", source);
	if (evse > 0)
		jw_int(&w, "evse", evse);
	if (isfinite(amps))
		jw_number(&w, "limit_a", amps, 1);
	jw_end(&w, '}');
	log_info(&s->log, "%s %s", code, args.p);
	telemetry_event(s->gw, code, "info", s->id, args.p);
	buf_free(&args);
}

static void set(struct reported *r, const struct event *e, int evse, struct slice source)
{
	bool generation = e->purpose == PURPOSE_LOCAL_GENERATION;
	int64_t now_us = clock_wall_us();
	struct entry *old = find(r, evse, generation, source);
	if (!old && r->n == ENTRIES_MOST) {
		log_warn(&r->s->log, "it reports limits of more than %d sources, this one is not counted", ENTRIES_MOST);
		return;
	}
	if (old)
		drop(r, old);
	int err = add(r, evse, generation, source, e->value, now_us);
	if (err) {
		log_warn(&r->s->log, "a limit that it reports is not understood and not counted: %s", err_text(err));
		return;
	}
	keep(r, find(r, evse, generation, source), now_us);
	tell(r->s, "station.limit", evse, source, e->limit_a);
}

/* Of one EVSE, or all that this source has limited. */
static void clear(struct reported *r, int evse, struct slice source)
{
	bool any = false;
	LIST_WALK(&r->entries, struct entry, entry, e) {
		if (!slice_is(source, e->source) || (evse > 0 && e->told.evse != evse))
			continue;
		drop(r, e);
		any = true;
	}
	if (any)
		tell(r->s, "station.limit_cleared", evse, source, NAN);
}

void reported_heard(struct session *s, const struct event *e)
{
	struct slice source = { e->reason.p, e->reason.n < SOURCE_MOST ? e->reason.n : SOURCE_MOST };
	int evse = e->evse > 0 ? e->evse : 0;
	if (evse > SESSION_EVSES || s->group)
		return;
	if (evse)
		session_evse(s, evse); /* it is there, whether we have seen it or not */
	if (slice_is(e->word, "Set"))
		set(s->reported, e, evse, source);
	else
		clear(s->reported, evse, source);
	look(s->reported);
}

void reported_booted(struct session *s)
{
	if (!s->reported->n)
		return;
	log_info(&s->log, "it has started anew: limits that it reported before are forgotten");
	LIST_WALK(&s->reported->entries, struct entry, entry, e)
		drop(s->reported, e);
	look(s->reported);
}

/* --- life --- */

static bool load_one(void *arg, const char *name, struct slice value)
{
	struct reported *r = arg;
	char *text = mem_text(value), *newline = strchr(text, '\n');
	int evse, at = 0;
	bool made = strstr(name, "/made/");
	if (newline && sscanf(name, made ? "said/%d/made/%n" : "said/%d/limit/%n", &evse, &at) == 1 && at && evse >= 0 && evse <= SESSION_EVSES &&
	    r->n < ENTRIES_MOST && add(r, evse, made, slice_of(name + at), slice_of(newline + 1), strtoll(text, NULL, 10)) != 0)
		log_warn(&r->s->log, "%s that was kept is not understood any more", name);
	mem_free(text);
	return true;
}

void reported_open(struct session *s)
{
	struct reported *r = NEW(struct reported);
	r->s = s;
	s->reported = r;
	list_init(&r->entries);
	int err = kept_each(s->gw->store, s->id, "said/", load_one, r);
	if (err)
		log_error(&s->log, "the limits that it reported cannot be read: %s", err_text(err));
	if (r->n)
		look(r);
}

void reported_close(struct session *s)
{
	struct reported *r = s->reported;
	if (!r)
		return;
	timer_cancel(&r->look);
	LIST_WALK(&r->entries, struct entry, entry, e)
		entry_free(r, e);
	mem_free(r);
	s->reported = NULL;
}
