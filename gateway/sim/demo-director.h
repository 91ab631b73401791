/* The director of the demo: what it knows of its processes, for the script that leads them and the screen that shows them. */
#ifndef AMPGATE_GATEWAY_DEMO_DIRECTOR_H
#define AMPGATE_GATEWAY_DEMO_DIRECTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/timer.h"
#include "gateway/sim/demo-site.h"
#include "gateway/sim/sim-ledger.h"
#include "gateway/sim/sim-lines.h"

enum demo_part { PART_WORLD, PART_CSMS, PART_DAEMON, DEMO_PARTS };

/* What the world said last: measured, not read from the daemon. */
struct demo_seen {
	double grid_a[3], ev_a[3], peak_a[3], most_a;
	int64_t over_us, p95_us;
	int jumps, online, charging, relays, served, starts, stops;
	bool settled;                  /* the last jump of the load has been answered */
	int64_t settled_us;            /* monotonic, since when */
};

/* What the daemon said last over its control socket. */
struct demo_status {
	bool known, uplink_up, meter_ok;
	int queue, online, endpoint;
	char binding[64];
};

struct director {
	struct demo_site site;
	int seconds;                   /* of the script */
	bool stays;                    /* until it is interrupted */
	bool live;                     /* the screen is redrawn in place */
	bool quiet_parts;              /* what the parts log goes to a file */
	int log_level;
	int64_t started_us;

	pid_t pids[DEMO_PARTS];        /* 0: not running */
	int fds[DEMO_PARTS];           /* our ends; of the daemon: where it says that it is ready */
	struct sim_lines lines[DEMO_PARTS];
	int control;                   /* the daemon's control socket; -1: not connected */
	struct sim_lines control_lines;

	struct demo_seen seen;
	struct demo_status status;
	int links[2];                  /* lanes at each endpoint of the CSMS */
	int64_t links_us;              /* monotonic, when they changed */
	struct sim_ledger truth, told;
	bool have_truth, have_told;

	/* The script. */
	int scene;
	int64_t scene_us;              /* monotonic, when it began */
	int steps;                     /* of the scene */
	struct timer tick;
	char last[160];                /* what just happened */
	struct buf failures;           /* one reason a line */
	int64_t cut_wall_us, back_wall_us, back_us, all_back_us;
	int most_queue;
	double building_a;             /* on L2 */
	bool looping, interrupted;
	int exit_status;               /* of the verdict; -1: there is none yet */
};

/* demo.c */
void director_order(struct director *d, enum demo_part part, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void director_end(struct director *d);
int64_t director_rss_kib(const struct director *d);

/* demo-script.c */
void script_begin(struct director *d);
void script_tick(struct director *d);         /* a few times a second */
void script_fail(struct director *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *script_scene(const struct director *d);

/* demo-screen.c */
void screen_say(struct director *d, const char *fmt, ...) __attribute__((format(printf, 2, 3))); /* what just happened */
void screen_draw(struct director *d);
void screen_leave(struct director *d);        /* what is printed from now on stays */

#endif
