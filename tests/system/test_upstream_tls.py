# SPDX-License-Identifier: Apache-2.0
"""Upstreams over TLS and TCP (RFC 7858, RFC 7766, RFC 8467)."""
import concurrent.futures
import os
import shutil
import signal
import socket
import ssl
import struct
import time
import unittest

import dnswire
from fakeupstream import Certificate, FakeUpstream, Send, address
from harness import Box, wait_for

GOOD = "192.0.2.1"


def good(asked):
    return dnswire.answer(asked, [(None, "A", GOOD, 300)])


def reset(upstream):
    """End its connections with RST, and wait until the descriptors are gone."""
    for stream in upstream.streams:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    upstream.drop_streams()
    wait_for(lambda: all(stream.fileno() == -1 for stream in upstream.streams), "the resets")


def ask_over_a_reload(case, upstream, make_box):
    """A reload with other upstream settings closes the connections on which questions wait."""
    box = make_box(upstream.url.replace("udp:", "tcp:"), {"server": {"workers": 1}})
    case.assertEqual(box.ask("a.test").texts(), [GOOD])
    held, upstream.handler = upstream.handler, lambda *_: []
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        waiting = [pool.submit(box.ask, f"n{n}.test", timeout=8) for n in range(30)]
        wait_for(lambda: upstream.count() == 31, "the questions")
        upstream.handler = held
        box.config.setdefault("upstream", {})["timeout_ms"] = 3000
        box.write_config()
        case.assertEqual(box.cli("reload").returncode, 0)
        case.assertEqual([one.result().texts() for one in waiting], [[GOOD]] * 30)
    case.assertGreaterEqual(len(upstream.streams), 2)


@unittest.skipUnless(shutil.which("openssl"), "openssl makes the certificates")
class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.certificate = cls.enterClassContext(Certificate("dns.test"))
        for one in (cls.certificate.cert, cls.certificate.folder):
            os.chmod(one, 0o755)

    def upstream(self, handler=address(), **more):
        return self.enterContext(FakeUpstream(handler, tls=self.certificate, **more))

    def box(self, *urls, trust=True, config=None):
        """A box that trusts the certificate as if the system did."""
        box = Box(upstream=urls, start=False, config=config or {"server": {"workers": 1}})
        self.enterContext(box)
        env = {**os.environ, "SSL_CERT_FILE": self.certificate.cert if trust else "/nowhere"}
        return box.start(env=env)

    def test_right_name_is_asked_over_tls(self):
        """RFC 7858 section 3."""
        upstream = self.upstream()
        box = self.box(f"{upstream.url}#dns.test")
        self.assertEqual(box.ask("a.test").texts(), [GOOD])
        self.assertEqual([how for how, *_ in upstream.asked], ["tls"])

    def test_address_in_the_certificate_counts_without_a_name(self):
        upstream = self.upstream()
        box = self.box(upstream.url)
        self.assertEqual(box.ask("a.test").texts(), [GOOD])

    def test_wrong_name_is_told_nothing(self):
        """RFC 8310 section 5: strict privacy."""
        upstream = self.upstream()
        box = self.box(f"{upstream.url}#other.test")
        reply = box.ask("secret.test", timeout=8)
        self.assertEqual((reply.rcode, reply.ede[0][0] in (22, 23)), ("SERVFAIL", True))
        self.assertEqual(upstream.asked, [])

    def test_unknown_issuer_is_told_nothing(self):
        upstream = self.upstream()
        box = self.box(f"{upstream.url}#dns.test", trust=False)
        self.assertEqual(box.ask("secret.test", timeout=8).rcode, "SERVFAIL")
        self.assertEqual(upstream.asked, [])

    def test_pin_stands_for_issuer_and_name(self):
        """RFC 7858 section 4.2."""
        upstream = self.upstream()
        box = self.box(f"{upstream.url}#sha256/{self.certificate.pin}", trust=False)
        self.assertEqual(box.ask("a.test").texts(), [GOOD])

    def test_other_pin_is_told_nothing(self):
        upstream = self.upstream()
        pin = ("A" if self.certificate.pin[0] != "A" else "B") + self.certificate.pin[1:]
        box = self.box(f"{upstream.url}#sha256/{pin}")
        self.assertEqual(box.ask("secret.test", timeout=8).rcode, "SERVFAIL")
        self.assertEqual(upstream.asked, [])

    def test_tls_1_1_is_refused(self):
        upstream = self.upstream(tls_most=ssl.TLSVersion.TLSv1_1)
        box = self.box(f"{upstream.url}#dns.test")
        self.assertEqual(box.ask("secret.test", timeout=8).rcode, "SERVFAIL")
        self.assertEqual(upstream.asked, [])

    def test_tls_1_2_is_spoken(self):
        upstream = self.upstream(tls_most=ssl.TLSVersion.TLSv1_2)
        box = self.box(f"{upstream.url}#dns.test")
        self.assertEqual(box.ask("a.test").texts(), [GOOD])

    def test_queries_are_padded_to_128_octets(self):
        """RFC 8467 section 4.1."""
        upstream = self.upstream()
        box = self.box(f"{upstream.url}#dns.test")
        for name in ("a.test", "b" * 40 + ".test", ".".join(["c" * 60] * 3) + ".test"):
            box.ask(name)
        for _, asked, _ in upstream.asked:
            self.assertEqual(len(asked.raw) % 128, 0)
            self.assertIn(12, [code for code, _ in asked.options])

    def test_connection_is_kept_and_answers_come_in_any_order(self):
        """RFC 7766 sections 6.2.1.1 and 7."""
        def handler(asked, _):
            return [Send(good(asked), after=0.4 if "late" in asked.questions[0][0].lower() else 0)]
        upstream = self.upstream(handler)
        box = self.box(f"{upstream.url}#dns.test")
        box.ask("first.test")
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            late = pool.submit(box.ask, "late.test")
            wait_for(lambda: upstream.count("late.test"), "the late question")
            self.assertEqual(box.ask("quick.test").texts(), [GOOD])
            self.assertLess(time.monotonic() - begin, 0.4)
            self.assertEqual(late.result().texts(), [GOOD])
        self.assertEqual(len(upstream.streams), 1)

    def test_closed_connection_is_opened_again_and_resumes(self):
        """RFC 7858 section 3.4."""
        upstream = self.upstream()
        box = self.box(f"{upstream.url}#dns.test")
        self.assertEqual(box.ask("a.test").texts(), [GOOD])
        upstream.drop_streams()
        self.assertEqual(box.ask("b.test").texts(), [GOOD])
        self.assertEqual(upstream.resumed, [False, True])

    def test_question_lost_with_its_connection_is_asked_again(self):
        """RFC 7766 section 6.2.4."""
        upstream = self.upstream()
        box = self.box(f"{upstream.url}#dns.test")
        self.assertEqual(box.ask("a.test").texts(), [GOOD])
        held = upstream.handler

        def lose_once(asked, transport):
            upstream.handler = held
            upstream.drop_streams()
            return []
        upstream.handler = lose_once
        begin = time.monotonic()
        self.assertEqual(box.ask("b.test", timeout=8).texts(), [GOOD])
        self.assertLess(time.monotonic() - begin, 1)

    def test_reload_asks_again_what_waits(self):
        ask_over_a_reload(self, self.upstream(), lambda url, config: self.box(
            f"{url}#dns.test", config=config))

    def test_ad_is_believed(self):
        upstream = self.upstream(lambda asked, _: [Send(dnswire.answer(
            asked, [(None, "A", GOOD, 300)], flags=0x81A0))])
        box = self.box(f"{upstream.url}#dns.test")
        self.assertTrue(box.ask("a.test", flags=dnswire.RD | dnswire.AD).flags & dnswire.AD)


class Tcp(unittest.TestCase):
    def box(self, upstream, config=None):
        return self.enterContext(Box(
            upstream=[f"tcp://127.0.0.1:{upstream.port}"],
            config=config or {"server": {"workers": 1}}))

    def test_connection_is_shared(self):
        """RFC 7766 section 6.2.2."""
        upstream = self.enterContext(FakeUpstream(address()))
        box = self.box(upstream)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda n: box.ask(f"n{n}.test"), range(40)))
        self.assertEqual([reply.texts() for reply in replies], [[GOOD]] * 40)
        self.assertEqual(len(upstream.streams), 1)

    def test_data_that_cannot_be_read_is_the_server_s_word_and_blames_nobody(self):
        """RFC 8659 section 4.1: a tag has letters and digits alone."""
        def handler(asked, _):
            name, kind, _ = asked.questions[0]
            if kind == "A":
                return [Send(good(asked))]
            return [Send(dnswire.answer(asked, [
                dnswire.pack_name(name) + struct.pack("!HHIH", 257, 1, 300, 6) + b"\0\3i-d;"]))]
        upstream = self.enterContext(FakeUpstream(handler))
        box = self.box(upstream)
        for n in range(4):
            begin = time.monotonic()
            reply = box.ask(f"n{n}.test", 257, timeout=8)
            self.assertLess(time.monotonic() - begin, 1)
            self.assertEqual((reply.rcode, reply.ede[0][0]), ("SERVFAIL", 22))
            self.assertLessEqual(upstream.count(f"n{n}.test"), 2)
        self.assertEqual(box.ask("a.test").texts(), [GOOD])
        self.assertTrue(all(one["ok"] for one in box.json("status")["upstreams"]))
        self.assertEqual(len(upstream.streams), 1)

    def test_slower_of_two_asked_at_once_keeps_its_connection(self):
        """Its answers come when the question is over; for longer than it may be silent."""
        quick = self.enterContext(FakeUpstream(address()))
        slower = self.enterContext(FakeUpstream(lambda asked, _: [Send(good(asked), after=0.1)]))
        box = self.enterContext(Box(upstream=[f"tcp://127.0.0.1:{one.port}" for one in (quick, slower)], config={
            "server": {"workers": 1}, "upstream": {"strategy": "parallel", "timeout_ms": 400}}))
        until, n = time.monotonic() + 2, 0
        while time.monotonic() < until:
            self.assertEqual(box.ask(f"n{n}.test").texts(), [GOOD])
            n += 1
        wait_for(lambda: slower.count() == n, "the slower one to be asked all")
        self.assertEqual(len(slower.streams), 1)
        self.assertTrue(all(one["ok"] for one in box.json("status")["upstreams"]))

    def test_server_that_closes_after_each_answer_is_served(self):
        upstream = self.enterContext(FakeUpstream(address()))
        upstream.close_after = 1
        box = self.box(upstream)
        for n in range(5):
            self.assertEqual(box.ask(f"n{n}.test").texts(), [GOOD])

    def test_silent_connection_is_given_up(self):
        upstream = self.enterContext(FakeUpstream(address()))
        box = self.box(upstream)
        self.assertEqual(box.ask("a.test").texts(), [GOOD])
        held, upstream.handler = upstream.handler, lambda *_: []
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(box.ask, "b.test", timeout=8)
            wait_for(lambda: upstream.count("b.test"), "the question")
            upstream.handler = held
            self.assertEqual(waiting.result().texts(), [GOOD])
        self.assertEqual(len(upstream.streams), 2)

    def test_connection_that_brings_nothing_but_noise_is_given_up(self):
        """RFC 7766 section 6.2.3: messages that answer no question are no sign of life."""
        def handler(asked, _):
            if len(upstream.streams) > 1:
                return [Send(good(asked))]
            return [Send(dnswire.answer(asked, id=asked.id ^ 1), after=n * 0.2) for n in range(5)]
        upstream = self.enterContext(FakeUpstream(handler))
        box = self.box(upstream)
        self.assertEqual(box.ask("a.test", timeout=8).texts(), [GOOD])

    def test_reload_asks_again_what_waits(self):
        ask_over_a_reload(self, self.enterContext(FakeUpstream(address())), lambda url, config:
                          self.enterContext(Box(upstream=[url], config=config)))

    def test_reset_connection_takes_no_question_with_it(self):
        """Questions come in, then the reset of the connection on which others wait: the daemon,
        held meanwhile, finds out while it writes the first of them."""
        upstream = self.enterContext(FakeUpstream(address()))
        box = self.box(upstream)
        self.assertEqual(box.ask("a.test").texts(), [GOOD])
        held, upstream.handler = upstream.handler, lambda *_: []
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            waiting = [pool.submit(box.ask, f"old{n}.test", timeout=8) for n in range(10)]
            wait_for(lambda: upstream.count() == 11, "the questions")
            upstream.handler = held
            box.daemon.hold()
            try:
                sent = []
                for n in range(20):
                    one = self.enterContext(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                    one.settimeout(8)
                    one.sendto(dnswire.query(f"new{n}.test"), box.address)
                    sent.append(one)
                reset(upstream)
            finally:
                box.daemon.process.send_signal(signal.SIGCONT)
            self.assertEqual([one.result().texts() for one in waiting], [[GOOD]] * 10)
            for one in sent:
                self.assertEqual(dnswire.Message(one.recv(65535)).texts(), [GOOD])

    def test_question_that_finds_its_own_connection_reset_is_asked_again(self):
        """Its patience is over while the daemon is held, so the second try goes out on the
        connection on which the first one waits, before the reset has been seen."""
        upstream = self.enterContext(FakeUpstream(address()))
        box = self.box(upstream, {"server": {"workers": 1}, "upstream": {"timeout_ms": 1000}})
        self.assertEqual(box.ask("a.test").texts(), [GOOD])
        held, upstream.handler = upstream.handler, lambda *_: []
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(box.ask, "held.test", timeout=8)
            wait_for(lambda: upstream.count("held.test"), "the question")
            begin = time.monotonic()
            upstream.handler = held
            time.sleep(0.5)  # so that the connection's own patience lasts longer
            self.assertEqual(box.ask("b.test").texts(), [GOOD])
            box.daemon.hold()
            try:
                reset(upstream)
                time.sleep(max(0, begin + 1.2 - time.monotonic()))
            finally:
                box.daemon.process.send_signal(signal.SIGCONT)
            self.assertEqual(waiting.result().texts(), [GOOD])

    def test_idle_connection_is_closed(self):
        """RFC 7766 section 6.2.3: at 10 s."""
        upstream = self.enterContext(FakeUpstream(address()))
        box = self.box(upstream)
        box.ask("a.test")
        wait_for(lambda: upstream.streams[0].fileno() == -1, "the end of the connection", 15)


if __name__ == "__main__":
    unittest.main()
