/* Reading is poll and read until a line is whole; the deadline is for the line. A USB adapter that is pulled gives an end of file or EIO, both
 * of which mean that the device is gone and has to be opened again. */
#include "plugins/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"

static const struct {
	int baud;
	speed_t speed;
} speeds[] = {
	{ 300, B300 }, { 1200, B1200 }, { 2400, B2400 }, { 4800, B4800 }, { 9600, B9600 }, { 19200, B19200 }, { 38400, B38400 }, { 57600, B57600 },
	{ 115200, B115200 }, { 230400, B230400 }, { 460800, B460800 },
};

static const speed_t *speed_of(int baud)
{
	for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++) {
		if (speeds[i].baud == baud)
			return &speeds[i].speed;
	}
	return NULL;
}

bool serial_knows_baud(int baud)
{
	return speed_of(baud) != NULL;
}

static int set_up(int fd, int baud)
{
	struct termios t;
	const speed_t *speed = speed_of(baud);
	if (!isatty(fd))
		return 0;
	if (!speed || tcgetattr(fd, &t) != 0)
		return -1;
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL | CREAD;
	t.c_cflag &= (tcflag_t) ~(CSTOPB | CRTSCTS);
	cfsetispeed(&t, *speed);
	cfsetospeed(&t, *speed);
	return tcsetattr(fd, TCSANOW, &t) != 0 || tcflush(fd, TCIOFLUSH) != 0 ? -1 : 0;
}

int serial_open(struct serial *s, const char *device, int baud, char *err, size_t errlen)
{
	*s = (struct serial){ .fd = open(device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) };
	if (s->fd >= 0 && set_up(s->fd, baud) == 0)
		return 0;
	int code = errno;
	serial_close(s);
	snprintf(err, errlen, "%s: %s", device, strerror(code));
	return -code;
}

void serial_close(struct serial *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->n = 0;
	s->overlong = false;
}

static bool ends_line(char c)
{
	return c == '\n' || c == '\r' || c == 2 || c == 3;
}

/* Takes a whole line out of what has come. */
static bool take_line(struct serial *s, char *line)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!ends_line(s->text[i]))
			continue;
		bool good = i > 0 && !s->overlong;
		memcpy(line, s->text, i);
		line[i] = 0;
		memmove(s->text, s->text + i + 1, s->n - i - 1);
		s->n -= i + 1;
		s->overlong = false;
		if (good)
			return true;
		i = (size_t)-1; /* from the start of what is left */
	}
	if (s->n == sizeof(s->text)) {
		s->overlong = true;
		s->n = 0;
	}
	return false;
}

int serial_line(struct serial *s, char *line, int64_t wait_us)
{
	int64_t until = clock_mono_us() + wait_us;
	while (!take_line(s, line)) {
		int64_t left = until - clock_mono_us();
		struct pollfd p = { .fd = s->fd, .events = POLLIN };
		int ready = poll(&p, 1, left > 0 ? (int)((left + US_PER_MS - 1) / US_PER_MS) : 0);
		if (ready == 0 || (ready < 0 && errno == EINTR))
			return 0;
		ssize_t n = ready < 0 ? -1 : read(s->fd, s->text + s->n, sizeof(s->text) - s->n);
		if (n == 0)
			return ERR_CLOSED;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		s->n += n > 0 ? (size_t)n : 0;
	}
	return 1;
}

int serial_write(struct serial *s, const char *text, size_t n)
{
	ssize_t wrote = write(s->fd, text, n);
	if (wrote < 0)
		return -errno;
	return (size_t)wrote == n ? 0 : ERR_FULL;
}
