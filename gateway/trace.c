/* A ring of whole records in one block of memory: the oldest go when the newest need room. What is forwarded is seen twice with the same text,
 * arriving and leaving, and stands in the ring once: the second record points at the bytes of the first, and both go together. */
#include "gateway/trace.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "gateway/session.h"

#define RING_BYTES (2 * 1024 * 1024)
#define RING_RECORDS 8192
#define NAME_MOST 256           /* of an id or an action */
#define RAW_MOST (64 * 1024) /* longer frames are kept up to here; listeners see them whole */

/* A kept record: its texts stand in the ring at `at`: raw, then id and action unless they are windows into it. The station's name is the
 * session's, which stays. */
struct kept {
	struct trace_rec rec;
	size_t at, length;
};

static struct {
	char *bytes;
	struct kept *records;
	size_t first, count, head; /* index of the oldest; next free byte */
	int64_t seq;
	struct list listeners;
} ring;

static struct list *listeners(void)
{
	if (!ring.listeners.next)
		list_init(&ring.listeners);
	return &ring.listeners;
}

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
	return k->at < at + length && at < k->at + k->length;
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

/* The newest record if it holds this very text, else NULL. */
static const struct kept *same_as_newest(struct slice raw)
{
	const struct kept *newest = ring.count ? record_at(ring.count - 1) : NULL;
	return newest && slice_eq(newest->rec.raw, raw) ? newest : NULL;
}

static struct slice cut(struct slice s, size_t most)
{
	return (struct slice){ s.p, s.n < most ? s.n : most };
}

static bool inside(struct slice s, struct slice raw)
{
	return !s.p || (s.p >= raw.p && s.p + s.n <= raw.p + raw.n);
}

/* A name as it stands in the kept text; else it is appended to the record's block at `end`: a frame of our own is described before it is read
 * by anybody. */
static struct slice placed(struct slice name, struct slice raw, const char *to, char **end)
{
	if (!name.p)
		return name;
	if (inside(name, raw))
		return (struct slice){ to + (name.p - raw.p), name.n };
	struct slice copy = { memcpy(*end, name.p, name.n), name.n };
	*end += name.n;
	return copy;
}

/* Where the record's texts stand. The raw text is there when it returns, names behind it are not. */
static char *place(struct kept *k, struct slice raw, size_t more)
{
	const struct kept *same = more ? NULL : same_as_newest(raw);
	if (same) {
		k->at = same->at;
		k->length = same->length;
		return ring.bytes + k->at;
	}
	k->length = raw.n + more;
	return memcpy(make_room(k->length, &k->at), raw.p, raw.n);
}

static void keep(const struct trace_rec *r)
{
	struct slice raw = cut(r->raw, RAW_MOST), id = cut(r->id, NAME_MOST), action = cut(r->action, NAME_MOST);
	struct kept k = { .rec = *r };
	if (!ring.bytes) {
		ring.bytes = mem_new(RING_BYTES);
		ring.records = mem_new(RING_RECORDS * sizeof(*ring.records));
	}
	if (ring.count == RING_RECORDS)
		drop_oldest();
	char *to = place(&k, raw, (inside(id, raw) ? 0 : id.n) + (inside(action, raw) ? 0 : action.n)), *end = to + raw.n;
	k.rec.raw = (struct slice){ to, raw.n };
	k.rec.id = placed(id, raw, to, &end);
	k.rec.action = placed(action, raw, to, &end);
	*record_at(ring.count++) = k;
}

void trace_frame(const struct session *s, enum trace_side side, enum trace_way way, struct slice raw, const struct frame *f,
                 enum trace_verdict verdict)
{
	struct trace_rec r = {
		.seq = ++ring.seq,
		.wall_us = clock_wall_us(),
		.station = s->id,
		.side = side,
		.way = way,
		.verdict = verdict,
		.kind = f ? (int)f->kind : 0,
		.version = s->version,
		.raw = raw,
	};
	if (f) {
		r.id = f->id;
		r.action = f->action;
	}
	keep(&r);
	LIST_WALK(listeners(), struct trace_listener, entry, l)
		l->see(l->arg, &r);
}

void trace_write(const struct trace_rec *r, struct buf *out)
{
	static const char *const verdicts[] = { "forwarded", "answered_locally", "queued", "replayed", "modified", "originated", "blocked", "dropped", "malformed" };
	struct json_writer w;
	jw_open(&w, out);
	jw_object(&w, NULL);
	jw_int(&w, "v", 1);
	jw_int(&w, "seq", r->seq);
	jw_time(&w, "ts", r->wall_us);
	jw_string(&w, "station", r->station);
	jw_string(&w, "side", r->side == TRACE_STATION ? "station" : "csms");
	jw_string(&w, "dir", r->way == TRACE_RX ? "rx" : "tx");
	jw_string(&w, "ver", version_subprotocol(r->version));
	jw_int(&w, "type", r->kind);
	jw_text(&w, "id", r->id);
	jw_text(&w, "action", r->action);
	jw_int(&w, "len", (int64_t)r->raw.n);
	jw_string(&w, "verdict", verdicts[r->verdict]);
	if (utf8_valid(r->raw)) {
		jw_text(&w, "raw", r->raw);
	} else {
		char *text = mem_new(4 * ((r->raw.n + 2) / 3) + 1);
		base64_text(r->raw.p, r->raw.n, text);
		jw_string(&w, "raw_base64", text);
		mem_free(text);
	}
	jw_end(&w, '}');
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
	ring.bytes = NULL;
	ring.records = NULL;
	ring.count = 0;
}
