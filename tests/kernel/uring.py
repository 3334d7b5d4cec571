# SPDX-License-Identifier: GPL-2.0-or-later
"""io_uring without a library: one request at a time, and its result."""

import ctypes
import mmap
import os
import struct

ACCEPT, SEND, RECV = 13, 26, 27         # enum io_uring_op
ASYNC = 1 << 4                          # IOSQE_ASYNC: by a worker thread
SQPOLL = 1 << 1                         # IORING_SETUP_SQPOLL: by a thread that polls

_SETUP, _ENTER = 425, 426
_GETEVENTS, _SQ_WAKEUP = 1, 2
_SQES = 0x10000000                      # IORING_OFF_SQES
_libc = ctypes.CDLL(None, use_errno=True)


def _syscall(*arguments):
    ret = _libc.syscall(*(ctypes.c_long(one) for one in arguments))
    if ret < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"io_uring: {os.strerror(error)}")
    return ret


class Uring:
    """A ring of the process that makes it."""

    def __init__(self, flags=0):
        params = ctypes.create_string_buffer(120)
        struct.pack_into("I", params, 8, flags)
        self._fd = _syscall(_SETUP, 8, ctypes.addressof(params))
        sq_entries, cq_entries = struct.unpack_from("2I", params, 0)
        _, self._sq_tail, self._sq_mask, _, _, _, self._array = struct.unpack_from("7I", params, 40)
        self._cq_head, _, self._cq_mask, _, _, self._cqes = struct.unpack_from("6I", params, 80)
        size = max(self._array + sq_entries * 4, self._cqes + cq_entries * 16)
        self._ring = mmap.mmap(self._fd, size)
        self._sqes = mmap.mmap(self._fd, sq_entries * 64, offset=_SQES)

    def _word(self, offset):
        return struct.unpack_from("I", self._ring, offset)[0]

    def run(self, opcode, made, buffer=None, flags=0):
        """The result of one request on a socket, as the system call has it."""
        tail = self._word(self._sq_tail)
        slot = tail & self._word(self._sq_mask)
        address = ctypes.addressof(buffer) if buffer else 0
        struct.pack_into("BBHiQQIIQ24x", self._sqes, slot * 64, opcode, flags, 0, made.fileno(), 0, address,
                         len(buffer) if buffer else 0, 0, 0)
        struct.pack_into("I", self._ring, self._array + slot * 4, slot)
        struct.pack_into("I", self._ring, self._sq_tail, tail + 1)
        _syscall(_ENTER, self._fd, 1, 1, _GETEVENTS | _SQ_WAKEUP, 0, 0)
        head = self._word(self._cq_head)
        slot = head & self._word(self._cq_mask)
        result = struct.unpack_from("i", self._ring, self._cqes + slot * 16 + 8)[0]
        struct.pack_into("I", self._ring, self._cq_head, head + 1)
        if result < 0:
            raise OSError(-result, f"io_uring: {os.strerror(-result)}")
        return result
