/* Finding out what answers at one address of a Modbus line: is anybody there, does it describe itself (SunSpec), and if not, which of the known
 * register maps gives values that can be those of a meter. No I/O: the search says what it wants to read next and is fed with the answer. Any
 * thread; a plain struct. */
#ifndef AMPGATE_PLUGINS_SCAN_H
#define AMPGATE_PLUGINS_SCAN_H

#include "plugins/regmap.h"
#include "plugins/sunspec.h"

#define SCAN_BEST 8

/* A map that fits, with what was read by it. */
struct scan_match {
	char model[48], name[80];
	int points;              /* 0 to SCAN_POINTS */
	ag_meter_sample sample;
};
#define SCAN_POINTS 100
#define SCAN_FITS 30             /* with fewer a map says too little to be named */

enum scan_stage { SCAN_KNOCK, SCAN_SUNSPEC, SCAN_NAMEPLATE, SCAN_MODELS, SCAN_OVER };

struct scan {
	const struct regmap *models; /* the caller's; those with a self-description have none */
	size_t n_models;
	enum scan_stage stage;
	unsigned knocks;
	bool answers;            /* somebody is there */
	struct sunspec walk;
	uint16_t nameplate_at;   /* of a SunSpec device; 0: none */
	char device[80];         /* what it calls itself; "" when it does not */
	struct regmap described; /* by itself */
	bool is_described;       /* the map that is being read is `described` */
	size_t model, block;     /* of the map that is being read */
	uint16_t regs[REGMAP_REGS];
	size_t n_regs;
	struct scan_match best[SCAN_BEST]; /* best first */
	size_t n_best;
};

void scan_start(struct scan *s, const struct regmap *models, size_t n);
bool scan_next(const struct scan *s, struct regmap_block *want); /* false: it is over */

enum scan_answer { SCAN_READ, SCAN_REFUSED, SCAN_SILENT };
/* What came of it; `regs` with SCAN_READ only. SCAN_REFUSED: the unit itself declined, so it is there. */
void scan_feed(struct scan *s, enum scan_answer answer, const uint16_t *regs);

/* How well a sample could be that of a meter in a low-voltage installation: 0 to SCAN_POINTS, 0: it cannot. */
int scan_points(const ag_meter_sample *s);

#endif
