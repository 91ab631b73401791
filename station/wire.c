#include "station/wire.h"

#include <stdio.h>

#include "ocpp/catalogue.h"
#include "ocpp/codec.h"

struct asked {
	const struct action *act;
	wire_done *done;
	void *arg;
};

void wire_open(struct wire *w, enum ocpp_version v, int64_t timeout_us, uint64_t seed, unsigned most)
{
	*w = (struct wire){ .version = v, .timeout_us = timeout_us, .seed = seed };
	calls_open(&w->calls, most);
}

void wire_close(struct wire *w)
{
	calls_close(&w->calls);
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
	mem_free(a);
}

int wire_ask_text(struct wire *w, const struct action *act, struct slice payload, const char *id, wire_done *done, void *arg)
{
	char fresh[UUID_TEXT];
	struct buf text = { 0 };
	if (!id) {
		wire_id(w, fresh);
		id = fresh;
	}
	struct asked *a = NEW(struct asked);
	*a = (struct asked){ act, done, arg };
	frame_write_call(&text, slice_of(id), act->name, payload);
	int err = calls_ask(&w->calls,
	                    &(struct ask){ .text = buf_view(&text), .id = slice_of(id), .act = act, .timeout_us = w->timeout_us,
	                                   .done = on_done, .arg = a },
	                    NULL);
	if (err)
		mem_free(a);
	buf_free(&text);
	return err;
}

int wire_ask(struct wire *w, const struct event *e, const char *id, wire_done *done, void *arg)
{
	struct buf payload = { 0 };
	const struct action *act;
	int err = codec_write_call(w->version, e, &payload, &act);
	if (!err)
		err = wire_ask_text(w, act, buf_view(&payload), id, done, arg);
	buf_free(&payload);
	return err;
}

void wire_tell(struct wire *w, const struct event *e)
{
	int err = wire_ask(w, e, NULL, NULL, NULL);
	(void)err;
}
