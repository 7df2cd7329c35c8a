# SPDX-License-Identifier: Apache-2.0
"""Ways around the filter, each tried over UDP and TCP, fresh and from the cache: none holds."""
import ipaddress
import struct
import unittest

from fakeupstream import FakeUpstream, Send
from harness import Box
import dnswire
from dnswire import pack_name, record

SINK, FREE, LISTED_IP = "192.0.2.80", "198.51.100.9", "203.0.113.66"
DATA_TYPES = ("A", "AAAA", "TXT", "MX", "NS", "SRV", "HTTPS", "SVCB", "ANY", 35, 99, 257, 65280)


def svcb(target=".", params=b"", priority=1):
    return struct.pack("!H", priority) + (b"\0" if target == "." else pack_name(target)) + params


def hint(key, *addresses):
    data = b"".join(ipaddress.ip_address(one).packed for one in addresses)
    return struct.pack("!HH", key, len(data)) + data


def mx(target):
    return struct.pack("!H", 10) + pack_name(target)


def srv(target):
    return struct.pack("!3H", 1, 1, 443) + pack_name(target)


def chain(owner, links, end):
    """CNAMEs from owner over links names to end."""
    names = [owner, *(f"link{n}.example" for n in range(links - 1)), end]
    return [(names[n], "CNAME", names[n + 1], 300) for n in range(links)]


ANSWERS = {  # (name, type): records
    **{(f"chain{n}.example", kind): chain(f"chain{n}.example", n, "bad.test") + extra
       for n in (1, 5, 16) for kind, extra in (("A", [("bad.test", "A", FREE, 300)]),
                                               ("AAAA", [("bad.test", "AAAA", "2001:db8::9", 300)]),
                                               ("HTTPS", []), ("TXT", []))},
    ("chain17.example", "A"): chain("chain17.example", 17, "harmless.example") + [("harmless.example", "A", FREE, 300)],
    ("mail.example", "MX"): [("mail.example", "MX", mx("bad.test"), 300)],
    ("_x._tcp.srv.example", "SRV"): [("_x._tcp.srv.example", "SRV", srv("www.bad.test"), 300)],
    ("alias.example", "HTTPS"): [("alias.example", "HTTPS", svcb("bad.test", priority=0), 300)],
    ("target.example", "SVCB"): [("target.example", "SVCB", svcb("bad.test"), 300)],
    ("hint4.example", "HTTPS"): [("hint4.example", "HTTPS", svcb(params=hint(4, FREE, LISTED_IP)), 300)],
    ("hint6.example", "HTTPS"): [("hint6.example", "HTTPS", svcb(params=hint(6, "2001:db8:66::1")), 300)],
    ("ip.example", "A"): [(None, "A", FREE, 300), (None, "A", LISTED_IP, 300)],
    ("ip.example", "AAAA"): [(None, "AAAA", "2001:db8:66::1", 300)],
    ("203-0-113-66.wild.example", "A"): [(None, "A", LISTED_IP, 300)],
    ("home.example", "A"): [(None, "A", "192.168.1.1", 300)],
    ("home6.example", "AAAA"): [(None, "AAAA", "::ffff:10.0.0.1", 300)],
    ("ech.example", "HTTPS"): [(None, "HTTPS", svcb(params=b"\0\1\0\3\2h2" + struct.pack("!HH", 5, 4) + b"abcd"), 300)],
    ("www.good.example", "A"): [(None, "A", FREE, 86400)],
}


def handler(asked, transport):
    name, kind, _ = asked.questions[0]
    name = name.lower()
    if name.endswith(".dname.example"):
        below = name[:-len("dname.example")] + "bad.test"
        return [Send(dnswire.answer(asked, [  # a DNAME (RFC 6672) and the CNAME that follows from it
            pack_name("dname.example") + struct.pack("!HHIH", 39, 1, 300, 10) + pack_name("bad.test"),
            record(name, "CNAME", below), record(below, "A", FREE)]))]
    records = ANSWERS.get((name, kind))
    if records is None:
        records = [(None, "A", FREE, 300)] if kind == "A" else []
    return [Send(dnswire.answer(asked, records))]


class Ways(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = cls.enterClassContext(FakeUpstream(handler))
        cls.box = cls.enterClassContext(Box(
            upstream=[cls.upstream.url],
            lists=[("bad", "adult", ["||bad.test^", "||worst.example^", "||adult.example^"]),
                   ("addresses", "malware", [LISTED_IP, "2001:db8:66::/48"], {"format": "addresses"})],
            config={"block": {"page_ipv4": SINK}, "groups": [
                {"name": "staff", "clients": ["127.0.0.2"], "block": []},
                {"name": "pupils", "clients": [], "block": ["adult", "malware", "bypass"]}]}))

    def ways(self, name, kind="A"):
        """Each transport, and a second time from the cache."""
        return [self.box.ask(name, kind, tcp=tcp) for tcp in (False, True, False)]

    def assertShut(self, name, kind="A"):
        for reply in self.ways(name, kind):
            with self.subTest(f"{name} {kind}"):
                self.assertTrue(reply.ede and reply.ede[0][0] in (15, 17), reply)
                self.assertNotIn(FREE, reply.texts())
                self.assertNotIn(LISTED_IP, reply.texts())
                self.assertEqual([rr for rr in reply.authority + reply.additional if rr.type not in ("SOA",)], [])

    def test_every_type_of_a_blocked_name_is_answered_here(self):
        before = len(self.upstream.asked)
        for kind in DATA_TYPES:
            self.assertShut("bad.test", kind)
            self.assertShut("deep.down.below.bad.test", kind)
        for name in ("BAD.TEST", "bAd.TeSt", "_443._https.bad.test", "x" * 60 + ".bad.test"):
            self.assertShut(name)
        self.assertEqual(self.box.ask("bad.test", "A").texts(), [SINK])
        self.assertEqual(self.box.ask("bad.test", "AAAA").answers, [])
        self.assertEqual(self.box.ask("bad.test", "HTTPS").answers, [])
        self.assertEqual(len(self.upstream.asked), before)

    def test_odd_questions_go_nowhere(self):
        before = len(self.upstream.asked)
        for more in ({"qclass": 3}, {"qclass": 254}, {"qclass": 255}, {"opcode": 1}, {"opcode": 4}, {"opcode": 5},
                     {"count": 2}, {"count": 0}):
            for tcp in (False, True):
                reply = self.box.send(dnswire.query("bad.test", "A", **more), tcp)
                self.assertNotIn(ipaddress.ip_address(FREE).packed, reply or b"", more)
        self.assertEqual(len(self.upstream.asked), before)

    def test_flags_and_options_change_nothing(self):
        def option(code, data):
            return struct.pack("!HH", code, len(data)) + data
        edns = [None, dnswire.opt(dnssec_ok=True), dnswire.opt(size=65535),
                dnswire.opt(options=option(8, b"\0\1\x20\0\x7f\0\0\2")), dnswire.opt(options=option(10, b"c" * 8)),
                dnswire.opt(options=option(65001, bytes.fromhex("020000000001"))), dnswire.opt(options=option(9999, b"x"))]
        for one in edns:
            for flags in (0, dnswire.RD, dnswire.RD | dnswire.CD, dnswire.RD | dnswire.AD, dnswire.RD | dnswire.TC):
                reply = self.box.ask("bad.test", edns=one, flags=flags)
                self.assertEqual(reply.texts(), [SINK], (one, flags, reply))

    def test_aliases_of_any_length(self):
        for links in (1, 5, 16):
            for kind in ("A", "AAAA", "HTTPS", "TXT"):
                self.assertShut(f"chain{links}.example", kind)
        for reply in self.ways("chain17.example"):
            self.assertEqual((reply.rcode, reply.texts()), ("SERVFAIL", []))
        self.assertShut("www.dname.example")

    def test_targets_of_other_records(self):
        for name, kind in (("mail.example", "MX"), ("_x._tcp.srv.example", "SRV"), ("alias.example", "HTTPS"),
                           ("target.example", "SVCB")):
            self.assertShut(name, kind)

    def test_addresses_and_hints(self):
        for name, kind in (("ip.example", "A"), ("ip.example", "AAAA"), ("hint4.example", "HTTPS"),
                           ("hint6.example", "HTTPS"), ("203-0-113-66.wild.example", "A")):
            self.assertShut(name, kind)
        self.assertEqual(sorted(self.box.ask("ip.example", source="127.0.0.2").texts()), sorted([FREE, LISTED_IP]))

    def test_cached_for_one_group_and_asked_by_another(self):
        self.assertEqual(self.box.ask("chain5.example", source="127.0.0.2").texts("A"), [FREE])
        self.assertShut("chain5.example")
        self.assertEqual(self.box.ask("chain5.example", source="127.0.0.2").texts("A"), [FREE])

    def test_rebinding(self):
        for name, kind in (("home.example", "A"), ("home6.example", "AAAA")):
            for reply in self.ways(name, kind):
                self.assertEqual((reply.answers, reply.ede[0][0]), ([], 15))
        why = self.box.json("check", "home.example")
        self.assertEqual((why["reason"], why["address"]), ("rebinding", "192.168.1.1"))

    def test_encrypted_client_hello_goes(self):
        for reply in self.ways("ech.example", "HTTPS"):
            self.assertEqual(len(reply.answers), 1)
            self.assertNotIn(b"abcd", reply.answers[0].rdata)
            self.assertIn(b"\2h2", reply.answers[0].rdata)
        self.assertIn(b"abcd", self.box.ask("ech.example", "HTTPS", source="127.0.0.2").answers[0].rdata)

    def test_names_in_other_scripts(self):
        for name in ("xn--dult-43d.example", "\u0430dult.example", "wоrst.example"):
            wire = name if name.isascii() else b"".join(
                bytes([len(label.encode())]) + label.encode() for label in name.split(".")) + b"\0"
            packet = dnswire.query("x.example", "A", id=7)
            packet = packet[:12] + pack_name(wire) + packet[12 + len(pack_name("x.example")):]
            for tcp in (False, True):
                reply = dnswire.Message(self.box.send(packet, tcp))
                self.assertEqual(reply.texts(), [SINK], name)

    def test_octets_that_are_no_letters(self):
        for wire in (b"\4b\0ad\4test\0", b"\7bad.tes\1t\0", b"\3bad\5\0test\0"):
            packet = dnswire.query("x.example", "A", id=7)
            packet = packet[:12] + wire + packet[12 + len(pack_name("x.example")):]
            self.assertIsNotNone(self.box.send(packet), wire)  # no crash; another name, not blocked
        self.assertShut("bad.test")

    def test_resolvers_told_by_the_network_are_ours(self):
        before = len(self.upstream.asked)
        for kind in ("SVCB", "A", "TXT"):
            for name in ("_dns.resolver.arpa", "resolver.arpa"):
                self.assertNotIn(FREE, self.box.ask(name, kind).texts())
        for name in ("use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com", "mask.apple-dns.net"):
            for kind in ("A", "AAAA", "HTTPS", "TXT"):
                self.assertEqual(self.box.ask(name, kind).rcode, "NXDOMAIN")
        self.assertEqual(self.box.ask("10.in-addr.arpa", "PTR").texts(), [])
        self.assertEqual(self.box.ask("1.0.168.192.in-addr.arpa", "PTR").rcode, "NXDOMAIN")
        self.assertEqual(len(self.upstream.asked), before)

    def test_search_domains_and_names_that_only_look_near(self):
        for name in ("bad.test.school.example", "notbad.test", "test", "bad-test.example", "badtest.example",
                     "www.good.example", "66.1.2.9.in-addr.arpa"):
            kind = "PTR" if name.endswith(".arpa") else "A"
            reply = self.box.ask(name, kind)
            self.assertEqual((reply.rcode, reply.ede), ("NOERROR", []), name)

    def test_what_is_blocked_is_forgotten_soon(self):
        self.assertLessEqual(self.box.ask("bad.test").answers[0].ttl, 60)


if __name__ == "__main__":
    unittest.main()
