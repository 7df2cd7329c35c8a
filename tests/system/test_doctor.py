# SPDX-License-Identifier: Apache-2.0
"""`greengate doctor`: each fault is made on purpose, and found."""
import ctypes
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import unittest

from fakeupstream import FakeUpstream, Send
import neighbour
from harness import BUILD, USER, Box
from netns import Namespaces
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


class Examined(unittest.TestCase):
    def findings(self, box, level=None):
        done = box.cli("--json", "doctor")
        result = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if result["faults"] else 0, result)
        return [(one["topic"], one["text"]) for one in result["findings"] if level in (None, one["level"])]

    def assertFound(self, words, findings):
        self.assertTrue(any(words in text for _, text in findings), (words, findings))


class Doctor(Examined):
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

    @unittest.skipIf(os.getuid() == 0 and not USER, "nothing is denied to root")
    def test_without_the_right_to_ask_it_says_that_first(self):
        with Box() as box:
            os.chmod(box.socket, 0)
            done = box.cli("doctor")
            found = self.findings(box)
        self.assertEqual(found[0][0], "rights")
        self.assertIn("not run as root", found[0][1])
        self.assertIn("-> sudo greengate doctor", done.stdout.splitlines()[1])
        text = " ".join(text for _, text in found)
        self.assertNotIn("no daemon answers", text)
        self.assertNotIn("is held by", text)
        self.assertFound(f"127.0.0.1:{box.port} answers over UDP and TCP", found)

    def test_who_holds_the_port_of_another_address_is_not_in_the_way(self):
        with Box(start=False) as box, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
            holder.bind(("127.0.0.53", box.port))
            self.assertFalse([text for _, text in self.findings(box) if "is held by" in text])

    def test_a_mistake_in_the_configuration(self):
        with Box(start=False) as box:
            box.write("greengate.yaml", "dns: {lisen: []}\n")
            done = box.cli("doctor")
            self.assertEqual(done.returncode, 4)
            self.assertIn("greengate.yaml:1:7", done.stderr)


class Files(Examined):
    """Who may read and write what."""

    def faults(self, box):
        return [text for topic, text in self.findings(box, "fault") if topic == "permissions"]

    def test_what_others_can_write_or_read(self):
        with Box(start=False) as box:
            self.assertEqual(self.faults(box), [])
            self.assertFound("files belong to whom they should", self.findings(box, "ok"))
            for name, mode, words in (("rules.yaml", 0o646, "rules.yaml can be written by everybody"),
                                      ("accounts.db", 0o644, "accounts.db is a secret"),
                                      ("", 0o777, "state can be written by everybody")):
                path = os.path.join(box.state, name)
                if name:
                    box.write(os.path.join(box.state, name), "")
                    shutil.chown(path, os.stat(box.state).st_uid)
                os.chmod(path, mode)
                self.assertTrue(any(words in text for text in self.faults(box)), words)
                remedy = [one["remedy"] for one in json.loads(box.cli("--json", "doctor").stdout)["findings"]
                          if words in one["text"]]
                self.assertTrue(remedy[0].startswith("chmod "), remedy)
                subprocess.run(remedy[0], shell=True, check=True)
                self.assertFalse(any(words in text for text in self.faults(box)), words)

    @unittest.skipUnless(os.getuid() == 0, "needs root, to own files")
    def test_a_file_that_a_command_as_root_left(self):
        with Box(start=False) as box:
            path = box.write(os.path.join(box.state, "managed.yaml"), "")
            os.chown(path, 0, 0)
            os.chmod(path, 0o644)
            self.assertTrue(any("does not belong to whom" in text for text in self.faults(box)))

    def test_the_key_of_dns_over_tls(self):
        with Box(start=False) as box:
            key = box.write("key.pem", "secret")
            os.chmod(key, 0o644)
            box.config["dns"].update(tls_listen=["127.0.0.1:8853"], tls_key=key,
                                     tls_cert=box.folder + "/none.pem")
            box.write_config()
            faults = self.faults(box)
            self.assertTrue(any("everybody can read it" in text for text in faults), faults)
            self.assertTrue(any("none.pem: No such file" in text for text in faults), faults)


class Page(Examined):
    """The warning page as a browser sees it."""

    def topic(self, box, level):
        return [text for topic, text in self.findings(box, level) if topic == "warning page"]

    def test_it_is_there(self):
        with open(os.path.join(BUILD, "data/starter/adult.txt"), encoding="utf-8") as file:
            name = next(line for line in file if line[0] not in "#\n").split()[0]
        with Box(lists=[("bad", "adult", [name])], web=True) as box:
            self.assertFound(f"a browser that asks for {name} sees it",
                             [("", text) for text in self.topic(box, "ok")])

    def test_nobody_or_another_server_is(self):
        with Box() as box:
            self.assertIn("no web server on", self.topic(box, "warning")[0])
            server = http.server.HTTPServer(("127.0.0.1", box.web_port), http.server.SimpleHTTPRequestHandler)
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                self.assertIn("another web server?", self.topic(box, "fault")[0])
            finally:
                server.shutdown()
                thread.join()
                server.server_close()


class Further(Examined):
    def test_no_database_stale_lists_and_missing_data(self):
        with Box(lists=[("old", "adult", ["bad.test"]), ("new", "adult", ["new.test"])]) as box:
            meta = os.path.join(box.state, "sources/old.json")
            with open(meta, encoding="utf-8") as file:
                known = json.load(file)
            known["fetched_at"] = int(time.time()) - 10 * 86400
            known["checked_at"] = int(time.time())
            box.write(meta, json.dumps(known))
            box.write("new.list", "other.test\n")
            self.assertEqual(box.cli("update", "new", "--force").returncode, 0)
            self.assertFalse([one for one in self.findings(box, "warning") if "old" in one[1]], "it was checked just now")
            known["checked_at"] = known["fetched_at"]
            box.write(meta, json.dumps(known))
            self.assertFound("old", self.findings(box, "warning"))
            data = os.path.join(box.folder, "data")
            shutil.copytree(os.path.join(BUILD, "data"), data)
            os.unlink(os.path.join(data, "services.yaml"))
            box.config["server"]["data_dir"] = data
            box.write_config()
            self.assertFound("services.yaml cannot be used", self.findings(box, "fault"))

    def test_only_this_machine_can_ask_and_there_is_no_state(self):
        with Box(start=False) as box:
            self.assertFound("only this machine can ask", self.findings(box, "warning"))
            shutil.rmtree(box.state)
            self.assertFound("No such file", self.findings(box, "warning"))

    def test_every_finding_that_is_not_ok_has_a_remedy(self):
        with Box(lists=[("bad", "adult", [BLOCKED])]) as box:
            found = json.loads(box.cli("--json", "doctor").stdout)["findings"]
            self.assertGreater(len([one for one in found if one["level"] != "ok"]), 2)
            for one in found:
                self.assertTrue(one["level"] == "ok" or one["remedy"], one)


class Neighbours(Examined):
    """A router and a DHCP server that tell devices to ask somebody else."""
    OWN, OWN6 = "192.0.2.1", "fd00::1"

    @classmethod
    def setUpClass(cls):
        cls.spaces = cls.enterClassContext(Namespaces("filter", "router"))
        cls.spaces.wire("filter", "router", "lan0", "eth0")
        cls.spaces.give("filter", "lan0", f"{cls.OWN}/24", f"{cls.OWN6}/64")
        cls.spaces.give("router", "eth0", "192.0.2.254/24", "fd00::fe/64")
        for space, link in (("filter", "lan0"), ("router", "eth0")):
            cls.spaces.run(space, "sysctl", "-qw", f"net.ipv6.conf.{link}.accept_ra=0",
                           f"net.ipv6.conf.{link}.accept_dad=0")
        wait = time.monotonic() + 10  # addresses of the link itself are tried out first
        while "tentative" in cls.spaces.run("filter", "ip", "-6", "addr") and time.monotonic() < wait:
            time.sleep(0.05)

    @classmethod
    def enter(cls):
        with open(f"/run/netns/{cls.spaces.names['filter']}", "rb") as space:
            if ctypes.CDLL(None).setns(space.fileno(), 0):
                os._exit(99)

    def look(self, rdnss, dns, **more):
        server = subprocess.Popen(self.spaces.inside("router", sys.executable, neighbour.__file__, "eth0",
                                                     rdnss, dns), stdout=subprocess.PIPE, text=True)
        try:
            self.assertEqual(server.stdout.readline(), "ready\n")
            with Box(start=False, upstream=["tls://192.0.2.9:853#x.test"],
                     config={"dns": {"listen": [f"{self.OWN}:53"]}}) as box:
                for key, value in more.items():
                    box.config["dns"][key] = value
                box.write_config()
                done = subprocess.run([box.program("greengate"), "-c", box.path, "--json", "doctor"],
                                      capture_output=True, text=True, check=False, preexec_fn=self.enter)
                found = json.loads(done.stdout)["findings"]
        finally:
            server.kill()
            server.communicate()
        return {one["topic"]: one for one in found if one["topic"] in ("dhcp", "ipv6 router")}

    def test_both_name_somebody_else(self):
        found = self.look("2001:db8::53", "198.51.100.53")
        self.assertEqual([found[topic]["level"] for topic in ("ipv6 router", "dhcp")], ["fault", "fault"])
        self.assertIn("tells devices to ask 2001:db8::53: they go around", found["ipv6 router"]["text"])
        self.assertIn("192.0.2.254 on lan0 tells devices to ask 198.51.100.53:", found["dhcp"]["text"])
        self.assertIn("RDNSS", found["ipv6 router"]["remedy"])
        self.assertIn("option 6", found["dhcp"]["remedy"])

    def test_both_name_somebody_else_besides_us(self):
        found = self.look(f"{self.OWN6},2001:db8::53", f"{self.OWN},198.51.100.53")
        for topic in ("ipv6 router", "dhcp"):
            self.assertEqual(found[topic]["level"], "fault")
            self.assertIn("besides us", found[topic]["text"])

    def test_both_name_us_or_a_forwarder_that_asks_us(self):
        found = self.look(self.OWN6, f"{self.OWN},192.0.2.254", trusted_forwarders=["192.0.2.254"])
        self.assertEqual([one["level"] for one in found.values()], ["ok", "ok"])
        self.assertIn("tells devices to ask us", found["dhcp"]["text"])

    def test_neither_names_anybody(self):
        found = self.look("-", "-")
        self.assertEqual([one["level"] for one in found.values()], ["ok", "ok"])
        self.assertIn("names no resolver", found["ipv6 router"]["text"])


if __name__ == "__main__":
    unittest.main()
