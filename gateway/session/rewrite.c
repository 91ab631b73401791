/* Splices of ids and the offline mark. */
#include "gateway/session/rewrite.h"

#include <stdio.h>
#include <string.h>

#include "gateway/power/limits.h"
#include "ocpp/codec.h"
#include "ocpp/splice.h"
#include "storage/outbox.h"
#include "storage/txs.h"

/* The window of the transaction id in the frame, and its text; absent where there is nothing that could differ. */
static struct slice window_of(const struct session *s, const struct frame *f, struct arena *mem, char **id_out)
{
	struct slice window = { NULL, 0 };
	if (tx_has_mapping(s->gw->store, s->id))
		window = codec_tx_window(f);
	if (window.n)
		*id_out = arena_text(mem, window);
	return window;
}

/* --- our charging profiles in a station's report --- */

static bool is_ours(struct slice profile)
{
	int64_t id;
	return int_parse(splice_find(profile, "id"), &id) == 0 && id >= LIMITS_PROFILE_ID && id < LIMITS_PROFILE_ID + LIMITS_PROFILE_IDS;
}

/* Appends the list without ours; how many of each kind there were. */
static void without_ours(struct slice payload, struct buf *out, unsigned *theirs, unsigned *ours)
{
	char path[40];
	*theirs = *ours = 0;
	buf_puts(out, "[");
	for (unsigned i = 0;; i++) {
		snprintf(path, sizeof(path), "chargingProfile.%u", i);
		struct slice one = splice_find(payload, path);
		if (!one.n)
			break;
		if (is_ours(one)) {
			++*ours;
			continue;
		}
		buf_puts(out, (*theirs)++ ? "," : "");
		buf_slice(out, one);
	}
	buf_puts(out, "]");
}

static bool reports_profiles(const struct frame *f)
{
	return f->act && strcmp(f->act->name, "ReportChargingProfiles") == 0;
}

bool rewrite_hides(const struct frame *f)
{
	struct buf list = { 0 };
	unsigned theirs = 0, ours = 0;
	if (reports_profiles(f))
		without_ours(f->payload, &list, &theirs, &ours);
	buf_free(&list);
	return ours && !theirs;
}

static bool rewrite_report(const struct frame *f, struct buf *out)
{
	struct buf list = { 0 };
	unsigned theirs, ours;
	without_ours(f->payload, &list, &theirs, &ours);
	if (ours)
		splice_write(out, f->raw, splice_find(f->payload, "chargingProfile"), buf_view(&list));
	buf_free(&list);
	return ours;
}

bool rewrite_to_csms(const struct session *s, const struct frame *f, struct buf *out)
{
	struct arena mem = { 0 };
	struct tx_rec tx;
	char *id;
	bool changed = false;
	if (reports_profiles(f))
		return rewrite_report(f, out);
	struct slice window = window_of(s, f, &mem, &id);
	if (window.n && tx_by_station_id(s->gw->store, s->id, id, &mem, &tx) == 0) {
		const char *theirs = tx.csms_tx ? tx.csms_tx : "-1";
		changed = strcmp(theirs, id) != 0;
		if (changed)
			splice_write(out, f->raw, window, slice_of(theirs));
	}
	arena_free(&mem);
	return changed;
}

bool rewrite_to_station(const struct session *s, const struct frame *f, struct buf *out)
{
	struct arena mem = { 0 };
	struct tx_rec tx;
	char *id;
	bool changed = false;
	struct slice window = window_of(s, f, &mem, &id);
	if (window.n && tx_by_csms_id(s->gw->store, s->id, id, &mem, &tx) == 0 && tx.station_tx) {
		changed = strcmp(tx.station_tx, id) != 0;
		if (changed)
			splice_write(out, f->raw, window, slice_of(tx.station_tx));
	}
	arena_free(&mem);
	return changed;
}

void rewrite_late(const struct action *act, struct slice payload, struct buf *out)
{
	struct slice said = { NULL, 0 };
	if (!codec_marks_late(act)) {
		buf_slice(out, payload);
		return;
	}
	said = splice_find(payload, "offline");
	if (said.n)
		splice_write(out, payload, said, SLICE("true"));
	else
		splice_insert_member(out, payload, payload, SLICE("\"offline\":true"));
}

bool rewrite_tx_status(const struct session *s, struct frame *asked, const struct frame *answer, struct buf *out)
{
	struct arena mem = { 0 };
	struct slice said = splice_find(answer->payload, "messagesInQueue"), tx = codec_tx_window(asked);
	bool waits = slice_is(said, "false") && outbox_has_tx(s->gw->store, s->id, tx.n ? arena_text(&mem, tx) : NULL);
	if (waits)
		splice_write(out, answer->raw, said, SLICE("true"));
	arena_free(&mem);
	return waits;
}

void rewrite_times(struct slice payload, int64_t shift_us, struct buf *out)
{
	static const char key[] = "\"timestamp\":\"";
	const char *from = payload.p, *end = payload.p + payload.n, *at;
	char text[TIME_TEXT];
	int64_t time_us;
	while (from && (at = memmem(from, (size_t)(end - from), key, sizeof(key) - 1))) {
		const char *value = at + sizeof(key) - 1, *close = memchr(value, '"', (size_t)(end - value));
		if (!close)
			break;
		buf_add(out, from, (size_t)(value - from));
		if (time_parse((struct slice){ value, (size_t)(close - value) }, &time_us) == 0)
			buf_puts(out, time_text(time_us + shift_us, text));
		else
			buf_add(out, value, (size_t)(close - value));
		from = close;
	}
	if (from)
		buf_add(out, from, (size_t)(end - from));
}
