# see docs/ARCHITECTURE.md, Tests
# A target is one file with LLVMFuzzerTestOneInput. Without --enable-fuzz it is linked with replay.c and plays its corpus in `make check`.
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/replay.c
FUZZ_TARGETS = tests/fuzz/validate
tests_fuzz_validate_SOURCES = tests/fuzz/validate.c
tests_fuzz_validate_LDADD = $(OCPP_LIBS)
check_PROGRAMS += $(FUZZ_TARGETS)
if FUZZ
tests_fuzz_validate_LDFLAGS = -fsanitize=fuzzer
else
TESTS += $(FUZZ_TARGETS)
tests_fuzz_validate_SOURCES += tests/fuzz/replay.c
endif
