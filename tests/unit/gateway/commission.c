/* What measurements of a commissioning mean: the wiring of current transformers by the angle, the phases of a station by what follows it. */
#include <math.h>
#include <stdio.h>

#include "gateway/manage/commission.h"
#include "tests/unit/unit.h"

static enum wiring wiring(double cosine, double i_a)
{
	double got;
	return judge_wiring(230 * i_a * cosine, 230, i_a, &got);
}

static void test_the_angle_tells_how_a_transformer_sits(void **state)
{
	double cosine;
	(void)state;
	/* cos(phi), cos(180 + phi), cos(120 +- phi), cos(60 -+ phi) for loads up to phi = 25 degrees. */
	for (double phi = -25; phi <= 25; phi += 5) {
		double r = M_PI / 180;
		assert_int_equal(wiring(cos(phi * r), 20), WIRING_OK);
		assert_int_equal(wiring(cos((180 + phi) * r), 20), WIRING_REVERSED);
		if (fabs(phi) > 15)
			continue;
		assert_int_equal(wiring(cos((120 + phi) * r), 20), WIRING_SWAPPED);
		assert_int_equal(wiring(cos((240 + phi) * r), 20), WIRING_SWAPPED);
		assert_int_equal(wiring(-cos((120 + phi) * r), 20), WIRING_SWAPPED_REVERSED);
	}
	assert_int_equal(wiring(1, 0.4), WIRING_UNLOADED);
	assert_int_equal(judge_wiring(NAN, 230, 10, &cosine), WIRING_UNKNOWN);
	assert_int_equal(judge_wiring(100, 0, 10, &cosine), WIRING_UNKNOWN);
}

static void expect(const double own[3], const double grid[3], const char *wanted)
{
	const char *words[6];
	char all[40] = "";
	int n = judge_rotation(own, grid, words);
	for (int i = 0; i < n; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? " " : "", words[i]);
	assert_string_equal(all, wanted);
}

static void test_phases_follow_the_station(void **state)
{
	(void)state;
	expect((double[]){ 6, 0, 0 }, (double[]){ 6.2, 0.1, -0.2 }, "RST RTS");   /* one phase tells where the first one goes */
	expect((double[]){ 6, 0, 0 }, (double[]){ 0.1, 5.8, 0 }, "STR SRT");
	expect((double[]){ 6, 6, 0 }, (double[]){ 0, 6, 6 }, "STR TSR");          /* two: where the third is */
	expect((double[]){ 6, 3, 0 }, (double[]){ 0, 6, 3 }, "STR");              /* uneven ones: everything */
	expect((double[]){ 6, 3, 0 }, (double[]){ 3.1, 6, 0.2 }, "SRT");
	expect((double[]){ 6, 6, 6 }, (double[]){ 6, 6, 6 }, "RST STR TRS RTS SRT TSR");
	expect((double[]){ 6, 0, 0 }, (double[]){ 0.3, 0.2, 0 }, "");             /* another meter */
	expect((double[]){ 0.5, 0, 0 }, (double[]){ 0.5, 0, 0 }, "");             /* too small a step */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_angle_tells_how_a_transformer_sits),
		cmocka_unit_test(test_phases_follow_the_station),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
