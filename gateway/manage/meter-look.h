/* What some seconds of a meter's readings say about how it is wired: the values of each phase, and in words what is wrong and what to do about it.
 * Pure arithmetic over judge_wiring (commission.h). */
#ifndef AMPGATE_GATEWAY_METER_LOOK_H
#define AMPGATE_GATEWAY_METER_LOOK_H

#include "base/json.h"
#include "base/plugin.h"

struct meter_look { /* zero-initialise */
	int n, failed;
	struct look_phase {
		double u, i, p, size; /* sums; i with the direction, size without */
		int n, n_u, n_i, n_p;
	} phases[3];
	double power, sum_of_phases; /* sums */
	int n_power;
	double import_first_wh, import_last_wh;
	ag_meter_sample first, last; /* as they came */
	bool changed;           /* two of them were not the same */
	char fault[200];        /* of the last reading that failed */
};

void look_add(struct meter_look *l, const ag_meter_sample *s);
void look_failed(struct meter_look *l, const char *fault);

/* Members of an object that is open: samples, failed, fault, phases, power_w, import_wh, export_wh, ok, hints. True: nothing is wrong, as far as can
 * be seen. */
bool look_write(const struct meter_look *l, struct json_writer *w);

#endif
