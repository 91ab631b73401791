# see docs/ARCHITECTURE.md, Tests
check_PROGRAMS += tests/tools/ws-echo
tests_tools_ws_echo_SOURCES = tests/tools/ws-echo.c
tests_tools_ws_echo_LDADD = $(GATEWAY_LIBS)
