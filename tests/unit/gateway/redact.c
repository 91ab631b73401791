/* What of a frame may be shown. */
#include "tests/unit/unit.h"

#include "base/buf.h"
#include "gateway/session/redact.h"

static void tokens_become_hashes_and_nothing_else_changes(void **state)
{
	(void)state;
	static const struct {
		const char *text, *shown; /* sha256("abc") begins with ba7816bf */
	} cases[] = {
		{ "{\"idTag\":\"abc\",\"n\":0.10}", "{\"idTag\":\"sha256:ba7816bf\",\"n\":0.10}" },
		{ "{ \"idTag\" : \"abc\" }", "{ \"idTag\" : \"sha256:ba7816bf\" }" },
		{ "{\"parentIdTag\":\"abc\"}", "{\"parentIdTag\":\"sha256:ba7816bf\"}" },
		{ "{\"idToken\":{\"idToken\":\"abc\",\"type\":\"Central\"}}", "{\"idToken\":{\"idToken\":\"sha256:ba7816bf\",\"type\":\"Central\"}}" },
		{ "{\"groupIdToken\":{\"idToken\":\"abc\"},\"a\":\"abc\"}", "{\"groupIdToken\":{\"idToken\":\"sha256:ba7816bf\"},\"a\":\"abc\"}" },
		{ "{\"additionalIdToken\":\"abc\"}", "{\"additionalIdToken\":\"sha256:ba7816bf\"}" },
		{ "{\"id\\u0054ag\":\"abc\"}", "{\"id\\u0054ag\":\"sha256:ba7816bf\"}" },
		{ "{\"info\":\"idTag\",\"b\":\"x\\\"idTag\\\":\\\"abc\"}", "{\"info\":\"idTag\",\"b\":\"x\\\"idTag\\\":\\\"abc\"}" },
		{ "{\"key\":\"AuthorizationKey\",\"value\":\"abc\"}", "{\"key\":\"AuthorizationKey\",\"value\":\"sha256:ba7816bf\"}" },
		{ "{\"attributeValue\":\"abc\",\"variable\":{\"name\":\"BasicAuthPassword\"}}",
		  "{\"attributeValue\":\"sha256:ba7816bf\",\"variable\":{\"name\":\"BasicAuthPassword\"}}" },
		{ "{\"key\":\"StationPassword\",\"value\":\"abc\"}", "{\"key\":\"StationPassword\",\"value\":\"sha256:ba7816bf\"}" },
		{ "{\"key\":\"HeartbeatInterval\",\"value\":\"abc\"}", "{\"key\":\"HeartbeatInterval\",\"value\":\"abc\"}" },
		{ "{\"basicAuthPassword\":\"abc\",\"apn\":{\"apnPassword\":\"abc\"}}",
		  "{\"basicAuthPassword\":\"sha256:ba7816bf\",\"apn\":{\"apnPassword\":\"sha256:ba7816bf\"}}" },
		{ "{\"location\":\"ftp://u:p@host/dir/\"}", "{\"location\":\"ftp://***@host/dir/\"}" },
		{ "{\"location\":\"https:\\/\\/u:p@host\\/f?token=x\"}", "{\"location\":\"https:\\/\\/***@host\\/f?***\"}" },
		{ "{\"location\":\"https://host/f@x\"}", "{\"location\":\"https://host/f@x\"}" },
		{ "{\"info\":\"a@b: c?\"}", "{\"info\":\"a@b: c?\"}" },
		{ "[2,\"1\",\"Authorize\",{\"idTag\":\"abc", "[2,\"1\",\"Authorize\",{\"idTag\":\"sha256:ba7816bf" },
		{ "{\"idTag\":", "{\"idTag\":" },
		{ "{\"idTag", "{\"idTag" },
		{ "\\", "\\" },
		{ "{\"a\\", "{\"a\\" },
		{ "", "" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = { 0 };
		redact_text(slice_of(cases[i].text), &out);
		if (strcmp(out.n ? out.p : "", cases[i].shown) != 0)
			fail_msg("case %zu: %s became %s", i, cases[i].text, out.n ? out.p : "");
		buf_free(&out);
	}
}

static void paths_of_tokens_are_known(void **state)
{
	(void)state;
	assert_true(redact_wants("$.idTag") && redact_wants("$.idToken.idToken") && redact_wants("$.idTagInfo.parentIdTag"));
	assert_false(redact_wants("$.idTagInfo.status") || redact_wants("$") || redact_wants("id") || redact_wants(""));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_become_hashes_and_nothing_else_changes),
		cmocka_unit_test(paths_of_tokens_are_known),
	};
	return cmocka_run_group_tests_name("gateway/redact", tests, NULL, NULL);
}
