# SPDX-License-Identifier: Apache-2.0
"""The dashboard's listener: who may in, what it takes, what it refuses."""
import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import threading
import time
import unittest

from apiclient import Api, set_up
from harness import BUILD, SLOWER, Box, Program, as_user, wait_for
from systemd import Manager

WORDS = "twelve green apples"
READING = ["session", "status", "stats", "radar", "groups", "settings", "schedule", "rules", "reviews", "updates", "catalog"]


class Desk(unittest.TestCase):
    config = {}

    def setUp(self):
        self.box = self.enterContext(Box(lists=[("adult", "adult", ["bad.test"])], web=True, config=self.config))
        self.admin = set_up(self.box, WORDS)

    def make(self, role):
        """An Api signed in with a new account of the role."""
        self.admin.must("POST", "accounts", {"account": f"a-{role}", "role": role, "password": WORDS})
        api = Api(self.box)
        api.must("POST", "sign-in", {"account": f"a-{role}", "password": WORDS})
        return api


class SigningIn(Desk):
    def test_the_first_account_is_made_once_by_the_printed_link(self):
        invitation = self.box.daemon.text().split("/#/set-up/")[1].split()[0]
        again = {"invitation": invitation, "account": "lee", "password": WORDS}
        self.assertEqual(Api(self.box).post("set-up", again)[0], 403)
        self.assertIn("HttpOnly; SameSite=Strict", self.admin.set_cookie)
        self.assertEqual(self.admin.must("GET", "session")["role"], "admin")
        self.box.daemon.stop()
        self.box.start()
        self.assertNotIn("set-up", self.box.daemon.text().rsplit("ready,", 1)[1], "no link once there is an account")

    def test_there_is_no_account_without_a_proof(self):
        api = Api(self.box)
        self.assertEqual(api.post("set-up", {"invitation": "0" * 64, "account": "eve", "password": WORDS})[0], 403)
        for account, password in (("kim", "wrong and long enough"), ("nobody", WORDS), ("kim", ""), ("", WORDS)):
            with self.subTest(account=account, password=password):
                status, reply = api.post("sign-in", {"account": account, "password": password})
                self.assertIn(status, (400, 403))
                self.assertEqual((reply["ok"], api.cookie), (False, None))

    def test_five_tries_a_minute_of_an_address(self):
        api, statuses = Api(self.box), []
        for _ in range(7):
            status, reply = api.post("sign-in", {"account": "kim", "password": "wrong and long enough"})
            statuses.append((status, "too many" in reply["error"]))
        self.assertIn((403, True), statuses)
        self.assertIn((403, True), [(lambda r: (r[0], "too many" in r[1]["error"]))(api.post("sign-in", {"account": "kim", "password": WORDS}))],
                      "the right one is not let in either")
        self.assertEqual(self.admin.get("session")[0], 200, "who is signed in stays so")

    def test_a_session_ends(self):
        for how in ("sign-out", "password", "remove", "restart"):
            with self.subTest(how):
                if how == "restart":
                    self.box.daemon.stop()
                    self.box.start()
                    self.assertEqual(self.admin.get("session")[0], 401)
                    break
                api = self.make("viewer")
                if how == "sign-out":
                    api.must("POST", "sign-out", {})
                elif how == "password":
                    self.admin.must("POST", "accounts", {"account": "a-viewer", "password": WORDS + "!"})
                else:
                    self.admin.must("POST", "accounts/remove", {"account": "a-viewer"})
                self.assertEqual(api.get("status")[0], 401)
                self.setUpTries()

    def setUpTries(self):
        """A minute's tries are used up soon; a new daemon counts anew."""
        self.box.daemon.stop()
        self.box.start()
        self.admin = Api(self.box)
        self.admin.must("POST", "sign-in", {"account": "kim", "password": WORDS})

    def test_ones_own_password_needs_the_old_one(self):
        other = "thirteen red pears"
        wrong = {"account": "kim", "old": "not the old one", "password": other}
        self.assertEqual(self.admin.post("password", wrong)[0], 409)
        self.admin.must("POST", "password", {"account": "kim", "old": WORDS, "password": other})
        self.assertEqual(self.admin.get("session")[0], 200)
        api = Api(self.box)
        self.assertEqual(api.post("sign-in", {"account": "kim", "password": WORDS})[0], 403)
        api.must("POST", "sign-in", {"account": "kim", "password": other})
        viewer = {"account": "a-viewer", "role": "viewer", "password": "short"}
        self.assertEqual(self.admin.post("accounts", viewer)[0], 400)

    def test_who_lost_his_role_lost_it_at_once(self):
        self.admin.must("POST", "accounts", {"account": "lee", "role": "admin", "password": WORDS})
        self.admin.must("POST", "accounts", {"account": "kim", "role": "viewer"})
        self.assertEqual(self.admin.get("session")[0], 401)

    def test_the_link_is_void_once_somebody_can_sign_in(self):
        self.box.cli("user", "invite")
        link = self.box.cli("user", "invite").stdout.split("/#/set-up/")[1].strip()
        self.assertEqual(self.box.cli("user", "add", "park", input=WORDS + "\n").returncode, 0)
        body = {"invitation": link, "account": "eve", "password": WORDS}
        self.assertEqual(Api(self.box).post("set-up", body)[0], 403)

    def test_nothing_is_worked_for_strangers(self):
        """A made-up token costs no key: the daemon is asked first."""
        stranger = Api(self.box, token="gg_00000000_" + "0" * 40)
        for path, body in (("accounts", {"account": "x", "role": "admin", "password": WORDS}),
                           ("password", {"account": "x", "old": WORDS, "password": WORDS})):
            begun = time.monotonic()
            statuses = {stranger.post(path, body)[0] for _ in range(7)}
            self.assertLessEqual(statuses, {401, 409}, path)
            self.assertLess(time.monotonic() - begun, 5 * SLOWER)
        self.assertEqual(self.admin.get("session")[0], 200)

    def test_a_damaged_file_is_no_open_door(self):
        self.box.daemon.stop()
        with open(os.path.join(self.box.state, "accounts.db"), "wb") as out:
            out.write(b"no database" * 200)
        self.box.start()
        self.assertNotIn("set-up", self.box.daemon.text().rsplit("ready,", 1)[1])
        status, reply = Api(self.box).post("sign-in", {"account": "kim", "password": WORDS})
        self.assertEqual((status, reply["ok"]), (403, False))
        self.assertNotIn(self.box.state, reply["error"])
        self.assertTrue(self.box.ask("bad.test").ede)

    def test_the_last_admin_stays(self):
        self.assertEqual(self.admin.post("accounts/remove", {"account": "kim"})[0], 400)
        self.assertEqual(self.admin.post("accounts", {"account": "kim", "role": "viewer"})[0], 400)
        self.assertEqual(self.admin.must("GET", "accounts")["accounts"][0]["role"], "admin")

    def test_what_is_kept_signs_nobody_in(self):
        path = os.path.join(self.box.state, "accounts.db")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(path, "rb") as file:
            content = file.read()
        for secret in (WORDS, self.admin.cookie):
            self.assertNotIn(secret.encode(), content)

    def test_the_command_line_makes_accounts(self):
        done = self.box.cli("user", "add", "park", "--role", "teacher", input=WORDS + "\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        api = Api(self.box)
        self.assertEqual(api.must("POST", "sign-in", {"account": "park", "password": WORDS})["role"], "teacher")
        self.assertEqual(self.box.cli("user", "role", "park", "--role", "admin").returncode, 0)
        self.assertEqual(api.get("session")[0], 401, "a new role is signed in anew")
        self.assertEqual(self.box.cli("user", "passwd", "park", input="another good one\n").returncode, 0)
        api.must("POST", "sign-in", {"account": "park", "password": "another good one"})
        self.assertRegex(self.box.cli("user").stdout, r"park +admin +20\d\d-\d\d-\d\d\n")
        self.assertEqual(self.box.cli("user", "remove", "park").returncode, 0)
        for bad in (["add", "Bad Name"], ["add", "kim"], ["passwd", "nobody"], ["remove", "nobody"], ["role", "kim", "--role", "king"]):
            self.assertIn(self.box.cli("user", *bad, input=WORDS + "\n").returncode, (1, 2), bad)
        link = self.box.cli("user", "invite").stdout
        body = {"invitation": link.split("/#/set-up/")[1].strip(), "account": "choi", "password": WORDS}
        Api(self.box).must("POST", "set-up", body)


class Roles(Desk):
    def test_who_may_what(self):
        changes = {"rules/block": {"name": "x.test"}, "windows": {"kind": "pause", "until": int(time.time()) + 60},
                   "windows/close": {"kind": "pause"}, "rules/remove": {"name": "x.test"}}
        admins = {"settings": {"put": {}}, "updates": {"what": "update"}, "reload": {}, "watch": {"client": "127.0.0.9"},
                  "accounts": {"account": "x", "role": "viewer", "password": WORDS}, "tokens": {"label": "x", "role": "viewer"}}
        for role, least in (("viewer", 0), ("teacher", 1), ("admin", 2)):
            api = self.make(role)
            for path in READING:
                self.assertEqual(api.get(path)[0], 200, (role, path))
            for path in ("accounts", "tokens", "audit", "watch"):
                self.assertEqual(api.get(path)[0] == 403, least < 2, (role, path))
            for rank, paths in ((1, changes), (2, admins)):
                for path, body in paths.items():
                    self.assertEqual(api.post(path, body)[0], 200 if least >= rank else 403, (role, path))

    def test_a_token_does_what_its_role_may(self):
        for role, works, fails in (("metrics", "session", "rules"), ("viewer", "rules", "accounts"), ("admin", "accounts", None)):
            made = self.admin.must("POST", "tokens", {"label": role, "role": role})
            api = Api(self.box, token=made["token"])
            self.assertEqual(api.get(works)[0], 200, role)
            if fails:
                self.assertEqual(api.get(fails)[0], 403, role)
            if role == "admin":
                self.assertEqual(api.post("rules/allow", {"name": "y.test"})[0], 200, "no token of forms is needed")
                lines = self.admin.must("GET", "audit")["entries"]
                self.assertEqual(lines[0]["details"]["by"], f"token {made['id']}")
            self.admin.must("POST", "tokens/remove", {"id": made["id"]})
            self.assertEqual(api.get(works)[0], 401, role)
        made = self.admin.must("POST", "tokens", {"label": "short", "role": "viewer", "for_s": 1})
        api = Api(self.box, token=made["token"])
        wait_for(lambda: api.get("status")[0] == 401, "the end of the token")
        self.assertEqual(Api(self.box, token="gg_00000000_" + "0" * 40).get("status")[0], 401)

    def test_the_web_socket_alone_may_nothing_that_needs_a_session(self):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(os.path.join(self.box.folder, "web.sock"))
            for request in ({"command": "stats"}, {"command": "allow", "name": "bad.test"}, {"command": "accounts"},
                            {"command": "change", "session": "0" * 64}, {"command": "invite"},
                            {"command": "sign-in", "account": "kim", "key": "0" * 64}):
                data = json.dumps(request).encode()
                line.sendall(len(data).to_bytes(4, "big") + data)
                size = int.from_bytes(line.recv(4, socket.MSG_WAITALL), "big")
                self.assertFalse(json.loads(line.recv(size, socket.MSG_WAITALL))["ok"], request)


class Secrets(Desk):
    def test_urls_of_lists(self):
        """What an admin put into a URL is shown to admins alone, and to no log."""
        url = "https://user:pw@lists.example/l.txt?key=SECRET"
        source = {"id": "own", "url": url, "category": "adult", "enabled": False}
        self.admin.must("POST", "settings", {"put": {"lists": {"sources": [source]}}})
        viewer = self.make("viewer")
        for api, expected in ((self.admin, url), (viewer, "https://lists.example/l.txt")):
            sources = {one["settings"]["id"]: one["settings"]["url"] for one in api.must("GET", "settings")["sources"]}
            self.assertEqual(sources["own"], expected)
        with open(os.path.join(self.box.state, "audit.log"), encoding="utf-8") as log:
            text = log.read()
        self.assertIn("lists.example", text)
        for secret in ("SECRET", "pw@", WORDS, "verifier", self.admin.cookie):
            self.assertNotIn(secret, text)

    def test_the_log_says_what_was_done(self):
        self.admin.must("POST", "accounts", {"account": "lee", "role": "viewer", "password": WORDS})
        self.admin.must("POST", "accounts", {"account": "lee", "role": "teacher"})
        self.admin.post("updates", {"what": "rollback", "generation": 7})
        entries = self.admin.must("GET", "audit")["entries"]
        self.assertEqual(entries[0]["details"]["to_generation"], 7)
        self.assertNotIn("password", entries[1]["details"])
        self.assertEqual(entries[2]["details"]["password"], True)


class Refusing(Desk):
    config = {"web": {"admin_names": ["dns.school.test"]}}

    def test_only_our_own_names(self):
        for host, status in (("127.0.0.1", 200), ("localhost", 200), ("greengate.lan", 200), ("DNS.school.test", 200), ("[::1]", 200),
                             ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("", 421)):
            self.assertEqual(self.admin.raw("GET", "/", headers={"Host": host})[0] if host else self.no_host(), status, host)

    def no_host(self):
        with socket.create_connection(("127.0.0.1", self.box.admin_port)) as line:
            line.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return int(line.recv(100).split()[1])

    def test_a_request_from_elsewhere_changes_nothing(self):
        body = json.dumps({"name": "csrf.test"})
        good = self.admin.headers("POST")
        for name, change, status in (("no token", {"X-CSRF-Token": ""}, 403), ("wrong token", {"X-CSRF-Token": "0" * 32}, 403),
                                     ("other origin", {"Origin": "http://evil.example"}, 403), ("null origin", {"Origin": "null"}, 403),
                                     ("a form", {"Content-Type": "text/plain"}, 415), ("no cookie", {"Cookie": ""}, 401), ("all right", {}, 200)):
            self.assertEqual(self.admin.raw("POST", "/api/v1/rules/allow", body, {**good, **change})[0], status, name)
        self.assertEqual(Api(self.box).ask("POST", "sign-in", {"account": "kim", "password": WORDS}, headers={"Origin": "http://evil.example"})[0], 403)

    def test_headers_of_pages(self):
        status, headers, body = self.admin.raw("GET", "/", headers={"Accept-Encoding": "gzip"})
        self.assertEqual((status, headers["Content-Encoding"], body[:2]), (200, "gzip", b"\x1f\x8b"))
        for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            self.assertIn(part, headers["Content-Security-Policy"])
        self.assertNotIn("unsafe", headers["Content-Security-Policy"])
        self.assertEqual(self.admin.raw("GET", "/", headers={"If-None-Match": headers["ETag"]})[0], 304)
        self.assertEqual(self.admin.raw("HEAD", "/main.js")[2], b"")
        self.assertNotIn("Access-Control-Allow-Origin", headers)

    def test_paths_and_methods(self):
        for method, path, status in (("GET", "/../../etc/passwd", 404), ("GET", "/%2e%2e/x", 404), ("GET", "/dashboard/index.html", 404),
                                     ("POST", "/", 405), ("PUT", "/api/v1/rules", 405), ("GET", "/api/v1/rules/allow", 405),
                                     ("GET", "/api/v1/nothing", 404), ("GET", "/api/v1/", 404), ("DELETE", "/api/v1/status", 405)):
            self.assertEqual(self.admin.raw(method, path, headers=self.admin.headers("GET"))[0], status, (method, path))
        self.assertEqual(self.admin.raw("GET", "/api/v1/status", headers={"Upgrade": "h2c", "Connection": "Upgrade"})[0], 401)

    def test_names_that_strangers_ask_for_are_text(self):
        """Names in answers are data: quotes, tags and control octets stay what they are."""
        name = "x\\\"><img src=x onerror=alert(1)>.bad.test"
        status, reply = self.admin.get("check?name=" + "%3Cimg%20src%3Dx%3E.bad.test")
        self.assertEqual((status, reply["name"]), (200, r"\060img\032src\061x\062.bad.test"))
        rule = self.admin.must("POST", "rules/allow", {"name": name})["rule"]
        self.assertNotRegex(rule["name"], r"[<>\"]")


class Health(Desk):
    config = {"web": {"metrics_from": []}}

    def test_health_and_metrics(self):
        self.assertEqual(self.admin.raw("GET", "/greengate/health")[0], 200)
        self.assertEqual(self.admin.raw("GET", "/metrics")[0], 401)
        self.box.ask("bad.test")
        token = self.admin.must("POST", "tokens", {"label": "prometheus", "role": "metrics"})["token"]
        status, headers, body = self.admin.raw("GET", "/metrics", headers={"Authorization": f"Bearer {token}"})
        self.assertEqual((status, headers["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
        self.assertIn(b"\ngreengate_dns_requests_total{", body)
        self.box.daemon.stop()
        self.assertEqual(self.admin.raw("GET", "/greengate/health")[0], 503)
        self.assertEqual(self.admin.raw("GET", "/")[0], 200, "the page still says politely what it knows")
        self.assertEqual(self.admin.get("status"), (503, {"ok": False, "why": "daemon", "error": "greengated does not answer"}))
        self.box.start()
        self.assertEqual(self.admin.raw("GET", "/greengate/health")[0], 200)

    def test_dns_goes_on_without_the_web_process(self):
        self.box.web.process.kill()
        self.box.web.process.wait()
        self.assertTrue(self.box.ask("bad.test").ede)


class Managed(unittest.TestCase):
    def test_a_service_manager_is_told(self):
        """Ready when it listens, alive while its loop turns, and that it stops."""
        box = self.enterContext(Box(lists=[("adult", "adult", ["bad.test"])]))
        manager = Manager(box.folder)
        self.addCleanup(manager.close)
        box.web = Program([box.program("greengate-web"), "-c", box.path], os.path.join(box.folder, "web.log"),
                          env=dict(os.environ, NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="600000"), **as_user())
        wait_for(lambda: manager.has("READY"), "the word that it is ready")
        self.assertTrue(box.web_answers())
        wait_for(lambda: sum(state.get("WATCHDOG") == "1" for state in manager.said) > 2, "signs of life")
        box.web.hold()
        beats = len(manager.said)
        box.web.process.send_signal(signal.SIGCONT)
        wait_for(lambda: len(manager.said) > beats, "another")
        box.web.process.terminate()
        wait_for(lambda: manager.has("STOPPING"), "the word that it stops")


class Elsewhere(unittest.TestCase):
    """Beyond this machine passwords travel by TLS, or not at all. 198.51.100.77 stands for the network: nobody listens
    there, so what is said tells whether it was tried."""

    def start(self, served=True, **web):
        box = self.enterContext(Box(start=False, web=served))
        box.config["web"].update(admin_listen=[f"198.51.100.77:{box.admin_port}", f"127.0.0.1:{box.admin_port}"], **web)
        box.write_config()
        return box.start()

    def said(self, box):
        done = box.cli("config", "check")
        self.assertEqual((done.returncode, done.stdout), (0, "ok\n"))
        found = json.loads(box.cli("--json", "doctor").stdout)["findings"]
        return done.stderr, box.json("config", "check")["warnings"], [one["text"] for one in found if one["topic"] == "dashboard"]

    def test_not_served_without_a_certificate(self):
        box = self.start()
        for text in (*self.said(box), [box.web.text()]):
            self.assertRegex("".join(text), r"198\.51\.100\.77.*passwords would cross the network in the clear")
        self.assertNotIn("cannot listen on 198.51.100.77", box.web.text())
        link = f"http://127.0.0.1:{box.admin_port}/#/set-up/"
        self.assertIn(link, box.daemon.text(), "the link leads where it is served")
        self.assertIn(link, box.cli("user", "invite").stdout)

    def test_served_when_somebody_else_sees_to_it(self):
        box = self.start(admin_plain=True)
        self.assertIn("cannot listen on 198.51.100.77", box.web.text())
        for text in self.said(box):
            self.assertRegex("".join(text), r"198\.51\.100\.77.*passwords cross the network in the clear")

    def test_with_a_certificate_nothing_is_said(self):
        box = self.start(served=False, admin_tls_cert="/nowhere/cert.pem", admin_tls_key="/nowhere/key.pem")
        self.assertEqual(self.said(box), ("", [], []))


class Secure(Desk):
    def setUp(self):
        """With a certificate the dashboard is https, and a new certificate is taken without a restart."""
        self.box = self.enterContext(Box(start=False))
        self.certificate, self.key = (os.path.join(self.box.folder, name) for name in ("cert.pem", "key.pem"))
        self.make_certificate("one.school.test")
        self.box.config["web"].update(admin_tls_cert=self.certificate, admin_tls_key=self.key)
        self.box.write_config()
        self.box.with_web = True
        self.box.start()

    def make_certificate(self, name):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                        "-keyout", self.key + ".new", "-out", self.certificate + ".new"], check=True, capture_output=True)
        for path in (self.key, self.certificate):
            os.chmod(path + ".new", 0o644)
            os.rename(path + ".new", path)

    def ask(self, path="/"):
        context = ssl.create_default_context(cafile=self.certificate)
        context.check_hostname = False
        line = http.client.HTTPSConnection("127.0.0.1", self.box.admin_port, context=context, timeout=10)
        with contextlib.closing(line):
            line.request("GET", path)
            return line.getresponse().read()

    def test_https(self):
        self.assertIn("https://127.0.0.1", self.box.daemon.text())
        self.assertIn(b"<title>greengate", self.ask())
        self.assertGreater(len(self.ask("/chart.js")), 100000)
        self.assertRaises((OSError, http.client.HTTPException), Api(self.box).raw, "GET", "/")
        self.make_certificate("two.school.test")

        def renewed():
            try:
                return b"<title>" in self.ask()
            except ssl.SSLError:
                return False
        wait_for(renewed, "the new certificate", 20)


class Events(Desk):
    def listen(self, api):
        line = http.client.HTTPConnection("127.0.0.1", self.box.admin_port, timeout=15)
        line.request("GET", "/api/v1/events", headers={"Host": api.host, **api.headers("GET")})
        return line, line.getresponse()

    def event(self, answer):
        name = answer.readline().decode().strip()
        data = answer.readline().decode().strip()
        answer.readline()
        return name, json.loads(data.removeprefix("data: ")) if data else None

    def test_status_as_it_changes(self):
        line, answer = self.listen(self.admin)
        with contextlib.closing(line), answer:
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/event-stream"))
            name, first = self.event(answer)
            self.assertEqual((name, first["state"]), ("event: status", "protected"))
            for _ in range(5):
                self.box.ask("bad.test")
            second = first
            while second["queries"] < first["queries"] + 5:
                second = self.event(answer)[1]
            self.admin.must("POST", "sign-out", {})
            while answer.readline():
                pass # the stream ends by itself

    def test_sixteen_look_and_no_more(self):
        tokens = [Api(self.box, token=self.admin.must("POST", "tokens", {"label": "x", "role": "viewer"})["token"]) for _ in range(5)]
        line, answer = self.listen(Api(self.box))
        with contextlib.closing(line), answer:
            self.assertEqual(answer.status, 401)
        lines = [self.listen(tokens[n // 4]) for n in range(17)]
        self.assertEqual(sorted(answer.status for _, answer in lines), [200] * 16 + [503])
        for line, answer in lines:
            answer.close()
            line.close()

        def free():
            line, answer = self.listen(tokens[4])
            with contextlib.closing(line), answer:
                return answer.status == 200
        wait_for(free, "a free place")


    def test_who_listens_has_nothing_to_say(self):
        """Octets behind the request end the stream, with and without the daemon; nobody is served twice."""
        head = (f"GET /api/v1/events HTTP/1.1\r\nHost: {self.admin.host}\r\n"
                f"Cookie: greengate_session={self.admin.cookie}\r\n\r\n").encode()
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", self.box.admin_port), 10) as line:
                line.sendall(head)
                seen = line.recv(4096)
                for _ in range(4):
                    try:
                        line.sendall(b"x")
                    except OSError:
                        break
                while more := self.receive(line):
                    seen += more
                self.assertEqual(seen.count(b"HTTP/1.1"), 1)
        self.assertEqual(self.admin.get("status")[0], 200)
        self.box.daemon.stop()
        line, answer = self.listen(Api(self.box, token="nonsense"))
        with contextlib.closing(line), answer:
            self.assertEqual(answer.status, 503, "nobody is known to be there")
        self.assertTrue(self.box.web.alive())

    @staticmethod
    def receive(line):
        try:
            return line.recv(4096)
        except OSError:
            return b""

    def test_one_session_looks_with_four_pages(self):
        lines = [self.listen(self.admin) for _ in range(5)]
        first = lines[0][1]
        self.assertEqual([answer.status for _, answer in lines], [200] * 5)
        while first.readline():
            pass # the oldest ends
        for line, answer in lines:
            answer.close()
            line.close()


class Updates(Desk):
    def test_an_update_that_somebody_asked_for(self):
        """The daemon executes nothing: it leaves a request; `update --requested` answers and tells how it went."""
        self.assertEqual(self.admin.must("GET", "updates")["waiting"], False)
        self.assertEqual(self.admin.post("updates", {"what": "update", "lists": ["nonsense"]})[0], 400)
        self.assertEqual(self.admin.post("updates", {"what": "rollback"})[0], 400)
        self.box.write("adult.list", b"bad.test\nworse.test\n")
        self.admin.must("POST", "updates", {"what": "update"})
        self.assertTrue(self.admin.must("GET", "updates")["waiting"])
        self.assertEqual(self.admin.post("updates", {"what": "update"})[0], 409, "one at a time")
        self.assertEqual(self.box.cli("update", "--requested").returncode, 0)
        reply = self.admin.must("GET", "updates")
        self.assertEqual((reply["waiting"], reply["last"]["state"]), (False, "done"))
        self.assertEqual(reply["last"]["result"]["sources"][0]["id"], "adult")
        self.assertEqual(len(reply["generations"]), 1 + reply["last"]["result"]["installed"])
        self.assertEqual(self.box.cli("update", "--requested").returncode, 0, "nothing is asked: nothing is done")

    def test_one_that_was_killed_is_not_running(self):
        gone = subprocess.Popen(["true"])
        gone.wait()
        self.box.write("state/update.status", json.dumps({"what": "update", "state": "running", "pid": gone.pid}).encode())
        last = self.admin.must("GET", "updates")["last"]
        self.assertEqual((last["state"], last["result"]["error"]), ("failed", "it ended before it was done"))
        self.box.write("state/update.status", json.dumps({"what": "update", "state": "running", "pid": os.getpid()}).encode())
        self.assertEqual(self.admin.must("GET", "updates")["last"]["state"], "running")
        self.box.write("state/update.status", b" " * 600000)
        self.assertEqual(self.admin.must("GET", "updates")["last"], {})

    def test_a_request_that_is_none(self):
        for content in (b"", b"[]", b'{"what":"rm"}', b"{" * 1000):
            with open(os.path.join(self.box.state, "update.request"), "wb") as out:
                out.write(content)
            self.assertNotEqual(self.box.cli("update", "--requested").returncode, 0, content)
            self.assertFalse(os.path.exists(os.path.join(self.box.state, "update.request")), "it would be started for ever")


class Description(Desk):
    """Every path of the API's own description, with all that is wrong."""

    def test_openapi(self):
        text = subprocess.run([os.path.join(BUILD, "greengate-web"), "-A"], capture_output=True, text=True, check=True).stdout
        status, _, body = self.admin.raw("GET", "/api/v1/openapi.json")
        self.assertEqual((status, json.loads(text)), (200, json.loads(body)))
        paths = json.loads(text)["paths"]
        self.assertEqual(paths["/check"]["get"]["parameters"][0]["name"], "name")
        wrong = {"string": [7, None, [], {}], "integer": ["x", -1, 1.5, 1e300, {}], "boolean": ["yes", 3], "object": ["x", []], "array": ["x", {}, [7]]}
        deep = "[" * 40 + "]" * 40
        for path, item in paths.items():
            for method, operation in item.items():
                if path in ("/sign-in", "/set-up", "/password", "/sign-out"):
                    continue
                self.assertEqual(Api(self.box).ask(method.upper(), path[1:], {} if method == "post" else None)[0], 401, path)
                for label, send in self.wrongs(operation, wrong, deep):
                    with self.subTest(path=path, wrong=label):
                        status, reply = send(method.upper(), path[1:])
                        self.assertIn(status, (400, 403, 409, 422), reply)
                        self.assertFalse(reply["ok"])
        self.assertEqual(self.admin.get("session")[0], 200)

    def wrongs(self, operation, wrong, deep):
        ask = self.admin.ask
        if "requestBody" not in operation:
            yield "unknown parameter", lambda m, p: ask(m, f"{p}?nonsense=1")
            for parameter in operation["parameters"]:
                if parameter["schema"]["type"] in ("integer", "boolean"):
                    yield parameter["name"], lambda m, p, n=parameter["name"]: ask(m, f"{p}?{n}=x")
            return
        properties = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
        for body in ("", "x", "[]", "7", '{"a":', deep, '{"nonsense":1}', '{"put":' + deep + "}", b"\xff\xfe", '{"name":"a"} x'):
            if body or properties:
                yield f"body {body[:20]}", lambda m, p, b=body: ask(m, p, b or "null")
        for name, schema in properties.items():
            for value in wrong[schema["type"]]:
                yield f"{name} {value}", lambda m, p, n=name, v=value: ask(m, p, {n: v})

    def test_too_large(self):
        status, _, _ = self.admin.raw("POST", "/api/v1/rules/allow", b"x" * 60000, self.admin.headers("POST"))
        self.assertEqual(status, 413)
        status, _ = self.admin.get("check?name=" + "a" * 1000)
        self.assertEqual(status, 414)

    def test_a_body_that_would_not_come(self):
        headers = {**self.admin.headers("POST"), "Expect": "100-continue"}
        self.assertEqual(self.admin.raw("POST", "/api/v1/settings", b'{"put":{}}', headers)[0], 417)

    def test_many_at_once(self):
        """Sign-ins queue; what others ask is answered meanwhile."""
        self.assertEqual(self.admin.get("status")[0], 200)
        threads = [threading.Thread(target=lambda: Api(self.box).post("sign-in", {"account": "kim", "password": WORDS})) for _ in range(20)]
        for thread in threads:
            thread.start()
        begun = time.monotonic()
        self.assertEqual(self.admin.get("status")[0], 200)
        self.assertLess(time.monotonic() - begun, 2 * SLOWER)
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    unittest.main()
