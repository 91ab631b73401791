/* Drives one EVSE and prints its state as JSON lines.
 *
 *   evse-drive '{"driver":"modbus-relay","host":"192.168.50.20","coil":0,"feedback":0}'
 *
 * In:  a number per line: the amperes per phase to allow; 0 opens. Ends at end of file, with the contactor open.
 * Out: {"closed":true,"plugged":true,"fault":0} or {"fault_text":".."}, when it differs from the line before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "gateway/plug/host.h"

static struct host *host;
static int evse;
static struct watch input;
static struct buf typed;
static char before[400];

static void on_state(void *arg, const ag_evse_state *s, const char *fault)
{
	char line[400];
	(void)arg;
	if (s)
		snprintf(line, sizeof(line), "{\"closed\":%s,\"plugged\":%s,\"fault\":%d}", s->closed ? "true" : "false", s->plugged ? "true" : "false", s->fault);
	else
		snprintf(line, sizeof(line), "{\"fault_text\":\"%.300s\"}", fault);
	if (strcmp(line, before) == 0)
		return;
	strcpy(before, line);
	puts(line);
	fflush(stdout);
}

static void on_input(void *arg, unsigned what)
{
	(void)arg, (void)what;
	ssize_t n = read(STDIN_FILENO, buf_room(&typed, 4096), 4096);
	if (n <= 0) {
		watch_want(&input, 0);
		loop_stop();
		return;
	}
	typed.n += (size_t)n;
	for (char *end; typed.n && (end = memchr(typed.p, '\n', typed.n)) != NULL;) {
		double a = atof(typed.p);
		host_evse_set(host, evse, (double[3]){ a, a, a });
		buf_consume(&typed, (size_t)(end - typed.p) + 1);
	}
}

int main(int argc, char *argv[])
{
	char err[256] = "";
	if (argc < 2 || loop_open() != 0 || host_open(&host, NULL, NULL) != 0)
		return 2;
	cJSON *config = json_parse(slice_of(argv[1]));
	char *driver = mem_text(json_text(config, "driver"));
	cJSON_Delete(config);
	struct host_conf conf = { "evse", driver, argv[1], 0 };
	evse = host_evse(host, &conf, on_state, NULL, err, sizeof(err));
	if (evse < 0)
		fprintf(stderr, "evse-drive: %s\n", err);
	watch_init(&input, STDIN_FILENO, on_input, NULL);
	watch_want(&input, WATCH_READ);
	int rc = evse < 0 ? 2 : loop_run();
	host_close(&host);
	loop_close();
	mem_free(driver);
	buf_free(&typed);
	return rc;
}
