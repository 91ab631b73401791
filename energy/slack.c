/* Which lines have had current left that nobody could take.
 *
 * Cars on one phase fill their line, and then nobody on three phases gets more, or begins at all, although the other two lines are half empty.
 * Fair is what each asks for; but an ampere on the full line carries one ampere for the first and three for the second. So where lines
 * have been unevenly used for a while, a car counts for more by the part of its lines that has current left. Where all lines are full, or
 * none, everybody counts as before.
 *
 * Easy to get wrong: as soon as it works, nothing is left any more. It is therefore a mean over some minutes, which settles where both
 * kinds are served. */
#include "base/clock.h"
#include "energy/control-local.h"

#define WHOLE_PPM 1000000
#define LITTLE_PPM 10000               /* of a limit: rounding, and what is too small for anybody */
#define MUCH_PPM 30000                 /* what is left beyond that counts no more */
#define WINDOW_US (120 * US_PER_S)
#define STEP_MOST_US (30 * US_PER_S)
#define COUNTS 100                      /* how many times more a car counts whose lines all have some left */

static int64_t left_ppm(const struct junction *n, int l)
{
	int64_t little = (int64_t)n->limit[l] * LITTLE_PPM / 1000000, much = (int64_t)n->limit[l] * MUCH_PPM / 1000000;
	if (n->limit[l] == MA_NONE)
		return WHOLE_PPM;
	if (n->left[l] <= little)
		return 0;
	return n->left[l] >= much ? WHOLE_PPM : (n->left[l] - little) * WHOLE_PPM / (much - little);
}

void slack_watch(struct control *c)
{
	int64_t dt = c->now_us - c->slack_us;
	c->slack_us = c->now_us;
	dt = dt < 0 ? 0 : dt > STEP_MOST_US ? STEP_MOST_US : dt;
	for (size_t i = 0; i < c->site.parts.n_nodes; i++)
		for (int l = 0; l < 3; l++) {
			int32_t *slack = &c->nodes[i].slack_ppm[l];
			*slack += (int32_t)((left_ppm(&c->nodes[i], l) - *slack) * dt / WINDOW_US);
		}
}

/* On a line it is the device with least. */
static int32_t slack_on(const struct control *c, const struct seat *s, int line)
{
	int32_t least = WHOLE_PPM;
	for (int n = s->conf->node; n >= 0; n = c->nodes[n].conf->parent)
		least = c->nodes[n].slack_ppm[line] < least ? c->nodes[n].slack_ppm[line] : least;
	return least;
}

int64_t slack_worth_ppm(const struct control *c, const struct seat *s)
{
	uint8_t lines = control_lines(s);
	int64_t sum = 0;
	for (int l = 0; l < 3; l++)
		sum += lines & (1u << l) ? slack_on(c, s, l) : 0;
	return lines ? WHOLE_PPM + COUNTS * sum / __builtin_popcount(lines) : WHOLE_PPM;
}
