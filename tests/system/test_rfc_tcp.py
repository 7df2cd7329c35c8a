# SPDX-License-Identifier: Apache-2.0
"""DNS over TCP as RFC 7766, 7828 and 9210 have it, and its limits from both sides."""
import contextlib
import resource
import signal
import socket
import struct
import time
import unittest

import dnswire
from dnswire import QR, RD, Message
from fakeupstream import FakeUpstream, Send, address
from harness import SLOWER, Box, ServedTest, read_frame, wait_for
from test_rfc_queries import header, question

GOOD = "192.0.2.1"
SLOW_S = 0.4
SO_TIMESTAMPNS = 35  # <asm-generic/socket.h>; the socket module has no name for it


def frame(packet):
    return struct.pack("!H", len(packet)) + packet


def handler(asked, transport):
    name, kind, _ = asked.questions[0]
    name = name.lower()
    if kind == "TXT":
        big = [(None, "TXT", bytes([250]) + b"x" * 250, 300)] * 200
        if transport == "udp":
            return [Send(dnswire.answer(asked, flags=QR | RD | dnswire.TC))]
        return [Send(dnswire.answer(asked, big))]
    return [Send(dnswire.answer(asked, [(None, "A", GOOD, 300)]),
                 after=SLOW_S if name.startswith("slow") else 0)]


class Tcp(unittest.TestCase):
    config = {"server": {"workers": 1}}

    @classmethod
    def setUpClass(cls):
        cls.upstream = cls.enterClassContext(FakeUpstream(handler))
        cls.box = cls.enterClassContext(Box(cls.config, [cls.upstream.url],
                                            [("list", "adult", ["||blocked.example^"])]))

    def connect(self, source=None):
        stream = socket.create_connection(self.box.address, 15 * SLOWER,
                                          source_address=(source, 0) if source else None)
        self.addCleanup(stream.close)
        return stream

    def read(self, stream):
        packet = read_frame(stream)
        self.assertIsNotNone(packet, "an answer, not the end")
        return Message(packet)

    def ask_on(self, stream, name="one.example"):
        stream.sendall(frame(dnswire.query(name)))
        return self.read(stream)

    def assert_closed(self, stream):
        """The server closes; everything before that is read."""
        try:
            while stream.recv(65536):
                pass
        except ConnectionError:
            pass


def is_open(stream):
    """Does the server still hold the connection? Nothing may be on its way."""
    stream.setblocking(False)
    try:
        return stream.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
    finally:
        stream.settimeout(15 * SLOWER)


def segments_with_data(stream):
    """How many came: tcpi_data_segs_in of struct tcp_info, <linux/tcp.h>."""
    return struct.unpack_from("=I", stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 160), 152)[0]


class Messages(Tcp):
    def test_connection_stays_for_more_queries(self):
        """RFC 7766 section 6.2.1"""
        stream = self.connect()
        for number in range(5):
            self.assertEqual(self.ask_on(stream, f"n{number}.example").texts(), [GOOD])

    def test_queries_in_one_segment_are_all_answered(self):
        """RFC 7766 section 6.2.1.1"""
        stream = self.connect()
        stream.sendall(b"".join(frame(dnswire.query("one.example", id=n)) for n in range(20)))
        self.assertEqual({self.read(stream).id for _ in range(20)}, set(range(20)))

    def test_answers_to_what_came_together_go_together(self):
        """RFC 7766 section 8: few segments"""
        stream = self.connect()
        queries = [dnswire.query(f"n{n}.blocked.example", id=n) for n in range(16)]
        stream.sendall(b"".join(frame(query) for query in queries))
        self.assertEqual([self.read(stream).id for _ in queries], list(range(16)))
        self.assertEqual(segments_with_data(stream), 1)

    def test_long_answers_among_short_ones_keep_their_places(self):
        stream = self.connect()
        self.ask_on(stream)
        stream.sendall(frame(dnswire.query("big.example", "TXT")))  # known from now on
        self.read(stream)
        kinds = ["A", "TXT", "A", "A", "TXT", "TXT", "A", "TXT", "A"]
        stream.sendall(b"".join(frame(dnswire.query("one.example" if kind == "A" else "big.example", kind, id=n))
                                for n, kind in enumerate(kinds)))
        for number, kind in enumerate(kinds):
            reply = self.read(stream)
            self.assertEqual((reply.id, len(reply.answers)), (number, 1 if kind == "A" else 200))

    def test_client_that_reads_late_gets_all_answers(self):
        """RFC 7766 section 6.2.1: 5 MB of them, where 256 KB are kept for a connection"""
        stream = self.connect()
        stream.sendall(frame(dnswire.query("big.example", "TXT")))
        self.read(stream)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        stream.sendall(b"".join(frame(dnswire.query("big.example", "TXT", id=n)) for n in range(100)))
        for number in range(100):
            self.assertEqual(self.read(stream).id, number)

    def test_message_may_come_octet_by_octet(self):
        """RFC 7766 section 8"""
        stream = self.connect()
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in frame(dnswire.query("one.example")):
            stream.sendall(bytes([octet]))
        self.assertEqual(self.read(stream).texts(), [GOOD])

    def test_message_may_be_split_anywhere(self):
        """RFC 7766 section 8"""
        data = frame(dnswire.query("one.example")) * 2
        stream = self.connect()
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for cut in range(1, len(data), 3):
            stream.sendall(data[:cut])
            stream.sendall(data[cut:])
            for _ in range(2):
                self.assertEqual(self.read(stream).texts(), [GOOD])

    def test_answers_come_in_the_order_in_which_they_are_known(self):
        """RFC 7766 section 6.2.1.1: a slow answer holds up no other"""
        stream = self.connect()
        names = {n: f"{'slow' if n == 0 else 'fast'}{n}.order.example" for n in range(6)}
        stream.sendall(b"".join(frame(dnswire.query(name, id=n)) for n, name in names.items()))
        replies = [self.read(stream) for _ in names]
        self.assertEqual(replies[-1].id, 0)
        for reply in replies:
            self.assertEqual(reply.questions[0][0], names[reply.id])

    def test_more_queries_than_may_wait_are_all_answered(self):
        """RFC 7766 section 6.2.1.1"""
        stream = self.connect()
        stream.sendall(b"".join(frame(dnswire.query(f"slow{n}.many.example", id=n))
                                for n in range(100)))
        self.assertEqual({self.read(stream).id for _ in range(100)}, set(range(100)))

    def test_same_id_twice_is_answered_twice(self):
        """RFC 7766 section 6.2.1"""
        stream = self.connect()
        for name in ("slow.a.example", "b.example"):
            stream.sendall(frame(dnswire.query(name, id=7)))
        self.assertEqual({self.read(stream).questions[0][0] for _ in range(2)},
                         {"slow.a.example", "b.example"})

    def test_client_that_has_closed_its_side_gets_its_answers(self):
        """RFC 7766 section 6.2.4"""
        stream = self.connect()
        for n in range(3):
            stream.sendall(frame(dnswire.query(f"slow{n}.half.example", id=n)))
        stream.shutdown(socket.SHUT_WR)
        self.assertEqual({self.read(stream).id for _ in range(3)}, {0, 1, 2})
        self.assertIsNone(read_frame(stream))

    def test_long_answers_are_whole(self):
        """RFC 7766 section 5"""
        stream = self.connect()
        stream.sendall(frame(dnswire.query("long.example", "TXT")))
        reply = self.read(stream)
        self.assertEqual((len(reply.answers), reply.truncated), (200, False))

    def test_malformed_query_is_answered_and_the_connection_stays(self):
        """RFC 7766 section 7"""
        stream = self.connect()
        stream.sendall(frame(header() + b"\3ww"))
        self.assertEqual(read_frame(stream)[3] & 15, 1)
        self.assertEqual(self.ask_on(stream).texts(), [GOOD])

    def test_response_is_not_answered_and_the_connection_stays(self):
        """RFC 7766 section 7"""
        stream = self.connect()
        stream.sendall(frame(header(QR) + question()) + frame(b"short"))
        self.assertEqual(self.ask_on(stream).texts(), [GOOD])

    def test_message_of_no_octets_ends_the_connection(self):
        """RFC 7766 section 8: there is no such message"""
        stream = self.connect()
        stream.sendall(b"\0\0")
        self.assert_closed(stream)

    def test_longest_message_is_read(self):
        """RFC 7766 section 8: up to 65535 octets"""
        stream = self.connect()
        padding = struct.pack("!HH", 12, 65000) + bytes(65000)
        for _ in range(3):
            stream.sendall(frame(dnswire.query("one.example", edns=dnswire.opt(options=padding))))
            self.assertEqual(self.read(stream).texts(), [GOOD])

    def test_blocked_names_are_blocked(self):
        stream = self.connect()
        for name in ("blocked.example", "sub.blocked.example"):
            self.assertEqual(self.ask_on(stream, name).ede[0][0], 17)

    def test_reset_in_the_middle_of_everything_does_no_harm(self):
        for octets in (b"", b"\0", b"\0\x20half", frame(dnswire.query("slow.reset.example"))):
            stream = self.connect()
            stream.sendall(octets)
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            stream.close()
        self.assertEqual(self.ask_on(self.connect(), "after.example").texts(), [GOOD])


class Times(Tcp):
    def closed_after(self, stream):
        begin = time.monotonic()
        self.assert_closed(stream)
        return time.monotonic() - begin

    def test_idle_connection_is_closed_after_ten_seconds(self):
        """RFC 7766 section 6.2.3; what RFC 7828 says there"""
        stream = self.connect()
        self.ask_on(stream)
        after = self.closed_after(stream)
        self.assertGreater(after, 9)
        self.assertLess(after, 10 + 2 * SLOWER)

    def test_message_that_is_not_whole_after_five_seconds_ends_the_connection(self):
        stream = self.connect()
        stream.sendall(b"\0")
        after = self.closed_after(stream)
        self.assertGreater(after, 4.5)
        self.assertLess(after, 5 + 2 * SLOWER)

    def test_octets_that_drip_do_not_buy_time(self):
        stream = self.connect()
        stream.settimeout(0.3)
        begin, data = time.monotonic(), frame(dnswire.query("one.example"))
        for octet in data:
            try:
                stream.sendall(bytes([octet]))
                if not stream.recv(1):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        after = time.monotonic() - begin
        self.assertGreater(after, 4.5)
        self.assertLess(after, 5 + 2 * SLOWER)

    def test_connection_that_waits_for_an_answer_is_not_idle(self):
        stream = self.connect()
        self.assertEqual(self.ask_on(stream, "slow.wait.example").texts(), [GOOD])
        self.assertTrue(is_open(stream))


class Limits(Tcp):
    config = {"server": {"workers": 1}, "dns": {"tcp_connections": 12, "tcp_per_client": 4}}

    def used(self, source=None):
        """A connection that the server has surely accepted."""
        stream = self.connect(source)
        self.ask_on(stream)
        return stream

    def test_one_client_more_than_it_may_have(self):
        mine = [self.used("127.0.1.1") for _ in range(4)]
        self.assert_closed(self.connect("127.0.1.1"))
        self.assertTrue(all(is_open(stream) for stream in mine))
        self.used("127.0.1.2")
        mine.pop().close()
        self.assertEqual(wait_for(lambda: self.again("127.0.1.1"), "a place again"), [GOOD])

    def again(self, source):
        with contextlib.suppress(OSError, AssertionError):
            return self.ask_on(self.connect(source)).texts()
        return None

    def test_the_one_longest_idle_gives_way(self):
        mine = [self.used(f"127.0.2.{n // 3 + 1}") for n in range(12)]
        self.assertTrue(all(is_open(stream) for stream in mine))
        self.ask_on(mine[0])  # so that the second is the one longest idle
        newest = self.used("127.0.2.9")
        self.assert_closed(mine[1])
        self.assertTrue(all(is_open(stream) for stream in [mine[0], *mine[2:], newest]))

    def test_half_messages_keep_no_newcomer_out(self):
        """RFC 7766 section 6.2.2: a server may end what takes its places."""
        for n in range(12):
            half = self.used(f"127.0.6.{n // 3 + 1}")
            half.sendall(b"\0")
        self.box.ask("one.example")
        self.used("127.0.6.9")

    def test_who_waits_for_an_answer_does_not_give_way(self):
        busy = [self.used(f"127.0.3.{n // 3 + 1}") for n in range(12)]
        for n, stream in enumerate(busy):
            stream.sendall(frame(dnswire.query(f"slow{n}.busy.example")))
        self.box.ask("one.example")
        late = self.connect("127.0.3.9")
        self.assert_closed(late)
        for stream in busy:
            self.assertEqual(self.read(stream).texts(), [GOOD])

    def test_who_has_asked_much_at_once_does_not_give_way(self):
        """The daemon, held meanwhile, finds the newcomer when the burst is half served."""
        streams = [self.used(f"127.0.7.{n // 3 + 1}") for n in range(12)]
        for n, stream in enumerate(streams[1:]):
            stream.sendall(frame(dnswire.query(f"slow{n}.much.example")))
        self.box.ask("one.example")
        self.box.daemon.hold()
        streams[0].sendall(frame(dnswire.query("one.example")) * 1000)
        late = self.connect("127.0.7.9")
        self.box.daemon.process.send_signal(signal.SIGCONT)
        for _ in range(1000):
            self.assertEqual(self.read(streams[0]).texts(), [GOOD])
        self.assert_closed(late)
        for stream in streams[1:]:
            self.assertEqual(self.read(stream).texts(), [GOOD])

    def test_client_that_never_reads_is_closed(self):
        stream = self.connect("127.0.4.1")
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        packet = frame(dnswire.query("unread.example", "TXT"))
        self.pending = packet * 20000
        stream.setblocking(False)
        wait_for(lambda: self.is_shut(stream), "the end of the connection", 25)
        self.assertEqual(self.box.ask("one.example").texts(), [GOOD])

    def is_shut(self, stream):
        """Goes on writing what is left of 20,000 queries, then one by one."""
        self.assertEqual(self.box.ask("one.example").texts(), [GOOD])
        try:
            sent = stream.send(self.pending or frame(dnswire.query("one.example")))
            self.pending = self.pending[sent:]
        except BlockingIOError:
            pass
        except ConnectionError:
            return True
        return False


class Many(ServedTest):
    def test_a_thousand_idle_connections_do_not_slow_udp_down(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 1500:
            self.skipTest("too few file descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        box = self.box(config={"dns": {"tcp_connections": 2000, "tcp_per_client": 2000}})
        with contextlib.ExitStack() as stack:
            streams = [stack.enter_context(socket.create_connection(box.address, 5))
                       for _ in range(1000)]
            begin = time.monotonic()
            for number in range(200):
                self.assertEqual(box.ask(f"u{number}.example").texts(), ["192.0.2.10"])
            self.assertLess(time.monotonic() - begin, 2 * SLOWER)
            streams[0].sendall(frame(dnswire.query("www.example")))
            self.assertEqual(Message(read_frame(streams[0])).texts(), ["192.0.2.10"])


class Turns(ServedTest):
    def test_bursts_over_tcp_do_not_hold_udp_up(self):
        """RFC 7766 section 6.2.1.1: many queries at once are fine, but others are served beside.
        The daemon, held meanwhile, finds all of them; its own time tells who came when."""
        box = self.box(config={"server": {"workers": 1}, "dns": {"tcp_per_client": 512}})
        box.ask("www.example")
        with contextlib.ExitStack() as stack:
            streams = [stack.enter_context(socket.create_connection(box.address, 5))
                       for _ in range(40)]
            for stream in streams:
                stream.sendall(frame(dnswire.query("www.example")))
                read_frame(stream)
            udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            udp.settimeout(10)
            box.daemon.hold()
            before = processor_time(box.daemon.process.pid)
            for stream in streams:
                stream.sendall(frame(dnswire.query("www.example")) * 1000)
            udp.sendto(dnswire.query("www.example"), box.address)
            box.daemon.process.send_signal(signal.SIGCONT)
            udp.recv(512)
            early = processor_time(box.daemon.process.pid) - before
            for stream in streams:
                stream.settimeout(10 * SLOWER)
                for _ in range(1000):
                    self.assertTrue(read_frame(stream))
            self.assertLess(early, (processor_time(box.daemon.process.pid) - before) / 2)

    def test_many_who_ask_a_little_do_not_hold_udp_up_together(self):
        """What all connections may ask in a turn is bounded. The kernel notes what came when."""
        box = self.box(config={"server": {"workers": 1}, "dns": {"tcp_per_client": 512}})
        with contextlib.ExitStack() as stack:
            streams = [stack.enter_context(socket.create_connection(box.address, 5))
                       for _ in range(400)]
            for stream in streams:
                stream.sendall(frame(dnswire.query("www.example")))
                octets = 2 + len(read_frame(stream))
            udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            udp.settimeout(10 * SLOWER)
            box.daemon.hold()
            for stream in (udp, *streams):
                stream.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            for stream in streams:
                stream.sendall(frame(dnswire.query("www.example")) * 16)
            udp.sendto(dnswire.query("www.example"), box.address)
            box.daemon.process.send_signal(signal.SIGCONT)
            served = came(udp, 1)
            self.assertLess(sum(came(stream, 16 * octets) < served for stream in streams), 100)


def came(stream, octets):
    """When the last of so many octets came, for sockets with SO_TIMESTAMPNS."""
    when = (0, 0)
    while octets > 0:
        data, notes, _, _ = stream.recvmsg(octets, 64)
        if not data:
            raise ConnectionError("closed")
        octets -= len(data)
        when = max([when, *(struct.unpack("qq", note[2]) for note in notes)])
    return when


def processor_time(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


class Places(unittest.TestCase):
    def test_tcp_leaves_places_for_udp(self):
        upstream = self.enterContext(FakeUpstream(
            lambda asked, how: [] if asked.questions[0][0].lower() == "hang.example"
            else handler(asked, how)))
        box = self.enterContext(Box({"server": {"workers": 1}, "dns": {"tcp_per_client": 512},
                                     "upstream": {"timeout_ms": 3000}}, [upstream.url]))
        packet = frame(dnswire.query("hang.example"))
        with contextlib.ExitStack() as stack:
            for _ in range(200):
                stream = stack.enter_context(socket.create_connection(box.address, 5))
                stream.sendall(packet * 32)
            wait_for(lambda: upstream.count("hang.example"), "the question")
            for number in range(50):
                self.assertEqual(box.ask(f"u{number}.example").texts(), [GOOD])
            self.assertIn('dropped_total{reason="waiting-full"} 0', box.cli("metrics").stdout)


class Strangers(ServedTest):
    def test_strangers_take_no_places_of_those_who_may_ask(self):
        box = self.box(config={"server": {"workers": 1}, "dns": {
            "allow_clients": ["127.0.5.0/24"], "tcp_connections": 4}})
        with contextlib.ExitStack() as stack:
            mine = [stack.enter_context(socket.create_connection(
                box.address, 5, source_address=(f"127.0.5.{n + 1}", 0))) for n in range(4)]
            for _ in range(40):
                stack.enter_context(socket.create_connection(box.address, 5))
            for stream in mine:
                stream.sendall(frame(dnswire.query("www.example")))
                self.assertEqual(Message(read_frame(stream)).texts(), ["192.0.2.10"])


if __name__ == "__main__":
    unittest.main()
