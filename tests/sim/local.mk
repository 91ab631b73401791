# Whole sites in simulated time.
SIM_TESTS = tests/sim/night tests/sim/outlet-search tests/sim/stdio
check_PROGRAMS += $(SIM_TESTS)
TESTS += $(SIM_TESTS)
tests_sim_night_SOURCES = tests/sim/night.c tests/sim/site.c tests/sim/site.h
tests_sim_night_LDADD = $(ENERGY_LIBS) $(CMOCKA_LIBS)
tests_sim_stdio_SOURCES = tests/sim/stdio.c
tests_sim_stdio_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
tests_sim_outlet_search_SOURCES = tests/sim/outlet-search.c tests/unit/unit.h
tests_sim_outlet_search_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)
