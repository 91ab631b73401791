#!/bin/sh
# The witness of the clock: its file is there while the kernel says that the clock is synchronised, and only then. The kernel's answer is
# given by a library that stands in front of it; the clock of this machine is nobody's to move.
dir=$(mktemp -d) || exit 99
witness=
trap 'kill $witness 2>/dev/null; rm -rf "$dir"' EXIT
top=$(cd "$top_builddir" && pwd)
CC=$(sed -n 's/^CC = //p' "$top/Makefile")
ASAN_OPTIONS=verify_asan_link_order=0
export ASAN_OPTIONS
cat >"$dir/kernel.c" <<'C'
#include <stdlib.h>
#include <sys/timex.h>
#include <unistd.h>
int adjtimex(struct timex *t) { (void)t; return access(getenv("SYNCHRONISED"), F_OK) == 0 ? TIME_OK : TIME_ERROR; }
C
$CC -shared -fPIC -o "$dir/kernel.so" "$dir/kernel.c" || { echo "1..0 # SKIP no shared libraries here"; exit 77; }
failed=0 n=0
verdict() {
	n=$((n + 1))
	test "$1" = 0 && echo "ok $n - $2" || { echo "not ok $n - $2"; failed=1; }
}
until_is() {
	for _ in $(seq 300); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}
testimony=$dir/run/synchronized
mkdir "$dir/run"
touch "$testimony" # of one that was killed
SYNCHRONISED=$dir/sync LD_PRELOAD=$dir/kernel.so "$top/clock-witness" "$testimony" &
witness=$!
until_is test ! -e "$testimony"
verdict $? "an old testimony goes when the clock is not synchronised"
touch "$dir/sync"
until_is test -e "$testimony"
verdict $? "the clock is synchronised: so it says"
rm "$dir/sync"
until_is test ! -e "$testimony"
verdict $? "no longer: it is taken back"
rm -r "$dir/run" && touch "$dir/sync"
wait "$witness"
test $? = 1
verdict $? "it ends where it cannot testify, for the service manager to start it again"
witness=
echo "1..$n"
exit $failed
