# SPDX-License-Identifier: Apache-2.0
"""The Debian packages on a small Debian: installed, upgraded, removed, purged by dpkg, with and without
a running systemd. `make test-deb` prepares; the commands of docs/debian.md are run as they stand there."""
import glob
import hashlib
import json
import os
import re
import subprocess
import time
import unittest

from machine import BUILD, OUT, ROOT, Chroot, Machine, wait_for

UNITS = os.path.join(ROOT, "packaging", "systemd")
SERVICES = ("greengate", "greengate-web")
CONFIG = "/etc/greengate/greengate.yaml"
UPSTREAM = ("systemd-run --quiet --unit=upstream --property=Type=exec dnsmasq --keep-in-foreground --no-resolv "
            "--no-hosts --no-dhcp-interface=lo --listen-address=127.0.0.9 --bind-interfaces "
            "--address=/#/192.0.2.10 --local-ttl=300 --port=5300 --pid-file --conf-file=/dev/null --user=root")
OTHER = UPSTREAM.replace("=upstream", "=other").replace("127.0.0.9", "127.0.0.1").replace("=5300", "=53")


def packages(folder=OUT):
    found = [path for name in SERVICES for path in glob.glob(os.path.join(folder, f"{name}_*.deb"))]
    assert len(found) == 2, f"{folder}: {found}"
    return found


def digest(path):
    with open(path, "rb") as source:
        return hashlib.sha256(source.read()).hexdigest()


def make_newer(folder, version):
    """The packages again, as a later version whose configuration file says more."""
    made = []
    os.makedirs(folder, exist_ok=True)
    for package in packages():
        tree = os.path.join(folder, os.path.basename(package)[:-4])
        subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
        control = os.path.join(tree, "DEBIAN", "control")
        with open(control, encoding="utf-8") as source:
            old = re.search(r"^Version: (.*)$", text := source.read(), re.M)[1]
        with open(control, "w", encoding="utf-8") as out:
            out.write(text.replace(f"Version: {old}", f"Version: {version}").replace(f"(= {old})", f"(= {version})"))
        if os.path.exists(tree + CONFIG):
            with open(tree + CONFIG, "a", encoding="utf-8") as out:
                out.write("# a later version\n")
        made.append(f"{tree}-newer.deb")
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, made[-1]], check=True, capture_output=True)
    return made


def documented(heading):
    """The command lines of docs/debian.md below a heading, block by block, without sudo: we are root."""
    with open(os.path.join(ROOT, "docs", "debian.md"), encoding="utf-8") as source:
        part = source.read().split(f"## {heading}\n")[1].split("\n## ")[0]
    return [block.replace("sudo ", "") for block in re.findall(r"```sh\n(.*?)```", part, re.S)]


def files_of(root, folder):
    """{path: what tells a change} of all below /folder."""
    found = {}
    for here, _, names in os.walk(os.path.join(root, folder)):
        for name in names:
            path = os.path.join(here, name)
            seen = os.lstat(path)
            content = os.readlink(path) if os.path.islink(path) else digest(path) if os.path.isfile(path) else ""
            found[os.path.relpath(path, root)] = (seen.st_mode, seen.st_uid, content)
    return found


class Built(unittest.TestCase):
    def test_same_bytes_in_another_folder(self):
        again = {os.path.basename(path): digest(path) for path in packages(os.path.join(OUT, "again"))}
        self.assertEqual({os.path.basename(path): digest(path) for path in packages()}, again)

    def test_programs_are_small_enough_for_a_router(self):
        listed = subprocess.run(["dpkg-deb", "-c", packages()[0]], check=True, capture_output=True, text=True).stdout
        size = int(re.search(r"\s(\d+) \S+ \S+ \./usr/sbin/greengated$", listed, re.M)[1])
        self.assertLessEqual(size, 500000)

    def test_units_are_rated_at_most_2(self):
        for name in SERVICES:
            path = os.path.join(UNITS, f"{name}.service")
            done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", path],
                                  capture_output=True, text=True, check=False)
            rated = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
            self.assertEqual(done.returncode, 0, done.stdout[-200:] + done.stderr)
            self.assertLessEqual(float(rated[1]), 2.0)


class WithoutSystemd(unittest.TestCase):
    """A chroot: nothing runs, and nothing may be started."""

    def test_install_remove_purge(self):
        machine = self.enterContext(Chroot())
        before = files_of(machine.root, "etc")
        machine.run(f"dpkg -i {machine.take(*packages())}")
        self.assertEqual(machine.run("stat -c '%U:%G %a' /var/lib/greengate").strip(), "greengate:greengate 750")
        self.assertEqual(machine.run("id -nG greengate").split(), ["greengate", "greengate-web"])
        self.assertEqual(machine.run("id -nG greengate-web").split(), ["greengate-web"])
        machine.run("greengate config check && greengated -t && greengate-web -t")
        self.assertIn("is not running", machine.run("greengate status", 3))
        machine.run("dpkg -r greengate-web greengate")
        self.assertTrue(os.path.exists(machine.path(CONFIG)))
        self.assertTrue(os.path.isdir(machine.path("/var/lib/greengate")))
        machine.run("dpkg -P greengate-web greengate")
        for path in ("/etc/greengate", "/var/lib/greengate", "/usr/share/greengate"):
            self.assertFalse(os.path.lexists(machine.path(path)), path)
        accounts = re.compile(r"etc/(passwd|group|g?shadow|subuid|subgid)-?$|etc/ld\.so\.cache$|etc/\.pwd\.lock$")
        left = {path for path, state in files_of(machine.root, "etc").items() if before.get(path) != state}
        self.assertEqual({path for path in left if not accounts.match(path)}, set())


class Life(unittest.TestCase):
    """One machine, from the installation to the purge; the tests are steps, in order."""

    @classmethod
    def setUpClass(cls):
        cls.machine = cls.enterClassContext(Machine())
        cls.run_inside = staticmethod(cls.machine.run)

    def dig(self, name, server="127.0.0.1"):
        return self.run_inside(f"dig +tries=2 +time=2 +short @{server} {name}", None).split()

    def blocked_name(self):
        with open(os.path.join(ROOT, "blocklists/catalog/starter/gambling.txt"), encoding="utf-8") as names:
            return next(line.strip() for line in names if line.strip() and not line.startswith("#"))

    def pid(self, unit):
        return int(self.machine.show(unit, "MainPID")["MainPID"])

    def assertConfined(self, unit, user):
        status = self.run_inside(f"cat /proc/{self.pid(unit)}/status")
        self.assertEqual(self.run_inside(f"ps -o user:20= -p {self.pid(unit)}").strip(), user)
        for key, value in {"CapEff": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}.items():
            self.assertRegex(status, rf"(?m)^{key}:\t{value}$")
        self.assertNotRegex(self.run_inside(f"journalctl -q -u {unit} -o cat"), "not confined|cannot be used|no Landlock")

    def test_10_install_starts_it_beside_the_stub_of_resolved_and_changes_nothing_else(self):
        self.assertRegex(self.run_inside("ss -Hlnu"), r"127\.0\.0\.53%lo:53\b")
        before = files_of(self.machine.root, "etc")
        said = self.run_inside(f"dpkg -i {self.machine.take(*packages())}")
        self.assertNotIn("does not run", said)
        changed = {path for path, state in files_of(self.machine.root, "etc").items() if before.get(path) != state}
        changed |= before.keys() - files_of(self.machine.root, "etc").keys()
        expected = re.compile(r"etc/(passwd|group|g?shadow|subuid|subgid)-?$|etc/(greengate/greengate\.yaml|\.pwd\.lock)$"
                              r"|etc/systemd/system/[a-z-]+\.target\.wants/greengate[a-z-]*\.(service|timer|path)$")
        self.assertEqual({path for path in changed if not expected.match(path)}, set())
        for unit in ("greengate.service", "greengate-web.service", "greengate-update.timer",
                     "greengate-update-requested.path"):
            self.assertEqual(self.run_inside(f"systemctl is-active {unit}").strip(), "active", unit)
        for unit in ("greengate.socket", "greengate-dot.socket"):
            self.assertEqual(self.run_inside(f"systemctl is-enabled {unit}", None).strip(), "disabled")
        for block in documented("Install")[0].split("\n")[1:]:  # apt is dpkg here, which has no archive to ask
            self.run_inside(block)

    def test_11_units_say_what_they_should(self):
        seen = self.machine.show("greengate", "Type", "WatchdogUSec", "User", "FileDescriptorStoreMax")
        self.assertEqual(seen, {"Type": "notify", "WatchdogUSec": "30s", "User": "greengate",
                                "FileDescriptorStoreMax": "1"})
        self.assertConfined("greengate", "greengate")
        self.assertConfined("greengate-web", "greengate-web")

    def test_12_page_explains_what_the_resolver_blocks(self):
        name = self.blocked_name()
        self.assertEqual(self.dig(name), ["127.0.0.1"])
        page = self.run_inside(f"curl -s -i --max-time 5 -H 'Host: {name}' http://127.0.0.1/")
        self.assertRegex(page, r"^HTTP/1\.1 403 ")
        self.assertIn(name, page)
        self.assertIn(re.search(r"\b[A-Z0-9]{4,}\b", self.run_inside(f"greengate check {name} --json | tr , '\\n' | "
                      "grep '\"ref\"'"))[0], page)

    def test_13_web_user_has_one_socket_alone(self):
        ask = "setpriv --reuid greengate-web --regid greengate-web --init-groups curl -s -m 2 --unix-socket"
        self.assertIn("greengate:greengate-web 660", self.run_inside("stat -c '%U:%G %a' /run/greengate/web.sock"))
        self.assertIn("greengate:greengate 660", self.run_inside("stat -c '%U:%G %a' /run/greengate/control.sock"))
        self.run_inside(f"{ask} /run/greengate/control.sock http://x/", 7)  # curl: cannot connect
        self.assertNotEqual(self.run_inside(f"{ask} /run/greengate/web.sock http://x/; echo $?", None), "7\n")
        self.assertFalse(self.machine.succeeds(
            "setpriv --reuid greengate-web --regid greengate-web --init-groups ls /var/lib/greengate"))

    def test_20_other_devices_and_both_ways_with_resolved(self):
        # resolved asks nobody while no link but loopback is up.
        self.run_inside("ip link add net0 type veth peer name net1 && ip link set net1 up && ip link set net0 up && "
                        "ip address add 192.168.1.2/24 dev net0")
        self.run_inside(UPSTREAM)
        self.machine.write("/etc/greengate/conf.d/upstream.yaml", 'upstream: {servers: ["udp://127.0.0.9:5300"]}\n')
        for line in documented("Install")[1].strip().split("\n"):
            self.run_inside(line)
        self.assertEqual(self.dig("a.example", "192.168.1.2"), ["192.0.2.10"])
        alone, through, look = documented("Port 53")
        self.run_inside(through)
        wait_for(lambda: self.run_inside(f"resolvectl query {self.blocked_name()}", None).count("127.0.0.1"),
                 "resolved asks greengate")
        self.run_inside("rm /etc/systemd/resolved.conf.d/greengate.conf")
        before = self.run_inside("readlink /etc/resolv.conf").strip()
        everywhere = "/etc/greengate/conf.d/zz.yaml"
        self.machine.write(everywhere, 'dns: {listen: ["0.0.0.0:53"]}\n')
        self.run_inside("systemctl restart systemd-resolved; systemctl stop greengate")
        self.assertFalse(self.machine.succeeds("systemctl start greengate"))
        self.assertIn("another program listens there", self.run_inside("journalctl -q -u greengate -o cat"))
        self.assertIn("systemd-resolve", self.run_inside(look.strip().split("\n")[1], 1))
        self.run_inside(look.strip().split("\n")[0])
        self.run_inside(alone + "\nsystemctl stop greengate\nsystemctl reset-failed greengate\nsystemctl start greengate")
        self.assertEqual(self.dig("b.example", "192.168.1.2"), ["192.0.2.10"])
        self.run_inside(f"rm {everywhere} /etc/systemd/resolved.conf.d/greengate.conf; ln -sf {before} /etc/resolv.conf\n"
                        "systemctl restart greengate systemd-resolved")

    def test_21_reload_refuses_a_mistake_and_the_old_stays(self):
        self.machine.write("/etc/greengate/conf.d/zz.yaml", "blok: {}\n")
        self.assertFalse(self.machine.succeeds("systemctl reload greengate"))
        self.assertEqual(self.run_inside("systemctl is-active greengate").strip(), "active")
        self.machine.write("/etc/greengate/conf.d/zz.yaml", "block: {ttl_s: 7}\n")
        self.run_inside("systemctl reload greengate")
        self.assertRegex(self.run_inside(f"dig @127.0.0.1 {self.blocked_name()}"), r"\s7\s+IN\s+A\s+127\.0\.0\.1")

    def test_22_cache_stays_over_a_restart(self):
        self.assertEqual(self.dig("kept.example"), ["192.0.2.10"])
        self.run_inside("systemctl stop upstream; systemctl restart greengate")
        self.assertEqual(self.dig("kept.example"), ["192.0.2.10"])
        self.assertRegex(self.run_inside("journalctl -q -u greengate -o cat"), r"\d+ answers of the last run kept")
        self.run_inside(UPSTREAM)

    def test_23_watchdog_restarts_what_hangs(self):
        self.machine.write("/etc/systemd/system/greengate.service.d/quick.conf",
                           "[Service]\nWatchdogSec=2\nTimeoutAbortSec=1\n")
        self.run_inside("systemctl daemon-reload; systemctl restart greengate")
        hung = self.pid("greengate")
        self.run_inside(f"kill -STOP {hung}")
        wait_for(lambda: self.pid("greengate") not in (0, hung), "another process")
        wait_for(lambda: self.dig(self.blocked_name()) == ["127.0.0.1"], "an answer")
        self.run_inside("rm -r /etc/systemd/system/greengate.service.d; systemctl daemon-reload; systemctl restart greengate")

    def test_24_lists_are_updated_by_the_timers_service(self):
        self.machine.write("/srv/own.txt", "own-list.example\n")
        self.machine.write("/etc/greengate/conf.d/lists.yaml", "lists: {sources: [{id: own, category: adult, "
                           "url: 'file:///srv/own.txt'}]}\n")
        self.run_inside("systemctl reload greengate; systemctl start greengate-update.service")
        self.assertEqual(wait_for(lambda: self.dig("own-list.example"), "the answer"), ["127.0.0.1"])
        self.assertEqual(self.run_inside("find /var/lib/greengate ! -user greengate"), "")

    def test_27_an_update_that_was_asked_for(self):
        self.machine.write("/srv/own.txt", "own-list.example\nasked-for.example\n")
        self.machine.write("/srv/request", '{"what": "update"}')
        self.run_inside("setpriv --reuid greengate --regid greengate --clear-groups cp /srv/request /var/lib/greengate/update.request")
        wait_for(lambda: self.dig("asked-for.example") == ["127.0.0.1"], "the list")
        self.assertFalse(os.path.exists(self.machine.path("/var/lib/greengate/update.request")))

    def test_28_the_dashboard_signs_in_and_asks_for_an_update(self):
        """greengate-web as another user, confined: its pages, the first account, and what the path unit makes of a wish."""
        base = "http://127.0.0.1:8953"
        self.assertIn("<title>greengate</title>", self.run_inside(f"curl -sf {base}/"))
        self.assertGreater(len(self.run_inside(f"curl -sf {base}/chart.js")), 100000)
        invitation = self.run_inside("greengate user invite").split("/#/set-up/")[1].strip()
        self.machine.write("/srv/set-up.json", json.dumps({"invitation": invitation, "account": "kim", "password": "twelve green apples"}))
        post = "curl -sf -b /srv/jar -c /srv/jar -H 'Content-Type: application/json'"
        reply = json.loads(self.run_inside(f"{post} -d @/srv/set-up.json {base}/api/v1/set-up"))
        self.assertEqual(reply["role"], "admin")
        self.machine.write("/srv/own.txt", "own-list.example\nfrom-the-dashboard.example\n")
        self.machine.write("/srv/wish.json", '{"what": "update"}')
        self.run_inside(f"{post} -H 'X-CSRF-Token: {reply['csrf']}' -d @/srv/wish.json {base}/api/v1/updates")
        wait_for(lambda: self.dig("from-the-dashboard.example") == ["127.0.0.1"], "the list")
        status = json.loads(self.run_inside(f"curl -sf -b /srv/jar {base}/api/v1/updates"))
        self.assertEqual((status["waiting"], status["last"]["state"]), (False, "done"))
        self.assertEqual(self.run_inside("stat -c '%U %a' /var/lib/greengate/accounts.db").strip(), "greengate 600")

    def test_25_sockets_of_systemd(self):
        self.run_inside(documented("What runs, and as whom")[1])
        self.assertRegex(self.run_inside("ss -Hlnup 'sport = :53 and src 127.0.0.1'"), r'"systemd",pid=1,')
        self.assertEqual(self.dig("own-list.example"), ["127.0.0.1"])
        self.run_inside("systemctl disable --now greengate.socket; systemctl restart greengate")
        self.assertEqual(self.dig("own-list.example"), ["127.0.0.1"])

    def test_26_members_of_the_group_need_no_root(self):
        self.run_inside("adduser --quiet --disabled-password --gecos '' teacher")
        line = documented("What runs, and as whom")[0].replace('"$USER"', "teacher")
        ask = "setpriv --reuid teacher --regid teacher --init-groups greengate status"
        self.run_inside(ask, 3)
        self.run_inside(line)
        self.run_inside(ask)

    def test_28_servers_of_resolv_conf_are_followed(self):
        for last in (7, 8):
            self.run_inside(UPSTREAM.replace("=upstream", f"=system{last}").replace("127.0.0.9", f"127.0.0.{last}")
                            .replace("=5300", "=53").replace("192.0.2.10", f"192.0.2.{last}"))
        link = self.run_inside("readlink /etc/resolv.conf").strip()
        self.run_inside("rm /etc/resolv.conf; echo nameserver 127.0.0.7 >/etc/resolv.conf")
        self.machine.write("/etc/greengate/conf.d/upstream.yaml", "upstream: {servers: [system]}\n")
        self.run_inside("systemctl restart greengate")
        self.assertEqual(self.dig("one.example"), ["192.0.2.7"])
        self.run_inside("echo nameserver 127.0.0.8 >/etc/resolv.conf.new; mv /etc/resolv.conf.new /etc/resolv.conf")
        wait_for(lambda: self.dig(f"{time.monotonic_ns()}.example") == ["192.0.2.8"], "the new server")
        self.machine.write("/etc/greengate/conf.d/upstream.yaml", 'upstream: {servers: ["udp://127.0.0.9:5300"]}\n')
        self.run_inside(f"ln -sf {link} /etc/resolv.conf; systemctl stop system7 system8; systemctl restart greengate")

    def test_30_upgrade_keeps_state_and_configuration(self):
        self.run_inside("greengate allow kept-rule.example --note upgrade")
        self.run_inside("chown root:root /var/lib/greengate/rules.yaml")  # as a daemon of root's leaves it
        before = self.pid("greengate")
        newer = self.machine.take(*make_newer(self.machine.folder, "0.2.0"))
        self.run_inside(f"dpkg -i {newer}")
        self.assertNotEqual(self.pid("greengate"), before)
        self.assertIn("kept-rule.example", self.run_inside("greengate rules"))
        self.assertEqual(self.dig("own-list.example"), ["127.0.0.1"])
        self.assertEqual(self.run_inside("find /var/lib/greengate ! -user greengate"), "")
        self.assertIn("# a later version", self.machine.read(CONFIG))  # nobody had changed it
        self.assertIn("own.txt", self.machine.read("/etc/greengate/conf.d/lists.yaml"))
        self.assertEqual(self.run_inside("systemctl is-active greengate greengate-web").split(), ["active"] * 2)

    def test_31_a_mistake_that_the_new_version_finds_is_said(self):
        self.machine.write("/etc/greengate/conf.d/zz.yaml", "gone: {key: 1}\n")
        said = self.run_inside(f"dpkg -i {self.machine.take(*make_newer(os.path.join(self.machine.folder, 'b'), '0.3.0'))}")
        self.assertRegex(said, r"this version finds a mistake.*\n.*zz\.yaml:1:1: .*gone")
        self.assertIn("the resolver does not run", said)
        self.run_inside("rm /etc/greengate/conf.d/zz.yaml; systemctl reset-failed greengate; systemctl restart greengate")

    def test_32_the_administrators_file_wins(self):
        self.machine.write(CONFIG, self.machine.read(CONFIG).replace('organisation: ""', 'organisation: "Own School"'))
        self.run_inside("dpkg --force-confold --force-downgrade -i " + self.machine.take(*packages()))
        self.assertIn("Own School", self.machine.read(CONFIG))
        self.run_inside("greengate --quiet status; test $? != 3")

    def test_40_remove_keeps_what_purge_deletes(self):
        self.run_inside("dpkg -r greengate-web greengate")
        self.assertEqual(self.run_inside("pgrep -l greengate", 1), "")
        self.assertEqual(self.run_inside("ss -Hlnu 'sport = :53' | grep -c 127.0.0.1:53", 1), "0\n")
        for path in (CONFIG, "/etc/greengate/conf.d/lists.yaml", "/var/lib/greengate/rules.yaml"):
            self.assertTrue(os.path.exists(self.machine.path(path)), path)
        self.run_inside("dpkg -P greengate-web greengate")
        self.assertFalse(os.path.exists(self.machine.path("/var/lib/greengate")))
        self.assertFalse(os.path.exists(self.machine.path(CONFIG)))
        self.assertTrue(os.path.exists(self.machine.path("/etc/greengate/conf.d/lists.yaml")))  # not ours
        self.assertEqual(self.run_inside("find /etc/systemd /var/lib/systemd -name '*greengate*'"), "")

    def test_45_installed_by_make_it_runs_the_same(self):
        subprocess.run(["make", "-s", "-C", ROOT, "install", f"MODE={os.path.basename(BUILD)}", f"BUILD={os.path.dirname(BUILD)}",
                        f"DESTDIR={self.machine.root}"], check=True, capture_output=True,
                       env={**os.environ, "MAKEFLAGS": "", "MAKELEVEL": ""})
        self.machine.write("/etc/greengate/conf.d/lists.yaml", "server: {user: greengate, web_user: greengate-web}\n")
        self.run_inside("userdel greengate-web; userdel greengate; groupdel greengate-web; groupdel greengate", None)
        self.run_inside("systemctl daemon-reload\n" + documented("From the sources")[0])
        self.assertConfined("greengate", "greengate")
        self.assertConfined("greengate-web", "greengate-web")
        self.assertEqual(self.dig(self.blocked_name()), ["127.0.0.1"])
        self.run_inside("systemctl disable --now greengate greengate-web greengate-update.timer")
        for path in glob.glob(self.machine.path("/usr/lib/systemd/system/greengate*")):
            os.remove(path)
        self.run_inside("rm -rf /var/lib/greengate; systemctl daemon-reload")

    def test_50_another_server_keeps_its_port(self):
        self.run_inside("rm -rf /etc/greengate; systemctl stop upstream")
        self.run_inside(OTHER)
        self.assertEqual(self.dig("a.example"), ["192.0.2.10"])
        said = self.run_inside(f"dpkg -i {self.machine.take(*packages())}")
        self.assertIn("the resolver does not run. Nothing else on this machine was changed", said)
        self.assertEqual(self.dig("a.example"), ["192.0.2.10"])
        self.assertEqual(self.run_inside("systemctl is-active other").strip(), "active")
        self.assertRegex(self.run_inside("ss -lntup 'sport = :53'"), "dnsmasq")
        self.machine.write("/etc/greengate/conf.d/listen.yaml", 'dns: {listen: ["127.0.0.2:53"]}\n')
        self.run_inside("systemctl stop greengate; systemctl reset-failed greengate; systemctl restart greengate")
        self.assertEqual(self.dig(self.blocked_name(), "127.0.0.2"), ["127.0.0.2"])
        for line in documented("Upgrade, remove")[0].strip().split("\n"):
            self.run_inside(line.replace("apt ", "apt-get -y "))
        self.assertFalse(os.path.exists(self.machine.path("/var/lib/greengate")))
        self.assertEqual(self.dig("a.example"), ["192.0.2.10"])


if __name__ == "__main__":
    unittest.main()
