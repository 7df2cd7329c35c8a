# SPDX-License-Identifier: Apache-2.0
"""Every command that README.md, docs/ and the manual pages show is run here, as it stands there, or by
another test that is named below. One that is new and in no table is run, and fails if it does not work."""
import glob
import os
import re
import shlex
import shutil
import subprocess
import unittest

from apiclient import set_up
from harness import BUILD, ROOT, SLOWER, Box, Nsd, as_user, free_port, write_yaml

# (page, language of its blocks): the test that runs every command in them.
ELSEWHERE = {
    ("README.md", "sh"): "tests/system/test_readme.py",
    ("docs/backup.md", ""): "tests/system/test_backup.py",
    ("docs/debian.md", "sh"): "tests/debian/test_packages.py",
    ("docs/openwrt.md", "sh"): "tests/openwrt/test_router.py",
    ("docs/selftest.md", ""): "tests/system/test_selftest.py",
    ("docs/setup.md", ""): "tests/system/test_setup.py",
}
# Below which headings tests/debian/test_packages.py reads docs/debian.md, and how many blocks there.
DEBIAN = {"Install": 2, "Port 53": 3, "What runs, and as whom": 2, "Upgrade, remove": 1, "From the sources": 1}
# Beginnings of single commands that are not run here, and why.
NOT_HERE = {
    ("docs/guide-school.md", "greengate setup --print "): "tests/system/test_setup.py prints it; here are no data files in /usr/share",
    ("docs/guide-school.ko.md", "greengate setup --print "): "the same",
    ("docs/moving.md", "greengate import "): "tests/system/test_import.py has what they read",
    ("docs/container.md", "buildah build "): "packaging/container/test builds the image",
    ("docs/container.md", "docker compose -f packaging/container/compose.yaml up "):
        "needs a container engine; tests/system/test_container.py reads the file",
    ("docs/firewall.md", "systemctl enable nftables"): "changes the machine; the unit is Debian's",
    ("docs/firewall.md", "fw4 restart"): "OpenWrt's own program; tests/system/test_firewall.py loads the rules",
    ("docs/openwrt.md", 'echo "src-link '): "OpenWrt's build; tests/system/test_openwrt.py reads the Makefile",
    ("docs/openwrt.md", "./scripts/feeds "): "the same",
    ("docs/openwrt.md", "make package/"): "the same",
}
# Plain blocks that are no commands, by their first words.
NO_COMMANDS = {("docs/architecture.md", "listen/udp.c "), ("docs/architecture.md", "source (URL"),
               ("docs/openwrt.md", "config greengate"), ("docs/sockets.md", "# greengate.socket")}
SHELL = ("sh", "console")
DATA = ("json", "yaml", "text")
# Pages whose YAML blocks are files of conf.d, and go together.
CONF_D = ["docs/guide-home.md", "docs/guide-office.md", "docs/guide-school.ko.md", "docs/guide-school.md", "docs/pair.md"]
PROGRAMS = re.compile(r"(sudo |\$ )?(greengate(d|-web)?|make|curl|docker|buildah|openssl|\* \* \* \* \* root|[A-Z]+=|echo \"src)\b")
# Other ends than 0. Lists on the web are out of reach here.
ENDS = {("docs/catalog.md", "greengate update"): 6, ("docs/catalog.md", "greengate lists add ut1-gambling --update"): 6,
        ("packaging/man/greengate.1", "greengate update"): 6}


def read(page):
    with open(os.path.join(ROOT, page), encoding="utf-8") as source:
        return source.read()


def pages():
    return ["README.md"] + sorted(
        os.path.relpath(path, ROOT) for form in ("*.md", "sheets/*.md") for path in glob.glob(os.path.join(ROOT, "docs", form)))


def blocks(page):
    return re.findall(r"^```(\w*)\n(.*?)^```", read(page), re.S | re.M)


def is_shell(page, language, block):
    """Whether a block holds commands; AssertionError when that cannot be told."""
    if language in SHELL or language in DATA:
        return language in SHELL
    if any(block.startswith(start) for where, start in NO_COMMANDS if where == page):
        return False
    assert language == "" and PROGRAMS.match(block), f"{page}: commands or not? {block[:60]!r}; see NO_COMMANDS, or call it sh"
    return True


def lines_of(block):
    joined = block.replace("\\\n", " ")
    joined = re.sub(r"\|\n\s+", "| ", joined)
    return [line for line in (re.sub(r"(^|\s)#\s.*$", "", line).strip() for line in joined.split("\n")) if line]


def commands_of(page):
    """Command lines of a page that this test must run."""
    found = []
    for language, block in blocks(page):
        if is_shell(page, language, block) and (page, language) not in ELSEWHERE:
            found += lines_of(block)
    return [line for line in found if not any(line.startswith(start) for where, start in NOT_HERE if where == page)]


def examples_of(page):
    found = re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed", read(page), re.S | re.M)
    return [line for block in found for line in lines_of(block) if line.startswith("greengate")]


class Tables(unittest.TestCase):
    """What is said to be run elsewhere is, and no row is left over."""

    def test_the_other_tests_read_these_pages(self):
        for (page, language), test in ELSEWHERE.items():
            self.assertIn(os.path.basename(page), read(test), test)
            self.assertTrue([block for found, block in blocks(page) if found == language], page)
        for (page, start), reason in NOT_HERE.items():
            self.assertIn(start, read(page))
            for test in re.findall(r"(?:tests|packaging)/\S+[^;, ]", reason):
                self.assertTrue(os.path.exists(os.path.join(ROOT, test)), test)
        for page, start in NO_COMMANDS:
            self.assertIn(f"```\n{start}", read(page))

    def test_every_block_for_debian_is_one_that_its_test_runs(self):
        parts = re.split(r"^## (.*)\n", read("docs/debian.md"), flags=re.M)
        found = {heading: len(re.findall(r"^```sh", text, re.M)) for heading, text in zip(parts[1::2], parts[2::2])}
        self.assertEqual({heading: count for heading, count in found.items() if count}, DEBIAN)
        for heading in DEBIAN:
            self.assertIn(f'documented("{heading}")', read(ELSEWHERE["docs/debian.md", "sh"]))

    def test_there_is_much_to_run(self):
        self.assertGreater(sum(len(commands_of(page)) for page in pages()), 40)


class Docs(unittest.TestCase):
    """Each page has a machine of its own: a folder that stands for /etc, /var, /usr and /tmp, shims for programs that
    would change more, and a running daemon with page, lists, an account and a token."""

    @classmethod
    def setUpClass(cls):
        cls.nsd = cls.enterClassContext(Nsd())

    def prepare(self, page):
        tls_port = free_port()
        box = Box(upstream=[self.nsd.url], web=True, start=False, lists=[
            ("adult", "adult", [f"bad{n}.example" for n in range(100)]), ("games", "games", ["games.example", "roblox.com"])])
        self.box, self.tls = box, f"127.0.0.1:{tls_port}"
        etc, self.bin = os.path.join(box.folder, "etc/greengate"), os.path.join(box.folder, "bin")
        for folder in ("etc/greengate/conf.d", "usr/share", "bin", "tmp"):
            box.make_folder(os.path.join(box.folder, folder))
        os.symlink(os.path.abspath(os.path.join(BUILD, "data")), os.path.join(box.folder, "usr/share/greengate"))
        box.path = os.path.join(etc, "greengate.yaml")
        key, cert = os.path.join(box.folder, "key.pem"), os.path.join(box.folder, "cert.pem")
        if page == "docs/upstreams.md":  # its own daemon is the server whose key is asked for
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                            "-keyout", key, "-out", cert, "-subj", "/CN=gate.test", "-days", "2"],
                           check=True, capture_output=True, **as_user())
            box.config["dns"].update(tls_listen=[self.tls], tls_cert=cert, tls_key=key)
        if "greengate firewall print" in read(page):  # clients must reach it
            box.config["dns"]["listen"] = [f"0.0.0.0:{box.port}"]
        box.config["server"]["data_dir"] = f"{etc}/data:{os.path.abspath(BUILD)}/data"
        box.config["groups"] = [{"name": "staff", "clients": ["10.1.0.0/16"], "block": ["adult"]},
                                {"name": "pupils", "clients": [], "block": ["adult"]}]
        box.write("etc/greengate/greengate.yaml", write_yaml(box.config))
        box.write("etc/greengate/conf.d/moved.rules", "rules: [{name: moved.example, action: block}]\n")
        self.shim("greengate", f'exec {BUILD}/greengate -c {box.path} "$@"')
        self.shim("docker", 'while [ "$1" != exec ]; do shift; done; shift 2; exec "$@"')
        self.shim("nft", f'exec {"unshare -n" if os.getuid() == 0 else "unshare -rn"} {shutil.which("nft", path="/usr/sbin:/sbin")} "$@"')
        self.enterContext(box)
        box.start()
        self.env = {"PATH": f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": box.folder, "LANG": "C.UTF-8",
                    "https_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1"}
        self.box.cli("allow", "school.example", "--note", "Ms Kim")  # so that something is in the audit log

    def shim(self, name, text):
        path = self.box.write(os.path.join("bin", name), f"#!/bin/sh\n{text}\n")
        os.chmod(path, 0o755)

    def fill_in(self, line):
        """What a reader would put in the place of what the page shows."""
        if "gg_..." in line:
            made = set_up(self.box).must("POST", "tokens", {"label": "docs", "role": "teacher"})
            line = line.replace("gg_...", made["token"])
        if "HASH" in line:
            line = line.replace("HASH", self.box.json("audit", "verify")["last_hash"])
        line = line.replace("127.0.0.1:8953", f"127.0.0.1:{self.box.admin_port}").replace("192.0.2.1:853", self.tls)
        line = re.sub(r"^\* \* \* \* \* root ", "", line)
        line = line.removeprefix("$ ").removeprefix("sudo ")

        def inside(match):
            path = self.box.folder + match[0]
            self.box.make_folder(os.path.dirname(path))
            return path
        return re.sub(r"(?<![\w.:/])/(etc|var|usr|root|tmp|opt)/[\w./-]*", inside, line)

    def run_line(self, page, line):
        text = self.fill_in(line)
        if re.match(r"[A-Z]+=\S+$", text):
            name, value = text.split("=", 1)
            self.env[name] = value
            return
        user = {} if text.startswith("nft ") else as_user()
        done = subprocess.run(["sh", "-c", text], cwd=self.box.folder, env=self.env, input="twelve green apples\n",
                              capture_output=True, text=True, timeout=60 * SLOWER, check=False, **user)
        if text.startswith("nft ") and "unshare" in done.stderr:
            self.skipTest(done.stderr)
        self.assertEqual(done.returncode, ENDS.get((page, line.removeprefix("$ ")), 0), f"{page}: {line}\n{done.stdout}{done.stderr}")
        if line.startswith("curl"):
            self.assertIn('"ok":true', done.stdout.replace(" ", ""), line)
        if line.startswith("openssl"):
            self.assertRegex(done.stdout, r"^[\w+/]{43}=\n$")

    def run_page(self, page, commands):
        self.prepare(page)
        for line in commands:
            with self.subTest(page=page, command=line):
                self.run_line(page, line)

    def test_pages(self):
        for page in pages():
            commands = commands_of(page)
            if commands:
                self.run_page(page, commands)
                self.doCleanups()

    def test_examples_of_the_manual(self):
        commands = examples_of("packaging/man/greengate.1")
        self.assertGreater(len(commands), 4)
        self.run_page("packaging/man/greengate.1", commands)
        example = re.search(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed", read("packaging/man/greengate.yaml.5"), re.S | re.M)[1]
        self.box.write("etc/greengate/greengate.yaml", f"server: {{data_dir: {BUILD}/data}}\n{example}")
        self.assertEqual(self.box.cli("config", "check").stderr, "")

    def test_yaml_of_the_pages_is_right(self):
        """What is shown of a configuration, by itself."""
        box = self.enterContext(Box(start=False))
        server = f"server: {{data_dir: {BUILD}/data, state_dir: {box.state}"
        base = "lists: {sources: [{id: ads, url: 'https://lists.example/ads.txt', category: ads}]}\n"
        checked = 0
        for page in CONF_D:
            box.write("main.yaml", f"{server}}}\ngroups: [{{name: everyone, block: [adult]}}]\n")
            for number, block in enumerate(block for language, block in blocks(page) if language == "yaml"):
                box.make_folder(os.path.join(box.folder, "conf.d"))
                box.write(f"conf.d/{number}.yaml", block.replace("user: greengate, web_user: greengate-web, ", ""))
            done = box.cli("-c", os.path.join(box.folder, "main.yaml"), "config", "check")
            self.assertEqual((page, done.stderr, done.stdout), (page, "", "ok\n"))
            shutil.rmtree(os.path.join(box.folder, "conf.d"))
        for page in sorted(set(pages()) - set(CONF_D)):
            for language, block in blocks(page):
                if language != "yaml" or re.match("rules:|windows:", block):
                    continue
                managed = "managed.yaml" in read(page).split(block)[0].rsplit("## ", 1)[-1]
                block = block if block.startswith("server: {") else "server: {}\n" + block
                block = block.replace("server: {}", server + "}").replace("server: {timezone", server + ", timezone")
                box.write("page.yaml", f"{server}}}\n{base}" if managed else block)
                box.write("state/managed.yaml", block.split("\n", 1)[1] if managed else "{}\n")
                done = box.cli("-c", os.path.join(box.folder, "page.yaml"), "config", "check")
                self.assertEqual((page, done.stderr, done.stdout), (page, "", "ok\n"))
                checked += 1
        self.assertGreater(checked, 4)


class InProse(unittest.TestCase):
    """Commands within sentences: they and their options exist."""
    PROSE = re.compile(r"`((?:sudo )?greengate(?: --json)? [a-z][^`\n]*)`")

    def found(self):
        for page in ["CONTRIBUTING.md", "SECURITY.md", *pages()]:
            text = re.sub(r"^```.*?^```", "", read(page), flags=re.S | re.M)
            shown = "".join(block for language, block in blocks(page) if language == "text")
            shown = re.findall(r"^(?:sudo )?greengate [a-z][^|>#\n]*", shown.replace("\\\n", " "), re.M)
            for command in self.PROSE.findall(text) + shown:
                yield page, command.removeprefix("sudo ").removeprefix("greengate ")

    def test_they_exist(self):
        box = self.enterContext(Box(start=False))
        seen = set()
        for page, command in self.found():
            words = [word.replace("COMMAND", "status") for word in shlex.split(command)]
            if "'main'" in command or tuple(words) in seen:
                continue
            seen.add(tuple(words))
            done = box.cli(*words, "--no-such-option")
            with self.subTest(page=page, command=command):
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertNotIn("unknown command", done.stderr)
                for option in re.findall(r"unknown option ([\w-]+)", done.stdout + done.stderr):
                    self.assertEqual(option, "--no-such-option")
        self.assertGreater(len(seen), 40)

    def test_those_of_the_guides_can_be_typed_as_they_stand(self):
        """Elsewhere `greengate backup` may be the name of a command; in a guide it is what to do."""
        box = self.enterContext(Box(start=False))
        typed = {(page, command) for page, command in self.found() if page.startswith("docs/guide-")}
        self.assertGreater(len(typed), 15)
        for page, command in sorted(typed):
            words = command.replace("NAME", "name.example").replace("/var/backups", box.folder)
            done = box.cli(*shlex.split(words))
            with self.subTest(page=page, command=command):
                self.assertNotEqual(done.returncode, 2, done.stderr)

    def test_units_that_are_named_exist(self):
        named = set()
        for page in pages():
            named |= {(page, unit) for unit in re.findall(r"`systemctl [a-z]+ (?:--now )?(greengate[\w.-]*)", read(page))}
        self.assertGreater(len(named), 2)
        for page, unit in named:
            path = os.path.join(ROOT, "packaging", "systemd", unit if "." in unit else f"{unit}.service")
            self.assertTrue(os.path.exists(path), f"{page}: {unit}")

    def test_targets_of_make_exist(self):
        targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.M))
        for page in ["CONTRIBUTING.md", *pages()]:
            named = set(re.findall(r"`make ([a-z][a-z-]*)", read(page)))
            self.assertEqual(named - targets, set(), page)


if __name__ == "__main__":
    unittest.main()
