/* What the conformance cases of a station share: one stage with a host, a card, a charge. Included by one file per program. */
#ifndef AMPGATE_TESTS_STATION_CASES_H
#define AMPGATE_TESTS_STATION_CASES_H

#include "base/loop.h"
#include "tests/unit/station/csms.h"
#include "tests/unit/station/host.h"

#define ACCEPTED "{\"status\":\"Accepted\"}"
#define REJECTED "{\"status\":\"Rejected\"}"

static struct stage st;
static struct test_host host;

static inline void stage_of(enum ocpp_version v)
{
	memset(&host, 0, sizeof(host));
	stage_open(&st, v);
	st.conf.host = &test_host_ops;
	st.conf.host_arg = &host;
	st.conf.sample_us = 0;
}

static inline void end(void)
{
	expect_nothing(&st);
	stage_close(&st);
	test_host_close(&host);
}

static inline void forget(void)
{
	st.at = st.n_seen;
}

static inline void card(const char *token)
{
	station_token(st.s, 1, token);
	loop_run_later();
}

static inline void charge(void) /* a running transaction; nothing of it is looked at */
{
	plug(&st, true, true);
	card("card");
	forget();
}

#endif
