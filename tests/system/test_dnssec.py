# SPDX-License-Identifier: Apache-2.0
"""A device that validates DNSSEC itself can do so through us: zones signed by ldns-signzone, served
by NSD, validated by delv from BIND (RFC 4035 sections 3.2, 4 and 5; RFC 5155)."""
import os
import re
import shutil
import subprocess
import unittest

import dnswire
from harness import PEERS, Box, Nsd, temp_folder

HEAD = ("$ORIGIN {0}.\n$TTL 300\n@ IN SOA ns hostmaster 1 3600 600 86400 60\n@ IN NS ns\nns IN A 127.0.0.1\n")
LEAVES = ("www IN A 192.0.2.1\nwww IN AAAA 2001:db8::1\nalias IN CNAME www\n*.wild IN A 192.0.2.2\n"
          "deep.empty.middle IN TXT x\ntree IN DNAME other\nwww.other IN A 192.0.2.3\n"
          "svc IN HTTPS 1 . alpn=h2\nblocked IN A 192.0.2.4\nlarge IN TXT " + f'"{"x" * 200}" ' * 12 + "\n")
PARENT, NSEC, NSEC3, PLAIN = "signed.example", "a.signed.example", "b.signed.example", "c.signed.example"
PROVEN, DENIED = "; fully validated", "; negative response, fully validated"
UNSIGNED, UNSIGNED_DENIED = "; unsigned answer", "; negative response, unsigned answer"

# What is asked below each apex, and whether it is there.
QUESTIONS = (
    ("www", "A", True), ("www", "AAAA", True), ("www", "MX", False), ("alias", "A", True), ("alias", "AAAA", True),
    ("x.y.wild", "A", True), ("x.wild", "AAAA", False), ("none", "A", False), ("x.none", "A", False),
    ("middle", "A", False), ("empty.middle", "A", False), ("svc", "HTTPS", True), ("large", "TXT", True),
    ("www.tree", "A", True), ("", "SOA", True), ("", "NS", True),
)


RRSIG = "46"


def type_covered(rr):
    number = int.from_bytes(rr.rdata[:2], "big")
    return dnswire.NAMES.get(number, str(number))


class Signer:
    """Keys and signed zones in a folder."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, program, *arguments):
        done = subprocess.run([os.path.join(PEERS, "bin", program), *arguments], cwd=self.folder,
                              capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def read(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as source:
            return source.read()

    def sign(self, name, text, *flags):
        """(signed zone, its key signing key, its DS) as text."""
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as out:
            out.write(text)
        key = self.run("ldns-keygen", "-k", "-a", "ECDSAP256SHA256", name)
        other = self.run("ldns-keygen", "-a", "ECDSAP256SHA256", name)
        self.run("ldns-signzone", *flags, "-f", f"{name}.signed", name, key, other)
        return self.read(f"{name}.signed"), self.read(f"{key}.key"), self.read(f"{key}.ds")


class Dnssec(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("delv") or not os.path.exists(os.path.join(PEERS, "bin", "ldns-signzone")):
            raise unittest.SkipTest("delv or ldns-signzone is missing")
        cls.folder = temp_folder()
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        signer = Signer(cls.folder)
        zones = {PLAIN: HEAD.format(PLAIN) + LEAVES}
        zones[NSEC], _, nsec_ds = signer.sign(NSEC, HEAD.format(NSEC) + LEAVES)
        zones[NSEC3], _, nsec3_ds = signer.sign(NSEC3, HEAD.format(NSEC3) + LEAVES, "-n", "-s", "ab12")
        cuts = "".join(f"{label} IN NS ns.{label}\nns.{label} IN A 127.0.0.1\n" for label in "abc")
        zones[PARENT], key, _ = signer.sign(
            PARENT, HEAD.format(PARENT) + LEAVES + cuts + f"over IN CNAME www.{NSEC3}.\n" + nsec_ds + nsec3_ds)
        cls.anchor = os.path.join(cls.folder, "anchor")
        flags, protocol, algorithm, octets = re.search(r"DNSKEY\s+(\d+) (\d+) (\d+) (\S+)", key).groups()
        with open(cls.anchor, "w", encoding="utf-8") as out:
            out.write(f'trust-anchors {{ "{PARENT}." static-key {flags} {protocol} {algorithm} "{octets}"; }};\n')
        cls.zones = zones
        cls.nsd = cls.enterClassContext(Nsd(zones))
        cls.box = cls.enterClassContext(Box(
            upstream=[cls.nsd.url], lists=[("one", "adult", [f"blocked.{NSEC}"])], config={"block": {"mode": "zero"}}))

    def delv(self, name, kind):
        """The first line of what delv says after validating."""
        done = subprocess.run(["delv", "@127.0.0.1", "-p", str(self.box.port), "-a", self.anchor, f"+root={PARENT}",
                               name, kind], capture_output=True, text=True, timeout=30, check=False)
        lines = [line for line in (done.stderr + done.stdout).split("\n") if not line.startswith(";; resolution failed")]
        return lines[0]

    def assert_answers(self, apex, there, denied):
        for _ in range(2):  # fresh, then cached
            for label, kind, exists in QUESTIONS:
                name = f"{label}.{apex}" if label else apex
                with self.subTest(name=name, type=kind):
                    self.assertEqual(self.delv(name, kind), there if exists else denied)

    def test_zones_with_nsec(self):
        self.assert_answers(PARENT, PROVEN, DENIED)
        self.assert_answers(NSEC, PROVEN, DENIED)

    def test_zones_with_nsec3(self):
        """RFC 5155 section 8"""
        self.assert_answers(NSEC3, PROVEN, DENIED)

    def test_a_zone_that_is_proven_not_to_be_signed(self):
        """RFC 4035 section 5.2: the DS is denied by its parent"""
        self.assert_answers(PLAIN, UNSIGNED, UNSIGNED_DENIED)

    def test_keys_and_their_digests(self):
        """RFC 4035 section 3.1.4.1: a DS is the parent's"""
        for apex in (NSEC, NSEC3):
            self.assertEqual((self.delv(apex, "DS"), self.delv(apex, "DNSKEY")), (PROVEN, PROVEN))
        self.assertEqual(self.delv(PLAIN, "DS"), DENIED)

    def test_an_alias_into_another_zone(self):
        for kind in ("A", "MX"):  # of MX the alias is proven, and its absence behind it
            self.assertEqual(self.delv(f"over.{PARENT}", kind), PROVEN)

    def test_signatures_are_for_those_who_ask_for_them(self):
        """RFC 4035 section 3.2.1: the same question without DO, from the same cache"""
        for name, records in ((f"www.{NSEC}", ["A"]), (f"none.{NSEC}", ["SOA"]), (f"x.wild.{NSEC3}", ["A"])):
            plain = self.box.ask(name)
            self.assertEqual([rr.type for rr in plain.answers + plain.authority], records)
            signed = self.box.ask(name, edns=dnswire.opt(dnssec_ok=True))
            self.assertIn(RRSIG, [rr.type for rr in signed.answers + signed.authority])

    def test_signatures_come_with_what_they_sign(self):
        """RFC 4035 section 3.1.1: a validator takes one alone for a broken answer. The server adds its NS set."""
        nsd = self.enterContext(Nsd(self.zones, generous=True))
        box = self.enterContext(Box(upstream=[nsd.url]))
        for apex in (NSEC, NSEC3):
            for label, kind, _ in QUESTIONS:
                reply = box.ask(f"{label}.{apex}" if label else apex, kind, edns=dnswire.opt(dnssec_ok=True), tcp=True)
                for section in (reply.answers, reply.authority):
                    there = {(rr.name, rr.type) for rr in section}
                    signed = {(rr.name, type_covered(rr)) for rr in section if rr.type == RRSIG}
                    self.assertLessEqual(signed, there, (label, kind, apex))

    def test_a_block_is_not_proven(self):
        """docs/limits.md: who validates takes a forged answer for a failure"""
        self.assertEqual(self.box.ask(f"blocked.{NSEC}").texts("A"), ["0.0.0.0"])
        self.assertNotIn(self.delv(f"blocked.{NSEC}", "A"), (PROVEN, UNSIGNED))


if __name__ == "__main__":
    unittest.main()
