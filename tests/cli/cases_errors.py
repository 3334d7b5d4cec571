# SPDX-License-Identifier: GPL-2.0-or-later
"""Every error names the cure. What it says else is where it belongs."""

import namespaces
import recording
from case import case, each
from synfin import as_nobody, redirected


@case
def an_error_of_reading_names_the_cure(synfin):
    def read(path):
        synfin.run("--read", path).error(1).cure()

    each(read, [(synfin.path("missing"),), (synfin.directory,), ("/dev/null",),
                (recording.write(synfin.path("text"), b"synfin was here\n" * 100),)])


@case
def an_error_of_writing_names_the_cure(synfin):
    network = namespaces.own_network()

    def write(path):
        synfin.run("-o", "json", "-N", network, "--write", path).error(1).cure()

    each(write, [(synfin.path("missing/file"),), (synfin.directory,), ("/dev/full",)])


@case
def an_error_of_stdout_names_the_cure(synfin):
    network = namespaces.own_network()

    def write(redirection, *words):
        synfin.run(*words, within=redirected(redirection)).error(1).cure()

    each(write, [(">/dev/full", "-N", network), (">&-", "-o", "json", "-N", network, "-d", "100ms"),
                 (">/dev/full", "--help"), (">&-", "-V")])


@case
def an_error_of_starting_names_the_cure(synfin):
    each(lambda name: synfin.run("-N", name).error(1).cure(), [("nosuch",), ("pid:1x",), ("/etc/passwd",)])
    synfin.run(within=as_nobody()).error(3).cure()
