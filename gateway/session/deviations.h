/* What a station, or the CSMS on its lane, sends that the standard does not allow: looked for by the station's policy, put right where that
 * is safe, and kept in a bounded table per station, so that people can see what, since when and how often. Loop thread.
 *
 *   lenient   deviations are counted; a station's are repaired by the rows of ocpp/repair, else they pass as they came
 *   strict    a frame that deviates does not pass; its sender hears the standard's error
 *   off       nothing is looked at */
#ifndef AMPGATE_GATEWAY_DEVIATIONS_H
#define AMPGATE_GATEWAY_DEVIATIONS_H

#include "base/json.h"
#include "gateway/session/session.h"
#include "gateway/session/trace.h"
#include "ocpp/validate.h"

#define DEVIATIONS_KEPT 64    /* rows per station; the one seen least lately gives way */
#define DEVIATION_EXAMPLE 200 /* bytes */

/* A frame on its way: zero at first, released with inspection_done. */
struct inspection {
	struct buf text;        /* the repaired frame's bytes, which the frame then points into; empty: as it came */
	const char *code;       /* strict: it must not pass; the standard's error code, static */
	char why[VERDICT_PATH + 64]; /* in words, for the error answer */
};
void inspection_done(struct inspection *in);

/* Reads a frame as frame_parse does; what only control characters made unreadable is read without them, if the policy lets repair. */
int deviations_read(struct session *s, enum trace_side from, struct slice text, struct frame *f, struct frame_fault *fault, struct inspection *in) MUST_CHECK;

/* Looks at a frame that was read. `asked`: of a RESULT, the action of its CALL, NULL when nobody asked. False: it must not pass. */
bool deviations_look(struct session *s, enum trace_side from, struct frame *f, const struct action *asked, struct inspection *in) MUST_CHECK;

/* The table as members of an array: worst first. */
void deviations_write(const struct session *s, struct json_writer *w);
void deviations_free(struct session *s);

#endif
