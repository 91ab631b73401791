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
if HAVE_CLP
BENCH_LP = tests/bench/alloc-lp.c
else
BENCH_LP = tests/bench/alloc-lp-none.c
endif
EXTRA_DIST += tests/bench/alloc-lp.c tests/bench/alloc-lp-none.c
tests_bench_alloc_SOURCES = tests/bench/alloc.c tests/bench/alloc-lp.h $(BENCH_LP)
tests_bench_alloc_CFLAGS = $(AM_CFLAGS) $(CLP_CFLAGS)
tests_bench_alloc_LDADD = $(ENERGY_LIBS) $(CLP_LIBS)
EXTRA_PROGRAMS += tests/bench/relay
BENCHES += tests/bench/relay
CLEANFILES += tests/bench/relay
BENCH_PEERS = tests/bench/peers.c tests/bench/peers.h tests/bench/process.c tests/bench/process.h
tests_bench_relay_SOURCES = tests/bench/relay.c $(BENCH_PEERS)
tests_bench_relay_LDADD = $(GATEWAY_LIBS)
EXTRA_PROGRAMS += tests/bench/path
BENCHES += tests/bench/path
tests_bench_path_SOURCES = tests/bench/path.c
tests_bench_path_LDADD = $(OCPP_LIBS)
CLEANFILES += tests/bench/path
EXTRA_PROGRAMS += tests/bench/durable
BENCHES += tests/bench/durable
CLEANFILES += tests/bench/durable
tests_bench_durable_SOURCES = tests/bench/durable.c $(BENCH_PEERS)
tests_bench_durable_LDADD = $(GATEWAY_LIBS)
EXTRA_DIST += tests/bench/limits.js tests/bench/deflate.js
EXTRA_DIST += tests/bench/fleet.js
