# SPDX-License-Identifier: GPL-2.0-or-later
"""--read of what is no recording, or only half of one."""

import os
import random
import signal
import struct
import tempfile
import threading
import time

import recording
from case import Failed, case, check, each, equal, same_bytes

_SLOWEST = 5            # seconds for a small file, however broken


def _read(synfin, path, *args, **how):
    return synfin.run(*args, "-o", "json", "--read", path, limit=_SLOWEST, **how)


def _altered(synfin, whole, at, value):
    changed = bytearray(whole)
    changed[at:at + len(value)] = value
    return recording.write(synfin.path("altered.synfin"), changed)


@case
def what_is_no_file_of_synfin_is_told_so(synfin):
    def told(path, *words):
        done = _read(synfin, path).error(1, path, *words)
        equal(done.stdout, b"", "stdout")

    each(told, [
        (synfin.path("missing"), "No such file"),
        (synfin.directory, "directory"),
        (recording.write(synfin.path("empty"), b""), "no recording"),
        (recording.write(synfin.path("text"), b"synfin was here\n" * 100), "no recording"),
        (recording.write(synfin.path("pcap"), b"\xd4\xc3\xb2\xa1\x02\0\x04\0" + bytes(100)), "no recording"),
        (synfin.binary, "no recording"), ("/dev/zero", "no recording"), ("/dev/random", "no recording"),
        ("/dev/null", "no recording"),
    ])


@case
def a_recording_of_another_machine_or_version_is_told_so(synfin):
    whole, _ = recording.make(synfin)
    _, order, version = recording.HEADER.unpack_from(whole)
    path = _altered(synfin, whole, 8, struct.pack(">I", order) if struct.pack("<I", 1) == struct.pack("=I", 1)
                    else struct.pack("<I", order))
    _read(synfin, path).error(1, path, "byte order")
    path = _altered(synfin, whole, 12, struct.pack("=I", version + 1))
    _read(synfin, path).error(1, path, f"version {version + 1}", f"reads {version}")
    path = _altered(synfin, whole, 8, b"\x11\x22\x33\x44")
    _read(synfin, path).error(1, path, "no recording")


def _breaks_off(synfin, whole, run, length):
    """What was before the break is told as in the whole run."""
    ends = recording.boundaries(whole)
    path = recording.write(synfin.path("part.synfin"), whole[:length])
    done = _read(synfin, path).error(1, path, f"at byte {max(end for end in ends if end <= length)};")
    done.summary()
    told = done.lines()[:-1]
    same_bytes("\n".join(told), "\n".join(run.lines()[:len(told)]), "what was before the break")


@case
def a_truncated_recording_is_told_up_to_the_break(synfin):
    whole, run = recording.make(synfin)
    ends = recording.boundaries(whole)
    equal(ends[-1], len(whole), "where the last record ends")
    some = random.Random(1)
    lengths = {ends[1], ends[1] + 1, ends[-2], ends[-2] + 1, len(whole) - 1}
    lengths |= {end + step for end in some.sample(ends[2:-1], 8) for step in (-1, 0, 1)}
    lengths |= {some.randrange(ends[1], len(whole)) for _ in range(20)}
    each(lambda length: _breaks_off(synfin, whole, run, length), [(length,) for length in sorted(lengths)])


@case
def a_recording_without_its_first_record_is_told_so(synfin):
    """Up to the header's end it might be anything."""
    whole, _ = recording.make(synfin)
    end = recording.HEADER.size

    def told(length, *words):
        path = recording.write(synfin.path("part.synfin"), whole[:length])
        equal(_read(synfin, path).error(1, path, *words).stdout, b"", "stdout")

    each(told, [(0, "no recording"), (1, "no recording"), (end - 1, "no recording")]
         + [(length, f"at byte {end};") for length in (end, end + 1, end + 31, end + 32, end + 100)])


@case
def as_much_as_possible_is_told_of_a_truncated_recording(synfin):
    whole, run = recording.make(synfin)
    half = recording.boundaries(whole)[-2]
    done = _read(synfin, recording.write(synfin.path("part.synfin"), whole[:half]))
    same_bytes("\n".join(done.lines()[:-1]), "\n".join(run.lines()[:-1]), "a recording that lacks its end only")


def _survives(synfin, path, *args):
    done = synfin.run(*args, "-q", "--read", path, limit=_SLOWEST)
    if done.status:
        done.error(1, "--read")
    if "json" in args and done.stdout:
        done.summary()


def _damaged(whole, some):
    """A recording with a few bytes changed."""
    damaged = bytearray(whole)
    for _ in range(some.choice((1, 1, 2, 8, 64))):
        damaged[some.randrange(len(whole))] = some.choice((0, 0xff, some.randrange(256)))
    return damaged


@case
def a_damaged_recording_never_crashes_it(synfin):
    whole, _ = recording.make(synfin)
    views = [(command, "-o", form) for command in ("trace", "conns") for form in ("json", "table", "csv")]
    some = random.Random(2)
    for turn in range(180):
        damaged = _damaged(whole, some)
        try:
            _survives(synfin, recording.write(synfin.path("damaged.synfin"), damaged), *views[turn % len(views)])
        except Failed as failed:
            kept = recording.write(tempfile.mktemp(prefix="synfin-damaged-"), damaged)
            raise Failed(f"{failed}\nviewed with {views[turn % len(views)]}, kept as {kept}") from None


@case
def damage_is_told_with_its_place(synfin):
    whole, run = recording.make(synfin)
    at = recording.boundaries(whole)[-5]
    done = _read(synfin, _altered(synfin, whole, at + 28, struct.pack("=H", 9))).error(1, f"byte {at};", "damaged")
    told = done.lines()[:-1]
    check(told, "what was before the damage is not shown")
    same_bytes("\n".join(told), "\n".join(run.lines()[:len(told)]), "what was before the damage")


@case
def a_kind_of_record_that_it_does_not_know_is_skipped(synfin):
    whole, run = recording.make(synfin)
    at = recording.boundaries(whole)[4]
    strange = bytearray(whole[at:at + 32])
    struct.pack_into("=HB", strange, 28, len(strange), 200)
    path = recording.write(synfin.path("newer.synfin"), whole[:at] + strange + whole[at:])
    same_bytes(_read(synfin, path).expect(0).stdout, run.stdout, "with a record of an unknown kind")


class _Feeder(threading.Thread):
    """Writes parts of a recording to a FIFO, one when it is told to."""

    def __init__(self, path, *parts):
        super().__init__(daemon=True)
        self.go_on = threading.Event()
        self._path, self._parts = path, parts

    def run(self):
        with open(self._path, "wb", buffering=0) as fifo:
            for part in self._parts:
                fifo.write(part)
                self.go_on.wait()


def _fifo(synfin):
    path = synfin.path("fifo")
    os.mkfifo(path)
    return path


@case
def a_recording_may_come_slowly_through_a_fifo(synfin):
    whole, run = recording.make(synfin)
    path = _fifo(synfin)
    with synfin.launch("-o", "json", "--read", path) as replay, open(path, "wb", buffering=0) as fifo:
        for at in range(0, 3000, 100):
            fifo.write(whole[at:at + 100])
            time.sleep(0.005)
        fifo.write(whole[3000:])
        fifo.close()
        same_bytes(replay.done().expect(0).quiet().stdout, run.stdout, "through a FIFO")


@case
def what_a_fifo_has_delivered_is_shown_at_once(synfin):
    whole, run = recording.make(synfin)
    path, half = _fifo(synfin), recording.boundaries(whole)[-2]
    feeder = _Feeder(path, whole[:half], whole[half:])
    shown, far = os.pipe()
    with synfin.launch("-o", "json", "--read", path, stdout=far) as replay:
        os.close(far)
        feeder.start()
        time.sleep(1)
        os.set_blocking(shown, False)
        try:
            first = os.read(shown, 100)
        except BlockingIOError:
            first = b""
        check(first == run.stdout[:100], f"a second after half of it came, stdout has {first!r}")
        feeder.go_on.set()
        os.set_blocking(shown, True)
        while os.read(shown, 1 << 16):
            pass
        replay.done().expect(0)


@case
def a_signal_ends_a_replay_in_good_order(synfin):
    whole, _ = recording.make(synfin)
    path = _fifo(synfin)
    feeder = _Feeder(path, whole[:recording.boundaries(whole)[-2]], b"")
    with synfin.launch("-o", "json", "--read", path) as replay:
        feeder.start()
        time.sleep(0.5)
        done = replay.stop(signal.SIGTERM).expect(0)
        check(done.summary()["transitions"] > 0, "what was read before the signal is not shown")
