# SPDX-License-Identifier: Apache-2.0
"""An update that is killed or fails at each of its changes: what was in force stays in force, and
the next run cleans up and succeeds."""
import json
import os
import re
import shutil
import struct
import unittest

from harness import BUILD
from listserver import UpdateTest, names

PRELOAD = os.path.join(BUILD, "tests", "faults.so")
LEFT = re.compile(r"\.(part|tmp\d*|new\.zst|json\.tmp)$")


@unittest.skipIf(os.path.basename(BUILD) in ("asan", "tsan"),
                 "a sanitizer must be loaded before anything else")
class Faults(UpdateTest):
    """Two lists in force as generation 1, newer ones on the server."""

    def setUp(self):
        super().setUp()
        self.routes["/a"], self.routes["/b"] = names(50), names(50, 1000)
        self.configure(self.source("a", "/a"), self.source("b", "/b"))
        self.update(0)
        self.base = os.path.join(self.folder, "base")
        shutil.copytree(self.state, self.base, symlinks=True)
        self.routes["/a"], self.routes["/b"] = names(60), names(60, 1000)

    def restore(self):
        shutil.rmtree(self.state)
        shutil.copytree(self.base, self.state, symlinks=True)

    def run_with(self, fault, *words):
        count = self.write("count", bytes(16))
        done = self.greengate("--json", *words, LD_PRELOAD=PRELOAD, GREENGATE_FAULT=fault,
                              GREENGATE_FAULT_ROOT=self.state, GREENGATE_FAULT_COUNT=count)
        with open(count, "rb") as file:
            self.steps = struct.unpack("=Q", file.read(8))[0]
        return done

    def steps_of(self, *words):
        log = self.write("log", "")
        done = self.run_with(f"log:{log}", *words)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        with open(log, encoding="utf-8") as file:
            steps = file.read().splitlines()
        self.assertEqual(len(steps), self.steps)
        return [step.replace(self.state, "") for step in steps]

    def leftovers(self):
        return [name for folder in (self.state, f"{self.state}/sources", f"{self.state}/generations")
                for name in os.listdir(folder) if LEFT.search(name)]

    def still_whole(self):
        """One of the two generations is in force, and whole."""
        self.assertTrue(self.checked("n7.example"))
        self.assertTrue(self.checked("n1007.example"))
        listed = json.loads(self.greengate("--json", "lists", "generations").stdout)
        force = [g for g in listed["generations"] if g["in_force"]]
        self.assertEqual(len(force), 1)
        self.assertIn(force[0]["names"], (100, 110, 120))
        self.assertEqual([g for g in listed["generations"] if g["damaged"]], [])
        for name in ("a", "b"):
            self.assertGreater(self.meta(name)["fetched_at"], 0)

    def next_run_succeeds(self):
        done = self.update(0)
        self.assertEqual(done["names"], 120)
        self.assertTrue(self.checked("n1059.example"))
        self.assertEqual(self.leftovers(), [])
        self.assertEqual(sorted(os.listdir(os.path.join(self.state, "sources"))),
                         ["a.json", "a.zst", "b.json", "b.zst"])

    def test_the_steps_are_those_of_an_update(self):
        """Else the tests below walk past what they are for."""
        steps = "\n".join(self.steps_of("update"))
        for part in ("create /sources/a.part", "write", "create /sources/a.new.zst", "pwrite", "fsync",
                     "create /generations/next.tmp", "rename /generations/next.tmp",
                     "rename /generations/000002.ggdb", "symlink /blocklist.ggdb.tmp",
                     "rename /blocklist.ggdb", "rename /sources/a.zst", "create /sources/a.json.tmp",
                     "rename /sources/b.json"):
            self.assertIn(part, steps)

    def test_killed_at_each_step(self):
        steps = self.steps_of("update")
        for number, step in enumerate(steps, 1):
            with self.subTest(f"{number}: {step}"):
                self.restore()
                done = self.run_with(f"kill:{number}", "update")
                self.assertEqual(done.returncode, -9, done.stdout + done.stderr)
                self.still_whole()
                self.next_run_succeeds()

    def fail_at_each_step(self, kind, says):
        steps = self.steps_of("update")
        failed = 0
        for number, step in enumerate(steps, 1):
            with self.subTest(f"{number}: {step}"):
                self.restore()
                done = self.run_with(f"{kind}:{number}", "update")
                self.assertIn(done.returncode, (0, 1, 6), done.stdout + done.stderr)
                reply = json.loads(done.stdout)
                if done.returncode != 0:
                    failed += 1
                    texts = [reply["error"], *(s["error"] for s in reply.get("sources", []))]
                    self.assertIn(says, " ".join(texts))
                self.still_whole()
                self.next_run_succeeds()
        return failed, len(steps)

    def test_an_error_at_each_step(self):
        failed, steps = self.fail_at_each_step("eio", "Input/output error")
        self.assertGreater(failed, steps / 3)

    def test_a_disk_that_is_full_from_each_step_on(self):
        failed, steps = self.fail_at_each_step("enospc", "No space left on device")
        self.assertGreater(failed, steps / 2)

    def test_a_rollback_killed_at_each_step(self):
        self.update(0)
        shutil.rmtree(self.base)
        shutil.copytree(self.state, self.base, symlinks=True)
        for number, step in enumerate(self.steps_of("rollback"), 1):
            with self.subTest(f"{number}: {step}"):
                self.restore()
                self.assertEqual(self.run_with(f"kill:{number}", "rollback").returncode, -9)
                self.still_whole()
                self.update(0, "--force")


if __name__ == "__main__":
    unittest.main()
