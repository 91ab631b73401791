#!/bin/sh
# The samples are usable once their files exist, reading back what --print-config prints changes nothing, and docs/CONFIG.md is what the
# tables say.
check=$top_builddir/tests/tools/check-config
. "$srcdir/tests/flow/verdict.sh"
unset CREDENTIALS_DIRECTORY
mkdir "$dir/tls" "$dir/models" "$dir/credentials"
for f in station.crt station-ca.pem yard.crt yard-ca.pem fleet-client.crt ca-certificates.crt; do echo x >"$dir/tls/$f"; done
for f in janitza-umg604 eastron-sdm630 eastron-sdm120 heidelberg-ec shelly-pro3em; do echo x >"$dir/models/$f.yaml"; done
for f in station-key mqtt-password yard-key fleet-client-key; do echo x >"$dir/credentials/$f"; done
for i in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22; do
	echo x >"$dir/credentials/station-G-$i"
	echo x >"$dir/credentials/uplink-G-$i"
done
echo x >"$dir/credentials/uplink-R-01"
echo x >"$dir/credentials/uplink-R-02"
for id in CABINET WALL BOILER; do echo x >"$dir/credentials/uplink-$id"; done
echo a-password-of-some-length >"$dir/credentials/street"

run() { "$check" --credentials "$dir/credentials" --models "$dir/models" "$@"; }

for sample in ampgate.yaml examples/garage24.yaml examples/maker-relay.yaml examples/maker-outlets.yaml examples/depot300.yaml examples/home-sun.yaml examples/street40.yaml examples/direct-14a.yaml; do
	sed -e "s,/etc/ampgate/tls,$dir/tls,g; s,/etc/ssl/certs,$dir/tls," "$srcdir/etc/$sample" >"$dir/sample.yaml"
	run "$dir/sample.yaml" >"$dir/got"
	verdict $? "$sample is usable"
done

# Secrets are printed as "***", which reads as a literal one and prints the same again.
sed -e "s,/etc/ampgate/tls,$dir/tls,g; s,/etc/ssl/certs,$dir/tls," "$srcdir/etc/examples/garage24.yaml" >"$dir/garage24.yaml"
run --print "$dir/garage24.yaml" >"$dir/once.yaml"
run --print "$dir/once.yaml" >"$dir/twice.yaml"
test -s "$dir/once.yaml" && diff "$dir/once.yaml" "$dir/twice.yaml" >"$dir/got"
verdict $? "garage24 as printed reads the same"

run --origin "$dir/garage24.yaml" >"$dir/got"
test "$(grep -c '^  G-[0-9][0-9]:$' "$dir/got")" = 22
verdict $? "garage24 has 22 single stations"
grep -q ':.*# ' "$dir/got" && ! grep -v '#' "$dir/got" | grep -q ': [^ ]'
verdict $? "each value says where it comes from"

run "$dir/garage24.yaml" >"$dir/got"
grep -qx 'proof: row-a fallback 11 x 6 A = 66 A <= 100 A   ok' "$dir/got"
verdict $? "garage24 row-a is proven"

run "$srcdir/etc/examples/direct-14a.yaml" >"$dir/got"
grep -qx 'proof: grid_operator 1 devices keep 4.2 kW while dimmed' "$dir/got"
verdict $? "one charging point that is governed directly keeps 4.2 kW, whatever else is there"

"$check" --doc | diff - "$srcdir/docs/CONFIG.md" >"$dir/got"
verdict $? "docs/CONFIG.md is what the tables say"
echo "1..$n"
exit $failed
