/* `ampgate sim`: which simulator. */
#include "gateway/sim/sim.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "gateway/sim/sim-board.h"
#include "gateway/sim/sim-csms.h"
#include "gateway/sim/sim-meter.h"
#include "gateway/sim/sim-site.h"
#include "gateway/sim/sim-station.h"

static const char usage[] =
	"usage: ampgate sim station|csms|meter|site|board [OPTION...]\n"
	"  station   charging stations with cars that come and go\n"
	"  csms      a central system that accepts everything and keeps a ledger\n"
	"  meter     a Modbus TCP meter\n"
	"  site      a day of a configured site in simulated time\n"
	"  board     a pilot board with car and card reader on serial lines\n"
	"Each says more with --help. All keep to the loopback interface unless told otherwise. Together, around a gateway:\n"
	"  ampgate sim csms --port 8180\n"
	"  ampgate sim meter --port 1502 --amps 20,22,19\n"
	"  ampgate sim station --url ws://127.0.0.1:8887/ --id G-01 --count 4\n";

int sim_main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} sims[] = { { "station", sim_station_main }, { "csms", sim_csms_main }, { "meter", sim_meter_main }, { "site", sim_site_main }, { "board", sim_board_main } };
	const char *name = argc > 1 ? argv[1] : "";
	optind = 0; /* a scan of its own: the caller's stopped at "sim" */
	for (size_t i = 0; i < sizeof(sims) / sizeof(sims[0]); i++) {
		if (strcmp(name, sims[i].name) == 0)
			return sims[i].run(argc - 1, argv + 1);
	}
	bool asked = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
	fputs(usage, asked ? stdout : stderr);
	return asked ? 0 : 2;
}
