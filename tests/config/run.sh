#!/bin/sh
# Every file of tests/config/bad goes through the program and has to fail at the place and with the words of its first lines:
#
#   # expect LINE:COLUMN error|warning BEGINNING OF THE TEXT
#   # hint PART OF THE HINT                      (of the expectation before it)
#
# Nothing else may be reported. Files with a warning alone are usable. Output is TAP.
check=$top_builddir/tests/tools/check-config
here=$srcdir/tests/config
got=${TMPDIR:-/tmp}/ampgate-config.$$
trap 'rm -f "$got" "$got.proofs"' EXIT
unset CREDENTIALS_DIRECTORY
failed=0 n=0

# Prints what is wrong with the answer to one file; nothing when all is as expected.
compare() {
	sed -n -e '/^# expect /!{/^# hint /!q;}' -e 's/^# //p' "$1" | while read -r word place severity text; do
		case $word in
		expect)
			wanted="$1:$place: $severity: $text"
			index=$(awk -v w="$wanted" 'index($0, w) == 1 { print NR; exit }' "$got")
			test -n "$index" || echo "missing: $wanted"
			;;
		hint)
			hint="$place $severity $text"
			hint=${hint% } hint=${hint% }
			test -n "$index" && awk -v from="$index" -v h="$hint" 'NR >= from && NR <= from + 2 && index($0, h) { found = 1 } END { exit !found }' "$got" ||
				echo "missing hint: $hint"
			;;
		esac
	done
	errors=$(grep -c '^# expect [0-9:]* error' "$1") warnings=$(grep -c '^# expect [0-9:]* warning' "$1")
	grep -q "^$errors errors\{0,1\}, $warnings warnings\{0,1\}: configuration" "$got" || echo "not $errors errors and $warnings warnings"
	if test "$errors" -gt 0; then want=3; else want=0; fi
	test "$2" = "$want" || echo "exit status $2 instead of $want"
}

for file in "$here"/bad/*.yaml; do
	n=$((n + 1))
	"$check" --credentials "$here/credentials" --models "$here/models" "$file" >"$got" 2>&1
	wrong=$(compare "$file" $?)
	if grep -q hunter2 "$got"; then wrong="$wrong a password is shown"; fi
	if test -z "$wrong"; then
		echo "ok $n - ${file##*/}"
	else
		echo "not ok $n - ${file##*/}"
		{ echo "$wrong"; cat "$got"; } | sed 's/^/# /'
		failed=1
	fi
done

# Files of tests/config/good are usable as they stand; `# proof TEXT` in their first lines has to be proven.
for file in "$here"/good/*.yaml; do
	n=$((n + 1))
	"$check" --credentials "$here/credentials" --models "$here/models" "$file" >"$got" 2>&1 && wrong= || wrong="exit status $?"
	grep -q '^0 errors, 0 warnings: configuration usable' "$got" || wrong="not usable"
	sed -n 's/^# proof /proof: /p' "$file" >"$got.proofs"
	while read -r proof; do
		grep -qxF "$proof" "$got" || wrong="$wrong missing: $proof"
	done <"$got.proofs"
	if test -z "$wrong"; then
		echo "ok $n - ${file##*/}"
	else
		echo "not ok $n - ${file##*/}"
		{ echo "$wrong"; cat "$got"; } | sed 's/^/# /'
		failed=1
	fi
done
echo "1..$n"
test "$n" -gt 0 && exit $failed
