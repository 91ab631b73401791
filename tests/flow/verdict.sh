# For tests in shell: a folder of their own, $dir, and `verdict STATUS WHAT`, which tells what was tried and, where that failed, what is in
# $dir/got. A test ends with `echo "1..$n"; exit $failed`.
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
