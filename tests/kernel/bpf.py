# SPDX-License-Identifier: GPL-2.0-or-later
"""bpf() without a library, for programs of two instructions."""

import contextlib
import ctypes
import mmap
import os
import struct

SK_SKB, RAW_TRACEPOINT = 14, 17         # enum bpf_prog_type
SOCKMAP = 15                            # enum bpf_map_type
STREAM_PARSER, STREAM_VERDICT = 4, 5    # enum bpf_attach_type
EXIT = struct.pack("BBhi", 0x95, 0, 0, 0)

_CALL = {"x86_64": 321, "aarch64": 280}.get(os.uname().machine)
_MAP_CREATE, _MAP_UPDATE, _PROG_LOAD, _PROG_ATTACH, _RAW_TRACEPOINT_OPEN = 0, 2, 5, 8, 17
_libc = ctypes.CDLL(None, use_errno=True)


def _bpf(command, attributes):
    attributes = attributes.ljust(128, b"\0")
    ret = _libc.syscall(_CALL, command, attributes, len(attributes))
    if ret < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"bpf: {os.strerror(error)}")
    return ret


def returns(number):
    return struct.pack("BBhi", 0xb7, 0, 0, number) + EXIT


def load(kind, program):
    insns, license = ctypes.create_string_buffer(program), ctypes.create_string_buffer(b"GPL")
    return _bpf(_PROG_LOAD, struct.pack("IIQQ", kind, len(program) // 8, ctypes.addressof(insns),
                                        ctypes.addressof(license)))


def create_map(kind, key_size, value_size, entries):
    return _bpf(_MAP_CREATE, struct.pack("IIII", kind, key_size, value_size, entries))


def update_map(of, key, value):
    """Both 32-bit."""
    key, value = ctypes.c_uint32(key), ctypes.c_uint32(value)
    _bpf(_MAP_UPDATE, struct.pack("IIQQQ", of, 0, ctypes.addressof(key), ctypes.addressof(value), 0))


def attach(program, target, place):
    _bpf(_PROG_ATTACH, struct.pack("IIII", target, program, place, 0))


def attach_raw(program, tracepoint):
    """As long as the descriptor that it returns is open."""
    name = ctypes.create_string_buffer(tracepoint.encode())
    return _bpf(_RAW_TRACEPOINT_OPEN, struct.pack("QII", ctypes.addressof(name), program, 0))


def attach_again(program):
    """One that knows its tracepoint (tp_btf); likewise."""
    return _bpf(_RAW_TRACEPOINT_OPEN, struct.pack("QII", 0, program, 0))


# ---- what the kernel says of its programs ----

_GET_FD_BY_ID, _GET_MAP_FD_BY_ID, _GET_INFO, _ENABLE_STATS = 13, 14, 15, 32
# struct bpf_prog_info: offsets that have not moved since they came
_INFO_SIZE, _NAME, _RUN_TIME, _VERIFIED = 256, 64, 192, 216


def enable_stats():
    """Run times and counts are kept as long as the descriptor that it returns is open."""
    return _bpf(_ENABLE_STATS, struct.pack("I", 0))


def info(program):
    """Of a descriptor: id, name, run_time_ns, run_cnt, verified_insns (0: kernels before 5.16)."""
    buffer = ctypes.create_string_buffer(_INFO_SIZE)
    _bpf(_GET_INFO, struct.pack("IIQ", program, _INFO_SIZE, ctypes.addressof(buffer)))
    time_ns, count = struct.unpack_from("QQ", buffer, _RUN_TIME)
    return {"id": struct.unpack_from("I", buffer, 4)[0],
            "name": buffer.raw[_NAME:_NAME + 16].split(b"\0")[0].decode(),
            "run_time_ns": time_ns, "run_cnt": count,
            "verified_insns": struct.unpack_from("I", buffer, _VERIFIED)[0]}


def _descriptors(pid):
    """What /proc says of each that a process has."""
    for name in os.listdir(f"/proc/{pid}/fdinfo"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/fdinfo/{name}", encoding="ascii") as file:
            yield dict(line.split(maxsplit=1) for line in file if len(line.split(maxsplit=1)) == 2)


def _programs(pid):
    for number in sorted({int(one["prog_id:"]) for one in _descriptors(pid) if "prog_id:" in one}):
        yield _bpf(_GET_FD_BY_ID, struct.pack("II", number, 0))


def programs_of(pid):
    """info() of those that a process has descriptors of."""
    for program in _programs(pid):
        yield info(program)
        os.close(program)


def program_named(pid, name):
    """A descriptor of the one that has this name, which outlives the process."""
    found = None
    for program in _programs(pid):
        if found is None and info(program)["name"] == name:
            found = program
        else:
            os.close(program)
    if found is None:
        raise LookupError(f"process {pid} has no program {name}")
    return found


_RINGBUF, _PAGE = 27, os.sysconf("SC_PAGESIZE")


class Ring:
    """The ring buffer of a process, which may be gone: emptied instead of it."""

    def __init__(self, pid):
        number = next(int(one["map_id:"]) for one in _descriptors(pid) if one.get("map_type:", "").strip() == str(_RINGBUF))
        self._map = _bpf(_GET_MAP_FD_BY_ID, struct.pack("II", number, 0))
        self._consumer = mmap.mmap(self._map, _PAGE)
        self._producer = mmap.mmap(self._map, _PAGE, prot=mmap.PROT_READ, offset=_PAGE)

    def empty(self):
        """How many bytes were in it."""
        produced, consumed = (struct.unpack_from("Q", page)[0] for page in (self._producer, self._consumer))
        struct.pack_into("Q", self._consumer, 0, produced)
        return produced - consumed

    def close(self):
        self._consumer.close()
        self._producer.close()
        os.close(self._map)
