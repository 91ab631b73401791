/* The device model: the rows of keys.c in their places, with the values they have now. GetVariables, SetVariables and the two reports; in
 * 1.6 the same rows are configuration keys.
 *
 * Easy to get wrong: a component is only there in its place. EVSE without a number is not a component of the station, and a variable of the
 * station asked for at an EVSE is an unknown component, not an unknown variable. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ocpp/codec.h"
#include "ocpp/settings.h"
#include "station/commands.h"
#include "station/inside.h"

#define REPORT_ITEMS 16 /* settings in one NotifyReport */

/* Values */

static const char *state_word(enum evse_state state)
{
	static const char *const words[EVSE_STATES] = { [EVSE_AVAILABLE] = "Available", [EVSE_OCCUPIED] = "Occupied", [EVSE_RESERVED] = "Reserved",
		[EVSE_UNAVAILABLE] = "Unavailable", [EVSE_FAULTED] = "Faulted" };
	return words[state] ? words[state] : "Occupied";
}

static const char *bool_word(bool yes)
{
	return yes ? "true" : "false";
}

static const char *number(struct arena *mem, double value)
{
	return isfinite(value) ? arena_printf(mem, "%.1f", value) : "";
}

static double current_of(const struct evse *e)
{
	double sum = 0;
	for (int i = 0; i < e->s->conf.phases; i++)
		sum += e->con.in.i_a[i];
	return sum / e->s->conf.phases;
}

static double power_of(const struct evse *e)
{
	double sum = 0;
	for (int i = 0; i < e->s->conf.phases; i++)
		sum += e->con.in.i_a[i] * (isfinite(e->con.in.v[i]) ? e->con.in.v[i] : PROFILES_VOLTAGE);
	return sum;
}

static const char *count(struct arena *mem, size_t n)
{
	return arena_printf(mem, "%zu", n);
}

static bool any_fault(const struct station *s)
{
	for (int i = 0; i < s->conf.n_evses; i++) {
		if (s->evses[i].con.in.fault)
			return true;
	}
	return false;
}

static const char *clock_text(struct arena *mem)
{
	return time_text(clock_wall_us(), arena_new(mem, TIME_TEXT));
}

/* "STR", and "Sxx" of one phase (2.x appendix, PhaseRotation); "" is for what is not known. */
static const char *rotation_of(const struct evse *e, struct arena *mem)
{
	int n = e->s->conf.phases;
	return e->s->conf.rotations ? arena_printf(mem, "%.*s%.*s", n, e->s->conf.rotations[e->con.evse - 1], 3 - n, "xx") : "";
}

static const char *live_of_evse(const struct evse *e, size_t row, struct arena *mem)
{
	switch (row) {
	case KEY_EVSE_STATE:
	case KEY_CONNECTOR_STATE:
		return state_word(evse_told_state(e));
	case KEY_EVSE_PROBLEM:
	case KEY_CONNECTOR_PROBLEM:
		return bool_word(e->con.in.fault != NULL);
	case KEY_LOCK_PROBLEM:
		return bool_word(e->con.in.fault && strcmp(e->con.in.fault, "ConnectorLockFailure") == 0);
	case KEY_EVSE_POWER:
		return number(mem, power_of(e));
	case KEY_EVSE_CURRENT:
		return number(mem, current_of(e));
	case KEY_EVSE_ROTATION:
		return rotation_of(e, mem);
	default:
		return count(mem, (size_t)e->s->conf.phases);
	}
}

static const char *live(struct station *s, size_t row, struct arena *mem)
{
	switch (row) {
	case KEY_CLOCK:
		return clock_text(mem);
	case KEY_LIST_ENTRIES:
		return count(mem, s->authz.listed);
	case KEY_CERTIFICATE_ENTRIES:
		return count(mem, security_count(s));
	case KEY_DISPLAY_ENTRIES:
		return count(mem, s->display.count);
	case KEY_PROFILE_ENTRIES:
		return count(mem, s->profiles.count);
	case KEY_ACTIVE_BASE:
		return s->monitors.base;
	case KEY_ACTIVE_LEVEL:
		return count(mem, (size_t)s->monitors.level);
	case KEY_ACTIVE_NETWORK:
		return count(mem, (size_t)s->networks.active);
	case KEY_CONTROLLER_MEMBERS:
		return s->events->members ? s->events->members(s->arg, mem) : "";
	case KEY_STATION_STATE:
		return s->inoperative ? "Unavailable" : "Available";
	default:
		return bool_word(any_fault(s));
	}
}

static struct setting_kind *power_kind(const struct station *s, const struct setting_kind *plain, struct arena *mem)
{
	struct setting_kind *k = arena_new(mem, sizeof(*k));
	*k = *plain;
	k->max = (int64_t)(s->conf.max_ma / 1000.0 * PROFILES_VOLTAGE * s->conf.phases);
	return k;
}

/* Only a local controller reports limits. Others must have the variable all the same, and do not let it be set. Nor is a wiring that is known. */
bool model_is_fixed(const struct station *s, size_t row)
{
	return (row == KEY_LIMIT_SIGNIFICANCE && s->conf.n_evses) || (row == KEY_ROTATION_16 && s->conf.rotations);
}

static const struct setting_kind *kind_of(const struct station *s, size_t row, struct arena *mem)
{
	if (row == KEY_EVSE_POWER)
		return power_kind(s, keys_kind(row), mem);
	if (!model_is_fixed(s, row))
		return keys_kind(row);
	struct setting_kind *k = arena_new(mem, sizeof(*k));
	*k = *keys_kind(row);
	k->access = ACCESS_READ;
	return k;
}

static void show(struct station *s, size_t row, struct setting *out, struct arena *mem)
{
	const struct evse *e = station_evse(s, out->evse);
	bool counted = row == KEY_PROFILE_ENTRIES && s->dialect->names == 1;
	out->kind = kind_of(s, row, mem);
	if (!keys_is_live(row) && !counted)
		out->value = slice_of(keys_text(&s->keys, row));
	else
		out->value = slice_of(e ? live_of_evse(e, row, mem) : live(s, row, mem));
}

/* Finding */

/* A local controller is known by having no component ChargingStation (2.x Part 1, 6). */
static bool is_its_own(const struct station *s, size_t row)
{
	const char *name = keys_name(row, 1);
	const char *other = s->conf.n_evses ? "LocalController." : "ChargingStation.";
	if (s->conf.n_evses && row == KEY_LIMIT_SCHEDULES)
		return false;
	return !name || strncmp(name, other, strlen(other)) != 0;
}

static bool in_place(const struct station *s, size_t row, const struct setting *at)
{
	switch (keys_place(row)) {
	case PLACE_STATION:
		return at->evse == 0 && at->connector == 0 && is_its_own(s, row);
	case PLACE_EVSE:
		return at->evse >= 1 && at->evse <= s->conf.n_evses && at->connector == 0;
	default:
		return at->evse >= 1 && at->evse <= s->conf.n_evses && at->connector == 1;
	}
}

static bool has_component(const struct station *s, const struct setting *asked)
{
	const char *dot = memchr(asked->name.p, '.', asked->name.n);
	size_t n = dot ? (size_t)(dot - asked->name.p) : asked->name.n;
	for (size_t row = 0; row < keys_count(); row++) {
		const char *name = keys_name(row, s->dialect->names);
		if (name && strncasecmp(name, asked->name.p, n) == 0 && (name[n] == '.' || !name[n]) && in_place(s, row, asked))
			return true;
	}
	return false;
}

int model_find(struct station *s, struct setting *asked)
{
	if (asked->result != SETTING_OK)
		return ERR_NOT_FOUND;
	int row = keys_find(s->dialect->names, asked->name);
	if (row >= 0 && in_place(s, (size_t)row, asked))
		return row;
	asked->result = has_component(s, asked) ? SETTING_UNKNOWN : SETTING_NO_COMPONENT;
	return ERR_NOT_FOUND;
}

void model_show(struct station *s, struct setting *out, struct arena *mem)
{
	int row = model_find(s, out);
	if (row >= 0)
		show(s, (size_t)row, out, mem);
}

/* GetVariables, GetConfiguration */

static void get_setting(struct station *s, struct setting *asked, struct arena *mem)
{
	int row = model_find(s, asked);
	if (row < 0)
		return;
	show(s, (size_t)row, asked, mem);
	if (asked->kind->access == ACCESS_WRITE && s->dialect->names == 1)
		asked->result = SETTING_REFUSED;
}

/* SetVariables, ChangeConfiguration */

static int apply(struct station *s, size_t row, struct slice value)
{
	int err = model_is_fixed(s, row) ? ERR_REFUSED : keys_check(row, value);
	if (!err && row == KEY_PASSWORD)
		err = security_set_password(s, value);
	if (!err && row == KEY_NETWORK_PRIORITY)
		err = network_check(s, value);
	if (!err && row != KEY_PASSWORD)
		err = keys_set(&s->keys, row, value);
	if (!err && row != KEY_PASSWORD)
		keep_setting(s, row);
	return err;
}

static void set_setting(struct station *s, struct setting *asked, struct arena *mem)
{
	int row = model_find(s, asked);
	if (row < 0)
		return;
	if (apply(s, (size_t)row, asked->value) != 0)
		asked->result = SETTING_REFUSED;
	show(s, (size_t)row, asked, mem);
}

static void after_settings(struct station *s, struct request *q)
{
	(void)q;
	model_changed(s);
}

/* All that hangs on settings looks at them again. */
void model_changed(struct station *s)
{
	for (int i = 0; i < s->n_txns; i++) {
		s->txns[i].attempts = keys_int(&s->keys, KEY_ATTEMPTS);
		s->txns[i].retry_us = keys_int(&s->keys, KEY_RETRY_INTERVAL) * US_PER_S;
	}
	s->authz.list_off = !keys_bool(&s->keys, KEY_LIST_ENABLED);
	s->authz.cache_off = !keys_bool(&s->keys, KEY_CACHE_ENABLED);
	s->authz.lifetime_us = keys_int(&s->keys, KEY_CACHE_LIFETIME) * US_PER_S;
	station_heartbeat_changed(s);
	meters_aligned_changed(s);
	display_settle(s);
	monitors_look(s);
	for (int i = 0; i < s->conf.n_evses; i++)
		meters_tx_changed(&s->evses[i]);
}

/* Every row that has a name here, in each of its places. */
static size_t all_settings(struct station *s, struct arena *mem, struct setting **out)
{
	size_t n = 0, places = (size_t)s->conf.n_evses;
	*out = arena_new(mem, keys_count() * (places + 1) * sizeof(**out));
	for (size_t row = 0; row < keys_count(); row++) {
		const char *name = keys_name(row, s->dialect->names);
		size_t times = keys_place(row) == PLACE_STATION ? 1 : places;
		for (size_t i = 0; name && is_its_own(s, row) && i < times; i++) {
			struct setting *one = &(*out)[n++];
			one->name = slice_of(name);
			one->evse = keys_place(row) == PLACE_STATION ? 0 : (int)i + 1;
			one->connector = keys_place(row) == PLACE_CONNECTOR;
			show(s, row, one, mem);
		}
	}
	return n;
}

static void settings_answer(struct station *s, struct request *q, void (*one)(struct station *, struct setting *, struct arena *))
{
	struct setting *asked;
	size_t n;
	int err = settings_read(q->f, &q->mem, &asked, &n);
	if (err) {
		q->error = err == ERR_TOO_LARGE ? s->dialect->too_many : "PropertyConstraintViolation";
		return;
	}
	for (size_t i = 0; i < n; i++)
		one(s, &asked[i], &q->mem);
	if (!n)
		n = all_settings(s, &q->mem, &asked);
	settings_write_answer(q->f, asked, n, &q->payload);
}

void model_get(struct station *s, struct request *q)
{
	settings_answer(s, q, get_setting);
}

void model_set(struct station *s, struct request *q)
{
	settings_answer(s, q, set_setting);
	q->after = after_settings;
}

/* Reports */

struct picked {
	struct setting *some;
	size_t n;
};

static void after_report(struct station *s, struct request *q)
{
	const struct picked *p = q->what;
	const struct action *act;
	struct buf payload = { 0 };
	for (size_t at = 0, seq = 0; at < p->n; at += REPORT_ITEMS, seq++) {
		size_t some = p->n - at < REPORT_ITEMS ? p->n - at : REPORT_ITEMS;
		buf_reset(&payload);
		int err = settings_write_report(s->conf.version, q->number, (int64_t)seq, at + some < p->n, clock_wall_us(), p->some + at, some,
		                                &payload, &act);
		if (!err)
			err = wire_ask_text(&s->wire, act, buf_view(&payload), NULL, NULL, NULL);
		if (err)
			log_warn(&s->log, "a part of the report was not sent: %s", err_text(err));
	}
	buf_free(&payload);
}

static void report(struct station *s, struct request *q, bool (*wanted)(struct station *, const struct setting *, const void *), const void *how)
{
	struct picked *p = arena_new(&q->mem, sizeof(*p));
	size_t n = all_settings(s, &q->mem, &p->some);
	for (size_t i = 0; i < n; i++) {
		if (wanted(s, &p->some[i], how))
			p->some[p->n++] = p->some[i];
	}
	q->what = p;
	q->after = p->n ? after_report : NULL;
	answer(q, p->n ? "Accepted" : "EmptyResultSet");
}

static bool ends_with(struct slice name, const char *end)
{
	size_t n = strlen(end);
	return name.n > n && memcmp(name.p + name.n - n, end, n) == 0;
}

static bool in_base(struct station *s, const struct setting *one, const void *base)
{
	(void)s;
	if (strcmp(base, "ConfigurationInventory") == 0)
		return one->kind->access != ACCESS_READ;
	if (strcmp(base, "SummaryInventory") == 0)
		return ends_with(one->name, ".AvailabilityState") || ends_with(one->name, ".Problem") || ends_with(one->name, ".Available");
	return true;
}

void model_report_base(struct station *s, struct request *q)
{
	const char *base = arena_text(&q->mem, q->e.word.p ? q->e.word : SLICE(""));
	bool known = strcmp(base, "ConfigurationInventory") == 0 || strcmp(base, "SummaryInventory") == 0 || strcmp(base, "FullInventory") == 0;
	q->number = q->e.request_id;
	if (known)
		report(s, q, in_base, base);
	else
		answer(q, "NotSupported");
}

/* The value of another variable of the same component in the same place; `otherwise` where there is none. */
static bool beside_is(struct station *s, const struct setting *one, const char *variable, bool otherwise)
{
	struct arena mem = { 0 };
	const char *dot = memchr(one->name.p, '.', one->name.n);
	struct setting other = { .evse = one->evse, .connector = one->connector };
	other.name = slice_of(arena_printf(&mem, "%.*s.%s", (int)(dot - one->name.p), one->name.p, variable));
	model_show(s, &other, &mem);
	bool is = other.result == SETTING_OK ? slice_is(other.value, "true") : otherwise;
	arena_free(&mem);
	return is;
}

/* The criteria are alternatives; a component that does not have the variable counts as active, available and enabled (B08.FR.07 to 13). */
static bool meets(struct station *s, const struct setting *one, unsigned criteria)
{
	return !criteria || (criteria & CRITERION_ACTIVE && beside_is(s, one, "Active", true)) ||
	       (criteria & CRITERION_AVAILABLE && beside_is(s, one, "Available", true)) ||
	       (criteria & CRITERION_ENABLED && beside_is(s, one, "Enabled", true)) ||
	       (criteria & CRITERION_PROBLEM && beside_is(s, one, "Problem", false));
}

static bool in_report(struct station *s, const struct setting *one, const void *how)
{
	const struct report_ask *ask = how;
	return report_ask_names(ask, one) && meets(s, one, ask->criteria);
}

void model_report(struct station *s, struct request *q)
{
	struct report_ask *ask = arena_new(&q->mem, sizeof(*ask));
	report_ask_read(q->f, ask);
	q->number = ask->request_id;
	report(s, q, in_report, ask);
}
