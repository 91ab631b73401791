/* Firmware updates and logs: one job of the CSMS is one job at every station that is here, and what they report is told as one.
 *
 *   asked -> some accept -> under way: the state of the slowest -> all are through: the good end, or a bad one if it went wrong anywhere
 *
 * A station that refuses, or stays away for long, counts as failed, so the CSMS never hears of an end that is not one. A job that was answered
 * is kept on disk until its end was told, since a station may report it after a restart of this box. Names in the kept store, owner: the
 * group's identity: job/firmware, job/log. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/group/group-local.h"
#include "storage/kept.h"

#define PATIENCE_US (20 * US_PER_S)
#define AWAY_FIRMWARE_US (3600 * US_PER_S) /* an installation with its restarts */
#define AWAY_LOG_US (600 * US_PER_S)

enum stage { ASKED, FETCHING, FETCHED, WORKING, DONE, FAILED };

struct work {
	struct list in_job;
	struct job *job;
	char *station;             /* owned */
	const struct action *act;
	enum stage stage;
	char word[40];             /* how it failed */
};

struct job {
	struct group *group;
	bool firmware;
	char *id;                  /* of the CSMS's CALL, until it is answered */
	const struct action *act;
	int64_t request_id;        /* that the CSMS gave; -1: none */
	struct list works;
	unsigned unanswered;
	bool any_accepted, replaced;
	enum stage told;
	int64_t loaded_us;         /* monotonic, when it began here */
	struct timer patience;
};

/* What stations say, and how far they are then. */
static const struct {
	bool firmware;
	const char *word;
	enum stage stage;
} states[] = {
	{ true, "DownloadScheduled", FETCHING }, { true, "Downloading", FETCHING }, { true, "DownloadPaused", FETCHING }, { true, "Downloaded", FETCHED },
	{ true, "SignatureVerified", FETCHED }, { true, "InstallScheduled", FETCHED }, { true, "Installing", WORKING }, { true, "InstallRebooting", WORKING },
	{ true, "Installed", DONE }, { true, "DownloadFailed", FAILED }, { true, "InstallationFailed", FAILED }, { true, "InvalidSignature", FAILED },
	{ true, "InstallVerificationFailed", FAILED }, { false, "Uploading", FETCHING }, { false, "Uploaded", DONE }, { false, "UploadFailed", FAILED },
	{ false, "UploadFailure", FAILED }, { false, "BadMessage", FAILED }, { false, "NotSupportedOperation", FAILED }, { false, "PermissionDenied", FAILED },
	{ false, "AcceptedCanceled", FAILED },
};

static void job_free(struct job *j)
{
	timer_cancel(&j->patience);
	LIST_WALK(&j->works, struct work, in_job, w) {
		list_remove(&w->in_job);
		mem_free(w->station);
		mem_free(w);
	}
	mem_free(j->id);
	mem_free(j);
}

/* --- what it comes to --- */

static enum stage slowest(const struct job *j)
{
	enum stage least = DONE;
	bool failed = false;
	LIST_WALK(&j->works, struct work, in_job, w) {
		failed |= w->stage == FAILED;
		if (w->stage != FAILED && w->stage < least)
			least = w->stage;
	}
	return least == DONE && failed ? FAILED : least;
}

/* Words that every version has. */
static const char *word_of(const struct job *j, enum stage stage)
{
	static const char *const firmware[] = { "Idle", "Downloading", "Downloaded", "Installing", "Installed", "InstallationFailed" };
	static const char *const log[] = { "Idle", "Uploading", "Uploading", "Uploading", "Uploaded", "UploadFailure" };
	if (stage == FAILED && j->firmware)
		LIST_WALK(&j->works, struct work, in_job, w)
			if (strcmp(w->word, "DownloadFailed") == 0)
				return "DownloadFailed";
	return (j->firmware ? firmware : log)[stage];
}

static void tell(struct group *g, bool firmware, const char *word, int64_t request_id)
{
	struct event e;
	event_init(&e, firmware ? EV_FIRMWARE : EV_LOG);
	e.word = slice_of(word);
	e.request_id = request_id;
	if (group_tell(g, &e, NULL, NULL) != 0)
		log_warn(&g->log, "the state of a job could not be told");
}

/* --- on disk --- */

static const char *kept_name(const struct job *j)
{
	return j->firmware ? "job/firmware" : "job/log";
}

static void write_job(const struct job *j, struct json_writer *w)
{
	jw_object(w, NULL);
	jw_int(w, "request_id", j->request_id);
	jw_int(w, "told", j->told);
	jw_array(w, "works");
	LIST_WALK(&j->works, struct work, in_job, k) {
		jw_object(w, NULL);
		jw_string(w, "station", k->station);
		jw_int(w, "stage", k->stage);
		jw_string(w, "word", k->word);
		jw_end(w, '}');
	}
	jw_end(w, ']');
	jw_end(w, '}');
}

/* `done` (may be NULL) follows in any case. */
static void keep(const struct job *j, store_done *done, void *arg)
{
	struct buf text = { 0 };
	struct json_writer w;
	struct store *store = j->group->gw->store;
	const char *owner = j->group->face->id;
	jw_open(&w, &text);
	write_job(j, &w);
	int err = j->told < DONE ? kept_put(store, owner, kept_name(j), buf_view(&text), done, arg) : kept_remove(store, owner, kept_name(j), done, arg);
	if (err)
		log_error(&j->group->log, "%s could not be kept: %s", kept_name(j), err_text(err));
	if (err && done)
		done(arg, err, 0);
	buf_free(&text);
}

static struct work *work_new(struct job *j, struct slice station)
{
	struct work *w = NEW(struct work);
	w->job = j;
	w->station = mem_text(station);
	list_append(&j->works, &w->in_job);
	return w;
}

static struct job *job_new(struct group *g, bool firmware)
{
	struct job *j = NEW(struct job);
	j->group = g;
	j->firmware = firmware;
	j->loaded_us = clock_mono_us();
	list_init(&j->works);
	return j;
}

static void load(struct group *g, bool firmware)
{
	struct arena mem = { 0 };
	struct slice text;
	const cJSON *one;
	struct job *j = job_new(g, firmware);
	cJSON *tree = kept_get(g->gw->store, g->face->id, kept_name(j), &mem, &text) == 0 ? json_parse(text) : NULL;
	j->request_id = json_int(tree, "request_id", -1);
	j->told = (enum stage)json_int(tree, "told", ASKED);
	cJSON_ArrayForEach(one, json_at(tree, "works")) {
		struct work *w = work_new(j, json_text(one, "station"));
		int64_t stage = json_int(one, "stage", ASKED);
		w->stage = stage >= ASKED && stage <= FAILED ? (enum stage)stage : ASKED;
		snprintf(w->word, sizeof(w->word), "%.*s", SLICE_ARG(json_text(one, "word")));
	}
	if (tree)
		g->jobs[!firmware] = j;
	else
		job_free(j);
	cJSON_Delete(tree);
	arena_free(&mem);
}

void group_jobs_open(struct group *g)
{
	load(g, true);
	load(g, false);
}

static void review_and(struct job *j, store_done *done, void *arg)
{
	enum stage stage = slowest(j);
	bool news = stage != j->told && stage != ASKED;
	if (j->id || j->told >= DONE) {
		if (done)
			done(arg, 0, 0);
		return;
	}
	if (news) {
		j->told = stage;
		tell(j->group, j->firmware, word_of(j, stage), j->request_id);
	}
	keep(j, done, arg);
}

static void review(struct job *j)
{
	review_and(j, NULL, NULL);
}

/* --- asking --- */

static void answer(struct job *j)
{
	timer_cancel(&j->patience);
	group_answer_status(j->group, slice_of(j->id), j->act, j->any_accepted ? SLICE("Accepted") : (struct slice){ NULL, 0 });
	mem_free(j->id);
	j->id = NULL;
	if (!j->any_accepted && catalogue_refusal(j->group->version, j->act)) {
		j->told = FAILED; /* the answer has said so */
		keep(j, NULL, NULL);
	}
	review(j);
}

static void on_patience_over(void *arg)
{
	answer(arg);
}

static void fail(struct work *w, const char *word)
{
	w->stage = FAILED;
	snprintf(w->word, sizeof(w->word), "%s", word);
	log_warn(&w->job->group->log, "%s: %s %s", w->station, w->job->firmware ? "firmware update" : "log", word);
}

static void on_asked(void *arg, struct call *c, int err, struct frame *f)
{
	struct work *w = arg;
	struct job *j = w->job;
	struct arena mem = { 0 };
	struct reply r;
	(void)c;
	bool yes = !err && f && codec_read_answer(w->act, f, &mem, &r) == 0 && !r.error_code.p && (!r.status.p || slice_is(r.status, "Accepted") || slice_is(r.status, "AcceptedCanceled"));
	arena_free(&mem);
	j->unanswered--;
	if (j->replaced) {
		if (!j->unanswered)
			job_free(j);
		return;
	}
	j->any_accepted |= yes;
	if (!yes)
		fail(w, "refused");
	if (!j->unanswered && j->id)
		answer(j);
	else
		review(j);
}

static void put(struct job *j, struct member *m, struct frame *f, const struct event *e)
{
	struct work *w = work_new(j, slice_of(m->session->id));
	j->unanswered++;
	int err = member_ask(m, f, e, &w->act, on_asked, w);
	if (!err)
		return;
	j->unanswered--;
	fail(w, err == ERR_UNSUPPORTED ? "not supported" : "not asked");
}

/* The newest is what counts. */
static void replace(struct group *g, struct job *j)
{
	struct job **slot = &g->jobs[!j->firmware], *old = *slot;
	*slot = j;
	if (!old)
		return;
	if (old->id)
		answer(old);
	old->replaced = true;
	if (!old->unanswered)
		job_free(old);
}

void group_job(struct group *g, struct frame *f, const struct event *e)
{
	struct job *j = job_new(g, e->kind == CMD_FIRMWARE);
	struct member *m;
	struct event asked = *e;
	size_t at = 0;
	j->id = mem_text(f->id);
	j->act = f->act;
	j->request_id = e->request_id;
	replace(g, j);
	if (asked.request_id < 0) /* for those that want one */
		asked.request_id = clock_wall_us() / US_PER_S % INT32_MAX;
	j->unanswered = 1;
	while ((m = map_next(&g->members, &at, NULL)))
		if (member_is_here(m))
			put(j, m, f, &asked);
	if (--j->unanswered)
		timer_set(&j->patience, PATIENCE_US, on_patience_over, j);
	else
		answer(j);
}

/* --- what they report --- */

void group_job_status(struct member *m, const struct event *e, store_done *done, void *arg)
{
	struct job *j = m->group->jobs[e->kind != EV_FIRMWARE];
	if (!j) {
		done(arg, 0, 0);
		return;
	}
	LIST_WALK(&j->works, struct work, in_job, w) {
		if (strcmp(w->station, m->session->id) != 0 || w->stage == FAILED)
			continue;
		for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
			if (states[i].firmware != j->firmware || !slice_is(e->word, states[i].word))
				continue;
			if (states[i].stage == FAILED)
				fail(w, states[i].word);
			else if (states[i].stage > w->stage)
				w->stage = states[i].stage;
		}
	}
	review_and(j, done, arg);
}

static void look_for_absent(struct job *j)
{
	int64_t now = clock_mono_us(), most = j->firmware ? AWAY_FIRMWARE_US : AWAY_LOG_US;
	bool failed = false;
	LIST_WALK(&j->works, struct work, in_job, w) {
		const struct member *m = group_member(j->group, w->station);
		int64_t left_us = m ? m->left_us : j->loaded_us;
		if (w->stage >= DONE || (m && member_is_here(m)) || now - (left_us > j->loaded_us ? left_us : j->loaded_us) < most)
			continue;
		fail(w, "not heard of any more");
		failed = true;
	}
	if (failed)
		review(j);
}

void group_jobs_look(struct group *g)
{
	for (int i = 0; i < 2; i++)
		if (g->jobs[i] && !g->jobs[i]->id && g->jobs[i]->told < DONE)
			look_for_absent(g->jobs[i]);
}

void group_job_tell(struct group *g, enum event_kind kind)
{
	const struct job *j = g->jobs[kind != EV_FIRMWARE];
	bool under_way = j && !j->id && j->told != ASKED && j->told < DONE;
	tell(g, kind == EV_FIRMWARE, under_way ? word_of(j, j->told) : "Idle", under_way ? j->request_id : -1);
}

void group_jobs_close(struct group *g)
{
	for (int i = 0; i < 2; i++)
		if (g->jobs[i])
			job_free(g->jobs[i]);
}
