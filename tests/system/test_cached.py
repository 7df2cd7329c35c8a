# SPDX-License-Identifier: Apache-2.0
"""What is kept of an answer, for how long and for whom."""
import itertools
import struct
import unittest

import dnswire
from dnswire import AD, CD, QR, RA, RD
from fakeupstream import FakeUpstream, Send
from harness import Box, ServedTest, wait_for

GOOD = "192.0.2.7"


def soa(name, ttl, minimum):
    """A packed SOA record."""
    data = b"\0\0" + minimum.to_bytes(4, "big") * 5
    return (dnswire.pack_name(name) + b"\0\x06\0\x01" + ttl.to_bytes(4, "big") +
            len(data).to_bytes(2, "big") + data)


class Kept(unittest.TestCase):
    def served(self, handler, config=None):
        upstream = self.enterContext(FakeUpstream(handler))
        return upstream, self.enterContext(Box(config, upstream=[upstream.url]))

    def test_each_of_do_and_cd_has_an_answer_of_its_own(self):
        def handler(asked, _):
            last = 1 + 2 * bool(asked.flags & CD) + bool(asked.opt is not None and asked.dnssec_ok)
            return [Send(dnswire.answer(asked, [(None, "A", f"192.0.2.{last}", 300)]))]
        upstream, box = self.served(handler)
        kinds = list(itertools.product((False, True), repeat=2))
        for _ in range(2):  # fresh, then cached
            for want_do, want_cd in kinds:
                reply = box.ask("flags.test", flags=RD | (CD if want_cd else 0),
                                edns=dnswire.opt(dnssec_ok=want_do))
                self.assertEqual(reply.texts("A"), [f"192.0.2.{1 + 2 * want_cd + want_do}"])
                self.assertEqual(bool(reply.flags & CD), want_cd)
        self.assertEqual(upstream.count(), 4)

    def test_the_case_of_our_questions_is_nobodys(self):
        """draft-vixie-dnsext-dns0x20: what the upstream compresses onto the question has the question's case."""
        target = b"\4mail\xc0\x0c"
        alias = b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 300, len(target)) + target
        _, box = self.served(lambda asked, _: [Send(dnswire.answer(asked, [alias, ("mail.a-long-name.test", "A", GOOD, 300)]))])
        for _ in range(2):
            reply = box.ask("a-long-name.test")
            self.assertEqual([(rr.name, rr.text) for rr in reply.answers],
                             [("a-long-name.test", "mail.a-long-name.test"), ("mail.a-long-name.test", GOOD)])

    def test_ad_is_for_those_who_ask_for_it(self):
        """RFC 6840 section 5.8; the upstream on this host is a trusted path."""
        upstream, box = self.served(lambda asked, _: [Send(dnswire.answer(
            asked, [(None, "A", GOOD, 300)], flags=QR | RD | RA | AD))])
        for _ in range(2):
            self.assertFalse(box.ask("ad.test").flags & AD)
            self.assertTrue(box.ask("ad.test", flags=RD | AD).flags & AD)
            self.assertTrue(box.ask("ad.test", edns=dnswire.opt(dnssec_ok=True)).flags & AD)
        self.assertEqual(upstream.count(), 2)

    def test_ad_is_asked_for(self):
        """RFC 6840 sections 5.7 and 5.8: an upstream that validates says so to those who ask"""
        def handler(asked, _):
            wanted = asked.flags & AD or asked.opt is not None and asked.dnssec_ok
            return [Send(dnswire.answer(asked, [(None, "A", GOOD, 300)],
                                        flags=QR | RD | RA | (AD if wanted else 0)))]
        _, box = self.served(handler)
        self.assertFalse(box.ask("ad.test").flags & AD)
        self.assertTrue(box.ask("ad.test", flags=RD | AD).flags & AD)

    def test_records_of_a_set_have_one_ttl(self):
        """RFC 2181 section 5.2: never an RRSet with TTLs that are not all equal"""
        _, box = self.served(lambda asked, _: [Send(dnswire.answer(
            asked, [(None, "A", GOOD, 300), (None, "A", "192.0.2.8", 100)]))])
        for _ in range(2):
            ttls = [rr.ttl for rr in box.ask("set.test").answers]
            self.assertEqual(len(ttls), 2)
            self.assertEqual(len(set(ttls)), 1)
            self.assertLessEqual(ttls[0], 100)

    def test_alias_comes_before_what_it_leads_to(self):
        """RFC 1034 section 4.3.1: the answer, preceded by the aliases on the way"""
        _, box = self.served(lambda asked, _: [Send(dnswire.answer(
            asked, [("b.test", "A", GOOD, 300), ("a.test", "CNAME", "b.test", 300),
                    (None, "CNAME", "a.test", 300)]))])
        for _ in range(2):
            self.assertEqual(box.ask("www.test").texts(), ["a.test", "b.test", GOOD])

    def test_name_that_a_dname_makes_too_long(self):
        """RFC 6672 section 2.2: YXDOMAIN, with the DNAME"""
        dname = dnswire.pack_name("d.test") + struct.pack("!HHIH", 39, 1, 300, 8) + b"\1e\4test\0"
        upstream, box = self.served(lambda asked, _: [Send(dnswire.answer(asked, [dname], rcode=6))])
        reply = box.ask("x.d.test")
        self.assertEqual((reply.rcode_number, reply.texts()), (6, ["0165047465737400"]))
        self.assertEqual(upstream.count(), 1)

    def negative(self, rcode, ttl, minimum):
        return self.served(lambda asked, _: [Send(dnswire.answer(
            asked, rcode=rcode, authority=[soa("test", ttl, minimum)]))])

    def test_the_least_of_the_soas_ttl_and_its_minimum_counts(self):
        """RFC 2308 section 5."""
        for ttl, minimum, most in ((600, 60, 60), (40, 600, 40), (90000, 90000, 3600)):
            for rcode in (0, 3):
                upstream, box = self.negative(rcode, ttl, minimum)
                for _ in range(2):
                    reply = box.ask("none.test")
                    self.assertEqual(reply.rcode_number, rcode)
                    self.assertIn(reply.authority[0].ttl, (most, most - 1))
                self.assertEqual(upstream.count(), 1)
                box.daemon.stop()

    def test_no_record_of_a_type_says_nothing_of_other_types(self):
        upstream, box = self.negative(0, 600, 600)
        box.ask("none.test")
        box.ask("none.test", "AAAA")
        self.assertEqual(upstream.count(), 2)

    def test_no_name_is_no_name_for_every_type(self):
        upstream, box = self.negative(3, 600, 600)
        box.ask("none.test")
        self.assertEqual(box.ask("none.test", "AAAA").rcode, "NXDOMAIN")
        self.assertEqual(box.ask("none.test", "TXT").questions[0][1], "TXT")
        self.assertEqual(upstream.count(), 1)

    def test_without_a_soa_nothing_is_kept(self):
        upstream, box = self.served(lambda asked, _: [Send(dnswire.answer(asked, rcode=3))])
        for count in (1, 2):
            self.assertEqual(box.ask("none.test").rcode, "NXDOMAIN")
            self.assertEqual(upstream.count(), count)

    def ttl_of(self, ttl, settings):
        upstream, box = self.served(lambda asked, _: [Send(dnswire.answer(
            asked, [(None, "A", GOOD, ttl)]))], {"cache": settings})
        first = box.ask("ttl.test").answers[0].ttl
        box.ask("ttl.test")
        return first, upstream.count()

    def test_ttl_0_and_the_bounds_of_the_settings(self):
        self.assertEqual(self.ttl_of(0, {}), (0, 2))
        self.assertEqual(self.ttl_of(0, {"min_ttl_s": 30}), (30, 1))
        self.assertEqual(self.ttl_of(29, {"min_ttl_s": 30}), (30, 1))
        self.assertEqual(self.ttl_of(86401, {}), (86400, 1))
        self.assertEqual(self.ttl_of(200, {"max_ttl_s": 100}), (100, 1))
        self.assertEqual(self.ttl_of(0x80000001, {}), (0, 2))  # RFC 2181 section 8


class Groups(ServedTest):
    def test_who_asks_first_does_not_matter(self):
        for first, second in (("127.0.0.2", "127.0.0.3"), ("127.0.0.3", "127.0.0.2")):
            box = self.box(lists=[("adult-list", "adult", ["||both.test^"])])
            box.config["groups"] = [{"name": "pupils", "clients": ["127.0.0.2"], "block": ["adult"]},
                                    {"name": "rest", "clients": [], "block": []}]
            box.write_config()
            box.cli("reload")
            wait_for(lambda b=box: not b.ask("both.test", source="127.0.0.3").ede, "the groups")
            for client, tcp in itertools.product((first, second, first), (False, True)):
                reply = box.ask("both.test", source=client, tcp=tcp)
                self.assertEqual(bool(reply.ede), client == "127.0.0.2", (client, tcp))


if __name__ == "__main__":
    unittest.main()
