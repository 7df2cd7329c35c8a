# SPDX-License-Identifier: Apache-2.0
"""A router with the package, for longer: modes and their undoing, flash, the page of the manual, a real
dnsmasq, memory, and the lite build. `make test-openwrt` runs it."""
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

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "system")]
import netns  # noqa: E402
import router  # noqa: E402
from harness import BUILD, PEERS, ROOT, USER, Box, Program, wait_for  # noqa: E402
from router import ENABLE, EVERYONE, ModeTest, OnRouter, Router  # noqa: E402


class Modes(ModeTest):
    build = BUILD

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
        told = self.router.read("tmp/procd")
        self.assertNotIn("instance", told)
        self.assertIn("trigger greengate dhcp system", told, "LuCI's switch works more than once")

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

    def test_another_port_leaves_nothing_behind(self):
        self.configure(ENABLE + "\toption mode 'behind'\n", EVERYONE)
        before = self.dnsmasq()
        self.service("start")
        for port in ("5454", "5453", "5455"):
            self.configure(ENABLE + f"\toption mode 'behind'\n\toption port '{port}'\n", EVERYONE)
            self.service("reload")
            self.assertEqual(self.dnsmasq()["server"], ["/corp.example/10.9.9.9", f"127.0.0.1#{port}"])
        self.undone(before)

    def test_power_fails_in_between(self):
        """The undo is written first, and holds each change once, however often it is begun."""
        for mode in ("front", "behind"):
            with self.subTest(mode=mode):
                dhcp, before = self.router.read("etc/config/dhcp"), self.dnsmasq()
                self.both(mode)
                self.assertEqual(self.writes()[-2:], ["greengate_undo", "dhcp"])
                self.router.write("etc/config/dhcp", dhcp)
                self.service("restart")
                self.assertNotEqual(self.dnsmasq(), before)
                self.undone(before)

    def test_an_image_without_the_package(self):
        """A sysupgrade keeps what the base keeps and what keep.d names, nothing else."""
        before, _ = self.both("front")
        kept = self.router.read("lib/upgrade/keep.d/greengate").split()
        self.assertEqual([path for path in kept if not path.startswith("/etc/")], [])
        boot = ("cd /etc/uci-defaults && for file in $(ls); do ( . ./$file ) && rm -f $file; done; uci commit dhcp; "
                "ls /etc/uci-defaults")
        self.service("enable")
        for _ in range(2):
            self.service("shutdown")
            self.router.run(boot)
            self.assertEqual(self.dnsmasq()["port"], "54", "with the package nothing changes")
        script, = [path for path in kept if path.startswith("/etc/uci-defaults/")]
        self.assertTrue(self.router.exists(script))
        for path in ("usr/sbin/greengated", "usr/bin/greengate", "etc/init.d/greengate"):
            os.remove(self.router.path(path))
        shutil.rmtree(self.router.path("usr/lib/greengate"))
        done = self.router.run(boot)
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        after = self.dnsmasq()
        self.assertEqual({**after, "server": sorted(after["server"])}, {**before, "server": sorted(before["server"])})
        self.assertFalse(self.router.exists("etc/config/greengate_undo"))

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


class Mistakes(ModeTest):
    """What was in force stays, however the service comes back."""
    build = BUILD
    GOOD = ENABLE + "\toption organisation 'Before'\n"
    WRONG = {"mode": GOOD + "\toption mode 'sideways'\n" + EVERYONE,
             "a value": GOOD + "\toption mode 'behind'\n\toption cache_mb 'lots'\n\toption state_dir '/mnt/x'\n" + EVERYONE,
             "not to be read": GOOD + "\toption\n\tnonsense 'x\n"}

    def setUp(self):
        super().setUp()
        self.configure(self.GOOD, EVERYONE)
        self.router.write("etc/greengate/conf.d/mine.yaml", "stats: {keep_days: 30}\n")
        self.service("start")
        self.service("enable")

    def told(self):
        """What procd is to run, without the order."""
        return sorted(self.router.read("tmp/procd").splitlines())

    def in_force(self):
        shown = self.shown()
        return {"told": self.told(), "dnsmasq": self.dnsmasq(), "settings": shown,
                "rules": self.router.read("usr/share/nftables.d/ruleset-post/greengate.nft")}

    def reboot(self):
        self.service("shutdown")
        for name in ("procd", "etc", "lib/greengate", "run"):
            shutil.rmtree(self.router.path(f"tmp/{name}"), ignore_errors=True)
        self.assertFalse(self.router.exists("var/etc/greengate/greengate.yaml"))
        os.makedirs(self.router.path("tmp/run"))

    def test_a_mistake_and_whatever_comes_then(self):
        good = self.in_force()
        self.assertEqual(good["settings"]["stats"]["keep_days"], 30)
        for what, text in self.WRONG.items():
            for action in ("reload", "restart", "start"):
                with self.subTest(what=what, action=action):
                    self.configure(text)
                    if action == "start":
                        self.reboot()
                    said = self.service(action, 1).stderr
                    self.assertIn("those from before the mistake are in force", said)
                    self.assertEqual(self.in_force(), good)

    def test_a_mistake_in_a_file_of_ones_own(self):
        good = self.in_force()
        self.router.write("etc/greengate/conf.d/mine.yaml", "stats: {keep_days: lots}\n")
        self.router.write("etc/greengate/conf.d/other.yaml", "nothing: {of: it}\n")
        self.service("restart", 1)
        self.reboot()
        self.service("start", 1)
        self.assertEqual(self.in_force(), good)
        os.remove(self.router.path("etc/greengate/conf.d/other.yaml"))
        self.router.write("etc/greengate/conf.d/mine.yaml", "stats: {keep_days: 31}\n")
        self.service("restart")
        self.assertEqual(self.shown()["stats"]["keep_days"], 31)

    def test_what_changes_with_the_provider_still_does(self):
        self.configure(self.WRONG["a value"])
        self.router.write("tmp/resolv.conf.d/resolv.conf.auto", "nameserver 192.0.2.53\n")
        self.service("reload", 1)
        self.assertEqual(self.shown()["upstream"]["servers"], ["udp://192.0.2.53:53"])

    def test_flash_is_written_when_somebody_wrote(self):
        folder = self.router.path("etc/greengate/saved/settings")

        def state():
            return {name: os.stat(os.path.join(where, name)).st_ino for where, _, names in os.walk(folder) for name in names}
        first = state()
        self.assertEqual(sorted(first), ["greengate_last", "mine.yaml"])
        self.router.write("tmp/resolv.conf.d/resolv.conf.auto", "nameserver 192.0.2.53\n")
        self.service("reload")
        self.service("restart")
        self.assertEqual(state(), first)
        os.remove(self.router.path("etc/greengate/conf.d/mine.yaml"))
        self.service("reload")
        self.assertEqual(sorted(state()), ["greengate_last"])
        self.assertEqual(os.stat(folder).st_mode & 0o077, 0)

    def test_off_stays_off(self):
        self.configure(self.GOOD.replace("enabled '1'", "enabled '0'"), EVERYONE)
        self.service("reload")
        self.configure(self.WRONG["not to be read"])
        self.service("start")
        self.assertNotIn("instance", self.told())
        self.assertNotIn("port", self.dnsmasq())

    def test_the_first_settings_are_wrong(self):
        """Nothing is in force, names work, and what is mended is taken."""
        self.service("stop")
        shutil.rmtree(self.router.path("etc/greengate/saved"))
        self.configure(self.WRONG["a value"])
        self.assertIn("none from before are known", self.service("start", 1).stderr)
        self.assertNotIn("port", self.dnsmasq())
        self.assertEqual([line for line in self.told() if "trigger" in line],
                         ["raw_trigger interface.*.up 2000 /etc/init.d/greengate reload",
                          "trigger greengate dhcp system"])
        self.configure(self.GOOD, EVERYONE)
        self.service("reload")
        self.assertEqual(self.dnsmasq()["port"], "54")

    def test_the_switch_of_luci(self):
        """On, off and on again: all by the trigger. The state is saved before, dnsmasq gets its port after."""
        for _ in range(2):
            self.router.write("var/lib/greengate/requests.db", "asked\n")
            self.configure(self.GOOD.replace("enabled '1'", "enabled '0'"), EVERYONE)
            self.service("reload")
            self.assertEqual(self.router.read("etc/greengate/saved/requests.db"), "asked\n")
            self.assertEqual({line.split()[0] for line in self.told()}, {"trigger", "raw_trigger"})
            self.assertNotIn("port", self.dnsmasq())
            self.assertFalse(self.router.exists("var/etc/greengate/greengate.yaml"))
            os.remove(self.router.path("etc/greengate/saved/requests.db"))
            self.configure(self.GOOD, EVERYONE)
            self.service("reload")
            self.assertIn("instance greengated", self.told())
            self.assertEqual(self.dnsmasq()["port"], "54")


class Firewall(ModeTest):
    build = BUILD
    RULES = "usr/share/nftables.d/ruleset-post/greengate.nft"

    def at_boot(self, *missing):
        self.router.write("tmp/no_network", "".join(f"{name}\n" for name in missing))

    def start(self):
        self.configure(ENABLE + "\tlist network 'lan'\n\tlist network 'guest'\n", EVERYONE)
        return self.service("start")

    def seen(self):
        path = self.router.path(self.RULES)
        return (os.stat(path).st_mtime_ns, self.router.read(self.RULES), self.router.read("tmp/services").count("firewall"))

    def test_at_boot_the_rules_stay(self):
        self.start()
        before = self.seen()
        self.assertIn("br-guest", before[1])
        for missing in (("lan", "guest"), ("guest",)):
            self.at_boot(*missing)
            self.assertIn(f"device for: {', '.join(missing)}", self.start().stderr)
            self.at_boot()
            self.service("reload")
            self.assertEqual(self.seen(), before)

    def test_without_rules_those_that_are_there_get_some(self):
        self.at_boot("lan", "guest")
        self.start()
        self.assertFalse(self.router.exists(self.RULES))
        self.at_boot("guest")
        self.start()
        self.assertIn("br-lan", self.router.read(self.RULES))
        self.at_boot()
        self.service("reload")
        self.assertIn("br-guest", self.router.read(self.RULES))


class Places(OnRouter):
    build = BUILD

    def test_a_lease_file_elsewhere_is_seen_in_the_jail(self):
        self.router.write("etc/config/dhcp", router.DHCP.replace("/tmp/dhcp.leases", "/srv/leases"))
        self.configure(ENABLE, EVERYONE)
        self.service("start")
        self.assertEqual(self.shown()["dns"]["lease_files"], ["/srv/leases", "/tmp/hosts/odhcpd"])
        mounts = [line for line in self.router.read("tmp/procd").splitlines() if line.startswith("mount ")]
        self.assertEqual(["/srv/leases" in line.split() for line in mounts], [True, True])

    def test_the_check_sees_what_the_start_sees(self):
        self.configure(ENABLE, EVERYONE)
        self.assertEqual(self.router.service("check_config").returncode, 0)
        self.router.write("etc/greengate/conf.d/mine.yaml", "stats: {keep_days: lots}\n")
        self.assertIn("keep_days", self.service("start", 1).stderr)
        done = self.router.service("check_config")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("keep_days", done.stdout + done.stderr)
        self.assertEqual(os.listdir(self.router.path("tmp/etc")), ["greengate.new"])


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
    build = BUILD
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
                         [f"-c /var/etc/greengate/greengate.yaml --quiet update --{which}" for which in ("if-due", "requested")])

    def link(self, target, name):
        path = self.router.path(os.path.join("var/lib/greengate", name))
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.remove(path)
        os.symlink(target, path)

    def saved_secrets(self):
        """Files of the copy that are links, or hold the secret."""
        found = []
        for where, _, names in os.walk(self.router.path(self.SAVED)):
            for path in (os.path.join(where, name) for name in names):
                with open(path, "rb") as source:
                    if os.path.islink(path) or b"secret" in source.read():
                        found.append(os.path.basename(path))
        return found

    def test_no_link_of_the_daemons_user_is_followed(self):
        self.router.write("etc/shadow", "root:secret\n", 0o600)
        self.router.write("etc/other/secret.zst", "secret\n", 0o600)
        self.router.write("etc/other/secret.json", "secret\n", 0o600)
        self.keep()
        rows = [("/etc/shadow", "rules.yaml"), ("/etc/shadow", "requests.db"), ("/etc/shadow", "sources/a.zst"),
                ("/etc/shadow", "sources/adult.json"), ("../../../etc/shadow", "blocklist.ggdb"),
                ("/etc/other", "sources"), ("/etc/other", "generations")]
        for target, name in rows:
            with self.subTest(name=name, target=target):
                if not name.startswith("blocklist"):  # another generation, that there is something to copy
                    self.router.write("tmp/list", f"bad.example\n{name.replace('/', '')}.example\n")
                    self.router.run("greengate update --force")
                self.link(target, name)
                self.keep()
                self.service("restart")
                self.assertEqual(self.saved_secrets(), [])
                for path in ("etc/shadow", "etc/other/secret.zst"):
                    self.assertEqual(os.stat(self.router.path(path)).st_uid, 0)
                self.assertEqual(sorted(os.listdir(self.router.path("etc/other"))), ["secret.json", "secret.zst"])
                os.remove(self.router.path("var/lib/greengate/" + name))

    def test_nothing_is_written_through_a_link(self):
        self.router.write("var/lib/greengate/rules.yaml", "# mine\n")
        self.keep()
        shutil.rmtree(self.router.path("var/lib/greengate"))
        os.makedirs(self.router.path("etc/cron.d"))
        os.makedirs(self.router.path("var/lib/greengate"))
        for target, name in (("/etc/cron.d/job", "rules.yaml"), ("/etc/cron.d", "generations"), ("/etc/cron.d", "sources")):
            self.link(target, name)
        self.service("restart")
        self.assertEqual(os.listdir(self.router.path("etc/cron.d")), [])

    def test_a_state_folder_that_is_a_link_of_roots(self):
        """As on a disk."""
        os.makedirs(self.router.path("mnt/disk"))
        shutil.rmtree(self.router.path("var/lib/greengate"))
        os.symlink("/mnt/disk", self.router.path("var/lib/greengate"))
        self.service("restart")
        self.assertEqual(os.stat(self.router.path("mnt/disk")).st_uid, 653)

    def test_a_sysupgrade_keeps_it(self):
        kept = self.router.read("lib/upgrade/keep.d/greengate").split()
        self.assertIn("/etc/greengate/saved/", kept)
        self.assertIn("/etc/greengate/conf.d/", kept)


class Manual(OnRouter):
    build = BUILD

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


if __name__ == "__main__":
    unittest.main()
