# SPDX-License-Identifier: Apache-2.0
"""What is blocked for whom, what a blocked name is answered, and that `check` says the same."""
import unittest

from fakeupstream import FakeUpstream, Send
from harness import HAVE_IPV6, ServedTest, wait_for
import dnswire

ADULT = ["0.0.0.0 adult.example", "0.0.0.0 www.twin.example"]
GAMBLING = ["||bets.example^", "||casino.example^", "@@||fair.casino.example^"]
LISTS = [("adult-list", "adult", ADULT), ("bet-list", "gambling", GAMBLING)]
GROUPS = [
    {"name": "staff", "clients": ["127.0.0.2/32"], "block": ["adult"]},
    {"name": "pupils", "clients": ["127.0.0.16/28", "::1/128"], "block": ["adult", "gambling"]},
    {"name": "others", "clients": [], "block": []},
]
STAFF, PUPIL, OTHER = "127.0.0.2", "127.0.0.17", "127.0.0.99"
UPSTREAM = ["192.0.2.10"]


class Groups(ServedTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        from harness import Box
        cls.one = cls.enterClassContext(Box(upstream=[cls.nsd.url], lists=LISTS,
                                            config={"groups": GROUPS, "block": {"mode": "nxdomain"}}))

    def rcode(self, name, source, **more):
        return self.one.ask(name, source=source, **more).rcode

    def test_groups_by_subnet(self):
        rows = [
            ("adult.example", STAFF, "NXDOMAIN"), ("adult.example", PUPIL, "NXDOMAIN"),
            ("adult.example", OTHER, "NOERROR"), ("bets.example", STAFF, "NOERROR"),
            ("bets.example", PUPIL, "NXDOMAIN"), ("deep.down.bets.example", PUPIL, "NXDOMAIN"),
            ("sub.adult.example", PUPIL, "NOERROR"), ("twin.example", PUPIL, "NOERROR"),
            ("www.twin.example", PUPIL, "NXDOMAIN"), ("fair.casino.example", PUPIL, "NOERROR"),
            ("unfair.casino.example", PUPIL, "NXDOMAIN"), ("example", PUPIL, "NOERROR"),
            ("xadult.example", PUPIL, "NOERROR"), ("ADULT.eXample", PUPIL, "NXDOMAIN"),
        ]
        for tcp in (False, True):
            for name, source, rcode in rows:
                with self.subTest(name=name, source=source, tcp=tcp):
                    self.assertEqual(self.rcode(name, source, tcp=tcp), rcode)

    def test_order_of_asking_does_not_matter(self):
        for first, second in ((STAFF, PUPIL), (PUPIL, STAFF)):
            self.assertEqual(self.rcode("casino.example", first),
                             "NOERROR" if first == STAFF else "NXDOMAIN")
            self.assertEqual(self.rcode("casino.example", second),
                             "NOERROR" if second == STAFF else "NXDOMAIN")

    @unittest.skipUnless(HAVE_IPV6, "no IPv6 here")
    def test_ipv6_clients_have_groups(self):
        self.assertEqual(self.one.ask("bets.example", v6=True).rcode, "NXDOMAIN")

    def test_flags_and_options_do_not_change_the_verdict(self):
        for more in ({"flags": 0}, {"flags": dnswire.RD | dnswire.CD}, {"edns": None},
                     {"edns": dnswire.opt(dnssec_ok=True)}):
            self.assertEqual(self.rcode("bets.example", PUPIL, **more), "NXDOMAIN")

    def test_every_type_is_blocked(self):
        for kind in ("A", "AAAA", "HTTPS", "SVCB", "TXT", "MX", "NS", "SRV", "ANY", "CNAME", 999):
            with self.subTest(kind):
                self.assertEqual(self.rcode("bets.example", PUPIL, kind=kind), "NXDOMAIN")

    def test_extended_error_names_category_and_list(self):
        reply = self.one.ask("bets.example", source=PUPIL)
        code, text = reply.ede[0]
        self.assertEqual(code, 17)
        self.assertIn("gambling", text)
        self.assertIn("bet-list", text)

    def test_check_says_the_same_with_and_without_the_daemon(self):
        rows = [
            ("adult.example", STAFF, True, "staff", "list", "adult-list", "adult"),
            ("bets.example", STAFF, False, "staff", "category-not-blocked", "", ""),
            ("deep.bets.example", PUPIL, True, "pupils", "list", "bet-list", "gambling"),
            ("fair.casino.example", PUPIL, False, "pupils", "list-exception", "", ""),
            ("free.example", OTHER, False, "others", "not-listed", "", ""),
        ]
        answers = [self.check_rows(rows)]
        self.one.daemon.stop()
        try:
            answers.append(self.check_rows(rows))
        finally:
            self.one.start()
        self.assertEqual(*answers)

    def check_rows(self, rows):
        answers = []
        for name, client, blocked, group, reason, source, category in rows:
            with self.subTest(name=name, client=client):
                why = self.one.json("check", name, "--client", client)
                self.assertEqual((why["blocked"], why["group"], why["reason"]),
                                 (blocked, group, reason))
                if blocked:
                    self.assertEqual((why["list"], why["category"]), (source, category))
                quiet = self.one.cli("check", name, "--client", client, "--quiet")
                self.assertEqual((quiet.returncode, quiet.stdout), (10 if blocked else 0, ""))
                answers.append({key: why[key] for key in ("blocked", "group", "reason", "entry",
                                                          "list", "category", "ref", "listed")})
        return answers


class Rules(ServedTest):
    def setUp(self):
        self.one = self.box(lists=LISTS, config={"groups": GROUPS, "block": {"mode": "nxdomain"}})

    def cli(self, *arguments):
        done = self.one.cli(*arguments)
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stdout} {done.stderr}")

    def assert_rcodes(self, rows):
        for name, source, rcode in rows:
            with self.subTest(name=name, source=source):
                self.assertEqual(self.one.ask(name, source=source).rcode, rcode)

    def test_precedence(self):
        self.cli("allow", "school.example")
        self.cli("block", "games.school.example")
        self.cli("allow", "bets.example")
        self.cli("block", "news.example", "--group", "pupils")
        self.cli("allow", "adult.example", "--group", "staff")
        self.cli("block", "both.example")
        self.cli("allow", "both.example", "--group", "staff")
        self.cli("block", "alone.example", "--exact")
        self.assert_rcodes([
            ("school.example", PUPIL, "NOERROR"), ("games.school.example", PUPIL, "NXDOMAIN"),
            ("deep.games.school.example", PUPIL, "NXDOMAIN"), ("x.school.example", PUPIL, "NOERROR"),
            ("bets.example", PUPIL, "NOERROR"), ("www.bets.example", PUPIL, "NOERROR"),
            ("news.example", PUPIL, "NXDOMAIN"), ("news.example", STAFF, "NOERROR"),
            ("adult.example", STAFF, "NOERROR"), ("adult.example", PUPIL, "NXDOMAIN"),
            ("both.example", STAFF, "NOERROR"), ("both.example", OTHER, "NXDOMAIN"),
            ("alone.example", OTHER, "NXDOMAIN"), ("x.alone.example", OTHER, "NOERROR"),
        ])
        reply = self.one.ask("news.example", source=PUPIL)
        self.assertEqual(reply.ede[0][0], 15)
        why = self.one.json("check", "news.example", "--client", PUPIL)
        self.assertEqual((why["reason"], why["blocked"]), ("block-rule", True))

    def test_rule_takes_force_at_once_and_on_cached_names(self):
        self.assert_rcodes([("cached.example", OTHER, "NOERROR")])
        self.cli("block", "cached.example")
        self.assert_rcodes([("cached.example", OTHER, "NXDOMAIN")])
        self.cli("allow", "cached.example")
        self.assert_rcodes([("cached.example", OTHER, "NOERROR")])

    def test_rule_survives_a_restart_and_runs_out(self):
        self.cli("block", "kept.example")
        self.cli("block", "brief.example", "--for", "2s")
        self.assert_rcodes([("brief.example", OTHER, "NXDOMAIN")])
        self.one.daemon.stop()
        self.one.start()
        self.assert_rcodes([("kept.example", OTHER, "NXDOMAIN")])
        wait_for(lambda: self.one.ask("brief.example").rcode == "NOERROR", "the rule's end", 70)

    def test_public_suffix_is_refused(self):
        self.assertNotEqual(self.one.cli("block", "com").returncode, 0)
        self.assert_rcodes([("www.something.com", OTHER, "NOERROR")])

    def test_rules_need_the_daemon(self):
        self.one.daemon.stop()
        self.assertEqual(self.one.cli("block", "late.example").returncode, 3)

    def test_unknown_group_is_a_usage_error(self):
        self.assertIn(self.one.cli("block", "x.example", "--group", "nobody").returncode, (1, 2))

    def test_never_block_beats_lists(self):
        self.one.config["lists"]["never_block"] = ["bets.example"]
        self.one.write_config()
        self.cli("reload")
        self.assert_rcodes([("bets.example", PUPIL, "NOERROR"), ("x.bets.example", PUPIL, "NOERROR"),
                            ("casino.example", PUPIL, "NXDOMAIN")])
        self.assertEqual(self.one.json("check", "bets.example", "--client", PUPIL)["reason"],
                         "protected")


class Modes(ServedTest):
    def blocked(self, mode, **more):
        box = self.box(lists=LISTS, config={"groups": GROUPS, "block": {"mode": mode, "ttl_s": 17,
                                                                        **more}})
        return lambda kind: box.ask("bets.example", kind, source=PUPIL)

    def assert_soa(self, reply):
        self.assertEqual([(rr.type, rr.ttl) for rr in reply.authority], [("SOA", 17)])

    def assert_nodata(self, reply):
        self.assertEqual((reply.rcode, reply.answers), ("NOERROR", []))
        self.assert_soa(reply)

    def test_page(self):
        ask = self.blocked("page", page_ipv4="192.0.2.80", page_ipv6="2001:db8::80")
        for kind, text in (("A", "192.0.2.80"), ("AAAA", "2001:db8::80")):
            reply = ask(kind)
            self.assertEqual((reply.texts(), reply.answers[0].ttl), ([text], 17))
        for kind in ("HTTPS", "SVCB", "TXT", "MX"):
            self.assert_nodata(ask(kind))

    def test_page_without_an_address_uses_the_one_asked(self):
        ask = self.blocked("page")
        self.assertEqual(ask("A").texts(), ["127.0.0.1"])
        self.assert_nodata(ask("AAAA"))

    def test_nxdomain(self):
        reply = self.blocked("nxdomain")("A")
        self.assertEqual((reply.rcode, reply.answers), ("NXDOMAIN", []))
        self.assert_soa(reply)

    def test_nodata(self):
        self.assert_nodata(self.blocked("nodata")("A"))

    def test_zero(self):
        ask = self.blocked("zero")
        self.assertEqual((ask("A").texts(), ask("AAAA").texts()), (["0.0.0.0"], ["::"]))
        self.assert_nodata(ask("HTTPS"))

    def test_refused(self):
        self.assertEqual(self.blocked("refused")("A").rcode, "REFUSED")

    def test_group_overrides_the_mode(self):
        groups = [dict(GROUPS[1], mode="refused"), GROUPS[2]]
        box = self.box(lists=LISTS, config={"groups": groups, "block": {"mode": "nxdomain"}})
        self.assertEqual(box.ask("bets.example", source=PUPIL).rcode, "REFUSED")


class Aliases(unittest.TestCase):
    def test_blocked_target_of_an_alias(self):
        from harness import Box

        def handler(asked, _):
            return [Send(dnswire.answer(asked, [(None, "CNAME", "edge.bets.example", 300),
                                                ("edge.bets.example", "A", "192.0.2.10", 300)]))]
        upstream = self.enterContext(FakeUpstream(handler))
        box = self.enterContext(Box(upstream=[upstream.url], lists=LISTS, config={
            "groups": GROUPS, "block": {"mode": "nxdomain"}}))
        for source, rcode in ((OTHER, "NOERROR"), (PUPIL, "NXDOMAIN"), (OTHER, "NOERROR"),
                              (PUPIL, "NXDOMAIN"), (STAFF, "NOERROR")):
            self.assertEqual(box.ask("innocent.example", source=source).rcode, rcode)
        self.assertEqual(upstream.count("innocent.example"), 1)
        box.cli("allow", "innocent.example")
        self.assertEqual(box.ask("innocent.example", source=PUPIL).rcode, "NOERROR")

    def test_blocked_names_are_never_asked_upstream(self):
        from harness import Box
        upstream = self.enterContext(FakeUpstream(lambda asked, _: []))
        box = self.enterContext(Box(upstream=[upstream.url], lists=LISTS, config={"groups": GROUPS}))
        for kind in ("A", "AAAA", "HTTPS", "TXT", "ANY"):
            for tcp in (False, True):
                box.ask("bets.example", kind, tcp, source=PUPIL)
        self.assertEqual(upstream.count(), 0)


if __name__ == "__main__":
    unittest.main()
