#!/bin/sh
# A driver's author and the one who uses the driver: the example is built outside the tree from what `make install` puts in place, tried by
# `ampgate plugin test`, and read by the daemon. Drivers that break a rule are named with the rule.
dir=$(mktemp -d) || exit 99
daemon= writer=
trap 'kill $daemon $writer 2>/dev/null; rm -rf "$dir"' EXIT
top=$(cd "$top_builddir" && pwd)
src=$(cd "$srcdir" && pwd)
CC=$(sed -n 's/^CC = //p' "$top/Makefile")
SANITIZE=$(sed -n 's/^AMPGATE_CFLAGS = .*\(-fsanitize=[^ ]*\).*/\1/p' "$top/Makefile")
failed=0 n=0
verdict() {
	n=$((n + 1))
	if test "$1" = 0; then echo "ok $n - $2"; else
		echo "not ok $n - $2"
		tail -n 40 "$dir/got" | sed 's/^/# /'
		failed=1
	fi
}
run() { "$@" >"$dir/got" 2>&1; }
says() { grep -q "$1" "$dir/got"; }
umask 022

# The .pc file that is there was made for the directories of this build, and the next one is to be again.
rm -f "$top/etc/ampgate.pc"
run env MAKEFLAGS= make -C "$top" install-pluginincludeHEADERS install-pkgconfigDATA DESTDIR="$dir/root" prefix=/usr exec_prefix=/usr
verdict $? "header and pkg-config file are installed"
rm -f "$top/etc/ampgate.pc"
mkdir "$dir/own" "$dir/plugins"
cp "$src"/plugins/example-meter/* "$dir/own"
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_SYSROOT_DIR="$dir/root" PKG_CONFIG_PATH="$dir/root/usr/share/pkgconfig"
run env MAKEFLAGS= make -C "$dir/own" CC="$CC" CFLAGS="-O1 -Wall -Wextra -Werror $SANITIZE"
verdict $? "the example is built out of the tree"
cp "$dir/own/example-meter.so" "$dir/plugins"

# The reading goes stale after 10 s, so somebody keeps writing it, whole each time.
reading=$dir/reading
(while :; do echo '10.0 11.0 12.5 7590 123456' >"$reading.new" && mv "$reading.new" "$reading"; sleep 1; done) &
writer=$!
while ! test -e "$reading"; do :; done

run "$top/ampgate" plugin test "$dir/own/example-meter.so" "{\"path\": \"$reading\"}"
verdict $? "the example conforms"
run "$top/ampgate" plugin test "$dir/own/example-meter.so" "{\"path\": \"$dir/none\"}"
test $? = 1 && says 'not ok .* - it reads its meter: .*No such file'
verdict $? "a meter that cannot be read is named with the reason"
run "$top/ampgate" plugin list "$dir/plugins"
test $? = 0 && says '^example-meter .* meter$'
verdict $? "the list names it with its kind"

# Each of these breaks one rule: the lines are put in place of the example's.
broken() {
	sed "$2" "$dir/own/example-meter.c" >"$dir/$1.c"
	$CC $SANITIZE $(pkg-config --cflags ampgate) -std=c11 -fPIC -shared -o "$dir/$1.so" "$dir/$1.c" || exit 99
	run "$top/ampgate" plugin test "$dir/$1.so" "{\"path\": \"$reading\"}"
	test $? = 1 && says "$3"
	verdict $? "found: $4"
}
broken abi 's/abi = AMPGATE_PLUGIN_ABI/abi = 99/' 'not ok .*ABI 99' "another ABI"
broken nan 's/out->valid = .*/out->valid = AG_I; out->i_a[0] = 1.0 \/ (out->i_a[1] - 11.0);/' 'not ok .* - what is valid is a number' "a value that is no number"
broken mark 's/out->valid = .*/;/' 'not ok .* - what is valid is marked' "nothing marked as valid"
broken crash 's/out->valid = .*/abort();/' 'not ok - Aborted\|not ok - .*ABRT' "a crash"
broken licence 's/\.license = .*//' 'not ok .* licence' "no licence"
broken leak 's/struct meter \*m = calloc/(void)fopen("\/dev\/null", "r"); &/' \
	'not ok .* - unmaking closes its files' "files that stay open"

cat >"$dir/site.yaml" <<YAML
version: 1
plugins: {dir: $dir/plugins, load: [example-meter]}
circuits:
  grid: {kind: grid_connection, limit_a: 63, meter: main}
meters:
  main: {driver: plugin, plugin: example-meter, options: {path: $reading}}
YAML
run "$top/ampgated" -c "$dir/site.yaml" --check-config
verdict $? "a configuration with it is accepted"
check() {
	sed "$1" "$dir/site.yaml" >"$dir/bad.yaml"
	run "$top/ampgated" -c "$dir/bad.yaml" --check-config
	test $? = 3 && says "$2"
	verdict $? "refused: $3"
}
check 's/options: {path/options: {paht/' "bad.yaml:6:.*'paht' is no option of plugin example-meter" "an option that the plugin does not know"
check 's/plugin: example-meter/plugin: other/' "bad.yaml:6:.*plugin 'other' is not loaded" "a plugin that is not loaded"
check 's/load: .example-meter./load: [nothing]/' "bad.yaml:2:.*plugin 'nothing' cannot be loaded" "a file that is not there"
chmod g+w "$dir/plugins/example-meter.so"
check 's/^$//' 'can be written by others' "a file that others can write"
chmod g-w "$dir/plugins/example-meter.so"

"$top/ampgated" -c "$dir/site.yaml" --state-dir "$dir/state" --socket "$dir/socket" >"$dir/log" 2>&1 &
daemon=$!
tries=0
until run "$top/ampgate" --socket "$dir/socket" --json meter list && says '12.5'; do
	tries=$((tries + 1))
	test $tries -lt 600 && kill -0 $daemon 2>/dev/null || break
	sleep 0.1
done
says '12.5' || cp "$dir/log" "$dir/got"
says '12.5'
verdict $? "the daemon reads its meter by it"
kill $daemon && wait $daemon
verdict $? "and ends in order"
daemon=
echo "1..$n"
exit $failed
