/* How fast payloads are validated, beside a bare cJSON parse of the same bytes in the same run. Prints a table and the size of the
 * dictionary. Each row runs for a fixed time, the two candidates in turn, and the best of five rounds counts. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "ocpp/validate.h"

#define ROUND_US 60000
#define ROUNDS 5

static void meter_values(struct buf *b, int samples)
{
	buf_puts(b, "{\"connectorId\":1,\"transactionId\":1471,\"meterValue\":[");
	for (int i = 0; i < samples; i++)
		buf_printf(b, "%s{\"timestamp\":\"2026-03-02T17:%02d:05.000Z\",\"sampledValue\":[{\"value\":\"%d.%d\",\"context\":\"Sample.Periodic\","
		              "\"format\":\"Raw\",\"measurand\":\"Current.Import\",\"phase\":\"L%d\",\"location\":\"Outlet\",\"unit\":\"A\"}]}",
		           i ? "," : "", i % 60, i % 32, i % 10, i % 3 + 1);
	buf_puts(b, "]}");
}

static void transaction_event(struct buf *b)
{
	buf_puts(b, "{\"eventType\":\"Updated\",\"timestamp\":\"2026-03-02T17:04:05.123Z\",\"triggerReason\":\"MeterValuePeriodic\",\"seqNo\":17,"
	            "\"offline\":false,\"numberOfPhasesUsed\":3,\"transactionInfo\":{\"transactionId\":\"b81b0376-0d78-4d2e-b0f9-8166c2844c4e\","
	            "\"chargingState\":\"Charging\"},\"evse\":{\"id\":1,\"connectorId\":1},\"meterValue\":[{\"timestamp\":\"2026-03-02T17:04:05.123Z\","
	            "\"sampledValue\":[");
	for (int i = 0; i < 6; i++)
		buf_printf(b, "%s{\"value\":%d.%d,\"context\":\"Sample.Periodic\",\"measurand\":\"%s\",\"phase\":\"L%d\",\"unitOfMeasure\":{\"unit\":\"%s\"}}",
		           i ? "," : "", 15 + i, i, i < 3 ? "Current.Import" : "Voltage", i % 3 + 1, i < 3 ? "A" : "V");
	buf_puts(b, "]}]}");
}

static void notify_report(struct buf *b, size_t bytes)
{
	buf_puts(b, "{\"requestId\":5,\"generatedAt\":\"2026-03-02T17:04:05Z\",\"seqNo\":0,\"tbc\":true,\"reportData\":[");
	for (int i = 0; b->n < bytes; i++)
		buf_printf(b, "%s{\"component\":{\"name\":\"Connector\",\"evse\":{\"id\":%d,\"connectorId\":1}},\"variable\":{\"name\":\"AvailabilityState\"},"
		              "\"variableAttribute\":[{\"type\":\"Actual\",\"value\":\"Available\",\"mutability\":\"ReadOnly\",\"persistent\":false,"
		              "\"constant\":false}],\"variableCharacteristics\":{\"dataType\":\"OptionList\",\"valuesList\":"
		              "\"Available,Occupied,Reserved,Unavailable,Faulted\",\"supportsMonitoring\":true}}",
		           i ? "," : "", i);
	buf_puts(b, "]}");
}

struct subject {
	const char *name, *action;
	enum ocpp_version version;
	struct buf payload;
};

static void run_validate(const struct subject *s)
{
	struct verdict v;
	if (validate(dictionary_shape(s->version, s->action, false), buf_view(&s->payload), s->version, &v) != 0) {
		fprintf(stderr, "%s: %s %s\n", s->name, v.path, rule_text(v.rule));
		exit(1);
	}
}

static void run_cjson(const struct subject *s)
{
	cJSON_Delete(cJSON_ParseWithLength(s->payload.p, s->payload.n));
}

/* Nanoseconds per payload. */
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

static void measure(struct subject *s)
{
	double ours = INFINITY, tree = INFINITY;
	for (int i = 0; i < ROUNDS; i++) {
		ours = fmin(ours, once(s, run_validate));
		tree = fmin(tree, once(s, run_cjson));
	}
	double bytes = (double)s->payload.n;
	printf("%-32s %8zu B %12.0f frames/s %8.1f MB/s   cJSON %12.0f frames/s %8.1f MB/s   %5.2f x its time\n", s->name, s->payload.n, 1e9 / ours,
	       bytes * 1e3 / ours, 1e9 / tree, bytes * 1e3 / tree, ours / tree);
	buf_free(&s->payload);
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
	buf_puts(&s[0].payload, "{}");
	buf_puts(&s[1].payload, "{\"connectorId\":1,\"errorCode\":\"NoError\",\"info\":\"\",\"status\":\"Charging\",\"timestamp\":\"2026-03-02T17:04:05.000Z\","
	                        "\"vendorId\":\"\",\"vendorErrorCode\":\"\"}");
	meter_values(&s[2].payload, 1);
	meter_values(&s[3].payload, 12);
	meter_values(&s[4].payload, 100);
	transaction_event(&s[5].payload);
	transaction_event(&s[6].payload);
	notify_report(&s[7].payload, 60000);
	for (size_t i = 0; i < sizeof(s) / sizeof(s[0]); i++)
		measure(&s[i]);
	struct dictionary_size d = dictionary_size();
	printf("tables: %zu bytes; %zu shapes, %zu fields, %zu types, %zu enums, %zu words\n", d.bytes, d.shapes, d.fields, d.types, d.enums, d.words);
	return 0;
}
