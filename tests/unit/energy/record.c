/* A recorded day is decided again, to the last milliampere: from its beginning, from the middle, over a change of the configuration. What
 * happens is random, with a printed seed; AMPGATE_SEED runs one again. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "energy/control-local.h"
#include "energy/plan.h"
#include "energy/record-local.h"
#include "tests/unit/unit.h"

#define A(amps) ((amps) * 1000)
#define S US_PER_S
#define CARS 12

static struct node_conf nodes[3];
static struct meter_conf meters[2];
static struct evse_conf evses[CARS];
static struct fixture_conf fixtures[1];
static struct control_conf conf;
static char ids[CARS][24];
static struct control *c;
static int64_t now;
static int32_t offer[CARS];
static bool on[CARS];
static int orders, cap_id;
static uint64_t seed;

static uint32_t below(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

static void on_send(void *arg, int evse, const struct grant *g)
{
	int32_t *to = arg;
	orders++;
	if (to)
		to[evse] = g->ma;
}

static void stage(void)
{
	memset(nodes, 0, sizeof(nodes));
	nodes[0] = (struct node_conf){ .id = "grid", .parent = -1, .limit = { { A(90), A(90), A(90) } }, .meter = 0, .power_w = 45000, .window_us = 900 * S,
		.imbalance_ma = A(20) };
	nodes[1] = (struct node_conf){ .id = "row-a", .parent = 0, .limit = { { A(63), A(63), A(63) } }, .meter = -1 };
	nodes[2] = (struct node_conf){ .id = "row-b", .parent = 0, .limit = { { A(63), A(63), A(63) } }, .meter = -1 };
	meters[0] = (struct meter_conf){ "main", 3 * S };
	meters[1] = (struct meter_conf){ "roof", 3 * S };
	fixtures[0] = (struct fixture_conf){ .id = "sun", .node = 0, .kind = FIXTURE_PV, .meter = 1 };
	for (int i = 0; i < CARS; i++) {
		snprintf(ids[i], sizeof(ids[i]), "G-%02d", i + 1);
		evses[i] = (struct evse_conf){ .id = ids[i], .station = ids[i], .evse = 1, .node = 1 + i % 2, .lines = { 0, 1, 2 }, .n_lines = i % 4 ? 3 : 1,
					       .min_ma = A(6), .max_ma = A(32), .fallback_ma = A(6), .fallback_after_us = 60 * S, .priority = i % 3,
					       .switch_after_us = i % 4 == 2 ? 60 * S : 0 };
	}
	conf = (struct control_conf){ .strategy = STRATEGY_DEADLINE, .interval_us = S, .increase_after_us = 15 * S, .increase_step_ma = A(4),
				      .rotate_every_us = 900 * S, .rebalance_us = 300 * S, .margin = true, .resend_us = 300 * S,
				      .meter_lost_after_us = 3 * S, .nodes = nodes, .n_nodes = 3, .meters = meters, .n_meters = 2, .evses = evses,
				      .n_evses = CARS, .fixtures = fixtures, .n_fixtures = 1 };
	now = 1000 * S;
	memset(on, 0, sizeof(on));
	memset(offer, 0, sizeof(offer));
	cap_id = orders = 0;
}

static void something_happens(void)
{
	int i = (int)below(CARS);
	struct cap_conf cap = { .node = (int)below(3), .evse = -1, .line = { { MA_NONE, MA_NONE, MA_NONE } }, .power_w = 8000 + below(30000),
				.devices = below(2), .reason = "grid_operator", .owner = "box", .until_us = below(2) ? INT64_MAX : now + 60 * S };
	switch (below(10)) {
	case 0:
	case 1:
		on[i] = !on[i];
		control_evse_tx(c, i, on[i], now);
		control_evse_state(c, i, on[i] ? EVSE_CHARGING : EVSE_FINISHING, now);
		break;
	case 2:
		control_evse_link(c, i, below(4), now);
		break;
	case 3:
		cap_id = control_cap_put(c, 0, &cap);
		break;
	case 4:
		control_cap_clear(c, cap_id);
		break;
	case 5:
		control_evse_least(c, i, below(2) ? 0 : A(9));
		control_evse_profile(c, i, below(2) ? MA_NONE : A(10), "TxProfile/0/7", below(2) ? 0 : now + 30 * S);
		break;
	case 6:
		control_evse_need(c, i, below(2) ? NAN : 20000.5, now + 3600 * S);
		control_evse_favour(c, i, (int32_t)below(3) * 10);
		break;
	case 7:
		control_evse_conduct(c, i, below(2) ? "stubborn" : NULL);
		break;
	case 9:
		control_evse_before(c, i, A(below(32)));
		control_evse_alone(c, i, below(2) ? A(6) : 0);
		control_evse_proved(c, i, below(2));
		control_evse_single(c, i, (enum single)below(3));
		break;
	case 8:
		control_evse_answered(c, i, offer[i], below(8), now);
		break;
	}
}

static int32_t draw_of(int i)
{
	return on[i] && offer[i] >= A(6) ? (offer[i] < A(16) ? offer[i] : A(16)) : 0;
}

static void second(void)
{
	struct meter_sample s = { .at_us = now, .power_w = NAN, .voltage_v = { 229.7, 230.1 + below(10) / 7.0, NAN }, .import_wh = 12.1 * below(99), .export_wh = NAN };
	struct meter_sample sun = { .at_us = now, .power_w = NAN, .voltage_v = { NAN, NAN, NAN }, .import_wh = NAN, .export_wh = NAN };
	now += S + below(3000);
	s.at_us = sun.at_us = now;
	for (int i = 0; i < CARS; i++) {
		for (int p = 0; p < evses[i].n_lines; p++)
			s.ma.l[evses[i].lines[p]] += draw_of(i);
		int32_t own[3] = { draw_of(i), draw_of(i), draw_of(i) };
		if (!below(5))
			control_evse_draw(c, i, own, below(2) ? NAN : 1000.25 * below(50), now);
	}
	for (int l = 0; l < 3; l++) {
		sun.ma.l[l] = -(int32_t)below(9000);
		s.ma.l[l] += 10000 + (int32_t)below(8000) + sun.ma.l[l];
	}
	if (below(30))
		control_meter(c, 0, &s);
	else
		control_meter_failed(c, 0, "no answer");
	control_meter(c, 1, &sun);
	control_wall(c, 1770000000 * S + below(3), true);
	if (!below(4))
		something_happens();
	control_tick(c, now);
}

static void begin(void)
{
	static const struct control_events events = { on_send };
	c = control_open(&conf, &events, offer);
}

static void on_line(void *arg, const char *line, size_t n)
{
	buf_add(arg, line, n);
}

static int drop(void **state)
{
	(void)state;
	control_close(c);
	c = NULL;
	return 0;
}

static int replay(const struct buf *log, struct replay_sum *sum)
{
	struct replay *r = replay_open();
	int rc = 0;
	for (const char *at = log->p, *end; !rc && (end = memchr(at, '\n', (size_t)(log->p + log->n - at))); at = end + 1)
		rc = replay_line(r, at, (size_t)(end - at));
	replay_end(r, sum);
	replay_close(r);
	return rc;
}

static void test_a_recording_is_decided_again(void **state)
{
	struct buf whole = { 0 }, rest = { 0 };
	struct replay_sum sum;
	(void)state;
	stage();
	begin();
	control_record(c, on_line, &whole);
	for (int i = 0; i < CARS; i++)
		control_evse_link(c, i, true, now);
	for (int i = 0; i < 1500; i++)
		second();
	assert_int_equal(replay(&whole, &sum), 0);
	if (sum.different)
		fail_msg("%lld of %lld differ, first %s", sum.different, sum.orders, sum.first);
	assert_int_equal(sum.ticks, 1500);
	assert_int_equal(sum.orders, orders);
	assert_true(orders > 100);
	/* Another file begins in the middle, and the configuration changes. */
	orders = 0;
	control_record(c, on_line, &rest);
	for (int i = 0; i < 700; i++)
		second();
	nodes[1].limit = (struct milliamps){ { A(32), A(40), A(50) } };
	control_change(c, &conf);
	for (int i = 0; i < 700; i++)
		second();
	assert_int_equal(replay(&rest, &sum), 0);
	if (sum.different)
		fail_msg("%lld of %lld differ, first %s", sum.different, sum.orders, sum.first);
	assert_int_equal(sum.orders, orders);
	buf_free(&whole);
	buf_free(&rest);
}

/* Who is away may still go by what it was told before the program started anew. */
static void test_what_an_earlier_process_told_is_in_the_recording(void **state)
{
	struct buf log = { 0 };
	struct replay_sum sum;
	(void)state;
	stage();
	begin();
	control_record(c, on_line, &log);
	for (int i = 1; i < CARS; i += 2) {
		control_evse_link(c, i, i == 1, now);
		control_evse_tx(c, i, true, now);
		control_evse_before(c, i, A(31));
	}
	offer[1] = A(99);
	control_tick(c, now);
	assert_int_equal(offer[1], 0); /* row-b has nothing left beside those who are away */
	assert_int_equal(replay(&log, &sum), 0);
	if (sum.different)
		fail_msg("%lld of %lld differ, first %s", sum.different, sum.orders, sum.first);
	buf_free(&log);
}

static void test_another_decision_is_noticed(void **state)
{
	struct buf log = { 0 };
	struct replay_sum sum;
	(void)state;
	stage();
	begin();
	control_record(c, on_line, &log);
	for (int i = 0; i < CARS; i++)
		control_evse_link(c, i, true, now);
	for (int i = 0; i < 200; i++)
		second();
	char *last = NULL;
	for (char *at = log.p; (at = strstr(at, "{\"out\":\"limit\"")); at++)
		last = at;
	assert_non_null(last);
	last = strstr(last, "\"ma\":") + 5;
	*last = *last == '9' ? '8' : '9';
	assert_int_equal(replay(&log, &sum), 0);
	assert_int_equal(sum.different, 1);
	assert_non_null(strstr(sum.first, "recorded "));
	log.n /= 2; /* half a file is no difference, as long as its lines are whole */
	while (log.n && log.p[log.n - 1] != '\n')
		log.n--;
	assert_int_equal(replay(&log, &sum), 0);
	assert_int_equal(sum.different, 0);
	buf_free(&log);
}

static void test_a_copy_decides_the_same(void **state)
{
	static const struct control_events events = { on_send };
	int32_t other[CARS] = { 0 };
	(void)state;
	stage();
	begin();
	for (int i = 0; i < CARS; i++)
		control_evse_link(c, i, true, now);
	for (int i = 0; i < 600; i++)
		second();
	memcpy(other, offer, sizeof(other));
	struct control *copy = control_copy(c, &events, other);
	for (int i = 0; i < 40; i++) {
		now += S;
		control_tick(c, now);
		control_tick(copy, now);
		assert_memory_equal(other, offer, sizeof(offer));
	}
	control_close(copy);
}

static int32_t then_sum, then_first;

static void on_look(void *arg, const struct control *then)
{
	struct evse_view v;
	(void)arg;
	then_sum = 0;
	for (int i = 0; i < CARS; i++) {
		control_evse_view(then, i, &v);
		then_sum += v.running && v.node == 1 ? v.grant.ma : 0;
		if (i == 0)
			then_first = v.running ? v.grant.ma : -1;
	}
}

static void test_a_plan_tells_and_touches_nothing(void **state)
{
	struct buf before = { 0 }, after = { 0 };
	(void)state;
	stage();
	nodes[0].power_w = 0;
	nodes[0].imbalance_ma = 0;
	begin();
	/* Three-phase cars on row-a (every other one); all take what they are given, up to 16 A. */
	for (int i = 0; i < CARS; i++) {
		control_evse_link(c, i, true, now);
		control_evse_proved(c, i, true);
		on[i] = i % 2 == 0;
		if (!on[i])
			continue;
		control_evse_tx(c, i, true, now);
		control_evse_state(c, i, EVSE_CHARGING, now);
	}
	for (int t = 0; t < 400; t++) {
		struct meter_sample s = { .at_us = now += S, .power_w = NAN, .voltage_v = { NAN, NAN, NAN }, .import_wh = NAN, .export_wh = NAN };
		for (int i = 0; i < CARS; i++) {
			int32_t own[3] = { draw_of(i), draw_of(i), draw_of(i) };
			for (int p = 0; p < evses[i].n_lines; p++)
				s.ma.l[evses[i].lines[p]] += draw_of(i);
			control_evse_draw(c, i, own, NAN, now);
			control_evse_answered(c, i, offer[i], true, now);
		}
		s.ma.l[2] += t & 1;
		control_meter(c, 0, &s);
		control_tick(c, now);
	}
	control_known(c, &before);
	struct plan_change changes[2] = { { .kind = PLAN_LIMIT, .node = 1, .evse = -1, .ma = A(40) }, { .kind = PLAN_LEAVE, .node = -1, .evse = 0 } };
	plan_run(c, NULL, 0, 120, on_look, NULL);
	int32_t same = then_sum;
	assert_true(same > A(48) && same <= A(66));
	plan_run(c, changes, 1, 120, on_look, NULL);
	assert_true(then_sum > A(24) && then_sum <= A(42)); /* offers, which cars use nearly all of */
	assert_true(then_first >= 0);
	plan_run(c, changes, 2, 120, on_look, NULL);
	assert_int_equal(then_first, -1);
	changes[0].ma = A(85);
	plan_run(c, changes, 1, 300, on_look, NULL);
	assert_true(then_sum > same);
	control_known(c, &after);
	assert_int_equal(before.n, after.n);
	assert_memory_equal(before.p, after.p, before.n);
	buf_free(&before);
	buf_free(&after);
}

static void test_nonsense_is_refused(void **state)
{
	struct replay_sum sum;
	static const char *const lines[] = { "no json\n", "{\"in\":\"tick\",\"t\":1}\n", "{\"in\":\"open\",\"nodes\":[{\"id\":\"a\",\"parent\":3}]}\n",
		"{\"in\":\"what\"}\n", "[]\n" };
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct buf log = { 0 };
		buf_puts(&log, lines[i]);
		assert_int_equal(replay(&log, &sum), ERR_SYNTAX);
		buf_free(&log);
	}
	stage();
	begin();
	struct buf bytes = { 0 };
	control_known(c, &bytes);
	assert_int_equal(control_knows(c, bytes.p, bytes.n), 0);
	assert_int_equal(control_knows(c, bytes.p, bytes.n - 1), ERR_UNSUPPORTED);
	bytes.p[0]++;
	assert_int_equal(control_knows(c, bytes.p, bytes.n), ERR_UNSUPPORTED);
	buf_free(&bytes);
}

int main(void)
{
	const char *given = getenv("AMPGATE_SEED");
	seed = given ? strtoull(given, NULL, 10) : 20261130;
	printf("# seed %llu\n", (unsigned long long)seed);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_a_recording_is_decided_again, drop),
		cmocka_unit_test_teardown(test_what_an_earlier_process_told_is_in_the_recording, drop),
		cmocka_unit_test_teardown(test_another_decision_is_noticed, drop),
		cmocka_unit_test_teardown(test_a_copy_decides_the_same, drop),
		cmocka_unit_test_teardown(test_a_plan_tells_and_touches_nothing, drop),
		cmocka_unit_test_teardown(test_nonsense_is_refused, drop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
