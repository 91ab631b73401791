#include "station/wire.h"

#include <stdio.h>

#include "base/mem.h"
#include "ocpp/catalogue.h"
#include "ocpp/codec.h"

struct asked {
	struct wire *w;
	const struct action *act;
	wire_done *done;
	void *arg;
};

/* Without a link the calls of lane 0 wait. */
static void mind_the_order(struct wire *w)
{
	bool others = false;
	for (unsigned i = 1; i < w->n_lanes; i++)
		others = others || w->lanes[i].count;
	if (others)
		w->lanes[0].link = NULL;
	else if (w->link && !w->lanes[0].link)
		calls_link_up(&w->lanes[0], w->link);
}

void wire_open(struct wire *w, enum ocpp_version v, int64_t timeout_us, uint64_t seed, unsigned n_lanes, unsigned most)
{
	*w = (struct wire){ .version = v, .timeout_us = timeout_us, .seed = seed, .n_lanes = n_lanes };
	w->lanes = mem_new(n_lanes * sizeof(*w->lanes));
	for (unsigned i = 0; i < n_lanes; i++)
		calls_open(&w->lanes[i], most);
}

void wire_close(struct wire *w)
{
	w->link = NULL;
	for (unsigned i = 0; i < w->n_lanes; i++)
		calls_close(&w->lanes[i]);
	mem_free(w->lanes);
	w->lanes = NULL;
	w->n_lanes = 0;
}

void wire_link_up(struct wire *w, struct link *l)
{
	w->link = l;
	for (unsigned i = 1; i < w->n_lanes; i++)
		calls_link_up(&w->lanes[i], l);
	mind_the_order(w);
}

void wire_link_down(struct wire *w)
{
	w->link = NULL;
	for (unsigned i = 0; i < w->n_lanes; i++)
		calls_link_down(&w->lanes[i], true);
}

void wire_room(struct wire *w)
{
	for (unsigned i = 0; i < w->n_lanes; i++)
		calls_room(&w->lanes[i]);
}

bool wire_answer(struct wire *w, struct frame *answer)
{
	for (unsigned i = 0; i < w->n_lanes; i++) {
		if (calls_answer(&w->lanes[i], answer))
			return true;
	}
	return false;
}

/* SplitMix64: any seed is a good one, and simulations repeat. */
static uint64_t next_random(uint64_t *seed)
{
	uint64_t z = (*seed += UINT64_C(0x9E3779B97F4A7C15));
	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

void wire_id(struct wire *w, char out[UUID_TEXT])
{
	if (!w->seed) {
		uuid_text(out);
		return;
	}
	uint64_t a = next_random(&w->seed), b = next_random(&w->seed);
	snprintf(out, UUID_TEXT, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16) & 0xffff, (unsigned)a & 0xfff,
	         0x8000 | ((unsigned)(b >> 48) & 0x3fff), (unsigned long long)(b & UINT64_C(0xffffffffffff)));
}

static void on_done(void *arg, struct call *c, int err, struct frame *answer)
{
	struct asked *a = arg;
	struct arena mem = { 0 };
	struct reply r;
	(void)c;
	reply_init(&r);
	if (!err && codec_read_answer(a->act, answer, &mem, &r) != 0)
		err = ERR_PROTOCOL;
	if (a->done)
		a->done(a->arg, err, err ? NULL : &r);
	arena_free(&mem);
	mind_the_order(a->w);
	mem_free(a);
}

static int ask_text(struct wire *w, unsigned lane, const struct action *act, struct slice payload, const char *id, wire_done *done, void *arg)
{
	char fresh[UUID_TEXT];
	struct buf text = { 0 };
	if (!id) {
		wire_id(w, fresh);
		id = fresh;
	}
	struct asked *a = NEW(struct asked);
	*a = (struct asked){ w, act, done, arg };
	frame_write_call(&text, slice_of(id), act->name, payload);
	int err = calls_ask(&w->lanes[lane],
	                    &(struct ask){ .text = buf_view(&text), .id = slice_of(id), .act = act, .timeout_us = w->timeout_us,
	                                   .done = on_done, .arg = a },
	                    NULL);
	if (err)
		mem_free(a);
	else if (lane)
		mind_the_order(w);
	buf_free(&text);
	return err;
}

int wire_ask_text(struct wire *w, const struct action *act, struct slice payload, const char *id, wire_done *done, void *arg)
{
	return ask_text(w, 0, act, payload, id, done, arg);
}

int wire_ask_in(struct wire *w, unsigned lane, const struct event *e, const char *id, wire_done *done, void *arg)
{
	struct buf payload = { 0 };
	const struct action *act;
	int err = codec_write_call(w->version, e, &payload, &act);
	if (!err)
		err = ask_text(w, lane, act, buf_view(&payload), id, done, arg);
	buf_free(&payload);
	return err;
}

int wire_ask(struct wire *w, const struct event *e, const char *id, wire_done *done, void *arg)
{
	return wire_ask_in(w, 0, e, id, done, arg);
}

void wire_tell(struct wire *w, const struct event *e)
{
	int err = wire_ask(w, e, NULL, NULL, NULL);
	(void)err;
}
