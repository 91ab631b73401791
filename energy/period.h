/* The balancer for somebody who looks at everything once a period and tells all he sees, instead of telling events as they happen: the program
 * on standard input, replay, simulators. Set-points in an EVSE's own unit: amperes, or kilowatt for direct current. There is no message for an
 * answer: a command counts as accepted when a later look shows it as the EVSE's own. When one after that shows another, somebody else has given
 * it: ours is given again, and until it shows the higher of the two counts. */
#ifndef AMPGATE_ENERGY_PERIOD_H
#define AMPGATE_ENERGY_PERIOD_H

#include "base/str.h"
#include "energy/control.h"

struct period_evse {
	double amps_per_unit; /* 1, or line amperes per kilowatt */
	double min, max;      /* in its own unit; max 0: not known, nothing is cut to it */
};

/* What is seen of an EVSE. One that is not seen in a period is free and online. */
struct period_seen {
	bool on;              /* its link */
	double set;           /* the command it goes by, as far as known; less than 0: none */
	double age_s;         /* since it reported; NaN: not said, and then what it draws is not either */
	char state;           /* A free, B connected and not drawing, C drawing, S full */
	struct slice session;
	int priority;         /* of this session: each step counts as much again as a session without */
	double wh, need_wh;   /* NaN: not said */
	double leave_s;       /* from now; NaN: not said */
	double draw[3];       /* on its own phases, in its own unit; NaN on one of them: not said */
};

struct period_order {
	bool given;
	bool wake;
	double set;
	uint8_t phases; /* on so many; on one: */
	uint8_t phase;  /* which, as struct grant has it */
	struct cap why;
};

struct period;
/* Copies both. `evses` has conf->n_evses. */
struct period *period_open(const struct control_conf *conf, const struct period_evse *evses);
void period_close(struct period *p);
struct control *period_control(struct period *p);

/* The conf of a site that is known by its fuses, meters and EVSEs only: what the program on standard input runs with. */
void period_preset(struct control_conf *conf, double period_s);

void period_begin(struct period *p, double t_s);
/* age_s: of the sample. Lost: not ok, an age or a current that is not known (NaN), or a current that nothing carries. */
void period_meter(struct period *p, int meter, const double amps[3], double age_s, bool ok);
void period_cap(struct period *p, int node, const struct milliamps *limit);
void period_evse(struct period *p, int evse, const struct period_seen *seen);
/* Steps the balancer. The orders, one per EVSE, live until the next period_begin. */
const struct period_order *period_end(struct period *p);

#endif
