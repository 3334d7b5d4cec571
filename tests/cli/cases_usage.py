# SPDX-License-Identifier: GPL-2.0-or-later
"""Command lines that are wrong, --help and -V."""

import pathlib
import re

from case import case, check, each, equal
from synfin import redirected

_FLAG_ROW = re.compile(r"""^\tX\(\w+, (?:'(.)'|0), "([a-z0-9.-]+)", """, re.MULTILINE)


def _wrong(synfin, inputs):
    """Of every (words, what the message says) only that message comes, with exit code 2."""
    def refused(words, *said):
        done = synfin.run(*words).error(2, *said)
        equal(done.stdout, b"", "stdout")
        done.cure()
    each(refused, inputs)


def _wrong_values(synfin, flag, values):
    _wrong(synfin, [([flag, value], flag) for value in values])


@case
def an_unknown_command_is_refused(synfin):
    _wrong(synfin, [
        (["nosuch"], "nosuch", "trace", "conns"),
        (["tracer"], "tracer"), (["TRACE"], "TRACE"), ([""], '""'),
        (["conns", "trace"], "trace"),
        (["\033[31mred"], "\\x1b[31mred"),
        (["x" * 5000], "xxxx..."),
    ])


@case
def an_unknown_flag_is_refused(synfin):
    _wrong(synfin, [
        (["--nosuch"], "--nosuch", "--help"), (["conns", "--nosuch=1"], "--nosuch", "conns"),
        (["-Z"], "-Z"), (["-4Z"], "-Z"), (["-4qZ"], "-Z"),
        (["--co"], "--co", "--color", "--count"),
        (["--strict=1"], "--strict", "no value"), (["-\n"], "-\\x0a"),
    ])


@case
def a_missing_argument_is_told(synfin):
    flags = ["-L", "-D", "-p", "-u", "--comm", "-N", "-d", "-c", "-o", "--color", "--write", "--read", "--ring-size",
             "--cgroup", "--unit", "--container"]
    _wrong(synfin, [([flag], flag, "missing") for flag in flags])
    _wrong(synfin, [([flag, ""], flag) for flag in flags])


@case
def whose_sockets_cannot_be_is_refused(synfin):
    _wrong_values(synfin, "--cgroup", ["a", "system.slice/nginx.service", "./a", "/a//b", "/../a", "/a/.",
                                       "/sys/fs/cgroup", "/sys/fs/cgroup/a", "/" + "a" * 256, "\033]0;x\a"])
    _wrong_values(synfin, "--unit", ["x.slice", "x.timer", "foo@", "foo@.service", "a/b", "a b", ".service",
                                     "a" * 300, "\xff"])
    _wrong_values(synfin, "--container", ["a/b", "a b", "*", "a" * 256, "\033[31m"])
    _wrong(synfin, [(["audit", flag, "/a"], flag, "trace", "conns", "listen") for flag in ("--cgroup", "--unit", "--container")])


@case
def a_bad_port_list_is_refused(synfin):
    bad = ["0", "65536", "80-", "-80", "80,,443", ",80", "80,", "90-80", "0-80", "http", "80;443", "1-2-3", "80 443",
           "0x50", "+80", "80.5", "99999999999999999999", ",".join(str(port) for port in range(1, 200, 2))]
    _wrong_values(synfin, "-L", bad)
    _wrong_values(synfin, "-D", bad)


@case
def a_bad_duration_is_refused(synfin):
    _wrong_values(synfin, "-d", ["0", "0s", "-1", "1x", "1e3", " 1", "0x10", "1.", ".5", "nan", "inf", "1s ", "10 s",
                                 "99999999999999999999", "99999999999h"])


@case
def a_bad_ring_size_is_refused(synfin):
    _wrong_values(synfin, "--ring-size", ["0", "1", "4095", "4097", "3M", "2G", "16Q", "-1", "16MB", "1.5M", "K",
                                          "99999999999999999999", "18014398509481985K"])


@case
def a_bad_count_is_refused(synfin):
    _wrong_values(synfin, "-c", ["0", "-1", "1.5", "x", "5 ", "18446744073709551616"])


@case
def a_bad_choice_is_refused(synfin):
    _wrong(synfin, [
        (["-o", "xml"], "xml", "table", "json", "csv"), (["-o", "JSON"], "JSON"), (["-o", "js"], "js"),
        (["--color", "blue"], "blue", "auto", "always", "never"),
    ])


@case
def a_bad_filter_names_its_word_and_where_it_stands(synfin):
    _wrong(synfin, [
        (["-q", "dprot", "=", ":443"], "dprot", "character 1)", "dport"),
        (["state", "establishd"], "establishd", "character 7)", "established"),
        (["conns", "state established dport = :443 and"], "the filter's end", "too early"),
        (["trace", "dport", "=", ":443", "state", "established"], "state", "character 14)", "first"),
        (["-4", "dst", "localhost"], "localhost", "not resolved"), (["-4", "dst", "443"], "443", "dport = :443"),
        (["-4", "dst", "10.0.0.0/33"], "10.0.0.0/33", "/32"), (["-4", "dst", "[::1"], "[::1", "bracket"),
        (["-4", "dport", ">", "65535"], "65535", "no port"), (["-4", "dport = :nosuchservice"], ":nosuchservice"),
        (["conns", "(", "sport", "=", ":80"], "(", "never closed"), (["conns", "sport 80 )"], ")", "closes nothing"),
        (["-4", "--", "-x"], "-x"), (["dst", "\033[31mred"], "\\x1b[31mred"), (["dst", "x" * 5000], "longer"),
        (["dst", "x" * 3000], "xxxx..."),
    ])


@case
def what_a_filter_cannot_decide_is_named(synfin):
    _wrong(synfin, [([*"dport = :80 and".split(), *words.split()], words.split()[0])
                    for words in ("dev eth0", "fwmark = 0x01/0x03", "cgroup = /system.slice", "autobound")])


@case
def a_bad_owner_is_refused(synfin):
    _wrong_values(synfin, "-p", ["", "0", "-1", "1.5", "x", " 1", "2147483648", "99999999999999999999"])
    _wrong_values(synfin, "-u", ["", "-1", "nosuchuser", "4294967295", "0x0"])
    _wrong(synfin, [(["--comm", ""], "--comm"), (["conns", "--slow", "0"], "--slow"),
                    (["conns", "--slow", "soon"], "--slow"), (["trace", "--failed"], "--failed", "conns"),
                    (["trace", "--slow", "1"], "--slow", "conns")])


@case
def a_command_that_takes_no_filter_says_so(synfin):
    _wrong(synfin, [([command, "dport", "=", ":443"], "dport", command) for command in ("doctor", "audit", "export")])


@case
def a_filter_is_explained_on_stdout(synfin):
    done = synfin.run("--explain-filter", "-N", "self", "-p", "1", "state time-wait dst 10.0.0.0/8").expect(0).quiet()
    equal(done.lines(), ["The kernel decides:", "  -N self", "  dst 10.0.0.0/8",
                         "User space decides:", "  state time-wait", "  -p 1"], "stdout")
    synfin.run("--explain-filter", "dport bogus", within=redirected(">/dev/full")).error(2, "bogus")
    synfin.run("--explain-filter", "dport 443", within=redirected(">/dev/full")).error(1, "stdout")


@case
def flags_that_contradict_each_other_are_refused(synfin):
    _wrong(synfin, [
        (["--write", synfin.path("a"), "--read", synfin.path("b")], "--write", "--read"),
        (["--read", synfin.path("b"), "--ring-size", "1M"], "--ring-size", "--read"),
    ])


def _flags():
    """All that there are, by the table in the code."""
    table = (pathlib.Path(__file__).parents[2] / "user" / "cli.h").read_text()
    rows = _FLAG_ROW.findall(table)
    check(len(rows) >= 17, f"only {len(rows)} flags found in cli.h")
    return {f"-{letter}" for letter, _ in rows if letter} | {f"--{name}" for _, name in rows}


def _help(synfin, *words):
    """The words of a help text, once its form is right."""
    done = synfin.run(*words).expect(0).quiet()
    equal([line for line in done.lines() if len(line) > 80], [], "lines that 80 columns do not hold")
    text = done.stdout.decode()
    check(all(f"\n  {code}  " in text for code in range(6)), "an exit code is missing")
    return text


@case
def help_is_on_stdout_and_names_every_flag(synfin):
    text = _help(synfin, "--help")
    commands = re.findall(r"^  ([a-z]+)  ", text.split("Options")[0], re.MULTILINE)
    check({"trace", "conns"} <= set(commands), f"commands: {commands}")
    for command in commands:
        text += _help(synfin, command, "--help")
    equal(sorted(_flags() - set(re.split(r"[\s,]+", text))), [], "flags that no help names")


@case
def help_ends_what_stands_before_it(synfin):
    for words in ["-h"], ["conns", "-h"], ["-4", "-L", "80", "--help"], ["--help", "--nosuch"]:
        check("--localport PORTS" in _help(synfin, *words), f"{words}: no help")


@case
def version_is_on_stdout(synfin):
    for words in ["-V"], ["--version"], ["conns", "-V"]:
        done = synfin.run(*words).expect(0).quiet()
        check(len(done.lines()) == 1 and done.stdout.startswith(b"synfin "), f"stdout: {done.stdout!r}")


@case
def help_that_nobody_can_get_is_an_error(synfin):
    for words in ["--help"], ["-V"]:
        synfin.run(*words, within=redirected(">/dev/full")).error(1, "stdout", "No space left")
        synfin.run(*words, within=redirected(">&-")).error(1, "stdout", "closed")
