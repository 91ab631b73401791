/* A stage for station tests: one station, the in-process link, and on its other end a scripted CSMS that writes down every call, answers
 * what it has an answer for, and is asked afterwards what it saw. Time is frozen. */
#ifndef AMPGATE_TESTS_STATION_CSMS_H
#define AMPGATE_TESTS_STATION_CSMS_H

#include "station/station.h"
#include "tests/unit/unit.h"

#define SEEN_MOST 256
#define SECOND INT64_C(1000000)

struct stage {
	struct station_conf conf;
	struct station *s;
	struct link *near, *far;      /* NULL: no link */
	struct {
		char id[64], action[48];
		char payload[12000];
	} seen[SEEN_MOST];            /* calls of the station */
	int n_seen, at;               /* `at`: the next that expect looks at */
	char answer[16000];           /* the station's last answer: its payload, or "error CODE" */
	struct {
		const char *action, *payload;
	} script[48];                 /* answers; a payload of NULL: silence; "!Code": CALLERROR. The latest row for an action counts */
	int n_script;
	bool mute;                    /* answers nothing at all */
	char output[512];             /* of EVSE 1: "close16000 open0 " */
	char ledger[1024];            /* of the tx callback: "start: 17 ..." */
	struct evse_input in;
	enum { LOCK_NONE, LOCK_GOOD, LOCK_STUCK } lock;
};

/* The station is made from st->conf with st->conf.version set; it is not connected. */
void stage_open(struct stage *st, enum ocpp_version v);
void stage_make(struct stage *st); /* opens the station of st->conf */
void stage_close(struct stage *st);
void stage_connect(struct stage *st);
struct link *stage_far(struct stage *st);             /* a CSMS of its own: the station's end of a new link, to be owned by somebody else */
void stage_drop(struct stage *st);                  /* the CSMS closes the link */
void stage_boot(struct stage *st);                  /* connects and forgets what was said at the start */
void stage_script(struct stage *st, const char *action, const char *payload);

void pass(struct stage *st, int64_t us);            /* time, in steps of at most a second */
void plug(struct stage *st, bool plugged, bool wants);
void meter(struct stage *st, double wh);

/* The CSMS calls; the payload of the station's answer, or "error CODE". */
const char *ask(struct stage *st, const char *action, const char *payload);

/* The next call the station made is this one and its payload holds each of the fragments (a NULL ends them). Returns its message id. */
const char *expect(struct stage *st, const char *action, ...) __attribute__((sentinel));
void expect_nothing(struct stage *st);
void expect_output(struct stage *st, const char *want); /* and forgets it */
const char *last_payload(const struct stage *st);       /* of the call that expect looked at last */

#endif
