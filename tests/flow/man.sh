#!/bin/sh
# Manual pages: what is generated from tables is what the tables say, pages refer to pages that exist, mandoc has nothing against them; and
# the sample configurations in texts can be used.
check=$top_builddir/tests/tools/check-config
man=$srcdir/etc/man
. "$srcdir/tests/flow/verdict.sh"
between() { sed -n "/^\\.\\\\\" begin $1\$/,/^\\.\\\\\" end $1\$/p" "$2" | sed '1d;$d'; }

"$check" --man >"$dir/keys" && test -s "$dir/keys" && between keys "$man/ampgate.yaml.5" | diff - "$dir/keys" >"$dir/got"
verdict $? "ampgate.yaml(5) is what the tables say (else: make config-doc)"

sh "$man/verbs.sh" "$srcdir/gateway/manage/commands.def" >"$dir/verbs" && grep -q '^\.It Cm status$' "$dir/verbs" &&
	between verbs "$man/ampgate.1" | diff - "$dir/verbs" >"$dir/got"
verdict $? "ampgate(1) has the verbs of the table (else: make config-doc)"

sh "$srcdir/docs/metrics.sh" "$srcdir/gateway/http/metrics.c" | diff - "$srcdir/docs/METRICS.md" >"$dir/got"
verdict $? "METRICS.md has the families of the table (else: make config-doc)"

# "station.list" in the table is `ampgate station list` for people.
"$top_builddir/ampgate" --help >"$dir/help"
sed -n 's/^VERB("\([a-z.]*\)".*/\1/p' "$srcdir/gateway/manage/commands.def" | while read -r verb; do
	noun=${verb%%.*} word=${verb#*.}
	grep -Eq "(^|  )$noun ?.*" "$dir/help" && grep -q "$word" "$dir/help" || echo "ampgate --help lacks $verb"
	awk -v noun="$noun" -v word="$word" '/^\.Sh VERBS/ { exit } /Cm / && index($0, noun) && index($0, word) { found = 1 }
		END { exit !found }' "$man/ampgate.1" || echo "ampgate(1) has no command for $verb"
done >"$dir/got"
test ! -s "$dir/got"
verdict $? "each verb is a command that the client and its manual name"

for shell in bash zsh; do
	"$top_builddir/ampgate" completion $shell | sed "s/^\t*local .*text='\|^\t*local verbs='//" >"$dir/$shell"
	test -s "$dir/$shell" || echo "no completion for $shell"
done >"$dir/got"
sed -n 's/^VERB("\([a-z.-]*\)".*/\1/p' "$srcdir/gateway/manage/commands.def" | while read -r verb; do
	words=$(echo "$verb" | tr . ' ')
	for shell in bash zsh; do grep -qx "$words'\{0,1\}" "$dir/$shell" || echo "the completion for $shell lacks $words"; done
	"$top_builddir/ampgate" help $words 2>&1 | grep -q "^$verb\( \|$\)" || echo "ampgate help $words lacks it"
done >>"$dir/got"
test ! -s "$dir/got"
verdict $? "each verb is in the completion of both shells and explained by help"

# What the client does beside verbs: rows of its table.
sed -n 's/^\t{ "\([a-z-]*\)", \(NULL\|"[a-z-]*"\), [a-z_]*, \(true\|false\) },$/\1 \2/p' "$srcdir/gateway/ctl/ctl.c" | tr -d '"' | sed 's/ NULL//' >"$dir/commands"
test "$(wc -l <"$dir/commands")" -gt 20 || echo "the client's table was not found" >"$dir/got"
while read -r command; do
	grep -q "Cm $command\( \|$\)" "$man/ampgate.1" || echo "ampgate(1) lacks $command"
	grep -q "^$command'\{0,1\}$\|^$command [a-z]" "$dir/bash" || echo "the completion lacks $command"
done <"$dir/commands" >>"$dir/got"
test ! -s "$dir/got"
verdict $? "each command of the client is in its manual and its completion"

# Members, not what they are handed.
for member in $(sed -n 's/^\t[a-z].*(\*\([a-z_]*\))(.*/\1/p' "$srcdir/base/plugin.h" | grep -v '^fn$\|^reply$'); do
	grep -q "F[an] $member\|$member" "$man/ampgate-plugin.3" || echo "ampgate-plugin(3) lacks $member"
done >"$dir/got"
test ! -s "$dir/got"
verdict $? "each function of a plugin and of its host is in the manual"

for page in "$man"/*.[1-9]; do
	sed -n 's/^\.Xr \([a-z.-]*\) \([1-9]\).*/\1.\2/p' "$page" | while read -r named; do
		test -f "$man/$named" || echo "${page##*/} refers to $named"
	done
done >"$dir/got"
test ! -s "$dir/got"
verdict $? "pages refer to pages that are there"

mkdir "$dir/credentials"
for i in 01 02 03 04; do
	for use in station uplink; do echo a-password-of-some-length >"$dir/credentials/$use-G-$i"; done
done
sed -n '/^```yaml$/,/^```$/p' "$srcdir/README.md" | grep -v '^```' >"$dir/readme.yaml"
sed -n '/^version: 1$/,/^\.Ed$/p' "$man/ampgate.yaml.5" | grep -v '^\.Ed' >"$dir/manual.yaml"
for sample in readme manual; do
	test -s "$dir/$sample.yaml" &&
		"$check" --credentials "$dir/credentials" --models "$srcdir/etc/models" "$dir/$sample.yaml" >"$dir/got"
	verdict $? "the sample in the $sample is usable"
done

if command -v mandoc >/dev/null; then
	# Whether other pages are installed is not mandoc's to say here, and a line of a page's source may be as long as it likes.
	for page in "$man"/*.[1-9]; do mandoc -Tlint "$page"; done | grep -v -e 'referenced manual not found' -e 'text line longer than' >"$dir/got"
	test ! -s "$dir/got"
	verdict $? "mandoc finds nothing"
else
	n=$((n + 1))
	echo "ok $n - mandoc finds nothing # SKIP no mandoc here"
fi
echo "1..$n"
exit $failed
