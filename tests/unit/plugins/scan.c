/* Finding out what answers on a line: every meter of the collection is recognised by its registers alone, what describes itself is believed, and
 * what is no meter is not taken for one. */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "plugins/scan.h"
#include "tests/unit/plugins/meters.h"

static struct regmap *maps;
static size_t n_maps;

static void take(void *arg, const char *model)
{
	char err[256];
	(void)arg;
	maps = mem_grow(maps, (n_maps + 1) * sizeof(*maps));
	if (regmap_find(model, models_dir(), &maps[n_maps], err, sizeof(err)) != 0)
		fail_msg("%s", err);
	n_maps++;
}

static int load_maps(void **state)
{
	(void)state;
	regmap_each(models_dir(), take, NULL);
	return n_maps < 40;
}

static int free_maps(void **state)
{
	(void)state;
	mem_free(maps);
	return 0;
}

/* A device declines addresses that it does not have. */
static bool has_address(const struct run runs[RUNS], const struct regmap_block *b)
{
	for (int i = 0; i < RUNS && runs[i].words; i++) {
		unsigned n = (unsigned)(strlen(runs[i].words) + 1) / 5;
		if (runs[i].function == b->function && b->at < runs[i].at + n && b->at + b->n > runs[i].at)
			return true;
	}
	return false;
}

/* Asks until it is over; the number of questions. */
static int search(struct scan *s, const struct run runs[RUNS])
{
	struct regmap_block want;
	int n = 0;
	scan_start(s, maps, n_maps);
	for (; scan_next(s, &want); n++) {
		uint16_t regs[REGMAP_MOST] = { 0 };
		assert_true(want.n >= 1 && want.n <= REGMAP_MOST && want.at + want.n <= 0x10000);
		for (unsigned i = 0; i < want.n; i++)
			regs[i] = register_at(runs, want.function, want.at + i);
		bool there = has_address(runs, &want);
		scan_feed(s, there ? SCAN_READ : SCAN_REFUSED, there ? regs : NULL);
		assert_true(n < 1000);
	}
	return n;
}

static const struct scan_match *match_of(const struct scan *s, const char *model)
{
	for (size_t i = 0; i < s->n_best; i++)
		if (strcmp(s->best[i].model, model) == 0)
			return &s->best[i];
	return NULL;
}

static void expect_found(const char *model, const struct run runs[RUNS])
{
	struct scan s;
	int asked = search(&s, runs);
	const struct scan_match *m = match_of(&s, model);
	assert_true(s.answers);
	if (!m)
		fail_msg("%s is not among the %zu that fit (the best is %s)", model, s.n_best, s.n_best ? s.best[0].model : "none");
	if (m->points < s.best[0].points - 10)
		fail_msg("%s has %d points, %s %d", model, m->points, s.best[0].model, s.best[0].points);
	if (asked > 200)
		fail_msg("%s took %d questions", model, asked);
	assert_true(m->sample.valid & AG_U);
}

static void test_every_model_is_recognised_by_its_registers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(meters) / sizeof(meters[0]); i++)
		expect_found(meters[i].model, meters[i].runs);
	for (size_t i = 0; i < FAMILIES; i++)
		for (size_t k = 0; k < sizeof(meters) / sizeof(meters[0]); k++)
			if (strcmp(meters[k].model, families[i].like) == 0)
				expect_found(families[i].model, meters[k].runs);
}

static void test_a_silent_address_costs_two_questions(void **state)
{
	struct scan s;
	struct regmap_block want;
	int n = 0;
	(void)state;
	scan_start(&s, maps, n_maps);
	for (; scan_next(&s, &want); n++)
		scan_feed(&s, SCAN_SILENT, NULL);
	assert_int_equal(n, 2);
	assert_false(s.answers);
	assert_int_equal(s.n_best, 0);
}

static void test_what_declines_everything_is_there_and_no_meter(void **state)
{
	static const struct run none[RUNS] = { { 0, 0, NULL } };
	struct scan s;
	(void)state;
	search(&s, none);
	assert_true(s.answers);
	assert_int_equal(s.n_best, 0);
}

/* A frequency inverter, a heat pump, a room full of thermostats: registers everywhere, and none of a meter. */
static void test_registers_of_something_else_are_no_meter(void **state)
{
	int taken = 0;
	(void)state;
	srand(1);
	for (int round = 0; round < 200; round++) {
		struct scan s;
		struct regmap_block want;
		scan_start(&s, maps, n_maps);
		while (scan_next(&s, &want)) {
			uint16_t regs[REGMAP_MOST];
			for (unsigned i = 0; i < want.n; i++)
				regs[i] = round % 4 == 0 ? 0 : round % 4 == 1 ? (uint16_t)(rand() % 1000) : round % 4 == 2 ? 0xFFFF : (uint16_t)rand();
			scan_feed(&s, SCAN_READ, regs);
		}
		assert_true(s.answers);
		taken += s.n_best != 0;
	}
	/* Small whole numbers may be 230 V and all the rest by chance. */
	if (taken > 4)
		fail_msg("%d of 200 taken for meters", taken);
}

/* Model 203 at 40000 behind the common block, as the flows' meter has it: 16, 10.5 and 0.5 A at 230 V. */
static uint16_t sunspec_at(unsigned at)
{
	static const char maker[] = "ACME", model[] = "Meter 3  ";
	unsigned i = at - 40000;
	if (at < 40000 || i > 180)
		return 0xFFFF;
	if (i >= 4 && i < 36) {
		const char *text = i < 20 ? maker : model;
		unsigned k = 2 * (i < 20 ? i - 4 : i - 20);
		size_t n = strlen(text);
		return (uint16_t)((k < n ? text[k] : 0) << 8 | (k + 1 < n ? text[k + 1] : 0));
	}
	switch (i) {
	case 0: return 0x5375;
	case 1: return 0x6E53;
	case 2: return 1;
	case 3: return 66;
	case 70: return 203;
	case 71: return 105;
	case 73: return 1600;
	case 74: return 1050;
	case 75: return 50;
	case 76: return 0xFFFE;
	case 78: case 79: case 80: return 2300;
	case 85: return 0xFFFF;
	case 88: return 6210;
	case 89: return 3680;
	case 90: return 2415;
	case 91: return 115;
	case 92: return 0;
	case 177: return 0xFFFF;
	case 178: return 0;
	default: return 0;
	}
}

static void test_what_describes_itself_is_believed(void **state)
{
	struct scan s;
	struct regmap_block want;
	(void)state;
	scan_start(&s, maps, n_maps);
	while (scan_next(&s, &want)) {
		uint16_t regs[REGMAP_MOST];
		for (unsigned i = 0; i < want.n; i++)
			regs[i] = sunspec_at(want.at + i);
		bool there = want.function == 3 && want.at >= 40000;
		scan_feed(&s, there ? SCAN_READ : SCAN_REFUSED, there ? regs : NULL);
	}
	assert_string_equal(s.device, "ACME Meter 3");
	assert_int_equal(s.n_best, 1);
	assert_string_equal(s.best[0].model, "sunspec");
	assert_int_equal(s.best[0].points, SCAN_POINTS);
	assert_true(fabs(s.best[0].sample.i_a[1] - 10.5) < 1e-9);
}

static void test_points(void **state)
{
	static const struct {
		const char *what;
		ag_meter_sample s;
		bool fits;
	} cases[] = {
		{ "a loaded meter", { .valid = AG_I | AG_U | AG_P, .u_v = { 230, 231, 229 }, .i_a = { 10, 5, 1 }, .p_w = { 2300, -1100, 200 } }, true },
		{ "an idle one", { .valid = AG_I | AG_U | AG_P, .u_v = { 230, 231, 229 } }, true },
		{ "one phase of three", { .valid = AG_I | AG_U, .u_v = { 230, 0, 0 } }, true },
		{ "one phase", { .valid = AG_I | AG_U, .u_v = { 230, NAN, NAN }, .i_a = { 2, NAN, NAN } }, true },
		{ "no voltage at all", { .valid = AG_I | AG_U | AG_P }, false },
		{ "a voltage that nobody has", { .valid = AG_I | AG_U, .u_v = { 230, 231, 480 } }, false },
		{ "more power than current", { .valid = AG_I | AG_U | AG_P, .u_v = { 230, 231, 229 }, .i_a = { 1, 1, 1 }, .p_w = { 2300, 0, 0 } }, false },
		{ "what is left of integers read as floats", { .valid = AG_I | AG_U, .u_v = { 230, 231, 229 }, .i_a = { 1e-39, 0, 0 } }, false },
		{ "no current", { .valid = AG_U, .u_v = { 230, 231, 229 } }, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if ((scan_points(&cases[i].s) >= SCAN_FITS) != cases[i].fits)
			fail_msg("%s has %d points", cases[i].what, scan_points(&cases[i].s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_model_is_recognised_by_its_registers),
		cmocka_unit_test(test_a_silent_address_costs_two_questions),
		cmocka_unit_test(test_what_declines_everything_is_there_and_no_meter),
		cmocka_unit_test(test_registers_of_something_else_are_no_meter),
		cmocka_unit_test(test_what_describes_itself_is_believed),
		cmocka_unit_test(test_points),
	};
	return cmocka_run_group_tests(tests, load_maps, free_maps);
}
