# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scenario expects of synfin, and how that differs from what it said.

A life is stated once, as the lines of trace and the record of conns together:

    lab.active(chain("close syn_sent"), reset("received", "syn_sent"),
               chain("syn_sent close"), outcome="refused", ...)

Positional arguments are the trace lines in order, keywords those keys of the
connection record that are not the usual ones of such a life (see _usual).
"""

import os

import features
import invariants
from match import (ABSENT, ANY_US, COOKIE, PORT, TIME, Repeated, differences, differences_of_lists,
                   durations, one_of, pair_up, record)

SERVER = 80
MINI_SOCKET = "tcp_timewait_socket"     # the reason of a reset that one sends

_OWNER = ("pid", "comm", "uid", "owner_from")
_PLACE = ("cgroup", "unit", "container_id", "pod_uid")


# -- trace lines ------------------------------------------------------------

def state(old, new, **keys):
    return record(keys, event="state", old=old, new=new)


def chain(states, **keys):
    """The state lines that lead through these states; keys are the last one's."""
    names = states.split()
    lines = [state(old, new) for old, new in zip(names, names[1:])]
    lines[-1].update(keys)
    return lines


def retransmit(phase, cause, state, seq, len=0, segs=1, **keys):
    """The line; none of an attempt that failed, where the kernel does not tell."""
    if "error" in keys and not features.tells_failed_retransmits():
        return []
    return record(keys, event="retransmit", phase=phase, cause=cause, state=state, segs=segs, seq=seq, len=len)


def reset(direction, state, reason=ABSENT):
    """The line; none of a mini-socket's, where the kernel does not tell."""
    if not features.names_reset_reasons():
        if reason == MINI_SOCKET:
            return []
        reason = ABSENT
    return record(event="reset", direction=direction, state=state, reason=reason)


def late_segment(flags, state):
    """The line; none but of FIN and RST, where the kernel does not tell."""
    if not features.names_mini_sockets() and not {"fin", "rst"} & set(flags.split()):
        return []
    return record(event="late_segment", flags=flags.split(), state=state)


class Life:
    """One expected life: its trace lines, its connection record or None."""

    def __init__(self, role, lines, connection, owner):
        self.role, self.lines, self.connection, self.owner = role, lines, connection, owner


class Expectations:
    """The lives and other lines that one run must have, and no others."""

    def __init__(self, family, local, remote):
        self.family, self.local, self.remote = family, local, remote
        self.netns_inode = None         # known once the namespace exists
        self._lives, self._strays = [], []
        self._foreseen = True
        self._owner = os.getpid()
        self._comms = {self._owner: _comm()}

    def active(self, *lines, bound=False, owner=None, **keys):
        """A life that began with connect()."""
        addresses = dict(laddr=self.local, lport=PORT, raddr=self.remote, rport=SERVER)
        self._life("active", lines, addresses, keys, owner, bound)

    def passive(self, *lines, owner=None, **keys):
        """A life that began at a listener."""
        addresses = dict(laddr=self.local, lport=SERVER, raddr=self.remote, rport=PORT)
        self._life("passive", lines, addresses, keys, owner, True)

    def half_open(self, *lines, **keys):
        """A request that never became a connection: no transitions, no end."""
        self.passive(*lines, path=["syn_recv"], **keys)

    def expect_listener(self, *lines, **addresses):
        """The lines of a listening socket: it is no connection."""
        addresses = dict(laddr=self.local, lport=SERVER) | addresses
        common = record(self._common(addresses), role="listener")
        self._lives.append(Life("listener", [record(common, line) for line in lines], None, self._owner))

    def of_listener(self, line, port=SERVER):
        """One more trace line of the listener on this port."""
        for life in self._lives:
            if life.role == "listener" and life.lines[0]["lport"] == port:
                life.lines.append(record(life.lines[0], line))

    def stray_reset(self, reason="no_socket", state=ABSENT, **addresses):
        """A reset sent for no socket, or for a listening one."""
        addresses = dict(laddr=self.local, lport=SERVER, raddr=self.remote, rport=PORT) | addresses
        if state is ABSENT and not features.names_reset_reasons():
            return
        line = record(self._common(addresses), conn=ABSENT)
        self._strays.append(record(line, reset("sent", state, reason)))

    def expect_any_lives(self):
        """Whatever was driven cannot be foreseen: only the rules hold."""
        self._foreseen = False

    def _common(self, addresses):
        return record(addresses, time=TIME, v=1, conn=COOKIE, netns=self.netns_inode, family=self.family)

    def _life(self, role, lines, addresses, keys, owner, bound):
        lines = [line for part in lines for line in (part if isinstance(part, list) else [part]) if _plain(line)]
        path = [line["new"] for line in map(_plain, lines) if line["event"] == "state" and line["new"] != "close"]
        addresses = {name: keys.pop(name, value) for name, value in addresses.items()}
        common = record(self._common(addresses), role=role)
        filled = [_fill(line, common) for line in lines]
        if not bound and filled:
            filled[0].pop("lport", None)
        connection = record(common, _usual(keys, keys.get("path", path)), keys)
        self._lives.append(Life(role, filled, connection, owner or self._owner))

    def problems_of_conns(self, conns):
        """Everything in which the connection records are not as expected."""
        if not self._foreseen:
            return []
        wrong = []
        expected = [life for life in self._lives if life.connection]
        actual = [one for one in conns if one["event"] == "connection"]
        for life, one, found in pair_up(expected, actual, self._compare_connection):
            if found:
                wrong.append(f"connection: {_brief(one or life.connection)}")
                wrong += [f"    {text}" for text in found]
        return wrong

    def problems_of_trace(self, trace):
        """Everything in which the lines of trace are not as expected."""
        if not self._foreseen:
            return []
        lives, strays = invariants.lives_of(trace)
        wrong = []
        for life, one, found in pair_up(self._lives, lives, self._compare_lines):
            if found:
                wrong.append(f"trace of {life.role if life else 'a life that is not expected'}:")
                wrong += [f"    {text}" for text in found]
                wrong += [f"    | {_show(line)}" for line in one or ()]
        for line, one, found in pair_up(self._strays, strays, differences):
            if found:
                wrong.append(f"line of no socket: {_show(one or line)}")
                wrong += [f"    {text}" for text in found]
        return wrong

    def _compare_connection(self, life, one):
        return differences(life.connection, _without_owner(one)) + self._owner_problems(life, one)

    def _compare_lines(self, life, lines):
        wrong = differences_of_lists(life.lines, [_without_owner(line) for line in lines], _show)
        return wrong + [text for line in lines for text in self._owner_problems(life, line)]

    def _owner_problems(self, life, one):
        """An owner is the right one or none; a connect() always proves it."""
        named = {key: one[key] for key in _OWNER if key in one}
        if not named:
            return ["owner: expected one from connect, is absent"] if life.role == "active" else []
        sources = {"active": ("connect",), "listener": ("listen",)}.get(
            life.role, ("accept", "read", "fd", "listen", "close"))
        pid = self._owner if named.get("owner_from") == "listen" else life.owner
        return differences(dict(pid=pid, comm=self._comms[pid], uid=0, owner_from=one_of(*sources)), named)


def _plain(line):
    return line.line if isinstance(line, Repeated) else line


def _fill(line, common):
    """A life's common keys, and in_old_us on the state lines whose beginning
    and end were both seen."""
    if isinstance(line, Repeated):
        return Repeated(_fill(line.line, common), line.least, line.most)
    timed = (line["event"] == "state" and line["old"] not in ("close", "listen") and
             line.get("cause") not in ("orphan", "expired", "early"))
    return record(common, dict(in_old_us=ANY_US) if timed else {}, line)


def _usual(keys, path):
    """The keys of a connection record as they usually are in such a life."""
    outcome, close = keys.get("outcome", "established"), keys.get("close", ABSENT)
    usual = dict(event="connection", start=TIME, outcome=outcome, time_wait="time_wait" in path, path=path,
                 syn_retrans=0, synack_retrans=0, data_retrans=0, fin_retrans=0, complete=True)
    if outcome == "established":
        usual.update(handshake_us=ANY_US)
    if close in ("fin", "reset_sent", "reset_received"):
        usual.update(teardown_us=ANY_US)
    if outcome in ("no_ack", "not_accepted"):           # there was no socket
        return record(usual)
    if close != "orphan":                               # its end is not known
        usual.update(path_us=durations(len(path) - ("time_wait" in path)), duration_us=ANY_US)
    if close != "still_open":                           # a socket is sampled when it closes
        usual.update(tx_bytes=0, rx_bytes=0, tx_segs=0, rx_segs=0)
        if outcome == "established":
            usual.update(srtt_us=ANY_US, min_rtt_us=ANY_US)
    return record(usual)


def _without_owner(one):
    return {key: value for key, value in one.items() if key not in _OWNER + _PLACE}


def _comm():
    with open("/proc/self/comm") as file:
        return file.read().rstrip("\n")


_SHOWN_AT_ONCE = {"event", "time", "v", "conn", "netns", "family", "laddr", "lport", "raddr", "rport",
                  "role", "old", "new", *_OWNER, *_PLACE}


def _show(line):
    """A trace line, short: what happened, then its own keys."""
    what = f"{line['old']} -> {line['new']}" if line["event"] == "state" else line["event"]
    return " ".join([what, *(f"{key}={value}" for key, value in line.items() if key not in _SHOWN_AT_ONCE)])


def _brief(one):
    return (f"{one.get('role')} {one.get('laddr')}:{one.get('lport')} {one.get('raddr')}:{one.get('rport')} "
            f"{one.get('outcome')} {one.get('close')} {' '.join(one.get('path', []))}")
