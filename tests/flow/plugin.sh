#!/bin/sh
# A driver's author and the one who uses the driver: each example is built outside the tree from what `make install` puts in place, tried by
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
cp "$src"/plugins/example-*/*.c "$dir/own"
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_SYSROOT_DIR="$dir/root" PKG_CONFIG_PATH="$dir/root/usr/share/pkgconfig"
for kind in meter reader sink; do
	cp "$src/plugins/example-$kind/Makefile" "$dir/own"
	run env MAKEFLAGS= make -C "$dir/own" CC="$CC" CFLAGS="-O1 -Wall -Wextra -Werror $SANITIZE"
	verdict $? "the example of a $kind is built out of the tree"
	cp "$dir/own/example-$kind.so" "$dir/plugins"
done

# The manual's first steps: a copy under a name of its own.
mkdir "$dir/mine"
cp "$src"/plugins/example-meter/Makefile "$dir/mine"
cp "$src"/plugins/example-meter/example-meter.c "$dir/mine/my-meter.c"
sed -i s/example-meter/my-meter/g "$dir/mine/Makefile" "$dir/mine/my-meter.c"
run env MAKEFLAGS= make -C "$dir/mine" CC="$CC" CFLAGS="-O1 -Wall -Wextra -Werror $SANITIZE" && run "$top/ampgate" plugin list "$dir/mine" && says '^my-meter .* meter$'
verdict $? "a copy of it has a name of its own"

# The reading goes stale after 10 s, so somebody keeps writing it, whole each time.
reading=$dir/reading
(while :; do echo '10.0 11.0 12.5 7590 123456' >"$reading.new" && mv "$reading.new" "$reading"; sleep 1; done) &
writer=$!
while ! test -e "$reading"; do :; done

run "$top/ampgate" plugin test "$dir/own/example-meter.so" "{\"path\": \"$reading\"}"
verdict $? "the example conforms"
says '^ok .* - a sink has publish # SKIP'
verdict $? "rules for other kinds are skipped"
run env MAKEFLAGS= PATH="$top:$PATH" make -C "$dir/own" -f "$src/plugins/example-meter/Makefile" test OPTIONS="{\"path\": \"$reading\"}" && says "$reading.*}" && says 'it conforms'
verdict $? "make test takes options"
run "$top/ampgate" plugin test "$dir/own/example-meter.so" "{\"path\": \"$dir/none\"}"
test $? = 1 && says 'not ok .* - it reads its meter: .*No such file' && says '# not tried, as its device cannot be read'
verdict $? "a meter that cannot be read is named with the reason"
run "$top/ampgate" plugin list "$dir/plugins"
test $? = 0 && says '^example-meter .* meter$' && says '^example-reader .* reader$' && says '^example-sink .* sink$'
verdict $? "the list names them with their kinds"
cards=$dir/cards record=$dir/record
mkfifo "$cards"
exec 9<>"$cards" # held open, so that nobody who writes a card waits for a reader
run "$top/ampgate" plugin test "$dir/own/example-reader.so" "{\"path\": \"$cards\"}"
verdict $? "the reader conforms"
run "$top/ampgate" plugin test "$dir/own/example-sink.so" "{\"path\": \"$record\"}"
verdict $? "the sink conforms"
test "$(grep -c trial "$record")" = 3
verdict $? "and has written what it says it has"
rm -f "$record"

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

# The same for the other kinds. Those that say nothing are waited for, so all are tried at once.
worse() {
	sed "$3" "$dir/own/example-$1.c" >"$dir/$2.c"
	$CC $SANITIZE $(pkg-config --cflags ampgate) -std=c11 -fPIC -shared -o "$dir/$2.so" "$dir/$2.c" -lpthread || exit 99
	{ "$top/ampgate" plugin test "$dir/$2.so" "{\"path\": \"$4\"}" >"$dir/$2.said" 2>&1; echo "status $?" >>"$dir/$2.said"; } &
	trials="$trials $!"
	set -- "$2" "$5" "$6"
	found="$found$1|$2|$3
"
}
found= trials=
worse reader empty 's/^\tr->fault\[0\] = 0;/\t*token = 0; return 1;/' "$cards" 'not ok .*token of 1 to 36' "a card without a number"
worse reader idle 's/\.flags = AG_F_THREAD.*//' "$cards" 'not ok .*AG_F_THREAD' "a reader on the loop"
worse reader gone 's/x/x/' "$dir/none" 'not ok .* reads its reader: .*No such file' "a reader that is not there, with the reason"
worse meter hang 's/^\tm->fault\[0\] = 0;/\tfor (;;) pause();/; s/#include <time.h>/&\n#include <unistd.h>/' "$reading" \
	'not ok - it hangs: meter_poll has not returned for 15 s.*stale_after' "a poll that never ends, with the rule"
worse sink silent 's/h->sink_state(h, 1, "");//' "$record" 'not ok .* it says that it is up' "a sink that never comes"
worse sink deaf 's/s->host->sink_sent(s->host, l->mark);/;/' "$record" 'not ok .* it tells when it has' "a sink that confirms nothing"
worse sink twice 's/s->host->sink_sent(s->host, l->mark);/{ & & }/' "$record" 'not ok .* of each mark once' "a sink that confirms twice"
wait $trials
while IFS='|' read -r name wanted what; do
	test -n "$name" || continue
	cp "$dir/$name.said" "$dir/got"
	says '^status 1$' && says "$wanted"
	verdict $? "found: $what"
done <<FOUND
$found
FOUND
rm -f "$record"

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

# Files that are refused before anything of them is called at address 0.
build() { $CC $SANITIZE $(pkg-config --cflags ampgate) -std=c11 -fPIC -shared -o "$dir/plugins/$1.so" "$2"; }
refused() {
	sed "$2" "$src/tests/flow/plugin-bench.c" >"$dir/$1.c" && build "$1" "$dir/$1.c" || exit 99
	run "$top/ampgate" plugin test "$dir/plugins/$1.so" "{\"dir\": \"$dir\"}"
	test $? = 1 && says "$3"
	verdict $? "found: $4"
	rm "$dir/plugins/$1.so"
}
refused size 's/size = sizeof(plugin)/size = 16/' 'not ok .*its table is 16 bytes' "a table that is too short"
refused early 's/size = sizeof(plugin)/size = offsetof(ag_plugin, grid_poll)/' 'not ok .*function of one of its kinds is missing' "a table that ends before a function it promises"
refused unset 's/\.evse_set = .*//' 'not ok .*function of one of its kinds is missing' "a contactor that cannot be switched"
refused symbol 's/ampgate_plugin_v1/ampgate_plugin_v9/' 'not ok .*has no ampgate_plugin_v1' "no table"
refused early_crash 's/^\tstatic const ag_plugin plugin/\tabort(); &/' 'not ok - Aborted\|not ok - .*ABRT' "a crash before it gives its table"
refused init 's/struct bench \*b = calloc/abort(); &/' 'not ok - Aborted\|not ok - .*ABRT' "a crash when it is made"
refused slow 's/\.flags = AG_F_THREAD,//; s/^\tchar word/\tusleep(20000); &/; s/_POSIX_C_SOURCE 200809L/_DEFAULT_SOURCE/' \
	'not ok .*no more than 5 ms of the loop' "a poll that holds up the loop"
refused open 's/out->closed = b->limit_a > 0/out->closed = 1/' 'not ok .*0 A opens the contactor' "a contactor that does not open"

# An outlet and a grid input from one file.
build bench "$src/tests/flow/plugin-bench.c" || exit 99
mkdir "$dir/world"
echo closed >"$dir/world/contact"
run "$top/ampgate" plugin test "$dir/plugins/bench.so" "{\"dir\": \"$dir/world\"}"
verdict $? "an outlet and grid input conforms"
cat >"$dir/site.yaml" <<YAML
version: 1
plugins: {dir: $dir/plugins, load: [bench]}
circuits:
  grid: {kind: grid_connection, limit_a: 63}
evses:
  bay: {circuit: grid, driver: plugin, plugin: bench, options: {dir: $dir/world, password: between-us}, pilot: true, current_a: 16, authorize: [free]}
grid_operator:
  inputs:
    box: {kind: contact, plugin: bench, options: {dir: $dir/world}, limit_w: 5000, stale_after: 5s, poll: 200ms}
YAML
run "$top/ampgated" -c "$dir/site.yaml" --check-config
verdict $? "a configuration with both is accepted"
check 's/options: {dir: [^}]*}, pilot/options: {dri: x}, pilot/' "bad.yaml:6:.*'dri' is no option of plugin bench" "an option of an EVSE that the plugin does not know"
check 's/kind: contact, plugin: bench/kind: contact, plugin: other/' "bad.yaml:9:.*plugin 'other' is not loaded" "a grid input by a plugin that is not loaded"
check 's/pilot: true/contactor: {host: x, coil: 1}/' "bad.yaml:6:.*contactor" "a key that the driver has no use for"
check 's/driver: plugin, plugin: bench, options: {[^}]*},/driver: sim, plugin: bench,/' "bad.yaml:6:.*plugin" "a plugin beside another driver"

"$top/ampgated" -c "$dir/site.yaml" --state-dir "$dir/state2" --socket "$dir/socket" >"$dir/log" 2>&1 &
daemon=$!
# Asks again until a file or an answer has what is wanted.
until_says() {
	what=$1
	shift
	tries=0
	until run "$@" && says "$what"; do
		tries=$((tries + 1))
		test $tries -lt 600 && kill -0 $daemon 2>/dev/null || { cat "$dir/log" >>"$dir/got"; return 1; }
		sleep 0.1
	done
}
until_says '^0.0' cat "$dir/world/ordered"
verdict $? "the outlet is open as long as nobody is there"
until_says 'password: "\*\*\*"' "$top/ampgate" --socket "$dir/socket" config show && ! says between-us
verdict $? "what options call a password is shown to nobody"
touch "$dir/world/plugged"
until_says '^16.0' cat "$dir/world/ordered"
verdict $? "a car comes: it is told what it may draw"
echo open >"$dir/world/contact"
until_says '^[67]\.' cat "$dir/world/ordered"
verdict $? "the grid operator's contact opens: less"
rm "$dir/world/contact"
until_says 'cannot be read' "$top/ampgate" --socket "$dir/socket" --json grid show
verdict $? "an input that cannot be read says why"
rm "$dir/world/plugged"
until_says '^0.0' cat "$dir/world/ordered"
verdict $? "the car goes: it opens"
touch "$dir/world/plugged"
until_says '^[1-9]' cat "$dir/world/ordered"
kill $daemon && wait $daemon
run cat "$dir/world/ordered" && says '^0.0'
verdict $? "the daemon ends: it opens"
daemon=

# A card on an outlet of one's own, a record of what happens, and orders that come by a sink.
rm -rf "$dir/world"
mkdir "$dir/world"
cat >"$dir/site.yaml" <<YAML
version: 1
plugins: {dir: $dir/plugins, load: [bench, example-reader, example-sink]}
circuits:
  grid: {kind: grid_connection, limit_a: 63}
evses:
  bay:
    {circuit: grid, driver: plugin, plugin: bench, options: {dir: $dir/world}, pilot: true, current_a: 16, authorize: [local_list],
    reader: {driver: plugin, plugin: example-reader, options: {path: $cards}}}
sinks:
  record: {plugin: example-sink, options: {path: $record}}
  desk: {plugin: bench, options: {dir: $dir/world}, commands: [refresh]}
YAML
run "$top/ampgated" -c "$dir/site.yaml" --check-config
verdict $? "a configuration with a reader and two sinks is accepted"
check 's/plugin: example-reader, options/plugin: bench, options/' "bad.yaml:8:.*plugin 'bench' is no driver of card readers" "a reader that reads no cards"
check 's/reader: {driver: plugin, /&device: x, /' "bad.yaml:8:.*'device' has no effect with driver plugin" "a device beside a plugin"
check 's/plugin: example-sink/plugin: example-reader/' "bad.yaml:10:.*is no driver of sinks" "a sink that takes nothing"
check 's/  record:/  mqtt:/' "bad.yaml:10:.*another name" "a sink with the name of the broker's"
check 's/commands: .refresh./commands: [user.add]/' "bad.yaml:11:.*for administrators" "a command that is for no sink"

begin() {
	"$top/ampgated" -c "$dir/site.yaml" --state-dir "$dir/state3" --socket "$dir/socket" >"$dir/log" 2>&1 &
	daemon=$!
	until_says . "$top/ampgate" --socket "$dir/socket" status
}
client() { "$top/ampgate" --socket "$dir/socket" "$@" >/dev/null; }
begin
run "$top/ampgate" --socket "$dir/socket" token add 04AABB
verdict $? "a token is put on the list"
touch "$dir/world/plugged"
until_says '"preparing"' "$top/ampgate" --socket "$dir/socket" --json evse show bay
echo 0400FF >&9
until_says 'the token was answered Invalid' cat "$dir/log"
run cat "$dir/world/ordered" && says '^0.0'
verdict $? "a card that nobody knows starts nothing"
echo 04AABB >&9
until_says '^16.0' cat "$dir/world/ordered"
verdict $? "the reader's card that is on the list starts the outlet"
client refresh
until_says refresh_done cat "$record"
verdict $? "the record has what happens"
echo refresh >"$dir/world/ask"
client refresh
until_says '"ok":true' cat "$dir/world/answer"
verdict $? "what a sink asks for is done, as far as it may"
echo status >"$dir/world/ask"
client refresh
until_says 'forbidden' cat "$dir/world/answer"
verdict $? "and refused where it may not"

# While it cannot be written, and over a death of the daemon, nothing is lost.
mv "$record" "$record.first"
mkdir "$record"
client refresh
until_says "$record: Is a directory" cat "$dir/log"
kill -9 $daemon
wait $daemon 2>/dev/null
begin
client refresh
until_says "$record: Is a directory" cat "$dir/log"
rmdir "$record"
all() { cat "$record.first" "$record" | grep -o '"seq":[0-9]*' | cut -d : -f 2 | sort -n -u; }
last=$("$top/ampgate" --socket "$dir/socket" --json event list | tr -d '[:space:]' | grep -o '"seq":[0-9]*' | cut -d : -f 2 | sort -n | tail -n 1)
until_says "^$last\$" all
test "$(all | wc -l)" = "$((last - $(all | head -n 1) + 1))"
verdict $? "the record has every event, without a gap"
kill $daemon && wait $daemon
verdict $? "and the daemon ends in order"
daemon=

# What a driver refuses is lost, silent or out of order; everything else runs.
rm -rf "$dir/world"
mkdir "$dir/world"
cat >"$dir/site.yaml" <<YAML
version: 1
plugins: {dir: $dir/plugins, load: [bench, example-meter, example-reader]}
circuits:
  grid: {kind: grid_connection, limit_a: 63, meter: main}
  yard: {parent: grid, limit_a: 32, meter: side}
meters:
  main: {driver: plugin, plugin: example-meter, options: {path: 24555}}
  side: {driver: plugin, plugin: example-meter, options: {path: $reading}}
evses:
  bay: {circuit: grid, driver: plugin, plugin: bench, options: {dir: 3}, pilot: true, current_a: 16, authorize: [free]}
  stand:
    {circuit: yard, driver: plugin, plugin: bench, options: {dir: $dir/world}, pilot: true, current_a: 16, authorize: [local_list],
    reader: {driver: plugin, plugin: example-reader, options: {path: 5}}}
grid_operator:
  inputs:
    box: {kind: contact, plugin: bench, options: {dir: 4}, limit_w: 5000, stale_after: 5s, poll: 200ms}
sinks:
  desk: {plugin: bench, options: {dir: 6}}
YAML
run "$top/ampgated" -c "$dir/site.yaml" --check-config
test $? = 0 && says 'site.yaml:7:59: warning: plugin example-meter refuses its options: options need {"path"' &&
	says 'site.yaml:13:.*example-reader refuses' && says 'site.yaml:16:.*bench refuses'
verdict $? "options that a driver refuses are warned of, with their place"
"$top/ampgated" -c "$dir/site.yaml" --state-dir "$dir/state4" --socket "$dir/socket" >"$dir/log" 2>&1 &
daemon=$!
until_says '^main .*cannot be started: options need' "$top/ampgate" --socket "$dir/socket" meter list
verdict $? "a refused meter says why there is nothing"
until_says '^side  *ok .*12.5' "$top/ampgate" --socket "$dir/socket" meter list
verdict $? "the other meter is read"
until_says 'meter main is lost: cannot be started: options need .* fallback is in force' cat "$dir/log"
verdict $? "the refused one is lost, and its fallback in force"
until_says '"meter.lost"' "$top/ampgate" --socket "$dir/socket" --json event list
verdict $? "with an event"
until_says '"faulted"' "$top/ampgate" --socket "$dir/socket" --json evse show bay
verdict $? "a refused outlet reports a fault"
until_says '^0.0' cat "$dir/world/ordered"
verdict $? "the other outlet runs"
until_says 'cannot be started: options need' "$top/ampgate" --socket "$dir/socket" --json grid show
verdict $? "a refused input says why"
run cat "$dir/log" && says 'desk cannot be started: options need' && says 'card reader example-reader cannot be started: options need'
verdict $? "a refused sink and a refused reader are named"
kill $daemon && wait $daemon
verdict $? "and the daemon ends in order"
daemon=
echo "1..$n"
exit $failed
