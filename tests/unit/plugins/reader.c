/* Card readers: a keyboard's events through a pipe that stands in for its input device (a test machine has none), and lines over a pseudo
 * terminal. */
#include <fcntl.h>
#include <linux/input.h>
#include <stdio.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "plugins/plugins.h"
#include "tests/unit/unit.h"

static void on_log(const ag_host *h, int level, const char *text)
{
	(void)h, (void)level, (void)text;
}

static const ag_host host = { .size = sizeof(host), .log = on_log };
static const ag_plugin *plugin;
static void *reader;
static int far; /* the reader's end */
static char dir[64], path[96], token[64];

static void create(const ag_plugin *p, const char *device)
{
	char config[200], err[200];
	snprintf(config, sizeof(config), "{\"device\":\"%s\",\"baud\":9600}", device);
	plugin = p;
	assert_int_equal(p->create(&host, "r", config, &reader, err, sizeof(err)), 0);
	clock_freeze(1000000, 1000000);
}

static void begin_keys(void)
{
	strcpy(dir, "/tmp/ampgate-reader-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/event0", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	far = open(path, O_RDWR);
	create(plugin_reader_keyboard(), path);
}

static void end_keys(void)
{
	plugin->destroy(reader);
	close(far);
	unlink(path);
	rmdir(dir);
}

static void event(unsigned type, unsigned code, int value)
{
	struct input_event ev = { .type = (uint16_t)type, .code = (uint16_t)code, .value = value };
	assert_int_equal(write(far, &ev, sizeof(ev)), sizeof(ev));
}

static void press(unsigned code)
{
	event(EV_MSC, MSC_SCAN, 7);
	event(EV_KEY, code, 1);
	event(EV_SYN, SYN_REPORT, 0);
	event(EV_KEY, code, 0);
	event(EV_SYN, SYN_REPORT, 0);
}

static void type_card(void)
{
	static const unsigned codes[] = { KEY_0, KEY_4, KEY_A, KEY_KP2, KEY_F, KEY_9, KEY_ENTER };
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		press(codes[i]);
}

static void test_a_card_is_what_is_typed_before_enter(void **state)
{
	(void)state;
	begin_keys();
	type_card();
	assert_int_equal(plugin->auth_poll(reader, token, sizeof(token)), 1);
	assert_string_equal(token, "04A2F9");
	type_card(); /* it is held there */
	press(KEY_ENTER);
	press(KEY_1);
	press(KEY_KPENTER);
	assert_int_equal(plugin->auth_poll(reader, token, sizeof(token)), 1);
	assert_string_equal(token, "1");
	clock_advance(3 * US_PER_S);
	type_card();
	assert_int_equal(plugin->auth_poll(reader, token, sizeof(token)), 1);
	assert_string_equal(token, "04A2F9");
	end_keys();
}

static void test_what_is_too_long_is_no_card(void **state)
{
	(void)state;
	begin_keys();
	for (int i = 0; i < 37; i++)
		press(KEY_7);
	press(KEY_ENTER);
	type_card();
	assert_int_equal(plugin->auth_poll(reader, token, sizeof(token)), 1);
	assert_string_equal(token, "04A2F9");
	end_keys();
}

static void test_a_reader_that_is_not_there_yet(void **state)
{
	(void)state;
	begin_keys();
	char away[128];
	snprintf(away, sizeof(away), "%s.away", path);
	assert_int_equal(rename(path, away), 0);
	assert_true(plugin->auth_poll(reader, token, sizeof(token)) < 0);
	assert_non_null(strstr(plugin->fault(reader), "event0"));
	assert_int_equal(rename(away, path), 0);
	type_card();
	assert_int_equal(plugin->auth_poll(reader, token, sizeof(token)), 1);
	end_keys();
}

static void test_lines_of_a_serial_reader(void **state)
{
	static const char *const lines[] = { "04:a2-f9\r\n", "\00204A2F9AA\003", "  DE AD BE EF \n" };
	static const char *const tokens[] = { "04A2F9", "04A2F9AA", "DEADBEEF" };
	struct termios t;
	(void)state;
	far = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(far >= 0 && grantpt(far) == 0 && unlockpt(far) == 0);
	tcgetattr(far, &t);
	cfmakeraw(&t);
	tcsetattr(far, TCSANOW, &t);
	create(plugin_reader_serial(), ptsname(far));
	plugin->auth_poll(reader, token, sizeof(token)); /* opens it: what was sent before is of another time */
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(write(far, lines[i], strlen(lines[i])), (ssize_t)strlen(lines[i]));
		assert_int_equal(plugin->auth_poll(reader, token, sizeof(token)), 1);
		assert_string_equal(token, tokens[i]);
	}
	plugin->destroy(reader);
	close(far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_card_is_what_is_typed_before_enter),
		cmocka_unit_test(test_what_is_too_long_is_no_card),
		cmocka_unit_test(test_a_reader_that_is_not_there_yet),
		cmocka_unit_test(test_lines_of_a_serial_reader),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
