# Unit tests mirror the tree: tests/unit/ocpp/frame.c tests ocpp/frame.c and links libocpp.a and what lies below it, nothing above.
TEST_EXTENSIONS = .sh .js .py
AM_TESTS_ENVIRONMENT = CMOCKA_MESSAGE_OUTPUT=stdout; export CMOCKA_MESSAGE_OUTPUT; \
	srcdir=$(srcdir); export srcdir; top_builddir=$(abs_top_builddir); export top_builddir;
SH_LOG_COMPILER = sh
JS_LOG_COMPILER = node
PY_LOG_COMPILER = /usr/bin/python3

# First, since it is quick: what is missing from what `make dist` ships.
TESTS += tests/config/shipped.sh
EXTRA_DIST += tests/config/shipped.sh
.PHONY: shipped-list
shipped-list:
	@srcdir='$(srcdir)'; for f in $(DISTFILES); do echo "shipped $${f#$$srcdir/}"; done; for f in $(TESTS); do echo "test $$f"; done

include tests/unit/base/local.mk
include tests/unit/ocpp/local.mk
include tests/unit/storage/local.mk
include tests/unit/energy/local.mk
include tests/unit/station/local.mk
include tests/unit/plugins/local.mk
include tests/unit/gateway/local.mk
include tests/tools/local.mk
include tests/fault/local.mk
include tests/flow/local.mk
include tests/torture/local.mk
include tests/sim/local.mk
include tests/fuzz/local.mk
include tests/bench/local.mk
include tests/config/local.mk
include tests/vectors/local.mk
