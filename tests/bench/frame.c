/* How fast the envelope is read, beside a full parse of the same bytes by cJSON: the price of a message that is only carried.
 *
 * Each case runs in several rounds of about 50 ms; the table shows the median round. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "ocpp/frame.h"

#define ROUNDS 9
#define ROUND_US (50 * US_PER_MS)

static void meter_values(struct buf *out, int samples)
{
	static const char *const measurands[] = { "Energy.Active.Import.Register\",\"unit\":\"Wh", "Power.Active.Import\",\"unit\":\"W",
		"Current.Import\",\"phase\":\"L1\",\"unit\":\"A", "Voltage\",\"phase\":\"L1-N\",\"unit\":\"V" };
	buf_puts(out, "[2,\"8a1c7a54-93f5-4cc7-ae0c-3f0e6a0b9f10\",\"MeterValues\",{\"connectorId\":1,\"transactionId\":1761064545,\"meterValue\":["
		      "{\"timestamp\":\"2026-03-02T17:04:05.123Z\",\"sampledValue\":[");
	for (int i = 0; i < samples; i++)
		buf_printf(out, "%s{\"value\":\"%d.%02d\",\"context\":\"Sample.Periodic\",\"format\":\"Raw\",\"measurand\":\"%s\"}", i ? "," : "",
		           1000 + i * 37, i % 100, measurands[i % 4]);
	buf_puts(out, "]}]}]");
}

static void transaction_event(struct buf *out)
{
	buf_puts(out, "[2,\"8a1c7a54-93f5-4cc7-ae0c-3f0e6a0b9f10\",\"TransactionEvent\",{\"eventType\":\"Updated\",\"timestamp\":"
		      "\"2026-03-02T17:04:05.123Z\",\"triggerReason\":\"MeterValuePeriodic\",\"seqNo\":42,\"offline\":false,\"transactionInfo\":"
		      "{\"transactionId\":\"1f0ab7f2-36a9-4a44-bb52-7e1c0a43c2ad\",\"chargingState\":\"Charging\"},\"evse\":{\"id\":1},\"meterValue\":["
		      "{\"timestamp\":\"2026-03-02T17:04:05.123Z\",\"sampledValue\":[");
	for (int i = 0; i < 6; i++)
		buf_printf(out, "%s{\"value\":%d.5,\"measurand\":\"Current.Import\",\"phase\":\"L%d\",\"unitOfMeasure\":{\"unit\":\"A\"}}", i ? "," : "", 10 + i,
		           i % 3 + 1);
	buf_puts(out, "]}]}]");
}

static void notify_report(struct buf *out)
{
	buf_puts(out, "[2,\"8a1c7a54-93f5-4cc7-ae0c-3f0e6a0b9f10\",\"NotifyReport\",{\"requestId\":1,\"generatedAt\":\"2026-03-02T17:04:05.123Z\","
		      "\"seqNo\":0,\"tbc\":true,\"reportData\":[");
	for (int i = 0; out->n < 60000; i++)
		buf_printf(out, "%s{\"component\":{\"name\":\"SampledDataCtrlr\",\"evse\":{\"id\":%d}},\"variable\":{\"name\":\"TxUpdatedMeasurands\"},"
		           "\"variableAttribute\":[{\"type\":\"Actual\",\"value\":\"Energy.Active.Import.Register,Current.Import\",\"mutability\":"
		           "\"ReadWrite\",\"persistent\":true}],\"variableCharacteristics\":{\"dataType\":\"MemberList\",\"supportsMonitoring\":true}}",
		           i ? "," : "", i % 4 + 1);
	buf_puts(out, "]}]");
}

static void by_frame(enum ocpp_version v, struct slice text)
{
	struct frame f;
	struct frame_fault fault;
	if (frame_parse(&f, v, text, &fault) != 0 || !f.act)
		abort();
}

static void by_cjson(enum ocpp_version v, struct slice text)
{
	(void)v;
	cJSON *tree = cJSON_ParseWithLength(text.p, text.n);
	if (!tree)
		abort();
	cJSON_Delete(tree);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Nanoseconds for one message, the median of all rounds. */
static double measure(void (*parse)(enum ocpp_version v, struct slice text), enum ocpp_version v, struct slice text)
{
	double each[ROUNDS];
	for (int r = 0; r < ROUNDS; r++) {
		int64_t from = clock_mono_us(), took;
		long n = 0;
		do {
			for (int i = 0; i < 32; i++)
				parse(v, text);
			n += 32;
			took = clock_mono_us() - from;
		} while (took < ROUND_US);
		each[r] = (double)took * 1e3 / (double)n;
	}
	qsort(each, ROUNDS, sizeof(each[0]), by_value);
	return each[ROUNDS / 2];
}

static void row(const char *name, enum ocpp_version v, struct buf *text)
{
	double frame = measure(by_frame, v, buf_view(text)), tree = measure(by_cjson, v, buf_view(text));
	double bytes = (double)text->n;
	printf("%-26s %7.0f %11.0f %9.0f %11.0f %9.0f %7.1f\n", name, bytes, 1e9 / frame, bytes * 1e3 / frame, 1e9 / tree, bytes * 1e3 / tree,
	       tree / frame);
	buf_reset(text);
}

int main(void)
{
	struct buf text = { 0 };
	printf("%-26s %7s %21s %21s %7s\n", "", "", "frame_parse", "cJSON_Parse", "");
	printf("%-26s %7s %11s %9s %11s %9s %7s\n", "message", "bytes", "frames/s", "MB/s", "frames/s", "MB/s", "faster");
	buf_puts(&text, "[2,\"19223201\",\"Heartbeat\",{}]");
	row("Heartbeat", OCPP16, &text);
	buf_puts(&text, "[2,\"8a1c7a54-93f5-4cc7-ae0c-3f0e6a0b9f10\",\"StatusNotification\",{\"connectorId\":1,\"errorCode\":\"NoError\","
			"\"status\":\"Charging\",\"timestamp\":\"2026-03-02T17:04:05.123Z\"}]");
	row("StatusNotification", OCPP16, &text);
	static const int sizes[] = { 1, 12, 100 };
	for (int i = 0; i < 3; i++) {
		char name[40];
		snprintf(name, sizeof(name), "MeterValues, %d sample%s", sizes[i], sizes[i] > 1 ? "s" : "");
		meter_values(&text, sizes[i]);
		row(name, OCPP16, &text);
	}
	transaction_event(&text);
	row("TransactionEvent", OCPP201, &text);
	notify_report(&text);
	row("NotifyReport", OCPP201, &text);
	buf_free(&text);
	return 0;
}
