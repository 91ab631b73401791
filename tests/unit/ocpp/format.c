/* The two string formats. */
#include "tests/unit/unit.h"

#include "ocpp/format.h"

static void test_times_to_the_letter(void **state)
{
	static const char *const good[] = { "2026-03-02T17:04:05Z", "2026-03-02t17:04:05.123456789z", "2024-02-29T00:00:00-23:59", "2000-02-29T00:00:00+00:00",
		                            "2016-12-31T23:59:60Z", "2017-01-01T00:59:60+01:00", "2016-12-31T18:59:60-05:00" };
	static const char *const bad[] = { "", "2026-03-02", "2026-03-02 17:04:05Z", "2026-03-02T17:04Z", "2026-03-02T17:04:05", "2026-03-02T17:04:05+02",
		                           "2026-03-02T17:04:05+0200", "2026-02-29T17:04:05Z", "1900-02-29T17:04:05Z", "2026-03-02T24:00:00Z",
		                           "2026-03-02T12:00:60Z", "2026-03-02T17:04:05.Z", "2026-03-02T17:04:05Zx", "2026-03-02T17:04:05+24:00" };
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!format_time(slice_of(good[i])))
			fail_msg("%s was refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (format_time(slice_of(bad[i])))
			fail_msg("%s passed", bad[i]);
	assert_false(format_time((struct slice){ NULL, 0 }));
	assert_false(format_time(SLICE("2026-03-02T17:04:05\0")));
}

static void test_absolute_uris(void **state)
{
	static const char *const good[] = { "ftp://user:pw@example.org:21/a/b", "https://[2001:db8::1]:8080/", "http://a/%20b?c#d", "urn:x:y", "file:///tmp/x",
		                            "sftp://a", "x:", "mailto:a@b" };
	static const char *const bad[] = { "", "example.org", "/a/b", "//a/b", "http://a b/", "http://a/%2", "http://a/%zz", "http://a/<b>", "1http://a/",
		                           "http://a:b/", "http://[::1/", "http://[]/", "http://\xc3\xa9/", "http://a/#b#c", ":a" };
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!format_uri(slice_of(good[i])))
			fail_msg("%s was refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (format_uri(slice_of(bad[i])))
			fail_msg("%s passed", bad[i]);
	assert_false(format_uri(SLICE("http://a/\0")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times_to_the_letter),
		cmocka_unit_test(test_absolute_uris),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
