UNIT_GATEWAY = tests/unit/gateway/host
check_PROGRAMS += $(UNIT_GATEWAY)
TESTS += $(UNIT_GATEWAY)
tests_unit_gateway_host_SOURCES = tests/unit/gateway/host.c tests/unit/unit.h
tests_unit_gateway_host_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
