-- SPDX-License-Identifier: GPL-2.0-or-later
-- Connection records of `synfin conns -o json`, for ClickHouse 18.16 (Debian 12).
-- What is not known is NULL, or in arrays none. load.sh fills it.
CREATE DATABASE IF NOT EXISTS synfin;

CREATE TABLE IF NOT EXISTS synfin.connections (
    host String,
    time DateTime, time_ns UInt64,
    start_ns Nullable(UInt64),
    conn FixedString(16),
    netns UInt32, family UInt8,
    laddr String, lport Nullable(UInt16), raddr String, rport Nullable(UInt16),
    role Nullable(String),
    pid Nullable(UInt32), comm Nullable(String), uid Nullable(UInt32), owner_from Nullable(String),
    cgroup Nullable(String), unit Nullable(String), container_id Nullable(String), pod_uid Nullable(String),
    exe Nullable(String), cmdline Nullable(String),
    outcome Nullable(String), error Nullable(String),
    handshake_us Nullable(UInt64),
    syn_retrans UInt32, synack_retrans UInt32, data_retrans UInt32, fin_retrans UInt32,
    close Nullable(String), close_reason Nullable(String), closed_by Nullable(String),
    time_wait Nullable(UInt8), fin_wait2_orphan Nullable(UInt8),
    path Array(String), path_us Array(UInt64),
    duration_us Nullable(UInt64), teardown_us Nullable(UInt64),
    tx_bytes Nullable(UInt64), rx_bytes Nullable(UInt64), tx_segs Nullable(UInt64), rx_segs Nullable(UInt64),
    srtt_us Nullable(UInt64), min_rtt_us Nullable(UInt64),
    complete UInt8, missed Nullable(UInt32), existing UInt8
) ENGINE = MergeTree() PARTITION BY toYYYYMMDD(time) ORDER BY (host, time, conn);
