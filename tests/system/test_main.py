# SPDX-License-Identifier: Apache-2.0
"""Real input, end to end: real lists when they are at hand, a real upstream, both daemons."""
import os
import random
import re
import subprocess
import unittest

from harness import SHARED, Box, Nsd, wait_for

NAME = re.compile(r"^(?=.{4,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
                  r"(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.[a-z][a-z0-9-]*[a-z0-9]$")
# id, category, file of the shared data
REAL = [("adult-merged", "adult", "adult/adult-merged.txt.zst"),
        ("gambling-hosts", "gambling", "gambling/blp-gambling-hosts.txt.zst"),
        ("malware-adblock", "malware", "malware/urlhaus-2025/urlhaus-filter-agh.txt.zst")]
STEP = 1000


def read_names(lines):
    """A reader of our own, far simpler than the compiler's: ({exact names}, {subtrees})."""
    exact, trees = [], []
    for line in lines:
        if match := re.match(r"^\|\|([^/^$*]+)\^$", line):
            trees.append(match.group(1).lower())
        elif match := re.match(r"^(?:(?:0\.0\.0\.0|127\.0\.0\.1)\s+)?([A-Za-z0-9_.-]+)\s*$", line):
            exact.append(match.group(1).lower())
    return ([n for n in exact if NAME.match(n)], [n for n in trees if NAME.match(n)])


def made_up(seed, count):
    dice = random.Random(seed)
    return ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=12)) + f"{n}.example"
            for n in range(count)]


def prepare_lists(box):
    """[(id, category, exact, subtrees)], and sources in the box's configuration."""
    prepared = []
    for number, (source, category, path) in enumerate(REAL):
        if SHARED:
            data = subprocess.run(["zstd", "-dcq", os.path.join(SHARED, path)], check=True,
                                  capture_output=True).stdout
            lines = data.decode("utf-8", "replace").split("\n")
        else:
            shape = ("{}", "0.0.0.0 {}", "||{}^")[number]
            lines = [shape.format(name) for name in made_up(number, 20_000)]
            data = "\n".join(lines).encode()
        file = box.write(f"{source}.list", data)
        # The adult list holds google.com and its like, which the gate would hold back.
        box.config["lists"]["sources"].append(box.source(source, category, file,
                                                         {"accept_popular": True}))
        prepared.append((source, category, *read_names(lines)))
    return prepared


def popular_names():
    if not SHARED:
        return [f"www.popular{n}.test" for n in range(100)]
    data = subprocess.run(["zstd", "-dcq", os.path.join(SHARED, "popular/opendns-top-domains.txt.zst")],
                          check=True, capture_output=True).stdout
    return data.decode().split()[::100]


class RealInput(unittest.TestCase):
    """One box for all; the counts are kept along the way and compared at the end."""

    @classmethod
    def setUpClass(cls):
        cls.nsd = cls.enterClassContext(Nsd())
        cls.box = Box({"lists": {"sources": []}}, upstream=[cls.nsd.url], web=True)
        cls.lists = prepare_lists(cls.box)
        cls.box.config["groups"] = [{"name": "everyone", "clients": [],
                                     "block": [category for _, category, _, _ in cls.lists]}]
        cls.box.write_config()
        cls.enterClassContext(cls.box)
        cls.exact = {name for _, _, exact, _ in cls.lists for name in exact}
        cls.trees = {name for _, _, _, trees in cls.lists for name in trees}
        cls.sent = {"blocked": 0, "answered": 0, "allowed": 0}

    def listed(self, name):
        """What our own reading of the lists says about a name."""
        labels = name.split(".")
        return name in self.exact or any(".".join(labels[at:]) in self.trees
                                         for at in range(len(labels)))

    def ask(self, name, tcp):
        reply = self.box.ask(name, tcp=tcp)
        blocked = any(code == 17 for code, _ in reply.ede)
        self.sent["blocked" if blocked else "answered"] += 1
        self.assertEqual(reply.rcode, "NOERROR", name)
        self.assertEqual(reply.texts("A"), ["127.0.0.1"] if blocked else ["192.0.2.10"], name)
        return blocked

    def ask_both(self, name):
        verdicts = {self.ask(name, tcp) for tcp in (False, True)}
        self.assertEqual(len(verdicts), 1, f"UDP and TCP differ for {name}")
        return verdicts.pop()

    def test_1_every_thousandth_listed_name_and_its_subdomain(self):
        asked, spared = 0, []
        for _, _, exact, trees in self.lists:
            for name in exact[::STEP] + trees[::STEP]:
                asked += 1
                if not self.ask_both(name):
                    spared.append(name)
                    continue
                below = "subdomain-of." + name
                self.assertEqual(self.ask_both(below), self.listed(below), below)
        self.assertGreater(asked, 50)
        # A list may name what no list can block; then `check` says so.
        for name in spared:
            self.assertEqual(self.box.json("check", name)["reason"], "protected", name)
        self.assertLessEqual(len(spared), asked // 50)

    def test_2_popular_names_are_answered_by_the_upstream(self):
        asked = 0
        for name in popular_names():
            if not self.listed(name):
                asked += 1
                self.assertFalse(self.ask_both(name), name)
        self.assertGreater(asked, 50)

    def test_3_check_names_list_and_category(self):
        for source, category, exact, trees in self.lists:
            name = (exact + trees)[STEP]
            why = self.box.json("check", name, "--client", "127.0.0.1")
            self.assertTrue(why["blocked"])
            self.assertIn(source, [listing["list"] for listing in why["listed"]])
            self.assertIn(category, [listing["category"] for listing in why["listed"]])

    def test_4_page_of_a_blocked_host(self):
        for _, _, exact, trees in self.lists:
            name = (exact + trees)[STEP]
            status, headers, body = self.box.page(name, "/private/path?q=1")
            self.assertEqual((status, headers["cache-control"]), (403, "no-store"))
            self.assertNotIn("set-cookie", headers)
            self.assertIn(name, body)
            self.assertIn("Test School", body)
            self.assertNotIn("private", body)
            self.assertNotIn("<script", body)
            self.assertLessEqual(len(body.encode()), 12288)

    def test_5_counts_equal_what_was_sent(self):
        totals = self.box.json("stats", "--since", "1h")["totals"]
        self.assertEqual({verdict: totals[verdict] for verdict in self.sent} |
                         {"queries": totals["queries"]},
                         {**self.sent, "queries": sum(self.sent.values())})

    def test_5_metrics_say_the_same(self):
        lines = self.box.cli("metrics").stdout.splitlines()
        sums = {}
        for line in lines:
            if not line.startswith("#"):
                name, value = re.fullmatch(r"(greengate_[a-z_]+)(?:{[^}]*})? (\S+)", line).groups()
                sums[name] = sums.get(name, 0) + float(value)
        self.assertEqual(sums["greengate_dns_requests_total"], sum(self.sent.values()))
        self.assertEqual(sums["greengate_dns_responses_total"], sum(self.sent.values()))
        self.assertEqual(sums["greengate_blocked_total"], self.sent["blocked"])
        self.assertEqual(sums["greengate_protected"], 1)
        for source, _, _, _ in self.lists:
            self.assertTrue(any(line.startswith(f'greengate_list_entries{{list="{source}"}} ')
                                for line in lines), lines)

    def test_6_counts_outlive_a_restart(self):
        before = self.box.json("stats", "--since", "1h")["totals"]
        self.box.daemon.stop()
        self.box.start()
        after = self.box.json("stats", "--since", "1h")["totals"]
        for verdict in self.sent:
            self.assertEqual(before[verdict], after[verdict])

    def test_7_no_client_and_no_name_on_disk(self):
        name = self.lists[0][2][STEP]
        self.ask("very-private-name.test", False)
        self.box.daemon.stop()
        with open(self.box.state + "/stats.db", "rb") as database:
            data = database.read()
        for secret in (b"very-private-name", b"127.0.0.1", name.encode()):
            self.assertNotIn(secret, data)
        self.assertNotIn("very-private-name", self.box.daemon.text())
        self.box.start()

    def test_8_status_is_protected(self):
        status = wait_for(lambda: self.box.json("status"), "status")
        self.assertEqual(status["state"], "protected", status["reasons"])


if __name__ == "__main__":
    unittest.main()
