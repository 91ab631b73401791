#!/bin/sh
# A simulated day of a sample site keeps every circuit, is the same twice with one seed and another with another, and is decided again from its
# decision log. A circuit that cannot be kept is told. Schedules, tariffs and the grid operator's inputs of the file limit it.
ampgate=$top_builddir/ampgate
. "$srcdir/tests/flow/verdict.sh"
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

# A Monday: the schedule of workdays holds and that of Saturday does not, by the site's clock; and in the dear hours, and with a contact closed, then lost.
{ cat "$srcdir/etc/examples/garage24.yaml"; cat <<'END'; } >"$dir/ruled.yaml"
schedules:
  evening: {circuit: grid, days: [mon, tue, wed, thu, fri], from: "17:00", to: "20:00", charging_w: 9000}
  weekend: {circuit: grid, days: [sat], charging_w: 5000}
tariffs:
  spot: {circuit: grid, above: 30, charging_w: 12000, prices: [{from: "00:00", price: 20}, {from: "07:00", price: 35}, {from: "09:00", price: 25}]}
END
"$ampgate" sim site -c "$dir/ruled.yaml" --sessions 6 --grid box=closed@10-12 --grid box=lost@13-14 --record "$dir/ruled.jsonl" >"$dir/got"
verdict $? "a day with rules keeps every circuit"
held() { # of the rule $1: held $2 hours, and no more than $3 kW were charged, but some
	awk -v rule="$1" -v hours="$2" -v most="$3" '$1 " " $2 == rule && $4 == hours && $8 <= most && $8 > 1 { found = 1 } END { exit !found }' "$dir/got"
}
held "schedule evening" 3.0 9.0 && ! grep -q weekend "$dir/got"
verdict $? "a schedule holds on its days, in its hours"
held "tariff spot" 2.0 12.0
verdict $? "a tariff holds while energy is dear"
held "grid_operator box" 3.0 48
verdict $? "a contact is obeyed while it is closed, and its fail-safe while it is lost"
"$ampgate" balance --replay "$dir/ruled.jsonl" >"$dir/got" && grep -q ' 86400 ticks, .* 0 different$' "$dir/got"
verdict $? "a day with rules is decided again, the same"
"$ampgate" sim site -c "$dir/ruled.yaml" --grid box=5000@1-2 2>"$dir/got"
test $? = 2 && grep -q "box is said 'closed'" "$dir/got"
verdict $? "a contact cannot say watts"
"$ampgate" sim site -c "$dir/ruled.yaml" --grid other=closed@1-2 2>"$dir/got"
test $? = 2 && grep -q "has no input 'other'" "$dir/got"
verdict $? "an input that is not there is told"
echo "1..$n"
exit $failed
