/* Splices of ids and the offline mark. */
#include "gateway/rewrite.h"

#include <string.h>

#include "ocpp/codec.h"
#include "ocpp/splice.h"
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

bool rewrite_to_csms(const struct session *s, const struct frame *f, struct buf *out)
{
	struct arena mem = { 0 };
	struct tx_rec tx;
	char *id;
	bool changed = false;
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
	if (!act || act->event != EV_TX || !(act->versions & V_2X)) {
		buf_slice(out, payload);
		return;
	}
	said = splice_find(payload, "offline");
	if (said.n)
		splice_write(out, payload, said, SLICE("true"));
	else
		splice_insert_member(out, payload, payload, SLICE("\"offline\":true"));
}
