# see docs/ARCHITECTURE.md, Tests
BENCHES += tests/bench/validate
EXTRA_PROGRAMS += tests/bench/validate
tests_bench_validate_SOURCES = tests/bench/validate.c
tests_bench_validate_LDADD = $(OCPP_LIBS)
CLEANFILES += tests/bench/validate
