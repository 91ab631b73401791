/* The chip's own descriptor is needed for the request only. What is easy to get wrong: an output without an initial value starts inactive
 * only by luck on some drivers, so the value is part of the request; padding must be zero or the kernel refuses; and the polarity is the
 * kernel's to turn (GPIO_V2_LINE_FLAG_ACTIVE_LOW), so that "active" means the same everywhere above.
 *
 * The kernel gives no promise about a line whose owner died: many drivers leave it as it was. Who needs a contactor to open then wires a
 * watchdog (see gpio-relay.c). */
#include "plugins/gpio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int system_open(const char *path, int flags)
{
	return open(path, flags);
}

static int system_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg);
}

static int system_close(int fd)
{
	return close(fd);
}

struct gpio_system gpio_system = { system_open, system_ioctl, system_close };

static int failed(const struct gpio_line *l, const char *what, char *err, size_t errlen)
{
	int code = errno;
	if (code == EBUSY)
		snprintf(err, errlen, "%s line %u is in use by another program", l->chip, l->line);
	else
		snprintf(err, errlen, "%s line %u: %s: %s", l->chip, l->line, what, strerror(code));
	return -code;
}

static int open_chip(const struct gpio_line *l)
{
	char path[160];
	snprintf(path, sizeof(path), "%s%s", l->chip[0] == '/' ? "" : "/dev/", l->chip);
	return gpio_system.open(path, O_RDWR | O_CLOEXEC);
}

static int request(struct gpio_line *l, const char *consumer, __u64 flags, char *err, size_t errlen)
{
	struct gpio_v2_line_request req;
	int chip = open_chip(l);
	if (chip < 0)
		return failed(l, "cannot open the chip", err, errlen);
	memset(&req, 0, sizeof(req));
	req.offsets[0] = l->line;
	req.num_lines = 1;
	snprintf(req.consumer, sizeof(req.consumer), "%.31s", consumer);
	req.config.flags = flags | (l->active_low ? GPIO_V2_LINE_FLAG_ACTIVE_LOW : 0);
	if (flags & GPIO_V2_LINE_FLAG_OUTPUT) {
		req.config.num_attrs = 1;
		req.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
		req.config.attrs[0].attr.values = 0;
		req.config.attrs[0].mask = 1;
	}
	int rc = gpio_system.ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &req) < 0 ? failed(l, "request", err, errlen) : 0;
	gpio_system.close(chip);
	if (rc == 0)
		l->fd = req.fd;
	return rc;
}

int gpio_output(struct gpio_line *l, const char *consumer, char *err, size_t errlen)
{
	return request(l, consumer, GPIO_V2_LINE_FLAG_OUTPUT, err, errlen);
}

int gpio_input(struct gpio_line *l, const char *consumer, char *err, size_t errlen)
{
	return request(l, consumer, GPIO_V2_LINE_FLAG_INPUT, err, errlen);
}

void gpio_close(struct gpio_line *l)
{
	if (l->fd >= 0)
		gpio_system.close(l->fd);
	l->fd = -1;
}

int gpio_set(struct gpio_line *l, bool active, char *err, size_t errlen)
{
	struct gpio_v2_line_values v = { .bits = active, .mask = 1 };
	if (gpio_system.ioctl(l->fd, GPIO_V2_LINE_SET_VALUES_IOCTL, &v) < 0)
		return failed(l, "set", err, errlen);
	return 0;
}

int gpio_get(struct gpio_line *l, bool *active_out, char *err, size_t errlen)
{
	struct gpio_v2_line_values v = { .mask = 1 };
	if (gpio_system.ioctl(l->fd, GPIO_V2_LINE_GET_VALUES_IOCTL, &v) < 0)
		return failed(l, "get", err, errlen);
	*active_out = v.bits & 1;
	return 0;
}
