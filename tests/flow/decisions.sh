#!/bin/sh
# What the balancer decides on standard input can be recorded, and is decided again from that to the same bits. A record that was changed is
# told with its line; a file that cannot be written is told, and does not keep anybody from the answers.
ampgate=$top_builddir/ampgate
. "$srcdir/tests/flow/verdict.sh"
# Two sites one after the other: three cars come and take more by and by, the building moves, a cap comes and goes, one station loses its link.
session() {
	awk 'function site(limit) {
		printf "{\"type\":\"hello\",\"v\":1,\"period_s\":5,\"dc_amps_per_kw\":1.5,\"nodes\":[{\"id\":\"grid\",\"parent\":null,\"limit_a\":[%d,%d,%d],\"metered\":true}],\"evses\":[", limit, limit, limit
		for (i = 1; i <= 3; i++)
			printf "%s{\"id\":\"G-%d\",\"node\":\"grid\",\"kind\":\"ac\",\"lines\":[0,1,2],\"min\":6,\"max\":32,\"failsafe\":6,\"failsafe_after_s\":60}", (i > 1 ? "," : ""), i
		print "]}"
	}
	BEGIN {
		for (round = 0; round < 2; round++) {
			site(round ? 63 : 40)
			for (k = 1; k <= 60; k++) {
				base = 3 + (k * 7) % 5; drawn = k > 4 ? 6 + k % 3 : 0
				printf "{\"type\":\"state\",\"t\":%d,\"seq\":%d,%s\"meters\":[{\"node\":\"grid\",\"i\":[%.3f,%.3f,%.3f],\"age\":0.4,\"ok\":%s}],\"evses\":[", k * 5, k,
					(k > 20 && k < 30 ? "\"caps\":[{\"node\":\"grid\",\"limit_a\":[20,20,20]}]," : ""), base + 3 * drawn, base + 3 * drawn + 0.25, base + 3 * drawn, (k == 40 ? "false" : "true")
				for (i = 1; i <= 3; i++)
					printf "%s{\"id\":\"G-%d\",\"set\":%d,\"on\":%s,\"st\":\"%s\",\"sess\":\"s%d\",\"i\":[%g,%g,%g],\"age\":0.2}", (i > 1 ? "," : ""), i, drawn, (i == 2 && k > 45 ? "false" : "true"), (k > 4 ? "C" : "B"), i, drawn, drawn, drawn
				print "]}"
			}
		}
		print "{\"type\":\"bye\"}"
	}'
}
session >"$dir/in"

"$ampgate" balance --stdio --record "$dir/log" <"$dir/in" >"$dir/out" 2>"$dir/got"
verdict $? "a session is recorded"
"$ampgate" balance --stdio <"$dir/in" 2>"$dir/got" | cmp - "$dir/out" >>"$dir/got" 2>&1
verdict $? "its answers are those without a record"
"$ampgate" balance --replay "$dir/log" >"$dir/got" && grep -Eq ' 120 ticks, [1-9][0-9]+ decisions: 0 different$' "$dir/got"
verdict $? "both sites are decided again, the same"
test "$(grep -c '"in":"open"' "$dir/log")" = 2 && ! grep -q '"in":"known"' "$dir/log"
verdict $? "the record is one of every build: nothing in it but what was told"

line=$(grep -n '"out":"limit"' "$dir/log" | tail -n 1 | cut -d: -f1)
sed "$line"'s/"ma":[0-9]*/"ma":1234/' "$dir/log" >"$dir/other"
"$ampgate" balance --replay "$dir/other" >"$dir/got"
test $? = 1 && grep -q ': 1 different$' "$dir/got" && grep -q "^first: line $line, tick .* recorded EVSE . 1234 mA" "$dir/got"
verdict $? "an order that was changed is told with its line"
line=$(grep -n '"out":"limit"' "$dir/log" | sed -n 20p | cut -d: -f1)
sed "$line"d "$dir/log" >"$dir/other"
"$ampgate" balance --replay "$dir/other" >"$dir/got"
test $? = 1 && grep -q "^first: line $line, tick .* recorded " "$dir/got"
verdict $? "and so is one that is missing"
line=$(grep -n '"in":"meter"' "$dir/log" | sed -n 30p | cut -d: -f1)
sed "$line"'s/"in"/in/' "$dir/log" >"$dir/other"
"$ampgate" balance --replay "$dir/other" >/dev/null 2>"$dir/got"
test $? = 1 && grep -q "other: line $line: not a line of a decision log" "$dir/got"
verdict $? "a line that is none is told by its number"

"$ampgate" balance --stdio --record "$dir/no/log" <"$dir/in" >"$dir/out" 2>"$dir/got"
test $? = 1 && test ! -s "$dir/out" && grep -q "no/log: No such file or directory" "$dir/got"
verdict $? "a file that cannot be opened is told before anything is decided"
if test -w /dev/full; then
	"$ampgate" balance --stdio <"$dir/in" >"$dir/want"
	"$ampgate" balance --stdio --record /dev/full <"$dir/in" >"$dir/out" 2>"$dir/got"
	test $? = 1 && grep -q '/dev/full: not all of the decision log could be written' "$dir/got" && cmp -s "$dir/want" "$dir/out"
	verdict $? "a disk that is full is told at the end, and everybody has had his answer"
fi
"$ampgate" balance --stdio --recrd "$dir/log" </dev/null 2>"$dir/got"
test $? = 2 && grep -q -e '--record FILE' "$dir/got"
verdict $? "another option is refused"
echo "1..$n"
exit $failed
