# SPDX-License-Identifier: Apache-2.0
"""Which line of which list blocks a name, and what the gate holds back: the real commands."""
import io
import json
import os
import shutil
import subprocess
import tarfile
import unittest

from harness import SHARED, SLOWER, USER, Box
from load import Load

POPULAR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "blocklists", "catalog",
                       "popular.txt")


def best_known(count):
    with open(POPULAR, encoding="utf-8") as file:
        names = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    return names[:count]


class Lines(unittest.TestCase):
    def box(self, lists, config=None, start=False):
        return self.enterContext(Box(config, lists=lists, start=start))

    def test_check_names_the_very_line(self):
        box = self.box([("hosts", "adult", ["# head", "0.0.0.0 one.example", "0.0.0.0 Two.Example"]),
                        ("rules", "gambling", ["||two.example^", "@@||ok.two.example^"])])
        why = box.json("check", "two.example")
        self.assertEqual((why["rule_text"], why["line"], why["format"], why["list"], why["asked"]),
                         ("0.0.0.0 Two.Example", 3, "hosts", "hosts", "files"))
        texts = {item["list"]: item["rule_text"] for item in why["listed"]}
        self.assertEqual(texts, {"hosts": "0.0.0.0 Two.Example", "rules": "||two.example^"})
        shown = box.cli("check", "www.two.example").stdout
        self.assertIn("listed as line 1 (adblock): ||two.example^", shown)
        excepted = box.json("check", "ok.two.example")
        self.assertFalse(excepted["blocked"])
        self.assertIn("@@||ok.two.example^", [item["rule_text"] for item in excepted["listed"]])

    def test_the_daemons_verdict_has_its_line_too(self):
        box = self.box([("hosts", "adult", ["0.0.0.0 one.example"])], start=True)
        why = box.json("check", "one.example")
        self.assertEqual((why["asked"], why["line"], why["rule_text"]), ("daemon", 1, "0.0.0.0 one.example"))

    def test_every_kind_of_entry_has_its_line(self):
        box = self.box([("zone", "adult", ["$TTL 60", "@ SOA a. b. 7 1 1 1 1", "@ NS a.",
                                           "bad.example CNAME .", "*.bad.example CNAME ."]),
                        ("patterns", "adult", ["# head", "^ad[0-9]+\\."], {"format": "regex"}),
                        ("places", "adult", ["# head", "203.0.114.0/24"], {"format": "addresses"})])
        for name, line, text in (("bad.example", 4, "bad.example CNAME ."),
                                 ("a.bad.example", 5, "*.bad.example CNAME ."),
                                 ("ad17.example", 2, "^ad[0-9]+\\."),
                                 ("203.0.114.9", 2, "203.0.114.0/24")):
            why = box.json("check", name)
            self.assertEqual((why["blocked"], why["line"], why["rule_text"]), (True, line, text), why)

    def test_a_line_of_an_archive_names_its_file(self):
        box = self.box([])
        path = os.path.join(box.folder, "ut1.tar")
        with tarfile.open(path, "w") as archive:
            for name, text in (("lists/adult/domains", "one.example\ntwo.example\n"),
                               ("lists/adult/usage", "black\n"),
                               ("lists/press/domains", "two.example\n")):
                member = tarfile.TarInfo(name)
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text.encode()))
        os.chmod(path, 0o644)
        box.config["lists"] = {"sources": [{"id": "ut1", "url": f"file://{path}", "category": "adult",
                                            "format": "ut1"}]}
        box.config["groups"] = [{"name": "all", "clients": [], "block": ["adult"]}]
        box.write_config()
        box.json("update")
        why = box.json("check", "www.two.example")
        self.assertEqual((why["file"], why["line"]), ("adult/domains", 2))
        self.assertIn("adult/domains, line 2 (ut1): two.example", box.cli("check", "two.example").stdout)

    def test_the_starter_list_names_its_lines(self):
        box = self.box([], {"groups": [{"name": "all", "clients": [], "block": ["gambling"]}]})
        why = box.json("check", "www.bet365.com")
        self.assertTrue(why["blocked"])
        self.assertEqual((why["list"], why["rule_text"]), ("starter-gambling", "bet365.com"))

    def test_texts_that_are_not_kept_are_said_to_be(self):
        box = self.box([("hosts", "adult", ["0.0.0.0 one.example"])])
        shutil.rmtree(os.path.join(box.state, "generations", "000001.lists"))
        self.assertEqual(box.json("check", "one.example")["line"], 1)  # from sources/
        os.remove(os.path.join(box.state, "sources", "hosts.zst"))
        why = box.json("check", "one.example")
        self.assertTrue(why["blocked"])
        self.assertNotIn("rule_text", why)
        self.assertIn("lists.names", why["texts"])
        self.assertIn("No line is shown", box.cli("check", "one.example").stdout)

    def test_without_names_no_text_is_kept_with_generations(self):
        box = self.box([("hosts", "adult", ["0.0.0.0 one.example"])], {"lists": {"names": False}})
        self.assertEqual(os.listdir(os.path.join(box.state, "generations")), ["000001.ggdb"])
        self.assertEqual(box.json("check", "one.example")["line"], 1)


class Plain(unittest.TestCase):
    def test_no_octet_of_a_list_steers_the_terminal(self):
        lines = [f"n{number}.example" for number in range(20000)]
        box = self.enterContext(Box(lists=[("evil", "adult", [
            "||n.example^", *(f"||{name}^" for name in lines),
            "/ads\x1b]0;pwned\x07[0-9]+x/", "||ok.example^ ! \u009b31m \u202e"])], start=False))
        for words in (("lists", "search", "pwned"), ("lists", "search", "ok.example"),
                      ("check", "ok.example")):
            shown = box.cli(*words).stdout
            self.assertNotRegex(shown, "[\x00-\x09\x0b-\x1f\x7f\x80-\x9f\u202a-\u202e]", words)

    def test_root_does_not_read_lists_as_root(self):
        if os.geteuid() != 0 or not USER:
            self.skipTest("not root")
        box = self.enterContext(Box(lists=[("hosts", "adult", ["a.example"])], start=False))
        box.config["server"]["user"] = USER
        box.write_config()
        done = subprocess.run(["strace", "-f", "-e", "trace=setuid,setresuid,clone,clone3,fork,vfork",
                               box.program("greengate"), "-c", box.path, "lists", "search", "a.example"],
                              capture_output=True, text=True, check=False) if shutil.which("strace") else None
        if done is None:
            self.skipTest("strace is not installed")
        self.assertRegex(done.stderr, r"(?s)^[^\n]*set(res)?uid\(.*clone")


class Search(unittest.TestCase):
    def setUp(self):
        self.box = self.enterContext(Box(lists=[
            ("hosts", "adult", ["0.0.0.0 cam.example", "0.0.0.0 webcam.example", "0.0.0.0 x.test"]),
            ("rules", "gambling", ["||cam.test^", "@@||ok.cam.test^"])], start=False))

    def find(self, *words):
        return [(item["name"], item["list"], item["line"]) for item in
                self.box.json("lists", "search", *words)["found"]]

    def test_a_part_of_a_name_finds_it_in_every_list(self):
        self.assertEqual(self.find("CAM"), [("cam.example", "hosts", 1), ("webcam.example", "hosts", 2),
                                            ("cam.test", "rules", 1), ("ok.cam.test", "rules", 2)])

    def test_a_glob_fits_whole_names(self):
        self.assertEqual(self.find("cam.*"), [("cam.example", "hosts", 1), ("cam.test", "rules", 1)])

    def test_one_list_or_category(self):
        self.assertEqual(self.find("cam", "--list", "rules"),
                         [("cam.test", "rules", 1), ("ok.cam.test", "rules", 2)])
        self.assertEqual(len(self.find("cam", "--category", "adult")), 2)

    def test_the_limit_is_said(self):
        shown = self.box.cli("lists", "search", "cam", "--limit", "1")
        self.assertEqual(shown.returncode, 0)
        self.assertIn("1 of 4 are shown", shown.stdout)
        self.assertEqual(self.box.json("lists", "search", "cam", "--limit", "1")["total"], 4)

    def test_names_are_found_as_people_write_them(self):
        self.box.write("rules.list", "||한국도박.test^\n||xn--3e0b73jrvhqk1a.example^\n||plain.test^\n")
        self.box.json("update", "--force")
        names = [("xn--3e0b73jrvhqk1a.test", "rules", 1), ("xn--3e0b73jrvhqk1a.example", "rules", 2)]
        self.assertEqual(self.find("도박"), names)
        self.assertEqual(self.find("한국*.test"), names[:1])
        self.assertEqual(self.find("xn--3e0b73"), names)
        self.assertEqual(self.find("중국"), [])

    def test_a_list_or_category_that_is_not_in_force_is_told(self):
        for words in (["--list", "absent"], ["--category", "games"]):
            done = self.box.cli("lists", "search", "cam", *words)
            self.assertEqual(done.returncode, 1)
            self.assertIn("is in force", done.stderr)

    def test_nothing_and_nonsense(self):
        self.assertIn("nothing listed fits", self.box.cli("lists", "search", "absent").stdout)
        for words in ([], [""], ["cam", "--limit", "0"], ["cam", "--limit", "x"], ["a", "b"]):
            self.assertEqual(self.box.cli("lists", "search", *words).returncode, 2, words)


class Differences(unittest.TestCase):
    def setUp(self):
        self.box = self.enterContext(Box(lists=[("hosts", "adult", ["a.example", "b.example"])],
                                         start=False))

    def change(self, *lines):
        self.box.write("hosts.list", "\n".join(lines) + "\n")

    def test_a_dry_run_shows_what_it_would_change(self):
        self.change("b.example", "c.example")
        done = self.box.json("update", "--dry-run")
        self.assertEqual([(item["name"], item["change"]) for item in done["difference"]["names"]],
                         [("c.example", "added"), ("a.example", "removed")])
        self.assertEqual(self.box.json("lists")["generation"], 1)
        shown = self.box.cli("update", "--dry-run").stdout
        self.assertIn("+ c.example (hosts)", shown)

    def test_a_dry_run_tells_well_known_names_blocked_newly(self):
        names = ["chosun.com", "melon.com", "netflix.com", "twitter.com"]
        self.assertLessEqual(set(names), set(best_known(1000)))
        config = self.box.config["lists"]
        config["never_block"] = ["twitter.com"]
        config["sources"] += [self.box.source("games", "games", ["chosun.com"]),
                              self.box.source("try", "adult", ["netflix.com"], {"shadow": True})]
        self.box.write_config()
        self.change("melon.com")
        self.box.json("update", "--force")
        self.change("melon.com", "chosun.com", "google.com", "twitter.com")
        done = self.box.json("update", "--dry-run")
        self.assertEqual(done["newly_blocked"],
                         [{"name": "chosun.com", "list": "hosts", "category": "adult"}])
        self.assertIn("blocked newly:\n  chosun.com, by hosts in category adult\n",
                      self.box.cli("update", "--dry-run").stdout)
        self.assertNotIn("newly_blocked", self.box.json("update", "--force"))

    def test_generations_are_compared(self):
        self.change("b.example", "c.example", "d.example")
        self.box.json("update")
        change = self.box.json("lists", "diff")
        self.assertEqual((change["before"], change["after"]), (1, 2))
        self.assertEqual(change["lists"], [{"list": "hosts", "added": 2, "removed": 1, "changed": 0, "whole": True}])
        back = self.box.json("lists", "diff", "2", "1")
        self.assertEqual(back["lists"][0]["added"], 1)

    def test_generations_tell_what_changed_in_counts(self):
        more = self.box.source("more", "adult", ["m.example"])
        self.box.config["lists"]["sources"].append(more)
        self.box.write_config()
        self.change("b.example", "c.example", "d.example")
        self.box.json("update")
        self.box.config["lists"]["sources"].remove(more)
        self.box.write_config()
        self.box.json("update")
        changes = [[(item["list"], item["change"], item["entries"]) for item in one["changes"]]
                   for one in self.box.json("lists", "generations")["generations"]]
        self.assertEqual(changes, [[], [("hosts", "changed", 1), ("more", "added", 1)],
                                   [("more", "removed", -1)]])
        shown = self.box.cli("lists", "generations").stdout
        self.assertIn("hosts +1, more added", shown)
        self.assertIn("more removed", shown)

    def test_what_cannot_be_compared_is_said(self):
        done = self.box.cli("lists", "diff")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no other generation", done.stderr)
        self.assertEqual(self.box.cli("lists", "diff", "1", "77").returncode, 1)
        self.assertEqual(self.box.cli("lists", "diff", "one").returncode, 2)

    def test_texts_go_with_their_generation(self):
        self.box.config["lists"]["keep_generations"] = 1
        self.box.write_config()
        for number in range(3):
            self.change("a.example", "b.example", f"n{number}.example")
            self.box.json("update")
        self.assertEqual(sorted(os.listdir(os.path.join(self.box.state, "generations"))),
                         ["000004.ggdb", "000004.lists"])

    def test_a_text_is_one_file_while_the_list_stays_the_same(self):
        self.box.config["lists"]["sources"].append(self.box.source("more", "adult", ["m.example"]))
        self.box.write_config()
        self.box.json("update")
        texts = [os.path.join(self.box.state, "generations", f"{number:06}.lists", "hosts.zst")
                 for number in (1, 2)]
        self.assertEqual(os.stat(texts[0]).st_ino, os.stat(texts[1]).st_ino)


class Popular(unittest.TestCase):
    def box(self, lines, category="adult", more=None, config=None):
        box = self.enterContext(Box(config, start=False))
        box.config["lists"] = {"sources": [box.source("big", category, lines, more),
                                           box.source("good", "adult", ["good.example"])]}
        box.config["lists"].update((config or {}).get("lists", {}))
        box.config["groups"] = [{"name": "all", "clients": [], "block": ["adult", "ads"]}]
        box.write_config()
        return box

    def update(self, box, *words):
        done = box.cli("--json", "update", *words)
        return done.returncode, json.loads(done.stdout)

    def test_a_list_that_blocks_many_is_held_and_says_which_lines(self):
        code, result = self.update(self.box(["# head"] + best_known(21)))
        big, good = result["sources"]
        self.assertEqual((code, big["status"], big["in_use"], good["in_use"]), (6, "held", False, True))
        self.assertIn("held back: blocks 21 of the best-known names: google.com", big["error"])
        popular = [hit for hit in result["protected_hits"] if hit["popular"]]
        self.assertEqual((popular[0]["name"], popular[0]["line"], popular[0]["text"]),
                         ("google.com", 2, "google.com"))

    def test_patterns_are_tried_on_them(self):
        box = self.box(["^ok[0-9]", "(google|facebook|naver|youtube|wikipedia|amazon)"],
                       more={"format": "regex"}, config={"lists": {"max_popular": 4}})
        code, result = self.update(box)
        self.assertEqual((code, result["sources"][0]["status"]), (6, "held"))
        popular = [hit for hit in result["protected_hits"] if hit["popular"]]
        self.assertEqual((popular[0]["name"], popular[0]["line"], popular[0]["text"]),
                         ("google.com", 2, "(google|facebook|naver|youtube|wikipedia|amazon)"))

    def test_at_the_limit_it_is_taken(self):
        code, result = self.update(self.box(best_known(20)))
        self.assertEqual((code, result["sources"][0]["status"], result["sources"][0]["popular_hits"]),
                         (0, "updated", 20))

    def test_the_copy_before_stays(self):
        box = self.box(["bad.example"])
        self.assertEqual(self.update(box)[0], 0)
        box.write("big.list", "\n".join(["bad.example", *best_known(30)]))
        box.config["lists"]["max_shrink_percent"] = 99
        code, result = self.update(box)
        self.assertEqual((code, result["sources"][0]["status"], result["sources"][0]["in_use"]),
                         (6, "held", True))
        self.assertTrue(box.json("check", "bad.example")["blocked"])
        self.assertFalse(box.json("check", "google.com")["blocked"])

    def test_an_administrator_may_accept_it(self):
        lines = best_known(40)
        self.assertEqual(self.update(self.box(lines, more={"accept_popular": True}))[0], 0)
        self.assertEqual(self.update(self.box(lines), "--force")[0], 0)
        self.assertEqual(self.update(self.box(lines, config={"lists": {"max_popular": 40}}))[0], 0)

    def test_categories_that_are_for_them_are_not_held(self):
        self.assertEqual(self.update(self.box(best_known(40), category="ads"))[0], 0)

    def test_names_of_a_file_of_ones_own(self):
        box = self.box(["school.example", "www.office.example"])
        box.config["lists"]["essential_file"] = box.write("mine.txt", "office.example # ours\n")
        box.config["lists"]["popular_file"] = box.write("top.txt", "school.example\n")
        box.config["lists"]["max_popular"] = 0
        box.write_config()
        os.chmod(box.folder, 0o755)
        _, result = self.update(box)
        self.assertEqual(result["sources"][0]["status"], "held")
        self.assertEqual({(hit["name"], hit["popular"]) for hit in result["protected_hits"]},
                         {("www.office.example", False), ("school.example", True)})

    def test_a_file_that_cannot_be_read_says_its_place(self):
        box = self.box(["bad.example"])
        box.config["lists"]["essential_file"] = box.write("mine.txt", "a.example\nb..example\n")
        box.write_config()
        done = box.cli("update")
        self.assertEqual(done.returncode, 1)
        self.assertIn("mine.txt:2", done.stderr)

    @unittest.skipUnless(SHARED, "no real lists")
    def test_the_real_list_that_blocks_google_is_held(self):
        data = subprocess.run(["zstd", "-dcq", f"{SHARED}/adult/bon-appetit-block.txt.zst"], check=True,
                              capture_output=True).stdout
        box = self.box(["x.example"])
        box.write("big.list", data)
        _, result = self.update(box)
        self.assertEqual(result["sources"][0]["status"], "held")
        named = {hit["name"] for hit in result["protected_hits"]}
        self.assertLessEqual({"google.com", "facebook.com", "naver.com"}, named)


class Shadow(unittest.TestCase):
    def test_lists_tell_which_only_count(self):
        box = self.enterContext(Box(lists=[("try", "adult", ["a.example"], {"shadow": True}),
                                           ("real", "adult", ["b.example"])], start=False))
        self.assertEqual([item["shadow"] for item in box.json("lists")["lists"]], [True, False])
        self.assertIn("good, shadow", box.cli("lists").stdout)
        self.assertIn("it blocks nothing", box.cli("lists", "show", "try").stdout)
        self.assertNotIn("shadow", box.cli("lists", "show", "real").stdout)

    def test_well_known_names_do_not_hold_it_back(self):
        box = self.enterContext(Box(start=False))
        box.config["lists"] = {"sources": [box.source("try", "adult", best_known(30), {"shadow": True})]}
        box.config["groups"] = [{"name": "all", "clients": [], "block": ["adult"]}]
        box.write_config()
        source = box.json("update")["sources"][0]
        self.assertEqual((source["status"], source["popular_hits"]), ("updated", 30))


class Rollback(unittest.TestCase):
    def test_loses_no_query_under_load(self):
        names = [f"bad{n}.example" for n in range(500)]
        box = self.enterContext(Box(lists=[("hosts", "adult", names)]))
        box.write("hosts.list", "\n".join([*names, "more.example"]))
        box.json("update")
        with Load(box.address, [(name, True) for name in names[:20]], qps=2000 // SLOWER) as load:
            for number in (1, 2) * 5:
                self.assertEqual(box.json("rollback", str(number))["daemon"], "reloaded")
        self.assertGreater(load.result["answered"], 100)
        self.assertEqual((load.result["lost"], load.result["wrong"]), (0, 0), load.result)

    def test_takes_less_than_ten_milliseconds(self):
        box = self.enterContext(Box(lists=[("hosts", "adult", [f"n{n}.example" for n in range(100000)])],
                                    start=False))
        box.write("hosts.list", "\n".join(f"n{n}.example" for n in range(100001)))
        box.json("update")
        best = min(box.json("rollback", str(number))["took_ms"] for number in (1, 2, 1, 2, 1))
        self.assertLess(best, 10 * SLOWER)


if __name__ == "__main__":
    unittest.main()
