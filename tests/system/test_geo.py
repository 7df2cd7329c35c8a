# SPDX-License-Identifier: Apache-2.0
"""Databases of places under a running daemon: replaced, damaged, gone."""
import os
import threading
import unittest

from fakeupstream import FakeUpstream, Send
from harness import Box, wait_for
import dnswire
import mmdb

FAR, NEAR = "203.0.113.5", "198.51.100.7"
ROWS = [("203.0.113.0/24", "KP", 64500), ("198.51.100.0/24", "KR", 0)]


def handler(asked, transport):
    name, kind, _ = asked.questions[0]
    value = FAR if name.lower().startswith("far") else NEAR
    return [Send(dnswire.answer(asked, [(None, "A", value, 300)] if kind == "A" else []))]


class Geo(unittest.TestCase):
    def setUp(self):
        upstream = self.enterContext(FakeUpstream(handler))
        group = {"name": "pupils", "clients": [], "block": ["adult"], "block_countries": ["KP"]}
        self.box = Box(upstream=[upstream.url], lists=[("bad", "adult", ["bad.test"])], start=False,
                       config={"groups": [group]})
        self.path = os.path.join(self.box.folder, "places.mmdb")
        self.box.config["geo"] = {"database": self.path}
        self.box.write_config()
        self.replace(mmdb.make(ROWS))
        self.enterContext(self.box)
        self.box.start()

    def replace(self, octets):
        with open(self.path + ".new", "wb") as out:
            out.write(octets)
        os.chmod(self.path + ".new", 0o644)
        os.rename(self.path + ".new", self.path)

    def reasons(self):
        return " ".join(self.box.json("status")["reasons"])

    def test_blocked_explained_and_counted(self):
        reply = self.box.ask("far.test")
        self.assertEqual(reply.ede[0][0], 15)
        self.assertTrue(reply.ede[0][1].startswith("place KP AS64500 "), reply.ede)
        self.assertEqual(self.box.ask("near.test").texts(), [NEAR])
        why = self.box.json("check", FAR)
        self.assertEqual((why["reason"], why["place"], why["blocked"]), ("place", "KP AS64500", True))
        why = self.box.json("check", "far.test")
        self.assertEqual((why["reason"], why["address"], why["place"]), ("place", FAR, "KP AS64500"))
        self.assertIn("place     KR", self.box.cli("check", NEAR).stdout)
        self.assertEqual(self.box.json("check", "near.test")["place"], "KR")
        self.assertEqual(self.box.json("check", "never-asked.test")["place"], "")
        rows = {row[0]: row[1] for row in self.box.json("stats", "--by", "country")["rows"]}
        self.assertEqual(rows, {"KR": 1})

    def test_replaced_by_rename_while_questions_come(self):
        stop, lost = threading.Event(), []

        def load():
            while not stop.is_set():
                if self.box.send(dnswire.query("near.test", "A")) is None:
                    lost.append(1)

        thread = threading.Thread(target=load)
        thread.start()
        self.addCleanup(stop.set)
        try:
            for turn in range(6):
                self.replace(mmdb.make(ROWS if turn % 2 else ROWS[1:]))
                wait_for(lambda: bool(self.box.ask("far.test").ede) == bool(turn % 2), "the new places", 5)
        finally:
            stop.set()
            thread.join()
        self.assertEqual(lost, [])
        self.assertEqual(self.reasons(), "")

    def test_damaged_or_gone_the_good_one_stays_in_force(self):
        self.replace(mmdb.make(ROWS)[:200])
        wait_for(lambda: "a newer database of places cannot be used" in self.reasons(), "degraded")
        self.assertIn(self.path, self.reasons())
        self.assertEqual(self.box.ask("far.test").ede[0][0], 15)
        os.unlink(self.path)
        wait_for(lambda: "No such file" in self.reasons(), "degraded")
        self.assertEqual(self.box.ask("far.test").ede[0][0], 15)
        self.replace(mmdb.make(ROWS))
        wait_for(lambda: self.reasons() == "", "healthy again")

    def test_cut_short_in_place(self):
        os.truncate(self.path, 50)
        for number in range(50):
            self.assertEqual(self.box.ask(f"far{number}.test").ede[0][0], 15)
        self.assertTrue(self.box.daemon.alive())

    def test_without_it_at_the_start(self):
        self.box.daemon.stop()
        os.unlink(self.path)
        self.box.start()
        self.assertEqual(self.box.ask("far.test").texts(), [FAR])
        self.assertEqual(self.box.json("status")["state"], "degraded")
        self.assertIn("the database of places cannot be used", self.reasons())

    def test_mistakes_in_the_configuration(self):
        for key, value in (("block_countries", "Korea"), ("block_countries", "kr"), ("block_countries", "UK"),
                           ("block_networks", "64500"), ("block_networks", "AS99999999999")):
            self.box.config["groups"][0] = {"name": "pupils", "clients": [], key: [value]}
            self.box.write_config()
            done = self.box.cli("config", "check")
            self.assertEqual(done.returncode, 4, value)
            self.assertIn(value, done.stderr)


if __name__ == "__main__":
    unittest.main()
