/* Register maps: what the registers of each meter mean, which reads a map needs, and what must never become a current of 0 A. The registers
 * are in meters.h. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>

#include "plugins/regmap.h"
#include "plugins/sunspec.h"
#include "tests/unit/plugins/meters.h"

/* Does what a driver does: reads block after block. */
static void read_all(const struct regmap *m, const struct run runs[RUNS], uint16_t regs[REGMAP_REGS])
{
	for (size_t b = 0; b < m->n_blocks; b++)
		for (unsigned i = 0; i < m->blocks[b].n; i++)
			*regs++ = register_at(runs, m->blocks[b].function, m->blocks[b].at + i);
}

static bool near(double got, double want)
{
	return isnan(want) ? isnan(got) : fabs(got - want) < 1e-6 * (1 + fabs(want));
}

static void check(const char *model, const char *what, double got, double want)
{
	if (!near(got, want))
		fail_msg("%s: %s is %g, want %g", model, what, got, want);
}

static void check_sample(const struct meter *m, const ag_meter_sample *s)
{
	for (int i = 0; i < 3; i++) {
		check(m->model, "u_v", s->u_v[i], m->u[i]);
		check(m->model, "i_a", s->i_a[i], m->i[i]);
		check(m->model, "p_w", s->p_w[i], m->p[i]);
	}
	check(m->model, "power_w", s->power_w, m->power);
	check(m->model, "import_wh", s->import_wh, m->in);
	check(m->model, "export_wh", s->export_wh, m->out);
	uint32_t want = AG_I | AG_U | AG_POWER | (isnan(m->p[0]) ? 0 : AG_P) | (isnan(m->in) ? 0 : AG_IMPORT) | (isnan(m->out) ? 0 : AG_EXPORT);
	if (s->valid != want)
		fail_msg("%s: valid is 0x%x, want 0x%x", m->model, s->valid, want);
	if (regmap_implausible(s))
		fail_msg("%s: %s", m->model, regmap_implausible(s));
}

static void load(const char *model, struct regmap *m)
{
	char err[256] = "";
	if (regmap_find(model, models_dir(), m, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static void test_registers_of_each_model(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(meters) / sizeof(meters[0]); i++) {
		struct regmap m;
		uint16_t regs[REGMAP_REGS];
		ag_meter_sample s;
		load(meters[i].model, &m);
		read_all(&m, meters[i].runs, regs);
		if (regmap_decode(&m, regs, &s) != 0)
			fail_msg("%s: nothing decoded", meters[i].model);
		check_sample(&meters[i], &s);
	}
}

static const struct meter *meter_of(const char *model)
{
	for (size_t i = 0; i < sizeof(meters) / sizeof(meters[0]); i++)
		if (strcmp(meters[i].model, model) == 0)
			return &meters[i];
	return NULL;
}

static void test_registers_of_each_family(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAMILIES; i++) {
		struct regmap m;
		uint16_t regs[REGMAP_REGS];
		ag_meter_sample s;
		struct meter want = *meter_of(families[i].like);
		want.model = families[i].model;
		want.out = families[i].imports_only ? NO : want.out;
		load(want.model, &m);
		read_all(&m, want.runs, regs);
		if (regmap_decode(&m, regs, &s) != 0)
			fail_msg("%s: nothing decoded", want.model);
		check_sample(&want, &s);
	}
}

static bool has_registers(const char *model)
{
	for (size_t i = 0; i < FAMILIES; i++)
		if (strcmp(families[i].model, model) == 0)
			return true;
	return meter_of(model) != NULL;
}

static void test_every_model_file_can_be_read(void **state)
{
	(void)state;
	DIR *d = opendir(models_dir());
	unsigned n = 0;
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		char *dot = strstr(e->d_name, ".yaml");
		if (!dot)
			continue;
		struct regmap m;
		*dot = 0;
		load(e->d_name, &m);
		assert_string_equal(m.model, e->d_name);
		assert_true(m.name[0] != 0);
		if (!has_registers(m.model))
			fail_msg("%s: no registers to try it with", m.model);
		n++;
	}
	closedir(d);
	assert_true(n >= 40);
}

static void expect_blocks(const struct regmap *m, const struct regmap_block *want, size_t n)
{
	if (m->n_blocks != n)
		fail_msg("%zu blocks, want %zu", m->n_blocks, n);
	for (size_t i = 0; i < n; i++)
		if (m->blocks[i].function != want[i].function || m->blocks[i].at != want[i].at || m->blocks[i].n != want[i].n)
			fail_msg("block %zu: %u+%u, want %u+%u", i, m->blocks[i].at, m->blocks[i].n, want[i].at, want[i].n);
}

static void test_a_read_is_never_longer_than_the_meter_gives(void **state)
{
	static const struct regmap_block em24[] = { { 4, 0, 6 }, { 4, 12, 10 }, { 4, 22, 2 }, { 4, 40, 2 }, { 4, 66, 2 }, { 4, 92, 2 } };
	static const struct regmap_block sdm630[] = { { 4, 0, 18 }, { 4, 0x34, 2 }, { 4, 0x48, 4 } };
	struct regmap m;
	(void)state;
	load("carlo-gavazzi-em24", &m);
	expect_blocks(&m, em24, 6);
	load("eastron-sdm630", &m);
	expect_blocks(&m, sdm630, 3);
	m.bridge = 34;
	assert_int_equal(regmap_plan(&m), 0);
	assert_int_equal(m.n_blocks, 1);
	assert_int_equal(m.blocks[0].n, 0x4C);
}

static void test_what_is_not_available_is_unknown(void **state)
{
	static const struct {
		const char *model;
		struct run runs[RUNS];
		uint32_t lost; /* bits that may not be valid */
	} cases[] = {
		/* a float that is no number, on one phase of three: none of the currents can be relied upon */
		{ "eastron-sdm630", { { 4, 0, U_F32 " 4180 0000 7FC0 0000 3F00 0000 " P_F32 } }, AG_I },
		{ "eastron-sdm630", { { 4, 0, "7F80 0000 4367 8000 4365 4000 " I_F32 " " P_F32 } }, AG_U },
		{ "eastron-sdm630", { { 4, 0x48, "FFFF FFFF" } }, AG_IMPORT },
		{ "carlo-gavazzi-em24", { { 4, 12, "0000 7FFF 2904 0000 01F4 0000" } }, AG_I },        /* overflow: 7FFF in the high word */
		{ "abb-b23", { { 3, 0x5B0C, "FFFF FFFF 0000 041A 0000 0032" } }, AG_I },
		{ "abb-b23", { { 3, 0x5000, "FFFF FFFF FFFF FFFF" } }, AG_IMPORT },
		{ "sbc-ale3", { { 3, 36, "FFFF" } }, AG_I },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct regmap m;
		uint16_t regs[REGMAP_REGS];
		ag_meter_sample s;
		load(cases[i].model, &m);
		read_all(&m, cases[i].runs, regs);
		assert_int_equal(regmap_decode(&m, regs, &s), 0);
		if (s.valid != ((AG_I | AG_U | AG_P | AG_IMPORT | AG_EXPORT | AG_POWER) & ~cases[i].lost))
			fail_msg("case %zu: valid is 0x%x", i, s.valid);
	}
}

static void test_a_total_that_is_missing_is_summed(void **state)
{
	static const struct run runs[RUNS] = { { 4, 18, "8FC0 0000 D8F0 FFFF 0000 0000" }, { 4, 40, "0000 7FFF" } };
	struct regmap m;
	uint16_t regs[REGMAP_REGS];
	ag_meter_sample s;
	(void)state;
	load("carlo-gavazzi-em24", &m);
	read_all(&m, runs, regs);
	assert_int_equal(regmap_decode(&m, regs, &s), 0);
	check("em24", "power_w", s.power_w, 2680);
}

static void test_a_meter_without_any_value_is_lost(void **state)
{
	struct regmap m;
	uint16_t regs[REGMAP_REGS];
	ag_meter_sample s;
	(void)state;
	load("eastron-sdm630", &m);
	for (size_t i = 0; i < REGMAP_REGS; i++)
		regs[i] = 0xFFFF;
	assert_int_equal(regmap_decode(&m, regs, &s), ERR_NOT_FOUND);
}

static void test_a_meter_mounted_the_other_way_round(void **state)
{
	struct regmap m;
	uint16_t regs[REGMAP_REGS];
	ag_meter_sample s;
	(void)state;
	load("eastron-sdm630", &m);
	read_all(&m, meters[0].runs, regs);
	assert_int_equal(regmap_decode(&m, regs, &s), 0);
	s.valid &= ~(uint32_t)AG_EXPORT;
	regmap_adjust(&s, 40, true);
	check("sdm630", "i_a", s.i_a[0], -640);
	check("sdm630", "i_a", s.i_a[1], 420);
	check("sdm630", "p_w", s.p_w[0], -147200);
	check("sdm630", "power_w", s.power_w, -49380);
	check("sdm630", "u_v", s.u_v[0], 230);
	check("sdm630", "export_wh", s.export_wh, 49380000);
	assert_int_equal(s.valid & (AG_IMPORT | AG_EXPORT), AG_EXPORT);
}

static void test_the_wrong_word_order_is_implausible(void **state)
{
	/* 230.0 V with its words exchanged is next to nothing, 231.5 V is -0.0 and more than a volt off; power words give 1e38. */
	static const struct run runs[RUNS] = { { 4, 0, "0000 4366 8000 4367 4000 4365 0000 4180 0000 4128 0000 3F00 5000 7A9A" } };
	struct regmap m;
	uint16_t regs[REGMAP_REGS];
	ag_meter_sample s;
	(void)state;
	load("eastron-sdm630", &m);
	read_all(&m, runs, regs);
	assert_int_equal(regmap_decode(&m, regs, &s), 0);
	assert_non_null(regmap_implausible(&s));
}

static void test_mistakes_in_a_model_file_are_found_on_their_line(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "values: {u_v: [0]}\nscal: 1\n", "m.yaml:2:1: unknown key scal" },
		{ "function: 5\nvalues: {u_v: [0]}\n", "m.yaml:1:11: not a number in range: 5" },
		{ "words: low-frist\nvalues: {u_v: [0]}\n", "m.yaml:1:8: unknown word 'low-frist' (did you mean 'low-first'?)" },
		{ "type: f23\nvalues: {u_v: [0]}\n", "m.yaml:1:7: unknown word 'f23'" },
		{ "values:\n  u_v: [0]\n  volts: [2]\n", "m.yaml:3:3: unknown value volts" },
		{ "values:\n  i_a: {at: [0], unit: kW}\n", "m.yaml:2:24: not a unit for this value: kW" },
		{ "values:\n  i_a: {scale: 2}\n", "m.yaml:2:8: 'at' is missing" },
		{ "values:\n  i_a: [0, 2, 4, 6]\n", "m.yaml:2:8: a list of addresses for as many phases is expected" },
		{ "values:\n  import_wh: 70000\n", "m.yaml:2:14: not a number in range: 70000" },
		{ "values:\n  import_wh: {at: 1, scale: 0}\n", "m.yaml:2:29: not a number other than 0: 0" },
		{ "most: 1\ntype: f32\nvalues:\n  u_v: [0]\n", "m.yaml:4:3: these values cannot be read: longer than a read, too many, or none" },
		{ "function: 3\n", "m.yaml:1:1: 'values' is missing" },
		{ "- 1\n", "m.yaml:1:1: a map is expected" },
		{ "", "m.yaml:1:1: a map is expected" },
		{ "values: [\n", "m.yaml:2:1: did not find expected node content" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct regmap m;
		char err[256] = "";
		int rc = regmap_parse("m.yaml", slice_of(cases[i].text), &m, err, sizeof(err));
		if (rc == 0 || strcmp(err, cases[i].message) != 0)
			fail_msg("case %zu: %d \"%s\", want \"%s\"", i, rc, err, cases[i].message);
	}
}

static void test_a_model_that_is_not_there(void **state)
{
	struct regmap m;
	char err[256];
	(void)state;
	assert_int_equal(regmap_find("eastron-sdm63", models_dir(), &m, err, sizeof(err)), ERR_NOT_FOUND);
	assert_string_equal(err, "no model 'eastron-sdm63' (did you mean 'eastron-sdm630'?)");
	assert_int_equal(regmap_find("../models/eastron-sdm630", models_dir(), &m, err, sizeof(err)), ERR_INVALID);
}

/* ---- SunSpec ---- */

/* Answers a walk from runs; an address outside of all runs is an exception. */
static void walk(struct sunspec *s, const struct run runs[RUNS])
{
	struct regmap_block want;
	sunspec_start(s);
	for (int reads = 0; sunspec_next(s, &want); reads++) {
		bool known = false;
		for (int i = 0; i < RUNS && runs[i].words; i++)
			known = known || (want.at >= runs[i].at && want.at < runs[i].at + (strlen(runs[i].words) + 1) / 5);
		uint16_t regs[2] = { register_at(runs, 3, want.at), register_at(runs, 3, want.at + 1u) };
		sunspec_feed(s, known ? regs : NULL);
		assert_in_range(reads, 0, 200);
	}
}

/* Marker, common block of 66 registers, then at base + 70 the meter, and the end. */
#define SUNSPEC(base, header, data, energies, end) { 3, base, "5375 6E53 0001 0042" }, { 3, (base) + 70, header }, { 3, (base) + 72, data }, \
	{ 3, (base) + 108, energies }, { 3, (base) + 70 + (end), "FFFF 0000" }
/* Integers: A, AphA to C, A_SF -2; PhV, phases, four of line to line, V_SF -1; Hz, Hz_SF; W, phases, W_SF 0. Energies x 10. */
#define INTEGERS "0A8C 0640 041A 0032 FFFE 0902 08FC 090B 08F4 8000 8000 8000 8000 FFFF 1388 FFFE 0A78 0E60 FC18 0000 0000"
#define ENERGIES "0000 04FB 0000 0000 0000 0000 0000 0000 0001 E23A 0000 0000 0000 0000 0000 0000 0001"
#define ONE_PHASE "FC00 8000 8000 8000 FFFE 08FC 8000 8000 8000 8000 8000 8000 8000 FFFF 1388 FFFE FC18 8000 8000 8000 0000"
#define TWO_PHASES "0A8C 0640 041A 8000 FFFE 0902 08FC 090B 8000 8000 8000 8000 8000 FFFF 1388 FFFE 0A78 0E60 FC18 8000 0000"
#define NO_ENERGY "0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 8000"
#define FLOATS "0000 0000 " I_F32 " 0000 0000 " U_F32

static const struct meter sunspecs[] = {
	{ "sunspec-203", { SUNSPEC(40000, "00CB 0069", INTEGERS, ENERGIES, 107) }, { 230, 231.5, 229.2 }, I_VALUES, P_VALUES, 2680, 1234500, 12750 },
	{ "sunspec-203", { SUNSPEC(50000, "00CB 0069", INTEGERS, ENERGIES, 107) }, { 230, 231.5, 229.2 }, I_VALUES, P_VALUES, 2680, 1234500, 12750 },
	{ "sunspec-203", { SUNSPEC(0, "00CB 0069", INTEGERS, ENERGIES, 107) }, { 230, 231.5, 229.2 }, I_VALUES, P_VALUES, 2680, 1234500, 12750 },
	/* a marker's place that answers with something else is not the end of the search */
	{ "sunspec-203", { SUNSPEC(50000, "00CB 0069", INTEGERS, ENERGIES, 107), { 3, 40000, "0000 0001" } }, { 230, 231.5, 229.2 }, I_VALUES, P_VALUES,
	  2680, 1234500, 12750 },
	{ "sunspec-204", { SUNSPEC(40000, "00CC 0069", INTEGERS, NO_ENERGY, 107) }, { 230, 231.5, 229.2 }, I_VALUES, P_VALUES, 2680, NO, NO },
	/* one phase, only the totals implemented: 10.24 A */
	{ "sunspec-201", { SUNSPEC(40000, "00C9 0069", ONE_PHASE, ENERGIES, 107) }, { 230, NO, NO }, { -10.24, NO, NO }, { -1000, NO, NO }, -1000, 1234500, 12750 },
	{ "sunspec-202", { SUNSPEC(40000, "00CA 0069", TWO_PHASES, ENERGIES, 107) }, { 230, 231.5, NO }, { 16, -10.5, NO }, { 3680, -1000, NO }, 2680, 1234500, 12750 },
	{ "sunspec-213",
	  { { 3, 40000, "5375 6E53 0001 0042" }, { 3, 40070, "00D5 007C" }, { 3, 40072, FLOATS }, { 3, 40098, "449A 5000 " P_F32 },
	    { 3, 40130, "414C 0000" }, { 3, 40138, "449A 5000" }, { 3, 40196, "FFFF 0000" } },
	  U_VALUES, I_VALUES, P_VALUES, 1234.5, 1234.5, 12.75 },
};

static void test_sunspec_meters_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sunspecs) / sizeof(sunspecs[0]); i++) {
		struct sunspec s;
		struct regmap m;
		char err[256] = "";
		uint16_t regs[REGMAP_REGS];
		ag_meter_sample sample;
		walk(&s, sunspecs[i].runs);
		if (sunspec_map(&s, &m, err, sizeof(err)) != 0)
			fail_msg("case %zu: %s", i, err);
		assert_string_equal(m.model, sunspecs[i].model);
		read_all(&m, sunspecs[i].runs, regs);
		assert_int_equal(regmap_decode(&m, regs, &sample), 0);
		check_sample(&sunspecs[i], &sample);
	}
}

static void test_scale_factors_come_with_their_values(void **state)
{
	struct sunspec s;
	struct regmap m;
	char err[256];
	(void)state;
	walk(&s, sunspecs[0].runs);
	assert_int_equal(sunspec_map(&s, &m, err, sizeof(err)), 0);
	assert_int_equal(m.n_blocks, 1);
	assert_int_equal(m.blocks[0].at, 40073);
	assert_int_equal(m.blocks[0].n, 52);
}

static void test_a_device_without_a_sunspec_meter(void **state)
{
	static const struct {
		struct run runs[RUNS];
		const char *message;
	} cases[] = {
		{ { { 3, 7, "0000" } }, "no SunSpec marker at 40000, 50000 or 0" },
		{ { { 3, 40000, "5375 6E53 0001 0042" }, { 3, 40070, "0067 0032" }, { 3, 40122, "FFFF 0000" } },
		  "a SunSpec device, but none of its blocks is a meter (201-204, 211-214)" },
		{ { { 3, 40000, "5375 6E53 0001 0042" } }, "a SunSpec device, but none of its blocks is a meter (201-204, 211-214)" },
		/* blocks of no length: the walk ends all the same */
		{ { { 3, 0, "5375 6E53 0001 FFF0" } }, "a SunSpec device, but none of its blocks is a meter (201-204, 211-214)" },
		{ { SUNSPEC(40000, "00CB 0010", INTEGERS, ENERGIES, 107) }, "the length of the SunSpec meter block is wrong" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sunspec s;
		struct regmap m;
		char err[256] = "";
		walk(&s, cases[i].runs);
		if (sunspec_map(&s, &m, err, sizeof(err)) != ERR_NOT_FOUND || strcmp(err, cases[i].message) != 0)
			fail_msg("case %zu: \"%s\"", i, err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registers_of_each_model),
		cmocka_unit_test(test_registers_of_each_family),
		cmocka_unit_test(test_every_model_file_can_be_read),
		cmocka_unit_test(test_a_read_is_never_longer_than_the_meter_gives),
		cmocka_unit_test(test_what_is_not_available_is_unknown),
		cmocka_unit_test(test_a_total_that_is_missing_is_summed),
		cmocka_unit_test(test_a_meter_without_any_value_is_lost),
		cmocka_unit_test(test_a_meter_mounted_the_other_way_round),
		cmocka_unit_test(test_the_wrong_word_order_is_implausible),
		cmocka_unit_test(test_mistakes_in_a_model_file_are_found_on_their_line),
		cmocka_unit_test(test_a_model_that_is_not_there),
		cmocka_unit_test(test_sunspec_meters_are_found),
		cmocka_unit_test(test_scale_factors_come_with_their_values),
		cmocka_unit_test(test_a_device_without_a_sunspec_meter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
