/* GPIO contactors against a fake of the kernel's ioctl interface (there is no GPIO simulation in kernels without CONFIG_GPIO_SIM). The fake
 * refuses what gpiolib refuses: flags that exclude each other, padding, too many lines, a line that is taken. It keeps levels, so polarity
 * and initial values are looked at from the side of the wire. */
#include <errno.h>
#include <linux/gpio.h>
#include <math.h>

#include "base/error.h"
#include "plugins/gpio.h"
#include "plugins/plugins.h"
#include "tests/unit/unit.h"

#define CHIP_FD 100
#define LINE_FD 200
#define LINES 32

/* The kernel's side. */
static struct {
	bool there;           /* the chip */
	bool taken[LINES], output[LINES], active_low[LINES];
	int level[LINES];     /* on the wire */
	char consumer[LINES][GPIO_MAX_NAME_SIZE];
	int changes[LINES];
	int fails;            /* errno of the next get or set; 0: none */
} kernel;

static int fake_open(const char *path, int flags)
{
	(void)flags;
	if (!kernel.there || strcmp(path, "/dev/gpiochip0") != 0) {
		errno = ENOENT;
		return -1;
	}
	return CHIP_FD;
}

static int refuse(int code)
{
	errno = code;
	return -1;
}

static void put(unsigned line, bool active)
{
	int level = active != kernel.active_low[line];
	kernel.changes[line] += kernel.level[line] != level;
	kernel.level[line] = level;
}

static int get_line(struct gpio_v2_line_request *req)
{
	static const __u32 zero[8];
	__u64 flags = req->config.flags, ways = flags & (GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_OUTPUT);
	unsigned line = req->offsets[0];
	if (req->num_lines != 1 || line >= LINES || memcmp(req->padding, zero, sizeof(req->padding)) != 0 ||
	    memcmp(req->config.padding, zero, sizeof(req->config.padding)) != 0)
		return refuse(EINVAL);
	if ((ways != GPIO_V2_LINE_FLAG_INPUT && ways != GPIO_V2_LINE_FLAG_OUTPUT) || req->config.num_attrs > GPIO_V2_LINE_NUM_ATTRS_MAX)
		return refuse(EINVAL);
	if (kernel.taken[line])
		return refuse(EBUSY);
	kernel.taken[line] = true;
	kernel.output[line] = flags & GPIO_V2_LINE_FLAG_OUTPUT;
	kernel.active_low[line] = flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW;
	memcpy(kernel.consumer[line], req->consumer, sizeof(req->consumer));
	for (__u32 i = 0; i < req->config.num_attrs; i++) {
		const struct gpio_v2_line_config_attribute *a = &req->config.attrs[i];
		if (a->attr.padding || a->attr.id != GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES || !kernel.output[line])
			return refuse(EINVAL);
		if (a->mask & 1)
			put(line, a->attr.values & 1);
	}
	req->fd = LINE_FD + (int)line;
	return 0;
}

static int fake_ioctl(int fd, unsigned long request, void *arg)
{
	struct gpio_v2_line_values *v = arg;
	unsigned line = (unsigned)(fd - LINE_FD);
	if (request == GPIO_V2_GET_LINE_IOCTL)
		return fd == CHIP_FD ? get_line(arg) : refuse(ENOTTY);
	if (line >= LINES || !kernel.taken[line])
		return refuse(EBADF);
	if (kernel.fails)
		return refuse(kernel.fails);
	if (v->mask != 1)
		return refuse(EINVAL);
	if (request == GPIO_V2_LINE_GET_VALUES_IOCTL) {
		v->bits = (kernel.level[line] != 0) != kernel.active_low[line];
		return 0;
	}
	if (request != GPIO_V2_LINE_SET_VALUES_IOCTL)
		return refuse(ENOTTY);
	if (!kernel.output[line])
		return refuse(EPERM);
	put(line, v->bits & 1);
	return 0;
}

static int fake_close(int fd)
{
	if (fd >= LINE_FD)
		kernel.taken[fd - LINE_FD] = false;
	return 0;
}

/* The host's side. */
static uint64_t now;

static uint64_t now_us(const ag_host *h)
{
	(void)h;
	return now;
}

static const ag_host host = { .size = sizeof(host), .now_us = now_us };
static const ag_drive on = { .close_1 = 1 }, off = { 0 };
static const ag_plugin *plugin;
static void *relay;

#define WIRED                                                                                                                                \
	"{\"contactor\":{\"chip\":\"gpiochip0\",\"line\":17,\"active_low\":true},\"feedback\":{\"chip\":\"gpiochip0\",\"line\":27,\"active_low\":true}," \
	"\"emergency_stop\":{\"chip\":\"gpiochip0\",\"line\":5},\"heartbeat\":{\"chip\":\"/dev/gpiochip0\",\"line\":6}}"

static int create(const char *config, char *err, size_t errlen)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.there = true;
	now = 1;
	gpio_system = (struct gpio_system){ fake_open, fake_ioctl, fake_close };
	plugin = plugin_gpio_relay();
	return plugin->create(&host, "R-01", config, &relay, err, errlen);
}

static void begin(void)
{
	char err[200];
	assert_int_equal(create(WIRED, err, sizeof(err)), 0);
}

static void test_the_first_touch_opens(void **state)
{
	ag_pins p;
	(void)state;
	begin();
	kernel.level[17] = 0; /* active low: closed, as an earlier process left it */
	assert_int_equal(plugin->evse_pins(relay, 1, &p), 0);
	assert_int_equal(kernel.level[17], 1);
	assert_string_equal(kernel.consumer[17], "ampgate R-01");
	assert_true(kernel.output[17] && !kernel.output[27] && kernel.output[6]);
	plugin->destroy(relay);
	assert_false(kernel.taken[17] || kernel.taken[27] || kernel.taken[5] || kernel.taken[6]);
}

static void test_orders_reach_the_wire_and_inputs_come_back(void **state)
{
	ag_pins p;
	(void)state;
	begin();
	kernel.level[27] = 1;
	assert_int_equal(plugin->evse_drive(relay, 1, &on), 0);
	assert_int_equal(kernel.level[17], 0);
	assert_int_equal(plugin->evse_pins(relay, 1, &p), 0);
	assert_int_equal(p.has, AG_PIN_CLOSED_1 | AG_PIN_EMERGENCY);
	assert_int_equal(p.on, 0);
	assert_true(isnan(p.i_a[0]) && isnan(p.energy_wh));
	kernel.level[27] = 0;
	kernel.level[5] = 1;
	assert_int_equal(plugin->evse_pins(relay, 1, &p), 0);
	assert_int_equal(p.on, AG_PIN_CLOSED_1 | AG_PIN_EMERGENCY);
	assert_int_equal(plugin->evse_drive(relay, 1, &off), 0);
	assert_int_equal(kernel.level[17], 1);
	plugin->destroy(relay);
}

static void test_the_heartbeat_beats_with_every_order(void **state)
{
	(void)state;
	begin();
	for (int i = 0; i < 10; i++)
		assert_int_equal(plugin->evse_drive(relay, 1, &on), 0);
	assert_int_equal(kernel.changes[6], 10);
	plugin->destroy(relay);
}

static void test_a_chip_that_comes_later_or_goes(void **state)
{
	ag_pins p;
	(void)state;
	begin();
	kernel.there = false;
	assert_int_equal(plugin->evse_pins(relay, 1, &p), -ENOENT);
	assert_non_null(strstr(plugin->fault(relay), "gpiochip0 line 6: cannot open the chip"));
	kernel.there = true;
	now += 500000;
	assert_true(plugin->evse_drive(relay, 1, &on) < 0); /* asked once a second */
	now += 600000;
	assert_int_equal(plugin->evse_drive(relay, 1, &on), 0);
	kernel.fails = ENODEV;
	assert_int_equal(plugin->evse_pins(relay, 1, &p), -ENODEV);
	kernel.fails = 0;
	assert_int_equal(plugin->evse_pins(relay, 1, &p), 0); /* requested anew: open, whatever was ordered before */
	assert_int_equal(kernel.level[17], 1);
	plugin->destroy(relay);
}

static void test_a_line_that_is_taken(void **state)
{
	ag_pins p;
	(void)state;
	begin();
	kernel.taken[27] = true;
	assert_int_equal(plugin->evse_pins(relay, 1, &p), -EBUSY);
	assert_string_equal(plugin->fault(relay), "gpiochip0 line 27 is in use by another program");
	kernel.taken[27] = false;
	assert_false(kernel.taken[17]); /* nothing is held meanwhile */
	plugin->destroy(relay);
}

static void test_what_is_not_described_is_refused(void **state)
{
	char err[200];
	(void)state;
	assert_int_equal(create("{}", err, sizeof(err)), ERR_INVALID);
	assert_string_equal(err, "'contactor' is missing");
	assert_int_equal(create("{\"contactor\":{\"chip\":\"gpiochip0\"}}", err, sizeof(err)), ERR_INVALID);
	assert_string_equal(err, "contactor is a chip and a line from 0");
}

static void test_a_contact_to_ground_is_closed_when_its_line_is_low(void **state)
{
	const ag_plugin *input = plugin_gpio_input();
	char err[200];
	ag_grid_state s;
	void *contact;
	(void)state;
	begin();
	plugin->destroy(relay);
	assert_int_equal(input->create(NULL, "box", "{\"chip\":\"gpiochip0\",\"line\":22}", &contact, err, sizeof(err)), 0);
	kernel.level[22] = 0;
	assert_int_equal(input->grid_poll(contact, &s), 0);
	assert_int_equal(s.closed, 1);
	assert_int_equal(s.known, 1);
	kernel.level[22] = 1; /* opened, or its wire is broken */
	assert_int_equal(input->grid_poll(contact, &s), 0);
	assert_int_equal(s.closed, 0);
	kernel.fails = EIO;
	assert_true(input->grid_poll(contact, &s) < 0);
	assert_true(strlen(input->fault(contact)) > 0);
	input->destroy(contact);
	assert_int_equal(input->create(NULL, "box", "{\"line\":22}", &contact, err, sizeof(err)), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_touch_opens),
		cmocka_unit_test(test_orders_reach_the_wire_and_inputs_come_back),
		cmocka_unit_test(test_the_heartbeat_beats_with_every_order),
		cmocka_unit_test(test_a_chip_that_comes_later_or_goes),
		cmocka_unit_test(test_a_line_that_is_taken),
		cmocka_unit_test(test_what_is_not_described_is_refused),
		cmocka_unit_test(test_a_contact_to_ground_is_closed_when_its_line_is_low),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
