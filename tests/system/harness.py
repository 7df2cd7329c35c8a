# SPDX-License-Identifier: Apache-2.0
"""The real programs in a temporary folder, on ports that the kernel chose.

    with Nsd() as nsd, Box(upstream=[nsd.url], lists=[("adult", "adult", ["bad.test"])]) as box:
        box.ask("bad.test").ede

Nothing here sleeps for a time and hopes: wait_for() waits for a condition, with an end."""
import json
import os
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

import dnswire
from dnswire import Message

# Ignored for whatever a shell starts with `&`; programs that are tested are to get it.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("GREENGATE_BUILD") or os.path.join(ROOT, "build", "release")
PEERS = os.path.join(os.path.dirname(BUILD), "peers")
SLOWER = 1 if os.path.basename(BUILD) == "release" else 4
SHARED = next((p for p in (os.environ.get("GREENGATE_DATA_SHARED", ""),
                           os.path.join(ROOT, "..", "shared", "data")) if p and os.path.isdir(p)), None)


def wait_for(condition, what, seconds=15):
    """The first true value of condition(); AssertionError after the time is over."""
    end = time.monotonic() + seconds * SLOWER
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for: {what}")
        time.sleep(0.02)


def pick_user():
    """Who runs the programs: nobody when we are root and that user can reach them."""
    if os.getuid() != 0:
        return None
    program = os.path.join(BUILD, "greengated")
    try:
        done = subprocess.run(["test", "-x", program], user="nobody", group="nogroup",
                              extra_groups=[], check=False)
        return "nobody" if done.returncode == 0 else None
    except (OSError, subprocess.SubprocessError, KeyError):
        return None


def have_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
            one.bind(("::1", 0))
        return True
    except OSError:
        return False


USER = pick_user()
HAVE_IPV6 = have_ipv6()


def as_user(user=USER):
    return {"user": user, "group": "nogroup", "extra_groups": []} if user else {}


def temp_folder():
    path = tempfile.mkdtemp(prefix="gg-", dir="/tmp")
    if USER:
        os.chown(path, pwd.getpwnam(USER).pw_uid, -1)
    return path


def free_port():
    """A port that is free for UDP and TCP on 127.0.0.1 and, where there is IPv6, on ::1."""
    for _ in range(100):
        sockets = []
        try:
            port = 0
            hosts = [(socket.AF_INET, "127.0.0.1")] + [(socket.AF_INET6, "::1")] * HAVE_IPV6
            for family, host in hosts:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    one = socket.socket(family, kind)
                    sockets.append(one)
                    one.bind((host, port))
                    port = one.getsockname()[1]
            return port
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
    raise AssertionError("no free port")


def write_yaml(value, indent=0):
    """Block style YAML of dicts, lists and scalars."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        return "".join(f"{pad}{key}:" + inline(item, indent + 1) for key, item in value.items())
    return "".join(f"{pad}-" + inline(item, indent + 1) for item in value)


def inline(item, indent):
    if isinstance(item, dict) and item or isinstance(item, list) and item:
        return "\n" + write_yaml(item, indent)
    return f" {json.dumps(item, ensure_ascii=False)}\n"


def merge(base, over):
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = value
    return base


def exchange(packet, server, tcp=False, source=None, timeout=5):
    """Send one packet; the reply's octets, or None when nothing came."""
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as one:
        one.settimeout(timeout)
        if source:
            one.bind((source, 0))
        try:
            one.connect(server)
            if one.getsockname()[:2] == server[:2]:
                return None  # nobody listens there yet, and the kernel gave the port to us
            if not tcp:
                one.send(packet)
                return one.recv(65535)
            one.sendall(struct.pack("!H", len(packet)) + packet)
            return read_frame(one)
        except (TimeoutError, ConnectionError):
            return None


def read_exactly(stream, count):
    data = b""
    while len(data) < count:
        more = stream.recv(count - len(data))
        if not more:
            return None
        data += more
    return data


def read_frame(stream):
    """One DNS message of a TCP stream, or None at its end."""
    head = read_exactly(stream, 2)
    return read_exactly(stream, struct.unpack("!H", head)[0]) if head else None


class Program:
    """A child process whose output goes to a file."""

    def __init__(self, command, log, **more):
        self.log = log
        with open(log, "ab") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=out, start_new_session=True, **more)

    def alive(self):
        return self.process.poll() is None

    def stop(self, signum=signal.SIGTERM, seconds=10):
        """Stop and return the exit status."""
        if self.alive():
            self.process.send_signal(signum)
            try:
                self.process.wait(seconds * SLOWER)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"{self.process.args[0]} did not stop: {self.text()}")
        return self.process.returncode

    def hold(self):
        """SIGSTOP; returns when every thread stands still, which a busy machine puts off."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def peak_kb(self):
        """The most memory that was resident until now."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()


class Box:
    """greengated, if wanted greengate-web, and their files.

    lists: (id, category, lines) or (id, category, path), each with an optional dict of more keys.
    config: merged over the defaults below. web: start greengate-web too."""

    def __init__(self, config=None, upstream=(), lists=(), web=False, start=True):
        self.folder = temp_folder()
        self.port, self.web_port, self.admin_port = free_port(), free_port(), free_port()
        self.address, self.address6 = ("127.0.0.1", self.port), ("::1", self.port)
        self.path = os.path.join(self.folder, "greengate.yaml")
        self.state = os.path.join(self.folder, "state")
        self.socket = os.path.join(self.folder, "c.sock")
        self.daemon = self.web = None
        self.with_web, self.start_now = web, start
        self.config = {
            "server": {"workers": 2, "state_dir": self.state, "data_dir": os.path.join(BUILD, "data"),
                       "control_socket": self.socket},
            "dns": {"listen": [f"127.0.0.1:{self.port}", *[f"[::1]:{self.port}"] * HAVE_IPV6]},
            "upstream": {"servers": list(upstream) or ["udp://127.0.0.1:9"], "timeout_ms": 1000},
            "web": {"listen": [f"127.0.0.1:{self.web_port}"],
                    "admin_listen": [f"127.0.0.1:{self.admin_port}"], "organisation": "Test School",
                    "contact": "it@school.test"},
        }
        sources = [self.source(*entry) for entry in lists]
        if sources:
            self.config["lists"] = {"sources": sources}
            categories = sorted({source["category"] for source in sources})
            self.config["groups"] = [{"name": "everyone", "clients": [], "block": categories}]
        merge(self.config, config or {})
        self.make_folder(self.state)
        self.write_config()

    def make_folder(self, path):
        os.makedirs(path, exist_ok=True)
        if USER:
            os.chown(path, pwd.getpwnam(USER).pw_uid, -1)

    def write(self, name, content):
        """A file in the box; returns its path."""
        path = os.path.join(self.folder, name)
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        return path

    def source(self, name, category, lines, more=None):
        path = lines
        if not isinstance(lines, str):
            path = self.write(f"{name}.list", "\n".join(lines) + "\n")
        return {"id": name, "url": f"file://{path}", "category": category, **(more or {})}

    def write_config(self):
        self.write("greengate.yaml", write_yaml(self.config))

    def __enter__(self):
        try:
            if self.config.get("lists", {}).get("sources"):
                done = self.cli("update")
                if done.returncode != 0:
                    raise AssertionError(f"update: {done.returncode} {done.stdout} {done.stderr}")
            if self.start_now:
                self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            for program in (self.web, self.daemon):
                if program:
                    program.stop()
            for program in (self.web, self.daemon):
                if program and re.search(r"Sanitizer|runtime error", program.text()):
                    raise AssertionError(program.text())
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def program(self, name):
        return os.path.join(BUILD, name)

    def start(self, **more):
        """Start the daemon (and the web process) and wait until it says that it is ready."""
        self.daemon = Program([self.program("greengated"), "-c", self.path],
                              os.path.join(self.folder, "daemon.log"), **{**as_user(), **more})
        self.wait_ready()
        if self.with_web and not self.web:
            self.web = Program([self.program("greengate-web"), "-c", self.path],
                               os.path.join(self.folder, "web.log"), **as_user())
            wait_for(self.web_answers, "greengate-web")
        return self

    def wait_ready(self):
        def ready():
            if not self.daemon.alive():
                raise AssertionError(f"greengated ended: {self.daemon.text()}")
            return self.cli("status").returncode == 0
        wait_for(ready, "greengate status")

    def web_answers(self):
        if not self.web.alive():
            raise AssertionError(f"greengate-web ended: {self.web.text()}")
        try:
            for port in (self.web_port, *[self.admin_port] * bool(self.config["web"]["admin_listen"])):
                socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False

    def cli(self, *arguments, **more):
        """Run the CLI; a CompletedProcess with text."""
        return subprocess.run([self.program("greengate"), "-c", self.path, *arguments],
                              capture_output=True, text=True, timeout=60 * SLOWER, check=False,
                              **{**as_user(), **({} if "input" in more else {"stdin": subprocess.DEVNULL}), **more})

    def json(self, *arguments):
        """The CLI's answer as an object; it must succeed."""
        done = self.cli("--json", *arguments)
        if done.returncode != 0:
            raise AssertionError(f"{arguments}: {done.returncode} {done.stdout} {done.stderr}")
        return json.loads(done.stdout)

    def send(self, packet, tcp=False, v6=False, **more):
        """Octets to the daemon; octets back, or None."""
        return exchange(packet, self.address6 if v6 else self.address, tcp, **more)

    def ask(self, name, kind="A", tcp=False, v6=False, **more):
        """Ask as a client does; a Message. more: source, timeout, and what dnswire.query takes."""
        wire = {key: more.pop(key) for key in list(more) if key not in ("source", "timeout")}
        packet = dnswire.query(name, kind, **wire)
        reply = self.send(packet, tcp, v6, **more)
        if reply is None:
            raise AssertionError(f"no answer for {name} {kind}")
        message = Message(reply)
        assert message.id == struct.unpack_from("!H", packet)[0], "the reply's id"
        return message

    def control(self, data, timeout=5):
        """Raw octets to the control socket; all that comes back until the end or the time-out."""
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(timeout)
            one.connect(self.socket)
            received = b""
            try:
                one.sendall(data)
                one.shutdown(socket.SHUT_WR)
                while more := one.recv(65536):
                    received += more
            except (TimeoutError, ConnectionError):
                pass
            return received

    def page(self, host, path="/", headers=()):
        """(status, headers, body) of greengate-web for a Host, by curl."""
        command = ["curl", "-sS", "-i", "--max-time", "10", "--resolve",
                   f"{host}:{self.web_port}:127.0.0.1"]
        for header in headers:
            command += ["-H", header]
        done = subprocess.run([*command, f"http://{host}:{self.web_port}{path}"], check=False,
                              capture_output=True, timeout=30)
        if done.returncode != 0:
            raise AssertionError(f"curl: {done.stderr.decode()}")
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        return int(lines[0].split()[1]), fields, body.decode()


WILDCARD_ZONE = """$TTL 300
@ SOA ns.test. admin.test. 1 3600 600 86400 60
@ NS ns.test.
* A 192.0.2.10
* AAAA 2001:db8::10
* TXT "from the upstream"
"""
EMPTY_ZONE = """$TTL 300
@ SOA ns.test. admin.test. 1 3600 600 86400 60
@ NS ns.test.
"""


class Nsd:
    """A real authoritative server as upstream: the root zone answers every name by a wildcard,
    and the zone nx.gone holds nothing. zones: more zones, name -> text. generous: with name servers
    and their addresses in every answer."""

    def __init__(self, zones=None, generous=False):
        self.generous = generous
        self.folder = temp_folder()
        self.port = free_port()
        self.url = f"udp://127.0.0.1:{self.port}"
        program = os.path.join(PEERS, "bin", "nsd")
        self.program = program if os.path.exists(program) else shutil.which("nsd")
        self.zones = {".": WILDCARD_ZONE, "nx.gone": EMPTY_ZONE, **(zones or {})}
        self.server = None

    def __enter__(self):
        if not self.program:
            shutil.rmtree(self.folder)
            raise unittest.SkipTest("nsd could not be unpacked")
        text = (f'server:\n  ip-address: 127.0.0.1\n  port: {self.port}\n  username: ""\n'
                f'  chroot: ""\n  zonesdir: "{self.folder}"\n  pidfile: "{self.folder}/pid"\n'
                f'  database: ""\n  xfrdfile: "{self.folder}/xfrd"\n  zonelistfile: "{self.folder}/list"\n'
                f'  xfrdir: "{self.folder}"\n  rrl-ratelimit: 0\n'
                f'  minimal-responses: {"no" if self.generous else "yes"}\n'
                'remote-control:\n  control-enable: no\n')
        for number, (name, zone) in enumerate(self.zones.items()):
            text += f'zone:\n  name: "{name}"\n  zonefile: "{number}.zone"\n'
            with open(os.path.join(self.folder, f"{number}.zone"), "w", encoding="utf-8") as out:
                out.write(zone)
        config = os.path.join(self.folder, "nsd.conf")
        with open(config, "w", encoding="utf-8") as out:
            out.write(text)
        user = as_user()
        try:
            subprocess.run([self.program, "-v"], check=True, capture_output=True, **user)
        except (OSError, subprocess.SubprocessError):
            user = {}  # that user cannot reach the unpacked program
        if not user and os.getuid() == 0:
            os.chown(self.folder, 0, 0)
        self.command, self.user = [self.program, "-d", "-c", config], user
        return self.start()

    def start(self):
        """Start it on its port, again too after server.stop()."""
        for _ in range(50):
            self.server = Program(self.command, os.path.join(self.folder, "log"), **self.user)
            try:
                wait_for(self.answers, "nsd")
                return self
            except AssertionError as error:  # a resolver's random port may be ours for a moment
                if "Address already in use" not in str(error):
                    raise
        raise AssertionError("nsd's port stays in use")

    def answers(self):
        if not self.server.alive():
            raise AssertionError(f"nsd ended: {self.server.text()}")
        return exchange(dnswire.query("ready.test"), ("127.0.0.1", self.port), timeout=0.2)

    def __exit__(self, *_):
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class ServedTest(unittest.TestCase):
    """A test class with one NSD, and boxes that are closed at the end of each test."""

    @classmethod
    def setUpClass(cls):
        cls.nsd = cls.enterClassContext(Nsd())

    def box(self, **more):
        more.setdefault("upstream", [self.nsd.url])
        return self.enterContext(Box(**more))
