# see docs/ARCHITECTURE.md, Tests
check_PROGRAMS += tests/tools/ocpp-check
tests_tools_ocpp_check_SOURCES = tests/tools/ocpp-check.c
tests_tools_ocpp_check_LDADD = $(OCPP_LIBS)
