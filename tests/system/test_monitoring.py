# SPDX-License-Identifier: Apache-2.0
"""What Prometheus and Grafana are given names metrics and labels that the daemon has."""
import json
import os
import re
import shutil
import subprocess
import unittest

from fakeupstream import FakeUpstream, address
from harness import Box

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
RULES = os.path.join(ROOT, "packaging", "prometheus")
DASHBOARD = os.path.join(ROOT, "packaging", "grafana", "greengate.json")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Monitoring(unittest.TestCase):
    def test_every_metric_is_one_of_ours(self):
        upstream = self.enterContext(FakeUpstream(address("198.51.100.1")))
        box = self.enterContext(Box(upstream=[upstream.url], lists=[("bad", "adult", ["bad.test"])]))
        box.ask("bad.test")
        box.ask("free.test")
        lines = box.cli("metrics").stdout.splitlines()
        described = {line.split()[2] for line in lines if line.startswith("# TYPE")}
        has = described | {f"{name}_{part}" for name in described for part in ("bucket", "count", "sum")}
        documented = set(re.findall(r"`(greengate_[a-z_]+)`", read(os.path.join(ROOT, "docs", "metrics.md"))))
        for text in (read(os.path.join(RULES, "greengate.rules.yaml")), read(DASHBOARD)):
            used = set(re.findall(r"greengate_[a-z_]+", text))
            self.assertGreater(len(used), 5)
            self.assertEqual(used - has, set())
        self.assertEqual(described - documented, set())
        self.assertIn("greengate_reviews_waiting 0", lines)

    def test_health(self):
        """By address or our own name; never in place of a blocked site's path. It tells when nobody filters."""
        upstream = self.enterContext(FakeUpstream(address("198.51.100.1")))
        box = self.enterContext(Box(upstream=[upstream.url], lists=[("bad", "adult", ["bad.test"])], web=True,
                                    config={"web": {"reviews": False}}))
        path = "/greengate/health"
        status, headers, body = box.page("127.0.0.1", path)
        self.assertEqual((status, headers["content-type"], headers["cache-control"]), (200, "application/json", "no-store"))
        self.assertEqual(json.loads(body), {"web": "ok", "daemon": "protected"})
        self.assertEqual(box.page("greengate.lan", path)[0], 200)
        self.assertIn("<html", box.page("bad.test", path)[2])
        box.daemon.stop()
        status, _, body = box.page("127.0.0.1", path)
        self.assertEqual((status, json.loads(body)), (503, {"web": "ok", "daemon": "down"}))

    def test_the_dashboard_is_whole(self):
        board = json.loads(read(DASHBOARD))
        places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in board["panels"]]
        self.assertEqual(len(set(places)), len(places))
        self.assertEqual(len({p["id"] for p in board["panels"]}), len(places))
        for panel in board["panels"]:
            self.assertTrue(panel["title"] and panel["targets"], panel["title"])
            for target in panel["targets"]:
                self.assertEqual(target["expr"].count("("), target["expr"].count(")"), target["expr"])

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
    def test_the_alerts_fire_when_they_should(self):
        for arguments in (("check", "rules", "greengate.rules.yaml"), ("test", "rules", "greengate.test.yaml")):
            done = subprocess.run(["promtool", *arguments], cwd=RULES, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
