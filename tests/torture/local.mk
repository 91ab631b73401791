# Nothing lost, nothing billed twice, whatever crashes: the real daemon between stations, relays and a CSMS that disasters happen to.
TESTS += tests/torture/windows.js tests/torture/disk.js tests/torture/torture.js
EXTRA_DIST += tests/torture/windows.js tests/torture/disk.js tests/torture/peer.js tests/torture/torture.js tests/torture/relay.js tests/torture/csms.js tests/torture/station.js

# The same for long: ROUNDS runs (10) of POINTS crash points (1000), each with a new seed, which it prints.
torture: ampgated
	@for i in `seq $${ROUNDS:-10}`; do \
		POINTS=$${POINTS:-1000} top_builddir=$(abs_top_builddir) node $(srcdir)/tests/torture/torture.js || exit 1; \
	done
.PHONY: torture
