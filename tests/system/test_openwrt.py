# SPDX-License-Identifier: Apache-2.0
"""The OpenWrt package: its Makefile, its scripts under busybox ash with the real programs, and the LuCI
pages. What takes longer is in tests/openwrt (make test-openwrt)."""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

from harness import BUILD, ROOT, Box

sys.path.insert(0, os.path.join(ROOT, "tests", "openwrt"))
import router  # noqa: E402
from router import ENABLE, EVERYONE, PACKAGE, ModeTest, OnRouter  # noqa: E402

LUCI = os.path.join(ROOT, "packaging", "openwrt", "luci-app-greengate")
PLUGIN = os.path.join(LUCI, "root/usr/libexec/rpcd/luci.greengate")
SCRIPTS = ["greengate.init", "greengate.keeper", "greengate.defaults", "settings.sh", "dnsmasq.sh", "flash.sh",
           "standins.sh"]


class Package(unittest.TestCase):
    def test_the_feeds_index(self):
        done = router.make("DUMP=1")
        self.assertEqual(done.returncode, 0, done.stderr)
        packages = {}
        for part in done.stdout.split("@@"):
            fields = dict(re.findall(r"^(\w+): *(.*)$", part, re.M))
            if fields:
                packages[fields["Package"]] = fields
        self.assertEqual(sorted(packages), ["greengate", "greengate-lite"])
        full, lite = packages["greengate"], packages["greengate-lite"]
        self.assertEqual((full["VARIANT"], lite["VARIANT"], lite["PROVIDES"]), ("full", "lite", "greengate"))
        self.assertIn("+libopenssl", full["DEPENDS"].split())
        self.assertNotIn("+libopenssl", lite["DEPENDS"].split())
        self.assertIn("/etc/config/greengate", full["Conffiles"])

    def test_the_version_is_that_of_the_programs(self):
        with open(os.path.join(ROOT, "resolver/base/version.h"), encoding="utf-8") as source:
            version = re.search(r'"(.*)"', source.read())[1]
        self.assertIn(f"Version: {version}-r", router.make("DUMP=1").stdout)

    @unittest.skipUnless(shutil.which("shellcheck"), "no shellcheck")
    def test_shellcheck(self):
        done = subprocess.run(["shellcheck", "-x", *SCRIPTS], cwd=os.path.join(PACKAGE, "files"),
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout, "")


class Settings(OnRouter):
    build = BUILD

    CONVERT = """
        . /lib/functions.sh; . /usr/lib/greengate/settings.sh
        settings_load && settings_check && settings_print >/tmp/made.yaml &&
            greengate -c /tmp/made.yaml --json config show"""

    def convert(self, *parts):
        """The configuration that is made of these sections, as the real program understands it."""
        self.configure(*parts)
        done = self.router.run(self.CONVERT)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_as_installed_it_is_off_and_touches_nothing(self):
        before = self.router.read("etc/config/dhcp")
        self.service("start")
        self.assertEqual(self.router.read("etc/config/dhcp"), before)
        self.assertEqual((self.router.read("tmp/services"), self.writes()), ("", []))
        self.assertFalse(self.router.exists("var/etc/greengate/greengate.yaml"))

    def test_switched_on_it_is_accepted(self):
        shown = self.convert(self.router.read("etc/config/greengate").replace("enabled '0'", "enabled '1'"))
        self.assertEqual(shown["dns"]["listen"], ["0.0.0.0:53", "[::]:53"])
        self.assertEqual((shown["server"]["workers"], shown["cache"]["size_mb"]), (1, 2))
        self.assertEqual((shown["server"]["timezone"], shown["server"]["wait_for_sync"]), ("KST-9", True))
        self.assertEqual((shown["block"]["mode"], shown["block"]["page_ipv4"]), ("page", "198.18.53.1"))
        zones = {zone["domain"]: zone.get("servers", [zone.get("servers[]")]) for zone in shown["upstream"]["zones"]}
        for domain in ("lan", "168.192.in-addr.arpa", "31.172.in-addr.arpa", "corp.example"):
            self.assertEqual(zones[domain], ["udp://127.0.0.1:54"], domain)
        self.assertEqual([group["name"] for group in shown["groups"]], ["everyone"])
        self.assertIn("adult", shown["groups"][0]["block"])

    def test_every_option(self):
        shown = self.convert(ENABLE + """
	option mode 'behind'
	option port '5454'
	list upstream 'udp://192.0.2.1:53'
	list upstream 'tls://9.9.9.9:853#dns.quad9.net'
	option upstream_strategy 'ordered'
	option cache_mb '4'
	option update_window '19:00-07:00'
	list never_block 'school.example'
	option stats_privacy 'domains'
	option stats_min_clients '3'
	list language 'ko'
	list language 'en'

config group
	option name 'children'
	list client '192.168.1.0/24'
	list client '02:00:00:00:00:01'
	list client 'host:tablet'
	list block 'adult'
	list service 'tiktok'
	option safe_search 'on'
	option youtube 'moderate'
	option strip_ech '0'

config schedule
	option group 'children'
	list block 'games'
	option days 'mon-fri'
	option from '20:00'
	option to '07:00'

config schedule
	option group 'everyone'
	option block 'all'
	list except 'education'
	list bell 'lesson'
	list not_on 'holidays'

config bell
	option name 'lesson'
	option from '09:00'
	option to '09:45'

config dates
	option name 'holidays'
	list on '2026-12-25'

config list
	option id 'a-list'
	option url 'https://lists.example/adult.txt?a=b&c'
	option category 'adult'
	option shadow '1'

config record
	option name 'nas.lan'
	option address '192.168.1.5'

config zone
	option domain 'branch.example'
	list server 'udp://10.0.0.1:53'
""", EVERYONE)
        self.assertEqual(shown["dns"]["listen"], ["127.0.0.1:5454", "[::1]:5454"])
        self.assertEqual(shown["dns"]["trusted_forwarders"], ["127.0.0.1", "::1"])
        self.assertEqual(shown["upstream"]["servers"], ["udp://192.0.2.1:53", "tls://9.9.9.9:853#dns.quad9.net"])
        self.assertEqual([zone["domain"] for zone in shown["upstream"]["zones"]], ["branch.example"])
        self.assertEqual(shown["lists"]["never_block"], ["school.example"])
        self.assertEqual((shown["stats"]["privacy"], shown["stats"]["min_clients"]), ("domains", 3))
        self.assertEqual(shown["web"]["languages"], ["ko", "en"])
        self.assertEqual(shown["dns"]["records"], [{"name": "nas.lan", "address": "192.168.1.5"}])
        source = shown["lists"]["sources"][0]
        self.assertEqual((source["id"], source["shadow"]), ("a-list", True))
        children, everyone = shown["groups"]
        self.assertEqual(children["clients"], ["192.168.1.0/24", "02:00:00:00:00:01", "host:tablet"])
        self.assertEqual((children["safe_search"], children["youtube"], children["strip_ech"]),
                         (True, "moderate", False))
        self.assertEqual(children["schedule"][0]["block"], ["games"])
        self.assertEqual((everyone["schedule"][0]["bells"], everyone["schedule"][0]["not_on"]),
                         (["lesson"], ["holidays"]))

    def test_values_that_need_quoting(self):
        rows = [("Kim\"s: #1 school \\ back", "Kim\"s: #1 school \\ back"), ("학교 🏫", "학교 🏫"),
                ("two\nlines\tand a tab", "two lines and a tab"), ("- dash", "- dash"), ("yes", "yes"), ("12", "12"),
                ("$(reboot) `id` $HOME", "$(reboot) `id` $HOME"), ("{a: [b]} & *c | > % @", "{a: [b]} & *c | > % @")]
        for text, expected in rows:
            with self.subTest(text=text):
                shown = self.convert(f"{ENABLE}\toption organisation '{text}'\n", EVERYONE)
                self.assertEqual(shown["web"]["organisation"], expected)

    def test_what_the_provider_says(self):
        self.router.write("tmp/resolv.conf.d/resolv.conf.auto",
                          "# Interface wan\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n"
                          "nameserver fe80::1%eth0\nnameserver 127.0.0.1\nsearch example\n")
        shown = self.convert(ENABLE, EVERYONE)
        self.assertEqual(shown["upstream"]["servers"], ["udp://192.0.2.53:53", "udp://[2001:db8::53]:53"])

    def test_further_settings_in_yaml(self):
        self.router.write("etc/greengate/conf.d/mine.yaml", "stats: {keep_days: 30}\n")
        self.configure(ENABLE, EVERYONE)
        self.service("start")
        self.assertEqual(self.shown()["stats"]["keep_days"], 30)
        self.assertEqual(self.router.read("var/etc/greengate/conf.d/mine.yaml"), "stats: {keep_days: 30}\n")

    def test_mistakes_are_told_and_change_nothing(self):
        self.configure(ENABLE, EVERYONE)
        self.service("start")
        good, dhcp = self.router.read("var/etc/greengate/greengate.yaml"), self.router.read("etc/config/dhcp")
        rows = [("\toption mode 'sideways'\n", "mode 'sideways' is neither front nor behind"),
                ("\toption dnsmasq_port '5353'\n", "dnsmasq_port '5353' is that of mDNS"),
                ("\toption port '53'\n", "port '53' is no port, or the one that must be free"),
                ("\toption cache_mb 'lots'\n", "size_mb: expected a whole number, found 'lots'"),
                ("\nconfig schedule\n\toption group 'ghosts'\n", "names the group 'ghosts'"),
                ("\nconfig group 'x'\n\tlist client 'nobody'\n", "nobody")]
        for text, words in rows:
            with self.subTest(text=text):
                self.configure(ENABLE + text, EVERYONE)
                self.assertIn(words, self.service("reload", 1).stderr)
                self.assertIn(words, (done := self.router.service("check_config")).stderr + done.stdout)
                self.assertEqual(self.router.read("var/etc/greengate/greengate.yaml"), good)
                self.assertEqual(self.router.read("etc/config/dhcp"), dhcp)

    def test_slips_of_the_pen_are_told(self):
        self.configure(ENABLE + "\toption modus 'front'\n", EVERYONE.replace("block", "blok"), "config grup 'x'\n")
        said = self.service("start").stderr
        self.assertIn("section 'greengate' has no option 'modus'", said)
        self.assertIn("section 'group' has no option 'blok'", said)
        self.assertIn("no sections of type 'grup'", said)


class Modes(ModeTest):
    build = BUILD

    def test_in_front(self):
        before, now = self.both("front")
        self.assertEqual(now, {**before, "port": "54", "noresolv": "1", "dhcp_option": ["6,0.0.0.0"],
                               "server": ["/corp.example/10.9.9.9"]})
        self.assertIn("redirect to :53", self.router.read("usr/share/nftables.d/ruleset-post/greengate.nft"))
        self.undone(before)

    def test_behind(self):
        before, now = self.both("behind")
        self.assertEqual(now, {**before, "noresolv": "1", "addmac": "1", "stripmac": "1", "cachesize": "0",
                               "rebind_protection": "0", "server": ["/corp.example/10.9.9.9", "127.0.0.1#5453"]})
        self.assertIn("redirect to :53", self.router.read("usr/share/nftables.d/ruleset-post/greengate.nft"))
        self.undone(before)

    def test_the_rules_of_nft_are_read(self):
        if not shutil.which("nft"):
            self.skipTest("no nft")
        self.both("front")
        folder = self.router.path("usr/share/nftables.d/ruleset-post")
        for name in ("greengate.nft", "greengate-page.nft"):
            done = subprocess.run(["unshare", "-n", "nft", "-c", "-f", os.path.join(folder, name)],
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)


def luci_files(ending):
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(LUCI) for name in names
                  if name.endswith(ending))


def read_po(path):
    """Translations by text."""
    with open(path, encoding="utf-8") as source:
        pairs = re.findall(r'^msgid ("(?:.*)"(?:\n".*")*)\nmsgstr ("(?:.*)"(?:\n".*")*)', source.read(), re.M)
    return {"".join(map(json.loads, a.split("\n"))): "".join(map(json.loads, b.split("\n"))) for a, b in pairs}


class Luci(unittest.TestCase):
    def menu_and_acl(self):
        found = []
        for name in ("luci/menu.d", "rpcd/acl.d"):
            with open(os.path.join(LUCI, f"root/usr/share/{name}/luci-app-greengate.json"), encoding="utf-8") as source:
                found.append(json.load(source))
        return found

    def texts(self):
        """Whatever a person sees: of the views, the menu, the ACL."""
        found = set()
        for path in luci_files(".js"):
            with open(path, encoding="utf-8") as source:
                text = source.read()
            found |= set(re.findall(r"\b_\('((?:[^'\\\\]|\\\\.)*)'\)", text))
            self.assertEqual(len(re.findall(r"\b_\(", text)), len(re.findall(r"\b_\('", text)), path)
        menu, acl = self.menu_and_acl()
        return found | {entry["title"] for entry in menu.values()} | {acl["luci-app-greengate"]["description"]}

    def test_every_text_has_its_korean(self):
        wanted = self.texts()
        self.assertGreater(len(wanted), 50)
        for path, whole in (("po/ko/greengate.po", True), ("po/templates/greengate.pot", False)):
            known = read_po(os.path.join(LUCI, path))
            del known[""]
            self.assertEqual(set(known), wanted, path)
            if whole:
                self.assertEqual([text for text, korean in known.items() if not korean], [])
                for text, korean in known.items():
                    self.assertEqual(re.findall("%[sd]", text), re.findall("%[sd]", korean), text)

    def test_the_menu_and_the_acl_name_what_there_is(self):
        menu, acl = self.menu_and_acl()
        for entry in menu.values():
            if entry["action"]["type"] == "view":
                self.assertTrue(os.path.exists(os.path.join(
                    LUCI, "htdocs/luci-static/resources/view", entry["action"]["path"] + ".js")))
        rights = acl["luci-app-greengate"]
        done = subprocess.run(["sh", PLUGIN, "list"], capture_output=True, text=True, check=True)
        self.assertEqual(set(json.loads(done.stdout)), {method for right in ("read", "write")
                                                       for method in rights[right]["ubus"]["luci.greengate"]})
        self.assertEqual(set(rights["read"]["ubus"]["luci.greengate"]) & {"pause", "resume"}, set())

    @unittest.skipUnless(shutil.which("shellcheck"), "no shellcheck")
    def test_shellcheck(self):
        done = subprocess.run(["shellcheck", PLUGIN], capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout, "")


@unittest.skipUnless(shutil.which("busybox"), "no busybox")
class Plugin(unittest.TestCase):
    """rpcd's plugin under busybox ash with the real CLI and daemon, and the views of its answers."""
    @classmethod
    def setUpClass(cls):
        groups = [{"name": "kids", "clients": ["192.168.1.0/24"], "block": ["adult"], "services": ["tiktok"]},
                  {"name": "everyone", "clients": [], "block": []}]
        cls.box = cls.enterClassContext(Box(config={"groups": groups}, lists=[("bad", "adult", ["bad.test"])]))
        folder = os.path.join(cls.box.folder, "bin")
        os.makedirs(folder)
        shutil.copy(os.path.join(router.HERE, "root/usr/bin/jsonfilter"), folder)
        path = cls.box.write("bin/greengate", f'#!/bin/sh\nexec {BUILD}/greengate -c {cls.box.path} "$@"\n')
        os.chmod(path, 0o755)
        cls.env = {"PATH": f"{folder}:/usr/bin:/bin"}

    def call(self, method, **arguments):
        done = subprocess.run(["busybox", "ash", PLUGIN, "call", method], input=json.dumps(arguments),
                              capture_output=True, text=True, check=False, env=self.env)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_what_it_tells(self):
        self.assertEqual(self.call("status")["state"], "protected")
        self.assertEqual([group["name"] for group in self.call("groups")["groups"]], ["kids", "everyone"])
        self.assertEqual(len(self.call("schedule")["groups"]), 2)
        self.assertTrue(self.call("check", name="bad.test", client="192.168.1.7")["blocked"])
        self.assertFalse(self.call("check", name="bad.test", client="")["blocked"])
        self.assertEqual(self.call("check", name="학교.example")["name"], "학교.example".encode("idna").decode())

    def test_pausing(self):
        self.assertTrue(self.call("pause", minutes=10, group="kids")["ok"])
        self.assertTrue(self.call("schedule")["groups"][0]["paused"])
        self.assertTrue(self.call("resume", group="kids")["ok"])
        self.assertFalse(self.call("schedule")["groups"][0]["paused"])

    def test_nothing_becomes_an_option_or_a_command(self):
        flag = os.path.join(self.box.folder, "flag")
        for method, arguments in (("check", {"name": "--ref"}), ("check", {"name": ""}), ("check", {"name": "a b"}),
                                  ("check", {"name": "a", "client": f"$(touch {flag})"}),
                                  ("check", {"name": "a", "client": "-c"}), ("pause", {"minutes": "1;reboot"}),
                                  ("pause", {"minutes": 5, "group": "--help"}), ("pause", {}), ("reboot", {})):
            with self.subTest(method=method, arguments=arguments):
                self.assertFalse(self.call(method, **arguments)["ok"])
        self.assertFalse(self.call("check", name=f"`touch {flag}`")["ok"])
        self.assertFalse(os.path.exists(flag))

    @unittest.skipUnless(shutil.which("node"), "no node")
    def test_the_views(self):
        replies = {method: self.call(method) for method in ("status", "groups", "schedule")}
        replies["check"] = self.call("check", name="bad.test", client="192.168.1.7")
        replies["pause"] = replies["resume"] = {"ok": True}
        path = self.box.write("replies.json", json.dumps(replies))
        done = subprocess.run(["node", os.path.join(router.HERE, "views.js"),
                               os.path.join(LUCI, "htdocs/luci-static/resources"), path],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)
        shown = result["shown"]
        for view, words in (("status", "Protected"), ("status", "udp://127.0.0.1:9"), ("groups", "192.168.1.0/24"),
                            ("groups", "tiktok"), ("groups", "all others"), ("schedule", "kids"),
                            ("schedule", "Pause 10 min"), ("check", "bad.test is blocked."),
                            ("check", "a list names it in a category"), ("settings", "Blocked categories")):
            self.assertIn(words, shown[view])
        self.assertIn(["check", "bad.test", ""], result["asked"])
        self.assertIn(["pause", 10, "kids"], result["asked"])

    @unittest.skipUnless(shutil.which("node"), "no node")
    def test_the_views_without_a_daemon(self):
        fault = {"ok": False, "error": "no daemon answers"}
        path = self.box.write("faults.json", json.dumps(dict.fromkeys(("status", "groups", "schedule", "check"), fault)))
        done = subprocess.run(["node", os.path.join(router.HERE, "views.js"),
                               os.path.join(LUCI, "htdocs/luci-static/resources"), path],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        for view in ("status", "groups", "schedule", "check"):
            self.assertIn("no daemon answers", json.loads(done.stdout)["shown"][view])


if __name__ == "__main__":
    unittest.main()
