# SPDX-License-Identifier: Apache-2.0
"""`greengate selftest`: what it asks, how it judges, and the sheet in two languages and two forms."""
import json
import os
import unittest

import dnswire
from fakeupstream import FakeUpstream, Send
from harness import BUILD, ROOT, ServedTest

SITES = ["pornhub.com", "xvideos.com", "xnxx.com"]
GROUP = {"name": "pupils", "clients": [], "block": ["adult", "malware", "bypass"], "safe_search": True,
         "youtube": "strict"}


class SelftestBox(ServedTest):
    def prepare(self, sites=(), group=None, **more):
        return self.box(lists=[("sites", "adult", [f"*.{site}" for site in SITES] if not sites else sites)],
                        config={"groups": [{**GROUP, **(group or {})}], **more})

    def ask(self, box, code=0, *words):
        done = box.cli("--json", "selftest", *words)
        if code is not None:
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        report = json.loads(done.stdout)
        return report, {one["name"]: (one["seen"], one["verdict"]) for one in report["probes"]}


class Selftest(SelftestBox):
    def test_a_filter_that_does_what_it_says(self):
        box = self.prepare()
        report, probes = self.ask(box)
        self.assertEqual((report["ok"], report["group"], report["faults"]), (True, "pupils", 0))
        self.assertEqual(probes["pornhub.com"], ("blocked", "good"))
        self.assertEqual(probes["use-application-dns.net"], ("blocked", "good"))
        self.assertEqual(probes["dns.google"], ("blocked", "good"))
        self.assertEqual(probes["www.google.com"], ("safe", "good"))
        self.assertEqual(probes["www.youtube.com"], ("safe", "good"))
        self.assertEqual(probes["example.com"], ("open", "good"))
        # Names of test services, which these lists do not have, and a category that is not blocked.
        self.assertEqual(probes["malware.testcategory.com"], ("open", "note"))
        self.assertEqual(probes["phishing.testcategory.com"], ("open", "note"))

    def test_each_fault_is_seen(self):
        box = self.prepare(sites=["other.example"])
        report, probes = self.ask(box, 1)
        self.assertEqual((report["ok"], report["faults"], report["exit"]), (False, 3, 1))
        for site in ("pornhub.com", "www.xvideos.com", "www.xnxx.com"):
            self.assertEqual(probes[site], ("open", "fault"))
        box.cli("block", "wikipedia.org")
        _, probes = self.ask(box, 1)
        self.assertEqual(probes["www.wikipedia.org"], ("blocked", "fault"))
        box.cli("allow", "dns.google")
        _, probes = self.ask(box, 1)
        self.assertEqual(probes["dns.google"], ("open", "fault"))

    def test_a_name_that_nobody_has_proves_nothing(self):
        """NXDOMAIN is neither "open" nor a block of ours."""
        upstream = self.enterContext(FakeUpstream(lambda asked, _: [Send(dnswire.answer(asked, rcode=3))]))
        box = self.box(lists=[("sites", "adult", ["other.example"])], config={"groups": [GROUP]}, upstream=[upstream.url])
        _, probes = self.ask(box, 1)
        self.assertEqual(probes["example.com"], ("failure", "fault"))
        self.assertEqual(probes["www.google.com"][0], "failure")

    def test_what_the_policy_does_not_promise_is_no_fault(self):
        box = self.prepare(group={"block": ["gambling"], "safe_search": False, "youtube": "off"})
        _, probes = self.ask(box)
        self.assertEqual(probes["pornhub.com"], ("open", "note"))
        self.assertEqual(probes["www.google.com"], ("open", "note"))

    def test_nobody_answers(self):
        box = self.prepare()
        _, probes = self.ask(box, 1, "--server", "127.0.0.1:9")
        self.assertEqual(set(probes.values()), {("silence", "fault")})
        box.daemon.stop()
        self.assertEqual(box.cli("selftest").returncode, 3)

    def test_the_sheet(self):
        box = self.prepare(web={"organisation": "School <One>"})
        english = box.cli("selftest", "--language", "en").stdout
        self.assertRegex(english, r"Self-test of the DNS filter\nMade \d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")
        self.assertIn("Policy of: School <One>", english)
        self.assertRegex(english, r"good +\S.* pornhub.com +Pornhub +blocked")
        self.assertIn("a test name that none of the lists in use has", english)
        self.assertIn("22 names were asked, and there is no fault.", english)
        korean = box.cli("selftest").stdout  # the first of web.languages
        self.assertIn("DNS 필터 자체 점검표", korean)
        self.assertRegex(korean, r"정상 +\S+.* pornhub.com")
        path = os.path.join(box.folder, "sheet.html")
        done = box.cli("selftest", "--html", "--out", path)
        self.assertIn("22 names, 0 faults", done.stdout)
        with open(path, encoding="utf-8") as file:
            page = file.read()
        self.assertIn('<html lang="ko">', page)
        self.assertIn("School &lt;One&gt;", page)
        self.assertEqual(page.count("<tr class="), 22)
        self.assertNotRegex(page, r"(?i)<script|src=|href=")
        self.assertTrue(page.endswith("</body></html>\n"))

    def test_the_starter_list_alone_is_said(self):
        """It holds some of the best-known names, which are those that are asked: a sheet without a fault would mislead."""
        box = self.box(config={"groups": [GROUP]})
        report, _ = self.ask(box, None)
        self.assertTrue(report["starter"])
        sheet = box.cli("selftest", "--language", "en").stdout
        self.assertIn("Only the small starter list is in force", sheet.split("Result")[0], "before the table")
        self.assertNotIn("there is no fault", sheet)
        page = box.cli("selftest", "--html").stdout
        self.assertRegex(page, r'<p class="fault">[^<]*기본 목록만')
        self.assertIn("starter list", box.cli("selftest", "--out", os.path.join(box.folder, "sheet.txt")).stdout)
        self.assertFalse(self.ask(self.prepare())[0]["starter"])

    def test_the_date_is_that_of_the_school(self):
        box = self.prepare(server={"timezone": "Asia/Seoul"})
        self.assertRegex(box.cli("selftest", "--language", "en").stdout, r"Made \d{4}-\d\d-\d\d \d\d:\d\d:\d\d KST\n")

    def test_usage_and_damaged_data(self):
        box = self.prepare()
        for words in (("x",), ("--language", "vi"), ("--server", "nonsense")):
            self.assertEqual(box.cli("selftest", *words).returncode, 2, words)
        self.assertEqual(box.cli("--json", "selftest", "--html").returncode, 2)
        self.assertEqual(box.cli("selftest", "--out", "/nowhere/x").returncode, 1)


class Documentation(SelftestBox):
    def test_commands_of_the_page(self):
        box = self.prepare()
        with open(os.path.join(ROOT, "docs/selftest.md"), encoding="utf-8") as page:
            block = page.read().split("```")[1]
        lines = [line.split("#")[0].split() for line in block.strip().split("\n")]
        self.assertEqual(len(lines), 3)
        for line in lines:
            words = [box.folder + word if word.startswith("/") else word.replace("127.0.0.1", box.address[0] + f":{box.port}")
                     for word in line[1:]]
            box.make_folder(os.path.join(box.folder, "tmp"))
            done = box.cli(*words)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Data(unittest.TestCase):
    def test_every_probe_has_a_source_and_a_date(self):
        with open(os.path.join(ROOT, "blocklists/catalog/probes.yaml"), encoding="utf-8") as file:
            probes = [line for line in file if line.startswith("  - {")]
        self.assertGreater(len(probes), 15)
        for line in probes:
            self.assertRegex(line, r'source: "[^"]+", date: "20\d\d-\d\d"\}')
        self.assertTrue(os.path.exists(os.path.join(BUILD, "data/probes.yaml")))


if __name__ == "__main__":
    unittest.main()
