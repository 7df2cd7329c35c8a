# SPDX-License-Identifier: Apache-2.0
"""The bypass radar: sums of ways around by group, and devices that never ask."""
import os
import unittest

import netns
from fakeupstream import FakeUpstream, Send
from harness import Box, wait_for
import dnswire

GROUPS = [{"name": "staff", "clients": ["127.0.0.2"], "block": []},
          {"name": "pupils", "clients": [], "block": ["bypass"]}]
ASKED = {"canary": ["use-application-dns.net"], "relay": ["mask.icloud.com", "mask-h2.icloud.com"],
         "doh": ["dns.google", "cloudflare-dns.com", "dns.google"], "vpn": ["nordvpn.com"], "proxy": ["www.croxyproxy.com"],
         "tor": ["www.torproject.org"], "pages": ["a-example.translate.goog", "webcache.googleusercontent.com"],
         "address": ["1-2-3-4.nip.io"], "listed": ["own-vpn.test"]}


def handler(asked, transport):
    return [Send(dnswire.answer(asked, [(None, "A", "198.51.100.1", 300)]))]


class Sums(unittest.TestCase):
    def test_each_kind_and_group(self):
        with FakeUpstream(handler) as upstream, \
                Box(upstream=[upstream.url], lists=[("own", "bypass", ["own-vpn.test"])],
                    config={"groups": GROUPS}) as box:
            for names in ASKED.values():
                for name in names:
                    box.ask(name)
                    box.ask(name, source="127.0.0.2")
            box.ask("school.test")
            reply = box.json("radar")
            rows = {row["group"]: row for row in reply["groups"]}
            for kind, names in ASKED.items():
                self.assertEqual(rows["pupils"][kind], len(names), kind)
                self.assertEqual(rows["staff"][kind], 0, kind)
            self.assertEqual(reply["alert"], "")
            text = box.cli("radar").stdout
            for names in ASKED.values():
                for name in names:
                    self.assertNotIn(name, text)
            self.assertIn('greengate_bypass_total{kind="doh",group="pupils"} 3', box.cli("metrics").stdout)
            for _ in range(120):
                box.ask("dns.google")
            self.assertIn("questions since the start were for ways around", box.json("radar")["alert"])
            self.assertIn("Alert:", box.cli("radar").stdout)
            self.assertIn("ways around", [one["topic"] for one in box_findings(box) if one["level"] == "warning"])


def box_findings(box):
    import json
    return json.loads(box.cli("--json", "doctor").stdout)["findings"]


class Devices(unittest.TestCase):
    """Five devices of the gateway's neighbour table, of which one asks; a sixth is not of this network."""
    def test_those_that_never_ask(self):
        spaces = self.enterContext(netns.Namespaces("gate", "client"))
        spaces.wire("gate", "client", "lan0", "eth0")
        spaces.give("gate", "lan0", "10.1.0.1/16")
        spaces.give("client", "eth0", "10.1.0.10/16")
        box = self.enterContext(Box(start=False, config={"dns": {"listen": ["10.1.0.1:53"]}, "groups": GROUPS}))

        def enter():
            import ctypes
            with open(f"/run/netns/{spaces.names['gate']}", "rb") as space:
                if ctypes.CDLL(None).setns(space.fileno(), 0):
                    os._exit(99)
        box.start(user=None, preexec_fn=enter)
        for address in ("10.1.0.10", *(f"10.1.1.{n}" for n in range(1, 5))):
            third, last = address.split(".")[2:]
            spaces.run("gate", "ip", "neigh", "replace", address, "lladdr",
                       f"02:00:00:00:{third.zfill(2)}:{last.zfill(2)}", "dev", "lan0", "nud", "reachable")
        spaces.run("gate", "ip", "neigh", "replace", "198.51.100.1", "lladdr", "02:00:00:00:09:09", "dev", "lan0",
                   "nud", "reachable")
        spaces.run("gate", "ip", "neigh", "del", "10.1.0.10", "dev", "lan0")  # its own MAC comes by itself
        spaces.probe("client", {"server": "10.1.0.1", "name": "doh.test", "source": "10.1.0.10"})

        def row():
            reply = box.json("radar")
            self.assertTrue(reply["devices_known"])
            return next(one for one in reply["groups"] if one["group"] == "pupils")
        wait_for(lambda: row()["devices"] == 5, "five devices")
        self.assertEqual(row()["silent"], 4)
        self.assertEqual(box.json("radar")["alert"], "", "too soon after the start")


if __name__ == "__main__":
    unittest.main()
