# SPDX-License-Identifier: Apache-2.0
"""What the RFCs ask of whoever answers queries: one behaviour per test, with its section."""
import struct
import unittest

import dnswire
from dnswire import AA, AD, CD, QR, RA, RD, TC, Message
from fakeupstream import FakeUpstream, Send, address
from harness import Box

GOOD = "192.0.2.1"
Z = 0x0040


def header(flags=RD, counts=(1, 0, 0, 0), number=0x5A17):
    return struct.pack("!6H", number, flags, *counts)


def question(name="www.example.com", kind=1, qclass=1):
    return dnswire.pack_name(name) + struct.pack("!HH", kind, qclass)


class Rfc(unittest.TestCase):
    """One box that blocks blocked.example, and an upstream that counts what it is asked."""
    config = {}

    @classmethod
    def handler(cls, asked, _):
        name, kind, _qclass = asked.questions[0]
        if name.lower().startswith("nodata"):
            return [Send(dnswire.answer(asked, authority=[dnswire.record("example.com", "SOA", 60)]))]
        if kind == "A":
            return address()(asked, None)
        return [Send(dnswire.answer(asked, [dnswire.pack_name(name) + struct.pack(
            "!HHIH", dnswire.TYPES.get(kind) or int(kind), 1, 300, 4) + b"\3\2\1\0"]))]

    @classmethod
    def setUpClass(cls):
        cls.upstream = cls.enterClassContext(FakeUpstream(cls.handler))
        cls.box = cls.enterClassContext(Box(cls.config, [cls.upstream.url],
                                            [("list", "adult", ["||blocked.example^"])]))

    def setUp(self):
        self.before = self.upstream.count()

    def sent(self, packet, **more):
        reply = self.box.send(packet, **more)
        self.assertIsNotNone(reply, "an answer")
        self.assertEqual(reply[:2], packet[:2], "the id")
        return Message(reply)

    def assert_nothing_went_upstream(self):
        self.assertEqual(self.upstream.count(), self.before)

    def assert_bare(self, packet, rcode, **more):
        """Twelve octets that reflect nothing of the query but its id, opcode and RD."""
        reply = self.sent(packet, **more)
        self.assertEqual((len(reply.raw), reply.rcode), (12, rcode))
        self.assertTrue(reply.flags & QR)
        self.assertEqual(reply.raw[4:], bytes(8))
        self.assert_nothing_went_upstream()

    def assert_whole(self, reply, rcode, **more):
        """The question comes back, nothing else."""
        self.assertEqual(reply.rcode, rcode)
        self.assertEqual((len(reply.questions), reply.answers, reply.trailing), (1, [], 0))
        self.assert_nothing_went_upstream()


class Counts(Rfc):
    def test_no_question_is_a_format_error(self):
        """RFC 9619 section 4"""
        self.assert_bare(header(counts=(0, 0, 0, 0)), "FORMERR")

    def test_no_question_over_tcp_is_a_format_error(self):
        """RFC 9619 section 4"""
        self.assert_bare(header(counts=(0, 0, 0, 0)), "FORMERR", tcp=True)

    def test_two_questions_are_a_format_error(self):
        """RFC 9619 section 4: a server MUST return FORMERR"""
        self.assert_bare(header(counts=(2, 0, 0, 0)) + question() + question("b.example"), "FORMERR")

    def test_two_equal_questions_are_a_format_error(self):
        """RFC 9619 section 4"""
        self.assert_bare(header(counts=(2, 0, 0, 0)) + question() * 2, "FORMERR")

    def test_many_questions_that_are_not_there_are_a_format_error(self):
        """RFC 9619 section 4"""
        self.assert_bare(header(counts=(65535, 0, 0, 0)) + question(), "FORMERR")

    def test_question_that_is_not_there_is_a_format_error(self):
        """RFC 1035 section 4.1.1"""
        self.assert_bare(header(), "FORMERR")

    def test_answer_in_a_query_is_a_format_error(self):
        """RFC 1035 section 4.1"""
        self.assert_bare(header(counts=(1, 1, 0, 0)) + question() +
                         dnswire.record("www.example.com", "A", "192.0.2.9"), "FORMERR")

    def test_authority_in_a_query_is_a_format_error(self):
        """RFC 1035 section 4.1"""
        self.assert_bare(header(counts=(1, 0, 1, 0)) + question() +
                         dnswire.record("example.com", "NS", "ns.example.com"), "FORMERR")

    def test_additional_record_that_is_not_there_is_a_format_error(self):
        """RFC 1035 section 4.1.1"""
        self.assert_bare(header(counts=(1, 0, 0, 1)) + question(), "FORMERR")

    def test_octets_behind_the_end_are_a_format_error(self):
        """RFC 1035 section 4.1"""
        self.assert_bare(header() + question() + b"\0", "FORMERR")

    def test_octets_behind_the_opt_record_are_a_format_error(self):
        """RFC 1035 section 4.1"""
        self.assert_bare(dnswire.query("www.example.com") + b"garbage", "FORMERR")


class Headers(Rfc):
    def test_empty_packet_is_not_answered_and_does_no_harm(self):
        """RFC 1035 section 4.1.1"""
        self.assertIsNone(self.box.send(b"", timeout=0.3))
        self.assertEqual(self.box.ask("after.example").rcode, "NOERROR")

    def test_less_than_a_header_is_not_answered(self):
        """RFC 1035 section 4.1.1"""
        for length in (1, 2, 11):
            self.assertIsNone(self.box.send(header()[:length], timeout=0.2))

    def test_responses_are_never_answered(self):
        """RFC 1035 section 7.3, RFC 5625 section 4.4: no endless exchange of errors"""
        for flags in (QR, QR | RD, QR | 1, QR | 4 << 11):
            self.assertIsNone(self.box.send(header(flags) + question(), timeout=0.2))
        self.assert_nothing_went_upstream()

    def test_malformed_responses_are_never_answered(self):
        """RFC 1035 section 7.3"""
        self.assertIsNone(self.box.send(header(QR, (0, 0, 0, 0)), timeout=0.2))

    def test_id_zero_is_as_good_as_any(self):
        """RFC 1035 section 4.1.1"""
        self.assertEqual(self.box.ask("zero.example", id=0).texts(), [GOOD])

    def test_every_other_opcode_is_not_implemented(self):
        """RFC 1035 section 4.1.1, RFC 8906 section 3.1.3"""
        for opcode in range(1, 16):
            with self.subTest(opcode):
                packet = header(opcode << 11) + question()
                self.assert_bare(packet, "NOTIMP")
                self.assertEqual(Message(self.box.send(packet)).flags >> 11 & 15, opcode)

    def test_other_opcodes_with_an_opt_have_one_in_the_reply(self):
        """RFC 6891 section 6.1.1"""
        update = (header(5 << 11, (1, 0, 1, 1)) + question("example.com", 6) +
                  dnswire.record("www.example.com", "A", GOOD) + dnswire.opt(dnssec_ok=True))
        for packet in (dnswire.query("www.example.com", opcode=2), update):
            for tcp in (False, True):
                reply = self.sent(packet, tcp=tcp)
                self.assertEqual((reply.rcode, reply.questions, len(reply.raw)), ("NOTIMP", [], 12 + 11))
                self.assertEqual((reply.version, reply.udp_size), (0, 1232))
        self.assert_nothing_went_upstream()

    def test_unknown_opcode_without_a_question_is_not_implemented(self):
        """RFC 8906 section 8.1.4: header only, opcode 15, RD clear"""
        reply = self.sent(header(15 << 11, (0, 0, 0, 0)))
        self.assertEqual(reply.rcode, "NOTIMP")
        self.assertEqual(reply.flags & (RD | AA | AD | Z), 0)

    def test_update_is_not_implemented_whatever_its_sections(self):
        """RFC 2136 section 3.1"""
        self.assert_bare(header(5 << 11, (1, 0, 1, 0)) + question("example.com", 6) +
                         dnswire.record("www.example.com", "A", GOOD), "NOTIMP")

    def test_reserved_flag_is_ignored_and_not_returned(self):
        """RFC 8906 section 8.1.3.1, RFC 1035 section 4.1.1: Z MUST be zero"""
        reply = self.box.ask("z.example", flags=RD | Z)
        self.assertEqual((reply.texts(), reply.flags & Z), ([GOOD], 0))

    def test_flags_that_only_answers_have_change_nothing(self):
        """RFC 1035 section 4.1.1"""
        reply = self.box.ask("flags.example", flags=RD | AA | TC | RA)
        self.assertEqual((reply.texts(), reply.flags & (AA | TC)), ([GOOD], 0))

    def test_rcode_in_a_query_is_ignored(self):
        """RFC 1035 section 4.1.1"""
        self.assertEqual(self.box.ask("rcode.example", flags=RD | 5).texts(), [GOOD])

    def test_recursion_desired_is_copied(self):
        """RFC 1035 section 4.1.1"""
        self.assertTrue(self.box.ask("rd.example").flags & RD)
        self.assertFalse(self.box.ask("rd.example", flags=0).flags & RD)

    def test_recursion_is_available(self):
        """RFC 1035 section 4.1.1"""
        for name in ("ra.example", "blocked.example"):
            self.assertTrue(self.box.ask(name).flags & RA)

    def test_answers_are_not_authoritative(self):
        """RFC 1034 section 4.3.1"""
        for _ in range(2):
            self.assertFalse(self.box.ask("aa.example").flags & AA)

    def test_recursion_not_desired_asks_nobody(self):
        """RFC 1034 section 4.3.1, RFC 8914 section 4.21"""
        reply = self.box.ask("unknown.example", flags=0)
        self.assert_whole(reply, "REFUSED")
        self.assertEqual(reply.ede[0][0], 20)

    def test_recursion_not_desired_is_answered_from_the_cache(self):
        """RFC 1034 section 4.3.1: from what is known here"""
        self.box.ask("known.example")
        self.assertEqual(self.box.ask("known.example", flags=0).texts(), [GOOD])

    def test_recursion_not_desired_changes_no_verdict(self):
        self.assertEqual(self.box.ask("blocked.example", flags=0).ede[0][0], 17)

    def test_checking_disabled_is_copied(self):
        """RFC 4035 section 3.2.2"""
        for name in ("cd.example", "blocked.example"):
            self.assertTrue(self.box.ask(name, flags=RD | CD).flags & CD)
            self.assertFalse(self.box.ask(name).flags & CD)

    def test_authentic_data_is_not_claimed_for_what_nobody_validated(self):
        """RFC 6840 section 5.8"""
        for flags in (RD, RD | AD):
            self.assertFalse(self.box.ask("ad.example", flags=flags).flags & AD)

    def test_blocked_answers_are_never_authentic(self):
        """RFC 4035 section 3.2.3"""
        self.assertFalse(self.box.ask("blocked.example", flags=RD | AD).flags & AD)


class Names(Rfc):
    def test_case_of_the_question_comes_back(self):
        """RFC 1035 section 2.3.3, draft-vixie-dnsext-dns0x20"""
        for name in ("CaSe.ExAmPlE", "BlOcKeD.eXaMpLe"):
            for _ in range(2):
                self.assertEqual(self.box.ask(name).questions[0][0], name)

    def test_answers_are_shared_whatever_the_case(self):
        """RFC 4343 section 3"""
        self.box.ask("shared.example")
        self.assertEqual(self.box.ask("SHARED.example").texts(), [GOOD])
        self.assertEqual(self.upstream.count("shared.example"), 1)

    def test_name_of_255_octets_is_answered(self):
        """RFC 1035 section 2.3.4"""
        name = b"\x3f" + b"a" * 63 + b"\x3f" + b"b" * 63 + b"\x3f" + b"c" * 63 + b"\x3d" + b"d" * 61 + b"\0"
        self.assertEqual(len(name), 255)
        self.assertEqual(self.sent(dnswire.query(name)).texts(), [GOOD])

    def test_name_of_127_labels_is_answered(self):
        """RFC 1035 section 2.3.4"""
        self.assertEqual(self.sent(dnswire.query(b"\1x" * 127 + b"\0")).texts(), [GOOD])

    def test_name_of_256_octets_is_a_format_error(self):
        """RFC 1035 section 2.3.4"""
        name = b"\x3f" + b"a" * 63 + b"\x3f" + b"b" * 63 + b"\x3f" + b"c" * 63 + b"\x3e" + b"d" * 62 + b"\0"
        self.assert_bare(dnswire.query(name), "FORMERR")

    def test_label_types_that_do_not_exist_are_a_format_error(self):
        """RFC 6891 section 5, RFC 1035 section 4.1.4"""
        for octet in (0x40, 0x41, 0x80, 0xBF):
            self.assert_bare(dnswire.query(bytes([octet]) + b"a" * 64 + b"\0"), "FORMERR")

    def test_compressed_question_is_a_format_error(self):
        """RFC 1035 section 4.1.4: there is nothing before it to point at"""
        for name in (b"\xc0\x0c", b"\x03www\xc0\x0c", b"\xc0\x00", b"\xc0\xff", b"\x03www\xc0\x10"):
            self.assert_bare(dnswire.query(name), "FORMERR")

    def test_every_octet_may_stand_in_a_label(self):
        """RFC 2181 section 11"""
        name = b"\x05\x00\x20\x5c\x22\xff\x07example\0"
        reply = self.sent(dnswire.query(name))
        self.assertEqual(reply.texts(), [GOOD])
        self.assertEqual(reply.raw[12:12 + len(name)], name)

    def test_root_may_be_asked_for(self):
        """RFC 1034 section 3.1"""
        self.assertEqual([rr.name for rr in self.box.ask(".", "TXT").answers], ["."])

    def test_cut_names_are_format_errors(self):
        """RFC 1035 section 4.1.2"""
        whole = header() + question()
        for length in range(13, len(whole)):
            self.assert_bare(whole[:length], "FORMERR")


class Types(Rfc):
    def test_unknown_types_pass(self):
        """RFC 3597 section 3"""
        for kind in (65280, 65534, 300, 127, 99):
            with self.subTest(kind):
                reply = self.box.ask("types.example", kind)
                self.assertEqual([rr.rdata for rr in reply.answers], [b"\3\2\1\0"])

    def test_type_zero_is_an_error_and_not_passed_on(self):
        """RFC 6895 section 3.1"""
        self.assert_whole(self.box.ask("type0.example", 0), "FORMERR")

    def test_opt_cannot_be_asked_for(self):
        """RFC 6891 section 6.1.1"""
        self.assert_whole(self.box.ask("opt.example", 41), "FORMERR")

    def test_meta_types_are_errors_and_not_passed_on(self):
        """RFC 6895 section 3.1, RFC 9824 section 3.4: NXNAME, TKEY, TSIG and those without a meaning"""
        for kind in (128, 200, 248, 249, 250):
            with self.subTest(kind):
                reply = self.box.ask("meta.example", kind)
                self.assert_whole(reply, "FORMERR")
                self.assertEqual(reply.ede[0][0], 30)

    def test_mailb_and_maila_are_obsolete(self):
        """RFC 1035 section 3.2.3, RFC 6895 section 3.1"""
        for kind in (253, 254):
            self.assert_whole(self.box.ask("mail.example", kind), "FORMERR")

    def test_errors_about_types_have_an_opt_only_when_the_query_has(self):
        """RFC 6891 section 6.1.1"""
        self.assertIsNotNone(self.box.ask("meta.example", 200).opt)
        self.assertIsNone(self.box.ask("meta.example", 200, edns=None).opt)

    def test_zone_transfers_are_refused(self):
        """RFC 5936 section 2.2"""
        for tcp in (False, True):
            self.assert_whole(self.box.ask("example.com", 252, tcp=tcp), "REFUSED")

    def test_incremental_zone_transfers_are_refused(self):
        """RFC 1995 section 2"""
        packet = (header(counts=(1, 0, 1, 1)) + question("example.com", 251) +
                  dnswire.record("example.com", "SOA", 60) + dnswire.opt())
        for tcp in (False, True):
            reply = self.sent(packet, tcp=tcp)
            self.assert_whole(reply, "REFUSED")
            self.assertIsNotNone(reply.opt)

    def test_any_gets_one_small_record_and_asks_nobody(self):
        """RFC 8482 section 4.2"""
        for tcp in (False, True):
            reply = self.box.ask("any.example", "ANY", tcp=tcp)
            self.assertEqual(reply.rcode, "NOERROR")
            self.assertEqual([(rr.type, rr.rdata) for rr in reply.answers], [("13", b"\7RFC8482\0")])
        self.assert_nothing_went_upstream()

    def test_any_of_a_blocked_name_is_blocked(self):
        self.assertEqual(self.box.ask("blocked.example", "ANY").ede[0][0], 17)

    def test_every_type_of_a_blocked_name_is_answered_here(self):
        for kind in (1, 2, 5, 6, 15, 16, 28, 33, 35, 43, 48, 64, 65, 255, 65280):
            with self.subTest(kind):
                self.assertEqual(self.box.ask("blocked.example", kind).ede[0][0], 17)
        self.assert_nothing_went_upstream()

    def test_no_data_has_the_soa_of_the_zone(self):
        """RFC 2308 section 2.2"""
        reply = self.box.ask("nodata.example.com", "A")
        self.assertEqual((reply.rcode, reply.answers), ("NOERROR", []))
        self.assertEqual([(rr.name, rr.type) for rr in reply.authority], [("example.com", "SOA")])

    def test_negative_answers_of_our_own_have_a_soa(self):
        """RFC 2308 section 3"""
        reply = self.box.ask("blocked.example", "MX")
        self.assertEqual([rr.type for rr in reply.authority], ["SOA"])
        self.assertEqual(struct.unpack("!I", reply.authority[0].rdata[-4:])[0], 10)


class Classes(Rfc):
    def test_other_classes_are_refused(self):
        """RFC 1035 section 3.2.4: CHAOS, HESIOD, NONE, ANY and what has no meaning"""
        for qclass in (0, 2, 3, 4, 254, 255, 65535):
            for name in ("class.example", "blocked.example"):
                with self.subTest(qclass=qclass, name=name):
                    self.assert_whole(self.box.ask(name, qclass=qclass), "REFUSED")

    def test_version_is_not_told(self):
        """RFC 4892 section 3"""
        for name in ("version.bind", "id.server", "hostname.bind", "version.server"):
            self.assert_whole(self.box.ask(name, "TXT", qclass=3), "REFUSED")


if __name__ == "__main__":
    unittest.main()
