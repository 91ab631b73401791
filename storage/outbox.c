/* The outbox. The loop numbers records when they are handed over, so the order of the calls is the order of the numbers; a number whose commit
 * failed is left out. What is looked at often (the head of a station's queue) goes through a partial index that parked records are not in. */
#include "storage/outbox.h"

#include <assert.h>

#include "storage/pages.h"
#include "storage/rows.h"

#define ROW_OVERHEAD 200 /* bytes that a row takes beside its texts, indexes included; a guess on the safe side */

struct put {
	struct job job;
	struct outbox_rec rec;
};

struct change { /* of one record, or of a station's */
	struct job job;
	int64_t seq;
	const char *text; /* the reason, the CSMS's id, or the station */
};

struct outbox_rec outbox_copy(struct arena *mem, const struct outbox_rec *rec)
{
	struct outbox_rec copy = *rec;
	copy.station = arena_text(mem, slice_of(rec->station));
	copy.action = arena_text(mem, slice_of(rec->action));
	copy.message_id = arena_text(mem, slice_of(rec->message_id));
	copy.payload = rec->payload.p ? arena_slice(mem, rec->payload) : rec->payload;
	copy.tx = rec->tx ? arena_text(mem, slice_of(rec->tx)) : NULL;
	if (rec->fingerprint)
		copy.fingerprint = (const unsigned char *)arena_slice(mem, (struct slice){ (const char *)rec->fingerprint, 16 }).p;
	return copy;
}

/* The fingerprint is taken note of, and that of OUTBOX_SEEN messages ago forgotten. */
static void remember(struct db *d, const struct outbox_rec *rec)
{
	struct query q = query_open(d, "INSERT INTO seen (station, fingerprint, seq) VALUES (?, ?, ?)");
	give_text(&q, rec->station);
	give_blob(&q, rec->fingerprint, 16);
	give_int(&q, rec->seq);
	query_run(&q);
	q = query_open(d, "DELETE FROM seen WHERE station = ?1 AND seq <="
			  " (SELECT seq FROM seen WHERE station = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)");
	give_text(&q, rec->station);
	give_int(&q, OUTBOX_SEEN);
	query_run(&q);
}

void outbox_insert(struct db *d, const struct outbox_rec *rec)
{
	db_admit(d, rec->payload.n + ROW_OVERHEAD, rec->kind == OUTBOX_TX_UPDATE || rec->kind == OUTBOX_TX_END);
	struct query q = query_open(d, "INSERT INTO outbox (seq, station, kind, state, version, action, message_id, payload, tx, start_seq,"
				       " wall_us, mono_us, clock_trusted, late, boot, thin, attempts) VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)");
	give_int(&q, rec->seq);
	give_text(&q, rec->station);
	give_int(&q, rec->kind);
	give_int(&q, rec->version);
	give_text(&q, rec->action);
	give_text(&q, rec->message_id);
	give_bytes(&q, rec->payload);
	give_text(&q, rec->tx);
	give_int(&q, rec->start_seq);
	give_int(&q, rec->wall_us);
	give_int(&q, rec->mono_us);
	give_int(&q, rec->clock);
	give_int(&q, rec->late);
	give_int(&q, rec->boot);
	give_int(&q, rec->thin);
	query_run(&q);
	if (rec->fingerprint)
		remember(d, rec);
}

static void run_put(struct job *j, struct db *d)
{
	struct put *p = (struct put *)j;
	outbox_insert(d, &p->rec);
	j->value = p->rec.seq;
}

int outbox_put(struct store *s, const struct outbox_rec *rec, store_done *done, void *arg)
{
	assert(rec->station && rec->action && rec->message_id);
	struct put *p = job_new(sizeof(*p), run_put, done, arg);
	p->rec = outbox_copy(&p->job.mem, rec);
	p->rec.seq = store_next_seq(s);
	p->job.counted = p->rec.station;
	return job_post(s, &p->job);
}

static int post_change(struct store *s, void (*run)(struct job *j, struct db *d), int64_t seq, const char *text, store_done *done, void *arg)
{
	struct change *c = job_new(sizeof(*c), run, done, arg);
	c->seq = seq;
	c->text = text ? arena_text(&c->job.mem, slice_of(text)) : NULL;
	c->job.value = seq;
	return job_post(s, &c->job);
}

static void run_mark_sent(struct job *j, struct db *d)
{
	struct change *c = (struct change *)j;
	struct query q = query_open(d, "UPDATE outbox SET state = 1, attempts = attempts + 1 WHERE seq = ? AND state < 2");
	give_int(&q, c->seq);
	if (query_run(&q) == 0)
		db_fail(d, ERR_NOT_FOUND);
	q = query_open(d, "SELECT attempts FROM outbox WHERE seq = ?");
	give_int(&q, c->seq);
	if (query_next(&q))
		j->value = take_int(&q);
	query_close(&q);
}

int outbox_mark_sent(struct store *s, int64_t seq, store_done *done, void *arg)
{
	return post_change(s, run_mark_sent, seq, NULL, done, arg);
}

static void run_mark_failed(struct job *j, struct db *d)
{
	struct change *c = (struct change *)j;
	struct query q = query_open(d, "UPDATE outbox SET failures = failures + 1 WHERE seq = ?");
	give_int(&q, c->seq);
	if (query_run(&q) == 0)
		db_fail(d, ERR_NOT_FOUND);
	q = query_open(d, "SELECT failures FROM outbox WHERE seq = ?");
	give_int(&q, c->seq);
	if (query_next(&q))
		j->value = take_int(&q);
	query_close(&q);
}

int outbox_mark_failed(struct store *s, int64_t seq, store_done *done, void *arg)
{
	return post_change(s, run_mark_failed, seq, NULL, done, arg);
}

static const char *station_of(struct job *j, struct db *d, int64_t seq, enum outbox_kind *kind_out, enum outbox_state *state_out)
{
	const char *station = NULL;
	struct query q = query_open(d, "SELECT station, kind, state FROM outbox WHERE seq = ?");
	give_int(&q, seq);
	if (query_next(&q)) {
		station = take_text(&q, &j->mem);
		*kind_out = (enum outbox_kind)take_int(&q);
		*state_out = (enum outbox_state)take_int(&q);
	}
	query_close(&q);
	return station;
}

static void run_park(struct job *j, struct db *d)
{
	struct change *c = (struct change *)j;
	enum outbox_kind kind;
	enum outbox_state state = OUTBOX_UNSENT;
	const char *station = station_of(j, d, c->seq, &kind, &state);
	struct query q = query_open(d, "UPDATE outbox SET state = 2, parked_why = ? WHERE seq = ?");
	give_text(&q, c->text);
	give_int(&q, c->seq);
	if (query_run(&q) == 0)
		db_fail(d, ERR_NOT_FOUND);
	else if (state != OUTBOX_PARKED)
		job_effect(j, station, -1, 1, 0);
}

int outbox_park(struct store *s, int64_t seq, const char *why, store_done *done, void *arg)
{
	return post_change(s, run_park, seq, why, done, arg);
}

static void run_retry(struct job *j, struct db *d)
{
	struct change *c = (struct change *)j;
	struct query q = query_open(d, "SELECT station, count(*) FROM outbox WHERE state = 2 AND (?1 IS NULL OR station = ?1) GROUP BY station");
	give_text(&q, c->text);
	while (query_next(&q)) {
		const char *station = take_text(&q, &j->mem);
		int64_t n = take_int(&q);
		job_effect(j, station, n, -n, 0);
	}
	query_close(&q);
	q = query_open(d, "UPDATE outbox SET state = 0, attempts = 0, failures = 0, parked_why = NULL WHERE state = 2 AND (?1 IS NULL OR station = ?1)");
	give_text(&q, c->text);
	j->value = query_run(&q);
}

int outbox_retry(struct store *s, const char *station, store_done *done, void *arg)
{
	return post_change(s, run_retry, 0, station, done, arg);
}

bool outbox_delete(struct job *j, struct db *d, int64_t seq, enum outbox_kind *kind_out)
{
	enum outbox_state state = OUTBOX_UNSENT;
	const char *station = station_of(j, d, seq, kind_out, &state);
	struct query q = query_open(d, "DELETE FROM outbox WHERE seq = ?");
	give_int(&q, seq);
	query_run(&q);
	if (station)
		job_effect(j, station, -(state != OUTBOX_PARKED), -(state == OUTBOX_PARKED), 0);
	return station != NULL;
}

static void run_confirm(struct job *j, struct db *d)
{
	struct change *c = (struct change *)j;
	enum outbox_kind kind;
	if (!outbox_delete(j, d, c->seq, &kind))
		db_fail(d, ERR_NOT_FOUND);
	else if (kind == OUTBOX_TX_START)
		tx_bind(j, d, c->seq, c->text);
}

int outbox_confirm(struct store *s, int64_t seq, const char *csms_tx, store_done *done, void *arg)
{
	return post_change(s, run_confirm, seq, csms_tx, done, arg);
}

static void run_answered(struct job *j, struct db *d)
{
	struct change *c = (struct change *)j;
	enum outbox_kind kind;
	enum outbox_state state;
	const char *station = station_of(j, d, c->seq, &kind, &state);
	struct query q = query_open(d, "UPDATE seen SET answer = ? WHERE station = ? AND seq = ?");
	give_text(&q, c->text);
	give_text(&q, station);
	give_int(&q, c->seq);
	query_run(&q);
	if (!outbox_delete(j, d, c->seq, &kind))
		db_fail(d, ERR_NOT_FOUND);
}

int outbox_answered(struct store *s, int64_t seq, const char *answer, store_done *done, void *arg)
{
	return post_change(s, run_answered, seq, answer, done, arg);
}

static void run_thin(struct job *j, struct db *d)
{
	struct gone {
		int64_t seq;
		const char *station;
	} *gone = arena_new(&j->mem, OUTBOX_THINNED * sizeof(*gone));
	size_t n = 0;
	struct query q = query_open(d, "SELECT seq, station FROM (SELECT seq, station, row_number() OVER (PARTITION BY station, tx ORDER BY seq) AS n"
				       " FROM outbox WHERE thin = 1 AND state = 0) WHERE n % 2 = 0 LIMIT ?");
	give_int(&q, OUTBOX_THINNED);
	while (query_next(&q)) {
		gone[n].seq = take_int(&q);
		gone[n++].station = take_text(&q, &j->mem);
	}
	query_close(&q);
	for (size_t i = 0; i < n; i++) {
		q = query_open(d, "DELETE FROM outbox WHERE seq = ?");
		give_int(&q, gone[i].seq);
		query_run(&q);
		job_effect(j, gone[i].station, -1, 0, 0);
	}
	j->value = (int64_t)n;
}

int outbox_thin(struct store *s, store_done *done, void *arg)
{
	return job_post(s, job_new(sizeof(struct job), run_thin, done, arg));
}

struct correct {
	struct job job;
	int64_t boot, wall_from_mono_us;
};

static void run_correct(struct job *j, struct db *d)
{
	struct correct *c = (struct correct *)j;
	struct query q = query_open(d, "UPDATE outbox SET shift_us = mono_us + ?1 - wall_us, wall_us = mono_us + ?1, clock_trusted = 2"
				       " WHERE clock_trusted = 0 AND boot = ?2");
	give_int(&q, c->wall_from_mono_us);
	give_int(&q, c->boot);
	j->value = query_run(&q);
}

int outbox_correct(struct store *s, int64_t boot, int64_t wall_from_mono_us, store_done *done, void *arg)
{
	struct correct *c = job_new(sizeof(*c), run_correct, done, arg);
	c->boot = boot;
	c->wall_from_mono_us = wall_from_mono_us;
	return job_post(s, &c->job);
}

int outbox_seen(struct store *s, const char *station, const unsigned char fingerprint[16], struct arena *mem, struct seen_rec *out)
{
	struct db *d = store_reader(s);
	struct query q = query_open(d, "SELECT seen.seq, answer, outbox.seq IS NOT NULL, state FROM seen LEFT JOIN outbox USING (seq)"
				       " WHERE seen.station = ? AND fingerprint = ?");
	give_text(&q, station);
	give_blob(&q, fingerprint, 16);
	bool found = query_next(&q);
	if (found) {
		out->seq = take_int(&q);
		out->answer = take_text(&q, mem);
		out->kept = take_int(&q);
		out->state = (enum outbox_state)take_int(&q);
	}
	query_close(&q);
	return d->err ? d->err : found ? 0 : ERR_NOT_FOUND;
}

int64_t outbox_count(const struct store *s, const char *station)
{
	return store_counts(s, station)->waiting;
}

bool outbox_has_tx(struct store *s, const char *station, const char *tx)
{
	if (!tx)
		return outbox_count(s, station) > 0;
	struct query q = query_open(store_reader(s), "SELECT 1 FROM outbox WHERE station = ? AND state < 2 AND tx = ? LIMIT 1");
	give_text(&q, station);
	give_text(&q, tx);
	bool found = query_next(&q);
	query_close(&q);
	return found;
}

int64_t outbox_parked(const struct store *s)
{
	return store_counts(s, NULL)->parked;
}

void outbox_stations(const struct store *s, void (*see)(void *arg, const char *station), void *arg)
{
	const struct map *all = store_all_counts(s);
	const struct station_counts *c;
	const char *station;
	struct arena mem = { 0 };
	const char **names = arena_new(&mem, (all->count + 1) * sizeof(*names));
	size_t at = 0, n = 0;
	while ((c = map_next(all, &at, &station)))
		if (c->waiting)
			names[n++] = arena_text(&mem, slice_of(station));
	for (size_t i = 0; i < n; i++)
		see(arg, names[i]);
	arena_free(&mem);
}

#define COLUMNS "seq, station, kind, state, version, action, message_id, payload, tx, start_seq, wall_us, mono_us, clock_trusted, late, attempts," \
		" parked_why, failures, boot, shift_us"

static void take(struct query *q, struct arena *mem, void *row)
{
	struct outbox_rec *r = row;
	r->seq = take_int(q);
	r->station = take_text(q, mem);
	r->kind = (enum outbox_kind)take_int(q);
	r->state = (enum outbox_state)take_int(q);
	r->version = (int)take_int(q);
	r->action = take_text(q, mem);
	r->message_id = take_text(q, mem);
	r->payload = take_bytes(q, mem);
	r->tx = take_text(q, mem);
	r->start_seq = take_int(q);
	r->wall_us = take_int(q);
	r->mono_us = take_int(q);
	r->clock = (enum clock_quality)take_int(q);
	r->late = take_int(q);
	r->attempts = (int)take_int(q);
	r->parked_why = take_text(q, mem);
	r->failures = (int)take_int(q);
	r->boot = take_int(q);
	r->shift_us = take_int(q);
}

int outbox_head(struct store *s, const char *station, struct arena *mem, struct outbox_rec *out)
{
	struct db *d = store_reader(s);
	struct query q = query_open(d, "SELECT " COLUMNS " FROM outbox WHERE station = ? AND state < 2 ORDER BY seq LIMIT 1");
	give_text(&q, station);
	bool found = query_next(&q);
	if (found)
		take(&q, mem, out);
	query_close(&q);
	return d->err ? d->err : found ? 0 : ERR_NOT_FOUND;
}

int64_t outbox_oldest_us(struct store *s)
{
	return db_number(store_reader(s), "SELECT wall_us FROM outbox ORDER BY seq LIMIT 1");
}

/* A station's records are in two indexes, of which each gives as many as a page may need. */
static const char page_of_station[] =
	"SELECT " COLUMNS " FROM outbox WHERE seq IN ("
	" SELECT seq FROM (SELECT seq FROM outbox WHERE station = ?1 AND state < 2 AND seq > ?2 ORDER BY seq LIMIT ?3)"
	" UNION SELECT seq FROM (SELECT seq FROM outbox WHERE station = ?1 AND state = 2 AND seq > ?2 ORDER BY seq LIMIT ?3))"
	" ORDER BY seq LIMIT ?3";
static const char page_of_all[] = "SELECT " COLUMNS " FROM outbox WHERE ?1 IS NULL AND seq > ?2 ORDER BY seq LIMIT ?3";

struct list_of { /* an argument of pages_walk */
	struct pages pages;
	const char *station;
	int64_t after_seq;
	bool (*see)(void *arg, const struct outbox_rec *rec);
	void *arg;
};

static struct query ask(const struct pages *p, struct db *d, const void *after)
{
	const struct list_of *l = (const struct list_of *)p;
	struct query q = query_open(d, l->station ? page_of_station : page_of_all);
	give_text(&q, l->station);
	give_int(&q, after ? ((const struct outbox_rec *)after)->seq : l->after_seq);
	give_int(&q, PAGE_ROWS);
	return q;
}

static bool show(const struct pages *p, const void *row)
{
	const struct list_of *l = (const struct list_of *)p;
	return l->see(l->arg, row);
}

int outbox_each(struct store *s, const char *station, int64_t after_seq, bool (*see)(void *arg, const struct outbox_rec *rec), void *arg)
{
	struct list_of l = { { sizeof(struct outbox_rec), ask, take, show }, station, after_seq, see, arg };
	return pages_walk(s, &l.pages);
}
