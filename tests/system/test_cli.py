# SPDX-License-Identifier: Apache-2.0
"""The CLI on its own: help that teaches, exit codes, one JSON value, no colour in a pipe."""
import json
import os
import pty
import re
import shutil
import subprocess
import unittest

from harness import BUILD, ROOT, temp_folder

COMMANDS = ["status", "check", "lists", "update", "rollback", "allow", "block", "rules", "stats",
            "config", "reload"]


def run(*arguments, **more):
    return subprocess.run([os.path.join(BUILD, "greengate"), *arguments], check=False, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60, **more)


def run_on_terminal(environment, *arguments):
    """What the program writes when its output is a terminal."""
    leader, follower = pty.openpty()
    done = subprocess.run([os.path.join(BUILD, "greengate"), *arguments], check=False,
                          stdin=subprocess.DEVNULL, stdout=follower, stderr=subprocess.PIPE,
                          timeout=60, env={**os.environ, "TERM": "xterm", **environment})
    os.close(follower)
    text = b""
    try:
        while True:
            more = os.read(leader, 4096)
            if not more:
                break
            text += more
    except OSError:  # Linux says EIO when the other side is closed
        pass
    os.close(leader)
    return done.returncode, text.decode()


class Help(unittest.TestCase):
    def test_alone_it_teaches(self):
        done = run()
        self.assertEqual(done.returncode, 0)
        for command in COMMANDS:
            self.assertRegex(done.stdout, rf"(?m)^  {command} ", command)
        examples = re.findall(r"(?m)^  greengate (\w+) ", done.stdout)
        self.assertEqual(examples, ["status", "check", "allow", "block", "stats"])
        self.assertEqual(done.stdout, run("--help").stdout)

    def test_every_command_has_help(self):
        for command in COMMANDS:
            done = run(command, "--help")
            self.assertEqual(done.returncode, 0, command)
            self.assertIn(f"usage: greengate [-c FILE] [--json] {command}", done.stdout)
            self.assertGreater(len(done.stdout.strip().split("\n")), 2, command)

    def test_lines_fit_a_terminal(self):
        for command in [None, *COMMANDS, "setup", "import", "requests", "user"]:
            text = run(*([command, "--help"] if command else [])).stdout
            for line in text.split("\n"):
                self.assertLessEqual(len(line), 110, line)


    def test_version_is_told(self):
        done = run("--version")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(run("-c", "none.yaml", "--version").stdout, done.stdout)
        self.assertRegex(done.stdout, r"^greengate \d+\.\d+\.\d+\n$")
        self.assertIn("--version", run("--help").stdout)

    def test_config_help_explains_its_words(self):
        text = run("config", "--help").stdout
        for word in ("check ", "show ", "diff ", "--origin "):
            self.assertRegex(text, rf"(?m)^{word}")

    def test_the_usage_line_has_every_option_of_the_help(self):
        for command in ("status", "check", "import", "setup", "backup", "restore", "doctor", "stats", "report",
                        "selftest", "update", "allow", "pause", "audit"):
            usage, text = run(command, "--help").stdout.split("\n\n", 1)
            for option in re.findall(r"(?m)^(--[a-z-]+)", text):
                self.assertIn(option, usage, command)

    def test_the_other_programs_print_their_usage(self):
        for program in ("greengated", "greengate-web"):
            for word, code in (("--help", 0), ("-h", 0), ("--nonsense", 2)):
                done = subprocess.run([os.path.join(BUILD, program), word], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, code, program)
                self.assertIn(f"usage: {program} [-c FILE]", done.stderr if code else done.stdout)

    def test_usage_has_no_blank_at_its_end(self):
        for done in (run("reload", "now"), run("reload", "--help")):
            self.assertRegex(done.stdout + done.stderr, r"(?m)^usage: greengate .*reload$")


class Codes(unittest.TestCase):
    def setUp(self):
        folder = temp_folder()
        self.addCleanup(shutil.rmtree, folder)
        self.config = os.path.join(folder, "greengate.yaml")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"server:\n  control_socket: {os.path.dirname(self.config)}/none.sock\n")

    def test_unknown_command_names_the_nearest(self):
        done = run("chekc", "a.example")
        self.assertEqual(done.returncode, 2)
        self.assertIn("did you mean check?", done.stderr)

    def test_no_daemon_is_3(self):
        for words in (["status"], ["allow", "a.example"], ["rules"], ["stats"], ["reload"]):
            done = run("-c", self.config, *words)
            self.assertEqual(done.returncode, 3, words)
            self.assertIn("greengate: greengated is not running: no daemon answers on "
                          f"{os.path.dirname(self.config)}/none.sock\n", done.stderr)

    def test_bad_configuration_is_4_and_says_where(self):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write("server:\n  wokers: 2\n")
        done = run("-c", self.config, "status")
        self.assertEqual(done.returncode, 4)
        self.assertIn("greengate.yaml:2:3", done.stderr)
        self.assertIn("workers", done.stderr)

    def test_json_may_stand_anywhere(self):
        for words in (["--json", "status"], ["status", "--json"]):
            done = run("-c", self.config, *words)
            reply = json.loads(done.stdout)
            self.assertEqual((reply["ok"], reply["exit"], done.stderr), (False, 3, ""))

    def test_option_without_its_file_is_usage(self):
        self.assertEqual(run("status", "-c").returncode, 2)

    def test_full_output_is_no_success(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([os.path.join(BUILD, "greengate"), "--help"], check=False,
                                  stdout=full, timeout=60)
        self.assertEqual(done.returncode, 1)


class Colours(unittest.TestCase):
    def test_only_on_a_terminal_without_no_color(self):
        folder = temp_folder()
        self.addCleanup(shutil.rmtree, folder)
        config = os.path.join(folder, "greengate.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"server:\n  state_dir: {folder}\n"
                       f"  control_socket: {folder}/none.sock\n"
                       f"  data_dir: {os.path.join(ROOT, 'blocklists/catalog')}\n")
        words = ("-c", config, "check", "a.example")
        code, text = run_on_terminal({"NO_COLOR": ""}, *words)
        self.assertEqual(code, 0, text)
        self.assertIn("\033[", text)
        self.assertNotIn("\033", run_on_terminal({"NO_COLOR": "1"}, *words)[1])
        self.assertNotIn("\033", run(*words).stdout)


if __name__ == "__main__":
    unittest.main()
