/* The board is what man ampgate-board(7) says a board is: it obeys whole orders only, sends its pins at each change and ten times a second,
 * opens by itself when the pilot leaves C and D, and when nothing was ordered for its watchdog's time. Behind it stand the rig of station/rig.h
 * and a car that asks once it is offered current. Lines typed to it move the car and break things; what happens is printed as it happens:
 *
 *   {"board":"/dev/pts/3","reader":"/dev/pts/4"}            first: where the two lines are
 *   pilot pwm 15.9 | k1 on | k2 off | lock on | watchdog     changes */
#include "gateway/sim/sim-board.h"

#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/board-line.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/timer.h"
#include "gateway/sim/sim-lines.h"
#include "station/car.h"
#include "station/duty.h"
#include "station/pilot.h"
#include "station/rig.h"

#define TICK_US (10 * US_PER_MS)
#define BEHIND_MOST_MS 200
#define PINS_EVERY_MS 100
#define WATCHDOG_MS 1000
#define OPENS_MS 80
#define LETTER_MS 30       /* the pilot has been somewhere else for this long: open */
#define VOLTS 230.0

static const uint32_t has = AG_PIN_PILOT | AG_PIN_PROXIMITY | AG_PIN_CLOSED_1 | AG_PIN_CLOSED_2 | AG_PIN_SECOND | AG_PIN_RESIDUAL |
	AG_PIN_RESIDUAL_TEST | AG_PIN_MAINS | AG_PIN_EMERGENCY | AG_PIN_LOCK | AG_PIN_FAN | AG_PIN_HEAT | AG_PIN_STATE_E;

static struct {
	int board, reader;         /* our ends */
	int board_far, reader_far; /* theirs, kept open so that nothing is lost while nobody is there */
	struct sim_lines orders, typed;
	struct timer tick;
	int64_t last_us;
	struct rig rig;
	struct car car;
	bool drives_itself;        /* the car decides about S2 */
	struct outlet_out out, shown;
	struct outlet_in in;
	double energy_wh;
	uint32_t order;
	int32_t unheard_ms, unsent_ms, away_ms;
	bool watchdog;
	ag_pins sent;
} sim;

static const char usage[] =
	"usage: ampgate sim board [--need WH] [--max AMPS]\n"
	"  --need WH    what its car takes until it is full, default 40000\n"
	"  --max AMPS   what its car takes at most per phase, default 16\n"
	"Prints the devices of the board and of its card reader, then what happens. Lines typed to it:\n"
	"  plug | unplug | want | stop | auto | air | card TOKEN | break WORD | mend | quit\n"
	"where WORD is one of weld_1 weld_2 dead_1 dead_2 residual rcd_dead rcd_stuck short no_diode wrong_duty mains emergency silent bad_cable\n"
	"lock_stuck fan_dead greedy hot leak.\n";

/* ---- what the board sends ---- */

static void send_text(const char *text, size_t n)
{
	if (sim.rig.broken & RIG_SILENT)
		return;
	if (write(sim.board, text, n) < 0)
		return; /* nobody reads; the next one is more recent */
}

static void read_rig(ag_pins *p)
{
	const struct outlet_in *in = &sim.in;
	*p = (ag_pins){ .has = has, .high_v = in->high_mv / 1000.0, .low_v = in->low_mv / 1000.0,
		.duty = in->duty == OUTLET_UNKNOWN ? NAN : in->duty / 10000.0, .proximity_ohm = in->proximity_ohm == INT32_MAX ? INFINITY : in->proximity_ohm,
		.celsius = in->temperature_dc / 10.0, .energy_wh = floor(sim.energy_wh), .opens_ms = OPENS_MS, .watchdog_ms = WATCHDOG_MS };
	p->on = (in->closed[0] ? AG_PIN_CLOSED_1 : 0) | (in->closed[1] ? AG_PIN_CLOSED_2 : 0) | (in->residual ? AG_PIN_RESIDUAL : 0) |
		(in->mains ? AG_PIN_MAINS : 0) | (in->emergency ? AG_PIN_EMERGENCY : 0) | (in->locked ? AG_PIN_LOCK : 0) | (in->fan_runs ? AG_PIN_FAN : 0);
	for (int i = 0; i < 3; i++) {
		p->i_a[i] = in->i_ma[i] / 1000.0;
		p->u_v[i] = in->mains ? VOLTS : 0;
	}
}

static void send_pins(int32_t ms)
{
	char text[BOARD_LINE + 6];
	ag_pins p;
	read_rig(&p);
	sim.unsent_ms += ms;
	bool changed = p.on != sim.sent.on || p.high_v != sim.sent.high_v || p.low_v != sim.sent.low_v || p.proximity_ohm != sim.sent.proximity_ohm;
	if (!changed && sim.unsent_ms < PINS_EVERY_MS)
		return;
	sim.unsent_ms = 0;
	sim.sent = p;
	send_text(text, board_write_pins(text, sim.order, &p));
}

static void send_hello(void)
{
	char text[BOARD_LINE + 6];
	ag_pins p;
	read_rig(&p);
	send_text(text, board_write_hello(text, "simulated", &p));
}

/* ---- what it does ---- */

static void show(void)
{
	static const char *const pilots[] = { "steady", "pwm", "off", "negative" };
	const struct outlet_out *o = &sim.out, *was = &sim.shown;
	if (o->pilot != was->pilot || o->duty != was->duty)
		printf("pilot %s %.1f\n", pilots[o->pilot], o->pilot == PILOT_PWM ? duty_to_ma(o->duty) / 1000.0 : 0.0);
	for (int k = 0; k < 2; k++) {
		if (o->close[k] != was->close[k])
			printf("k%d %s\n", k + 1, o->close[k] ? "on" : "off");
	}
	if (o->lock != was->lock)
		printf("lock %s\n", o->lock ? "on" : "off");
	sim.shown = *o;
	fflush(stdout);
}

static void on_order(void *arg, struct slice line)
{
	char text[BOARD_LINE + 6];
	struct board_text t;
	(void)arg;
	if (!line.n || line.n >= sizeof(text))
		return;
	memcpy(text, line.p, line.n);
	text[line.n] = 0;
	enum board_line kind = board_read(text, &t);
	if (kind == BOARD_ASK)
		send_hello();
	if (kind != BOARD_DRIVE)
		return;
	sim.order = t.order;
	sim.unheard_ms = 0;
	sim.watchdog = false;
	sim.out = (struct outlet_out){ .pilot = t.drive.pilot, .duty = t.drive.pilot == AG_PILOT_PWM ? (uint16_t)lround(t.drive.duty * 10000) : DUTY_STEADY,
		.close = { t.drive.close_1, t.drive.close_2 }, .lock = t.drive.lock, .fan = t.drive.fan, .residual_test = t.drive.residual_test };
}

static void open_contacts(const char *why)
{
	if (sim.out.close[0] || sim.out.close[1])
		printf("%s\n", why);
	sim.out.close[0] = sim.out.close[1] = false;
}

/* The two promises of the hello. */
static void keep_promises(int32_t ms)
{
	char letter = pilot_letter(sim.in.high_mv, 0);
	sim.away_ms = letter == 'C' || letter == 'D' ? 0 : sim.away_ms + ms;
	if (sim.away_ms >= LETTER_MS)
		open_contacts("the car left");
	sim.unheard_ms = sim.unheard_ms < WATCHDOG_MS ? sim.unheard_ms + ms : WATCHDOG_MS;
	if (sim.unheard_ms < WATCHDOG_MS || sim.watchdog)
		return;
	open_contacts("watchdog");
	sim.watchdog = true;
	sim.out = (struct outlet_out){ .pilot = PILOT_STEADY, .duty = DUTY_STEADY };
}

static void elapse(int32_t ms)
{
	struct rig *r = &sim.rig;
	car_elapse(&sim.car, r->offered_ma, r->contact[0], ms * US_PER_MS);
	if (sim.drives_itself)
		r->wants = r->plugged && sim.car.wants;
	r->car_ma = (int32_t)sim.car.ma;
	rig_step(r, &sim.out, ms, &sim.in);
	for (int i = 0; i < 3; i++)
		sim.energy_wh += r->i_ma[i] / 1000.0 * VOLTS * ms / 3600e3;
	keep_promises(ms);
}

static void on_tick(void *arg)
{
	int64_t now = clock_mono_us();
	int32_t ms = (int32_t)((now - sim.last_us) / US_PER_MS);
	(void)arg;
	timer_set(&sim.tick, TICK_US, on_tick, NULL);
	/* A busy machine: the time is made up for in small steps, a long hold-up is not. */
	sim.last_us = ms < BEHIND_MOST_MS ? sim.last_us + ms * US_PER_MS : now;
	for (ms = ms < BEHIND_MOST_MS ? ms : BEHIND_MOST_MS; ms > 0; ms -= 10)
		elapse(ms < 10 ? ms : 10);
	send_pins(TICK_US / US_PER_MS);
	show();
}

/* ---- what is typed ---- */

static void plug(void)
{
	struct car_conf again = sim.car.conf;
	car_plug(&sim.car, &again);
	sim.rig.plugged = true;
	sim.drives_itself = true;
}

static void break_word(struct slice word)
{
	for (int f = 0; f < RIG_FAULTS_MOST; f++) {
		if (slice_is(word, rig_fault_text(1u << f)))
			sim.rig.broken |= 1u << f;
	}
}

static void show_card(struct slice token)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%.*s\r\n", SLICE_ARG(token));
	if (n > 0 && (size_t)n < sizeof(text) && write(sim.reader, text, (size_t)n) < 0)
		puts("nobody reads the reader");
}

static void on_typed(void *arg, struct slice line)
{
	struct slice verb = sim_word(&line), word = sim_word(&line);
	(void)arg;
	if (slice_is(verb, "plug"))
		plug();
	else if (slice_is(verb, "unplug"))
		sim.rig.plugged = sim.rig.wants = false;
	else if (slice_is(verb, "want") || slice_is(verb, "stop"))
		sim.drives_itself = false, sim.rig.wants = slice_is(verb, "want");
	else if (slice_is(verb, "auto"))
		sim.drives_itself = true;
	else if (slice_is(verb, "air"))
		sim.rig.ventilation = !sim.rig.ventilation;
	else if (slice_is(verb, "card"))
		show_card(word);
	else if (slice_is(verb, "break"))
		break_word(word);
	else if (slice_is(verb, "mend"))
		sim.rig.broken = 0;
	else if (slice_is(verb, "quit"))
		loop_stop();
	else if (verb.n)
		fprintf(stderr, "%.*s is none of: plug unplug want stop auto air card break mend quit\n", SLICE_ARG(verb));
}

static void on_quit(void *arg)
{
	(void)arg;
	loop_stop();
}

/* ---- life ---- */

static int open_pty(int *far)
{
	struct termios t;
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0 || tcgetattr(fd, &t) != 0)
		return -1;
	cfmakeraw(&t);
	tcsetattr(fd, TCSANOW, &t);
	*far = open(ptsname(fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
	return *far < 0 ? -1 : fd;
}

static int run(const struct car_conf *car)
{
	static const struct outlet_conf made = { .pilot = true, .second = true };
	if (loop_open() != 0 || (sim.board = open_pty(&sim.board_far)) < 0 || (sim.reader = open_pty(&sim.reader_far)) < 0) {
		perror("ampgate sim board");
		return 1;
	}
	if (loop_on_signal(SIGTERM, on_quit, NULL) != 0 || loop_on_signal(SIGINT, on_quit, NULL) != 0)
		return 1;
	printf("{\"board\":\"%s\",", ptsname(sim.board));
	printf("\"reader\":\"%s\"}\n", ptsname(sim.reader));
	fflush(stdout);
	rig_open(&sim.rig, &made);
	car_plug(&sim.car, car);
	sim.out.duty = sim.shown.duty = DUTY_STEADY;
	sim.last_us = clock_mono_us();
	sim_lines_open(&sim.orders, sim.board, on_order, NULL, NULL);
	sim_lines_open(&sim.typed, STDIN_FILENO, on_typed, NULL, NULL);
	on_tick(NULL);
	int err = loop_run();
	timer_cancel(&sim.tick);
	sim_lines_close(&sim.orders);
	sim_lines_close(&sim.typed);
	close(sim.board);
	close(sim.board_far);
	close(sim.reader);
	close(sim.reader_far);
	loop_close();
	return err ? 1 : 0;
}

int sim_board_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "need", required_argument, NULL, 'n' }, { "max", required_argument, NULL, 'm' }, { "help", no_argument, NULL, 'h' }, { 0 },
	};
	struct car_conf car = { .phases = 3, .max_ma = 16000, .min_ma = DUTY_LEAST_MA, .need_wh = 40000, .delay_us = US_PER_S, .reaction_us = US_PER_S,
		.ramp_ma_per_s = 10000, .volts = VOLTS };
	bool wrong = false;
	int c;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'n':
			car.need_wh = atof(optarg);
			break;
		case 'm':
			car.max_ma = (int32_t)(atof(optarg) * 1000);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			wrong = true;
		}
	}
	if (wrong || optind < argc || car.need_wh <= 0 || car.max_ma <= 0) {
		fputs(usage, stderr);
		return 2;
	}
	return run(&car);
}
