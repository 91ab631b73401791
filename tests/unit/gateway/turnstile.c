/* Turns by source: a burst at once, then a steady rate; a flood keeps neither others out nor its own address for long. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "gateway/net/turnstile.h"
#include "tests/unit/unit.h"

#define EVERY 20000
#define BURST 10
#define MOST 5000000

static struct turnstile t;

static int setup(void **state)
{
	(void)state;
	turnstile_init(&t, EVERY, BURST, MOST);
	return 0;
}

static void a_burst_is_let_through_and_the_rest_waits_its_turn(void **state)
{
	(void)state;
	for (int i = 0; i < BURST; i++)
		assert_int_equal(turnstile_wait(&t, 7, 1000000), 0);
	for (int i = 1; i <= 5; i++)
		assert_int_equal(turnstile_wait(&t, 7, 1000000), i * EVERY);
}

static void who_is_turned_away_does_not_lengthen_the_queue(void **state)
{
	(void)state;
	int64_t now = 1000000, wait, taken = 0;
	while ((wait = turnstile_wait(&t, 7, now)) >= 0)
		taken++;
	assert_int_equal(taken, BURST + MOST / EVERY);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(turnstile_wait(&t, 7, now), -1);
	assert_int_equal(turnstile_wait(&t, 7, now + EVERY), MOST);
	assert_int_equal(turnstile_wait(&t, 7, now + MOST + (BURST + 1) * EVERY), 0);
}

static void another_source_has_turns_of_its_own(void **state)
{
	int others = 0;
	(void)state;
	while (turnstile_wait(&t, 7, 1000000) >= 0)
		;
	for (uint64_t source = 100; source < 140; source++)
		others += turnstile_wait(&t, source, 1000000) == 0;
	assert_true(others >= 30); /* some share its slot, by chance */
}

static uint64_t source_of(int family, const char *text)
{
	struct sockaddr_storage at = { .ss_family = (sa_family_t)family };
	void *to = family == AF_INET ? (void *)&((struct sockaddr_in *)&at)->sin_addr : (void *)&((struct sockaddr_in6 *)&at)->sin6_addr;
	assert_int_equal(inet_pton(family, text, to), 1);
	return turnstile_source(&at);
}

static void a_source_is_a_host_or_what_one_subscriber_has(void **state)
{
	(void)state;
	assert_int_equal(source_of(AF_INET, "192.0.2.7"), source_of(AF_INET6, "::ffff:192.0.2.7"));
	assert_int_not_equal(source_of(AF_INET, "192.0.2.7"), source_of(AF_INET, "192.0.2.8"));
	assert_int_equal(source_of(AF_INET6, "2001:db8::1"), source_of(AF_INET6, "2001:db8::ffff:1"));
	assert_int_not_equal(source_of(AF_INET6, "2001:db8::1"), source_of(AF_INET6, "2001:db8:0:1::1"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_burst_is_let_through_and_the_rest_waits_its_turn, setup),
		cmocka_unit_test_setup(who_is_turned_away_does_not_lengthen_the_queue, setup),
		cmocka_unit_test_setup(another_source_has_turns_of_its_own, setup),
		cmocka_unit_test(a_source_is_a_host_or_what_one_subscriber_has),
	};
	return cmocka_run_group_tests_name("gateway/turnstile", tests, NULL, NULL);
}
