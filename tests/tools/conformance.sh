#!/bin/sh
# docs/CONFORMANCE.md is what docs/conformance.txt and the tags of the tests say: after a change of them, make conformance-doc.
# "print": the page itself.
page() {
	(cd "$srcdir/tests" && grep -roH --include='*.c' --include='*.js' 'OCPP [0-9.]* TC_[A-Z0-9_]*_CS' . | sed 's|^\./||' | LC_ALL=C sort) > conformance.tmp.$$
	awk -f "$srcdir/tests/tools/conformance.awk" conformance.tmp.$$ "$srcdir/docs/conformance.txt"
	status=$?
	rm -f conformance.tmp.$$
	return $status
}
if [ "$1" = print ]; then
	page
else
	page | diff - "$srcdir/docs/CONFORMANCE.md"
fi
