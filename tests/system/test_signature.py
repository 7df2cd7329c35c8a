# SPDX-License-Identifier: Apache-2.0
"""Signed lists: minisign signs, `greengate update` verifies."""
import base64
import gzip
import json
import os
import shutil
import subprocess
import time
import unittest

from harness import PEERS
from listserver import UpdateTest, move_to, names

UNPACKED = os.path.join(PEERS, "bin", "minisign")
MINISIGN = UNPACKED if os.path.exists(UNPACKED) else shutil.which("minisign")
PUBLIC = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"


@unittest.skipUnless(MINISIGN, "minisign could not be unpacked")
class Signed(UpdateTest):
    def setUp(self):
        super().setUp()
        self.key = self.make_key("first")
        self.publish(names(50), "serial:5")

    def minisign(self, *words):
        done = subprocess.run([MINISIGN, *words], cwd=self.folder, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def make_key(self, name):
        """The public key as it stands in a configuration."""
        self.minisign("-G", "-W", "-p", f"{name}.pub", "-s", f"{name}.key")
        with open(os.path.join(self.folder, f"{name}.pub"), encoding="ascii") as file:
            return file.read().split("\n")[1]

    def sign(self, content, comment, *more, name="list", key="first"):
        self.write(name, content)
        self.minisign("-S", "-s", f"{key}.key", "-m", name, "-t", comment, *more)
        with open(os.path.join(self.folder, f"{name}.minisig"), "rb") as file:
            return file.read()

    def publish(self, content, comment, *more, **names_):
        self.routes["/list"] = content
        self.routes["/list.minisig"] = self.sign(content, comment, *more, **names_)

    def use(self, **more):
        self.configure(self.source("a", "/list", **{"insecure": None, "public_key": self.key, **more}))

    def refused(self, says, want=5):
        """A failed update that leaves what was in force."""
        before = os.readlink(os.path.join(self.state, "blocklist.ggdb"))
        done = self.update(want, "--force")
        self.assertIn(says, done["sources"][0]["error"])
        self.assertEqual(done["sources"][0]["status"], "failed")
        self.assertTrue(done["sources"][0]["in_use"])
        self.assertEqual(os.readlink(os.path.join(self.state, "blocklist.ggdb")), before)

    def test_a_good_signature_even_over_plain_http(self):
        self.use()
        done = self.update(0)
        self.assertEqual((done["names"], done["sources"][0]["serial"]), (50, 5))
        for _, headers in self.seen:
            self.assertEqual(headers["Accept-Encoding"], "identity")
        self.assertIn(f"signed       by {self.key}, serial 5\n",
                      self.greengate("lists", "show", "a").stdout)

    def test_both_kinds_of_signature_and_a_packed_list(self):
        self.use()
        for number, kind in enumerate(([], ["-l"], ["-H"])):
            self.publish(names(50 + number), f"serial:{6 + number}", *kind)
            self.assertEqual(self.update(0)["names"], 50 + number)
        self.publish(gzip.compress(names(60)), "serial:9")
        self.assertEqual(self.update(0)["names"], 60)

    def test_every_region_counts(self):
        """A flipped octet in the list, and one in each part of the signature."""
        self.use()
        self.update(0)
        good_list, good_sign = self.routes["/list"], self.routes["/list.minisig"]
        lines = good_sign.split(b"\n")
        starts = [sum(len(line) + 1 for line in lines[:n]) for n in range(4)]
        for at in range(0, len(good_list), 97):
            bad = bytearray(good_list)
            bad[at] ^= 1
            self.routes["/list"] = bytes(bad)
            self.refused("the list is not what public_key has signed")
        self.routes["/list"] = good_list
        # algorithm, key id, signature, trusted comment, global signature
        raw = base64.b64decode(lines[1])
        for at, says in ((0, "no file of minisign"), (1, "no file of minisign"), (2, "another key"),
                         (9, "another key"), (10, "the list is not"), (73, "the list is not")):
            bad = bytearray(raw)
            bad[at] ^= 0x40
            text = [lines[0], base64.b64encode(bytes(bad)), *lines[2:]]
            self.routes["/list.minisig"] = b"\n".join(text)
            self.refused(says)
        for at, says in ((starts[2], "no file of minisign"),
                         (starts[2] + len("trusted comment: serial"), "signature's comment"),
                         (starts[3] + 5, "signature's comment")):
            bad = bytearray(good_sign)
            bad[at] = ord("A") if bad[at] != ord("A") else ord("B")
            self.routes["/list.minisig"] = bytes(bad)
            self.refused(says)
        self.routes["/list.minisig"] = good_sign
        self.assertEqual(self.update(0, "--force")["names"], 50)

    def test_nothing_is_unpacked_before_it_is_verified(self):
        self.use()
        self.update(0)
        self.routes["/list"] = gzip.compress(b"\n" * (64 << 20))
        self.refused("the list is not what public_key has signed")

    def test_unsigned_wrong_key_and_another_file(self):
        self.use()
        self.update(0)
        sign = self.routes.pop("/list.minisig")
        self.refused("it is not signed: no list.minisig (the server answered 404)")
        self.routes["/list.minisig"] = b"<html>welcome</html>"
        self.refused("no file of minisign")
        self.routes["/list.minisig"] = b"x" * 5000
        self.refused("too large")
        self.make_key("second")
        self.publish(names(50), "serial:9", key="second")
        self.refused("another key")
        self.publish(names(50), "timestamp:1\tfile:other.txt\tserial:9")
        self.refused("for another file, other.txt instead of list")
        self.publish(names(50), "timestamp:1\tfile:list\tserial:9")
        self.assertEqual(self.update(0)["sources"][0]["serial"], 9)
        self.routes["/list.minisig"] = sign
        self.refused("an older list: its serial is 5, and 9 was accepted before")

    def test_the_signature_of_other_octets_by_the_same_key(self):
        self.use()
        self.update(0)
        self.routes["/list.minisig"] = self.sign(names(60), "serial:9", name="other")
        self.refused("the list is not what public_key has signed")

    def test_a_lower_serial_is_refused_whatever_is_lost(self):
        self.use()
        old = dict(self.routes)
        self.publish(names(60), "serial:6")
        self.update(0)
        self.routes.update(old)
        self.refused("an older list: its serial is 5, and 6 was accepted before")
        os.unlink(os.path.join(self.state, "sources", "a.zst"))
        done = self.greengate("--json", "update")
        self.assertIn("an older list", json.loads(done.stdout)["sources"][0]["error"])
        self.assertEqual(done.returncode, 5)
        self.publish(names(50), "no serial at all")
        self.assertEqual(self.greengate("update").returncode, 5)
        self.publish(names(60), "serial:6")
        self.assertEqual(self.update(0)["sources"][0]["serial"], 6)
        self.assertEqual(self.meta("a")["serial"], 6)

    def test_a_new_key_begins_anew(self):
        self.use()
        self.update(0)
        self.key = self.make_key("second")
        self.publish(names(50), "serial:1", key="second")
        self.use()
        self.assertEqual(self.update(0)["sources"][0]["serial"], 1)
        self.assertEqual(self.meta("a")["signed_by"], self.key)

    def test_a_key_added_later_asks_for_all_again(self):
        tagged = lambda handler: handler.send(
            *((b"", 304) if handler.headers.get("If-None-Match") else (names(50),)), ETag='"x"')
        self.routes["/list"] = tagged
        self.use(public_key=None, insecure=True)
        self.update(0)
        self.use()
        self.update(0)
        self.assertNotIn("If-None-Match", self.seen[-1][1])
        self.assertEqual(self.meta("a")["signed_by"], self.key)
        self.assertEqual(self.update(0)["sources"][0]["status"], "unchanged")
        self.assertEqual(self.seen[-1][1]["If-None-Match"], '"x"')
        # the same list, signed anew: its words are news
        self.routes["/list.minisig"] = self.sign(names(50), "serial:8")
        self.assertEqual(self.update(0)["sources"][0]["status"], "unchanged")
        self.assertEqual(self.meta("a")["serial"], 8)

    def test_an_expired_list_works_and_is_told(self):
        self.publish(names(50), "serial:6 expires:2020-01-31")
        self.use()
        done = self.greengate("update")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("a                        updated, 50 names; its signature expired at "
                      "2020-02-01 00:00\n", done.stdout)
        self.assertTrue(self.checked("n7.example"))
        self.assertRegex(self.greengate("lists", "show", "a").stdout,
                         r"serial 6, expired at 20.*; it stays in force\n")
        self.publish(names(50), f"serial:7 expires:{int(time.time()) + 86400}")
        self.assertNotIn("expired", self.greengate("update").stdout)

    def test_a_signature_that_came_too_early(self):
        """The publisher exchanges the list, and a moment later its signature."""
        self.use()
        self.update(0)
        old = self.routes["/list.minisig"]
        new, sign = names(60), self.sign(names(60), "serial:6")
        self.routes["/list"] = new
        answers = [old, sign]
        self.routes["/list.minisig"] = lambda handler: handler.send(answers.pop(0))
        self.assertEqual(self.update(0)["names"], 60)

    def test_redirects_queries_and_files(self):
        self.routes["/moved"] = move_to("/list")
        self.routes["/moved.minisig"] = move_to("/list.minisig")
        self.configure(self.source("a", "/moved?key=1", insecure=None, public_key=self.key))
        self.assertEqual(self.update(0)["names"], 50)
        self.assertIn("/moved.minisig?key=1", [path for path, _ in self.seen])
        self.configure(self.source("b", f"file://{self.folder}/list", public_key=self.key))
        self.assertEqual(self.update(0)["names"], 50)
        os.unlink(os.path.join(self.folder, "list.minisig"))
        self.assertEqual(self.greengate("update", "--force").returncode, 5)


class Key(UpdateTest):
    def test_a_key_is_checked_with_the_configuration(self):
        self.configure(self.source("a", "/list", public_key=PUBLIC[:-1]))
        done = self.greengate("config", "check")
        self.assertEqual(done.returncode, 4)
        self.assertIn("not a minisign public key", done.stderr)
        self.configure(self.source("a", "/list", public_key=PUBLIC, insecure=None))
        self.assertEqual(self.greengate("config", "check").returncode, 0)


if __name__ == "__main__":
    unittest.main()
