/* What the measurements of a commissioning mean. */
#include <math.h>
#include <stdbool.h>

#include "gateway/manage/commission.h"

#define LOADED_A 1.0   /* below this the angle is noise */
#define STEP_LEAST_A 1.5

const char *wiring_text(enum wiring w)
{
	static const char *const names[] = { "ok", "reversed", "swapped", "swapped_reversed", "unloaded", "unknown" };
	return names[w];
}

enum wiring judge_wiring(double p_w, double u_v, double i_a, double *cos_out)
{
	*cos_out = NAN;
	if (isnan(p_w) || isnan(i_a) || isnan(u_v) || u_v < 20)
		return WIRING_UNKNOWN;
	if (fabs(i_a) < LOADED_A)
		return WIRING_UNLOADED;
	double c = fmax(-1, fmin(1, p_w / (u_v * fabs(i_a))));
	*cos_out = c;
	return c > 0.72 ? WIRING_OK : c < -0.72 ? WIRING_REVERSED : c < 0 ? WIRING_SWAPPED : WIRING_SWAPPED_REVERSED;
}

/* Own phase i of the station is on grid phase row[i]. The ones that turn the same way round as the grid come first: an electrician who has kept the
 * sequence of the phases has made one of these. */
static const struct {
	const char *word;
	int at[3];
} rotations[6] = {
	{ "RST", { 0, 1, 2 } }, { "STR", { 1, 2, 0 } }, { "TRS", { 2, 0, 1 } }, { "RTS", { 0, 2, 1 } }, { "SRT", { 1, 0, 2 } }, { "TSR", { 2, 1, 0 } },
};

static double misfit(const double own_a[3], const double grid_a[3], const int at[3])
{
	double sum = 0;
	for (int i = 0; i < 3; i++)
		sum += (grid_a[at[i]] - own_a[i]) * (grid_a[at[i]] - own_a[i]);
	return sqrt(sum);
}

int judge_rotation(const double own_a[3], const double grid_a[3], const char *words[6])
{
	double most = 0, best = INFINITY, fits[6];
	int n = 0;
	for (int i = 0; i < 3; i++)
		most = fmax(most, fabs(own_a[i]));
	for (int r = 0; r < 6; r++) {
		fits[r] = misfit(own_a, grid_a, rotations[r].at);
		best = fmin(best, fits[r]);
	}
	if (most < STEP_LEAST_A || best > most / 2)
		return 0;
	/* As good as the best, give or take what meters and buildings tremble. */
	for (int r = 0; r < 6; r++)
		if (fits[r] <= best + most * 0.2)
			words[n++] = rotations[r].word;
	return n;
}
