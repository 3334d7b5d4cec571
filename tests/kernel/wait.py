# SPDX-License-Identifier: GPL-2.0-or-later
"""Waiting for what must happen, however slow the machine is."""

import time

from load import EMULATED

PATIENCE = 60.0 if EMULATED else 20.0   # seconds; then it will never happen
_PAUSE = 0.05 if EMULATED else 0.01     # seconds: where many wait, asking is work, too


def wait_until(happened, what, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {what} within {seconds} s")
        time.sleep(_PAUSE)
