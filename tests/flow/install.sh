#!/bin/sh
# What `make install` puts into a system, what it leaves alone, and that the installed program takes the installed configuration.
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
root=$dir/root
failed=0 n=0
verdict() {
	n=$((n + 1))
	if test "$1" = 0; then echo "ok $n - $2"; else
		echo "not ok $n - $2"
		tail -n 40 "$dir/got" | sed 's/^/# /'
		failed=1
	fi
}
setting() { sed -n "s/^$1 = //p" "$top_builddir/Makefile"; }
# The directories of a system, whatever this build was configured with; what the program itself was built with comes from the Makefile.
places="prefix=/usr exec_prefix=/usr sysconfdir=/etc localstatedir=/var systemdunitdir=/usr/lib/systemd/system"
install_it() { (cd "$top_builddir" && MAKEFLAGS= make "$1" DESTDIR="$root" $places) >"$dir/got" 2>&1; }
# make builds the unit for the directories it is given: the next make has to do it again for its own.
restore() { rm -f "$top_builddir/etc/systemd/ampgate.service" "$top_builddir/etc/systemd/ampgate-clock.service"; }
trap 'restore; rm -rf "$dir"' EXIT

restore
install_it install
verdict $? "make install"

(cd "$root" && for f in \
	etc/ampgate/ampgate.yaml \
	usr/bin/ampgate \
	usr/lib/systemd/system/ampgate.service \
	usr/lib/systemd/system/ampgate-clock.service \
	usr/libexec/ampgate/clock-witness \
	usr/lib/sysusers.d/ampgate.conf \
	usr/sbin/ampgated \
	usr/share/ampgate/models/eastron-sdm630.yaml \
	usr/share/bash-completion/completions/ampgate \
	usr/share/zsh/vendor-completions/_ampgate \
	usr/include/ampgate/plugin.h \
	usr/share/doc/ampgate/CONFIG.md \
	usr/share/doc/ampgate/examples/garage24.yaml \
	usr/share/man/man1/ampgate.1 \
	usr/share/man/man3/ampgate-plugin.3 \
	usr/share/man/man5/ampgate.yaml.5 \
	usr/share/man/man7/ampgate-mqtt.7 \
	usr/share/man/man8/ampgated.8; do
	test -s "$f" || echo "$f is not there"
done; for d in conf.d models tls credentials; do test -d "etc/ampgate/$d" || echo "etc/ampgate/$d is not there"; done
find etc/ampgate/credentials -perm -007 -o -perm -070) >"$dir/got"
test ! -s "$dir/got"
verdict $? "the files are in their places, the credentials for nobody else"

models=$(ls "$root/usr/share/ampgate/models" | wc -l) ours=$(ls "$srcdir"/etc/models/*.yaml | wc -l)
test "$models" = "$ours" && test "$models" -gt 0
verdict $? "all $ours meter models are installed"

"$root/usr/sbin/ampgated" -c "$root/etc/ampgate/ampgate.yaml" --check-config >"$dir/got" 2>&1
verdict $? "the installed ampgated takes the installed configuration"

grep -qx 'ExecStart=/usr/sbin/ampgated --state-dir /var/lib/ampgate' "$root/usr/lib/systemd/system/ampgate.service" &&
	! grep '@' "$root/usr/lib/systemd/system/ampgate.service" | grep -v '^#\|=.*@[a-z-]' >"$dir/got"
verdict $? "the unit starts what is installed"

if command -v systemd-analyze >/dev/null; then
	systemd-analyze security --offline=true --no-pager --threshold=16 "$root/usr/lib/systemd/system/ampgate.service" >"$dir/got" 2>&1
	verdict $? "the unit's exposure is low"
else
	n=$((n + 1))
	echo "ok $n - the unit's exposure is low # SKIP no systemd-analyze here"
fi

if command -v zsh >/dev/null; then
	zsh -fc '
		compadd() { shift; print -- "$@" }
		_files() { print files }
		words=(x) CURRENT=1; . $1
		try() { words=("$@") CURRENT=$#; _ampgate }
		try ampgate circuit ""
		try ampgate commission limit-test ""
		try ampgate ""
		try ampgate backup create ""' - "$root/usr/share/zsh/vendor-completions/_ampgate" >"$dir/got" 2>&1
	grep -qx 'list show' "$dir/got" && grep -q 'circuit= limit_a= seconds=' "$dir/got" && grep -q '^status .*support-bundle' "$dir/got" && grep -qx files "$dir/got"
	verdict $? "the completion for zsh offers the same"
else
	echo "# zsh is missing: its completion is not tried"
fi
if command -v bash >/dev/null; then
	bash -c '
		complete_line() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _ampgate; echo "${COMPREPLY[*]}"; }
		. "$1"
		complete_line ampgate circuit ""
		complete_line ampgate commission limit-test ""
		complete_line ampgate sta
		complete_line ampgate --socket x sim m' - "$root/usr/share/bash-completion/completions/ampgate" >"$dir/got" 2>&1
	printf '%s\n' "list show" "circuit= limit_a= seconds=" "station status" "meter" | diff - "$dir/got" >"$dir/diff"
	status=$?
	cat "$dir/diff" >>"$dir/got"
	verdict $status "the completion offers the verbs"
fi

echo '# the words of whoever runs this' >>"$root/etc/ampgate/ampgate.yaml"
cp "$root/etc/ampgate/ampgate.yaml" "$dir/kept"
install_it install && cmp "$dir/kept" "$root/etc/ampgate/ampgate.yaml" >>"$dir/got" 2>&1
verdict $? "a second install leaves the configuration as it is"

install_it uninstall && find "$root" -type f >"$dir/got"
test "$(cat "$dir/got")" = "$root/etc/ampgate/ampgate.yaml"
verdict $? "make uninstall leaves nothing but the changed configuration"
echo "1..$n"
exit $failed
