# see docs/ARCHITECTURE.md, Tests
# A target is one file with LLVMFuzzerTestOneInput. Without --enable-fuzz it is linked with replay.c and plays its corpus in `make check`.
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/replay.c
FUZZ_TARGETS = tests/fuzz/frame tests/fuzz/http1 tests/fuzz/repair tests/fuzz/splice tests/fuzz/validate
tests_fuzz_frame_SOURCES = tests/fuzz/frame.c
tests_fuzz_frame_LDADD = $(OCPP_LIBS)
tests_fuzz_http1_SOURCES = tests/fuzz/http1.c
tests_fuzz_http1_LDADD = $(GATEWAY_LIBS)
tests_fuzz_repair_SOURCES = tests/fuzz/repair.c
tests_fuzz_repair_LDADD = $(OCPP_LIBS)
tests_fuzz_splice_SOURCES = tests/fuzz/splice.c
tests_fuzz_splice_LDADD = $(OCPP_LIBS)
tests_fuzz_validate_SOURCES = tests/fuzz/validate.c
tests_fuzz_validate_LDADD = $(OCPP_LIBS)
check_PROGRAMS += $(FUZZ_TARGETS)
if FUZZ
tests_fuzz_frame_LDFLAGS = -fsanitize=fuzzer
tests_fuzz_http1_LDFLAGS = -fsanitize=fuzzer
tests_fuzz_repair_LDFLAGS = -fsanitize=fuzzer
tests_fuzz_splice_LDFLAGS = -fsanitize=fuzzer
tests_fuzz_validate_LDFLAGS = -fsanitize=fuzzer
else
TESTS += $(FUZZ_TARGETS)
tests_fuzz_frame_SOURCES += tests/fuzz/replay.c
tests_fuzz_http1_SOURCES += tests/fuzz/replay.c
tests_fuzz_repair_SOURCES += tests/fuzz/replay.c
tests_fuzz_splice_SOURCES += tests/fuzz/replay.c
tests_fuzz_validate_SOURCES += tests/fuzz/replay.c
endif
