# SPDX-License-Identifier: Apache-2.0
"""Upstreams that send something bad first and the right answer 50 ms later (TuDoor): a packet
that fails any check is dropped, and the wait goes on."""
import struct
import time
import unittest

import dnswire
from dnswire import QR, RA, RD, TC, opt, pack_name, record
from fakeupstream import FakeUpstream, Send
from harness import Box

GOOD, BAD = "192.0.2.1", "203.0.113.66"
OK = QR | RD | RA


def good(asked):
    return dnswire.answer(asked, [(None, "A", GOOD, 300)])


def bad(asked, **more):
    return dnswire.answer(asked, [(None, "A", BAD, 300)], **more)


def question(name, number=1, qclass=1):
    return pack_name(name) + struct.pack("!HH", number, qclass)


def patched(packet, at, value):
    return packet[:at] + struct.pack("!H", value) + packet[at + 2:]


def name_of(asked):
    return asked.questions[0][0]


def body(asked):
    """Where the records begin."""
    return 12 + len(pack_name(name_of(asked))) + 4


def loop(asked):
    """A record whose owner points at itself."""
    packet = dnswire.answer(asked, [b"\xc0" + bytes([body(asked)]) +
                                    struct.pack("!HHIH4B", 1, 1, 300, 4, 203, 0, 113, 66)])
    return packet


def forward(asked):
    return dnswire.answer(asked, [b"\xc0\xff" + struct.pack("!HHIH4B", 1, 1, 300, 4, 9, 9, 9, 9)])


def chaos(asked):
    return pack_name(name_of(asked)) + struct.pack("!HHIH4B", 1, 3, 300, 4, 203, 0, 113, 66)


def cookie(data):
    return opt(options=struct.pack("!HH", 10, len(data)) + data)


def with_opt(asked, *records, **more):
    plain = dnswire.Message(asked.raw)
    plain.opt = None
    return bad(plain, additional=list(records), **more)


# The name in the question, and the packet that comes first.
KINDS = {
    "wrong-id": lambda q: bad(q, id=q.id ^ 1),
    "wrong-question": lambda q: bad(q, question=question("other.test")),
    "other-case": lambda q: bad(q, question=question(name_of(q).swapcase())),
    "other-type": lambda q: bad(q, question=question(name_of(q), 28)),
    "other-class": lambda q: bad(q, question=question(name_of(q), 1, 3)),
    "a-query": lambda q: bad(q, flags=RD | RA),
    "other-opcode": lambda q: bad(q, flags=OK | 2 << 11),
    "tc-garbage": lambda q: bad(q, flags=OK | TC) + b"\xff" * 7,
    "tc-empty": lambda q: dnswire.answer(q, flags=OK | TC),
    "header-cut": lambda q: good(q)[:9],
    "question-cut": lambda q: good(q)[:20],
    "record-cut": lambda q: bad(q)[:body(q) + 9],
    "empty": lambda q: b"",
    "rr-overrun": lambda q: patched(bad(q), body(q) + len(pack_name(name_of(q))) + 8, 4000),
    "compression-loop": loop,
    "pointer-forwards": forward,
    "qdcount-0": lambda q: patched(bad(q), 4, 0),
    "qdcount-2": lambda q: patched(bad(q), 4, 2),
    "ancount-more": lambda q: patched(bad(q), 6, 9),
    "octets-left-over": lambda q: bad(q) + b"\0" * 5,
    "rdlength-short": lambda q: dnswire.answer(q, [pack_name(name_of(q)) +
                                                   struct.pack("!HHIH3B", 1, 1, 300, 3, 9, 9, 9)]),
    "cname-cut": lambda q: dnswire.answer(q, [pack_name(name_of(q)) +
                                              struct.pack("!HHIH", 5, 1, 300, 3) + b"\x05ab"]),
    "other-name": lambda q: dnswire.answer(q, [("bank.test", "A", BAD, 300)]),
    "other-alias": lambda q: dnswire.answer(q, [("bank.test", "CNAME", "evil.test", 300),
                                                ("evil.test", "A", BAD, 300)]),
    "alias-to-another": lambda q: dnswire.answer(q, [(None, "CNAME", "b.test", 300),
                                                     ("evil.test", "A", BAD, 300)]),
    "referral": lambda q: dnswire.answer(q, authority=[record("silent", "NS", "ns.evil.test"),
                                                       record(".", "NS", "ns.evil.test")],
                                         additional=[record("ns.evil.test", "A", BAD)]),
    "class-of-record": lambda q: dnswire.answer(q, [chaos(q)]),
    "class-of-authority": lambda q: dnswire.answer(q, [(None, "A", BAD, 300)], authority=[chaos(q)]),
    "type-of-record": lambda q: dnswire.answer(q, [(None, "TXT", "not asked for", 300)]),
    "alias-of-itself": lambda q: dnswire.answer(q, [(None, "CNAME", name_of(q), 300)]),
    "alias-circle": lambda q: dnswire.answer(q, [(None, "CNAME", "b.test", 300),
                                                 ("b.test", "CNAME", name_of(q), 300)]),
    "alias-circle-apart": lambda q: dnswire.answer(q, [(None, "CNAME", "b.test", 300),
                                                       ("b.test", "CNAME", "c.test", 300),
                                                       ("c.test", "CNAME", "b.test", 300)]),
    "two-opts": lambda q: with_opt(q, opt(), opt()),
    "opt-in-answer": lambda q: dnswire.answer(q, [opt(), (None, "A", BAD, 300)]),
    "opt-overrun": lambda q: with_opt(q, opt(options=struct.pack("!HH", 10, 99))),
    "opt-version": lambda q: with_opt(q, opt(version=1)),
    "opt-owner": lambda q: with_opt(q, b"\x01a" + opt()),
    "other-cookie": lambda q: with_opt(q, cookie(b"x" * 16)),
    "formerr": lambda q: dnswire.answer(q, rcode=1),
    "formerr-bare": lambda q: struct.pack("!6H", q.id, OK | 1, 0, 0, 0, 0),
    "servfail": lambda q: dnswire.answer(q, rcode=2),
    "notimp": lambda q: dnswire.answer(q, rcode=4),
    "refused": lambda q: dnswire.answer(q, rcode=5),
    "rcode-9": lambda q: dnswire.answer(q, rcode=9),
    "rcode-4080": lambda q: with_opt(q, b"\0" + struct.pack("!HHIH", 41, 1232, 255 << 24, 0)),
    "rcode-15": lambda q: dnswire.answer(q, rcode=15),
    "badvers": lambda q: with_opt(q, opt(version=1)[:5] + b"\x01" + opt()[6:]),
    "badcookie": lambda q: with_opt(q, b"\0" + struct.pack("!HHIH", 41, 1232, 1 << 24, 0), rcode=7),
}


class BadFirst(unittest.TestCase):
    """RFC 5452 section 9, RFC 2181 section 5.4.1, RFC 6891 sections 6.1 and 7."""

    @classmethod
    def setUpClass(cls):
        def handler(asked, transport):
            kind = name_of(asked).lower().split(".")[0]
            if transport == "tcp":
                return [Send(good(asked))] if cls.tcp else []
            if asked.opt is None:
                asked.opt = None
            return [Send(KINDS[kind](asked)), Send(good(asked), after=0.05)]
        cls.tcp = False
        cls.upstream = cls.enterClassContext(FakeUpstream(handler))
        cls.box = cls.enterClassContext(Box(upstream=[cls.upstream.url],
                                            config={"server": {"workers": 1}}))

    def check(self, kind, zone):
        name = f"{kind}.{zone}"
        begin = time.monotonic()
        reply = self.box.ask(name, timeout=8)
        self.assertEqual((reply.rcode, reply.texts()), ("NOERROR", [GOOD]), kind)
        self.assertLess(time.monotonic() - begin, 2, kind)
        self.assertLessEqual(self.upstream.count(name), 8, kind)
        again = self.box.ask(name)
        self.assertEqual(again.texts(), [GOOD], kind)

    def test_each_kind_where_tcp_is_silent(self):
        for kind in KINDS:
            with self.subTest(kind):
                self.check(kind, "silent")

    def test_each_kind_where_tcp_answers(self):
        type(self).tcp = True
        for kind in KINDS:
            with self.subTest(kind):
                self.check(kind, "open")
        type(self).tcp = False


class BadOnly(unittest.TestCase):
    """Where UDP brings nothing that can be used, TCP does (RFC 5452 section 9.3)."""
    NO = ("formerr", "formerr-bare", "servfail", "notimp", "refused", "referral")

    def test_each_kind_that_is_no_answer_leads_to_tcp(self):
        upstream = self.enterContext(FakeUpstream(lambda asked, transport: [Send(
            good(asked) if transport == "tcp" else KINDS[name_of(asked).lower().split(".")[0]](asked))]))
        box = self.enterContext(Box(upstream=[upstream.url], config={"server": {"workers": 1}}))
        for kind in KINDS:
            if kind not in self.NO:
                with self.subTest(kind):
                    self.assertEqual(box.ask(f"{kind}.test", timeout=8).texts(), [GOOD])
                    self.assertLessEqual(upstream.count(f"{kind}.test"), 8)

    def test_tcp_that_is_silent_leads_back_to_udp(self):
        """A forged packet costs a try: the server has no TCP, and its first answer is lost."""
        for kind in ("tc-garbage", "record-cut", "other-case", "wrong-id"):
            with self.subTest(kind):
                upstream = self.enterContext(FakeUpstream(lambda asked, transport, kind=kind: [
                    Send(KINDS[kind](asked) if upstream.count("a.test", "udp") == 1 else good(asked))
                ] if transport == "udp" else []))
                box = self.enterContext(Box(upstream=[upstream.url], config={"server": {"workers": 1}}))
                self.assertEqual(box.ask("a.test", timeout=8).texts(), [GOOD])


class BadData(unittest.TestCase):
    """Data that has not the shape of its type comes first."""
    ROWS = {  # type: bad, good
        "TXT": (b"\x05abc", b"\x03abc"),  # RFC 1035 section 3.3.14
        "HTTPS": (b"\0\1\0\0\1\0\x09\2h2", b"\0\1\0\0\1\0\3\2h2"),  # RFC 9460 section 2.2
        "SVCB": (b"\0\1\0\0\3\0\1\1", b"\0\1\0\0\3\0\2\3\x55"),
    }

    def test_the_right_data_is_waited_for(self):
        def handler(asked, _):
            pair = self.ROWS.get(asked.questions[0][1], (b"", b""))
            return [Send(dnswire.answer(asked, [(None, asked.questions[0][1], data, 300)]),
                         after=0.05 * n) for n, data in enumerate(pair)]
        upstream = self.enterContext(FakeUpstream(handler))
        box = self.enterContext(Box(upstream=[upstream.url], config={"server": {"workers": 1}}))
        for kind, (_, right) in self.ROWS.items():
            with self.subTest(kind):
                self.assertEqual(box.ask("a.test", kind, timeout=8).texts(), [right.hex()])


class OtherSource(unittest.TestCase):
    def test_answer_from_another_port_is_not_seen(self):
        """RFC 5452 section 9.1."""
        upstream = self.enterContext(FakeUpstream(lambda asked, _: [
            Send(bad(asked), other_port=True), Send(good(asked), after=0.05)]))
        box = self.enterContext(Box(upstream=[upstream.url]))
        self.assertEqual(box.ask("a.test").texts(), [GOOD])


class Foreign(unittest.TestCase):
    """What does not answer the question is neither passed on nor kept (RFC 2181 section 5.4.1)."""

    def setUp(self):
        self.handler = None
        self.upstream = self.enterContext(FakeUpstream(lambda asked, how: self.handler(asked)))
        self.box = self.enterContext(Box(upstream=[self.upstream.url],
                                         config={"server": {"workers": 1}}))

    def serve(self, answers, **more):
        def handler(asked):
            mine = name_of(asked).lower() == "www.a.test"
            return [Send(dnswire.answer(asked, answers, **more) if mine else good(asked))]
        self.handler = handler

    def check_bank(self):
        """Nothing was learned of bank.test: it is asked for itself."""
        self.assertEqual(self.box.ask("bank.test").texts(), [GOOD])
        self.assertEqual(self.upstream.count("bank.test"), 1)

    def test_records_of_others_beside_the_answer(self):
        self.serve([(None, "A", GOOD, 300), ("bank.test", "A", BAD, 300)],
                   authority=[record("test", "NS", "ns.evil.test")],
                   additional=[record("ns.evil.test", "A", BAD), record("bank.test", "A", BAD)])
        for _ in range(2):
            reply = self.box.ask("www.a.test")
            self.assertEqual(reply.texts(), [GOOD])
            self.assertEqual((reply.authority, reply.additional), ([], []))
        self.check_bank()

    def test_alias_of_another_name(self):
        self.serve([("bank.test", "CNAME", "evil.test", 300), ("evil.test", "A", BAD, 300)])
        reply = self.box.ask("www.a.test", timeout=8)
        self.assertEqual((reply.rcode, reply.answers), ("SERVFAIL", []))
        self.check_bank()

    def test_answer_for_another_name(self):
        self.serve([("bank.test", "A", BAD, 300)])
        reply = self.box.ask("www.a.test", timeout=8)
        self.assertEqual((reply.rcode, reply.answers), ("SERVFAIL", []))
        self.check_bank()

    def test_records_behind_the_chain_are_not_kept_for_their_names(self):
        self.serve([(None, "CNAME", "bank.test", 300), ("bank.test", "A", BAD, 300)])
        self.assertEqual(self.box.ask("www.a.test").texts("A"), [BAD])
        self.check_bank()

    def test_soa_of_another_zone_is_left_out(self):
        self.serve([], rcode=3, authority=[record("evil.example", "SOA", 300)])
        self.assertEqual(self.box.ask("www.a.test").authority, [])

    def test_ad_is_not_believed_over_a_path_that_others_are_on(self):
        """interfaces: AD only from trusted paths; loopback is one, so the box is told apart by it."""
        self.serve([(None, "A", GOOD, 300)], flags=OK | dnswire.AD)
        reply = self.box.ask("www.a.test", flags=RD | dnswire.AD)
        self.assertTrue(reply.flags & dnswire.AD)
        reply = self.box.ask("www.a.test", edns=None)
        self.assertFalse(reply.flags & dnswire.AD)


class Limits(unittest.TestCase):
    def test_lower_casing_server_resolves_over_tcp(self):
        """draft-vixie-dnsext-dns0x20; never without the check."""
        def handler(asked, transport):
            if transport == "tcp":
                return [Send(good(asked))]
            return [Send(bad(asked, question=question(name_of(asked).lower())))]
        upstream = self.enterContext(FakeUpstream(handler))
        box = self.enterContext(Box(upstream=[upstream.url], config={"server": {"workers": 1}}))
        for n in range(8):
            self.assertEqual(box.ask(f"longer-name-{n}.test").texts(), [GOOD])
        self.assertLess(upstream.count(transport="udp"), 8)  # after a few not tried any more

    def test_server_that_only_refers_to_others_is_passed_over(self):
        refers = self.enterContext(FakeUpstream(lambda asked, _: [Send(dnswire.answer(
            asked, authority=[record("test", "NS", "ns.test")]))]))
        resolves = self.enterContext(FakeUpstream(lambda asked, _: [Send(good(asked))]))
        box = self.enterContext(Box(upstream=[refers.url, resolves.url], config={
            "server": {"workers": 1}, "upstream": {"strategy": "ordered"}}))
        self.assertEqual(box.ask("www.test").texts(), [GOOD])
        self.assertEqual((refers.count(), resolves.count()), (1, 1))

    def test_server_that_no_longer_folds_is_found_when_its_tcp_fails(self):
        folds = [True]

        def handler(asked, transport):
            if transport == "tcp":
                return [Send(good(asked))] if folds[0] else []
            if not folds[0]:
                return [Send(good(asked))]
            return [Send(dnswire.answer(asked, [(None, "A", GOOD, 300)],
                                        question=question(name_of(asked).lower())))]
        upstream = self.enterContext(FakeUpstream(handler))
        box = self.enterContext(Box(upstream=[upstream.url], config={
            "server": {"workers": 1}, "upstream": {"timeout_ms": 300}}))
        for number in range(5):
            self.assertEqual(box.ask(f"many-letters-{number}.test").texts(), [GOOD])
        self.assertEqual(upstream.count("many-letters-4.test", "udp"), 0, "TCP at once by now")
        folds[0] = False
        self.assertEqual(box.ask("many-letters-again.test", timeout=8).texts(), [GOOD])

    def test_failing_server_gets_at_most_8_packets(self):
        for rcode in (1, 2, 4, 5):
            upstream = self.enterContext(FakeUpstream(
                lambda asked, _, rcode=rcode: [Send(dnswire.answer(asked, rcode=rcode))]))
            box = self.enterContext(Box(upstream=[upstream.url], config={"server": {"workers": 1}}))
            begin = time.monotonic()
            reply = box.ask("a.test", timeout=8)
            self.assertEqual((reply.rcode, reply.ede[0][0]), ("SERVFAIL", 22))  # RFC 8914 section 4.23
            self.assertLess(time.monotonic() - begin, 2)
            self.assertLessEqual(upstream.count("a.test"), 8)

    def test_a_failure_that_passes_is_not_the_client_s(self):
        """Of the only server, or forged in its name (RFC 5452 section 9.1)."""
        for rcode in (1, 2, 4, 5):
            with self.subTest(rcode):
                heard = []

                def handler(asked, _, rcode=rcode, heard=heard):
                    heard.append(asked)
                    return [Send(good(asked) if len(heard) > 2 or rcode in (2, 5) and len(heard) > 1
                                 else dnswire.answer(asked, rcode=rcode))]
                upstream = self.enterContext(FakeUpstream(handler))
                box = self.enterContext(Box(upstream=[upstream.url], config={"server": {"workers": 1}}))
                self.assertEqual(box.ask("a.test", timeout=8).texts(), [GOOD])
                self.assertLessEqual(upstream.count("a.test"), 3)

    def test_truncating_servers_get_at_most_8_packets(self):
        servers = [self.enterContext(FakeUpstream(
            lambda asked, _: [Send(dnswire.answer(asked, flags=OK | TC))])) for _ in range(3)]
        box = self.enterContext(Box(upstream=[one.url for one in servers],
                                    config={"server": {"workers": 1}}))
        self.assertEqual(box.ask("a.test", timeout=8).rcode, "SERVFAIL")
        self.assertLessEqual(sum(one.count("a.test") for one in servers), 8)

    def test_servers_that_fail_or_refuse_mean_servfail_with_a_reason(self):
        """RFC 8914 section 4.23: also when they refused to reply."""
        upstream = self.enterContext(FakeUpstream(lambda asked, _: [Send(dnswire.answer(
            asked, rcode=int(name_of(asked).lower().strip("r.test"))))]))
        box = self.enterContext(Box(upstream=[upstream.url]))
        for rcode in (2, 4, 5, 9, 15):
            with self.subTest(rcode):
                reply = box.ask(f"r{rcode}.test", timeout=8)
                self.assertEqual((reply.rcode, reply.ede[0]),
                                 ("SERVFAIL", (22, "every upstream failed or refused")))

    def test_dead_server_means_servfail_with_a_reason_by_5_s(self):
        """RFC 8914 sections 4.23 and 4.24."""
        upstream = self.enterContext(FakeUpstream(lambda *_: []))
        box = self.enterContext(Box(upstream=[upstream.url]))
        begin = time.monotonic()
        reply = box.ask("a.test", timeout=8)
        self.assertLess(time.monotonic() - begin, 5.2)
        self.assertEqual(reply.rcode, "SERVFAIL")
        self.assertIn(reply.ede[0][0], (22, 23))
        self.assertLessEqual(upstream.count("a.test"), 8)

    def test_150_hanging_queries_slow_no_other(self):
        upstream = self.enterContext(FakeUpstream(
            lambda asked, _: [] if "dead" in name_of(asked).lower() else [Send(good(asked))]))
        box = self.enterContext(Box(upstream=[upstream.url], config={"server": {"workers": 1}}))
        import socket
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            for n in range(150):
                one.sendto(dnswire.query(f"dead{n}.test"), box.address)
            begin = time.monotonic()
            for n in range(20):
                self.assertEqual(box.ask(f"live{n}.test").texts(), [GOOD])
            self.assertLess(time.monotonic() - begin, 1)

    def test_64_kib_answer_of_many_names_is_quick(self):
        def handler(asked, transport):
            if transport == "udp":
                return [Send(dnswire.answer(asked, flags=OK | TC))]
            names = [(f"n{n}.x.test", "A", BAD, 300) for n in range(2300)]
            return [Send(dnswire.answer(asked, [*names, (None, "A", GOOD, 300)]))]
        upstream = self.enterContext(FakeUpstream(handler))
        box = self.enterContext(Box(upstream=[upstream.url]))
        self.assertEqual(box.ask("a.test").texts(), [GOOD])


if __name__ == "__main__":
    unittest.main()
