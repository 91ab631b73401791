# Whole sites in simulated time.
SIM_TESTS = tests/sim/night tests/sim/outlet-search tests/sim/day tests/sim/stdio
check_PROGRAMS += $(SIM_TESTS)
TESTS += $(SIM_TESTS)
tests_sim_night_SOURCES = tests/sim/night.c tests/sim/site.c tests/sim/site.h
tests_sim_night_LDADD = $(ENERGY_LIBS) $(CMOCKA_LIBS)
tests_sim_stdio_SOURCES = tests/sim/stdio.c
tests_sim_stdio_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
tests_sim_outlet_search_SOURCES = tests/sim/outlet-search.c tests/unit/unit.h
tests_sim_outlet_search_LDADD = $(STATION_LIBS) $(CMOCKA_LIBS)

# How good it is: `make quality` prints the table beside the usual rules; the optimum needs coinor-libclp-dev.
SIM_WORLD = tests/sim/world.c tests/sim/world.h tests/sim/dice.h tests/sim/scenario.c tests/sim/scenario.h tests/sim/judge.c tests/sim/judge.h \
	tests/sim/drive.c tests/sim/drive-stdio.c tests/sim/drive.h tests/sim/optimum.h tests/sim/rules.h
if HAVE_CLP
SIM_OPTIMUM = tests/sim/optimum.c tests/sim/optimum-planned.c tests/sim/program.c tests/sim/program.h
else
SIM_OPTIMUM = tests/sim/optimum-none.c
endif
EXTRA_DIST += tests/sim/optimum.c tests/sim/optimum-planned.c tests/sim/program.c tests/sim/program.h tests/sim/optimum-none.c
EXTRA_PROGRAMS += tests/sim/quality
tests_sim_quality_SOURCES = tests/sim/quality.c tests/sim/rules.c $(SIM_WORLD) $(SIM_OPTIMUM)
tests_sim_quality_CFLAGS = $(AM_CFLAGS) $(CLP_CFLAGS)
tests_sim_quality_LDADD = $(ENERGY_LIBS) $(CLP_LIBS)
quality: tests/sim/quality ampgate
	./tests/sim/quality
tests_sim_day_SOURCES = tests/sim/day.c tests/unit/unit.h
tests_sim_day_LDADD = $(GATEWAY_LIBS) $(CMOCKA_LIBS)
# Ten thousand random sites and days, half an hour of one idle core. `make check` does a dozen of its own.
check_PROGRAMS += tests/sim/safety
TESTS += tests/sim/safety
tests_sim_safety_SOURCES = tests/sim/safety.c $(SIM_WORLD)
tests_sim_safety_LDADD = $(ENERGY_LIBS)
safety: tests/sim/safety
	./tests/sim/safety -k wild -s 1 -n 7000
	./tests/sim/safety -k switching -s 1 -n 2000
	./tests/sim/safety -k timers -s 1 -n 1000
# Is what it says true?
check_PROGRAMS += tests/sim/explain
TESTS += tests/sim/explain
tests_sim_explain_SOURCES = tests/sim/explain.c tests/sim/dice.h
tests_sim_explain_LDADD = $(ENERGY_LIBS)
# A hard day as a picture.
EXTRA_PROGRAMS += tests/sim/trace
EXTRA_DIST += tests/sim/plot.js
tests_sim_trace_SOURCES = tests/sim/trace.c $(SIM_WORLD)
tests_sim_trace_LDADD = $(ENERGY_LIBS)
day.svg: tests/sim/trace
	./tests/sim/trace garage-scarce | node $(srcdir)/tests/sim/plot.js > $@
CLEANFILES += day.svg optima.kept
# The division against linear programs.
if HAVE_CLP
check_PROGRAMS += tests/sim/fairness
TESTS += tests/sim/fairness
endif
EXTRA_PROGRAMS += tests/sim/fairness
tests_sim_fairness_SOURCES = tests/sim/fairness.c tests/sim/dice.h
tests_sim_fairness_CFLAGS = $(AM_CFLAGS) $(CLP_CFLAGS)
tests_sim_fairness_LDADD = $(ENERGY_LIBS) $(CLP_LIBS)
.PHONY: quality safety
