UNIT_PLUGINS = tests/unit/plugins/gpio tests/unit/plugins/regmap
check_PROGRAMS += $(UNIT_PLUGINS)
TESTS += $(UNIT_PLUGINS)
tests_unit_plugins_regmap_SOURCES = tests/unit/plugins/regmap.c tests/unit/unit.h
tests_unit_plugins_regmap_LDADD = $(PLUGINS_LIBS) $(CMOCKA_LIBS)
tests_unit_plugins_gpio_SOURCES = tests/unit/plugins/gpio.c tests/unit/unit.h
tests_unit_plugins_gpio_LDADD = $(PLUGINS_LIBS) $(CMOCKA_LIBS)
