/* GetChargingProfiles of the whole (2.x, K09): what the CSMS has installed through the group, by the records that the sessions keep of what their
 * stations took. So it is told of stations that are away, and of those whose version has no such question, too.
 *
 * Easy to get wrong: a default for the whole was put to every station and is one profile to the CSMS; and a maximum of the whole is the group's own. */
#include <string.h>

#include "base/mem.h"
#include "gateway/group/group-local.h"
#include "gateway/power/csms-profiles.h"
#include "ocpp/profile-report.h"
#include "ocpp/profile-write.h"
#include "ocpp/splice.h"

#define WHOLE_MOST 64 /* profiles of EVSE 0 */

/* What stands on one number. */
struct stand {
	int number;
	struct buf list;
	size_t n;
};

struct account {
	struct group *group;
	const struct profile_query *query;
	const struct session *session;
	int evse;                 /* the member's */
	struct stand *stands;
	size_t n_stands;          /* the last one is being filled */
	int64_t whole[WHOLE_MOST]; /* ids that were told of EVSE 0 */
	size_t n_whole;
};

static bool was_told(struct account *a, int64_t id)
{
	for (size_t i = 0; i < a->n_whole; i++)
		if (a->whole[i] == id)
			return true;
	if (a->n_whole < WHOLE_MOST)
		a->whole[a->n_whole++] = id;
	return false;
}

/* The profile in the words of the group's version. */
static void translate(const struct account *a, struct slice message, struct buf *out)
{
	struct buf text = { 0 };
	struct frame f;
	struct frame_fault fault;
	struct arena mem = { 0 };
	struct event e;
	const struct action *act;
	frame_write_call(&text, SLICE("1"), "SetChargingProfile", message);
	bool readable = frame_parse(&f, a->session->version, buf_view(&text), &fault) == 0;
	if (readable && codec_read_call(&f, &mem, &e) == 0 && profile_write_message(a->group->version, &f, &e, out, &act) != 0)
		buf_reset(out);
	if (readable)
		frame_done(&f);
	arena_free(&mem);
	buf_free(&text);
}

/* With the transaction as the CSMS knows it. */
static void add_text(struct account *a, struct slice profile)
{
	struct stand *at = &a->stands[a->n_stands - 1];
	struct buf quoted = { 0 };
	struct slice tx = splice_find(profile, "transactionId");
	const struct named *n = tx.n > 2 ? named_of(a->group, a->session->id, (struct slice){ tx.p + 1, tx.n - 2 }) : NULL;
	buf_puts(&at->list, at->n++ ? "," : "");
	if (n && n->up_tx) {
		json_quote(&quoted, slice_of(n->up_tx));
		splice_write(&at->list, profile, tx, buf_view(&quoted));
	} else {
		buf_slice(&at->list, profile);
	}
	buf_free(&quoted);
}

static void see(void *arg, int evse, const struct charging_profile *p, struct slice message)
{
	struct account *a = arg;
	struct buf other = { 0 };
	struct slice own = splice_find(message, "chargingProfile");
	if (evse != a->evse || !profile_query_fits(a->query, a->stands[a->n_stands - 1].number, p) || (evse == 0 && was_told(a, p->id)))
		return;
	if (!own.n) {
		translate(a, message, &other);
		own = splice_find(buf_view(&other), "chargingProfile");
	}
	if (own.n)
		add_text(a, own);
	buf_free(&other);
}

/* An empty one is filled anew. */
static void begin_number(struct account *a, int number)
{
	if (!a->n_stands || a->stands[a->n_stands - 1].n) {
		a->stands = mem_grow(a->stands, (a->n_stands + 1) * sizeof(*a->stands));
		a->stands[a->n_stands++] = (struct stand){ 0 };
	}
	a->stands[a->n_stands - 1].number = number;
}

static void of_session(struct account *a, const struct session *s, int evse)
{
	a->session = s;
	a->evse = evse;
	csms_profiles_each(s, see, a);
}

static void collect(struct account *a)
{
	size_t at = 0;
	struct member *m;
	begin_number(a, 0);
	of_session(a, a->group->face, 0);
	while ((m = map_next(&a->group->members, &at, NULL)))
		of_session(a, m->session, 0);
	LIST_WALK(&a->group->places, struct place, in_group, p) {
		begin_number(a, p->number);
		m = group_member(a->group, p->station);
		if (m)
			of_session(a, m->session, p->evse);
	}
	if (!a->stands[a->n_stands - 1].n)
		a->n_stands--;
}

static void report(struct account *a, const struct stand *s, bool more)
{
	struct buf payload = { 0 };
	struct slice list = buf_view(&s->list);
	const struct action *act;
	if (profile_write_report(a->group->version, a->query->request_id, "CSO", s->number, more, &list, 1, &payload, &act) == 0)
		group_ask(a->group, act, buf_view(&payload), NULL, NULL);
	buf_free(&payload);
}

void group_profiles(struct group *g, struct frame *f, struct event *e)
{
	struct profile_query q;
	(void)e;
	profile_query_read(f, &q);
	struct account a = { .group = g, .query = &q };
	collect(&a);
	group_answer_status(g, f->id, f->act, a.n_stands ? SLICE("Accepted") : SLICE("NoProfiles"));
	for (size_t i = 0; i < a.n_stands; i++) {
		report(&a, &a.stands[i], i + 1 < a.n_stands);
		buf_free(&a.stands[i].list);
	}
	mem_free(a.stands);
}
