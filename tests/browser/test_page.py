# SPDX-License-Identifier: Apache-2.0
"""The warning page in a real Chromium, on a network whose only resolver is greengate."""
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
import netns  # noqa: E402
from harness import BUILD, Box, Program, wait_for  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
MODULES = os.path.join(os.path.dirname(BUILD), "browser", "node_modules")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SHOTS = os.path.join(os.path.dirname(BUILD), "browser", "shots")
GATE, OPEN, CLIENT = "10.1.0.1", "10.1.0.2", "10.1.0.5"
# Real top-level domains: a browser treats those of tests otherwise.
FAKE, GAME, ADS, SITE = "fake-pictures.com", "game-of-all.com", "adverts.net", "school-site.org"
PAGE = f"""<!doctype html><html lang=en><title>A school site</title><h1>Lessons</h1>
<img src="http://{ADS}/banner.png" alt=""><iframe src="http://{GAME}/play" title=game></iframe>
<script src="http://{ADS}/track.js"></script>"""


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def enter(space):
    import ctypes
    with open(f"/run/netns/{space}", "rb") as file:
        if ctypes.CDLL(None).setns(file.fileno(), 0):
            os._exit(99)


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not CHROMIUM or not shutil.which("node") or not os.path.isdir(MODULES):
            raise unittest.SkipTest("needs chromium, node and `make test-browser`")
        cls.spaces = cls.enterClassContext(netns.Namespaces("gate", "client"))
        cls.spaces.wire("gate", "client", "lan0", "eth0")
        cls.spaces.give("gate", "lan0", f"{GATE}/16", f"{OPEN}/16")
        cls.spaces.give("client", "eth0", f"{CLIENT}/16")
        cls.spaces.run("client", "ip", "route", "add", "default", "via", GATE)
        cls.folder = f"/etc/netns/{cls.spaces.names['client']}"  # `ip netns exec` puts it over /etc
        os.makedirs(cls.folder)
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        with open(os.path.join(cls.folder, "resolv.conf"), "w", encoding="utf-8") as out:
            out.write(f"nameserver {GATE}\n")
        os.makedirs(SHOTS, exist_ok=True)
        cls.box = cls.enterClassContext(Box(
            lists=[("fake", "deepfake", [f"||{FAKE}^"]), ("ads", "malware", [f"||{ADS}^"]),
                   ("games", "games", [f"||{GAME}^"])], start=False,
            config={"dns": {"listen": [f"{GATE}:53"], "records": [{"name": SITE, "address": OPEN}]},
                    "web": {"listen": [f"{GATE}:80"], "organisation": "푸른초등학교", "contact": "02-123-4567"},
                    "groups": [{"name": "pupils", "clients": [], "block": ["deepfake", "malware"],
                                "schedule": [{"block": ["games"], "from": "00:00", "to": "24:00"}]}]}))
        gate = cls.spaces.names["gate"]
        cls.box.start(user=None, preexec_fn=lambda: enter(gate))
        cls.box.web = Program([cls.box.program("greengate-web"), "-c", cls.box.path],
                              os.path.join(cls.box.folder, "web.log"), preexec_fn=lambda: enter(gate))
        cls.serve_site(gate)
        wait_for(lambda: cls.spaces.probe("client", {"server": GATE, "port": 80, "source": CLIENT}) == ["open"], "the page")

    @classmethod
    def serve_site(cls, gate):
        """A site that is not blocked, on the gateway's other address."""
        ready = threading.Event()

        def serve():
            enter(gate)
            cls.site = http.server.ThreadingHTTPServer((OPEN, 80), Site)
            ready.set()
            cls.site.serve_forever()
        threading.Thread(target=serve, daemon=True).start()
        assert ready.wait(10)
        cls.addClassCleanup(lambda: cls.site.shutdown())

    def visit(self, *visits):
        wanted = {"chromium": CHROMIUM, "modules": MODULES, "visits": visits}
        out = self.spaces.run("client", "node", os.path.join(HERE, "visit.js"), json.dumps(wanted), timeout=100,
                              env={**os.environ, "HOME": "/tmp"})
        return json.loads(out)

    def shot(self, name):
        return os.path.join(SHOTS, f"{name}.png")

    def test_what_a_child_sees(self):
        """In each language, light and dark, on a phone and on paper: no barrier, nothing from elsewhere."""
        visits = [{"url": f"http://{FAKE}/some/path?q=1", "language": language, "axe": True,
                   "shot": self.shot(f"page-{language}")} for language in ("ko-KR", "en-US", "zh-CN", "vi-VN", "ja-JP")]
        visits += [{"url": f"http://{FAKE}/", "axe": True, "dark": True, "shot": self.shot("page-dark")},
                   {"url": f"http://{FAKE}/", "axe": True, "width": 320, "shot": self.shot("page-phone")},
                   {"url": f"http://{FAKE}/", "media": "print", "shot": self.shot("page-print")}]
        for seen, asked in zip(self.visit(*visits), visits):
            with self.subTest(asked.get("shot")):
                self.assertEqual((seen.get("error"), seen["status"], seen["cookies"]), (None, 403, 0))
                self.assertIn(FAKE, seen["text"])
                self.assertIn("02-123-4567", seen["text"])
                self.assertIn("1366", seen["text"])
                self.assertFalse(seen["overflow"], "wider than the screen")
                self.assertEqual([u for u in seen["requests"] if not u.startswith(f"http://{FAKE}/")], [])
                self.assertEqual(seen["console"], [] if not seen["console"] else
                                 [text for text in seen["console"] if "403" in text])
                self.assertEqual(seen.get("violations", []), [])
                self.assertGreater(seen.get("checked", 99), 10)

    def test_our_own_name_says_whose_filter_it_is(self):
        own = "http://greengate.lan/"
        visits = [{"url": own, "language": language, "axe": True, "dark": dark, "width": width, "shot": self.shot(f"own-{language}-{width}{'-dark' * dark}")}
                  for language in ("ko-KR", "en-US") for width in (390, 1280) for dark in (False, True)]
        visits += [{"url": own, "language": language, "axe": True, "width": 320} for language in ("zh-CN", "vi-VN", "ja-JP")]
        for seen, asked in zip(self.visit(*visits), visits):
            with self.subTest(asked):
                self.assertEqual((seen.get("error"), seen["status"], seen["cookies"]), (None, 200, 0))
                for words in ("푸른초등학교", "02-123-4567", "1366", "1388"):
                    self.assertIn(words, seen["text"])
                self.assertFalse(seen["overflow"])
                self.assertEqual([u for u in seen["requests"] if not u.startswith(own)], [])
                self.assertEqual(seen["violations"], [])

    def test_schedules_say_when(self):
        seen, = self.visit({"url": f"http://{GAME}/", "language": "en-US", "axe": True, "shot": self.shot("page-schedule")})
        self.assertIn("Not at this time", seen["text"])
        self.assertEqual(seen["violations"], [])

    def test_a_child_asks_and_reads_the_answer(self):
        asked, barriers = self.visit(
            {"url": f"http://{FAKE}/", "language": "ko-KR", "submit": "과학 숙제에 필요해요", "shot": self.shot("review-ko")},
            {"url": f"http://{FAKE}/", "submit": "", "axe": True, "width": 320})
        self.assertEqual((asked.get("error"), asked["status"]), (None, 200))
        self.assertTrue(asked["url"].startswith("http://greengate.lan/review/"), asked["url"])
        self.assertIn("부탁이 전달되었습니다", asked["text"])
        self.assertEqual(barriers["violations"], [])
        self.assertFalse(barriers["overflow"])
        review, = self.box.json("requests")["reviews"]
        self.assertEqual((review["texts"], review["times"]), (["과학 숙제에 필요해요"], 2))
        self.box.cli("requests", "deny", review["code"], "--note", "도서관 컴퓨터를 쓰세요")
        seen, = self.visit({"url": asked["url"], "language": "ko-KR", "axe": True, "dark": True, "shot": self.shot("review-answer")})
        self.assertIn("도서관 컴퓨터를 쓰세요", seen["text"])
        self.assertEqual(seen["violations"], [])

    def test_https_is_refused_at_once(self):
        seen, = self.visit({"url": f"https://{FAKE}/"})
        self.assertIn("ERR_CONNECTION_REFUSED", seen["error"])
        self.assertLess(seen["ms"], 3000)

    def test_a_site_with_blocked_parts_loads_at_once(self):
        seen, = self.visit({"url": f"http://{SITE}/", "shot": self.shot("site")})
        self.assertEqual((seen["status"], seen["title"]), (200, "A school site"))
        self.assertIn("Lessons", seen["text"])
        self.assertLess(seen["ms"], 3000)

    def test_what_is_not_blocked_says_so(self):
        """The browser holds an older answer: the page does not invent a reason."""
        seen, = self.visit({"url": f"http://{GATE}/", "language": "en-US"})
        self.assertNotIn("punishment", seen["text"])


if __name__ == "__main__":
    unittest.main()
