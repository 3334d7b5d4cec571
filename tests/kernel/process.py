# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes of a test, each with a name of its own, that do as they are told."""

import contextlib
import ctypes
import multiprocessing
import os
import resource
import signal

from wait import PATIENCE

_libc = ctypes.CDLL(None)


class Process:
    """A child of its own name inside a namespace; it is told what to do by words
    and answers each."""

    def __init__(self, netns, comm, function):
        self.comm, self._ended = comm, False
        self._pipe, far = multiprocessing.Pipe()
        self.pid = netns.run(lambda: self._begin(function, far))
        far.close()

    def _begin(self, function, far):
        _libc.prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG
        self._pipe.close()
        with open("/proc/self/comm", "w") as file:
            file.write(self.comm)
        resource.setrlimit(resource.RLIMIT_NOFILE, [resource.getrlimit(resource.RLIMIT_NOFILE)[1]] * 2)
        function(far)

    def say(self, word):
        self._pipe.send(word)

    def answer(self):
        if not self._pipe.poll(3 * PATIENCE):
            raise TimeoutError(f"{self.comm} does not answer")
        return self._pipe.recv()

    def heard(self):
        """All it has said that was not asked for yet."""
        while self._pipe.poll(0.1):
            yield self._pipe.recv()

    def wait(self):
        """Until it ends by itself."""
        if not self._ended:
            self._ended = True
            os.waitpid(self.pid, 0)

    def end(self):
        if not self._ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self.wait()
