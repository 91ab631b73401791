/* Register maps of charge controllers: all that are shipped can be read, and what is wrong in one is named with its place. */
#include "plugins/evse-map.h"

#include <dirent.h>
#include <stdio.h>

#include "tests/unit/unit.h"

static void test_every_shipped_map_is_one(void **state)
{
	const char *srcdir = getenv("srcdir");
	char dir[300], path[600], err[300];
	int n = 0;
	(void)state;
	snprintf(dir, sizeof(dir), "%s/etc/controllers", srcdir ? srcdir : ".");
	DIR *d = opendir(dir);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		struct evse_map m;
		if (!strstr(e->d_name, ".yaml"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (evse_map_load(path, &m, err, sizeof(err)) != 0)
			fail_msg("%s", err);
		if (strncmp(m.model, e->d_name, strlen(m.model)) != 0 || strcmp(e->d_name + strlen(m.model), ".yaml") != 0)
			fail_msg("%s says that it is %s", e->d_name, m.model);
		evse_map_free(&m);
		n++;
	}
	closedir(d);
	assert_true(n >= 10);
}

#define HEAD "model: x\nname: X\n"

static void test_letters(void **state)
{
	struct evse_map m;
	char err[300];
	(void)state;
	assert_int_equal(evse_map_parse("x", slice_of(HEAD "state: {at: 5, function: 4, a: [2, 3], b: [4], c: [6, 8]}\ncurrent: {at: 1}\n"), &m, err, sizeof(err)), 0);
	assert_true(evse_map_letter(&m, 3) == 'A' && evse_map_letter(&m, 8) == 'C' && evse_map_letter(&m, 9) == 0);
	assert_true(m.enable == NULL && m.current.per_amp == 1 && m.n_setup == 0);
	evse_map_free(&m);
	assert_int_equal(evse_map_parse("x", slice_of(HEAD "state: {at: 5, byte: high, a: [65], b: [66], c: [67]}\ncurrent: {at: 1}\n"), &m, err, sizeof(err)), 0);
	assert_int_equal(evse_map_letter(&m, 0x4231), 'B');
	evse_map_free(&m);
}

static void test_what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ HEAD "state: {at: 5, a: [1], b: [2], c: [3]}\ncurrent: {at: 1, function: 5}\n", "x:4:26: 'function' is less than 6" },
		{ HEAD "state: {at: 5, a: [1], b: [2]}\ncurrent: {at: 1}\n", "the states a, b and c have values" },
		{ HEAD "state: {at: 5, a: [one], b: [2], c: [3]}\ncurrent: {at: 1}\n", "a number from 0 to 65535" },
		{ HEAD "state: {at: 5, a: [1], b: [2], c: [3]}\ncurrent: {at: 1, type: f32}\n", "a function that does not write this" },
		{ HEAD "state: {at: 5, a: [1], b: [2], c: [3]}\ncurrent: {at: 1, per_ampere: 10}\n", "unknown key 'per_ampere'" },
		{ HEAD "current: {at: 1}\n", "missing key" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct evse_map m;
		char err[300] = "";
		int rc = evse_map_parse("x", slice_of(cases[i].text), &m, err, sizeof(err));
		const char *says = i ? cases[i].says : "x:4:";
		if (rc == 0 || !strstr(err, says))
			fail_msg("case %zu: %d \"%s\"", i, rc, err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_shipped_map_is_one),
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_what_is_wrong_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
