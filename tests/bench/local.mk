# see docs/ARCHITECTURE.md, Tests
EXTRA_PROGRAMS += tests/bench/links
BENCHES += tests/bench/links
CLEANFILES += tests/bench/links
tests_bench_links_SOURCES = tests/bench/links.c
tests_bench_links_LDADD = $(GATEWAY_LIBS)
