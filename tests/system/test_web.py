#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""greengate-web as a real program, with a daemon that is only played."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GREENGATE_BUILD") or ROOT / "build/release").resolve()
PAGE_MAX = 12 * 1024


class Daemon:
    """Answers "why" on a unix socket as greengated does."""

    def __init__(self, path):
        self.asked = []
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.server.bind(str(path))
        self.server.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client, client.makefile("rb") as stream:
            while len(head := stream.read(4)) == 4:
                question = json.loads(stream.read(struct.unpack(">I", head)[0]))
                self.asked.append(question)
                if question["host"].startswith("late."):
                    time.sleep(0.3)
                reply = json.dumps(self.reply(question)).encode()
                client.sendall(struct.pack(">I", len(reply)) + reply)

    @staticmethod
    def reply(question):
        host = question["host"]
        return {"ok": True, "blocked": not host.startswith("open."), "host": host,
                "category": "gambling" if host.startswith("bet.") else "adult",
                "reason": "list", "reason_text": "", "group": "pupils", "list": "starter",
                "ref": "A1B2C3D4"}

    def close(self):
        self.server.close()


class Web:
    """The program with its configuration in a short temporary folder."""

    def __init__(self, daemon=True, web="", files=None, listen=("127.0.0.1",), admin="[]"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gg-web-"))
        self.daemon = Daemon(self.folder / "web.sock") if daemon else None
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.config = self.folder / "greengate.yaml"
        self.config.write_text(
            f"server: {{data_dir: '{ROOT}/blocklists/catalog', "
            f"control_socket: '{self.folder}/control.sock'}}\n"
            f"web:\n  listen: {[f'{one}:{self.port}' for one in listen]}\n  admin_listen: {admin}\n  organisation: 초록초등학교\n"
            f"  contact: 02-123-4567\n{web}", encoding="utf-8")
        limit = [] if files is None else ["prlimit", f"--nofile={files}"]
        self.log = open(self.folder / "log", "w+", encoding="utf-8")
        self.process = subprocess.Popen([*limit, BUILD / "greengate-web", "-c", self.config],
                                        stderr=self.log)
        wait_for(lambda: self.process.poll() is not None or "listening" in self.said())

    def said(self):
        return (self.folder / "log").read_text(encoding="utf-8")

    def get(self, host, method="GET", path="/", **headers):
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        client.request(method, path, headers={"Host": host, "Accept": "text/html", **headers})
        answer = client.getresponse()
        body = answer.read().decode()
        client.close()
        return answer, body

    def dial(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(10)
        if self.daemon:
            self.daemon.close()
        self.log.close()
        shutil.rmtree(self.folder)
        return status


def wait_for(condition, seconds=10):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("the condition did not come")
        time.sleep(0.01)


class WebTest(unittest.TestCase):
    def start(self, **how):
        web = Web(**how)
        self.addCleanup(web.stop)
        return web


class Page(WebTest):
    @classmethod
    def setUpClass(cls):
        cls.web = Web()

    @classmethod
    def tearDownClass(cls):
        assert cls.web.stop() == 0

    def test_korean(self):
        answer, body = self.web.get("bet.example", Accept_Language="ko-KR,ko;q=0.9,en;q=0.5")
        self.assertEqual(answer.status, 403)
        self.assertEqual(answer.headers["Content-Language"], "ko")
        for words in ('lang="ko"', "bet.example", "도박", "초록초등학교", 'href="tel:1336"',
                      "A1B2C3D4", 'href="tel:021234567"'):
            self.assertIn(words, body)
        self.assertLessEqual(len(body.encode()), PAGE_MAX)

    def test_english(self):
        answer, body = self.web.get("bet.example", Accept_Language="en-US,en;q=0.9")
        self.assertEqual(answer.headers["Content-Language"], "en")
        self.assertIn("gambling", body)
        self.assertNotIn("도박", body)

    def test_headers(self):
        answer, body = self.web.get("bet.example")
        for name, value in (("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer"),
                            ("X-Content-Type-Options", "nosniff"), ("Vary", "Accept-Language"),
                            ("Content-Type", "text/html; charset=utf-8")):
            self.assertEqual(answer.headers[name], value)
        self.assertNotIn("Set-Cookie", answer.headers)
        self.assertNotIn("Location", answer.headers)
        self.assertNotIn("<script", body)

    def test_asks_with_client_and_host_only(self):
        self.web.get("bet.example:80", path="/private?secret=1", Cookie="session=secret")
        self.assertEqual(self.web.daemon.asked[-1],
                         {"command": "why", "client": "127.0.0.1", "host": "bet.example"})

    def test_logs_nothing_of_a_request(self):
        self.web.get("bet.example", path="/private?secret=1", Cookie="session=secret")
        for word in ("bet.example", "private", "secret"):
            self.assertNotIn(word, self.web.said())

    def test_our_own_name_is_no_blocked_site(self):
        """What guides name is no site: whoever opens it is told what this is."""
        for host in ("greengate.lan", f"GREENGATE.lan.:{self.web.port}", f"127.0.0.1:{self.web.port}", "greengate.lan.localhost"):
            answer, body = self.web.get(host, Accept_Language="ko")
            self.assertEqual((answer.status, answer.headers["Content-Language"]), (200, "ko"), host)
            for words in ("초록초등학교", 'href="tel:021234567"', 'href="tel:1366"', 'href="tel:1388"', "필터"):
                self.assertIn(words, body)
            for words in ("<form", "<script", "다시 열", "greengate.lan", "관리 화면"):
                self.assertNotIn(words, body)
            self.assertIsNone(answer.headers["Retry-After"])
            self.assertLessEqual(len(body.encode()), PAGE_MAX)
        self.assertEqual([one for one in self.web.daemon.asked if "greengate.lan" in one.get("host", "")], [])
        self.assertEqual(self.web.get("greengate.lan", path="/other")[0].status, 404)
        self.assertEqual(self.web.get("greengate.lan", method="HEAD")[0].status, 200)
        self.assertEqual(self.web.get("x.greengate.lan")[0].status, 403, "another name")
        self.assertEqual(self.web.get("192.0.2.1")[0].status, 403, "another address")

    def test_not_blocked(self):
        answer, body = self.web.get("open.example", Accept_Language="en")
        self.assertEqual(answer.status, 503)
        self.assertEqual(answer.headers["Retry-After"], "10")
        self.assertIn("not blocked any more", body)

    def test_part_of_a_page_is_empty(self):
        answer, body = self.web.get("bet.example", Accept="image/png,*/*;q=0.8")
        self.assertEqual((answer.status, body), (403, ""))

    def test_head_and_post(self):
        answer, body = self.web.get("bet.example", method="HEAD")
        self.assertEqual((answer.status, body), (403, ""))
        self.assertGreater(int(answer.headers["Content-Length"]), 1000)
        answer, body = self.web.get("bet.example", method="POST", Content_Length="0")
        self.assertEqual((answer.status, answer.headers["Connection"]), (403, "close"))
        self.assertIn("bet.example", body)

    def test_megabyte_of_headers(self):
        with self.web.dial() as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: bet.example\r\n" + b"X: y\r\n" * 180000)
            client.sendall(b"\r\n")
            self.assertTrue(client.recv(4096).startswith(b"HTTP/1.1 431 "))
        self.assertEqual(self.web.get("bet.example")[0].status, 403)

    def test_text_browser(self):
        if not shutil.which("w3m"):
            self.skipTest("w3m is not installed")
        text = subprocess.run(
            ["w3m", "-dump", "-o", f"http_proxy=http://127.0.0.1:{self.web.port}/", "-header",
             "Accept-Language: en", "http://bet.example/"],
            capture_output=True, text=True, timeout=20, check=True).stdout
        for words in ("This site is blocked", "bet.example", "gambling", "1336"):
            self.assertIn(words, text)


class Dashboard(WebTest):
    """The own page leads to the dashboard where whoever reads it can reach it."""
    rows = [("['127.0.0.1:8953']", "", "127.0.0.1", "http://127.0.0.1:8953/"),
            ("['127.0.0.1:8953']", "", "LAN", None),
            ("[LAN:8953]", "", "LAN", None),  # without a certificate it is not served
            ("[LAN:8953]", "  admin_plain: true\n", "LAN", "http://LAN:8953/"),
            ("['0.0.0.0:8953']", "  admin_plain: true\n", "LAN", "http://greengate.lan:8953/"),
            ("[LAN:8953]", "  admin_tls_cert: /x.pem\n  admin_tls_key: /x.key\n  admin_names: [desk.school.test]\n", "LAN", "https://desk.school.test:8953/"),
            ("[]", "", "127.0.0.1", None)]

    def test_only_where_it_can_be_reached(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))
            except OSError:
                self.skipTest("no address but loopback")
            lan = probe.getsockname()[0]
        for listen, more, source, link in self.rows:
            web = self.start(listen=(lan, "127.0.0.1"), admin=listen.replace("LAN", f"'{lan}'").replace(f"'{lan}':8953", f"'{lan}:8953'"), web=more)
            place = source.replace("LAN", lan)
            client = http.client.HTTPConnection(place, web.port, timeout=10)
            client.request("GET", "/", headers={"Host": "greengate.lan", "Accept": "text/html", "Accept-Language": "en"})
            body = client.getresponse().read().decode()
            client.close()
            found = re.search(r'href="(https?://[^"]*:8953/)"', body)
            self.assertEqual(found and found[1], link and link.replace("LAN", lan), (listen, more, source))


class Faults(WebTest):
    def test_neutral_without_daemon(self):
        web = self.start(daemon=False)
        answer, body = web.get("bet.example", Accept_Language="en")
        self.assertEqual(answer.status, 403)
        self.assertIn("cannot say why", body)
        self.assertNotIn("gambling", body)

    def test_daemon_comes_later(self):
        web = self.start(daemon=False)
        web.get("bet.example")
        web.daemon = Daemon(web.folder / "web.sock")
        self.assertIn("gambling", web.get("bet.example", Accept_Language="en")[1])

    def test_slow_headers_are_cut_at_ten_seconds(self):
        web = self.start()
        began = time.monotonic()
        with web.dial() as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: bet.example\r\n")
            client.settimeout(0.5)
            ended = False
            while not ended and time.monotonic() - began < 20:
                try:
                    client.sendall(b"x")
                    ended = client.recv(1) == b""
                except TimeoutError:
                    pass
                except OSError:
                    ended = True
        took = time.monotonic() - began
        self.assertTrue(9 < took < 13, took)

    def test_one_client_does_not_get_all_places(self):
        web = self.start()
        clients = []
        self.addCleanup(lambda: [client.close() for client in clients])
        for _ in range(200):
            clients.append(web.dial())
            clients[-1].sendall(b"GET / HTTP/1.1\r\nX: ")
        def count_open():
            return len(os.listdir(f"/proc/{web.process.pid}/fd"))
        wait_for(lambda: sum(is_closed(client) for client in clients) >= 200 - 32)
        self.assertEqual(sum(is_closed(client) for client in clients), 200 - 32)
        self.assertLess(count_open(), 64)

    def test_few_files_are_enough(self):
        web = self.start(files=90)  # 26 places
        clients = [web.dial() for _ in range(100)]
        self.addCleanup(lambda: [client.close() for client in clients])
        self.assertEqual(web.get("bet.example")[0].status, 403)

    def test_stops_after_answering_what_is_in_flight(self):
        web = self.start()
        with web.dial() as idle, web.dial() as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: late.example\r\n\r\n")
            wait_for(lambda: web.daemon.asked)
            web.process.send_signal(signal.SIGTERM)
            wait_for(lambda: is_closed(idle))
            with client.makefile("rb") as stream:
                answer = stream.read()
        self.assertTrue(answer.startswith(b"HTTP/1.1 403 "))
        self.assertIn(b"Connection: close", answer)
        self.assertTrue(answer.endswith(b"</html>\n"))
        self.assertEqual(web.process.wait(5), 0)

    def test_stops_though_a_client_does_not_read(self):
        web = self.start()
        with web.dial() as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: late.example\r\n\r\n")
            wait_for(lambda: web.daemon.asked)
            web.process.send_signal(signal.SIGTERM)
            self.assertEqual(web.process.wait(5), 0)

    def test_address_in_use_is_said(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            config = pathlib.Path(tempfile.mkdtemp(prefix="gg-web-")) / "c.yaml"
            self.addCleanup(shutil.rmtree, config.parent)
            config.write_text(f"server: {{data_dir: '{ROOT}/blocklists/catalog'}}\n"
                              f"web: {{listen: ['127.0.0.1:{port}']}}\n", encoding="utf-8")
            done = subprocess.run([BUILD / "greengate-web", "-c", config], capture_output=True,
                                  text=True, timeout=10, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"cannot listen on 127.0.0.1:{port}", done.stderr)

    def test_reload_changes_the_page_and_survives_a_mistake(self):
        web = self.start()
        text = web.config.read_text(encoding="utf-8")
        web.config.write_text(text.replace("초록초등학교", "Second School"), encoding="utf-8")
        web.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "read again" in web.said())
        self.assertIn("Second School", web.get("bet.example")[1])
        web.config.write_text("wub: {}\n", encoding="utf-8")
        web.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "stays in force" in web.said())
        self.assertIn("Second School", web.get("bet.example")[1])

    def test_notices_a_changed_configuration_by_itself(self):
        web = self.start()
        extra = web.folder / "conf.d"
        extra.mkdir()
        (extra / "school.yaml").write_text("web: {organisation: Third School}\n", encoding="utf-8")
        wait_for(lambda: "read again" in web.said(), 15)
        self.assertIn("Third School", web.get("bet.example")[1])
        (extra / "school.yaml").write_text("wub: {}\n", encoding="utf-8")
        wait_for(lambda: "stays in force" in web.said(), 15)
        self.assertIn("Third School", web.get("bet.example")[1])
        web.config.touch()  # the next look fails again; of the looks between nothing is said
        wait_for(lambda: web.said().count("stays in force") > 1, 15)
        self.assertEqual(web.said().count("stays in force"), 2)
        self.assertEqual(web.said().count("read again"), 1)

    def test_says_that_it_stopped(self):
        web = self.start()
        web.process.send_signal(signal.SIGTERM)
        self.assertEqual(web.process.wait(5), 0)
        self.assertTrue(web.said().endswith("greengate-web: stopped\n"), web.said())

    def test_checks_its_configuration(self):
        web = self.start()
        command = [BUILD / "greengate-web", "-t", "-c", web.config]
        self.assertEqual(subprocess.run(command, timeout=10, check=False).returncode, 0)
        web.config.write_text("web: {languages: [xx]}\n", encoding="utf-8")
        done = subprocess.run(command, timeout=10, check=False, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 4)


def is_closed(client):
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        client.setblocking(True)


if __name__ == "__main__":
    unittest.main()
