/* A long look at the box and its site for who is called because something is not right: more than checks.h, whose few words go out as alarms, and each
 * with what to do next. Reads files of the system; some milliseconds. Loop thread. */
#ifndef AMPGATE_GATEWAY_DOCTOR_H
#define AMPGATE_GATEWAY_DOCTOR_H

#include "gateway/manage/checks.h"

#define FINDING_TEXT 400
struct finding {
	enum check_state state;
	char detail[FINDING_TEXT]; /* what is the matter, or what was seen; "" */
};

struct doctor_check {
	const char *name;          /* "stations.refused" */
	void (*look)(struct gateway *g, struct finding *f); /* f is CHECK_OK and "" before */
	const char *advice;        /* what to do next where it is not ok */
};

/* doctor-box.c, doctor-site.c: each ends with a row without a name. */
extern const struct doctor_check doctor_box[], doctor_site[];
/* What to do next about a check of checks.h; NULL: it has none. */
const char *doctor_advice(const char *check);

/* For looks: a warning, or worse, with its words; later words are added behind commas, up to a few. */
void finding_say(struct finding *f, enum check_state state, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
