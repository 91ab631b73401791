/* The directory holds the configuration, the register maps that it names (nothing needs to be installed), the database and the logs of the
 * other processes. */
#include "gateway/sim/demo-site.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

#define ROW_A 11 /* stations in the first row */

const char *demo_station_id(int n, char out[8])
{
	snprintf(out, 8, "G-%02u", (unsigned)(n + 1) % 100);
	return out;
}

enum ocpp_version demo_station_version(int n)
{
	return n < 14 ? OCPP16 : n < 20 ? OCPP201 : OCPP21;
}

int demo_station_phases(int n)
{
	return n % 4 == 1 ? 1 : 3;
}

/* As the rotations [RST, STR, TRS] are dealt out along each row. */
void demo_station_lines(int n, uint8_t lines[3])
{
	int turn = (n < ROW_A ? n : n - ROW_A) % 3;
	for (int i = 0; i < 3; i++)
		lines[i] = (uint8_t)((i + turn) % 3);
}

bool demo_station_is_miswired(int n)
{
	return n == 2 || n == 7 || n == 14;
}

/* Turned by one phase, by two, and with two phases changed over. */
void demo_station_lines_built(const struct demo_site *s, int n, uint8_t lines[3])
{
	demo_station_lines(n, lines);
	if (!s->miswired || !demo_station_is_miswired(n))
		return;
	uint8_t was[3] = { lines[0], lines[1], lines[2] };
	static const uint8_t turns[3][3] = { { 1, 2, 0 }, { 2, 0, 1 }, { 1, 0, 2 } };
	for (int i = 0; i < 3; i++)
		lines[i] = was[turns[n == 2 ? 0 : n == 7 ? 1 : 2][i]];
}

/* --- the configuration --- */

static const char head[] =
	"version: 1\n"
	"site: {id: demo, name: Garage of the demo, voltage_v: 230}\n"
	"circuits:\n"
	"  grid:      {kind: grid_connection, limit_a: %g, meter: main, reserve_a: %g}\n"
	"  ev-feeder: {parent: grid, limit_a: 160, meter: ev}\n"
	"  row-a:     {parent: ev-feeder, limit_a: 100}\n"
	"  row-b:     {parent: ev-feeder, limit_a: 100}\n"
	"  relays:    {parent: ev-feeder, limit_a: 40, phases: [L1]}\n" /* carries both */
	"balancing:\n"
	"  interval: 500ms\n"
	"  rebalance_every: 0s\n" /* two minutes are a day here */
	"  increase: {after: 2s, step_a: 4}\n"
	"  on_meter_lost: {after: 1s, limit: fallback}\n"
	"station_defaults:\n"
	"  subprotocols: [ocpp2.1, ocpp2.0.1, ocpp1.6]\n"
	"  uplink: cpo\n"
	"  fallback_current_a: %g\n"
	"  meter_interval: 1s\n"
	"offline: {authorize: [cache]}\n"
	"log: {level: warn, target: stderr}\n"
	"stations:\n"
	"  \"G-[01-11]\": {circuit: row-a, rotation: [RST, STR, TRS]}\n"
	"  \"G-[12-22]\": {circuit: row-b, rotation: [RST, STR, TRS]}\n";

static void write_single_phase(struct buf *out)
{
	char id[8];
	for (int n = 0; n < DEMO_STATIONS; n++) {
		if (demo_station_phases(n) == 1)
			buf_printf(out, "  %s: {phases: 1}\n", demo_station_id(n, id));
	}
}

static void write_connections(const struct demo_site *s, struct buf *out)
{
	buf_printf(out, "listen:\n"
	                "  ocpp: {lan: {address: 127.0.0.1, port: %d, tls: none, min_security_profile: 0}}\n"
	                "  console: {address: 127.0.0.1, port: %d}\n"
	                "console: {login: none}\n",
	           s->ports[PORT_STATIONS], s->console);
	buf_printf(out, "control: {socket: %s}\n", s->socket);
	buf_printf(out, "meters:\n"
	                "  main: {driver: modbus-tcp, model: sunspec, host: 127.0.0.1, port: %d, poll: 250ms, stale_after: 1500ms}\n"
	                "  ev:   {driver: modbus-tcp, model: eastron-sdm630, host: 127.0.0.1, port: %d, poll: 500ms, stale_after: 3s}\n",
	           s->ports[PORT_MAIN], s->ports[PORT_EV]);
	buf_printf(out, "uplinks:\n"
	                "  cpo:\n"
	                "    endpoints:\n"
	                "      - {url: \"ws://127.0.0.1:%d/{id}\", priority: 1}\n"
	                "      - {url: \"ws://127.0.0.1:%d/{id}\", priority: 2}\n"
	                "    security_profile: 0\n"
	                "    reconnect: {min: 500ms, max: 2s, jitter: 50%%}\n",
	           s->ports[PORT_CSMS], s->ports[PORT_STANDBY]);
}

static void write_relays(const struct demo_site *s, struct buf *out)
{
	buf_puts(out, "evses:\n");
	for (int i = 0; i < DEMO_RELAYS; i++)
		buf_printf(out, "  R-%02d:\n"
		                "    circuit: relays\n"
		                "    uplink: cpo\n"
		                "    driver: modbus-relay\n"
		                "    phases: [L1]\n"
		                "    current_a: %g\n"
		                "    contactor: {host: 127.0.0.1, port: %d, coil: %d}\n"
		                "    feedback: {host: 127.0.0.1, port: %d, input: %d}\n"
		                "    meter: {driver: modbus-tcp, model: eastron-sdm120, host: 127.0.0.1, port: %d, poll: 500ms}\n"
		                "    authorize: [free]\n",
		           i + 1, DEMO_RELAY_A, s->ports[PORT_BOARD], i, s->ports[PORT_BOARD], i, s->ports[PORT_RELAY_METERS + i]);
}

static int write_file(const char *path, struct slice text)
{
	FILE *f = fopen(path, "we");
	bool ok = f && fwrite(text.p, 1, text.n, f) == text.n;
	ok = f && fclose(f) == 0 && ok;
	if (!ok)
		fprintf(stderr, "ampgated: %s: %s\n", path, strerror(errno));
	return ok ? 0 : -EIO;
}

static int write_config(const struct demo_site *s)
{
	struct buf text = { 0 };
	buf_printf(&text, head, DEMO_LIMIT_A, DEMO_RESERVE_A, DEMO_FALLBACK_A);
	write_single_phase(&text);
	write_connections(s, &text);
	write_relays(s, &text);
	int err = write_file(s->config, buf_view(&text));
	buf_free(&text);
	return err;
}

static int write_map(const struct demo_site *s, const char *model, const char *phases)
{
	struct buf text = { 0 }, path = { 0 };
	buf_printf(&path, "%s/%s.yaml", s->models, model);
	buf_printf(&text, "model: %s\nname: %s\nfunction: 4\ntype: f32\nvalues:\n%s  import_wh: {at: 0x48, unit: kWh}\n", model, model, phases);
	int err = write_file(path.p, buf_view(&text));
	buf_free(&path);
	buf_free(&text);
	return err;
}

static int write_files(const struct demo_site *s)
{
	if (mkdir(s->models, 0700) != 0)
		return -errno;
	int err = write_map(s, "eastron-sdm630", "  u_v: [0, 2, 4]\n  i_a: [6, 8, 10]\n  p_w: [12, 14, 16]\n");
	if (!err)
		err = write_map(s, "eastron-sdm120", "  u_v: [0]\n  i_a: [6]\n  p_w: [12]\n");
	return err ? err : write_config(s);
}

/* --- its places --- */

static int hold_port(struct demo_site *s, int i)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	s->held[i] = fd;
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || getsockname(fd, (struct sockaddr *)&a, &n) != 0)
		return -errno;
	s->ports[i] = ntohs(a.sin_port);
	return 0;
}

/* Taken and given back: the daemon itself binds it, and goes without a console in the unlikely case that somebody was faster. */
static int free_console_port(int wanted)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)wanted) };
	socklen_t n = sizeof(a);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 1) == 0 && getsockname(fd, (struct sockaddr *)&a, &n) == 0;
	if (fd >= 0)
		close(fd);
	return ok ? ntohs(a.sin_port) : wanted ? free_console_port(0) : 0;
}

static int make_dir(struct demo_site *s)
{
	const char *tmp = getenv("TMPDIR");
	if (!tmp || !tmp[0] || strlen(tmp) > 40)
		tmp = "/tmp";
	snprintf(s->dir, sizeof(s->dir), "%s/ampgate-demo.XXXXXX", tmp);
	if (!mkdtemp(s->dir)) {
		s->dir[0] = 0;
		return -errno;
	}
	snprintf(s->config, sizeof(s->config), "%s/ampgate.yaml", s->dir);
	snprintf(s->models, sizeof(s->models), "%s/models", s->dir);
	snprintf(s->state, sizeof(s->state), "%s/state", s->dir);
	snprintf(s->socket, sizeof(s->socket), "%s/control.sock", s->dir);
	snprintf(s->log, sizeof(s->log), "%s/log", s->dir);
	return 0;
}

int demo_site_open(struct demo_site *s, bool miswired)
{
	memset(s, 0, sizeof(*s));
	s->miswired = miswired;
	for (int i = 0; i < DEMO_PORTS; i++)
		s->held[i] = -1;
	int err = make_dir(s);
	for (int i = 0; i < DEMO_PORTS && !err; i++)
		err = hold_port(s, i);
	s->console = free_console_port(DEMO_CONSOLE);
	if (!err)
		err = write_files(s);
	if (!err)
		return 0;
	fprintf(stderr, "ampgated: the demo's site cannot be set up: %s\n", err_text(err));
	demo_site_close(s);
	return err;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)kind, (void)where;
	return remove(path);
}

void demo_site_close(struct demo_site *s)
{
	for (int i = 0; i < DEMO_PORTS; i++) {
		if (s->held[i] >= 0)
			close(s->held[i]);
		s->held[i] = -1;
	}
	if (s->dir[0] && nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		fprintf(stderr, "ampgated: %s: %s\n", s->dir, strerror(errno));
	s->dir[0] = 0;
}
