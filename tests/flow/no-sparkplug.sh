#!/bin/sh
# A program without Sparkplug B (--without-sparkplug) says so where it is asked for, and is content where it is not.
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
cat >"$dir/site.yaml" <<YAML
version: 1
circuits: {grid: {kind: grid_connection, limit_a: 32}}
mqtt:
  url: mqtt://127.0.0.1
  sparkplug: {enabled: true}
YAML
failed=0
"$top_builddir/tests/tools/ampgated-no-sparkplug" -c "$dir/site.yaml" --check-config >"$dir/got" 2>&1
if test $? = 3 && grep -q 'site.yaml:5:.*built without Sparkplug B' "$dir/got"; then echo "ok 1 - refused, with the line and the reason"; else
	sed 's/^/# /' "$dir/got"
	echo "not ok 1 - refused, with the line and the reason"
	failed=1
fi
sed -i 's/enabled: true/enabled: false/' "$dir/site.yaml"
if "$top_builddir/tests/tools/ampgated-no-sparkplug" -c "$dir/site.yaml" --check-config >"$dir/got" 2>&1; then echo "ok 2 - without it all is well"; else
	sed 's/^/# /' "$dir/got"
	echo "not ok 2 - without it all is well"
	failed=1
fi
echo "1..2"
exit "$failed"
