/* Charging profiles from the CSMS: set, cleared, reported, and the schedule that follows from them. What was set is also kept as the JSON it
 * came in, for reports and for the next start (2.0.1 K01.FR.27, K09; 1.6 errata 3.37). */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "ocpp/profile-read.h"
#include "ocpp/profile-report.h"
#include "station/commands.h"
#include "station/inside.h"

struct raw_profile {
	struct list entry;
	int64_t id;
	int evse;
	bool of_tx;               /* dies with its transaction: not kept */
	struct slice text;        /* behind the struct */
};

static void forget(struct station *s, struct raw_profile *r)
{
	keep_number(s, "profile", r->id, (struct slice){ 0 });
	list_remove(&r->entry);
	mem_free(r);
}

/* energy/profile tells that one is gone: replaced, cleared, or ended with its transaction. */
static void on_gone(void *arg, int64_t id)
{
	struct station *s = arg;
	LIST_WALK(&s->raw_profiles, struct raw_profile, entry, r) {
		if (r->id == id)
			forget(s, r);
	}
}

static void remember(struct station *s, int evse, const struct charging_profile *p, struct slice text)
{
	struct buf kept = { 0 };
	if (!text.p)
		return;
	on_gone(s, p->id);
	struct raw_profile *r = mem_new(sizeof(*r) + text.n);
	r->id = p->id;
	r->evse = evse;
	r->of_tx = p->purpose == PURPOSE_TX;
	memcpy(r + 1, text.p, text.n);
	r->text = (struct slice){ (char *)(r + 1), text.n };
	list_append(&s->raw_profiles, &r->entry);
	if (!r->of_tx) {
		buf_printf(&kept, "%d ", evse);
		buf_slice(&kept, text);
		keep_number(s, "profile", p->id, buf_view(&kept));
	}
	buf_free(&kept);
}

void schedule_open(struct station *s)
{
	list_init(&s->raw_profiles);
	s->profiles.gone = on_gone;
	s->profiles.arg = s;
}

void schedule_close(struct station *s)
{
	LIST_WALK(&s->raw_profiles, struct raw_profile, entry, r) {
		list_remove(&r->entry);
		mem_free(r);
	}
}

/* "EVSE JSON", as kept. */
void schedule_recall(struct station *s, struct slice value)
{
	const char *space = memchr(value.p, ' ', value.n);
	struct charging_profile profile;
	struct profile_tx none = { 0 };
	struct arena mem = { 0 };
	int64_t evse;
	if (!space || int_parse((struct slice){ value.p, (size_t)(space - value.p) }, &evse) != 0)
		return;
	struct slice text = { space + 1, value.n - (size_t)(space - value.p) - 1 };
	cJSON *tree = json_parse(text);
	if (tree && profile_read_tree(tree, &mem, &profile) == 0 &&
	    profiles_set(&s->profiles, (int)evse, &profile, &none, clock_wall_us()) == 0)
		remember(s, (int)evse, &profile, text);
	cJSON_Delete(tree);
	arena_free(&mem);
}

/* Set, clear, update */

static void after_profile(struct station *s, struct request *q)
{
	(void)q;
	station_limits(s);
}

/* The phase is never ours to select, as ACPhaseSwitchingSupported says (K01.FR.20, K01.FR.48); one instead of three is where the hardware can. */
static bool ensures(const struct station *s, int evse, const struct charging_period *p)
{
	if (p->phase)
		return false;
	if (!s->dialect->phases_ensured || !s->conf.knows_phases || s->conf.phases == 1 || !p->phases || p->phases >= s->conf.phases)
		return true;
	for (int i = 1; i <= s->conf.n_evses; i++)
		if ((evse == 0 || evse == i) && (p->phases != 1 || !s->evses[i - 1].con.in.single))
			return false;
	return true;
}

bool schedule_ensures(const struct station *s, int evse, const struct charging_profile *p)
{
	for (size_t i = 0; i < p->n_periods; i++)
		if (!ensures(s, evse, &p->periods[i]))
			return false;
	return true;
}

static int check(const struct station *s, const struct request *q, const struct evse *e, const struct charging_profile *p)
{
	if (q->e.evse != 0 && !e)
		return ERR_NOT_FOUND;
	if (p->n_periods > PROFILE_PERIODS_MOST || p->purpose == PURPOSE_EXTERNAL)
		return ERR_INVALID;
	if (p->more)
		return ERR_INVALID; /* no car here chooses from several (2.0.1 K01.FR.34) */
	if (!schedule_ensures(s, q->e.evse, p))
		return ERR_UNSUPPORTED;
	return s->reset ? ERR_REFUSED : 0;
}

void schedule_set(struct station *s, struct request *q)
{
	struct charging_profile profile;
	struct profile_tx tx = { 0 };
	int err = profile_read_whole(q->f, &q->mem, &profile);
	const struct evse *e = station_evse(s, q->e.evse);
	if (e)
		charge_profile_tx(e, &tx);
	if (!err)
		err = check(s, q, e, &profile);
	if (!err)
		err = profiles_set(&s->profiles, q->e.evse, &profile, &tx, clock_wall_us());
	if (err)
		log_info(&s->log, "a charging profile was refused: %s", err_text(err));
	else
		remember(s, q->e.evse, &profile, profile_text(q->f));
	q->after = err ? NULL : after_profile;
	answer_if(q, !err);
}

void schedule_clear(struct station *s, struct request *q)
{
	struct profile_filter filter;
	profile_filter_read(q->f, &filter);
	q->after = after_profile;
	answer(q, profiles_clear(&s->profiles, &filter) ? "Accepted" : "Unknown");
}

void schedule_update(struct station *s, struct request *q)
{
	struct charging_v2x to;
	bool told = v2x_read(json_at(frame_tree(q->f), "scheduleUpdate"), &to) > 0;
	q->after = after_profile;
	answer_if(q, told && profiles_update(&s->profiles, q->e.profile_id, &to, clock_wall_us()) == 0);
}

void schedule_composite(struct station *s, struct request *q)
{
	struct schedule_ask ask;
	int64_t now_us = clock_wall_us();
	if (schedule_ask_read(q->f, &ask) != 0 || (ask.evse != 0 && !station_evse(s, ask.evse))) {
		answer(q, "Rejected");
		return;
	}
	ask.mem = &q->mem;
	struct profile_tx *txs = arena_new(&q->mem, (size_t)s->conf.n_evses * sizeof(*txs));
	struct charging_period *periods = arena_new(&q->mem, PROFILE_PERIODS_MOST * sizeof(*periods));
	for (int i = 0; i < s->conf.n_evses; i++) {
		charge_profile_tx(&s->evses[i], &txs[i]);
		if (!txs[i].running)
			txs[i].start_us = now_us;
	}
	size_t n = profiles_composite(&s->profiles, &ask, txs, s->conf.n_evses, s->conf.max_ma / 1000.0, now_us, periods, PROFILE_PERIODS_MOST);
	schedule_write_answer(s->conf.version, &ask, now_us, periods, n, &q->payload);
}

/* Report */

static bool fits(const struct profile_query *query, const struct raw_profile *r)
{
	struct charging_profile p;
	struct arena mem = { 0 };
	cJSON *tree = json_parse(r->text);
	bool fit = tree && profile_read_tree(tree, &mem, &p) == 0 && profile_query_fits(query, r->evse, &p);
	cJSON_Delete(tree);
	arena_free(&mem);
	return fit;
}

#define OUTER_ID (-1) /* no CSMS gives such a number */

struct found {
	int64_t request_id;
	const char *outer;        /* who else limits the whole; NULL: nobody, or it was not asked for */
	double outer_a;
	size_t n;
	struct slice text[PROFILES_MOST];
	int evse[PROFILES_MOST];
};

static void send_profiles(struct station *s, const struct found *f, const char *source, int evse, const struct slice *some, size_t n, bool more)
{
	struct buf payload = { 0 };
	const struct action *act;
	int err = profile_write_report(s->conf.version, f->request_id, source, evse, more, some, n, &payload, &act);
	if (!err)
		err = wire_ask_text(&s->wire, act, buf_view(&payload), NULL, NULL, NULL);
	if (err)
		log_warn(&s->log, "charging profiles were not reported: %s", err_text(err));
	buf_free(&payload);
}

static void send_outer(struct station *s, const struct found *f)
{
	struct buf text = { 0 };
	profile_write_outer(s->conf.version, OUTER_ID, f->outer_a, clock_wall_us(), &text);
	struct slice one = buf_view(&text);
	send_profiles(s, f, f->outer, 0, &one, 1, false);
	buf_free(&text);
}

static void look_outside(const struct station *s, const struct profile_query *query, struct found *f)
{
	const char *source = NULL;
	double amps = s->events->outer ? s->events->outer(s->arg, &source) : INFINITY;
	if (isinf(amps) || !profile_query_fits_outer(query, 0, OUTER_ID, source))
		return;
	f->outer = source;
	f->outer_a = amps;
}

/* One message for each EVSE that has some, and one for each who set them (2.0.1 K09). */
static void after_list(struct station *s, struct request *q)
{
	const struct found *f = q->what;
	struct slice some[PROFILES_MOST];
	size_t told = 0;
	for (int evse = 0; evse <= s->conf.n_evses; evse++) {
		size_t n = 0;
		for (size_t i = 0; i < f->n; i++) {
			if (f->evse[i] == evse)
				some[n++] = f->text[i];
		}
		told += n;
		if (n)
			send_profiles(s, f, "CSO", evse, some, n, f->outer || told < f->n);
	}
	if (f->outer)
		send_outer(s, f);
}

void schedule_list(struct station *s, struct request *q)
{
	struct found *f = arena_new(&q->mem, sizeof(*f));
	struct profile_query query;
	profile_query_read(q->f, &query);
	f->request_id = query.request_id;
	LIST_WALK(&s->raw_profiles, struct raw_profile, entry, r) {
		if (f->n == PROFILES_MOST || !fits(&query, r))
			continue;
		f->evse[f->n] = r->evse;
		f->text[f->n++] = r->text;
	}
	look_outside(s, &query, f);
	bool some = f->n || f->outer;
	q->what = f;
	q->after = some ? after_list : NULL;
	answer(q, some ? "Accepted" : "NoProfiles");
}
