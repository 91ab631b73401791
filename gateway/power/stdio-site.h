/* The site as a hello of the balancer on standard input tells it. */
#ifndef AMPGATE_GATEWAY_STDIO_SITE_H
#define AMPGATE_GATEWAY_STDIO_SITE_H

#include <stdio.h>

#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "energy/period.h"

/* What is said beside the answers: remarks, one line each, and in `why` (may be NULL) what ended it. */
struct stdio_talk {
	FILE *err;
	size_t line;          /* from 1 */
	char *why;
	size_t room;
};
void stdio_note(const struct stdio_talk *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int stdio_bad(const struct stdio_talk *t, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4))); /* `code` */

/* All it points to is its own. */
struct stdio_site {
	struct arena mem;
	struct control_conf conf;
	struct period_evse *points; /* one per EVSE of conf */
	bool *direct;               /* as many */
	double period_s;
	struct map node_by_id, evse_by_id;
};

/* 0, or ERR_INVALID with the reason told. Free it in either case. */
int stdio_site_read(struct stdio_site *s, const cJSON *hello, const struct stdio_talk *t);
void stdio_site_free(struct stdio_site *s);

/* The index; less than 0: no such one, or an EVSE that can never charge. */
int stdio_site_node(const struct stdio_site *s, struct slice id);
int stdio_site_evse(const struct stdio_site *s, struct slice id);

double stdio_number(const cJSON *tree, const char *path); /* NaN: absent, no number, or not a finite one */
/* A limit per grid line: null where there is none; one number counts for all lines, and the last of a short list for the rest. False: something in
 * it is no number. */
bool stdio_limits(const cJSON *limit, struct milliamps *out);

#endif
