#!/bin/sh
# usage: metrics.sh gateway/http/metrics.c      docs/METRICS.md, from the table of families
cat <<'EOF'
# Metrics

This page is written from the table of families in `gateway/http/metrics.c`; do not edit it.

`listen.metrics` serves them at `/metrics` in the text format of Prometheus, or OpenMetrics by `Accept`; `/api/v1/metrics.json` has the same as JSON,
families without samples too. Labels are `station`, `evse`, `circuit`, `meter`, `uplink`, `input`, `phase` (L1, L2, L3, always the grid's) and what a row
says. Tokens of drivers are in none. Rules for alerts are in `etc/prometheus`, a dashboard in `etc/grafana`.

| name | type | meaning |
|---|---|---|
EOF
awk '
	/^\t[{] (P )?"[a-z_]+", (GAUGE|COUNTER|HISTOGRAM|INFO), "/ {
		split($0, part, "\"")
		match(part[3], /[A-Z]+/)
		type = tolower(substr(part[3], RSTART, RLENGTH))
		printf "| `%s%s` | %s | %s |\n", $0 ~ /[{] P / ? "ampgate_" : "", part[2], type, part[4]
	}' "$1"
