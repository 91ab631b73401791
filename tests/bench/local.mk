# see docs/ARCHITECTURE.md, Tests
EXTRA_PROGRAMS += tests/bench/links
BENCHES += tests/bench/links
CLEANFILES += tests/bench/links
tests_bench_links_SOURCES = tests/bench/links.c
tests_bench_links_LDADD = $(GATEWAY_LIBS)
BENCHES += tests/bench/validate
EXTRA_PROGRAMS += tests/bench/validate
tests_bench_validate_SOURCES = tests/bench/validate.c
tests_bench_validate_LDADD = $(OCPP_LIBS)
CLEANFILES += tests/bench/validate
EXTRA_PROGRAMS += tests/bench/store
BENCHES += tests/bench/store
tests_bench_store_SOURCES = tests/bench/store.c
tests_bench_store_LDADD = $(STORAGE_LIBS)
EXTRA_PROGRAMS += tests/bench/frame
BENCHES += tests/bench/frame
tests_bench_frame_SOURCES = tests/bench/frame.c
tests_bench_frame_LDADD = $(OCPP_LIBS)
# Timings, run by `make bench` only.
EXTRA_PROGRAMS += tests/bench/alloc
BENCHES += tests/bench/alloc
tests_bench_alloc_SOURCES = tests/bench/alloc.c
tests_bench_alloc_LDADD = $(ENERGY_LIBS)
