# SPDX-License-Identifier: GPL-2.0-or-later
"""What --web.config.file asks for: TLS, client certificates, passwords."""

import base64
import http.client
import os
import ssl
import subprocess
import tempfile
import threading
import time
import warnings

from exporter import MIX, SYNFIN, Exporter, Netns, Storm, as_nobody, parse

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import crypt


def hashed(password, cost=4):
    return crypt.crypt(password, f"$2y${cost:02}$abcdefghijklmnopqrstuu")


def certificate(directory, name, signer=None):
    """Make NAME.crt and NAME.key, signed by itself or by another that was made."""
    path = os.path.join(directory, name)
    extra = ["-CA", f"{directory}/{signer}.crt", "-CAkey", f"{directory}/{signer}.key"] if signer else []
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", f"{path}.key", "-out", f"{path}.crt", *extra],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def write(directory, text, name="web.yml"):
    path = os.path.join(directory, name)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path + ".new", path)
    return path


def client(directory, ca, own=None, version=None):
    context = ssl.create_default_context(cafile=f"{directory}/{ca}.crt")
    if own:
        context.load_cert_chain(f"{directory}/{own}.crt", f"{directory}/{own}.key")
    if version:
        context.maximum_version = version
    return context


def get(exporter, path="/metrics", user=None, context=None, timeout=15):
    """The status, or the word for what went wrong below HTTP."""
    headers = {}
    if user:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(user).encode()).decode()
    kind = http.client.HTTPSConnection if context else http.client.HTTPConnection
    connection = kind("127.0.0.1", exporter.port, timeout=timeout, **({"context": context} if context else {}))
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.read()
        return response.status
    except ssl.SSLError:
        return "TLS"
    except (OSError, http.client.HTTPException):
        return "closed"
    finally:
        connection.close()


def until(expected, function, seconds=10):
    deadline = time.monotonic() + seconds
    while (found := function()) != expected and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def differing(cases):
    for what, found, expected in cases:
        if found != expected:
            yield f"{what}: {found}, not {expected}"


def tls():
    """--web.config.file serves by TLS, and a new certificate at once"""
    with Netns("tls") as netns, tempfile.TemporaryDirectory() as directory:
        for name in "one", "two":
            certificate(directory, name)
        text = "tls_server_config:\n  cert_file: {0}.crt\n  key_file: {0}.key\n  min_version: TLS13\n"
        path = write(directory, text.format("one"))
        with Exporter("-N", netns, "--web.config.file", path) as exporter:
            yield from differing([
                ("the right certificate", get(exporter, context=client(directory, "one")), 200),
                ("another one", get(exporter, context=client(directory, "two")), "TLS"),
                ("an old TLS", get(exporter, context=client(directory, "one", version=ssl.TLSVersion.TLSv1_2)), "TLS"),
                ("no TLS", get(exporter), "closed"),
                ("what it says", "metrics on https://" in exporter.said(), True),
            ])
            write(directory, text.format("two"))
            yield from differing([("after the change", until(200, lambda: get(
                exporter, context=client(directory, "two"))), 200)])
            write(directory, "tls_server_config:\n  cert_fil: x\n")
            time.sleep(1.5)
            yield from differing([
                ("after a mistake", get(exporter, context=client(directory, "two")), 200),
                ("told", exporter.said().count("line 2: tls_server_config.cert_fil"), 1)])
            write(directory, text.format("three"))      # which is not there yet
            time.sleep(1.5)
            certificate(directory, "three")
            yield from differing([
                ("a file that came later", until(200, lambda: get(exporter, context=client(directory, "three"))), 200),
                ("told of the mistake", exporter.said().count("line 2"), 1)])


def client_certificates():
    """client certificates are wanted and verified"""
    with Netns("mtls") as netns, tempfile.TemporaryDirectory() as directory:
        for name, signer in ("server", None), ("ca", None), ("good", "ca"), ("bad", None):
            certificate(directory, name, signer)
        text = ("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
                "  client_ca_file: ca.crt\n  client_auth_type: {}\n")
        path = write(directory, text.format("RequireAndVerifyClientCert"))
        with Exporter("-N", netns, "--web.config.file", path) as exporter:
            def status(own=None):
                return get(exporter, context=client(directory, "server", own))

            yield from differing([("a good one", status("good"), 200), ("a bad one", status("bad"), 403),
                                  ("none", status(), 403)])
            write(directory, text.format("VerifyClientCertIfGiven"))
            yield from differing([("none, if given", until(200, status), 200), ("a good one", status("good"), 200),
                                  ("a bad one, if given", status("bad"), 403)])


def passwords():
    """users have passwords, which may change"""
    with Netns("users") as netns, tempfile.TemporaryDirectory() as directory:
        path = write(directory, f"basic_auth_users:\n  ann: {hashed('secret')}\n"
                     "http_server_config:\n  headers:\n    X-Frame-Options: deny\n")
        with Exporter("-N", netns, "--web.config.file", path) as exporter:
            cases = [(("ann", "secret"), 200), (("ann", "Secret"), 401), (("bob", "secret"), 401), (("ann", ""), 401),
                     (("ann", "x" * 5000), 401), (None, 401)]
            yield from differing([(f"{user}", get(exporter, user=user), status) for user, status in cases * 2])
            status, headers, _ = exporter.get()
            yield from differing([("asked for", headers["WWW-Authenticate"].split()[0], "Basic"),
                                  ("header", headers["X-Frame-Options"], "deny")])
            write(directory, f"basic_auth_users:\n  ann: {hashed('new')}\n")
            yield from differing([("the new one", until(200, lambda: get(exporter, user=("ann", "new"))), 200),
                                  ("the old one", get(exporter, user=("ann", "secret")), 401)])


def storm_of_passwords():
    """a storm of wrong passwords holds up neither tracing nor who has a right one"""
    with Netns("guesses") as netns, tempfile.TemporaryDirectory() as directory:
        path = write(directory, f"basic_auth_users:\n  ann: {hashed('secret', 10)}\n")
        with Exporter("-N", netns, "--web.config.file", path) as exporter:
            first = until(200, lambda: get(exporter, user=("ann", "secret")))
            over = threading.Event()

            def guess(number):
                while not over.is_set():
                    get(exporter, user=("ann", f"{number} {time.monotonic()}"))

            threads = [threading.Thread(target=guess, args=(number,)) for number in range(20)]
            for thread in threads:
                thread.start()
            try:
                storm = Storm(netns, "-n", "3000", "-m", MIX)
                waits = []
                for _ in range(5):
                    began = time.monotonic()
                    status = get(exporter, user=("ann", "secret"))
                    waits.append(time.monotonic() - began)
                    yield from differing([("the right password", status, 200)])
            finally:
                over.set()
                for thread in threads:
                    thread.join()
            yield from differing([("the right password, first", first, 200)])
            if min(waits) > 0.5:
                yield f"a scrape takes {min(waits):.2f} s"
            time.sleep(0.3)
            yield from storm.wrong(authorized(exporter))


def authorized(exporter):
    user = base64.b64encode(b"ann:secret").decode()
    return parse(exporter.get(headers={"Authorization": f"Basic {user}"})[2].decode())


def bad_web_config():
    """a web config that is wrong at the start is one line, with line and key, and exit status 1"""
    with tempfile.TemporaryDirectory() as directory:
        certificate(directory, "one")
        certificate(directory, "two")
        tls_of = "tls_server_config:\n  cert_file: {}\n  key_file: {}\n"
        for text, words in [
                ("basic_auth_users:\n  ann: secret\n", ["line 2", "basic_auth_users", "ann"]),
                ("a: [\n", ["line 2", "YAML"]),
                (tls_of.format("no.crt", "one.key"), ["cert_file", "no.crt", "No such file"]),
                (tls_of.format("one.crt", "two.key"), ["one.crt", "two.key"]),
                (tls_of.format("one.key", "one.crt"), ["cert_file", "one.key"])]:
            done = subprocess.run([SYNFIN, "export", "-N", "self", "--web.listen-address", "127.0.0.1:0",
                                   "--web.config.file", write(directory, text)], stderr=subprocess.PIPE, text=True,
                                  timeout=20, check=False)
            lines = done.stderr.splitlines()
            if done.returncode != 1 or len(lines) != 1 or any(word not in lines[0] for word in words):
                yield f"{text!r}: exit status {done.returncode}, {done.stderr!r}"


def unreadable(directory):
    """A web config whose certificate everybody may read, and its key nobody but root."""
    certificate(directory, "one")
    os.chmod(directory, 0o755)
    os.chmod(f"{directory}/one.key", 0o600)
    path = write(directory, "tls_server_config:\n  cert_file: one.crt\n  key_file: one.key\n")
    os.chmod(path, 0o644)
    return path


def unreadable_certificates():
    """a key, certificate or web config that may not be read is told in one line; later, the old one stays"""
    with Netns("unreadable") as netns, tempfile.TemporaryDirectory() as directory:
        path, nobody = unreadable(directory), as_nobody(["BPF", "PERFMON", "SYS_ADMIN"])

        def refused(*words):
            done = subprocess.run([*nobody, SYNFIN, "export", "-N", netns, "--web.listen-address", "127.0.0.1:0",
                                   "--web.config.file", path], stderr=subprocess.PIPE, text=True, timeout=20, check=False)
            lines = done.stderr.splitlines()
            if done.returncode != 1 or len(lines) != 1 or any(word not in lines[0] for word in [*words, "Permission denied"]):
                yield f"exit status {done.returncode}, {done.stderr!r}"

        yield from refused("key_file", "one.key")
        os.chmod(f"{directory}/one.key", 0o644)
        os.chmod(f"{directory}/one.crt", 0o600)
        yield from refused("cert_file", "one.crt")
        os.chmod(f"{directory}/one.crt", 0o644)
        os.chmod(path, 0o600)
        yield from refused("web.yml")
        os.chmod(path, 0o644)
        with Exporter("-N", netns, "--web.config.file", path, within=nobody) as exporter:
            old = client(directory, "one")
            before = get(exporter, context=old)
            certificate(directory, "two")
            os.chmod(f"{directory}/two.key", 0o600)
            for kind in "key", "crt":
                os.rename(f"{directory}/two.{kind}", f"{directory}/one.{kind}")
            told = until(1, lambda: exporter.said().count("Permission denied"))
            time.sleep(2.2)     # it is looked at once a second
            yield from differing([("before", before, 200), ("told", told, 1),
                                  ("told again", exporter.said().count("Permission denied"), 1),
                                  ("after", get(exporter, context=old), 200)])


TESTS = [tls, client_certificates, passwords, storm_of_passwords, bad_web_config, unreadable_certificates]
