/* Easy to get wrong: lanes try again all the time, so what is raised for each attempt has to be the same event; and nothing here may be noted before the
 * program that reports it is up, or a start would lose its first events. */
#include "gateway/own/alarm.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/timer.h"
#include "config.h"
#include "gateway/group/group.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/own/identity.h"
#include "storage/kept.h"

#define SAME_US (600 * US_PER_S)
#define RECENT 64
#define LOOK_US (5 * US_PER_S)
#define JUMP_US (20 * US_PER_S) /* of the wall clock, beyond which it was set; smaller ones are corrections */
#define OWNER "box"
#define NAME "version"

struct recent {
	unsigned char print[SHA256_DIGEST_LENGTH];
	int64_t at_us; /* monotonic; 0: free */
};

static struct {
	struct gateway *g;
	struct recent recent[RECENT];
	struct timer look;
	int64_t offset_us; /* of the wall clock over the monotonic one */
} a;

/* What the appendix calls critical, which a fleet wants to hear of first. */
static bool is_critical(const char *type)
{
	static const char *const types[] = { "FirmwareUpdated", "SettingSystemTime", "StartupOfTheDevice", "ResetOrReboot", "SecurityLogWasCleared", "MemoryExhaustion",
		"InvalidCsmsCertificate", "InvalidTLSVersion", "InvalidTLSCipherSuite", "MaintenanceLoginAccepted", "MaintenanceLoginFailed" };
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return false;
}

static bool was_raised(const char *type, const char *info, const char *uplink)
{
	unsigned char print[SHA256_DIGEST_LENGTH];
	struct buf text = { 0 };
	struct recent *oldest = &a.recent[0];
	int64_t now = clock_mono_us();
	buf_printf(&text, "%s\n%s\n%s", type, info, uplink ? uplink : "");
	SHA256((const unsigned char *)text.p, text.n, print);
	buf_free(&text);
	for (size_t i = 0; i < RECENT; i++) {
		if (a.recent[i].at_us && now - a.recent[i].at_us < SAME_US && memcmp(a.recent[i].print, print, sizeof(print)) == 0)
			return true;
		if (a.recent[i].at_us < oldest->at_us)
			oldest = &a.recent[i];
	}
	memcpy(oldest->print, print, sizeof(print));
	oldest->at_us = now ? now : 1;
	return false;
}

static void write_journal(struct gateway *g, const char *type, const char *info, const struct uplink_settings *uplink)
{
	char object[64] = "box";
	struct buf args = { 0 };
	struct json_writer w;
	if (uplink)
		snprintf(object, sizeof(object), "uplink/%s", uplink->id);
	jw_open(&w, &args);
	jw_object(&w, NULL);
	jw_string(&w, "type", type);
	jw_string(&w, "info", info);
	jw_end(&w, '}');
	telemetry_event(g, "security.event", is_critical(type) ? "warning" : "info", object, args.p);
	buf_free(&args);
}

static void tell(struct gateway *g, const char *type, const char *info, const struct uplink_settings *uplink)
{
	for (size_t i = 0; i < g->conf->n_uplinks; i++) {
		const struct uplink_settings *u = &g->conf->uplinks[i];
		if (uplink && strcmp(uplink->id, u->id) != 0)
			continue;
		if (u->own_identity)
			identity_security_event(u->own_identity, type, info);
		else if (u->mode == UPLINK_AGGREGATE)
			group_security_event(group_find(g, u->id), type, info);
	}
}

void alarm_raise(struct gateway *g, const char *type, const char *info, const struct uplink_settings *uplink)
{
	if (!a.g || was_raised(type, info, uplink ? uplink->id : NULL))
		return;
	write_journal(g, type, info, uplink);
	tell(g, type, info, uplink);
}

void alarm_note(struct gateway *g, const char *type, const char *info, const struct uplink_settings *uplink)
{
	if (a.g && !was_raised(type, info, uplink ? uplink->id : NULL))
		write_journal(g, type, info, uplink);
}

/* --- what is looked for --- */

/* A clock that was not known before is set by whoever knows the time, and that is no event. */
static void on_look(void *arg)
{
	char info[80], then[TIME_TEXT], now[TIME_TEXT];
	int64_t offset_us = clock_wall_us() - clock_mono_us(), moved_us = offset_us - a.offset_us;
	(void)arg;
	if (moved_us > JUMP_US || moved_us < -JUMP_US) {
		snprintf(info, sizeof(info), "from %s to %s", time_text(clock_wall_us() - moved_us, then), time_text(clock_wall_us(), now));
		alarm_raise(a.g, "SettingSystemTime", info, NULL);
	}
	a.offset_us = offset_us;
	timer_set(&a.look, LOOK_US, on_look, NULL);
}

/* Another version than at the last start is an update. */
static void look_at_version(struct gateway *g)
{
	struct arena mem = { 0 };
	struct slice before;
	char info[120];
	bool known = kept_get(g->store, OWNER, NAME, &mem, &before) == 0;
	if (known && !slice_is(before, PACKAGE_VERSION)) {
		snprintf(info, sizeof(info), "ampgate %.*s to %s", (int)(before.n < 40 ? before.n : 40), before.p, PACKAGE_VERSION);
		alarm_raise(g, "FirmwareUpdated", info, NULL);
	}
	if ((!known || !slice_is(before, PACKAGE_VERSION)) && kept_put(g->store, OWNER, NAME, SLICE(PACKAGE_VERSION), NULL, NULL) != 0)
		log_debug(NULL, "the version of this start is not kept");
	arena_free(&mem);
}

static void tell_of_start(struct gateway *g)
{
	alarm_note(g, "StartupOfTheDevice", "ampgate " PACKAGE_VERSION, NULL);
	for (size_t i = 0; i < g->conf->n_uplinks; i++)
		if (!g->conf->uplinks[i].own_identity && g->conf->uplinks[i].mode == UPLINK_AGGREGATE)
			group_security_event(group_find(g, g->conf->uplinks[i].id), "StartupOfTheDevice", "ampgate " PACKAGE_VERSION);
}

int alarms_open(struct gateway *g)
{
	a.g = g;
	a.offset_us = clock_wall_us() - clock_mono_us();
	tell_of_start(g);
	look_at_version(g);
	timer_set(&a.look, LOOK_US, on_look, NULL);
	return 0;
}

void alarms_close(void)
{
	timer_cancel(&a.look);
	a.g = NULL;
}
