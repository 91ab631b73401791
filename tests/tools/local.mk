# Small programs around single parts, used by the tests in tests/flow and by hand.
PLUGIN_TOOLS = tests/tools/evse-drive tests/tools/meter-read tests/tools/mqtt-sink
check_PROGRAMS += $(PLUGIN_TOOLS)
tests_tools_evse_drive_SOURCES = tests/tools/evse-drive.c
tests_tools_evse_drive_LDADD = $(GATEWAY_LIBS)
tests_tools_meter_read_SOURCES = tests/tools/meter-read.c
tests_tools_meter_read_LDADD = $(GATEWAY_LIBS)
tests_tools_mqtt_sink_SOURCES = tests/tools/mqtt-sink.c
tests_tools_mqtt_sink_LDADD = $(GATEWAY_LIBS)
