# SPDX-License-Identifier: GPL-2.0-or-later
"""Trying again what a kernel may spoil.

A kernel was met (6.18, patched) that runs no BPF program on tracepoints while the
current process is PID 1, any thread of it, and counts nothing: a timer's event now and
then is missing from every tracer, and audit finds that, as it should. (ftrace sees it: of
128407 SYN-ACKs just the 1001 that were sent while such a thread was current.) A fault of
synfin's own shows every time.
"""

LIMIT = 4


class Skip(Exception):
    """This kernel or machine lacks what the test needs."""


def attempts(test):
    """What is wrong at last, as a list; [] as soon as nothing is. What was wrong is printed."""
    wrong = []
    for attempt in range(1, LIMIT + 1):
        try:
            wrong = list(test())
        except (RuntimeError, TimeoutError) as error:   # what it needed did not come up
            wrong = [str(error)]
        if not wrong:
            break
        for line in wrong[:5]:
            print(f"# attempt {attempt}: {line}".replace("\n", " "), flush=True)
    return wrong
