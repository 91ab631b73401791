# unit tests of gateway/
UNIT_GATEWAY = \
	tests/unit/gateway/deflate \
	tests/unit/gateway/http1 \
	tests/unit/gateway/link-ws \
	tests/unit/gateway/listen \
	tests/unit/gateway/dial \
	tests/unit/gateway/failures \
	tests/unit/gateway/host \
	tests/unit/gateway/grid-conf \
	tests/unit/gateway/hours \
	tests/unit/gateway/settings \
	tests/unit/gateway/sim-ledger \
	tests/unit/gateway/world
check_PROGRAMS += $(UNIT_GATEWAY)
TESTS += $(UNIT_GATEWAY)
tests_unit_gateway_deflate_SOURCES = tests/unit/gateway/deflate.c
tests_unit_gateway_deflate_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
tests_unit_gateway_http1_SOURCES = tests/unit/gateway/http1.c
tests_unit_gateway_http1_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
tests_unit_gateway_link_ws_SOURCES = tests/unit/gateway/link-ws.c
tests_unit_gateway_link_ws_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
tests_unit_gateway_listen_SOURCES = tests/unit/gateway/listen.c
tests_unit_gateway_listen_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
tests_unit_gateway_dial_SOURCES = tests/unit/gateway/dial.c
tests_unit_gateway_dial_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
tests_unit_gateway_failures_SOURCES = tests/unit/gateway/failures.c
tests_unit_gateway_failures_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
tests_unit_gateway_host_SOURCES = tests/unit/gateway/host.c
tests_unit_gateway_host_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
tests_unit_gateway_settings_SOURCES = tests/unit/gateway/settings.c
tests_unit_gateway_settings_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
tests_unit_gateway_sim_ledger_SOURCES = tests/unit/gateway/sim-ledger.c
tests_unit_gateway_sim_ledger_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
tests_unit_gateway_world_SOURCES = tests/unit/gateway/world.c
tests_unit_gateway_world_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/gateway/trace
TESTS += tests/unit/gateway/trace
tests_unit_gateway_trace_SOURCES = tests/unit/gateway/trace.c
tests_unit_gateway_trace_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/gateway/redact
TESTS += tests/unit/gateway/redact
tests_unit_gateway_redact_SOURCES = tests/unit/gateway/redact.c
tests_unit_gateway_redact_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/gateway/traits
TESTS += tests/unit/gateway/traits
tests_unit_gateway_traits_SOURCES = tests/unit/gateway/traits.c tests/unit/unit.h
tests_unit_gateway_traits_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/gateway/mux-none
TESTS += tests/unit/gateway/mux-none
tests_unit_gateway_mux_none_SOURCES = tests/unit/gateway/mux-none.c
tests_unit_gateway_mux_none_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
tests_unit_gateway_grid_conf_SOURCES = tests/unit/gateway/grid-conf.c tests/unit/unit.h
tests_unit_gateway_grid_conf_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
tests_unit_gateway_hours_SOURCES = tests/unit/gateway/hours.c
tests_unit_gateway_hours_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/gateway/commission
TESTS += tests/unit/gateway/commission
tests_unit_gateway_commission_SOURCES = tests/unit/gateway/commission.c tests/unit/unit.h
tests_unit_gateway_commission_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/gateway/turnstile
TESTS += tests/unit/gateway/turnstile
tests_unit_gateway_turnstile_SOURCES = tests/unit/gateway/turnstile.c
tests_unit_gateway_turnstile_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/gateway/meter-look
TESTS += tests/unit/gateway/meter-look
tests_unit_gateway_meter_look_SOURCES = tests/unit/gateway/meter-look.c
tests_unit_gateway_meter_look_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/gateway/expiry
TESTS += tests/unit/gateway/expiry
tests_unit_gateway_expiry_SOURCES = tests/unit/gateway/expiry.c tests/unit/unit.h
tests_unit_gateway_expiry_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/gateway/say
TESTS += tests/unit/gateway/say
tests_unit_gateway_say_SOURCES = tests/unit/gateway/say.c gateway/ctl/ctl-say.c tests/unit/unit.h
tests_unit_gateway_say_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
