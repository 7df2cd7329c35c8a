# SPDX-License-Identifier: Apache-2.0
"""A web server of lists that behaves as a test wants it, and `greengate update` against it."""
import http.server
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import threading
import unittest

from harness import BUILD, ROOT, SLOWER, write_yaml

CATALOG = os.path.join(ROOT, "blocklists", "catalog")


def names(count, start=0):
    """A list of that many names."""
    return "".join(f"n{i}.example\n" for i in range(start, start + count)).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers from server.routes: octets, or a function of the handler."""

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        route = self.server.routes.get(self.path.split("?")[0])
        if route is None:
            self.send(b"<html>secret text of the server</html>", 404)
        elif isinstance(route, bytes):
            self.send(route)
        else:
            route(self)

    def do_CONNECT(self):
        self.server.seen.append((self.path, dict(self.headers)))
        self.send(b"", 502)

    def send(self, body, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):  # noqa: A002 - the base class's name
        pass


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is what many tests want


class ListServer:
    """http, or https with the certificate and key in the file `pem`."""

    def __init__(self, pem=None):
        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.http.seen, self.http.routes = [], {}
        self.seen, self.routes = self.http.seen, self.http.routes
        self.port = self.http.server_port
        self.scheme = "https" if pem else "http"
        if pem:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem)
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True,
                                                   do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def url(self, path="/", host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.port}{path}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


def move_to(url, status=302):
    return lambda handler: handler.send(b"", status, Location=url)


class Authority:
    """A certificate authority of the test: ca.pem, and leaves for given names."""

    def __init__(self, folder):
        self.folder = folder
        self.pem = os.path.join(folder, "ca.pem")
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out",
                     "ca.pem", "-subj", "/CN=greengate test", "-days", "2")

    def openssl(self, *words):
        done = subprocess.run(["openssl", *words], cwd=self.folder, capture_output=True, text=True,
                              timeout=60, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr)

    def leaf(self, name, subject, days=2):
        """The file with certificate and key; negative days have passed already."""
        with open(os.path.join(self.folder, "san"), "w", encoding="ascii") as out:
            out.write(f"subjectAltName={subject}\n")
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "leaf.key", "-out",
                     "leaf.csr", "-subj", "/CN=leaf")
        self.openssl("x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                     "-CAcreateserial", "-days", str(days), "-extfile", "san", "-out", "leaf.pem")
        path = os.path.join(self.folder, f"{name}.pem")
        with open(path, "wb") as out:
            for part in ("leaf.pem", "leaf.key"):
                with open(os.path.join(self.folder, part), "rb") as piece:
                    out.write(piece.read())
        return path


def resident(pid):
    """Octets of a process and all below it; what they share counts once for each."""
    total = 0
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Rss:"):
                    total += int(line.split()[1]) * 1024
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
    except OSError:
        return 0
    return total + sum(resident(int(child)) for child in children)


class UpdateTest(unittest.TestCase):
    """A folder with a configuration, and the CLI on it. Sources may have private addresses and
    plain http, unless a test says otherwise."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gg-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.state = os.path.join(self.folder, "state")
        self.server = self.enterContext(ListServer())
        self.routes, self.seen = self.server.routes, self.server.seen
        self.lists, self.env = {}, {}

    def source(self, name, url, **more):
        if url.startswith("/"):
            url = self.server.url(url)
        source = {"id": name, "url": url, "category": "adult", "insecure": True,
                  "allow_private": True, **more}
        return {key: value for key, value in source.items() if value is not None}

    def configure(self, *sources, **lists):
        config = {"server": {"state_dir": self.state, "data_dir": CATALOG,
                             "control_socket": os.path.join(self.folder, "c.sock")},
                  "lists": {**self.lists, **lists, "sources": list(sources)}}
        self.write("gg.yaml", write_yaml(config))

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        return path

    def command(self, *words):
        return [os.path.join(BUILD, "greengate"), "-c", os.path.join(self.folder, "gg.yaml"), *words]

    def environment(self, **more):
        clean = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()
                 and k not in ("CURL_CA_BUNDLE", "SSL_CERT_FILE")}
        return {**clean, **self.env, **more}

    def greengate(self, *words, **env):
        return subprocess.run(self.command(*words), capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=120 * SLOWER, check=False,
                              env=self.environment(**env))

    def peak(self, *words):
        """The most octets that a command took, looked at as often as can be, and how it ended."""
        most = 0
        with subprocess.Popen(self.command(*words), env=self.environment(), text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as child:
            while child.poll() is None:
                most = max(most, resident(child.pid))
            out, err = child.communicate()
            return most, subprocess.CompletedProcess(words, child.returncode, out, err)

    def update(self, want, *words, **env):
        """`update --json`; what it printed. It must end with the exit code `want`."""
        done = self.greengate("--json", "update", *words, **env)
        self.assertEqual(done.returncode, want, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def error_of(self, want, *words, **env):
        """The error of the only source."""
        return self.update(want, *words, **env)["sources"][0]["error"]

    def meta(self, name):
        with open(os.path.join(self.state, "sources", f"{name}.json"), encoding="utf-8") as file:
            return json.load(file)

    def checked(self, name):
        """Does the database in force block the name?"""
        return self.greengate("--quiet", "check", name).returncode == 10
