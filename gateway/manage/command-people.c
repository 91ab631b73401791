/* Verbs about the program itself and about who may use it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "gateway/http/users.h"
#include "gateway/manage/checks.h"
#include "gateway/manage/command.h"
#include "gateway/manage/history.h"
#include "gateway/mqtt/telemetry.h"
#include "storage/journal.h"

#define EVENTS_MOST 500

/* --- the program --- */

static void write_check(void *arg, const char *name, enum check_state state, const char *detail)
{
	struct json_writer *w = arg;
	jw_object(w, NULL);
	jw_string(w, "check", name);
	jw_string(w, "state", check_state_text(state));
	jw_string(w, "detail", detail[0] ? detail : NULL);
	jw_end(w, '}');
}

int run_health(struct command *c)
{
	jw_array(&c->w, NULL);
	checks_run(c->g, write_check, &c->w);
	jw_end(&c->w, ']');
	return COMMAND_OK;
}

struct events {
	struct command *c;
	int64_t left;
};

static bool write_event(void *arg, const struct journal_rec *r)
{
	struct events *e = arg;
	struct json_writer *w = &e->c->w;
	jw_object(w, NULL);
	jw_int(w, "v", 1);
	jw_int(w, "seq", r->seq);
	jw_time(w, "ts", r->wall_us);
	jw_string(w, "code", r->code);
	jw_string(w, "sev", r->severity);
	jw_string(w, "obj", r->object);
	jw_raw(w, "args", slice_of(r->args ? r->args : "{}"));
	jw_end(w, '}');
	return --e->left > 0;
}

int run_event_list(struct command *c)
{
	int64_t most = json_int(c->args, "most", 200), after = json_int(c->args, "after", -1);
	if (most < 1 || most > EVENTS_MOST)
		return command_fail(c, COMMAND_USAGE, "most is not between 1 and %d", EVENTS_MOST);
	struct events e = { c, most };
	if (after < 0)
		after = journal_last_seq(c->g->store) - most;
	jw_array(&c->w, NULL);
	int err = journal_each(c->g->store, after > 0 ? after : 0, write_event, &e);
	jw_end(&c->w, ']');
	return err ? command_fail(c, COMMAND_FAILED, "the journal cannot be read: %s", err_text(err)) : COMMAND_OK;
}

int command_write_history(struct command *c, const char *object)
{
	const char *since = command_text(c, "since");
	int64_t since_us = 0;
	if (conf_duration(since ? since : "24h", &since_us) != 0 || since_us <= 0)
		return command_fail(c, COMMAND_USAGE, "since is no duration such as 24h");
	int err = history_write(c->g, object, (clock_wall_us() - since_us) / US_PER_S, &c->w);
	if (err == ERR_NOT_FOUND)
		return command_fail(c, COMMAND_NOT_FOUND, "no circuit and no EVSE is called '%s'", object);
	return err ? command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_OK;
}

int run_history(struct command *c)
{
	const char *object = command_text(c, "object");
	return object ? command_write_history(c, object) : command_fail(c, COMMAND_USAGE, "object is missing");
}

/* --- people --- */

int run_setup_code(struct command *c)
{
	const char *code = users_setup_code();
	if (!code)
		return command_fail(c, COMMAND_NOT_FOUND, "there are users already, or no login is asked for");
	jw_string(&c->w, NULL, code);
	return COMMAND_OK;
}

static void write_user(void *arg, const char *name, enum role role, bool configured)
{
	struct json_writer *w = arg;
	jw_object(w, NULL);
	jw_string(w, "user", name);
	jw_string(w, "role", role_text(role));
	jw_string(w, "from", configured ? "configuration" : "console");
	jw_end(w, '}');
}

int run_user_list(struct command *c)
{
	jw_array(&c->w, NULL);
	users_each(write_user, &c->w);
	jw_end(&c->w, ']');
	return COMMAND_OK;
}

static void tell(struct command *c, const char *code, const char *kind, const char *name)
{
	char object[64];
	struct buf args = { 0 };
	struct json_writer w;
	snprintf(object, sizeof(object), "%s/%.40s", kind, name);
	jw_open(&w, &args);
	jw_object(&w, NULL);
	jw_string(&w, "by", c->user);
	jw_end(&w, '}');
	telemetry_event(c->g, code, "info", object, args.p);
	buf_free(&args);
}

static void on_user_stored(void *arg, int err)
{
	struct command *c = arg;
	jw_bool(&c->w, NULL, !err);
	if (!err)
		tell(c, "user.changed", "user", command_text(c, "user"));
	command_finish(c, err ? (enum command_error)command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_OK);
}

int run_user_add(struct command *c)
{
	const char *user = command_text(c, "user"), *password = command_text(c, "password");
	int role = role_parse(command_text(c, "role"));
	if (!user || !conf_id_ok(user))
		return command_fail(c, COMMAND_USAGE, "user is missing or not of a-z, 0-9 and -");
	if (role < 0)
		return command_fail(c, COMMAND_USAGE, "role is viewer, operator, installer or admin");
	if (!password || strlen(password) < USERS_PASSWORD_LEAST)
		return command_fail(c, COMMAND_USAGE, "a password needs at least %d characters", USERS_PASSWORD_LEAST);
	int err = users_put(user, (enum role)role, password, on_user_stored, c);
	if (err == ERR_REFUSED)
		return command_fail(c, COMMAND_FORBIDDEN, "user '%s' is in the configuration", user);
	return err ? command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_LATER;
}

static int removed(struct command *c, int err, const char *kind, const char *name)
{
	if (err == ERR_NOT_FOUND)
		return command_fail(c, COMMAND_NOT_FOUND, "no %s '%s'", kind, name);
	if (err == ERR_REFUSED)
		return command_fail(c, COMMAND_FORBIDDEN, "%s '%s' is in the configuration, or the last admin", kind, name);
	if (err)
		return command_fail(c, COMMAND_FAILED, "%s", err_text(err));
	tell(c, "user.removed", kind, name);
	jw_bool(&c->w, NULL, true);
	return COMMAND_OK;
}

int run_user_del(struct command *c)
{
	const char *user = command_text(c, "user");
	return user ? removed(c, users_remove(user), "user", user) : command_fail(c, COMMAND_USAGE, "user is missing");
}

static void write_token(void *arg, const char *name, enum role role, int64_t until_us)
{
	struct json_writer *w = arg;
	jw_object(w, NULL);
	jw_string(w, "name", name);
	jw_string(w, "role", role_text(role));
	if (until_us)
		jw_time(w, "until", until_us);
	else
		jw_null(w, "until");
	jw_end(w, '}');
}

int run_api_token_list(struct command *c)
{
	jw_array(&c->w, NULL);
	users_tokens_each(write_token, &c->w);
	jw_end(&c->w, ']');
	return COMMAND_OK;
}

int run_api_token_add(struct command *c)
{
	const char *name = command_text(c, "name"), *duration = command_text(c, "for");
	int role = role_parse(command_text(c, "role"));
	int64_t for_us = 0;
	char token[64];
	if (!name || !conf_id_ok(name))
		return command_fail(c, COMMAND_USAGE, "name is missing or not of a-z, 0-9 and -");
	if (role < 0)
		return command_fail(c, COMMAND_USAGE, "role is viewer, operator, installer or admin");
	if (duration && (conf_duration(duration, &for_us) != 0 || for_us <= 0))
		return command_fail(c, COMMAND_USAGE, "for is no duration such as 90d");
	int err = users_token_new(name, (enum role)role, for_us ? clock_wall_us() + for_us : 0, token);
	if (err)
		return command_fail(c, err == ERR_EXISTS ? COMMAND_FORBIDDEN : COMMAND_FAILED, "token '%s': %s", name, err_text(err));
	tell(c, "api-token.added", "api-token", name);
	jw_object(&c->w, NULL);
	jw_string(&c->w, "token", token);
	jw_end(&c->w, '}');
	return COMMAND_OK;
}

int run_api_token_del(struct command *c)
{
	const char *name = command_text(c, "name");
	return name ? removed(c, users_token_remove(name), "api-token", name) : command_fail(c, COMMAND_USAGE, "name is missing");
}
