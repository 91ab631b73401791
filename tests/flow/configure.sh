#!/bin/sh
# A configure that does not find a library names the Debian package, of all that are missing at once.
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
here=$(cd "$srcdir" && pwd)
# A place of its own: a source tree that is configured already refuses to be configured from elsewhere.
mkdir "$dir/gateway" "$dir/none"
ln -s "$here/configure" "$here/build-aux" "$dir"
ln -s "$here/gateway/main.c" "$dir/gateway"
cd "$dir" || exit 99
PKG_CONFIG_LIBDIR=$dir/none PKG_CONFIG_PATH= ./configure >got 2>&1
status=$?
failed=0
test "$status" != 0 || failed=1
for package in libevent-dev libssl-dev libsqlite3-dev libcjson-dev libmodbus-dev libmosquitto-dev libyaml-dev zlib1g-dev; do
	grep "^configure: error: .*apt-get install" got | grep -qw -- "$package" || { echo "# $package is not named"; failed=1; }
done
grep -q 'Sparkplug B needs Debian packages libprotobuf-c-dev protobuf-c-compiler' got || { echo "# protobuf-c is not named"; failed=1; }
grep -q 'make check needs Debian package libcmocka-dev' got || { echo "# cmocka is not named"; failed=1; }
if test "$failed" = 0; then echo "ok 1 - all that is missing is named"; else
	sed 's/^/# /' got
	echo "not ok 1 - all that is missing is named"
fi
echo "1..1"
exit "$failed"
