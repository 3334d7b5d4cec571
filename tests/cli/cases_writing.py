# SPDX-License-Identifier: GPL-2.0-or-later
"""--write where it cannot, and what is left when the disk is full."""

import os
import signal

import namespaces
import recording
import traffic
from case import case, check, equal, same_bytes
from synfin import as_nobody, give_to_nobody


def _cannot_write(synfin, path, *words):
    done = synfin.run("-o", "json", "-N", namespaces.own_network(), "--write", path).error(1, path, *words)
    equal([record["event"] for record in done.records()], ["summary"], "records")


@case
def a_device_that_is_full_is_told(synfin):
    _cannot_write(synfin, "/dev/full", "No space left")


@case
def a_directory_that_does_not_exist_is_told(synfin):
    _cannot_write(synfin, synfin.path("missing/file"), "No such file")


@case
def a_directory_instead_of_a_file_is_told(synfin):
    _cannot_write(synfin, synfin.directory, "directory")


@case
def a_symbolic_link_is_not_followed(synfin):
    link, target = synfin.path("link"), recording.write(synfin.path("target"), b"precious")
    os.symlink(target, link)
    _cannot_write(synfin, link, "symbolic link")
    equal(recording.read(target), b"precious", "what the link points to")


@case
def a_hard_link_is_not_written_through(synfin):
    """Whoever may write in the directory may have prepared it."""
    link, target = synfin.path("link"), recording.write(synfin.path("target"), b"precious")
    os.chmod(target, 0o644)
    os.link(target, link)
    _cannot_write(synfin, link, "hard link", "; name a new file")
    equal([recording.read(target), os.stat(target).st_mode & 0o777], [b"precious", 0o644], "what has two names")
    os.unlink(target)
    synfin.run("-q", "-d", "10ms", "-N", namespaces.own_network(), "--write", link).expect(0).quiet()
    check(recording.read(link) != b"precious", "with one name left it was not overwritten")


def _is_told_of(synfin, path, done):
    """What fitted can be replayed, and is told as it was."""
    size = recording.size(path)
    equal(recording.boundaries(recording.read(path))[-1], size, "where the last whole record ends")
    told = synfin.run("-o", "json", "--read", path).error(1, path, f"at byte {size};").lines()[:-1]
    check(len(told) > 20, f"{len(told)} lines told from {size} bytes")
    same_bytes("\n".join(told), "\n".join(done.lines()[:len(told)]), "the replay")


def _full_disk(synfin, size):
    disk = synfin.path("disk")
    os.mkdir(disk)
    namespaces.mount_tmpfs(disk, f"size={size}")
    return f"{disk}/recording"


@case
def a_full_disk_ends_the_run_and_leaves_a_recording(synfin):
    network, path = namespaces.own_network(), _full_disk(synfin, "64k")
    with synfin.trace("-o", "json", "-N", network, "--write", path) as tracer, \
            traffic.Storm(synfin, "-n", "4000", "-r", "2000"):
        done = tracer.done().error(1, path, "No space left")
    done.summary()
    _is_told_of(synfin, path, done)


@case
def a_disk_that_shows_to_be_full_at_the_end_leaves_a_recording(synfin):
    network, path = namespaces.own_network(), _full_disk(synfin, "16k")
    with synfin.trace("-o", "json", "-N", network, "--write", path) as tracer:
        traffic.refuse(*range(7001, 7101))
        done = tracer.stop().error(1, path, "No space left")
    equal(done.summary()["transitions"], 200, "transitions")
    _is_told_of(synfin, path, done)


@case
def a_null_device_takes_a_recording(synfin):
    synfin.run("-N", namespaces.own_network(), "-d", "100ms", "-q", "--write", "/dev/null").expect(0).quiet()


@case
def an_older_recording_is_kept_when_tracing_cannot_start(synfin):
    path = recording.write(synfin.path("older"), b"precious")
    give_to_nobody(path)
    give_to_nobody(synfin.directory)
    synfin.run("--write", path, within=as_nobody()).error(3, "CAP_BPF")
    equal(recording.read(path), b"precious", "the older recording")
    synfin.run("--write", path, "-N", "/etc/passwd").error(1)
    equal(recording.read(path), b"precious", "the older recording")


@case
def an_older_recording_is_replaced_when_tracing_starts(synfin):
    path = recording.write(synfin.path("made.synfin"), b"precious" * 100000)
    whole, run = recording.make(synfin)
    equal(recording.boundaries(whole)[-1], len(whole), "where the last record ends")
    same_bytes(synfin.run("-o", "json", "--read", path).expect(0).stdout, run.stdout, "the replay")


@case
def a_recording_is_nobody_elses_to_read(synfin):
    os.umask(0)
    recording.make(synfin)
    equal(os.stat(synfin.path("made.synfin")).st_mode & 0o777, 0o600, "the mode of a recording")


@case
def a_fifo_without_a_reader_does_not_keep_it_from_ending(synfin):
    path = synfin.path("fifo")
    os.mkfifo(path)
    with synfin.launch("-o", "json", "-N", namespaces.own_network(), "--write", path) as tracer:
        traffic.settle()
        traffic.settle()
        tracer.process.send_signal(signal.SIGTERM)
        tracer.done(3)
