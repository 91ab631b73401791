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
	int err = token_find(lab->s, slice_of(token), 1000, &mem, &t);
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
	assert_int_equal(token_find(lab->s, SLICE("AB"), 0, &mem, &got), 0);
	assert_int_equal(got.source, TOKEN_CACHE);
	assert_slice(got.token, "Ab");
	assert_slice(got.type, "ISO14443");
	assert_null(got.group.p);
	assert_int_equal(got.updated_us, 9);
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
		cmocka_unit_test(test_a_walk_sees_every_entry_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
