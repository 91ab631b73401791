/* ampgate meter test and meter scan. With a daemon they are its jobs, so that a bus in use is shared with what uses it; without one the client does
 * the same itself, with the names of the configuration where it can be read. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "config.h"
#include "gateway/conf/settings-tables.h"
#include "gateway/ctl/ctl-print.h"
#include "gateway/ctl/ctl.h"
#include "gateway/manage/meter-check.h"

#define TEST_S 5
#define SCAN_MOST_US (60 * 60 * US_PER_S)
#define TRIAL_POLL_US (US_PER_S / 2)

struct words {
	const char *target, *units, *unit, *model, *baud, *parity, *seconds, *timeout_ms, *config, *models;
};

static bool read_words(struct words *w, int argc, char **argv)
{
	const struct {
		const char *name, **to;
	} valued[] = { { "--unit", &w->unit }, { "--model", &w->model }, { "--baud", &w->baud }, { "--parity", &w->parity }, { "--seconds", &w->seconds },
		{ "--timeout-ms", &w->timeout_ms }, { "-c", &w->config }, { "--models", &w->models } };
	for (int i = 2; i < argc; i++) {
		size_t k = 0;
		while (k < sizeof(valued) / sizeof(valued[0]) && strcmp(argv[i], valued[k].name) != 0)
			k++;
		if (k < sizeof(valued) / sizeof(valued[0])) {
			if (++i == argc)
				return false;
			*valued[k].to = argv[i];
		} else if (argv[i][0] == '-' || (w->target && w->units)) {
			return false;
		} else if (!w->target) {
			w->target = argv[i];
		} else {
			w->units = argv[i];
		}
	}
	return w->target != NULL;
}

/* ---- through the daemon ---- */

static int through_daemon(const struct options *o, const struct words *w, bool scan)
{
	const char *const pairs[][2] = { { scan ? "bus" : "meter", w->target }, { "units", w->units }, { "unit", w->unit }, { "model", w->model },
		{ "baud", w->baud }, { "parity", w->parity }, { "seconds", w->seconds }, { "timeout_ms", w->timeout_ms } };
	struct buf args = ctl_object(pairs, sizeof(pairs) / sizeof(pairs[0]));
	return ctl_job(o, scan ? "meter.scan" : "meter.test", &args, scan ? print_meter_scan : print_meter_test);
}

/* ---- without one ---- */

struct direct {
	const struct options *o;
	struct host *host;
	struct settings *conf; /* NULL: it could not be read */
	struct arena mem;
	print_fn *print;
	int status;
};

static void on_tell(void *arg, const char *step, double part)
{
	(void)arg;
	ctl_progress(step, part);
}

static void on_end(void *arg, bool ok, struct slice json)
{
	struct direct *d = arg;
	cJSON *result = json_parse(json);
	ctl_progress(NULL, 1);
	(d->o->json ? ctl_print_json : d->print)(result);
	cJSON_Delete(result);
	d->status = ok ? EXIT_OK : EXIT_FAILED;
	loop_stop();
}

static void load_names(struct direct *d, const char *file)
{
	struct settings_files files = { .main_file = file ? file : SYSCONF_DIR "/ampgate.yaml", .confd = file ? NULL : SYSCONF_DIR "/conf.d" };
	struct conf_report report = { 0 };
	if (settings_load_partly(&files, &d->conf, &report) != 0 && file)
		fprintf(stderr, "ampgate: %s cannot be used; addresses only\n", file);
	conf_report_free(&report);
}

static int refuse(struct direct *d, int status, const char *why)
{
	fprintf(stderr, "ampgate: %s\n", why);
	d->status = status;
	return status;
}

static char parity_of(const char *word)
{
	return !word || strcmp(word, "even") == 0 ? 'E' : strcmp(word, "odd") == 0 ? 'O' : strcmp(word, "none") == 0 ? 'N' : 0;
}

static int find_place(struct direct *d, const struct words *w, struct meter_place *out)
{
	char why[200] = "";
	*out = (struct meter_place){ .baud = w->baud ? atoi(w->baud) : 9600, .parity = parity_of(w->parity) };
	if (!out->parity)
		return refuse(d, EXIT_USAGE, "--parity is none, even or odd");
	return meter_place_find(d->conf, w->target, out, &d->mem, why, sizeof(why)) == 0 ? EXIT_OK : refuse(d, EXIT_NOT_FOUND, why);
}

static const char *models_of(const struct direct *d, const struct words *w)
{
	return w->models ? w->models : d->conf && d->conf->models ? d->conf->models : SYSCONF_DIR "/models";
}

static int start_test(struct direct *d, const struct words *w)
{
	char why[240] = "";
	double s = w->seconds ? atof(w->seconds) : TEST_S;
	struct meter_place place;
	struct meter_settings m = { .id = w->target, .poll_us = TRIAL_POLL_US, .ct_ratio = 1, .unit = w->unit ? atoi(w->unit) : 1, .model = w->model };
	struct bus_settings bus;
	const struct meter_settings *known = NULL;
	for (size_t i = 0; d->conf && i < d->conf->n_meters; i++)
		if (strcmp(d->conf->meters[i].id, w->target) == 0 && !w->model && !w->unit)
			known = &d->conf->meters[i];
	if (!known && !w->model)
		return refuse(d, EXIT_USAGE, "no daemon runs and the configuration names no such meter: say where it is, its --unit and its --model");
	if (!known && find_place(d, w, &place))
		return d->status;
	if (!known) {
		bus = (struct bus_settings){ .id = w->target, .device = place.device, .baud = place.baud, .parity = place.parity };
		m.driver = place.host ? METER_MODBUS_TCP : METER_MODBUS_RTU;
		m.host = place.host;
		m.port = place.port;
		m.bus = place.device ? &bus : NULL;
	}
	if (!meter_test_start(d->host, models_of(d, w), known ? known : &m, (int64_t)(fmin(fmax(s, 1), 600) * US_PER_S), on_tell, on_end, d, why, sizeof(why)))
		return refuse(d, EXIT_USAGE, why);
	return EXIT_OK;
}

static int start_scan(struct direct *d, const struct words *w)
{
	char why[240] = "";
	struct meter_scan_conf conf = { .target = w->target, .units = w->units, .timeout_ms = w->timeout_ms ? atoi(w->timeout_ms) : 0, .models = models_of(d, w),
		.most_us = SCAN_MOST_US };
	if (find_place(d, w, &conf.place))
		return d->status;
	return meter_scan_start(d->host, &conf, on_tell, on_end, d, why, sizeof(why)) ? EXIT_OK : refuse(d, EXIT_USAGE, why);
}

static int by_itself(const struct options *o, const struct words *w, bool scan)
{
	struct direct d = { .o = o, .print = scan ? print_meter_scan : print_meter_test };
	if (loop_open() != 0 || host_open(&d.host, NULL, NULL) != 0) {
		fputs("ampgate: the loop cannot be opened\n", stderr);
		return EXIT_FAILED;
	}
	load_names(&d, w->config);
	if ((scan ? start_scan : start_test)(&d, w) == EXIT_OK)
		loop_run();
	host_close(&d.host);
	loop_close();
	settings_free(&d.conf);
	arena_free(&d.mem);
	return d.status;
}

int ctl_meter(const struct options *o, int argc, char **argv)
{
	struct words w = { 0 };
	bool scan = strcmp(argv[1], "scan") == 0;
	if (!read_words(&w, argc, argv) || (!scan && w.units))
		return ctl_usage(scan ? "meter scan BUS|DEVICE|HOST[:PORT] [ADDRESSES] [--baud B] [--parity none|even|odd] [--timeout-ms MS]"
		                      : "meter test METER, or meter test DEVICE|HOST[:PORT] --unit N --model M [--baud B] [--parity none|even|odd]; [--seconds S]");
	return ctl_is_up(o) ? through_daemon(o, &w, scan) : by_itself(o, &w, scan);
}
