/* A day at a station with two outlets, in simulated time, with power cuts and crashes at random moments. The program is the real one from the
 * driver interface up (outlet, station, session, ledger, database), in a child process for each time it is under power; a cut kills it where it
 * stands. Cars, contactors and energy registers are the world's, in memory that both share: the registers go on counting what really flowed.
 *
 * What must hold in the end: for each outlet the transactions in the database lie one behind the other, all have an end, and their energy is
 * what the register counted, but for the rounding of a watt-hour at both ends of each. DAY_SEED=n plays another day, DAY_S=n a longer one. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/timer.h"
#include "gateway/conf/check.h"
#include "gateway/conf/reload.h"
#include "gateway/own/relays.h"
#include "gateway/plug/host.h"
#include "gateway/power/balance.h"
#include "gateway/session/session.h"
#include "gateway/session/uplink.h"
#include "station/car.h"
#include "station/duty.h"
#include "station/rig.h"
#include "storage/txs.h"
#include "tests/unit/unit.h"

#define PLACES 2
#define SECOND US_PER_S
#define WALL_START (INT64_C(1780000000) * SECOND)
#define BUSY_STEP_MS 50       /* while something happens */
#define QUIET_STEP_MS 900
#define BUSY_US (25 * SECOND) /* after each event */

struct spot {
	struct rig rig;
	struct car car;
	struct outlet_out out;
	struct outlet_in in;
	double register_wh;
	int64_t next_us;          /* when the car comes or goes */
	int arrivals;
};

/* Survives the program. */
struct world {
	int64_t now_us;
	int64_t busy_until_us;
	uint64_t random;
	struct spot spots[PLACES];
	char dir[64];
	unsigned cuts, cuts_charging;
};

static struct world *w;
static int n_made; /* outlets that the driver has created in this child */

static double rnd(void)
{
	w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(w->random >> 11) / 9007199254740992.0;
}

static int64_t minutes(double mean)
{
	return (int64_t)(-log(1 - rnd()) * mean * 60 * SECOND);
}

/* ---- the world ---- */

static void begin_world(struct spot *s)
{
	static const struct outlet_conf made = { .pilot = true, .second = true };
	rig_open(&s->rig, &made);
	s->out.duty = DUTY_STEADY;
	s->register_wh = 100000;
	s->next_us = minutes(30);
}

static void come_or_go(struct spot *s)
{
	struct car_conf car = { .phases = 3, .max_ma = 16000, .min_ma = DUTY_LEAST_MA, .need_wh = 3000 + rnd() * 17000, .delay_us = SECOND,
		.reaction_us = SECOND, .ramp_ma_per_s = 10000, .volts = 230 };
	bool comes = !s->rig.plugged;
	if (comes)
		car_plug(&s->car, &car);
	s->rig.plugged = comes;
	s->arrivals += comes;
	s->next_us = w->now_us + minutes(comes ? 60 : 30);
	w->busy_until_us = w->now_us + BUSY_US;
}

static void elapse_spot(struct spot *s, int32_t ms)
{
	car_elapse(&s->car, s->rig.offered_ma, s->rig.contact[0], ms * US_PER_MS);
	s->rig.wants = s->rig.plugged && s->car.wants;
	s->rig.car_ma = (int32_t)s->car.ma;
	rig_step(&s->rig, &s->out, ms, &s->in);
	for (int i = 0; i < 3; i++)
		s->register_wh += s->rig.i_ma[i] / 1000.0 * 230 * ms / 3600e3;
}

static void elapse(int32_t ms)
{
	w->now_us += ms * US_PER_MS;
	for (int i = 0; i < PLACES; i++) {
		if (w->now_us >= w->spots[i].next_us)
			come_or_go(&w->spots[i]);
		elapse_spot(&w->spots[i], ms);
	}
}

/* ---- the driver ---- */

static int create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	(void)h, (void)id, (void)config_json, (void)err, (void)errlen;
	*self = &w->spots[n_made++];
	return 0;
}

static void destroy(void *self)
{
	(void)self;
}

static int evse_pins(void *self, int evse, ag_pins *out)
{
	const struct spot *s = self;
	const struct outlet_in *in = &s->in;
	(void)evse;
	*out = (ag_pins){ .has = AG_PIN_PILOT | AG_PIN_CLOSED_1 | AG_PIN_CLOSED_2 | AG_PIN_SECOND | AG_PIN_MAINS | AG_PIN_LOCK,
		.high_v = in->high_mv / 1000.0, .low_v = in->low_mv / 1000.0, .duty = NAN, .proximity_ohm = INFINITY, .celsius = NAN,
		.energy_wh = s->register_wh };
	out->on = (in->closed[0] ? AG_PIN_CLOSED_1 : 0) | (in->closed[1] ? AG_PIN_CLOSED_2 : 0) | (in->mains ? AG_PIN_MAINS : 0) | (in->locked ? AG_PIN_LOCK : 0);
	for (int i = 0; i < 3; i++) {
		out->i_a[i] = in->i_ma[i] / 1000.0;
		out->u_v[i] = 230;
	}
	return 0;
}

static int evse_drive(void *self, int evse, const ag_drive *d)
{
	struct spot *s = self;
	struct outlet_out out = { .pilot = d->pilot, .duty = d->pilot == AG_PILOT_PWM ? (uint16_t)lround(d->duty * 10000) : DUTY_STEADY,
		.close = { d->close_1, d->close_2 }, .lock = d->lock };
	(void)evse;
	if (memcmp(&out, &s->out, sizeof(out)) != 0)
		w->busy_until_us = w->now_us + BUSY_US;
	s->out = out;
	return 0;
}

static const ag_plugin plugin = { .size = sizeof(plugin), .abi = AMPGATE_PLUGIN_ABI, .kinds = AG_EVSE, .name = "day", .version = "1", .license = "",
	.config_schema = "{}", .create = create, .destroy = destroy, .evse_pins = evse_pins, .evse_drive = evse_drive };

/* ---- the program under power ---- */

static const char config[] =
	"version: 1\n"
	"site: {id: day}\n"
	"circuits: {grid: {kind: grid_connection, limit_a: 40}}\n"
	"evses:\n"
	"  A: {circuit: grid, station: CAB, driver: sim, pilot: true, current_a: 32, authorize: [free]}\n"
	"  B: {circuit: grid, station: CAB, driver: sim, pilot: true, current_a: 32, authorize: [free]}\n";

static void must(int err, const char *what)
{
	if (err == 0)
		return;
	fprintf(stderr, "%s: %s\n", what, err_text(err));
	_exit(3);
}

static struct store *open_store(void)
{
	char path[128];
	struct store *s;
	snprintf(path, sizeof(path), "%s/ampgate.db", w->dir);
	struct store_config c = { .path = path };
	must(store_open(&c, &s, NULL, NULL), "store");
	return s;
}

/* The disk keeps up with simulated time, or answers that take milliseconds would be late by minutes. */
static void settle(struct gateway *g)
{
	for (int i = 0; i < 4; i++)
		loop_turn(0);
	must(store_flush(g->store), "flush");
	for (int i = 0; i < 4; i++)
		loop_turn(0);
}

/* Until the cut, which is no orderly end. */
static void run_program(int64_t until_us, bool orderly)
{
	struct gateway g = { .state_dir = w->dir };
	struct settings_files files = { .main_file = "day.yaml", .built_in = config };
	struct settings *conf;
	struct buf said = { 0 };
	clock_freeze(w->now_us + 1000 * SECOND, WALL_START + w->now_us);
	log_open(LOG_TO_STDERR, getenv("DAY_LOG") ? LVL_DEBUG : LVL_ERROR);
	if (check_config(&files, &said, &conf) != 0)
		must(ERR_INVALID, said.p);
	g.conf = conf;
	w->busy_until_us = w->now_us + BUSY_US;
	must(loop_open(), "loop");
	must(balance_open(&g), "balance");
	g.store = open_store();
	must(uplinks_open(&g), "uplinks");
	must(host_open(&g.host, NULL, NULL), "host");
	host_driver(g.host, "sim-outlet", &plugin);
	sessions_open(&g);
	must(balance_start(&g), "balance");
	relays_open(&g);
	settle(&g);
	while (w->now_us < until_us) {
		int32_t ms = w->now_us < w->busy_until_us ? BUSY_STEP_MS : QUIET_STEP_MS;
		elapse(ms);
		clock_advance(ms * US_PER_MS);
		settle(&g);
	}
	if (!orderly)
		raise(SIGKILL);
	w->busy_until_us = w->now_us + BUSY_US;
	settle(&g);
	store_close(g.store);
	_exit(0);
}

static bool is_charging(void)
{
	return w->spots[0].rig.contact[0] || w->spots[1].rig.contact[0];
}

static void power(int64_t for_us, bool orderly)
{
	pid_t child = fork();
	int status;
	assert_true(child >= 0);
	if (child == 0)
		run_program(w->now_us + for_us, orderly);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (orderly ? !WIFEXITED(status) || WEXITSTATUS(status) != 0 : !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fail_msg("the program ended with status %x at %lld s", (unsigned)status, (long long)(w->now_us / SECOND));
}

/* Without the program: contactors have no coil current, or the board's watchdog takes it away a second later. */
static void dark(int64_t for_us, bool only_the_program)
{
	int64_t until = w->now_us + for_us;
	w->cuts++;
	w->cuts_charging += is_charging();
	if (only_the_program) {
		for (int ms = 0; ms < 1000; ms += 50)
			elapse(50);
	}
	for (int i = 0; i < PLACES; i++)
		w->spots[i].out = (struct outlet_out){ .pilot = PILOT_STEADY, .duty = DUTY_STEADY, .lock = w->spots[i].out.lock };
	while (w->now_us < until)
		elapse(200);
}

/* ---- the books ---- */

struct books {
	int n;
	double sum_wh, last_stop_wh;
	int64_t last_stop_us;
	int ended_by_power;
	int evse;
};

static bool see(void *arg, const struct tx_rec *t)
{
	struct books *b = arg;
	if (t->evse != b->evse)
		return true;
	if (t->running || isnan(t->stop_wh))
		fail_msg("outlet %d: transaction %d has no end", b->evse, b->n);
	if (t->stop_wh < t->start_wh || t->start_wh < b->last_stop_wh - 1 || t->start_us < b->last_stop_us - SECOND || t->stop_us < t->start_us)
		fail_msg("outlet %d: transaction %d from %.2f to %.2f Wh, %lld to %lld s, behind one that ended at %.2f Wh and %lld s: %s", b->evse, b->n,
		         t->start_wh, t->stop_wh, (long long)((t->start_us - WALL_START) / SECOND), (long long)((t->stop_us - WALL_START) / SECOND), b->last_stop_wh,
		         (long long)((b->last_stop_us - WALL_START) / SECOND), t->stop_reason);
	if (t->start_wh > b->last_stop_wh + 1)
		printf("# outlet %d: nobody pays for %.1f to %.1f Wh, between %lld and %lld s; then %s\n", b->evse, b->last_stop_wh, t->start_wh,
		       (long long)((b->last_stop_us - WALL_START) / SECOND), (long long)((t->start_us - WALL_START) / SECOND), t->stop_reason);
	b->n++;
	b->sum_wh += t->stop_wh - t->start_wh;
	b->last_stop_wh = t->stop_wh;
	b->last_stop_us = t->stop_us;
	b->ended_by_power += t->stop_reason && strcmp(t->stop_reason, "PowerLoss") == 0;
	return true;
}

static void compare_books(void)
{
	struct store *s;
	assert_int_equal(loop_open(), 0);
	s = open_store();
	for (int i = 0; i < PLACES; i++) {
		struct books b = { .evse = i + 1, .last_stop_wh = 100000 };
		double counted = w->spots[i].register_wh - 100000;
		assert_int_equal(tx_each(s, "CAB", 0, see, &b), 0);
		printf("# outlet %d: %d cars, %d transactions, %d ended by a cut, register %.1f Wh, transactions %.0f Wh\n", i + 1, w->spots[i].arrivals, b.n,
		       b.ended_by_power, counted, b.sum_wh);
		if (fabs(counted - b.sum_wh) > 1.0 + b.n)
			fail_msg("outlet %d: %.1f Wh flowed, %.0f Wh are in the books", i + 1, counted, b.sum_wh);
		assert_true(b.n >= w->spots[i].arrivals / 2 && counted > 10000);
	}
	store_close(s);
	loop_close();
}

static void test_a_day_with_power_cuts(void **state)
{
	const char *seed = getenv("DAY_SEED"), *length = getenv("DAY_S");
	int64_t day_us = (length ? atoll(length) : 86400) * SECOND;
	(void)state;
	w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(w != MAP_FAILED);
	w->random = seed ? strtoull(seed, NULL, 10) : 1;
	/* A killed process loses nothing that it has written; a disk in memory makes the day shorter. */
	strcpy(w->dir, access("/dev/shm", W_OK) == 0 ? "/dev/shm/ampgate-day-XXXXXX" : "/tmp/ampgate-day-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	for (int i = 0; i < PLACES; i++)
		begin_world(&w->spots[i]);
	while (w->now_us < day_us) {
		power(minutes(90), false);
		dark(SECOND + minutes(3), rnd() < 0.5);
	}
	for (int i = 0; i < PLACES; i++) { /* everybody goes home */
		w->spots[i].rig.plugged = w->spots[i].rig.wants = false;
		w->spots[i].next_us = INT64_MAX;
	}
	power(60 * SECOND, true);
	printf("# seed %s, %lld h: %u cuts, %u of them while charging\n", seed ? seed : "1", (long long)(w->now_us / SECOND / 3600), w->cuts, w->cuts_charging);
	compare_books();
	char clean[128];
	snprintf(clean, sizeof(clean), "rm -rf %s", w->dir);
	assert_int_equal(system(clean), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_a_day_with_power_cuts) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
