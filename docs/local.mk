dist_doc_DATA = README.md docs/ANSWERS.md docs/ARCHITECTURE.md docs/BALANCING.md docs/CONFIG.md docs/CONFORMANCE.md docs/GROUPS.md docs/GUARANTEES.md docs/METRICS.md docs/OUTLETS.md docs/SECURITY.md

# Writes docs/CONFIG.md and the generated parts of manual pages again, after a change of the tables: what stands between the marks
# `.\" begin WHAT` and `.\" end WHAT`.
config-doc: tests/tools/check-config
	tests/tools/check-config --doc > $(srcdir)/docs/CONFIG.md
	tests/tools/check-config --man > man-part.tmp && sh $(srcdir)/etc/man/fill.sh keys man-part.tmp $(srcdir)/etc/man/ampgate.yaml.5
	sh $(srcdir)/etc/man/verbs.sh $(srcdir)/gateway/manage/commands.def > man-part.tmp && \
		sh $(srcdir)/etc/man/fill.sh verbs man-part.tmp $(srcdir)/etc/man/ampgate.1
	rm -f man-part.tmp
	sh $(srcdir)/docs/metrics.sh $(srcdir)/gateway/http/metrics.c > metrics.tmp && mv metrics.tmp $(srcdir)/docs/METRICS.md
EXTRA_DIST += etc/man/fill.sh etc/man/verbs.sh
.PHONY: config-doc
EXTRA_DIST += docs/metrics.sh
EXTRA_DIST += docs/COVERAGE.md

# The same for docs/COVERAGE.md, from the dictionary, the catalogue and the tags of the tests.
coverage-doc: tests/tools/coverage
	tests/tools/coverage $(srcdir)/tests > $(srcdir)/docs/COVERAGE.md
.PHONY: coverage-doc

# The same for docs/CONFORMANCE.md, from our list of the standard's cases and the tags of the tests.
conformance-doc:
	srcdir=$(srcdir) sh $(srcdir)/tests/tools/conformance.sh print > conformance.new && mv conformance.new $(srcdir)/docs/CONFORMANCE.md
EXTRA_DIST += docs/conformance.txt
.PHONY: conformance-doc
