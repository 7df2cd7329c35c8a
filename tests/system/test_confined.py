# SPDX-License-Identifier: Apache-2.0
"""What the programs may still do once they run, tried from inside them (planted.c)."""
import ctypes
import errno
import grp
import os
import pwd
import re
import shutil
import signal
import stat
import tempfile
import unittest

from harness import BUILD, USER, Box, Program, as_user, wait_for

SANITIZED = os.path.basename(BUILD) in ("asan", "tsan")
LISTS = [("bad", "adult", ["bad.test"])]
WEB_USER = "daemon"  # a user of every Debian, with a group of its own


def landlock_version():
    """0: this kernel has none, or a container forbids it."""
    create_ruleset, ask_version = 444, 1
    return max(0, ctypes.CDLL(None).syscall(create_ruleset, None, 0, ask_version))


def status(pid, thread=None):
    path = f"/proc/{pid}/status" if thread is None else f"/proc/{pid}/task/{thread}/status"
    with open(path, encoding="ascii") as lines:
        return dict(line.rstrip().split(":\t", 1) for line in lines if ":\t" in line)


def answers(box):
    return box.ask("bad.test").ede == box.ask("bad.test", "AAAA").ede is not None


class ConfinedTest(unittest.TestCase):
    def assertConfined(self, pid):
        for thread in os.listdir(f"/proc/{pid}/task"):
            seen = status(pid, thread)
            self.assertNotIn("0", seen["Uid"].split())
            self.assertEqual((seen["CapEff"], seen["CapPrm"], seen["NoNewPrivs"]),
                             ("0" * 16, "0" * 16, "1"))
            self.assertEqual(seen["Seccomp"], "0" if SANITIZED else "2")


@unittest.skipUnless(USER, "needs root, and a user who can reach the build folder")
class FromRoot(ConfinedTest):
    def test_daemon_and_web_started_as_root_end_up_with_nothing(self):
        box = self.enterContext(Box(lists=LISTS, web=True, start=False,
                                    config={"server": {"user": USER}}))
        box.daemon = Program([box.program("greengated"), "-c", box.path],
                             os.path.join(box.folder, "daemon.log"))
        box.wait_ready()
        box.web = Program([box.program("greengate-web"), "-c", box.path],
                          os.path.join(box.folder, "web.log"))
        wait_for(box.web_answers, "greengate-web")
        self.assertEqual(box.page("bad.test")[0], 403)
        self.assertConfined(box.daemon.process.pid)
        self.assertConfined(box.web.process.pid)
        if not SANITIZED:
            self.assertNotIn("not confined", box.daemon.text() + box.web.text())

    def share(self, groups):
        """A daemon of USER's with these groups more, and greengate-web's user WEB_USER."""
        box = self.enterContext(Box(lists=LISTS, web=True, start=False,
                                    config={"server": {"web_user": WEB_USER}}))
        os.chmod(box.folder, 0o755)
        box.daemon = Program([box.program("greengated"), "-c", box.path],
                             os.path.join(box.folder, "daemon.log"),
                             **{**as_user(), "extra_groups": groups})
        return box

    def test_web_user_reaches_web_sock_and_not_the_admins_socket(self):
        box = self.share([pwd.getpwnam(WEB_USER).pw_gid])
        box.wait_ready()
        web_socket = os.path.join(box.folder, "web.sock")
        groups = [grp.getgrgid(os.stat(path).st_gid).gr_name for path in (web_socket, box.socket)]
        self.assertEqual(groups, [WEB_USER, "nogroup"])
        self.assertEqual(stat.S_IMODE(os.stat(web_socket).st_mode), 0o660)
        box.web = Program([box.program("greengate-web"), "-c", box.path],
                          os.path.join(box.folder, "web.log"))
        wait_for(box.web_answers, "greengate-web")
        page = wait_for(lambda: "bad.test" in box.page("bad.test")[2] and box.page("bad.test"), "the page")
        self.assertEqual(page[0], 403)
        self.assertEqual(status(box.web.process.pid)["Uid"].split()[0],
                         str(pwd.getpwnam(WEB_USER).pw_uid))
        self.assertConfined(box.web.process.pid)
        done = box.cli("status", user=WEB_USER, group=WEB_USER)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)

    def test_daemon_outside_of_the_web_users_group_says_so(self):
        box = self.share([])
        self.assertEqual(box.daemon.process.wait(10), 1)
        self.assertRegex(box.daemon.text(), r"server\.web_user: .* group of 'daemon'.*usermod")

    def test_unknown_web_user_is_a_mistake_of_the_configuration(self):
        box = self.enterContext(Box(start=False, config={"server": {"web_user": "nobody-such"}}))
        done = box.cli("config", "check")
        self.assertEqual(done.returncode, 4)
        self.assertIn("server.web_user: there is no user 'nobody-such'", done.stderr)


class BoxTest(ConfinedTest):
    """dns.lease_files is empty, else /tmp, where all this lies, could be read."""

    def setUp(self):
        self.box = self.enterContext(Box(lists=LISTS, start=False, config={"dns": {"lease_files": []}}))
        self.outside = tempfile.mkdtemp(prefix="gg-", dir="/tmp")
        os.chmod(self.outside, 0o755)
        self.addCleanup(shutil.rmtree, self.outside)


@unittest.skipIf(SANITIZED, "sanitizers trace threads, so their builds confine no system calls")
class FromInside(BoxTest):
    def setUp(self):
        super().setUp()
        self.orders = self.box.write("orders", "")

    def start(self, name="greengated"):
        env = dict(os.environ, LD_PRELOAD=os.path.join(BUILD, "tests", "planted.so"),
                   GREENGATE_PLANTED=self.orders)
        if name == "greengated":
            self.box.start(env=env)
            return self.box.daemon
        self.box.web = Program([self.box.program(name), "-c", self.box.path],
                               os.path.join(self.box.folder, "web.log"), env=env, **as_user())
        wait_for(self.box.web_answers, name)
        return self.box.web

    def attempt(self, program, *deeds):
        """What came of each: an errno, 0 is success."""
        self.box.write("orders", "\n".join(deeds) + "\n")
        program.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: "planted: done" in program.text(), "the deeds")
        return {deed: int(number) for deed, number in
                re.findall(r"^planted: (.*): (\d+)$", program.text(), re.M)}

    def test_what_a_broken_program_would_try_is_refused_and_it_goes_on(self):
        deeds = ("fork", "code", "turn-to-code", "packet-socket", "listen", "mount", "setuid", "kill")
        for name in ("greengated", "greengate-web"):
            with self.subTest(name):
                program = self.start(name)
                for deed, number in self.attempt(program, *deeds).items():
                    self.assertIn(number, (errno.EPERM, errno.EACCES), deed)
                self.assertTrue(program.alive())
        self.assertTrue(answers(self.box))

    def test_starting_a_program_tracing_and_bpf_end_it(self):
        for deed in ("execve", "execveat", "ptrace", "bpf"):
            with self.subTest(deed):
                daemon = self.start()
                self.box.write("orders", deed)
                daemon.process.send_signal(signal.SIGUSR1)
                self.assertEqual(daemon.process.wait(10), -signal.SIGSYS)
        web = self.start("greengate-web")
        self.box.write("orders", "execve")
        web.process.send_signal(signal.SIGUSR1)
        self.assertEqual(web.process.wait(10), -signal.SIGSYS)

    @unittest.skipUnless(landlock_version(), "this kernel has no Landlock")
    def test_files_that_no_setting_names_are_shut(self):
        with open(os.path.join(self.outside, "secret"), "w", encoding="ascii") as out:
            out.write("x")
        os.chmod(self.outside, 0o777)
        secret, new = f"read {self.outside}/secret", f"write {self.outside}/new"
        state, config = f"write {self.box.state}/new", f"read {self.box.path}"
        expected = {secret: errno.EACCES, new: errno.EACCES, state: 0, config: 0}
        self.assertEqual(self.attempt(self.start(), *expected), expected)
        # It writes nothing, not even where its user might.
        expected = {secret: errno.EACCES, state: errno.EACCES, config: 0}
        self.assertEqual(self.attempt(self.start("greengate-web"), *expected), expected)


class Reloads(BoxTest):
    @unittest.skipUnless(landlock_version(), "this kernel has no Landlock")
    def test_reload_that_leads_outside_asks_for_a_restart(self):
        box = self.box.start()
        box.config["geo"] = {"database": os.path.join(self.outside, "places.mmdb")}
        box.write_config()
        done = box.cli("reload")
        self.assertRegex(done.stdout, r"geo\.database leads out of the folders .* restart it")
        self.assertIn("geo.database leads out", box.cli("status").stdout)
        shutil.copytree(box.config["server"]["data_dir"], os.path.join(self.outside, "data"))
        box.config["geo"] = {}
        box.config["server"]["data_dir"] = os.path.join(self.outside, "data")
        box.write_config()
        done = box.cli("reload")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"yaml: cannot open: Permission denied; .* restart it")
        self.assertTrue(answers(box))
        box.daemon.stop()
        box.start()
        self.assertTrue(answers(box))

    def test_configuration_that_is_replaced_or_a_link_is_read_again(self):
        os.makedirs(os.path.join(self.outside, "real"))
        real = os.path.join(self.outside, "real", "more.yaml")
        os.makedirs(os.path.join(self.box.folder, "conf.d"))
        link = os.path.join(self.box.folder, "conf.d", "more.yaml")
        os.symlink(real, link)

        def say(mode):
            with open(real + ".new", "w", encoding="ascii") as out:
                out.write(f"block: {{mode: {mode}}}\n")
            os.rename(real + ".new", real)
        say("nxdomain")
        self.box.start()
        self.assertEqual(self.box.ask("bad.test").rcode, "NXDOMAIN")
        say("refused")
        self.assertEqual(self.box.cli("reload").stdout, "reloaded\n")
        self.assertEqual(self.box.ask("bad.test").rcode, "REFUSED")
        os.rename(self.box.path, self.box.path + ".old")
        self.box.config["block"] = {"ttl_s": 77}
        self.box.write_config()
        self.box.daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.box.daemon.text().count("reloaded") == 2, "the reload")


if __name__ == "__main__":
    unittest.main()
