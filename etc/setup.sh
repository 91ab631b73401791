# Shared by quickstart and quickcheck: what a fresh Debian 12 (or newer) needs, and the build. Sourced, with the top of the tree as directory.

BUILD_PACKAGES="gcc make autoconf automake pkg-config libevent-dev libssl-dev libsqlite3-dev libcjson-dev libmodbus-dev libmosquitto-dev
	libwslay-dev libyaml-dev zlib1g-dev libcurl4-openssl-dev libnghttp2-dev libprotobuf-c-dev protobuf-c-compiler"
TEST_PACKAGES="ca-certificates libcmocka-dev python3 python3-pymodbus mosquitto mosquitto-clients openssl nodejs npm tzdata
	coinor-libclp-dev haproxy chromium prometheus mandoc zsh"

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Names those of its arguments that are not installed.
missing_packages() {
	for package in "$@"; do
		[ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" = "install ok installed" ] || echo "$package"
	done
}

# A Node.js or npm that did not come from Debian is as good.
without_present_node() {
	for package in "$@"; do
		case $package in
		nodejs) command -v node >/dev/null || echo nodejs ;;
		npm) command -v npm >/dev/null || echo npm ;;
		*) echo "$package" ;;
		esac
	done
}

install_packages() {
	missing=$(missing_packages $(without_present_node "$@"))
	[ -n "$missing" ] || return 0
	echo "installing:" $missing
	export DEBIAN_FRONTEND=noninteractive
	as_root apt-get -q update
	# A service that a package would start (the broker) is of no use here: tests start their own on ports of their own.
	as_root sh -c 'echo "exit 101" > /usr/sbin/policy-rc.d.ampgate && chmod +x /usr/sbin/policy-rc.d.ampgate
		[ -e /usr/sbin/policy-rc.d ] || ln -s policy-rc.d.ampgate /usr/sbin/policy-rc.d'
	as_root apt-get -q install -y --no-install-recommends $missing
	status=$?
	as_root sh -c '[ "$(readlink /usr/sbin/policy-rc.d)" = policy-rc.d.ampgate ] && rm -f /usr/sbin/policy-rc.d; rm -f /usr/sbin/policy-rc.d.ampgate'
	return $status
}

build() {
	[ -x configure ] || autoreconf -fi || return 1
	[ -f Makefile ] || ./configure $CONFIGURE_FLAGS || return 1
	make -j"$(nproc)"
}
