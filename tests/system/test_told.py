# SPDX-License-Identifier: Apache-2.0
"""What people and programs are told: the remedy of what is denied, each mistake once, and with --json an
object in any case."""
import json
import os
import unittest

from harness import USER, ServedTest


@unittest.skipIf(os.getuid() == 0 and not USER, "nothing is denied to root")
class Denied(ServedTest):
    def test_sudo_is_named(self):
        box = self.box(lists=[("near", "adult", ["bad.example"])])
        box.cli("allow", "good.example")
        self.assertEqual(box.cli("lists", "generations").returncode, 0)
        self.addCleanup(os.chmod, box.state, 0o755)
        os.chmod(box.state, 0)
        os.chmod(box.socket, 0)
        for words in (("update",), ("update", "--requested"), ("audit",), ("audit", "verify"), ("rollback",),
                      ("check", "bad.example"), ("lists",), ("lists", "show", "near"), ("lists", "generations"),
                      ("lists", "diff"), ("lists", "search", "bad"), ("status",), ("backup", f"{box.folder}/x")):
            with self.subTest(words):
                done = box.cli(*words)
                self.assertIn(done.returncode, (1, 3), done.stdout)
                self.assertRegex(done.stderr, "(?i)permission denied; use sudo")
                self.assertEqual(done.stdout, "")

    def test_files_that_speak_for_the_daemon_say_so(self):
        box = self.box(lists=[("near", "adult", ["bad.example"])])
        os.chmod(box.socket, 0)
        done = box.cli("check", "bad.example")
        self.assertIn("not the daemon: ", done.stdout)
        self.assertIn("use sudo", done.stdout)
        self.assertNotIn("No daemon answers", done.stdout)
        told = box.json("check", "bad.example")
        self.assertEqual(told["asked"], "files")
        self.assertIn("use sudo", told["unasked"])


class Mistakes(ServedTest):
    def test_reload_names_a_mistake_once(self):
        box = self.box()
        with open(box.path, "a", encoding="utf-8") as file:
            file.write("nonsense: 1\n")
        done = box.cli("reload")
        self.assertEqual(done.returncode, 4)
        self.assertEqual((done.stdout + done.stderr).count("unknown key"), 1, done.stderr)
        self.assertIn("still runs on the configuration before", done.stderr)
        for words in (("--quiet", "reload"), ("--json", "reload")):
            done = box.cli(*words)
            self.assertEqual((done.stdout + done.stderr).count("unknown key"), 1, done.stderr)

    def test_dates_that_there_are_not(self):
        box = self.box()
        for day in ("2026-11-31", "2026-02-31", "2026-13-01", "2026-02-29", "2026-11-31T10:00"):
            for words in (("stats", "--since", day), ("stats", "--until", day), ("pause", "--until", day)):
                self.assertEqual(box.cli(*words).returncode, 2, words)
        self.assertEqual(box.cli("stats", "--since", "2024-02-29").returncode, 0)

    def test_of_two_ends_one_is_wanted(self):
        box = self.box()
        for words in (("pause",), ("schedule", "add", "--block", "all")):
            done = box.cli(*words, "--for", "10m", "--until", "23:00")
            self.assertEqual(done.returncode, 2)
            self.assertIn("not both", done.stderr)
            self.assertIn("it needs an end", box.cli(*words).stderr)

    def test_an_option_is_named_as_it_is_typed(self):
        box = self.box()
        words = ("lists", "add", "own", "--url", "http://lists.example/own", "--category", "adult")
        done = box.cli(*words)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--insecure", done.stderr)
        self.assertNotIn("insecure: true", done.stderr)
        self.assertEqual(box.cli(*words, "--insecure").returncode, 0)


class Objects(ServedTest):
    def told(self, box, *words):
        done = box.cli("--json", *words)
        told = json.loads(done.stdout)
        self.assertEqual(told.get("ok"), done.returncode in (0, 10), words)
        if not told["ok"]:
            self.assertIsInstance(told["error"], str, words)
            self.assertEqual(told["exit"], done.returncode, words)
        return done.returncode, told

    def test_each_has_ok(self):
        box = self.box(lists=[("near", "adult", ["bad.example"])])
        for words in (("status",), ("status", "--quiet"), ("check", "bad.example"), ("groups",), ("radar",), ("rules",),
                      ("services",), ("services", "show", "tiktok"), ("services", "show", "nonsense"), ("doctor",),
                      ("firewall", "print", "--interface", "br-lan"), ("firewall", "print"), ("config", "check"),
                      ("config", "show"), ("config", "diff"), ("lists",), ("lists", "show", "near"), ("lists", "catalog"),
                      ("lists", "presets"), ("lists", "generations"), ("lists", "diff"), ("lists", "search", "bad"),
                      ("audit",), ("audit", "verify"), ("stats",), ("metrics",), ("schedule",), ("requests",), ("user",),
                      ("update",), ("update", "--requested"), ("reload",), ("rollback",), ("backup", f"{box.folder}/x")):
            with self.subTest(words):
                self.told(box, *words)

    def test_quiet_prints_it_too(self):
        box = self.box(lists=[("near", "adult", ["bad.example"])])
        code, told = self.told(box, "check", "bad.example", "--quiet")
        self.assertEqual((code, told["blocked"]), (10, True))
        self.assertEqual(self.told(box, "check", "good.example", "--quiet")[0], 0)

    def test_what_somebody_asked_for(self):
        box = self.box(lists=[("near", "adult", ["bad.example"])], start=False)
        self.assertEqual(self.told(box, "update", "--requested")[1]["note"], "nothing was asked for")
        for request, code in (({"what": "update", "lists": []}, 0), ({"what": "rollback", "generation": 99}, 1)):
            path = box.write("state/update.request", json.dumps(request))
            os.chmod(path, 0o666)
            done, told = self.told(box, "update", "--requested")
            self.assertEqual((done, told["what"], told["exit"]), (code, request["what"], code))

    def test_a_mistake_comes_as_text_and_in_parts(self):
        box = self.box(start=False)
        with open(box.path, "a", encoding="utf-8") as file:
            file.write("nonsense: 1\n")
        code, told = self.told(box, "config", "check")
        self.assertEqual(code, 4)
        self.assertEqual(told["mistake"]["file"], box.path)
        self.assertEqual(told["error"], "{file}:{line}:{column}: {text}".format(**told["mistake"]))


if __name__ == "__main__":
    unittest.main()
