/* Verbs about single messages: one that is sent to a station by hand, and those that have passed.
 *
 * Easy to get wrong: the answer of a station comes later, or never, which is a failure of its own; and tokens in a trace are for administrators. */
#include "base/clock.h"
#include "base/conf.h"
#include "base/mem.h"
#include "gateway/manage/call-help.h"
#include "gateway/manage/command.h"
#include "gateway/session/session.h"
#include "gateway/session/trace.h"

#define TRACE_MOST 1000

/* --- call --- */

static void on_call_answered(void *arg, struct call *call, int err, struct frame *answer)
{
	struct command *c = arg;
	(void)call;
	if (answer && answer->kind == FRAME_RESULT) {
		jw_raw(&c->w, NULL, answer->payload);
		command_finish(c, COMMAND_OK);
	} else if (answer) {
		command_finish(c, command_fail(c, COMMAND_FAILED, "%.*s: %.*s", SLICE_ARG(answer->code), SLICE_ARG(answer->description)));
	} else {
		command_finish(c, command_fail(c, err == ERR_TIMEOUT ? COMMAND_TIMEOUT : COMMAND_FAILED, "the station did not answer: %s", err_text(err)));
	}
}

/* The payload as text: as people type it, or, from a program, as the object it is. The caller frees it. NULL: something else. */
static char *payload_arg(const struct command *c)
{
	const cJSON *item = json_at(c->args, "payload");
	if (!item)
		return mem_strdup("{}");
	if (cJSON_IsObject(item))
		return cJSON_PrintUnformatted(item);
	cJSON *tree = cJSON_IsString(item) ? json_parse(slice_of(item->valuestring)) : NULL;
	char *text = cJSON_IsObject(tree) ? mem_strdup(item->valuestring) : NULL;
	cJSON_Delete(tree);
	return text;
}

int run_call(struct command *c)
{
	int err = COMMAND_OK;
	struct session *s = command_station(c, &err);
	const char *action = command_text(c, "action");
	if (!s)
		return err;
	if (!action)
		return command_fail(c, COMMAND_USAGE, "action is missing");
	if (!s->link)
		return command_fail(c, COMMAND_FORBIDDEN, "station '%s' is not connected", s->id);
	char *payload = payload_arg(c);
	if (!payload)
		return command_fail(c, COMMAND_USAGE, "payload is not a JSON object");
	err = session_call(s, slice_of(action), slice_of(payload), on_call_answered, c);
	mem_free(payload);
	return err ? command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_LATER;
}

int run_call_help(struct command *c)
{
	int err = COMMAND_OK;
	struct session *s = command_station(c, &err);
	const char *action = command_text(c, "action");
	if (!s)
		return err;
	if (call_help_write(s->version, action, &c->w) != 0)
		return command_fail(c, COMMAND_NOT_FOUND, "%s has no action '%s'", version_subprotocol(s->version), action);
	return COMMAND_OK;
}

/* --- trace --- */

struct trace_query {
	struct trace_filter filter;
	bool plain;
	int64_t left;
	struct json_writer *w;
};

static bool write_traced(void *arg, const struct trace_rec *r)
{
	struct trace_query *q = arg;
	struct buf line = { 0 };
	if (!trace_matches(&q->filter, r))
		return true;
	trace_write(r, q->plain, &line);
	jw_raw(q->w, NULL, buf_view(&line));
	buf_free(&line);
	return --q->left > 0;
}

int run_trace(struct command *c)
{
	const char *verdict = command_text(c, "verdict"), *since = command_text(c, "since");
	int64_t since_us = 0;
	struct trace_query q = { .filter = { .station = command_text(c, "station"), .action = command_text(c, "action"), .verdict = -1 },
		.plain = json_bool(c->args, "raw", false), .left = json_int(c->args, "most", TRACE_MOST), .w = &c->w };
	if (verdict && (q.filter.verdict = trace_verdict_parse(verdict)) < 0)
		return command_fail(c, COMMAND_USAGE, "no verdict '%s'", verdict);
	if (since && (conf_duration(since, &since_us) != 0 || since_us <= 0))
		return command_fail(c, COMMAND_USAGE, "since is no duration such as 10m");
	if (q.plain && c->role < ROLE_ADMIN)
		return command_fail(c, COMMAND_FORBIDDEN, "tokens are shown to administrators only");
	q.filter.since_us = since ? clock_wall_us() - since_us : 0;
	jw_array(&c->w, NULL);
	trace_each(json_int(c->args, "after", 0), write_traced, &q);
	jw_end(&c->w, ']');
	return COMMAND_OK;
}
