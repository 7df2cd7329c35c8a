# SPDX-License-Identifier: Apache-2.0
"""The OpenWrt package: its Makefile, and its scripts under busybox ash with the real programs."""
import ctypes
import gzip
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import netns
from harness import BUILD, PEERS, ROOT, USER, Box, Program, wait_for

sys.path.insert(0, os.path.join(ROOT, "tests", "openwrt"))
import router  # noqa: E402
from router import PACKAGE, Router  # noqa: E402

LUCI = os.path.join(ROOT, "packaging", "openwrt", "luci-app-greengate")
PLUGIN = os.path.join(LUCI, "root/usr/libexec/rpcd/luci.greengate")
ENABLE = "config greengate 'main'\n\toption enabled '1'\n"
EVERYONE = "config group 'everyone'\n\tlist block 'adult'\n"
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


class OnRouter(unittest.TestCase):
    def setUp(self):
        self.router = Router(BUILD)
        self.addCleanup(self.router.remove)

    def configure(self, *parts):
        self.router.write("etc/config/greengate", "\n".join(parts))

    def service(self, action, code=0):
        done = self.router.service(action)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def shown(self):
        done = self.router.run("greengate --json config show")
        self.assertEqual(done.returncode, 0, done.stdout)
        return json.loads(done.stdout)

    def writes(self):
        return self.router.read("tmp/writes").split() if self.router.exists("tmp/writes") else []


class Settings(OnRouter):
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


class Modes(OnRouter):
    def dnsmasq(self):
        done = self.router.run("uci export dhcp")
        part = done.stdout.split("config dhcp")[0]
        found = {}
        for kind, name, value in re.findall(r"(option|list) (\w+) '(.*)'", part):
            if kind == "list":
                found.setdefault(name, []).append(value)
            else:
                found[name] = value
        return found

    def both(self, mode):
        self.configure(ENABLE + f"\toption mode '{mode}'\n", EVERYONE)
        before = self.dnsmasq()
        self.service("start")
        return before, self.dnsmasq()

    def undone(self, before):
        self.service("stop")
        after = self.dnsmasq()
        self.assertEqual({**after, "server": sorted(after["server"])},
                         {**before, "server": sorted(before["server"])})
        self.assertFalse(self.router.exists("etc/config/greengate_undo"))
        self.assertEqual(os.listdir(self.router.path("usr/share/nftables.d/ruleset-post")), [])
        self.assertIn("delete table inet greengate\n", self.router.read("tmp/nft"))
        self.assertEqual(self.router.read("tmp/services").splitlines()[-2:], ["firewall reload", "dnsmasq restart"])

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

    def test_one_and_then_the_other(self):
        before, front = self.both("front")
        self.both("behind")
        self.assertNotIn("port", self.dnsmasq())
        self.both("front")
        self.assertEqual(self.dnsmasq(), front)
        self.undone(before)

    def test_disabled_it_is_undone_too(self):
        before, _ = self.both("front")
        self.configure(self.router.read("etc/config/greengate").replace("enabled '1'", "enabled '0'"))
        self.service("reload")
        self.assertEqual(sorted(self.dnsmasq()["server"]), sorted(before["server"]))
        self.assertNotIn("port", self.dnsmasq())
        self.assertFalse(self.router.exists("tmp/procd"))

    def test_nothing_is_written_again(self):
        self.both("front")
        self.service("enable")
        writes, dhcp = self.writes(), self.router.read("etc/config/dhcp")
        rules = os.stat(self.router.path("usr/share/nftables.d/ruleset-post/greengate.nft")).st_mtime_ns
        self.service("restart")
        self.service("reload")
        self.service("shutdown")
        self.service("start")
        self.assertEqual((self.writes(), self.router.read("etc/config/dhcp")), (writes, dhcp))
        self.assertEqual(os.stat(self.router.path("usr/share/nftables.d/ruleset-post/greengate.nft")).st_mtime_ns, rules)
        self.assertEqual(self.router.read("tmp/services").count("dnsmasq restart"), 1)

    def test_removal(self):
        """What the package manager does: disable, stop, its script."""
        before, _ = self.both("front")
        self.service("enable")
        self.service("disable")
        self.undone(before)
        script = router.make("postrm-greengate", "DESTDIR=x").stdout
        self.assertEqual(self.router.run(script).returncode, 0)
        self.assertFalse(self.router.exists("var/lib/greengate"))

    def test_what_procd_is_told(self):
        self.both("front")
        told = self.router.read("tmp/procd")
        for words in ("instance greengated", "instance greengate-web", "instance keeper", "jail greengated log procfs",
                      "no_new_privs 1", "user greengate", "mount_rw /var/lib/greengate /var/run/greengate"):
            self.assertIn(words, told)
        json.loads(self.router.read("etc/capabilities/greengate.json"))

    def test_the_rules_of_nft_are_read(self):
        if not shutil.which("nft"):
            self.skipTest("no nft")
        self.both("front")
        folder = self.router.path("usr/share/nftables.d/ruleset-post")
        for name in ("greengate.nft", "greengate-page.nft"):
            done = subprocess.run(["unshare", "-n", "nft", "-c", "-f", os.path.join(folder, name)],
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)

    def test_the_daemon_starts_as_procd_is_told(self):
        """In front: it holds port 53, blocks by the starter list, and says that it protects."""
        self.both("front")
        command = re.search(r"^command (/usr/sbin/greengated .*)$", self.router.read("tmp/procd"), re.M)[1]
        name = self.router.read("usr/share/greengate/starter/adult.txt").split()[-1]
        done = self.router.run(f"""
            ip link set lo up
            {command} 2>/tmp/daemon.log &
            for i in 1 2 3 4 5 6 7 8 9 10; do
                greengate --quiet status; [ $? -ne 3 ] && break; usleep 300000
            done
            nslookup -type=a {name} 127.0.0.1
            greengate --json status
            kill $!; wait""")
        self.assertIn("198.18.53.1", done.stdout, done.stderr + self.router.read("tmp/daemon.log"))
        self.assertIn('"workers":', done.stdout)


@unittest.skipUnless(os.path.isdir(f"{BUILD}-lite"), "not built: make LITE=1")
class Lite(unittest.TestCase):
    def setUp(self):
        self.router = Router(f"{BUILD}-lite", "lite")
        self.addCleanup(self.router.remove)

    def test_no_page_and_none_of_its_libraries(self):
        self.router.write("etc/config/greengate", ENABLE + EVERYONE)
        self.assertEqual(self.router.service("start").returncode, 0)
        self.assertIn('mode: "nxdomain"', self.router.read("var/etc/greengate/greengate.yaml"))
        self.assertNotIn("greengate-web", self.router.read("tmp/procd"))
        self.assertEqual(os.listdir(self.router.path("usr/share/nftables.d/ruleset-post")), ["greengate.nft"])
        for program in ("greengated", "greengate"):
            needed = subprocess.run(["readelf", "-d", os.path.join(f"{BUILD}-lite", program)], capture_output=True,
                                    text=True, check=True).stdout
            self.assertNotRegex(needed, "libssl|libcrypto|libldns")

    def test_it_answers_and_tells_that_it_has_no_tls(self):
        self.router.write("tmp/a.yaml", "dns: {listen: [\"127.0.0.1:53\"]}\nblock: {mode: nxdomain}\n"
                          "server: {control_socket: /tmp/c.sock, state_dir: /tmp/state}\n")
        self.router.write("tmp/b.yaml", self.router.read("tmp/a.yaml") + "upstream: {servers: [tls://9.9.9.9:853]}\n")
        name = self.router.read("usr/share/greengate/starter/adult.txt").split()[-1]
        done = self.router.run(f"""
            ip link set lo up
            greengated -c /tmp/b.yaml
            greengated -c /tmp/a.yaml &
            for i in 1 2 3 4 5 6 7 8 9 10; do
                greengate -c /tmp/a.yaml --quiet status; [ $? -ne 3 ] && break; usleep 300000
            done
            nslookup -type=a {name} 127.0.0.1
            greengate -c /tmp/a.yaml check {name} --type CAA
            kill $!; wait""")
        self.assertIn("built without TLS (lite)", done.stderr)
        self.assertIn("NXDOMAIN", done.stdout + done.stderr)
        self.assertIn("blocked", done.stdout)


class Flash(OnRouter):
    """The copy of rules and lists."""
    SAVED = "etc/greengate/saved"

    def setUp(self):
        super().setUp()
        self.router.write("tmp/list", "bad.example\nworse.example\n")
        self.configure(ENABLE + EVERYONE, "config list 'adult'\n\toption url 'file:///tmp/list'\n"
                       "\toption category 'adult'\n")
        self.service("start")

    def keep(self):
        done = self.router.run("/usr/lib/greengate/keeper once")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def saved(self):
        path = self.router.path(self.SAVED)
        return {name: os.stat(os.path.join(path, name)).st_ino for name in os.listdir(path)
                if name.endswith(".ggdb")} if os.path.isdir(path) else {}

    def blocked(self):
        return self.router.run("greengate check --quiet bad.example").returncode == 10

    def test_saved_once_and_back_after_a_reboot(self):
        self.keep()
        first = self.saved()
        self.assertEqual(list(first), ["000001.ggdb"])
        self.keep()
        self.assertEqual(self.saved(), first, "written once")
        self.router.write("var/lib/greengate/rules.yaml", "# mine\n")
        self.service("shutdown")
        shutil.rmtree(self.router.path("var/lib/greengate"))
        self.service("start")
        self.assertTrue(self.blocked())
        self.assertEqual(self.router.read("var/lib/greengate/rules.yaml"), "# mine\n")
        self.assertTrue(self.router.exists("var/lib/greengate/sources/adult.zst"))
        self.assertEqual(os.stat(self.router.path("var/lib/greengate/generations/000001.ggdb")).st_uid, 653)

    def test_a_new_generation_takes_the_place(self):
        self.keep()
        self.router.write("tmp/list", "bad.example\nworse.example\nworst.example\n")
        self.assertEqual(self.router.run("greengate update --force").returncode, 0)
        self.keep()
        self.assertEqual(list(self.saved()), ["000002.ggdb"])

    def test_no_room(self):
        self.router.write("tmp/room", "900\n")
        self.assertIn("no room on flash for a copy of the lists (102", self.keep().stderr)
        self.assertEqual(self.saved(), {})
        self.assertTrue(self.blocked())

    def test_not_wanted(self):
        text = self.router.read("etc/config/greengate")
        self.configure(text.replace("enabled '1'", "enabled '1'\n\toption flash_copy '0'"))
        self.keep()
        self.assertEqual(self.saved(), {})

    def test_what_somebody_asked_for(self):
        self.router.write("usr/bin/greengate", '#!/bin/sh\necho "$*" >>/tmp/asked\nrm -f /var/lib/greengate/update.request\n',
                          0o755)
        self.keep()
        self.router.write("var/lib/greengate/update.request", "")
        self.keep()
        self.assertEqual(self.router.read("tmp/asked").splitlines(),
                         ["--quiet update --if-due", "--quiet update --requested"])

    def test_a_sysupgrade_keeps_it(self):
        kept = self.router.read("lib/upgrade/keep.d/greengate").split()
        self.assertIn("/etc/greengate/saved/", kept)
        self.assertIn("/etc/greengate/conf.d/", kept)


class Manual(OnRouter):
    def test_every_command_of_the_page(self):
        """Run on the router, in the page's order, beside a daemon that procd would have started."""
        with open(os.path.join(ROOT, "docs/openwrt.md"), encoding="utf-8") as source:
            lines = [line for block in re.findall(r"^```sh\n(.*?)^```", source.read(), re.M | re.S)
                     for line in block.splitlines()]
        self.assertGreater(len(lines), 10)
        script = "ip link set lo up\n"
        for line in lines:
            script += f"{line} >/tmp/out 2>&1; echo \"$? {line}\"\n"
            if line == "service greengate start":
                script += ("greengated -c /var/etc/greengate/greengate.yaml 2>/tmp/log &\n"
                           "while greengate --quiet status; [ $? = 3 ]; do usleep 100000; done\n")
        done = self.router.run(script + "kill %1; wait")
        ended = dict(reversed(line.split(" ", 1)) for line in done.stdout.splitlines())
        # Nothing can be fetched here.
        self.assertEqual(ended.pop("greengate update"), "1", done.stdout + done.stderr)
        self.assertEqual(set(ended.values()), {"0"}, done.stdout + done.stderr)


class Beside(unittest.TestCase):
    """A real dnsmasq with what each mode gives it, between a device and the real daemon."""
    MAC, OTHER = "02:00:00:00:00:05", "02:00:00:00:00:06"

    def setUp(self):
        self.program = os.path.join(PEERS, "bin", "dnsmasq")
        if not os.path.exists(self.program) or not shutil.which("busybox"):
            self.skipTest("dnsmasq could not be unpacked, or no busybox")
        self.spaces = self.enterContext(netns.Namespaces("router", "device"))
        self.spaces.wire("router", "device", "lan0", "eth0")
        self.spaces.give("router", "lan0", "192.168.77.1/24")
        self.spaces.run("device", "ip", "link", "set", "eth0", "address", self.MAC)
        self.spaces.give("device", "eth0", "192.168.77.5/24", "192.168.77.6/24")
        self.folder = self.enterContext(tempfile.TemporaryDirectory(prefix="gg-", dir="/tmp"))

    def dnsmasq(self, *options):
        server = subprocess.Popen(
            self.spaces.inside("router", self.program, "-k", "-C", "/dev/null", "--user=root", "--pid-file=",
                               "--interface=lan0", "--bind-dynamic", "--no-hosts", "--no-resolv",
                               f"--dhcp-leasefile={self.folder}/leases", *options),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(server.wait)
        self.addCleanup(os.killpg, server.pid, signal.SIGKILL)

    def daemon(self, config, web=False):
        def enter():
            with open(f"/run/netns/{self.spaces.names['router']}", "rb") as space:
                if ctypes.CDLL(None).setns(space.fileno(), 0):
                    os._exit(99)
        box = self.enterContext(Box(lists=[("bad", "adult", ["bad.test"])], start=False, config={
            "server": {"user": ""}, "block": {"mode": "nxdomain"}, **config}))
        box.start(user=None, preexec_fn=enter)
        if web:
            box.web = Program([box.program("greengate-web"), "-c", box.path], os.path.join(box.folder, "web.log"),
                              preexec_fn=enter)

    def ask(self, name, source="192.168.77.5"):
        return self.spaces.probe("device", {"server": "192.168.77.1", "name": name, "source": source})[0]

    def test_behind_a_device_is_known_by_its_mac(self):
        self.daemon({"dns": {"listen": ["127.0.0.1:5453"], "trusted_forwarders": ["127.0.0.1"],
                             "records": [{"name": "up.test", "address": "192.0.2.1"}]},
                     "groups": [{"name": "kids", "clients": [self.MAC], "block": ["adult"]},
                                {"name": "everyone", "clients": [], "block": []}]})
        self.dnsmasq("--server=127.0.0.1#5453", "--add-mac", "--strip-mac", "--cache-size=0")
        wait_for(lambda: self.ask("up.test") == "192.0.2.1", "dnsmasq")
        self.assertEqual(self.ask("bad.test"), "NXDOMAIN")
        self.spaces.run("device", "ip", "link", "set", "eth0", "address", self.OTHER)
        # Another device is not blocked; the upstream of this test answers nobody.
        self.assertEqual(self.ask("bad.test", "192.168.77.6"), "SERVFAIL")

    def test_the_page_beside_luci(self):
        """A blocked name's address leads to the page, and port 80 of the router stays LuCI's."""
        rules = Router(BUILD)
        self.addCleanup(rules.remove)
        rules.write("etc/config/greengate", ENABLE + EVERYONE)
        rules.service("start")
        self.spaces.run("router", "nft", "-f", rules.path("usr/share/nftables.d/ruleset-post/greengate-page.nft"))
        self.spaces.run("router", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.spaces.run("device", "ip", "route", "add", "default", "via", "192.168.77.1")
        self.daemon({"dns": {"listen": ["0.0.0.0:53"]}, "block": {"mode": "page", "page_ipv4": "198.18.53.1"},
                     "web": {"listen": ["0.0.0.0:8053"], "organisation": "Test School"},
                     "groups": [{"name": "everyone", "clients": [], "block": ["adult"]}]}, web=True)
        self.assertEqual(self.ask("bad.test"), "198.18.53.1")
        curl = self.spaces.inside("device", "curl", "-s", "--max-time", "5", "-o", "-")

        def page(*words):
            return subprocess.run([*curl, *words], capture_output=True, text=True, check=False)
        wait_for(lambda: "Test School" in page("-H", "Host: bad.test", "http://198.18.53.1/").stdout, "the page")
        self.assertIn("Test School", page("-H", "Host: bad.test", "http://198.18.53.1:8053/").stdout)
        self.assertEqual(page("http://192.168.77.1/").returncode, 7, "nobody is led away from the router's port 80")
        self.assertEqual(page("https://198.18.53.1/").returncode, 7, "refused at once")

    def test_in_front_of_it_names_and_leases_work(self):
        self.daemon({"dns": {"listen": ["0.0.0.0:53"]},
                     "upstream": {"zones": [{"domain": "lan", "servers": ["udp://127.0.0.1:54"]}]},
                     "groups": [{"name": "everyone", "clients": [], "block": ["adult"]}]})
        self.dnsmasq("--interface=lo", "--port=54", "--local=/lan/", "--domain=lan", "--host-record=nas.lan,192.168.77.9",
                     "--dhcp-range=192.168.77.100,192.168.77.110", "--dhcp-option=6,0.0.0.0")
        wait_for(lambda: self.ask("nas.lan") == "192.168.77.9", "the name of a device")
        self.assertEqual(self.ask("bad.test"), "NXDOMAIN")
        self.assertEqual(self.ask("gone.lan"), "NXDOMAIN")
        script = os.path.join(self.folder, "leased")
        with open(script, "w", encoding="ascii") as out:
            out.write('#!/bin/sh\n[ "$1" != bound ] || echo "dns=$dns"\n')
        os.chmod(script, 0o755)
        told = self.spaces.run("device", "busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-s", script)
        self.assertIn("dns=192.168.77.1\n", told)


@unittest.skipUnless(os.path.basename(BUILD) == "release" and os.access("/dev/shm", os.W_OK), "needs a release and a tmpfs")
class Memory(unittest.TestCase):
    NAMES = 1000000

    def test_a_million_names_as_the_package_sets_it(self):
        """The daemon in 24 MB; the state folder lies in memory."""
        state = tempfile.mkdtemp(prefix="gg-", dir="/dev/shm")
        self.addCleanup(shutil.rmtree, state)
        if USER:
            os.chown(state, pwd.getpwnam(USER).pw_uid, -1)
        names = [f"site{i * 7919 % self.NAMES}.shop{i % 97}.example\n" for i in range(self.NAMES)]
        with Box(start=False, config={
                "server": {"workers": 1, "state_dir": state}, "cache": {"size_mb": 2},
                "lists": {"memory_mb": 48, "keep_generations": 2, "names": False},
                "groups": [{"name": "everyone", "clients": [], "block": ["adult"]}]}) as box:
            box.config["lists"]["sources"] = [
                {"id": f"part{i}", "category": "adult", "url": "file://" + box.write(
                    f"part{i}.gz", gzip.compress("".join(names[i::5]).encode(), 1))} for i in range(5)]
            box.write_config()
            self.assertEqual(box.json("update")["names"], self.NAMES)
            box.start()
            for name in names[::997]:
                self.assertEqual(box.ask(name.strip()).rcode, "NOERROR")
            with open(f"/proc/{box.daemon.process.pid}/status", encoding="ascii") as status:
                resident = int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])
        self.assertGreater(resident, 9000)
        self.assertLessEqual(resident, 24 * 1024)


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
