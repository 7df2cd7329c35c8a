# SPDX-License-Identifier: Apache-2.0
"""When `greengate update --if-due` asks, what it remembers, and what the units that call it say."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

from harness import BUILD, ROOT, ServedTest
from listserver import UpdateTest, names


def minute_of_day(seconds):
    now = time.gmtime(time.time() + seconds)
    return f"{now.tm_hour:02}:{now.tm_min:02}"


class Due(UpdateTest):
    def setUp(self):
        super().setUp()
        self.routes["/list"] = names(50)

    def edit(self, name, **values):
        path = os.path.join(self.state, "sources", f"{name}.json")
        with open(path, "r+", encoding="utf-8") as file:
            meta = {**json.load(file), **values}
            file.seek(0)
            file.truncate()
            json.dump(meta, file)

    def test_the_interval_of_all_and_of_one(self):
        self.configure(self.source("a", "/list"), self.source("b", "/list", update_every_h=24))
        self.update(0, "--if-due")
        self.update(0, "--if-due")
        self.assertEqual(len(self.seen), 2)
        for hours, asked in ((5, []), (7, ["a"]), (23, ["a"]), (27, ["a", "b"])):
            with self.subTest(hours):
                for name in ("a", "b"):
                    self.edit(name, checked_at=time.time() - hours * 3600)
                done = self.update(0, "--if-due")
                self.assertEqual([s["id"] for s in done["sources"] if s["status"] != "kept"], asked)

    def test_windows(self):
        closed = f"{minute_of_day(3600)}-{minute_of_day(7200)} UTC"
        opened = f"{minute_of_day(-3600)}-{minute_of_day(7200)} UTC"
        self.configure(self.source("a", "/list"), update_window=closed)
        done = self.greengate("update", "--if-due")
        self.assertEqual((done.returncode, done.stdout),
                         (0, "a                        not asked; there is no copy\n"
                             "nothing is due, and no list was fetched yet\n"))
        self.assertEqual(self.seen, [])
        self.configure(self.source("a", "/list"),
                       self.source("b", "/list", update_window=opened), update_window=closed)
        done = self.update(0, "--if-due")
        self.assertEqual([s["status"] for s in done["sources"]], ["kept", "updated"])
        self.update(0)  # by hand: at once
        self.assertEqual(len(self.seen), 3)

    def test_a_failing_server_is_left_alone(self):
        self.routes["/busy"] = lambda handler: handler.send(b"", 503, Retry_After="7200")
        self.routes["/greedy"] = lambda handler: handler.send(b"", 429, Retry_After="99999999")
        self.routes["/hasty"] = lambda handler: handler.send(b"", 503, Retry_After="1")
        self.configure(*(self.source(name, f"/{name}")
                         for name in ("busy", "greedy", "hasty", "gone")))
        self.update(1, "--if-due")
        for name, pause in (("busy", 7200), ("greedy", 86400), ("hasty", 900), ("gone", 900)):
            meta = self.meta(name)
            self.assertEqual(meta["retry_at"] - meta["tried_at"], pause, name)
            self.assertEqual(meta["failures"], 1)
        self.assertEqual(self.update(0, "--if-due")["installed"], False)
        self.assertEqual(len(self.seen), 4)
        shown = self.greengate("lists", "show", "busy").stdout
        self.assertRegex(shown, r"(?m)^next try +\d{4}-\d\d-\d\d \d\d:\d\d, after 1 failure$")
        self.edit("gone", retry_at=time.time() - 1)
        self.update(1, "--if-due")
        meta = self.meta("gone")
        self.assertEqual((meta["failures"], meta["retry_at"] - meta["tried_at"]), (2, 1800))
        self.assertEqual(len(self.seen), 5)

    def test_it_steps_back(self):
        seen, started = [], threading.Event()

        def look(handler):
            started.wait(60)
            pid = child.pid
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                seen.append(int(file.read().rsplit(")", 1)[1].split()[16]))
            seen.append(subprocess.run(["ionice", "-p", str(pid)], capture_output=True, text=True,
                                       check=False).stdout.strip())
            handler.send(names(50))
        self.routes["/list"] = look
        self.configure(self.source("a", "/list"))
        child = subprocess.Popen(self.command("update", "--if-due"), env=self.environment(),
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        started.set()
        child.communicate(timeout=60)
        self.assertEqual(seen, [19, "idle"])
        self.assertEqual(child.returncode, 0)


class Status(ServedTest):
    def test_overdue_and_expired_are_degraded(self):
        """The daemon reads what the last update wrote down."""
        box = self.box(lists=[("a", "adult", [f"n{i}.example" for i in range(50)])])
        path = os.path.join(box.state, "sources", "a.json")
        with open(path, encoding="utf-8") as file:
            meta = json.load(file)
        rows = [(17, 0, None), (19, 0, "list a was last updated at"),
                (1, -60, "list a, by its signature, expired at"), (1, 3600, None)]
        for hours, expires, says in rows:
            with self.subTest((hours, expires)):
                now = int(time.time())
                with open(path, "w", encoding="utf-8") as file:
                    json.dump({**meta, "checked_at": now - hours * 3600,
                               "expires": now + expires if expires else 0}, file)
                status = box.json("status")
                if says:
                    self.assertIn(says, status["reasons"][0])
                self.assertEqual(status["state"], "degraded" if says else "protected",
                                 status["reasons"])

    def test_a_source_of_its_own_interval(self):
        lists = [("a", "adult", ["a.example"], {"update_every_h": 1, "update_window": "02:00-03:00"}),
                 ("b", "adult", ["b.example"], {"update_every_h": 1})]
        box = self.box(lists=lists)
        for name in ("a", "b"):
            path = os.path.join(box.state, "sources", f"{name}.json")
            with open(path, encoding="utf-8") as file:
                meta = json.load(file)
            with open(path, "w", encoding="utf-8") as file:
                json.dump({**meta, "checked_at": int(time.time()) - 4 * 3600}, file)
        reasons = box.json("status")["reasons"]
        self.assertEqual(len(reasons), 1, reasons)
        self.assertIn("list b was last updated", reasons[0])


class Units(unittest.TestCase):
    """What calls `update --if-due` on a machine."""

    def read(self, *path):
        with open(os.path.join(ROOT, "packaging", *path), encoding="utf-8") as file:
            return file.read()

    def test_the_unit_and_its_timer(self):
        service, timer = (self.read("systemd", f"greengate-update.{kind}")
                          for kind in ("service", "timer"))
        for line in ("ExecStart=/usr/bin/greengate update --if-due", "Type=oneshot", "Nice=19",
                     "IOSchedulingClass=idle", "NoNewPrivileges=yes", "ProtectSystem=strict",
                     "MemoryDenyWriteExecute=yes"):
            self.assertIn(f"\n{line}\n", service)
        for line in ("Persistent=yes", "WantedBy=timers.target"):
            self.assertIn(f"\n{line}\n", timer)
        self.assertRegex(timer, r"\nRandomizedDelaySec=\d+min\n")
        self.assertRegex(timer, r"\nOnCalendar=\S+\n")

    def names(self):
        return sorted(name for name in os.listdir(os.path.join(ROOT, "packaging", "systemd"))
                      if not name.endswith(".conf"))

    def test_they_are_installed(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="gg-"))
        done = subprocess.run(["make", "-s", "install", f"DESTDIR={folder}", "PREFIX=/usr/local",
                               f"MODE={os.path.basename(BUILD)}", f"BUILD={os.path.dirname(BUILD)}"],
                              cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        units = os.path.join(folder, "usr/local/lib/systemd/system")
        self.assertEqual(sorted(os.listdir(units)), self.names())
        with open(os.path.join(units, "greengate-update.service"), encoding="utf-8") as file:
            self.assertIn("ExecStart=/usr/local/bin/greengate update --if-due\n", file.read())

    def test_systemd_understands_them(self):
        analyze = shutil.which("systemd-analyze")
        if not analyze:
            self.skipTest("systemd-analyze is not installed")
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="gg-"))
        for name in self.names():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
                out.write(re.sub("/usr/s?bin/", os.path.join(BUILD, ""), self.read("systemd", name)))
        units = [os.path.join(folder, name) for name in self.names()]
        done = subprocess.run([analyze, "verify", "--recursive-errors=no", "--man=no", *units],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
