/* The day: transactions start, send values and end while nobody upstream can be reached; then the queue is replayed.
 *
 * A record's message id is its place in the list of what was told, so a record found in the file can be held against it. */
#include "tests/fault/day.h"

#include <stdio.h>

#include "base/loop.h"
#include "base/mem.h"
#include "storage/txs.h"
#include "tests/unit/unit.h"

#define STATIONS 3
#define STARTS 4

struct asked { /* of a callback: which record */
	struct day *day;
	int n;
};

static void on_put(void *arg, int err, int64_t seq)
{
	struct asked *a = arg;
	struct told *t = &a->day->told[a->n];
	atomic_store(&t->seq, err ? 0 : seq);
	atomic_store(&t->put, err ? err : 1);
	a->day->answers++;
	mem_free(a);
}

/* A start's value is its id; the seq is looked up. */
static void on_start(void *arg, int err, int64_t id)
{
	struct asked *a = arg;
	struct told *t = &a->day->told[a->n];
	atomic_store(&t->id, err ? 0 : id);
	atomic_store(&t->put, err ? err : 1);
	a->day->answers++;
	mem_free(a);
}

static void on_confirm(void *arg, int err, int64_t seq)
{
	struct asked *a = arg;
	(void)seq;
	if (!err)
		atomic_store(&a->day->told[a->n].confirm, 2);
	a->day->answers++;
	mem_free(a);
}

static struct asked *about(struct day *d, int n)
{
	struct asked *a = NEW(struct asked);
	a->day = d;
	a->n = n;
	return a;
}

static void wait_for(struct day *d, int answers)
{
	while (d->answers < answers)
		loop_turn(10000000);
}

static const char *station_name(int station)
{
	static const char *const names[STATIONS] = { "A", "B", "C" };
	return names[station];
}

/* The payload says which record it is, so a torn or mixed one shows. */
static struct outbox_rec record(struct day *d, int station, enum outbox_kind kind, char text[2][64])
{
	int n = atomic_fetch_add(&d->records, 1);
	snprintf(text[0], 64, "%d", n);
	snprintf(text[1], 64, "{\"n\":%d}", n);
	return (struct outbox_rec){ .station = station_name(station), .kind = kind, .version = 16, .action = "x", .message_id = text[0],
				    .payload = slice_of(text[1]), .wall_us = 1 };
}

static int start(struct day *d, int station, int64_t time_us)
{
	char text[2][64];
	struct outbox_rec rec = record(d, station, OUTBOX_TX_START, text);
	struct tx_rec tx = { .evse = 1, .token = "T", .start_us = time_us };
	int n = atomic_load(&d->records) - 1;
	tx_fingerprint(rec.station, 1, SLICE("T"), time_us, 0, tx.fingerprint);
	assert_int_equal(tx_start(d->s, &rec, &tx, true, "%ID%", on_start, about(d, n)), 0);
	return n;
}

static void put(struct day *d, int station, enum outbox_kind kind)
{
	char text[2][64];
	struct outbox_rec rec = record(d, station, kind, text);
	assert_int_equal(outbox_put(d->s, &rec, on_put, about(d, atomic_load(&d->records) - 1)), 0);
}

static void replay(struct day *d, int station)
{
	struct arena mem = { 0 };
	struct outbox_rec head;
	for (int i = 0; i < 6 && outbox_head(d->s, station_name(station), &mem, &head) == 0; i++) {
		int n = atoi(head.message_id);
		char csms_tx[16];
		snprintf(csms_tx, sizeof(csms_tx), "%d", 1000 + n);
		atomic_store(&d->told[n].confirm, 1);
		assert_int_equal(outbox_mark_sent(d->s, head.seq, NULL, NULL), 0);
		assert_int_equal(outbox_confirm(d->s, head.seq, head.kind == OUTBOX_TX_START ? csms_tx : NULL, on_confirm, about(d, n)), 0);
		wait_for(d, d->answers + 1);
	}
	arena_free(&mem);
}

void day_run(struct day *d)
{
	for (int round = 0; round < STARTS; round++) {
		int before = d->answers;
		for (int i = 0; i < STATIONS; i++)
			start(d, i, round);
		wait_for(d, before + STATIONS);
		for (int i = 0; i < STATIONS * 3; i++)
			put(d, i % STATIONS, i / STATIONS == 2 ? OUTBOX_TX_END : OUTBOX_TX_UPDATE);
		wait_for(d, before + STATIONS * 4);
	}
	for (int i = 0; i < STATIONS; i++)
		replay(d, i);
}

void day_copy(struct day *to, const struct day *from)
{
	int records = atomic_load(&from->records);
	atomic_store(&to->records, records);
	for (int i = 0; i < DAY_MOST; i++) {
		atomic_store(&to->told[i].put, i < records ? atomic_load(&from->told[i].put) : 0);
		atomic_store(&to->told[i].seq, atomic_load(&from->told[i].seq));
		atomic_store(&to->told[i].id, atomic_load(&from->told[i].id));
		atomic_store(&to->told[i].confirm, atomic_load(&from->told[i].confirm));
	}
}

struct found {
	bool there[DAY_MOST];
	int64_t last_seq;
	struct store *s;
};

static bool see_record(void *arg, const struct outbox_rec *rec)
{
	struct found *f = arg;
	char want[64];
	int n = atoi(rec->message_id);
	snprintf(want, sizeof(want), "{\"n\":%d}", n);
	assert_slice(rec->payload, want);
	assert_in_range(n, 0, DAY_MOST - 1);
	assert_false(f->there[n]);
	assert_true(rec->seq > f->last_seq);
	f->there[n] = true;
	f->last_seq = rec->seq;
	if (rec->kind == OUTBOX_TX_START) { /* never without its transaction */
		struct arena mem = { 0 };
		struct tx_rec tx;
		assert_int_equal(tx_by_start(f->s, rec->seq, &mem, &tx), 0);
		assert_string_equal(tx.station_tx, rec->tx);
		assert_string_equal(tx.answer, rec->tx);
		assert_false(tx.confirmed);
		arena_free(&mem);
	}
	return true;
}

struct ledger {
	int64_t ids[DAY_MOST];
	int count, unconfirmed;
};

static bool see_tx(void *arg, const struct tx_rec *tx)
{
	struct ledger *l = arg;
	int64_t id = atoll(tx->station_tx);
	for (int i = 0; i < l->count; i++)
		assert_int_not_equal(l->ids[i], id);
	l->ids[l->count++] = id;
	l->unconfirmed += !tx->confirmed;
	return true;
}

static bool has_id(const struct ledger *l, int64_t id)
{
	for (int i = 0; i < l->count; i++)
		if (l->ids[i] == id)
			return true;
	return false;
}

static void check_told(const struct told *t, int n, bool there, const struct ledger *l)
{
	int put = atomic_load(&t->put), confirm = atomic_load(&t->confirm);
	int64_t id = atomic_load(&t->id);
	if (put == 1 && confirm == 0 && !there)
		fail_msg("record %d was acknowledged and is gone", n);
	if (confirm == 2 && there)
		fail_msg("record %d was confirmed and is back", n);
	if (put == 1 && id && !has_id(l, id))
		fail_msg("start %d got id %lld, which is not in the ledger", n, (long long)id);
}

static void check_open(const struct day *d, struct store *s)
{
	struct found *f = NEW(struct found);
	struct ledger *l = NEW(struct ledger);
	int starts = 0;
	f->s = s;
	assert_int_equal(outbox_each(s, NULL, 0, see_record, f), 0);
	assert_int_equal(tx_each(s, NULL, 0, see_tx, l), 0);
	for (int n = 0; n < DAY_MOST; n++)
		if (n < atomic_load(&d->records) || f->there[n])
			check_told(&d->told[n], n, f->there[n], l);
	for (int n = 0; n < DAY_MOST; n++)
		starts += f->there[n] && n % (STATIONS * 4) < STATIONS;
	assert_int_equal(starts, l->unconfirmed); /* and no transaction without its start */
	mem_free(f);
	mem_free(l);
}

void day_check(const struct day *d, const char *path)
{
	struct store *s;
	bool salvaged;
	char *error;
	int err = store_open(&(struct store_config){ .path = path }, &s, &salvaged, &error);
	if (err || salvaged)
		fail_msg("reopened: %d %s%s", err, error ? error : "", salvaged ? "damaged" : "");
	check_open(d, s);
	store_close(s);
}
