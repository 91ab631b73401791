/* What the cases of 1.6 share. */
#ifndef AMPGATE_TESTS_STATION_CASES_16_H
#define AMPGATE_TESTS_STATION_CASES_16_H

#include <stdio.h>

#include "tests/unit/station/cases.h"

static inline void stage(void)
{
	stage_of(OCPP16);
}

static inline void begin(void)
{
	stage();
	stage_boot(&st);
}

static inline void set(const char *key, const char *value)
{
	char payload[256];
	snprintf(payload, sizeof(payload), "{\"key\":\"%s\",\"value\":\"%s\"}", key, value);
	assert_string_equal(ask(&st, "ChangeConfiguration", payload), ACCEPTED);
}

static inline void expect_status(const char *status)
{
	char fragment[64];
	snprintf(fragment, sizeof(fragment), "\"status\":\"%s\"", status);
	expect(&st, "StatusNotification", "\"connectorId\":1", fragment, NULL);
}

#endif
