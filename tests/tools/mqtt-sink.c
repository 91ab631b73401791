/* The MQTT side alone: publishes what it reads, prints what it hears, both as JSON lines. A driver behind the configuration: that one.
 *
 *   mqtt-sink '{"url":"mqtt://localhost","site":"s1","commands":["echo"]}'
 *
 * In:  {"topic":"site","payload":"text","qos":1,"retain":true,"expiry_s":60}     ends at end of file
 * Out: {"sink":"up","why":".."}  {"command":"echo","args":{..}}  {"published":rc}
 * Every command that is allowed is answered with its own arguments. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/loop.h"
#include "gateway/plug/host.h"

static struct host *host;
static int sink;
static struct watch input;
static struct buf typed;

static void say(const char *key, const char *value, const char *more, const char *raw)
{
	printf("{\"%s\":\"%s\",\"%s\":%s}\n", key, value, more, raw);
	fflush(stdout);
}

static void on_command(void *arg, const char *id, const char *verb, const char *json, void (*reply)(void *reply_arg, const char *json), void *reply_arg)
{
	struct buf answer = { 0 };
	(void)arg, (void)id;
	say("command", verb, "args", json);
	buf_printf(&answer, "{\"ok\":true,\"result\":%s}", json);
	reply(reply_arg, answer.p);
	buf_free(&answer);
}

static void on_state(void *arg, const char *id, bool up, const char *why)
{
	struct buf quoted = { 0 };
	(void)arg, (void)id;
	json_quote(&quoted, slice_of(why));
	say("sink", up ? "up" : "down", "why", quoted.p);
	buf_free(&quoted);
}

static void publish_line(struct slice line)
{
	cJSON *m = json_parse(line);
	struct slice topic = json_text(m, "topic"), payload = json_text(m, "payload");
	if (topic.p) {
		ag_message msg = { topic.p, payload.p, payload.n, (int)json_int(m, "qos", 1), json_bool(m, "retain", false),
			           (uint32_t)json_int(m, "expiry_s", 0), .mark = 0 };
		printf("{\"published\":%d}\n", host_publish(host, sink, &msg));
		fflush(stdout);
	}
	cJSON_Delete(m);
}

static void on_input(void *arg, unsigned what)
{
	(void)arg, (void)what;
	ssize_t n = read(STDIN_FILENO, buf_room(&typed, 65536), 65536);
	if (n <= 0) {
		watch_want(&input, 0);
		loop_stop();
		return;
	}
	typed.n += (size_t)n;
	for (char *end; typed.n && (end = memchr(typed.p, '\n', typed.n)) != NULL;) {
		publish_line((struct slice){ typed.p, (size_t)(end - typed.p) });
		buf_consume(&typed, (size_t)(end - typed.p) + 1);
	}
}

int main(int argc, char *argv[])
{
	static const struct host_events events = { .command = on_command, .sink_state = on_state };
	char err[256] = "";
	if (argc < 2 || loop_open() != 0 || host_open(&host, &events, NULL) != 0)
		return 2;
	struct host_conf conf = { "mqtt", argc > 2 ? argv[2] : "mqtt", argv[1], 0 };
	sink = host_sink(host, &conf, err, sizeof(err));
	if (sink < 0) {
		fprintf(stderr, "mqtt-sink: %s\n", err);
		host_close(&host);
		return 2;
	}
	watch_init(&input, STDIN_FILENO, on_input, NULL);
	watch_want(&input, WATCH_READ);
	int rc = loop_run();
	host_close(&host);
	loop_close();
	buf_free(&typed);
	return rc != 0;
}
