#!/bin/sh
# usage: container.sh IMAGE      `make check-container`
# The image as somebody runs it: its user, the daemon with the configuration that it ships, what `ampgate health` says, and that it stops when it is
# told to. By podman where there is one, else by buildah without a network of its own, as root.
image=$1 dir=$(mktemp -d) || exit 99
tool=$(command -v podman || command -v buildah) || { echo "1..0 # SKIP neither podman nor buildah is there"; exit 77; }
failed=0 n=0
verdict() {
	n=$((n + 1))
	if test "$1" = 0; then echo "ok $n - $2"; else
		echo "not ok $n - $2"
		sed 's/^/# /' "$dir/got" "$dir/log" 2>/dev/null
		failed=1
	fi
}
case $tool in
*podman)
	box=$("$tool" run -d --network none "$image") || exit 99
	inside() { "$tool" exec "$box" "$@" >"$dir/got" 2>&1; }
	stop() { "$tool" stop -t 20 "$box" >/dev/null && test "$("$tool" wait "$box")" = 0; }
	remove() { "$tool" rm -f "$box"; }
	;;
*)
	box=$("$tool" from "$image") || exit 99
	inside() { "$tool" run --isolation chroot --user _ampgate "$box" -- "$@" >"$dir/got" 2>&1; }
	"$tool" run --isolation chroot --user _ampgate "$box" -- sh -c 'echo $$ >/run/ampgate/pid && exec /usr/sbin/ampgated' >"$dir/log" 2>&1 &
	ran=$!
	stop() { inside sh -c 'kill -TERM "$(cat /run/ampgate/pid)"' && wait "$ran"; } # chroot: the processes of the machine are seen in it
	remove() { "$tool" rm "$box"; }
	;;
esac
trap 'remove >/dev/null 2>&1; rm -rf "$dir"' EXIT
inside id -un && grep -qx _ampgate "$dir/got"
verdict $? "it runs as _ampgate"
for _ in $(seq 100); do
	inside ampgate version && break
	sleep 0.2
done
inside ampgate version
verdict $? "the daemon answers"
inside ampgate health
test $? -le 1
verdict $? "its health: $(head -n 1 "$dir/got")"
stop
verdict $? "it stops when told to, with status 0"
echo "1..$n"
exit $failed
