/* What a message costs on its way, without sockets: the envelope read and the payload checked by its shape, beside a bare cJSON parse of the
 * same bytes in the same run; and the envelope alone, which is what a message costs that nobody looks into. The goals: the whole path within
 * 1.5 times a bare parse, the envelope alone at least five times faster than one, tables under 150 kB. A row that misses
 * one by more than a noisy machine explains (a tenth) says so.
 *
 * Candidates take turns, the best of the rounds counts. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "ocpp/repair.h"

#define ROUND_US (30 * US_PER_MS)
#define ROUNDS 7
#define PATH_MOST 1.5
#define ENVELOPE_LEAST 5.0
#define TABLES_MOST 150000
#define NOISE 1.1
#define ID "8a1c7a54-93f5-4cc7-ae0c-3f0e6a0b9f10"

struct subject {
	const char *name, *action;
	enum ocpp_version version;
	struct buf text;
};

static void meter_values(struct buf *b, int samples)
{
	static const char *const measurands[] = { "Energy.Active.Import.Register\",\"unit\":\"Wh", "Power.Active.Import\",\"unit\":\"W",
		"Current.Import\",\"phase\":\"L1\",\"unit\":\"A", "Voltage\",\"phase\":\"L1-N\",\"unit\":\"V" };
	buf_puts(b, "{\"connectorId\":1,\"transactionId\":1761064545,\"meterValue\":[{\"timestamp\":\"2026-03-02T17:04:05.123Z\",\"sampledValue\":[");
	for (int i = 0; i < samples; i++)
		buf_printf(b, "%s{\"value\":\"%d.%02d\",\"context\":\"Sample.Periodic\",\"format\":\"Raw\",\"measurand\":\"%s\"}", i ? "," : "", 1000 + i * 37,
		           i % 100, measurands[i % 4]);
	buf_puts(b, "]}]}");
}

static void transaction_event(struct buf *b)
{
	buf_puts(b, "{\"eventType\":\"Updated\",\"timestamp\":\"2026-03-02T17:04:05.123Z\",\"triggerReason\":\"MeterValuePeriodic\",\"seqNo\":42,"
	            "\"offline\":false,\"transactionInfo\":{\"transactionId\":\"1f0ab7f2-36a9-4a44-bb52-7e1c0a43c2ad\",\"chargingState\":\"Charging\"},"
	            "\"evse\":{\"id\":1},\"meterValue\":[{\"timestamp\":\"2026-03-02T17:04:05.123Z\",\"sampledValue\":[");
	for (int i = 0; i < 6; i++)
		buf_printf(b, "%s{\"value\":%d.5,\"measurand\":\"Current.Import\",\"phase\":\"L%d\",\"unitOfMeasure\":{\"unit\":\"A\"}}", i ? "," : "", 10 + i, i % 3 + 1);
	buf_puts(b, "]}]}");
}

static void notify_report(struct buf *b)
{
	size_t front = b->n;
	buf_puts(b, "{\"requestId\":1,\"generatedAt\":\"2026-03-02T17:04:05.123Z\",\"seqNo\":0,\"tbc\":true,\"reportData\":[");
	for (int i = 0; b->n - front < 60000; i++)
		buf_printf(b, "%s{\"component\":{\"name\":\"SampledDataCtrlr\",\"evse\":{\"id\":%d}},\"variable\":{\"name\":\"TxUpdatedMeasurands\"},"
		              "\"variableAttribute\":[{\"type\":\"Actual\",\"value\":\"Energy.Active.Import.Register,Current.Import\",\"mutability\":\"ReadWrite\","
		              "\"persistent\":true}],\"variableCharacteristics\":{\"dataType\":\"MemberList\",\"supportsMonitoring\":true}}",
		           i ? "," : "", i % 4 + 1);
	buf_puts(b, "]}");
}

static void fill(struct subject *s, int i)
{
	static const int samples[] = { 1, 12, 100 };
	buf_printf(&s->text, "[2,\"" ID "\",\"%s\",", s->action);
	if (i == 0)
		buf_puts(&s->text, "{}");
	else if (i == 1)
		buf_puts(&s->text, "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Charging\",\"timestamp\":\"2026-03-02T17:04:05.123Z\"}");
	else if (i <= 4)
		meter_values(&s->text, samples[i - 2]);
	else if (i <= 6)
		transaction_event(&s->text);
	else
		notify_report(&s->text);
	buf_puts(&s->text, "]");
}

static void by_envelope(const struct subject *s)
{
	struct frame f;
	struct frame_fault fault;
	if (frame_parse(&f, s->version, buf_view(&s->text), &fault) != 0)
		abort();
}

/* As the gateway does it. */
static void by_path(const struct subject *s)
{
	static const struct frame_check check = { .repair = true };
	struct frame f;
	struct frame_fault fault;
	struct buf out = { 0 };
	if (frame_parse(&f, s->version, buf_view(&s->text), &fault) != 0 || repair_frame(&check, &f, &out) != REPAIR_CLEAN)
		abort();
}

static void by_cjson(const struct subject *s)
{
	cJSON_Delete(cJSON_ParseWithLength(s->text.p, s->text.n));
}

/* Nanoseconds per message. */
static double once(const struct subject *s, void (*run)(const struct subject *))
{
	int64_t start = clock_mono_us(), now = start;
	long count = 0;
	while (now - start < ROUND_US) {
		for (int i = 0; i < 20; i++, count++)
			run(s);
		now = clock_mono_us();
	}
	return (double)(now - start) * 1000 / (double)count;
}

static bool measure(const struct subject *s)
{
	double path = INFINITY, envelope = INFINITY, tree = INFINITY;
	for (int i = 0; i < ROUNDS; i++) {
		tree = fmin(tree, once(s, by_cjson));
		path = fmin(path, once(s, by_path));
		envelope = fmin(envelope, once(s, by_envelope));
	}
	bool good = path / tree <= PATH_MOST * NOISE && tree / envelope >= ENVELOPE_LEAST / NOISE;
	printf("%-30s %7zu %10.0f %10.0f %10.0f %8.2f x %8.1f x  %s\n", s->name, s->text.n, tree, path, envelope, path / tree, tree / envelope,
	       good ? "" : "MISSED");
	return good;
}

int main(void)
{
	struct subject s[] = {
		{ "1.6 Heartbeat", "Heartbeat", OCPP16, { 0 } },
		{ "1.6 StatusNotification", "StatusNotification", OCPP16, { 0 } },
		{ "1.6 MeterValues, 1 sample", "MeterValues", OCPP16, { 0 } },
		{ "1.6 MeterValues, 12 samples", "MeterValues", OCPP16, { 0 } },
		{ "1.6 MeterValues, 100 samples", "MeterValues", OCPP16, { 0 } },
		{ "2.0.1 TransactionEvent", "TransactionEvent", OCPP201, { 0 } },
		{ "2.1 TransactionEvent", "TransactionEvent", OCPP21, { 0 } },
		{ "2.0.1 NotifyReport, 60 kB", "NotifyReport", OCPP201, { 0 } },
	};
	size_t tables = dictionary_size().bytes;
	bool good = tables <= TABLES_MOST;
	printf("%-30s %7s %10s %10s %10s %10s %10s\n", "", "", "cJSON", "path", "envelope", "path", "envelope");
	printf("%-30s %7s %10s %10s %10s %10s %10s\n", "message", "bytes", "ns", "ns", "ns", "of cJSON", "faster");
	for (size_t i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
		fill(&s[i], (int)i);
		good &= measure(&s[i]);
		buf_free(&s[i].text);
	}
	printf("tables: %zu bytes\n", tables);
	puts(good ? "all goals are met" : "not all goals are met");
	return 0;
}
