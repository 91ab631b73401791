EXTRA_DIST += docs/CONFIG.md

# Writes docs/CONFIG.md from the tables again, after a change of them.
config-doc: tests/tools/check-config
	tests/tools/check-config --doc > $(srcdir)/docs/CONFIG.md
.PHONY: config-doc
