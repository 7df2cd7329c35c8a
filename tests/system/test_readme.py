# SPDX-License-Identifier: Apache-2.0
"""What a newcomer does: `make run` and each line that it prints, and every command of README.md."""
import os
import shutil
import re
import shlex
import signal
import subprocess
import types
import unittest
import urllib.parse
import urllib.request

from apiclient import Api
from harness import BUILD, ROOT, Box, Nsd, Program, free_port, temp_folder, wait_for

SETTINGS = """lists:
  sources:
    - id: near
      url: file://{folder}/near.list
      category: adult
    - id: unreachable
      url: http://127.0.0.1:{closed}/list.txt
      insecure: true
      category: gambling
groups:
  - name: everyone
    clients: []
    block: [adult, gambling]
"""


def environment(**more):
    return dict(os.environ, MODE=os.path.basename(BUILD), BUILD=os.path.dirname(BUILD),
                MAKEFLAGS="", MAKELEVEL="", **more)


class MakeRun(unittest.TestCase):
    """`make run` in the foreground, until Ctrl-C."""

    def start(self, settings):
        folder = temp_folder()
        self.addCleanup(lambda: subprocess.run(["rm", "-rf", folder], check=True))
        os.chmod(folder, 0o755)
        with open(os.path.join(folder, "settings.yaml"), "w", encoding="utf-8") as out:
            out.write(settings.format(folder=folder, closed=free_port()))
        with open(os.path.join(folder, "near.list"), "w", encoding="utf-8") as out:
            # Long enough to fill a pipe whose reader went away.
            out.writelines(f"0.0.0.0 near{n}.example\n" for n in range(50000))
        run = Program(["make", "run"], os.path.join(folder, "output"), cwd=ROOT, env=environment(
            SETTINGS=os.path.join(folder, "settings.yaml"), GREENGATE_RUN_STATE=f"{folder}/state"))
        self.addCleanup(self.interrupt, run)
        wait_for(lambda: "Ctrl-C stops." in run.text() or not run.alive(), "make run", 60)
        self.assertTrue(run.alive(), run.text())
        return run

    def interrupt(self, run):
        """Ctrl-C reaches the whole group of the terminal."""
        if run.alive():
            os.killpg(run.process.pid, signal.SIGINT)
            run.process.wait(30)

    def commands(self, run):
        return [line.strip() for line in run.text().split("\n") if re.match(r"  \S", line)
                and not line.strip().startswith("http")]

    def call(self, command):
        done = subprocess.run(shlex.split(command), cwd=ROOT, capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout

    def find(self, run, word):
        return next(command for command in self.commands(run) if word in command)

    def test_every_printed_line_works(self):
        run = self.start(SETTINGS)
        text = run.text()
        for noise in ("Nothing to be done", "terminated by signal", "Broken pipe"):
            self.assertNotIn(noise, text)
        name = re.search(r"^  dig .* (\S+)$", text, re.M).group(1)
        self.assertIn("127.0.0.1", self.call(self.find(run, f"{name}")))
        self.assertIn("status:", self.call(self.find(run, "example.org")))
        page = self.call(self.find(run, "curl"))
        self.assertIn(name, page)
        self.assertRegex(self.call(self.find(run, " check ")), "block")
        self.assertTrue(self.call(self.find(run, " status")))
        self.assertRegex(self.call(self.find(run, " stats")), r"\d")
        link = urllib.request.Request(re.search(r"http://\S+\.localhost:\d+/", text).group(0))
        host = link.host
        # Browsers resolve *.localhost themselves; here the Host header does it.
        link.host = "127.0.0.1:" + host.rsplit(":", 1)[1]
        link.add_header("Host", host)
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(link, timeout=10)
        self.assertEqual(caught.exception.code, 403)
        page = caught.exception.read().decode()
        self.assertIn(name, page)
        caught.exception.close()
        # The form must lead to what such a browser finds as well.
        form = urllib.parse.urlsplit(re.search(r'<form method="post" action="([^"]*)"', page).group(1))
        self.assertTrue(form.hostname.endswith(".localhost"), form)
        self.assertEqual(form.port, int(link.host.rsplit(":", 1)[1]))
        for command in self.commands(run):
            self.call(command)
        self.use_the_dashboard(text)
        self.interrupt(run)
        try:
            wait_for(lambda: "Stopping." in run.text(), "the last word")  # make may end before it
        except AssertionError as error:
            raise AssertionError(run.text()) from error
        left = subprocess.run(["pgrep", "-f", f"{os.path.basename(run.log)}/state/greengate.yaml"],
                              capture_output=True, check=False)
        self.assertEqual(left.stdout, b"")

    def use_the_dashboard(self, text):
        """The set-up link makes an account, and what is asked for there is done."""
        port, invitation = re.search(r"http://127.0.0.1:(\d+)/#/set-up/([0-9a-f]{64})", text).groups()
        api = Api(types.SimpleNamespace(admin_port=int(port)))
        self.assertIn(b"<title>greengate</title>", api.raw("GET", "/")[2])
        api.must("POST", "set-up", {"invitation": invitation, "account": "kim", "password": "twelve green apples"})
        api.must("POST", "updates", {"what": "update", "lists": ["near"]})
        wait_for(lambda: api.must("GET", "updates")["last"].get("state") == "done", "the update")

    def test_without_network_the_starter_list_is_in_force(self):
        settings = re.sub(r"    - id: near\n(      .*\n)*?(?=    - id)", "", SETTINGS)
        run = self.start(settings)
        self.assertIn("could not be fetched", run.text())
        self.assertIn("starter list", run.text())
        for command in self.commands(run):
            self.call(command)
        name = re.search(r"^  dig .* (\S+)$", run.text(), re.M).group(1)
        self.assertIn("127.0.0.1", self.call(self.find(run, name)))


    def test_a_program_that_ends_is_named(self):
        for name in ("greengated", "greengate-web"):
            run = self.start(SETTINGS)
            pids = subprocess.run(["pgrep", "-x", "-g", str(run.process.pid), name], text=True,
                                  capture_output=True, check=True).stdout.split()
            self.assertEqual(len(pids), 1)
            os.kill(int(pids[0]), signal.SIGKILL)
            self.assertNotEqual(run.process.wait(30), 0)
            self.assertIn(f"{name} ended by signal 9", run.text())

    def test_nothing_is_said_when_all_is_built(self):
        for target in ("all", "build-tests"):
            done = subprocess.run(["make", target], cwd=ROOT, env=environment(), text=True,
                                  capture_output=True, check=True)
            self.assertEqual(done.stdout + done.stderr, "", target)


class InstalledDefault(unittest.TestCase):
    """packaging/greengate.yaml says what an empty file does, and nothing else."""

    def show(self, path):
        done = subprocess.run([os.path.join(BUILD, "greengate"), "-c", path, "config", "show"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_is_right_and_equals_an_empty_file(self):
        folder = temp_folder()
        self.addCleanup(lambda: subprocess.run(["rm", "-rf", folder], check=True))
        installed = os.path.join(folder, "greengate.yaml")
        shutil.copy(os.path.join(ROOT, "packaging/greengate.yaml"), installed)
        os.mkdir(os.path.join(folder, "conf.d"))  # for both: the data lie in the build folder
        with open(os.path.join(folder, "conf.d", "data.yaml"), "w", encoding="utf-8") as out:
            out.write(f"server: {{data_dir: {os.path.join(BUILD, 'data')}}}\n")
        done = subprocess.run([os.path.join(BUILD, "greengate"), "-c", installed, "config", "check"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        empty = os.path.join(folder, "empty.yaml")
        with open(empty, "w", encoding="utf-8"):
            pass
        self.assertEqual(self.show(installed), self.show(empty))


class Readme(unittest.TestCase):
    """Every command in the fenced blocks. `sudo` is taken away, installation goes to a folder of
    ours, and the programs read our configuration; nothing else is changed."""

    def setUp(self):
        self.nsd = self.enterContext(Nsd())
        self.box = self.enterContext(Box(upstream=[self.nsd.url], start=False, config={
            "groups": [{"name": "everyone", "clients": [], "block": ["adult"]}]}))
        self.bin = os.path.join(self.box.folder, "bin")
        self.root = os.path.join(self.box.folder, "root")
        os.mkdir(self.bin)
        self.shim("sudo", 'exec "$@"')
        # No user is added to the machine; that adduser knows the options is Debian's matter.
        self.shim("adduser", '[ "$*" = "--system --group --no-create-home _greengate" ]')
        for program, folder in (("greengated", "sbin"), ("greengate-web", "sbin"), ("greengate", "bin")):
            self.shim(program, f'exec {self.root}/usr/{folder}/{program} -c {self.box.path} "$@"')
        # Public lists are out of reach, whatever network there is.
        self.env = environment(DESTDIR=self.root, PATH=f"{self.bin}:{os.environ['PATH']}",
                               https_proxy="http://127.0.0.1:9", no_proxy="")
        self.running = []
        self.addCleanup(lambda: [program.stop() for program in reversed(self.running)])
        self.box.config["lists"] = {"sources": [self.box.source(
            "adult", "adult", [f"bad{n}.example" for n in range(100)])]}
        self.box.config["server"]["data_dir"] = os.path.join(self.root, "usr/share/greengate")
        self.box.write_config()

    def shim(self, name, text):
        path = self.box.write(os.path.join("bin", name), f"#!/bin/sh\n{text}\n")
        os.chmod(path, 0o755)

    def call(self, command):
        return subprocess.run(command, shell=True, cwd=ROOT, env=self.env, capture_output=True,
                              text=True, timeout=300, stdin=subprocess.DEVNULL, check=False)

    def serve(self, command):
        log = os.path.join(self.box.folder, f"served{len(self.running)}.log")
        program = Program(["sh", "-c", f"exec {command.removeprefix('sudo ')}"], log, cwd=ROOT,
                          env=self.env)
        self.running.append(program)
        ready = "greengate status" if command.endswith("greengated") else (
            f"curl -s http://127.0.0.1:{self.box.web_port}/")

        def answers():
            self.assertTrue(program.alive(), program.text())
            return self.call(ready).returncode == 0
        wait_for(answers, command)

    def test_every_command(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
            blocks = re.findall(r"^```sh\n(.*?)^```", readme.read(), re.S | re.M)
        commands = [line for block in blocks for line in block.split("\n") if line.strip()]
        self.assertGreater(len(commands), 8)
        for command in commands:
            with self.subTest(command):
                if command in ("make run", "make test"):
                    # The first is run above, the second runs this: that they exist is left.
                    self.assertEqual(self.call(f"make -n {command.split()[1]}").returncode, 0)
                elif command.split()[-1] in ("greengated", "greengate-web"):
                    self.serve(command)
                else:
                    done = self.call(command)
                    # The preset's lists are out of reach here: partly done.
                    wanted = (0, 6) if command.endswith("greengate update") else (0,)
                    self.assertIn(done.returncode, wanted, done.stdout + done.stderr)

        for path in ("man/man1/greengate.1", "man/man5/greengate.yaml.5", "man/man5/greengate-blockdb.5",
                     "man/man8/greengated.8", "man/man8/greengate-web.8", "bash-completion/completions/greengate",
                     "zsh/site-functions/_greengate", "fish/vendor_completions.d/greengate.fish"):
            self.assertTrue(os.path.isfile(os.path.join(self.root, "usr/share", path)), path)

    def test_links_lead_somewhere(self):
        for page in ("README.md", "CONTRIBUTING.md", "docs/architecture.md"):
            with open(os.path.join(ROOT, page), encoding="utf-8") as text:
                for link in re.findall(r"\]\(([^)#:]+)\)", text.read()):
                    target = os.path.join(ROOT, os.path.dirname(page), link)
                    self.assertTrue(os.path.exists(target), f"{page}: {link}")


if __name__ == "__main__":
    unittest.main()
