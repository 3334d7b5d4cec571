#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# load.sh [CLIENT OPTIONS] <conns.json - puts connection records into ClickHouse: those lines of
# `synfin conns -o json` whose event is connection.  HOST names the host that they are of.
# Needs jq.  Wherever it runs in batches: a ClickHouse wants few inserts with many rows.
set -eu

host=${HOST:-$(uname -n)}
jq -c --arg host "$host" '
	def ns: (.[0:19] + "Z" | fromdate | tostring) + .[20:29];	# no number of jq holds it
	select(.event == "connection")
	| .time_ns = (.time | ns) | .time = (.time[0:19] | sub("T"; " "))
	| if .start then .start_ns = (.start | ns) else . end
	| if has("time_wait") then .time_wait = (if .time_wait then 1 else 0 end) else . end
	| if .fin_wait2_orphan then .fin_wait2_orphan = 1 else . end
	| .complete = (if .complete then 1 else 0 end) | .existing = (if .existing then 1 else 0 end)
	| .host = $host | del(.v, .event, .start)' |
	TZ=UTC clickhouse-client --use_client_time_zone=1 --input_format_skip_unknown_fields=1 \
		--max_insert_block_size=65536 "$@" \
		--query 'INSERT INTO synfin.connections FORMAT JSONEachRow'
