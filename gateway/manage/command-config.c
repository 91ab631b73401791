/* Verbs about the configuration: what is in force and where each key comes from, what a change would do, changes with a way back, history. */
#include <errno.h>
#include <openssl/sha.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/file.h"
#include "gateway/conf/configuration.h"
#include "gateway/conf/generation.h"
#include "gateway/conf/managed.h"
#include "gateway/conf/settings.h"
#include "gateway/manage/command.h"

#define CONFIRM_US (120 * US_PER_S)
#define CONFIRM_MOST_US (3600 * US_PER_S)

static int answer_text(struct command *c, const char *key, const struct buf *text)
{
	jw_object(&c->w, NULL);
	jw_text(&c->w, key, text->p ? buf_view(text) : SLICE(""));
	jw_end(&c->w, '}');
	return COMMAND_OK;
}

/* A refusal or a mistake in what was sent, with all its lines. */
static int fail_with(struct command *c, int err, const struct buf *said)
{
	if (said->n)
		buf_slice(&c->lines, buf_view(said));
	return command_fail(c, err == ERR_REFUSED ? COMMAND_FORBIDDEN : err == ERR_INVALID || err == ERR_SYNTAX ? COMMAND_CONFIG :
		err == ERR_NOT_FOUND ? COMMAND_NOT_FOUND : COMMAND_FAILED, "%s", err_text(err));
}

int run_config_show(struct command *c)
{
	struct buf text = { 0 };
	if (strcmp(command_text(c, "layer") ? command_text(c, "layer") : "", "managed") == 0) {
		if (managed_read(config_state_dir(), &text) != 0)
			return command_fail(c, COMMAND_FAILED, "the managed layer cannot be read");
	} else {
		settings_print(c->g->conf, json_bool(c->args, "origin", false), &text);
	}
	int err = answer_text(c, "yaml", &text);
	buf_free(&text);
	return err;
}

int run_config_check(struct command *c)
{
	struct buf said = { 0 };
	const char *yaml = command_text(c, "yaml");
	int err = yaml ? config_compare(slice_of(yaml), &said) : config_check(&said);
	int status = err ? fail_with(c, err, &said) : answer_text(c, yaml ? "changes" : "text", &said);
	buf_free(&said);
	return status;
}

static int generation_text(const char *state_dir, int number, struct buf *out)
{
	struct arena mem = { 0 };
	struct settings_files files;
	int err = generation_files(state_dir, number, &mem, &files);
	if (!err)
		err = file_read(files.managed, MANAGED_MOST, out);
	arena_free(&mem);
	return err == -ENOENT ? 0 : err; /* one without a managed layer */
}

int run_config_diff(struct command *c)
{
	struct buf said = { 0 }, yaml = { 0 };
	int64_t number = json_int(c->args, "generation", 0);
	const char *text = command_text(c, "yaml");
	if (!text && number <= 0)
		return command_fail(c, COMMAND_USAGE, "yaml or generation is missing");
	int err = text ? 0 : generation_text(config_state_dir(), (int)number, &yaml);
	if (!err)
		err = config_compare(text ? slice_of(text) : yaml.p ? buf_view(&yaml) : SLICE(""), &said);
	int status = err ? fail_with(c, err, &said) : answer_text(c, "changes", &said);
	buf_free(&said);
	buf_free(&yaml);
	return status;
}

static int apply(struct command *c, const struct config_proposal *p)
{
	struct buf said = { 0 };
	int err = config_apply(p, &said), status = COMMAND_OK;
	if (err)
		status = fail_with(c, err, &said);
	else
		config_write_applied(&c->w, &said);
	buf_free(&said);
	return status;
}

/* "for": how long it waits to be confirmed, 2 minutes when not said; 0s: it is for good. */
static int confirm_arg(struct command *c, int64_t *us_out)
{
	const char *text = command_text(c, "for");
	*us_out = CONFIRM_US;
	if (!text)
		return COMMAND_OK;
	if (conf_duration(text, us_out) != 0 || *us_out > CONFIRM_MOST_US)
		return command_fail(c, COMMAND_USAGE, "for is no duration up to 1h");
	return COMMAND_OK;
}

/* What came over a long way says what it should be. */
static bool is_whole(const char *yaml, const char *sha256)
{
	unsigned char digest[32];
	char hex[65];
	if (!sha256)
		return true;
	SHA256((const unsigned char *)yaml, strlen(yaml), digest);
	hex_text(digest, sizeof(digest), hex);
	return strcasecmp(hex, sha256) == 0;
}

/* Nobody who could confirm it may be there at the far end of a broker: the program does it itself if its connections stand, unless told otherwise. */
static bool confirms_itself(const struct command *c)
{
	const char *confirm = command_text(c, "confirm");
	return confirm ? strcmp(confirm, "self") == 0 : strcmp(c->user, "mqtt") == 0;
}

/* The managed layer as it is, with the object "over" laid over it and without the paths in "drop". */
static int edited(struct command *c, const cJSON *over, const cJSON *drop, struct buf *yaml)
{
	struct buf now = { 0 }, merged = { 0 };
	char *text = over ? cJSON_PrintUnformatted(over) : NULL; /* JSON is YAML */
	int err = managed_read(config_state_dir(), &now);
	if (!err)
		err = managed_merge(now.p ? buf_view(&now) : SLICE(""), text ? slice_of(text) : SLICE("{}"), &merged);
	if (!err)
		err = managed_without(merged.p ? buf_view(&merged) : SLICE(""), drop, yaml);
	cJSON_free(text);
	buf_free(&now);
	buf_free(&merged);
	return err ? command_fail(c, COMMAND_FAILED, "the managed layer cannot be changed: %s", err_text(err)) : COMMAND_OK;
}

/* The layer that is asked for: as a whole in "yaml", or by what differs. */
static int proposed(struct command *c, struct buf *yaml)
{
	const char *text = command_text(c, "yaml");
	const cJSON *over = json_at(c->args, "over"), *drop = json_at(c->args, "drop");
	if (!text && !over && !drop)
		return command_fail(c, COMMAND_USAGE, "yaml, over or drop is missing");
	if ((over && !cJSON_IsObject(over)) || (drop && !cJSON_IsArray(drop)) || (text && (over || drop)))
		return command_fail(c, COMMAND_USAGE, "over is an object, drop a list of paths; beside yaml there is neither");
	if (!text)
		return edited(c, over, drop, yaml);
	buf_puts(yaml, text);
	return COMMAND_OK;
}

static int apply_proposed(struct command *c, struct slice yaml)
{
	struct config_proposal p = { .yaml = yaml, .who = c->user, .why = "config.apply", .base = (int)json_int(c->args, "base", 0),
		.restart = json_bool(c->args, "restart", false), .self = confirms_itself(c) };
	const char *text = command_text(c, "yaml");
	if (text && !is_whole(text, command_text(c, "sha256")))
		return command_fail(c, COMMAND_USAGE, "sha256 is not that of yaml");
	int err = confirm_arg(c, &p.confirm_us);
	return err ? err : apply(c, &p);
}

int run_config_apply(struct command *c)
{
	struct buf yaml = { 0 };
	int err = proposed(c, &yaml);
	if (!err)
		err = apply_proposed(c, yaml.p ? buf_view(&yaml) : SLICE(""));
	buf_free(&yaml);
	return err;
}

int run_config_try(struct command *c)
{
	struct config_view v;
	struct buf yaml = { 0 };
	int err = proposed(c, &yaml);
	if (!err) {
		config_look(yaml.p ? buf_view(&yaml) : SLICE(""), &c->w);
		config_view(&v);
		jw_int(&c->w, "generation", v.generation);
		jw_text(&c->w, "yaml", yaml.p ? buf_view(&yaml) : SLICE(""));
		jw_end(&c->w, '}');
	}
	buf_free(&yaml);
	return err;
}

int run_config_schema(struct command *c)
{
	jw_object(&c->w, NULL);
	settings_write_schema("rows", &c->w);
	jw_end(&c->w, '}');
	return COMMAND_OK;
}

int run_config_origin(struct command *c)
{
	jw_object(&c->w, NULL);
	config_write_origin(&c->w);
	jw_end(&c->w, '}');
	return COMMAND_OK;
}

int run_config_confirm(struct command *c)
{
	struct config_view v;
	int err = config_confirm(c->user);
	if (err)
		return command_fail(c, err == ERR_NOT_FOUND ? COMMAND_NOT_FOUND : COMMAND_FAILED, err == ERR_NOT_FOUND ? "no change waits" : "%s", err_text(err));
	config_view(&v);
	jw_object(&c->w, NULL);
	jw_int(&c->w, "generation", v.generation);
	jw_end(&c->w, '}');
	return COMMAND_OK;
}

static int roll_back_to(struct command *c, int number)
{
	struct buf yaml = { 0 };
	int err = generation_text(config_state_dir(), number, &yaml);
	if (err)
		return command_fail(c, err == ERR_NOT_FOUND ? COMMAND_NOT_FOUND : COMMAND_FAILED, "no generation %d", number);
	struct config_proposal p = { .yaml = yaml.p ? buf_view(&yaml) : SLICE(""), .who = c->user, .why = "config.rollback",
		.restart = json_bool(c->args, "restart", false) };
	int status = apply(c, &p);
	buf_free(&yaml);
	return status;
}

int run_config_rollback(struct command *c)
{
	int64_t number = json_int(c->args, "generation", 0);
	if (number > 0)
		return roll_back_to(c, (int)number);
	int err = config_roll_back(c->user, "asked for");
	if (err)
		return command_fail(c, err == ERR_NOT_FOUND ? COMMAND_NOT_FOUND : COMMAND_FAILED, err == ERR_NOT_FOUND ? "no change waits" : "%s", err_text(err));
	jw_bool(&c->w, NULL, true);
	return COMMAND_OK;
}

static void write_generation(void *arg, const struct generation *g)
{
	struct json_writer *w = arg;
	jw_object(w, NULL);
	jw_int(w, "generation", g->number);
	jw_time(w, "at", g->at_us);
	jw_string(w, "who", g->who);
	jw_string(w, "why", g->why);
	jw_end(w, '}');
}

int run_config_history(struct command *c)
{
	jw_array(&c->w, NULL);
	int err = generation_each(config_state_dir(), write_generation, &c->w);
	jw_end(&c->w, ']');
	return err ? command_fail(c, COMMAND_FAILED, "the history cannot be read: %s", err_text(err)) : COMMAND_OK;
}
