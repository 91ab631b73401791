# Timings, run by `make bench` only.
EXTRA_PROGRAMS += tests/bench/alloc
BENCHES += tests/bench/alloc
tests_bench_alloc_SOURCES = tests/bench/alloc.c
tests_bench_alloc_LDADD = $(ENERGY_LIBS)
