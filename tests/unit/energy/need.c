/* Urgency, margin, and what a car takes of an offer. */
#include <math.h>

#include "base/clock.h"
#include "energy/car.h"
#include "energy/margin.h"
#include "energy/need.h"
#include "tests/unit/unit.h"

#define A(amps) ((amps) * 1000)
#define S US_PER_S
#define HOUR 3600.0
#define ORDINARY_W 22080.0

static struct need_usual usual;

static int32_t rate(double wh, double got_wh, double left_s, double age_s)
{
	struct need n = { .wh = wh, .got_wh = got_wh, .left_s = left_s, .age_s = age_s, .watt_per_ma = 0.23, .top_ma = A(32) };
	need_init(&usual);
	return need_rate_ma(&usual, &n);
}

static void test_a_need_and_a_departure_make_a_current(void **state)
{
	(void)state;
	assert_in_range(rate(9200, 0, 4 * HOUR, 0), A(10) - 5, A(10) + 5); /* 9.2 kWh in 4 h at 230 V on one phase */
	assert_in_range(rate(9200, 4600, 2 * HOUR, 2 * HOUR), A(10) - 5, A(10) + 5);
	assert_int_equal(rate(1e6, 0, HOUR, 0), A(64)); /* more than it can take does not count for more than twice that */
}

static void test_who_stays_unknown_is_served_first_for_a_while(void **state)
{
	(void)state;
	int32_t fresh = rate(NAN, 0, NAN, 0), later = rate(NAN, 5000, NAN, 4 * HOUR);
	assert_true(fresh > 3 * later);
	assert_true(later > 0);
}

static void test_words_are_not_trusted_beyond_reason(void **state)
{
	(void)state;
	assert_true(rate(5000, 9000, 4 * HOUR, 0) > 0);           /* goes on drawing after its need */
	assert_true(rate(20000, 20001, 4 * HOUR, 0) > 2 * rate(20000, 19000, 4 * HOUR, 0)); /* then more was needed than was said, not a little more */
	assert_true(rate(9000, 0, -2 * HOUR, 6 * HOUR) < rate(9000, 0, 60, 4 * HOUR)); /* long overdue: no longer the most urgent */
}

static void test_what_is_usual_is_learnt(void **state)
{
	(void)state;
	need_init(&usual);
	for (int i = 0; i < 200; i++)
		need_left(&usual, ORDINARY_W, 30000, 8 * HOUR);
	assert_true(fabs(usual.wh - 30000) < 100 && fabs(usual.stay_s - 8 * HOUR) < 100);
	need_left(&usual, ORDINARY_W, 0, 8 * HOUR); /* a car that took nothing says nothing */
	assert_true(usual.wh > 29000);
}

static void test_what_others_say_is_usual_too(void **state)
{
	struct need silent = { .wh = NAN, .got_wh = 0, .left_s = HOUR, .watt_per_ma = 0.69, .top_ma = A(100) };
	struct need doubted = { .wh = 10000, .got_wh = 0, .left_s = HOUR, .watt_per_ma = 0.69, .top_ma = A(100) };
	(void)state;
	need_init(&usual);
	for (int i = 0; i < 50; i++)
		need_told(&usual, ORDINARY_W, 150000);
	need_told(&usual, ORDINARY_W, NAN);
	assert_true(need_wh_left(&usual, &silent) > 130000);
	assert_true(need_wh_left(&usual, &doubted) == 10000);
	doubted.doubt = 0.3;
	assert_true(need_wh_left(&usual, &doubted) > 40000); /* among those who need fifteen times as much it may well need more than it says */
}

/* A point of 77 A beside a socket of 32 A, and one of 230 A. */
static void test_who_says_nothing_at_a_strong_point_is_in_a_hurry(void **state)
{
	struct need socket = { .wh = NAN, .left_s = NAN, .watt_per_ma = 0.69, .top_ma = A(32), .most_w = ORDINARY_W };
	struct need point = { .wh = NAN, .left_s = NAN, .watt_per_ma = 0.69, .top_ma = A(77), .most_w = 53000 };
	struct need strong = { .wh = NAN, .left_s = NAN, .watt_per_ma = 0.69, .top_ma = A(230), .most_w = 159000 };
	(void)state;
	need_init(&usual);
	int32_t there = need_weight(need_rate_ma(&usual, &socket), A(32)), here = need_weight(need_rate_ma(&usual, &point), A(77));
	assert_true(here > 2 * there);
	assert_true(need_weight(need_rate_ma(&usual, &strong), A(230)) > here);
	point.age_s = socket.age_s = 6 * HOUR; /* a bus for the night after all */
	assert_true(need_rate_ma(&usual, &point) < 2 * need_rate_ma(&usual, &socket));
	point.wh = 20000;
	point.left_s = 6 * HOUR; /* a word counts as it does anywhere */
	assert_true(need_rate_ma(&usual, &point) == (int32_t)(20000 / 0.69 / 6));
}

/* What is learnt at strong points is not taken for what ordinary sockets see, nor the other way round. */
static void test_what_is_usual_is_counted_in_ordinary_sockets(void **state)
{
	struct need_usual u;
	(void)state;
	need_init(&u);
	for (int i = 0; i < 200; i++)
		need_left(&u, 4 * ORDINARY_W, 30000, HOUR / 2);
	assert_true(fabs(u.wh - 15000) < 100 && fabs(u.stay_s - 2 * HOUR) < 100);
	for (int i = 0; i < 200; i++)
		need_told(&u, 4 * ORDINARY_W, 40000);
	assert_true(fabs(u.wh - 20000) < 100);
}

static void test_the_margin_widens_by_overload_and_is_earned_back(void **state)
{
	struct margin m;
	const int32_t limit[3] = { A(250), A(250), A(250) }, over[3] = { A(20), 0, -A(5) };
	(void)state;
	margin_init(&m);
	int32_t start = margin_ma(&m, 0, A(250));
	margin_feed(&m, over, limit, 100 * S);
	for (int i = 1; i <= 6; i++)
		margin_feed(&m, over, limit, (100 + 5 * i) * S);
	assert_in_range(margin_ma(&m, 0, A(250)), start + A(5), A(15)); /* 600 A s would be ten per cent, but six is the most */
	assert_true(margin_ma(&m, 1, A(250)) <= start);
	const int32_t calm[3] = { 0, 0, 0 };
	for (int i = 0; i < 3 * 8640; i++)
		margin_feed(&m, calm, limit, (200 + 10 * i) * S);
	assert_in_range(margin_ma(&m, 0, A(250)), 600, 650); /* a quarter of a per cent stays */
}

/* A register that was set back, a clock that was. */
static void test_no_rate_is_less_than_nothing(void **state)
{
	struct need_usual u;
	const struct need backwards = { .wh = NAN, .got_wh = -1e9, .left_s = NAN, .age_s = 60, .watt_per_ma = 0.69, .top_ma = A(16) },
			  early = { .wh = NAN, .got_wh = 0, .left_s = NAN, .age_s = -1e6, .watt_per_ma = 0.69, .top_ma = A(16) };
	(void)state;
	need_init(&u);
	assert_int_equal(need_rate_ma(&u, &backwards), 0);
	assert_int_equal(need_rate_ma(&u, &early), 0);
}

/* Of which limit, and how many ampere seconds above it widen the margin by a per cent. */
static void test_what_a_per_cent_of_margin_costs_depends_on_the_limit(void **state)
{
	static const struct {
		int32_t limit, ampere_seconds;
	} rows[] = { { A(250), 50 }, { A(1000), 200 }, { 62500, 25 }, { 15625, 13 } };
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct margin m;
		int32_t limit[3] = { rows[i].limit, rows[i].limit, rows[i].limit }, over[3] = { A(rows[i].ampere_seconds), 0, 0 };
		margin_init(&m);
		int32_t start = margin_ma(&m, 0, rows[i].limit);
		margin_feed(&m, over, limit, 100 * S);
		margin_feed(&m, over, limit, 101 * S);
		assert_in_range(margin_ma(&m, 0, rows[i].limit) - start, rows[i].limit / 106, rows[i].limit / 94);
	}
}

static void test_a_car_is_budgeted_with_what_it_takes(void **state)
{
	static const struct evse_conf socket = { .id = "a", .station = "a", .evse = 1, .lines = { 0, 1, 2 }, .n_lines = 3, .min_ma = A(6), .max_ma = A(32),
						 .fallback_ma = A(6), .fallback_after_us = 60 * S };
	struct car car;
	(void)state;
	car_init(&car, &socket);
	assert_int_equal(car_takes(&car, A(20)), A(20)); /* nothing known */
	car_told(&car, A(20), 100 * S);
	car_answered(&car, A(20), true, 100 * S);
	for (int t = 110; t < 150; t += 10) {
		car_draws(&car, (int32_t[3]){ A(19), A(19), A(19) }, t * S);
		car_step(&car, t * S);
	}
	assert_in_range(car_takes(&car, A(20)), A(19), A(19) + 100); /* its gain is 0.95 */
	assert_in_range(car_offer(&car, A(19)), A(20) - 100, A(20));
	for (int t = 150; t < 200; t += 10) {
		car_draws(&car, (int32_t[3]){ A(11), A(11), A(11) }, t * S);
		car_step(&car, t * S);
	}
	assert_in_range(car_takes(&car, A(32)), A(11), A(11) + 100); /* it cannot take more */
	car_draws(&car, (int32_t[3]){ A(15), A(15), A(15) }, 210 * S);
	assert_true(car_takes(&car, A(32)) > A(28)); /* and now it can */
}

static void test_a_car_that_overdraws_is_budgeted_with_that(void **state)
{
	static const struct evse_conf socket = { .id = "a", .station = "a", .evse = 1, .lines = { 0, 1, 2 }, .n_lines = 3, .min_ma = A(6), .max_ma = A(32),
						 .fallback_ma = A(6), .fallback_after_us = 60 * S };
	struct car car;
	(void)state;
	car_init(&car, &socket);
	car_told(&car, A(20), 100 * S);
	car_answered(&car, A(20), true, 100 * S);
	for (int t = 110; t < 150; t += 10)
		car_draws(&car, (int32_t[3]){ 21600, 21600, 21600 }, t * S);
	assert_in_range(car_takes(&car, A(20)), 21600, 21700);
	assert_in_range(car_offer(&car, 21600), A(20) - 100, A(20));
	car_told(&car, A(32), 150 * S);
	car_answered(&car, A(32), true, 150 * S);
	for (int t = 160; t < 200; t += 10)
		car_draws(&car, (int32_t[3]){ 34500, 34500, 34500 }, t * S);
	assert_in_range(car_takes(&car, A(32)), 34500, 34600);
	car_told(&car, A(10), 200 * S);
	car_answered(&car, A(10), true, 200 * S);
	for (int t = 210; t < 500; t += 10)
		car_draws(&car, (int32_t[3]){ 10100, 10100, 10100 }, t * S); /* reports are rounded */
	assert_in_range(car_takes(&car, A(10)), A(10), A(10) + 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_need_and_a_departure_make_a_current),
		cmocka_unit_test(test_who_stays_unknown_is_served_first_for_a_while),
		cmocka_unit_test(test_words_are_not_trusted_beyond_reason),
		cmocka_unit_test(test_what_is_usual_is_learnt),
		cmocka_unit_test(test_what_others_say_is_usual_too),
		cmocka_unit_test(test_who_says_nothing_at_a_strong_point_is_in_a_hurry),
		cmocka_unit_test(test_what_is_usual_is_counted_in_ordinary_sockets),
		cmocka_unit_test(test_the_margin_widens_by_overload_and_is_earned_back),
		cmocka_unit_test(test_no_rate_is_less_than_nothing),
		cmocka_unit_test(test_what_a_per_cent_of_margin_costs_depends_on_the_limit),
		cmocka_unit_test(test_a_car_is_budgeted_with_what_it_takes),
		cmocka_unit_test(test_a_car_that_overdraws_is_budgeted_with_that),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
