/* Any bytes as a frame. The first byte chooses the version, the rest is the text as it came from a link. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ocpp/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(struct slice part, struct slice whole)
{
	return !part.p || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static bool same(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* What was read, written again, is read the same. An action with escapes is a text of its own when it is quoted again. */
static void write_again(const struct frame *f)
{
	struct buf text = { 0 };
	struct frame again;
	struct frame_fault fault;
	char *action = f->action.p ? strndup(f->action.p, f->action.n) : NULL;
	if (f->kind == FRAME_CALL)
		frame_write_call(&text, f->id, action, f->payload);
	else if (f->kind == FRAME_SEND)
		frame_write_send(&text, f->id, action, f->payload);
	else if (f->kind == FRAME_RESULT)
		frame_write_result(&text, f->id, f->payload);
	else
		frame_write_error(&text, f->id, "GenericError", "no");
	int err = frame_parse(&again, f->version, buf_view(&text), &fault);
	assert(err == 0 && same(again.id, f->id));
	if (f->kind == FRAME_CALL || f->kind == FRAME_SEND || f->kind == FRAME_RESULT)
		assert(again.kind == f->kind && same(again.payload, f->payload));
	free(action);
	buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame f;
	struct frame_fault fault;
	if (!size)
		return 0;
	struct slice raw = { (const char *)data + 1, size - 1 };
	int err = frame_parse(&f, (enum ocpp_version)(data[0] % OCPP_VERSIONS), raw, &fault);
	if (err == ERR_SYNTAX) {
		assert(fault.code && fault.reason && fault.id.p && (inside(fault.id, raw) || slice_is(fault.id, "-1")));
		return 0;
	}
	if (err)
		return 0;
	assert(inside(f.id, raw) && inside(f.action, raw) && inside(f.payload, raw) && inside(f.code, raw) && inside(f.description, raw));
	assert(f.id.p && f.id.n <= FRAME_ID_MOST && (f.kind != FRAME_CALL || (f.action.p && f.payload.p)));
	write_again(&f);
	frame_tree(&f);
	frame_done(&f);
	return 0;
}
