# SPDX-License-Identifier: Apache-2.0
"""Staying up: what the service manager hears, a stuck worker, a stop with queries in flight,
clocks that jump, upstreams that go and come back."""
import concurrent.futures
import ctypes
import glob
import os
import time
import unittest

import dnswire
from fakeupstream import FakeUpstream, Send, address
from harness import PEERS, SLOWER, Box, Nsd, ServedTest, wait_for
from systemd import Manager

GOOD = "192.0.2.7"
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH, WAIT_ALL = 0x4206, 0x4207, 17, 0x40000000


def good(asked, ttl=300):
    return dnswire.answer(asked, [(None, "A", GOOD, ttl)])


class Frozen:
    """One thread stands still; skips the test where that is not allowed."""

    def __init__(self, thread):
        self.thread, self.call = thread, ctypes.CDLL(None, use_errno=True).ptrace
        self.call.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]

    def __enter__(self):
        if self.call(PTRACE_SEIZE, self.thread, None, None) != 0:
            raise unittest.SkipTest("threads cannot be stopped here")
        self.call(PTRACE_INTERRUPT, self.thread, None, None)
        os.waitpid(self.thread, WAIT_ALL)
        return self

    def __exit__(self, *_):
        self.call(PTRACE_DETACH, self.thread, None, None)


class ServiceManager(unittest.TestCase):
    def managed(self, **more):
        upstream = self.enterContext(FakeUpstream(address()))
        box = self.enterContext(Box(upstream=[upstream.url], start=False, lists=[
            ("adult-list", "adult", ["bad.test"])]))
        manager = Manager(box.folder)
        self.addCleanup(manager.close)
        manager.start(box, **more)
        return box, manager

    def test_ready_reloading_stopping(self):
        box, manager = self.managed()
        wait_for(lambda: manager.has("READY"), "READY=1")
        before = len(manager.said)
        self.assertEqual(box.cli("reload").returncode, 0)
        wait_for(lambda: any("READY" in state for state in manager.said[before:]), "READY=1 again")
        reloading = next(state for state in manager.said[before:] if "RELOADING" in state)
        self.assertAlmostEqual(int(reloading["MONOTONIC_USEC"]) / 1e6, time.monotonic(), delta=60)
        self.assertFalse(manager.has("WATCHDOG"))  # nobody wished for it
        box.daemon.stop()
        wait_for(lambda: manager.has("STOPPING"), "STOPPING=1")

    def test_watchdog_hears_nothing_while_a_worker_is_stuck(self):
        box, manager = self.managed(WATCHDOG_USEC="600000")

        def pings():
            return sum("WATCHDOG" in state for state in manager.said)

        def reasons():
            return " ".join(box.json("status")["reasons"])
        wait_for(lambda: pings() > 3, "the watchdog's pings")
        threads = sorted(int(n) for n in os.listdir(f"/proc/{box.daemon.process.pid}/task"))
        with Frozen(threads[-1]):
            wait_for(lambda: "1 of 2 workers do not respond" in reasons(), "status")
            self.assertEqual(box.json("status")["state"], "degraded")
            heard, since = pings(), time.monotonic()
            wait_for(lambda: time.monotonic() - since > 1, "several turns")
            self.assertEqual(pings(), heard)
        wait_for(lambda: pings() > heard + 2, "the pings again")
        wait_for(lambda: "respond" not in reasons(), "status again")


class Stop(unittest.TestCase):
    def test_what_is_in_flight_is_answered_before_the_end(self):
        upstream = self.enterContext(FakeUpstream(lambda asked, _: [Send(good(asked), after=0.7)]))
        box = self.enterContext(Box({"dns": {"tcp_per_client": 40}}, [upstream.url]))
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            jobs = [pool.submit(box.ask, f"slow{n}.test", tcp=n % 2 == 1) for n in range(40)]
            wait_for(lambda: upstream.count() >= 40, "all questions upstream")
            begin = time.monotonic()
            self.assertEqual(box.daemon.stop(), 0)
            self.assertLess(time.monotonic() - begin, 2.5 * SLOWER)
            for job in jobs:
                self.assertEqual(job.result().texts(), [GOOD])

    def test_an_upstream_that_hangs_does_not_hold_it_up(self):
        upstream = self.enterContext(FakeUpstream(lambda asked, _: []))
        box = self.enterContext(Box(upstream=[upstream.url]))
        with concurrent.futures.ThreadPoolExecutor(5) as pool:
            for number in range(5):
                pool.submit(box.send, dnswire.query(f"hang{number}.test"), timeout=3)
            wait_for(lambda: upstream.count() >= 5, "the questions upstream")
            begin = time.monotonic()
            self.assertEqual(box.daemon.stop(), 0)
            self.assertLess(time.monotonic() - begin, 2.5 * SLOWER)


class Upstreams(ServedTest):
    def fake(self, handler, config=None):
        upstream = self.enterContext(FakeUpstream(handler))
        return upstream, self.enterContext(Box(config, upstream=[upstream.url]))

    def test_stale_after_1800_ms_and_the_cache_is_refreshed_behind(self):
        """RFC 8767 section 5."""
        delay = [0]
        upstream, box = self.fake(lambda asked, _: [Send(good(asked, 1 if delay[0] == 0 else 300),
                                                         after=delay[0])],
                                  {"upstream": {"timeout_ms": 4000}})
        box.ask("slow.test")
        delay[0] = 2.5
        wait_for(lambda: self.expired(box), "the end of the TTL")
        self.assertEqual(self.stale.answers[0].ttl, 30)
        self.assertGreater(self.took, 1.7)
        self.assertLess(self.took, 2.3 * SLOWER)
        wait_for(lambda: not box.ask("slow.test", timeout=10).ede, "the fresh answer")
        self.assertGreater(box.ask("slow.test").answers[0].ttl, 200)
        self.assertLessEqual(upstream.count("slow.test"), 1 + 8)  # one exchange, with its tries

    def expired(self, box):
        begin = time.monotonic()
        self.stale = box.ask("slow.test", edns=dnswire.opt(), timeout=10)
        self.took = time.monotonic() - begin
        return self.stale.ede and self.stale.ede[0][0] == 3

    def test_a_storm_for_a_dead_name_reaches_the_upstream_a_few_times(self):
        """RFC 9520 section 3.2."""
        upstream, box = self.fake(lambda asked, _: [Send(dnswire.answer(asked, rcode=2))]
                                  if "dead" in asked.questions[0][0].lower() else [Send(good(asked))])
        box.ask("alive.test")
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            replies = list(pool.map(lambda _: box.ask("dead.test", timeout=10), range(300)))
        took = time.monotonic() - begin
        self.assertEqual({reply.rcode for reply in replies}, {"SERVFAIL"})
        self.assertLessEqual(upstream.count("dead.test"), 8 * (1 + int(took)))
        self.assertEqual(box.ask("alive2.test").texts(), [GOOD])

    def test_after_a_total_outage_it_recovers_within_two_seconds(self):
        server = Nsd()
        server.__enter__()
        box = self.enterContext(Box({"upstream": {"timeout_ms": 500}}, upstream=[server.url]))
        box.ask("before.test")
        server.server.stop()
        begin = time.monotonic()
        while time.monotonic() - begin < 6:  # names fail again and again, and back off
            for number in range(3):
                self.assertEqual(box.ask(f"during{number}.test", timeout=10).rcode, "SERVFAIL")
            self.assertEqual(box.ask("before.test").rcode, "NOERROR")
        server.start()
        self.addCleanup(server.__exit__)
        begin = time.monotonic()
        for number in range(3):
            wait_for(lambda n=number: box.ask(f"during{n}.test", timeout=10).rcode == "NOERROR",
                     "an answer")
        self.assertLess(time.monotonic() - begin, 2 * SLOWER)

    test_after_a_total_outage_it_recovers_within_two_seconds.seconds = 60


class Clock(unittest.TestCase):
    def test_a_day_forth_and_back(self):
        found = glob.glob(os.path.join(PEERS, "**", "libfaketimeMT.so.1"), recursive=True)
        if not found or SLOWER > 1:
            self.skipTest("libfaketime could not be unpacked, or a sanitizer is in its place")
        upstream = self.enterContext(FakeUpstream(address(ttl=3600)))
        box = self.enterContext(Box(upstream=[upstream.url], start=False, lists=[
            ("adult-list", "adult", ["bad.test"])]))
        shift = box.write("shift", "+0")
        os.chmod(shift, 0o644)
        box.start(env=dict(os.environ, LD_PRELOAD=os.path.abspath(found[0]), DONT_FAKE_MONOTONIC="1",
                           FAKETIME_TIMESTAMP_FILE=shift, FAKETIME_NO_CACHE="1"))
        before = box.ask("www.test").answers[0].ttl
        for jump in ("+1d", "-1d", "+0"):
            box.write("shift", jump)
            self.assertEqual(box.ask("bad.test").ede[0][0], 17, jump)
            ttl = box.ask("www.test").answers[0].ttl
            self.assertGreater(ttl, before - 60, jump)
            self.assertLessEqual(ttl, before, jump)
            self.assertEqual(box.ask(f"new{jump}.test").texts(), ["192.0.2.1"], jump)
            self.assertEqual(box.cli("reload").returncode, 0, jump)
            uptime = box.json("status")["uptime_s"]
            self.assertLess(abs(uptime), 2 * 86400)
        self.assertEqual(upstream.count("www.test"), 1)
        self.assertEqual(box.daemon.stop(), 0)


if __name__ == "__main__":
    unittest.main()
