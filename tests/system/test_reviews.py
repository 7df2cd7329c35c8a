# SPDX-License-Identifier: Apache-2.0
"""Please review this site": from the warning page to the answer, over real HTTP."""
import http.client
import os
import re
import socket
import unittest
import urllib.parse

from fakeupstream import FakeUpstream, address
from harness import Box, wait_for

OWN = "greengate.lan"


class Pages(unittest.TestCase):
    config = {}

    def setUp(self):
        upstream = self.enterContext(FakeUpstream(address("198.51.100.1")))
        self.box = self.enterContext(Box(
            upstream=[upstream.url], lists=[("bad", "adult", ["secretbad.test", "other.test"])], web=True,
            config={"groups": [{"name": "pupils", "clients": ["127.0.0.1/32"], "block": ["adult"]},
                               {"name": "rest", "clients": [], "block": ["adult"]}], **self.config}))

    def send(self, method, host, path, body=None, headers=(), source="127.0.0.1"):
        """(status, headers, body) of greengate-web."""
        line = http.client.HTTPConnection("127.0.0.1", self.box.web_port, timeout=10, source_address=(source, 0))
        line.request(method, path, body, {"Host": host, "Accept": "text/html", "Accept-Language": "en", **dict(headers)})
        reply = line.getresponse()
        found = reply.status, dict(reply.getheaders()), reply.read().decode()
        line.close()
        return found


class Reviews(Pages):
    def form(self, host="secretbad.test", source="127.0.0.1"):
        """The fields of the page's form, and where it leads."""
        status, headers, page = self.send("GET", host, "/", source=source)
        self.assertEqual(status, 403)
        action = re.search(r'<form method="post" action="([^"]*)"', page)
        self.assertTrue(action, page)
        self.assertIn(f"form-action {action[1].removesuffix('/review')}", headers["Content-Security-Policy"])
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)), action[1]

    def post(self, fields, source="127.0.0.1"):
        return self.send("POST", f"{OWN}:{self.box.web_port}", "/review", urllib.parse.urlencode(fields),
                         {"Content-Type": "application/x-www-form-urlencoded"}, source)

    def ask(self, host="secretbad.test", text="", source="127.0.0.1"):
        """The code."""
        fields, action = self.form(host, source)
        self.assertEqual(action, f"http://{OWN}:{self.box.web_port}/review")
        status, headers, _ = self.post({**fields, "text": text}, source)
        self.assertEqual(status, 303)
        self.assertEqual(headers["Cache-Control"], "no-store")
        return headers["Location"].removeprefix(f"{action}/")

    def state(self, code):
        return self.send("GET", OWN, f"/review/{code}")

    def address(self, source="127.0.0.1"):
        return socket.inet_ntoa(self.box.ask("secretbad.test", source=source).answers[0].rdata)

    def waiting(self):
        return self.box.json("requests")["reviews"]

    def test_asked_approved_and_open(self):
        code = self.ask(text="for the history lesson")
        status, _, page = self.state(code)
        self.assertEqual(status, 200)
        self.assertIn("Your request has arrived", page)
        self.assertIn(code, page)
        self.assertIn("secretbad.test", page)
        review, = self.waiting()
        self.assertEqual({k: review[k] for k in ("code", "name", "group", "category", "times", "texts")},
                         {"code": code, "name": "secretbad.test", "group": "pupils", "category": "adult",
                          "times": 1, "texts": ["for the history lesson"]})
        self.assertIn("1 request without an answer", self.box.cli("status").stdout)
        done = self.box.cli("requests", "approve", code.lower(), "--for", "7d", "--note", "with Ms Kim")
        self.assertIn("allowed: secretbad.test and all below it, for group pupils, until 20", done.stdout)
        self.assertEqual(self.address(), "198.51.100.1")
        self.assertNotEqual(self.address("127.0.0.9"), "198.51.100.1")
        status, _, page = self.state(code)
        self.assertIn("The site was opened", page)
        self.assertIn("It is open until", page)
        self.assertIn("with Ms Kim", page)
        self.assertEqual(self.waiting(), [])
        rule, = self.box.json("rules")["rules"]
        self.assertEqual((rule["name"], rule["group"], rule["note"]), ("secretbad.test", "pupils", f"review {code}"))

    def test_what_was_open_for_a_time_says_that_it_is_over(self):
        code = self.ask()
        self.box.cli("requests", "approve", code, "--for", "1s")
        wait_for(lambda: "blocked again" in self.state(code)[2], "the end")
        other = self.ask("other.test")
        self.box.cli("requests", "approve", other)
        self.assertIn("The site was opened", self.state(other)[2])
        self.box.cli("rules", "remove", "other.test", "--group", "pupils")
        self.assertIn("blocked again", self.state(other)[2])
        self.assertEqual(self.box.cli("requests", "deny", other).returncode, 0)  # there is no rule to take back

    def test_the_form_leads_where_the_browser_finds_us(self):
        """A browser on this machine finds what it calls NAME.localhost, though no DNS leads it here (`make run`)."""
        own = f"{OWN}.localhost"
        fields, action = self.form("secretbad.test.localhost")
        self.assertEqual(action, f"http://{own}:{self.box.web_port}/review")
        self.assertEqual(fields["name"], "secretbad.test")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        status, headers, _ = self.send("POST", f"{own}:{self.box.web_port}", "/review", urllib.parse.urlencode(fields), form)
        self.assertEqual((status, headers["Location"].rpartition("/")[0]), (303, action))
        status, headers, page = self.send("GET", own, headers["Location"].removeprefix(action.removesuffix("/review")))
        self.assertEqual(status, 200)
        self.assertIn("Your request has arrived", page)
        self.assertIn(f"form-action {action.removesuffix('/review')}", headers["Content-Security-Policy"])
        self.assertEqual(self.form()[1], f"http://{OWN}:{self.box.web_port}/review", "elsewhere nothing has changed")

    def test_a_rule_that_ends_says_when_on_the_page(self):
        self.box.cli("block", "brief.test", "--for", "2h")
        self.assertIn("It opens again at <strong>", self.send("GET", "brief.test", "/")[2])
        self.box.cli("block", "secretbad.test", "--for", "2h")  # a list blocks it then as well
        self.assertNotIn("It opens again", self.send("GET", "secretbad.test", "/")[2])

    def test_a_page_by_one_family_and_a_form_by_the_other(self):
        """A browser chooses for each name anew."""
        fields, _ = self.form()
        self.assertEqual(self.post(fields, "127.0.0.9")[0], 303)

    def test_a_public_suffix_is_refused(self):
        self.box.cli("block", "co.kr", "--exact", "--group", "pupils")
        code = self.ask("co.kr")
        done = self.box.cli("requests", "approve", code)
        self.assertEqual((done.returncode, "is a public suffix" in done.stderr), (1, True))
        self.assertEqual(len(self.box.json("rules")["rules"]), 1)

    def test_a_rule_for_everybody_below_one_of_the_group(self):
        self.box.cli("block", "mine.test", "--group", "pupils")
        code = self.ask("mine.test")
        self.assertIn("Group pupils still blocks it", self.box.cli("requests", "approve", code, "--everybody").stdout)

    def test_denied_with_a_word_back(self):
        code = self.ask()
        self.assertIn("stays blocked", self.box.cli("requests", "deny", code, "--note", "<b>see the library</b>").stdout)
        _, _, page = self.state(code)
        self.assertIn("The site stays blocked", page)
        self.assertIn("&lt;b&gt;see the library&lt;/b&gt;", page)
        self.assertIn("denied", self.box.cli("requests", "--all").stdout)

    def test_the_same_wish_is_one_request(self):
        first, second = self.ask(text="one"), self.ask(text="two")
        self.assertEqual(first, second)
        other = self.ask(source="127.0.0.9")  # of the other group
        self.assertNotEqual(first, other)
        self.assertEqual(sorted((r["group"], r["times"]) for r in self.waiting()), [("pupils", 2), ("rest", 1)])

    def test_who_asked_is_stored_nowhere(self):
        self.ask(source="127.0.0.9", text="for school")
        self.box.daemon.stop()
        for folder, _, files in os.walk(self.box.state):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertNotIn(b"127.0.0.9", file.read(), name)
        with open(os.path.join(self.box.folder, "web.log"), encoding="utf-8") as log:
            self.assertNotIn("secretbad", log.read())

    def test_only_whoever_saw_the_page_can_ask(self):
        """No other site can make a browser post one of its own: the token is of this name and this hour."""
        fields, _ = self.form()
        for wrong in ({"token": "0" * 16}, {"token": ""}, {"name": "other.test"}, {"name": ""}, {"name": "127.0.0.1"},
                      {"name": "a b"}, {"name": "x" * 400}, {"token": fields["token"] + "0" * 50}):
            self.assertEqual(self.post({**fields, **wrong})[0], 403, wrong)
        self.assertEqual(self.post({})[0], 403)
        self.assertEqual(self.waiting(), [])

    def test_a_client_asks_a_few_times_an_hour(self):
        fields, _ = self.form()
        self.assertEqual([self.post(fields)[0] for _ in range(6)], [303] * 5 + [429])
        status, headers, page = self.post(fields)
        self.assertEqual((status, headers["Retry-After"]), (429, "3600"))
        self.assertIn("Too many requests", page)
        self.ask(source="127.0.0.9")

    def test_what_people_write_is_plain_text(self):
        """RFC 9110 leaves it to us; nothing of it may steer a terminal or a page."""
        code = self.ask(text="a\r\nb\x1b[31m\u202e<script>&\"' 숙제 \U0001f600")
        review, = self.waiting()
        self.assertEqual(review["texts"], ["a  b\ufffd[31m\ufffd<script>&\"' 숙제 \U0001f600"])
        self.assertNotIn("\x1b", self.box.cli("requests").stdout)
        self.assertNotIn("script", self.state(code)[2])
        fields, _ = self.form()
        self.assertEqual(self.post({**fields, "text": "가" * 300})[0], 303)  # as long as the field lets
        self.assertEqual(self.post({**fields, "text": "x" * 5000})[0], 413)

    def test_broken_forms(self):
        fields, _ = self.form()
        for body in ("", "&&&", "name", "name=%", "name=%0", "token=%00", "=" * 100, "%" * 4000, "a=b&" * 900, "\xff" * 100):
            self.assertEqual(self.send("POST", OWN, "/review", body.encode("latin-1"))[0], 403, body[:20])
        self.assertEqual(self.post({**fields, "more": "1"})[0], 303)

    def test_not_blocked_any_more(self):
        fields, _ = self.form()
        self.box.cli("allow", "secretbad.test")
        status, _, page = self.post(fields)
        self.assertEqual(status, 403)
        self.assertIn("not blocked any more", page)

    def test_codes_that_nobody_has(self):
        for path in ("/review", "/review/", "/review/ABCDEFGH", "/review/..%2f", "/review/%00", "/reviews", "/review/" + "A" * 60):
            self.assertEqual(self.send("GET", OWN, path)[0], 404, path)
        self.assertEqual(self.send("HEAD", OWN, "/review/ABCDEFGH")[2], "")
        for arguments in (("approve", "ABCDEFGH"), ("deny", "ABCDEFGH"), ("deny", "x")):
            done = self.box.cli("requests", *arguments)
            self.assertEqual((done.returncode, "no request has this code" in done.stderr), (1, True), arguments)

    def test_the_path_of_a_blocked_site_is_not_ours(self):
        status, _, page = self.send("GET", "secretbad.test", "/review/ABCDEFGH")
        self.assertEqual((status, "Blocked: secretbad.test" in page), (403, True))
        self.assertEqual(self.send("POST", "secretbad.test", "/review", "name=a")[0], 403)
        self.assertEqual(self.waiting(), [])

    def test_without_the_daemon_it_says_so(self):
        fields, _ = self.form()
        self.box.daemon.stop()
        status, headers, page = self.post(fields)
        self.assertEqual((status, headers["Retry-After"]), (503, "60"))
        self.assertIn("cannot be stored", page)
        self.assertEqual(self.state("ABCDEFGH")[0], 503)

    def test_a_damaged_file_hurts_nobody(self):
        path = os.path.join(self.box.state, "requests.db")
        with open(path, "wb") as file:
            file.write(b"no database at all" * 100)
        os.chmod(path, 0o666)
        fields, _ = self.form()
        self.assertEqual(self.post(fields)[0], 503)
        done = self.box.cli("requests")
        self.assertEqual(done.returncode, 1)
        self.assertIn("requests.db: file is not a database", done.stderr)
        self.assertIn("no requests of the warning page are taken", " ".join(self.box.json("status")["reasons"]))
        self.assertTrue(self.box.ask("free.test").answers)
        os.unlink(path)
        self.assertEqual(self.post(fields)[0], 303)

    def test_mistakes_of_the_command(self):
        for arguments in (("approve",), ("approve", "A", "B"), ("list", "x"), ("--note", "x"), ("deny", "ABCDEFGH", "--for", "1d"),
                          ("approve", "ABCDEFGH", "--for", "x"), ("approve", "ABCDEFGH", "--all"), ("frob", "ABCDEFGH")):
            self.assertEqual(self.box.cli("requests", *arguments).returncode, 2, arguments)
        code = self.ask()
        self.box.cli("requests", "approve", code, "--everybody")
        self.assertEqual(self.box.json("rules")["rules"][0]["group"], "")
        done = self.box.cli("requests", "deny", code)
        self.assertEqual((done.returncode, "greengate rules remove secretbad.test" in done.stderr), (1, True))

    def test_answers_stand_in_the_audit_log(self):
        code = self.ask()
        self.box.cli("requests", "deny", code, "--note", "no")
        with open(os.path.join(self.box.state, "audit.log"), encoding="utf-8") as log:
            last = log.readlines()[-1]
        self.assertIn('"deny"', last)
        self.assertIn(code, last)
        self.assertIn('"secretbad.test"', last)
        self.assertIn('"pupils"', last)
        self.assertNotIn("127.0.0.1", last)


class Names(Pages):
    config = {"server": {"name": "Green.Gate.LAN."}}

    def test_our_name_in_any_spelling(self):
        """RFC 4343: case does not matter; browsers say it in small letters and without a last dot."""
        page = self.send("GET", "secretbad.test", "/")[2]
        self.assertIn(f'action="http://green.gate.lan:{self.box.web_port}/review"', page)
        self.assertEqual(self.send("GET", "green.gate.lan", "/review/ABCDEFGH")[0], 404)
        self.assertEqual(self.send("GET", "GREEN.gate.lan.", "/review/ABCDEFGH")[0], 404)


class Off(Pages):
    config = {"web": {"reviews": False}}

    def test_no_form_where_they_are_not_wanted(self):
        _, headers, page = self.send("GET", "secretbad.test", "/")
        self.assertNotIn("<form", page)
        self.assertIn("form-action 'none'", headers["Content-Security-Policy"])
        self.assertNotEqual(self.send("POST", OWN, "/review", "name=a")[0], 303)


if __name__ == "__main__":
    unittest.main()
