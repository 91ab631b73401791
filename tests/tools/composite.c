/* Our composite schedule for profiles and a window, for checks from outside: composite [--lines] VERSION < case.json
 *
 * Prints the answer to GetCompositeSchedule as one line of JSON; for a case with steps one line per step; with --lines of many cases, one a
 * line. Exit: 0, or 2 for an unreadable case. A case, all seconds counted from t0, what is in brackets may be left out:
 *
 *   profiles           list. Short: purpose ("MaxProfile" or OCPP's word), [id], [kind], [stackLevel], [connectorOrEvse], [startOffset],
 *                      [duration], [recurrencyKind], [validFromOffset], [validToOffset], [unit], [minChargingRate],
 *                      [useLocalTime: startOffset counts from where the wall's clock shows t0's digits], [maxOfflineDuration],
 *                      [limitAtSoC: {soc, limit}], periods: [[second, limit, phases, phaseToUse]]. Or as OCPP has them, a profile or a whole SetChargingProfile
 *   requestDuration    [requestOffset] [evse: 1, or 0] [chargingRateUnit: "A"]
 *   [transaction]      runs since [txOffset: 0]; [priority] [soc]; on all EVSEs, or [txEvses: how many of them]
 *   [steps]            each {clear: criteria} or {update: {id, limit, ...}}
 *   the station        [localLimit: 32] A, [phases: 3], [evses: 1], [rateUnits: ["A", "W"]], [zone: "UTC"], [t0: a time],
 *                      [offlineOffset]: the CSMS is away since */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/zone.h"
#include "energy/profile.h"
#include "ocpp/dialect.h"
#include "ocpp/profile-read.h"
#include "ocpp/profile.h"

#define T0 (INT64_C(1767225600) * US_PER_S)
#define EVSES_MOST 32

struct scene {
	enum ocpp_version version;
	const cJSON *tree;
	struct profiles profiles;
	struct profile_tx tx;
	struct zone *zone;
	int64_t t0_us;
	int evses, txs;
	struct arena mem;
};

static int64_t offset_us(const struct scene *s, const cJSON *tree, const char *path, int64_t otherwise_us)
{
	double seconds = json_number(tree, path, NAN);
	return isnan(seconds) ? otherwise_us : s->t0_us + (int64_t)(seconds * US_PER_S);
}

static enum profile_kind kind_of(struct slice word)
{
	if (slice_is(word, "Recurring"))
		return PROFILE_RECURRING;
	if (slice_is(word, "Dynamic"))
		return PROFILE_DYNAMIC;
	return slice_is(word, "Relative") ? PROFILE_RELATIVE : PROFILE_ABSOLUTE;
}

static void read_short_periods(struct scene *s, const cJSON *list, struct charging_profile *out)
{
	const cJSON *item;
	out->periods = arena_new(&s->mem, (size_t)(cJSON_GetArraySize(list) + 1) * sizeof(*out->periods));
	cJSON_ArrayForEach(item, list)
		out->periods[out->n_periods++] = (struct charging_period){ json_int(item, "0", 0), json_number(item, "1", INFINITY), (int)json_int(item, "2", 0), (int)json_int(item, "3", 0), NULL };
}

static int read_short(struct scene *s, const cJSON *item, struct charging_profile *out)
{
	struct slice purpose = json_text(item, "purpose");
	*out = (struct charging_profile){
		.id = json_int(item, "id", -1),
		.stack_level = (int)json_int(item, "stackLevel", 0),
		.purpose = slice_is(purpose, "MaxProfile") ? PURPOSE_STATION_MAX : profile_purpose(purpose),
		.kind = kind_of(json_text(item, "kind")),
		.cycle_s = slice_is(json_text(item, "recurrencyKind"), "Weekly") ? 7 * 86400 : 86400,
		.valid_from_us = offset_us(s, item, "validFromOffset", 0),
		.valid_to_us = offset_us(s, item, "validToOffset", 0),
		.duration_s = json_int(item, "duration", 0),
		.local_time = json_bool(item, "useLocalTime", false),
		.watts = slice_is(json_text(item, "unit"), "W"),
		.min_rate = json_number(item, "minChargingRate", 0),
		.soc_percent = json_number(item, "limitAtSoC.soc", 0),
		.soc_limit = json_number(item, "limitAtSoC.limit", INFINITY),
		.offline_most_s = json_int(item, "maxOfflineDuration", 0),
	};
	if (out->kind != PROFILE_RELATIVE)
		out->start_us = offset_us(s, item, "startOffset", s->t0_us);
	read_short_periods(s, json_at(item, "periods"), out);
	return out->purpose != PURPOSE_NONE && out->n_periods ? 0 : ERR_INVALID;
}

static int read_profile(struct scene *s, const cJSON *item, struct charging_profile *out)
{
	const cJSON *inner = json_at(item, s->version == OCPP16 ? "csChargingProfiles" : "chargingProfile");
	if (!inner && !json_at(item, "chargingProfilePurpose"))
		return read_short(s, item, out);
	return profile_read_tree(inner ? inner : item, &s->mem, out);
}

static int install(struct scene *s, const cJSON *item)
{
	struct charging_profile profile;
	int64_t otherwise = json_int(item, "connectorId", json_int(item, "evseId", -1));
	int err = read_profile(s, item, &profile);
	if (otherwise < 0)
		otherwise = profile.purpose == PURPOSE_STATION_MAX ? 0 : 1;
	if (!err)
		err = profiles_set(&s->profiles, (int)json_int(item, "connectorOrEvse", otherwise), &profile, &s->tx, s->t0_us);
	if (err)
		fprintf(stderr, "profile %d is not installed: %s\n", (int)profile.id, err_text(err));
	return err == ERR_INVALID ? err : 0;
}

static bool unit_is_known(const struct scene *s, struct slice unit)
{
	const cJSON *units = json_at(s->tree, "rateUnits"), *one;
	if (!units)
		return slice_is(unit, "A") || slice_is(unit, "W");
	cJSON_ArrayForEach(one, units)
		if (cJSON_IsString(one) && slice_is(unit, one->valuestring))
			return true;
	return false;
}

static void answer(struct scene *s, struct buf *out)
{
	struct charging_period periods[PROFILE_PERIODS_MOST];
	struct profile_tx txs[EVSES_MOST];
	struct slice unit = json_text(s->tree, "chargingRateUnit");
	struct schedule_ask ask = { .evse = (int)json_int(s->tree, "evse", 1), .duration_s = json_int(s->tree, "requestDuration", 0) };
	int64_t now_us = offset_us(s, s->tree, "requestOffset", s->t0_us);
	if (ask.evse < 0 || ask.evse > s->evses || (unit.p && !unit_is_known(s, unit))) {
		buf_puts(out, "{\"status\":\"Rejected\"}");
		return;
	}
	ask.watts = slice_is(unit, "W");
	for (int i = 0; i < s->evses; i++)
		txs[i] = i < s->txs ? s->tx : (struct profile_tx){ .start_us = now_us };
	ask.mem = &s->mem;
	size_t n = profiles_composite(&s->profiles, &ask, txs, s->evses, json_number(s->tree, "localLimit", 32), now_us, periods, PROFILE_PERIODS_MOST);
	schedule_write_answer(s->version, &ask, now_us, periods, n, out);
}

static void clear(struct scene *s, const cJSON *criteria)
{
	struct profile_filter f = {
		.id = json_int(criteria, "id", -1),
		.evse = (int)json_int(criteria, "connectorOrEvse", json_int(criteria, "connectorId", json_int(criteria, "evseId", -1))),
		.stack_level = (int)json_int(criteria, "stackLevel", -1),
		.purpose = profile_purpose(json_text(criteria, "chargingProfilePurpose")),
	};
	profiles_clear(&s->profiles, &f);
}

static void step(struct scene *s, const cJSON *what)
{
	const cJSON *update = json_at(what, "update"), *criteria = json_at(what, "clear");
	int64_t now_us = offset_us(s, s->tree, "requestOffset", s->t0_us);
	if (criteria)
		clear(s, criteria);
	struct charging_v2x to;
	if (update && (v2x_read(update, &to) == 0 || profiles_update(&s->profiles, json_int(update, "id", -1), &to, now_us) != 0))
		fprintf(stderr, "no such dynamic profile\n");
}

static void print(struct scene *s)
{
	struct buf out = { 0 };
	answer(s, &out);
	puts(out.p);
	buf_free(&out);
}

static int play(struct scene *s)
{
	const cJSON *profiles = json_at(s->tree, "profiles"), *steps = json_at(s->tree, "steps"), *item;
	int err = 0;
	cJSON_ArrayForEach(item, profiles)
		err = err ? err : install(s, item);
	if (err)
		return 2;
	if (!steps)
		print(s);
	cJSON_ArrayForEach(item, steps) {
		step(s, item);
		print(s);
	}
	return 0;
}

static bool set_scene(struct scene *s)
{
	struct slice t0 = json_text(s->tree, "t0");
	s->t0_us = T0;
	if (t0.p && time_parse(t0, &s->t0_us) != 0)
		return false;
	s->evses = (int)json_int(s->tree, "evses", 1);
	profiles_open(&s->profiles, (int)json_int(s->tree, "phases", 3));
	s->profiles.purposes = ~0u;
	s->profiles.defaults_stack = dialect_of(s->version)->defaults_stack;
	s->profiles.zone = s->zone = zone_open(arena_text(&s->mem, json_text(s->tree, "zone")));
	if (json_at(s->tree, "offlineOffset"))
		profiles_offline(&s->profiles, offset_us(s, s->tree, "offlineOffset", 0));
	s->tx.running = json_bool(s->tree, "transaction", false);
	s->txs = s->tx.running ? (int)json_int(s->tree, "txEvses", s->evses) : 0;
	s->tx.soc_percent = json_number(s->tree, "soc", 0);
	s->tx.priority = json_bool(s->tree, "priority", false);
	s->tx.start_us = s->tx.running ? offset_us(s, s->tree, "txOffset", s->t0_us) : 0;
	return cJSON_IsObject(s->tree) && s->evses >= 1 && s->evses <= EVSES_MOST && s->profiles.phases >= 1 && s->profiles.phases <= 3;
}

static bool read_version(const char *text, enum ocpp_version *out)
{
	static const char *const names[OCPP_VERSIONS] = { "1.6", "2.0.1", "2.1" };
	for (int v = 0; v < OCPP_VERSIONS; v++) {
		if (strcmp(text, names[v]) == 0) {
			*out = (enum ocpp_version)v;
			return true;
		}
	}
	return false;
}

/* 0, or 2 for a case that cannot be read. */
static int judge(enum ocpp_version version, struct slice text)
{
	struct scene s = { .version = version };
	cJSON *tree = json_parse(text);
	s.tree = tree;
	int code = 2;
	if (tree && set_scene(&s)) {
		code = play(&s);
		profiles_close(&s.profiles);
	} else {
		fprintf(stderr, "the case cannot be read\n");
	}
	zone_close(&s.zone);
	cJSON_Delete(tree);
	arena_free(&s.mem);
	return code;
}

static int judge_lines(enum ocpp_version version, struct slice text)
{
	int code = 0;
	while (text.n && !code) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;
		code = judge(version, (struct slice){ text.p, n });
		n += end != NULL;
		text = (struct slice){ text.p + n, text.n - n };
	}
	return code;
}

int main(int argc, char **argv)
{
	enum ocpp_version version;
	struct buf text = { 0 };
	size_t got;
	bool lines = argc == 3 && strcmp(argv[1], "--lines") == 0;
	if (argc != 2 + lines || !read_version(argv[1 + lines], &version)) {
		fprintf(stderr, "usage: composite [--lines] 1.6|2.0.1|2.1 < case.json\n");
		return 2;
	}
	while ((got = fread(buf_room(&text, 65536), 1, 65536, stdin)) > 0)
		text.n += got;
	int code = (lines ? judge_lines : judge)(version, buf_view(&text));
	buf_free(&text);
	return code;
}
