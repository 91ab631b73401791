/* log.level: more or fewer lines from one part of the program or about one object, for a time that always ends: debugging that was forgotten fills a
 * disk. */
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "gateway/manage/command.h"

#define FOR_MOST_US (24 * 3600 * US_PER_S)
#define FOR_US (10 * 60 * US_PER_S)

static void write_part(void *arg, const char *part, enum log_level level, int64_t until_us)
{
	struct json_writer *w = arg;
	jw_object(w, NULL);
	jw_string(w, "component", part);
	jw_string(w, "level", log_level_text(level));
	jw_time(w, "until", clock_wall_us() + (until_us - clock_mono_us()));
	jw_end(w, '}');
}

static int show(struct command *c)
{
	jw_array(&c->w, NULL);
	log_parts(write_part, &c->w);
	jw_end(&c->w, ']');
	return COMMAND_OK;
}

int run_log_level(struct command *c)
{
	const char *part = command_text(c, "component"), *word = command_text(c, "level"), *duration = command_text(c, "for");
	int64_t for_us = FOR_US;
	if (!word && !part)
		return show(c);
	int level = word && strcmp(word, "default") != 0 ? log_level_parse(word) : word ? LVL_INFO : ERR_INVALID;
	if (!part || level < 0)
		return command_fail(c, COMMAND_USAGE, "component is missing, or level is none of error, warning, info, debug, default");
	if (duration && (conf_duration(duration, &for_us) != 0 || for_us <= 0 || for_us > FOR_MOST_US))
		return command_fail(c, COMMAND_USAGE, "for is no duration up to 24h");
	int err = log_part(part, (enum log_level)level, strcmp(word, "default") == 0 ? 0 : clock_mono_us() + for_us);
	if (err == ERR_NOT_FOUND)
		return command_fail(c, COMMAND_NOT_FOUND, "nothing that logs is called '%s': a folder (session), a file (uplink) or an object (station=G-07)", part);
	if (err)
		return command_fail(c, COMMAND_FAILED, "no more than %d of these at a time", LOG_PARTS);
	log_info(NULL, "%s logs %s: asked for by %s", part, word, c->user);
	return show(c);
}
