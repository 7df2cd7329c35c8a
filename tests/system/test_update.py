# SPDX-License-Identifier: Apache-2.0
"""`greengate update` against a web server that behaves well, badly, and worse."""
import gzip
import http.server
import json
import os
import pty
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

from harness import BUILD, ROOT, write_yaml
from listserver import Handler

CATALOG = os.path.join(ROOT, "blocklists", "catalog")
GOOD = "".join(f"n{i}.example\n" for i in range(50)).encode()


class Server(Handler):
    """Answers by path; counts what was asked."""
    seen = []
    body = GOOD

    def do_GET(self):
        self.seen.append((self.path, self.headers.get("If-None-Match")))
        getattr(self, "on_" + self.path.strip("/").replace("-", "_"))()

    def on_etag(self):
        tag = f'"{hash(self.body)}"'
        if self.headers.get("If-None-Match") == tag:
            self.send(b"", 304, ETag=tag)
        else:
            self.send(self.body, ETag=tag)

    def on_plain(self):
        self.send(self.body)

    def on_encoded(self):
        self.send(gzip.compress(self.body), Content_Encoding="gzip")

    def on_moved(self):
        self.send(b"", 302, Location="/plain")

    def on_to_file(self):
        self.send(b"", 302, Location="file:///etc/passwd")

    def on_loop(self):
        self.send(b"", 302, Location="/loop")

    def on_missing(self):
        self.send(b"<html>not here</html>", 404)

    def on_portal(self):
        self.send(b"<!DOCTYPE html><html><body>Please log in</body></html>")

    def on_bomb(self):
        self.send(gzip.compress(b"\n" * (64 << 20)))

    def on_short(self):
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(self.body)

    def on_cut_gzip(self):
        self.send(gzip.compress(self.body)[:-12])


class Update(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gg-")
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        Server.seen.clear()
        Server.body = GOOD
        self.paths = {}

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        shutil.rmtree(self.folder)

    def url(self, path):
        return f"http://127.0.0.1:{self.server.server_port}/{path}"

    def greengate(self, *arguments, sources=None, secure=False):
        if sources is not None:
            items = [{"id": i, "url": self.url(p), "category": "adult", "insecure": not secure,
                      "allow_private": True}
                     for i, p in sources.items()]
            config = {"server": {"state_dir": os.path.join(self.folder, "state"), "data_dir": CATALOG,
                                 "control_socket": os.path.join(self.folder, "c.sock")},
                      "lists": {"sources": items}}
            with open(os.path.join(self.folder, "gg.yaml"), "w", encoding="utf-8") as out:
                out.write(write_yaml(config))
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=60,
                              check=False, env=self.environment())

    def command(self, *arguments):
        return [os.path.join(BUILD, "greengate"), "-c", os.path.join(self.folder, "gg.yaml"),
                *arguments]

    def environment(self):
        return {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}

    def update(self, sources, want, *more):
        done = self.greengate("--json", "update", *more, sources=sources)
        self.assertEqual(done.returncode, want, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_unchanged_lists_are_not_sent_again(self):
        first = self.update({"a": "etag"}, 0)
        self.assertEqual(first["sources"][0]["status"], "updated")
        self.assertEqual(first["names"], 50)
        second = self.update({"a": "etag"}, 0)
        self.assertEqual(second["sources"][0]["status"], "unchanged")
        self.assertFalse(second["installed"])
        self.assertIsNotNone(Server.seen[1][1])
        Server.body = GOOD + b"new.example\n"
        third = self.update({"a": "etag"}, 0)
        self.assertEqual((third["names"], third["generation"]), (51, 2))

    def test_encodings_and_redirects_give_the_same_names(self):
        done = self.update({"plain": "plain", "encoded": "encoded", "moved": "moved"}, 0)
        self.assertEqual([s["entries"] for s in done["sources"]], [50, 50, 50])
        self.assertEqual(done["names"], 50)

    def test_every_bad_answer_leaves_the_good_list_in_force(self):
        self.update({"good": "plain"}, 0)
        bad = {"to-file": "protocol", "loop": "redirect", "missing": "404", "portal": "HTML",
               "bomb": "grows", "short": "", "cut-gzip": "truncated"}
        done = self.update({"good": "plain", **{name: name for name in bad}}, 6)
        self.assertEqual(done["names"], 50)
        for source in done["sources"][1:]:
            with self.subTest(source["id"]):
                self.assertEqual(source["status"], "failed")
                self.assertIn(bad[source["id"]].lower(), source["error"].lower())
                self.assertFalse(source["in_use"])
        shown = self.greengate("lists", "show", "missing")
        self.assertIn("the server answered 404", shown.stdout)
        self.assertEqual(sorted(os.listdir(os.path.join(self.folder, "state", "generations"))),
                         ["000001.ggdb", "000001.lists"])

    def test_a_source_that_fails_keeps_its_copy(self):
        self.update({"a": "etag"}, 0)
        Server.body = b"<html>"
        done = self.update({"a": "etag"}, 5)
        self.assertEqual((done["ok"], done["exit"]), (False, 5))
        self.assertEqual(done["sources"][0]["entries"], 50)
        self.assertTrue(done["sources"][0]["in_use"])

    def test_what_could_not_be_reached_is_named(self):
        self.greengate("config", "check", sources={"a": "plain", "b": "plain"})
        with open(os.path.join(self.folder, "gg.yaml"), encoding="utf-8") as file:
            text = file.read()
        text = text.replace(self.url("plain"), "https://nowhere.invalid/list", 1).replace(self.url("plain"), "file:///no/such.list", 1)
        with open(os.path.join(self.folder, "gg.yaml"), "w", encoding="utf-8") as file:
            file.write(text)
        told = json.loads(self.greengate("--json", "update").stdout)
        errors = [source["error"] for source in told["sources"]]
        self.assertRegex(errors[0], "^nowhere.invalid: ")
        self.assertEqual(errors[1], "/no/such.list: No such file or directory")
        done = self.greengate("update", "b")
        self.assertIn("not asked; there is no copy", done.stdout)
        self.assertEqual((done.stdout + done.stderr).count("/no/such.list"), 1, done.stdout + done.stderr)

    def test_an_unknown_generation_is_told_with_those_there_are(self):
        self.update({"a": "plain"}, 0)
        for words in (("lists", "diff", "1", "99"), ("rollback", "99")):
            done = self.greengate(*words)
            self.assertEqual((done.returncode, done.stderr), (1, "greengate: there is no generation 99; kept are 1\n"))

    def test_plain_http_needs_consent(self):
        done = self.greengate("update", sources={"a": "plain"}, secure=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("insecure", done.stdout + done.stderr)
        self.assertEqual(Server.seen, [])

    def test_no_sources_is_said_plainly(self):
        done = self.greengate("update", sources={})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("starter list", done.stdout)

    def test_rollback_and_generations(self):
        self.update({"a": "plain"}, 0)
        Server.body = GOOD + b"new.example\n"
        self.update({"a": "plain"}, 0)
        self.assertEqual(self.greengate("rollback").returncode, 0)
        kept = json.loads(self.greengate("--json", "lists", "generations").stdout)
        self.assertTrue(kept["ok"])
        self.assertEqual([(g["generation"], g["in_force"], g["pinned"], g["names"])
                          for g in kept["generations"]],
                         [(1, True, True, 50), (2, False, False, 51)])
        self.assertIn("pinned", self.greengate("lists").stdout)
        for words in (["update"], ["update", "--if-due"]):
            done = self.greengate(*words)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout, "generation 1 is pinned by rollback; "
                                          "`greengate update --force` ends that\n")
        self.assertEqual(self.greengate("rollback", "2").returncode, 0)
        unknown = self.greengate("rollback", "7")
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("there is no generation 7; kept are 1, 2", unknown.stderr)
        self.assertEqual(self.greengate("rollback", "x").returncode, 2)
        listed = json.loads(self.greengate("--json", "lists").stdout)
        self.assertEqual((listed["ok"], listed["generation"], listed["pinned"]), (True, 2, 0))

    def test_force_ends_the_pin(self):
        self.update({"a": "plain"}, 0)
        Server.body = GOOD + b"new.example\n"
        self.update({"a": "plain"}, 0)
        self.assertEqual(self.greengate("rollback").returncode, 0)
        self.assertEqual(self.update({"a": "plain"}, 0)["pinned"], 1)
        done = self.update({"a": "plain"}, 0, "--force")
        self.assertEqual((done["names"], done["pinned"]), (51, 0))

    def test_a_damaged_generation_is_not_in_force(self):
        self.update({"a": "plain"}, 0)
        path = os.path.join(self.folder, "state", "generations", "000001.ggdb")
        with open(path, "r+b") as file:
            file.truncate(100)
        shown = self.greengate("lists", "generations").stdout
        self.assertIn("damaged", shown)
        self.assertNotIn("in force", shown)
        self.assertIn("generation 1 is damaged", self.greengate("lists").stdout)

    def test_exit_code_tells_what_failed(self):
        rows = [("no list at all", {"a": "portal"}, 5), ("unreachable", {"a": "missing"}, 1),
                ("both", {"a": "portal", "b": "missing"}, 1),
                ("one is fine", {"a": "portal", "b": "plain"}, 6)]
        for name, sources, want in rows:
            with self.subTest(name):
                done = self.update(sources, want)
                self.assertFalse(done["ok"])
                self.assertEqual(done["exit"], want)
                self.assertEqual([s["id"] for s in done["sources"]], list(sources))

    def test_words_are_not_said_twice(self):
        self.update({"a": "plain"}, 0)
        Server.body = b"only.example\n"
        done = self.greengate("update")
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn("held back: the number of names shrank from 50 to 1", done.stdout)
        self.assertNotIn("held: ", done.stdout)
        self.assertRegex(self.greengate("lists").stdout, r"(?m)^a .* failing .*shrank from 50 to 1")

    def test_one_name_is_singular(self):
        Server.body = b"only.example\n"
        done = self.greengate("update", sources={"a": "plain"})
        self.assertIn("generation 1 is in force: 1 name\n", done.stdout)

    def test_progress_is_told_apart_from_the_result(self):
        done = self.greengate("update", sources={"a": "plain", "b": "missing"})
        self.assertEqual(done.stderr, "a: updated, 0.0 MB\n")
        self.assertEqual(done.stdout.count("the server answered 404"), 1)
        done = self.greengate("--quiet", "update")
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        done = self.greengate("--json", "update", "--force")
        self.assertEqual(len(json.loads(done.stdout)["sources"]), 2)
        events = [json.loads(line) for line in done.stderr.splitlines()]
        ends = [(e["source"], e["status"], e["error"]) for e in events if e["event"] == "source"]
        self.assertEqual(ends, [("a", "unchanged", ""), ("b", "failed", "the server answered 404")])
        phases = [e["phase"] for e in events if e["event"] == "phase"]
        self.assertEqual(phases[0], "fetching")
        self.assertIn("checking", phases)

    def test_a_terminal_sees_one_line_that_changes(self):
        self.greengate("config", "check", sources={"a": "plain"})
        ours, theirs = pty.openpty()
        try:
            done = subprocess.run(self.command("update"), stdin=subprocess.DEVNULL, stdout=theirs,
                                  stderr=theirs, timeout=60, check=False, env=self.environment())
            seen = os.read(ours, 1 << 16).decode()
        finally:
            os.close(ours)
            os.close(theirs)
        self.assertEqual(done.returncode, 0)
        self.assertIn("\r\x1b[Kfetching a", seen)
        self.assertRegex(seen, r"\r\x1b\[K\S*checking all lists")
        self.assertNotIn("a: updated", seen)
        self.assertRegex(seen, r"generation 1 is in force: 50 names\r\n")

    def test_every_member_of_json_is_documented(self):
        with open(os.path.join(ROOT, "docs", "json.md"), encoding="utf-8") as file:
            documented = set(re.findall(r"`([^`\n]+)`", file.read().replace("```", "")))
        self.update({"a": "plain", "b": "portal"}, 6)
        Server.body = GOOD + b"new.example\n"
        self.update({"a": "plain"}, 0)
        for words in (["update"], ["update", "nobody"], ["lists"], ["lists", "show", "a"],
                      ["lists", "generations"], ["rollback"], ["rollback", "9"],
                      ["config", "check"], ["config", "show", "--origin"], ["status"]):
            reply = json.loads(self.greengate("--json", *words).stdout)
            self.assertIs(type(reply["ok"]), bool, words)
            if words[0] == "config":
                continue
            parts = [reply] + [p for v in reply.values() if isinstance(v, list) for p in v]
            for part in parts:
                self.assertEqual(set(part) - documented, set(), words)

    def test_an_unknown_category_is_refused_before_fetching(self):
        self.greengate("config", "check", sources={"a": "plain"})
        path = os.path.join(self.folder, "gg.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("adult", "adlut"))
        for words in (["config", "check"], ["update"]):
            done = self.greengate(*words)
            self.assertEqual(done.returncode, 4, done.stdout)
            self.assertRegex(done.stderr, r"gg\.yaml:\d+:\d+: source 'a' has category 'adlut', "
                                          r"which is no category; did you mean 'adult'\?")
        self.assertEqual(Server.seen, [])

    def test_unknown_ids_and_options_are_usage(self):
        self.assertEqual(self.greengate("update", "nobody", sources={"a": "plain"}).returncode, 2)
        self.assertEqual(self.greengate("update", "--nonsense").returncode, 2)
        self.assertEqual(self.greengate("lists", "nonsense").returncode, 2)


if __name__ == "__main__":
    unittest.main()
