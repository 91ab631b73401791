/* Verbs about meters that take some seconds: both are jobs. A meter of the configuration is watched as it is read anyway; any other is opened for
 * the test, on the bus's own worker where the bus is in use. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/manage/command.h"
#include "gateway/manage/meter-check.h"
#include "gateway/manage/task.h"
#include "gateway/power/balance.h"

#define TEST_S 5
#define TEST_MOST_S 60
#define SCAN_MOST_US (10 * 60 * US_PER_S)
#define TRIAL_POLL_US (US_PER_S / 2)

struct trial {
	struct gateway *g;
	struct task *task;
	struct meter_test *test; /* or */
	struct meter_scan *scan;
	int meter;               /* of the configuration */
	struct arena mem;
};

static void trial_free(struct trial *t)
{
	arena_free(&t->mem);
	mem_free(t);
}

static void on_stop(void *arg)
{
	struct trial *t = arg;
	if (t->test)
		meter_test_stop(t->test);
	if (t->scan)
		meter_scan_stop(t->scan);
	task_end(t->task, TASK_STOPPED, (struct slice){ 0 });
	trial_free(t);
}

static void on_tell(void *arg, const char *step, double part)
{
	struct trial *t = arg;
	task_tell(t->task, step, part);
}

static void on_end(void *arg, bool ok, struct slice json)
{
	struct trial *t = arg;
	task_end(t->task, ok ? TASK_DONE : TASK_FAILED, json);
	trial_free(t);
}

static int started(struct command *c, struct trial *t, const char *kind)
{
	t->task = task_new(kind, c->user, on_stop, t);
	jw_object(&c->w, NULL);
	jw_int(&c->w, "job", task_id(t->task));
	jw_end(&c->w, '}');
	return COMMAND_OK;
}

static struct trial *trial_new(struct gateway *g)
{
	struct trial *t = NEW(struct trial);
	t->g = g;
	return t;
}

/* --- test --- */

static const ag_meter_sample *newest_sample(void *arg, const char **fault_out)
{
	struct trial *t = arg;
	struct meter_view v;
	control_meter_view(t->g->control, t->meter, clock_mono_us(), &v);
	*fault_out = v.fault;
	return balance_sample(t->meter);
}

static int meter_named(const struct settings *c, const char *id)
{
	for (size_t i = 0; i < c->n_meters; i++)
		if (strcmp(c->meters[i].id, id) == 0)
			return (int)i;
	return -1;
}

/* "even", "odd", "none"; 0: another word. */
static char parity_arg(struct command *c, char otherwise)
{
	const char *word = command_text(c, "parity");
	return !word ? otherwise : strcmp(word, "even") == 0 ? 'E' : strcmp(word, "odd") == 0 ? 'O' : strcmp(word, "none") == 0 ? 'N' : 0;
}

static int place_arg(struct command *c, const char *target, struct meter_place *out, struct arena *mem)
{
	char why[200] = "";
	*out = (struct meter_place){ .baud = (int)json_int(c->args, "baud", 9600), .parity = parity_arg(c, 'E') };
	if (!out->parity)
		return command_fail(c, COMMAND_USAGE, "parity is none, even or odd");
	int err = meter_place_find(c->g->conf, target, out, mem, why, sizeof(why));
	return !err ? COMMAND_OK : command_fail(c, err == ERR_NOT_FOUND ? COMMAND_NOT_FOUND : COMMAND_FORBIDDEN, "%s", why);
}

/* One that the configuration does not name. */
static int test_other(struct command *c, struct trial *t, const char *target, int64_t for_us)
{
	const char *model = command_text(c, "model");
	struct meter_place place;
	char why[240] = "";
	int err = place_arg(c, target, &place, &t->mem);
	if (err)
		return err;
	if (!model)
		return command_fail(c, COMMAND_USAGE, "no meter '%s' in the configuration; for another one say its model", target);
	struct bus_settings bus = { .id = target, .device = place.device, .baud = place.baud, .parity = place.parity };
	struct meter_settings m = { .id = target, .driver = place.host ? METER_MODBUS_TCP : METER_MODBUS_RTU, .model = model, .host = place.host, .port = place.port,
		.unit = (int)json_int(c->args, "unit", 1), .bus = place.device ? &bus : NULL, .poll_us = TRIAL_POLL_US, .ct_ratio = 1 };
	t->test = meter_test_start(c->g->host, c->g->conf->models, &m, for_us, on_tell, on_end, t, why, sizeof(why));
	return t->test ? COMMAND_OK : command_fail(c, COMMAND_USAGE, "%s", why);
}

int run_meter_test(struct command *c)
{
	const char *target = command_text(c, "meter");
	double s = json_number(c->args, "seconds", TEST_S);
	int64_t for_us = (int64_t)(fmin(fmax(s, 1), TEST_MOST_S) * US_PER_S);
	if (!target || !*target)
		return command_fail(c, COMMAND_USAGE, "meter is missing");
	struct trial *t = trial_new(c->g);
	t->meter = meter_named(c->g->conf, target);
	int err = COMMAND_OK;
	if (t->meter >= 0 && (size_t)t->meter < control_meters(c->g->control) && !cJSON_HasObjectItem(c->args, "unit") && !command_text(c, "model"))
		t->test = meter_test_watch(newest_sample, target, for_us, on_tell, on_end, t);
	else
		err = test_other(c, t, target, for_us);
	if (!err)
		return started(c, t, "meter-test");
	trial_free(t);
	return err;
}

/* --- scan --- */

int run_meter_scan(struct command *c)
{
	const char *target = command_text(c, "bus");
	char why[240] = "";
	struct meter_scan_conf conf = { .target = target, .units = command_text(c, "units"), .timeout_ms = (int)json_int(c->args, "timeout_ms", 0),
		.models = c->g->conf->models ? c->g->conf->models : SYSCONF_DIR "/models", .most_us = SCAN_MOST_US };
	if (!target || !*target)
		return command_fail(c, COMMAND_USAGE, "bus is missing: the id of a bus or a meter, a serial device, or HOST:PORT");
	struct trial *t = trial_new(c->g);
	int err = place_arg(c, target, &conf.place, &t->mem);
	if (!err && !(t->scan = meter_scan_start(c->g->host, &conf, on_tell, on_end, t, why, sizeof(why))))
		err = command_fail(c, COMMAND_USAGE, "%s", why);
	if (!err)
		return started(c, t, "meter-scan");
	trial_free(t);
	return err;
}
