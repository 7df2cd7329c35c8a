# SPDX-License-Identifier: Apache-2.0
"""A small Debian: a copy of the folder that `prepare` made, as a chroot, or booted with its own systemd
and network in a container."""
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("GREENGATE_BUILD") or os.path.join(ROOT, "build", "release")
OUT = os.path.join(os.path.dirname(BUILD), "deb")
QUIET = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root",
         "DEBIAN_FRONTEND": "noninteractive", "USER": "root"}


def wait_for(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for: {what}")
        time.sleep(0.1)
    return value


class Chroot:
    def __init__(self):
        base = os.path.join(OUT, "chroot")
        if os.getuid() != 0 or not os.path.isdir(base):
            raise unittest.SkipTest("needs root, and what `make test-deb` prepares")
        self.folder = tempfile.mkdtemp(prefix="machine-", dir=OUT)
        self.root = os.path.join(self.folder, "root")
        subprocess.run(["cp", "-a", base, self.root], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def inside(self):
        return ["unshare", "-m", "/bin/sh", "-c", 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"', self.root]

    def run(self, script, status=0):
        """A shell script inside; what it printed. status: the one it must end with, None for any."""
        done = subprocess.run([*self.inside(), "/bin/sh", "-c", script], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=QUIET,
                              timeout=180, check=False)
        if status is not None and done.returncode != status:
            raise AssertionError(f"{script}: {done.returncode}\n{done.stdout}")
        return done.stdout

    def succeeds(self, script):
        return subprocess.run([*self.inside(), "/bin/sh", "-c", script], stdin=subprocess.DEVNULL,
                              capture_output=True, env=QUIET, timeout=180, check=False).returncode == 0

    def path(self, name):
        return os.path.join(self.root, name.lstrip("/"))

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(text)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as source:
            return source.read()

    def take(self, *packages):
        """Copies packages to /root inside; their names there, for dpkg."""
        for package in packages:
            shutil.copy(package, self.path("/root"))
        return " ".join(f"/root/{os.path.basename(package)}" for package in packages)


class Machine(Chroot):
    """Booted; the network has nothing but loopback, so port 53 is this machine's own."""

    def __enter__(self):
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.nspawn = subprocess.Popen(
            ["systemd-nspawn", "--register=no", "--keep-unit", "--quiet", "--private-network", "--boot",
             # Its own filter does not know them.
             "--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self",
             "-D", self.root], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            start_new_session=True)
        try:
            self.leader = wait_for(self.find_leader, "systemd in the container")
            wait_for(lambda: self.run("systemctl is-system-running", None).strip() in ("running", "degraded"),
                     "the container's start", 60)
        except BaseException:
            self.__exit__()
            raise
        return self

    def find_leader(self):
        if self.nspawn.poll() is not None:
            with open(self.log.name, encoding="utf-8", errors="replace") as text:
                raise unittest.SkipTest(f"no container here: {text.read()[-300:]}")
        found = subprocess.run(["pgrep", "-P", str(self.nspawn.pid), "-x", "systemd"],
                               capture_output=True, text=True, check=False).stdout.split()
        return found[0] if found else None

    def __exit__(self, *_):
        if self.nspawn.poll() is None:
            self.nspawn.send_signal(signal.SIGTERM)
            try:
                self.nspawn.wait(20)
            except subprocess.TimeoutExpired:
                self.nspawn.kill()
                self.nspawn.wait()
        self.log.close()
        super().__exit__()

    def inside(self):
        return ["nsenter", "-t", self.leader, "-a", "--"]

    def show(self, unit, *names):
        """Properties of a unit, as systemd has them in force."""
        text = self.run(f"systemctl show {unit} " + " ".join(f"-p {name}" for name in names))
        return dict(line.split("=", 1) for line in text.strip().split("\n"))
