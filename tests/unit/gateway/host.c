/* The host of the plugins: which thread calls what, what comes back to the loop, and that no contactor stays closed behind our back. The
 * plugin here is scripted; it may be told to hold up its worker until the test lets it go. */
#include "tests/unit/unit.h"

#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "gateway/plug/host.h"

struct fake {
	char bus[32];
	double amps;            /* also its index in `fakes` */
	bool fails;
	pthread_t caller;
	atomic_int polls, sets;
	_Atomic double set_to;
};

static struct fake *fakes[8];
static int n_fakes, n_alive;
static sem_t gate;              /* a poll of a fake on the bus "slow" waits here */
static sem_t opened;            /* counts orders of 0 A */

static int fake_create(const ag_host *h, const char *id, const char *config_json, void **self, char *err, size_t errlen)
{
	cJSON *config = json_parse(slice_of(config_json));
	(void)h, (void)id;
	if (!config) {
		snprintf(err, errlen, "no JSON");
		return ERR_SYNTAX;
	}
	if (json_int(config, "refuses", 0)) {
		int rc = (int)json_int(config, "refuses", 0);
		cJSON_Delete(config);
		return rc;
	}
	struct fake *f = NEW(struct fake);
	snprintf(f->bus, sizeof(f->bus), "%.*s", SLICE_ARG(json_text(config, "bus")));
	f->amps = json_number(config, "amps", 0);
	f->fails = json_bool(config, "fails", false);
	cJSON_Delete(config);
	fakes[n_fakes++] = f;
	n_alive++;
	*self = f;
	return 0;
}

static void fake_destroy(void *self)
{
	(void)self; /* freed by the test, which looks at it after the end */
	n_alive--;
}

static int fake_poll(void *self, ag_meter_sample *out)
{
	struct fake *f = self;
	f->caller = pthread_self();
	if (strcmp(f->bus, "slow") == 0)
		sem_wait(&gate);
	out->i_a[0] = f->amps;
	out->valid = AG_I;
	f->polls++;
	return f->fails ? ERR_TIMEOUT : 0;
}

static int fake_set(void *self, int evse, const double limit_a[3])
{
	struct fake *f = self;
	assert_int_equal(evse, 1);
	f->set_to = limit_a[0];
	f->sets++;
	if (limit_a[0] == 0)
		sem_post(&opened);
	return f->fails ? ERR_REFUSED : 0;
}

static int fake_state(void *self, int evse, ag_evse_state *out)
{
	struct fake *f = self;
	(void)evse;
	f->caller = pthread_self();
	out->closed = f->set_to > 0;
	f->polls++;
	return 0;
}

static const char *fake_fault(void *self)
{
	struct fake *f = self;
	return f->fails ? "the fake was told to fail" : "";
}

static const char *fake_bus(void *self)
{
	struct fake *f = self;
	return f->bus;
}

static const ag_plugin threaded = { sizeof(ag_plugin), AMPGATE_PLUGIN_ABI, AG_METER | AG_EVSE, AG_F_THREAD, "fake", "1", "", "{}", fake_create,
	                            fake_destroy, fake_poll, fake_set, fake_state, NULL, fake_fault, fake_bus, NULL, NULL, NULL, NULL, NULL };
static const ag_plugin on_loop = { sizeof(ag_plugin), AMPGATE_PLUGIN_ABI, AG_METER | AG_EVSE, 0, "fake", "1", "", "{}", fake_create,
	                           fake_destroy, fake_poll, fake_set, fake_state, NULL, fake_fault, NULL, NULL, NULL, NULL, NULL, NULL };

/* What one meter or EVSE said last. */
struct seen {
	int samples, faults;
	double amps;
	bool closed;
	char fault[128];
};

static void on_sample(void *arg, const ag_meter_sample *s, const char *fault)
{
	struct seen *seen = arg;
	assert_true(loop_is_mine());
	if (s) {
		seen->samples++;
		seen->amps = s->i_a[0];
		assert_true(s->mono_us > 0);
	} else {
		seen->faults++;
		snprintf(seen->fault, sizeof(seen->fault), "%s", fault);
	}
}

static void on_state(void *arg, const ag_evse_state *s, const char *fault)
{
	struct seen *seen = arg;
	assert_true(loop_is_mine());
	if (s) {
		seen->samples++;
		seen->closed = s->closed;
	} else {
		seen->faults++;
		snprintf(seen->fault, sizeof(seen->fault), "%s", fault);
	}
}

#define UNTIL(condition)                                                                                                                     \
	for (int64_t end = clock_mono_us() + 60 * US_PER_S; !(condition);) {                                                                 \
		if (clock_mono_us() > end)                                                                                                   \
			fail_msg("waited in vain for " #condition);                                                                          \
		loop_turn(US_PER_S);                                                                                                         \
	}

static int open_stage(void **state)
{
	struct host *h = NULL;
	n_fakes = n_alive = 0;
	sem_init(&gate, 0, 0);
	sem_init(&opened, 0, 0);
	assert_int_equal(loop_open(), 0);
	assert_int_equal(host_open(&h, NULL, NULL), 0);
	host_driver(h, "fake", &threaded);
	host_driver(h, "fake-loop", &on_loop);
	*state = h;
	return 0;
}

static int close_stage(void **state)
{
	struct host *h = *state;
	host_close(&h);
	assert_int_equal(n_alive, 0);
	for (int i = 0; i < n_fakes; i++)
		mem_free(fakes[i]);
	loop_close();
	return 0;
}

static int meter(struct host *h, const char *driver, const char *config, struct seen *seen)
{
	char err[128] = "";
	struct host_conf conf = { "m", driver, config, 10 * US_PER_MS };
	int rc = host_meter(h, &conf, on_sample, seen, err, sizeof(err));
	if (rc < 0)
		fail_msg("%s", err);
	return rc;
}

static int evse(struct host *h, const char *driver, const char *config, struct seen *seen)
{
	char err[128] = "";
	struct host_conf conf = { "e", driver, config, 10 * US_PER_MS };
	int rc = host_evse(h, &conf, on_state, seen, err, sizeof(err));
	if (rc < 0)
		fail_msg("%s", err);
	return rc;
}

static void test_samples_come_from_workers_and_from_the_loop(void **state)
{
	struct seen a = { 0 }, b = { 0 }, c = { 0 };
	meter(*state, "fake", "{\"bus\":\"x\",\"amps\":1}", &a);
	meter(*state, "fake", "{\"bus\":\"y\",\"amps\":2}", &b);
	meter(*state, "fake-loop", "{\"amps\":3}", &c);
	UNTIL(a.samples > 2 && b.samples > 2 && c.samples > 2);
	assert_true(a.amps == 1 && b.amps == 2 && c.amps == 3);
	assert_false(pthread_equal(fakes[0]->caller, pthread_self()));
	assert_false(pthread_equal(fakes[0]->caller, fakes[1]->caller));
	assert_true(pthread_equal(fakes[2]->caller, pthread_self()));
}

static void test_one_worker_serves_a_bus(void **state)
{
	struct seen a = { 0 }, b = { 0 }, c = { 0 };
	meter(*state, "fake", "{\"bus\":\"x\"}", &a);
	evse(*state, "fake", "{\"bus\":\"x\"}", &b);
	meter(*state, "fake", "{\"bus\":\"x\",\"fails\":true}", &c);
	UNTIL(a.samples > 2 && b.samples > 2 && c.faults > 2);
	assert_true(pthread_equal(fakes[0]->caller, fakes[1]->caller));
	assert_string_equal(c.fault, "the fake was told to fail");
	assert_int_equal(c.samples, 0);
}

static void test_a_dropped_meter_leaves_its_bus_to_the_others(void **state)
{
	struct seen a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };
	int first = meter(*state, "fake", "{\"bus\":\"x\"}", &a), alone = meter(*state, "fake", "{\"bus\":\"y\"}", &b);
	meter(*state, "fake", "{\"bus\":\"x\"}", &c);
	int on_the_loop = meter(*state, "fake-loop", "{}", &d);
	UNTIL(a.samples > 1 && b.samples > 1 && c.samples > 1 && d.samples > 1);
	host_drop(*state, first);
	host_drop(*state, alone);
	host_drop(*state, on_the_loop);
	host_drop(*state, first); /* once is enough */
	int heard = a.samples + b.samples + d.samples, from = c.samples;
	UNTIL(n_alive == 1);
	UNTIL(c.samples > from + 3);
	assert_int_equal(a.samples + b.samples + d.samples, heard);
	/* Its bus can be used again. */
	meter(*state, "fake", "{\"bus\":\"y\",\"amps\":4}", &b);
	UNTIL(b.amps == 4);
}

static void test_a_bus_that_hangs_holds_up_nobody_else(void **state)
{
	struct seen a = { 0 }, b = { 0 };
	meter(*state, "fake", "{\"bus\":\"slow\",\"amps\":7}", &a);
	meter(*state, "fake", "{\"bus\":\"y\"}", &b);
	UNTIL(b.samples > 5);
	assert_int_equal(a.samples, 0);
	UNTIL(a.faults > 0);
	assert_int_equal(strncmp(a.fault, "its driver has not answered for ", 32), 0);
	assert_int_equal(b.faults, 0);
	sem_post(&gate);
	UNTIL(a.samples == 1);
	assert_true(a.amps == 7);
	sem_post(&gate); /* the end must not wait for ever */
}

static void test_an_order_is_carried_out_and_kept_alive(void **state)
{
	static const double on[3] = { 16, 0, 0 }, off[3] = { 0, 0, 0 };
	struct seen a = { 0 }, b = { 0 };
	int e = evse(*state, "fake", "{\"bus\":\"x\"}", &a), l = evse(*state, "fake-loop", "{}", &b);
	UNTIL(a.samples > 0 && b.samples > 0);
	assert_true(fakes[0]->sets >= 1 && fakes[0]->set_to == 0); /* the first order is the host's own: open */
	assert_true(fakes[1]->sets >= 1 && fakes[1]->set_to == 0);
	host_evse_set(*state, e, on);
	host_evse_set(*state, l, on);
	UNTIL(a.closed && b.closed);
	UNTIL(fakes[0]->sets >= 2 && fakes[1]->sets >= 2);
	assert_true(fakes[0]->set_to == 16 && fakes[1]->set_to == 16);
	host_evse_set(*state, e, off);
	UNTIL(!a.closed);
}

static void test_an_order_that_fails_is_reported(void **state)
{
	static const double on[3] = { 16, 0, 0 };
	struct seen a = { 0 };
	int e = evse(*state, "fake", "{\"bus\":\"x\",\"fails\":true}", &a);
	host_evse_set(*state, e, on);
	UNTIL(a.faults > 0);
	assert_string_equal(a.fault, "the fake was told to fail");
}

static void test_the_end_opens_every_contactor(void **state)
{
	static const double on[3] = { 16, 16, 16 };
	struct host *h = *state;
	struct seen a = { 0 }, b = { 0 };
	int e = evse(h, "fake", "{\"bus\":\"x\"}", &a), l = evse(h, "fake-loop", "{}", &b);
	host_evse_set(h, e, on);
	host_evse_set(h, l, on);
	UNTIL(a.closed && b.closed);
	host_close(&h);
	*state = NULL;
	assert_null(h);
	assert_true(fakes[0]->set_to == 0 && fakes[1]->set_to == 0);
}

/* The loop does not turn here: its beat stops, and the worker acts alone. */
static void test_a_loop_that_hangs_loses_its_contactors(void **state)
{
	static const double on[3] = { 16, 16, 16 };
	struct seen a = { 0 };
	int e = evse(*state, "fake", "{\"bus\":\"x\"}", &a);
	host_evse_set(*state, e, on);
	UNTIL(a.closed);
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 30;
	assert_int_equal(sem_timedwait(&opened, &end), 0);
}

static void test_what_cannot_be_opened_says_why(void **state)
{
	static const struct {
		const char *driver, *config, *message;
	} cases[] = {
		{ "toaster", "{}", "no driver 'toaster' for this" },
		{ "mqtt", "{}", "no driver 'mqtt' for this" }, /* a sink is no meter */
		{ "fake", "x", "no JSON" },
		{ "fake", "{\"refuses\":-1}", "driver 'fake' refuses it and does not say why" },
		{ "fake", "{\"refuses\":5}", "driver 'fake' refuses it and does not say why" },
		{ "modbus-tcp", "{\"host\":\"localhost\",\"model\":\"none\"}", "no model 'none'" },
		{ "modbus-tcp", "{\"model\":\"sunspec\"}", "either 'host' or 'device' says where the unit is" },
		{ "modbus-tcp", "{\"model\":\"sunspec\",\"host\":\"a\",\"ct_ratio\":0}", "ct_ratio is more than 0 and at most 100000" },
		{ "modbus-rtu", "{\"model\":\"sunspec\",\"device\":\"/dev/ttyUSB9\",\"unit\":0}", "unit is 1 to 247 on a serial line, 0 to 255 over TCP" },
		{ "sim", "[]", "the configuration is not a JSON object" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char err[256] = "";
		struct host_conf conf = { "m", cases[i].driver, cases[i].config, 0 };
		int rc = host_meter(*state, &conf, on_sample, NULL, err, sizeof(err));
		if (rc >= 0 || strcmp(err, cases[i].message) != 0)
			fail_msg("case %zu: %d \"%s\"", i, rc, err);
	}
}

static void on_full_sample(void *arg, const ag_meter_sample *s, const char *fault)
{
	ag_meter_sample *last = arg;
	assert_null(fault);
	*last = *s;
}

static void test_the_simulated_meter(void **state)
{
	ag_meter_sample s = { .valid = 0 };
	char err[128];
	struct host_conf conf = { "m", "sim", "{\"i_a\":[10,0,-4],\"u_v\":[230,231,229],\"import_wh\":1000}", 10 * US_PER_MS };
	assert_true(host_meter(*state, &conf, on_full_sample, &s, err, sizeof(err)) >= 0);
	UNTIL(s.valid && s.import_wh > 1000);
	assert_true(s.i_a[2] == -4 && s.p_w[0] == 2300 && s.p_w[2] == -916 && s.power_w == 1384);
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, open_stage, close_stage)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGED(test_samples_come_from_workers_and_from_the_loop),
		STAGED(test_one_worker_serves_a_bus),
		STAGED(test_a_dropped_meter_leaves_its_bus_to_the_others),
		STAGED(test_a_bus_that_hangs_holds_up_nobody_else),
		STAGED(test_an_order_is_carried_out_and_kept_alive),
		STAGED(test_an_order_that_fails_is_reported),
		STAGED(test_the_end_opens_every_contactor),
		STAGED(test_a_loop_that_hangs_loses_its_contactors),
		STAGED(test_what_cannot_be_opened_says_why),
		STAGED(test_the_simulated_meter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
