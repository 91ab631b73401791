/* The line protocol of pilot boards, and the driver against a board on a pseudo terminal whose lines the test writes. */
#include "base/board-line.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"
#include "plugins/plugins.h"
#include "tests/unit/unit.h"

static void test_lines_come_back_as_they_were(void **state)
{
	ag_pins p = { .has = AG_PIN_PILOT | AG_PIN_PROXIMITY | AG_PIN_LOCK | AG_PIN_STATE_E, .on = AG_PIN_LOCK | AG_PIN_CLOSED_1, .high_v = 5.98,
		.low_v = -11.95, .duty = 0.2666, .proximity_ohm = 220, .celsius = -3.5, .i_a = { 15.99, 0.01, 16 }, .u_v = { 230.1, NAN, NAN },
		.energy_wh = 1234567, .opens_ms = 80, .watchdog_ms = 1000 };
	ag_drive d = { .pilot = AG_PILOT_PWM, .close_1 = 1, .lock = 1, .duty = 0.2666 };
	struct board_text t;
	char line[BOARD_LINE + 6];
	(void)state;
	board_write_hello(line, "ours", &p);
	line[strlen(line) - 1] = 0;
	assert_string_equal(line, "hello version=1 board=ours opens=80 watchdog=1000 has=pilot,prox,lock,e*7D");
	assert_int_equal(board_read(line, &t), BOARD_HELLO);
	assert_true(t.version == 1 && t.pins.has == p.has && t.pins.opens_ms == 80 && t.pins.watchdog_ms == 1000 && strcmp(t.name, "ours") == 0);
	board_write_pins(line, 17, &p);
	line[strlen(line) - 1] = 0;
	assert_string_equal(line, "pins n=17 high=5980 low=-11950 duty=2666 prox=220 on=k1,lock temp=-35 i=15990,10,16000 u=230100 wh=1234567*54");
	assert_int_equal(board_read(line, &t), BOARD_PINS);
	assert_true(t.order == 17 && t.pins.on == p.on && t.pins.high_v == 5.98 && t.pins.low_v == -11.95 && t.pins.celsius == -3.5);
	assert_true(t.pins.i_a[1] == 0.01 && isnan(t.pins.u_v[1]) && t.pins.energy_wh == 1234567 && t.pins.proximity_ohm == 220);
	board_write_drive(line, 18, &d);
	line[strlen(line) - 1] = 0;
	assert_string_equal(line, "drive n=18 pilot=pwm duty=2666 k1=1 k2=0 lock=1 fan=0 test=0*50");
	assert_int_equal(board_read(line, &t), BOARD_DRIVE);
	assert_memory_equal(&t.drive, &d, sizeof(d));
	board_write_ask(line);
	line[strlen(line) - 1] = 0;
	assert_int_equal(board_read(line, &t), BOARD_ASK);
}

static void sum_up(char *line)
{
	unsigned sum = 0;
	for (const char *c = line; *c; c++)
		sum ^= (unsigned char)*c;
	sprintf(line + strlen(line), "*%02X", sum);
}

static void test_damaged_lines_are_none(void **state)
{
	static const char *const bodies[] = { "drive n=1 pilot=pwm duty=2666 k1=1 k2=0 lock=1 fan=0", "drive n=1 pilot=pwm duty=12000 k1=1 k2=0 lock=1 fan=0 test=0",
		"drive n=1 pilot=up duty=2666 k1=1 k2=0 lock=1 fan=0 test=0", "drive n=1 pilot=pwm duty=2666 k1=2 k2=0 lock=1 fan=0 test=0", "dance n=1", "" };
	struct board_text t;
	char line[BOARD_LINE + 6];
	ag_drive d = { .pilot = AG_PILOT_PWM, .close_1 = 1, .duty = 0.5 };
	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		strcpy(line, bodies[i]);
		sum_up(line);
		if (board_read(line, &t) != BOARD_NONE)
			fail_msg("case %zu is taken", i);
	}
	size_t n = board_write_drive(line, 1, &d) - 1;
	for (size_t i = 0; i < n; i++) { /* no flipped bit passes */
		for (int bit = 0; bit < 7; bit++) {
			char flipped[BOARD_LINE + 6];
			memcpy(flipped, line, n);
			flipped[n] = 0;
			flipped[i] = (char)(flipped[i] ^ (1 << bit));
			if (flipped[i] && board_read(flipped, &t) == BOARD_DRIVE && memcmp(&t.drive, &d, sizeof(d)) != 0)
				fail_msg("byte %zu bit %d changes the order", i, bit);
		}
	}
	strcpy(line, "pins n=1 high=12000 newer=thing on=mains,newer");
	sum_up(line);
	assert_int_equal(board_read(line, &t), BOARD_PINS);
	assert_true(t.pins.on == AG_PIN_MAINS && t.pins.high_v == 12 && isnan(t.pins.low_v) && isinf(t.pins.proximity_ohm));
}

/* The driver. */

static char logged[400];

static void on_log(const ag_host *h, int level, const char *text)
{
	(void)h, (void)level;
	snprintf(logged, sizeof(logged), "%s", text);
}

static const ag_host host = { .size = sizeof(host), .log = on_log };
static const ag_plugin *plugin;
static void *board;
static int master;

static void begin(void)
{
	char config[200], err[200];
	struct termios t;
	master = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	assert_int_equal(tcgetattr(master, &t), 0);
	cfmakeraw(&t);
	tcsetattr(master, TCSANOW, &t);
	snprintf(config, sizeof(config), "{\"device\":\"%s\"}", ptsname(master));
	plugin = plugin_pilot_board();
	assert_int_equal(plugin->create(&host, "R-01", config, &board, err, sizeof(err)), 0);
}

static void end(void)
{
	plugin->destroy(board);
	close(master);
}

static void say(const char *text)
{
	assert_int_equal(write(master, text, strlen(text)), (ssize_t)strlen(text));
}

/* The next line that the driver sent. */
static enum board_line heard(struct board_text *out)
{
	char line[400];
	size_t n = 0;
	while (n < sizeof(line) - 1 && read(master, line + n, 1) == 1 && line[n] != '\n')
		n++;
	line[n] = 0;
	return board_read(line, out);
}

static void hello(uint32_t opens_ms, uint32_t watchdog_ms)
{
	char line[BOARD_LINE + 6];
	ag_pins p = { .has = AG_PIN_PILOT | AG_PIN_MAINS, .opens_ms = opens_ms, .watchdog_ms = watchdog_ms };
	board_write_hello(line, "test", &p);
	say(line);
}

static void pins(double high_v)
{
	char line[BOARD_LINE + 6];
	ag_pins p = { .on = AG_PIN_MAINS, .high_v = high_v, .low_v = high_v, .duty = NAN, .proximity_ohm = INFINITY, .celsius = NAN, .i_a = { NAN, NAN, NAN },
		.u_v = { NAN, NAN, NAN }, .energy_wh = NAN };
	board_write_pins(line, 1, &p);
	say(line);
}

static void test_a_board_is_asked_who_it_is_and_then_read(void **state)
{
	struct board_text t;
	ag_pins p;
	(void)state;
	begin();
	assert_int_equal(plugin->evse_pins(board, 1, &p), ERR_TIMEOUT);
	assert_non_null(strstr(plugin->fault(board), "is silent"));
	assert_int_equal(heard(&t), BOARD_ASK);
	pins(12); /* before its hello it is not believed */
	assert_int_equal(plugin->evse_pins(board, 1, &p), ERR_TIMEOUT);
	hello(80, 1000);
	pins(9);
	assert_int_equal(plugin->evse_pins(board, 1, &p), 0);
	assert_true(p.high_v == 9 && p.has == (AG_PIN_PILOT | AG_PIN_MAINS) && p.on == AG_PIN_MAINS && p.opens_ms == 80 && p.watchdog_ms == 1000);
	assert_string_equal(logged, "board test: opens by itself within 80 ms of the car's leaving, and after 1000 ms without orders");
	say("pins n=1 high=600");
	assert_int_equal(plugin->evse_pins(board, 1, &p), 0); /* half a line is waited for */
	assert_true(p.high_v == 9);
	say("0 low=6000*00\n");
	assert_int_equal(plugin->evse_pins(board, 1, &p), 0); /* and a wrong one passed over */
	assert_true(p.high_v == 9);
	end();
}

static void test_orders_are_numbered_lines(void **state)
{
	struct board_text t;
	ag_drive d = { .pilot = AG_PILOT_PWM, .duty = 0.2666, .close_1 = 1, .lock = 1 };
	(void)state;
	begin();
	hello(80, 1000);
	assert_int_equal(plugin->evse_drive(board, 1, &d), 0);
	assert_int_equal(heard(&t), BOARD_ASK);
	assert_int_equal(heard(&t), BOARD_DRIVE);
	assert_memory_equal(&t.drive, &d, sizeof(d));
	assert_int_equal(t.order, 1);
	assert_int_equal(plugin->evse_drive(board, 1, &d), 0);
	assert_int_equal(heard(&t), BOARD_DRIVE);
	assert_int_equal(t.order, 2);
	end();
}

static void test_a_board_that_promises_nothing_is_refused(void **state)
{
	static const uint32_t promises[][2] = { { 0, 1000 }, { 101, 1000 }, { 80, 0 }, { 80, 2001 } };
	ag_pins p;
	(void)state;
	for (size_t i = 0; i < sizeof(promises) / sizeof(promises[0]); i++) {
		begin();
		assert_int_equal(plugin->evse_pins(board, 1, &p), ERR_TIMEOUT);
		hello(promises[i][0], promises[i][1]);
		pins(12);
		assert_int_equal(plugin->evse_pins(board, 1, &p), ERR_TIMEOUT);
		assert_non_null(strstr(plugin->fault(board), "does not promise to open by itself"));
		end();
	}
}

static void test_a_board_that_is_pulled_is_gone(void **state)
{
	ag_pins p;
	(void)state;
	begin();
	assert_int_equal(plugin->evse_pins(board, 1, &p), ERR_TIMEOUT);
	hello(80, 1000);
	pins(9);
	assert_int_equal(plugin->evse_pins(board, 1, &p), 0);
	close(master);
	assert_true(plugin->evse_pins(board, 1, &p) < 0);
	assert_true(plugin->evse_pins(board, 1, &p) < 0);
	master = -1;
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_come_back_as_they_were),
		cmocka_unit_test(test_damaged_lines_are_none),
		cmocka_unit_test(test_a_board_is_asked_who_it_is_and_then_read),
		cmocka_unit_test(test_orders_are_numbered_lines),
		cmocka_unit_test(test_a_board_that_promises_nothing_is_refused),
		cmocka_unit_test(test_a_board_that_is_pulled_is_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
