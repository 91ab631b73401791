/* What happens in the demo, scene by scene, and what is made of it at the end.
 *
 * A scene lasts its share of the whole time, and longer until what it waits for has happened: a slow machine gets its time, and a demo that
 * was stretched is no failure. Only what does not happen at all is one. Every number of the verdict is measured at the cables and in the
 * ledgers of the simulators. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/sim/demo-director.h"
#include "gateway/sim/demo-parts.h"

#define PATIENCE_US (30 * US_PER_S)     /* beyond a scene's time, for what it waits for */
#define REACTION_MOST_US (5 * US_PER_S)
#define FAILOVER_MOST_US (10 * US_PER_S)
#define JUMPS 3
#define JUMP_A 15.0
#define CALM_US (2 * US_PER_S)          /* from one jump to the next */
#define CALM_A 61.0                     /* the building's L2 */

void script_fail(struct director *d, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	buf_puts(&d->failures, "      ");
	buf_vprintf(&d->failures, fmt, ap);
	buf_puts(&d->failures, "\n");
	va_end(ap);
}

/* L2 is the building's fullest phase, and takes most of what comes on top. */
static void building(struct director *d, const char *word, double l2_a)
{
	double other_a = CALM_A + (l2_a - CALM_A) / 2;
	director_order(d, PART_WORLD, "%s %.1f %.1f %.1f", word, other_a - 20, l2_a, other_a - 10);
	d->building_a = l2_a;
}

static double part_of_scene(const struct director *d);

/* Whether it is time for the next of `n` things spread over the scene. */
static bool next_step(struct director *d, int n)
{
	if (d->steps >= n || part_of_scene(d) < (d->steps + 0.5) / (n + 1))
		return false;
	d->steps++;
	return true;
}

/* The cars take what they may and have said so: another jump will be too much. */
static bool is_full(const struct director *d)
{
	return d->seen.settled && clock_mono_us() - d->seen.settled_us > CALM_US && d->seen.grid_a[1] > DEMO_GOAL_A - JUMP_A + 2;
}

/* --- everybody connects and books --- */

static void enter_connect(struct director *d)
{
	building(d, "load", CALM_A);
	director_order(d, PART_WORLD, "connect");
	screen_say(d, "%d stations connect: 14 OCPP 1.6, 6 OCPP 2.0.1, 2 OCPP 2.1; %d relays are on the box itself", DEMO_STATIONS, DEMO_RELAYS);
}

static bool all_charge(struct director *d)
{
	return d->seen.charging == DEMO_STATIONS && d->seen.relays == DEMO_RELAYS && d->links[0] == DEMO_EVSES && is_full(d);
}

/* --- the building takes more --- */

static void enter_peak(struct director *d)
{
	screen_say(d, "all charge, L2 carries %.1f A; now the building takes more", d->seen.grid_a[1]);
}

static void jump(struct director *d)
{
	d->seen.settled = false; /* until the world says otherwise */
	building(d, "jump", d->building_a + JUMP_A);
	screen_say(d, "the building takes %.0f A more at once: %.0f A on L2", JUMP_A, d->building_a);
}

static void play_peak(struct director *d)
{
	static const char *const leaving[] = { "leave G-05", "leave G-21" };
	bool jumps = d->steps < JUMPS;
	if ((jumps ? !is_full(d) : !d->seen.settled) || !next_step(d, JUMPS + 2))
		return;
	if (jumps)
		jump(d);
	else
		director_order(d, PART_WORLD, "%s", leaving[d->steps - JUMPS - 1]);
}

static bool peak_is_held(struct director *d)
{
	return d->steps == JUMPS + 2 && d->seen.settled && d->seen.stops == 2;
}

/* --- no CSMS --- */

static void enter_cut(struct director *d)
{
	if (d->seen.jumps < JUMPS)
		script_fail(d, "only %d of %d jumps took the grid above the goal", d->seen.jumps, JUMPS);
	d->cut_wall_us = clock_wall_us();
	director_order(d, PART_CSMS, "cut 1");
	director_order(d, PART_CSMS, "cut 2");
	screen_say(d, "both endpoints of the CSMS are cut; charging goes on");
}

static void play_cut(struct director *d)
{
	static const char *const people[] = { "arrive G-05", "swap G-03", "swap G-16", "arrive G-21", "swap G-08", "swap G-22", "swap G-13" };
	int n = (int)(sizeof(people) / sizeof(people[0]));
	if (d->status.queue > d->most_queue)
		d->most_queue = d->status.queue;
	if (!next_step(d, n))
		return;
	director_order(d, PART_WORLD, "%s", people[d->steps - 1]);
	screen_say(d, "offline: %s; %d messages wait", people[d->steps - 1], d->status.queue);
}

/* Two had left before, five leave now, and seven come. */
static bool all_swapped(struct director *d)
{
	return d->steps == 7 && d->seen.starts >= DEMO_STATIONS + 7 && d->seen.stops >= 7 && d->most_queue > 0;
}

/* --- the standby --- */

static void enter_standby(struct director *d)
{
	d->back_wall_us = clock_wall_us();
	d->back_us = clock_mono_us();
	director_order(d, PART_CSMS, "return 2");
	screen_say(d, "only the standby is back; %d messages wait", d->status.queue);
}

static void play_standby(struct director *d)
{
	if (d->all_back_us || d->links[1] < DEMO_EVSES)
		return;
	d->all_back_us = d->links_us;
	screen_say(d, "all %d lanes are up at the standby", DEMO_EVSES);
}

static bool drained(struct director *d)
{
	return d->all_back_us && d->status.known && d->status.queue == 0;
}

/* --- no meter --- */

static void enter_meter_lost(struct director *d)
{
	director_order(d, PART_WORLD, "meter silent");
	screen_say(d, "the queue is empty; now the main meter stops answering");
}

static bool fell_back(struct director *d)
{
	return !d->status.meter_ok && d->seen.most_a <= DEMO_FALLBACK_A + 0.05;
}

static void enter_meter_back(struct director *d)
{
	building(d, "load", CALM_A);
	director_order(d, PART_WORLD, "meter well");
	screen_say(d, "no car takes more than %.1f A; the meter is back, and the building calms down", d->seen.most_a);
}

static bool rises_again(struct director *d)
{
	return d->status.meter_ok && d->seen.most_a > DEMO_FALLBACK_A + 1 && d->seen.charging == DEMO_STATIONS;
}

/* --- the verdict --- */

static void enter_verdict(struct director *d)
{
	screen_say(d, "the ledgers of stations and CSMS are compared");
	director_order(d, PART_WORLD, "ledger");
	director_order(d, PART_CSMS, "ledger");
}

static bool have_ledgers(struct director *d)
{
	return d->have_truth && d->have_told;
}

/* The relays' firmware is in the daemon: what really happened there is that each began once, and goes on. */
static void judge_relays(struct director *d, struct sim_verdict *v)
{
	for (int i = 0; i < DEMO_RELAYS; i++) {
		char id[16]; /* for any number */
		unsigned starts = 0;
		snprintf(id, sizeof(id), "R-%02d", i + 1);
		for (size_t k = 0; k < d->told.count; k++)
			starts += strcmp(d->told.rows[k].station, id) == 0 ? d->told.rows[k].starts : 0;
		v->lost_starts += starts == 0;
		v->duplicates += starts > 1 ? starts - 1 : 0;
		if (starts != 1)
			script_fail(d, "%s began once, and the CSMS was told so %u times", id, starts);
	}
}

static void count_offline(const struct director *d, unsigned *starts, unsigned *stops)
{
	*starts = *stops = 0;
	for (size_t i = 0; i < d->truth.count; i++) {
		const struct sim_tx *t = &d->truth.rows[i];
		*starts += t->start_us > d->cut_wall_us && t->start_us < d->back_wall_us;
		*stops += t->stop_us > d->cut_wall_us && t->stop_us < d->back_wall_us;
	}
}

static void judge_currents(struct director *d, int worst)
{
	const struct demo_seen *s = &d->seen;
	if (s->served < DEMO_EVSES)
		script_fail(d, "only %d of %d EVSEs were served", s->served, DEMO_EVSES);
	if (s->peak_a[worst] > DEMO_LIMIT_A + 1e-3 || s->over_us)
		script_fail(d, "L%d reached %.1f A, above the limit for %.1f s", worst + 1, s->peak_a[worst], (double)s->over_us / US_PER_S);
	if (s->p95_us > REACTION_MOST_US)
		script_fail(d, "the currents took %.1f s to follow, the goal is %.0f s", (double)s->p95_us / US_PER_S, (double)REACTION_MOST_US / US_PER_S);
}

static void judge_ledgers(struct director *d, const struct sim_verdict *v, int64_t failover_us)
{
	if (v->first[0])
		script_fail(d, "%s", v->first);
	if (v->lost_starts + v->lost_stops)
		script_fail(d, "%u starts and %u ends never reached the CSMS", v->lost_starts, v->lost_stops);
	if (v->duplicates)
		script_fail(d, "%u would be billed twice", v->duplicates);
	if (failover_us < 0 || failover_us > FAILOVER_MOST_US)
		script_fail(d, "not all lanes were at the standby within %.0f s", (double)FAILOVER_MOST_US / US_PER_S);
}

static void print_verdict(struct director *d, const struct sim_verdict *v, int worst, int64_t failover_us)
{
	const struct demo_seen *s = &d->seen;
	unsigned starts, stops, lost = v->lost_starts + v->lost_stops;
	bool pass = d->failures.n == 0;
	count_offline(d, &starts, &stops);
	printf("demo: %d/%d EVSEs served   peak L%d %.1f A <= %.0f A   over limit %.1f s   reaction p95 %.1f s\n", s->served, DEMO_EVSES, worst + 1,
	       s->peak_a[worst], DEMO_LIMIT_A, (double)s->over_us / US_PER_S, (double)s->p95_us / US_PER_S);
	printf("      offline %.0f s: %u starts, %u stops queued, %u delivered, %u lost, %u duplicates   failover %.1f s   RSS %.0f MiB   %s\n",
	       (double)(d->back_wall_us - d->cut_wall_us) / US_PER_S, starts, stops, starts + stops > lost ? starts + stops - lost : 0, lost, v->duplicates,
	       (double)failover_us / US_PER_S, (double)director_rss_kib(d) / 1024, pass ? "PASS" : "FAIL");
	if (!pass)
		printf("%s", d->failures.p);
	fflush(stdout);
}

static void enter_end(struct director *d)
{
	struct sim_verdict v;
	const double *peak = d->seen.peak_a;
	int worst = peak[0] >= peak[1] && peak[0] >= peak[2] ? 0 : peak[1] >= peak[2] ? 1 : 2;
	int64_t failover_us = d->all_back_us ? d->all_back_us - d->back_us : -1;
	sim_ledger_compare(&d->truth, &d->told, &v);
	judge_relays(d, &v);
	judge_currents(d, worst);
	judge_ledgers(d, &v, failover_us);
	screen_leave(d);
	print_verdict(d, &v, worst, failover_us);
	d->exit_status = d->failures.n ? 1 : 0;
	if (!d->stays) {
		director_end(d);
		return;
	}
	printf("\nThe site stays until Ctrl-C. Look at it at\n  http://127.0.0.1:%d\nor with\n  ampgate --socket %s status\n  ampgate --socket %s why G-07\n\n",
	       d->site.console, d->site.socket, d->site.socket);
	fflush(stdout);
}

/* --- the table --- */

static const struct scene {
	double at_s;                           /* planned, of 60 */
	const char *name;
	void (*enter)(struct director *d);
	void (*play)(struct director *d);      /* while it lasts */
	bool (*done)(struct director *d);      /* what it waits for */
	const char *missing;                   /* where that does not come */
} scenes[] = {
	{ 0, "everybody connects and books", enter_connect, NULL, all_charge, "not every EVSE came to charge" },
	{ 10, "the building takes more, currents drop", enter_peak, play_peak, peak_is_held, "the currents did not settle below the goal" },
	{ 20, "both CSMS endpoints are cut, charging goes on", enter_cut, play_cut, all_swapped, "not every session began and ended offline" },
	{ 35, "only the standby is back, the queue drains", enter_standby, play_standby, drained, "the queue did not drain at the standby" },
	{ 45, "the main meter is lost, stations fall back", enter_meter_lost, NULL, fell_back, "stations did not fall back without the meter" },
	{ 50, "the meter is back", enter_meter_back, NULL, rises_again, "currents did not rise with the meter back" },
	{ 60, "verdict", enter_verdict, NULL, have_ledgers, "a ledger is missing" },
	{ 60, "the end", enter_end, NULL, NULL, NULL },
};
#define SCENES (int)(sizeof(scenes) / sizeof(scenes[0]))

const char *script_scene(const struct director *d)
{
	return scenes[d->scene].name;
}

static int64_t length_us(const struct director *d)
{
	double planned_s = scenes[d->scene + 1].at_s - scenes[d->scene].at_s;
	return (int64_t)(planned_s / 60 * d->seconds * US_PER_S);
}

static double part_of_scene(const struct director *d)
{
	return (double)(clock_mono_us() - d->scene_us) / (double)length_us(d);
}

static void go_on(struct director *d)
{
	d->scene++;
	d->scene_us = clock_mono_us();
	d->steps = 0;
	scenes[d->scene].enter(d);
}

void script_begin(struct director *d)
{
	screen_say(d, "the console is at http://127.0.0.1:%d", d->site.console);
	d->scene = -1;
	go_on(d);
}

void script_tick(struct director *d)
{
	const struct scene *sc = &scenes[d->scene];
	int64_t passed_us = clock_mono_us() - d->scene_us;
	if (d->scene == SCENES - 1)
		return;
	if (sc->play)
		sc->play(d);
	if (d->site.miswired) { /* everybody charges, and that is all */
		if (!d->steps && sc->done(d)) {
			d->steps = 1;
			screen_say(d, "all charge; the cabinet is miswired, commissioning finds out how");
		}
		return;
	}
	if (passed_us < length_us(d))
		return;
	if (sc->done(d)) {
		go_on(d);
	} else if (passed_us > length_us(d) + PATIENCE_US) {
		script_fail(d, "%s", sc->missing);
		go_on(d);
	}
}
