# SPDX-License-Identifier: Apache-2.0
"""lists.memory_mb: what an update takes, and what it says when that is not enough."""
import gzip
import lzma
import os
import random
import shutil
import tempfile
import unittest

from harness import BUILD
from listserver import UpdateTest, names

MIB = 1 << 20
SHARED_MEMORY = "/dev/shm"


def many(count):
    """Names that do not resemble each other."""
    lot = random.Random(1)
    return "".join(f"{lot.randrange(36**8):x}{i:x}.e{i % 97}.example\n" for i in range(count)).encode()


class Memory(UpdateTest):
    @unittest.skipUnless(os.path.basename(BUILD) == "release", "sanitizers take more")
    def test_a_million_names_in_32_mib(self):
        text = many(1000000)
        self.routes["/plain"] = text
        self.routes["/xz"] = lzma.compress(text[:8 * MIB], preset=6)
        self.configure(self.source("plain", "/plain"), self.source("xz", "/xz"))
        most, done = self.peak("update")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(most, 16 * MIB)  # else nothing was seen
        self.assertLessEqual(most, 32 * MIB)

    def test_xz_keeps_to_its_share(self):
        self.routes["/xz"] = lzma.compress(names(50), preset=9)
        self.configure(self.source("a", "/xz"))
        self.assertRegex(self.error_of(1), r"xz needs 6\d MiB of memory to decompress this, and 16 "
                                           r"MiB are allowed: raise lists.memory_mb by (49|5\d)")
        self.configure(self.source("a", "/xz"), memory_mb=90)
        self.assertEqual(self.update(0)["names"], 50)


@unittest.skipUnless(os.path.isdir(SHARED_MEMORY) and os.access(SHARED_MEMORY, os.W_OK),
                     "no tmpfs to write to")
class InMemory(UpdateTest):
    """A router's state folder: its files are memory."""

    def setUp(self):
        super().setUp()
        self.state = tempfile.mkdtemp(prefix="gg-", dir=SHARED_MEMORY)
        self.addCleanup(shutil.rmtree, self.state, ignore_errors=True)

    def test_what_fits_is_done(self):
        self.routes["/list"] = many(100000)
        self.configure(self.source("a", "/list"))
        self.assertEqual(self.update(0)["names"], 100000)

    def test_a_download_that_does_not_fit(self):
        self.routes["/list"] = many(50)
        self.configure(self.source("a", "/list"), memory_mb=20)
        self.update(0)
        self.routes["/list"] = many(100000)
        done = self.update(5)
        self.assertIn("larger than lists.memory_mb allows where state_dir lies in memory",
                      done["sources"][0]["error"])
        self.assertTrue(done["sources"][0]["in_use"])

    def test_a_database_that_does_not_fit(self):
        """Names pack well, their hashes do not."""
        text = "".join(f"n{i:06}.example\n" for i in range(400000)).encode()
        self.routes["/list"] = gzip.compress(text)
        self.configure(self.source("good", "/good"))
        self.routes["/good"] = names(50)
        self.update(0)
        self.configure(self.source("good", "/good"), self.source("a", "/list"), memory_mb=22)
        done = self.greengate("update")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertRegex(done.stderr, "the database of 4000\\d\\d names does not fit lists.memory_mb: 22, "
                                      "since state_dir lies in memory .* set it to 3\\d, or move")
        self.assertTrue(self.checked("n7.example"))
        self.assertEqual(sorted(os.listdir(os.path.join(self.state, "generations"))),
                         ["000001.ggdb", "000001.lists"])
        del self.seen[:]
        self.greengate("update", "--if-due")
        self.assertEqual(self.seen, [], "a server is asked again after a pause only")
        self.configure(self.source("good", "/good"), self.source("a", "/list"), memory_mb=40)
        self.assertEqual(self.update(0)["names"], 400050)


if __name__ == "__main__":
    unittest.main()
