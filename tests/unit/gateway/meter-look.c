/* What a test of a meter says: values, directions and phases, and hints that an electrician can follow. */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "gateway/manage/meter-look.h"

struct said {
	struct buf json;
	cJSON *tree;
	bool ok;
};

/* Each reading a little different from the one before, as those of a meter are. */
static struct said look(const double u[3], const double i[3], const double p[3], double total, int readings, double drift)
{
	struct meter_look l = { 0 };
	struct said out = { .ok = false };
	struct json_writer w;
	for (int k = 0; k < readings; k++) {
		ag_meter_sample s = { .valid = AG_I | AG_U | AG_P | (isnan(total) ? 0 : AG_POWER), .power_w = total, .mono_us = (uint64_t)k };
		for (int n = 0; n < 3; n++) {
			s.u_v[n] = u[n];
			s.i_a[n] = i[n];
			s.p_w[n] = p[n] + k * drift;
		}
		look_add(&l, &s);
	}
	jw_open(&w, &out.json);
	jw_object(&w, NULL);
	out.ok = look_write(&l, &w);
	jw_end(&w, '}');
	out.tree = json_parse(buf_view(&out.json));
	assert_non_null(out.tree);
	return out;
}

static void done(struct said *s)
{
	cJSON_Delete(s->tree);
	buf_free(&s->json);
}

static void expect_hint(const struct said *s, const char *part)
{
	const cJSON *h;
	cJSON_ArrayForEach(h, json_at(s->tree, "hints"))
		if (strstr(h->valuestring, part))
			return;
	fail_msg("no hint has '%s': %s", part, s->json.p);
}

static const double mains[3] = { 230, 231, 229 };

static void test_wiring(void **state)
{
	static const struct {
		double i[3], p[3];
		bool ok;
		const char *hint; /* NULL: none */
	} cases[] = {
		{ { 10, 8, 5 }, { 2250, 1800, 1130 }, true, NULL },
		{ { 10, 8, 5 }, { 2250, -1800, 1130 }, false, "L2 counts the other way round" },
		{ { -10, -8, -5 }, { -2250, -1800, -1130 }, true, "something feeds in behind this meter now" },
		/* the angle of another phase: 120 degrees, half the power and negative, or positive where it is also turned */
		{ { 10, 8, 5 }, { -1150, -920, 1130 }, false, "the currents of L1 and L2 belong to each other's voltage" },
		{ { 10, 8, 5 }, { -1150, -920, -570 }, false, "moved on by one phase" },
		{ { 0.1, 0, 0.2 }, { 20, 0, 40 }, true, "try again under load" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct said s = look(mains, cases[i].i, cases[i].p, NAN, 8, 0.1);
		if (s.ok != cases[i].ok)
			fail_msg("case %zu: %s", i, s.json.p);
		if (cases[i].hint)
			expect_hint(&s, cases[i].hint);
		else if (cJSON_GetArraySize(json_at(s.tree, "hints")))
			fail_msg("case %zu: %s", i, s.json.p);
		done(&s);
	}
}

static void test_values_that_do_not_agree(void **state)
{
	static const double i[3] = { 10, 8, 5 }, p[3] = { 2250, 1800, 1130 }, dead[3] = { 230, 0, 229 }, high[3] = { 230, 231, 398 };
	static const double none[3] = { 10, 0, 5 }, half[3] = { 2250, 0, 1130 };
	(void)state;
	struct said s = look(mains, i, p, 51800, 8, 0.1);
	assert_false(s.ok);
	expect_hint(&s, "the phases sum up to 5181 W, the meter says 51800 W");
	done(&s);
	s = look(dead, none, half, NAN, 8, 0.1);
	assert_false(s.ok);
	expect_hint(&s, "L2 has no voltage");
	done(&s);
	s = look(high, i, p, NAN, 8, 0.1);
	expect_hint(&s, "L3 has 398 V");
	done(&s);
	s = look(mains, i, p, NAN, 8, 0);
	assert_false(s.ok);
	expect_hint(&s, "8 readings were the same to the last digit");
	done(&s);
}

static void test_a_meter_that_does_not_answer(void **state)
{
	struct meter_look l = { 0 };
	struct said s = { .ok = false };
	struct json_writer w;
	(void)state;
	look_failed(&l, "no answer from unit 3");
	jw_open(&w, &s.json);
	jw_object(&w, NULL);
	s.ok = look_write(&l, &w);
	jw_end(&w, '}');
	s.tree = json_parse(buf_view(&s.json));
	assert_false(s.ok);
	expect_hint(&s, "no reading: no answer from unit 3");
	assert_true(cJSON_IsNull(json_at(s.tree, "phases.0.u_v")));
	done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wiring),
		cmocka_unit_test(test_values_that_do_not_agree),
		cmocka_unit_test(test_a_meter_that_does_not_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
