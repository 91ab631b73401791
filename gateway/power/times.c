/* Every rule has up to three caps, for the three kinds of limit it may set. What holds is looked at before each cycle, so that a rule is in
 * force in the second it begins. While the clock is not trusted, schedules hold, whatever it shows: they may be a promise to somebody, and a
 * box without the time must not break it. Tariffs only cost money, so they do not. */
#include "gateway/power/times.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/zone.h"
#include "energy/tariff.h"

#define SENT_MOST 400  /* four days of quarter hours */
#define LAST_US (3600 * US_PER_S)

struct rule {
	const char *reason, *id;
	int node;
	int32_t limit_ma;          /* 0: none */
	int64_t charging_w, import_w; /* -1: none */
	const struct schedule_settings *schedule; /* or a tariff: */
	const struct tariff_settings *tariff;
	struct tariff_price *of_day, *sent;
	size_t n_sent;
	int64_t sent_end_us;
	double price;
	bool holds;
	int caps[3];
};

static struct {
	struct gateway *gw;
	struct rule *rules;
	size_t n;
} state;

/* --- caps --- */

static void put(struct rule *r, int which, struct milliamps line, int64_t power_w, bool devices, bool surplus)
{
	struct cap_conf cap = { .node = r->node, .evse = -1, .line = line, .power_w = power_w, .devices = devices, .surplus = surplus,
				.reason = r->reason, .owner = r->id, .until_us = INT64_MAX };
	int id = control_cap_put(state.gw->control, 0, &cap);
	if (id < 0)
		log_error(NULL, "the limit of %s '%s' cannot be set: %s", r->reason, r->id, err_text(id));
	else
		r->caps[which] = id;
}

static void begin(struct rule *r)
{
	static const struct milliamps none = { { MA_NONE, MA_NONE, MA_NONE } };
	if (r->limit_ma)
		put(r, 0, (struct milliamps){ { r->limit_ma, r->limit_ma, r->limit_ma } }, -1, false, false);
	if (r->charging_w >= 0)
		put(r, 1, none, r->charging_w, true, false);
	if (r->import_w >= 0)
		put(r, 2, none, r->import_w, false, true);
}

static void end(struct rule *r)
{
	for (int i = 0; i < 3; i++) {
		if (r->caps[i])
			control_cap_clear(state.gw->control, r->caps[i]);
		r->caps[i] = 0;
	}
}

static void set(struct rule *r, bool holds)
{
	if (r->holds == holds)
		return;
	r->holds = holds;
	log_info(NULL, "%s '%s' %s", r->reason, r->id, holds ? "begins" : "ends");
	if (holds)
		begin(r);
	else
		end(r);
}

/* --- what holds --- */

static double price_now(const struct rule *r, int64_t wall_us, int64_t local_us)
{
	double sent = tariff_at(r->sent, r->n_sent, r->sent_end_us, wall_us);
	return isnan(sent) ? tariff_of_day(r->of_day, r->tariff->n_prices, local_us) : sent;
}

void times_step(void)
{
	if (!state.gw)
		return;
	int64_t wall_us = clock_wall_us(), local_us = wall_us + zone_offset_us(state.gw->zone, wall_us);
	for (size_t i = 0; i < state.n; i++) {
		struct rule *r = &state.rules[i];
		if (r->schedule) {
			set(r, !clock_trusted() || tariff_span(r->schedule->days, r->schedule->from_min, r->schedule->to_min, local_us, NULL));
			continue;
		}
		r->price = clock_trusted() ? price_now(r, wall_us, local_us) : NAN;
		set(r, r->price > r->tariff->above);
	}
}

/* --- start and stop --- */

static void add_schedule(const struct schedule_settings *s)
{
	state.rules[state.n++] = (struct rule){ .reason = "schedule", .id = s->id, .node = (int)(s->circuit - state.gw->conf->circuits),
		.limit_ma = s->limit_ma, .charging_w = s->charging_w, .import_w = s->import_w, .schedule = s };
}

static void add_tariff(const struct tariff_settings *t)
{
	struct rule *r = &state.rules[state.n++];
	*r = (struct rule){ .reason = "tariff", .id = t->id, .node = (int)(t->circuit - state.gw->conf->circuits), .limit_ma = t->limit_ma,
		.charging_w = t->charging_w, .import_w = t->import_w, .tariff = t, .price = NAN };
	r->of_day = mem_new((t->n_prices + 1) * sizeof(*r->of_day));
	r->sent = mem_new(SENT_MOST * sizeof(*r->sent));
	for (size_t i = 0; i < t->n_prices; i++)
		r->of_day[i] = (struct tariff_price){ t->prices[i].from_min, t->prices[i].price };
}

int times_open(struct gateway *g)
{
	const struct settings *c = g->conf;
	state.gw = g;
	state.rules = mem_new((c->n_schedules + c->n_tariffs + 1) * sizeof(*state.rules));
	state.n = 0;
	for (size_t i = 0; i < c->n_schedules; i++)
		add_schedule(&c->schedules[i]);
	for (size_t i = 0; i < c->n_tariffs; i++)
		add_tariff(&c->tariffs[i]);
	times_step();
	return 0;
}

static struct rule *tariff_named(const char *id)
{
	for (size_t i = 0; i < state.n; i++)
		if (state.rules[i].tariff && strcmp(state.rules[i].id, id) == 0)
			return &state.rules[i];
	return NULL;
}

static void drop_rules(struct rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		mem_free(rules[i].of_day);
		mem_free(rules[i].sent);
	}
	mem_free(rules);
}

void times_close(void)
{
	drop_rules(state.rules, state.n);
	memset(&state, 0, sizeof(state));
}

void times_change(struct gateway *g)
{
	struct rule *old = state.rules;
	size_t n = state.n;
	for (size_t i = 0; i < n; i++)
		end(&old[i]);
	if (times_open(g) != 0)
		state.n = 0;
	for (size_t i = 0; i < n; i++) {
		struct rule *same = old[i].tariff ? tariff_named(old[i].id) : NULL;
		if (!same)
			continue;
		memcpy(same->sent, old[i].sent, old[i].n_sent * sizeof(*old[i].sent));
		same->n_sent = old[i].n_sent;
		same->sent_end_us = old[i].sent_end_us;
	}
	drop_rules(old, n);
	times_step();
}

/* --- prices that are sent --- */

static int read_price(const cJSON *item, int64_t after_us, struct tariff_price *out)
{
	struct slice start = json_text(item, "start");
	const cJSON *price = cJSON_GetObjectItemCaseSensitive(item, "price");
	if (!start.p || time_parse(start, &out->from) != 0 || !cJSON_IsNumber(price) || out->from <= after_us)
		return ERR_INVALID;
	out->price = price->valuedouble;
	return 0;
}

int times_prices(const char *tariff, const cJSON *prices, const char *end, char *why, size_t room)
{
	struct rule *r = tariff_named(tariff);
	struct tariff_price read[SENT_MOST];
	const cJSON *item;
	int64_t end_us = 0;
	size_t n = 0;
	if (!r)
		return ERR_NOT_FOUND;
	if (!cJSON_IsArray(prices) || cJSON_GetArraySize(prices) > SENT_MOST) {
		snprintf(why, room, "prices is a list of at most %d", SENT_MOST);
		return ERR_INVALID;
	}
	cJSON_ArrayForEach(item, prices) {
		if (read_price(item, n ? read[n - 1].from : INT64_MIN, &read[n]) != 0) {
			snprintf(why, room, "price %zu needs a start later than the one before it, and a price", n + 1);
			return ERR_INVALID;
		}
		n++;
	}
	if (end && time_parse(slice_of(end), &end_us) != 0) {
		snprintf(why, room, "end is no time");
		return ERR_INVALID;
	}
	memcpy(r->sent, read, n * sizeof(*read));
	r->n_sent = n;
	r->sent_end_us = end ? end_us : n ? read[n - 1].from + LAST_US : 0;
	times_step();
	return 0;
}

/* --- views --- */

static void write_rule(const struct rule *r, struct json_writer *w)
{
	jw_object(w, NULL);
	jw_string(w, "id", r->id);
	jw_string(w, "circuit", state.gw->conf->circuits[r->node].id);
	jw_bool(w, "holds", r->holds);
	if (r->tariff) {
		jw_number(w, "price", r->price, 4);
		jw_number(w, "above", r->tariff->above, 4);
		jw_int(w, "sent", (int64_t)r->n_sent);
	}
	if (r->limit_ma)
		jw_number(w, "limit_a", r->limit_ma / 1000.0, 1);
	if (r->charging_w >= 0)
		jw_int(w, "charging_w", r->charging_w);
	if (r->import_w >= 0)
		jw_int(w, "import_w", r->import_w);
	jw_end(w, '}');
}

static void write_rules(struct json_writer *w, const char *key, bool tariffs)
{
	jw_array(w, key);
	for (size_t i = 0; i < state.n; i++)
		if ((state.rules[i].tariff != NULL) == tariffs)
			write_rule(&state.rules[i], w);
	jw_end(w, ']');
}

void times_view(struct json_writer *w)
{
	write_rules(w, "schedules", false);
	write_rules(w, "tariffs", true);
}
