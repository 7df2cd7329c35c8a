# SPDX-License-Identifier: Apache-2.0
"""A router's root folder: the package installed by its own Makefile, busybox, and stand-ins for what
OpenWrt brings. Scripts run in it by chroot, in namespaces of their own (mounts,
network, processes)."""
import glob
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PACKAGE = os.path.join(ROOT, "packaging", "openwrt", "greengate")
DHCP = """
config dnsmasq
	option domainneeded '1'
	option local '/lan/'
	option domain 'lan'
	option leasefile '/tmp/dhcp.leases'
	option cachesize '1000'
	list server '9.9.9.9'
	list server '/corp.example/10.9.9.9'

config dhcp 'lan'
	option interface 'lan'
"""
SYSTEM = """
config system
	option hostname 'OpenWrt'
	option timezone 'KST-9'
	option zonename 'Asia/Seoul'
"""
# Seen from inside: what the machine has, read only.
MOUNTS = ["/usr/lib/*-linux-gnu", "/usr/lib/python3*", "/usr/lib64", "/dev"]
ENABLE = "config greengate 'main'\n\toption enabled '1'\n"
EVERYONE = "config group 'everyone'\n\tlist block 'adult'\n"
SERVICE = """#!/bin/sh
echo "${0##*/} $*" >>/tmp/services
"""


def make(*arguments):
    return subprocess.run(["make", "-s", "-C", PACKAGE, f"TOPDIR={HERE}", *arguments],
                          capture_output=True, text=True, check=False)


class Router:
    def __init__(self, build, variant="full"):
        if os.getuid() != 0 or not os.path.exists("/usr/bin/python3") or not shutil.which("busybox") or not shutil.which("unshare"):
            raise unittest.SkipTest("needs root, busybox and unshare")
        self.root = tempfile.mkdtemp(prefix="gg-router-", dir="/tmp")
        os.chmod(self.root, 0o755)
        try:
            self.fill(build, variant)
        except BaseException:
            self.remove()
            raise

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.root, name.lstrip("/"))

    def fill(self, build, variant):
        shutil.copytree(os.path.join(HERE, "root"), self.root, dirs_exist_ok=True)
        for folder in ("bin", "sbin", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "tmp/run", "tmp/lib",
                       "tmp/hosts", "dev", "proc", "etc/config", "etc/init.d", "tree/build"):
            os.makedirs(self.path(folder), exist_ok=True)
        os.symlink("usr/lib64", self.path("lib64"))
        os.symlink("tmp", self.path("var"))
        os.symlink(build, self.path("tree/build/release" + ("-lite" if variant == "lite" else "")))
        name = "greengate" if variant == "full" else "greengate-lite"
        done = make(f"BUILD_VARIANT={variant}", f"PKG_BUILD_DIR={self.path('tree')}", f"install-{name}",
                    f"DESTDIR={self.root}")
        if done.returncode:
            raise AssertionError(done.stderr)
        shutil.copy(shutil.which("busybox"), self.path("bin/busybox"))
        for applet in subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True).stdout.split():
            if not os.path.lexists(self.path(f"bin/{applet}")) and applet != "df":
                os.symlink("busybox", self.path(f"bin/{applet}"))
        os.symlink("../../bin/busybox", self.path("usr/bin/env"))
        shutil.copy("/usr/bin/python3", self.path("usr/bin/python3"))
        shutil.copy(os.path.join(build, "data", "starter.ggdb"), self.path("usr/share/greengate/starter.ggdb"))
        self.write_stand_ins()

    def write_stand_ins(self):
        self.write("etc/passwd", "root:x:0:0::/root:/bin/ash\ngreengate:x:653:653::/var:/bin/false\n")
        self.write("etc/group", "root:x:0:\ngreengate:x:653:\n")
        self.write("etc/config/dhcp", DHCP)
        self.write("etc/config/system", SYSTEM)
        self.write("tmp/dhcp.leases", "")
        self.write("tmp/services", "")
        self.write("tmp/room", "100000\n")
        for name in ("dnsmasq", "firewall"):
            self.write(f"etc/init.d/{name}", SERVICE, 0o755)
        self.write("bin/logger", '#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\necho "$1" >&2\n', 0o755)
        self.write("bin/nft", '#!/bin/sh\necho "$*" >>/tmp/nft\n', 0o755)
        self.write("bin/df", '#!/bin/sh\necho x\necho "fs 1 1 $(cat /tmp/room) 1% /"\n', 0o755)

    def write(self, name, text, mode=None):
        path = self.path(name)
        if os.path.islink(path):
            os.remove(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        if mode:
            os.chmod(path, mode)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as source:
            return source.read()

    def exists(self, name):
        return os.path.lexists(self.path(name))

    def command(self, *words):
        """What runs words inside, with the machine's libraries."""
        binds = [path for pattern in MOUNTS for path in glob.glob(pattern)]
        for path in binds:
            os.makedirs(self.path(path), exist_ok=True)
        script = "".join(f"mount --rbind {path} {self.path(path)} && " for path in binds)
        if not os.path.lexists(self.path("lib/ld")):  # libraries that are looked for below /lib
            for path in glob.glob("/usr/lib/*-linux-gnu"):
                if not os.path.lexists(self.path(f"lib/{os.path.basename(path)}")):
                    os.symlink(f"../usr/lib/{os.path.basename(path)}",
                               self.path(f"lib/{os.path.basename(path)}"))
        script += f"mount -t proc proc {self.path('proc')} && "
        return ["unshare", "-mnpf", "sh", "-c", f'{script}exec chroot {self.root} "$@"', "sh", *words]

    def run(self, script, **more):
        """A script in the router's shell; a CompletedProcess."""
        return subprocess.run(self.command("/bin/busybox", "ash", "-c", script), capture_output=True,
                              text=True, check=False, stdin=subprocess.DEVNULL, timeout=60,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, **more)

    def service(self, action):
        return self.run(f"ash /etc/rc.common /etc/init.d/greengate {action}")


class OnRouter(unittest.TestCase):
    """A test with a router of its own. build: the folder of the programs."""
    build = None

    def setUp(self):
        self.router = Router(self.build)
        self.addCleanup(self.router.remove)

    def configure(self, *parts):
        self.router.write("etc/config/greengate", "\n".join(parts))

    def service(self, action, code=0):
        done = self.router.service(action)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def shown(self):
        done = self.router.run("greengate -c /var/etc/greengate/greengate.yaml --json config show")
        self.assertEqual(done.returncode, 0, done.stdout)
        return json.loads(done.stdout)

    def writes(self):
        return self.router.read("tmp/writes").split() if self.router.exists("tmp/writes") else []


class ModeTest(OnRouter):
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
        self.assertFalse(self.router.exists("etc/uci-defaults/91_greengate_gone"))
        self.assertEqual(os.listdir(self.router.path("usr/share/nftables.d/ruleset-post")), [])
        self.assertIn("delete table inet greengate\n", self.router.read("tmp/nft"))
        self.assertEqual(self.router.read("tmp/services").splitlines()[-2:], ["firewall reload", "dnsmasq restart"])
