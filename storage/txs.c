/* The ledger of transactions and the ids that stand for them.
 *
 * A station knows a transaction by station_tx, the CSMS by csms_tx. Both are text and the two sides draw from one space of numbers without
 * asking each other, so both directions need care: a provisional id must not be one that the CSMS gave to this station before (give_id skips
 * those), and an id that the CSMS gives must not reach a station that was told the same number for something else (run_answered takes a
 * provisional one instead). Ids of other stations do not matter, as no frame is looked up without its station. */
#include "storage/txs.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "storage/pages.h"
#include "storage/rows.h"
#include "storage/schema.h"

#define ROW_OVERHEAD 400
#define TRIM_MOST 500

struct start {
	struct job job;
	struct outbox_rec rec;
	struct tx_rec tx;
	bool provisional;
	const char *answer;
};

struct naming { /* of a transaction, by tx_assign and tx_answered */
	struct job job;
	int64_t start_seq;
	const char *station_tx, *csms_tx, *answer;
};

struct stop {
	struct job job;
	const char *station, *station_tx, *reason;
	int64_t stop_us, noted_us;
	double stop_wh;
};

struct ending { /* a stop with its record */
	struct stop stop;
	struct outbox_rec rec;
};

struct trim {
	struct job job;
	int64_t older_than_us;
};

struct names { /* what a row says now */
	const char *station, *station_tx, *csms_tx;
};

static const char *copy(struct arena *mem, const char *text)
{
	return text ? arena_text(mem, slice_of(text)) : NULL;
}

/* The fingerprint: two 64-bit FNV-1a sums with different primes, mixed at the end. It is stored, so it never changes. */

struct sums {
	uint64_t a, b;
};

static void add(struct sums *s, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char byte = ((const unsigned char *)bytes)[i];
		s->a = (s->a ^ byte) * UINT64_C(0x100000001b3);
		s->b = (s->b ^ (byte + 0x5bu)) * UINT64_C(0x9e3779b97f4a7c15);
	}
}

static void put_mixed(uint64_t x, unsigned char out[8])
{
	x = (x ^ (x >> 33)) * UINT64_C(0xff51afd7ed558ccd);
	x = (x ^ (x >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
	x ^= x >> 33;
	for (int i = 0; i < 8; i++)
		out[i] = (unsigned char)(x >> (56 - 8 * i));
}

void tx_fingerprint(const char *station, int evse, struct slice token, int64_t time_us, double meter_wh, unsigned char out[16])
{
	char rest[96];
	struct sums s = { UINT64_C(0xcbf29ce484222325), UINT64_C(0x84222325cbf29ce4) };
	int n = snprintf(rest, sizeof(rest), "\n%d\n%" PRId64 "\n%.3f\n", evse, time_us, isnan(meter_wh) ? -1.0 : meter_wh);
	add(&s, station, strlen(station));
	add(&s, rest, (size_t)n < sizeof(rest) ? (size_t)n : sizeof(rest) - 1);
	add(&s, token.p, token.n);
	put_mixed(s.a ^ (s.b >> 7), out);
	put_mixed(s.b, out + 8);
}

/* Ids. */

static bool is_mapped(const char *station_tx, const char *csms_tx)
{
	return station_tx && (!csms_tx || strcmp(station_tx, csms_tx) != 0);
}

static bool known(struct db *d, const char *station, const char *id)
{
	struct query q = query_open(d, "SELECT 1 FROM tx WHERE station = ?1 AND csms_tx = ?2 UNION ALL"
				       " SELECT 1 FROM tx WHERE station = ?1 AND station_tx = ?2");
	give_text(&q, station);
	give_text(&q, id);
	bool found = query_next(&q);
	query_close(&q);
	return found;
}

/* The next provisional id that this station has not met. */
static const char *give_id(struct job *j, struct db *d, const char *station)
{
	const char *id;
	do {
		struct query q = query_open(d, "UPDATE counter SET value = value + 1 WHERE name = 'provisional'");
		query_run(&q);
		j->value = db_number(d, "SELECT value FROM counter WHERE name = 'provisional'");
		if (!d->err && (j->value < PROVISIONAL_FIRST || j->value > PROVISIONAL_LAST))
			db_fail(d, ERR_FULL); /* hundreds of millions of starts without a CSMS */
		id = arena_printf(&j->mem, "%" PRId64, j->value);
	} while (!d->err && known(d, station, id));
	return id;
}

static const char *with_id(struct arena *mem, const char *answer, const char *id)
{
	static const char mark[] = "%ID%";
	struct buf text = { 0 };
	if (!answer || !id)
		return answer;
	for (const char *at; (at = strstr(answer, mark)); answer = at + sizeof(mark) - 1) {
		buf_add(&text, answer, (size_t)(at - answer));
		buf_puts(&text, id);
	}
	buf_puts(&text, answer);
	const char *result = arena_text(mem, buf_view(&text));
	buf_free(&text);
	return result;
}

/* Steps. */

static void insert(struct job *j, struct db *d, const struct tx_rec *t, int64_t noted_us)
{
	struct query q = query_open(d, "INSERT INTO tx (start_seq, station, fingerprint, station_tx, csms_tx, answer, evse, token, start_us, stop_us,"
				       " start_wh, stop_wh, stop_reason, offline, running, confirmed, noted_us)"
				       " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, ?)");
	give_int(&q, t->start_seq);
	give_text(&q, t->station);
	give_blob(&q, t->fingerprint, sizeof(t->fingerprint));
	give_text(&q, t->station_tx);
	give_text(&q, t->csms_tx);
	give_text(&q, t->answer);
	give_int(&q, t->evse);
	give_text(&q, t->token);
	give_int(&q, t->start_us);
	give_int(&q, t->stop_us);
	give_real(&q, t->start_wh);
	give_real(&q, t->stop_wh);
	give_text(&q, t->stop_reason);
	give_int(&q, t->offline);
	give_int(&q, noted_us);
	query_run(&q);
	job_effect(j, t->station, 0, 0, is_mapped(t->station_tx, t->csms_tx));
}

static bool read_names(struct job *j, struct db *d, int64_t start_seq, struct names *out)
{
	struct query q = query_open(d, "SELECT station, station_tx, csms_tx FROM tx WHERE start_seq = ?");
	give_int(&q, start_seq);
	bool found = query_next(&q);
	if (found) {
		out->station = take_text(&q, &j->mem);
		out->station_tx = take_text(&q, &j->mem);
		out->csms_tx = take_text(&q, &j->mem);
	}
	query_close(&q);
	return found;
}

/* Puts names in; NULL keeps what is there. */
static void set_names(struct job *j, struct db *d, int64_t start_seq, const struct names *now, const char *station_tx, const char *csms_tx)
{
	struct query q = query_open(d, "UPDATE tx SET station_tx = ?, csms_tx = ? WHERE start_seq = ?");
	station_tx = station_tx ? station_tx : now->station_tx;
	csms_tx = csms_tx ? csms_tx : now->csms_tx;
	give_text(&q, station_tx);
	give_text(&q, csms_tx);
	give_int(&q, start_seq);
	query_run(&q);
	job_effect(j, now->station, 0, 0, is_mapped(station_tx, csms_tx) - is_mapped(now->station_tx, now->csms_tx));
}

static void set_answer(struct db *d, int64_t start_seq, const char *answer)
{
	struct query q = query_open(d, "UPDATE tx SET answer = ? WHERE start_seq = ? AND answer IS NULL");
	give_text(&q, answer);
	give_int(&q, start_seq);
	query_run(&q);
}

static void set_confirmed(struct db *d, int64_t start_seq)
{
	struct query q = query_open(d, "UPDATE tx SET confirmed = 1 WHERE start_seq = ?");
	give_int(&q, start_seq);
	query_run(&q);
}

void tx_bind(struct job *j, struct db *d, int64_t start_seq, const char *csms_tx)
{
	struct names now;
	if (!read_names(j, d, start_seq, &now))
		return;
	set_names(j, d, start_seq, &now, NULL, csms_tx);
	set_confirmed(d, start_seq);
}

/* Jobs. */

static void run_start(struct job *j, struct db *d)
{
	struct start *p = (struct start *)j;
	j->value = p->rec.seq;
	db_admit(d, ROW_OVERHEAD, false);
	if (p->provisional)
		p->rec.tx = p->tx.station_tx = give_id(j, d, p->rec.station);
	p->tx.answer = p->provisional ? with_id(&j->mem, p->answer, p->tx.station_tx) : p->answer;
	insert(j, d, &p->tx, p->rec.wall_us);
	outbox_insert(d, &p->rec);
}

int tx_start(struct store *s, const struct outbox_rec *start, const struct tx_rec *tx, bool provisional, const char *answer, store_done *done,
	     void *arg)
{
	assert(start->kind == OUTBOX_TX_START && start->station && start->action && start->message_id);
	struct start *p = job_new(sizeof(*p), run_start, done, arg);
	struct arena *mem = &p->job.mem;
	p->rec = outbox_copy(mem, start);
	p->rec.seq = store_next_seq(s);
	p->tx = *tx;
	p->tx.start_seq = p->rec.seq;
	p->tx.station = p->rec.station;
	p->tx.station_tx = copy(mem, tx->station_tx);
	p->tx.csms_tx = copy(mem, tx->csms_tx);
	p->tx.token = copy(mem, tx->token);
	p->tx.stop_reason = copy(mem, tx->stop_reason);
	p->provisional = provisional;
	p->answer = copy(mem, answer);
	p->job.counted = p->rec.station;
	return job_post(s, &p->job);
}

static int post_naming(struct store *s, void (*run)(struct job *j, struct db *d), const struct naming *what, store_done *done, void *arg)
{
	struct naming *n = job_new(sizeof(*n), run, done, arg);
	n->start_seq = what->start_seq;
	n->station_tx = copy(&n->job.mem, what->station_tx);
	n->csms_tx = copy(&n->job.mem, what->csms_tx);
	n->answer = copy(&n->job.mem, what->answer);
	return job_post(s, &n->job);
}

static int64_t as_number(const char *id)
{
	int64_t value;
	return int_parse(slice_of(id), &value) == 0 ? value : 0;
}

static void run_assign(struct job *j, struct db *d)
{
	struct naming *n = (struct naming *)j;
	struct names now;
	if (!read_names(j, d, n->start_seq, &now)) {
		db_fail(d, ERR_NOT_FOUND);
		return;
	}
	const char *id = now.station_tx ? now.station_tx : give_id(j, d, now.station);
	set_names(j, d, n->start_seq, &now, id, NULL);
	set_answer(d, n->start_seq, with_id(&j->mem, n->answer, id));
	struct query q = query_open(d, "UPDATE outbox SET tx = ? WHERE seq = ?");
	give_text(&q, id);
	give_int(&q, n->start_seq);
	query_run(&q);
	j->value = as_number(id);
}

int tx_assign(struct store *s, int64_t start_seq, const char *answer, store_done *done, void *arg)
{
	return post_naming(s, run_assign, &(struct naming){ .start_seq = start_seq, .answer = answer }, done, arg);
}

/* Does the station know another transaction by this id, one that the CSMS does not call the same? (A CSMS may repeat itself: zero for all.) */
static bool means_another(struct db *d, const char *station, int64_t start_seq, const char *station_tx, const char *csms_tx)
{
	struct query q = query_open(d, "SELECT 1 FROM tx WHERE station = ? AND station_tx = ? AND start_seq <> ? AND csms_tx IS NOT ?");
	give_text(&q, station);
	give_text(&q, station_tx);
	give_int(&q, start_seq);
	give_text(&q, csms_tx);
	bool found = query_next(&q);
	query_close(&q);
	return found;
}

static const char *id_to_tell(struct job *j, struct db *d, const struct naming *n, const struct names *now)
{
	if (now->station_tx)
		return now->station_tx;
	if (!n->station_tx || means_another(d, now->station, n->start_seq, n->station_tx, n->csms_tx))
		return give_id(j, d, now->station);
	return n->station_tx;
}

static void run_answered(struct job *j, struct db *d)
{
	struct naming *n = (struct naming *)j;
	struct names now;
	enum outbox_kind kind;
	if (!read_names(j, d, n->start_seq, &now)) {
		db_fail(d, ERR_NOT_FOUND);
		return;
	}
	const char *id = id_to_tell(j, d, n, &now);
	set_names(j, d, n->start_seq, &now, id, n->csms_tx);
	set_answer(d, n->start_seq, with_id(&j->mem, n->answer, id));
	set_confirmed(d, n->start_seq);
	outbox_delete(j, d, n->start_seq, &kind);
	j->value = as_number(id);
}

int tx_answered(struct store *s, int64_t start_seq, const char *station_tx, const char *csms_tx, const char *answer, store_done *done, void *arg)
{
	struct naming what = { .start_seq = start_seq, .station_tx = station_tx, .csms_tx = csms_tx, .answer = answer };
	return post_naming(s, run_answered, &what, done, arg);
}

static void run_withdraw(struct job *j, struct db *d)
{
	static const char *const texts[] = { "DELETE FROM tx WHERE start_seq = ?", "DELETE FROM seen WHERE seq = ?" };
	const struct naming *n = (struct naming *)j;
	struct names now;
	enum outbox_kind kind;
	if (read_names(j, d, n->start_seq, &now))
		job_effect(j, now.station, 0, 0, -is_mapped(now.station_tx, now.csms_tx));
	for (size_t i = 0; i < 2; i++) {
		struct query q = query_open(d, texts[i]);
		give_int(&q, n->start_seq);
		query_run(&q);
	}
	outbox_delete(j, d, n->start_seq, &kind);
}

int tx_withdraw(struct store *s, int64_t seq, store_done *done, void *arg)
{
	return post_naming(s, run_withdraw, &(struct naming){ .start_seq = seq }, done, arg);
}

/* The transaction's start_seq; 0: there is none of that name. */
static int64_t stop_newest(struct db *d, const struct stop *p)
{
	int64_t start_seq = 0;
	struct query q = query_open(d, "SELECT start_seq FROM tx WHERE station = ? AND station_tx = ? ORDER BY start_seq DESC LIMIT 1");
	give_text(&q, p->station);
	give_text(&q, p->station_tx);
	if (query_next(&q))
		start_seq = take_int(&q);
	query_close(&q);
	q = query_open(d, "UPDATE tx SET running = 0, stop_us = ?, stop_wh = ?, stop_reason = ?, noted_us = ? WHERE start_seq = ? AND running = 1");
	give_int(&q, p->stop_us);
	give_real(&q, p->stop_wh);
	give_text(&q, p->reason);
	give_int(&q, p->noted_us);
	give_int(&q, start_seq);
	query_run(&q);
	return start_seq;
}

static void run_stop(struct job *j, struct db *d)
{
	j->value = stop_newest(d, (struct stop *)j);
	if (!j->value)
		db_fail(d, ERR_NOT_FOUND);
}

static void fill_stop(struct stop *p, const char *station, const char *station_tx, int64_t stop_us, double stop_wh, const char *reason)
{
	p->station = copy(&p->job.mem, station);
	p->station_tx = copy(&p->job.mem, station_tx);
	p->reason = copy(&p->job.mem, reason);
	p->stop_us = stop_us;
	p->stop_wh = stop_wh;
	p->noted_us = clock_wall_us();
}

int tx_stop(struct store *s, const char *station, const char *station_tx, int64_t stop_us, double stop_wh, const char *reason, store_done *done,
	    void *arg)
{
	struct stop *p = job_new(sizeof(*p), run_stop, done, arg);
	fill_stop(p, station, station_tx, stop_us, stop_wh, reason);
	return job_post(s, &p->job);
}

static void run_end(struct job *j, struct db *d)
{
	struct ending *p = (struct ending *)j;
	outbox_insert(d, &p->rec);
	stop_newest(d, &p->stop);
	j->value = p->rec.seq;
}

int tx_end(struct store *s, const struct outbox_rec *stop, int64_t stop_us, double stop_wh, const char *reason, store_done *done, void *arg)
{
	assert(stop->kind == OUTBOX_TX_END && stop->station && stop->action && stop->message_id);
	struct ending *p = job_new(sizeof(*p), run_end, done, arg);
	p->rec = outbox_copy(&p->stop.job.mem, stop);
	p->rec.seq = store_next_seq(s);
	fill_stop(&p->stop, stop->station, stop->tx, stop_us, stop_wh, reason);
	p->stop.job.counted = p->rec.station;
	return job_post(s, &p->stop.job);
}

static const char trimmable[] =
	"SELECT start_seq, station, station_tx IS NOT NULL AND station_tx IS NOT csms_tx FROM tx"
	" WHERE running = 0 AND confirmed = 1 AND noted_us < ?1"
	" AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.state < 2 AND o.station = tx.station AND (o.start_seq = tx.start_seq OR o.tx = tx.station_tx))"
	" AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.state = 2 AND o.station = tx.station AND (o.start_seq = tx.start_seq OR o.tx = tx.station_tx))"
	" ORDER BY noted_us LIMIT ?2";

static void run_trim(struct job *j, struct db *d)
{
	struct trim *t = (struct trim *)j;
	int64_t found[TRIM_MOST];
	int n = 0;
	struct query q = query_open(d, trimmable);
	give_int(&q, t->older_than_us);
	give_int(&q, TRIM_MOST);
	while (n < TRIM_MOST && query_next(&q)) {
		found[n++] = take_int(&q);
		const char *station = take_text(&q, &j->mem);
		job_effect(j, station, 0, 0, -take_int(&q));
	}
	query_close(&q);
	for (int i = 0; i < n; i++) {
		q = query_open(d, "DELETE FROM tx WHERE start_seq = ?");
		give_int(&q, found[i]);
		query_run(&q);
	}
	j->value = n;
}

int tx_trim(struct store *s, int64_t older_than_us, store_done *done, void *arg)
{
	struct trim *t = job_new(sizeof(*t), run_trim, done, arg);
	t->older_than_us = older_than_us;
	return job_post(s, &t->job);
}

/* Reads. */

#define COLUMNS "start_seq, station, fingerprint, station_tx, csms_tx, answer, evse, token, start_us, stop_us, start_wh, stop_wh, stop_reason," \
		" offline, running, confirmed"

static void take(struct query *q, struct arena *mem, void *row)
{
	struct tx_rec *t = row;
	t->start_seq = take_int(q);
	t->station = take_text(q, mem);
	take_blob(q, t->fingerprint, sizeof(t->fingerprint));
	t->station_tx = take_text(q, mem);
	t->csms_tx = take_text(q, mem);
	t->answer = take_text(q, mem);
	t->evse = (int)take_int(q);
	t->token = take_text(q, mem);
	t->start_us = take_int(q);
	t->stop_us = take_int(q);
	t->start_wh = take_real(q);
	t->stop_wh = take_real(q);
	t->stop_reason = take_text(q, mem);
	t->offline = take_int(q);
	t->running = take_int(q);
	t->confirmed = take_int(q);
}

/* The row that the query finds. */
static int take_one(struct query *q, struct arena *mem, struct tx_rec *out)
{
	struct db *d = q->db;
	bool found = query_next(q);
	if (found)
		take(q, mem, out);
	query_close(q);
	return d->err ? d->err : found ? 0 : ERR_NOT_FOUND;
}

int tx_by_start(struct store *s, int64_t start_seq, struct arena *mem, struct tx_rec *out)
{
	struct query q = query_open(store_reader(s), "SELECT " COLUMNS " FROM tx WHERE start_seq = ?");
	give_int(&q, start_seq);
	return take_one(&q, mem, out);
}

int tx_by_fingerprint(struct store *s, const char *station, const unsigned char fingerprint[16], struct arena *mem, struct tx_rec *out)
{
	struct query q = query_open(store_reader(s), "SELECT " COLUMNS " FROM tx WHERE station = ? AND fingerprint = ?");
	give_text(&q, station);
	give_blob(&q, fingerprint, 16);
	return take_one(&q, mem, out);
}

int tx_by_station_id(struct store *s, const char *station, const char *station_tx, struct arena *mem, struct tx_rec *out)
{
	struct query q = query_open(store_reader(s), "SELECT " COLUMNS " FROM tx WHERE station = ? AND station_tx = ? ORDER BY start_seq DESC LIMIT 1");
	give_text(&q, station);
	give_text(&q, station_tx);
	return take_one(&q, mem, out);
}

int tx_by_csms_id(struct store *s, const char *station, const char *csms_tx, struct arena *mem, struct tx_rec *out)
{
	struct query q = query_open(store_reader(s), "SELECT " COLUMNS " FROM tx WHERE station = ? AND csms_tx = ? ORDER BY start_seq DESC LIMIT 1");
	give_text(&q, station);
	give_text(&q, csms_tx);
	return take_one(&q, mem, out);
}

int tx_running(struct store *s, const char *station, int evse, struct arena *mem, struct tx_rec *out)
{
	struct query q = query_open(store_reader(s), "SELECT " COLUMNS " FROM tx WHERE running = 1 AND station = ?1 AND (?2 = 0 OR evse = ?2)"
						     " ORDER BY start_seq DESC LIMIT 1");
	give_text(&q, station);
	give_int(&q, evse);
	return take_one(&q, mem, out);
}

bool tx_is_provisional(const char *id)
{
	int64_t value;
	return int_parse(slice_of(id), &value) == 0 && value >= PROVISIONAL_FIRST && value <= PROVISIONAL_LAST;
}

bool tx_has_mapping(const struct store *s, const char *station)
{
	return store_counts(s, station)->mapped > 0;
}

struct list_of { /* an argument of pages_walk */
	struct pages pages;
	const char *station;
	int64_t after_seq;
	bool (*see)(void *arg, const struct tx_rec *rec);
	void *arg;
};

static struct query ask(const struct pages *p, struct db *d, const void *after)
{
	const struct list_of *l = (const struct list_of *)p;
	struct query q = query_open(d, "SELECT " COLUMNS " FROM tx WHERE start_seq > ?2 AND (?1 IS NULL OR station = ?1) ORDER BY start_seq LIMIT ?3");
	give_text(&q, l->station);
	give_int(&q, after ? ((const struct tx_rec *)after)->start_seq : l->after_seq);
	give_int(&q, PAGE_ROWS);
	return q;
}

static bool show(const struct pages *p, const void *row)
{
	const struct list_of *l = (const struct list_of *)p;
	return l->see(l->arg, row);
}

int tx_each(struct store *s, const char *station, int64_t after_start_seq, bool (*see)(void *arg, const struct tx_rec *rec), void *arg)
{
	struct list_of l = { { sizeof(struct tx_rec), ask, take, show }, station, after_start_seq, see, arg };
	return pages_walk(s, &l.pages);
}
