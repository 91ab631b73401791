# see docs/ARCHITECTURE.md, Tests
EXTRA_PROGRAMS += tests/bench/frame
BENCHES += tests/bench/frame
tests_bench_frame_SOURCES = tests/bench/frame.c
tests_bench_frame_LDADD = $(OCPP_LIBS)
