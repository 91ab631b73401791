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
# Small programs around single parts, used by the tests in tests/flow and by hand.
PLUGIN_TOOLS = tests/tools/evse-drive tests/tools/meter-read tests/tools/mqtt-sink
check_PROGRAMS += $(PLUGIN_TOOLS)
tests_tools_evse_drive_SOURCES = tests/tools/evse-drive.c
tests_tools_evse_drive_LDADD = $(GATEWAY_LIBS)
tests_tools_meter_read_SOURCES = tests/tools/meter-read.c
tests_tools_meter_read_LDADD = $(GATEWAY_LIBS)
tests_tools_mqtt_sink_SOURCES = tests/tools/mqtt-sink.c
tests_tools_mqtt_sink_LDADD = $(GATEWAY_LIBS)
check_PROGRAMS += tests/tools/coverage
tests_tools_coverage_SOURCES = tests/tools/coverage.c
tests_tools_coverage_LDADD = $(OCPP_LIBS)
TESTS += tests/tools/coverage.sh
EXTRA_DIST += tests/tools/coverage.sh
tests/tools/coverage.log: tests/tools/coverage
check_PROGRAMS += tests/tools/composite
tests_tools_composite_SOURCES = tests/tools/composite.c
tests_tools_composite_LDADD = $(ENERGY_LIBS)

TESTS += tests/tools/conformance.sh
EXTRA_DIST += tests/tools/conformance.sh tests/tools/conformance.awk

# One without Sparkplug B.
check_PROGRAMS += tests/tools/ampgated-no-sparkplug
tests_tools_ampgated_no_sparkplug_SOURCES = gateway/main.c plugins/builtin.c
tests_tools_ampgated_no_sparkplug_CPPFLAGS = $(AM_CPPFLAGS) -DWITHOUT_SPARKPLUG
tests_tools_ampgated_no_sparkplug_LDADD = $(GATEWAY_LIBS)

# An ampgated without the console's pages.
check_PROGRAMS += tests/tools/ampgated-no-console
tests_tools_ampgated_no_console_SOURCES = gateway/main.c tests/tools/no-console.c
tests_tools_ampgated_no_console_LDADD = $(GATEWAY_LIBS)
