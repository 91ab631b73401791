/* One CALL of the CSMS put to all members that are here, and one answer that holds for the group.
 *
 * Under FAN_ALL the answer is the worst of all: a CSMS that hears Accepted may count on every station. Under FAN_ANY it is the best: one
 * station that has what is asked for is enough. Who does not answer in time is a no. With nobody here it is the message's own word for no. A station that has nothing of what is to be
 * taken away, or does without what only some have (a list, a display), does not make it a no: what was asked holds there too. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/group/group-local.h"
#include "ocpp/convert.h"

#define PATIENCE_US (20 * US_PER_S)  /* a CSMS gives up on an answer after half a minute */

struct fan {
	struct group *group;
	char *id;
	const struct action *act;
	enum event_kind kind;
	enum fan_rule rule;
	unsigned waiting, asked;
	bool answered;
	char word[40];               /* what it comes to so far; "" */
	char reason[24], info[160];  /* of a no, as the standard's list and as text; "" */
	char nothing[40];            /* what those say who have nothing of it; "" */
	struct timer patience;
};

/* One of those that were asked. */
struct fanned {
	struct fan *fan;
	struct member *member;
	const struct action *act;
};

/* From a plain yes to a plain no. */
static const char *const words[] = { "Accepted", "AcceptedWithWarning", "RebootRequired", "AcceptedCanceled", "Scheduled", "NotSupported",
	"NotImplemented", "EmptyResultSet", "UnknownMessageId", "UnknownVendorId", "Unknown", "NotFound", "VersionMismatch", "NotSupportedPriority",
	"NotSupportedState", "NotSupportedMessageFormat", "UnknownTransaction", "Rejected", "Failed", NULL };

static size_t rank(const char *word)
{
	size_t i = 0;
	while (words[i] && strcmp(words[i], word) != 0)
		i++;
	return i;
}

static bool has_nothing(const struct fan *n, const char *word)
{
	return n->rule == FAN_ALL && (strcmp(word, "NotFound") == 0 || strcmp(word, "Unknown") == 0);
}

/* True: it is what the answer comes to now. */
static bool merge(struct fan *n, const char *word)
{
	if (has_nothing(n, word)) {
		snprintf(n->nothing, sizeof(n->nothing), "%s", word);
		return false;
	}
	bool worse = rank(word) > rank(n->word);
	if (n->word[0] && (n->rule == FAN_ALL) != worse)
		return false;
	snprintf(n->word, sizeof(n->word), "%s", word);
	n->reason[0] = n->info[0] = 0;
	return true;
}

static bool is_no(const char *word)
{
	return rank(word) > rank("Scheduled");
}

/* The same, and where it is the no that counts, whose it is and why. */
static void merge_of(struct fan *n, const struct member *m, const char *word, struct slice reason, struct slice info)
{
	bool lacks = strcmp(word, "NotSupported") == 0 || strcmp(word, "NotImplemented") == 0;
	if (!merge(n, word) || !is_no(word))
		return;
	snprintf(n->reason, sizeof(n->reason), "%.*s", SLICE_ARG(reason.n ? reason : slice_of(lacks ? "UnsupportedRequest" : "Unspecified")));
	snprintf(n->info, sizeof(n->info), "%s: %s%s%.*s", m->session->id, word, info.n ? ", " : "", SLICE_ARG(info));
}

/* Members may say it in a word that the group's version has for something else, or does not have. */
static void answer(struct fan *n)
{
	struct buf payload = { 0 };
	struct reply r;
	n->answered = true;
	timer_cancel(&n->patience);
	reply_init(&r);
	r.status = slice_of(n->word[0] ? n->word : n->nothing[0] ? n->nothing : NULL);
	r.reason = slice_of(n->reason[0] ? n->reason : NULL);
	r.info = slice_of(n->info);
	if (convert_reply(n->group->version, n->act, &r, &payload) != 0)
		buf_puts(&payload, "{}");
	group_answer(n->group, slice_of(n->id), buf_view(&payload));
	buf_free(&payload);
}

static void on_patience_over(void *arg)
{
	struct fan *n = arg;
	log_warn(&n->group->log, "%u of %u stations have not answered %s in time", n->waiting, n->asked, n->act->name);
	if (merge(n, "Rejected")) {
		snprintf(n->reason, sizeof(n->reason), "Unspecified");
		snprintf(n->info, sizeof(n->info), "%u of %u stations have not answered in time", n->waiting, n->asked);
	}
	answer(n);
}

/* What a station may do without: it has then nothing to be told. */
static bool may_lack(const struct fan *n)
{
	static const char *const names[] = { "SetDisplayMessage", "ClearDisplayMessage", "SetMonitoringBase", "SetMonitoringLevel" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(n->act->name, names[i]) == 0)
			return true;
	return n->kind == CMD_SEND_LIST || n->kind == CMD_CLEAR_CACHE;
}

static bool is_unsupported(struct slice code)
{
	return slice_is(code, "NotImplemented") || slice_is(code, "NotSupported");
}

static void note(struct fan *n, const struct fanned *d, int err, struct frame *f)
{
	struct arena mem = { 0 };
	struct reply r;
	char word[40] = "Rejected";
	reply_init(&r);
	if (!err && f && codec_read_answer(d->act, f, &mem, &r) == 0) {
		if (r.status.p)
			snprintf(word, sizeof(word), "%.*s", SLICE_ARG(r.status));
		else if (is_unsupported(r.error_code))
			snprintf(word, sizeof(word), "NotSupported");
	}
	if (!(may_lack(n) && strcmp(word, "NotSupported") == 0))
		merge_of(n, d->member, word, r.reason, r.info.n ? r.info : r.error_code);
	arena_free(&mem);
	if (is_no(word))
		log_info(&n->group->log, "%s answers %s to %s", d->member->session->id, word, d->act ? d->act->name : n->act->name);
}

static void on_fanned(void *arg, struct call *c, int err, struct frame *f)
{
	struct fanned *d = arg;
	struct fan *n = d->fan;
	(void)c;
	if (!n->answered)
		note(n, d, err, f);
	mem_free(d);
	if (--n->waiting)
		return;
	if (!n->answered)
		answer(n);
	mem_free(n->id);
	mem_free(n);
}

static void put(struct fan *n, struct member *m, struct frame *f, const struct event *e)
{
	struct fanned *d = NEW(struct fanned);
	*d = (struct fanned){ n, m, NULL };
	n->waiting++;
	n->asked++;
	int err = member_ask(m, f, e, &d->act, on_fanned, d);
	if (!err)
		return;
	n->waiting--;
	mem_free(d);
	if (!may_lack(n) || err != ERR_UNSUPPORTED)
		merge_of(n, m, err == ERR_UNSUPPORTED ? "NotSupported" : "Rejected", (struct slice){ NULL, 0 }, (struct slice){ NULL, 0 });
}

void group_fan(struct group *g, struct frame *f, const struct event *e, enum fan_rule rule, const char *ours)
{
	struct fan *n = NEW(struct fan);
	struct member *m;
	size_t at = 0;
	*n = (struct fan){ .group = g, .id = mem_text(f->id), .act = f->act, .kind = e->kind, .rule = rule, .waiting = 1 };
	if (ours)
		merge(n, ours);
	while ((m = map_next(&g->members, &at, NULL)))
		if (member_is_here(m))
			put(n, m, f, e);
	if (--n->waiting) {
		timer_set(&n->patience, PATIENCE_US, on_patience_over, n);
		return;
	}
	answer(n);
	mem_free(n->id);
	mem_free(n);
}
