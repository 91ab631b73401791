/* Card readers: those that type like a keyboard, read from their input event device so that nothing is typed into a console, and those that
 * send a line for each card. A token is what stands between two ends: letters and digits, at most 36 (the longest idToken); separators such
 * as spaces, colons and dashes are left out. The same card held in front of the reader is one card: repeats within two seconds do not count.
 *
 * The device is opened when it is there, and again once a second when it is not. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "plugins/plugins.h"
#include "plugins/serial.h"

#define WAIT_US (500 * US_PER_MS)
#define REPEAT_US (2 * US_PER_S)
#define TOKEN_MOST 36

struct reader {
	const ag_host *host;
	char device[128];
	int baud;
	bool keyboard;
	struct serial line;    /* fd: of either kind */
	char typed[TOKEN_MOST + 1];
	size_t n;
	bool overlong;
	char last[TOKEN_MOST + 1];
	int64_t last_us;
	char fault[200];
};

/* The digits and letters of a keyboard; 0: another key. */
static char key_char(unsigned code)
{
	static const char row_digits[] = "1234567890", row_q[] = "QWERTYUIOP", row_a[] = "ASDFGHJKL", row_z[] = "ZXCVBNM";
	static const char pad[] = { '7', '8', '9', 0, '4', '5', '6', 0, '1', '2', '3', '0' };
	if (code >= KEY_1 && code <= KEY_0)
		return row_digits[code - KEY_1];
	if (code >= KEY_Q && code <= KEY_P)
		return row_q[code - KEY_Q];
	if (code >= KEY_A && code <= KEY_L)
		return row_a[code - KEY_A];
	if (code >= KEY_Z && code <= KEY_M)
		return row_z[code - KEY_Z];
	if (code >= KEY_KP7 && code <= KEY_KP0)
		return pad[code - KEY_KP7];
	return 0;
}

static void type(struct reader *r, char c)
{
	if (r->n == TOKEN_MOST)
		r->overlong = true;
	else
		r->typed[r->n++] = c;
}

/* The end of a card: 1 and the token, or 0 where that is none. */
static int finish(struct reader *r, char *token, size_t room)
{
	int64_t now = clock_mono_us();
	bool good = r->n && !r->overlong && r->n < room;
	r->typed[r->n] = 0;
	r->n = 0;
	r->overlong = false;
	if (!good || (strcmp(r->typed, r->last) == 0 && now - r->last_us < REPEAT_US))
		return 0;
	strcpy(r->last, r->typed);
	r->last_us = now;
	strcpy(token, r->typed);
	return 1;
}

static int lost(struct reader *r, int rc)
{
	snprintf(r->fault, sizeof(r->fault), "%s: %s", r->device, err_text(rc));
	serial_close(&r->line);
	r->n = 0;
	return rc;
}

static int open_keyboard(struct reader *r)
{
	r->line = (struct serial){ .fd = open(r->device, O_RDONLY | O_NONBLOCK | O_CLOEXEC) };
	if (r->line.fd < 0)
		return lost(r, -errno);
	/* Ours alone, or the cards are typed into whatever console is open as well. */
	if (ioctl(r->line.fd, EVIOCGRAB, 1) != 0)
		r->host->log(r->host, 1, "the reader's keyboard could not be taken for this program alone");
	return 0;
}

static int poll_keys(struct reader *r, char *token, size_t room)
{
	int64_t until = clock_mono_us() + WAIT_US;
	for (;;) {
		struct input_event ev;
		struct pollfd p = { .fd = r->line.fd, .events = POLLIN };
		int64_t left = until - clock_mono_us();
		int ready = poll(&p, 1, left > 0 ? (int)(left / US_PER_MS) + 1 : 0);
		if (ready == 0 || (ready < 0 && errno == EINTR))
			return 0;
		ssize_t n = read(r->line.fd, &ev, sizeof(ev));
		if (n == 0 || (n < 0 && errno != EAGAIN))
			return lost(r, n == 0 ? ERR_CLOSED : -errno);
		if (n != sizeof(ev) || ev.type != EV_KEY || ev.value != 1)
			continue; /* releases and repeats are no keys */
		if (ev.code == KEY_ENTER || ev.code == KEY_KPENTER || ev.code == KEY_TAB) {
			if (finish(r, token, room))
				return 1;
		} else if (key_char(ev.code)) {
			type(r, key_char(ev.code));
		}
	}
}

static int poll_line(struct reader *r, char *token, size_t room)
{
	char line[SERIAL_LINE];
	int rc = serial_line(&r->line, line, WAIT_US);
	if (rc < 0)
		return lost(r, rc);
	for (const char *c = line; rc && *c; c++) {
		if (isalnum((unsigned char)*c))
			type(r, (char)toupper((unsigned char)*c));
	}
	return rc ? finish(r, token, room) : 0;
}

static int auth_poll(void *self, char *token, size_t room)
{
	struct reader *r = self;
	if (r->line.fd < 0) {
		int rc = r->keyboard ? open_keyboard(r) : serial_open(&r->line, r->device, r->baud, r->fault, sizeof(r->fault));
		if (rc != 0)
			return rc;
	}
	return r->keyboard ? poll_keys(r, token, room) : poll_line(r, token, room);
}

static int create(const ag_host *h, const char *config_json, bool keyboard, void **self, char *err, size_t errlen)
{
	cJSON *config = json_parse(slice_of(config_json));
	struct slice device = json_text(config, "device");
	struct reader *r = NEW(struct reader);
	int rc = 0;
	r->host = h;
	r->keyboard = keyboard;
	r->line.fd = -1;
	r->baud = (int)json_int(config, "baud", 9600);
	if (!device.n || device.n >= sizeof(r->device) || (!keyboard && !serial_knows_baud(r->baud))) {
		snprintf(err, errlen, "'device' is the reader's device, 'baud' one of the usual speeds");
		rc = ERR_INVALID;
	} else {
		memcpy(r->device, device.p, device.n);
	}
	cJSON_Delete(config);
	if (rc != 0)
		mem_free(r);
	else
		*self = r;
	return rc;
}

static int create_keyboard(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	(void)id;
	return create(h, config_json, true, self, err, errlen);
}

static int create_serial(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	(void)id;
	return create(h, config_json, false, self, err, errlen);
}

static void destroy(void *self)
{
	struct reader *r = self;
	serial_close(&r->line);
	mem_free(r);
}

static const char *why(void *self)
{
	struct reader *r = self;
	return r->fault;
}

#define READER(make, text)                                                                                                                   \
	{                                                                                                                                    \
		.size = sizeof(ag_plugin), .abi = AMPGATE_PLUGIN_ABI, .kinds = AG_AUTH, .flags = AG_F_THREAD, .name = text, .version = "1",    \
		.license = "as ampgate", .config_schema = "{\"device\":\"the reader's device\",\"baud\":\"9600\"}", .create = make, .destroy = destroy, \
		.fault = why, .auth_poll = auth_poll                                                                                         \
	}

const ag_plugin *plugin_reader_keyboard(void)
{
	static const ag_plugin plugin = READER(create_keyboard, "reader-keyboard");
	return &plugin;
}

const ag_plugin *plugin_reader_serial(void)
{
	static const ag_plugin plugin = READER(create_serial, "reader-serial");
	return &plugin;
}
