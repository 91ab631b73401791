/* The source has 1 kohm to +12 V and -12 V. A car loads the positive half with 2.7 kohm (B, 9 V), 880 ohm (C, 6 V) or 240 ohm (D, 3 V).
 * The standard's windows leave gaps; a level in a gap belongs to the nearer letter, so the borders are the midpoints. */
#include "station/pilot.h"

#define HYSTERESIS_MV 300
#define DIODE_MV (-10000) /* nominal -12 V; -11.4 V at the least, and a tolerance for the measurement */

static const struct {
	char letter;
	int32_t from_mv;
} levels[] = { { 'A', 10500 }, { 'B', 7500 }, { 'C', 4500 }, { 'D', 1500 }, { 'E', -1500 }, { 'F', INT32_MIN } };

char pilot_letter(int32_t high_mv, char last)
{
	for (int i = 0;; i++) {
		int32_t from = levels[i].from_mv;
		if (from == INT32_MIN)
			return levels[i].letter;
		/* The border moves away from where we are. */
		from += last && last <= levels[i].letter ? -HYSTERESIS_MV : last ? HYSTERESIS_MV : 0;
		if (high_mv >= from)
			return levels[i].letter;
	}
}

bool pilot_sees_diode(int32_t low_mv)
{
	return low_mv < DIODE_MV;
}

int32_t proximity_ma(int32_t ohm)
{
	static const struct {
		int32_t from_ohm, ma;
	} codes[] = { { 2200, 0 }, { 1000, 13000 }, { 330, 20000 }, { 150, 32000 }, { 75, 63000 } };
	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (ohm > codes[i].from_ohm || (i && ohm == codes[i].from_ohm))
			return codes[i].ma;
	}
	return 0;
}
