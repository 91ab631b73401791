# see docs/ARCHITECTURE.md, Tests
EXTRA_PROGRAMS += tests/bench/store
BENCHES += tests/bench/store
tests_bench_store_SOURCES = tests/bench/store.c
tests_bench_store_LDADD = $(STORAGE_LIBS)
