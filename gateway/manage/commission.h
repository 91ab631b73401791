/* Commissioning: what an installer checks before leaving, with the evidence of it. Each check is a task (task.h); what it found is kept in the
 * store by step, so that the work can be interrupted, and ends in a report with a check sum. Loop thread. */
#ifndef AMPGATE_GATEWAY_COMMISSION_H
#define AMPGATE_GATEWAY_COMMISSION_H

#include "base/json.h"
#include "gateway/gateway.h"
#include "gateway/manage/task.h"

/* Looks at voltage, current and power of each phase of every meter for some seconds. */
struct task *commission_meters(struct gateway *g, const char *user, int64_t for_us);

/* Lowers one EVSE after the other (evse < 0: all that charge) and finds the phases of the meter that follow. NULL: none of them charges. */
struct task *commission_identify(struct gateway *g, const char *user, int evse);

/* Lowers a circuit and stops the time until everybody draws no more than was granted. */
struct task *commission_limit(struct gateway *g, const char *user, int node, int32_t ma, int64_t most_us);

/* Cuts an uplink for a time, then waits until everything that was kept has reached the CSMS. */
struct task *commission_offline(struct gateway *g, const char *user, size_t uplink, int64_t for_us);

/* Ends a probe (gateway/power/probe.h): what it found, taken over, becomes evidence beside that of other EVSEs, and the task ends when that is on disk. */
void commission_probed(struct gateway *g, struct task *t, const char *user, struct buf *json);

/* What is kept. `data` is JSON; state "passed" or "failed". */
int commission_note(struct gateway *g, const char *step, const char *state, const char *user, const char *note, struct slice data, store_done *done,
                    void *arg) MUST_CHECK;
int commission_write(struct gateway *g, struct json_writer *w) MUST_CHECK;  /* an object: step -> what was found */
int commission_report(struct gateway *g, struct json_writer *w) MUST_CHECK; /* the whole with the site's parts and the check sum */
int commission_reset(struct gateway *g, store_done *done, void *arg) MUST_CHECK;
bool commission_step_ok(const char *step);

/* commission-judge.c: the arithmetic, pure. */
enum wiring { WIRING_OK, WIRING_REVERSED, WIRING_SWAPPED, WIRING_SWAPPED_REVERSED, WIRING_UNLOADED, WIRING_UNKNOWN };
const char *wiring_text(enum wiring w);
/* From the mean power, voltage and current of one channel of a meter: P = U * I * cos(phi). A load's own angle is small; a transformer turned
 * round adds 180 degrees, one on another phase 120 either way. */
enum wiring judge_wiring(double p_w, double u_v, double i_a, double *cos_out);

/* Which of the six rotations explain the change of the grid's currents by that of the station's own. Returns how many, best first, in `words`
 * ("RST"...); more than one where the car's currents cannot tell them apart. 0: the meter did not follow. */
int judge_rotation(const double own_a[3], const double grid_a[3], const char *words[6]);

#endif
