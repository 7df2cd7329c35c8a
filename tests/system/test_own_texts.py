# SPDX-License-Identifier: Apache-2.0
"""A school's own data files stand before ours (docs/texts.md)."""
import os
import subprocess
import unittest

from harness import BUILD, Box

DATA = os.path.join(BUILD, "data")


class OwnTexts(unittest.TestCase):
    def setUp(self):
        self.box = self.enterContext(Box(lists=[("bad", "adult", ["bad.test"])], start=False))
        self.own = os.path.join(self.box.folder, "data")
        os.makedirs(self.own)
        self.box.config["server"]["data_dir"] = f"{self.own}:{DATA}"
        self.box.write_config()
        self.box.with_web = True

    def replace(self, name, old, new):
        with open(os.path.join(DATA, name), encoding="utf-8") as file:
            text = file.read()
        self.assertIn(old, text)
        with open(os.path.join(self.own, name), "w", encoding="utf-8") as out:
            out.write(text.replace(old, new))

    def test_a_help_line_of_another_region(self):
        self.replace("helplines.yaml", "1366", "0800-777")
        self.replace("categories.yaml", "1366", "0800-777")
        self.replace("texts.yaml", "1366", "0800-777")
        self.box.start()
        page = self.box.page("bad.test")[2]
        self.assertIn("0800-777", page)
        self.assertNotIn("1366", page)

    def test_a_language_without_texts_is_a_mistake(self):
        self.box.config["web"]["languages"] = ["ko", "de"]
        self.box.write_config()
        done = self.box.cli("config", "check")
        self.assertEqual(done.returncode, 4)
        self.assertRegex(done.stderr, r"greengate\.yaml:\d+:\d+: web\.languages: there are no texts in 'de'; "
                                      "known: ko, en, zh, vi, ja\n")
        with open(os.path.join(DATA, "texts.yaml"), encoding="utf-8") as file:
            lines = [line + line.replace("  en:", "  de:", 1) if line.startswith("  en:") else line for line in file]
        with open(os.path.join(self.own, "texts.yaml"), "w", encoding="utf-8") as out:
            out.writelines(lines)
        self.assertEqual(self.box.cli("config", "check").stdout, "ok\n")

    def test_a_copy_with_a_mistake_is_named(self):
        with open(os.path.join(self.own, "texts.yaml"), "w", encoding="utf-8") as out:
            out.write("- wrong\n")
        self.box.with_web = False
        self.box.start()
        done = self.box.cli("config", "check")
        self.assertTrue(self.box.ask("bad.test").ede, "the daemon needs no texts of pages")
        web = subprocess.run([self.box.program("greengate-web"), "-t", "-c", self.box.path], capture_output=True, text=True, check=False)
        self.assertEqual(web.returncode, 4)
        self.assertIn(os.path.join(self.own, "texts.yaml"), web.stderr)
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
