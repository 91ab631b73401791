/* One OCPP-J message (1.6-J chapter 4, 2.x Part 4 chapter 4): windows into the text as it arrived. Parsing finds the outer array's
 * elements without building a tree; the payload becomes a tree only when somebody asks for its meaning. */
#ifndef AMPGATE_OCPP_FRAME_H
#define AMPGATE_OCPP_FRAME_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/str.h"
#include "ocpp/version.h"

enum frame_kind { FRAME_CALL = 2, FRAME_RESULT = 3, FRAME_ERROR = 4, FRAME_RESULT_ERROR = 5, FRAME_SEND = 6 };

struct action;

struct frame {
	enum frame_kind kind;
	enum ocpp_version version;
	struct slice raw;         /* the whole text; never edited */
	struct slice id;          /* between its quotes, escapes as they came */
	struct slice action;      /* CALL and SEND: between its quotes */
	struct slice payload;     /* CALL, RESULT, SEND: the payload; errors: the details (absent where the peer left them out) */
	struct slice code;        /* errors: between its quotes */
	struct slice description; /* errors: between its quotes; absent where left out */
	const struct action *act; /* catalogue row of a CALL or SEND; NULL: unknown to us, still carried */
	cJSON *tree;              /* of the payload; see frame_tree */
};

/* Why a text is no frame. `code` is the CALLERROR code in this version's spelling; `id` is what an error answer carries ("-1" when
 * unreadable). Message types we do not know are FRAME_IGNORED: the standard says to ignore the whole message (1.6-J 4.1.3). */
struct frame_fault {
	const char *code;
	const char *reason; /* English, static */
	struct slice id;
	bool is_call;       /* an answer can be sent */
};
enum { FRAME_IGNORED = 1 };

/* Reads the envelope. The frame borrows `raw`. 0, FRAME_IGNORED, or ERR_SYNTAX with `fault` filled. Never allocates.
 * Tolerated: CALLERROR with three to five elements and a fifth of any type, as seen in the field; white space; a null
 * payload.
 * Refused: bad UTF-8 is left to the link, depth over 64, id longer than FRAME_ID_MOST, anything behind the array. */
#define FRAME_ID_MOST 255 /* the standard says 36; longer ones from the field are carried, and reported by validation */
int frame_parse(struct frame *f, enum ocpp_version v, struct slice raw, struct frame_fault *fault) MUST_CHECK;

const cJSON *frame_tree(struct frame *f); /* the payload, parsed when first asked for; NULL: not valid JSON */
void frame_done(struct frame *f);         /* frees the tree */

/* Makers of frames; the payload is JSON text, put in as it is. They append to `out`. */
void frame_write_call(struct buf *out, struct slice id, const char *action, struct slice payload);
void frame_write_send(struct buf *out, struct slice id, const char *action, struct slice payload);
void frame_write_result(struct buf *out, struct slice id, struct slice payload);
void frame_write_error(struct buf *out, struct slice id, const char *code, const char *description);
void frame_write_result_error(struct buf *out, struct slice id, const char *code, const char *description); /* 2.1 only */

#endif
