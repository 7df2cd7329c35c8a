# SPDX-License-Identifier: Apache-2.0
"""`greengate setup`: questions and flags, what is written, the service that starts and is asked."""
import json
import os
import re
import shlex
import signal
import subprocess
import unittest

from harness import BUILD, ROOT, SLOWER, Nsd, as_user, free_port, temp_folder

SYSTEMCTL = """#!/bin/sh
# systemd as far as setup speaks with it; starting a unit starts its program.
echo "$*" >>{folder}/asked
case "$1 $2" in
"cat greengate.service") exit 0 ;;
"cat "*) exit 1 ;;
"restart greengate.service")
    [ -e {folder}/broken ] && exit 1
    {build}/greengated -c {folder}/etc/greengate.yaml >{folder}/log 2>&1 &
    echo $! >{folder}/pid ;;
esac
"""


class Setup(unittest.TestCase):
    def setUp(self):
        self.folder = temp_folder()
        self.addCleanup(lambda: subprocess.run(["rm", "-rf", self.folder], check=True))
        self.addCleanup(self.stop)
        self.port = free_port()
        self.path = os.path.join(self.folder, "etc/greengate.yaml")
        for name in ("etc", "etc/conf.d", "state", "bin"):
            subprocess.run(["mkdir", "-p", os.path.join(self.folder, name)], check=True, **as_user())
        self.write("etc/conf.d/paths.yaml",
                   f"server: {{state_dir: {self.folder}/state, data_dir: {BUILD}/data,"
                   f" control_socket: {self.folder}/control.sock}}\n")

    def stop(self):
        try:
            with open(os.path.join(self.folder, "pid"), encoding="utf-8") as file:
                os.kill(int(file.read()), signal.SIGTERM)
        except (OSError, ValueError):
            pass

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def read(self, path=None):
        with open(path or self.path, encoding="utf-8") as file:
            return file.read()

    def run_setup(self, *words, answers=None, code=0, lang="C.UTF-8", before=()):
        environment = {**os.environ, "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "LANG": lang}
        environment.pop("LC_ALL", None)
        done = subprocess.run([os.path.join(BUILD, "greengate"), "-c", self.path, *before, "setup", *words],
                              input=answers or "", capture_output=True, text=True, timeout=60 * SLOWER,
                              env=environment, check=False, **as_user())
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def cli(self, *words):
        done = subprocess.run([os.path.join(BUILD, "greengate"), "-c", self.path, "--json", *words],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def group(self):
        groups = self.cli("config", "show")["groups"]
        self.assertEqual(len(groups), 1)
        return groups[0]


class Writing(Setup):
    def test_five_questions_in_english(self):
        answers = f"castle\nschool\nyoung\nen\nsystem\nnonsense\n127.0.0.1:{self.port}\n"
        done = self.run_setup("--no-start", "--organisation", "First \"School\"", answers=answers)
        for question in ("1/5", "2/5", "3/5", "4/5", "5/5"):
            self.assertIn(question, done.stdout)
        self.assertIn("'castle' cannot be taken: give one of home, school", done.stdout)
        self.assertIn("'nonsense' cannot be taken", done.stdout)
        self.assertIn("A school: adult content", done.stdout)
        self.assertIn("Not started", done.stdout)
        self.assertIn("Only this machine can ask now", done.stdout)
        show = self.cli("config", "show")
        self.assertEqual(show["dns"]["listen"], [f"127.0.0.1:{self.port}"])
        self.assertEqual(show["upstream"]["servers"], ["system"])
        self.assertEqual(show["web"]["organisation"], "First \"School\"")
        self.assertEqual(show["web"]["languages"][0], "en")
        group = self.group()
        self.assertEqual((group["safe_search"], group["youtube"]), (True, "strict"))
        self.assertIn("games", group["block"])
        presets = {preset["id"]: preset for preset in self.cli("lists", "presets")["presets"]}
        self.assertEqual([source["id"] for source in show["lists"]["sources"]], presets["school"]["lists"])
        self.assertEqual(group["block"], presets["school"]["block"])
        text = self.read()
        self.assertGreater(text.count("#"), 30)
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o644)
        self.assertEqual(sorted(os.listdir(os.path.dirname(self.path))), ["conf.d", "greengate.yaml"])

    def test_enter_takes_what_is_proposed_and_korean_is_spoken(self):
        done = self.run_setup("--no-start", answers="\n\n\n\n127.0.0.1\n", lang="ko_KR.UTF-8")
        self.assertIn("1/5 어디에서 씁니까?", done.stdout)
        self.assertIn("정책:", done.stdout)
        self.assertIn("성인", done.stdout)
        show = self.cli("config", "show")
        self.assertEqual(show["web"]["languages"][0], "ko")
        self.assertEqual(show["upstream"]["servers"][0], "tls://9.9.9.9:853#dns.quad9.net")
        self.assertEqual(show["stats"]["min_clients"], 2)
        self.assertEqual(self.group()["youtube"], "moderate")

    def test_no_questions_are_announced_where_none_is_asked(self):
        given = ("--place", "home", "--ages", "teen", "--language", "en", "--upstream", "system",
                 "--address", f"127.0.0.1:{self.port}", "--no-start", "--force")
        for lang in ("C.UTF-8", "ko_KR.UTF-8"):
            language = ("--language", "ko") if lang.startswith("ko") else ()
            done = self.run_setup(*given, *language, lang=lang)
            self.assertNotRegex(done.stdout, "Five questions|다섯 가지")
        self.assertRegex(self.run_setup("--no-start", "--force", answers="\n" * 5).stdout, "Five questions")

    def test_each_choice_has_its_preset(self):
        for place, ages, language, preset in (
                ("home", "young", "en", "home-young"), ("home", "teen", "en", "home-teen"),
                ("school", "teen", "ko", "school-kr"), ("school", "teen", "vi", "school"),
                ("school", "adult", "ko", "security-only"), ("home", "adult", "en", "security-only")):
            with self.subTest(preset=preset):
                done = self.run_setup("--place", place, "--ages", ages, "--language", language, "--no-start",
                                      "--address", "127.0.0.1", "--force", before=["--json"])
                report = json.loads(done.stdout)
                self.assertEqual((report["preset"], report["file"]), (preset, self.path))
                self.assertEqual(self.group()["safe_search"], ages != "adult")

    def test_what_is_there_stays_or_is_kept_as_a_copy(self):
        self.write("etc/greengate.yaml", "dns: {listen: [\"127.0.0.1:9\"]} # mine\n")
        done = self.run_setup("--yes", "--no-start", code=1)
        self.assertIn("--force", done.stderr)
        self.assertIn("# mine", self.read())
        for _ in range(2):
            done = self.run_setup("--yes", "--no-start", "--force", "--address", "127.0.0.1", before=["--json"])
        copies = sorted(name for name in os.listdir(self.folder + "/etc") if ".before-" in name)
        self.assertEqual(len(copies), 2)
        self.assertIn("# mine", self.read(os.path.join(self.folder, "etc", copies[0])))
        self.assertIn("made by `greengate setup`", self.read(json.loads(done.stdout)["copy"]))

    def test_wrong_flags_and_answers_that_end_write_nothing(self):
        for words, why in ((("--place", "castle", "--yes"), "--place castle: give one of home, school"),
                           (("--upstream", "udp://dns.example", "--yes"), "--upstream"),
                           (("--address", "1.2.3", "--yes"), "--address 1.2.3"),
                           (("--address", ",".join(f"127.0.0.{n}" for n in range(1, 18)), "--yes"), "too many"),
                           (("--place", "home"), "the answers ended before --ages"),
                           (("words",), "no argument"), (("--plaec", "home"), "--place")):
            with self.subTest(words=words):
                self.assertIn(why, self.run_setup(*words, "--no-start", code=2).stderr)
                self.assertEqual(os.listdir(self.folder + "/etc"), ["conf.d"])
        self.write("etc/conf.d/wrong.yaml", "nonsense: 1\n")
        self.assertIn("wrong.yaml:1:1", self.run_setup("--yes", "--no-start", code=4).stderr)
        self.assertEqual(os.listdir(self.folder + "/etc"), ["conf.d"])

    def test_groups_of_the_admins_own_files_stay(self):
        self.write("etc/conf.d/groups.yaml", "groups:\n  - name: staff\n    clients: [10.1.0.0/16]\n")
        self.run_setup("--yes", "--no-start")
        shown = subprocess.run([os.path.join(BUILD, "greengate"), "-c", self.folder + "/etc/greengate.yaml", "config", "show"],
                               capture_output=True, text=True, check=False)
        self.assertIn("name: staff", shown.stdout, shown.stderr)

    def test_printing_writes_nothing(self):
        done = self.run_setup("--print", "--yes", "--address", "192.0.2.1,fd00::1")
        self.assertIn('listen: ["192.0.2.1:53", "[fd00::1]:53", "127.0.0.1:53"]', done.stdout)
        self.assertTrue(done.stdout.startswith("# greengate's configuration"), "the file alone: what is said goes elsewhere")
        done = self.run_setup("--print", answers="\n" * 5)
        self.assertIn("5/5", done.stderr)
        self.assertNotIn("is written", done.stderr)
        self.assertEqual(os.listdir(self.folder + "/etc"), ["conf.d"])


class Starting(Setup):
    def shim(self):
        path = self.write("bin/systemctl", SYSTEMCTL.format(folder=self.folder, build=BUILD))
        os.chmod(path, 0o755)

    def test_the_service_starts_and_is_asked(self):
        self.shim()
        with Nsd() as nsd:
            done = self.run_setup("--yes", "--place", "home", "--upstream", nsd.url, "--address",
                                  f"127.0.0.1:{self.port}")
            for words in ("Started: greengate.service", f"127.0.0.1:{self.port} answers",
                          "example.com is resolved", "the filter acts"):
                self.assertIn(words, done.stdout)
            with open(self.folder + "/asked", encoding="utf-8") as file:
                asked = file.read()
            self.assertIn("enable --now greengate.service\nrestart greengate.service", asked)
            self.assertNotIn("enable --now greengate-web.service", asked)
            self.assertEqual(self.cli("status")["ok"], True)

    def test_a_service_that_does_not_start_is_told(self):
        self.shim()
        self.write("broken", "")
        done = self.run_setup("--yes", "--upstream", "udp://192.0.2.1:53", "--address",
                              f"127.0.0.1:{self.port}", before=["--json"])
        report = json.loads(done.stdout)
        self.assertEqual((report["failed"], report["tests"]), (["greengate.service"], ["silent"]))

    def test_without_any_service_it_says_how(self):
        path = self.write("bin/systemctl", "#!/bin/sh\nexit 1\n")
        os.chmod(path, 0o755)
        done = self.run_setup("--yes", "--address", "192.0.2.53,127.0.0.1")
        self.assertIn("Start it so: greengated, and greengate-web", done.stdout)
        self.assertIn("only DNS server: 192.0.2.53", done.stdout)

    @unittest.skipUnless(os.getuid() == 0, "needs root, for a mount of its own")
    def test_the_init_script_of_openwrt(self):
        script = self.write("bin/greengate", f"#!/bin/sh\necho init $1 >>{self.folder}/asked\n"
                            f"[ $1 = enable ] || {{ {BUILD}/greengated -c {self.path} >{self.folder}/log 2>&1 &\n"
                            f"echo $! >{self.folder}/pid; }}\n")
        os.chmod(script, 0o755)
        off = self.write("bin/systemctl", "#!/bin/sh\nexit 1\n")
        os.chmod(off, 0o755)
        inside = (f"mount --bind {self.folder}/bin /etc/init.d && PATH={self.folder}/bin:$PATH exec "
                  f"{BUILD}/greengate -c {self.path} --json setup --yes --upstream udp://192.0.2.1:53 "
                  f"--address 127.0.0.1:{self.port}")
        done = subprocess.run(["unshare", "-m", "sh", "-c", inside], capture_output=True, text=True,
                              timeout=60 * SLOWER, check=False)
        if "unshare" in done.stderr or "mount" in done.stderr:
            self.skipTest(done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["started"], ["/etc/init.d/greengate"])
        self.assertIn("answers", report["tests"])
        with open(self.folder + "/asked", encoding="utf-8") as file:
            self.assertEqual(file.read(), "init enable\ninit restart\n")


class Documentation(Setup):
    def test_commands_of_the_page(self):
        with open(os.path.join(ROOT, "docs/setup.md"), encoding="utf-8") as page:
            blocks = re.findall(r"^```\n(.*?)^```", page.read(), re.S | re.M)
        lines = [shlex.split(line, comments=True) for block in blocks for line in block.split("\n") if line]
        self.assertEqual(len(lines), 3)
        for line in lines:
            more = [] if "--print" in line or "--no-start" in line else ["--no-start"]
            self.run_setup(*line[2:], *more, "--force", answers="\n\n\n\n127.0.0.1\n")


if __name__ == "__main__":
    unittest.main()
