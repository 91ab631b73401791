#!/bin/sh
# The whole program on its simulated site: every EVSE served, no limit exceeded, nothing lost and nothing billed twice over an outage, a
# fail-over and a lost meter. The demo measures and judges; this holds it to its word, and to leaving nothing behind.
set -u
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAIL: $1"; cat "$dir/out"; exit 1; }

TMPDIR=$dir "$top_builddir/ampgated" --demo=25 >"$dir/out" 2>&1 || fail "the exit status is not 0"
grep -q ' PASS$' "$dir/out" || fail "no verdict that says PASS"
grep -q '^demo: 24/24 EVSEs served .* over limit 0\.0 s ' "$dir/out" || fail "the verdict's first line"
grep -q ' 7 starts, 5 stops queued, 12 delivered, 0 lost, 0 duplicates ' "$dir/out" || fail "the verdict's second line"
[ -z "$(find "$dir" -name 'ampgate-demo.*')" ] || fail "its directory is still there"

# Interrupted while it plays, it says so, fails, and leaves nothing behind either.
: >"$dir/out" # else what the first one said might be read
TMPDIR=$dir "$top_builddir/ampgated" --demo=25 >"$dir/out" 2>&1 &
pid=$!
until grep -q 'all charge' "$dir/out"; do
	kill -0 $pid 2>/dev/null || fail "it ended by itself"
done
kill -TERM $pid
wait $pid && fail "interrupted, and the exit status is 0"
grep -q '^demo: interrupted$' "$dir/out" || fail "it does not say that it was interrupted"
[ -z "$(find "$dir" -name 'ampgate-demo.*')" ] || fail "interrupted, its directory is still there"
echo "PASS: the demo"
