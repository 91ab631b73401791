/* The registers of meters as they stand in them, written out by hand: for tests of what they mean and of finding out whose they are. */
#ifndef AMPGATE_TESTS_METERS_H
#define AMPGATE_TESTS_METERS_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

#endif
