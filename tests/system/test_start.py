# SPDX-License-Identifier: Apache-2.0
"""The start with damaged files: DNS is answered, and `status` says what is not in force."""
import os
import signal
import subprocess
import unittest

from harness import Program, ServedTest, as_user, wait_for
from load import Load

LISTS = [("adult-list", "adult", [f"||bad{n}.example^" for n in range(10)])]
RULES = "rules:\n  - {name: own.example, action: block}\n"


class Start(ServedTest):
    def setUp(self):
        super().setUp()
        self.one = self.box(upstream=[self.nsd.url], lists=LISTS)
        self.one.daemon.stop()

    def path(self, name):
        return os.path.join(self.one.state, name)

    def spoil(self, name, content):
        """A file that nothing can be made of: octets, a folder (None), one without permission."""
        path = self.path(name)
        if os.path.isdir(path):
            os.rmdir(path)
        elif os.path.lexists(path):
            os.unlink(path)
        if content is None:
            os.mkdir(path)
        elif content == "closed":
            self.one.write(path, RULES)
            os.chmod(path, 0)
        else:
            self.one.write(path, content)

    def reasons(self):
        status = self.one.json("status")
        return status["state"], " ".join(status["reasons"])

    def assert_blocks(self, name, blocked=True):
        self.assertEqual(bool(self.one.ask(name).ede), blocked, name)

    def check_only(self):
        return subprocess.run([self.one.program("greengated"), "-c", self.one.path, "-t"],
                              check=False, capture_output=True, text=True, timeout=20)


class Rules(Start):
    def test_a_damaged_file_is_left_out_and_kept(self):
        for content in (b"\0" * 200, b"\x89PNG\r\n", "rules: {", "rules: 5\n", None, "closed"):
            with self.subTest(content):
                self.spoil("rules.yaml", content)
                self.one.start()
                self.assert_blocks("bad1.example")
                state, reasons = self.reasons()
                self.assertEqual(state, "degraded")
                self.assertIn("local rules are not in force: " + self.path("rules.yaml"), reasons)
                self.assertIn("mend or move it, then reload", reasons)
                for words in (("allow", "bad1.example"), ("block", "x.example"), ("pause", "--for", "5m")):
                    done = self.one.cli(*words)
                    self.assertNotEqual(done.returncode, 0, words)
                    self.assertIn("rules.yaml", done.stderr)
                self.one.daemon.stop()
                if isinstance(content, bytes):
                    with open(self.path("rules.yaml"), "rb") as kept:
                        self.assertEqual(kept.read(), content)

    def test_a_reload_takes_the_mended_file(self):
        self.spoil("rules.yaml", "rules: {")
        self.one.start()
        self.assert_blocks("own.example", False)
        self.spoil("rules.yaml", RULES)
        self.assertEqual(self.one.cli("reload").returncode, 0)
        self.assert_blocks("own.example")
        self.assertEqual(self.reasons(), ("protected", ""))

    def test_new_lists_do_not_wait_for_it(self):
        self.spoil("rules.yaml", "rules: {")
        self.one.start()
        self.one.write("adult-list.list", "\n".join([*LISTS[0][2], "||new.example^"]))
        self.assertEqual(self.one.cli("update", "--force").returncode, 0)
        self.assert_blocks("new.example")
        self.assertIn("local rules are not in force: ", self.reasons()[1])

    def test_a_command_works_when_the_file_is_out_of_the_way(self):
        self.spoil("rules.yaml", "rules: {")
        self.one.start()
        os.rename(self.path("rules.yaml"), self.path("rules.yaml.old"))
        self.assertEqual(self.one.cli("block", "own.example").returncode, 0)
        self.assert_blocks("own.example")
        self.assertEqual(self.reasons(), ("protected", ""))

    def test_whoever_checks_names_it(self):
        self.spoil("rules.yaml", "rules: 5\n")
        checks = ((self.check_only(), 4), (self.one.cli("doctor"), 1), (self.one.cli("config", "check"), 0))
        for done, code in checks:  # the last one asks whether a start would succeed
            self.assertEqual(done.returncode, code, done)
            self.assertIn(self.path("rules.yaml") + ":1:", done.stdout + done.stderr)


class Database(Start):
    def link(self, target):
        if os.path.lexists(self.path("blocklist.ggdb")):
            os.unlink(self.path("blocklist.ggdb"))
        if target:
            os.symlink(target, self.path("blocklist.ggdb"))

    def test_a_generation_is_found_without_the_link(self):
        for target, word in ((None, "missing"), ("generations/000009.ggdb", "missing"),
                             ("blocklist.ggdb", "Too many levels"), (".", "not a file")):
            with self.subTest(target):
                self.link(target)
                self.one.start()
                self.assert_blocks("bad1.example")
                state, reasons = self.reasons()
                self.assertEqual(state, "degraded")
                self.assertIn(word, reasons)
                self.assertIn("; generation 000001 is used", reasons)
                self.assertIn("generation 000001 is used", self.one.daemon.text())
                self.one.daemon.stop()

    def test_one_that_is_unreadable_gives_way_to_the_starter_list(self):
        os.chmod(self.path("generations/000001.ggdb"), 0)
        self.one.start()
        state, reasons = self.reasons()
        self.assertEqual(state, "degraded")
        self.assertIn("Permission denied; the starter list is used", reasons)
        os.chmod(self.path("generations/000001.ggdb"), 0o444)
        self.assertEqual(self.one.cli("reload").returncode, 0)
        self.assert_blocks("bad1.example")
        self.assertEqual(self.reasons(), ("protected", ""))

    def test_before_the_first_update_nothing_is_missing(self):
        os.unlink(self.path("blocklist.ggdb"))
        os.unlink(self.path("generations/000001.ggdb"))
        self.one.start()
        self.assertNotIn("the newest database", self.reasons()[1])


class Pipes(Start):
    def test_nobody_waits_for_a_pipe(self):
        for name in ("rules.yaml", "blocklist.ggdb"):
            with self.subTest(name):
                if os.path.lexists(self.path(name)):
                    os.unlink(self.path(name))
                os.mkfifo(self.path(name), 0o666)
                os.chmod(self.path(name), 0o666)
                self.one.start()
                self.assert_blocks("bad1.example")
                self.assertIn(f"{name}: not a file", self.reasons()[1])
                self.one.daemon.stop()
                os.unlink(self.path(name))


class Accounts(Start):
    def test_a_damaged_file_is_told(self):
        for content in (b"this is no database at all " * 300, None):
            with self.subTest(content):
                self.spoil("accounts.db", content)
                self.one.start()
                self.assert_blocks("bad1.example")
                state, reasons = self.reasons()
                self.assertEqual(state, "degraded")
                self.assertIn("nobody can sign in to the dashboard: " + self.path("accounts.db"), reasons)
                self.one.daemon.stop()


class Signals(Start):
    def test_a_hangup_right_after_exec_does_not_end_it(self):
        for _ in range(10):
            daemon = Program([self.one.program("greengated"), "-c", self.one.path],
                             os.path.join(self.one.folder, "daemon.log"), **as_user())
            try:
                # The loader runs before main(), and nothing can be done about that.
                wait_for(lambda: self.ignores_hup(daemon.process.pid), "it ignores or takes SIGHUP")
                for _ in range(20):
                    daemon.process.send_signal(signal.SIGHUP)
                wait_for(lambda: "ready" in daemon.text(), "it is ready")
                self.assertTrue(daemon.alive(), daemon.text())
            finally:
                daemon.stop()

    @staticmethod
    def ignores_hup(pid):
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            masks = dict(line.split(":\t") for line in status if line.startswith(("SigIgn", "SigCgt")))
        return any(int(mask, 16) & 1 for mask in masks.values())


class Second(ServedTest):
    def test_a_second_daemon_takes_nothing_from_the_first(self):
        one = self.box(upstream=[self.nsd.url], lists=LISTS)
        image = one.write(os.path.join(os.path.dirname(one.config["server"]["control_socket"]),
                                       "cache.image"), "of the first")
        with Load(one.address, [("bad1.example", True), ("www.good.example", False)]) as load:
            for _ in range(5):
                done = subprocess.run([one.program("greengated"), "-c", one.path], check=False,
                                      capture_output=True, text=True, timeout=20)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("another daemon answers on", done.stderr)
        self.assertEqual(load.result["lost"], 0, load.result)
        with open(image, encoding="utf-8") as kept:
            self.assertEqual(kept.read(), "of the first")


if __name__ == "__main__":
    unittest.main()
