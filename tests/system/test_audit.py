# SPDX-License-Identifier: Apache-2.0
"""The audit log: who changed what, in a chain that shows what was changed afterwards."""
import hashlib
import json
import os
import signal
import subprocess
import unittest

from harness import USER, Box, wait_for


class Audit(unittest.TestCase):
    def setUp(self):
        self.box = self.enterContext(Box(config={"groups": [
            {"name": "staff", "clients": ["10.0.0.0/8"], "block": []},
            {"name": "pupils", "clients": [], "block": ["adult"]}]}))
        self.path = os.path.join(self.box.state, "audit.log")

    def lines(self):
        with open(self.path, encoding="utf-8") as log:
            return [json.loads(line) for line in log]

    def test_each_change_with_who_and_why(self):
        self.assertEqual(self.box.cli("audit", "verify").returncode, 1)
        self.box.cli("block", "games.example", "--group", "pupils", "--for", "2h", "--note", "Ms Kim")
        self.box.cli("allow", "school.example")
        self.box.cli("rules", "remove", "school.example")
        self.box.cli("pause", "--group", "pupils", "--for", "10m", "--note", "lesson")
        self.box.cli("resume")
        self.box.cli("reload")
        self.box.cli("status")
        self.box.cli("check", "games.example")
        self.assertEqual(self.box.cli("allow", "bad name!").returncode, 2)
        lines = self.lines()
        self.assertEqual([one["command"] for one in lines],
                         ["block", "allow", "remove", "window", "close-window", "reload"])
        self.assertEqual(lines[0]["details"]["note"], "Ms Kim")
        self.assertEqual(lines[0]["details"]["name"], "games.example")
        uid = int(subprocess.run(["id", "-u", USER], capture_output=True, text=True, check=True).stdout) \
            if USER else os.getuid()
        self.assertEqual({one["uid"] for one in lines}, {uid})
        text = self.box.cli("audit").stdout
        for words in ("games.example", "Ms Kim", "lesson", "close-window", USER or ""):
            self.assertIn(words, text)
        self.assertEqual(len(self.box.json("audit", "--since", "1h")["entries"]), 6)

    def test_anybody_can_check_the_chain(self):
        for number in range(3):
            self.box.cli("block", f"n{number}.example")
        previous = "0" * 64
        with open(self.path, encoding="utf-8") as log:
            for line in log:
                body, _, tail = line.rstrip("\n").rpartition(',"hash":"')
                digest = hashlib.sha256(body.encode()).hexdigest()
                self.assertEqual(tail, digest + '"}')
                self.assertEqual(json.loads(line)["previous"], previous)
                previous = digest
        good = self.box.json("audit", "verify")
        self.assertEqual((good["lines"], good["broken"], good["last_hash"]), (3, [], previous))
        self.assertEqual(self.box.cli("audit", "verify", "--expect", previous).returncode, 0)
        self.assertEqual(self.box.cli("audit", "verify", "--expect", "f" * 64).returncode, 5)
        told = json.loads(self.box.cli("--json", "audit", "verify", "--expect", "00").stdout)
        self.assertEqual((told["ok"], told["exit"], told["broken"]), (False, 5, []))
        self.assertIn("no line has the hash 00", told["error"])

    def test_what_was_changed_afterwards(self):
        for number in range(3):
            self.box.cli("block", f"n{number}.example")
        with open(self.path, "r+", encoding="utf-8") as log:
            text = log.read()
            log.seek(0)
            log.write(text.replace("n1.example", "m1.example"))
        done = self.box.cli("audit", "verify")
        self.assertEqual(done.returncode, 5)
        self.assertIn("audit.log:2: the line was changed", done.stdout)
        self.assertIn("audit.log:3: the line does not follow", done.stdout)
        self.assertIn("cannot be trusted", self.box.cli("audit").stdout)

    def test_the_chain_goes_on_after_a_kill_and_a_signal(self):
        self.box.cli("block", "a.example")
        self.box.daemon.process.kill()
        self.box.daemon.process.wait()
        self.box.start()
        self.box.daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(self.lines()) == 2, "the signal's line")
        self.assertEqual((self.lines()[1]["command"], self.lines()[1]["uid"]), ("reload", -1))
        self.box.cli("block", "b.example")
        self.assertEqual(self.box.json("audit", "verify")["lines"], 3)

    def test_a_log_that_cannot_be_written_stops_nothing(self):
        os.mkdir(self.path)
        done = self.box.cli("block", "a.example")
        self.assertEqual(done.returncode, 0)
        self.assertTrue(self.box.json("check", "a.example")["blocked"])
        self.assertIn("audit.log", " ".join(self.box.json("status")["reasons"]))
        os.rmdir(self.path)
        self.box.cli("block", "b.example")
        self.assertNotIn("audit.log", " ".join(self.box.json("status")["reasons"]))
        self.assertEqual(self.lines()[0]["missing_before"], 1)

    def test_commands_without_a_daemon(self):
        self.box.daemon.stop()
        self.box.write("own.list", "bad.example\n")
        done = self.box.cli("lists", "add", "own", "--url", f"file://{self.box.folder}/own.list", "--category", "adult")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([one["command"] for one in self.lines()], ["change"])
        self.assertIn("own.list", json.dumps(self.lines()[0]["details"]))
        self.box.start()
        self.box.cli("block", "a.example")
        self.assertEqual(self.box.json("audit", "verify")["lines"], 2)


if __name__ == "__main__":
    unittest.main()
