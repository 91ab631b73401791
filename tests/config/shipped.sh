#!/bin/sh
# What `make dist` leaves out is missed by everybody who builds from it, and by no one here. So each script among the tests is shipped, and each
# file that git has, but for those that are of use to git alone. Runs first: it is quick, and what it finds is soon mended.
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
failed=0 n=0
verdict() {
	n=$((n + 1))
	if test ! -s "$dir/missing"; then echo "ok $n - $1"; else
		echo "not ok $n - $1"
		sed 's/^/# /' "$dir/missing"
		failed=1
	fi
}
unset MAKEFLAGS MFLAGS MAKELEVEL
make -s --no-print-directory -C "$top_builddir" shipped-list >"$dir/list" || exit 99
# A folder is shipped with all that is in it.
sed -n 's/^shipped //p' "$dir/list" | while read -r name; do
	if test -d "$srcdir/$name"; then (cd "$srcdir" && find "$name" -type f); else echo "$name"; fi
done | sed 's,^\./,,' | sort -u >"$dir/shipped"
grep -q '^README.md$' "$dir/shipped" || exit 99

sed -n 's/^test \(.*\.\(sh\|js\|py\)\)$/\1/p' "$dir/list" | sort -u >"$dir/tests"
comm -23 "$dir/tests" "$dir/shipped" >"$dir/missing"
verdict "every script of TESTS is in EXTRA_DIST"

# A tree that was unpacked inside of another one's working copy has no git of its own.
if test ! -e "$srcdir/.git" || ! git -C "$srcdir" -c core.quotepath=off ls-files >"$dir/files" 2>"$dir/why"; then
	echo "ok 2 - every file in git is shipped # SKIP no git here"
	echo "1..2"
	exit $failed
fi
sort -u "$dir/files" | grep -v -x -e .gitignore -e .gitattributes >"$dir/kept"
comm -23 "$dir/kept" "$dir/shipped" >"$dir/missing"
verdict "every file in git is shipped: a source, or in EXTRA_DIST of its folder's local.mk"
comm -23 "$dir/tests" "$dir/kept" >"$dir/missing"
verdict "every script of TESTS is in git"
echo "1..$n"
exit $failed
