#!/bin/sh
# Manual pages: what is generated from tables is what the tables say, pages refer to pages that exist, mandoc has nothing against them; and
# the sample configurations in texts can be used.
check=$top_builddir/tests/tools/check-config
man=$srcdir/etc/man
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
between() { sed -n "/^\\.\\\\\" begin $1\$/,/^\\.\\\\\" end $1\$/p" "$2" | sed '1d;$d'; }

"$check" --man >"$dir/keys" && test -s "$dir/keys" && between keys "$man/ampgate.yaml.5" | diff - "$dir/keys" >"$dir/got"
verdict $? "ampgate.yaml(5) is what the tables say (else: make config-doc)"

sh "$man/verbs.sh" "$srcdir/gateway/manage/commands.def" >"$dir/verbs" && grep -q '^\.It Cm status$' "$dir/verbs" &&
	between verbs "$man/ampgate.1" | diff - "$dir/verbs" >"$dir/got"
verdict $? "ampgate(1) has the verbs of the table (else: make config-doc)"

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
