# SPDX-License-Identifier: Apache-2.0
"""Which upstream is asked: strategies, zones, outages, resolv.conf, loops, cookies."""
import ctypes
import os
import re
import resource
import select
import socket
import struct
import subprocess
import threading
import time
import unittest

import dnswire
from fakeupstream import FakeUpstream, Send, address
from harness import USER, Box, Nsd, Program, free_port, wait_for

GOOD = "192.0.2.1"
PROBE = "resolver.arpa"  # asked of servers that are down
ONE = {"server": {"workers": 1}}


def good(asked, value=GOOD):
    return dnswire.answer(asked, [(None, "A", value, 300)])


def slow(seconds):
    return lambda asked, _: [Send(good(asked), after=seconds)]


class Transports(unittest.TestCase):
    def test_tcp_where_udp_does_not_pass(self):
        """RFC 7766 section 5"""
        upstream = self.enterContext(FakeUpstream(lambda asked, how: [Send(good(asked))] if how == "tcp" else []))
        box = self.enterContext(Box(ONE, [upstream.url]))
        for n in range(3):
            self.assertEqual(box.ask(f"n{n}.test").texts(), [GOOD])


class Strategies(unittest.TestCase):
    def upstream(self, handler):
        return self.enterContext(FakeUpstream(handler))

    def box(self, strategy, *servers):
        return self.enterContext(Box(
            upstream=[one.url for one in servers],
            config={"server": {"workers": 1}, "upstream": {"strategy": strategy}}))

    def test_fastest_is_asked_most(self):
        far, near = self.upstream(slow(0.03)), self.upstream(slow(0))
        box = self.box("fastest", far, near)
        for n in range(60):
            self.assertEqual(box.ask(f"n{n}.test").texts(), [GOOD])
        self.assertGreater(near.count(), 5 * far.count())

    def test_slower_one_is_looked_at_again(self):
        """A server that was slow once gets its chance."""
        far = self.upstream(slow(0.03))
        near = self.upstream(slow(0.002))
        box = self.box("fastest", far, near)
        for n in range(10):
            box.ask(f"n{n}.test")
        far.handler = slow(0)
        near.handler = slow(0.02)
        before = far.count()
        for n in range(400):
            self.assertEqual(box.ask(f"m{n}.test").texts(), [GOOD])
            if far.count() > before + 5:
                return
        self.fail(f"{far.count()} {near.count()}")

    def test_parallel_leaves_descriptors_for_others(self):
        """Three sockets a question; those of TCP clients and of commands are not for them."""
        silent = [self.upstream(lambda *_: []).url for _ in range(3)]
        box = self.enterContext(Box({"server": {"workers": 1}, "upstream": {"strategy": "parallel"},
                                     "dns": {"tcp_connections": 64}}, silent, start=False))
        box.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024)))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            for n in range(1000):
                asker.sendto(dnswire.query(f"n{n}.test"), box.address)
            wait_for(lambda: re.search(r'reason="no-socket"} [1-9]', box.cli("metrics").stdout), "the limit")
            most = len(os.listdir(f"/proc/{box.daemon.process.pid}/fd"))
            self.assertEqual(box.cli("status", "--json").returncode, 0)
        self.assertGreater(most, 500)
        self.assertLess(most, 1024 - 64)

    def test_ordered_asks_the_first_though_it_is_slower(self):
        first, second = self.upstream(slow(0.02)), self.upstream(slow(0))
        box = self.box("ordered", first, second)
        for n in range(10):
            self.assertEqual(box.ask(f"n{n}.test").texts(), [GOOD])
        self.assertEqual((first.count(), second.count()), (10, 0))

    def test_ordered_goes_on_to_the_second_and_back(self):
        first, second = self.upstream(lambda *_: []), self.upstream(slow(0))
        box = self.box("ordered", first, second)
        for n in range(5):
            self.assertEqual(box.ask(f"n{n}.test").texts(), [GOOD])
        self.assertEqual(second.count(), 5)
        self.assertLess(first.count(), 5)
        first.handler = slow(0)
        wait_for(lambda: box.ask(f"m{time.monotonic()}.test") and first.count() > 10, "the first")

    def test_parallel_takes_the_first_answer(self):
        servers = [self.upstream(slow(0.5)), self.upstream(lambda *_: []), self.upstream(slow(0))]
        box = self.box("parallel", *servers)
        begin = time.monotonic()
        for n in range(4):
            self.assertEqual(box.ask(f"n{n}.test").texts(), [GOOD])
        self.assertLess(time.monotonic() - begin, 0.4)
        self.assertEqual(servers[0].count("n0.test"), 1)

    def test_parallel_failures_need_at_most_8_packets(self):
        servers = [self.upstream(lambda asked, _: [Send(dnswire.answer(asked, rcode=2))])
                   for _ in range(4)]
        box = self.box("parallel", *servers)
        self.assertEqual(box.ask("a.test", timeout=8).rcode, "SERVFAIL")
        self.assertLessEqual(sum(one.count("a.test") for one in servers), 8)

    def test_unknown_word_is_refused(self):
        box = self.enterContext(Box(start=False, config={"upstream": {"strategy": "quickest"}}))
        self.assertEqual(box.cli("config", "check").returncode, 4)


class Metrics(unittest.TestCase):
    def test_answers_of_each_upstream_are_timed(self):
        quick, late = (self.enterContext(FakeUpstream(slow(seconds))) for seconds in (0, 0.3))
        box = self.enterContext(Box(upstream=[late.url, quick.url], config={
            "server": {"workers": 1}, "upstream": {"strategy": "ordered"}}))
        for n in range(3):
            box.ask(f"n{n}.test")
        text = box.cli("metrics").stdout
        name = "greengate_upstream_request_duration_seconds"
        counts = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith(name))
        self.assertEqual(counts[f'{name}_count{{upstream="{late.url}"}}'], "3")
        self.assertEqual(counts[f'{name}_bucket{{upstream="{late.url}",le="0.256"}}'], "0")
        self.assertEqual(counts[f'{name}_bucket{{upstream="{late.url}",le="+Inf"}}'], "3")
        self.assertEqual(counts[f'{name}_count{{upstream="{quick.url}"}}'], "0")
        self.assertGreater(float(counts[f'{name}_sum{{upstream="{late.url}"}}']), 0.9)


class Outage(unittest.TestCase):
    def test_answers_come_within_2_s_of_the_return(self):
        """A real server that stops and starts; then the names asked meanwhile too."""
        nsd = self.enterContext(Nsd())
        box = self.enterContext(Box(upstream=[nsd.url], config={"server": {"workers": 2}}))
        self.assertEqual(box.ask("before.test").rcode, "NOERROR")
        nsd.server.stop()
        for n in range(4):
            self.assertEqual(box.ask(f"out{n}.test", timeout=8).rcode, "SERVFAIL")
        nsd.__enter__()
        begin = time.monotonic()

        def answered():
            try:
                return box.ask("out0.test", timeout=1).rcode == "NOERROR"
            except AssertionError:
                return False
        wait_for(answered, "an answer", 5)
        self.assertLess(time.monotonic() - begin, 2)

    def test_question_that_failed_rests_for_a_second(self):
        """RFC 9520 section 3.2, in an outage too"""
        upstream = self.enterContext(FakeUpstream(lambda *_: []))
        box = self.enterContext(Box(upstream=[upstream.url], config=ONE))
        self.assertEqual(box.ask("rests.test", timeout=8).rcode, "SERVFAIL")
        end, before = time.monotonic() + 0.9, upstream.count("rests.test")
        while time.monotonic() < end:
            self.assertEqual(box.ask("rests.test").rcode, "SERVFAIL")
        self.assertEqual(upstream.count("rests.test"), before)

    def test_waiting_question_is_answered_when_the_server_is_back(self):
        """Probes notice it; nobody has to ask anew."""
        upstream = self.enterContext(FakeUpstream(lambda *_: []))
        box = self.enterContext(Box(upstream=[upstream.url], config=ONE))
        for n in range(3):
            box.send(dnswire.query(f"out{n}.test"), timeout=0.05)
        wait_for(lambda: upstream.count(PROBE) >= 1, "a probe")
        packet = dnswire.query("waits.test")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(4)
            client.sendto(packet, box.address)
            wait_for(lambda: upstream.count("waits.test"), "the question")
            seen = upstream.count(PROBE)
            upstream.handler = address()
            begin = time.monotonic()
            self.assertEqual(dnswire.Message(client.recv(4096)).texts(), [GOOD])
            self.assertLess(time.monotonic() - begin, 2)
        self.assertGreaterEqual(upstream.count(PROBE), seen)

    def test_dead_server_is_probed_seldom_while_another_answers(self):
        dead = self.enterContext(FakeUpstream(lambda *_: []))
        alive = self.enterContext(FakeUpstream(address()))
        box = self.enterContext(Box(upstream=[dead.url, alive.url], config={
            "server": {"workers": 1}, "upstream": {"strategy": "ordered"}}))
        for n in range(30):
            self.assertEqual(box.ask(f"n{n}.test").texts(), [GOOD])
        self.assertLessEqual(dead.count() - dead.count(PROBE), 5)


class Zones(unittest.TestCase):
    def test_longest_zone_wins(self):
        general, lan, lab = (self.enterContext(FakeUpstream(
            lambda asked, _, value=value: [Send(good(asked, value))]))
            for value in ("192.0.2.1", "192.0.2.2", "192.0.2.3"))
        box = self.enterContext(Box(upstream=[general.url], config={"upstream": {"zones": [
            {"domain": "school.lan", "servers": [lan.url]},
            {"domain": "lab.School.lan.", "servers": [lab.url]},
            {"domain": "corp.local", "servers": [lan.url]},
            {"domain": "10.in-addr.arpa", "servers": [lan.url]}]}}))
        rows = {"a.example": "192.0.2.1", "school.lan": "192.0.2.2", "x.school.lan": "192.0.2.2",
                "LAB.school.lan": "192.0.2.3", "a.b.lab.school.lan": "192.0.2.3",
                "notschool.lan": "192.0.2.1", "lan": "192.0.2.1"}
        for name, value in rows.items():
            with self.subTest(name):
                self.assertEqual(box.ask(name).texts(), [value])
        for name in ("4.3.2.10.in-addr.arpa", "dc.corp.local"):  # not answered here then
            box.ask(name, "PTR")
            self.assertEqual(lan.count(name), 1)
        self.assertEqual(box.ask("1.1.168.192.in-addr.arpa", "PTR").rcode, "NXDOMAIN")
        self.assertEqual(general.count("1.1.168.192.in-addr.arpa"), 0)

    def test_zone_whose_servers_fail_is_not_told_to_others(self):
        """Private names stay inside."""
        general = self.enterContext(FakeUpstream(address()))
        lan = self.enterContext(FakeUpstream(lambda asked, _: [Send(dnswire.answer(asked, rcode=5))]))
        box = self.enterContext(Box(upstream=[general.url], config={"upstream": {"zones": [
            {"domain": "school.lan", "servers": [lan.url]}]}}))
        self.assertEqual(box.ask("secret.school.lan", timeout=8).rcode, "SERVFAIL")
        self.assertEqual(general.count(), 0)

    def test_zones_change_with_a_reload(self):
        general = self.enterContext(FakeUpstream(address("192.0.2.1")))
        lan = self.enterContext(FakeUpstream(address("192.0.2.2")))
        box = self.enterContext(Box(upstream=[general.url]))
        self.assertEqual(box.ask("a.school.lan").texts(), ["192.0.2.1"])
        box.config["upstream"]["zones"] = [{"domain": "school.lan", "servers": [lan.url]}]
        box.write_config()
        self.assertEqual(box.cli("reload").returncode, 0)
        wait_for(lambda: box.ask(f"n{time.monotonic()}.school.lan".replace(".", "-", 1)).texts()
                 == ["192.0.2.2"], "the zone's server")


IN_CLOSE_NOWRITE = 0x10  # <sys/inotify.h>


def write(path, text):
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


class System(unittest.TestCase):
    """`system` in a mount namespace with a resolv.conf of its own."""

    def setUp(self):
        done = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
        if done.returncode != 0 or not os.path.exists("/etc/resolv.conf"):
            self.skipTest("no mount namespaces here")

    def upstream(self, host):
        try:
            one = FakeUpstream(address(f"192.0.2.{host[-1]}"), port=53, host=host)
            return self.enterContext(one)
        except OSError as error:
            self.skipTest(f"{host}:53: {error}")

    def box(self, text, **config):
        """(box, path of its resolv.conf)"""
        box = self.enterContext(Box(upstream=["system"], start=False, config={**ONE, **config}))
        path = box.write("resolv.conf", text)
        drop = f"setpriv --reuid={USER} --clear-groups " if USER else ""
        start = box.write("start", f"#!/bin/sh\nmount --bind {path} /etc/resolv.conf && "
                          f"exec {drop}{box.program('greengated')} -c {box.path}\n")
        box.daemon = Program(["unshare", "-m", "sh", start], os.path.join(box.folder, "daemon.log"))
        box.wait_ready()
        return box, path

    def test_file_is_followed(self):
        first, second = self.upstream("127.0.0.71"), self.upstream("127.0.0.72")
        box, path = self.box("search lan\nnameserver 127.0.0.71\n")
        self.assertEqual(box.ask("a.test").texts(), ["192.0.2.1"])
        write(path, "nameserver 127.0.0.72\n")
        wait_for(lambda: box.ask(f"n{time.monotonic_ns()}.test").texts() == ["192.0.2.2"],
                 "the other server")
        self.assertGreater(first.count(), 0)
        self.assertGreater(second.count(), 0)

    def test_file_that_is_read_while_it_is_written(self):
        """It is empty when it is read, and whole a moment later. Certificates that are loaded for
        a server with a name give the writer time."""
        self.upstream("127.0.0.71")
        self.upstream("127.0.0.72")
        box, path = self.box("nameserver 127.0.0.71\n", upstream={
            "zones": [{"domain": "corp.example", "servers": ["tls://127.0.0.9:853#dns.corp.example"]}]})
        libc = ctypes.CDLL(None, use_errno=True)
        watch = libc.inotify_init()
        self.addCleanup(os.close, watch)
        write(path, "")
        libc.inotify_add_watch(watch, path.encode(), IN_CLOSE_NOWRITE)
        os.read(watch, 4096)
        write(path, "nameserver 127.0.0.72\n")
        wait_for(lambda: box.ask(f"n{time.monotonic_ns()}.test").texts() == ["192.0.2.2"],
                 "the other server")


class Relay:
    """Passes packets on to a port and counts those that go there."""

    def __init__(self):
        self.port, self.to, self.seen = free_port(), None, []

    def __enter__(self):
        self.inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.inside.bind(("127.0.0.1", self.port))
        self.ends, self.stop = {}, threading.Event()
        threading.Thread(target=self.run, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stop.set()

    def run(self):
        while not self.stop.is_set():
            ready, _, _ = select.select([self.inside, *self.ends], [], [], 0.1)
            for one in ready:
                if one is not self.inside:
                    self.inside.sendto(one.recv(65535), self.ends[one])
                    continue
                packet, peer = one.recvfrom(65535)
                self.seen.append((round(time.monotonic(), 2), dnswire.Message(packet).questions))
                out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                out.connect(("127.0.0.1", self.to))
                out.send(packet)
                self.ends[out] = peer


class Loops(unittest.TestCase):
    def test_two_boxes_that_forward_to_each_other(self):
        """At most 10 packets for a query, and it ends."""
        relays = [self.enterContext(Relay()) for _ in range(2)]
        boxes = [self.enterContext(Box(upstream=[f"udp://127.0.0.1:{relay.port}"]))
                 for relay in relays]
        relays[0].to, relays[1].to = boxes[1].port, boxes[0].port
        begin = time.monotonic()
        self.assertEqual(boxes[0].ask("round.test", timeout=8).rcode, "SERVFAIL")
        self.assertLess(time.monotonic() - begin, 5.5)
        seen = [one for relay in relays for one in relay.seen]
        self.assertLessEqual(len(seen), 10, seen)

    def test_box_that_reaches_itself(self):
        relay = self.enterContext(Relay())
        box = self.enterContext(Box(upstream=[f"udp://127.0.0.1:{relay.port}"]))
        relay.to = box.port
        self.assertEqual(box.ask("round.test", timeout=8).rcode, "SERVFAIL")
        self.assertLessEqual(len(relay.seen), 10, relay.seen)

    def test_own_address_is_refused_at_load(self):
        box = self.enterContext(Box(start=False))
        box.config["upstream"]["servers"] = [f"udp://127.0.0.1:{box.port}"]
        box.write_config()
        done = box.cli("config", "check")
        self.assertEqual(done.returncode, 4)
        self.assertIn("our own address", done.stdout + done.stderr)


class Cookies(unittest.TestCase):
    """RFC 7873."""

    SERVER = bytes(range(16))

    def serve(self, asked, give=True, server=SERVER, **more):
        sent = dict(asked.options).get(10, b"")
        data = sent[:8] + server
        option = struct.pack("!HH", 10, len(data)) + data if give else b""
        high = more.pop("extended", 0)
        packed = b"\0" + struct.pack("!HHIH", 41, 1232, high << 24, len(option)) + option
        plain = dnswire.Message(asked.raw)
        plain.opt = None
        return dnswire.answer(plain, more.pop("records", [(None, "A", GOOD, 300)]),
                              additional=[packed], **more)

    def start(self, handler):
        self.upstream = self.enterContext(FakeUpstream(handler))
        self.box = self.enterContext(Box(upstream=[self.upstream.url], config=ONE))

    def cookies(self):
        return [dict(asked.options).get(10) for how, asked, _ in self.upstream.asked if how == "udp"]

    def test_servers_cookie_comes_back_to_it(self):
        """Section 5.3."""
        self.start(lambda asked, _: [Send(self.serve(asked))])
        for n in range(3):
            self.assertEqual(self.box.ask(f"n{n}.test").texts(), [GOOD])
        first, *later = self.cookies()
        self.assertEqual(len(first), 8)
        self.assertEqual(later, [first + self.SERVER] * 2)

    def test_each_server_gets_another(self):
        """Section 4.1: no tracking across servers."""
        two = [self.enterContext(FakeUpstream(address())) for _ in range(2)]
        box = self.enterContext(Box(upstream=[one.url for one in two], config={
            "server": {"workers": 1}, "upstream": {"strategy": "parallel"}}))
        box.ask("a.test")
        wait_for(lambda: all(one.count() for one in two), "both")
        self.assertEqual(len({dict(one.asked[0][1].options)[10] for one in two}), 2)

    def test_forged_answer_without_the_cookie_is_dropped(self):
        """Section 5.3: once the server is known to give cookies."""
        def handler(asked, transport):
            name = asked.questions[0][0].lower()
            forged = dnswire.answer(asked, [(None, "A", "203.0.113.66", 300)])
            if name == "forged.test" and transport == "udp":
                return [Send(forged), Send(self.serve(asked), after=0.05)]
            return [Send(self.serve(asked))]
        self.start(handler)
        self.assertEqual(self.box.ask("first.test").texts(), [GOOD])
        self.assertEqual(self.box.ask("forged.test").texts(), [GOOD])

    def test_bad_cookie_is_asked_again_with_the_new_one(self):
        def handler(asked, _):
            if len(dict(asked.options).get(10, b"")) == 24:
                return [Send(self.serve(asked))]
            return [Send(self.serve(asked, rcode=7, extended=1, records=[]))]
        self.start(handler)
        self.assertEqual(self.box.ask("a.test").texts(), [GOOD])
        self.assertEqual([len(one) for one in self.cookies()], [8, 24])

    def test_server_that_takes_no_cookie_is_asked_over_tcp(self):
        def handler(asked, transport):
            if transport == "tcp":
                return [Send(good(asked))]
            return [Send(self.serve(asked, rcode=7, extended=1, records=[]))]
        self.start(handler)
        self.assertEqual(self.box.ask("a.test").texts(), [GOOD])

    def test_server_that_stops_giving_cookies_still_resolves(self):
        """Behind one address may be several servers."""
        self.start(lambda asked, _: [Send(self.serve(asked))])
        self.assertEqual(self.box.ask("a.test").texts(), [GOOD])
        self.upstream.handler = address()
        self.assertEqual(self.box.ask("b.test", timeout=8).texts(), [GOOD])

    def test_client_subnet_is_never_sent(self):
        """Not even when a client sends one (RFC 7871 section 7.1.2)."""
        self.start(address())
        option = struct.pack("!HHHBB", 8, 7, 1, 24, 0) + bytes([10, 1, 2])
        self.box.ask("a.test", edns=dnswire.opt(options=option))
        for _, asked, _ in self.upstream.asked:
            self.assertEqual([code for code, _ in asked.options], [10])


if __name__ == "__main__":
    unittest.main()
