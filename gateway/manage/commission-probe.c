/* The evidence of the step "probe": what was found of each EVSE whose forms of a limit were tried (gateway/power/probe.c), the newest of each. The box
 * writes it when a probe ends, whoever began it and whether or not anybody still looks.
 *
 * Easy to get wrong: each result is added to what is on disk, and several probes may end in one moment. So the second is read, changed and written
 * when the first is durable. */
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "gateway/manage/commission-local.h"
#include "storage/kept.h"

struct probed {
	struct list entry;
	struct gateway *g;
	struct task *task;
	char *user;
	struct buf json; /* what this probe found */
};

static struct list all; /* those whose evidence is not on disk yet; the first is being written */

static bool is_same_evse(const cJSON *a, const cJSON *b)
{
	return slice_eq(json_text(a, "station"), json_text(b, "station")) && json_int(a, "evse", 0) == json_int(b, "evse", 0);
}

/* Those found before, but for what was found of the same EVSE. True: none of them has failed. */
static bool write_earlier(const struct probed *p, const cJSON *new, struct json_writer *w)
{
	struct arena mem = { 0 };
	struct slice value;
	bool passed = true;
	cJSON *tree = kept_get(p->g->store, COMMISSION_OWNER, "probe", &mem, &value) == 0 ? json_parse(value) : NULL;
	const cJSON *one;
	cJSON_ArrayForEach(one, json_at(tree, "data.stations")) {
		if (is_same_evse(one, new))
			continue;
		char *text = cJSON_PrintUnformatted(one);
		jw_raw(w, NULL, slice_of(text));
		passed &= !json_at(one, "failure");
		cJSON_free(text);
	}
	cJSON_Delete(tree);
	arena_free(&mem);
	return passed;
}

static void write_first(void);

static void on_evidence(void *arg, int err, int64_t value)
{
	struct probed *p = arg;
	cJSON *tree = json_parse(buf_view(&p->json));
	(void)value;
	if (err)
		log_error(NULL, "what was found at commissioning could not be stored: %s", err_text(err));
	task_end(p->task, json_at(tree, "failure") ? TASK_FAILED : TASK_DONE, buf_view(&p->json));
	cJSON_Delete(tree);
	list_remove(&p->entry);
	buf_free(&p->json);
	mem_free(p->user);
	mem_free(p);
	if (!list_empty(&all))
		write_first();
}

static void write_first(void)
{
	struct probed *p = LIST_ITEM(all.next, struct probed, entry);
	struct buf json = { 0 };
	struct json_writer w;
	cJSON *new = json_parse(buf_view(&p->json));
	jw_open(&w, &json);
	jw_object(&w, NULL);
	jw_array(&w, "stations");
	bool passed = write_earlier(p, new, &w) && !json_at(new, "failure");
	jw_raw(&w, NULL, buf_view(&p->json));
	jw_end(&w, ']');
	jw_end(&w, '}');
	cJSON_Delete(new);
	int err = commission_note(p->g, "probe", passed ? "passed" : "failed", p->user, NULL, buf_view(&json), on_evidence, p);
	buf_free(&json);
	if (err)
		on_evidence(p, err, 0);
}

void commission_probed(struct gateway *g, struct task *t, const char *user, struct buf *json)
{
	struct probed *p = NEW(struct probed);
	*p = (struct probed){ .g = g, .task = t, .user = mem_strdup(user), .json = *json };
	*json = (struct buf){ 0 };
	task_stopless(t);
	if (!all.next)
		list_init(&all);
	list_append(&all, &p->entry);
	if (all.next == &p->entry)
		write_first();
}
