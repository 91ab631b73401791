/* Reads meters and prints each result as a JSON line: what a configuration gives before it goes into service.
 *
 *   meter-read '{"driver":"modbus-tcp","host":"192.168.50.10","unit":1,"model":"janitza-umg604"}'... [COUNT [POLL_MS]]
 *
 * Ends after COUNT results, good or not (default 1, 0: never). With several meters each line says which, from 0. Exit 0 if the last result was
 * a sample, 2 if a configuration is wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "gateway/plug/host.h"

static long left = 1;
static int last = 1;
static int meters; /* how many */

static void phases(struct json_writer *w, const char *key, const double v[3], bool valid)
{
	jw_array(w, key);
	for (int i = 0; i < 3; i++)
		jw_number(w, NULL, valid ? v[i] : NAN, 3);
	jw_end(w, ']');
}

static void print(int meter, const ag_meter_sample *s, const char *fault)
{
	struct buf line = { 0 };
	struct json_writer w;
	jw_open(&w, &line);
	jw_object(&w, NULL);
	if (meters > 1)
		jw_int(&w, "meter", meter);
	if (s) {
		phases(&w, "i_a", s->i_a, s->valid & AG_I);
		phases(&w, "u_v", s->u_v, s->valid & AG_U);
		phases(&w, "p_w", s->p_w, s->valid & AG_P);
		jw_number(&w, "power_w", s->valid & AG_POWER ? s->power_w : NAN, 3);
		jw_number(&w, "import_wh", s->valid & AG_IMPORT ? s->import_wh : NAN, 1);
		jw_number(&w, "export_wh", s->valid & AG_EXPORT ? s->export_wh : NAN, 1);
	} else {
		jw_string(&w, "fault", fault);
	}
	jw_end(&w, '}');
	puts(line.p);
	fflush(stdout);
	buf_free(&line);
}

static void on_sample(void *arg, const ag_meter_sample *s, const char *fault)
{
	if (left < 0)
		return;
	print((int)(intptr_t)arg, s, fault);
	last = s ? 0 : 1;
	if (left > 0 && --left == 0) {
		left = -1;
		loop_stop();
	}
}

static int open_meter(struct host *h, const char *text, int64_t poll_us)
{
	char err[256] = "not a JSON object";
	cJSON *config = json_parse(slice_of(text));
	char *driver = mem_text(json_text(config, "driver"));
	struct host_conf conf = { "meter", driver, text, poll_us };
	int rc = host_meter(h, &conf, on_sample, (void *)(intptr_t)meters++, err, sizeof(err));
	if (rc < 0)
		fprintf(stderr, "meter-read: %s\n", err);
	cJSON_Delete(config);
	mem_free(driver);
	return rc;
}

int main(int argc, char *argv[])
{
	struct host *h;
	int n = 1, rc = 0;
	while (n < argc && argv[n][0] == '{')
		n++;
	if (n == 1) {
		fprintf(stderr, "usage: meter-read CONFIG... [COUNT [POLL_MS]]\n");
		return 2;
	}
	if (n < argc)
		left = atol(argv[n]);
	int64_t poll_us = n + 1 < argc ? atol(argv[n + 1]) * US_PER_MS : 0;
	if (loop_open() != 0 || host_open(&h, NULL, NULL) != 0)
		return 1;
	for (int i = 1; i < n && rc >= 0; i++)
		rc = open_meter(h, argv[i], poll_us);
	if (rc >= 0)
		loop_run();
	else
		last = 2;
	host_close(&h);
	loop_close();
	return last;
}
