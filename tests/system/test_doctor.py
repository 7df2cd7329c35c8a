# SPDX-License-Identifier: Apache-2.0
"""`greengate doctor`: each fault is made on purpose, and found."""
import json
import socket
import unittest

from fakeupstream import FakeUpstream, Send
from harness import Box
import dnswire

DEAD, EMPTY, ONLY_V6, BLOCKED = ("strict.bing.com", "safe.duckduckgo.com", "safesearch.pixabay.com",
                                 "restrict.youtube.com")


def handler(asked, transport):
    name, kind, _ = asked.questions[0]
    name = name.lower()
    if name == DEAD:
        return [Send(dnswire.answer(asked, [], rcode=3))]
    value = {"A": "198.51.100.7", "AAAA": "2001:db8::7"}.get(kind)
    if name == EMPTY or name == ONLY_V6 and kind == "A":
        value = None
    return [Send(dnswire.answer(asked, [(None, kind, value, 300)] if value else []))]


class Doctor(unittest.TestCase):
    def findings(self, box, level=None):
        done = box.cli("--json", "doctor")
        result = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if result["faults"] else 0, result)
        return [(one["topic"], one["text"]) for one in result["findings"] if level in (None, one["level"])]

    def assertFound(self, words, findings):
        self.assertTrue(any(words in text for _, text in findings), (words, findings))

    def test_engines_dead_ones_and_blocked_ones(self):
        group = {"name": "pupils", "clients": [], "block": ["adult"], "safe_search": True}
        with FakeUpstream(handler) as upstream, \
                Box(upstream=[upstream.url], lists=[("bad", "adult", [BLOCKED])], web=True,
                    config={"groups": [group]}) as box:
            faults = self.findings(box, "fault")
            self.assertEqual(sorted(text for topic, text in faults if topic == "safe search"), sorted([
                f"bing: {DEAD} is dead (NXDOMAIN)", f"duckduckgo: {EMPTY} is dead (no address)",
                f"{BLOCKED} is blocked for the group pupils: its engine has no answer"]))
            good = self.findings(box, "ok")
            for words in ("forcesafesearch.google.com resolves", f"{ONLY_V6} resolves", "1 of 1 answer",
                          f"127.0.0.1:{box.port} answers over UDP and TCP", f"127.0.0.1:{box.web_port} answers"):
                self.assertFound(words, good)
            text = box.cli("doctor")
            self.assertIn("3 faults", text.stdout)
            self.assertIn("-> it needs its new name in safesearch.yaml", text.stdout)
            box.config["groups"][0]["safe_search"] = False
            box.write_config()
            self.assertEqual([f for f in self.findings(box, "fault") if f[0] == "safe search"], [])

    def test_without_an_upstream_it_gives_up_soon(self):
        with Box() as box:
            self.assertFound("names cannot be resolved", self.findings(box, "fault"))
            self.assertEqual(len([f for f in self.findings(box) if f[0] == "safe search"]), 2)

    def test_without_a_daemon_it_tells_who_holds_the_port(self):
        with Box(start=False) as box, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
            holder.bind(box.address)
            faults = self.findings(box, "fault")
            self.assertFound("no daemon answers on", faults)
            self.assertFound(f"port {box.port} is held by", faults)

    def test_a_mistake_in_the_configuration(self):
        with Box(start=False) as box:
            box.write("greengate.yaml", "dns: {lisen: []}\n")
            done = box.cli("doctor")
            self.assertEqual(done.returncode, 4)
            self.assertIn("greengate.yaml:1:7", done.stderr)


if __name__ == "__main__":
    unittest.main()
