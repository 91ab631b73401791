check_PROGRAMS += tests/tools/check-config
tests_tools_check_config_SOURCES = tests/tools/check-config.c
tests_tools_check_config_LDADD = $(GATEWAY_LIBS)
