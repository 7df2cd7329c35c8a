# SPDX-License-Identifier: Apache-2.0
"""`greengate lists catalog`, `presets`, `add`, `remove`, `enable` and `disable`, and managed.yaml."""
import json
import os
import re
import shutil
import stat
import unittest

from harness import BUILD, Box, ServedTest

DATA = os.path.join(BUILD, "data")


class Catalogue(unittest.TestCase):
    def setUp(self):
        self.box = self.enterContext(Box(start=False))

    def test_what_is_shipped_is_found(self):
        lists = self.box.json("lists", "catalog")
        self.assertGreater(len(lists["lists"]), 50)
        for one in lists["lists"]:
            self.assertTrue(one["url"].startswith("https://"), one["id"])
            self.assertTrue(one["licence"], one["id"])
            self.assertFalse(one["configured"])
        self.assertEqual({gap["category"] for gap in lists["without"]},
                         {"deepfake", "violence", "self-harm", "unrated"})
        presets = self.box.json("lists", "presets")["presets"]
        self.assertEqual([preset["id"] for preset in presets],
                         ["home-young", "home-teen", "school-kr", "school", "security-only"])
        self.assertRegex(presets[0]["text"]["ko"], "[가-힣]")

    def test_the_table_is_of_one_category(self):
        shown = self.box.cli("lists", "catalog", "--category", "gambling").stdout
        self.assertIn("ut1-gambling", shown)
        self.assertNotIn("ut1-adult", shown)
        self.assertIn("no public list", self.box.cli("lists", "catalog", "--category",
                                                     "self-harm").stdout)
        wrong = self.box.cli("lists", "catalog", "--category", "gamblin")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("did you mean gambling?", wrong.stderr)

    def test_an_entry_tells_the_publishers_rules(self):
        shown = self.box.cli("lists", "catalog", "show", "ut1-adult").stdout
        self.assertIn("not from 08:00 to 19:00 GMT", shown)
        self.assertIn("https://dsi.ut-capitole.fr/blacklists/download/adult.tar.gz", shown)
        wrong = self.box.cli("--json", "lists", "catalog", "show", "ut1-adlut")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("did you mean ut1-adult?", json.loads(wrong.stdout)["error"])

    def test_presets_are_told_in_the_readers_language(self):
        environment = {**os.environ, "LANG": "ko_KR.UTF-8", "LC_ALL": "", "LC_MESSAGES": ""}
        self.assertIn("어린아이가", self.box.cli("lists", "presets", env=environment).stdout)
        environment["LANG"] = "C"
        self.assertIn("young children", self.box.cli("lists", "presets", env=environment).stdout)


class BeforeTheFirstStart(unittest.TestCase):
    """Lists are set up, and changed, while no daemon runs."""

    def setUp(self):
        self.box = self.enterContext(Box(start=False))
        self.managed = os.path.join(self.box.state, "managed.yaml")

    def own(self, name, lines, *more):
        path = self.box.write(f"{name}.txt", "".join(f"{line}\n" for line in lines))
        return self.box.cli("lists", "add", name, "--url", f"file://{path}", "--category", "adult",
                            *more)

    def ids(self):
        return [one["id"] for one in self.box.json("lists")["lists"]]

    def test_the_starter_list_is_called_so(self):
        self.assertIn("small starter list that ships with greengate is in force",
                      self.box.cli("lists").stdout)
        self.box.start()
        status = self.box.json("status")
        self.assertEqual(status["state"], "degraded")
        self.assertIn("only the small starter list is in force", status["reasons"][0])
        self.assertGreater(status["lists"]["names"], 10)
        with open("blocklists/catalog/starter/gambling.txt", encoding="utf-8") as starter:
            name = [line for line in starter if not line.startswith("#")][0].strip()
        self.assertEqual(self.box.cli("--quiet", "check", name).returncode, 10)

    def test_an_entry_is_copied_whole(self):
        done = self.box.json("lists", "add", "urlhaus")
        self.assertEqual((done["added"], done["present"], done["daemon"]), (["urlhaus"], [], False))
        self.assertEqual(done["file"], self.managed)
        self.assertEqual(stat.S_IMODE(os.stat(self.managed).st_mode), 0o640)
        shown = self.box.json("lists", "show", "urlhaus")
        self.assertEqual((shown["category"], shown["state"]), ("malware", "never fetched"))
        self.assertTrue(shown["url"].endswith("/urlhaus-filter-hosts.txt"))
        origins = self.box.json("config", "show", "--origin")["origins"]
        self.assertEqual(origins["lists.sources.urlhaus.format"], f"{self.managed}:7")
        again = self.box.cli("lists", "add", "urlhaus")
        self.assertEqual(again.returncode, 0)
        self.assertIn("there already: urlhaus", again.stdout)

    def test_own_lists_and_what_is_wrong_with_them(self):
        rows = [
            (("x", "--url", "https://x.example/l"), 2, "needs --url and --category"),
            (("x", "--url", "https://x.example/l", "--category", "gmaes"), 2, "no category"),
            (("x", "--url", "ftp://x.example/l", "--category", "games"), 2, "not an https://"),
            (("x", "--url", "http://x.example/l", "--category", "games"), 2, "insecure"),
            (("X", "--url", "https://x.example/l", "--category", "games"), 2, "not a short name"),
            (("x", "--url", "https://x.example/l", "--category", "games", "--format", "host"), 2,
             "did you mean 'hosts'?"),
            (("x", "--url", "https://x.example/l", "--category", "games", "--match", "all"), 2, "match"),
            (("urlhaus", "--url", "https://x.example/l", "--category", "ads"), 2, "of the catalogue"),
            (("urlhause",), 1, "did you mean urlhaus?"),
            (("x", "y"), 2, "one ID"),
            ((), 2, "one ID"),
            (("x", "--group", "everyone"), 2, "--group goes with --preset"),
            (("--preset", "scool"), 1, "did you mean school?"),
            (("--preset", "security-only", "--group", "pupils"), 1, "no group is named pupils"),
        ]
        for words, code, says in rows:
            with self.subTest(words):
                done = self.box.cli("lists", "add", *words)
                self.assertEqual((done.returncode, done.stdout), (code, ""))
                self.assertIn(says, done.stderr)
                self.assertFalse(os.path.exists(self.managed))

    def test_a_list_of_ones_own_is_replaced_only_on_request(self):
        self.assertEqual(self.own("mine", ["a.example"], "--match", "subtree").returncode, 0)
        twice = self.own("mine", ["b.example"])
        self.assertEqual(twice.returncode, 1)
        self.assertIn("--replace", twice.stderr)
        self.assertEqual(self.own("mine", ["b.example"], "--replace").returncode, 0)
        source = self.box.json("config", "show")["lists"]["sources"][0]
        self.assertEqual((source["match"], source["enabled"]), ("auto", True))

    def test_added_disabled_and_removed(self):
        done = self.own("mine", ["a.example"], "--update")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("generation 1 is in force", done.stdout)
        self.own("other", ["b.example"], "--update")
        self.assertEqual(self.box.cli("--quiet", "check", "a.example").returncode, 10)
        done = json.loads(self.box.cli("--json", "lists", "disable", "mine", "--update").stdout)
        self.assertEqual((done["ok"], done["enabled"], done["update"]["names"]), (True, False, 1))
        self.assertEqual(self.box.cli("--quiet", "check", "a.example").returncode, 0)
        self.assertIn("disabled already", self.box.cli("lists", "disable", "mine").stdout)
        self.assertEqual(self.box.cli("lists", "enable", "mine", "--update").returncode, 0)
        self.assertEqual(self.box.cli("--quiet", "check", "a.example").returncode, 10)
        self.assertEqual(self.box.cli("lists", "remove", "mine", "--update").returncode, 0)
        self.assertEqual(self.box.cli("--quiet", "check", "a.example").returncode, 0)
        self.assertEqual(self.ids(), ["other"])
        gone = self.box.cli("lists", "remove", "othre")
        self.assertEqual(gone.returncode, 1)
        self.assertIn("did you mean other?", gone.stderr)

    def test_a_failed_update_is_told_as_such(self):
        done = self.box.cli("--json", "lists", "add", "mine", "--url", "file:///nowhere/list",
                            "--category", "adult", "--update")
        answer = json.loads(done.stdout)
        self.assertEqual((done.returncode, answer["ok"], answer["exit"]), (1, False, 1), answer)
        self.assertEqual((answer["added"], answer["update"]["sources"][0]["status"]),
                         (["mine"], "failed"))
        self.assertEqual(self.ids(), ["mine"])

    def test_a_preset_adds_lists_and_what_a_group_blocks(self):
        self.box.config["groups"] = [{"name": "pupils", "clients": ["127.0.0.9"], "block": ["ads"]},
                                     {"name": "rest", "clients": [], "block": ["malware"]}]
        self.box.write_config()
        done = self.box.json("lists", "add", "--preset", "security-only", "--group", "pupils")
        self.assertEqual((done["group"], done["now_blocked"]),
                         ("pupils", ["malware", "phishing", "scam"]))
        self.assertEqual(self.ids(), done["added"])
        groups = {one["name"]: one for one in self.box.json("config", "show")["groups"]}
        self.assertEqual(groups["pupils"]["block"], ["ads", "malware", "phishing", "scam"])
        self.assertEqual(groups["pupils"]["clients"], ["127.0.0.9"])
        self.assertEqual(groups["rest"]["block"], ["malware"])
        again = self.box.json("lists", "add", "--preset", "security-only")
        self.assertEqual((again["added"], again["group"], again["now_blocked"]),
                         ([], "rest", ["phishing", "scam"]))

    def test_a_list_that_nobody_is_kept_from_is_told(self):
        done = self.box.cli("lists", "add", "blp-gaming")
        self.assertIn("no group blocks, so that these lists do nothing yet: games", done.stdout)
        self.assertEqual(self.box.json("lists", "add", "urlhaus")["not_blocked"], [])

    def test_a_catalogue_that_moved_on_is_told_and_changes_nothing(self):
        data = os.path.join(self.box.folder, "data")
        shutil.copytree(DATA, data)
        self.box.config["server"]["data_dir"] = data
        self.box.write_config()
        self.box.json("lists", "add", "urlhaus")
        self.assertEqual(self.box.json("lists")["lists"][0]["catalog_url"], "")
        path = os.path.join(data, "lists.yaml")
        with open(path, encoding="utf-8") as source:
            text = source.read().replace("/urlhaus-filter-hosts.txt", "/moved.txt")
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        one = self.box.json("lists")["lists"][0]
        self.assertTrue(one["url"].endswith("/urlhaus-filter-hosts.txt"))
        self.assertTrue(one["catalog_url"].endswith("/moved.txt"))
        self.assertIn("lists add urlhaus --replace", self.box.cli("lists").stdout)
        self.box.json("lists", "add", "urlhaus", "--replace")
        self.assertTrue(self.box.json("lists")["lists"][0]["url"].endswith("/moved.txt"))

    def test_a_broken_file_is_named_and_not_written_over(self):
        with open(self.managed, "w", encoding="utf-8") as out:
            out.write("lists:\n  sourcs: []\n")
        for words in (("lists",), ("lists", "add", "urlhaus"), ("update",), ("config", "check")):
            with self.subTest(words):
                done = self.box.cli(*words)
                self.assertEqual(done.returncode, 4, done.stdout)
                self.assertIn(f"{self.managed}:2:", done.stderr)
        with open(self.managed, encoding="utf-8") as source:
            self.assertIn("sourcs", source.read())


class WithADaemon(ServedTest):
    LISTS = [("theirs", "adult", ["theirs.example"])]

    def setUp(self):
        super().setUp()
        self.one = self.box(upstream=[self.nsd.url], lists=self.LISTS,
                            config={"block": {"mode": "nxdomain"}})
        self.managed = os.path.join(self.one.state, "managed.yaml")

    def blocked(self, name):
        return self.one.ask(name).rcode == "NXDOMAIN"

    def test_the_daemon_writes_and_acts_at_once(self):
        path = self.one.write("mine.txt", "mine.example\n")
        done = self.one.json("lists", "add", "mine", "--url", f"file://{path}", "--category", "adult",
                             "--update")
        self.assertTrue(done["daemon"])
        self.assertEqual(done["update"]["daemon"], "reloaded")
        self.assertTrue(self.blocked("mine.example"))
        self.assertTrue(self.blocked("theirs.example"))
        self.one.json("lists", "remove", "mine", "--update")
        self.assertFalse(self.blocked("mine.example"))
        self.assertTrue(self.blocked("theirs.example"))

    def test_what_a_group_blocks_acts_before_any_update(self):
        self.one.config["groups"][0]["block"] = ["malware"]
        self.one.write_config()
        self.one.json("reload")
        self.assertFalse(self.blocked("theirs.example"))
        data = os.path.join(self.one.folder, "data")
        shutil.copytree(DATA, data)
        with open(os.path.join(data, "presets.yaml"), "a", encoding="utf-8") as out:
            out.write("  - {id: own, text: {en: x}, lists: [], block: [adult], memory_mb: 1}\n")
        self.one.config["server"]["data_dir"] = data
        self.one.write_config()
        done = self.one.json("lists", "add", "--preset", "own")
        self.assertEqual((done["added"], done["now_blocked"]), ([], ["adult"]))
        self.assertTrue(self.blocked("theirs.example"))

    def test_a_list_of_the_administrators_is_switched_off_but_not_removed(self):
        done = self.one.cli("lists", "remove", "theirs")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, re.escape(self.one.path) + r":\d+: take it out there")
        self.assertEqual(self.one.cli("lists", "disable", "theirs").returncode, 0)
        self.assertEqual(self.one.json("lists")["lists"][0]["state"], "disabled")
        with open(self.managed, encoding="utf-8") as source:
            self.assertIn('- id: "theirs"\n      enabled: false\n', source.read())
        stays = self.one.cli("lists", "remove", "theirs")
        self.assertEqual(stays.returncode, 0)
        self.assertIn("the list stays", stays.stdout)
        self.assertEqual(self.one.json("lists")["lists"][0]["state"], "good")
        # Switched off and on again, nothing is left of it.
        self.one.json("lists", "disable", "theirs")
        self.one.json("lists", "enable", "theirs")
        with open(self.managed, encoding="utf-8") as source:
            self.assertNotIn("theirs", source.read())
        # A list that the administrator takes away takes its override along.
        self.one.json("lists", "disable", "theirs")
        self.one.config["lists"]["sources"] = []
        self.one.write_config()
        self.assertEqual(self.one.cli("config", "check").returncode, 0)

    def test_a_broken_file_does_not_take_the_daemon_down(self):
        self.one.json("lists", "disable", "theirs")
        with open(self.managed, "w", encoding="utf-8") as out:
            out.write("lists: {sources: [{id: x, url: nonsense}]}\n")
        done = self.one.cli("reload")
        self.assertEqual(done.returncode, 4)
        self.assertIn(f"{self.managed}:1:", done.stderr)
        self.assertTrue(self.blocked("theirs.example"))
        self.one.daemon.stop()
        self.one.start()
        self.assertTrue(self.blocked("theirs.example"))
        status = self.one.json("status")
        self.assertEqual(status["state"], "degraded")
        self.assertIn("what commands changed is not in force: " + self.managed,
                      " ".join(status["reasons"]))
        refused = self.one.cli("lists", "add", "urlhaus")
        self.assertEqual(refused.returncode, 4)
        os.unlink(self.managed)
        self.one.json("reload")
        self.assertEqual(self.one.json("status")["state"], "protected")

    def test_the_warning_page_does_without_it(self):
        two = self.box(web=True, lists=self.LISTS)
        with open(os.path.join(two.state, "managed.yaml"), "w", encoding="utf-8") as out:
            out.write("nonsense")
        two.web.stop()
        two.daemon.stop()
        two.web = None
        two.start()
        status, _, body = two.page("theirs.example")
        self.assertEqual(status, 403)
        self.assertIn("theirs.example", body)

    def test_the_last_list_stays_in_force_and_that_is_told(self):
        done = self.one.cli("lists", "disable", "theirs")
        self.assertIn("it was the last", done.stdout)
        self.one.cli("update")
        self.assertTrue(self.blocked("theirs.example"))

    def test_an_administrators_mistake_is_told_and_nothing_is_written(self):
        self.one.write("greengate.yaml", "dns:\n  lisen: []\n")
        done = self.one.cli("lists", "add", "urlhaus")
        self.assertEqual(done.returncode, 4)
        self.assertIn("greengate.yaml:2:", done.stderr)
        self.assertFalse(os.path.exists(self.managed))


if __name__ == "__main__":
    unittest.main()
