/* Single lines of a GPIO chip over the kernel's character device, uAPI v2 (Linux 5.10 and later). Each line is a request of its own and an
 * open descriptor: closing it gives the line back. Nothing here blocks. Any thread, one line on one thread at a time. */
#ifndef AMPGATE_PLUGINS_GPIO_H
#define AMPGATE_PLUGINS_GPIO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct gpio_line {
	char chip[128];   /* "gpiochip0", or a path */
	unsigned line;
	bool active_low;
	int fd;           /* -1: not requested */
};

/* Requests the line. An output is driven inactive from the first moment on. 0 or a negative error with its text in `err`. */
int gpio_output(struct gpio_line *l, const char *consumer, char *err, size_t errlen) MUST_CHECK;
int gpio_input(struct gpio_line *l, const char *consumer, char *err, size_t errlen) MUST_CHECK;
void gpio_close(struct gpio_line *l); /* fine for one that is not requested */

int gpio_set(struct gpio_line *l, bool active, char *err, size_t errlen) MUST_CHECK;
int gpio_get(struct gpio_line *l, bool *active_out, char *err, size_t errlen) MUST_CHECK;

/* The system calls, so that a test can be the kernel. */
struct gpio_system {
	int (*open)(const char *path, int flags);
	int (*ioctl)(int fd, unsigned long request, void *arg);
	int (*close)(int fd);
};
extern struct gpio_system gpio_system;

#endif
