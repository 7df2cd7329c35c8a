# SPDX-License-Identifier: Apache-2.0
"""What servers send instead of a list, or inside one: read as meant, or refused with the reason, and
what was in force stays."""
import bz2
import gzip
import itertools
import json
import lzma
import os
import random
import threading
import unittest

from harness import BUILD
from listserver import UpdateTest, names

MIB = 1 << 20
GOOD = names(50)
TEXT = GOOD.decode()
# (name, octets, names that it gives)
READ = [
    ("a byte order mark", b"\xef\xbb\xbf" + GOOD, 50),
    ("NUL in a line: that line alone is skipped", GOOD[:100] + b"\0" + GOOD[100:], 49),
    ("lone CR", GOOD.replace(b"\n", b"\r"), 50),
    ("CRLF", GOOD.replace(b"\n", b"\r\n"), 50),
    ("all three line ends", GOOD.replace(b"\n", b"\r", 10).replace(b"\n", b"\r\n", 10), 50),
    ("no last line end", GOOD[:-1], 50),
    ("a line of 11,782 octets", GOOD + b"x" * 11782 + b"\nafter.example\n", 51),
    ("gzip of two members", gzip.compress(GOOD[:300]) + gzip.compress(GOOD[300:]), 50),
    ("xz of two streams", lzma.compress(GOOD[:300]) + lzma.compress(GOOD[300:]), 50),
]
# (name, octets, what the error says)
REFUSED = [
    ("empty", b"", "empty"),
    ("blank lines", b"\n\r\n\n", "empty: no line holds anything"),
    ("comments alone", b"# nothing\n! here\n", "empty: no line holds anything"),
    ("an HTML page", b"<!DOCTYPE html><html><body>log in</body></html>", "it is an HTML page"),
    ("an HTML page behind blank lines", b"\n \n<html>\n<p>sorry</p>", "it is an HTML page"),
    ("an XML error", b'<?xml version="1.0"?><Error>AccessDenied</Error>', "not a list"),
    ("a JSON error", b'{"message": "Not Found"}', "not a known list format"),
    ("prose", b"Please log in to the network.\n" * 20, "not a known list format"),
    ("UTF-16, little end first", TEXT.encode("utf-16-le").join([b"\xff\xfe", b""]),
     "UTF-16 text: convert it to UTF-8"),
    ("UTF-16, big end first", b"\xfe\xff" + TEXT.encode("utf-16-be"), "convert it to UTF-8"),
    ("UTF-16 without a mark", TEXT.encode("utf-16-le"), "it is binary data"),
    ("noise", random.Random(1).randbytes(5000), "not a list"),
    ("zip", b"PK\x03\x04" + bytes(200), "it is a zip archive"),
    ("bzip2", bz2.compress(GOOD), "not a list"),
    ("PDF", b"%PDF-1.4\n" * 20, "it is a PDF document"),
    ("gzip cut short", gzip.compress(GOOD)[:-9], "damaged or truncated"),
    ("xz cut short", lzma.compress(GOOD)[:-9], "damaged or truncated"),
    ("the head of gzip alone", b"\x1f\x8b\x08", "damaged or truncated"),
    ("gzip and something behind it", gzip.compress(GOOD) + b"behind", "damaged or truncated"),
    ("HTML in gzip", gzip.compress(b"<html>log in</html>"), "it is an HTML page"),
    ("gzip in gzip", gzip.compress(gzip.compress(GOOD)), "not a list"),
]


def repeat(pack, block=8 * MIB, times=128):
    """A gigabyte of zeros as many members of one stream: less than a megabyte."""
    return pack(bytes(block)) * times


class Lists(UpdateTest):
    def setUp(self):
        super().setUp()
        self.routes["/good"] = names(50, 1000)
        self.good = self.source("good", "/good")

    def offer(self, content):
        self.routes["/list"] = content
        self.configure(self.good, self.source("a", "/list"))

    def test_what_is_read_as_meant(self):
        for name, content, count in READ:
            with self.subTest(name):
                self.offer(content)
                done = self.update(0, "--force")
                self.assertEqual(done["sources"][1]["entries"], count)
                self.assertTrue(self.checked("n0.example"))

    def test_what_is_refused(self):
        """On its first try, and in the place of a good copy."""
        for had_copy in (False, True):
            for name, content, says in REFUSED:
                with self.subTest((name, had_copy)):
                    if had_copy:
                        self.offer(GOOD)
                        self.update(0)
                    self.offer(content)
                    done = self.update(6)
                    source = done["sources"][1]
                    self.assertEqual((source["status"], source["in_use"]), ("failed", had_copy))
                    self.assertIn(says, source["error"])
                    self.assertEqual(self.checked("n7.example"), had_copy)
                    self.assertTrue(self.checked("n1007.example"))
                    self.assertIn(says[:50], self.greengate("lists").stdout)

    def test_alone_it_is_exit_code_5(self):
        for name, content, _ in REFUSED:
            with self.subTest(name):
                self.routes["/list"] = content
                self.configure(self.source("a", "/list"))
                self.update(5)

    def test_a_skipped_line_is_quoted_with_its_number(self):
        self.offer(GOOD[:100] + b"\0" + GOOD[100:])
        self.update(0)
        shown = json.loads(self.greengate("--json", "lists", "show", "a").stdout)
        self.assertEqual(shown["skipped_lines"][0]["line"], GOOD[:100].count(b"\n") + 1)

    def test_a_body_that_stops_short(self):
        def short(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
            handler.wfile.write(GOOD)
        self.offer(short)
        self.assertEqual(self.update(6)["sources"][1]["status"], "failed")
        self.assertFalse(self.checked("n7.example"))


class Bombs(UpdateTest):
    def within(self, most):
        self.assertGreater(most, 4 * MIB)  # else nothing was seen
        if os.path.basename(BUILD) == "release":  # sanitizers take more
            self.assertLessEqual(most, 32 * MIB)

    def test_a_gigabyte_from_a_megabyte(self):
        self.routes["/good"] = GOOD
        for name, pack in (("gzip", gzip.compress), ("xz", lzma.compress)):
            with self.subTest(name):
                bomb = repeat(pack)
                self.assertLess(len(bomb), 1.2 * MIB)
                self.routes["/bomb"] = bomb
                self.configure(self.source("good", "/good"), self.source("bomb", "/bomb"))
                most, done = self.peak("--json", "update")
                self.assertEqual(done.returncode, 6)
                self.assertIn("grows more than 200 times when decompressed",
                              json.loads(done.stdout)["sources"][1]["error"])
                self.within(most)
                self.assertTrue(self.checked("n7.example"))

    def test_a_line_without_end(self):
        """40 MiB that hold no line end, at a ratio that is allowed."""
        noise = random.Random(1)
        piece = "".join(noise.choices("abcdefghij", k=MIB)).encode()
        self.routes["/line"] = gzip.compress(GOOD + piece * 40 + b"\nafter.example\n", 1)
        self.configure(self.source("a", "/line"))
        most, done = self.peak("--json", "update")
        self.assertEqual((done.returncode, json.loads(done.stdout)["names"]), (0, 51))
        self.within(most)

    def test_a_packed_list_without_end(self):
        noise = random.Random(1).randbytes(MIB)

        def endless(handler):
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(gzip.compress(GOOD))
            try:
                for _ in itertools.count():
                    handler.wfile.write(noise)
            except OSError:
                gone.set()
        gone = threading.Event()
        self.routes["/endless"] = endless
        self.configure(self.source("a", "/endless"))
        self.assertIn("larger than 64 MiB", self.error_of(5))
        self.assertTrue(gone.wait(10))


if __name__ == "__main__":
    unittest.main()
