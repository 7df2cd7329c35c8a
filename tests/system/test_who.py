# SPDX-License-Identifier: Apache-2.0
"""Who asks: MAC by the kernel's neighbour table, leases, forwarders' options, ids of DoT."""
import base64
import os
import socket
import struct
import unittest

import dnswire
import netns
from dnswire import Message
from fakeupstream import FakeUpstream, Send
from harness import Box, read_frame, wait_for
from test_dot import context, make_certificate
from harness import free_port

MAC, OTHER = "02:00:00:00:00:05", "02:00:00:00:00:06"
NAME, GOOD = "bad.test", "198.51.100.7"


def handler(asked, transport):
    kind = asked.questions[0][1]
    return [Send(dnswire.answer(asked, [(None, "A", GOOD, 300)] if kind == "A" else []))]


def option(code, data):
    return dnswire.opt(options=struct.pack("!HH", code, len(data)) + data)


class Options(unittest.TestCase):
    """127.0.0.2 and 127.0.0.3 are the forwarder and a stranger to that."""
    @classmethod
    def setUpClass(cls):
        cls.upstream = cls.enterClassContext(FakeUpstream(handler))
        groups = [{"name": "staff", "clients": [MAC, "host:desk"], "block": []},
                  {"name": "pupils", "clients": [], "block": ["adult"]}]
        cls.box = cls.enterClassContext(Box(
            upstream=[cls.upstream.url], lists=[("bad", "adult", [NAME])],
            config={"dns": {"trusted_forwarders": ["127.0.0.2"]}, "groups": groups,
                    "block": {"mode": "nxdomain"}}))

    def rcode(self, edns, source="127.0.0.2"):
        return self.box.ask(NAME, edns=edns, source=source).rcode

    def test_each_form_of_dnsmasq(self):
        octets = bytes.fromhex(MAC.replace(":", ""))
        for code, data in ((65001, octets), (65073, MAC.encode()), (65073, MAC.upper().encode()),
                           (65073, base64.b64encode(octets))):
            with self.subTest(code=code, data=data):
                self.assertEqual(self.rcode(option(code, data)), "NOERROR")
                self.assertEqual(self.rcode(option(code, data), source="127.0.0.3"), "NXDOMAIN")

    def test_of_several_the_last_counts(self):
        """What the client sent stands before what the forwarder wrote."""
        def both(*macs):
            options = b"".join(struct.pack("!HH", 65073, 17) + mac.encode() for mac in macs)
            return dnswire.opt(options=options)
        self.assertEqual(self.rcode(both(MAC, OTHER)), "NXDOMAIN")
        self.assertEqual(self.rcode(both(OTHER, MAC)), "NOERROR")

    def test_other_devices_and_other_forms(self):
        for code, data in ((65001, bytes.fromhex(OTHER.replace(":", ""))), (65001, b"\2\0\0\0\0"),
                           (65001, b""), (65073, b"02-00-00-00-00-05"), (65073, b"02:00:00:00:00:0g"),
                           (65073, b"!!!!!!!!"), (65074, MAC.encode()), (8, b"\0\1\x20\0\x0a\1\1\1")):
            with self.subTest(code=code, data=data):
                self.assertEqual(self.rcode(option(code, data)), "NXDOMAIN")

    def test_nothing_of_it_goes_upstream(self):
        before = len(self.upstream.asked)
        self.box.ask("other.test", edns=option(65001, bytes.fromhex(MAC.replace(":", ""))), source="127.0.0.2")
        sent = [asked.raw for _, asked, _ in self.upstream.asked[before:]]
        self.assertTrue(sent)
        for packet in sent:
            self.assertNotIn(struct.pack("!H", 65001), packet)

    def test_groups_and_check(self):
        self.assertEqual(self.box.json("groups", "--client", MAC)["by"], "mac")
        self.assertEqual(self.box.json("groups", "--client", MAC)["group"], "staff")
        self.assertEqual(self.box.json("groups", "--client", "host:desk")["group"], "staff")
        self.assertEqual(self.box.json("groups", "--client", "10.0.0.9")["by"], "rest")
        self.assertFalse(self.box.json("check", NAME, "--client", MAC)["blocked"])
        self.assertTrue(self.box.json("check", NAME, "--client", OTHER)["blocked"])
        self.assertIn("all others", self.box.cli("groups").stdout)
        done = self.box.cli("groups", "--client", "somebody")
        self.assertEqual(done.returncode, 2)
        self.box.daemon.stop()
        try:
            self.assertFalse(self.box.json("check", NAME, "--client", MAC)["blocked"])
        finally:
            self.box.start()


class Leases(unittest.TestCase):
    def setUp(self):
        upstream = self.enterContext(FakeUpstream(handler))
        groups = [{"name": "staff", "clients": ["host:tablet-anna"], "block": []},
                  {"name": "pupils", "clients": [], "block": ["adult"]}]
        self.box = Box(upstream=[upstream.url], lists=[("bad", "adult", [NAME])], start=False,
                       config={"groups": groups, "block": {"mode": "nxdomain"}})
        self.path = os.path.join(self.box.folder, "leases")
        self.box.config["dns"]["lease_files"] = [self.path, os.path.join(self.box.folder, "none")]
        self.box.write_config()
        self.enterContext(self.box)
        self.box.start()

    def write(self, text):
        self.box.write("leases.new", text)
        os.rename(self.path + ".new", self.path)

    def expect(self, rcode, source="127.0.0.5"):
        wait_for(lambda: self.box.ask(NAME, source=source).rcode == rcode, f"{rcode} for {source}", 5)

    def test_dnsmasq(self):
        self.expect("NXDOMAIN")
        self.write("1790000000 02:00:00:00:00:05 127.0.0.5 Tablet-Anna 01:02:00:00:00:00:05\n"
                   "damaged\n1790000000 02:00:00:00:00:06 127.0.0.6 * *\nduid 00:01\n")
        self.expect("NOERROR")
        self.assertEqual(self.box.ask(NAME, source="127.0.0.6").rcode, "NXDOMAIN")
        self.assertEqual(self.box.json("groups", "--client", "127.0.0.5")["by"], "host")
        self.assertEqual(self.box.json("groups")["groups"][0]["addresses"], 1)
        self.write("1790000000 02:00:00:00:00:05 127.0.0.7 tablet-anna *\n")
        self.expect("NOERROR", "127.0.0.7")
        self.assertEqual(self.box.ask(NAME, source="127.0.0.5").rcode, "NXDOMAIN")
        os.unlink(self.path)
        self.expect("NXDOMAIN", "127.0.0.7")

    def test_odhcpd(self):
        self.write("# br-lan 020000000005 ipv4 tablet-anna 1790000000 64 32 127.0.0.5/32\n127.0.0.5\ttablet-anna\n"
                   "# br-lan 00010001 1 tablet-anna 1790000000 64 128 ::1/128\n")
        self.expect("NOERROR")
        wait_for(lambda: self.box.ask(NAME, v6=True).rcode == "NOERROR", "IPv6", 5)


class ByTls(unittest.TestCase):
    def test_an_id_in_the_server_name(self):
        with FakeUpstream(handler) as upstream:
            groups = [{"name": "staff", "clients": ["id:phone-kim"], "block": []},
                      {"name": "pupils", "clients": [], "block": ["adult"]}]
            box = Box(upstream=[upstream.url], lists=[("bad", "adult", [NAME])], start=False,
                      config={"groups": groups, "block": {"mode": "nxdomain"}, "server": {"name": "dns.school.lan"}})
            port = free_port()
            box.config["dns"].update({"tls_listen": [f"127.0.0.1:{port}"],
                                      "tls_cert": os.path.join(box.folder, "tls.cert"),
                                      "tls_key": os.path.join(box.folder, "tls.key")})
            make_certificate(box, "dns.school.lan")
            box.write_config()
            with box:
                box.start()
                for name, rcode in (("phone-kim.dns.school.lan", "NOERROR"), ("PHONE-Kim.DNS.school.lan", "NOERROR"),
                                    ("phone-lee.dns.school.lan", "NXDOMAIN"), ("dns.school.lan", "NXDOMAIN"),
                                    ("phone-kim.other.lan", "NXDOMAIN"), ("a.phone-kim.dns.school.lan", "NXDOMAIN")):
                    with self.subTest(name), socket.create_connection(("127.0.0.1", port), 5) as plain, \
                            context().wrap_socket(plain, server_hostname=name) as stream:
                        query = dnswire.query(NAME)
                        stream.sendall(struct.pack("!H", len(query)) + query)
                        self.assertEqual(Message(read_frame(stream)).rcode, rcode)


class ByNeighbours(unittest.TestCase):
    """Two devices behind one cable: the kernel's table tells them apart, IPv6 follows."""
    def test_mac_of_every_address(self):
        spaces = self.enterContext(netns.Namespaces("gate", "client"))
        spaces.wire("gate", "client", "lan0", "eth0")
        spaces.run("client", "ip", "link", "set", "eth0", "address", OTHER)
        spaces.run("client", "ip", "link", "add", "mine", "link", "eth0", "address", MAC, "type", "macvlan",
                   "mode", "bridge")
        spaces.give("gate", "lan0", "10.1.0.1/16", "10.1.0.2/16", "fd00:1::1/64", "fd00:1::2/64")
        spaces.give("client", "eth0", "10.1.0.6/16", "fd00:1::6/64")
        spaces.give("client", "mine", "10.1.0.5/32", "fd00:1::5/128")
        for target in ("10.1.0.2", "fd00:1::2"):
            spaces.run("client", "ip", *["-6"] * (":" in target), "route", "add", target, "dev", "mine",
                       "src", "fd00:1::5" if ":" in target else "10.1.0.5")
        groups = [{"name": "staff", "clients": [MAC], "block": []},
                  {"name": "pupils", "clients": [], "block": ["adult"]}]
        box = self.enterContext(Box(lists=[("bad", "adult", [NAME])], start=False, config={
            "dns": {"listen": ["0.0.0.0:53", "[::]:53"], "records": [{"name": "good.test", "address": GOOD}]},
            "groups": groups, "block": {"mode": "nxdomain"}}))

        def enter():
            import ctypes
            with open(f"/run/netns/{spaces.names['gate']}", "rb") as space:
                if ctypes.CDLL(None).setns(space.fileno(), 0):
                    os._exit(99)
        box.start(user=None, preexec_fn=enter)

        def ask(source, server):
            return spaces.probe("client", {"server": server, "name": NAME, "source": source})[0]
        # Nobody answers upstream: what is not blocked fails.
        for source, server in (("10.1.0.5", "10.1.0.2"), ("fd00:1::5", "fd00:1::2")):
            wait_for(lambda: ask(source, server) in ("SERVFAIL", "silence"), f"{source} is staff")
        for source, server in (("10.1.0.6", "10.1.0.1"), ("fd00:1::6", "fd00:1::1")):
            self.assertEqual(ask(source, server), "NXDOMAIN")
        self.assertEqual(box.json("groups", "--client", "10.1.0.5")["by"], "mac")
        self.assertGreaterEqual(box.json("groups")["groups"][0]["addresses"], 2)
        self.assertNotIn("neighbour", " ".join(box.json("status")["reasons"]))


if __name__ == "__main__":
    unittest.main()
