/* The envelope: what is found, what is refused with which code, and that damaged text does no harm. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "ocpp/catalogue.h"
#include "ocpp/frame.h"

static struct frame f;
static struct frame_fault fault;

static int parse(enum ocpp_version v, const char *text)
{
	return frame_parse(&f, v, slice_of(text), &fault);
}

static void finds_the_windows_of_a_call(void **state)
{
	(void)state;
	const char *text = " [ 2 ,\t\"19223201\" , \"BootNotification\",\r\n{\"a\" : [1, {\"b\":\"]}\\\"\"}]} ] \n";
	assert_int_equal(parse(OCPP16, text), 0);
	assert_int_equal(f.kind, FRAME_CALL);
	assert_slice(f.id, "19223201");
	assert_slice(f.action, "BootNotification");
	assert_slice(f.payload, "{\"a\" : [1, {\"b\":\"]}\\\"\"}]}");
	assert_slice(f.raw, text);
	assert_string_equal(f.act->name, "BootNotification");
}

static void carries_what_it_does_not_know(void **state)
{
	(void)state;
	assert_int_equal(parse(OCPP16, "[2,\"1\",\"TransactionEvent\",{}]"), 0);
	assert_null(f.act);
	assert_slice(f.action, "TransactionEvent");
	assert_int_equal(parse(OCPP201, "[2,\"1\",\"heartbeat\",{}]"), 0);
	assert_null(f.act);
	assert_int_equal(parse(OCPP201, "[2,\"a\\u0041\\\"\",\"Heartbeat\",null]"), 0);
	assert_slice(f.id, "a\\u0041\\\"");
	assert_slice(f.payload, "null");
}

/* An even run of backslashes ends the string with its quote, an odd one does not. */
static void strings_end_at_their_own_quote(void **state)
{
	(void)state;
	assert_int_equal(parse(OCPP16, "[2,\"1\",\"DataTransfer\",{\"data\":\"C:\\\\\"}]"), 0);
	assert_slice(f.payload, "{\"data\":\"C:\\\\\"}");
	assert_int_equal(parse(OCPP16, "[2,\"1\\\\\",\"DataTransfer\",{\"data\":\"\\\\\\\"}\"}]"), 0);
	assert_slice(f.id, "1\\\\");
	assert_slice(f.payload, "{\"data\":\"\\\\\\\"}\"}");
}

static void reads_results_and_errors(void **state)
{
	(void)state;
	assert_int_equal(parse(OCPP16, "[3,\"7\",{\"status\":\"Accepted\"}]"), 0);
	assert_int_equal(f.kind, FRAME_RESULT);
	assert_slice(f.payload, "{\"status\":\"Accepted\"}");
	static const struct {
		const char *text, *description, *details;
	} errors[] = {
		{ "[4,\"7\",\"GenericError\",\"no\",{\"a\":1}]", "no", "{\"a\":1}" },
		{ "[4, \"7\", \"GenericError\", \"\"]", "", NULL },
		{ "[4,\"7\",\"GenericError\"]", NULL, NULL },
		{ "[4,\"7\",\"GenericError\",\"no\",\"text\"]", "no", "\"text\"" },
		{ "[4,\"7\",\"GenericError\",null,]", NULL, "bad" },
		{ "[4,\"7\",\"GenericError\",{}]", NULL, "{}" },
	};
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		int want = errors[i].details && strcmp(errors[i].details, "bad") == 0 ? ERR_SYNTAX : 0;
		if (parse(OCPP16, errors[i].text) != want)
			fail_msg("case %zu: %s", i, errors[i].text);
		if (want != 0)
			continue;
		assert_slice(f.code, "GenericError");
		assert_true(errors[i].description ? slice_is(f.description, errors[i].description) : !f.description.p);
		assert_true(errors[i].details ? slice_is(f.payload, errors[i].details) : !f.payload.p);
	}
}

static void later_types_belong_to_later_versions(void **state)
{
	(void)state;
	static const char sent[] = "[6,\"7\",\"NotifyPeriodicEventStream\",{}]";
	assert_int_equal(parse(OCPP21, sent), 0);
	assert_int_equal(f.kind, FRAME_SEND);
	assert_true(f.act->send);
	assert_int_equal(parse(OCPP201, sent), FRAME_IGNORED);
	assert_int_equal(parse(OCPP21, "[5,\"7\",\"TypeConstraintViolation\",\"\",{}]"), 0);
	assert_int_equal(f.kind, FRAME_RESULT_ERROR);
	assert_int_equal(parse(OCPP16, "[5,\"7\",\"TypeConstraintViolation\",\"\",{}]"), FRAME_IGNORED);
	assert_int_equal(parse(OCPP16, "[1,\"x\",\"StartTransaction\",{}]"), FRAME_IGNORED);
	assert_int_equal(parse(OCPP21, "[4294967298,\"x\",\"Heartbeat\",{}]"), FRAME_IGNORED);
}

/* 1.6-J table 7; 2.x Part 4 4.2.3 and its table of error codes */
static void refuses_with_the_code_of_the_version(void **state)
{
	(void)state;
	static const struct {
		const char *text, *code_16, *code_2x, *id;
		bool call_16, call_2x;
	} cases[] = {
		{ "", "FormationViolation", "RpcFrameworkError", "-1", false, true },
		{ "{}", "FormationViolation", "RpcFrameworkError", "-1", false, true },
		{ "[]", "FormationViolation", "RpcFrameworkError", "-1", false, true },
		{ "[\"2\",\"1\",\"Heartbeat\",{}]", "FormationViolation", "RpcFrameworkError", "-1", false, true },
		{ "[2.0,\"1\",\"Heartbeat\",{}]", "FormationViolation", "RpcFrameworkError", "-1", false, true },
		{ "[2,1,\"Heartbeat\",{}]", "FormationViolation", "RpcFrameworkError", "-1", true, true },
		{ "[2,\"1", "FormationViolation", "RpcFrameworkError", "-1", true, true },
		{ "[2,\"1\"]", "FormationViolation", "RpcFrameworkError", "1", true, true },
		{ "[2,\"1\",\"Heartbeat\"]", "FormationViolation", "RpcFrameworkError", "1", true, true },
		{ "[2,\"1\",{},\"Heartbeat\"]", "FormationViolation", "RpcFrameworkError", "1", true, true },
		{ "[2,\"1\",\"Heartbeat\",{\"a\":1]", "FormationViolation", "FormatViolation", "1", true, true },
		{ "[2,\"1\",\"Heartbeat\",{\"a\":[1}]]", "FormationViolation", "FormatViolation", "1", true, true },
		{ "[2,\"1\",\"Heartbeat\",{\"a\":\"x\\\"}]", "FormationViolation", "FormatViolation", "1", true, true },
		{ "[2,\"1\",\"Heartbeat\",{},{}]", "FormationViolation", "RpcFrameworkError", "1", true, true },
		{ "[2,\"1\",\"Heartbeat\",{}]]", "FormationViolation", "RpcFrameworkError", "1", true, true },
		{ "[2,\"1\",\"Heartbeat\",{}", "FormationViolation", "RpcFrameworkError", "1", true, true },
		{ "[3,\"1\",{\"configurationKey\":[]", "FormationViolation", "FormatViolation", "1", false, false },
		{ "[4,\"1\"]", "FormationViolation", "RpcFrameworkError", "1", false, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int v = OCPP16; v < OCPP_VERSIONS; v++) {
			const char *code = v == OCPP16 ? cases[i].code_16 : cases[i].code_2x;
			bool call = v == OCPP16 ? cases[i].call_16 : cases[i].call_2x;
			int err = parse(v, cases[i].text);
			if (err != ERR_SYNTAX || strcmp(fault.code, code) != 0 || !slice_is(fault.id, cases[i].id) || fault.is_call != call)
				fail_msg("case %zu, version %d: %s -> %d %s %.*s %d", i, v, cases[i].text, err, fault.code, SLICE_ARG(fault.id),
				         fault.is_call);
		}
	}
}

static void depth_and_id_are_bounded(void **state)
{
	(void)state;
	char text[1024], brackets[70], closing[70];
	for (int depth = 63; depth <= 64; depth++) { /* with the outer array one more */
		memset(brackets, '[', sizeof(brackets));
		memset(closing, ']', sizeof(closing));
		snprintf(text, sizeof(text), "[2,\"1\",\"DataTransfer\",%.*s%.*s]", depth, brackets, depth, closing);
		assert_int_equal(parse(OCPP201, text), depth == 63 ? 0 : ERR_SYNTAX);
	}
	char id[300];
	memset(id, 'i', sizeof(id));
	for (int n = FRAME_ID_MOST; n <= FRAME_ID_MOST + 1; n++) {
		snprintf(text, sizeof(text), "[2,\"%.*s\",\"Heartbeat\",{}]", n, id);
		assert_int_equal(parse(OCPP16, text), n == FRAME_ID_MOST ? 0 : ERR_SYNTAX);
	}
	assert_slice(fault.id, "-1");
}

static void builds_the_tree_when_asked(void **state)
{
	(void)state;
	assert_int_equal(parse(OCPP16, "[2,\"1\",\"Authorize\",{\"idTag\":\"A\\u00e9\"}]"), 0);
	assert_null(f.tree);
	const cJSON *tree = frame_tree(&f);
	assert_string_equal(cJSON_GetObjectItem(tree, "idTag")->valuestring, "A\xc3\xa9");
	assert_ptr_equal(frame_tree(&f), tree);
	frame_done(&f);
	assert_null(f.tree);
	/* brackets match, so the envelope reads, but it is no JSON inside */
	assert_int_equal(parse(OCPP16, "[2,\"1\",\"Authorize\",{idTag}]"), 0);
	assert_null(frame_tree(&f));
	assert_int_equal(parse(OCPP16, "[4,\"1\",\"GenericError\"]"), 0);
	assert_null(frame_tree(&f));
	frame_done(&f);
}

static void writes_what_it_reads(void **state)
{
	(void)state;
	struct buf out = { 0 };
	frame_write_call(&out, SLICE("a\\\"b"), "Reset", SLICE("{\"type\":\"Soft\"}"));
	assert_slice(buf_view(&out), "[2,\"a\\\"b\",\"Reset\",{\"type\":\"Soft\"}]");
	buf_reset(&out);
	frame_write_result(&out, SLICE("5"), SLICE("{}"));
	assert_slice(buf_view(&out), "[3,\"5\",{}]");
	buf_reset(&out);
	frame_write_send(&out, SLICE("5"), "NotifyPeriodicEventStream", SLICE("{}"));
	assert_slice(buf_view(&out), "[6,\"5\",\"NotifyPeriodicEventStream\",{}]");
	buf_reset(&out);
	frame_write_error(&out, SLICE("5"), "NotSupported", "say \"no\"");
	assert_slice(buf_view(&out), "[4,\"5\",\"NotSupported\",\"say \\\"no\\\"\",{}]");
	buf_reset(&out);
	char longest[400];
	memset(longest, 'x', sizeof(longest) - 1);
	memcpy(longest + 254, "\xc3\xa9", 2); /* the bound falls into this character, which then goes as a whole */
	longest[sizeof(longest) - 1] = 0;
	frame_write_error(&out, SLICE("5"), "InternalError", longest);
	assert_int_equal(parse(OCPP201, out.p), 0);
	assert_int_equal(f.description.n, 254);
	buf_free(&out);
}

/* Whatever is damaged, the windows stay inside the text, and a frame that still reads names a kind. */
static void damage_does_no_harm(void **state)
{
	(void)state;
	static const char *const whole[] = {
		("[2,\"661eb557\",\"MeterValues\",{\"connectorId\":1,\"transactionId\":9223372036854775807,\"meterValue\":[{\"timestamp\":"
		"\"2024-04-16T17:28:55.000Z\",\"sampledValue\":[{\"value\":\"0.00\",\"unit\":\"k\\\"W\\\\h\"}]}]}]"),
		"[3,\"1\",{\"configurationKey\":[{\"key\":\"A\",\"readonly\":true,\"value\":\"40000\"}]}]",
		"[4, \"13236754\", \"FormationViolation\", \"\", {\"a\":[]}]",
	};
	static const char bytes[] = "\"\\[]{},:0 2\n\xc3u";
	unsigned seed = 20260302;
	print_message("seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 20000; round++) {
		const char *from = whole[rand() % 3];
		size_t n = strlen(from);
		char *text = malloc(n); /* exactly as long, so that a sanitizer sees a step too far */
		memcpy(text, from, n);
		for (int i = rand() % 4; i >= 0; i--)
			text[(size_t)rand() % n] = bytes[(size_t)rand() % (sizeof(bytes) - 1)];
		if (rand() % 3 == 0)
			n = (size_t)rand() % n;
		int err = frame_parse(&f, rand() % OCPP_VERSIONS, (struct slice){ text, n }, &fault);
		if (err == 0) {
			assert_true(f.id.p >= text && f.id.p + f.id.n <= text + n);
			assert_true(!f.payload.p || (f.payload.p >= text && f.payload.p + f.payload.n <= text + n));
			frame_tree(&f);
			frame_done(&f);
		} else if (err == ERR_SYNTAX) {
			assert_true(fault.code && fault.reason && fault.id.p);
		} else {
			assert_int_equal(err, FRAME_IGNORED);
		}
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_windows_of_a_call),
		cmocka_unit_test(carries_what_it_does_not_know),
		cmocka_unit_test(strings_end_at_their_own_quote),
		cmocka_unit_test(reads_results_and_errors),
		cmocka_unit_test(later_types_belong_to_later_versions),
		cmocka_unit_test(refuses_with_the_code_of_the_version),
		cmocka_unit_test(depth_and_id_are_bounded),
		cmocka_unit_test(builds_the_tree_when_asked),
		cmocka_unit_test(writes_what_it_reads),
		cmocka_unit_test(damage_does_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
