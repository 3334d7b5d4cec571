# SPDX-License-Identifier: GPL-2.0-or-later
"""What this kernel can tell, as `synfin doctor` has it: the one place where the
tests ask for it.
"""

import functools
import json
import os
import subprocess

from tracer import binary

# What doctor may find missing without being asked for a cure: the kernel is older.
OF_THE_KERNEL = {"tcp_retransmit_skb.err", "tcp_send_reset.reason", "kfree_skb.rx_sk", "socket_cookie",
                 "tcp_timewait_counter", "sock_send_length", "sk_storage"}


@functools.cache
def missing():
    """The features that are not there."""
    done = subprocess.run([binary(), "doctor", "-o", "json"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    checks = [json.loads(line) for line in done.stdout.splitlines()]
    return {check["feature"] for check in checks if check.get("ok") is False}


def names_reset_reasons():
    """Then it also tells of resets that no full socket sent."""
    return "tcp_send_reset.reason" not in missing()


def tells_failed_retransmits():
    return "tcp_retransmit_skb.err" not in missing()


def names_mini_sockets():
    """Else of the segments that met one only FIN and RST are known."""
    return "kfree_skb.rx_sk" not in missing()


def has_cookies():
    """Else conn is no socket's cookie."""
    return "socket_cookie" not in missing()


def counts_time_wait_at_its_entry():
    return "tcp_timewait_counter" not in missing()


def release():
    """(major, minor)"""
    return tuple(map(int, os.uname().release.split(".")[:2]))


def births_tell_the_peer():
    """Else what a filter of peers may have to let pass is LISTEN -> SYN_RECV, and what
    follows. Of this nothing tells but an event itself."""
    return release() >= (6, 15)


def moves_children():
    """To another listener of their port. Debian's 5.10 has the sysctl and nothing behind it."""
    with open("/proc/kallsyms") as symbols:
        return any(line.split()[2] == "reuseport_migrate_sock" for line in symbols)


def preempts_programs():
    """Since 7.1 tasks are preempted in a tracepoint's programs: more of them at a time than
    there are twins may be, and a program that is slow on purpose, on an emulated processor,
    is where they are caught. What was lost so is told."""
    return release() >= (7, 1)


def has_guard():
    """A program is skipped while it runs on the same CPU."""
    done = subprocess.run([binary(), "doctor", "-v"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return "the kernel has the guard" in done.stderr
