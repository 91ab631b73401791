/* What gateway/net/link-ws.c, link-ws-in.c and link-ws-out.c share: the link, and what each does for the others. Nobody else includes this.
 * All on the loop's thread. */
#ifndef AMPGATE_GATEWAY_LINK_WS_LOCAL_H
#define AMPGATE_GATEWAY_LINK_WS_LOCAL_H

#include <wslay/wslay.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/timer.h"
#include "gateway/net/link-ws.h"
#include "gateway/net/utf8.h"

#define WS_CONTROL_MOST 125
#define WS_HEADER_MOST 14

enum { CODE_NORMAL = 1000, CODE_AWAY, CODE_PROTOCOL, CODE_TYPE, CODE_NONE = 1005, CODE_LOST, CODE_TEXT, CODE_SIZE = 1009 };

enum ws_state { OPENING, OPEN, CLOSING, ENDING, ENDED };

struct ws_link {
	struct link base;
	struct stream stream;
	struct watch watch;
	struct timer timer;
	struct later flush, settle;
	struct ws_options o;
	void (*cancel)(void *arg);
	void *cancel_arg;
	enum ws_state state;
	bool released, told, refused_send, finished, blocked;

	/* receiving */
	wslay_frame_context_ptr parser; /* only in the middle of a frame */
	uint64_t unconsumed;            /* bytes fed that belong to no finished frame or payload yet */
	uint64_t frame_left;            /* payload bytes of the present frame still to come */
	bool in_frame, in_message, compressed;
	uint8_t opcode;                 /* of the message, not the frame */
	struct utf8 utf8;               /* of the message so far */
	struct buf message;             /* the present message where it came in pieces */
	struct buf control;             /* the same for a control frame */

	/* sending */
	struct buf out;
	size_t out_done;                /* bytes at the front of `out` that have left */

	int64_t pinged_us, ping_due_us; /* pinged_us 0: no ping is open */
	int64_t ping_left_us;    /* of the ping whose pong has not come; 0: none */
	struct link_end end;
	char *reason;
	struct dial_times times;
};

/* --- link-ws.c: the states --- */

/* The peer broke a rule, or is too quiet: it is told why. */
void ws_fail(struct ws_link *l, int err, int code, const char *reason);
/* The connection is gone under us. */
void ws_lost(struct ws_link *l, int err);
/* The peer says goodbye; what we answer is said already. `reason` is copied. */
void ws_left(struct ws_link *l, int code, struct slice reason);

/* --- link-ws-out.c: frames out --- */

size_t ws_queued(const struct ws_link *l);
void ws_put_frame(struct ws_link *l, uint8_t opcode, uint8_t rsv, struct slice payload);
void ws_put_close(struct ws_link *l, int code, struct slice reason);
/* ERR_CLOSED; ERR_FULL: `room` will be told. */
int ws_send_message(struct ws_link *l, uint8_t opcode, struct slice payload);
/* Writes what is queued; `arg` is the link. */
void ws_flush(void *arg);
/* Asks the loop for what the link waits for. */
void ws_want(struct ws_link *l);
/* `to` may be `from`. */
void ws_mask(uint8_t *to, const uint8_t *from, size_t n, const uint8_t key[4]);
void ws_out_free_shared(void);

/* --- link-ws-in.c: frames in --- */

void ws_take(struct ws_link *l, struct slice bytes);
/* The socket can be read or written; `arg` is the link. */
void ws_ready(void *arg, unsigned what);
void ws_in_free_shared(void);

#endif
