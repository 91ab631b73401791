/* A ring of whole records in one block of memory: the oldest go when the newest need room. What is forwarded is seen twice with the same text,
 * arriving and leaving, and stands in the ring once: the second record points at the bytes of the first, and both go together.
 *
 * CALLs wait for their answers in a table by hash, where a newer one with the same hash takes the place: an answer may stay without its pair,
 * which is all that a loss here costs. */
#include "gateway/session/trace.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "gateway/session/redact.h"
#include "gateway/session/session.h"
#include "ocpp/scan.h"

#define RING_BYTES (2 * 1024 * 1024)
#define RING_RECORDS 8192
#define NAME_MOST 256           /* of an id, an action, a reason */
#define DIFF_MOST 200           /* of each side of a difference */
#define RAW_MOST (64 * 1024)    /* longer frames are kept up to here; listeners see them whole */
#define CALLS_OPEN 2048
#define ACTION_MOST 48

/* A kept record: its own texts stand in the ring at `at`, its raw text at `raw_at`, perhaps in the block of the record before it. */
struct kept {
	struct trace_rec rec;
	size_t at, length, raw_at;
};

struct open_call {
	uint64_t key; /* 0: free */
	int64_t seq, mono_us;
	char action[ACTION_MOST];
	size_t action_n;
};

static struct {
	char *bytes;
	struct kept *records;
	struct open_call *calls;
	size_t first, count, head; /* index of the oldest; next free byte */
	int64_t seq;
	struct list listeners;
} ring;

static const char *const verdicts[TRACE_VERDICTS] = { "forwarded", "answered_locally", "queued", "replayed", "modified", "originated", "blocked", "dropped",
	"malformed" };

const char *trace_verdict_text(enum trace_verdict v)
{
	return verdicts[v];
}

int trace_verdict_parse(const char *text)
{
	for (int i = 0; i < TRACE_VERDICTS; i++)
		if (strcmp(verdicts[i], text) == 0)
			return i;
	return ERR_NOT_FOUND;
}

static struct list *listeners(void)
{
	if (!ring.listeners.next)
		list_init(&ring.listeners);
	return &ring.listeners;
}

/* --- keeping --- */

static struct kept *record_at(size_t i)
{
	return &ring.records[(ring.first + i) % RING_RECORDS];
}

static void drop_oldest(void)
{
	ring.first = (ring.first + 1) % RING_RECORDS;
	ring.count--;
}

static bool overlaps(const struct kept *k, size_t at, size_t length)
{
	return (k->at < at + length && at < k->at + k->length) || (k->raw_at < at + length && at < k->raw_at + k->rec.raw.n);
}

/* Room for so many bytes in one piece; what stood there is forgotten. */
static char *make_room(size_t length, size_t *at_out)
{
	if (ring.head + length > RING_BYTES) {
		/* What stands behind the head is the oldest of all, and would hide what is overwritten at the front. */
		while (ring.count && record_at(0)->at >= ring.head)
			drop_oldest();
		ring.head = 0;
	}
	while (ring.count && overlaps(record_at(0), ring.head, length))
		drop_oldest();
	*at_out = ring.head;
	ring.head += length;
	return ring.bytes + *at_out;
}

/* The newest record if it holds this very text and will outlive what is written next, else NULL. */
static const struct kept *same_as_newest(struct slice raw, size_t more)
{
	const struct kept *k = ring.count ? record_at(ring.count - 1) : NULL;
	return k && raw.n && slice_eq(k->rec.raw, raw) && ring.head + more <= RING_BYTES ? k : NULL;
}

static bool inside(struct slice s, struct slice raw)
{
	return s.p && s.p >= raw.p && s.p + s.n <= raw.p + raw.n;
}

static size_t outside(struct slice name, struct slice raw)
{
	return inside(name, raw) ? 0 : name.n;
}

/* A name as it stands in the kept text; else it is appended to the record's block at *end: a frame of our own is described before it is read
 * by anybody, and an answer's action stands nowhere in it. */
static struct slice placed(struct slice name, struct slice raw, const char *to, char **end)
{
	if (!name.p)
		return name;
	if (inside(name, raw))
		return (struct slice){ to + (name.p - raw.p), name.n };
	struct slice copy = { *end, name.n };
	if (name.n)
		memcpy(*end, name.p, name.n);
	*end += name.n;
	return copy;
}

static void keep(const struct trace_rec *r)
{
	struct slice raw = scan_cut(r->raw, RAW_MOST), id = scan_cut(r->id, NAME_MOST), action = scan_cut(r->action, NAME_MOST);
	struct slice why = scan_cut(r->why, NAME_MOST);
	size_t names = outside(id, raw) + outside(action, raw) + r->diff.n + why.n, at;
	if (!ring.bytes) {
		ring.bytes = mem_new(RING_BYTES);
		ring.records = mem_new(RING_RECORDS * sizeof(*ring.records));
	}
	if (ring.count == RING_RECORDS)
		drop_oldest();
	const struct kept *same = same_as_newest(raw, names);
	size_t raw_at = same ? same->raw_at : 0, length = names + (same ? 0 : raw.n);
	char *end = make_room(length, &at), *to = same ? ring.bytes + raw_at : end;
	struct kept *k = record_at(ring.count++);
	*k = (struct kept){ .rec = *r, .at = at, .length = length, .raw_at = same ? raw_at : at };
	if (!same && raw.n)
		memcpy(to, raw.p, raw.n);
	end += same ? 0 : raw.n;
	k->rec.raw = (struct slice){ to, raw.n };
	k->rec.id = placed(id, raw, to, &end);
	k->rec.action = placed(action, raw, to, &end);
	k->rec.diff = placed(r->diff, raw, to, &end);
	k->rec.why = placed(why, raw, to, &end);
}

/* --- CALLs and their answers --- */

static struct open_call *open_call(const struct session *s, enum trace_side side, enum trace_way way, struct slice id, uint64_t *key_out)
{
	uint64_t key = UINT64_C(14695981039346656037) ^ (uint64_t)(uintptr_t)s ^ (uint64_t)(side * 2 + way);
	for (size_t i = 0; i < id.n; i += sizeof(uint64_t)) {
		uint64_t eight = 0;
		memcpy(&eight, id.p + i, id.n - i < sizeof(eight) ? id.n - i : sizeof(eight));
		key = (key ^ eight) * UINT64_C(1099511628211);
		key ^= key >> 29;
	}
	key += key == 0;
	if (!ring.calls)
		ring.calls = mem_new(CALLS_OPEN * sizeof(*ring.calls));
	*key_out = key;
	return &ring.calls[(key ^ key >> 32) % CALLS_OPEN];
}

static void note_call(const struct session *s, const struct trace_rec *r)
{
	uint64_t key;
	struct open_call *c = open_call(s, r->side, r->way, r->id, &key);
	struct slice action = scan_cut(r->action, ACTION_MOST);
	*c = (struct open_call){ .key = key, .seq = r->seq, .mono_us = clock_mono_us(), .action_n = action.n };
	memcpy(c->action, action.p, action.n);
}

/* Completes an answer from its CALL, which went the other way on the same leg. */
static void pair_answer(const struct session *s, struct trace_rec *r)
{
	uint64_t key;
	struct open_call *c = open_call(s, r->side, r->way == TRACE_RX ? TRACE_TX : TRACE_RX, r->id, &key);
	if (c->key != key)
		return;
	r->action = (struct slice){ c->action, c->action_n };
	r->pair = c->seq;
	r->rtt_us = clock_mono_us() - c->mono_us;
	c->key = 0;
}

/* --- differences --- */

/* From the first byte that differs to the last, as one window; never inside a character. */
static void write_diff(struct slice was, struct slice now, struct buf *out)
{
	size_t front = 0, behind = 0, least = was.n < now.n ? was.n : now.n;
	struct json_writer w;
	while (front < least && was.p[front] == now.p[front])
		front++;
	while (front && front < was.n && (was.p[front] & 0xc0) == 0x80)
		front--;
	while (behind < least - front && was.p[was.n - 1 - behind] == now.p[now.n - 1 - behind])
		behind++;
	while (behind && (was.p[was.n - behind] & 0xc0) == 0x80)
		behind--;
	jw_open(&w, out);
	jw_object(&w, NULL);
	jw_int(&w, "at", (int64_t)front);
	jw_text(&w, "was", scan_cut((struct slice){ was.p + front, was.n - front - behind }, DIFF_MOST));
	jw_text(&w, "now", scan_cut((struct slice){ now.p + front, now.n - front - behind }, DIFF_MOST));
	jw_end(&w, '}');
}

static void write_note_diff(struct slice raw, const struct trace_note *note, struct buf *out)
{
	struct buf a = { 0 }, b = { 0 };
	redact_text(note->other_is_newer ? raw : note->other, &a);
	redact_text(note->other_is_newer ? note->other : raw, &b);
	if (a.n && b.n)
		write_diff(buf_view(&a), buf_view(&b), out);
	buf_free(&a);
	buf_free(&b);
}

/* --- the doors --- */

/* What the frame says; an answer's action is copied, since the table's place may be taken while a listener looks. */
static void describe(const struct session *s, const struct frame *f, struct trace_rec *r, char action[ACTION_MOST])
{
	r->kind = (int)f->kind;
	r->id = f->id;
	r->action = f->action;
	if (f->kind == FRAME_CALL)
		note_call(s, r);
	else if (f->kind == FRAME_RESULT || f->kind == FRAME_ERROR)
		pair_answer(s, r);
	if (r->pair)
		r->action.p = memcpy(action, r->action.p, r->action.n);
}

void trace_noted(const struct session *s, enum trace_side side, enum trace_way way, struct slice raw, const struct frame *f,
                 enum trace_verdict verdict, const struct trace_note *note)
{
	char action[ACTION_MOST];
	struct buf diff = { 0 };
	struct trace_rec r = {
		.seq = ++ring.seq,
		.wall_us = clock_wall_us(),
		.station = s->id,
		.side = side,
		.way = way,
		.verdict = verdict,
		.version = s->version,
		.conn = s->link_number,
		.raw = raw,
		.why = slice_of(note->why),
	};
	if (f)
		describe(s, f, &r, action);
	if (note->other.p)
		write_note_diff(raw, note, &diff);
	r.diff = buf_view(&diff);
	keep(&r);
	LIST_WALK(listeners(), struct trace_listener, entry, l)
		l->see(l->arg, &r);
	buf_free(&diff);
}

void trace_frame(const struct session *s, enum trace_side side, enum trace_way way, struct slice raw, const struct frame *f,
                 enum trace_verdict verdict)
{
	static const struct trace_note nothing;
	trace_noted(s, side, way, raw, f, verdict, &nothing);
}

static void write_raw(struct json_writer *w, const struct trace_rec *r, bool plain)
{
	struct buf shown = { 0 };
	if (plain)
		buf_slice(&shown, r->raw);
	else
		redact_text(r->raw, &shown);
	if (r->verdict != TRACE_MALFORMED && utf8_valid(buf_view(&shown))) {
		jw_text(w, "raw", shown.p ? buf_view(&shown) : SLICE(""));
	} else {
		char *text = mem_new(4 * ((shown.n + 2) / 3) + 1);
		base64_text(shown.p, shown.n, text);
		jw_string(w, "raw_base64", text);
		mem_free(text);
	}
	buf_free(&shown);
}

void trace_write(const struct trace_rec *r, bool plain, struct buf *out)
{
	struct json_writer w;
	jw_open(&w, out);
	jw_object(&w, NULL);
	jw_int(&w, "v", 1);
	jw_int(&w, "seq", r->seq);
	jw_time(&w, "ts", r->wall_us);
	jw_string(&w, "station", r->station);
	jw_string(&w, "side", r->side == TRACE_STATION ? "station" : "csms");
	jw_string(&w, "dir", r->way == TRACE_RX ? "rx" : "tx");
	jw_int(&w, "conn", (int64_t)r->conn);
	jw_string(&w, "ver", version_subprotocol(r->version));
	jw_int(&w, "type", r->kind);
	jw_text(&w, "id", r->id);
	jw_text(&w, "action", r->action);
	jw_int(&w, "len", (int64_t)r->raw.n);
	jw_string(&w, "verdict", verdicts[r->verdict]);
	if (r->why.p)
		jw_text(&w, "why", r->why);
	if (r->diff.n)
		jw_raw(&w, "diff", r->diff);
	if (r->pair) {
		jw_int(&w, "pair", r->pair);
		jw_number(&w, "rtt_ms", (double)r->rtt_us / 1000, 3);
	}
	write_raw(&w, r, plain);
	jw_end(&w, '}');
}

bool trace_matches(const struct trace_filter *f, const struct trace_rec *r)
{
	return (!f->station || strcmp(f->station, r->station) == 0) && (!f->action || slice_is(r->action, f->action)) &&
		(f->verdict < 0 || f->verdict == (int)r->verdict) && r->wall_us >= f->since_us;
}

void trace_each(int64_t after_seq, bool (*see)(void *arg, const struct trace_rec *r), void *arg)
{
	for (size_t i = 0; i < ring.count; i++)
		if (record_at(i)->rec.seq > after_seq && !see(arg, &record_at(i)->rec))
			return;
}

void trace_listen(struct trace_listener *l)
{
	list_append(listeners(), &l->entry);
}

void trace_unlisten(struct trace_listener *l)
{
	list_remove(&l->entry);
}

void trace_free(void)
{
	mem_free(ring.bytes);
	mem_free(ring.records);
	mem_free(ring.calls);
	ring.bytes = NULL;
	ring.records = NULL;
	ring.calls = NULL;
	ring.first = ring.count = ring.head = 0;
}
