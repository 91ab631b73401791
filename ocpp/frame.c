/* The envelope, read in one pass from left to right.
 *
 * Easy to get wrong: an error answer is only sent for a CALL, and only once we know that it is one; when the text breaks before the id,
 * the answer carries "-1" (2.x Part 4 4.2.3). Unknown message types are no fault at all. SEND and CALLRESULTERROR exist since 2.1, so
 * on older links their numbers are unknown types. */
#include "ocpp/frame.h"

#include "base/error.h"
#include "base/json.h"
#include "ocpp/catalogue.h"
#include "ocpp/scan.h"

#define DESCRIPTION_MOST 255 /* 2.x Part 4 4.2.3 */

static const char *code_envelope(enum ocpp_version v)
{
	return v == OCPP16 ? "FormationViolation" : "RpcFrameworkError";
}

static const char *code_payload(enum ocpp_version v)
{
	return v == OCPP16 ? "FormationViolation" : "FormatViolation";
}

static int refuse(struct frame_fault *fault, const char *code, const char *reason)
{
	fault->code = code;
	fault->reason = reason;
	return ERR_SYNTAX;
}

/* The message type: digits only, ended by a comma. Negative: not one; numbers beyond what any version uses all read as 99. */
static int read_type(struct scan *s)
{
	int type = 0;
	scan_space(s);
	const char *from = s->p;
	for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++)
		type = type > 9 ? 99 : type * 10 + (*s->p - '0');
	if (s->p == from || !scan_take(s, ','))
		return -1;
	return type;
}

static bool type_known(int type, enum ocpp_version v)
{
	if (type == FRAME_RESULT_ERROR || type == FRAME_SEND)
		return v == OCPP21;
	return type >= FRAME_CALL && type <= FRAME_ERROR;
}

static bool at_end(struct scan *s)
{
	if (!scan_take(s, ']'))
		return false;
	scan_space(s);
	return s->p == s->end;
}

static int read_request(struct frame *f, struct scan *s, struct frame_fault *fault)
{
	if (!scan_take(s, ',') || !scan_string(s, &f->action) || !scan_take(s, ','))
		return refuse(fault, code_envelope(f->version), "the action is missing or no string");
	if (!scan_value(s, &f->payload))
		return refuse(fault, code_payload(f->version), "the payload is cut, nested too deep, or not JSON");
	if (!at_end(s))
		return refuse(fault, code_envelope(f->version), "something follows the payload");
	f->act = catalogue_find(f->version, f->action);
	return 0;
}

static int read_result(struct frame *f, struct scan *s, struct frame_fault *fault)
{
	if (!scan_take(s, ',') || !scan_value(s, &f->payload))
		return refuse(fault, code_payload(f->version), "the payload is missing, cut, nested too deep, or not JSON");
	if (!at_end(s))
		return refuse(fault, code_envelope(f->version), "something follows the payload");
	return 0;
}

/* Three to five elements; the details may be of any type, and stand in the description's place when that was left out,
 * as chargers in the field do. */
static int read_error(struct frame *f, struct scan *s, struct frame_fault *fault)
{
	if (!scan_take(s, ',') || !scan_string(s, &f->code))
		return refuse(fault, code_envelope(f->version), "the error code is missing or no string");
	if (scan_take(s, ',')) {
		scan_space(s);
		bool text = s->p < s->end && *s->p == '"';
		if (!(text ? scan_string(s, &f->description) : scan_value(s, &f->payload)))
			return refuse(fault, code_envelope(f->version), "the error description is cut or not JSON");
		if (text && scan_take(s, ',') && !scan_value(s, &f->payload))
			return refuse(fault, code_payload(f->version), "the error details are cut, nested too deep, or not JSON");
	}
	if (!at_end(s))
		return refuse(fault, code_envelope(f->version), "something follows the error details");
	return 0;
}

static int read_body(struct frame *f, struct scan *s, struct frame_fault *fault)
{
	if (f->kind == FRAME_CALL || f->kind == FRAME_SEND)
		return read_request(f, s, fault);
	if (f->kind == FRAME_RESULT)
		return read_result(f, s, fault);
	return read_error(f, s, fault);
}

int frame_parse(struct frame *f, enum ocpp_version v, struct slice raw, struct frame_fault *fault)
{
	struct scan s = scan_of(raw);
	*f = (struct frame){ .version = v, .raw = raw };
	/* 2.x wants an answer even to what cannot be read; 1.6 knows no such answer. */
	*fault = (struct frame_fault){ .id = SLICE("-1"), .is_call = v != OCPP16 };
	if (!scan_take(&s, '['))
		return refuse(fault, code_envelope(v), "not a JSON array");
	int type = read_type(&s);
	if (type < 0)
		return refuse(fault, code_envelope(v), "the message type is not a number");
	if (!type_known(type, v))
		return FRAME_IGNORED;
	f->kind = (enum frame_kind)type;
	fault->is_call = f->kind == FRAME_CALL;
	if (!scan_string(&s, &f->id))
		return refuse(fault, code_envelope(v), "the message id is missing or no string");
	if (f->id.n > FRAME_ID_MOST)
		return refuse(fault, code_envelope(v), "the message id is too long");
	fault->id = f->id;
	return read_body(f, &s, fault);
}

const cJSON *frame_tree(struct frame *f)
{
	if (!f->tree && f->payload.p)
		f->tree = json_read(f->payload);
	return f->tree;
}

void frame_done(struct frame *f)
{
	json_free(f->tree);
	f->tree = NULL;
}

/* The id is text between quotes as it came, so it goes out without being escaped again. */
static void write_head(struct buf *out, enum frame_kind kind, struct slice id)
{
	buf_printf(out, "[%d,\"", (int)kind);
	buf_slice(out, id);
	buf_add(out, "\",", 2);
}

static void write_request(struct buf *out, enum frame_kind kind, struct slice id, const char *action, struct slice payload)
{
	write_head(out, kind, id);
	json_quote(out, slice_of(action));
	buf_add(out, ",", 1);
	buf_slice(out, payload);
	buf_add(out, "]", 1);
}

void frame_write_call(struct buf *out, struct slice id, const char *action, struct slice payload)
{
	write_request(out, FRAME_CALL, id, action, payload);
}

void frame_write_send(struct buf *out, struct slice id, const char *action, struct slice payload)
{
	write_request(out, FRAME_SEND, id, action, payload);
}

void frame_write_result(struct buf *out, struct slice id, struct slice payload)
{
	write_head(out, FRAME_RESULT, id);
	buf_slice(out, payload);
	buf_add(out, "]", 1);
}

static void write_error(struct buf *out, enum frame_kind kind, struct slice id, const char *code, const char *description)
{
	write_head(out, kind, id);
	json_quote(out, slice_of(code));
	buf_add(out, ",", 1);
	json_quote(out, scan_cut(slice_of(description ? description : ""), DESCRIPTION_MOST));
	buf_puts(out, ",{}]");
}

void frame_write_error(struct buf *out, struct slice id, const char *code, const char *description)
{
	write_error(out, FRAME_ERROR, id, code, description);
}

void frame_write_result_error(struct buf *out, struct slice id, const char *code, const char *description)
{
	write_error(out, FRAME_RESULT_ERROR, id, code, description);
}
