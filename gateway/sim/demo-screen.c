/* A terminal gets a screen that is redrawn in place, everything else one line per happening. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/sim/demo-director.h"

#define BAR 50
#define LINES 12

static double seconds(const struct director *d)
{
	return (double)(clock_mono_us() - d->started_us) / US_PER_S;
}

void screen_say(struct director *d, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(d->last, sizeof(d->last), fmt, ap);
	va_end(ap);
	if (d->live) {
		screen_draw(d);
		return;
	}
	printf("%6.1f s  %s\n", seconds(d), d->last);
	fflush(stdout);
}

/* Building, then cars, and where the goal and the limit are. */
static void draw_phase(const struct director *d, int phase)
{
	char bar[BAR + 1];
	double per_cell = DEMO_LIMIT_A / (BAR - 2);
	double all_a = d->seen.grid_a[phase], ev_a = d->seen.ev_a[phase];
	for (int i = 0; i < BAR; i++) {
		double a = (i + 0.5) * per_cell;
		bar[i] = a < all_a - ev_a ? '=' : a < all_a ? '#' : '.';
	}
	bar[(int)(DEMO_GOAL_A / per_cell)] = ':';
	bar[(int)(DEMO_LIMIT_A / per_cell)] = '|';
	bar[BAR] = 0;
	printf("  L%d [%s] %5.1f A   peak %5.1f\033[K\n", phase + 1, bar, all_a, d->seen.peak_a[phase]);
}

void screen_draw(struct director *d)
{
	static bool drawn;
	const struct demo_seen *s = &d->seen;
	if (!d->live)
		return;
	if (drawn)
		printf("\033[%dA", LINES);
	drawn = true;
	printf("\033[K\n ampgate demo   %3.0f s of %d   %s\033[K\n console  http://127.0.0.1:%d\033[K\n", seconds(d), d->seconds, script_scene(d),
	       d->site.console);
	printf("  grid connection, %.0f A with %.0f A kept free   (= building, # cars, : goal, | limit)\033[K\n", DEMO_LIMIT_A, DEMO_RESERVE_A);
	for (int i = 0; i < 3; i++)
		draw_phase(d, i);
	printf("  bound by  %s\033[K\n", d->status.binding[0] ? d->status.binding : "-");
	printf("  stations  %d of %d online, %d charging; relays %d of %d on; %d EVSEs served\033[K\n", s->online, DEMO_STATIONS, s->charging, s->relays,
	       DEMO_RELAYS, s->served);
	printf("  uplink    %s, endpoint %d   lanes %d + %d standby   queue %d   meter %s\033[K\n", d->status.uplink_up ? "up" : "DOWN", d->status.endpoint,
	       d->links[0], d->links[1], d->status.queue, d->status.meter_ok ? "ok" : "LOST");
	printf("\033[K\n  > %.110s\033[K\n", d->last);
	fflush(stdout);
}

void screen_leave(struct director *d)
{
	screen_draw(d);
	d->live = false;
}
