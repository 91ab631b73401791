# unit tests of gateway/
UNIT_GATEWAY = tests/unit/gateway/settings
check_PROGRAMS += $(UNIT_GATEWAY)
TESTS += $(UNIT_GATEWAY)
tests_unit_gateway_settings_SOURCES = tests/unit/gateway/settings.c
tests_unit_gateway_settings_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
