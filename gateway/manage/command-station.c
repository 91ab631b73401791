/* Verbs that ask something of a station: restart, unlock, start, stop, and whether a stranger may come back.
 *
 * Each is one CALL of ours, behind those of the CSMS, in the words of the station's own version. Easy to get wrong: the answer comes when the
 * arguments are gone, so what it needs is kept in the question; and what a station refuses is a failure, though it has answered. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/manage/command.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/offline/authorize.h"
#include "gateway/offline/owed.h"
#include "gateway/session/session.h"
#include "ocpp/codec.h"

struct question {
	struct command *c;
	struct session *s;
	char token[256]; /* of a start */
};

static bool is_yes(struct slice status)
{
	return slice_is(status, "Accepted") || slice_is(status, "Scheduled") || slice_is(status, "Unlocked");
}

static void learn_start(const struct question *q)
{
	struct event e;
	event_init(&e, CMD_REMOTE_START);
	e.token = slice_of(q->token);
	if (q->token[0])
		authorize_learn_start(q->s, &e);
}

static int judge(struct question *q, struct call *call, int err, struct frame *answer)
{
	struct command *c = q->c;
	struct arena mem = { 0 };
	struct reply r;
	int result = COMMAND_OK;
	if (!answer)
		return command_fail(c, err == ERR_TIMEOUT ? COMMAND_TIMEOUT : COMMAND_FAILED, "the station did not answer: %s", err_text(err));
	if (answer->kind != FRAME_RESULT)
		return command_fail(c, COMMAND_FAILED, "%.*s: %.*s", SLICE_ARG(answer->code), SLICE_ARG(answer->description));
	reply_init(&r);
	if (codec_read_answer(call->act, answer, &mem, &r) != 0) {
		result = command_fail(c, COMMAND_FAILED, "the answer of the station cannot be read");
	} else if (!is_yes(r.status)) {
		result = command_fail(c, COMMAND_FORBIDDEN, "station '%s' answers %.*s", q->s->id, SLICE_ARG(r.status));
	} else {
		learn_start(q);
		jw_object(&c->w, NULL);
		jw_text(&c->w, "status", r.status);
		jw_end(&c->w, '}');
	}
	arena_free(&mem);
	return result;
}

static void on_answered(void *arg, struct call *call, int err, struct frame *answer)
{
	struct question *q = arg;
	command_finish(q->c, judge(q, call, err, answer));
	mem_free(q);
}

static int ask(struct command *c, struct session *s, const struct event *e)
{
	if (!s->link)
		return command_fail(c, COMMAND_FORBIDDEN, "station '%s' is not connected", s->id);
	if (s->rejected)
		return command_fail(c, COMMAND_FORBIDDEN, "station '%s' is rejected", s->id);
	struct question *q = NEW(struct question);
	*q = (struct question){ .c = c, .s = s };
	if (e->kind == CMD_REMOTE_START)
		snprintf(q->token, sizeof(q->token), "%.*s", SLICE_ARG(e->token));
	int err = session_command(s, e, on_answered, q);
	if (!err)
		return COMMAND_LATER;
	mem_free(q);
	return command_fail(c, COMMAND_FAILED, "%s", err_text(err));
}

/* The argument "evse" into *out, -1 where it is not said. False: it is none of the station's. */
static bool evse_arg(struct command *c, const struct session *s, int *out, int *err_out)
{
	bool said = c->args && cJSON_HasObjectItem(c->args, "evse");
	int64_t n = json_int(c->args, "evse", 0);
	*out = said ? (int)n : -1;
	if (!said || (n >= 1 && n <= s->n_evses))
		return true;
	*err_out = command_fail(c, COMMAND_NOT_FOUND, "station '%s' has no such EVSE, it has %d", s->id, s->n_evses);
	return false;
}

int run_station_reset(struct command *c)
{
	int err = COMMAND_OK;
	struct session *s = command_station(c, &err);
	const char *kind = command_text(c, "kind");
	struct event e;
	if (!s)
		return err;
	if (kind && strcasecmp(kind, "soft") != 0 && strcasecmp(kind, "hard") != 0)
		return command_fail(c, COMMAND_USAGE, "kind is soft or hard");
	event_init(&e, CMD_RESET);
	e.word = kind && strcasecmp(kind, "hard") == 0 ? SLICE("Hard") : SLICE("Soft");
	return ask(c, s, &e);
}

int run_station_unlock(struct command *c)
{
	int err = COMMAND_OK;
	struct session *s = command_station(c, &err);
	struct event e;
	event_init(&e, CMD_UNLOCK);
	if (!s || !evse_arg(c, s, &e.evse, &err))
		return err;
	if (e.evse < 0 && s->n_evses > 1)
		return command_fail(c, COMMAND_USAGE, "evse is missing: station '%s' has %d", s->id, s->n_evses);
	if (e.evse < 0)
		e.evse = 1;
	return ask(c, s, &e);
}

int run_station_trigger(struct command *c)
{
	int err = COMMAND_OK;
	struct session *s = command_station(c, &err);
	const char *message = command_text(c, "message");
	struct event e;
	event_init(&e, CMD_TRIGGER);
	if (!s || !evse_arg(c, s, &e.evse, &err))
		return err;
	if (!message || !*message)
		return command_fail(c, COMMAND_USAGE, "message is missing, such as StatusNotification");
	e.word = slice_of(message);
	return ask(c, s, &e);
}

/* --- sessions of cars --- */

int run_evse_start(struct command *c)
{
	int err = COMMAND_OK;
	struct session *s = command_station(c, &err);
	const char *token = command_text(c, "token");
	struct event e;
	event_init(&e, CMD_REMOTE_START);
	if (!s || !evse_arg(c, s, &e.evse, &err))
		return err;
	int most = version_token_most(s->version);
	if (!token || !*token)
		token = s->own && s->own->token ? s->own->token : NULL;
	if (!token && version_needs_token(s->version))
		return command_fail(c, COMMAND_USAGE, "token is missing: in %s a session is always somebody's", version_subprotocol(s->version));
	if (token && strlen(token) > (size_t)most)
		return command_fail(c, COMMAND_USAGE, "token is longer than %d characters", most);
	e.token = token ? slice_of(token) : e.token;
	e.remote_start_id = clock_wall_us() / US_PER_S & INT32_MAX;
	return ask(c, s, &e);
}

/* The EVSE whose session is to end: the one that was named, else the only one where one runs. 0 with a failure in *err_out. */
static int running_evse(struct command *c, const struct session *s, int named, int *err_out)
{
	int found = 0, n = 0;
	for (int i = 1; i <= s->n_evses; i++) {
		if (s->evses[i].tx[0] && (named < 0 || named == i)) {
			found = i;
			n++;
		}
	}
	if (n == 1)
		return found;
	*err_out = n ? command_fail(c, COMMAND_USAGE, "evse is missing: station '%s' has %d sessions", s->id, n)
		     : command_fail(c, COMMAND_FORBIDDEN, "no session runs there");
	return 0;
}

int run_evse_stop(struct command *c)
{
	int err = COMMAND_OK;
	struct session *s = command_station(c, &err);
	struct event e;
	event_init(&e, CMD_REMOTE_STOP);
	int evse = s && evse_arg(c, s, &e.evse, &err) ? running_evse(c, s, e.evse, &err) : 0;
	if (!evse)
		return err;
	e.tx = slice_of(s->evses[evse].tx);
	return ask(c, s, &e);
}

/* --- strangers --- */

static void on_rejected(void *arg, int err, int64_t value)
{
	struct command *c = arg;
	(void)value;
	jw_bool(&c->w, NULL, err == 0);
	command_finish(c, err ? command_fail(c, COMMAND_FAILED, "%s", err_text(err)) : COMMAND_OK);
}

int run_station_reject(struct command *c)
{
	int err = COMMAND_OK;
	struct session *s = command_station(c, &err);
	if (!s)
		return err;
	if (s->configured)
		return command_fail(c, COMMAND_FORBIDDEN, "station '%s' is in the configuration", s->id);
	if (s->conf->uplink)
		return command_fail(c, COMMAND_FORBIDDEN, "onboarding is auto: station '%s' does not wait", s->id);
	err = owed_reject(s, on_rejected, c);
	if (err)
		return command_fail(c, COMMAND_FAILED, "%s", err_text(err));
	telemetry_event(s->gw, "station.rejected", "info", s->id, NULL);
	telemetry_station(s);
	return COMMAND_LATER;
}
