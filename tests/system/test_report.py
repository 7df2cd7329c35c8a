# SPDX-License-Identifier: Apache-2.0
"""`greengate report`: one page of sums, right to the number, of the local month."""
import datetime
import html.parser
import os
import pwd
import re
import sqlite3
import time
import unittest

from harness import USER, Box

GROUPS = [{"name": "staff", "clients": ["10.1.0.0/16"], "block": ["malware"]},
          {"name": "pupils", "clients": [], "block": ["adult", "games"], "services": ["tiktok"], "safe_search": True}]
VOID = {"meta", "rect", "br"}


class Reader(html.parser.HTMLParser):
    """Whole tags, the texts of cells, and what could load something."""

    def __init__(self):
        super().__init__()
        self.open, self.cells, self.loads, self.unclosed = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.loads += [value for name, value in attrs if name in ("src", "href") or "url(" in (value or "")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.unclosed.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th", "b", "h1"):
            self.cells.append(data.strip())


class Report(unittest.TestCase):
    def setUp(self):
        self.box = self.enterContext(Box(lists=[("bad", "adult", ["||bad.test^"])], config={
            "groups": GROUPS, "server": {"timezone": "Asia/Seoul"}, "web": {"organisation": "Green <School> & \"co\""}}))

    def fill(self, rows):
        """Rows of (UTC text, group, category, verdict, count), into the file beside the daemon."""
        self.box.daemon.stop()
        path = os.path.join(self.box.state, "stats.db")
        with sqlite3.connect(path) as db:
            for when, group, category, verdict, count in rows:
                hour = int(datetime.datetime.fromisoformat(when + "+00:00").timestamp()) // 3600
                ids = []
                for name in (group, category):
                    db.execute("INSERT OR IGNORE INTO names(name) VALUES(?)", (name,))
                    ids.append(db.execute("SELECT id FROM names WHERE name = ?", (name,)).fetchone()[0])
                db.execute("INSERT INTO sums VALUES(?, ?, ?, ?, ?)", (hour, *ids, verdict, count))
        if USER:
            for name in os.listdir(self.box.state):
                if name.startswith("stats.db"):
                    os.chown(os.path.join(self.box.state, name), pwd.getpwnam(USER).pw_uid, -1)
        self.box.start()

    def read(self, *arguments):
        done = self.box.cli("report", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        reader = Reader()
        reader.feed(done.stdout)
        self.assertEqual((reader.open, reader.unclosed, reader.loads), ([], [], []))
        self.assertNotIn("<script", done.stdout)
        return done.stdout, reader.cells

    def test_the_month_is_that_of_the_clock_on_the_wall(self):
        self.fill([("2026-09-30T14:00", "pupils", "none", 0, 7000),   # 30 September, 23:00 in Seoul
                   ("2026-09-30T15:00", "pupils", "none", 0, 1000),   # 1 October, 00:00
                   ("2026-09-30T15:00", "pupils", "adult", 1, 234),
                   ("2026-10-15T01:00", "staff", "malware", 1, 66),
                   ("2026-10-31T14:00", "pupils", "games", 1, 100),   # 31 October, 23:00
                   ("2026-10-31T14:00", "pupils", "none", 2, 5),
                   ("2026-10-31T15:00", "pupils", "games", 1, 9000)])  # 1 November
        page, cells = self.read("--month", "2026-10", "--language", "en")
        self.assertEqual(cells[:7], ["Monthly report of the DNS filter", "2026-10", "1,405", "400", "28.5 %", "5", "0"])
        for row in (["2026-10-01", "1,234", "234", "19.0 %"], ["2026-10-15", "66", "66", "100.0 %"],
                    ["2026-10-31", "105", "100", "95.2 %"], ["00:00", "1,234", "234", "19.0 %"],
                    ["adult content", "234", "58.5 %"], ["pupils", "1,339", "334", "24.9 %"]):
            self.assertIn("|" + "|".join(row) + "|", "|" + "|".join(cells) + "|")
        self.assertNotIn("2026-09-30", page)
        self.assertNotIn("The month is not over", page)
        self.assertIn("Green &lt;School&gt; &amp; &quot;co&quot;", page)

    def test_korean_comes_first_and_the_running_month_says_so(self):
        self.box.ask("bad.test")
        page, cells = self.read("--month", time.strftime("%Y-%m", time.localtime(time.time() + 9 * 3600)))
        self.assertIn('<html lang="ko">', page)
        self.assertIn("이 달은 아직 끝나지 않았습니다.", page)
        self.assertIn("성인물", "".join(cells))
        self.assertIn("누가 어떤 사이트를 찾았는지는 저장하지 않으며", page)
        self.assertEqual(re.findall(r"127\.0\.0\.1|bad\.test", page), [])

    def test_an_empty_month_a_file_and_mistakes(self):
        page, _ = self.read("--month", "2026-02", "--language", "en")
        self.assertIn("Nothing was counted in this month.", page)
        path = os.path.join(self.box.folder, "out.html")
        self.assertEqual(self.box.json("report", "--month", "2026-02", "--language", "en", "--out", path)["file"], path)
        with open(path, encoding="utf-8") as out:
            self.assertEqual(re.sub(r"Made [-0-9: ]+", "", out.read()), re.sub(r"Made [-0-9: ]+", "", page))
        for arguments in ((), ("--month", "2026-13"), ("--month", "2026"), ("--month", "26-01"), ("--month", "2999-01"),
                          ("--month", "2026-02", "--language", "xx"), ("--month", "2026-02x")):
            self.assertEqual(self.box.cli("report", *arguments).returncode, 2, arguments)
        self.assertEqual(self.box.cli("report", "--month", "2026-02", "--out", "/nonexistent/x").returncode, 1)

    def test_a_month_of_a_school_takes_little_time(self):
        rows = [(f"2026-10-{1 + hour // 24:02d}T{hour % 24:02d}:00", group, category, verdict, 100 + hour)
                for hour in range(720) for group in ("staff", "pupils")
                for category, verdict in (("none", 0), ("adult", 1), ("games", 1), ("ads", 1), ("malware", 1), ("none", 4))]
        self.fill(rows)
        self.read("--month", "2026-10")
        begun = time.monotonic()
        self.read("--month", "2026-10")
        self.assertLess(time.monotonic() - begun, 1)


if __name__ == "__main__":
    unittest.main()
