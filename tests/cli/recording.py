# SPDX-License-Identifier: GPL-2.0-or-later
"""The shape of a recording: a header, then records, each with its length."""

import os
import struct

import namespaces
import traffic

HEADER = struct.Struct("=8sII")                 # recording.h: magic, byte order, version
_LENGTH_AT, _RECORD_HEADER = 28, 32             # wire.h: struct wire_hdr
MIX = "client_fin,client_linger0,server_unread,refused"


def boundaries(recording):
    """Where each record begins, and the end of the last."""
    found, at = [HEADER.size], HEADER.size
    while at + _RECORD_HEADER <= len(recording):
        at += struct.unpack_from("=H", recording, at + _LENGTH_AT)[0]
        found.append(at)
    return found


def make(synfin, *args, load=("-n", "60", "-m", MIX)):
    """Record a load in a namespace of this process's own: (recording, run)."""
    network, path = namespaces.own_network(), synfin.path("made.synfin")
    with synfin.trace("trace", "-o", "json", "-N", network, "--write", path, *args) as tracer:
        traffic.storm(synfin, *load)
        traffic.settle()
        run = tracer.stop().expect(0)
    return read(path), run


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, recording):
    with open(path, "wb") as file:
        file.write(recording)
    return path


def size(path):
    return os.stat(path).st_size
