/* Reads a meter and prints each result as a JSON line: what a configuration gives before it goes into service.
 *
 *   meter-read '{"driver":"modbus-tcp","host":"192.168.50.10","unit":1,"model":"janitza-umg604"}' [COUNT [POLL_MS]]
 *
 * Ends after COUNT results, good or not (default 1, 0: never). Exit 0 if the last one was a sample, 2 if the configuration is wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "gateway/host.h"

static long left;
static int last = 1;

static void phases(struct json_writer *w, const char *key, const double v[3], bool valid)
{
	jw_array(w, key);
	for (int i = 0; i < 3; i++)
		jw_number(w, NULL, valid ? v[i] : NAN, 3);
	jw_end(w, ']');
}

static void print(const ag_meter_sample *s, const char *fault)
{
	struct buf line = { 0 };
	struct json_writer w;
	jw_open(&w, &line);
	jw_object(&w, NULL);
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
	(void)arg;
	if (left < 0)
		return;
	print(s, fault);
	last = s ? 0 : 1;
	if (left > 0 && --left == 0) {
		left = -1;
		loop_stop();
	}
}

int main(int argc, char *argv[])
{
	char err[256] = "not a JSON object";
	struct host *h;
	if (argc < 2) {
		fprintf(stderr, "usage: meter-read CONFIG [COUNT [POLL_MS]]\n");
		return 2;
	}
	left = argc > 2 ? atol(argv[2]) : 1;
	cJSON *config = json_parse(slice_of(argv[1]));
	char *driver = mem_text(json_text(config, "driver"));
	cJSON_Delete(config);
	struct host_conf conf = { "meter", driver, argv[1], argc > 3 ? atol(argv[3]) * US_PER_MS : 0 };
	if (loop_open() != 0 || host_open(&h, NULL, NULL) != 0)
		return 1;
	int rc = host_meter(h, &conf, on_sample, NULL, err, sizeof(err));
	if (rc < 0) {
		fprintf(stderr, "meter-read: %s\n", err);
		last = 2;
	} else {
		rc = loop_run();
	}
	host_close(&h);
	loop_close();
	mem_free(driver);
	return last;
}
