/* What outlives a restart: settings that the CSMS changed, availability, reservations, the local list and the cache, charging profiles,
 * monitors, display messages, network profiles, and the number and version of an installation. Each is a small text under a name of its own
 * with the host; what it means is known by the file that it belongs to.
 *
 * A kept text that cannot be read, from another version or a damaged disk, is passed over: a station that has forgotten something is better
 * than one that does not start. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "station/inside.h"

void keep_text(struct station *s, const char *name, struct slice value)
{
	const struct station_host *h = s->conf.host;
	if (h && h->keep && !s->recalling)
		h->keep(s->conf.host_arg, name, value);
}

void keep_number(struct station *s, const char *kind, int64_t number, struct slice value)
{
	char name[64];
	snprintf(name, sizeof(name), "%s.%lld", kind, (long long)number);
	keep_text(s, name, value);
}

static const char *any_name(size_t row)
{
	return keys_name(row, 1) ? keys_name(row, 1) : keys_name(row, 0);
}

void keep_setting(struct station *s, size_t row)
{
	char name[96];
	snprintf(name, sizeof(name), "setting.%s", any_name(row));
	keep_text(s, name, slice_of(keys_text(&s->keys, row)));
}

void keep_availability(struct station *s, int evse, bool operative)
{
	keep_number(s, "unavailable", evse, operative ? (struct slice){ 0 } : SLICE("1"));
}

void keep_reservation(const struct reservation *r)
{
	struct station *s = r->s;
	struct buf text = { 0 };
	struct json_writer w;
	if (r->id >= 0) {
		jw_open(&w, &text);
		jw_object(&w, NULL);
		jw_int(&w, "id", r->id);
		jw_int(&w, "evse", r->evse);
		jw_string(&w, "token", r->token);
		jw_string(&w, "group", r->group);
		jw_time(&w, "until", r->until_us);
		jw_end(&w, '}');
	}
	keep_number(s, "reservation", r - s->reservations, text.p ? buf_view(&text) : (struct slice){ 0 });
	buf_free(&text);
}

void keep_tokens(void *arg, bool list)
{
	struct station *s = arg;
	struct buf text = { 0 };
	if (s->recalling || !s->conf.host || !s->conf.host->keep)
		return;
	authz_write(&s->authz, list, &text);
	keep_text(s, list ? "tokens.list" : "tokens.cache", buf_view(&text));
	buf_free(&text);
}

/* Recalling */

static bool number_of(const char *name, int64_t *out)
{
	const char *dot = strrchr(name, '.');
	return dot && int_parse(slice_of(dot + 1), out) == 0;
}

static void see_setting(void *to, const char *name, struct slice value)
{
	struct station *s = to;
	for (size_t row = 0; row < keys_count(); row++) {
		if (strcmp(any_name(row), name + strlen("setting.")) == 0 && !model_is_fixed(s, row) && keys_set(&s->keys, row, value) == ERR_INVALID)
			log_warn(&s->log, "the kept value of %s is no longer one for it", any_name(row));
	}
}

static void see_unavailable(void *to, const char *name, struct slice value)
{
	struct station *s = to;
	int64_t evse;
	(void)value;
	if (!number_of(name, &evse) || evse < 0 || evse > s->conf.n_evses)
		return;
	if (evse == 0)
		s->inoperative = true;
	else
		s->evses[evse - 1].unavailable = true;
}

static void see_reservation(void *to, const char *name, struct slice value)
{
	struct station *s = to;
	cJSON *tree = json_parse(value);
	struct event cmd;
	int64_t until_us = 0, place;
	bool known = number_of(name, &place) && time_parse(json_text(tree, "until"), &until_us) == 0;
	event_init(&cmd, CMD_RESERVE);
	cmd.reservation = json_int(tree, "id", -1);
	cmd.evse = (int)json_int(tree, "evse", 0);
	cmd.token = json_text(tree, "token");
	cmd.group = json_text(tree, "group");
	cmd.time_us = until_us;
	if (known && until_us > clock_wall_us())
		reserve_make(s, &cmd);
	cJSON_Delete(tree);
}

static void see_profile(void *to, const char *name, struct slice value)
{
	(void)name;
	schedule_recall(to, value);
}

static void see_monitor(void *to, const char *name, struct slice value)
{
	monitors_recall(to, name, value);
}

static void see_message(void *to, const char *name, struct slice value)
{
	(void)name;
	display_recall(to, value);
}

static void see_network(void *to, const char *name, struct slice value)
{
	int64_t slot;
	if (number_of(name, &slot))
		network_recall(to, (int)slot, value);
}

static void see_firmware(void *to, const char *name, struct slice value)
{
	(void)name;
	firmware_recall(to, value);
}

static void see_tokens(void *to, const char *name, struct slice value)
{
	struct station *s = to;
	authz_recall(&s->authz, strcmp(name, "tokens.list") == 0, value);
}

void keep_recall(struct station *s)
{
	static const struct {
		const char *prefix;
		void (*see)(void *to, const char *name, struct slice value);
	} kinds[] = { { "setting.", see_setting }, { "unavailable.", see_unavailable }, { "tokens.", see_tokens }, { "network.", see_network },
		{ "reservation.", see_reservation }, { "profile.", see_profile }, { "monitor.", see_monitor }, { "message.", see_message },
		{ "firmware", see_firmware } };
	const struct station_host *h = s->conf.host;
	s->recalling = true;
	for (size_t i = 0; h && h->recall && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		h->recall(s->conf.host_arg, kinds[i].prefix, kinds[i].see, s);
	s->recalling = false;
	for (int i = 0; h && h->recall && i < s->conf.n_evses; i++)
		keep_reservation(&s->reservations[i]); /* each may have another place now */
}
