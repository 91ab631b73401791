/* Firmware updates and logs: one job of the CSMS is one job at every station that is here, and what they report is told as one.
 *
 *   asked -> some accept -> under way: the state of the slowest -> all are through: the good end, or a bad one if it went wrong anywhere
 *
 * A station that refuses, or goes away for good while others finish, counts as failed, so the CSMS never hears of an end that is not one. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/group/group-local.h"

#define PATIENCE_US (20 * US_PER_S)

enum stage { ASKED, FETCHING, FETCHED, WORKING, DONE, FAILED };

struct work {
	struct list in_job;
	struct job *job;
	struct member *member;
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

static void review(struct job *j)
{
	enum stage stage = slowest(j);
	if (stage == j->told || stage == ASKED || j->id)
		return;
	j->told = stage;
	tell(j->group, j->firmware, word_of(j, stage), j->request_id);
}

/* --- asking --- */

static void answer(struct job *j)
{
	timer_cancel(&j->patience);
	group_answer_status(j->group, slice_of(j->id), j->act, j->any_accepted ? SLICE("Accepted") : (struct slice){ NULL, 0 });
	mem_free(j->id);
	j->id = NULL;
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
	log_warn(&w->job->group->log, "%s: %s %s", w->member->session->id, w->job->firmware ? "firmware update" : "log", word);
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
	struct work *w = NEW(struct work);
	w->job = j;
	w->member = m;
	list_append(&j->works, &w->in_job);
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
	struct job *j = NEW(struct job);
	struct member *m;
	struct event asked = *e;
	size_t at = 0;
	j->group = g;
	j->firmware = e->kind == CMD_FIRMWARE;
	j->id = mem_text(f->id);
	j->act = f->act;
	j->request_id = e->request_id;
	list_init(&j->works);
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

void group_job_status(struct member *m, const struct event *e)
{
	struct job *j = m->group->jobs[e->kind != EV_FIRMWARE];
	if (!j)
		return;
	LIST_WALK(&j->works, struct work, in_job, w) {
		if (w->member != m || w->stage == FAILED)
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
	review(j);
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
