#!/bin/sh
# usage: systemd.sh DIRECTORY      part of `make check-package`
# The package in DIRECTORY in a Debian that runs: a root of its own by debootstrap, booted by systemd-nspawn with a network of its own. Install,
# start, crash, hang, bad configuration, upgrade, reboot, remove and purge, as the service manager sees them. BOOTABLE names a directory with
# such a system to copy; without it debootstrap fetches one. Needs root and minutes.
where=$(cd "$1" && pwd) || exit 99
package=$(ls "$where"/ampgate_*.deb) || exit 99
skip() { echo "1..0 # SKIP $1"; exit 77; }
test "$(id -u)" = 0 || skip "needs root"
for program in debootstrap systemd-nspawn nsenter; do
	command -v $program >/dev/null || skip "$program is missing"
done
dir=$(mktemp -d) || exit 99
root=$dir/root nspawn= init=
clean() {
	test -z "$nspawn" || { kill -KILL "$nspawn" 2>/dev/null; wait "$nspawn" 2>/dev/null; }
	test -n "$KEEP" && echo "# kept for a look: $dir" || rm -rf "$dir"
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
# In the system that runs; what it says is in $dir/got.
vm() { nsenter -t "$init" -a env DEBIAN_FRONTEND=noninteractive "$@" >"$dir/got" 2>&1; }
property() { nsenter -t "$init" -a systemctl show ampgate.service -p "$1" --value; }
# Asks again until the answer pleases, for a minute and more.
until_is() {
	for _ in $(seq 300); do
		vm "$@" && return 0
		sleep 0.2
	done
	return 1
}
other_process() { test "$(property MainPID)" -gt 0 && test "$(property MainPID)" != "$1"; }
new_process() {
	for _ in $(seq 300); do
		other_process "$1" && running && return 0
		sleep 0.2
	done
	return 1
}
running() { until_is sh -c 'systemctl is-active -q ampgate && ampgate status'; }

prepare() {
	if test -n "$BOOTABLE"; then cp -a "$BOOTABLE" "$root"; else
		debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,udev bookworm "$root" || return 1
	fi
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	# The way of this machine to its mirror serves the new one as well. What the package needs is fetched now: the system runs without a network.
	grep -ls Acquire /etc/apt/apt.conf.d/* | while read -r f; do cp -n "$f" "$root/etc/apt/apt.conf.d/"; done
	cp "$package" "$root/ampgate.deb"
	chroot "$root" sh -c 'apt-get -q update && apt-get -q install -y --no-install-recommends --download-only /ampgate.deb'
}

boot() {
	systemd-nspawn -D "$root" --boot --register=no --keep-unit --private-network --machine=ampgate --console=pipe >"$dir/console" 2>&1 </dev/null &
	nspawn=$!
	for _ in $(seq 300); do
		init=$(pgrep -P "$nspawn" | head -n 1)
		state=$(test -n "$init" && nsenter -t "$init" -a systemctl is-system-running 2>/dev/null)
		case $state in running | degraded) return 0 ;; esac
		kill -0 "$nspawn" 2>/dev/null || return 1
		sleep 0.2
	done
	return 1
}
shut_down() {
	vm systemctl poweroff
	wait "$nspawn"
	nspawn=
}

prepare >"$dir/got" 2>&1
verdict $? "a bare Debian with systemd"
boot || skip "systemd does not start here: $(tail -n 1 "$dir/console")"
install="apt-get -q install -y --no-install-recommends"


vm $install /ampgate.deb
verdict $? "apt installs it on the running system"
running
verdict $? "it runs at once, and is ready when systemd says so"
test $failed = 0 || exit 1
test "$(property UnitFileState)" = enabled && vm sh -c 'systemctl --failed --no-legend | grep . && exit 1 || exit 0'
verdict $? "enabled, and nothing else has failed"
vm sh -c 'stat -c "%U %G" /proc/$(systemctl show ampgate -p MainPID --value)'
grep -q "^_ampgate  *ampgate" "$dir/got"
verdict $? "as its own user: $(cat "$dir/got")"
vm systemd-analyze security --threshold=16 ampgate.service
verdict $? "systemd counts an exposure of 1.6 or less: $(sed -n 's/.*Overall exposure level for [^:]*: //p' "$dir/got")"
until_is sh -c 'systemctl status --no-pager ampgate | grep "Status: .*stations, .*uplinks up, queue"'
verdict $? "systemctl status says how things are:$(sed -n 's/.*Status://p' "$dir/got")"
vm sh -c 'journalctl -b -u ampgate -o json --no-pager | grep "\"PRIORITY\":\"4\"" | grep -q "clock"'
verdict $? "journald has its lines with their levels"
vm runuser -u nobody -- ampgate status
test $? != 0
verdict $? "who is not in the group ampgate cannot ask it"
vm runuser -u nobody -g ampgate -- ampgate status
verdict $? "who is in the group can"

# The clock: the sandbox forbids the question, so a witness outside of it has the answer.
vm sh -c 'ampgate status | grep "clock not trusted"'
verdict $? "nobody vouches for the clock: it says so"
vm systemctl is-active ampgate-clock.service
verdict $? "the witness of the clock runs"
vm systemctl stop ampgate-clock.service && vm mkdir -p /run/ampgate-clock && vm touch /run/ampgate-clock/synchronized
until_is sh -c 'ampgate status | grep "clock trusted"'
verdict $? "a synchronised clock is known through the sandbox"
vm rm -r /run/ampgate-clock
vm systemctl start ampgate-clock.service
verdict $? "and the witness comes back"

# Secrets come by the service manager.
vm sh -c 'umask 077; printf secret-of-S-01 >/etc/ampgate/credentials/s01; printf "stations:\n  S-01: {circuit: grid, password: \"cred:s01\"}\n" >>/etc/ampgate/ampgate.yaml; systemctl restart ampgate'
running && vm sh -c 'ampgate --json station list | grep S-01'
verdict $? "a secret that only root can read serves a station's password"

# Configuration.
vm sh -c 'echo "circuits_: {}" >>/etc/ampgate/ampgate.yaml; systemctl reload ampgate'
test $? != 0 && vm ampgate status
verdict $? "a reload with a bad file fails, and the daemon goes on"
vm systemctl restart ampgate && until_is sh -c 'systemctl is-active -q ampgate && ampgate status' && vm sh -c 'ampgate health; journalctl -b -u ampgate --no-pager | grep circuits_'
verdict $? "a start with a bad file comes up all the same, with the last good one"
vm sh -c 'sed -i "/^circuits_:/d" /etc/ampgate/ampgate.yaml; systemctl reload ampgate'
verdict $? "a reload with the good file goes through"
vm ampgate token add 04AABBCC
verdict $? "it keeps what it is told"

# Crash and hang.
main=$(property MainPID) restarts=$(property NRestarts)
vm sh -c "kill -SEGV $main"
new_process "$main" && test "$(property NRestarts)" -gt "$restarts"
verdict $? "after a crash systemd starts it again"
vm sh -c 'ampgate --json token list | grep -i "\"accepted\""'
verdict $? "with what it had kept"
vm sh -c 'mkdir -p /run/systemd/system/ampgate.service.d; printf "[Service]\nWatchdogSec=2s\n" >/run/systemd/system/ampgate.service.d/quick.conf; systemctl daemon-reload; systemctl restart ampgate'
running
main=$(property MainPID)
sleep 5
test "$main" = "$(property MainPID)"
verdict $? "it feeds its watchdog"
vm sh -c "kill -STOP $main"
new_process "$main" && vm sh -c 'journalctl -b -u ampgate --no-pager | grep -i "watchdog timeout"'
verdict $? "one that hangs is ended by the watchdog and started again"
vm sh -c 'rm -r /run/systemd/system/ampgate.service.d; systemctl daemon-reload; systemctl restart ampgate'

# Upgrade.
running
main=$(property MainPID)
dpkg-deb -R "$package" "$dir/next"
sed -i 's/^Version: .*/&+next/' "$dir/next/DEBIAN/control"
echo '# of the next version' >>"$dir/next/etc/ampgate/ampgate.yaml"
(cd "$dir/next" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | xargs -0 md5sum >DEBIAN/md5sums)
dpkg-deb -b "$dir/next" "$root/next.deb" >"$dir/got" 2>&1

vm $install -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold /next.deb
verdict $? "apt upgrades it while it runs"
new_process "$main"
verdict $? "and the new one runs"
vm sh -c 'ampgate --json token list | grep -i "\"accepted\"" && grep -q "cred:s01" /etc/ampgate/ampgate.yaml && test -e /etc/ampgate/ampgate.yaml.dpkg-dist'
verdict $? "state and configuration are there, the new sample lies beside"

shut_down
boot && running && vm sh -c 'ampgate --json token list | grep -i "\"accepted\""'
verdict $? "after a reboot it runs by itself, with its state"

vm systemctl stop ampgate && test "$(property Result)" = success
verdict $? "it stops in order"
vm systemctl start ampgate
vm apt-get -q remove -y ampgate
vm sh -c 'test ! -e /usr/sbin/ampgated && ! pgrep -x ampgated && test -e /etc/ampgate/ampgate.yaml && test -d /var/lib/ampgate'
verdict $? "removing ends it, and leaves configuration and books"
vm apt-get -q purge -y ampgate
vm sh -c 'find /etc /var/lib /usr /run /lib/systemd -name "*ampgate*" ! -path "*/doc/*" ! -path "/var/lib/dpkg/*" 2>/dev/null | grep . && exit 1 || exit 0'
verdict $? "purging leaves nothing"
vm sh -c 'systemctl --failed --no-legend | grep . && exit 1 || exit 0'
verdict $? "and systemd misses nothing"
shut_down
echo "1..$n"
exit $failed
