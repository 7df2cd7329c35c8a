# SPDX-License-Identifier: Apache-2.0
"""Reloads: many at once, and those that fail."""
import os
import signal
import subprocess
import time
import unittest

from harness import SLOWER, ServedTest, as_user, wait_for

NAMES = [f"b{number}.example" for number in range(2000)]
LISTS = [("adult-list", "adult", NAMES)]


def resident_kb(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


class Burst(ServedTest):
    def test_a_burst_of_sighup_costs_no_memory_and_no_time(self):
        box = self.box(lists=LISTS)
        box.cli("reload")
        before = resident_kb(box.daemon.process)
        for _ in range(300):
            box.daemon.process.send_signal(signal.SIGHUP)
            time.sleep(0.004)
        began = time.monotonic()
        self.assertEqual(box.cli("status").returncode, 0)
        self.assertLess(time.monotonic() - began, 1 * SLOWER)
        self.assertLess(resident_kb(box.daemon.process), before + 20000 * SLOWER)
        for _ in range(300):
            box.daemon.process.send_signal(signal.SIGHUP)
        began = time.monotonic()
        self.assertEqual(box.daemon.stop(), 0)
        self.assertLess(time.monotonic() - began, 2 * SLOWER + 0.5)

    def test_the_last_sighup_of_a_burst_counts(self):
        box = self.box(lists=LISTS)
        for _ in range(50):
            box.daemon.process.send_signal(signal.SIGHUP)
        box.config["block"] = {"mode": "nxdomain"}
        box.write_config()
        box.daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: box.ask("b7.example").rcode == "NXDOMAIN", "the new mode")


class Failed(ServedTest):
    SAID = "the last reload failed, the configuration before is in force: "

    def said(self, box):
        status = box.json("status")
        reasons = [one for one in status["reasons"] if one.startswith(self.SAID)]
        if reasons:
            self.assertEqual(status["state"], "degraded")
        return reasons[0][len(self.SAID):] if reasons else ""

    def test_a_mistake_in_the_file_degrades_until_it_is_mended(self):
        box = self.box(lists=LISTS)
        good = dict(box.config)
        box.config = {**good, "blok": {"mode": "nxdomain"}}
        box.write_config()
        box.daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "greengate.yaml:" in self.said(box), "the reason")
        self.assertIn("blok", self.said(box))
        self.assertFalse([one for one in box.json("status")["reasons"] if "newest database" in one])
        box.config = good
        box.write_config()
        self.assertEqual(box.cli("reload").returncode, 0)
        self.assertEqual(self.said(box), "")
        box.config = {**good, "blok": {}}
        box.write_config()
        self.assertEqual(box.cli("reload").returncode, 4)
        self.assertIn("blok", self.said(box))

    def test_a_file_that_cannot_be_read_is_not_called_a_database(self):
        box = self.box(lists=LISTS)
        os.rename(box.path, box.path + ".away")
        box.daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "reload failed" in box.daemon.text(), "the failure")
        os.rename(box.path + ".away", box.path)
        self.assertIn("No such file", self.said(box))
        reasons = box.json("status")["reasons"]
        self.assertFalse([one for one in reasons if "newest database" in one], reasons)

    def limit_files(self, box, most):
        subprocess.run(["prlimit", f"--pid={box.daemon.process.pid}", f"--nofile={most}:"],
                       check=True, **as_user())

    def test_without_descriptors(self):
        box = self.box(lists=LISTS)
        with open(f"/proc/{box.daemon.process.pid}/limits", encoding="ascii") as lines:
            before = next(line.split()[3] for line in lines if line.startswith("Max open files"))
        self.limit_files(box, 4)
        box.daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "reload failed" in box.daemon.text(), "the failure")
        self.limit_files(box, before)
        self.assertIn("Too many open files", self.said(box))
        reasons = box.json("status")["reasons"]
        self.assertFalse([one for one in reasons if "newest database" in one], reasons)
        self.assertEqual(box.cli("reload").returncode, 0)
        self.assertEqual(self.said(box), "")

    def test_a_damaged_database(self):
        box = self.box(lists=LISTS)
        path = os.path.join(box.state, "generations", "000001.ggdb")
        with open(path, "rb") as file:
            content = file.read()
        os.unlink(path)  # what is mapped stays whole
        with open(path, "wb") as file:
            file.write(content[:-100])
        self.assertNotEqual(box.cli("reload").returncode, 0)
        self.assertIn(".ggdb", self.said(box))
        self.assertTrue([one for one in box.json("status")["reasons"] if "newest database" in one])
        self.assertEqual(box.ask("b7.example").ede[0][0], 17)

    def test_update_does_not_say_that_a_refused_generation_is_in_force(self):
        box = self.box(lists=LISTS)
        with open(os.path.join(box.state, "rules.yaml"), "w", encoding="ascii") as file:
            file.write("nonsense: [\n")
        box.write("adult-list.list", "\n".join([*NAMES, "more.example"]) + "\n")
        done = box.cli("update")
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("is in force", done.stdout)
        self.assertIn("generation 2 is made, but greengated did not take it", done.stdout)


if __name__ == "__main__":
    unittest.main()
