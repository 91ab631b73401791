/* What the cases of 2.0.1 share. */
#ifndef AMPGATE_TESTS_STATION_CASES_201_H
#define AMPGATE_TESTS_STATION_CASES_201_H

#include <stdio.h>

#include "tests/unit/station/cases.h"

#define TOKEN(text) "{\"idToken\":\"" text "\",\"type\":\"ISO14443\"}"

static inline void stage(void)
{
	stage_of(OCPP201);
}

static inline void begin(void)
{
	stage();
	stage_boot(&st);
}

/* SetVariables of one; its attributeStatus. */
static inline const char *set_variable(const char *component, const char *variable, const char *value)
{
	static char status[32];
	char payload[300];
	snprintf(payload, sizeof(payload), "{\"setVariableData\":[{\"attributeValue\":\"%s\",\"component\":{\"name\":\"%s\"},\"variable\":{\"name\":\"%s\"}}]}",
	         value, component, variable);
	const char *found = strstr(ask(&st, "SetVariables", payload), "\"attributeStatus\":\"");
	status[0] = 0;
	if (found)
		sscanf(found, "\"attributeStatus\":\"%31[^\"]", status);
	return status;
}

static inline void set(const char *component, const char *variable, const char *value)
{
	assert_string_equal(set_variable(component, variable, value), "Accepted");
}

static inline const char *tx(void)
{
	static struct station_view view;
	station_view(st.s, 1, &view);
	return view.tx;
}

static inline void expect_status(const char *status)
{
	char fragment[64];
	snprintf(fragment, sizeof(fragment), "\"connectorStatus\":\"%s\"", status);
	expect(&st, "StatusNotification", "\"evseId\":1", "\"connectorId\":1", fragment, NULL);
}

static inline void expect_end(const char *trigger, const char *reason)
{
	char a[64], b[64];
	snprintf(a, sizeof(a), "\"triggerReason\":\"%s\"", trigger);
	snprintf(b, sizeof(b), "\"stoppedReason\":\"%s\"", reason);
	expect(&st, "TransactionEvent", "\"eventType\":\"Ended\"", a, b, NULL);
}

#endif
