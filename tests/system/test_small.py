# SPDX-License-Identifier: Apache-2.0
"""A small machine: one core and 64 MB of memory for a million names and a full cache."""
import contextlib
import os
import pwd
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

import dnswire
from harness import SLOWER, USER, Box, Nsd, as_user

NAMES, LIMIT_MB = 1_000_000, 64
TEXT = "x" * 200
ZONE = f"""$TTL 86400
@ SOA ns.test. admin.test. 1 3600 600 86400 60
@ NS ns.test.
* TXT "{TEXT}"
"""
GLUTTON = "import os; os.write(1, b'.'); x = bytearray(200 << 20); x[::4096] = b'1' * len(x[::4096])"


class MemoryGroup:
    """A control group with a memory limit, where we may make one and it is enforced."""
    PLACES = [place for place in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
                                  ("/sys/fs/cgroup", "memory.max"))
              if os.path.exists(os.path.join(place[0], "cgroup.procs"))]

    def __init__(self, stack):
        self.path = None
        for base, limit in self.PLACES:
            path = os.path.join(base, f"greengate-test-{os.getpid()}")
            try:
                os.mkdir(path)
                stack.callback(os.rmdir, path)
                with open(os.path.join(path, limit), "w", encoding="ascii") as out:
                    out.write(str(LIMIT_MB << 20))
                if USER:
                    os.chown(os.path.join(path, "cgroup.procs"), pwd.getpwnam(USER).pw_uid, -1)
                self.path = path
                done = subprocess.run([sys.executable, "-S", "-c", GLUTTON], check=False,
                                      stdout=subprocess.DEVNULL, preexec_fn=self.enter, **as_user())
                if done.returncode == -9:
                    return
            except (OSError, subprocess.SubprocessError):
                pass
            self.path = None

    def enter(self):
        with open(os.path.join(self.path, "cgroup.procs"), "w", encoding="ascii") as out:
            out.write(str(os.getpid()))


def ask_many(address, names, kind):
    """Ask all, 100 at a time; how many were answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(address)
        answered = 0
        for at in range(0, len(names), 100):
            waiting = set()
            for number, name in enumerate(names[at:at + 100]):
                packet = dnswire.query(name, kind)
                one.send(struct.pack("!H", number) + packet[2:])
                waiting.add(number)
            while waiting and select.select([one], [], [], 5)[0]:
                waiting.discard(struct.unpack_from("!H", one.recv(2048))[0])
            answered += len(names[at:at + 100]) - len(waiting)
        return answered


class Small(unittest.TestCase):
    def test_a_million_names_on_one_core_in_64_mb(self):
        if SLOWER > 1:
            self.skipTest("a sanitizer needs memory of its own")
        stack = self.enterContext(contextlib.ExitStack())
        nsd = stack.enter_context(Nsd({".": ZONE}))
        folder = tempfile.mkdtemp(prefix="gg-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        stack.callback(shutil.rmtree, folder, True)
        box = Box({"server": {"workers": 1, "control_socket": os.path.join(folder, "c.sock")}},
                  upstream=[nsd.url], start=False,
                  lists=[("big", "adult", (f"n{n}.blocked{n % 997}.com" for n in range(NAMES)))])
        box.make_folder(folder)
        stack.enter_context(box)
        group = MemoryGroup(stack)

        def narrow():
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
            if group.path:
                group.enter()
        box.start(preexec_fn=narrow)
        fresh = [f"u{n}.filler.test" for n in range(120_000)]
        listed = [f"n{n}.blocked{n % 997}.com" for n in range(0, NAMES, 53)]
        self.assertEqual(ask_many(box.address, fresh, "TXT"), len(fresh))
        self.assertEqual(ask_many(box.address, listed, "A"), len(listed))
        self.assertEqual(box.ask(listed[-1]).ede[0][0], 17)
        self.assertEqual(box.ask(fresh[-1], "TXT").rcode, "NOERROR")
        status = box.json("status")
        self.assertGreater(status["cache"]["bytes"], 20 << 20)
        self.assertLess(box.daemon.peak_kb() / 1024, LIMIT_MB)
        self.assertEqual(box.daemon.stop(), 0)  # and leaves its cache to the next
        box.start(preexec_fn=narrow)
        self.assertEqual(box.ask(listed[0]).ede[0][0], 17)
        if not folder.startswith("/tmp"):
            self.assertIn("answers of the last run kept", box.daemon.text())
        self.assertLess(box.daemon.peak_kb() / 1024, LIMIT_MB)
        box.daemon.stop()

    test_a_million_names_on_one_core_in_64_mb.seconds = 120


if __name__ == "__main__":
    unittest.main()
