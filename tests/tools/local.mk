# see docs/ARCHITECTURE.md, Tests
check_PROGRAMS += tests/tools/ws-echo
tests_tools_ws_echo_SOURCES = tests/tools/ws-echo.c
tests_tools_ws_echo_LDADD = $(GATEWAY_LIBS)
check_PROGRAMS += tests/tools/ocpp-check
tests_tools_ocpp_check_SOURCES = tests/tools/ocpp-check.c
tests_tools_ocpp_check_LDADD = $(OCPP_LIBS)
check_PROGRAMS += tests/tools/check-config
tests_tools_check_config_SOURCES = tests/tools/check-config.c
tests_tools_check_config_LDADD = $(GATEWAY_LIBS)
