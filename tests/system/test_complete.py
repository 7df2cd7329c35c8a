# SPDX-License-Identifier: Apache-2.0
"""`greengate complete` and the completion of bash, zsh and fish that asks it; greengate(1)."""
import glob
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
import unittest

from harness import BUILD, ROOT, SLOWER, Box, wait_for

SCRIPTS = os.path.join(ROOT, "packaging", "completion")
EVERYWHERE = {"-c", "--json", "--quiet", "--help", "--version"}
GROUPS = {"groups": [{"name": "staff", "clients": ["10.1.0.0/16"], "block": ["adult"]},
                     {"name": "pupils", "clients": [], "block": ["adult", "games"]}]}


def complete(box, *words):
    """{candidate: what it is}; the words as they are typed, the last one perhaps not to its end."""
    done = box.cli("complete", "--", *words)
    assert done.returncode == 0 and done.stderr == "", done
    return dict(line.split("\t") if "\t" in line else (line, "") for line in done.stdout.splitlines())


def commands():
    with open(os.path.join(ROOT, "tools", "commands.def"), encoding="utf-8") as source:
        return re.findall(r'^COMMAND\("([a-z]+)"', source.read(), re.M)


class Grammar(unittest.TestCase):
    """What is offered, and what the commands take, are the same."""

    @classmethod
    def setUpClass(cls):
        cls.box = cls.enterClassContext(Box(start=False))

    def offered(self):
        """{(command, word, option)} of all that is offered."""
        found = set()
        for command in commands():
            words = [(command,)] + [(command, word) for word in complete(self.box, command, "")
                                    if re.fullmatch("[a-z]+", word) and command not in ("update", "rollback")]
            words += [("lists", "catalog", "show")] if command == "lists" else []
            found |= {(*place, option) for place in words
                      for option in complete(self.box, *place, "-") if option not in EVERYWHERE}
        return found

    def test_commands(self):
        self.assertEqual(list(complete(self.box, "")), commands())
        self.assertEqual(complete(self.box, "stat"), {
            "status": "is it protecting, and if not, why", "stats": "sums of what was asked and answered"})

    def test_every_option_that_is_offered_is_taken(self):
        offered = self.offered()
        self.assertGreater(len(offered), 80)
        for *place, option in sorted(offered):
            with self.subTest(place=place, option=option):
                done = self.box.cli(*place, f"{option}=x", "--no-such-option")
                if "takes no value" in done.stderr:
                    done = self.box.cli(*place, option, "--no-such-option")
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("unknown option --no-such-option", done.stderr)

    def test_every_option_that_is_taken_is_offered_and_in_the_manual(self):
        taken = set()
        for path in glob.glob(os.path.join(ROOT, "tools", "*.c")):
            with open(path, encoding="utf-8") as source:
                taken |= set(re.findall(r'\{"(--[a-z-]+)",', source.read()))
        self.assertGreater(len(taken), 40)
        offered = {option for *_, option in self.offered()}
        self.assertEqual(taken - offered - EVERYWHERE, set())
        with open(os.path.join(ROOT, "packaging", "man", "greengate.1"), encoding="utf-8") as page:
            shown = {"--" + option for option in re.findall(r"\bFl -([a-z-]+)", page.read())}
        self.assertEqual(offered - shown, set())

    def test_fixed_words_are_taken(self):
        # What is wrong with a word is said before the daemon is asked, or by it: see Values.
        for kind in complete(self.box, "check", "a.example", "--type", ""):
            self.assertNotIn("type", self.box.cli("check", "a.example", "--type", kind).stderr, kind)
        self.assertEqual(set(complete(self.box, "user", "add", "kim", "--role", "")), {"viewer", "teacher", "admin"})
        self.assertEqual(set(complete(self.box, "setup", "--ages", "")), {"young", "teen", "adult"})
        self.assertEqual(set(complete(self.box, "firewall", "print", "--for", "")), {"debian", "openwrt"})
        self.assertIn("rpz", complete(self.box, "lists", "add", "x", "--format", ""))

    def test_what_is_no_command_has_no_candidates(self):
        for words in (("nonsense", ""), ("status", ""), ("check", ""), ("lists", "add", "a", "b", "c", ""),
                      ("allow", "--note", ""), ("-c",  "x", "nonsense", "-")):
            self.assertEqual(complete(self.box, *words), {}, words)
        self.assertEqual(complete(self.box), dict(complete(self.box, "")))
        self.assertIn("--group", complete(self.box, "check", "--unknown", "-"))

    def test_files(self):
        for words in (("restore", ""), ("backup", "/tm"), ("import", "pihole", ""), ("rules", "import", ""),
                      ("report", "--out", ""), ("-c", "")):
            self.assertEqual(complete(self.box, *words), {":files": ""}, words)

    def test_a_wrong_configuration_is_not_said(self):
        self.box.write("wrong.yaml", "blok: {}\n")
        wrong = os.path.join(self.box.folder, "wrong.yaml")
        self.assertEqual(list(complete(self.box, "-c", wrong, "pause", "--group", "")), ["everyone"])
        self.assertEqual(list(complete(self.box, "-c", "/nowhere", "pause", "--group", "")), ["everyone"])


class Values(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.box = cls.enterClassContext(Box(config=GROUPS, lists=[
            ("adult-list", "adult", ["bad.example"]), ("games-list", "games", ["play.example"])]))

    def names(self, *words):
        return list(complete(self.box, *words))

    def test_from_files(self):
        self.assertEqual(self.names("check", "a", "--group", ""), ["staff", "pupils"])
        self.assertEqual(self.names("check", "a", "--group=p"), ["--group=pupils"])
        self.assertEqual(self.names("check", "a", "--group", "=", "p"), ["pupils"])  # as bash divides it
        self.assertEqual(self.names("check", "a", "--group", "="), ["staff", "pupils"])
        self.assertEqual(self.names("update", "adult-list", ""), ["adult-list", "games-list"])
        self.assertEqual(complete(self.box, "lists", "show", "g"), {"games-list": "games"})
        self.assertEqual(self.names("rollback", ""), ["1"])
        self.assertIn("games,tiktok", self.names("schedule", "add", "--block", "games,ti"))
        self.assertIn("home-teen", self.names("lists", "add", "--preset", ""))
        self.assertEqual(self.names("services", "show", "tikt"), ["tiktok"])
        self.assertIn("hagezi-gambling", self.names("lists", "catalog", "show", "hagezi"))
        self.assertEqual(self.names("lists", "catalog", "--category", "gam"), ["gambling", "games"])
        self.assertIn("lo", self.names("firewall", "print", "--interface", ""))

    def test_from_the_daemon(self):
        self.box.cli("user", "add", "kim", "--role", "admin", input="twelve green apples\n")
        self.box.cli("allow", "school.example")
        self.box.cli("schedule", "add", "--block", "games", "--for", "1h")
        self.assertEqual(complete(self.box, "user", "passwd", ""), {"kim": "admin"})
        self.assertEqual(self.names("user", "add", ""), [])
        self.assertEqual(complete(self.box, "rules", "remove", ""), {"school.example": "allow"})
        self.assertEqual(complete(self.box, "schedule", "remove", ""), {"1": "games"})
        for word in complete(self.box, "stats", "--by", ""):
            if word not in ("country", "domain"):  # which need settings
                self.assertEqual(self.box.cli("stats", "--by", word).returncode, 0, word)

    def test_a_daemon_that_hangs_or_is_gone_costs_little(self):
        box = self.enterContext(Box(config=GROUPS))
        box.daemon.hold()
        try:
            began = time.monotonic()
            done = box.cli("complete", "--", "user", "passwd", "")
            self.assertLess(time.monotonic() - began, 4 * SLOWER)
            self.assertEqual((done.stdout, done.stderr), ("", ""))
        finally:
            box.daemon.process.send_signal(signal.SIGCONT)
        box.daemon.stop()
        self.assertEqual(complete(box, "user", "passwd", ""), {})
        self.assertEqual(list(complete(box, "pause", "--group", "p")), ["pupils"])


class Terminal:
    """A shell on a terminal."""

    def __init__(self, command, env):
        pid, self.file = pty.fork()
        if pid == 0:
            os.execvpe(command[0], command, env)
        self.pid, self.seen = pid, ""

    def type(self, text):
        self.seen = ""
        os.write(self.file, text.encode())

    def read(self):
        while select.select([self.file], [], [], 0)[0]:
            try:
                self.seen += os.read(self.file, 4096).decode(errors="replace")
            except OSError:
                break
        return self.seen

    def wait(self, text):
        wait_for(lambda: text in self.read(), f"{text!r}, after {self.seen!r}")

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.file)


class Shells(unittest.TestCase):
    """Tab on a real command line. $C is -c and the file, so that lines stay short."""

    @classmethod
    def setUpClass(cls):
        cls.box = cls.enterClassContext(Box(config=GROUPS, start=False))
        cls.env = {"PATH": f"{os.path.abspath(BUILD)}:/usr/bin:/bin", "TERM": "dumb", "HOME": cls.box.folder, "PS1": "> ",
                   "LANG": "C.UTF-8", "COLUMNS": "200"}

    def terminal(self, *command):
        if not shutil.which(command[0]):
            self.skipTest(f"{command[0]} is not installed")
        terminal = Terminal(command, self.env)
        self.addCleanup(terminal.close)
        return terminal

    def try_tabs(self, shell):
        conf = self.box.path
        for typed, expected in (("greengate serv", "ices "), (f"greengate -c {conf} check a --group pup", "ils "),
                                (f"greengate -c {conf} pause --gr", "oup "), (f"greengate -c {conf} pause --group=sta", "staff")):
            shell.type(f"{typed}\t")
            shell.wait(expected)
            shell.type("\x15echo emp''tied\n")  # ^U
            shell.wait("emptied")
        os.mkdir(os.path.join(self.box.folder, "kept.d"))
        self.addCleanup(os.rmdir, os.path.join(self.box.folder, "kept.d"))
        shell.type(f"greengate restore {self.box.folder}/kep\t")
        shell.wait("t.d/")

    def test_bash(self):
        shell = self.terminal("bash", "--norc", "--noprofile", "-i")
        shell.type(f"bind 'set enable-bracketed-paste off'; . {SCRIPTS}/greengate.bash; echo rea''dy\n")
        shell.wait("ready")
        self.try_tabs(shell)

    def test_zsh(self):
        shell = self.terminal("zsh", "-f", "-i")
        shell.type(f"fpath=({SCRIPTS} $fpath); autoload -Uz compinit; compinit -u -D; unsetopt beep; echo rea''dy\n")
        shell.wait("ready")
        self.try_tabs(shell)

    def test_fish(self):
        if not shutil.which("fish"):
            self.skipTest("fish is not installed")

        def candidates(line):
            return subprocess.run(["fish", "--no-config", "-c", f"source {SCRIPTS}/greengate.fish; complete -C '{line}'"],
                                  env=self.env, capture_output=True, text=True, check=True).stdout.splitlines()
        self.assertEqual([line.split("\t")[0] for line in candidates("greengate serv")], ["services"])
        conf = self.box.path
        self.assertEqual(candidates(f"greengate -c {conf} check a --group pup"), ["pupils"])
        self.assertEqual(candidates(f"greengate -c {conf} pause --group=sta"), ["--group=staff"])
        self.assertIn(self.box.path, candidates(f"greengate restore {self.box.path[:-2]}"))

    def test_words_with_blanks_and_descriptions_in_bash(self):
        text = (f'. {SCRIPTS}/greengate.bash; COMP_WORDS=(greengate -c {self.box.path} allow a.example --note "two words" --gr); '
                'COMP_CWORD=7; _greengate greengate; printf "<%s>" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "--norc", "-c", text], env=self.env, capture_output=True, text=True, check=True)
        self.assertEqual((done.stdout, done.stderr), ("<--group>", ""))


if __name__ == "__main__":
    unittest.main()
