/* Tokens: the list beats the cache, case does not matter, time does. */
#include "storage/tokens.h"
#include "tests/unit/storage/lab.h"

static void put(struct lab *lab, enum token_source source, const char *token, const char *status, int64_t expiry_us)
{
	struct token_rec t = { .source = source, .token = slice_of(token), .status = status, .expiry_us = expiry_us, .group = SLICE("fleet"),
			       .updated_us = 7 };
	VALUE_OF(token_put(lab->s, &t, on_answer, &last));
}

static void assert_status(struct lab *lab, const char *token, const char *status)
{
	struct arena mem = { 0 };
	struct token_rec t = { 0 };
	int err = token_find(lab->s, "A", slice_of(token), 1000, 0, &mem, &t);
	assert_string_equal(err == ERR_NOT_FOUND ? "unknown" : t.status, status);
	arena_free(&mem);
}

LAB_TEST(test_the_list_beats_the_cache)
{
	lab_open(lab, NULL);
	put(lab, TOKEN_CACHE, "AB12", "Accepted", 0);
	assert_status(lab, "AB12", "Accepted");
	put(lab, TOKEN_LIST, "AB12", "Blocked", 0); /* OCPP 1.6 3.5 */
	assert_status(lab, "AB12", "Blocked");
	VALUE_OF(token_remove(lab->s, TOKEN_LIST, SLICE("ab12"), on_answer, &last));
	assert_status(lab, "AB12", "Accepted");
	VALUE_OF(token_clear(lab->s, TOKEN_CACHE, on_answer, &last));
	assert_status(lab, "AB12", "unknown");
}

LAB_TEST(test_case_does_not_matter_and_a_new_word_replaces_the_old)
{
	lab_open(lab, NULL);
	put(lab, TOKEN_LIST, "Ab12", "Accepted", 0);
	put(lab, TOKEN_LIST, "aB12", "Invalid", 0);
	assert_status(lab, "AB12", "Invalid");
	lab_reopen(lab);
	assert_status(lab, "ab12", "Invalid");
	assert_status(lab, "ab1", "unknown");
}

LAB_TEST(test_an_expired_entry_says_so)
{
	lab_open(lab, NULL);
	put(lab, TOKEN_LIST, "old", "Accepted", 1000);
	put(lab, TOKEN_LIST, "new", "Accepted", 1001);
	assert_status(lab, "old", "Expired");
	assert_status(lab, "new", "Accepted");
}

LAB_TEST(test_an_entry_comes_back_whole)
{
	struct arena mem = { 0 };
	struct token_rec got, t = { .source = TOKEN_CACHE, .token = SLICE("Ab"), .type = SLICE("ISO14443"), .status = "Accepted", .updated_us = 9 };
	lab_open(lab, NULL);
	VALUE_OF(token_put(lab->s, &t, on_answer, &last));
	assert_int_equal(token_find(lab->s, NULL, SLICE("AB"), 0, 0, &mem, &got), 0);
	assert_int_equal(got.source, TOKEN_CACHE);
	assert_slice(got.token, "Ab");
	assert_slice(got.type, "ISO14443");
	assert_null(got.group.p);
	assert_int_equal(got.updated_us, 9);
	arena_free(&mem);
}

/* 2.x AuthCacheLifeTime counts from the last answer; a list knows no such end. */
LAB_TEST(test_the_cache_forgets_what_was_not_heard_again)
{
	struct arena mem = { 0 };
	struct token_rec t;
	lab_open(lab, NULL);
	put(lab, TOKEN_CACHE, "c", "Accepted", 0); /* heard at 7 */
	put(lab, TOKEN_LIST, "l", "Accepted", 0);
	assert_int_equal(token_find(lab->s, NULL, SLICE("c"), 20, 7, &mem, &t), 0);
	assert_string_equal(t.status, "Accepted");
	assert_int_equal(token_find(lab->s, NULL, SLICE("c"), 20, 8, &mem, &t), 0);
	assert_string_equal(t.status, "Expired");
	assert_int_equal(token_find(lab->s, NULL, SLICE("l"), 20, 8, &mem, &t), 0);
	assert_string_equal(t.status, "Accepted");
	arena_free(&mem);
}

LAB_TEST(test_the_cache_is_bounded_and_loses_the_unwanted_first)
{
	char token[16];
	lab_open(lab, NULL);
	struct token_rec t = { .source = TOKEN_CACHE, .token = SLICE("good"), .status = "Accepted", .updated_us = 1 };
	assert_int_equal(token_put(lab->s, &t, NULL, NULL), 0);
	for (int i = 0; i < TOKENS_CACHED_MOST + 50; i++) {
		snprintf(token, sizeof(token), "t%d", i);
		t = (struct token_rec){ .source = TOKEN_CACHE, .token = slice_of(token), .status = "Invalid", .updated_us = i + 2 };
		assert_int_equal(token_put(lab->s, &t, NULL, NULL), 0);
	}
	assert_int_equal(store_flush(lab->s), 0);
	assert_status(lab, "good", "Accepted");
	assert_status(lab, "t0", "unknown");
	assert_status(lab, "t49", "unknown");
	assert_status(lab, "t60", "Invalid");
}

static struct token_list list_of(bool full, int64_t version, const struct token_rec *entries, size_t n)
{
	return (struct token_list){ .station = "A", .full = full, .version = version, .entries = entries, .n = n };
}

LAB_TEST(test_a_station_has_the_list_that_the_csms_sent_it)
{
	struct token_rec first[] = { { .token = SLICE("one"), .status = "Accepted" }, { .token = SLICE("two"), .status = "Blocked" } };
	struct token_rec change[] = { { .token = SLICE("ONE"), .status = NULL }, { .token = SLICE("three"), .status = "Accepted" } };
	struct arena mem = { 0 };
	struct token_rec t;
	lab_open(lab, NULL);
	assert_int_equal(token_list_version(lab->s, "A"), 0);
	put(lab, TOKEN_LIST, "two", "Accepted", 0); /* the site's: the station's own beats it */
	put(lab, TOKEN_CACHE, "three", "Invalid", 0);
	struct token_list l = list_of(true, 4, first, 2);
	VALUE_OF(token_list_put(lab->s, &l, on_answer, &last));
	assert_status(lab, "one", "Accepted");
	assert_status(lab, "two", "Blocked");
	assert_status(lab, "three", "Invalid");
	assert_int_equal(token_find(lab->s, "B", SLICE("one"), 0, 0, &mem, &t), ERR_NOT_FOUND);
	l = list_of(false, 5, change, 2);
	VALUE_OF(token_list_put(lab->s, &l, on_answer, &last));
	lab_reopen(lab);
	assert_status(lab, "one", "unknown");
	assert_status(lab, "two", "Blocked");
	assert_status(lab, "three", "Accepted");
	assert_int_equal(token_list_version(lab->s, "A"), 5);
	assert_int_equal(token_list_length(lab->s, "A"), 2);
	l = list_of(true, 6, NULL, 0);
	VALUE_OF(token_list_put(lab->s, &l, on_answer, &last));
	assert_status(lab, "two", "Accepted");
	assert_int_equal(token_list_length(lab->s, "A"), 0);
	arena_free(&mem);
}

static bool count_all(void *arg, const struct token_rec *t)
{
	assert_slice(t->group, "fleet");
	++*(int *)arg;
	return true;
}

LAB_TEST(test_a_walk_sees_every_entry_once)
{
	char token[16];
	int n = 0;
	lab_open(lab, NULL);
	for (int i = 0; i < 100; i++) {
		snprintf(token, sizeof(token), "%c%03d", i % 2 ? 'A' : 'a', i);
		struct token_rec t = { .token = slice_of(token), .status = "Accepted", .group = SLICE("fleet") };
		assert_int_equal(token_put(lab->s, &t, NULL, NULL), 0);
		t.source = TOKEN_CACHE;
		assert_int_equal(token_put(lab->s, &t, NULL, NULL), 0);
	}
	assert_int_equal(store_flush(lab->s), 0);
	assert_int_equal(token_each(lab->s, count_all, &n), 0);
	assert_int_equal(n, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_list_beats_the_cache),
		cmocka_unit_test(test_case_does_not_matter_and_a_new_word_replaces_the_old),
		cmocka_unit_test(test_an_expired_entry_says_so),
		cmocka_unit_test(test_an_entry_comes_back_whole),
		cmocka_unit_test(test_the_cache_forgets_what_was_not_heard_again),
		cmocka_unit_test(test_the_cache_is_bounded_and_loses_the_unwanted_first),
		cmocka_unit_test(test_a_station_has_the_list_that_the_csms_sent_it),
		cmocka_unit_test(test_a_walk_sees_every_entry_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
