# SPDX-License-Identifier: Apache-2.0
"""What `status`, `groups` and `doctor` say of the running daemon."""
import json
import os
import unittest

from fakeupstream import FakeUpstream, address
from harness import Box
from test_cli import run_on_terminal

MANY = ["adult", "deepfake", "violence", "self-harm", "drugs", "weapons", "gambling", "hate", "malware", "phishing",
        "scam", "bypass", "piracy", "dating"]


class Status(unittest.TestCase):
    def test_reasons_without_a_place_are_counted(self):
        sources = [{"id": f"list-{i}", "category": "adult", "url": f"https://lists.example/{i}"} for i in range(20)]
        with Box(config={"server": {"timezone": "Asia/Seoul"}}, start=False) as box:
            box.config["lists"] = {"sources": sources}
            box.write_config()
            box.start()
            folder = os.path.join(box.config["server"]["state_dir"], "sources")
            os.makedirs(folder, exist_ok=True)
            for source in sources:
                with open(os.path.join(folder, source["id"] + ".json"), "w", encoding="utf-8") as out:
                    json.dump({"error": "HTTP 404", "failing_since": 1782864000}, out)
            status = box.json("status")
            self.assertEqual(len(status["reasons"]), 8)
            said = sum(reason.startswith("list ") for reason in status["reasons"])
            self.assertEqual(said + status["reasons_more"], 20)
            self.assertIn("list list-0 fails since 2026-07-01 09:00: HTTP 404", status["reasons"])
            self.assertIn(f"\n  and {status['reasons_more']} more\n", box.cli("status").stdout)
            doctor = json.loads(box.cli("--json", "doctor").stdout)
            self.assertIn(f"degraded: and {status['reasons_more']} reasons more", [f["text"] for f in doctor["findings"]])

    def test_an_upstream_that_was_not_asked_is_not_said_to_answer(self):
        with FakeUpstream(address("192.0.2.9", 300)) as upstream, Box(upstream=[upstream.url]) as box:
            one = box.json("status")["upstreams"][0]
            self.assertEqual((one["ok"], one["answers"], one["failures"]), (True, 0, 0))
            self.assertRegex(box.cli("status").stdout, r"not asked yet +- +0\n")
            box.ask("fine.example")
            self.assertEqual(box.json("status")["upstreams"][0]["answers"], 1)
            self.assertRegex(box.cli("status").stdout, r" ok +\d+ ms +0\n")

    def test_doctor_does_not_praise_an_upstream_that_never_answered(self):
        with Box(upstream=["udp://127.0.0.1:9"]) as box:
            found = [(f["level"], f["text"]) for f in json.loads(box.cli("--json", "doctor").stdout)["findings"] if f["topic"] == "upstream"]
            self.assertNotIn("ok", [level for level, _ in found])
            self.assertIn("fault", [level for level, _ in found])

    def test_groups_are_told_whole(self):
        clients = [f"10.{i}.0.0/16" for i in range(12)]
        groups = [{"name": "children", "clients": clients, "block": MANY}, {"name": "rest", "clients": [], "block": []}]
        with Box(config={"groups": groups}) as box:
            text = box.cli("groups").stdout
            self.assertIn(", ".join(clients), text)
            self.assertIn(", ".join(MANY), text)
            _, screen = run_on_terminal({"NO_COLOR": "1"}, "-c", box.path, "groups")
            lines = [line for line in screen.replace("\r", "").split("\n") if line]
            self.assertLessEqual(max(len(line) for line in lines), 132)
            for word in clients + MANY:
                self.assertIn(word, screen)
            self.assertNotIn("...", text + screen)


if __name__ == "__main__":
    unittest.main()
