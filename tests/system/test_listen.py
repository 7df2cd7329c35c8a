# SPDX-License-Identifier: Apache-2.0
"""Which address is asked, which address answers, and how much one client may ask."""
import socket
import unittest

import dnswire
from dnswire import TC, Message
from fakeupstream import FakeUpstream, address
from harness import HAVE_IPV6, Box, exchange, free_port

GOOD = "192.0.2.1"


def own_address(family=socket.AF_INET):
    """An address of this machine that is not loopback, or None."""
    there = {socket.AF_INET: "198.51.100.1", socket.AF_INET6: "2001:db8::1"}[family]
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        try:
            one.connect((there, 9))
            return one.getsockname()[0]
        except OSError:
            return None


class Wildcard(unittest.TestCase):
    """Sockets that are bound to no address. A connected client takes answers only from the
    address that it asked."""

    @classmethod
    def setUpClass(cls):
        cls.upstream = cls.enterClassContext(FakeUpstream(address()))
        port = free_port()
        listen = [f"0.0.0.0:{port}", *[f"[::]:{port}"] * HAVE_IPV6]
        cls.box = cls.enterClassContext(Box(
            {"dns": {"listen": listen, "rate_limit_qps": 20}}, [cls.upstream.url],
            [("list", "adult", ["||blocked.example^"])], start=False))
        cls.box.port = port
        cls.box.start()

    def ask(self, name, host, **more):
        kind = more.pop("kind", "A")
        reply = exchange(dnswire.query(name, kind), (host, self.box.port), **more)
        self.assertIsNotNone(reply, f"an answer from {host}")
        return Message(reply)

    def test_answers_leave_from_the_address_that_was_asked(self):
        for host in ("127.0.0.1", "127.0.0.2", "127.30.20.10"):
            for tcp in (False, True):
                self.assertEqual(self.ask("from.example", host, tcp=tcp).texts(), [GOOD])

    def test_answers_that_waited_leave_from_there_too(self):
        for number in range(5):
            self.assertEqual(self.ask(f"fresh{number}.example", "127.0.0.9").texts(), [GOOD])

    @unittest.skipUnless(HAVE_IPV6, "no IPv6 here")
    def test_ipv6(self):
        for tcp in (False, True):
            self.assertEqual(self.ask("six.example", "::1", tcp=tcp).texts(), [GOOD])

    def test_own_addresses(self):
        for family in (socket.AF_INET, socket.AF_INET6):
            host = own_address(family)
            if host:
                for tcp in (False, True):
                    self.assertEqual(self.ask("own.example", host, tcp=tcp).texts(), [GOOD])

    def test_sinkhole_is_the_address_that_was_asked(self):
        for host in ("127.0.0.1", "127.0.0.7"):
            for tcp in (False, True):
                reply = self.ask("blocked.example", host, tcp=tcp)
                self.assertEqual((reply.texts(), reply.ede[0][0]), ([host], 17))

    @unittest.skipUnless(HAVE_IPV6, "no IPv6 here")
    def test_sinkhole_of_ipv6_is_the_address_that_was_asked(self):
        reply = self.ask("blocked.example", "::1", kind="AAAA")
        self.assertEqual(reply.texts(), ["::1"])

    def test_sinkhole_of_the_other_family_is_no_data(self):
        self.assertEqual(self.ask("blocked.example", "127.0.0.1", kind="AAAA").answers, [])


class Addresses(unittest.TestCase):
    def test_every_address_of_the_list_is_served(self):
        port, other = free_port(), free_port()
        with FakeUpstream(address()) as upstream, Box(
                {"dns": {"listen": [f"127.0.0.1:{port}", f"127.0.0.2:{port}", f"127.0.0.1:{other}"]}},
                [upstream.url]) as box:
            for server in (("127.0.0.1", port), ("127.0.0.2", port), ("127.0.0.1", other)):
                for tcp in (False, True):
                    reply = exchange(dnswire.query("many.example"), server, tcp)
                    self.assertEqual(Message(reply).texts(), [GOOD])
            self.assertIsNone(exchange(dnswire.query("many.example"), ("127.0.0.2", other), timeout=0.2))
            self.assertTrue(box.daemon.alive())


@unittest.skipUnless(own_address(), "this machine has loopback alone, which has no rate limit")
class RateLimit(Wildcard):
    """Inherited: all of Wildcard holds beside a limit of 20 queries per second."""

    def flood(self, packet, count=300):
        """Replies to many queries at once from one socket."""
        replies = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.connect((own_address(), self.box.port))
            for _ in range(count):
                one.send(packet)
            one.settimeout(1)
            try:
                while len(replies) < count:
                    replies.append(Message(one.recv(4096)))
            except TimeoutError:
                pass
        return replies

    def test_flood_is_limited_while_others_are_served(self):
        replies = self.flood(dnswire.query("flood.example"))
        whole = [reply for reply in replies if not reply.flags & TC]
        cut = [reply for reply in replies if reply.flags & TC]
        self.assertGreaterEqual(len(whole), 20)
        self.assertLess(len(whole), 60)
        self.assertLess(len(replies), 200)
        self.assertTrue(cut)
        self.assertTrue(all(len(reply.questions) == 1 and not reply.answers for reply in cut))
        for _ in range(50):
            self.assertEqual(self.ask("other.example", "127.0.0.1").texts(), [GOOD])
        # Who was told so comes over TCP.
        self.assertEqual(self.ask("flood.example", own_address(), tcp=True).texts(), [GOOD])

    def test_clients_that_know_cookies_are_told_a_new_one(self):
        """RFC 7873 section 5.2.3"""
        packet = dnswire.query("cookie.example", edns=dnswire.opt(options=b"\0\x0a\0\x0812345678"))
        told = [reply for reply in self.flood(packet) if reply.rcode_number == 23]
        self.assertTrue(told)
        cookie = dict(told[0].options)[10]
        proven = dnswire.query("cookie.example", edns=dnswire.opt(options=b"\0\x0a\0\x18" + cookie))
        reply = Message(exchange(proven, (own_address(), self.box.port)))
        self.assertEqual((reply.rcode, reply.texts()), ("NOERROR", [GOOD]))


if __name__ == "__main__":
    unittest.main()
