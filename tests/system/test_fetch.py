# SPDX-License-Identifier: Apache-2.0
"""How `greengate update` gets at its lists: whom it asks, and whom it does not."""
import gzip
import os
import tempfile
import threading
import time
import unittest

from harness import HAVE_IPV6
from listserver import Authority, ListServer, UpdateTest, move_to, names


class Addresses(UpdateTest):
    """Private addresses, seen when connecting."""

    def setUp(self):
        super().setUp()
        self.routes["/list"] = names(50)

    def test_what_is_not_public_is_not_asked(self):
        port = self.server.port
        hosts = ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::1]",
                 "[::ffff:127.0.0.1]", "0.0.0.0", "10.255.255.1", "169.254.169.254", "192.168.0.1",
                 "172.16.0.1", "100.64.0.1", "224.0.0.1", "[fe80::1]", "[fd00::1]", "[64:ff9b::a00:1]"]
        for host in (h for h in hosts if HAVE_IPV6 or "[" not in h):
            with self.subTest(host):
                self.configure(self.source("a", f"http://{host}:{port}/list", allow_private=None))
                self.assertIn("is not public; if that server is yours, say allow_private: true",
                              self.error_of(1))
        self.assertEqual(self.seen, [])

    def test_an_own_server_may_be_allowed(self):
        self.configure(self.source("a", self.server.url("/list", "localhost")))
        self.assertEqual(self.update(0)["names"], 50)

    def test_a_proxy_decides_and_a_redirect_past_it_is_checked(self):
        """The first host is asked through a proxy, which may do as it likes; the redirect leads to
        a host that no_proxy excepts, so the address is ours to check."""
        private = self.server.url("/private")
        self.routes["/private"] = names(60)
        self.routes["http://lists.example/direct"] = names(50)
        self.routes["http://lists.example/away"] = move_to(private)
        proxy = self.server.url("")
        self.configure(self.source("a", "http://lists.example/direct", allow_private=None))
        self.assertEqual(self.update(0, http_proxy=proxy)["names"], 50)
        self.configure(self.source("a", "http://lists.example/away", allow_private=None))
        self.assertIn("127.0.0.1 is not public", self.error_of(1, http_proxy=proxy,
                                                               no_proxy="other.example,127.0.0.0/8"))
        self.assertNotIn("/private", [path for path, _ in self.seen])
        self.configure(self.source("a", "http://lists.example/away"))
        self.assertEqual(self.update(0, http_proxy=proxy, no_proxy="127.0.0.1")["names"], 60)

    def test_the_proxy_of_the_settings_comes_before_the_environment(self):
        self.routes["http://lists.example/list"] = names(50)
        self.configure(self.source("a", "http://lists.example/list", allow_private=None),
                       proxy=self.server.url(""))
        done = self.update(0, http_proxy="http://127.0.0.1:1", no_proxy="*")
        self.assertEqual(done["names"], 50)
        self.configure(self.source("b", "https://lists.example/list", allow_private=None),
                       proxy=self.server.url(""))
        self.assertNotEqual(self.greengate("update").returncode, 0)
        self.assertEqual(self.seen[-1][0], "lists.example:443")

    def test_no_proxy_names_hosts_and_all_below(self):
        self.routes["/list"] = names(50)
        url = self.server.url("/list", "localhost")
        self.configure(self.source("a", url))
        bad = "http://127.0.0.1:1"
        for value in ("*", "localhost", ".localhost", "x.example, localhost"):
            with self.subTest(value):
                self.update(0, "--force", http_proxy=bad, no_proxy=value)
        for value in ("", "host", "local", "127.0.0.1"):
            with self.subTest(value):
                self.assertEqual(self.error_of(6, "--force", http_proxy=bad, no_proxy=value),
                                 url.split("/")[2] + ", by the proxy: Couldn't connect to server")


class Redirects(UpdateTest):
    def test_redirects_end(self):
        for number in range(5):
            self.routes[f"/{number}"] = move_to(f"/{number + 1}", 301 + number % 2)
        self.routes["/5"] = names(50)
        self.routes["/loop"] = move_to("/loop", 307)
        self.configure(self.source("a", "/2"))
        self.assertEqual(self.update(0)["names"], 50)
        for start in ("/1", "/loop"):
            self.configure(self.source("b", start))
            self.seen.clear()
            self.assertIn("more than 3 redirects, or a loop", self.error_of(1))
            self.assertEqual(len(self.seen), 4)

    def test_other_protocols_are_not_followed(self):
        self.write("secret", names(50))
        for target in (f"file://{self.folder}/secret", "ftp://127.0.0.1/x", "gopher://127.0.0.1/",
                       "data:text/plain,a.example", "dict://127.0.0.1/", "FILE:///etc/passwd"):
            with self.subTest(target):
                self.routes["/away"] = move_to(target)
                self.configure(self.source("a", "/away"))
                self.assertRegex(self.error_of(1), "a redirect to another protocol than http|"
                                                   "the server answered 302")

    def test_the_body_of_a_redirect_is_no_list(self):
        self.routes["/list"] = names(50)
        self.routes["/away"] = lambda handler: handler.send(b"body.example\n" * 100, 302,
                                                            Location="/list")
        self.configure(self.source("a", "/away"))
        self.assertEqual(self.update(0)["names"], 50)
        self.assertFalse(self.checked("body.example"))
        self.routes["/away"] = lambda handler: handler.send(b"x" * 2**20, 302, Location="/list")
        self.configure(self.source("b", "/away"))
        self.assertIn("longer answer", self.error_of(1))
        self.routes["/away"] = lambda handler: handler.send(b"body.example\n", 300)
        self.assertIn("the server answered 300", self.error_of(1))


class Certificates(UpdateTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="gg-"))
        cls.ca = Authority(folder)
        cls.good = cls.ca.leaf("good", "IP:127.0.0.1,DNS:localhost")
        cls.expired = cls.ca.leaf("expired", "IP:127.0.0.1", days=-1)
        cls.other = cls.ca.leaf("other", "DNS:other.example")

    def safe(self, pem):
        server = self.enterContext(ListServer(pem))
        server.routes["/list"] = names(50)
        server.routes["/down"] = move_to(self.server.url("/list"))
        self.routes["/list"] = names(50)
        self.routes["/up"] = move_to(server.url("/list"))
        return server

    def test_a_good_certificate(self):
        server = self.safe(self.good)
        self.configure(self.source("a", server.url("/list"), insecure=None))
        self.assertEqual(self.update(0, SSL_CERT_FILE=self.ca.pem)["names"], 50)

    def test_bad_certificates(self):
        rows = [("expired", self.expired, self.ca.pem, "has expired, or this machine's clock"),
                ("another name", self.other, self.ca.pem, "is not valid"),
                ("unknown authority", self.good, "", "is not valid")]
        for name, pem, ca, says in rows:
            with self.subTest(name):
                server = self.safe(pem)
                self.configure(self.source("a", server.url("/list")))
                self.assertIn(says, self.error_of(1, SSL_CERT_FILE=ca))
                self.assertEqual(server.seen, [])

    def test_redirects_lead_up_but_never_down(self):
        server = self.safe(self.good)
        self.configure(self.source("a", "/up"))
        self.assertEqual(self.update(0, SSL_CERT_FILE=self.ca.pem)["names"], 50)
        self.seen.clear()
        self.configure(self.source("b", server.url("/down")))
        self.assertIn("from https:// to http:// was refused",
                      self.error_of(1, SSL_CERT_FILE=self.ca.pem))
        self.assertEqual(self.seen, [])


class Files(UpdateTest):
    def setUp(self):
        super().setUp()
        os.mkdir(os.path.join(self.folder, "lists"))
        self.inside = self.write("lists/a.txt", names(50))
        self.outside = self.write("b.txt", names(60))
        self.root = os.path.join(self.folder, "lists")

    def test_only_below_the_folder(self):
        os.symlink(self.outside, os.path.join(self.root, "link.txt"))
        os.symlink(self.root, os.path.join(self.folder, "way"))
        os.mkdir(os.path.join(self.folder, "lists2"))
        beside = self.write("lists2/c.txt", names(50))
        for path in (self.outside, f"{self.root}/../b.txt", f"{self.root}/link.txt", beside,
                     f"{self.root}/%2e%2e/b.txt", "/etc/passwd"):
            with self.subTest(path):
                self.configure(self.source("a", f"file://{path}"), file_folder=self.root)
                self.assertIn("does not lie in lists.file_folder", self.error_of(1))
        for path in (self.inside, f"{self.folder}/way/a.txt"):
            for folder in (self.root, f"{self.folder}/way/", "/", ""):
                with self.subTest((path, folder)):
                    self.configure(self.source("a", f"file://{path}"), file_folder=folder)
                    self.assertEqual(self.update(0, "--force")["names"], 50)

    def test_what_is_no_file(self):
        os.mkfifo(os.path.join(self.root, "pipe"))
        for path in (os.path.join(self.root, "pipe"), self.root, "/dev/zero"):
            self.configure(self.source("a", f"file://{path}"))
            self.assertIn("not a plain file", self.error_of(1))


class Manners(UpdateTest):
    def test_a_server_that_drips(self):
        """A byte a second for ever: the time of the whole transfer counts."""
        done = threading.Event()
        self.addCleanup(done.set)

        def drip(handler):
            handler.send_response(200)
            handler.end_headers()
            try:
                while not done.wait(0.1):
                    handler.wfile.write(b"a")
            except OSError:
                pass
        self.routes["/drip"] = drip
        self.routes["/list"] = names(50)
        self.configure(self.source("a", "/drip"), self.source("b", "/list"), timeout_s=1)
        began = time.monotonic()
        reply = self.update(6)
        self.assertLess(time.monotonic() - began, 30)
        self.assertIn("too slow", reply["sources"][0]["error"])
        self.assertEqual(reply["names"], 50)

    def test_time_is_counted_over_redirects(self):
        def slow(handler):
            threading.Event().wait(0.6)
            handler.send(b"", 302, Location=handler.path + "x")
        for length in range(1, 5):
            self.routes["/" + "x" * length] = slow
        self.configure(self.source("a", "/x"), timeout_s=1)
        self.assertRegex(self.error_of(1), "too slow|not done within")
        self.assertLess(len(self.seen), 4)

    def test_nothing_of_a_failed_answer_is_shown(self):
        secret = b"<html>secret text of the server</html>"
        self.routes["/page"] = secret
        self.routes["/text"] = b"secret text of the server, and more of it\n" * 10
        self.routes["/gone"] = lambda handler: handler.send(secret, 410)
        self.write("hidden", "secret text of the server: 1\n" * 10)
        urls = ["/page", "/text", "/gone", "/missing", f"file://{self.folder}/hidden"]
        self.configure(*(self.source(f"s{i}", url) for i, url in enumerate(urls)))
        for words in (["update"], ["--json", "update"], ["lists"], ["lists", "show", "s1"],
                      ["--json", "lists", "show", "s4"]):
            done = self.greengate(*words)
            self.assertNotIn("secret", done.stdout + done.stderr, words)
        self.assertIn("the server answered 410", self.greengate("lists").stdout)

    def test_what_is_sent(self):
        self.routes["/list"] = lambda handler: handler.send(
            gzip.compress(names(50)), Content_Encoding="gzip", ETag='"one"')
        self.configure(self.source("a", "/list"))
        self.update(0)
        self.update(0)
        first, second = (headers for _, headers in self.seen)
        self.assertEqual(first["User-Agent"], "greengate")
        self.assertNotIn("If-None-Match", first)
        self.assertEqual(second["If-None-Match"], '"one"')
        self.assertNotIn("Cookie", second)
        self.assertNotIn("Authorization", second)


if __name__ == "__main__":
    unittest.main()
