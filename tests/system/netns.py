# SPDX-License-Identifier: Apache-2.0
"""Network namespaces for tests, and what runs inside them.

    with Namespaces("gate", "out") as spaces:
        spaces.run("gate", "ip", "addr", "show")

As a program: `netns.py serve ADDR...` is everybody outside, `netns.py probe` asks what it reads."""
import json
import os
import selectors
import shutil
import socket
import struct
import subprocess
import sys
import time
import unittest

import dnswire
from dnswire import Message

OUTSIDE = "203.0.113.53"
PORTS = (53, 443, 853)


class Namespaces:
    def __init__(self, *names):
        self.names = {name: f"gg{os.getpid()}{name}" for name in names}

    def __enter__(self):
        if os.getuid() != 0 or not shutil.which("ip") or not shutil.which("nft"):
            raise unittest.SkipTest("needs root, ip and nft")
        made = [subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
                for name in self.names.values()]
        if any(one.returncode for one in made):
            self.__exit__()
            raise unittest.SkipTest(f"no network namespaces here: {made[0].stderr.decode()[:200]}")
        for name in self.names:
            self.run(name, "ip", "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    def inside(self, name, *command):
        return ["ip", "netns", "exec", self.names[name], *command]

    def run(self, name, *command, **more):
        done = subprocess.run(self.inside(name, *command), capture_output=True, text=True,
                              check=False, **more)
        if done.returncode:
            raise AssertionError(f"{command}: {done.stderr}")
        return done.stdout

    def wire(self, one, two, left, right):
        """A cable between two namespaces, its ends named `left` and `right`."""
        self.run(one, "ip", "link", "add", left, "type", "veth", "peer", "name", right,
                 "netns", self.names[two])

    def give(self, name, interface, *addresses):
        for address in addresses:
            self.run(name, "ip", "addr", "add", address, "dev", interface,
                     *["nodad"] * (":" in address))
        self.run(name, "ip", "link", "set", interface, "up")

    def probe(self, name, *questions):
        """What each question, a dict for ask() or knock(), brings."""
        out = self.run(name, sys.executable, os.path.abspath(__file__), "probe",
                       input=json.dumps(questions), timeout=120)
        return json.loads(out)


def family_of(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def serve(hosts):
    """Answers DNS with OUTSIDE, and opens the other ports: UDP sends back what comes."""
    pick = selectors.DefaultSelector()
    for host in hosts:
        for port in PORTS:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                one = socket.socket(family_of(host), kind)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                one.bind((host, port))
                if kind == socket.SOCK_STREAM:
                    one.listen(50)
                pick.register(one, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in pick.select():
            answer(key.fileobj)


def reply_to(data):
    asked = Message(data)
    kind = asked.questions[0][1]
    return dnswire.answer(asked, [(None, kind, OUTSIDE, 60)] if kind == "A" else [])


def answer(one):
    port = one.getsockname()[1]
    if one.type == socket.SOCK_DGRAM:
        data, whence = one.recvfrom(65535)
        one.sendto(reply_to(data) if port == 53 else data, whence)
        return
    stream, _ = one.accept()
    with stream:
        stream.settimeout(2)
        if port == 53:
            head = stream.recv(2)
            data = reply_to(stream.recv(struct.unpack("!H", head)[0]))
            stream.sendall(struct.pack("!H", len(data)) + data)


def ask(server, name, source, tcp=False):
    from harness import exchange
    reply = exchange(dnswire.query(name, "A"), (server, 53), tcp, source, timeout=5)
    if not reply:
        return "silence"
    message = Message(reply)
    return message.texts()[0] if message.answers else message.rcode


def knock(server, port, source, udp=False):
    begun = time.monotonic()
    with socket.socket(family_of(server), socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as one:
        one.settimeout(4)
        one.bind((source, 0))
        try:
            one.connect((server, port))
            if udp:
                one.send(b"x")
                one.recv(10)
            return "open"
        except ConnectionRefusedError:
            return "refused" if time.monotonic() - begun < 2 else "refused late"
        except (TimeoutError, OSError) as error:
            return str(error)


def probe():
    questions = json.load(sys.stdin)
    print(json.dumps([ask(**one) if "name" in one else knock(**one) for one in questions]))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2:])
    probe()
