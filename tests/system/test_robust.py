# SPDX-License-Identifier: Apache-2.0
"""Bad input, crashes, full disks: a clear error, and nothing lost."""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import time
import unittest

import dnswire
from harness import BUILD, SLOWER, ServedTest, exchange, temp_folder, wait_for
from load import Load

NAMES = [f"bad{n}.example" for n in range(200)]
LISTS = [("adult-list", "adult", [f"||{name}^" for name in NAMES])]


class Files(ServedTest):
    """Damaged files: what was in force stays in force."""

    def assert_blocks(self, box):
        self.assertEqual(box.ask("bad7.example").ede[0][0], 17)
        self.assertEqual(box.ask("good.example").texts(), ["192.0.2.10"])

    def test_configuration_with_a_typo(self):
        box = self.box(lists=LISTS)
        box.config["dns"]["lisen"] = box.config["dns"]["listen"]
        box.write_config()
        done = box.cli("reload")
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stdout + done.stderr, r"greengate\.yaml:\d+:\d+")
        self.assertIn("listen", done.stdout + done.stderr, "the nearest known key")
        self.assert_blocks(box)
        check = box.cli("config", "check")
        self.assertEqual(check.returncode, 4)
        started = subprocess.run([box.program("greengated"), "-c", box.path, "-t"], check=False,
                                 capture_output=True, text=True, timeout=20)
        self.assertNotEqual(started.returncode, 0)
        self.assertIn("lisen", started.stderr)

    def test_list_that_is_an_html_page(self):
        box = self.box(lists=LISTS)
        box.write("adult-list.list", "<!DOCTYPE html>\n<html><head><title>Login</title></head>\n" +
                  "<body><p>Please log in at www.portal.example</p></body></html>\n" * 50)
        done = box.cli("update")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("adult-list", done.stdout + done.stderr)
        self.assert_blocks(box)

    def test_list_that_shrinks_is_held_back(self):
        box = self.box(lists=LISTS)
        box.write("adult-list.list", "||bad1.example^\n||bad2.example^\n")
        self.assertNotEqual(box.cli("update").returncode, 0)
        self.assert_blocks(box)

    def test_reload_without_the_database_keeps_the_old_one(self):
        box = self.box(lists=LISTS)
        os.rename(os.path.join(box.state, "blocklist.ggdb"), os.path.join(box.state, "gone"))
        done = box.cli("reload")
        self.assertEqual(done.returncode, 1)
        self.assertIn("blocklist.ggdb", done.stdout + done.stderr)
        self.assert_blocks(box)
        self.assertEqual(box.json("status")["state"], "degraded")
        os.rename(os.path.join(box.state, "gone"), os.path.join(box.state, "blocklist.ggdb"))
        self.assertEqual(box.cli("reload").returncode, 0)
        self.assertEqual(box.json("status")["state"], "protected")

    def test_failing_list_is_told_by_status(self):
        box = self.box(lists=LISTS)
        box.write("adult-list.list", "<!DOCTYPE html>\n<html><body>Log in</body></html>\n" * 50)
        self.assertNotEqual(box.cli("update").returncode, 0)
        status = box.json("status")
        self.assertEqual(status["state"], "degraded")
        self.assertIn("adult-list", " ".join(status["reasons"]))
        self.assertTrue([s["error"] for s in status["lists"]["sources"] if s["id"] == "adult-list"][0])

    def test_missing_names_of_the_data_folder_are_told_by_status(self):
        for missing in ("protected.yaml", "canaries.yaml"):
            with self.subTest(missing):
                box = self.box(lists=LISTS, start=False)
                data = os.path.join(box.folder, "data")
                shutil.copytree(os.path.join(BUILD, "data"), data)
                os.remove(os.path.join(data, missing))
                box.config["server"]["data_dir"] = data
                box.write_config()
                box.start()
                self.assertIn(missing, " ".join(box.json("status")["reasons"]))
                self.assertEqual(box.ask("fine.example").rcode, "NOERROR")

    def test_the_canaries_that_ship_are_answered_no(self):
        box = self.box(lists=LISTS)
        for name in ("use-application-dns.net", "mask.icloud.com", "MASK-H2.iCloud.com", "mask.apple-dns.net"):
            for kind in ("A", "AAAA", "HTTPS"):
                with self.subTest(f"{name} {kind}"):
                    self.assertEqual(box.ask(name, kind).rcode, "NXDOMAIN")

    def test_settings_that_need_a_restart_are_named_until_they_are_back(self):
        box = self.box(lists=LISTS)
        for size, state in ((8, "degraded"), (32, "protected")):
            box.config["cache"] = {"size_mb": size}
            box.write_config()
            self.assertEqual(box.cli("reload").returncode, 0)
            status = box.json("status")
            self.assertEqual((status["state"], "cache.size_mb" in " ".join(status["reasons"])),
                             (state, state == "degraded"))

    def test_database_with_a_flipped_bit(self):
        box = self.box(lists=LISTS)
        path = os.path.realpath(os.path.join(box.state, "blocklist.ggdb"))
        with open(path, "rb") as database:
            good = database.read()
        for at in (0, 9, len(good) // 2, len(good) - 1):
            with self.subTest(at=at):
                damaged = bytearray(good)
                damaged[at] ^= 4
                box.write("damaged", bytes(damaged))
                # As a rename, for a mapped file must never change under its reader.
                os.replace(os.path.join(box.folder, "damaged"), path)
                done = box.cli("reload")
                self.assertNotEqual(done.returncode, 0, done.stdout)
                self.assert_blocks(box)
        box.write("repaired", good)
        os.replace(os.path.join(box.folder, "repaired"), path)
        self.assertEqual(box.cli("reload").returncode, 0)
        self.assert_blocks(box)

    def test_statistics_that_are_damaged_are_set_aside(self):
        box = self.box(lists=LISTS)
        box.daemon.stop()
        for name in ("stats.db-wal", "stats.db-shm"):
            if os.path.exists(os.path.join(box.state, name)):
                os.unlink(os.path.join(box.state, name))
        with open(os.path.join(box.state, "stats.db"), "r+b") as database:
            database.write(b"this is no database at all " * 300)
        box.start()
        self.assert_blocks(box)
        self.assertTrue([n for n in os.listdir(box.state) if n.startswith("stats.db.damaged-")])
        self.assertGreaterEqual(box.json("stats")["totals"]["queries"], 2)


class Wire(ServedTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        from harness import Box
        cls.one = cls.enterClassContext(Box(upstream=[cls.nsd.url], lists=LISTS, web=True))

    def tearDown(self):
        self.assertTrue(self.one.daemon.alive() and self.one.web.alive())
        self.assertEqual(self.one.ask("bad7.example").ede[0][0], 17)

    def test_messages_longer_than_they_may_be_over_tcp(self):
        # A TCP message cannot be longer than 65,535 octets: 70,000 are one and the start of another.
        body = dnswire.query("long.example", edns=None) + b"\0" * 70_000
        with socket.create_connection(self.one.address, 5) as stream:
            stream.settimeout(15)
            try:
                stream.sendall(struct.pack("!H", 65535) + body)
                while stream.recv(65536):
                    pass
            except (ConnectionError, TimeoutError):
                pass

    def test_half_a_message_over_tcp_does_not_hold_others_up(self):
        streams = [socket.create_connection(self.one.address, 5) for _ in range(10)]
        for stream in streams:
            stream.sendall(b"\0\x40half")
        self.assertEqual(self.one.ask("other.example", tcp=True).rcode, "NOERROR")
        for stream in streams:
            stream.close()

    def test_every_cut_and_flipped_octet_of_a_query(self):
        packet = dnswire.query("bad7.example", id=77)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.connect(self.one.address)
            for cut in range(len(packet)):
                one.send(packet[:cut])
                for value in (0, 0x3F, 0xC0, 0xFF):
                    one.send(packet[:cut] + bytes([value]) + packet[cut + 1:])

    def test_control_socket_that_is_talked_nonsense_to(self):
        rows = [b"", b"\0", b"\0\0\0\0", b"\xff\xff\xff\xff" + b"x" * 100, b"GET / HTTP/1.1\r\n\r\n",
                frame(b"not json"), frame(b"[]"), frame(b"{}"), frame(b'{"command": 7}'),
                frame(b'{"command": "no-such"}'), frame(b'{"command": "check"}'),
                frame(b'{"command": "check", "name": "' + b"a" * 5000 + b'"}'),
                frame(b'{"command": "block", "name": "..", "for": -1}'),
                frame(b"[" * 20000), frame(b'{"command": "stats", "since": "x"}'),
                frame(b'{"command": "allow", "name": "a.example", "group": 4}')]
        for row in rows:
            with self.subTest(row[:40]):
                reply = self.one.control(row, timeout=2)
                if reply:
                    self.assertFalse(json.loads(reply[4:])["ok"])
        self.assertEqual(self.one.cli("status").returncode, 0)

    def test_idle_control_connections_do_not_lock_the_admin_out(self):
        idle = []
        for _ in range(100):
            one = socket.socket(socket.AF_UNIX)
            one.settimeout(1)
            try:
                one.connect(self.one.socket)
            except OSError:
                break
            idle.append(one)
        try:
            wait_for(lambda: self.one.cli("status").returncode == 0, "status beside idle connections")
        finally:
            for one in idle:
                one.close()

    def test_http_request_of_a_megabyte_of_headers(self):
        with socket.create_connection(("127.0.0.1", self.one.web_port), 5) as stream:
            stream.settimeout(10)
            received = b""
            try:
                stream.sendall(b"GET / HTTP/1.1\r\nHost: bad7.example\r\nX-Long: " + b"a" * (1 << 20))
            except ConnectionError:
                pass
            try:
                while more := stream.recv(65536):
                    received += more
            except (ConnectionError, TimeoutError):
                pass
        self.assertTrue(not received or received.split()[1] in (b"400", b"413", b"431"), received[:80])
        self.assertEqual(self.one.page("bad7.example")[0], 403)

    def test_http_nonsense(self):
        for data in (b"\0" * 100, b"\r\n\r\n", b"GET\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.one.web_port), 5) as stream:
                stream.settimeout(3)
                try:
                    stream.sendall(data)
                    stream.shutdown(socket.SHUT_WR)
                    while stream.recv(65536):
                        pass
                except (ConnectionError, TimeoutError):
                    pass
        self.assertEqual(self.one.page("bad7.example")[0], 403)


def frame(data):
    return struct.pack("!I", len(data)) + data


class Crashes(ServedTest):
    MIX = [(name, True) for name in NAMES] + [(f"free{n}.test", False) for n in range(50)]

    def test_sigkill_under_load(self):
        box = self.box(lists=LISTS)
        with Load(box.address, self.MIX, qps=500) as load:
            box.daemon.process.send_signal(signal.SIGKILL)
            box.daemon.process.wait()
            begin = time.monotonic()
            box.start()
            self.assertLess(time.monotonic() - begin, 3 * SLOWER)
            after = box.json("stats")["totals"]["queries"]
            wait_for(lambda: box.json("stats")["totals"]["queries"] > after + 300, "new counts")
        self.assertEqual(load.result["wrong"], 0)
        self.assertGreater(load.result["blocked"], 100)
        self.assertEqual(box.json("status")["state"], "protected")

    def test_at_most_a_minute_of_counts_is_lost(self):
        box = self.box(lists=LISTS)
        for name in NAMES[:50]:
            box.ask(name)
        # The minute's flush comes by itself.
        database = os.path.join(box.state, "stats.db")
        wait_for(lambda: flushed(database) >= 50, "the flush", 75)
        box.daemon.process.send_signal(signal.SIGKILL)
        box.daemon.process.wait()
        box.start()
        self.assertGreaterEqual(box.json("stats")["totals"]["blocked"], 50)

    test_at_most_a_minute_of_counts_is_lost.seconds = 120

    def test_reload_a_hundred_times_under_load(self):
        box = self.box(lists=LISTS)
        for name, _ in self.MIX:
            box.ask(name)
        with Load(box.address, self.MIX, qps=2000 // SLOWER) as load:
            for number in range(100):
                box.write("adult-list.list", "".join(f"||{name}^\n" for name in NAMES) +
                          f"||extra{number}.example^\n")
                done = box.cli("update") if number % 10 == 0 else box.cli("reload")
                self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(load.result["answered"], 500)
        self.assertEqual((load.result["lost"], load.result["wrong"]), (0, 0), load.result)

    def test_rollbacks_under_load_lose_nothing(self):
        box = self.box(lists=LISTS)
        box.write("adult-list.list", "".join(f"||{name}^\n" for name in NAMES) + "||extra.example^\n")
        self.assertEqual(box.cli("update").returncode, 0)
        wait_for(lambda: box.ask("extra.example").ede, "the second generation")
        for name, _ in self.MIX:
            box.ask(name)
        with Load(box.address, self.MIX, qps=2000 // SLOWER) as load:
            for number in range(20):
                done = box.json("rollback", str(number % 2 + 1))
                self.assertEqual((done["generation"], done["daemon"]), (number % 2 + 1, "reloaded"))
                self.assertEqual(bool(box.ask("extra.example").ede), number % 2 == 1)
        self.assertGreater(load.result["answered"], 100)
        self.assertEqual((load.result["lost"], load.result["wrong"]), (0, 0), load.result)

    def test_sighup_reloads(self):
        box = self.box(lists=LISTS)
        box.config["block"] = {"mode": "nxdomain"}
        box.write_config()
        box.daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: box.ask("bad7.example").rcode == "NXDOMAIN", "the new mode")

    def test_sigterm_ends_within_two_seconds(self):
        box = self.box(lists=LISTS)
        begin = time.monotonic()
        self.assertEqual(box.daemon.stop(), 0)
        self.assertLess(time.monotonic() - begin, 2 * SLOWER + 0.5)

    def test_starts_from_its_last_good_file_without_network(self):
        box = self.box(lists=LISTS)
        box.daemon.stop()
        os.unlink(os.path.join(box.folder, "adult-list.list"))
        self.assertNotEqual(box.cli("update").returncode, 0)
        box.start()
        self.assertEqual(box.ask("bad7.example").ede[0][0], 17)

    def test_without_any_list_it_says_so(self):
        box = self.box(config={"server": {"data_dir": "/nonexistent-greengate"}}, start=False)
        copy = os.path.join(box.folder, "data")
        os.mkdir(copy)
        source = os.path.join(os.path.dirname(box.program("greengated")), "data")
        for name in os.listdir(source):
            if os.path.isfile(os.path.join(source, name)) and not name.endswith(".ggdb"):
                shutil.copy(os.path.join(source, name), copy)
        box.config["server"]["data_dir"] = copy
        box.write_config()
        os.chmod(copy, 0o755)
        box.start()
        self.assertEqual(box.json("status")["state"], "unprotected")
        self.assertEqual(box.cli("status", "--quiet").returncode, 10)
        self.assertEqual(box.ask("good.example").texts(), ["192.0.2.10"])


def flushed(database):
    """Queries that the database file holds, read as anybody could."""
    import sqlite3
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
            if ("sums",) not in tables:
                return 0
            columns = [row[1] for row in connection.execute("PRAGMA table_info(sums)")]
            count = "count" if "count" in columns else columns[-1]
            return connection.execute(f"SELECT sum({count}) FROM sums").fetchone()[0] or 0
    except sqlite3.Error:
        return 0


class FullDisk(ServedTest):
    @unittest.skipUnless(os.getuid() == 0, "needs root to mount a small file system")
    def test_statistics_on_a_full_disk(self):
        small = temp_folder()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small],
                          check=False, capture_output=True).returncode != 0:
            os.rmdir(small)
            self.skipTest("mount is not allowed here")
        self.addCleanup(lambda: subprocess.run(["umount", "-l", small], check=True))
        ballast = os.open(os.path.join(small, "ballast"), os.O_WRONLY | os.O_CREAT)
        try:
            while os.write(ballast, b"\0" * 4096):
                pass
        except OSError:
            pass
        finally:
            os.close(ballast)
        os.chmod(small, 0o777)
        box = self.box(config={"server": {"state_dir": small}})
        status = wait_for(lambda: degraded(box), "degraded")
        self.assertTrue(status["reasons"])
        for number in range(50):
            self.assertEqual(box.ask(f"on{number}.test").texts(), ["192.0.2.10"])
        self.assertGreaterEqual(box.json("stats")["totals"]["queries"], 50)


def degraded(box):
    status = box.json("status")
    return status if status["state"] == "degraded" else None


class Descriptors(ServedTest):
    def test_no_file_descriptors_left_for_tcp_udp_goes_on(self):
        box = self.box(lists=LISTS, start=False)
        limit = box.program("greengated")
        from harness import Program, as_user
        box.daemon = Program(["sh", "-c", f"ulimit -n 64; exec {limit} -c {box.path}"],
                             os.path.join(box.folder, "daemon.log"), **as_user())
        box.wait_ready()
        streams = []
        try:
            for _ in range(80):
                try:
                    streams.append(socket.create_connection(box.address, 0.5))
                except OSError:
                    break
            self.assertEqual(box.ask("bad7.example").ede[0][0], 17)
        finally:
            for stream in streams:
                stream.close()
        wait_for(lambda: exchange(dnswire.query("bad7.example"), box.address, tcp=True, timeout=1),
                 "TCP again")


if __name__ == "__main__":
    unittest.main()
