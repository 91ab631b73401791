EXTRA_DIST += docs/CONFIG.md

# Writes docs/CONFIG.md from the tables again, after a change of them.
config-doc: tests/tools/check-config
	tests/tools/check-config --doc > $(srcdir)/docs/CONFIG.md
.PHONY: config-doc
EXTRA_DIST += docs/COVERAGE.md

# The same for docs/COVERAGE.md, from the dictionary, the catalogue and the tags of the tests.
coverage-doc: tests/tools/coverage
	tests/tools/coverage $(srcdir)/tests > $(srcdir)/docs/COVERAGE.md
.PHONY: coverage-doc
