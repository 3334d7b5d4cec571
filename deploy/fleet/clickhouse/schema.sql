-- SPDX-License-Identifier: GPL-2.0-or-later
-- The same for today's ClickHouse. Untested: Debian 12 has 18.16 only.
CREATE DATABASE IF NOT EXISTS synfin;

CREATE TABLE IF NOT EXISTS synfin.connections (
    host LowCardinality(String),
    time DateTime, time_ns UInt64,
    start_ns Nullable(UInt64),
    conn FixedString(16),
    netns UInt32, family UInt8,
    laddr String, lport Nullable(UInt16), raddr String, rport Nullable(UInt16),
    role LowCardinality(Nullable(String)),
    pid Nullable(UInt32), comm LowCardinality(Nullable(String)), uid Nullable(UInt32),
    owner_from LowCardinality(Nullable(String)),
    cgroup LowCardinality(Nullable(String)), unit LowCardinality(Nullable(String)),
    container_id LowCardinality(Nullable(String)), pod_uid LowCardinality(Nullable(String)),
    exe LowCardinality(Nullable(String)), cmdline Nullable(String),
    outcome LowCardinality(Nullable(String)), error LowCardinality(Nullable(String)),
    handshake_us Nullable(UInt64),
    syn_retrans UInt32, synack_retrans UInt32, data_retrans UInt32, fin_retrans UInt32,
    close LowCardinality(Nullable(String)), close_reason LowCardinality(Nullable(String)),
    closed_by LowCardinality(Nullable(String)),
    time_wait Nullable(UInt8), fin_wait2_orphan Nullable(UInt8),
    path Array(LowCardinality(String)), path_us Array(UInt64),
    duration_us Nullable(UInt64), teardown_us Nullable(UInt64),
    tx_bytes Nullable(UInt64), rx_bytes Nullable(UInt64), tx_segs Nullable(UInt64), rx_segs Nullable(UInt64),
    srtt_us Nullable(UInt64), min_rtt_us Nullable(UInt64),
    complete UInt8, missed Nullable(UInt32), existing UInt8
) ENGINE = MergeTree() PARTITION BY toYYYYMMDD(time) ORDER BY (host, time, conn) TTL time + INTERVAL 30 DAY;
