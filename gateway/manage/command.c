/* The verbs: their table, and how one is run. The handlers are in command-*.c, by subject. They are short: they find their object, ask a module, and
 * write what came out. */
#include "gateway/manage/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "gateway/session/session.h"

int command_evse(const struct gateway *g, const char *object)
{
	char station[64];
	const char *slash = strrchr(object, '/');
	int64_t n = 1;
	if (slash && int_parse(slice_of(slash + 1), &n) == 0)
		snprintf(station, sizeof(station), "%.*s", (int)(slash - object), object);
	else
		snprintf(station, sizeof(station), "%s", object);
	return control_find_evse(g->control, station, (int)n);
}

int command_fail(struct command *c, enum command_error err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(c->detail, sizeof(c->detail), fmt, ap);
	va_end(ap);
	return err;
}

const char *command_text(const struct command *c, const char *name)
{
	const cJSON *item = c->args ? cJSON_GetObjectItemCaseSensitive(c->args, name) : NULL;
	return cJSON_IsString(item) ? item->valuestring : NULL;
}

struct session *command_station(struct command *c, int *err_out)
{
	const char *id = command_text(c, "station");
	struct session *s = id ? session_find(c->g, id) : NULL;
	if (!id)
		*err_out = command_fail(c, COMMAND_USAGE, "station is missing");
	else if (!s)
		*err_out = command_fail(c, COMMAND_NOT_FOUND, "no station '%s' has been seen", id);
	return s;
}

/* --- the table --- */

static const struct verb verbs[] = {
#define VERB(verb_name, verb_role, handler, arguments, text) { verb_name, verb_role, handler, arguments, text },
#include "gateway/manage/commands.def"
#undef VERB
};

const struct verb *command_table(size_t *n_out)
{
	*n_out = sizeof(verbs) / sizeof(verbs[0]);
	return verbs;
}

const char *command_error_code(enum command_error e)
{
	switch (e) {
	case COMMAND_USAGE:
		return "invalid";
	case COMMAND_NOT_FOUND:
		return "not_found";
	case COMMAND_FORBIDDEN:
		return "forbidden";
	case COMMAND_TIMEOUT:
		return "timeout";
	case COMMAND_CONFIG:
		return "config_invalid";
	default:
		return "failed";
	}
}

void command_finish(struct command *c, enum command_error err)
{
	c->done(c->arg, err, err ? c->lines.n ? c->lines.p : c->detail : c->result.p ? c->result.p : "null");
	cJSON_Delete((cJSON *)c->args);
	mem_free((char *)c->user);
	buf_free(&c->result);
	buf_free(&c->lines);
	mem_free(c);
}

static const struct verb *verb_named(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static int run(struct command *c, const char *name, struct slice args_json, enum role role)
{
	const struct verb *v = verb_named(name);
	if (!v)
		return command_fail(c, COMMAND_USAGE, "no verb '%s'", name);
	if (role < v->role)
		return command_fail(c, COMMAND_FORBIDDEN, "'%s' is not for your role", name);
	c->args = args_json.n ? json_parse(args_json) : NULL;
	if (args_json.n && !cJSON_IsObject(c->args))
		return command_fail(c, COMMAND_USAGE, "the arguments are not a JSON object");
	return v->run(c);
}

void command_run(struct gateway *g, const char *verb, struct slice args_json, enum role role, const char *user,
                 void (*done)(void *arg, enum command_error err, const char *json_or_detail), void *arg)
{
	struct command *c = NEW(struct command);
	c->g = g;
	c->user = mem_strdup(user);
	c->role = role;
	c->done = done;
	c->arg = arg;
	jw_open(&c->w, &c->result);
	int err = run(c, verb, args_json, role);
	if (err != COMMAND_LATER)
		command_finish(c, (enum command_error)err);
}
