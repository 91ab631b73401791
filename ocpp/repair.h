/* What deviates from the standard in a payload, and the repairs that are safe: rows (version, action, path, rule) of what stations in the
 * field are known to send. A repair replaces the bytes of one value and leaves all others alone; what has no row, or no safe repair, stays
 * as it came and is told all the same. Never guesses: a token, a transaction id or a signed value is not touched. Any thread. */
#ifndef AMPGATE_OCPP_REPAIR_H
#define AMPGATE_OCPP_REPAIR_H

#include "base/buf.h"
#include "ocpp/catalogue.h"
#include "ocpp/frame.h"
#include "ocpp/validate.h"

struct deviation {
	const struct verdict *fault;
	const char *quirk; /* what is known about it, and why it is repaired or passed on; NULL: nothing is known */
	bool repaired;
};

struct payload_check {
	enum ocpp_version version;
	const char *action;
	bool answer;
	bool repair; /* false: only tells */
	/* Called for each deviation, once per place and rule, in the order of the text; lives during the call. NULL: nobody listens. */
	void (*on_deviation)(void *arg, const struct deviation *d);
	void *arg;
};

#define DEVIATIONS_MOST 32 /* told of one payload */

enum repair_result { REPAIR_CLEAN, REPAIR_DEVIANT, REPAIR_DONE };

/* Checks a payload by its shape, strictly. REPAIR_DONE: `out` (empty before) holds the payload with at least one repair, and may still
 * deviate elsewhere. An action that the dictionary does not know is clean. Costs one validation where nothing deviates. */
enum repair_result repair_payload(const struct payload_check *c, struct slice payload, struct buf *out);

/* The same for a whole frame: its payload, and of its envelope what was let pass when it was read: ids over 36 characters, actions that the
 * version does not have, error answers with fewer elements than five. Of those, the path is "id", "action", "description" or "details". */
struct frame_check {
	bool repair;
	const struct action *asked; /* a RESULT: whose answer it is; NULL: not known, then it is not looked into */
	void (*on_deviation)(void *arg, const struct deviation *d);
	void *arg;
};
enum repair_result repair_frame(const struct frame_check *c, const struct frame *f, struct buf *out);

/* A text without the control characters that JSON forbids: tabs and line ends inside strings become escapes, the rest is left out.
 * False: there are none. */
bool repair_controls(struct slice text, struct buf *out);

#endif
