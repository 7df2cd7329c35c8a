# SPDX-License-Identifier: Apache-2.0
"""EDNS, cookies and extended errors as the RFCs have them: one behaviour per test."""
import os
import struct
import unittest

import dnswire
from dnswire import CD, QR, RA, RD, TC, Message
from fakeupstream import FakeUpstream, Send, address
from harness import Box
from test_rfc_queries import GOOD, Rfc, header, question

COOKIE, KEEPALIVE, PADDING, EDE = 10, 11, 12, 15


def option(code, data=b""):
    return struct.pack("!HH", code, len(data)) + data


def opt_record(size=1232, ttl=0, options=b"", owner=b"\0"):
    return owner + struct.pack("!HHIH", 41, size, ttl, len(options)) + options


def with_options(name, *options, **more):
    return dnswire.query(name, edns=dnswire.opt(options=b"".join(options)), **more)


class Edns(Rfc):
    def test_answer_has_an_opt_only_when_the_query_has(self):
        """RFC 6891 sections 6.1.1 and 7"""
        for name in ("plain.example", "blocked.example"):
            for _ in range(2):
                self.assertIsNone(self.box.ask(name, edns=None).opt)
                self.assertIsNotNone(self.box.ask(name).opt)

    def test_opt_of_an_answer_has_version_0_and_the_root_as_owner(self):
        """RFC 6891 section 6.1.2"""
        reply = self.box.ask("version.example")
        self.assertEqual((reply.version, reply.opt.name), (0, "."))

    def test_own_size_is_1232(self):
        """RFC 9715 section 3.1, DNS flag day 2020"""
        for size in (512, 1232, 4096, 65535):
            self.assertEqual(self.box.ask("size.example", edns=dnswire.opt(size)).udp_size, 1232)

    def test_later_version_is_badvers(self):
        """RFC 6891 section 6.1.3, RFC 8906 section 8.2.2"""
        for version in (1, 100, 255):
            reply = self.box.ask("version.example", edns=dnswire.opt(version=version))
            self.assert_whole(reply, "BADVERS")
            self.assertEqual(reply.version, 0)

    def test_later_version_over_tcp_is_badvers(self):
        """RFC 6891 section 6.1.3"""
        reply = self.box.ask("version.example", tcp=True, edns=dnswire.opt(version=1))
        self.assert_whole(reply, "BADVERS")

    def test_later_version_of_a_blocked_name_is_badvers(self):
        """RFC 6891 section 6.1.3"""
        self.assert_whole(self.box.ask("blocked.example", edns=dnswire.opt(version=1)), "BADVERS")

    def test_later_version_with_an_unknown_flag_is_badvers(self):
        """RFC 8906 section 8.2.5"""
        packet = header(counts=(1, 0, 0, 1)) + question() + opt_record(ttl=1 << 16 | 0x40)
        reply = self.sent(packet)
        self.assert_whole(reply, "BADVERS")
        self.assertEqual(reply.opt.ttl & 0xFFFF, 0)

    def test_later_version_with_an_unknown_option_is_badvers(self):
        """RFC 8906 section 8.2.6"""
        reply = self.box.ask("version.example", edns=dnswire.opt(version=1, options=option(100)))
        self.assert_whole(reply, "BADVERS")
        self.assertEqual(reply.options, [])

    def test_later_version_with_data_of_another_form_is_badvers(self):
        """RFC 6891 section 6.1.3: its data may look different"""
        reply = self.box.ask("version.example", edns=dnswire.opt(version=1, options=b"\xff"))
        self.assert_whole(reply, "BADVERS")

    def test_later_version_with_do_is_badvers(self):
        """RFC 8906 section 8.2.9"""
        reply = self.box.ask("version.example", edns=dnswire.opt(version=1, dnssec_ok=True))
        self.assert_whole(reply, "BADVERS")

    def test_unknown_options_are_ignored_and_not_returned(self):
        """RFC 6891 section 6.1.2, RFC 8906 section 8.2.3"""
        for code in (0, 100, 4242, 65001, 65535):
            reply = self.sent(with_options("option.example", option(code, b"data")))
            self.assertEqual((reply.texts(), reply.options), ([GOOD], []))

    def test_several_known_options_at_once_do_no_harm(self):
        """RFC 8906 section 8.2.10: NSID, EXPIRE, client subnet, cookie"""
        reply = self.sent(with_options("several.example", option(3), option(9),
                                       option(8, b"\0\1\0\0"), option(COOKIE, b"12345678")))
        self.assertEqual(reply.texts(), [GOOD])
        self.assertEqual([code for code, _ in reply.options], [COOKIE])

    def test_hundreds_of_options_do_no_harm(self):
        """RFC 6891 section 6.1.2"""
        reply = self.sent(with_options("hundreds.example", *[option(65001 + n) for n in range(250)]))
        self.assertEqual(reply.texts(), [GOOD])

    def test_unknown_flags_are_ignored_and_not_returned(self):
        """RFC 6891 section 6.1.4, RFC 8906 section 8.2.4"""
        packet = header(counts=(1, 0, 0, 1)) + question() + opt_record(ttl=0x7FFF)
        reply = self.sent(packet)
        self.assertEqual((reply.texts(), reply.opt.ttl & 0xFFFF), ([GOOD], 0))

    def test_extended_rcode_of_a_query_is_not_returned(self):
        """RFC 6891 section 6.1.3"""
        packet = header(counts=(1, 0, 0, 1)) + question() + opt_record(ttl=0xAB << 24)
        self.assertEqual(self.sent(packet).rcode, "NOERROR")

    def test_do_is_copied(self):
        """RFC 3225 section 3"""
        for name in ("do.example", "blocked.example"):
            for wanted in (True, False, True):
                reply = self.box.ask(name, edns=dnswire.opt(dnssec_ok=wanted))
                self.assertEqual(reply.dnssec_ok, wanted)

    def test_do_and_cd_reach_the_upstream(self):
        """RFC 4035 section 3.2.1, RFC 6840 section 5.9"""
        self.box.ask("dnssec.example", edns=dnswire.opt(dnssec_ok=True), flags=RD | CD)
        _, asked, _ = self.upstream.asked[-1]
        self.assertTrue(asked.dnssec_ok and asked.flags & CD)

    def test_owner_other_than_the_root_is_a_format_error(self):
        """RFC 6891 section 6.1.2: NAME MUST be 0"""
        packet = header(counts=(1, 0, 0, 1)) + question() + opt_record(owner=b"\1a\0")
        self.assert_bare(packet, "FORMERR")

    def test_two_opt_records_are_a_format_error(self):
        """RFC 6891 section 6.1.1: more than one MUST be answered with FORMERR"""
        for second in (opt_record(), opt_record(ttl=1 << 16)):
            packet = header(counts=(1, 0, 0, 2)) + question() + opt_record() + second
            self.assert_bare(packet, "FORMERR")

    def test_opt_in_the_answer_section_is_a_format_error(self):
        """RFC 6891 section 6.1.1"""
        self.assert_bare(header(counts=(1, 1, 0, 0)) + question() + opt_record(), "FORMERR")

    def test_opt_in_the_authority_section_is_a_format_error(self):
        """RFC 6891 section 6.1.1"""
        self.assert_bare(header(counts=(1, 0, 1, 0)) + question() + opt_record(), "FORMERR")

    def test_opt_may_stand_behind_other_records(self):
        """RFC 6891 section 6.1.1: anywhere in the additional section"""
        packet = (header(counts=(1, 0, 0, 2)) + question() +
                  dnswire.record("other.example", "A", "192.0.2.9") + opt_record())
        reply = self.sent(packet)
        self.assertEqual(reply.texts(), [GOOD])
        self.assertIsNotNone(reply.opt)

    def test_option_longer_than_its_record_is_a_format_error(self):
        """RFC 6891 section 6.1.2"""
        for data in (b"\xff", b"\xff\1\0", b"\xff\1\0\5abcd", b"\0\x0f\xff\xff"):
            packet = header(counts=(1, 0, 0, 1)) + question() + opt_record(options=data)
            self.assert_bare(packet, "FORMERR")

    def test_opt_longer_than_the_packet_is_a_format_error(self):
        """RFC 6891 section 6.1.2"""
        whole = dnswire.query("www.example.com", edns=opt_record(options=option(65001, b"abcd")))
        for cut in range(1, 8):
            self.assert_bare(whole[:-cut], "FORMERR")

    def test_client_subnet_goes_nowhere(self):
        """RFC 7871 section 7.1.2 leaves it to us"""
        reply = self.sent(with_options("subnet.example", option(8, b"\0\1\x18\0\xc0\0\2")))
        self.assertEqual((reply.texts(), reply.options), ([GOOD], []))
        self.assertEqual([code for code, _ in self.upstream.asked[-1][1].options], [10])  # our cookie


class Sizes(Rfc):
    @classmethod
    def handler(cls, asked, transport):
        count = int(asked.questions[0][0].lower().split(".")[0].lstrip("n"))
        records = [(None, "A", f"192.0.2.{n}", 300) for n in range(count)]
        packet = dnswire.answer(asked, records)
        if transport == "udp" and len(packet) > 1232:
            packet = dnswire.answer(asked, flags=QR | RD | RA | TC)
        return [Send(packet)]

    def assert_cut(self, reply, limit):
        self.assertLessEqual(len(reply.raw), limit)
        self.assertTrue(reply.truncated)
        self.assertEqual((len(reply.questions), reply.answers, reply.trailing), (1, [], 0))

    def test_512_octets_without_edns(self):
        """RFC 1035 section 4.2.1, RFC 2181 section 9"""
        self.assertFalse(self.box.ask("n20.example", edns=None).truncated)
        self.assert_cut(self.box.ask("n40.example", edns=None), 512)
        self.assertIsNone(self.box.ask("n40.example", edns=None).opt)

    def test_sizes_below_512_count_as_512(self):
        """RFC 6891 section 6.2.3"""
        for size in (0, 1, 100, 511, 512):
            self.assertEqual(len(self.box.ask("n20.example", edns=dnswire.opt(size)).answers), 20)
            self.assert_cut(self.box.ask("n40.example", edns=dnswire.opt(size)), 512)

    def test_size_of_the_client_is_kept_to(self):
        """RFC 6891 section 6.2.3"""
        whole = self.box.ask("n30.example", edns=dnswire.opt(1232))
        self.assertEqual(len(whole.answers), 30)
        for size in (len(whole.raw), len(whole.raw) - 1):
            reply = self.box.ask("n30.example", edns=dnswire.opt(size))
            self.assertEqual(reply.truncated, size < len(whole.raw))
            self.assertLessEqual(len(reply.raw), size)

    def test_never_more_than_1232_octets(self):
        """RFC 9715 section 3.1"""
        self.assert_cut(self.box.ask("n200.example", edns=dnswire.opt(65535)), 1232)

    def test_cut_answers_keep_opt_and_do(self):
        """RFC 6891 section 7, RFC 8906 section 8.2.7"""
        reply = self.box.ask("n200.example", edns=dnswire.opt(512, dnssec_ok=True))
        self.assert_cut(reply, 512)
        self.assertTrue(reply.dnssec_ok)

    def test_whole_answer_comes_over_tcp(self):
        """RFC 7766 section 5"""
        reply = self.box.ask("n200.example", tcp=True)
        self.assertEqual((len(reply.answers), reply.truncated), (200, False))


class ExtendedErrors(Rfc):
    def test_blocked_names_say_why(self):
        """RFC 8914 section 4.18"""
        (code, text), = self.box.ask("blocked.example").ede
        self.assertEqual(code, 17)
        self.assertRegex(text, "^adult list ")

    def test_none_without_edns(self):
        """RFC 8914 section 3"""
        self.assertIsNone(self.box.ask("blocked.example", edns=None).opt)

    def test_none_with_good_answers(self):
        self.assertEqual(self.box.ask("fine.example").ede, [])

    def test_empty_option_in_a_query_is_understood(self):
        """draft-ietf-dnsop-structured-dns-error section 4: the client asks for extended errors"""
        for name, expected in (("fine.example", []), ("blocked.example", [17])):
            reply = self.sent(with_options(name, option(EDE)))
            self.assertEqual([code for code, _ in reply.ede], expected)

    def test_option_with_content_in_a_query_is_ignored(self):
        """RFC 8914 section 3"""
        reply = self.sent(with_options("fine.example", option(EDE, b"\0\x11text")))
        self.assertEqual((reply.texts(), reply.ede), ([GOOD], []))

    def test_text_is_utf8_without_a_nul(self):
        """RFC 8914 section 2"""
        (_, text), = self.box.ask("blocked.example").ede
        self.assertFalse(text.endswith("\0"))


class Cookies(Rfc):
    def cookie(self, sent, name="cookie.example", **more):
        reply = self.sent(with_options(name, option(COOKIE, sent)), **more)
        return reply, dict(reply.options).get(COOKIE)

    def test_client_cookie_gets_a_server_cookie(self):
        """RFC 7873 section 5.2.3, RFC 9018 section 4: client's 8 octets, version 1, reserved 0"""
        for name in ("cookie.example", "blocked.example"):
            for tcp in (False, True):
                reply, cookie = self.cookie(b"12345678", name, tcp=tcp)
                self.assertEqual((reply.rcode, len(cookie)), ("NOERROR", 24))
                self.assertEqual(cookie[:12], b"12345678\1\0\0\0")

    def test_server_cookie_is_accepted(self):
        """RFC 7873 section 5.2.5"""
        _, cookie = self.cookie(b"12345678")
        reply, again = self.cookie(cookie)
        self.assertEqual((reply.texts(), again[:12]), ([GOOD], cookie[:12]))

    def test_wrong_server_cookie_gets_an_answer_and_a_right_one(self):
        """RFC 7873 section 5.2.4"""
        reply, cookie = self.cookie(b"12345678" + b"x" * 16)
        self.assertEqual((reply.texts(), len(cookie)), ([GOOD], 24))
        self.assertNotEqual(cookie[8:], b"x" * 16)

    def test_server_cookies_of_every_length_are_understood(self):
        """RFC 7873 section 4: 8 to 32 octets"""
        for length in (8, 15, 16, 17, 32):
            reply, cookie = self.cookie(b"12345678" + b"s" * length)
            self.assertEqual((reply.texts(), len(cookie)), ([GOOD], 24))

    def test_malformed_cookies_are_format_errors(self):
        """RFC 7873 section 5.2.2; with an OPT (RFC 6891 section 6.1.1), since without one FORMERR
        would say that we know no EDNS (section 7)"""
        for length in (0, 1, 7, 9, 15, 41, 100):
            for tcp in (False, True):
                reply = self.sent(with_options("cookie.example", option(COOKIE, b"c" * length)), tcp=tcp)
                self.assert_whole(reply, "FORMERR")
                self.assertEqual((reply.opt is None, reply.options), (False, []))

    def test_first_cookie_counts(self):
        """RFC 7873 section 5.2"""
        reply = self.sent(with_options("cookie.example", option(COOKIE, b"first..."),
                                       option(COOKIE, b"short")))
        self.assertEqual([data[:8] for code, data in reply.options if code == COOKIE], [b"first..."])

    def test_no_cookie_without_a_cookie(self):
        """RFC 7873 section 5.2.1"""
        self.assertEqual(self.box.ask("cookie.example").options, [])

    def test_cookie_may_be_asked_for_without_a_question(self):
        """RFC 7873 section 5.4"""
        packet = header(counts=(0, 0, 0, 1)) + opt_record(options=option(COOKIE, b"12345678"))
        reply = self.sent(packet)
        self.assertEqual((reply.rcode, reply.questions, reply.trailing), ("NOERROR", [], 0))
        self.assertEqual(len(dict(reply.options)[COOKIE]), 24)

    def test_cookies_of_different_clients_differ(self):
        """RFC 9018 section 4.4"""
        packet = with_options("cookie.example", option(COOKIE, b"12345678"))
        cookies = [dict(self.sent(packet, source=source).options)[COOKIE]
                   for source in ("127.0.0.1", "127.0.0.2")]
        self.assertNotEqual(cookies[0][16:], cookies[1][16:])

    def test_answers_that_waited_have_the_cookie_too(self):
        """RFC 7873 section 5.2.5"""
        _, cookie = self.cookie(b"abcdefgh", f"fresh{os.getpid()}.example")
        self.assertEqual(cookie[:8], b"abcdefgh")

    def test_cookies_go_nowhere(self):
        """RFC 7873 section 5.1: a client cookie is for one server"""
        self.cookie(b"12345678", "hop.example")
        for _, asked, _ in self.upstream.asked[-1:]:
            self.assertNotIn(b"12345678", [data[:8] for _, data in asked.options])


class Transport(Rfc):
    def test_keepalive_is_not_answered_over_udp(self):
        """RFC 7828 section 3.2.2"""
        reply = self.sent(with_options("keep.example", option(KEEPALIVE)))
        self.assertEqual((reply.texts(), reply.options), ([GOOD], []))

    def test_keepalive_tells_the_idle_time_over_tcp(self):
        """RFC 7828 section 3.3.2"""
        for name in ("keep.example", "blocked.example"):
            reply = self.sent(with_options(name, option(KEEPALIVE)), tcp=True)
            self.assertEqual(dict(reply.options)[KEEPALIVE], struct.pack("!H", 100))

    def test_padding_is_not_returned_in_the_clear(self):
        """RFC 7830 section 6"""
        for tcp in (False, True):
            reply = self.sent(with_options("pad.example", option(PADDING, bytes(100))), tcp=tcp)
            self.assertEqual((reply.texts(), reply.options), ([GOOD], []))

    def test_padded_queries_may_be_long(self):
        """RFC 7830 section 3"""
        for length in (1000, 3000):
            reply = self.sent(with_options("pad.example", option(PADDING, bytes(length))))
            self.assertEqual(reply.texts(), [GOOD])
        for length in (3000, 65000):
            reply = self.sent(with_options("pad.example", option(PADDING, bytes(length))), tcp=True)
            self.assertEqual(reply.texts(), [GOOD])


if __name__ == "__main__":
    unittest.main()
