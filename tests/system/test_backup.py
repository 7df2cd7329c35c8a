# SPDX-License-Identifier: Apache-2.0
"""`greengate backup` and `restore`: the round trip under a running daemon; a set that is damaged,
newer or invalid changes nothing, and neither does one that the daemon refuses."""
import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import tarfile
import unittest

from harness import ROOT, USER, Box, ServedTest, as_user, wait_for


def zstd(data, decompress=False):
    done = subprocess.run(["zstd", "-q", "-c", *(["-d"] if decompress else [])], input=data,
                          capture_output=True, check=True)
    return done.stdout


def unpack(path):
    """name -> octets, in order."""
    with open(path, "rb") as file:
        data = zstd(file.read(), True)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def pack(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return zstd(out.getvalue())


def describe(files, **more):
    """The same files under a manifest that fits them."""
    manifest = {"greengate_backup": 1, "version": "9.9.9", "made_at": 1, "files": [
        {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in files.items()], **more}
    return {"manifest.json": json.dumps(manifest).encode(), **files}


def tree(folder):
    """Every file below a folder that a restore might touch, with its content."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if name.endswith((".yaml", "accounts.db")):
                with open(path, "rb") as file:
                    found[os.path.relpath(path, folder)] = file.read()
    return found


@unittest.skipUnless(shutil.which("zstd"), "zstd is not there")
class BackupTest(ServedTest):
    def prepare(self, **more):
        box = self.box(lists=[("near", "adult", ["bad.example"])], **more)
        box.make_folder(os.path.join(box.folder, "conf.d"))
        box.write("conf.d/10-school.yaml", "web: {organisation: \"First School\"}\n")
        database = sqlite3.connect(os.path.join(box.state, "accounts.db"))
        database.executescript("PRAGMA journal_mode = WAL; CREATE TABLE account (name TEXT);"
                               "INSERT INTO account VALUES ('first');")
        database.close()
        for name in ("accounts.db", "accounts.db-wal", "accounts.db-shm"):
            path = os.path.join(box.state, name)
            if os.path.exists(path):
                os.chmod(path, 0o600)
                shutil.chown(path, os.stat(box.state).st_uid)
        return box

    def accounts(self, box):
        database = sqlite3.connect(os.path.join(box.state, "accounts.db"))
        try:
            return [row[0] for row in database.execute("SELECT name FROM account ORDER BY name")]
        finally:
            database.close()

    def done(self, box, *words, code=0):
        done = box.cli(*words)
        self.assertEqual(done.returncode, code, f"{words} {done.stdout}{done.stderr}")
        return done


class RoundTrip(BackupTest):
    def test_all_comes_back_under_a_running_daemon(self):
        box = self.prepare()
        self.done(box, "reload")
        self.done(box, "allow", "good.example", "--note", "before")
        self.done(box, "lists", "disable", "near")
        path = os.path.join(box.folder, "one.backup")
        told = box.json("backup", path)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        names = ["config/greengate.yaml", "state/managed.yaml", "state/rules.yaml",
                 "state/accounts.db", "config/conf.d/10-school.yaml"]
        self.assertEqual([file["name"] for file in told["files"]], names)
        self.assertEqual(told["greengate_backup"], 1)
        files = unpack(path)
        self.assertEqual(list(files), ["manifest.json", *names])
        for file in json.loads(files["manifest.json"])["files"]:
            self.assertEqual(file["sha256"], hashlib.sha256(files[file["name"]]).hexdigest())
        # Everything changes.
        self.done(box, "allow", "good.example", "--remove")
        self.done(box, "block", "other.example")
        self.done(box, "lists", "enable", "near")
        box.write("conf.d/10-school.yaml", "web: {organisation: \"Second School\"}\n")
        box.write("conf.d/20-more.yaml", "web: {contact: \"somebody\"}\n")
        self.done(box, "reload")
        holder = sqlite3.connect(os.path.join(box.state, "accounts.db"))  # as the web process does
        holder.execute("INSERT INTO account VALUES ('second')")
        holder.commit()
        owner = os.stat(os.path.join(box.state, "accounts.db")).st_uid
        told = box.json("restore", path)
        self.assertEqual((told["daemon"], told["files"]), ("reloaded", names))
        self.assertEqual([row[0] for row in holder.execute("SELECT name FROM account")], ["first"])
        holder.close()
        self.assertEqual(self.accounts(box), ["first"])
        info = os.stat(os.path.join(box.state, "accounts.db"))
        self.assertEqual((stat.S_IMODE(info.st_mode), info.st_uid), (0o600, owner))
        rules = box.json("rules")["rules"]
        self.assertEqual([(rule["name"], rule["note"]) for rule in rules], [("good.example", "before")])
        lists = box.json("lists")["lists"]
        self.assertEqual([source["enabled"] for source in lists], [False])
        show = box.json("config", "show")
        self.assertEqual((show["web"]["organisation"], show["web"]["contact"]),
                         ("First School", "it@school.test"))
        self.assertFalse(os.path.exists(os.path.join(box.folder, "conf.d/20-more.yaml")))
        # The set before is laid aside, for nobody else to read, and is a way back by hand.
        aside = told["aside"]
        self.assertEqual(stat.S_IMODE(os.stat(aside).st_mode), 0o700)
        kept = tree(aside)
        self.assertIn(b"Second School", kept["config/conf.d/10-school.yaml"])
        self.assertIn("config/conf.d/20-more.yaml", kept)
        self.assertIn(b"other.example", kept["state/rules.yaml"])
        self.assertIn("state/accounts.db", kept)
        self.assertEqual([name for name in os.listdir(box.folder) if "restor" in name],
                         [os.path.basename(aside)])
        again = {file["name"]: file["sha256"] for file in box.json("backup", path + "2")["files"]}
        for file in json.loads(files["manifest.json"])["files"]:  # the same texts once more
            if not file["name"].endswith(".db"):
                self.assertEqual(again[file["name"]], file["sha256"], file["name"])

    def test_real_accounts_come_back_while_the_daemon_has_them_open(self):
        box = self.box(lists=[("near", "adult", ["bad.example"])])
        path = os.path.join(box.folder, "one.backup")
        for name in ("anna", "bora"):
            done = subprocess.run([box.program("greengate"), "-c", box.path, "user", "add", name, "--role",
                                   "admin"], input="a long password 1\n" * 2, capture_output=True, text=True,
                                  check=False, **as_user())
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("state/accounts.db", [file["name"] for file in box.json("backup", path)["files"]])
        self.done(box, "user", "remove", "bora")
        self.assertNotIn("bora", box.cli("user").stdout)
        self.assertEqual(box.json("restore", path)["daemon"], "reloaded")
        self.assertIn("bora", box.cli("user").stdout)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(box.state, "accounts.db")).st_mode), 0o600)

    @unittest.skipUnless(os.getuid() == 0 and USER, "root is needed, and another user")
    def test_root_follows_no_link_of_the_daemons_user(self):
        """Whoever owns the state folder can put links there; root writes in it as its owner."""
        box = self.prepare()
        path = os.path.join(box.folder, "one.backup")
        self.done(box, "backup", path)
        box.daemon.stop()
        roots = os.path.join(box.folder, "roots")
        os.mkdir(roots, 0o755)
        for name in ("accounts.db", "accounts.db-wal", "accounts.db-shm", "rules.yaml"):
            target = os.path.join(box.state, name)
            if os.path.exists(target):
                os.unlink(target)
        for name in ("accounts.db", "rules.yaml"):
            os.symlink(os.path.join(roots, name), os.path.join(box.state, name))
        done = subprocess.run([box.program("greengate"), "-c", box.path, "restore", path], capture_output=True, text=True, check=False)
        self.assertEqual(os.listdir(roots), [], done.stdout + done.stderr)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("is no file of its own", done.stdout + done.stderr, done.returncode)
        os.unlink(os.path.join(box.state, "accounts.db"))
        done = subprocess.run([box.program("greengate"), "-c", box.path, "restore", path], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(os.listdir(roots), [])
        for name in ("accounts.db",):
            self.assertEqual(os.stat(os.path.join(box.state, name)).st_uid, os.stat(box.state).st_uid)

    def test_a_configuration_that_another_program_makes(self):
        box = self.prepare()
        path = os.path.join(box.folder, "one.backup")
        self.done(box, "backup", path)
        os.rename(box.path, box.path + ".made")
        os.symlink(box.path + ".made", box.path)
        for words in (("restore", path), ("setup", "--yes", "--force", "--no-start")):
            done = box.cli(*words)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn("is a link", done.stderr)
        self.assertTrue(os.path.islink(box.path))

    def test_on_a_machine_that_has_nothing(self):
        old = self.prepare(start=False)
        path = os.path.join(old.folder, "one.backup")
        self.done(old, "backup", path)
        os.chmod(path, 0o644)
        new = self.enterContext(Box(upstream=[self.nsd.url], start=False))
        files = unpack(path)
        text = files["config/greengate.yaml"].decode().replace(old.folder, new.folder)
        files = {name: data for name, data in files.items() if name != "manifest.json"}
        files["config/greengate.yaml"] = text.encode()
        shutil.rmtree(new.state)
        os.unlink(new.path)
        told = new.json("restore", new.write("moved.backup", pack(describe(files))))
        self.assertEqual(told["daemon"], "no daemon")
        self.assertEqual(self.accounts(new), ["first"])
        info = os.stat(os.path.join(new.state, "accounts.db"))
        self.assertEqual(stat.S_IMODE(info.st_mode), 0o600)
        self.assertEqual(new.json("config", "show")["web"]["organisation"], "First School")

    def test_statistics_only_when_asked_for(self):
        box = self.prepare()
        box.ask("www.example")
        wait_for(lambda: os.path.exists(os.path.join(box.state, "stats.db")), "stats.db")
        without, both = (os.path.join(box.folder, name) for name in ("without", "both"))
        self.done(box, "backup", without)
        self.done(box, "backup", both, "--stats")
        self.assertNotIn("state/stats.db", unpack(without))
        self.assertIn("state/stats.db", unpack(both))
        self.assertNotIn("state/stats.db", box.json("restore", both)["files"])
        self.assertIn("state/stats.db", box.json("restore", both, "--stats")["files"])
        self.assertGreaterEqual(box.json("stats")["ok"], True)
        self.done(box, "restore", without, "--stats")  # none is in it: those that are there stay
        self.assertTrue(os.path.exists(os.path.join(box.state, "stats.db")))

    @unittest.skipIf(os.getuid() == 0 and not USER, "root may read everything")
    def test_what_cannot_be_read_is_not_left_out(self):
        """A backup without them would take them away when it is restored."""
        box = self.prepare()
        self.done(box, "allow", "good.example")
        beside = os.path.join(box.folder, "conf.d")
        places = [(os.path.join(box.state, name), 0o600) for name in ("rules.yaml", "accounts.db")]
        for number, (place, mode) in enumerate([*places, (box.state, 0o755), (beside, 0o755)]):
            path = os.path.join(box.folder, f"{number}.backup")
            os.chmod(place, 0)
            done = box.cli("backup", path)
            as_json = box.cli("--json", "backup", path)
            os.chmod(place, mode)
            self.assertNotEqual(done.returncode, 0, place)
            self.assertRegex(done.stderr, re.escape(place) + ".*Permission denied.*use sudo")
            self.assertIn("use sudo", json.loads(as_json.stdout)["error"])
            self.assertFalse(os.path.exists(path), place)

    def test_what_is_not_there_is_named(self):
        box = self.prepare(start=False)
        path = os.path.join(box.folder, "one.backup")
        self.assertEqual(box.json("backup", path)["absent"], ["state/managed.yaml", "state/rules.yaml"])
        done = self.done(box, "backup", path, "--force", "--stats")
        for name in ("managed.yaml", "rules.yaml", "stats.db"):
            self.assertRegex(done.stdout, rf"state/{name} +there is none")

    def test_what_is_there_is_not_overwritten(self):
        box = self.prepare(start=False)
        path = box.write("mine", "precious")
        self.assertIn("--force", self.done(box, "backup", path, code=1).stderr)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "precious")
        self.done(box, "backup", path, "--force")
        self.assertIn("whole and valid", self.done(box, "restore", path, "--check").stdout)
        self.assertEqual([name for name in os.listdir(box.folder) if "restor" in name], [])
        for words in (("backup",), ("restore",), ("backup", path, path), ("restore", path, "--all")):
            self.done(box, *words, code=2)
        self.assertIn("No such file", self.done(box, "backup", "/nowhere/x", code=1).stderr)
        box.write("conf.d/bad name.yaml", "{}\n")
        self.assertIn("rename it", self.done(box, "backup", path, "--force", code=1).stderr)
        box.write("greengate.yaml", "nonsense: 1\n")
        self.done(box, "backup", path, "--force", code=4)


class Refusals(BackupTest):
    def refuse(self, box, data, why, code=1):
        before = tree(box.folder)
        done = self.done(box, "restore", box.write("some.backup", data), code=code)
        self.assertRegex(done.stderr, why)
        self.assertEqual(tree(box.folder), before)
        self.assertEqual([name for name in os.listdir(box.folder) if "restor" in name], [])

    def test_nothing_changes(self):
        box = self.prepare(start=False)
        path = os.path.join(box.folder, "one.backup")
        self.done(box, "backup", path)
        with open(path, "rb") as file:
            whole = file.read()
        files = unpack(path)
        plain = {name: data for name, data in files.items() if name != "manifest.json"}
        changed = {**files, "config/greengate.yaml": files["config/greengate.yaml"] + b"\n"}
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 1
        manifest = json.loads(files["manifest.json"])
        broken = {**plain, "state/accounts.db": plain["state/accounts.db"][:5000]}
        for data, why in (
                (b"", "empty"), (b"hello world", "no archive"), (whole[:-9], "damaged or truncated"),
                (whole[:len(whole) // 2], "damaged or truncated"), (bytes(flipped), "damaged"),
                (pack(plain), "no backup of greengate"),
                (pack(changed), "greengate.yaml is not as long"),
                (pack({**files, "config/greengate.yaml":
                       files["config/greengate.yaml"].replace(b"school", b"SCHOOL")}), "checksum"),
                (pack({name: data for name, data in files.items() if "conf.d" not in name}), "missing"),
                (pack({**files, "state/extra": b"x"}), "does not name"),
                (pack({**files, "manifest.json": b"{}"}), "manifest is none"),
                (pack({**files, "manifest.json": b"nonsense"}), "manifest is none"),
                (pack(describe(plain, greengate_backup=2)), r"newer format \(2, made by greengate 9.9.9\)"),
                (pack(describe({**plain, "state/../../evil.yaml": b"x"})), "which no backup holds"),
                (pack(describe({**plain, "config/conf.d/../x.yaml": b"x"})), "which no backup holds"),
                (pack(describe({**plain, "config/conf.d/.hidden.yaml": b"x"})), "which no backup holds"),
                (pack(describe({**plain, "state/blocklist.ggdb": b"x"})), "which no backup holds"),
                (pack(describe({"state/rules.yaml": b"rules: []\n"})), "no configuration"),
                (pack(describe(broken)), "database"),
                (pack(describe({**plain, "config/conf.d/z.yaml": bytes(300 << 20)})), "more than is read|grows")):
            with self.subTest(why=why):
                self.refuse(box, data, why)
        self.assertEqual(manifest["greengate_backup"], 1)
        for name, data, why in (
                ("config/greengate.yaml", b"nonsense: 1\n", "unknown key"),
                ("config/conf.d/z.yaml", b"dns: {listen: [nonsense]}\n", "z.yaml:1:"),
                ("config/conf.d/z.yaml", b"server: {user: nobody-of-this-name}\n", "nobody-of-this-name"),
                ("state/managed.yaml", b"dns: {ttl_s: 5}\n", "managed.yaml:1:"),
                ("state/rules.yaml", b"rules: [{action: maybe}]\n", "rules.yaml:1:")):
            with self.subTest(name=name):
                self.refuse(box, pack(describe({**plain, name: data})), why, code=4)
        self.assertIn("No such file", self.done(box, "restore", "/nowhere", code=1).stderr)

    def test_a_set_that_the_daemon_refuses_is_taken_back(self):
        box = self.prepare()
        path = os.path.join(box.folder, "one.backup")
        self.done(box, "allow", "good.example")
        self.done(box, "backup", path)
        self.done(box, "block", "later.example")
        box.write("conf.d/10-school.yaml", "web: {organisation: \"Second School\"}\n")
        before = tree(box.folder)
        # A damaged database of lists: no reload is possible, before or after.
        generation = os.path.realpath(os.path.join(box.state, "blocklist.ggdb"))
        os.rename(generation, generation + ".kept")
        with open(generation, "wb") as file:
            file.write(b"nonsense")
        os.chmod(generation, 0o644)
        done = self.done(box, "restore", path, code=1)
        self.assertRegex(done.stderr, "daemon refused it, and the set before is back")
        after = {name: data for name, data in tree(box.folder).items() if "before-restore" not in name}
        self.assertEqual(sorted(after), sorted(before))
        for name in after:
            if not name.endswith(".db"):
                self.assertEqual(after[name], before[name], name)
        self.assertEqual(self.accounts(box), ["first"])
        names = {rule["name"] for rule in box.json("rules")["rules"]}
        self.assertEqual(names, {"good.example", "later.example"})


class Documentation(BackupTest):
    def test_commands_of_the_page(self):
        with open(os.path.join(ROOT, "docs/backup.md"), encoding="utf-8") as page:
            blocks = re.findall(r"^```\n(.*?)^```", page.read(), re.S | re.M)
        lines = [line.split("#")[0].split() for block in blocks for line in block.split("\n")]
        lines = [line for line in lines if line[:1] == ["greengate"]]
        self.assertGreater(len(lines), 3)
        box = self.prepare()
        for line in lines:
            words = [box.folder + word if word.startswith("/") else word for word in line[1:]]
            box.make_folder(os.path.join(box.folder, "var/backups"))
            self.done(box, *words)


if __name__ == "__main__":
    unittest.main()
