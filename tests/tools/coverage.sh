#!/bin/sh
# docs/COVERAGE.md is what the tables and the tests say: after a change of them, make coverage-doc.
"$top_builddir/tests/tools/coverage" "$srcdir/tests" | diff - "$srcdir/docs/COVERAGE.md"
