# SPDX-License-Identifier: Apache-2.0
"""A steady load from a process of its own, that remembers what was lost and what was wrong.

    with Load(box.address, [("blocked.test", True), ("free.test", False)]) as load: ...
    load.result   # {"sent": n, "answered": n, "lost": n, "wrong": n, "blocked": n,
                  #  "slowest_ms": n}

A lost query is asked again (as clients do), but counted."""
import json
import os
import selectors
import socket
import struct
import subprocess
import sys
import time

import dnswire

WINDOW, PATIENCE_S = 32, 1.0


class Load:
    def __init__(self, address, names, qps=2000):
        self.command = [sys.executable, "-B", os.path.abspath(__file__), json.dumps(
            {"address": address, "names": names, "qps": qps})]
        self.result = None

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()  # the first answer has come
        return self

    def __exit__(self, *_):
        out, _ = self.process.communicate("")
        self.result = json.loads(out)


class Sender:
    def __init__(self, address, names):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(tuple(address))
        self.socket.setblocking(False)
        self.questions = [(dnswire.query(name, edns=dnswire.opt())[2:], blocked)
                          for name, blocked in names]
        self.waiting, self.next = {}, 0
        self.sums = {"sent": 0, "answered": 0, "lost": 0, "wrong": 0, "blocked": 0, "slowest_ms": 0}

    def send(self, now):
        number = self.next & 0xFFFF
        body, blocked = self.questions[self.next % len(self.questions)]
        self.next += 1
        self.waiting[number] = (now, blocked)
        self.sums["sent"] += 1
        try:
            self.socket.send(struct.pack("!H", number) + body)
        except OSError:
            pass  # nobody listens at the moment: counted as lost later

    def receive(self):
        while True:
            try:
                packet = self.socket.recv(4096)
            except OSError:
                return
            since, blocked = self.waiting.pop(struct.unpack_from("!H", packet)[0], (0, None))
            if blocked is None:
                continue
            took = int((time.monotonic() - since) * 1000)
            self.sums["slowest_ms"] = max(self.sums["slowest_ms"], took)
            message = dnswire.Message(packet)
            seen = bool(message.ede) and message.ede[0][0] in (15, 17)
            self.sums["answered"] += 1
            self.sums["blocked"] += seen
            self.sums["wrong"] += seen != blocked or message.rcode == "SERVFAIL"

    def expire(self, now):
        for number in [n for n, (since, _) in self.waiting.items() if now - since > PATIENCE_S]:
            del self.waiting[number]
            self.sums["lost"] += 1


def main():
    options = json.loads(sys.argv[1])
    sender = Sender(options["address"], options["names"])
    watch = selectors.DefaultSelector()
    watch.register(sender.socket, selectors.EVENT_READ, "dns")
    watch.register(sys.stdin, selectors.EVENT_READ, "stop")
    begin, told, stopping = time.monotonic(), False, None
    while True:
        now = time.monotonic()
        due = int((now - begin) * options["qps"])
        while not stopping and sender.next < due and len(sender.waiting) < WINDOW:
            sender.send(now)
        begin = max(begin, now - (sender.next + WINDOW) / options["qps"])
        for key, _ in watch.select(0.001 if not stopping else 0.05):
            if key.data == "dns":
                sender.receive()
            else:
                stopping = stopping or now
                watch.unregister(sys.stdin)
        sender.expire(time.monotonic())
        if not told and sender.sums["answered"]:
            print("ready", flush=True)
            told = True
        if stopping and not sender.waiting:
            break
    print(json.dumps(sender.sums))


if __name__ == "__main__":
    main()
