# SPDX-License-Identifier: Apache-2.0
"""Upstreams that fail in parts, and several workers that ask them together."""
import concurrent.futures
import socket
import struct
import time
import unittest

import dnswire
from fakeupstream import FakeUpstream, Send, address
from harness import Box

GOOD = "192.0.2.1"


def good(asked, ttl=300):
    return dnswire.answer(asked, [(None, "A", GOOD, ttl)])


class Servers(unittest.TestCase):
    def test_live_server_behind_three_dead_ones_is_asked_at_once(self):
        dead = [self.enterContext(FakeUpstream(lambda asked, _: [])) for _ in range(3)]
        alive = self.enterContext(FakeUpstream(address()))
        box = self.enterContext(Box(upstream=[*[one.url for one in dead], alive.url],
                                    config={"server": {"workers": 1}}))
        self.assertEqual(box.ask("first.test", timeout=8).texts(), [GOOD])
        self.assertEqual([one.count() for one in dead], [1, 1, 1])

    def test_server_without_edns_is_asked_without(self):
        upstream = self.enterContext(FakeUpstream(
            lambda asked, _: [Send(good(asked) if asked.opt is None
                                   else dnswire.answer(asked, rcode=1))]))
        box = self.enterContext(Box(upstream=[upstream.url]))
        self.assertEqual(box.ask("plain.test").texts(), [GOOD])
        self.assertEqual(upstream.count("plain.test"), 2)

    def test_silent_tcp_after_truncation_keeps_the_deadline(self):
        upstream = self.enterContext(FakeUpstream(
            lambda asked, transport: [] if transport == "tcp" else
            [Send(dnswire.answer(asked, flags=0x8380))]))
        box = self.enterContext(Box(upstream=[upstream.url],
                                    config={"upstream": {"timeout_ms": 10000}}))
        begin = time.monotonic()
        self.assertEqual(box.ask("cut.test", timeout=12).rcode, "SERVFAIL")
        self.assertLess(time.monotonic() - begin, 6)

    def test_negative_answers_obey_the_longest_ttl(self):
        soa = dnswire.record("test", "SOA", 3000, 3000)
        upstream = self.enterContext(FakeUpstream(
            lambda asked, _: [Send(dnswire.answer(asked, rcode=3, authority=[soa]))]))
        box = self.enterContext(Box(upstream=[upstream.url], config={"cache": {"max_ttl_s": 5}}))
        reply = box.ask("no.test")
        self.assertEqual(reply.rcode, "NXDOMAIN")
        self.assertLessEqual(reply.authority[0].ttl, 5)


class Together(unittest.TestCase):
    """Four workers that are asked the same name by many clients."""

    def rush(self, handler, count=200):
        upstream = self.enterContext(FakeUpstream(handler))
        box = self.enterContext(Box(upstream=[upstream.url], config={
            "server": {"workers": 4}, "upstream": {"timeout_ms": 3000}}))
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            replies = list(pool.map(lambda n: box.ask("hot.test", id=n + 1, timeout=8),
                                    range(count)))
        return upstream, replies, time.monotonic() - begin

    def test_all_workers_together_ask_once(self):
        upstream, replies, _ = self.rush(lambda asked, _: [Send(good(asked), after=0.3)])
        self.assertEqual({tuple(reply.texts()) for reply in replies}, {(GOOD,)})
        self.assertEqual(upstream.count("hot.test"), 1)

    def test_answers_that_cannot_be_kept_hold_nobody_up(self):
        _, replies, seconds = self.rush(lambda asked, _: [Send(good(asked, ttl=0), after=0.03)])
        self.assertEqual({tuple(reply.texts()) for reply in replies}, {(GOOD,)})
        self.assertLess(seconds, 8)

    def test_late_answer_is_given_to_all_as_fresh(self):
        _, replies, _ = self.rush(lambda asked, _: [Send(good(asked), after=2.1)], count=20)
        self.assertEqual({tuple(reply.texts()) for reply in replies}, {(GOOD,)})
        self.assertEqual([reply.ede for reply in replies], [[]] * 20)


class Streams(unittest.TestCase):
    def test_slow_octets_do_not_renew_a_messages_deadline(self):
        upstream = self.enterContext(FakeUpstream(address()))
        box = self.enterContext(Box(upstream=[upstream.url]))
        begin = time.monotonic()
        with socket.create_connection(box.address, 5) as stream:
            stream.settimeout(1)
            for octet in struct.pack("!H", 100) + b"\0" * 30:
                try:
                    stream.sendall(bytes([octet]))
                    if stream.recv(1) == b"":
                        break
                except TimeoutError:
                    pass
                except ConnectionError:
                    break
            self.assertLess(time.monotonic() - begin, 8)

    def test_strangers_take_no_places_from_those_who_may_ask(self):
        upstream = self.enterContext(FakeUpstream(address()))
        box = self.enterContext(Box(upstream=[upstream.url], config={
            "server": {"workers": 1}, "dns": {"allow_clients": ["127.0.0.1/32"]}}))
        with socket.create_connection(box.address, 5) as ours:
            strangers = [socket.create_connection(box.address, 5, (f"127.0.1.{n // 16 + 1}", 0))
                         for n in range(200)]
            packet = dnswire.query("ours.test")
            ours.sendall(struct.pack("!H", len(packet)) + packet)
            from harness import read_frame
            self.assertEqual(dnswire.Message(read_frame(ours)).texts(), [GOOD])
            for one in strangers:
                one.close()

    def test_stop_does_not_wait_for_idle_or_never_reading_clients(self):
        upstream = self.enterContext(FakeUpstream(address()))
        box = self.enterContext(Box(upstream=[upstream.url]))
        with socket.create_connection(box.address, 5) as idle:
            packet = dnswire.query("some.test")
            idle.sendall((struct.pack("!H", len(packet)) + packet) * 20)
            begin = time.monotonic()
            box.daemon.stop()
            self.assertLess(time.monotonic() - begin, 4)


class Aliases(unittest.TestCase):
    """A name that is blocked for what it leads to is explained so."""

    @classmethod
    def setUpClass(cls):
        def handler(asked, _):
            name = asked.questions[0][0]
            return [Send(dnswire.answer(asked, [(None, "CNAME", "x.bad.example", 300),
                                                ("x.bad.example", "A", GOOD, 300)]
                                        if "alias" in name.lower() or "school" in name.lower()
                                        else [(None, "A", GOOD, 300)]))]
        cls.upstream = cls.enterClassContext(FakeUpstream(handler))
        cls.box = cls.enterClassContext(Box(
            upstream=[cls.upstream.url], web=True, lists=[("sites", "adult", ["||bad.example^"])],
            config={"lists": {"never_block": ["school.example"]}}))

    def test_check_and_page_tell_the_name_behind(self):
        reply = self.box.ask("alias.example")
        self.assertEqual(reply.ede[0][0], 17)
        why = self.box.json("check", "alias.example", "--client", "127.0.0.1")
        self.assertTrue(why["blocked"])
        self.assertEqual((why["name"], why["alias"], why["list"]),
                         ("alias.example", "x.bad.example", "sites"))
        page = self.box.page("alias.example")
        self.assertEqual(page[0], 403)
        self.assertIn("alias.example", page[2])

    def test_protected_name_may_lead_where_it_wants(self):
        self.assertIn(GOOD, self.box.ask("www.school.example").texts())

    def test_names_that_lead_nowhere_bad_stay_allowed(self):
        self.box.ask("fine.example")
        self.assertFalse(self.box.json("check", "fine.example")["blocked"])


if __name__ == "__main__":
    unittest.main()
