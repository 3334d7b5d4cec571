# SPDX-License-Identifier: GPL-2.0-or-later
"""A terminal to run something in, by tmux: keys go in, pictures come out. And a
network namespace for it. Each is of this process alone, and gone with it."""

import itertools
import os
import re
import subprocess
import tempfile
import time

_NUMBERS = itertools.count(1)


class Failed(Exception):
    """It is not as it must be."""


def check(truth, told):
    if not truth:
        raise Failed(told)


class Netns:
    def __enter__(self):
        self.name = f"synfin-top-{os.getpid()}-{next(_NUMBERS)}"
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.run("ip", "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], check=True)

    def command(self, *args):
        return ["ip", "netns", "exec", self.name, *args]

    def run(self, *args, **options):
        return subprocess.run(self.command(*args), check=True, **options)


class Screen:
    """A shell in a terminal of some size. What it runs has no other one."""

    def __init__(self, width=80, height=24, **environment):
        self._socket = f"synfin-top-{os.getpid()}-{next(_NUMBERS)}"
        self._directory = tempfile.TemporaryDirectory()
        settings = {"LANG": "C.UTF-8", "PS1": "$ ", **environment}
        # The shell is not told by its rc files, and what tmux calls its terminal may be another one.
        shell = " ".join(["env", "-u", "LC_ALL", "-u", "NO_COLOR", *(f"'{k}={v}'" for k, v in settings.items()),
                          "sh"])
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height), shell)
        try:
            self.wait_for(r"^\$$")
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._tmux("kill-server", check=False)
        self._directory.cleanup()

    def _tmux(self, *args, check=True):
        return subprocess.run(["tmux", "-L", self._socket, *args], check=check, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, timeout=20).stdout

    def press(self, *keys):
        """Names of keys, as tmux has them."""
        self._tmux("send-keys", *keys)

    def type(self, text):
        self._tmux("send-keys", "-l", text)

    def enter(self, command):
        self.type(command)
        self.press("Enter")

    def resize(self, width, height):
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def lines(self, *options):
        return self._tmux("capture-pane", "-p", *options).splitlines()

    def everything(self):
        """What has scrolled away included."""
        return "\n".join(self.lines("-S", "-2000", "-J"))

    def colours(self):
        """Every SGR on the screen."""
        return re.findall(r"\033\[([\d;]*)m", "\n".join(self.lines("-e")))

    def is_alternate(self):
        return self._tmux("display-message", "-p", "#{alternate_on}").strip() == "1"

    def close(self):
        """As if its window were closed: what runs in it gets SIGHUP, and has no terminal."""
        self._tmux("kill-pane")

    def file(self, name):
        return os.path.join(self._directory.name, name)

    def wait_for(self, pattern, seconds=10):
        """The picture that has it."""
        end = time.monotonic() + seconds
        while True:
            picture = "\n".join(line.rstrip() for line in self.lines()).rstrip()
            if re.search(pattern, picture, re.MULTILINE):
                return picture
            if time.monotonic() > end:
                raise Failed(f"not on the screen within {seconds} s: {pattern}\n{picture}")
            time.sleep(0.05)
