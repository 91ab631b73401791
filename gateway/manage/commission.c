/* What a commissioning has found: kept by step, shown, put together as a report. The checks are in files of their own, commission-*.c, and each is a
 * small machine on one timer.
 *
 * Easy to get wrong: a check is over for whoever waits for it only when its evidence is on disk (commission_conclude). */
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "config.h"
#include "gateway/manage/commission-local.h"
#include "gateway/manage/view.h"
#include "gateway/mqtt/telemetry.h"
#include "gateway/session/session.h"
#include "storage/kept.h"

static const char *const steps[] = { "basics", "network", "grid", "circuits", "meters", "uplink", "stations", "identify", "probe", "limit", "offline", NULL };

bool commission_step_ok(const char *step)
{
	for (size_t i = 0; steps[i]; i++)
		if (strcmp(steps[i], step) == 0)
			return true;
	return false;
}

/* --- evidence --- */

int commission_note(struct gateway *g, const char *step, const char *state, const char *user, const char *note, struct slice data, store_done *done,
                    void *arg)
{
	struct buf json = { 0 }, args = { 0 };
	struct json_writer w;
	char object[64];
	jw_open(&w, &json);
	jw_object(&w, NULL);
	jw_string(&w, "state", state);
	jw_time(&w, "at", clock_wall_us());
	jw_string(&w, "by", user);
	jw_string(&w, "note", note);
	jw_raw(&w, "data", data.n ? data : SLICE("null"));
	jw_end(&w, '}');
	int err = kept_put(g->store, COMMISSION_OWNER, step, buf_view(&json), done, arg);
	snprintf(object, sizeof(object), "commission/%s", step);
	buf_printf(&args, "{\"state\":\"%s\"}", state);
	telemetry_event(g, "commission.done", strcmp(state, "failed") == 0 ? "warning" : "info", object, args.p);
	buf_free(&json);
	buf_free(&args);
	return err;
}

static bool write_step(void *arg, const char *name, struct slice value)
{
	jw_raw(arg, name, value);
	return true;
}

int commission_write(struct gateway *g, struct json_writer *w)
{
	jw_object(w, NULL);
	int err = kept_each(g->store, COMMISSION_OWNER, "", write_step, w);
	jw_end(w, '}');
	return err;
}

/* Jobs run in their order: when the last is through, all are. */
int commission_reset(struct gateway *g, store_done *done, void *arg)
{
	int err = 0;
	for (size_t i = 0; steps[i] && !err; i++)
		err = kept_remove(g->store, COMMISSION_OWNER, steps[i], steps[i + 1] ? NULL : done, arg);
	return err;
}

/* Those of an own station's EVSEs may differ. */
static void write_rotation(const struct gateway *g, const struct session *s, struct json_writer *w)
{
	const struct evse_settings *own;
	struct buf words = { 0 };
	for (int i = 1; s->own && (own = settings_own_evse(g->conf, slice_of(s->id), i)); i++)
		buf_printf(&words, "%s%s", i > 1 ? " " : "", own->rotation);
	jw_string(w, "rotation", words.n ? words.p : s->conf ? s->conf->rotation : NULL);
	buf_free(&words);
}

static void write_site(struct gateway *g, struct json_writer *w)
{
	size_t at = 0;
	struct session *s;
	jw_string(w, "site", g->conf->site.id);
	jw_string(w, "name", g->conf->site.name);
	jw_string(w, "version", PACKAGE_VERSION);
	jw_time(w, "at", clock_wall_us());
	jw_array(w, "circuits");
	for (size_t i = 0; i < control_nodes(g->control); i++) {
		jw_object(w, NULL);
		view_node(g, (int)i, w);
		jw_end(w, '}');
	}
	jw_end(w, ']');
	jw_array(w, "stations");
	while ((s = map_next(&g->sessions, &at, NULL))) {
		jw_object(w, NULL);
		view_station(s, w);
		write_rotation(g, s, w);
		jw_end(w, '}');
	}
	jw_end(w, ']');
}

int commission_report(struct gateway *g, struct json_writer *w)
{
	struct buf body = { 0 };
	struct json_writer in;
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char hex[2 * SHA256_DIGEST_LENGTH + 1];
	jw_open(&in, &body);
	jw_object(&in, NULL);
	write_site(g, &in);
	jw_object(&in, "steps");
	int err = kept_each(g->store, COMMISSION_OWNER, "", write_step, &in);
	jw_end(&in, '}');
	jw_end(&in, '}');
	SHA256((const unsigned char *)body.p, body.n, digest);
	hex_text(digest, sizeof(digest), hex);
	jw_object(w, NULL);
	jw_string(w, "sha256", hex);
	jw_raw(w, "report", buf_view(&body));
	jw_end(w, '}');
	buf_free(&body);
	return err;
}

/* A task that ends when its evidence is on disk, so that who reads it then finds it. */
struct ending {
	struct task *task;
	enum task_state state;
	struct buf json;
};

static void on_evidence(void *arg, int err, int64_t value)
{
	struct ending *e = arg;
	(void)value;
	if (err)
		log_error(NULL, "what was found at commissioning could not be stored: %s", err_text(err));
	task_end(e->task, e->state, buf_view(&e->json));
	buf_free(&e->json);
	mem_free(e);
}

void commission_conclude(struct gateway *g, struct task *t, const char *step, const char *user, bool passed, struct buf *json)
{
	struct ending *e = NEW(struct ending);
	*e = (struct ending){ t, passed ? TASK_DONE : TASK_FAILED, *json };
	*json = (struct buf){ 0 };
	task_stopless(t);
	int err = commission_note(g, step, passed ? "passed" : "failed", user, NULL, buf_view(&e->json), on_evidence, e);
	if (err)
		on_evidence(e, err, 0);
}
