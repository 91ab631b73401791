/* Names in the kept store, owner "mqtt":  cmd/VERB/ID -> wall time in microseconds, newline, the answer; without an answer: it was begun.
 *
 * Easy to get wrong: the same command may come again while the first one runs (a CALL to a station takes its time); it waits for the same
 * answer. A reader sees only what is committed, so a command stays among the running ones until its answer is. And a power cut may come
 * between the deed and its answer: what changes anything is written down before it is begun, and one that was begun and has no answer is
 * not begun a second time. */
#include "gateway/manage/once.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "gateway/manage/command.h"
#include "storage/kept.h"

#define OWNER "mqtt"
#define ID_MOST 128
#define REMEMBERED_US (24 * 3600 * US_PER_S)
#define TIDY_US (3600 * US_PER_S)

struct asked {
	struct list entry;
	struct gateway *g;
	char *name;               /* in the kept store; NULL: it has no id */
	char *verb, *json;        /* of the one that runs it */
	void (*reply)(void *arg, const char *json);
	void *arg;
	struct buf answer;
	bool first;               /* runs it; the others wait for its answer */
};

static struct list running;
static int64_t tidied_us;

static void asked_free(struct asked *a)
{
	list_remove(&a->entry);
	mem_free(a->name);
	mem_free(a->verb);
	mem_free(a->json);
	buf_free(&a->answer);
	mem_free(a);
}

static struct asked *asked_new(struct gateway *g, char *name, void (*reply)(void *arg, const char *json), void *arg)
{
	struct asked *a = NEW(struct asked);
	if (!running.next)
		list_init(&running);
	*a = (struct asked){ .g = g, .name = name, .reply = reply, .arg = arg };
	list_append(&running, &a->entry);
	return a;
}

static struct asked *running_one(const char *name)
{
	if (running.next && name)
		LIST_WALK(&running, struct asked, entry, a)
			if (a->first && a->name && strcmp(a->name, name) == 0)
				return a;
	return NULL;
}

/* --- the day's answers --- */

struct tidy {
	struct gateway *g;
	int64_t before_us;
};

static bool forget_old(void *arg, const char *name, struct slice value)
{
	struct tidy *t = arg;
	if (strtoll(value.p, NULL, 10) < t->before_us && kept_remove(t->g->store, OWNER, name, NULL, NULL) != 0)
		return false;
	return true;
}

static void tidy(struct gateway *g)
{
	struct tidy t = { g, clock_wall_us() - REMEMBERED_US };
	if (tidied_us && clock_mono_us() - tidied_us < TIDY_US)
		return;
	tidied_us = clock_mono_us();
	if (kept_each(g->store, OWNER, "cmd/", forget_old, &t) != 0)
		log_warn(NULL, "old answers to MQTT commands cannot be read");
}

#define INTERRUPTED "{\"ok\":false,\"error\":{\"code\":\"interrupted\",\"detail\":\"the box stopped while this ran: it may have taken effect, or not\"}}"

/* The answer that this command got already, or NULL. */
static const char *known_answer(struct gateway *g, const char *name, struct arena *mem)
{
	struct slice value;
	if (!name || kept_get(g->store, OWNER, name, mem, &value) != 0)
		return NULL;
	const char *text = arena_text(mem, value), *line = strchr(text, '\n');
	if (!line || strtoll(text, NULL, 10) < clock_wall_us() - REMEMBERED_US)
		return NULL;
	return line[1] ? line + 1 : INTERRUPTED;
}

/* --- running --- */

static void on_kept(void *arg, int err, int64_t value)
{
	struct asked *a = arg;
	struct buf answer = a->answer;
	(void)value;
	if (err)
		log_warn(NULL, "the answer to an MQTT command could not be stored: %s", err_text(err));
	a->answer = (struct buf){ 0 };
	LIST_WALK(&running, struct asked, entry, other) {
		if (other == a || !a->name || !other->name || strcmp(other->name, a->name) != 0)
			continue;
		other->reply(other->arg, answer.p);
		asked_free(other);
	}
	a->reply(a->arg, answer.p);
	asked_free(a);
	buf_free(&answer);
}

static void write_answer(struct buf *out, enum command_error err, const char *json_or_detail)
{
	struct json_writer w;
	jw_open(&w, out);
	jw_object(&w, NULL);
	jw_bool(&w, "ok", !err);
	if (!err) {
		jw_raw(&w, "result", slice_of(json_or_detail));
	} else {
		jw_object(&w, "error");
		jw_string(&w, "code", command_error_code(err));
		jw_string(&w, "detail", json_or_detail);
		jw_end(&w, '}');
	}
	jw_end(&w, '}');
}

/* The state of a command on disk, then `stored`, which is called in any case. */
static void keep(struct asked *a, const char *answer, store_done *stored)
{
	struct buf value = { 0 };
	buf_printf(&value, "%lld\n%s", (long long)clock_wall_us(), answer);
	int err = kept_put(a->g->store, OWNER, a->name, buf_view(&value), stored, a);
	buf_free(&value);
	if (err)
		stored(a, err, 0);
}

static void on_done(void *arg, enum command_error err, const char *json_or_detail)
{
	struct asked *a = arg;
	write_answer(&a->answer, err, json_or_detail);
	if (!a->name) {
		on_kept(a, 0, 0);
		return;
	}
	tidy(a->g);
	keep(a, a->answer.p, on_kept);
}

static void begin(struct asked *a)
{
	command_run(a->g, a->verb, slice_of(a->json), ROLE_INSTALLER, OWNER, on_done, a);
}

/* A disk that fails is no reason not to lower a limit; the log says what is not promised then. */
static void on_noted(void *arg, int err, int64_t value)
{
	(void)value;
	if (err)
		log_warn(NULL, "that an MQTT command begins could not be stored: %s", err_text(err));
	begin(arg);
}

/* Reading twice harms nobody. */
static bool only_reads(const char *verb)
{
	size_t n;
	const struct verb *v = command_table(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].name, verb) == 0)
			return v[i].role == ROLE_VIEWER;
	return true; /* there is no such verb */
}

/* NULL: the request has no id, or one that nobody would give. */
static char *name_of(const char *verb, const char *json)
{
	cJSON *request = json_parse(slice_of(json));
	const cJSON *id = json_at(request, "id");
	struct buf name = { 0 };
	if (cJSON_IsString(id) && id->valuestring[0] && strlen(id->valuestring) <= ID_MOST)
		buf_printf(&name, "cmd/%s/%s", verb, id->valuestring);
	else if (cJSON_IsNumber(id))
		buf_printf(&name, "cmd/%s/%.17g", verb, id->valuedouble);
	cJSON_Delete(request);
	return name.p;
}

void once_run(struct gateway *g, const char *verb, const char *json, void (*reply)(void *arg, const char *json), void *arg)
{
	struct arena mem = { 0 };
	const char *text = json && *json ? json : "{}";
	char *name = name_of(verb, text);
	const char *known = known_answer(g, name, &mem);
	if (known) {
		log_info(NULL, "MQTT command %s came again; it gets the answer it got", verb);
		reply(arg, known);
		mem_free(name);
		arena_free(&mem);
		return;
	}
	bool runs_already = running_one(name) != NULL;
	struct asked *a = asked_new(g, name, reply, arg);
	a->first = !runs_already;
	if (a->first) {
		log_info(NULL, "MQTT command %s", verb);
		a->verb = mem_strdup(verb);
		a->json = mem_strdup(text);
		if (name && !only_reads(verb))
			keep(a, "", on_noted);
		else
			begin(a);
	}
	arena_free(&mem);
}
