UNIT_PLUGINS = tests/unit/plugins/board tests/unit/plugins/evse-map tests/unit/plugins/reader tests/unit/plugins/gpio tests/unit/plugins/grid-register tests/unit/plugins/regmap tests/unit/plugins/scan
check_PROGRAMS += $(UNIT_PLUGINS)
TESTS += $(UNIT_PLUGINS)
tests_unit_plugins_regmap_SOURCES = tests/unit/plugins/regmap.c tests/unit/plugins/meters.h tests/unit/unit.h
tests_unit_plugins_regmap_LDADD = $(PLUGINS_LIBS) $(CMOCKA_LIBS)
tests_unit_plugins_gpio_SOURCES = tests/unit/plugins/gpio.c tests/unit/unit.h
tests_unit_plugins_gpio_LDADD = $(PLUGINS_LIBS) $(CMOCKA_LIBS)
tests_unit_plugins_grid_register_SOURCES = tests/unit/plugins/grid-register.c tests/unit/unit.h
tests_unit_plugins_grid_register_LDADD = $(PLUGINS_LIBS) $(CMOCKA_LIBS)
tests_unit_plugins_board_SOURCES = tests/unit/plugins/board.c tests/unit/unit.h
tests_unit_plugins_board_LDADD = $(PLUGINS_LIBS) $(CMOCKA_LIBS)
tests_unit_plugins_reader_SOURCES = tests/unit/plugins/reader.c tests/unit/unit.h
tests_unit_plugins_reader_LDADD = $(PLUGINS_LIBS) $(CMOCKA_LIBS)
tests_unit_plugins_evse_map_SOURCES = tests/unit/plugins/evse-map.c tests/unit/unit.h
tests_unit_plugins_evse_map_LDADD = $(PLUGINS_LIBS) $(CMOCKA_LIBS)
tests_unit_plugins_scan_SOURCES = tests/unit/plugins/scan.c tests/unit/plugins/meters.h tests/unit/unit.h
tests_unit_plugins_scan_LDADD = $(PLUGINS_LIBS) $(CMOCKA_LIBS)
SPARKPLUG_UNIT = tests/unit/plugins/sparkplug
tests_unit_plugins_sparkplug_SOURCES = tests/unit/plugins/sparkplug.c tests/unit/unit.h
tests_unit_plugins_sparkplug_LDADD = $(PLUGINS_LIBS) $(CMOCKA_LIBS)
if HAVE_SPARKPLUG
check_PROGRAMS += $(SPARKPLUG_UNIT)
TESTS += $(SPARKPLUG_UNIT)
else
EXTRA_PROGRAMS += $(SPARKPLUG_UNIT)
endif
