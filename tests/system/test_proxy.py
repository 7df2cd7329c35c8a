# SPDX-License-Identifier: Apache-2.0
"""The resolver as a proxy: what clients get, what upstreams are asked, what is not believed."""
import concurrent.futures
import struct
import time
import unittest

import dnswire
from dnswire import CD, QR, RA, RD, TC, Message
from fakeupstream import FakeUpstream, Send, address
from harness import HAVE_IPV6, Box, ServedTest, wait_for

GOOD = "192.0.2.1"
WRONG = "198.51.100.66"


def good(asked, **more):
    return dnswire.answer(asked, [(None, "A", GOOD, 300)], **more)


def wrong(asked, **more):
    return dnswire.answer(asked, [(None, "A", WRONG, 300)], **more)


def question_of(name, kind=1, qclass=1):
    return dnswire.pack_name(name) + struct.pack("!HH", kind, qclass)


class Transports(ServedTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.one = cls.enterClassContext(Box(upstream=[cls.nsd.url]))

    def test_udp_and_tcp_over_ipv4_and_ipv6(self):
        for tcp in (False, True):
            for v6 in (False, True) if HAVE_IPV6 else (False,):
                with self.subTest(tcp=tcp, v6=v6):
                    reply = self.one.ask("www.example.com", tcp=tcp, v6=v6)
                    self.assertEqual((reply.rcode, reply.texts()), ("NOERROR", ["192.0.2.10"]))
                    self.assertTrue(reply.flags & QR and reply.flags & RA and reply.flags & RD)

    def test_other_types_pass(self):
        self.assertEqual(self.one.ask("www.example.com", "AAAA").texts(), ["2001:db8::10"])
        self.assertIn(b"from the upstream", self.one.ask("www.example.com", "TXT").answers[0].rdata)

    def test_nxdomain_passes_with_its_soa(self):
        reply = self.one.ask("nothing.nx.gone")
        self.assertEqual((reply.rcode, reply.answers), ("NXDOMAIN", []))
        self.assertEqual([rr.type for rr in reply.authority], ["SOA"])

    def test_answer_spells_the_name_as_it_was_asked(self):
        for _ in range(2):
            reply = self.one.ask("WwW.eXample.CoM")
            self.assertEqual(reply.questions[0][0], "WwW.eXample.CoM")
            self.assertEqual(reply.answers[0].name.lower(), "www.example.com")

    def test_edns_is_answered_with_1232(self):
        reply = self.one.ask("www.example.com", edns=dnswire.opt(4096))
        self.assertEqual(reply.udp_size, 1232)

    def test_no_edns_is_answered_without(self):
        self.assertIsNone(self.one.ask("www.example.com", edns=None).opt)

    def test_pipelined_tcp_queries_are_all_answered(self):
        import socket
        with socket.create_connection(self.one.address, 5) as stream:
            data = b"".join(struct.pack("!H", len(q)) + q for q in (
                dnswire.query(f"p{n}.example.com", id=n) for n in range(10)))
            for octet in data[:40]:
                stream.sendall(bytes([octet]))
            stream.sendall(data[40:])
            from harness import read_frame
            ids = {Message(read_frame(stream)).id for _ in range(10)}
        self.assertEqual(ids, set(range(10)))


class Errors(ServedTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.upstream = cls.enterClassContext(FakeUpstream(address()))
        cls.one = cls.enterClassContext(Box(upstream=[cls.upstream.url]))

    def assert_bare_formerr(self, packet):
        before = self.upstream.count()
        reply = self.one.send(packet)
        self.assertIsNotNone(reply)
        self.assertEqual((len(reply), reply[:2], reply[3] & 15), (12, packet[:2], 1))
        self.assertEqual(self.upstream.count(), before)

    def test_two_questions_are_a_format_error(self):
        self.assert_bare_formerr(dnswire.query("a.test", count=2, edns=question_of("b.test")))

    def test_truncated_question_is_a_format_error(self):
        self.assert_bare_formerr(dnswire.query("cut.test", edns=None)[:-3])

    def test_pointer_in_a_circle_is_a_format_error(self):
        self.assert_bare_formerr(dnswire.query(b"\x01a\xc0\x0c", edns=None))

    def test_other_opcode_is_not_implemented(self):
        self.assertEqual(self.one.ask("a.test", opcode=2).rcode, "NOTIMP")

    def test_other_class_is_refused(self):
        self.assertEqual(self.one.ask("version.bind", "TXT", qclass=3).rcode, "REFUSED")

    def test_later_edns_version_is_badvers(self):
        reply = self.one.ask("a.test", edns=dnswire.opt(version=1))
        self.assertEqual((reply.rcode, reply.version), ("BADVERS", 0))

    def test_response_sent_as_a_query_is_not_answered(self):
        self.assertIsNone(self.one.send(dnswire.query("a.test", flags=QR | RD), timeout=0.5))
        self.assertEqual(self.one.ask("after.test").texts(), [GOOD])

    def test_too_short_packets_are_not_answered(self):
        for length in (0, 1, 11):
            self.assertIsNone(self.one.send(b"\0" * length, timeout=0.3))

    def test_strangers_are_refused(self):
        box = self.box(upstream=[self.upstream.url],
                       config={"dns": {"allow_clients": ["127.0.0.2/32"]}})
        before = self.upstream.count()
        for tcp in (False, True):
            reply = box.ask("stranger.test", tcp=tcp)
            self.assertEqual((reply.rcode, reply.ede[0][0]), ("REFUSED", 18))
        self.assertEqual(self.upstream.count(), before)
        self.assertEqual(box.ask("friend.test", source="127.0.0.2").texts(), [GOOD])


class Upstreams(unittest.TestCase):
    def served(self, handler, **more):
        upstream = self.enterContext(FakeUpstream(handler))
        return upstream, self.enterContext(Box(upstream=[upstream.url], **more))

    def test_queries_are_rebuilt(self):
        upstream, box = self.served(address())
        ecs = struct.pack("!HHHBB", 8, 7, 1, 24, 0) + b"\x0a\x01\x02"
        box.ask("rebuilt.test", edns=dnswire.opt(4096, options=ecs), flags=RD | CD, id=7)
        _, asked, _ = upstream.asked[0]
        self.assertEqual(asked.questions[0][0].lower(), "rebuilt.test")
        self.assertEqual((asked.udp_size, [code for code, _ in asked.options]), (1232, [10]),
                         "a cookie of our own, nothing of the client's")
        self.assertTrue(asked.flags & RD and asked.flags & CD)

    def test_dnssec_ok_and_cd_are_asked_apart(self):
        upstream, box = self.served(address())
        box.ask("apart.test")
        box.ask("apart.test", edns=dnswire.opt(dnssec_ok=True))
        box.ask("apart.test", flags=RD | CD)
        box.ask("apart.test")
        self.assertEqual([a.dnssec_ok for _, a, _ in upstream.asked], [False, True, False])

    def test_port_id_and_case_are_random(self):
        upstream, box = self.served(address())
        for number in range(40):
            box.ask(f"a-rather-long-label-for-mixed-case{number}.test", id=number)
        ports = {port for _, _, port in upstream.asked}
        ids = {asked.id for _, asked, _ in upstream.asked}
        names = [asked.questions[0][0] for _, asked, _ in upstream.asked]
        self.assertGreater(len(ports), 35)
        self.assertGreater(len(ids), 35)
        self.assertGreater(sum(name != name.lower() for name in names), 38)

    def test_second_answer_comes_from_the_cache_and_ages(self):
        upstream, box = self.served(address(ttl=300))
        first = box.ask("aging.test").answers[0].ttl
        self.assertLessEqual(first, 300)
        wait_for(lambda: box.ask("aging.test").answers[0].ttl < first, "a smaller TTL")
        self.assertEqual(upstream.count("aging.test"), 1)

    def test_expired_answers_are_asked_again(self):
        upstream, box = self.served(address(ttl=1))
        box.ask("short.test")
        wait_for(lambda: box.ask("short.test") and upstream.count("short.test") > 1, "a new query")

    def test_truncated_answer_is_asked_over_tcp(self):
        big = [(None, "TXT", bytes([200]) + b"x" * 200, 300)] * 12

        def handler(asked, transport):
            if transport == "udp":
                return [Send(dnswire.answer(asked, flags=QR | RD | RA | TC))]
            return [Send(dnswire.answer(asked, big))]
        upstream, box = self.served(handler)
        reply = box.ask("big.test", "TXT")
        self.assertTrue(reply.truncated)
        self.assertLessEqual(len(reply.raw), 1232)
        self.assertEqual(len(box.ask("big.test", "TXT", tcp=True).answers), 12)
        self.assertEqual([how for how, _, _ in upstream.asked], ["udp", "tcp"])

    def test_small_clients_get_512_octets(self):
        records = [(None, "TXT", bytes([200]) + b"x" * 200, 300)] * 4
        _, box = self.served(lambda asked, _: [Send(dnswire.answer(asked, records))])
        reply = box.ask("medium.test", "TXT", edns=None)
        self.assertTrue(reply.truncated)
        self.assertLessEqual(len(reply.raw), 512)
        self.assertFalse(box.ask("medium.test", "TXT").truncated)

    def test_identical_questions_are_asked_once(self):
        upstream, box = self.served(
            lambda asked, _: [Send(good(asked), after=0.2)],
            config={"server": {"workers": 1}})
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            replies = list(pool.map(lambda n: box.ask("same.test", id=n + 1), range(20)))
        self.assertEqual([reply.texts() for reply in replies], [[GOOD]] * 20)
        self.assertEqual(upstream.count("same.test"), 1)

    def test_next_server_is_asked_when_one_is_silent(self):
        silent = self.enterContext(FakeUpstream(lambda asked, _: []))
        alive = self.enterContext(FakeUpstream(address()))
        box = self.enterContext(Box(upstream=[silent.url, alive.url, "udp://127.0.0.1:9"],
                                    config={"upstream": {"timeout_ms": 300}}))
        for number in range(6):
            self.assertEqual(box.ask(f"next{number}.test").texts(), [GOOD])

    def test_servfail_of_one_server_is_asked_of_the_next(self):
        broken = self.enterContext(FakeUpstream(
            lambda asked, _: [Send(dnswire.answer(asked, rcode=2))]))
        alive = self.enterContext(FakeUpstream(address()))
        box = self.enterContext(Box(upstream=[broken.url, alive.url]))
        for number in range(4):
            self.assertEqual(box.ask(f"next{number}.test").texts(), [GOOD])

    def test_no_server_answers(self):
        upstream, box = self.served(lambda asked, _: [], config={"upstream": {"timeout_ms": 300}})
        begin = time.monotonic()
        reply = box.ask("dead.test", timeout=10)
        self.assertEqual(reply.rcode, "SERVFAIL")
        self.assertIn(reply.ede[0][0], (22, 23))
        self.assertLess(time.monotonic() - begin, 6)
        self.assertLessEqual(upstream.count("dead.test"), 8)  # probes look whether it is back

    def test_stale_answer_stands_in_for_a_dead_upstream(self):
        alive = [True]
        _, box = self.served(lambda asked, _: [Send(dnswire.answer(asked, [(None, "A", GOOD, 1)]))]
                             if alive[0] else [], config={"upstream": {"timeout_ms": 300}})
        box.ask("stale.test")
        alive[0] = False

        def stale():
            reply = box.ask("stale.test", timeout=10)
            return reply if reply.ede else None
        reply = wait_for(stale, "a stale answer")
        self.assertEqual((reply.texts(), reply.ede[0][0], reply.answers[0].ttl), ([GOOD], 3, 30))

    def test_hanging_queries_do_not_delay_others(self):
        _, box = self.served(lambda asked, _: [] if "hang" in asked.questions[0][0].lower()
                             else [Send(good(asked))])
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            hanging = [pool.submit(box.ask, f"hang{n}.test", timeout=15) for n in range(50)]
            begin = time.monotonic()
            for number in range(20):
                self.assertEqual(box.ask(f"live{number}.test").texts(), [GOOD])
            self.assertLess(time.monotonic() - begin, 2)
            self.assertEqual({job.result().rcode for job in hanging}, {"SERVFAIL"})

    def test_tcp_upstream(self):
        upstream = self.enterContext(FakeUpstream(address()))
        box = self.enterContext(Box(upstream=[upstream.url.replace("udp", "tcp")]))
        self.assertEqual(box.ask("overtcp.test").texts(), [GOOD])
        self.assertEqual(upstream.count(transport="udp"), 0)

    def test_own_address_is_refused_as_upstream(self):
        box = self.enterContext(Box(start=False))
        box.config["upstream"]["servers"] = [f"udp://127.0.0.1:{box.port}"]
        box.write_config()
        import subprocess
        done = subprocess.run([box.program("greengated"), "-c", box.path, "-t"], timeout=20,
                              capture_output=True, text=True, check=False)
        self.assertNotEqual(done.returncode, 0, done.stderr)


class Poisoning(unittest.TestCase):
    """Each kind of wrong packet first, the right one 50 ms later: the client gets the right one."""
    WRONG = {
        "wrong-id": lambda asked: Send(wrong(asked, id=asked.id ^ 1)),
        "wrong-name": lambda asked: Send(wrong(asked, question=question_of("other.test"))),
        "wrong-type": lambda asked: Send(wrong(asked, question=question_of(
            asked.questions[0][0], kind=28))),
        "wrong-class": lambda asked: Send(wrong(asked, question=question_of(
            asked.questions[0][0], qclass=3))),
        "wrong-case": lambda asked: Send(wrong(asked, question=question_of(
            asked.questions[0][0].swapcase()))),
        "not-a-response": lambda asked: Send(wrong(asked, flags=RD)),
        "wrong-opcode": lambda asked: Send(wrong(asked, flags=QR | RD | RA | 2 << 11)),
        "two-questions": lambda asked: Send(wrong(asked, count=2)),
        "no-question": lambda asked: Send(wrong(asked, count=0, question=b"")),
        "cut-short": lambda asked: Send(wrong(asked)[:-17]),
        "garbage": lambda asked: Send(b"\xff" * 40),
        "empty": lambda asked: Send(b""),
        "pointer-circle": lambda asked: Send(dnswire.answer(asked, [
            b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 60, 2) + b"\xc0\x2e"], )[:-1] + b"\xff"),
        "other-port": lambda asked: Send(wrong(asked), other_port=True),
    }

    def test_wrong_packets_are_dropped_and_the_wait_goes_on(self):
        def handler(asked, transport):
            kind = asked.questions[0][0].lower().split(".")[0]
            # A stranger cannot reach into a TCP stream: there the upstream is itself.
            forged = [self.WRONG[kind](asked)] if transport == "udp" else []
            return [*forged, Send(good(asked), after=0.05)]
        upstream = self.enterContext(FakeUpstream(handler))
        box = self.enterContext(Box(upstream=[upstream.url]))
        for kind in self.WRONG:
            with self.subTest(kind):
                self.assertEqual(box.ask(f"{kind}.a-long-name-for-mixed-case.test").texts(), [GOOD])
        self.assertEqual(upstream.count(transport="udp"), len(self.WRONG))

    def test_upstream_that_lowers_the_case_is_asked_over_tcp(self):
        def handler(asked, transport):
            name = asked.questions[0][0]
            lower = question_of(name.lower())
            return [Send(good(asked, question=question_of(name) if transport == "tcp" else lower))]
        upstream = self.enterContext(FakeUpstream(handler))
        box = self.enterContext(Box(upstream=[upstream.url], config={"upstream": {"timeout_ms": 300}}))
        reply = box.ask("a-long-name-that-has-letters.test", timeout=10)
        self.assertEqual(reply.texts(), [GOOD])
        self.assertGreater(upstream.count(transport="tcp"), 0)

    def test_nothing_foreign_is_passed_on_or_kept(self):
        def handler(asked, _):
            foreign = dnswire.record("victim.test", "A", WRONG)
            return [Send(dnswire.answer(asked, [(None, "A", GOOD, 300), foreign],
                                        authority=[dnswire.record("test", "NS", "evil.test")],
                                        additional=[dnswire.record("evil.test", "A", WRONG)]))]
        upstream = self.enterContext(FakeUpstream(handler))
        box = self.enterContext(Box(upstream=[upstream.url]))
        for _ in range(2):
            reply = box.ask("honest.test")
            self.assertEqual(reply.texts(), [GOOD])
            self.assertEqual((reply.authority, reply.additional), ([], []))
        box.ask("victim.test")
        self.assertEqual(upstream.count("victim.test"), 1, "the foreign record was not kept")

    def test_chain_of_aliases_is_followed_inside_one_answer(self):
        def handler(asked, _):
            return [Send(dnswire.answer(asked, [(None, "CNAME", "b.test", 300),
                                                ("b.test", "CNAME", "c.test", 300),
                                                ("c.test", "A", GOOD, 300),
                                                ("unrelated.test", "A", WRONG, 300)]))]
        upstream = self.enterContext(FakeUpstream(handler))
        box = self.enterContext(Box(upstream=[upstream.url]))
        for _ in range(2):
            self.assertEqual(box.ask("a.test").texts(), ["b.test", "c.test", GOOD])


if __name__ == "__main__":
    unittest.main()
