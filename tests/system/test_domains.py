# SPDX-License-Identifier: Apache-2.0
"""`stats.privacy: domains`: what many asked for is told, and nothing else is written anywhere."""
import os
import re
import time
import unittest

from fakeupstream import FakeUpstream, address
import dnswire
from harness import HAVE_IPV6, SLOWER, Box, Program, as_user, exchange, wait_for


class Domains(unittest.TestCase):
    def box_with(self, **stats):
        upstream = self.enterContext(FakeUpstream(address("198.51.100.1")))
        return self.enterContext(Box(upstream=[upstream.url], lists=[("bad", "adult", ["||secretbad.com^"])],
                                     config={"stats": stats}))

    def ask(self, box, name, clients):
        for number in range(clients):
            box.ask(name, source=f"127.0.3.{1 + number}")

    def rows(self, box):
        reply = box.json("stats", "--by", "domain", "--since", "1d")
        blocked = reply["columns"].index("blocked")
        return {row[0]: (row[1], row[blocked]) for row in reply["rows"]}, reply["totals"]

    def day(self, box):
        self.ask(box, "www.manyvisit.org", 25)
        self.ask(box, "deep.secretbad.com", 25)
        self.ask(box, "www.fewvisit.org", 3)
        self.ask(box, "onlyone.net", 1)

    def test_what_many_asked_for_is_told_and_the_rest_is_one_sum(self):
        box = self.box_with(privacy="domains")
        self.day(box)
        rows, totals = self.rows(box)
        self.assertEqual(rows, {"manyvisit.org": (25, 0), "secretbad.com": (25, 25), "other": (4, 0)})
        self.assertEqual((totals["queries"], totals["blocked"]), (54, 25))
        self.assertIn("manyvisit.org", box.cli("stats", "--by", "domain").stdout)
        page = box.cli("report", "--month", time.strftime("%Y-%m"), "--language", "en").stdout
        most = re.findall(r'<th scope="row">([^<]*)</th><td[^>]*>(\d+)</td></tr>', page.split("Domains most asked for")[1])
        self.assertEqual(most[:2], [("secretbad.com", "25"), ("manyvisit.org", "25")])
        self.assertNotIn("fewvisit", page)
        box.daemon.stop()
        box.start()  # a new salt: three more clients are three
        self.ask(box, "www.fewvisit.org", 9)
        rows, _ = self.rows(box)
        self.assertEqual(rows, {"manyvisit.org": (25, 0), "secretbad.com": (25, 25), "other": (13, 0)})

    def test_the_library_of_suffixes_is_needed_for_domains_alone(self):
        """A broken libpsl stands in the way: without domains nobody opens it."""
        for privacy, needed in (("counters", False), ("domains", True)):
            with self.subTest(privacy), Box(config={"stats": {"privacy": privacy}}, start=False) as box:
                broken = os.path.join(box.folder, "broken")
                os.mkdir(broken)
                with open(os.path.join(broken, "libpsl.so.5"), "wb"):
                    pass
                os.chmod(broken, 0o755)
                daemon = Program([box.program("greengated"), "-c", box.path], os.path.join(box.folder, "out"),
                                 **as_user(), env={**os.environ, "LD_LIBRARY_PATH": broken})
                self.addCleanup(daemon.stop)
                if needed:
                    self.assertNotEqual(daemon.process.wait(timeout=20 * SLOWER), 0)
                    self.assertIn("stats.privacy: domains needs libpsl.so.5: install libpsl5", daemon.text())
                else:
                    wait_for(lambda: exchange(dnswire.query("up.example"), box.address, timeout=0.2), "answers")

    def test_every_octet_of_the_state(self):
        """No address of a client, no name below the threshold, whatever is on."""
        box = self.box_with(privacy="domains", min_clients=5)
        self.day(box)
        if HAVE_IPV6:
            box.ask("onlyone.net", v6=True)
        self.rows(box)
        box.daemon.stop()
        seen = b""
        for folder, _, files in os.walk(box.state):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    seen += file.read()
        self.assertIn(b"manyvisit.org", seen)
        for secret in (b"fewvisit", b"onlyone", b"127.0.3.", bytes([127, 0, 3, 1]), b"deep."):
            self.assertNotIn(secret, seen)

    def test_without_it_no_name_at_all(self):
        box = self.box_with()
        self.day(box)
        done = box.cli("stats", "--by", "domain")
        self.assertEqual((done.returncode, "stats.privacy is counters" in done.stderr), (1, True))
        box.daemon.stop()
        with open(os.path.join(box.state, "stats.db"), "rb") as file:
            self.assertNotIn(b"manyvisit", file.read())

    def test_a_change_needs_a_restart_and_says_so(self):
        box = self.box_with()
        box.config["stats"] = {"privacy": "domains"}
        box.write_config()
        self.assertIn("stats.privacy changed: restart", box.cli("reload").stdout)

    def test_bounds(self):
        box = self.box_with()
        for stats in ({"min_clients": 1}, {"min_clients": 201}, {"privacy": "events"}):
            box.config["stats"] = stats
            box.write_config()
            self.assertEqual(box.cli("config", "check").returncode, 4, stats)


if __name__ == "__main__":
    unittest.main()
