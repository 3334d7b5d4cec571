# SPDX-License-Identifier: GPL-2.0-or-later
"""A sockmap whose stream parser lets everything pass: of a socket that is put
into it, the softirq reads, in whatever process the segment came."""

import struct

import bpf

_SK_PASS = 1
_WHOLE_SEGMENT = struct.pack("BBhi", 0x61, 0x10, 0, 0) + bpf.EXIT       # return skb->len


def let_softirq_read(made):
    """Put a connected socket into a sockmap of its own, as long as this process lives."""
    sockmap = bpf.create_map(bpf.SOCKMAP, 4, 4, 1)
    bpf.attach(bpf.load(bpf.SK_SKB, _WHOLE_SEGMENT), sockmap, bpf.STREAM_PARSER)
    bpf.attach(bpf.load(bpf.SK_SKB, bpf.returns(_SK_PASS)), sockmap, bpf.STREAM_VERDICT)
    bpf.update_map(sockmap, 0, made.fileno())
