UNIT_BASE = tests/unit/base/str tests/unit/base/timer
check_PROGRAMS += $(UNIT_BASE)
TESTS += $(UNIT_BASE)
tests_unit_base_str_SOURCES = tests/unit/base/str.c tests/unit/unit.h
tests_unit_base_str_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_base_timer_SOURCES = tests/unit/base/timer.c
tests_unit_base_timer_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
