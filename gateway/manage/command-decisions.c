/* decisions: what was granted and why, looked at afterwards. */
#include <stdio.h>

#include "base/clock.h"
#include "base/zone.h"
#include "gateway/manage/command.h"
#include "gateway/manage/decided.h"

#define MOST 1000
#define PRESET 200

/* "14:03" is the last time that the clock of the site showed it; else a time with its date. */
static int read_moment(const struct command *c, const char *text, int64_t *wall_us_out)
{
	int hours, minutes, used = 0;
	int64_t now_us = clock_wall_us();
	if (sscanf(text, "%2d:%2d%n", &hours, &minutes, &used) == 2 && !text[used] && hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60) {
		int64_t local_us = now_us + zone_offset_us(c->g->zone, now_us), day_us = 86400 * US_PER_S;
		int64_t then_us = local_us / day_us * day_us + (hours * 60 + minutes) * 60 * US_PER_S;
		*wall_us_out = zone_utc_us(c->g->zone, then_us <= local_us ? then_us : then_us - day_us);
		return 0;
	}
	return time_parse(slice_of(text), wall_us_out);
}

int command_decisions(struct command *c)
{
	const char *object = command_text(c, "object"), *at = command_text(c, "at");
	int64_t most = json_int(c->args, "most", PRESET), at_us = 0;
	int evse = object ? command_evse(c->g, object) : -1;
	if (object && evse < 0)
		return command_fail(c, COMMAND_NOT_FOUND, "no balanced EVSE is called '%s'", object);
	if (at && (read_moment(c, at, &at_us) != 0 || at_us > clock_wall_us()))
		return command_fail(c, COMMAND_USAGE, "at is a time that has been, as in 14:03 or 2026-03-02T14:03:00Z");
	if (most < 1 || most > MOST)
		return command_fail(c, COMMAND_USAGE, "most is a number from 1 to %d", MOST);
	jw_array(&c->w, NULL);
	decided_write(c->g, evse, at_us, (size_t)most, &c->w);
	jw_end(&c->w, ']');
	return COMMAND_OK;
}
