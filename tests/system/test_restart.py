# SPDX-License-Identifier: Apache-2.0
"""What survives a restart: the cache, in memory alone."""
import os
import signal
import subprocess
import tempfile
import unittest

import dnswire
from fakeupstream import FakeUpstream, Send
from harness import Box, wait_for
from systemd import Manager

NAMES = [f"host{n}.test" for n in range(50)]
FILE = "cache.image"


def answer(asked, _):
    return [Send(dnswire.answer(asked, [(None, "A", "192.0.2.7", 3600)]))]


class CacheOverRestart(unittest.TestCase):
    def setUp(self):
        self.upstream = self.enterContext(FakeUpstream(answer))

    def make_box(self, config=None):
        return self.enterContext(Box(config, upstream=[self.upstream.url], start=False))

    def ask_all(self, box):
        """How many of the names were asked of the upstream."""
        before = self.upstream.count()
        for name in NAMES:
            self.assertEqual(box.ask(name).texts(), ["192.0.2.7"])
        return self.upstream.count() - before

    def restart_with(self, manager, box):
        box.daemon.stop()
        manager.start(box)

    def managed(self):
        box = self.make_box()
        manager = Manager(box.folder)
        self.addCleanup(manager.close)
        manager.start(box)
        self.assertEqual(self.ask_all(box), len(NAMES))
        return box, manager

    def test_by_the_service_managers_store(self):
        box, manager = self.managed()
        self.restart_with(manager, box)
        self.assertEqual(self.ask_all(box), 0)
        self.assertIn("50 answers of the last run kept", box.daemon.text())
        wait_for(lambda: not manager.store, "the store to be emptied")
        self.restart_with(manager, box)  # and once more
        self.assertEqual(self.ask_all(box), 0)

    def test_nothing_on_a_disk_and_nobody_can_read_it(self):
        box, manager = self.managed()
        box.daemon.stop()
        wait_for(lambda: manager.store, "the descriptor")
        (name, fd), = manager.store
        self.assertEqual(name, "greengate-cache")
        self.assertTrue(os.readlink(f"/proc/self/fd/{fd}").startswith("/memfd:"))
        for folder, _, files in os.walk(box.folder):
            for file in files:
                path = os.path.join(folder, file)
                if os.path.isfile(path) and not path.endswith(".log"):
                    with open(path, "rb") as content:
                        self.assertNotIn(b"host7", content.read(), path)

    def test_damaged_is_not_used(self):
        box, manager = self.managed()
        box.daemon.stop()
        wait_for(lambda: manager.store, "the descriptor")
        fd = manager.store[0][1]
        os.pwrite(fd, b"x", 2000)
        manager.start(box)
        self.assertIn("it is damaged", box.daemon.text())
        self.assertEqual(self.ask_all(box), len(NAMES))
        wait_for(lambda: not manager.store, "the store to be emptied")

    def test_a_crash_loses_the_cache_and_nothing_else(self):
        box, manager = self.managed()
        box.daemon.process.send_signal(signal.SIGKILL)
        box.daemon.process.wait()
        manager.start(box)
        self.assertEqual(self.ask_all(box), len(NAMES))

    def in_memory(self):
        """A box whose control socket lies in a tmpfs."""
        if not os.access("/dev/shm", os.W_OK) or fs_type("/dev/shm") != "tmpfs":
            self.skipTest("/dev/shm is no tmpfs here")
        folder = tempfile.mkdtemp(prefix="gg-", dir="/dev/shm")
        self.addCleanup(subprocess.run, ["rm", "-rf", folder], check=True)
        box = self.make_box({"server": {"control_socket": os.path.join(folder, "c.sock")}})
        box.make_folder(folder)
        box.start()
        self.assertEqual(self.ask_all(box), len(NAMES))
        return box, os.path.join(folder, FILE)

    def test_by_a_file_in_memory(self):
        box, path = self.in_memory()
        self.assertFalse(os.path.exists(path))
        box.daemon.stop()
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        box.start()
        self.assertFalse(os.path.exists(path))
        self.assertEqual(self.ask_all(box), 0)

    def test_a_file_that_others_could_read_is_not_used(self):
        box, path = self.in_memory()
        box.daemon.stop()
        os.chmod(path, 0o644)
        box.start()
        self.assertFalse(os.path.exists(path))
        self.assertEqual(self.ask_all(box), len(NAMES))

    def test_a_link_is_not_followed(self):
        box, path = self.in_memory()
        box.daemon.stop()
        other = path + ".other"
        os.rename(path, other)
        os.symlink(other, path)
        box.start()
        self.assertEqual(self.ask_all(box), len(NAMES))
        self.assertTrue(os.path.exists(other))

    def test_no_file_where_the_folder_is_on_a_disk(self):
        box = self.make_box()
        if fs_type(box.folder) in ("tmpfs", "ramfs"):
            self.skipTest("/tmp is in memory here")
        box.start()
        self.ask_all(box)
        box.daemon.stop()
        self.assertNotIn(FILE, os.listdir(box.folder))


def fs_type(path):
    return subprocess.run(["stat", "-f", "-c", "%T", path], check=True, capture_output=True,
                          text=True).stdout.strip()


if __name__ == "__main__":
    unittest.main()
