# SPDX-License-Identifier: Apache-2.0
"""Schedules, windows and pauses of the running daemon."""
import datetime
import os
import time
import unittest
import zoneinfo

from fakeupstream import FakeUpstream, address
from harness import Box, wait_for

ZONE = "Asia/Seoul"


class Times(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = cls.enterClassContext(FakeUpstream(address("192.0.2.9", 300)))

    def box(self, schedule=(), **more):
        groups = [{"name": "staff", "clients": ["127.0.0.2/32"], "block": []},
                  {"name": "pupils", "clients": [], "block": ["adult"], "services": ["tiktok"],
                   "schedule": list(schedule)}]
        config = {"groups": groups, "server": {"timezone": ZONE}, "block": {"mode": "nxdomain"}, **more}
        return self.enterContext(Box(upstream=[self.upstream.url], config=config))

    def rcode(self, box, name="www.tiktok.com", source="127.0.0.3"):
        return box.ask(name, source=source).rcode

    def test_pause_ends_by_itself_and_caps_answers(self):
        box = self.box()
        self.assertEqual(self.rcode(box), "NXDOMAIN")
        self.assertEqual(box.cli("pause", "--group", "pupils", "--for", "3s").returncode, 0)
        reply = box.ask("www.tiktok.com", source="127.0.0.3")
        self.assertEqual(reply.texts(), ["192.0.2.9"])
        self.assertLessEqual(reply.answers[0].ttl, 3)
        self.assertIn("paused", " ".join(box.json("status")["reasons"]))
        wait_for(lambda: self.rcode(box) == "NXDOMAIN", "the end of the pause", 6)
        self.assertEqual(box.json("schedule")["windows"], [])

    def test_pause_survives_a_restart_and_resume_ends_it(self):
        box = self.box()
        box.cli("pause", "--for", "10m", "--note", "fire drill")
        box.daemon.stop()
        box.start()
        self.assertEqual(self.rcode(box), "NOERROR")
        self.assertEqual([w["note"] for w in box.json("schedule")["windows"]], ["fire drill"])
        self.assertEqual(box.cli("resume", "--group", "pupils").returncode, 1)
        self.assertEqual(box.cli("resume").returncode, 0)
        self.assertEqual(self.rcode(box), "NXDOMAIN")
        self.assertEqual(box.cli("resume").returncode, 1)

    def test_killed_daemon_keeps_the_end_of_a_pause(self):
        box = self.box()
        box.cli("pause", "--for", "2s")
        box.daemon.stop(signum=9)
        time.sleep(2)  # the pause is over while nobody runs
        box.start()
        self.assertEqual(self.rcode(box), "NXDOMAIN")

    def test_window_for_once(self):
        box = self.box()
        done = box.cli("schedule", "add", "--group", "pupils", "--block", "youtube,social", "--for", "2s")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.rcode(box, "www.youtube.com"), "NXDOMAIN")
        self.assertEqual(self.rcode(box, "www.youtube.com", "127.0.0.2"), "NOERROR")
        self.assertEqual(box.json("check", "www.youtube.com")["reason"], "schedule")
        wait_for(lambda: self.rcode(box, "www.youtube.com") == "NOERROR", "the end of the window", 5)

    def test_window_that_begins_later(self):
        box = self.box()
        begins = time.strftime("%Y-%m-%d %H:%M", time.gmtime(time.time() + 86400))
        done = box.cli("schedule", "add", "--block", "youtube", "--from", begins, "--for", "1h")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.rcode(box, "www.youtube.com"), "NOERROR")
        schedule = box.json("schedule")
        self.assertIn("youtube", schedule["groups"][0]["then"]["services"])
        self.assertEqual(schedule["groups"][0]["changes_at"], schedule["windows"][0]["from"])
        self.assertEqual(box.cli("schedule", "remove", "1").returncode, 0)
        self.assertEqual(box.json("schedule")["windows"], [])

    def test_wrong_words(self):
        box = self.box()
        for words in (["pause"], ["pause", "--for", "2d"], ["pause", "--for", "x"], ["pause", "--group", "x", "--for", "1m"],
                      ["schedule", "add", "--for", "1m"], ["schedule", "add", "--block", "gamez", "--for", "1m"],
                      ["schedule", "add", "--block", "games", "--until", "25:00"], ["schedule", "remove", "x"]):
            with self.subTest(words):
                self.assertEqual(box.cli(*words).returncode, 2)
        self.assertEqual(box.json("schedule")["windows"], [])

    def test_check_at(self):
        box = self.box([{"block": ["all"], "except": ["education"], "days": "mon-fri", "from": "22:00", "to": "06:30"}])
        rows = [("2026-12-01 23:00", True), ("2026-12-02 06:29", True), ("2026-12-02 06:30", False),
                ("2026-12-05 23:00", False), ("2026-12-05 05:00", True)]
        for files in (False, True):
            if files:
                box.daemon.stop()
            for when, blocked in rows:
                with self.subTest(when, files=files):
                    why = box.json("check", "fine.example", "--at", when)
                    self.assertEqual((why["blocked"], why["asked"]), (blocked, "files" if files else "daemon"))
                    self.assertEqual(why["reason"], "schedule" if blocked else "not-listed")

    def test_people_read_and_type_times_of_one_zone(self):
        box = self.box(web={"listen": []})
        here = {"env": {**os.environ, "TZ": "UTC"}}

        def clock(after=0, form="%Y-%m-%d %H:"):
            """The hour, and the one that comes should it end meanwhile."""
            now = datetime.datetime.now(zoneinfo.ZoneInfo(ZONE)) + datetime.timedelta(seconds=after)
            return "(" + "|".join((now + datetime.timedelta(seconds=s)).strftime(form) for s in (-30, 30)) + ")"

        box.ask("www.tiktok.com", source="127.0.0.3")
        for words, form in ((("allow", "a.example", "--for", "2h"), "until " + clock(7200)),
                            (("block", "b.example", "--for", "2h"), "until " + clock(7200)),
                            (("rules",), r"a\.example .* " + clock() + r"\d\d +" + clock(7200)),
                            (("stats", "--by", "hour"), clock(0, "%Y-%m-%d %H:00")),
                            (("stats", "--by", "category-hour"), clock(0, "%Y-%m-%d %H:00")),
                            (("schedule",), "It is ... " + clock()),
                            (("doctor",), "clock +" + clock() + r"\d\d KST"),
                            (("pause", "--for", "2h"), "until ... " + clock(7200))):
            with self.subTest(words):
                self.assertRegex(box.cli(*words, **here).stdout, form)
        midnight = datetime.datetime.now(zoneinfo.ZoneInfo(ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)
        done = box.cli("--json", "stats", "--since", midnight.strftime("%Y-%m-%d"), **here)
        self.assertIn(f'"since":{int(midnight.timestamp())}', done.stdout.replace(" ", "").replace("\t", ""))
        # A mistake in the file: the daemon tells its zone.
        box.config["web"]["languages"] = []
        box.write_config()
        done = box.cli("schedule", **here)
        self.assertRegex(done.stdout, "It is ... " + clock())
        self.assertIn("runs on the configuration before", done.stderr)

    def test_check_tells_when_a_name_opens_not_when_another_row_begins(self):
        box = self.box([{"services": ["youtube"], "days": "daily", "from": "20:00", "to": "07:00"},
                        {"block": ["all"], "except": ["education"], "days": "daily", "from": "22:00", "to": "06:30"}])
        rows = [("2026-12-01 20:30", "  policy    changes at Tue 2026-12-01 22:00; this name stays blocked\n"),
                ("2026-12-02 06:45", "  opens at  Wed 2026-12-02 07:00\n")]
        for when, line in rows:
            with self.subTest(when):
                text = box.cli("check", "www.youtube.com", "--at", when).stdout
                self.assertIn(line, text)
                self.assertNotIn("until", text)

    def test_of_two_windows_the_newer_counts_and_one_without_effect_is_told(self):
        box = self.box()
        add = ("schedule", "add", "--group", "pupils")
        self.assertIn("But it changes nothing when it begins: so it is already.\n",
                      box.cli(*add, "--allow", "youtube", "--for", "1h").stdout)
        done = box.cli(*add, "--block", "youtube", "--for", "45m")
        self.assertNotIn("But", done.stdout)
        self.assertEqual(self.rcode(box, "www.youtube.com"), "NXDOMAIN")
        self.assertNotIn("But", box.cli(*add, "--allow", "youtube", "--for", "10m").stdout)
        self.assertEqual(self.rcode(box, "www.youtube.com"), "NOERROR")
        self.assertNotIn("But", box.cli(*add, "--block", "all", "--for", "1h").stdout)
        self.assertIn("But only chosen names are open then, whatever else is allowed.\n",
                      box.cli(*add, "--allow", "games", "--for", "1h").stdout)

    def test_a_change_without_a_difference_is_left_out(self):
        box = self.box([{"services": ["tiktok"], "days": "daily", "from": begin, "to": end}
                        for begin, end in (("01:00", "02:00"), ("13:00", "14:00"))])
        for group in box.json("schedule")["groups"]:
            self.assertEqual((group["changes_at"], group.get("then")), (0, None))
        self.assertNotIn("from ", box.cli("schedule").stdout)

    def test_services_tell_what_is_off_now(self):
        box = self.box([{"services": ["discord"]}, {"allow": ["tiktok"]}])
        box.cli("schedule", "add", "--block", "youtube", "--for", "1h")
        for files in (False, True):
            if files:
                box.daemon.stop()
            with self.subTest(files=files):
                text = box.cli("services").stdout
                self.assertRegex(text, r"(?m)^discord .* pupils by schedule$")
                self.assertRegex(text, r"(?m)^tiktok .* pupils \(not now\)$")
                self.assertEqual("staff by schedule, pupils by schedule" in text, not files)
                self.assertIn("off now for: pupils by schedule\n", box.cli("services", "show", "discord").stdout)
                found = {one["id"]: (one["groups"], one["off_now"]) for one in box.json("services")["services"]}
                self.assertEqual(found["discord"], ([], ["pupils"]))
                self.assertEqual(found["tiktok"], (["pupils"], []))

    def test_a_protected_name_says_why_it_is_open(self):
        box = self.box([{"block": ["all"]}])
        why = box.json("check", "captive.apple.com")
        self.assertEqual((why["blocked"], why["reason"], why["entry"]), (False, "protected", "captive.apple.com"))
        self.assertIn("no list, service or schedule blocks", box.cli("check", "captive.apple.com").stdout)

    def test_a_row_begins_and_ends_with_the_minute(self):
        os.environ["TZ"] = "Asia/Seoul"
        time.tzset()
        self.addCleanup(lambda: (os.environ.pop("TZ"), time.tzset()))
        if time.localtime().tm_sec > 50:
            time.sleep(11)  # else the minute could end before the daemon stands
        now = time.time()
        begin, end = (time.strftime("%H:%M", time.localtime(now + s)) for s in (60, 120))
        box = self.box([{"services": ["youtube"], "from": begin, "to": end}])
        reply = box.ask("www.youtube.com", source="127.0.0.3")
        self.assertEqual(reply.rcode, "NOERROR")
        left = 60 - time.localtime().tm_sec
        self.assertLessEqual(reply.answers[0].ttl, left + 1)
        wait_for(lambda: self.rcode(box, "www.youtube.com") == "NXDOMAIN", "the row", left + 5)
        self.assertLessEqual(time.localtime().tm_sec, 2)

    def test_reload_with_a_wrong_row_keeps_the_old_state(self):
        box = self.box([{"services": ["youtube"]}])
        self.assertEqual(self.rcode(box, "www.youtube.com"), "NXDOMAIN")
        for wrong in ({"block": ["games"], "from": "8:3", "to": "9:00"}, {"block": ["gamez"]}, {"from": "08:00", "to": "09:00"},
                      {"block": ["games"], "bells": ["none"]}, {"block": ["games"], "days": "mo"}, {"blocks": ["games"]}):
            with self.subTest(wrong):
                box.config["groups"][1]["schedule"] = [wrong]
                box.write_config()
                done = box.cli("reload")
                self.assertEqual(done.returncode, 4, done.stderr)
                self.assertRegex(done.stderr, r"greengate\.yaml:\d+:\d+: ")
                self.assertEqual(self.rcode(box, "www.youtube.com"), "NXDOMAIN")


if __name__ == "__main__":
    unittest.main()
