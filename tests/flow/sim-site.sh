#!/bin/sh
# A simulated day of a sample site keeps every circuit, is the same twice with one seed and another with another, and is decided again from its
# decision log. A circuit that cannot be kept is told.
ampgate=$top_builddir/ampgate
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
failed=0 n=0
verdict() {
	n=$((n + 1))
	if test "$1" = 0; then echo "ok $n - $2"; else
		echo "not ok $n - $2"
		sed 's/^/# /' "$dir/got"
		failed=1
	fi
}
simulate() { "$ampgate" sim site -c "$srcdir/etc/examples/garage24.yaml" --hours 12 --sessions 3 "$@"; }

simulate --seed 7 --dim 8-10 --record "$dir/day.jsonl" >"$dir/got"
verdict $? "half a day of garage24, dimmed for two hours, keeps every circuit"
test "$(grep -c ' kept$' "$dir/got")" = 5 && grep -Eq '^[1-9][0-9]+ sessions, ' "$dir/got"
verdict $? "all five circuits are told, and cars came"
grep -v 'times as fast' "$dir/got" >"$dir/first"
simulate --seed 7 --dim 8-10 | grep -v 'times as fast' | diff - "$dir/first" >"$dir/got"
verdict $? "the same seed is the same day"
simulate --seed 8 --dim 8-10 | grep -v 'times as fast' | cmp -s - "$dir/first"
test $? = 1
verdict $? "another seed is another day"
"$ampgate" balance --replay "$dir/day.jsonl" >"$dir/got" && grep -q ' 43200 ticks, .* 0 different$' "$dir/got"
verdict $? "its decision log is decided again, the same"
printf 'version: 1\ncircuits: {grid: {kind: grid_connection, limit_a: 10, fuse: {type: B, rating_a: 10}}}\n' >"$dir/small.yaml"
"$ampgate" sim site -c "$dir/small.yaml" --hours 24 --building 99 >"$dir/got"
test $? = 1 && grep -q '^grid .*fuse at .* NOT KEPT$' "$dir/got"
verdict $? "a building that is too much for its fuse is told"
echo "1..$n"
exit $failed
