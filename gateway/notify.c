/* One datagram per message, on a socket of its own: a service manager that was restarted listens on a new one. */
#include "gateway/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "storage/outbox.h"

#define STATUS_US (10 * US_PER_S)

static int64_t last_us; /* of the last notify_cycle that was sent; 0: none yet */

static void notify(const char *text)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	if (!path || strlen(path) >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, strlen(path));
	socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (to.sun_path[0] == '@')
		to.sun_path[0] = 0;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to, n) < 0)
		log_warn(NULL, "the service manager could not be told: %s", strerror(errno));
	close(fd);
}

void notify_ready(void)
{
	notify("READY=1\n");
}

void notify_stopping(void)
{
	notify("STOPPING=1\n");
}

/* Between two messages. The variables are the service manager's own and do not change. */
static int64_t interval_us(bool *feeds_out)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t us = usec ? strtoll(usec, NULL, 10) : 0;
	*feeds_out = us > 0 && (!pid || strtol(pid, NULL, 10) == getpid());
	return *feeds_out ? us / 4 : STATUS_US;
}

static size_t uplinks_up(const struct gateway *g)
{
	size_t n = 0;
	for (size_t i = 0; i < g->conf->n_uplinks; i++) {
		struct uplink_view v;
		uplink_view(g->uplinks[i], &v);
		n += v.state == UPLINK_UP;
	}
	return n;
}

void notify_cycle(const struct gateway *g)
{
	char text[160];
	bool feeds;
	int64_t now = clock_mono_us();
	if (!getenv("NOTIFY_SOCKET") || (now - last_us < interval_us(&feeds) && last_us))
		return;
	last_us = now;
	snprintf(text, sizeof(text), "%sSTATUS=%u/%zu stations, %zu/%zu uplinks up, queue %lld\n", feeds ? "WATCHDOG=1\n" : "", g->connections,
	         g->conf->n_stations + g->conf->n_evses, uplinks_up(g), g->conf->n_uplinks, (long long)outbox_count(g->store, NULL));
	notify(text);
}
