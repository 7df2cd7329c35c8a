# SPDX-License-Identifier: Apache-2.0
"""DNS over TLS (RFC 7858): what it answers, its limits, its certificate."""
import contextlib
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import time
import unittest

import dnswire
from dnswire import Message
from fakeupstream import FakeUpstream, Send
from harness import SLOWER, USER, Box, exchange, free_port, read_frame, wait_for
from test_rfc_tcp import SO_TIMESTAMPNS, frame, segments_with_data

GOOD = "192.0.2.1"
SVCB = 64


def handler(asked, _):
    kind = asked.questions[0][1]
    if asked.questions[0][0].lower().startswith("never"):
        return []
    slow = asked.questions[0][0].lower().startswith("slow")
    records = [(None, "TXT", bytes([200]) + b"x" * 200, 300)] * 100 if kind == "TXT" else [
        (None, "A", GOOD, 300)]
    if kind == "TXT" and _ == "udp":
        return [Send(dnswire.answer(asked, flags=0x8180 | dnswire.TC))]
    return [Send(dnswire.answer(asked, records), after=0.4 if slow else 0)]


def make_certificate(box, name):
    """A certificate for a name, over the one that may be there, in one step each."""
    for kind in ("cert", "key"):
        box.write(f"new.{kind}", "")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-keyout", os.path.join(box.folder, "new.key"),
                    "-out", os.path.join(box.folder, "new.cert")], check=True, capture_output=True)
    for kind in ("key", "cert"):
        path = os.path.join(box.folder, f"new.{kind}")
        if USER:
            shutil.chown(path, USER)
        os.replace(path, os.path.join(box.folder, f"tls.{kind}"))


def dot_box(upstream, config=None, **more):
    port = free_port()
    box = Box({"server": {"name": "dot.school.lan", "workers": 2}, **(config or {})}, [upstream.url],
              [("list", "adult", ["||blocked.example^"])], start=False, **more)
    box.tls_port = port
    box.config["dns"].update({"tls_listen": [f"127.0.0.1:{port}"],
                              "tls_cert": os.path.join(box.folder, "tls.cert"),
                              "tls_key": os.path.join(box.folder, "tls.key")})
    make_certificate(box, "first.test")
    box.write_config()
    return box


def context(version=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if version:
        made.minimum_version = made.maximum_version = version
    return made


@unittest.skipUnless(shutil.which("openssl"), "openssl makes the certificate")
class Dot(unittest.TestCase):
    config = {}

    @classmethod
    def setUpClass(cls):
        cls.upstream = cls.enterClassContext(FakeUpstream(handler))
        cls.box = cls.enterClassContext(dot_box(cls.upstream, cls.config))
        cls.box.start()

    def connect(self, version=None, source=None, **more):
        plain = socket.create_connection(("127.0.0.1", self.box.tls_port), 15 * SLOWER,
                                         source_address=(source, 0) if source else None)
        self.addCleanup(plain.close)
        stream = (more.pop("context", None) or context(version)).wrap_socket(plain, **more)
        self.addCleanup(stream.close)
        return stream

    def read(self, stream):
        packet = read_frame(stream)
        self.assertIsNotNone(packet, "an answer, not the end")
        return Message(packet)

    def ask_on(self, stream, name="one.example", kind="A", **more):
        stream.sendall(frame(dnswire.query(name, kind, **more)))
        return self.read(stream)

    def name_shown(self, stream):
        der = stream.getpeercert(binary_form=True)
        return re.search(rb"(first|second)\.test", der).group(1).decode()


class Answers(Dot):
    def test_both_versions_of_tls(self):
        """RFC 7858 section 3.2, RFC 8310"""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.assertEqual(self.ask_on(self.connect(version)).texts(), [GOOD])

    def test_older_versions_are_refused(self):
        """RFC 8996"""
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.box.tls_port}",
                               "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
        self.assertNotEqual(done.returncode, 0)

    def test_connection_stays_for_more_queries(self):
        """RFC 7858 section 3.4"""
        stream = self.connect()
        for number in range(10):
            self.assertEqual(self.ask_on(stream, f"n{number}.example").texts(), [GOOD])

    def test_queries_in_one_record_and_answers_in_any_order(self):
        """RFC 7858 section 3.3"""
        stream = self.connect()
        names = {n: f"{'slow' if n == 0 else 'fast'}{n}.order.example" for n in range(6)}
        stream.sendall(b"".join(frame(dnswire.query(name, id=n)) for n, name in names.items()))
        replies = [self.read(stream) for _ in names]
        self.assertEqual((replies[-1].id, {reply.id for reply in replies}), (0, set(names)))

    def test_more_queries_than_may_wait_are_all_answered_in_their_own_records(self):
        stream = self.connect()
        for n in range(100):
            stream.sendall(frame(dnswire.query(f"slow{n}.many.example", id=n)))
        self.assertEqual({self.read(stream).id for _ in range(100)}, set(range(100)))

    def test_octets_one_by_one(self):
        stream = self.connect()
        for octet in frame(dnswire.query("octets.example")):
            stream.sendall(bytes([octet]))
        self.assertEqual(self.read(stream).texts(), [GOOD])

    def test_long_answers(self):
        self.assertEqual(len(self.ask_on(self.connect(), "long.example", "TXT").answers), 100)

    def test_client_that_reads_late_gets_all_answers(self):
        stream = self.connect()
        stream.sendall(frame(dnswire.query("big.example", "TXT")))
        self.read(stream)
        for number in range(300):  # of 20 KB each
            stream.sendall(frame(dnswire.query("big.example", "TXT", id=number)))
        self.assertEqual([self.read(stream).id for _ in range(300)], list(range(300)))

    def test_answers_are_padded_to_blocks_of_468(self):
        """RFC 8467 section 4.1, RFC 7830 section 4"""
        stream = self.connect()
        padding = dnswire.opt(options=struct.pack("!HH", 12, 60) + bytes(60))
        for name in ("one.example", "blocked.example", "fresh.pad.example", "localhost"):
            for edns in (padding, dnswire.opt()):
                reply = self.ask_on(stream, name, edns=edns)
                self.assertEqual(len(reply.raw) % 468, 0)
                self.assertEqual(reply.options[-1][0], 12)
                self.assertFalse(any(reply.options[-1][1]))

    def test_no_padding_without_edns(self):
        """RFC 6891 section 7"""
        reply = self.ask_on(self.connect(), edns=None)
        self.assertIsNone(reply.opt)

    def test_keepalive(self):
        """RFC 7828 section 3.3.2"""
        reply = self.ask_on(self.connect(), edns=dnswire.opt(options=b"\0\x0b\0\0"))
        self.assertEqual(dict(reply.options)[11], struct.pack("!H", 100))

    def test_blocked_names_are_blocked(self):
        stream = self.connect()
        for name in ("blocked.example", "Sub.BLOCKED.example"):
            for kind in ("A", "AAAA", "HTTPS", "TXT"):
                self.assertEqual(self.ask_on(stream, name, kind).ede[0][0], 17)

    def test_client_that_says_no_more_gets_its_answers(self):
        """RFC 7766 section 6.2.4"""
        stream = self.connect()
        stream.sendall(frame(dnswire.query("slow.close.example")))
        socket.socket.shutdown(stream, socket.SHUT_WR)
        self.assertEqual(self.read(stream).texts(), [GOOD])

    def test_sessions_are_resumed(self):
        """RFC 7858 section 3.4"""
        shared = context(ssl.TLSVersion.TLSv1_2)
        first = self.connect(context=shared)
        self.ask_on(first)
        again = self.connect(context=shared, session=first.session)
        self.assertEqual(self.ask_on(again).texts(), [GOOD])
        self.assertTrue(again.session_reused)

    def test_protocol_name(self):
        """RFC 9539 section 4.4: "dot" is accepted when it is offered, others do no harm"""
        offering = context()
        offering.set_alpn_protocols(["h2", "dot"])
        self.assertEqual(self.connect(context=offering).selected_alpn_protocol(), "dot")
        foreign = context()
        foreign.set_alpn_protocols(["h2"])
        self.assertEqual(self.ask_on(self.connect(context=foreign)).texts(), [GOOD])

    def test_transport_is_counted(self):
        self.ask_on(self.connect())
        self.assertRegex(self.box.cli("metrics").stdout, r'dns_requests_total\{transport="tls"')


class Watched:
    """A connection over TLS of which the kernel notes when each octet came."""

    def __init__(self, plain):
        self.plain, self.incoming, self.outgoing = plain, ssl.MemoryBIO(), ssl.MemoryBIO()
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.tls = context().wrap_bio(self.incoming, self.outgoing)
        self.when = (0, 0)
        self.until(self.tls.do_handshake)

    def until(self, call, *arguments):
        """What the call returns, once enough has come for it."""
        while True:
            try:
                result = call(*arguments)
                self.plain.sendall(self.outgoing.read())
                return result
            except ssl.SSLWantReadError:
                self.plain.sendall(self.outgoing.read())
            data, notes, _, _ = self.plain.recvmsg(65536, 64)
            if not data:
                raise ConnectionError("closed")
            self.incoming.write(data)
            self.when = max([self.when, *(struct.unpack("qq", note[2]) for note in notes)])

    def came(self, octets):
        """When the last of so many octets of plain text came."""
        while octets > 0:
            octets -= len(self.until(self.tls.read, octets))
        return self.when


class Turns(Dot):
    config = {"server": {"name": "dot.school.lan", "workers": 1}, "dns": {"tcp_per_client": 64}}

    def test_records_of_one_query_each_are_served_in_turns(self):
        """Every third asks once, the others much. The daemon, held meanwhile, finds all of it."""
        query = frame(dnswire.query("one.example"))
        octets = len(frame(exchange(dnswire.query("one.example"), self.box.address)))
        asks = [1 if n % 3 == 2 else 100 for n in range(30)]
        streams = []
        for _ in asks:
            plain = socket.create_connection(("127.0.0.1", self.box.tls_port), 15 * SLOWER)
            self.addCleanup(plain.close)
            streams.append(Watched(plain))
            streams[-1].until(streams[-1].tls.write, query)
            streams[-1].came(octets)
        self.box.daemon.hold()
        for stream, count in zip(streams, asks):
            for _ in range(count):
                stream.until(stream.tls.write, query)
        self.box.daemon.process.send_signal(signal.SIGCONT)
        ends = [stream.came(count * octets) for stream, count in zip(streams, asks)]
        self.assertLess(max(ends[2::3]), min(ends[0::3] + ends[1::3]))


    def test_answers_to_records_that_came_together_go_together(self):
        """RFC 7766 section 8, RFC 7858 section 3.3"""
        stream = self.connect()
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ask_on(stream)
        before = segments_with_data(stream)
        self.box.daemon.hold()
        for number in range(16):
            stream.sendall(frame(dnswire.query("one.example", id=number)))
        self.box.daemon.process.send_signal(signal.SIGCONT)
        self.assertEqual([self.read(stream).id for _ in range(16)], list(range(16)))
        self.assertLess(segments_with_data(stream) - before, 5)  # not all may have come at once


class Discovery(Dot):
    def test_own_service_is_offered(self):
        """RFC 9462 sections 4 and 5, RFC 9461 section 5"""
        for owner in ("_dns.resolver.arpa", "_dns.DOT.school.lan"):
            self.assert_offer(self.box.ask(owner, SVCB))

    def assert_offer(self, reply):
        data = reply.answers[0].rdata
        name, at = dnswire.read_name(data, 2)
        self.assertEqual((data[:2], name), (b"\0\1", "dot.school.lan"))
        parameters = {}
        while at < len(data):
            key, length = struct.unpack_from("!HH", data, at)
            parameters[key] = data[at + 4:at + 4 + length]
            at += 4 + length
        self.assertEqual(parameters, {1: b"\3dot", 3: struct.pack("!H", self.box.tls_port),
                                      4: bytes([127, 0, 0, 1])})

    def test_other_types_are_no_data(self):
        for owner, zone in (("_dns.resolver.arpa", "resolver.arpa"),
                            ("_dns.dot.school.lan", "dot.school.lan")):
            reply = self.box.ask(owner, "A")
            self.assertEqual((reply.answers, reply.authority[0].name), ([], zone))


class Abuse(Dot):
    config = {"server": {"name": "dot.lan", "workers": 1}}

    def plain(self, data):
        stream = socket.create_connection(("127.0.0.1", self.box.tls_port), 15 * SLOWER)
        self.addCleanup(stream.close)
        stream.sendall(data)
        return stream

    def assert_ends(self, stream):
        with contextlib.suppress(ConnectionError):
            while stream.recv(65536):
                pass

    def tearDown(self):
        self.assertEqual(self.ask_on(self.connect()).texts(), [GOOD])

    def test_dns_in_the_clear_is_not_answered(self):
        stream = self.plain(frame(dnswire.query("one.example")))
        got = b""
        with contextlib.suppress(ConnectionError):
            while more := stream.recv(4096):
                got += more
        self.assertNotIn(b"example", got)

    def test_what_follows_the_goodbye_takes_no_memory(self):
        """RFC 8446 section 6.1: it is ignored; a query that waits keeps the connection open meanwhile."""
        stream = Watched(socket.create_connection(("127.0.0.1", self.box.tls_port), 15 * SLOWER))
        self.addCleanup(stream.plain.close)
        stream.until(stream.tls.write, frame(dnswire.query("never.example")))
        with contextlib.suppress(ssl.SSLWantReadError):
            stream.tls.unwrap()
        stream.plain.sendall(stream.outgoing.read())
        before = self.box.daemon.peak_kb()
        with contextlib.suppress(ConnectionError):
            for _ in range(64):
                stream.plain.sendall(bytes(1 << 20))
        self.assertLess(self.box.daemon.peak_kb() - before, 16 << 10)

    def test_nonsense_ends_the_connection(self):
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + bytes(2000), b"\xff" * 500):
            self.assert_ends(self.plain(data))

    def test_handshake_that_is_not_over_after_five_seconds_ends_the_connection(self):
        begin = time.monotonic()
        self.assert_ends(self.plain(b"\x16"))
        after = time.monotonic() - begin
        self.assertGreater(after, 4.5)
        self.assertLess(after, 5 + 2 * SLOWER)

    def test_hello_in_pieces_and_cut_off(self):
        hello = ssl.MemoryBIO()
        client = context().wrap_bio(ssl.MemoryBIO(), hello)
        with contextlib.suppress(ssl.SSLWantReadError):
            client.do_handshake()
        data = hello.read()
        for cut in range(1, len(data), 37):
            self.plain(data[:cut]).close()

    def test_limit_per_client_counts_tls_too(self):
        streams = [self.connect(source="127.0.6.1") for _ in range(16)]
        for stream in streams:
            self.ask_on(stream)
        with self.assertRaises((ConnectionError, ssl.SSLError, TimeoutError)):
            self.ask_on(self.connect(source="127.0.6.1"))
        self.assertEqual(self.ask_on(streams[0]).texts(), [GOOD])

    def test_hello_to_the_port_in_the_clear(self):
        with socket.create_connection(self.box.address, 10) as plain:
            with self.assertRaises((ConnectionError, ssl.SSLError, TimeoutError, OSError)):
                context().wrap_socket(plain).close()
        self.assertEqual(self.box.ask("one.example", tcp=True).texts(), [GOOD])


class Certificate(Dot):
    def setUp(self):
        make_certificate(self.box, "first.test")
        self.box.cli("reload")

    def test_reload_takes_a_new_certificate(self):
        old = self.connect()
        self.assertEqual(self.name_shown(old), "first")
        make_certificate(self.box, "second.test")
        self.assertEqual(self.box.cli("reload").returncode, 0)
        wait_for(lambda: self.name_shown(self.connect()) == "second", "the new certificate")
        self.assertEqual(self.ask_on(old).texts(), [GOOD])  # who is there stays

    def test_certificate_that_cannot_be_used_changes_nothing(self):
        self.box.write("tls.cert", "no certificate")
        self.assertEqual(self.box.cli("reload").returncode, 0)
        status = self.box.json("status")
        self.assertTrue([r for r in status["reasons"] if "certificate" in r and "tls.cert" in r])
        self.assertIn(self.name_shown(self.connect()), ("first", "second"))
        make_certificate(self.box, "second.test")
        self.box.cli("reload")
        wait_for(lambda: self.name_shown(self.connect()) == "second", "the new certificate")
        self.assertFalse([r for r in self.box.json("status")["reasons"] if "certificate" in r])

    def test_one_that_cannot_be_used_does_not_stop_the_start(self):
        box = self.enterContext(dot_box(self.upstream))
        for name, content, words in (("tls.key", "no key", "not a PEM key"), ("tls.cert", "", "not a PEM cert"),
                                     ("tls.cert", None, "No such file")):
            with self.subTest(name=name, content=content):
                make_certificate(box, "first.test")
                if content is None:
                    os.unlink(os.path.join(box.folder, name))
                else:
                    box.write(name, content)
                checked = subprocess.run([box.program("greengated"), "-c", box.path, "-t"], check=False,
                                         capture_output=True, text=True, timeout=20)
                for done, code in ((checked, 4), (box.cli("config", "check"), 0)):
                    self.assertEqual(done.returncode, code, done)
                    self.assertIn(f"{name}: {words}", done.stderr)
                box.start()
                for tcp in (False, True):
                    self.assertEqual(box.ask("one.example", tcp=tcp).texts(), [GOOD])
                status = box.json("status")
                self.assertEqual(status["state"], "degraded")
                self.assertIn(f"{name}: {words}", " ".join(status["reasons"]))
                self.assertIn("DNS over TLS is not served", " ".join(status["reasons"]))
                with self.assertRaises(OSError):
                    self.shown_by(box)
                make_certificate(box, "second.test")
                self.assertEqual(box.cli("reload").returncode, 0)
                wait_for(lambda: self.shown_by(box) == "second", "the mended certificate")
                self.assertEqual(box.json("status")["state"], "protected")
                box.daemon.stop()

    def shown_by(self, box):
        with socket.create_connection(("127.0.0.1", box.tls_port), 15 * SLOWER) as plain, \
                context().wrap_socket(plain) as stream:
            return self.name_shown(stream)

    def test_reload_tries_again_after_a_mistake(self):
        """A folder that is opened again shows in no file's time."""
        box = self.enterContext(dot_box(self.upstream))
        folder = os.path.join(box.folder, "keys")
        box.make_folder(folder)
        for kind in ("cert", "key"):
            shutil.move(os.path.join(box.folder, f"tls.{kind}"), os.path.join(folder, f"tls.{kind}"))
            box.config["dns"][f"tls_{kind}"] = os.path.join(folder, f"tls.{kind}")
        box.write_config()
        os.chmod(folder, 0)
        box.start()
        self.assertIn("Permission denied", " ".join(box.json("status")["reasons"]))
        os.chmod(folder, 0o755)
        self.assertEqual(box.cli("reload").returncode, 0)
        self.assertEqual(box.json("status")["state"], "protected")

    def test_configuration_needs_both_files(self):
        box = self.enterContext(dot_box(self.upstream))
        del box.config["dns"]["tls_key"]
        box.write_config()
        done = box.cli("config", "check")
        self.assertEqual(done.returncode, 4)
        self.assertIn("dns.tls_key", done.stderr)


if __name__ == "__main__":
    unittest.main()
