/* Register maps: what the registers of each meter mean, which reads a map needs, and what must never become a current of 0 A. The registers
 * are written out by hand as they stand in the meter. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>

#include "plugins/regmap.h"
#include "plugins/sunspec.h"

#define NO NAN

/* A run of registers in a meter; words in hex, separated by spaces. */
struct run {
	uint8_t function;
	uint16_t at;
	const char *words;
};

#define RUNS 10
struct meter {
	const char *model;
	struct run runs[RUNS];
	double u[3], i[3], p[3], power, in, out;
};

/* 230.0 V = 4366 0000, 231.5 V = 4367 8000, 229.25 V = 4365 4000; 16.0 A = 4180 0000, 10.5 A = 4128 0000, 0.5 A = 3F00 0000;
 * 3680.0 W = 4566 0000, -1000.0 W = C47A 0000, 0 W; 1234.5 = 449A 5000; 12.75 = 414C 0000; 3.5 = 4060 0000, -2.5 = C020 0000. */
#define U_F32 "4366 0000 4367 8000 4365 4000"
#define I_F32 "4180 0000 4128 0000 3F00 0000"
#define P_F32 "4566 0000 C47A 0000 0000 0000"
#define U_VALUES { 230, 231.5, 229.25 }
#define I_VALUES { 16, -10.5, 0.5 }
#define P_VALUES { 3680, -1000, 0 }

static const struct meter meters[] = {
	{ "eastron-sdm630",
	  { { 4, 0, U_F32 " " I_F32 " " P_F32 }, { 4, 0x34, "449A 5000" }, { 4, 0x48, "449A 5000 414C 0000" } },
	  U_VALUES, I_VALUES, P_VALUES, 1234.5, 1234500, 12750 },
	{ "eastron-sdm72d-m-v2",
	  { { 4, 0, U_F32 " " I_F32 " " P_F32 }, { 4, 0x34, "449A 5000" }, { 4, 0x48, "449A 5000 414C 0000" } },
	  U_VALUES, I_VALUES, P_VALUES, 1234.5, 1234500, 12750 },
	{ "eastron-sdm120",
	  { { 4, 0, "4366 0000" }, { 4, 6, "4180 0000" }, { 4, 12, "C47A 0000" }, { 4, 0x48, "449A 5000 414C 0000" } },
	  { 230, NO, NO }, { -16, NO, NO }, { -1000, NO, NO }, -1000, 1234500, 12750 },
	/* 2300 = 08FC, 2315 = 090B, 2292 = 08F4 tenths of a volt; 16000 = 3E80, 10500 = 2904, 500 = 01F4 mA; 36800 = 8FC0, -10000 = FFFF D8F0
	 * tenths of a watt; the low word comes first. 12345 = 3039, 127 = 007F tenths of a kWh. */
	{ "carlo-gavazzi-em24",
	  { { 4, 0, "08FC 0000 090B 0000 08F4 0000" }, { 4, 12, "3E80 0000 2904 0000 01F4 0000" }, { 4, 18, "8FC0 0000 D8F0 FFFF 0000 0000" },
	    { 4, 40, "68D0 0000" }, { 4, 66, "3039 0000" }, { 4, 92, "007F 0000" } },
	  { 230, 231.5, 229.2 }, I_VALUES, P_VALUES, 2683.2, 1234500, 12700 },
	{ "carlo-gavazzi-em340",
	  { { 4, 0, "08FC 0000 090B 0000 08F4 0000" }, { 4, 12, "3E80 0000 2904 0000 01F4 0000" }, { 4, 18, "8FC0 0000 D8F0 FFFF 0000 0000" },
	    { 4, 40, "68D0 0000" }, { 4, 52, "3039 0000" }, { 4, 78, "007F 0000" } },
	  { 230, 231.5, 229.2 }, I_VALUES, P_VALUES, 2683.2, 1234500, 12700 },
	{ "janitza-umg604",
	  { { 3, 1317, U_F32 }, { 3, 1325, I_F32 }, { 3, 1333, P_F32 }, { 3, 1369, "449A 5000" }, { 3, 9851, "449A 5000" }, { 3, 9863, "414C 0000" } },
	  U_VALUES, I_VALUES, P_VALUES, 1234.5, 1234.5, 12.75 },
	{ "janitza-umg96rm",
	  { { 3, 19000, U_F32 }, { 3, 19012, I_F32 }, { 3, 19020, P_F32 }, { 3, 19026, "449A 5000" }, { 3, 19068, "449A 5000" }, { 3, 19076, "414C 0000" } },
	  U_VALUES, I_VALUES, P_VALUES, 1234.5, 1234.5, 12.75 },
	/* 1600 = 0640, 1050 = 041A, 50 = 0032 hundredths of an ampere; 368000 = 0005 9D80, -100000 = FFFE 7960 hundredths of a watt. */
	{ "abb-b23",
	  { { 3, 0x5B00, "0000 08FC 0000 090B 0000 08F4" }, { 3, 0x5B0C, "0000 0640 0000 041A 0000 0032" },
	    { 3, 0x5B14, "FFFE 7960 0005 9D80 FFFE 7960 0000 0000" }, { 3, 0x5000, "0000 0000 0001 E23A 0000 0000 0000 04FB" } },
	  { 230, 231.5, 229.2 }, I_VALUES, P_VALUES, -1000, 1234500, 12750 },
	{ "schneider-iem3155",
	  { { 3, 0x0BD3, U_F32 }, { 3, 0x0BB7, I_F32 }, { 3, 0x0BED, "4060 0000 C020 0000 0000 0000 4060 0000" },
	    { 3, 0x0C83, "0000 0000 0012 D644 0000 0000 0000 31CE" } },
	  U_VALUES, I_VALUES, { 3500, -2500, 0 }, 3500, 1234500, 12750 },
	{ "wago-879-30xx",
	  { { 3, 0x5002, U_F32 }, { 3, 0x500C, I_F32 }, { 3, 0x5012, "4060 0000 4060 0000 C020 0000 0000 0000" }, { 3, 0x600C, "449A 5000" },
	    { 3, 0x6018, "414C 0000" } },
	  U_VALUES, I_VALUES, { 3500, -2500, 0 }, 3500, 1234500, 12750 },
	/* 1234567.0 = 4132 D687 0000 0000, 89.5 = 4056 6000 0000 0000 */
	{ "siemens-pac2200",
	  { { 3, 1, U_F32 }, { 3, 13, I_F32 }, { 3, 25, P_F32 }, { 3, 65, "449A 5000" }, { 3, 801, "4132 D687 0000 0000" }, { 3, 809, "4056 6000 0000 0000" } },
	  U_VALUES, I_VALUES, P_VALUES, 1234.5, 1234567, 89.5 },
	/* 23000 = 59D8, 23150 = 5A6E, 22920 = 5988 hundredths of a volt; 368 = 0170, -100 = FFFF FF9C tens of watts */
	{ "socomec-countis-e24",
	  { { 3, 0xC558, "0000 59D8 0000 5A6E 0000 5988" }, { 3, 0xC560, "0000 3E80 0000 2904 0000 01F4" }, { 3, 0xC568, "0000 010C" },
	    { 3, 0xC570, "0000 0170 FFFF FF9C 0000 0000" } },
	  { 230, 231.5, 229.2 }, I_VALUES, P_VALUES, 2680, NO, NO },
	{ "phoenix-eem-mb370",
	  { { 3, 0x8006, "0000 4366 8000 4367 4000 4365" }, { 3, 0x800E, "0000 4180 0000 4128 0000 3F00" }, { 3, 0x8016, "5000 449A" },
	    { 3, 0x801E, "0000 4566 0000 C47A 0000 0000" }, { 3, 0x8100, "0000 414C" }, { 3, 0x8106, "5000 449A" } },
	  U_VALUES, I_VALUES, P_VALUES, 1234.5, 1234.5, 12.75 },
	{ "phoenix-eem-350",
	  { { 4, 0, "08FC 0000 090B 0000 08F4 0000" }, { 4, 12, "3E80 0000 2904 0000 01F4 0000" }, { 4, 18, "8FC0 0000 D8F0 FFFF 0000 0000" },
	    { 4, 40, "68D0 0000" }, { 4, 62, "3039 0000" } },
	  { 230, 231.5, 229.2 }, I_VALUES, P_VALUES, 2683.2, 1234500, NO },
	{ "shelly-pro3em",
	  { { 4, 1013, "5000 449A" }, { 4, 1020, "0000 4366 0000 4180 0000 4566" }, { 4, 1040, "8000 4367 0000 4128 0000 C47A" },
	    { 4, 1060, "4000 4365 0000 3F00 0000 0000" } },
	  U_VALUES, I_VALUES, P_VALUES, 1234.5, NO, NO },
	{ "inepro-pro380",
	  { { 3, 0x5002, U_F32 }, { 3, 0x500C, I_F32 }, { 3, 0x5012, "4060 0000 4060 0000 C020 0000 0000 0000" }, { 3, 0x600C, "449A 5000" },
	    { 3, 0x6018, "414C 0000" } },
	  U_VALUES, I_VALUES, { 3500, -2500, 0 }, 3500, 1234500, 12750 },
	{ "finder-7m38",
	  { { 4, 2500, U_F32 }, { 4, 2516, I_F32 }, { 4, 2530, P_F32 " 449A 5000" }, { 4, 2752, "449A 5000 0000 0000 414C 0000" } },
	  U_VALUES, I_VALUES, P_VALUES, 1234.5, 1234.5, 12.75 },
	{ "finder-7e78",
	  { { 4, 0x1000, U_F32 }, { 4, 0x100E, I_F32 }, { 4, 0x1020, P_F32 " 449A 5000" }, { 4, 0x1106, "449A 5000" }, { 4, 0x110E, "414C 0000" } },
	  U_VALUES, I_VALUES, P_VALUES, 1234.5, 1234.5, 12.75 },
	{ "algodue-uem",
	  { { 4, 0x1000, U_F32 }, { 4, 0x100E, I_F32 }, { 4, 0x1020, P_F32 } },
	  U_VALUES, I_VALUES, P_VALUES, 2680, NO, NO },
	/* 2300.0 = 450F C000, 2312.0 = 4510 8000, 2289.0 = 450F 1000; 16000.0 = 467A 0000, 10500.0 = 4624 1000, 500.0 = 43FA 0000;
	 * 36800.0 = 470F C000, -10000.0 = C61C 4000 */
	{ "chint-dtsu666",
	  { { 3, 0x2006, "450F C000 4510 8000 450F 1000" }, { 3, 0x200C, "467A 0000 4624 1000 43FA 0000" },
	    { 3, 0x2012, "470F C000 470F C000 C61C 4000 0000 0000" }, { 3, 0x101E, "449A 5000" }, { 3, 0x1028, "414C 0000" } },
	  { 230, 231.2, 228.9 }, I_VALUES, P_VALUES, 3680, 1234500, 12750 },
	/* 230000 = 0003 8270, 231500 = 0003 884C, 229250 = 0003 7F82 mV */
	{ "bg-ds100",
	  { { 3, 0x400, "0003 8270 0003 884C 0003 7F82" }, { 3, 0x410, "0000 3E80 0000 2904 0000 01F4" },
	    { 3, 0x41A, "0000 0E60 FFFF FC18 0000 0000 0000 0A78" }, { 3, 0x10E, "0001 E23A" } },
	  U_VALUES, I_VALUES, P_VALUES, 2680, 1234500, NO },
	/* no power per phase: currents stay as they are, and the exported 1000 W are taken off */
	{ "dzg-dvh4013",
	  { { 3, 0, "0000 0000 0000 2710 0000 59D8 0000 5A6E 0000 5988 0000 3E80 0000 2904 0000 01F4" }, { 3, 0x4000, "0012 D644" }, { 3, 0x4100, "0000 31CE" } },
	  { 230, 231.5, 229.2 }, { 16, 10.5, 0.5 }, { NO, NO, NO }, -1000, 1234500, 12750 },
	/* 160000 = 0002 7100, 105000 = 0001 9A28, 5000 = 1388 tenths of a mA; 368000 = 0005 9D80 and -100000 = FFFE 7960 */
	{ "lovato-dmg",
	  { { 4, 1, "0000 59D8 0000 5A6E 0000 5988 0002 7100 0001 9A28 0000 1388" }, { 4, 0x13, "0005 9D80 FFFE 7960 0000 0000" } },
	  { 230, 231.5, 229.2 }, I_VALUES, P_VALUES, 2680, NO, NO },
	/* 368 = 0170, -100 = FF9C hundredths of a kW */
	{ "sbc-ale3",
	  { { 3, 27, "0001 E23A" }, { 3, 31, "0000 04FB" }, { 3, 35, "00E6 00A0 0170" }, { 3, 40, "00E7 0069 FF9C" }, { 3, 45, "00E5 0005 0000" },
	    { 3, 50, "010C" } },
	  { 230, 231, 229 }, I_VALUES, P_VALUES, 2680, 1234500, 12750 },
};

static const char *models_dir(void)
{
	static char dir[4096];
	snprintf(dir, sizeof(dir), "%s/etc/models", getenv("srcdir"));
	return dir;
}

/* The register at an address of the meter; 0 where nothing is written down. */
static uint16_t register_at(const struct run runs[RUNS], uint8_t function, unsigned at)
{
	for (int i = 0; i < RUNS && runs[i].words; i++) {
		unsigned n = (unsigned)(strlen(runs[i].words) + 1) / 5;
		if (runs[i].function == function && at >= runs[i].at && at < runs[i].at + n)
			return (uint16_t)strtoul(runs[i].words + 5 * (at - runs[i].at), NULL, 16);
	}
	return 0;
}

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

/* Meters of one family have one map: what stands in the registers of the first is read the same from the others. */
static const struct {
	const char *model, *like;
	bool imports_only;
} families[] = {
	{ "abb-b24", "abb-b23", false },
	{ "carlo-gavazzi-em24-e1", "carlo-gavazzi-em340", false },
	{ "carlo-gavazzi-em330", "carlo-gavazzi-em340", false },
	{ "carlo-gavazzi-em530", "carlo-gavazzi-em340", false },
	{ "carlo-gavazzi-em540", "carlo-gavazzi-em340", false },
	{ "janitza-b23", "janitza-umg96rm", false },
	{ "janitza-umg103", "janitza-umg96rm", false },
	{ "janitza-umg96-pa", "janitza-umg96rm", false },
	{ "weidmueller-em525", "janitza-umg96rm", false },
	{ "schneider-iem3150", "schneider-iem3155", true },
	{ "schneider-iem3250", "schneider-iem3155", true },
	{ "schneider-iem3255", "schneider-iem3155", false },
	{ "schneider-iem3350", "schneider-iem3155", true },
	{ "schneider-iem3355", "schneider-iem3155", false },
	{ "siemens-pac3200", "siemens-pac2200", false },
	{ "siemens-pac4200", "siemens-pac2200", false },
	{ "socomec-countis-e44", "socomec-countis-e24", false },
	{ "socomec-diris-a10", "socomec-countis-e24", false },
	{ "socomec-diris-b30", "socomec-countis-e24", false },
};
#define FAMILIES (sizeof(families) / sizeof(families[0]))

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
