# SPDX-License-Identifier: Apache-2.0
"""Reloads: many at once, and those that fail."""
import signal
import time
import unittest

from harness import SLOWER, ServedTest, wait_for

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


if __name__ == "__main__":
    unittest.main()
