UNIT_ENERGY = tests/unit/energy/alloc tests/unit/energy/alloc-random tests/unit/energy/control tests/unit/energy/parts
check_PROGRAMS += $(UNIT_ENERGY)
TESTS += $(UNIT_ENERGY)
tests_unit_energy_alloc_SOURCES = tests/unit/energy/alloc.c
tests_unit_energy_alloc_LDADD = $(ENERGY_LIBS) $(CMOCKA_LIBS)
# Every allocation while the division runs is counted.
tests_unit_energy_alloc_random_SOURCES = tests/unit/energy/alloc-random.c
tests_unit_energy_alloc_random_LDADD = $(ENERGY_LIBS) $(CMOCKA_LIBS)
tests_unit_energy_alloc_random_LDFLAGS = -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc
tests_unit_energy_control_SOURCES = tests/unit/energy/control.c
tests_unit_energy_control_LDADD = $(ENERGY_LIBS) $(CMOCKA_LIBS)
tests_unit_energy_parts_SOURCES = tests/unit/energy/parts.c
tests_unit_energy_parts_LDADD = $(ENERGY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/energy/profile
TESTS += tests/unit/energy/profile
tests_unit_energy_profile_SOURCES = tests/unit/energy/profile.c tests/unit/unit.h
tests_unit_energy_profile_LDADD = $(ENERGY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/energy/rooms
TESTS += tests/unit/energy/rooms
tests_unit_energy_rooms_SOURCES = tests/unit/energy/rooms.c tests/unit/unit.h
tests_unit_energy_rooms_LDADD = $(ENERGY_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/energy/control-change
TESTS += tests/unit/energy/control-change
tests_unit_energy_control_change_SOURCES = tests/unit/energy/control-change.c tests/unit/unit.h
tests_unit_energy_control_change_LDADD = $(ENERGY_LIBS) $(CMOCKA_LIBS)
