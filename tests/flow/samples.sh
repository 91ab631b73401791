#!/bin/sh
# The sample files for programs beside this one, read by those programs: the broker's list of who may do what.
broker=$(PATH=$PATH:/usr/sbin command -v mosquitto) && command -v mosquitto_pub >/dev/null && command -v mosquitto_passwd >/dev/null || exit 77
dir=$(mktemp -d) || exit 99
pid=
trap 'kill $pid 2>/dev/null; rm -rf "$dir"' EXIT
failed=0 n=0
verdict() {
	n=$((n + 1))
	if test "$1" = 0; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' "$dir/got"; failed=1; fi
}
# Below the ports of outgoing connections and above those that tests/flow/lib.js gives.
port=$(python3 - <<-'END'
	import random, socket
	while True:
	    port = random.randrange(32000, 32768)
	    with socket.socket() as s:
	        if s.connect_ex(("127.0.0.1", port)):
	            print(port)
	            break
	END
)
cp "$srcdir/etc/mosquitto/acl" "$dir/acl"
touch "$dir/passwd"
for user in depot other viewer operator; do mosquitto_passwd -b "$dir/passwd" $user secret 2>/dev/null; done
chmod 644 "$dir/passwd" "$dir/acl" && chmod 755 "$dir"
# As shipped, but for places and TLS.
sed -e "s,^listener .*,listener $port 127.0.0.1," -e '/^cafile\|^certfile\|^keyfile/d' -e "s,/etc/mosquitto/ampgate\.,$dir/," \
	"$srcdir/etc/mosquitto/ampgate.conf" >"$dir/conf"
$broker -c "$dir/conf" >"$dir/log" 2>&1 &
pid=$!
# MQTT 5 tells a publisher that it may not: the broker's word, not a wait for what does not come.
publish() { mosquitto_pub -V 5 -q 1 -p "$port" -u "$1" -P secret -t "$2" -m x >"$dir/got" 2>&1; }
tries=0
until mosquitto_pub -p "$port" -u depot -P secret -t ampgate/depot/status -m x >"$dir/got" 2>&1; do
	tries=$((tries + 1))
	test $tries -lt 200 && kill -0 $pid 2>/dev/null || { cat "$dir/log"; exit 1; }
	sleep 0.1
done
may() { publish "$1" "$2" && ! grep -qi 'not auth' "$dir/got"; verdict $? "$1 may write $2"; }
may_not() { publish "$1" "$2"; grep -qi 'not auth' "$dir/got"; verdict $? "$1 may not write $2"; }
may depot ampgate/depot/station/G-01
may depot homeassistant/device/x/config
may_not depot ampgate/other/station/G-01
may_not viewer ampgate/depot/cmd/limit.set
may operator ampgate/depot/cmd/limit.set
may_not operator ampgate/depot/status
mosquitto_pub -p "$port" -t ampgate/depot/status -m x >"$dir/got" 2>&1
test $? != 0
verdict $? "nobody without a name"
echo "1..$n"
exit $failed
