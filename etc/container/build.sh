#!/bin/sh
# usage: build.sh SOURCE IMAGE     `make container`
# The image of the Containerfile beside this, from the unpacked sources in SOURCE, by buildah or podman. BASE is the Debian 12 to begin with:
# an image (default docker.io/library/debian:12-slim), or a directory that debootstrap has filled, where no registry can be reached.
# TOOL_FLAGS goes to the tool, such as --isolation=chroot where a container cannot be started inside another.
set -e
source=$1 image=$2 base=${BASE:-docker.io/library/debian:12-slim}
test -f "$source/etc/container/Containerfile" && test -n "$image" || { sed -n 2p "$0" >&2; exit 2; }
tool=$(command -v buildah || command -v podman) || { echo "build.sh: neither buildah nor podman is installed" >&2; exit 1; }
# An image of a directory.
import() {
	container=$("$tool" from scratch)
	"$tool" add -q "$container" "$1" / >/dev/null
	"$tool" commit -q "$container" ampgate-base >/dev/null
	"$tool" rm "$container" >/dev/null
}
case $tool in
*buildah) build=bud ;;
*)
	build=build
	import() { tar -C "$1" --numeric-owner -c . | "$tool" import -q - ampgate-base >/dev/null; }
	;;
esac
if test -d "$base"; then
	import "$base"
	base=localhost/ampgate-base
fi
# The OCI format has no health check.
"$tool" $build $TOOL_FLAGS --format docker --build-arg BASE="$base" -f "$source/etc/container/Containerfile" -t "$image" "$source"
