# SPDX-License-Identifier: Apache-2.0
"""Lists of every kind from files: what an update makes of them, and what `lists show` says."""
import gzip
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import unittest

from harness import BUILD, ROOT, write_yaml

CATALOG = os.path.join(ROOT, "blocklists", "catalog")
ZONE = """$TTL 30
@ IN SOA rpz.example. h.example. 2026112501 1h 15m 30d 2h
  NS localhost.
a.example CNAME .
*.a.example CNAME .
b.example CNAME rpz-passthru.
c.example A 192.0.2.1
32.1.2.0.192.rpz-ip CNAME .
32.1.0.0.10.rpz-ip CNAME .
24.0.2.0.192.rpz-client-ip CNAME .
broken CNAME
d.example ( CNAME .
e.example CNAME .
"""


def archive(members):
    """A gzip tar of {path: text}; a path with "->" is a symlink."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, text in members.items():
            info = tarfile.TarInfo(path.split("->")[0])
            if "->" in path:
                info.type, info.linkname = tarfile.SYMTYPE, path.split("->")[1]
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return gzip.compress(out.getvalue())


UT1 = archive({
    "blacklists/porn->adult": "",
    "blacklists/adult/domains": "x.example\n10.0.0.1\n192.0.2.7\n",
    "blacklists/adult/urls": "y.example/page\n",
    "blacklists/adult/usage": "black\n",
    "blacklists/chat/domains": "chat.example\n",
    "blacklists/chat/usage": "white\nblack\n",
})


class Formats(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gg-")

    def tearDown(self):
        shutil.rmtree(self.folder)

    def greengate(self, *arguments):
        return subprocess.run([os.path.join(BUILD, "greengate"), "-c",
                               os.path.join(self.folder, "gg.yaml"), *arguments],
                              capture_output=True, text=True, timeout=60)

    def update(self, want, *sources):
        """sources: (id, content, more keys)."""
        items = []
        for name, content, keys in sources:
            path = os.path.join(self.folder, name)
            with open(path, "wb") as out:
                out.write(content if isinstance(content, bytes) else content.encode())
            items.append({"id": name, "url": "file://" + path, "category": "adult", **keys})
        config = {"server": {"state_dir": os.path.join(self.folder, "state"), "data_dir": CATALOG,
                             "control_socket": os.path.join(self.folder, "c.sock")},
                  "lists": {"sources": items}}
        with open(os.path.join(self.folder, "gg.yaml"), "w", encoding="utf-8") as out:
            out.write(write_yaml(config))
        done = self.greengate("--json", "update")
        self.assertEqual(done.returncode, want, done.stdout + done.stderr)
        return {s["id"]: s for s in json.loads(done.stdout)["sources"]}

    def show(self, name):
        done = self.greengate("--json", "lists", "show", name)
        self.assertEqual(done.returncode, 0, done.stdout)
        return json.loads(done.stdout)

    def test_a_zone_keeps_all_but_its_bad_lines(self):
        self.update(0, ("zone", ZONE, {}))
        shown = self.show("zone")
        self.assertEqual((shown["format"], shown["version"]), ("rpz", "2026112501"))
        self.assertEqual((shown["names"], shown["addresses"], shown["entries"]), (5, 1, 5))
        self.assertEqual(shown["skipped"], {"private": 1, "trigger": 1, "record": 2})
        self.assertEqual([q["line"] for q in shown["skipped_lines"]], [9, 10, 11])
        text = self.greengate("lists", "show", "zone").stdout
        self.assertIn("entries      5 of 13 lines", text)
        self.assertIn("line 10: 24.0.2.0.192.rpz-client-ip CNAME .", text)

    def test_folders_of_an_archive(self):
        self.update(0, ("by-category", UT1, {}), ("by-name", UT1, {"folders": ["chat", "porn"]}))
        shown = self.show("by-category")
        self.assertEqual((shown["format"], shown["names"], shown["addresses"]), ("ut1", 1, 1))
        self.assertEqual(shown["skipped"], {"path": 1, "private": 1})
        self.assertEqual(shown["skipped_lines"][0]["file"], "adult/domains")
        self.assertEqual(shown["skipped_lines"][0]["line"], 2)
        self.assertEqual(self.show("by-name")["names"], 2)
        self.assertIn("adult/domains:2: 10.0.0.1", self.greengate("lists", "show", "by-name").stdout)

    def test_folders_that_give_nothing_say_why(self):
        sources = self.update(6, ("good", "x.example\n", {}), ("typo", UT1, {"folders": ["adlut"]}),
                              ("white", UT1, {"category": "chat"}))
        self.assertIn("no folder 'adlut'", sources["typo"]["error"])
        self.assertIn("name some in `folders`", sources["white"]["error"])

    def test_addresses_and_expressions_are_counted(self):
        self.update(0, ("ips", "192.0.2.1\n198.51.100.0/24\n192.168.0.0/16\n0.0.0.0/0\n", {}),
                    ("regex", "^ads?[0-9]*\\.\n^x[0-9]{2}\\.\n.*\n(\n", {}))
        ips, regex = self.show("ips"), self.show("regex")
        self.assertEqual((ips["format"], ips["addresses"], ips["entries"]), ("addresses", 2, 2))
        self.assertEqual(ips["skipped"], {"private": 1, "wide": 1})
        self.assertEqual((regex["format"], regex["patterns"], regex["entries"]), ("regex", 2, 2))
        self.assertEqual(regex["skipped"], {"regex": 1, "wide": 1})
        self.assertIn("too wide     1: refused", self.greengate("lists", "show", "ips").stdout)

    def test_an_address_list_that_shrinks_is_held_back(self):
        many = "".join(f"192.0.2.{i}\n" for i in range(100))
        self.update(0, ("ips", many, {}))
        sources = self.update(5, ("ips", many[:200], {}))
        self.assertIn("shrank", sources["ips"]["error"])
        self.assertEqual(self.show("ips")["addresses"], 100)


if __name__ == "__main__":
    unittest.main()
