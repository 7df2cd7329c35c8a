# SPDX-License-Identifier: Apache-2.0
"""`greengate firewall print`: what it prints, loaded by nft between a client and the world."""
import os
import subprocess
import sys
import unittest

import netns
from harness import Box, wait_for

PUPIL, STAFF, EXAM = "10.1.7.5", "10.1.200.5", "10.1.200.130"
PUPIL6, STAFF6 = "fd00:1::5", "fd00:1:0:200::5"
GOOGLE, GOOGLE6 = "8.8.8.8", "2001:4860:4860::8888"
ELSEWHERE, ELSEWHERE6 = "198.51.100.9", "2001:db8:9::9"
ANY = ["0.0.0.0:53", "[::]:53"]
GROUPS = [{"name": "exam", "clients": ["10.1.200.128/25"], "block": ["adult"]},
          {"name": "staff", "clients": ["10.1.200.0/24", "fd00:1:0:200::/64"], "block": []},
          {"name": "pupils", "clients": [], "block": ["adult"]}]


def build(spaces):
    spaces.wire("gate", "client", "lan0", "eth0")
    spaces.wire("gate", "out", "wan0", "eth0")
    spaces.give("gate", "lan0", "10.1.0.1/16", "fd00:1::1/48")
    spaces.give("client", "eth0", f"{PUPIL}/16", f"{STAFF}/16", f"{EXAM}/16", f"{PUPIL6}/48", f"{STAFF6}/48")
    spaces.give("gate", "wan0", "198.18.0.1/24", "2001:db8:1::1/64")
    spaces.give("out", "eth0", "198.18.0.2/24", "2001:db8:1::2/64")
    spaces.give("out", "lo", f"{GOOGLE}/32", f"{ELSEWHERE}/32", f"{GOOGLE6}/128", f"{ELSEWHERE6}/128")
    for name, via, via6 in (("client", "10.1.0.1", "fd00:1::1"), ("out", "198.18.0.1", "2001:db8:1::1"),
                            ("gate", "198.18.0.2", "2001:db8:1::2")):
        spaces.run(name, "ip", "route", "add", "default", "via", via)
        spaces.run(name, "ip", "-6", "route", "add", "default", "via", via6)
    spaces.run("gate", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")


class Between(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.spaces = cls.enterClassContext(netns.Namespaces("gate", "client", "out"))
        build(cls.spaces)
        cls.outside = subprocess.Popen(
            cls.spaces.inside("out", sys.executable, netns.__file__, "serve", "198.18.0.2", GOOGLE,
                              ELSEWHERE, GOOGLE6, ELSEWHERE6), stdout=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.outside.communicate)
        cls.addClassCleanup(cls.outside.kill)
        assert cls.outside.stdout.readline() == "ready\n"
        cls.box = cls.enterClassContext(Box(
            upstream=["udp://198.18.0.2:53"], lists=[("bad", "adult", ["bad.test"])], start=False,
            config={"dns": {"listen": ANY}, "block": {"mode": "nxdomain"}, "groups": GROUPS,
                    "server": {"user": ""}}))
        cls.box.start(user=None, preexec_fn=cls.enter_gate)
        cls.rules = cls.box.write("rules.nft", cls.box.cli(
            "firewall", "print", "--interface", "lan0", "--except-group", "staff").stdout)

    @classmethod
    def enter_gate(cls):
        import ctypes
        with open(f"/run/netns/{cls.spaces.names['gate']}", "rb") as space:
            if ctypes.CDLL(None).setns(space.fileno(), 0):
                os._exit(99)

    def setUp(self):
        self.spaces.run("gate", "nft", "-f", self.rules)

    def probe(self, *questions):
        return self.spaces.probe("client", *questions)

    def ask(self, name, **more):
        return {"server": GOOGLE, "name": name, "source": PUPIL, **more}

    def test_port_53_is_led_to_us_whoever_was_asked(self):
        six = {"server": GOOGLE6, "source": PUPIL6}
        asked = [self.ask(name, tcp=tcp, **more) for name in ("bad.test", "good.test")
                 for tcp in (False, True) for more in ({}, six, {"server": ELSEWHERE}, {"server": "10.1.0.1"})]
        self.assertEqual(self.probe(*asked), ["NXDOMAIN"] * 8 + [netns.OUTSIDE] * 8)

    def test_groups_that_are_exempt_and_those_before_them(self):
        self.assertEqual(self.probe(self.ask("bad.test", source=STAFF),
                                    self.ask("bad.test", source=STAFF6, server=GOOGLE6),
                                    self.ask("bad.test", source=EXAM)),
                         [netns.OUTSIDE, netns.OUTSIDE, "NXDOMAIN"])
        self.assertEqual(self.probe({"server": GOOGLE, "port": 853, "source": STAFF},
                                    {"server": GOOGLE, "port": 853, "source": EXAM}), ["open", "refused"])

    def test_encrypted_dns_is_refused_at_once(self):
        for port in (853, 443):
            for udp in (False, True):
                asked = [{"server": GOOGLE, "source": PUPIL}, {"server": GOOGLE6, "source": PUPIL6}]
                with self.subTest(port=port, udp=udp):
                    self.assertEqual(self.probe(*({**one, "port": port, "udp": udp} for one in asked)),
                                     ["refused"] * 2)

    def test_web_sites_stay_open(self):
        asked = [{"server": ELSEWHERE, "source": PUPIL}, {"server": ELSEWHERE6, "source": PUPIL6}]
        for udp in (False, True):
            self.assertEqual(self.probe(*({**one, "port": 443, "udp": udp} for one in asked)), ["open"] * 2)
        self.assertEqual(self.probe({"server": ELSEWHERE, "source": PUPIL, "port": 853}), ["refused"])

    def test_loaded_twice_it_is_the_same_and_deleted_it_is_gone(self):
        once = self.spaces.run("gate", "nft", "-s", "list", "ruleset")
        self.spaces.run("gate", "nft", "-f", self.rules)
        self.assertEqual(self.spaces.run("gate", "nft", "-s", "list", "ruleset"), once)
        self.spaces.run("gate", "nft", "delete", "table", "inet", "greengate")
        # Another name than before: what is tracked already keeps its way for a while.
        self.assertEqual(self.probe(self.ask("bad.test"), {"server": GOOGLE, "source": PUPIL, "port": 853}),
                         [netns.OUTSIDE, "open"])

    def test_one_address_alone_takes_its_family_and_the_other_is_shut(self):
        with Box(config={"dns": {"listen": ["10.1.0.1:53"]}}, start=False) as box:
            text = box.cli("firewall", "print", "--interface", "lan0").stdout
        self.spaces.run("gate", "nft", "-f", "-", input=text)
        self.assertEqual(self.probe(self.ask("bad.test"), self.ask("bad.test", tcp=True)), ["NXDOMAIN"] * 2)
        self.assertEqual(self.probe({"server": GOOGLE6, "source": PUPIL6, "port": 53},
                                    {"server": GOOGLE6, "source": PUPIL6, "port": 53, "udp": True}),
                         ["refused"] * 2)

    def test_macs_and_servers_among_the_clients(self):
        """Staff by MAC, written with dashes; and a server that we ask must not be led back to us."""
        mac = self.spaces.run("client", "cat", "/sys/class/net/eth0/address").strip().replace(":", "-")
        config = {"dns": {"listen": ANY}, "upstream": {"servers": [f"udp://{EXAM}:53"]}, "groups": [
            {"name": "staff", "clients": [mac, "host:desk"], "block": []}, GROUPS[2]]}
        with Box(config=config, start=False) as box:
            text = box.cli("firewall", "print", "--interface", "lan0", "--except-group", "staff").stdout
            plain = box.cli("firewall", "print", "--interface", "lan0").stdout
        self.assertIn("# host:desk of group staff is not told by a packet", text)
        self.spaces.run("gate", "nft", "-f", "-", input=text)
        self.assertEqual(self.probe(self.ask("bad.test")), [netns.OUTSIDE])
        self.spaces.run("gate", "nft", "-f", "-", input=plain)
        self.assertEqual(self.probe(self.ask("bad.test"), self.ask("bad.test", source=EXAM)),
                         ["NXDOMAIN", netns.OUTSIDE])

    def test_interfaces_that_begin_so(self):
        text = self.box.cli("firewall", "print", "--interface", "eth9,la*").stdout
        self.spaces.run("gate", "nft", "-f", "-", input=text)
        self.assertEqual(self.probe(self.ask("bad.test")), ["NXDOMAIN"])


class Words(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.box = cls.enterClassContext(Box(config={"dns": {"listen": ANY}, "groups": GROUPS}, start=False))

    def refuse(self, words, code, *arguments, box=None):
        done = (box or self.box).cli("firewall", *arguments)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        self.assertIn(words, done.stderr)

    def test_mistakes_are_told(self):
        self.refuse("--interface is needed", 2, "print")
        self.refuse("no name of an interface", 2, "print", "--interface", 'x" drop')
        self.refuse("no name of an interface", 2, "print", "--interface", "lan0,")
        self.refuse("no name of an interface", 2, "print", "--interface", "a-name-too-long-for-it")
        self.refuse("no group is named ghosts", 2, "print", "--interface", "lan0", "--except-group", "ghosts")
        self.refuse("it is all others", 2, "print", "--interface", "lan0", "--except-group", "pupils")
        self.refuse("--port: '99999'", 2, "print", "--interface", "lan0", "--port", "99999")
        self.refuse("debian or openwrt", 2, "print", "--for", "macos")
        self.refuse("print is expected", 2)

    def test_loopback_alone_leads_nobody(self):
        with Box(start=False) as box:
            self.refuse("dns.listen has only addresses of this machine", 1, "print", "--interface", "lan0", box=box)
            done = box.cli("firewall", "print", "--interface", "lan0", "--port", "5300")
            self.assertEqual(done.stdout.count("redirect to :5300"), 2)

    def test_openwrt(self):
        text = self.box.json("firewall", "print", "--for", "openwrt")
        self.assertEqual(text["for"], "openwrt")
        self.assertIn('iifname "br-lan"', text["ruleset"])
        self.assertIn("/usr/share/nftables.d/ruleset-post/greengate.nft", text["ruleset"])


if __name__ == "__main__":
    unittest.main()
