# SPDX-License-Identifier: GPL-2.0-or-later
"""The scenarios whose recordings are kept for the golden tests, which replay
them without root: `run.py --golden DIR` keeps each as DIR/NAME.rec."""

NAMES = {
    "opening: both ends of an ordinary connection are reported (ipv4)": "both-ends",
    "opening: both ends of an ordinary connection are reported (ipv6)": "both-ends-ipv6",
    "opening: a connect that nobody listens for is refused (ipv4)": "refused",
    "opening: a syn that is never answered times out (ipv4)": "syn-timeout",
    "simultaneous: a simultaneous open is active (ipv4)": "simultaneous-open",
    "opening: a late third ack counts from the first syn ack (ipv4)": "syn-ack-lost",
    "opening: a request whose third ack never comes is no ack (ipv4)": "no-ack",
    "opening: a syn sent twice resends the syn ack (ipv4)": "duplicate-syn",
    "closing: the server is in time wait if it closes first (ipv4)": "server-closes-first",
    "closing: a simultaneous close is closed by both (ipv4)": "simultaneous-close",
    "closing: data still flows in half closed connections (ipv4)": "half-close",
    "closing: a peer that closes later finds a parked socket (ipv4)": "parked",
    "closing: an orphan whose fin never comes is an orphan (ipv4)": "orphan",
    "closing: what is half closed at the end of the run is still open (ipv4)": "still-open",
    "aborts: linger 0 sends a rst (ipv4)": "linger-0",
    "aborts: a close with unread data resets (ipv4)": "unread-data",
    "aborts: data after close looks like a received rst and is none (ipv4)": "data-after-close",
    "aborts: a rst in established is received (ipv4)": "rst-received",
    "aborts: a listener that closes resets its waiting children (ipv4)": "listener-closed",
    "aborts: a killed connection resets its peer (ipv4)": "killed",
    "retransmits: lost data is sent again at the rto (ipv4)": "retransmit-rto",
    "retransmits: a hole that sacks show is filled fast (ipv4)": "retransmit-fast",
    "retransmits: a lost tail is probed by tlp (ipv4)": "retransmit-tlp",
    "time_wait: the peers fin again means that our last ack was lost (ipv4)": "fin-again",
    "ladders: a handshake and no more is still open (ipv4)": "handshake",
    "ladders: a third ack that is lost is made up for by the second syn ack (ipv4)": "third-ack-lost",
    "ladders: a client whose third acks are lost believes it is connected (ipv4)": "third-acks-lost",
    "ladders: an old duplicate syn is undone by a rst (ipv4)": "old-duplicate-syn",
    "ladders: a close in four segments has its ack apart (ipv4)": "four-way-close",
    "ladders: a close in four segments has its ack apart (ipv6)": "four-way-close-ipv6",
    "ladders: fins that cross take both ends through closing (ipv4)": "crossing-fins",
    "ladders: a last ack that is lost is asked for by the fin again (ipv4)": "last-ack-lost",
}


def cases(all_cases):
    """The cases named above; one that no longer exists is an error."""
    by_name = {case.name: case for case in all_cases}
    return [by_name[name] for name in NAMES]
