-- SPDX-License-Identifier: GPL-2.0-or-later
-- Questions, a statement each.

-- How handshakes ended, by who made them.
SELECT outcome, role, count() AS connections FROM synfin.connections GROUP BY outcome, role ORDER BY connections DESC;

-- Towards whom SYNs are lost.
SELECT raddr, count() AS connections, sum(syn_retrans) AS again, again / connections AS ratio
FROM synfin.connections WHERE role = 'active' GROUP BY raddr HAVING again > 0 ORDER BY ratio DESC LIMIT 20;

-- The slow end of the handshakes, by the minute.
SELECT toStartOfMinute(time) AS minute, quantile(0.5)(handshake_us) AS p50, quantile(0.99)(handshake_us) AS p99
FROM synfin.connections WHERE handshake_us IS NOT NULL GROUP BY minute ORDER BY minute;

-- Who resets connections, and why.
SELECT comm, close_reason, count() AS resets FROM synfin.connections WHERE close = 'reset_sent'
GROUP BY comm, close_reason ORDER BY resets DESC LIMIT 20;

-- Who keeps TIME_WAIT.
SELECT host, closed_by, countIf(time_wait = 1) AS time_wait, count() AS ends
FROM synfin.connections WHERE outcome = 'established' GROUP BY host, closed_by ORDER BY time_wait DESC;

-- The ways through the states.
SELECT arrayStringConcat(path, ' ') AS way, count() AS connections FROM synfin.connections
GROUP BY way ORDER BY connections DESC LIMIT 20;
