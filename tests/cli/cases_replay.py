# SPDX-License-Identifier: GPL-2.0-or-later
"""A run on a recording tells what the run told that made it."""

import contextlib
import json

import namespaces
import traffic
from case import case, check, equal, same_bytes

_VIEWS = [(command, form) for command in ("trace", "conns") for form in ("json", "table", "csv")]


def _all_views_live(synfin):
    """Of one storm: {view: Done}. Every view's recording has the view's name."""
    network, done = namespaces.own_network(), {}
    with contextlib.ExitStack() as stack:
        running = {
            (command, form): stack.enter_context(synfin.trace(
                command, "-o", form, "-N", network, "--ring-size", "4M", "--write", _path(synfin, command, form)))
            for command, form in _VIEWS}
        traffic.storm(synfin, "-n", "600", "-r", "2000", "-46M")
        left_open = traffic.listener(7001)
        traffic.settle()
        for view, tracer in running.items():
            done[view] = tracer.stop().expect(0)
        left_open.close()
    return done


def _path(synfin, command, form):
    return synfin.path(f"{command}-{form}.synfin")


def _lives(done):
    """What conns says of each life, but for times: every tracer reads its own clock."""
    keys = ("conn", "outcome", "close", "closed_by", "error", "path", "tx_bytes", "rx_bytes", "comm")
    return sorted(json.dumps([one.get(key) for key in keys]) for one in done.events("connection"))


@case
def a_replay_is_byte_identical_in_every_view(synfin):
    live = _all_views_live(synfin)
    check(len(live["conns", "json"].lines()) > 1000, "the load was too small")
    for (command, form), done in live.items():
        replay = synfin.run(command, "-o", form, "--read", _path(synfin, command, form)).expect(0)
        same_bytes(replay.stdout, done.stdout, f"{command} -o {form}")
        equal(replay.stderr, "\n".join(done.stderr.split("\n")[1:]), "stderr, but for the line that it traces")
    for recorded in _VIEWS:
        replay = synfin.run("conns", "-o", "json", "--read", _path(synfin, *recorded)).expect(0)
        equal(_lives(replay), _lives(live["conns", "json"]), f"lives in the recording of {recorded}")
