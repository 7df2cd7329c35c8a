# SPDX-License-Identifier: Apache-2.0
"""SafeSearch, services and ways around, with the names that ship."""
import unittest

from fakeupstream import FakeUpstream, Send
from harness import Box
import dnswire

SAFE, PLAIN = "192.0.2.120", "192.0.2.9"
ENGINES = [
    ("www.google.com", "forcesafesearch.google.com"), ("google.com", "forcesafesearch.google.com"),
    ("www.google.co.kr", "forcesafesearch.google.com"), ("WWW.google.com.BR", "forcesafesearch.google.com"),
    ("www.bing.com", "strict.bing.com"), ("duckduckgo.com", "safe.duckduckgo.com"),
    ("search.brave.com", "forcesafe.search.brave.com"), ("ya.ru", "familysearch.yandex.ru"),
    ("www.ecosia.org", "strict-safe-search.ecosia.org"), ("pixabay.com", "safesearch.pixabay.com"),
    ("www.youtube.com", "restrictmoderate.youtube.com"), ("youtubei.googleapis.com", "restrictmoderate.youtube.com"),
]
WAYS = ["dns.google", "cloudflare-dns.com", "mozilla.cloudflare-dns.com", "dns.quad9.net", "doh.opendns.com",
        "dns.nextdns.io", "dns.adguard-dns.com", "one.one.one.one", "www-example-com.translate.goog",
        "webcache.googleusercontent.com", "cc.bingj.com", "archive.ph", "12ft.io", "1-2-3-4.nip.io",
        "1.2.3.4.sslip.io", "www.torproject.org", "nordvpn.com", "www.croxyproxy.com", "psiphon.ca"]


def handler(asked, transport):
    name, kind, _ = asked.questions[0]
    safe = any(name.lower() == target for _, target in ENGINES)
    value = {"A": SAFE if safe else PLAIN, "AAAA": "2001:db8::9"}.get(kind)
    return [Send(dnswire.answer(asked, [(None, kind, value, 300)] if value else []))]


class Shipped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        upstream = cls.enterClassContext(FakeUpstream(handler))
        groups = [{"name": "staff", "clients": ["127.0.0.2/32"], "block": []},
                  {"name": "pupils", "clients": [], "block": ["bypass"], "services": ["tiktok", "roblox"],
                   "safe_search": True, "youtube": "moderate", "unsafe_search": "block"}]
        cls.box = cls.enterClassContext(Box(upstream=[upstream.url], config={"groups": groups}))

    def test_engines_are_answered_with_their_safe_mode(self):
        for name, target in ENGINES:
            for tcp in (False, True):
                with self.subTest(name, tcp=tcp):
                    reply = self.box.ask(name, tcp=tcp)
                    self.assertEqual(reply.texts(), [target, SAFE], reply)
                    self.assertEqual(reply.ede[0][0], 4)

    def test_bindings_and_other_types(self):
        self.assertEqual(self.box.ask("www.google.com", "HTTPS").answers, [])
        self.assertEqual([rr.type for rr in self.box.ask("www.google.com", "AAAA").answers], ["CNAME", "AAAA"])
        self.assertEqual(self.box.ask("google.com", "TXT").ede, [])
        self.assertEqual(self.box.ask("maps.google.com").texts(), [PLAIN])
        self.assertEqual(self.box.ask("www.google.com", source="127.0.0.2").texts(), [PLAIN])

    def test_engines_without_a_safe_mode(self):
        for name in ("search.yahoo.com", "www.startpage.com", "html.duckduckgo.com", "searx.be"):
            with self.subTest(name):
                self.assertEqual(self.box.ask(name).ede[0][0], 15)
        self.assertEqual(self.box.ask("search.naver.com").texts(), [PLAIN])

    def test_ways_around_hold_without_lists(self):
        for name in WAYS:
            for kind in ("A", "AAAA", "HTTPS", "TXT"):
                with self.subTest(f"{name} {kind}"):
                    self.assertEqual(self.box.ask(name, kind).rcode, "NXDOMAIN")
        self.assertEqual(self.box.ask("dns.google", source="127.0.0.2").texts(), [PLAIN])

    def test_services(self):
        for name in ("www.tiktok.com", "v16.tiktokcdn.com", "www.roblox.com", "c0.rbxcdn.com"):
            with self.subTest(name):
                self.assertEqual(self.box.ask(name).ede[0][0], 15)
        self.assertEqual(self.box.ask("www.instagram.com").texts(), [PLAIN])
        services = self.box.json("services")["services"]
        self.assertGreater(len(services), 40)
        self.assertEqual([s["groups"] for s in services if s["id"] == "tiktok"], [["pupils"]])
        self.assertNotEqual(self.box.cli("services", "show", "tiktak").returncode, 0)

    def test_check_explains(self):
        why = self.box.json("check", "www.google.co.kr")
        self.assertEqual((why["reason"], why["target"], why["known"], why["known_file"], why["ede"]),
                         ("safe-search", "forcesafesearch.google.com", "google", "safesearch.yaml", 4))
        why = self.box.json("check", "www.tiktok.com")
        self.assertEqual((why["reason"], why["known"], why["entry"]), ("service", "tiktok", "tiktok.com"))
        why = self.box.json("check", "1-2-3-4.nip.io")
        self.assertEqual((why["reason"], why["category"], why["known"]), ("way-around", "bypass", "address"))

    def test_the_page_says_why(self):
        groups = [{"name": "all", "clients": [], "block": [], "services": ["tiktok"], "safe_search": True,
                   "unsafe_search": "block", "schedule": [{"block": ["all"], "except": ["education"]}]}]
        with Box(web=True, config={"groups": groups}) as box:
            for host, words in (("www.tiktok.com", "꺼 둔 서비스"), ("searx.be", "안전 검색이 없는"),
                                ("any.example", "지금은 쓸 수 없는 시간")):
                with self.subTest(host):
                    status, _, body = box.page(host)
                    self.assertEqual(status, 403)
                    self.assertIn(words, body if isinstance(body, str) else body.decode())

    def test_unknown_service_is_a_mistake_with_a_hint(self):
        with Box(start=False, config={"groups": [{"name": "all", "clients": [], "services": ["tiktak"]}]}) as box:
            done = box.cli("config", "check")
            self.assertEqual(done.returncode, 4)
            self.assertIn("did you mean 'tiktok'?", done.stderr)


if __name__ == "__main__":
    unittest.main()
