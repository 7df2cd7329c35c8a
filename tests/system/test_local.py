# SPDX-License-Identifier: Apache-2.0
"""Names that are answered here: records of the settings, our own name, special names, private
reverse zones. None of them reaches an upstream."""
import struct
import unittest

import dnswire
from dnswire import AA
from fakeupstream import FakeUpstream, address
from harness import Box, exchange, free_port

RESINFO, SVCB, DS = 261, 64, 43
UPSTREAM = "192.0.2.1"


class Local(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = cls.enterClassContext(FakeUpstream(address(UPSTREAM)))
        cls.box = cls.enterClassContext(Box({
            "server": {"name": "filter.school.lan"},
            "dns": {"records": [{"name": "nas.lan", "address": "192.168.1.5"},
                                {"name": "nas.lan", "address": "192.168.1.6"},
                                {"name": "NAS.lan.", "address": "fd00::5"},
                                {"name": "store.lan", "address": "192.168.1.5"},
                                {"name": "blocked.example", "address": "10.1.2.3"},
                                {"name": "printer.home.arpa", "address": "10.1.2.4"}]}},
            [cls.upstream.url], [("list", "adult", ["||blocked.example^"])]))

    def here(self, name, kind="A", **more):
        before = self.upstream.count()
        reply = self.box.ask(name, kind, **more)
        self.assertEqual(self.upstream.count(), before, f"{name} {kind} went upstream")
        self.assertTrue(reply.flags & AA)
        return reply

    def assert_negative(self, reply, rcode, zone):
        """RFC 2308 section 3: with the SOA of the zone"""
        self.assertEqual((reply.rcode, reply.answers), (rcode, []))
        self.assertEqual([(rr.name, rr.type) for rr in reply.authority], [(zone, "SOA")])

    def test_all_addresses_of_a_record(self):
        for tcp in (False, True):
            self.assertEqual(self.here("nas.lan", tcp=tcp).texts(), ["192.168.1.5", "192.168.1.6"])
            self.assertEqual(self.here("nas.lan", "AAAA", tcp=tcp).texts(), ["fd00::5"])

    def test_case_does_not_matter(self):
        self.assertEqual(self.here("NaS.LaN", "AAAA").texts(), ["fd00::5"])

    def test_other_types_of_a_record_are_no_data(self):
        """RFC 2308 section 2.2"""
        for kind in ("TXT", "MX", "HTTPS", "ANY"):
            self.assert_negative(self.here("nas.lan", kind), "NOERROR", "nas.lan")
        self.assert_negative(self.here("store.lan", "AAAA"), "NOERROR", "store.lan")

    def test_names_below_a_record_are_not_it(self):
        self.assertEqual(self.box.ask("sub.nas.lan").texts(), [UPSTREAM])

    def test_records_come_before_lists(self):
        self.assertEqual(self.here("blocked.example").texts(), ["10.1.2.3"])
        self.assertEqual(self.box.ask("www.blocked.example").ede[0][0], 17)

    def test_first_name_of_an_address_is_its_reverse(self):
        self.assertEqual(self.here("5.1.168.192.in-addr.arpa", "PTR").texts(), ["nas.lan"])
        six = ".".join("5" + "0" * 27 + "00df") + ".ip6.arpa"
        self.assertEqual(self.here(six, "PTR").texts(), ["nas.lan"])
        self.assert_negative(self.here("5.1.168.192.in-addr.arpa", "TXT"), "NOERROR",
                             "168.192.in-addr.arpa")

    def test_names_on_the_way_to_a_record_exist(self):
        """RFC 8020 section 2: NXDOMAIN would deny what lies below"""
        self.assert_negative(self.here("1.168.192.in-addr.arpa", "PTR"), "NOERROR",
                             "168.192.in-addr.arpa")

    def test_own_name_is_the_address_that_was_asked(self):
        self.assertEqual(self.here("filter.school.lan").texts(), ["127.0.0.1"])
        self.assertEqual(self.here("filter.school.lan", "MX").answers, [])

    def test_own_address_has_our_name(self):
        port = free_port()
        box = self.enterContext(Box({"server": {"name": "me.lan"},
                                     "dns": {"listen": [f"0.0.0.0:{port}"]}},
                                    [self.upstream.url], start=False))
        box.port = port
        box.start()
        asked = dnswire.query("9.0.0.127.in-addr.arpa", "PTR")
        reply = dnswire.Message(exchange(asked, ("127.0.0.9", port)))
        self.assertEqual(reply.texts(), ["me.lan"])

    def test_resinfo_of_our_own_name(self):
        """RFC 9606 sections 4 and 5"""
        for name in ("filter.school.lan", "resolver.arpa"):
            reply = self.here(name, RESINFO)
            data = reply.answers[0].rdata
            self.assertEqual(data[0], len(data) - 1)
            self.assertRegex(data[1:].decode(), r"^exterr=[0-9,-]+$")

    def test_localhost(self):
        """RFC 6761 section 6.3"""
        for name in ("localhost", "any.thing.localhost"):
            self.assertEqual(self.here(name).texts(), ["127.0.0.1"])
            self.assertEqual(self.here(name, "AAAA").texts(), ["::1"])
            self.assert_negative(self.here(name, "MX"), "NOERROR", "localhost")

    def test_loopback_is_localhost(self):
        """RFC 6303 section 4.2 and RFC 1912 section 4.1"""
        self.assertEqual(self.here("1.0.0.127.in-addr.arpa", "PTR").texts(), ["localhost"])
        self.assertEqual(self.here(".".join("1" + "0" * 31) + ".ip6.arpa", "PTR").texts(),
                         ["localhost"])

    def test_special_names_do_not_exist(self):
        """RFC 6761 section 6.4, RFC 7686 section 2, RFC 6762 section 22.1"""
        for zone in ("invalid", "onion", "local"):
            for name in (zone, f"www.{zone}", f"a.b.{zone.upper()}"):
                with self.subTest(name):
                    reply = self.here(name)
                    self.assertEqual(reply.rcode, "NXDOMAIN")
                    self.assertEqual(reply.authority[0].name.lower(), zone)

    def test_names_that_only_end_alike_are_asked_for(self):
        for name in ("xlocalhost", "notonion", "local.example", "10.in-addr.arpa.example", "xinvalid"):
            self.assertEqual(self.box.ask(name).texts(), [UPSTREAM])

    def test_home_arpa(self):
        """RFC 8375 section 4"""
        self.assert_negative(self.here("any.home.arpa"), "NXDOMAIN", "home.arpa")
        self.assert_negative(self.here("home.arpa"), "NOERROR", "home.arpa")
        self.assertEqual(self.here("home.arpa", "SOA").answers[0].type, "SOA")
        self.assertEqual(self.here("printer.home.arpa").texts(), ["10.1.2.4"])

    def test_ds_of_home_arpa_is_asked_for(self):
        """RFC 8375 section 4: the insecure delegation must be seen"""
        before = self.upstream.count()
        self.box.ask("home.arpa", DS)
        self.assertGreater(self.upstream.count(), before)

    def test_private_reverse_zones(self):
        """RFC 6303 section 4, RFC 7793"""
        zones = ["10", "16.172", "31.172", "168.192", "0", "127", "254.169", "2.0.192",
                 "100.51.198", "113.0.203", "255.255.255.255", "64.100", "127.100"]
        for zone in [f"{z}.in-addr.arpa" for z in zones] + [
                "d.f.ip6.arpa", "8.e.f.ip6.arpa", "b.e.f.ip6.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"]:
            with self.subTest(zone):
                self.assertEqual(self.here(zone, "SOA").answers[0].type, "SOA")
                self.assertEqual(self.here(zone, "NS").texts(), [zone])
                self.assert_negative(self.here(zone, "PTR"), "NOERROR", zone)
                self.assert_negative(self.here(f"77.{zone}", "PTR"), "NXDOMAIN", zone)
                self.assert_negative(self.here(f"x.77.{zone}", "A"), "NXDOMAIN", zone)

    def test_soa_of_a_private_zone(self):
        """RFC 6303 section 3: the zone's own name, nobody.invalid., three hours"""
        for name, zone in (("10.in-addr.arpa", "10.in-addr.arpa"), ("9.0.10.in-addr.arpa", "10.in-addr.arpa"),
                           ("x.y.8.e.f.ip6.arpa", "8.e.f.ip6.arpa"), ("printer.local", "local")):
            reply = self.here(name, "SOA")
            rr, = reply.answers or reply.authority
            primary, at = dnswire.read_name(reply.raw, rr.end - len(rr.rdata))
            mailbox, at = dnswire.read_name(reply.raw, at)
            self.assertEqual((rr.name, primary, mailbox), (zone, zone, "nobody.invalid"))
            self.assertEqual(struct.unpack_from("!5I", reply.raw, at), (1, 3600, 1200, 604800, 10800))
            self.assertEqual((rr.ttl, at + 20), (10800, rr.end))

    def test_public_reverse_zones_are_asked_for(self):
        before = self.upstream.count()
        for name in ("8.8.8.8.in-addr.arpa", "1.15.172.in-addr.arpa", "1.32.172.in-addr.arpa",
                     "1.63.100.in-addr.arpa", "arpa", "in-addr.arpa"):
            self.box.ask(name, "A")
        self.assertEqual(self.upstream.count(), before + 6)

    def test_discovery_is_answered_here(self):
        """RFC 9462 sections 4 and 6.4: no encrypted service is offered, none of others either"""
        self.assert_negative(self.here("_dns.resolver.arpa", SVCB), "NOERROR", "resolver.arpa")
        self.assert_negative(self.here("_dns.filter.school.lan", SVCB), "NOERROR", "filter.school.lan")
        self.assert_negative(self.here("resolver.arpa", "A"), "NOERROR", "resolver.arpa")
        self.assert_negative(self.here("other.resolver.arpa", SVCB), "NXDOMAIN", "resolver.arpa")

    def test_without_recursion_desired_it_is_the_same(self):
        """RFC 1034 section 4.3.1"""
        self.assertEqual(self.here("nas.lan", "AAAA", flags=0).texts(), ["fd00::5"])

    def test_reload_changes_records(self):
        box = self.enterContext(Box({"dns": {"records": [{"name": "a.lan", "address": "10.0.0.1"}]}},
                                    [self.upstream.url]))
        self.assertEqual(box.ask("a.lan").texts(), ["10.0.0.1"])
        box.config["dns"]["records"] = [{"name": "a.lan", "address": "10.0.0.2"}]
        box.write_config()
        self.assertEqual(box.cli("reload").returncode, 0)
        self.assertEqual(box.ask("a.lan").texts(), ["10.0.0.2"])


if __name__ == "__main__":
    unittest.main()
