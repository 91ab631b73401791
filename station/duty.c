/* Two straight lines and the gaps between them. A car reads a wider range than a station may generate, so the two directions are no
 * inverses at the edges: 8 % to 10 % and 96 % to 97 % are read but never made. Easy to get wrong: a rounded-up duty offers more than
 * was permitted, so every division here rounds down. */
#include "station/duty.h"

#define LINE_1_FROM 1000 /* 0.6 A for each percent */
#define LINE_2_FROM 8500 /* 2.5 A for each percent above 64 */
#define LINE_2_TO 9600

uint16_t duty_of_ma(int32_t ma)
{
	if (ma < DUTY_LEAST_MA)
		return DUTY_STEADY;
	if (ma < 51000)
		return (uint16_t)(ma / 6);
	if (ma < 52500)
		return LINE_2_FROM;
	return ma >= DUTY_MOST_MA ? LINE_2_TO : (uint16_t)(ma / 25 + 6400);
}

int32_t duty_to_ma(uint16_t duty)
{
	if (duty < 800)
		return 0; /* below 3 % none, 3 to 7 % digital, 7 to 8 % none */
	if (duty < LINE_1_FROM)
		return DUTY_LEAST_MA;
	if (duty <= LINE_2_FROM)
		return duty * 6;
	if (duty <= LINE_2_TO)
		return (duty - 6400) * 25;
	return duty <= 9700 ? DUTY_MOST_MA : 0;
}

int duty_is_digital(uint16_t duty)
{
	return duty >= 300 && duty <= 700;
}
