# SPDX-License-Identifier: Apache-2.0
"""The reference code of the warning page, explained without anything that was stored."""
import unittest

from fakeupstream import FakeUpstream, address
from harness import Box


class Ref(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        upstream = cls.enterClassContext(FakeUpstream(address("198.51.100.1")))
        cls.box = cls.enterClassContext(Box(
            upstream=[upstream.url], lists=[("bad", "adult", ["||bad.test^", "||worse.test^", "||other.test^"]),
                                            ("more", "gambling", ["||worse.test^"])],
            config={"groups": [{"name": "all", "clients": [], "block": ["adult", "gambling", "bypass"],
                                "services": ["tiktok"]}]}))

    def code(self, name):
        """As the child reads it: from the extended error's text."""
        return self.box.ask(name).ede[0][1].split()[-1]

    def found(self, name):
        return [(one["name"], one["by"], one["what"])
                for one in self.box.json("check", "--ref", self.code(name))["found"]]

    def test_an_entry_of_a_list(self):
        self.assertEqual(self.found("deep.below.bad.test"), [("bad.test", "bad", "adult")])
        self.assertEqual(sorted(self.found("worse.test")), [("worse.test", "bad", "adult"),
                                                             ("worse.test", "more", "gambling")])
        text = self.box.cli("check", "--ref", self.code("bad.test").lower()).stdout
        self.assertIn("bad.test", text)
        self.assertIn("nothing of who asked", text)

    def test_rules_services_and_ways_around(self):
        self.box.cli("block", "games.test", "--note", "Ms Kim")
        self.assertEqual(self.found("www.games.test"), [("games.test", "local rule", "Ms Kim")])
        self.box.cli("rules", "remove", "games.test")
        self.assertEqual(self.found("www.tiktok.com"), [("tiktok.com", "tiktok", "services.yaml")])
        self.assertEqual(self.found("dns.google"), [("dns.google", "doh", "bypass.yaml")])
        self.assertEqual(self.found("mask.icloud.com"), [("mask.icloud.com", "canary", "canaries.yaml")])

    def test_what_fits_nothing(self):
        done = self.box.cli("check", "--ref", "00000000")
        self.assertEqual(done.returncode, 0)
        self.assertIn("nothing that is in force now fits", done.stdout)
        for code in ("123", "123456789", "12345-78", "!!!!!!!!", ""):
            self.assertEqual(self.box.cli("check", "--ref", code).returncode, 2, code)
        self.assertEqual(self.box.cli("check", "bad.test", "--ref", "00000000").returncode, 2)


if __name__ == "__main__":
    unittest.main()
