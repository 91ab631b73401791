/* What plugins may call. A plugin calls from where it is called itself; mail brings it to the loop. */
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/plug/host-local.h"

/* What a sink said of itself while it was called. */
struct saying {
	struct mail mail;
	struct unit *unit;
	uint64_t mark;          /* 0: its connection */
	bool up;
	char why[FAULT_TEXT];
};

/* A plugin's call on the loop. */
struct call {
	struct mail mail;
	void (*fn)(void *arg);
	void *arg;
};

static void api_log(const ag_host *a, int level, const char *text)
{
	const struct unit *u = a->ctx;
	log_at(level < LVL_ERROR ? LVL_ERROR : level > LVL_DEBUG ? LVL_DEBUG : (enum log_level)level, &u->log, "%s", text);
}

static void on_call(struct mail *mail, void *arg)
{
	struct call *c = (struct call *)(void *)mail;
	(void)arg;
	c->fn(c->arg);
	mem_free(c);
}

static void api_post(const ag_host *a, void (*fn)(void *arg), void *arg)
{
	const struct unit *u = a->ctx;
	struct call *c = NEW(struct call);
	c->mail.deliver = on_call;
	c->fn = fn;
	c->arg = arg;
	mailbox_post(u->host->mailbox, &c->mail);
}

static uint64_t api_now_us(const ag_host *a)
{
	(void)a;
	return (uint64_t)clock_mono_us();
}

static void api_command(const ag_host *a, const char *verb, const char *json, void (*reply)(void *arg, const char *json), void *arg)
{
	const struct unit *u = a->ctx;
	struct host *h = u->host;
	if (h->closing || !h->events.command)
		reply(arg, "{\"ok\":false,\"error\":{\"code\":\"unavailable\",\"detail\":\"no commands are taken now\"}}");
	else
		h->events.command(h->arg, u->id, verb, json, reply, arg);
}

static void tell_sink(struct unit *u, uint64_t mark, bool up, const char *why)
{
	struct host *h = u->host;
	if (!mark)
		u->failing = !up;
	if (h->closing)
		return;
	if (mark && h->events.sink_sent)
		h->events.sink_sent(h->arg, u->id, mark);
	else if (!mark && h->events.sink_state)
		h->events.sink_state(h->arg, u->id, up, why);
}

static void on_saying(struct mail *mail, void *arg)
{
	struct saying *s = (struct saying *)(void *)mail;
	(void)arg;
	tell_sink(s->unit, s->mark, s->up, s->why);
	mem_free(s);
}

/* A sink that has nothing to wait for says that it is there when it is made, and that it has a message when it is given it. */
static void say_or_tell(struct unit *u, uint64_t mark, bool up, const char *why)
{
	if (!u->within) {
		tell_sink(u, mark, up, why);
		return;
	}
	struct saying *s = NEW(struct saying);
	s->mail.deliver = on_saying;
	s->unit = u;
	s->mark = mark;
	s->up = up;
	snprintf(s->why, sizeof(s->why), "%s", why ? why : "");
	mailbox_post(u->host->mailbox, &s->mail);
}

static void api_sink_state(const ag_host *a, int up, const char *why)
{
	say_or_tell(a->ctx, 0, up != 0, why);
}

static void api_sink_sent(const ag_host *a, uint64_t mark)
{
	if (mark)
		say_or_tell(a->ctx, mark, false, NULL);
}

ag_host host_api(struct unit *u)
{
	return (ag_host){ sizeof(u->api), u, api_log, api_post, api_now_us, api_command, api_sink_state, api_sink_sent };
}
