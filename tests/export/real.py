#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`synfin export` and what reads it: Prometheus, promtool, an OpenMetrics parser,
VictoriaMetrics. Needs root. SYNFIN and STORM name the programs; TOOLS the directory
that tests/export/fetch made: without it every test is skipped, and says so. With
MILLION=1 ClickHouse gets a million records, too, which takes some minutes. A word is a
pattern of the tests to run. TAP.
"""

import contextlib
import functools
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "kernel"))
import suite                                        # noqa: E402
from attempts import Skip                           # noqa: E402
from exporter import MIX, SYNFIN, Exporter, Netns, Storm    # noqa: E402
from traffic import Traffic                         # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = pathlib.Path(os.environ.get("TOOLS", ROOT / "build/export-tools"))
DEPLOY = ROOT / "deploy"
EVERYTHING = ["--metrics.top-k", "5", "--metrics.group-by", "cgroup"]
OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0"}


def promtool(*args, text=None):
    done = subprocess.run([TOOLS / "usr/bin/promtool", *args], input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        yield f"promtool {' '.join(map(str, args))}: exit status {done.returncode}: {done.stdout.decode()}"


def families():
    return set(re.findall(r'^\tX\(\w+, "((?:synfin|process)_\w+)"', (ROOT / "user/metric.h").read_text(), re.MULTILINE))


def lint():
    """promtool finds nothing wrong with the metrics"""
    for options in [], EVERYTHING:
        with Netns("lint") as netns, Exporter("-N", netns, *options) as exporter:
            Storm(netns, "-n", "100", "-m", MIX)
            time.sleep(0.3)
            yield from promtool("check", "metrics", text=exporter.get()[2])


def rules():
    """promtool finds nothing wrong with rules and configuration, and the alerts are raised when they shall be"""
    directory = DEPLOY / "prometheus"
    yield from promtool("check", "rules", directory / "recording.yml", directory / "alerts.yml")
    yield from promtool("check", "config", directory / "scrape.yml")
    yield from promtool("test", "rules", directory / "alerts_test.yml")


def parser():
    """the OpenMetrics parser reads it, and every family is there"""
    sys.path.insert(0, str(TOOLS / "usr/lib/python3/dist-packages"))
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
    with Netns("parser") as netns, Traffic(netns) as traffic:
        traffic.do("pair(serve())")     # else there is no accept queue to tell of, and no port is taken
        with Exporter("-N", netns, *EVERYTHING) as exporter:
            Storm(netns, "-n", "100", "-m", MIX)
            time.sleep(0.3)
            text = exporter.get(headers=OPENMETRICS)[2].decode()
            has_paths = "cgroups have no paths" not in exporter.said()
    found, exemplars = set(), 0
    for family in text_string_to_metric_families(text):
        found.add(family.name + ("_total" if family.type == "counter" else ""))
        exemplars += sum(sample.exemplar is not None for sample in family.samples)
    optional = {name for name in families() if name.startswith("synfin_program_run")}   # by a sysctl
    optional |= set() if has_paths else {"synfin_cgroup_info"}
    if found | optional != families():
        yield f"families: {sorted(found ^ families() - optional)}"
    if not exemplars:
        yield "no exemplar"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def answer(port, path, **query):
    url = f"http://127.0.0.1:{port}{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)["data"]


@contextlib.contextmanager
def running(*words, port, ready):
    """A server, until it answers and as long as the block is."""
    with tempfile.TemporaryFile() as log:
        with subprocess.Popen(words, stdout=log, stderr=log) as process:
            try:
                deadline = time.monotonic() + 20
                while True:
                    try:
                        urllib.request.urlopen(f"http://127.0.0.1:{port}{ready}", timeout=1)
                        break
                    except OSError:
                        if process.poll() is not None or time.monotonic() > deadline:
                            log.seek(0)
                            raise RuntimeError(f"{words[0]}: {log.read()[-2000:]}") from None
                        time.sleep(0.1)
                yield
            finally:
                process.terminate()


class Prometheus:
    """Scrapes an exporter every second, with the rules of deploy/, and writes on to VictoriaMetrics."""

    def __init__(self, stack, exporter):
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        self.port, self.victoria = free_port(), free_port()
        config = (DEPLOY / "prometheus/scrape.yml").read_text()
        config = config.replace("15s", "1s").replace("127.0.0.1:10047", f"127.0.0.1:{exporter.port}")
        config = re.sub(r"- (\w+\.yml)", rf"- {DEPLOY}/prometheus/\1", config)
        config += f"remote_write:\n  - url: http://127.0.0.1:{self.victoria}/api/v1/write\n"
        path = os.path.join(directory, "prometheus.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        stack.enter_context(running(
            TOOLS / "usr/bin/victoria-metrics", f"-storageDataPath={directory}/victoria",
            f"-httpListenAddr=127.0.0.1:{self.victoria}", "-search.latencyOffset=0s",
            port=self.victoria, ready="/health"))
        stack.enter_context(running(
            TOOLS / "usr/bin/prometheus", f"--config.file={path}", f"--storage.tsdb.path={directory}/data",
            f"--web.listen-address=127.0.0.1:{self.port}", "--enable-feature=exemplar-storage", "--log.level=warn",
            port=self.port, ready="/-/ready"))

    def query(self, expression, victoria=False):
        """labels as a frozenset -> value."""
        data = answer(self.victoria if victoria else self.port, "/api/v1/query", query=expression)
        return {frozenset(one["metric"].items()): float(one["value"][1]) for one in data["result"]}

    def samples(self, victoria=False):
        """As an exporter's, without what the scrape adds."""
        ret = {}
        for labels, value in self.query('{job="synfin",__name__=~"synfin_.*"}', victoria).items():
            pairs = dict(labels)
            name = pairs.pop("__name__")
            pairs.pop("instance"), pairs.pop("job")
            ret[name, frozenset(pairs.items())] = value
        return ret

    def await_scrapes(self, count, began):
        """Until so many scrapes were made after that time."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            stamps = answer(self.port, "/api/v1/query", query='up{job="synfin"}[1m]')["result"]
            if stamps and sum(stamp > began for stamp, _ in stamps[0]["values"]) >= count:
                return
            time.sleep(0.2)
        raise TimeoutError("Prometheus does not scrape")


def expressions():
    """(panel, expression) of the dashboard, as Grafana would ask."""
    for panel in json.loads((DEPLOY / "grafana/synfin.json").read_text())["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"].replace("$__rate_interval", "30s").replace("$instance", ".*")


def wrong_exemplars(prometheus, began):
    data = answer(prometheus.port, "/api/v1/query_exemplars", start=began - 5, end=time.time() + 5,
                  query="synfin_handshake_duration_seconds_bucket")
    ids = [exemplar["labels"].get("conn", "") for series in data for exemplar in series["exemplars"]]
    if not ids or not all(re.fullmatch("[0-9a-f]{16}", one) for one in ids):
        yield f"exemplars: {ids[:5]}"


def real_servers():
    """the counts in Prometheus and in VictoriaMetrics are the storm's truth, and every panel and rule has data"""
    with contextlib.ExitStack() as stack:
        netns = stack.enter_context(Netns("real"))
        exporter = stack.enter_context(Exporter("-N", netns))
        prometheus = Prometheus(stack, exporter)
        prometheus.await_scrapes(2, 0)
        began = time.time()
        storm = Storm(netns, "-n", "5000", "-d", "4", "-46M", "-m", MIX)
        time.sleep(0.3)
        prometheus.await_scrapes(3, time.time())
        yield from storm.wrong(prometheus.samples())
        for panel, expression in expressions():
            if not prometheus.query(expression):
                yield f"panel {panel!r} has no data: {expression}"
        recorded = re.findall(r"record: (\S+)", (DEPLOY / "prometheus/recording.yml").read_text())
        for name in recorded:
            if not prometheus.query(name):
                yield f"rule {name} has no data"
        yield from wrong_exemplars(prometheus, began)
        deadline = time.monotonic() + 15
        while (wrong := list(storm.wrong(prometheus.samples(victoria=True)))) and time.monotonic() < deadline:
            time.sleep(0.5)     # remote-write has a queue
        yield from (f"VictoriaMetrics: {line}" for line in wrong)


_CLICKHOUSE = """<yandex><logger><level>error</level><log>{0}/log</log><errorlog>{0}/err</errorlog></logger>
<http_port>{1}</http_port><tcp_port>{2}</tcp_port><listen_host>127.0.0.1</listen_host><path>{0}/data/</path>
<tmp_path>{0}/tmp/</tmp_path><users_config>users.xml</users_config><mark_cache_size>100000000</mark_cache_size>
<default_profile>default</default_profile><default_database>default</default_database></yandex>"""
_USERS = """<yandex><profiles><default/></profiles><quotas><default/></quotas><users><default><password></password>
<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users></yandex>"""


def connections_of(netns, directory, count):
    """A storm, and the file that `synfin conns -o json` made of it."""
    path = os.path.join(directory, "conns.json")
    with open(path, "wb") as out, subprocess.Popen([SYNFIN, "conns", "-o", "json", "-N", netns], stdout=out,
                                                   stderr=subprocess.PIPE) as tracer:
        tracer.stderr.readline()    # that it traces
        storm = Storm(netns, "-n", str(count), "-m", MIX)
        time.sleep(0.3)
        tracer.terminate()
    return storm, path


class ClickHouse:
    """A server of its own, with the schema of deploy/."""

    fleet = DEPLOY / "fleet/clickhouse"

    def __init__(self, stack):
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        http, self.port = free_port(), free_port()
        for name, text in ("config.xml", _CLICKHOUSE.format(directory, http, self.port)), ("users.xml", _USERS):
            pathlib.Path(directory, name).write_text(text)
        for name in "data", "tmp":
            os.mkdir(os.path.join(directory, name))
        stack.enter_context(running("/usr/sbin/clickhouse-server", f"--config-file={directory}/config.xml", port=http,
                                    ready="/"))
        self.ask((self.fleet / "schema-18.16.sql").read_text())

    def ask(self, text):
        done = subprocess.run(["clickhouse-client", "--port", str(self.port), "-n"], input=text, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        return done.stdout if not done.returncode else f"error: {done.stdout}"

    def load(self, file):
        done = subprocess.run(["sh", self.fleet / "load.sh", "--port", str(self.port)], stdin=file, check=False)
        if done.returncode:
            yield f"load.sh: exit status {done.returncode}"

    def counts(self):
        """Of an empty table ClickHouse has no number for the last two."""
        return self.ask("SELECT count(), countIf(close = 'fin'), countIf(outcome = 'refused') FROM synfin.connections").split()

    def wrong_answers(self, told=False):
        for question in re.split(r";\n", (self.fleet / "queries.sql").read_text()):
            began = time.monotonic()
            answered = self.ask(question) if "SELECT" in question else ""
            if told and answered:
                print(f"# {time.monotonic() - began:.2f} s: {question.strip().splitlines()[0]}", flush=True)
            if answered.startswith("error") or ("SELECT" in question and not answered and "HAVING" not in question):
                yield f"{question}: {answered!r}"


def expected_counts(storm, times=1):
    return [str(times * storm.number(f"summary.{key}")) for key in ("connections", "close_fin", "outcome_refused")]


def clickhouse():
    """ClickHouse takes connection records by deploy/fleet, and answers the questions there"""
    with contextlib.ExitStack() as stack:
        storm, path = connections_of(stack.enter_context(Netns("clickhouse")),
                                     stack.enter_context(tempfile.TemporaryDirectory()), 3000)
        server = ClickHouse(stack)
        with open(path, "rb") as file:
            yield from server.load(file)
        if server.counts() != expected_counts(storm):
            yield f"{server.counts()}, not {expected_counts(storm)}"
        yield from server.wrong_answers()


def other_lives(path, times):
    """The records of the file, and again of other sockets in other minutes: as of so many storms."""
    minutes = re.compile(rb'("(?:time|start)":"[^"]{11})(\d\d:\d\d)')
    with open(path, "rb") as file:
        records = [line for line in file if b'"event":"connection"' in line]
    for number in range(times):
        def later(found, number=number):
            hour, minute = map(int, found[2].split(b":"))
            minute = (hour * 60 + minute + number) % 1440
            return b"%b%02d:%02d" % (found[1], minute // 60, minute % 60)

        for line in records:
            line = line.replace(b'"conn":"00', b'"conn":"%02x' % number, 1)
            yield minutes.sub(later, line)


def a_million():
    """ClickHouse takes a million connection records, and answers the questions"""
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        storm, path = connections_of(stack.enter_context(Netns("million")), directory, 50000)
        times = -(-1000000 // storm.number("summary.connections"))
        if times > 100:
            yield f"the storm told of {storm.number('summary.connections')} only: {storm.stderr}"
            return
        many = os.path.join(directory, "million.json")
        with open(many, "wb") as file:
            file.writelines(other_lives(path, times))
        server, began = ClickHouse(stack), time.monotonic()
        with open(many, "rb") as file:
            yield from server.load(file)
        print(f"# {server.counts()[0]} records loaded in {time.monotonic() - began:.0f} s", flush=True)
        if server.counts() != expected_counts(storm, times):
            yield f"{server.counts()}, not {expected_counts(storm, times)}"
        yield from server.wrong_answers(told=True)


TESTS = [lint, rules, parser, real_servers]
CLICKHOUSE = ["/usr/sbin/clickhouse-server", "/usr/bin/clickhouse-client", "/usr/bin/jq"]


def needing(paths, test):
    @functools.wraps(test)
    def with_them():
        missing = [path for path in paths if not os.path.exists(path)]
        if missing:
            raise Skip(f"{missing[0]} is missing: make test-export fetches Prometheus; ClickHouse and jq have to be installed")
        yield from test()

    return with_them


def main():
    with_clickhouse = [clickhouse, a_million] if os.environ.get("MILLION") else [clickhouse]
    tests = [needing([TOOLS / "complete"], test) for test in TESTS] + [needing(CLICKHOUSE, test) for test in with_clickhouse]
    return suite.run([test for test in tests if not sys.argv[1:] or re.search(sys.argv[1], test.__name__)])


if __name__ == "__main__":
    sys.exit(main())
