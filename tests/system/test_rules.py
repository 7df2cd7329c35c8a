# SPDX-License-Identifier: Apache-2.0
"""Local rules by pattern, and what allow rules take back."""
import unittest

from harness import Box, wait_for


class Patterns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.box = cls.enterClassContext(Box(config={"groups": [
            {"name": "staff", "clients": ["127.0.0.2"], "block": []},
            {"name": "pupils", "clients": [], "block": ["adult"]}]}))

    def blocked(self, name, *more):
        return self.box.json("check", name, *more)["blocked"]

    def test_a_rule_that_ends_says_when(self):
        self.box.cli("block", "brief.example", "--for", "2h")
        why = self.box.json("check", "www.brief.example")
        ends, = [rule["expires_at"] for rule in self.box.json("rules")["rules"] if rule["name"] == "brief.example"]
        self.assertEqual((why["until"], why["opens_at"]), (ends, ends))
        self.assertRegex(self.box.cli("check", "www.brief.example").stdout, r"opens at +\w{3} \d{4}-\d\d-\d\d \d\d:\d\d\n")
        self.box.cli("remove", "brief.example")

    def test_at_once_and_taken_back(self):
        done = self.box.cli("block", "--regex", r"^ads?[0-9]+\.", "--note", "noise", "--for", "2h")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(r"blocked: /^ads?[0-9]+\./, for everybody", done.stdout)
        self.assertTrue(self.blocked("ad7.news.example"))
        why = self.box.json("check", "ads1.news.example")
        self.assertEqual((why["reason"], why["entry"], why["rule"]),
                         ("block-rule", r"/^ads?[0-9]+\./", r"block /^ads?[0-9]+\./"))
        rule = self.box.json("rules")["rules"][-1]
        self.assertEqual((rule["name"], rule["pattern"], rule["note"]), ("", r"^ads?[0-9]+\.", "noise"))
        self.assertIn("what matches", self.box.cli("rules").stdout)
        self.box.daemon.stop()
        self.box.start()
        self.assertTrue(self.blocked("ad7.news.example"))
        self.assertEqual(self.box.cli("allow", "--regex", r"^ad7\.", "--group", "staff").returncode, 0)
        self.assertFalse(self.blocked("ad7.news.example", "--group", "staff"))
        self.assertTrue(self.blocked("ad7.news.example", "--group", "pupils"))
        self.assertEqual(self.box.cli("block", "--regex", r"^ads?[0-9]+\.", "--remove").returncode, 0)
        self.assertFalse(self.blocked("ad7.news.example"))
        self.assertNotEqual(self.box.cli("rules", "remove", "--regex", r"^ads?[0-9]+\.").returncode, 0)

    def test_what_cannot_be_a_rule(self):
        for pattern, words in (("(", "at 1"), ("a{9999999}", "at"), ("(a+)+$", "too many steps"),
                               ("((a*)*)*-x", "too many steps"), (".", "nearly every name"), ("example", "nearly every"),
                               ("x" * 250, "at most"), ("", "needs a pattern"), (r"\C", "at")):
            with self.subTest(pattern):
                done = self.box.cli("block", "--regex", pattern)
                self.assertEqual(done.returncode, 2, done)
                self.assertIn(words, done.stderr)
        self.assertEqual(self.box.cli("block", "--regex", "abc", "--exact").returncode, 2)
        self.assertEqual([r for r in self.box.json("rules")["rules"] if r["pattern"] in ("(", ".")], [])

    def test_a_damaged_pattern_in_the_file_leaves_the_others(self):
        with Box() as box:
            box.write("state/rules.yaml", 'rules:\n  - {pattern: "(", action: block}\n'
                      '  - {pattern: "^good[0-9]", action: block}\n')
            self.assertEqual(box.cli("reload").returncode, 0)
            self.assertTrue(box.json("check", "good1.example")["blocked"])
            self.assertIn("1 rule is without effect: the pattern /(/", " ".join(box.json("status")["reasons"]))
            box.write("state/rules.yaml", 'rules:\n  - {pattern: "x", name: a.example, action: block}\n')
            done = box.cli("reload")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("name or pattern", done.stderr)


class Overridden(unittest.TestCase):
    def test_an_allow_rule_remembers_the_list_and_tells_when_it_is_gone(self):
        with Box(lists=[("bad", "adult", ["||bad.example^", "||other.example^"])]) as box:
            box.cli("allow", "school.bad.example", "--note", "Ms Kim")
            box.cli("allow", "free.example")
            rules = {rule["name"]: rule for rule in box.json("rules")["rules"]}
            self.assertEqual((rules["school.bad.example"]["overrides_list"],
                              rules["school.bad.example"]["overrides_entry"]), ("bad", "bad.example"))
            self.assertEqual(rules["free.example"]["overrides_list"], "")
            self.assertIn("bad.example of bad", box.cli("rules").stdout)
            self.assertEqual(box.json("status")["rules_not_needed"], 0)
            # Made anew while it is in force, it still knows.
            box.cli("allow", "school.bad.example", "--note", "Mr Lee")
            self.assertEqual(box.json("rules")["rules"][-1]["overrides_list"], "bad")
            box.write("bad.list", "||other.example^\n")
            self.assertEqual(box.cli("update", "--force").returncode, 0)
            wait_for(lambda: box.json("status")["rules_not_needed"] == 1, "the rule is not needed")
            self.assertIn("1 allow rule is no longer needed", box.cli("status").stdout)
            self.assertIn("gone, not needed any more", box.cli("rules").stdout)
            box.daemon.stop()
            box.start()
            self.assertEqual(box.json("status")["rules_not_needed"], 1)
            box.write("bad.list", "||bad.example^\n")
            box.cli("update", "--force")
            wait_for(lambda: box.json("status")["rules_not_needed"] == 0, "it is needed again")


if __name__ == "__main__":
    unittest.main()
