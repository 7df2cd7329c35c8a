# SPDX-License-Identifier: Apache-2.0
"""What the state says while something is broken."""
import json
import os
import resource
import socket
import unittest

import dnswire
from fakeupstream import FakeUpstream, address
from harness import BUILD, Box, ServedTest, wait_for

PRELOAD = os.path.join(BUILD, "tests", "faults.so")


class Upstream(unittest.TestCase):
    def test_a_worker_that_has_not_asked_since_does_not_vouch(self):
        answering = [True]

        def handler(asked, transport):
            return address(ttl=1)(asked, transport) if answering[0] else []
        with FakeUpstream(handler) as fake, Box({"server": {"workers": 4}}, upstream=[fake.url]) as box:
            reason = "no upstream answers; see upstream.servers"

            def reasons():
                return box.json("status")["reasons"]
            for number in range(200):  # each worker has heard it
                box.ask(f"n{number}.test")
            self.assertNotIn(reason, reasons())
            answering[0] = False
            box.send(b"\0\1\1\0\0\1\0\0\0\0\0\0\4gone\4test\0\0\1\0\1", timeout=6)
            wait_for(lambda: reason in reasons(), "the outage")
            self.assertFalse(box.json("status")["upstreams"][0]["ok"])
            answering[0] = True
            wait_for(lambda: box.ask("back.test", timeout=6).rcode == "NOERROR", "answers")
            wait_for(lambda: reason not in reasons(), "the end of it")

    def test_too_few_descriptors_are_told_and_counted(self):
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (800, 800))
        with FakeUpstream(lambda asked, transport: []) as fake, \
                Box({"server": {"workers": 2}}, upstream=[fake.url], start=False) as box:
            box.start(preexec_fn=few)
            self.assertIn("only 32 questions at once can be asked: raise LimitNOFILE",
                          box.json("status")["reasons"])
            self.assertIn("raise LimitNOFILE", box.daemon.text())
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                for number in range(200):
                    client.sendto(dnswire.query(f"n{number}.test"), box.address)
                wait_for(lambda: self.count(box) > 0, "the counter")
            wait_for(lambda: any("overloaded" in one for one in box.json("status")["reasons"]), "it")

    @staticmethod
    def count(box):
        return next(float(line.split()[-1]) for line in box.cli("metrics").stdout.splitlines()
                    if line.startswith('greengate_dropped_total{reason="no-socket"}'))


class Lists(ServedTest):
    LISTS = [("adult-list", "adult", ["bad.example"])]

    def test_a_pin_is_told_and_no_timer_is_blamed(self):
        box = self.box(lists=self.LISTS)
        box.write("adult-list.list", "bad.example\nmore.example\n")
        box.json("update")
        self.assertEqual(box.json("status")["reasons"], [])
        box.json("rollback", "1")
        path = os.path.join(box.state, "sources", "adult-list.json")
        with open(path, encoding="utf-8") as file:
            known = json.load(file)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**known, "checked_at": 1, "fetched_at": 1}, file)
        reasons = box.json("status")["reasons"]
        self.assertEqual(len(reasons), 1, reasons)
        self.assertRegex(reasons[0], r"^generation 1 is pinned by rollback since \d{4}-\d\d-\d\d; "
                                     r"`greengate update --force` ends that$")
        box.json("update", "--force")
        self.assertEqual(box.json("status")["reasons"], [])

    def test_a_full_disk(self):
        box = self.box(lists=self.LISTS)
        box.write("adult-list.list", "bad.example\nmore.example\n")
        count = box.write("count", bytes(64))
        os.chmod(count, 0o666)
        done = box.cli("update", env={**os.environ, "LD_PRELOAD": PRELOAD, "GREENGATE_FAULT": "enospc:5",
                                      "GREENGATE_FAULT_ROOT": box.state,
                                      "GREENGATE_FAULT_COUNT": count})
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("; the last good copy is kept", done.stdout)
        self.assertNotIn("no good copy", done.stdout)

    def test_a_deleted_control_socket_is_told(self):
        box = self.box()
        os.unlink(os.path.join(box.folder, "web.sock"))
        self.assertIn(f"the control socket {box.folder}/web.sock was deleted: restart greengated",
                      box.json("status")["reasons"])

    def test_no_room_for_another_database_is_told(self):
        box = self.box(lists=self.LISTS)
        path = os.path.join(box.state, "blocklist.ggdb")
        os.unlink(path)
        with open(path, "wb") as file:  # as if it were that large
            file.truncate(1 << 43)
        status = box.json("status")
        self.assertEqual(status["state"], "degraded")
        self.assertRegex(status["reasons"][0], r"^the disk of .* is full: \d+ MiB are left")


if __name__ == "__main__":
    unittest.main()
