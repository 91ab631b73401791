#!/bin/sh
# usage: package.sh DIRECTORY      `make check-package`
# The package in DIRECTORY, as an administrator meets it: lintian, what the service may do by systemd's own count, and installing, upgrading
# and purging in a Debian of its own. BARE names a directory with such a system to copy; without it debootstrap fetches one. The root has no
# running systemd: the daemon is started the way the unit says, as the unit's user.
where=$(cd "$1" && pwd) || exit 99
package=$(ls "$where"/ampgate_*.deb) || exit 99
test "$(id -u)" = 0 || { echo "1..0 # SKIP needs root"; exit 77; }
command -v debootstrap >/dev/null || { echo "1..0 # SKIP debootstrap is missing"; exit 77; }
dir=$(mktemp -d) || exit 99
root=$dir/root daemon=
clean() {
	test -z "$daemon" || kill "$daemon" 2>/dev/null
	umount "$root/proc" 2>/dev/null
	rm -rf "$dir"
}
trap clean EXIT
trap 'exit 99' INT TERM
failed=0 n=0
verdict() {
	n=$((n + 1))
	if test "$1" = 0; then echo "ok $n - $2"; else
		echo "not ok $n - $2"
		tail -n 40 "$dir/got" | sed 's/^/# /'
		failed=1
	fi
}
inside() { DEBIAN_FRONTEND=noninteractive chroot "$root" "$@" >"$dir/got" 2>&1; }

# What systemd and lintian say of the package itself.
if command -v lintian >/dev/null; then
	lintian --fail-on error,warning --tag-display-limit 0 "$package" >"$dir/got" 2>&1
	verdict $? "lintian has neither errors nor warnings"
else
	echo "# lintian is missing: not asked"
fi
dpkg-deb -x "$package" "$dir/files"
unit=$(find "$dir/files" -path "*/systemd/system/ampgate.service")
systemd-analyze security --offline=true --threshold=16 "$unit" >"$dir/got" 2>&1
verdict $? "systemd counts an exposure of 1.6 or less: $(sed -n 's/.*Overall exposure level for [^:]*: //p' "$dir/got")"

if test -n "$BARE"; then
	cp -a "$BARE" "$root"
else
	debootstrap --variant=minbase bookworm "$root" >"$dir/got" 2>&1
fi
verdict $? "a bare Debian"
mount -t proc proc "$root/proc" 2>/dev/null
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" && chmod +x "$root/usr/sbin/policy-rc.d"
cp /etc/resolv.conf "$root/etc/resolv.conf"
# The way of this machine to its mirror serves the new one as well.
grep -ls Acquire /etc/apt/apt.conf.d/* | while read -r f; do cp -n "$f" "$root/etc/apt/apt.conf.d/"; done
cp "$package" "$root/ampgate.deb"

inside apt-get -q update && inside apt-get -q install -y --no-install-recommends /ampgate.deb
verdict $? "apt installs it with what it needs"
inside id _ampgate
verdict $? "its user is made"
inside sh -c 'test -e /etc/systemd/system/multi-user.target.wants/ampgate.service'
verdict $? "the service is enabled"
test "$(stat -c '%a %u' "$root/etc/ampgate/credentials")" = "700 0"
verdict $? "secrets are for root alone"

start() {
	# RuntimeDirectory= and StateDirectory= of the unit.
	inside install -d -o _ampgate -g ampgate -m 0755 /run/ampgate
	inside install -d -o _ampgate -g ampgate -m 0700 /var/lib/ampgate
	chroot --userspec=_ampgate:ampgate "$root" /usr/sbin/ampgated --state-dir /var/lib/ampgate >"$dir/daemon" 2>&1 &
	daemon=$!
	tries=0
	while ! inside ampgate version && kill -0 "$daemon" 2>/dev/null && test $tries -lt 300; do
		tries=$((tries + 1))
		sleep 0.1
	done
}
stop() {
	kill "$daemon" && wait "$daemon"
	status=$?
	daemon=
	return $status
}

# The configuration as shipped has the ports of a real box: the test takes free ones.
for port in 8887 8443 9464; do
	free=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	sed -i "s/port: $port/port: $free/" "$root/etc/ampgate/ampgate.yaml"
done
start
inside ampgate status
verdict $? "the daemon starts as its user and answers"
inside ampgate token add 04AABBCC
verdict $? "it keeps what it is told"
stop
verdict $? "it ends in order"

dpkg-deb -R "$package" "$dir/next"
sed -i 's/^Version: .*/&+next/' "$dir/next/DEBIAN/control"
echo '# of the next version' >>"$dir/next/etc/ampgate/ampgate.yaml"
(cd "$dir/next" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | xargs -0 md5sum >DEBIAN/md5sums)
dpkg-deb -b "$dir/next" "$root/next.deb" >"$dir/got" 2>&1
inside apt-get -q install -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold /next.deb
verdict $? "apt upgrades it"
grep -q "port: $free" "$root/etc/ampgate/ampgate.yaml" && test -e "$root/etc/ampgate/ampgate.yaml.dpkg-dist"
verdict $? "the administrator's configuration stays, the new one lies beside it"
start
inside ampgate --json token list && grep -q '"accepted"\|"Accepted"' "$dir/got"
verdict $? "what was kept is there after the upgrade"
stop

inside apt-get -q remove -y ampgate
test ! -e "$root/usr/sbin/ampgated" -a -e "$root/etc/ampgate/ampgate.yaml" -a -d "$root/var/lib/ampgate"
verdict $? "removing leaves configuration and books"
inside apt-get -q purge -y ampgate
verdict $? "apt purges it"
left=$(find "$root/etc" "$root/var/lib/ampgate" "$root/usr" -name '*ampgate*' ! -path "*/doc/*" 2>/dev/null)
echo "$left" >"$dir/got"
test -z "$left"
verdict $? "nothing of it is left"
echo "1..$n"
exit $failed
