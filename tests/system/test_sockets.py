# SPDX-License-Identifier: Apache-2.0
"""Sockets that a service manager hands over, and restarts that lose no query."""
import contextlib
import os
import signal
import socket
import struct
import sys
import time
import unittest

import dnswire
from dnswire import Message
from fakeupstream import FakeUpstream, Send
from harness import HAVE_IPV6, SLOWER, USER, Box, Program, ServedTest, as_user, exchange, read_frame
from load import Load

LISTS = [("list", "adult", ["||blocked.example^"])]
MIX = [("blocked.example", True), ("a.example", False), ("b.example", False),
       ("x.blocked.example", True)]

# What systemd does: descriptors from 3 on, and whom they are meant for.
LAUNCH = """
import os, pwd, sys
user, count = sys.argv.pop(1), int(sys.argv.pop(1))
if user:
    os.setgroups([])
    os.setresgid(*[pwd.getpwnam(user).pw_gid] * 3)
    os.setresuid(*[pwd.getpwnam(user).pw_uid] * 3)
given = [os.dup2(int(fd), 200 + n) for n, fd in enumerate(sys.argv[1:1 + count])]
for n, fd in enumerate(given):
    os.dup2(fd, 3 + n, inheritable=True)
    os.close(fd)
os.environ.update(LISTEN_FDS=str(count), LISTEN_FDNAMES=":".join(["dns"] * count))
os.environ.setdefault("LISTEN_PID", str(os.getpid()))
os.execv(sys.argv[1 + count], sys.argv[1 + count:])
"""


def bound(kind, host, port=0, dual=False):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    one = socket.socket(family, kind)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
    one.bind((host, port))
    if kind == socket.SOCK_STREAM:
        one.listen(64)
    return one


class Handed(ServedTest):
    """The box's daemon gets sockets; it listens nowhere by itself."""

    def launch(self, box, sockets, environment=None):
        fds = [str(one.fileno()) for one in sockets]
        box.daemon = Program([sys.executable, "-c", LAUNCH, USER or "", str(len(fds)), *fds,
                              box.program("greengated"), "-c", box.path],
                             os.path.join(box.folder, "daemon.log"), pass_fds=[int(fd) for fd in fds],
                             env={**os.environ, **(environment or {})})
        box.wait_ready()

    def sockets(self, *kinds, host="127.0.0.1", dual=False):
        for _ in range(20): # the port may be free for the first kind and not for the next
            made = []
            try:
                for kind in kinds:
                    port = made[0].getsockname()[1] if made else 0
                    made.append(bound(kind, host, port, dual))
                return [self.enterContext(one) for one in made]
            except OSError:
                for one in made:
                    one.close()
        raise AssertionError("no port is free for all")

    def handed_box(self, sockets, workers=2, **more):
        box = self.box(lists=LISTS, start=False, config={"server": {"workers": workers}})
        box.address = ("127.0.0.1", sockets[0].getsockname()[1])
        self.launch(box, sockets, **more)
        return box

    def test_handed_sockets_are_served_and_no_others(self):
        sockets = self.sockets(socket.SOCK_DGRAM, socket.SOCK_STREAM)
        box = self.handed_box(sockets)
        for tcp in (False, True):
            self.assertEqual(box.ask("blocked.example", tcp=tcp).ede[0][0], 17)
            self.assertEqual(box.ask("a.example", tcp=tcp).texts(), ["192.0.2.10"])
        self.assertIsNone(exchange(dnswire.query("a.example"), ("127.0.0.1", box.port), timeout=0.2))

    def test_a_socket_for_each_worker(self):
        sockets = self.sockets(*[socket.SOCK_DGRAM] * 2, *[socket.SOCK_STREAM] * 2)
        box = self.handed_box(sockets)
        for number in range(40):
            self.assertEqual(box.ask("a.example", tcp=number % 2 == 1).texts(), ["192.0.2.10"])

    def test_fewer_and_more_sockets_than_workers(self):
        for count, workers in ((1, 4), (5, 2)):
            sockets = self.sockets(*[socket.SOCK_DGRAM] * count, *[socket.SOCK_STREAM] * count)
            box = self.handed_box(sockets, workers)
            for number in range(40):
                self.assertEqual(box.ask("a.example", tcp=number % 2 == 1).texts(), ["192.0.2.10"])

    def test_sockets_of_another_process_are_left_alone(self):
        """sd_listen_fds(3): LISTEN_PID must be ours"""
        sockets = self.sockets(socket.SOCK_DGRAM, socket.SOCK_STREAM)
        box = self.handed_box(sockets, environment={"LISTEN_PID": "1"})
        self.assertIsNone(exchange(dnswire.query("a.example"), box.address, timeout=0.2))
        self.assertEqual(Message(exchange(dnswire.query("a.example"),
                                          ("127.0.0.1", box.port))).texts(), ["192.0.2.10"])

    @unittest.skipUnless(HAVE_IPV6, "no IPv6 here")
    def test_socket_of_both_families(self):
        sockets = self.sockets(socket.SOCK_DGRAM, socket.SOCK_STREAM, host="::", dual=True)
        box = self.handed_box(sockets)
        port = sockets[0].getsockname()[1]
        for tcp in (False, True):
            for host in ("127.0.0.1", "127.0.0.5"):
                reply = Message(exchange(dnswire.query("blocked.example"), (host, port), tcp))
                self.assertEqual(reply.texts(), [host])
                fresh = dnswire.query(f"fresh{port}.{host}.example")
                self.assertEqual(Message(exchange(fresh, (host, port), tcp)).texts(), ["192.0.2.10"])
            reply = Message(exchange(dnswire.query("blocked.example", "AAAA"), ("::1", port), tcp))
            self.assertEqual(reply.texts(), ["::1"])

    def test_restart_with_kept_sockets_loses_no_query(self):
        sockets = self.sockets(*[socket.SOCK_DGRAM] * 2, socket.SOCK_STREAM)
        box = self.handed_box(sockets)
        with contextlib.ExitStack() as stack:
            loads = [stack.enter_context(Load(box.address, MIX, qps=300)) for _ in range(2)]
            for _ in range(3):
                self.assertEqual(box.daemon.stop(), 0)
                self.launch(box, sockets)
                self.assertEqual(box.ask("a.example", tcp=True).texts(), ["192.0.2.10"])
        for load in loads:
            self.assertGreater(load.result["answered"], 50)
            self.assertEqual((load.result["lost"], load.result["wrong"]), (0, 0), load.result)


class Overlap(ServedTest):
    def test_successor_on_the_same_addresses_loses_no_query(self):
        listen = None
        boxes = []
        with contextlib.ExitStack() as stack:
            for number in range(5):
                box = self.box(lists=LISTS, start=False)
                listen = listen or box.config["dns"]["listen"]
                box.config["dns"]["listen"] = listen
                box.write_config()
                box.start()
                boxes.append(box)
                if number == 0:
                    loads = [stack.enter_context(Load(box.address, MIX, qps=1500 // SLOWER))
                             for _ in range(4)]
                else:
                    self.assertEqual(boxes[-2].daemon.stop(), 0)
        for load in loads:
            self.assertGreater(load.result["answered"], 200)
            self.assertEqual((load.result["lost"], load.result["wrong"]), (0, 0), load.result)


class Beside(unittest.TestCase):
    def test_another_server_on_the_port_is_left_alone(self):
        """With SO_REUSEADDR, as dnsmasq sets it, the kernel would let both have the UDP port; the
        TCP port, which it does not share, is asked for first."""
        box = self.enterContext(Box(start=False))
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            one = self.enterContext(socket.socket(socket.AF_INET, kind))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(box.address)
            if kind == socket.SOCK_STREAM:
                one.listen(1)
        daemon = Program([box.program("greengated"), "-c", box.path],
                         os.path.join(box.folder, "daemon.log"), **as_user())
        self.assertEqual(daemon.process.wait(10 * SLOWER), 1)
        self.assertRegex(daemon.text(), "cannot listen on tcp .*another program listens there")


class Drain(unittest.TestCase):
    def test_what_is_in_flight_is_answered_first(self):
        """SIGTERM: at most two seconds"""
        upstream = self.enterContext(FakeUpstream(lambda asked, _: [
            Send(dnswire.answer(asked, [(None, "A", "192.0.2.1", 300)]), after=0.6)]))
        box = self.enterContext(Box(upstream=[upstream.url]))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, \
                socket.create_connection(box.address, 5) as tcp:
            udp.connect(box.address)
            udp.settimeout(5)
            udp.send(dnswire.query("udp.example"))
            packet = dnswire.query("tcp.example")
            tcp.sendall(struct.pack("!H", len(packet)) + packet)
            while upstream.count() < 2:
                time.sleep(0.01)
            begin = time.monotonic()
            box.daemon.process.send_signal(signal.SIGTERM)
            self.assertEqual(Message(udp.recv(4096)).texts(), ["192.0.2.1"])
            self.assertEqual(Message(read_frame(tcp)).texts(), ["192.0.2.1"])
            box.daemon.process.wait(5)
            self.assertLess(time.monotonic() - begin, 2 * SLOWER)
            self.assertEqual(box.daemon.process.returncode, 0)


if __name__ == "__main__":
    unittest.main()
