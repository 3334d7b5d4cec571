#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`synfin top` in a terminal: what it shows, what keys do, and that the terminal is
what it was however it ends. Needs root and tmux. SYNFIN and STORM name the programs;
words behind it choose the cases that have one of them in their names. TAP.
"""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import traceback

sys.dont_write_bytecode = True     # leave nothing in the tree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kernel"))
from attempts import attempts                       # noqa: E402
from screen import Failed, Netns, Screen, check     # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SYNFIN = os.path.abspath(os.environ.get("SYNFIN", f"{ROOT}/build/synfin"))
STORM = os.path.abspath(os.environ.get("STORM", f"{ROOT}/build/tests/storm"))

# One that is refused each 50 ms, one that hangs, one listening socket that nobody accepts on.
TRAFFIC = """
import socket, time
full = socket.socket(); full.bind(("127.0.0.1", 8443)); full.listen(1)
held = []
for _ in range(4):
    c = socket.socket(); c.setblocking(False); c.connect_ex(("127.0.0.1", 8443)); held.append(c)
open("/proc/self/comm", "w").write("\\033[31mevil")
print("ready", flush=True)
while True:
    c = socket.socket(); c.connect_ex(("127.0.0.1", 81)); c.close()
    time.sleep(0.05)
"""


class Traffic:
    def __init__(self, netns):
        self._process = subprocess.Popen(netns.command(sys.executable, "-c", TRAFFIC), stdout=subprocess.PIPE)
        self._process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()


def top(netns, *args):
    return " ".join([SYNFIN, "top", "-N", netns.name, *args])


def started(screen, netns, *args):
    """Runs it, with the terminal's settings before and after, and its exit status."""
    screen.enter(f"stty -a >{screen.file('before')}; {top(netns, *args)}; echo status=$?; "
                 f"stty -a >{screen.file('after')}; echo done")
    return screen.wait_for("^ listeners ")


def assert_restored(screen, status=0):
    screen.wait_for("^done$")
    check(not screen.is_alternate(), "the screen is still another one")
    told = re.search(r"^status=(\d+)$", screen.everything(), re.MULTILINE)
    check(told and int(told[1]) == status, f"exit status {told and told[1]}, not {status}\n{screen.everything()}")
    before, after = (open(screen.file(name)).read() for name in ("before", "after"))
    check(before == after, f"the terminal was\n{before}and is\n{after}")
    check("echo" in re.split(r"[ ;\n]", after) and "icanon" in re.split(r"[ ;\n]", after), f"no cooked terminal: {after}")


def own_pid(netns):
    """Of the one synfin whose command line has this namespace."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = open(f"/proc/{pid}/cmdline", "rb").read().split(b"\0")
        except OSError:
            continue
        if line[0] == SYNFIN.encode() and netns.name.encode() in line:
            return int(pid)
    raise Failed("there is no synfin of this namespace")


# ---- cases ----

def again(test):
    """What a busy machine, or a kernel that leaves out an event, may spoil; see attempts.py."""
    def once():
        try:
            test()
        except Failed as why:
            yield str(why)
    wrong = attempts(once)
    check(not wrong, "\n".join(wrong))


def it_is_useful_within_a_second():
    """opens within a second, and shows at once what was there before"""
    again(_opens)


def _opens():
    with Netns() as netns, Traffic(netns), Screen() as screen:
        begin = time.monotonic()
        screen.enter(top(netns))
        picture = screen.wait_for("^ listeners ", 5)
        took = time.monotonic() - begin
        busy = max(1, os.getloadavg()[0] / os.cpu_count())     # it gets its share of a core
        print(f"# it took {took:.2f} s, on a machine with {busy:.1f} to run for each of its cores")
        check("accept queue 2 of 1, FULL" in picture, f"no full accept queue at once\n{picture}")
        check("nothing lost" in picture.splitlines()[0], picture)
        check(took < busy, f"it took {took:.2f} s")     # tmux and its polling included


def keys_do_what_the_screen_says():
    """every key does what the last line says"""
    with Netns() as netns, Traffic(netns), Screen() as screen:
        started(screen, netns)
        screen.wait_for(r"ECONNREFUSED +-> 127\.0\.0\.1:81 ")
        screen.press("2")
        screen.wait_for("^2 owners  1")
        screen.press("Tab")
        screen.wait_for("^3 listeners  1")
        screen.press("?")
        screen.wait_for("any other key back")
        screen.press("x")
        screen.wait_for("^3 listeners")
        screen.press("1", "/")
        screen.type("nowhere")
        screen.wait_for("no line has what the filter wants")
        screen.press("Escape")
        screen.wait_for("^ECONNREFUSED")
        screen.press("s")
        screen.wait_for("vCOUNT|▼COUNT")
        screen.press("r")
        screen.wait_for("▲COUNT")
        screen.press("q")
        picture = screen.wait_for(r"^\$$")
        check("ECONNREFUSED" in screen.everything(), f"no summary was left\n{picture}")


def enter_shows_a_ladder():
    """Enter expands a connection to its ladder, and any key goes back"""
    with Netns() as netns, Traffic(netns), Screen() as screen:
        started(screen, netns)
        screen.wait_for("^ECONNREFUSED")
        time.sleep(1.2)     # of the other end nothing will come: some ladders wait for it
        screen.press("Enter")
        picture = screen.wait_for("Refused: the server answered the SYN with RST")
        check("SYN seq=J" in picture, picture)
        screen.press("Escape")
        screen.wait_for("^ECONNREFUSED")


def pause_keeps_the_picture():
    """p keeps the picture while counting goes on"""
    with Netns() as netns, Traffic(netns), Screen() as screen:
        started(screen, netns)
        screen.wait_for("^ECONNREFUSED")
        screen.press("p")
        paused = screen.wait_for("PAUSED")
        time.sleep(2.5)
        check(screen.wait_for("PAUSED") == paused, "it did not stay")
        screen.press("p")
        now = screen.wait_for("^synfin top")
        count = [int(re.search(r"127\.0\.0\.1:81 +(\d+)", picture)[1]) for picture in (paused, now)]
        check(count[1] >= count[0] + 20, f"{count[0]} failures, then {count[1]}: not counted meanwhile")


def it_follows_the_terminals_size():
    """a terminal that changes its size has the picture at once, or is told what it takes"""
    with Netns() as netns, Traffic(netns), Screen() as screen:
        started(screen, netns)
        screen.resize(200, 50)
        screen.wait_for("5 TIME_WAIT")
        screen.resize(40, 10)
        screen.wait_for("too small: 40x10, top takes 64x18")
        screen.resize(70, 20)
        screen.wait_for("^SYN_SENT")
        screen.resize(80, 24)
        picture = screen.wait_for("FIN_WAIT1")
        check("too small" not in picture, picture)
        screen.press("q")
        screen.wait_for(r"^\$$")


def q_restores_the_terminal():
    """q gives the terminal back, with a summary"""
    with Netns() as netns, Screen() as screen:
        started(screen, netns)
        screen.press("q")
        assert_restored(screen)
        check("synfin top on " in screen.everything(), screen.everything())


def ctrl_c_restores_the_terminal():
    """so does Ctrl-C"""
    with Netns() as netns, Screen() as screen:
        started(screen, netns)
        screen.press("C-c")
        screen.wait_for("synfin itself took")
        # The shell's own line ends there, too.
        screen.enter(f"stty -a >{screen.file('after')}; echo status=0; echo done")
        assert_restored(screen)


def signals_restore_the_terminal():
    """so do SIGTERM and SIGHUP, and a crash"""
    for number, status in (signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGSEGV, 128 + signal.SIGSEGV):
        with Netns() as netns, Screen() as screen:
            started(screen, netns)
            os.kill(own_pid(netns), number)
            assert_restored(screen, status)


def ctrl_z_lends_the_terminal():
    """Ctrl-Z gives the terminal back for a while, and fg takes it again"""
    with Netns() as netns, Screen() as screen:
        screen.enter("set -m")
        started(screen, netns)
        screen.press("C-z")
        screen.wait_for("^(.*Stopped|.*Suspended).*synfin")
        check(not screen.is_alternate(), "the screen is still another one")
        screen.enter(f"stty -a >{screen.file('after')}; cmp {screen.file('before')} {screen.file('after')} && echo same")
        screen.wait_for("^same$")
        screen.enter("fg")
        screen.wait_for("^ listeners ")
        screen.press("q")
        screen.wait_for("synfin itself took")


def its_time_restores_the_terminal():
    """and so does -d"""
    with Netns() as netns, Screen() as screen:
        started(screen, netns, "-d", "2")
        assert_restored(screen)


def a_closed_window_ends_it():
    """when its window is closed it ends, and does not spin"""
    with Netns() as netns, Screen() as screen:
        started(screen, netns)
        pid = own_pid(netns)
        screen.close()
        end = time.monotonic() + 5
        while os.path.exists(f"/proc/{pid}") and time.monotonic() < end:
            time.sleep(0.05)
        check(not os.path.exists(f"/proc/{pid}"), "it still runs")


def an_unknown_terminal_is_an_error():
    """a TERM that nobody knows is an error in one line, and nothing is changed"""
    for term in "no-such-terminal", "dumb":
        with Netns() as netns, Screen() as screen:
            screen.enter(f"stty -a >{screen.file('before')}; TERM={term} {top(netns, '-q')} 2>{screen.file('err')}; "
                         f"echo status=$?; stty -a >{screen.file('after')}; echo done")
            assert_restored(screen, 1)
            told = open(screen.file("err")).read()
            check(told.count("\n") == 1 and f"TERM is {term}" in told, told)


def what_is_said_meanwhile_is_said_afterwards():
    """what is said on stderr does not garble the screen, and is said when it is over"""
    with Netns() as netns, Screen() as screen, tempfile.TemporaryDirectory() as directory:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", directory], check=True)
        try:
            screen.enter(f"stty -a >{screen.file('before')}; {top(netns, '--write', directory + '/a.rec')}; "
                         f"echo status=$?; stty -a >{screen.file('after')}; echo done")
            subprocess.run([STORM, "-N", netns.name, "-q", "-n", "3000", "-r", "3000"], check=True,
                           stdout=subprocess.DEVNULL)
            assert_restored(screen, 1)
            check("cannot write the recording" in screen.everything(), screen.everything())
        finally:
            subprocess.run(["umount", directory], check=True)


def without_colour_there_is_none():
    """NO_COLOR, --color never and a monochrome terminal: no colour, but all else"""
    for environment, args in ({"NO_COLOR": "1"}, []), ({}, ["--color", "never"]), ({"TERM": "vt100"}, []):
        with Netns() as netns, Traffic(netns), Screen(**environment) as screen:
            started(screen, netns, *args)
            screen.wait_for("^ECONNREFUSED")
            colours = [sgr for sgr in screen.colours() if re.search(r"(^|;)(3[0-8]|4[0-8]|9\d)(;|$)", sgr)]
            check(not colours, f"{environment} {args}: {colours}")
            check(any("7" in sgr.split(";") for sgr in screen.colours()), "nothing is in reverse, either")
    with Netns() as netns, Traffic(netns), Screen() as screen:
        started(screen, netns)
        screen.wait_for("^ECONNREFUSED")
        check(any(re.search(r"(^|;)3\d", sgr) for sgr in screen.colours()), "no colour where it is wanted")


def without_utf8_there_is_ascii():
    """a locale without UTF-8 has ASCII"""
    with Netns() as netns, Traffic(netns), Screen(200, 50, LANG="C") as screen:
        picture = started(screen, netns)
        check(picture.isascii(), picture)
        check("+-> ESTABLISHED" in picture, picture)
    with Netns() as netns, Traffic(netns), Screen(200, 50) as screen:
        check("├─► ESTABLISHED" in started(screen, netns), "no lines in UTF-8")


def a_name_does_not_reach_the_terminal():
    """a process that calls itself an escape sequence is shown as what it is"""
    with Netns() as netns, Traffic(netns), Screen(120, 40) as screen:
        started(screen, netns)
        screen.wait_for(re.escape(r"\x1b[31mevil["))


def no_terminal_is_an_error():
    """without a terminal it is an error in one line, unless -d or -i asks for text"""
    with Netns() as netns:
        done = subprocess.run([SYNFIN, "top", "-N", netns.name], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=20)
        check(done.returncode == 2 and not done.stdout, done)
        check(done.stderr.count("\n") == 1 and "terminal" in done.stderr and "-d" in done.stderr, done.stderr)
        done = subprocess.run([SYNFIN, "top", "-N", netns.name, "-d", "1"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=20)
        check(done.returncode == 0 and done.stdout.count("synfin top on ") == 1, done)
        check(done.stdout.isascii() and "\033" not in done.stdout, done.stdout)
        done = subprocess.run([SYNFIN, "top", "-N", netns.name, "-d", "2.2", "-i", "0.5"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=20)
        check(4 <= done.stdout.count("synfin top on ") <= 6, done.stdout)
        done = subprocess.run(["sh", "-c", f"{{ {SYNFIN} top -q -N {netns.name} -i 0.2; echo status=$? >&2; }} | "
                               "head -n 1"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
        check(done.stdout.startswith("synfin top on ") and done.stderr == "status=0\n", done)


def a_storm_is_counted_to_the_last():
    """what it counts of a storm is the storm's truth; nothing is lost; a recording says the same"""
    again(_counts_a_storm)


def _counts_a_storm():
    with Netns() as netns, Screen(120, 40) as screen, tempfile.TemporaryDirectory() as directory:
        screen.enter(f"{top(netns, '--strict', '--write', directory + '/storm.rec')}; echo status=$?")
        screen.wait_for("^ listeners ")
        done = subprocess.run([STORM, "-N", netns.name, "-q", "-n", "20000", "-d", "4", "-46M"], check=True,
                              stdout=subprocess.PIPE, text=True)
        truth = dict(line.split("=") for line in done.stdout.splitlines())
        time.sleep(1.5)
        check("nothing lost" in screen.wait_for("^synfin top"), "something was lost")
        screen.press("q")
        screen.wait_for("^status=0$")
        said = screen.everything()
        attempts, refused = int(truth["attempts"]), int(truth["kind.refused"])
        check(re.search(rf"^opened +{attempts} active, {attempts - refused} passive$", said, re.MULTILINE),
              f"{attempts} attempts, {refused} refused\n{said}")
        check(re.search(rf"^failed +{refused} refused$", said, re.MULTILINE), f"{refused} refused\n{said}")
        # A life whose event the kernel has not told (attempts.py) is no loss, but incomplete.
        check(re.search(r"^lost +(nothing|\d incomplete);", said, re.MULTILINE), re.search(r"^lost .*$", said, re.MULTILINE)[0])
        again = subprocess.run([SYNFIN, "top", "--read", f"{directory}/storm.rec"], stdin=subprocess.DEVNULL,
                               capture_output=True, text=True, timeout=60)
        check(again.returncode == 0, again)
        for key in "opened", "failed", "closed", "resets":
            live, read = (re.search(rf"^{key} .*$", text, re.MULTILINE)[0] for text in (said, again.stdout))
            check(live == read, f"live:     {live}\nrecorded: {read}")


class _Pty:
    """A terminal that somebody reads, as fast as it comes."""

    def __init__(self, width, height):
        self.near, self.far = pty.openpty()
        fcntl.ioctl(self.far, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.bytes = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            while part := os.read(self.near, 1 << 16):
                self.bytes += len(part)
        except OSError:
            pass


def _cpu_of(drawn, *load):
    """Percent of a core that it takes under a load, and connections a second."""
    with Netns() as netns:
        terminal = _Pty(200, 50)
        on = {"stdin": terminal.far, "stdout": terminal.far, "start_new_session": True} if drawn else \
             {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        process = subprocess.Popen([SYNFIN, "top", "-N", netns.name, "-d", "60"], stderr=subprocess.PIPE,
                                   env={**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}, **on)
        os.close(terminal.far)
        check(b"tracing" in process.stderr.readline(), "it does not trace")
        time.sleep(0.3)
        begin, before = time.monotonic(), _cpu(process.pid)
        storm = subprocess.run([STORM, "-N", netns.name, "-q", *load], stdout=subprocess.PIPE, text=True, check=False)
        share = (_cpu(process.pid) - before) / (time.monotonic() - begin) * 100
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        rate = int(re.search(r"^rate=(\d+)", storm.stdout, re.MULTILINE)[1])
        check(process.returncode == 0, f"exit status {process.returncode}")
        return share, rate, terminal.bytes


def _cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def drawing_costs_next_to_nothing():
    """drawing at full speed takes less than 5 % of a core"""
    costs = []
    for _ in range(2):      # the machine has other things to do, too: the better of two
        load = ("-n", "2000000", "-s", "5")
        blind, blind_rate, _ = _cpu_of(False, *load)
        drawn, rate, size = _cpu_of(True, *load)
        # What is not drawing goes with the connections.
        costs.append(drawn - blind * rate / max(blind_rate, 1))
        print(f"# {rate} connections/s: {drawn:.1f} % with a screen of 200x50 ({size} bytes), {blind:.1f} % without "
              f"at {blind_rate}/s: drawing takes {costs[-1]:.1f} %")
        if costs[-1] < 5:
            return
    raise Failed(f"drawing takes {min(costs):.1f} %")


CASES = [it_is_useful_within_a_second, keys_do_what_the_screen_says, enter_shows_a_ladder, pause_keeps_the_picture,
         it_follows_the_terminals_size, q_restores_the_terminal, ctrl_c_restores_the_terminal,
         signals_restore_the_terminal, ctrl_z_lends_the_terminal, its_time_restores_the_terminal, a_closed_window_ends_it,
         an_unknown_terminal_is_an_error, what_is_said_meanwhile_is_said_afterwards, without_colour_there_is_none,
         without_utf8_there_is_ascii, a_name_does_not_reach_the_terminal, no_terminal_is_an_error,
         a_storm_is_counted_to_the_last, drawing_costs_next_to_nothing]


def main():
    wanted = [case for case in CASES if not sys.argv[1:] or any(word in case.__name__ for word in sys.argv[1:])]
    failed = 0
    print(f"1..{len(wanted)}", flush=True)
    for number, case in enumerate(wanted, 1):
        told = []
        try:
            case()
        except Failed as why:
            told = str(why).splitlines()
        except Exception:
            told = traceback.format_exc().splitlines()
        failed += bool(told)
        print(f"{'not ' if told else ''}ok {number} - {case.__doc__}")
        for line in told:
            print(f"# {line}")
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
