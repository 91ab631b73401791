/* Telemetry as Sparkplug metrics: what comes out of a topic, what is new, and what writing one asks for. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "plugins/sparkplug-metrics.h"
#include "tests/unit/unit.h"

static bool only_caps(void *arg, const char *verb)
{
	(void)arg;
	return strcmp(verb, "limit.set") == 0;
}

static const struct sparkplug_metric *named(const struct sparkplug_metric *all, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].name && strcmp(all[i].name, name) == 0)
			return &all[i];
	return NULL;
}

#define FEED(m, topic, json) sparkplug_feed(m, topic, slice_of(json))

static void test_topics_become_metrics(void **state)
{
	(void)state;
	struct sparkplug_metrics *m = sparkplug_metrics_new(only_caps, NULL);
	struct sparkplug_metric *all;
	FEED(m, "site", "{\"i_a\":[1.5,null,3],\"uplink\":{\"cpo\":{\"state\":\"up\"}},\"charging\":2}");
	FEED(m, "event", "{\"code\":\"uplink.up\"}");
	FEED(m, "site", "half a");
	assert_true(sparkplug_node(m)->grown);
	size_t n = sparkplug_take(sparkplug_node(m), true, &all);
	assert_true(named(all, n, "Site/Current L1")->value.number == 1.5);
	assert_false(named(all, n, "Site/Current L2")->value.known);
	assert_string_equal(named(all, n, "Site/Uplink/cpo/State")->value.text, "up");
	assert_int_equal(named(all, n, "Site/Charging")->value.integer, 2);
	assert_false(named(all, n, "Site/Power")->value.known);
	mem_free(all);
	assert_false(sparkplug_node(m)->grown);
	assert_false(sparkplug_node(m)->changed);
	assert_true(list_empty(sparkplug_devices(m)));
	sparkplug_metrics_free(&m);
}

static void test_only_what_changed_is_data(void **state)
{
	(void)state;
	struct sparkplug_metrics *m = sparkplug_metrics_new(only_caps, NULL);
	struct sparkplug_metric *all;
	FEED(m, "station/A/evse/1", "{\"state\":\"charging\",\"p_w\":7000,\"tx\":{\"id\":\"t\",\"start\":\"2026-03-02T17:04:05.123Z\"}}");
	struct sparkplug_thing *a = sparkplug_device(m, SLICE("A"));
	assert_false(a->online);
	FEED(m, "station/A/status", "online");
	assert_true(a->online);
	size_t n = sparkplug_take(a, true, &all);
	assert_true(named(all, n, "EVSE 1/Transaction/Start")->value.integer == INT64_C(1772471045123));
	uint64_t alias = named(all, n, "EVSE 1/Power")->alias;
	mem_free(all);
	FEED(m, "station/A/evse/1", "{\"state\":\"charging\",\"p_w\":7400,\"tx\":{\"id\":\"t\",\"start\":\"2026-03-02T17:04:05.123Z\"}}");
	assert_true(a->changed);
	n = sparkplug_take(a, false, &all);
	assert_int_equal(n, 1);
	assert_null(all[0].name);
	assert_int_equal(all[0].alias, alias);
	assert_true(all[0].value.number == 7400);
	mem_free(all);
	FEED(m, "station/A/evse/1", "{\"state\":\"charging\",\"p_w\":\"7400\",\"tx\":null}");
	n = sparkplug_take(a, false, &all);
	assert_int_equal(n, 3); /* the power is no number, and the transaction is over */
	mem_free(all);
	sparkplug_metrics_free(&m);
}

static void test_orders(void **state)
{
	(void)state;
	struct sparkplug_metrics *m = sparkplug_metrics_new(only_caps, NULL);
	struct buf json = { 0 };
	FEED(m, "station/A%2FB%25/evse/2", "{\"cap_a\":32}");
	FEED(m, "station/A%2FB%25", "{}");
	FEED(m, "circuit/row-a", "{}");
	struct sparkplug_thing *a = sparkplug_device(m, SLICE("A%2FB%25")), *node = sparkplug_node(m);
	struct sparkplug_metric w = { .name = "EVSE 2/Cap", .value = { .known = true, .number = 9.5 } };
	assert_string_equal(sparkplug_order(m, a, &w, &json), "limit.set");
	assert_string_equal(json.p, "{\"station\":\"A/B%\",\"evse\":2,\"limit_a\":9.5,\"for\":\"12h\"}");
	buf_reset(&json);
	w.name = "Circuit/row-a/Control/Cap";
	assert_string_equal(sparkplug_order(m, node, &w, &json), "limit.set");
	assert_string_equal(json.p, "{\"circuit\":\"row-a\",\"limit_a\":9.5,\"for\":\"12h\"}");
	buf_reset(&json);
	assert_null(sparkplug_order(m, a, &w, &json)); /* somebody else's */
	w.name = "EVSE 2/Cap";
	w.value.number = NAN;
	assert_null(sparkplug_order(m, a, &w, &json));
	w.value = (struct sparkplug_value){ .number = 9.5 };
	assert_null(sparkplug_order(m, a, &w, &json));
	w.value = (struct sparkplug_value){ .known = true, .truth = true, .number = 1 };
	for (const char *const *name = (const char *const[]){ "EVSE 2/State", "EVSE 2/Control/Stop", "Control/Reset", "none", NULL }; *name; name++) {
		w.name = *name;
		assert_null(sparkplug_order(m, a, &w, &json));
	}
	w = (struct sparkplug_metric){ .value = { .known = true, .number = 1 } };
	assert_null(sparkplug_order(m, a, &w, &json)); /* neither name nor alias */
	buf_free(&json);
	sparkplug_metrics_free(&m);
}

struct read {
	int n;
	double number;
	bool known;
};

static void on_read(void *arg, const struct sparkplug_metric *m)
{
	struct read *r = arg;
	r->n++;
	r->number = m->value.number;
	r->known = m->value.known;
}

static void test_payloads(void **state)
{
	(void)state;
	struct buf out = { 0 };
	struct read r = { 0 };
	const struct sparkplug_metric metrics[] = { { "a", 7, SPARKPLUG_DOUBLE, "A", { .known = true, .number = 1.5 } }, { "b", 8, SPARKPLUG_INT64, NULL, { .known = true, .integer = -5 } } };
	sparkplug_write(&out, 0, 3, metrics, 2);
	assert_int_equal(sparkplug_read(buf_view(&out), on_read, &r), 0);
	assert_int_equal(r.n, 2);
	assert_true(r.number == -5 && r.known);
	/* Cut anywhere, it is a shorter payload or none, and never more than that. */
	for (size_t n = 0; n < out.n; n++) {
		char *piece = mem_text((struct slice){ out.p, n });
		(void)sparkplug_read((struct slice){ piece, n }, on_read, &r);
		mem_free(piece);
	}
	/* By hand: metric 2 { name 1 "x", datatype 4: Int16, int_value 10: -2 as 32 bits } */
	static const char minus_two[] = "\x12\x0b\x0a\x01x\x20\x02\x50\xfe\xff\xff\xff\x0f";
	assert_int_equal(sparkplug_read((struct slice){ minus_two, sizeof(minus_two) - 1 }, on_read, &r), 0);
	assert_true(r.number == -2);
	/* A text is no number. */
	static const char text[] = "\x12\x06\x0a\x01x\x7a\x01" "6";
	assert_int_equal(sparkplug_read((struct slice){ text, sizeof(text) - 1 }, on_read, &r), 0);
	assert_true(r.known && isnan(r.number));
	assert_int_equal(sparkplug_read(SLICE("\xff\xff"), on_read, &r), ERR_SYNTAX);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_topics_become_metrics),
		cmocka_unit_test(test_only_what_changed_is_data),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_payloads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
