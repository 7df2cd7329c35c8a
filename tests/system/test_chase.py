# SPDX-License-Identifier: Apache-2.0
"""Answers that end in an alias are followed (RFC 1034 section 5.3.3, step 4c): what it leads to
is a question of its own, and the client gets the whole chain."""
import concurrent.futures
import re
import struct
import time
import unittest

import dnswire
from dnswire import AA, AD, CD, QR, RA, RD, opt, record
from fakeupstream import Certificate, FakeUpstream, Send
from harness import Box, Nsd, wait_for

GOOD = "192.0.2.1"
SOA = record("example", "SOA", 60, 900)
ONE = {"server": {"workers": 1}}


def name_of(asked):
    return asked.questions[0][0].lower()


def alias(target, ttl=300):
    return lambda asked: dnswire.answer(asked, [(None, "CNAME", target, ttl)])


def addresses(*values, ttl=300):
    return lambda asked: dnswire.answer(asked, [(None, "A", value, ttl) for value in values])


def chain(name, count, first=0):
    """name -> answer, from name<first> over so many aliases."""
    return {f"{name}{n}.example": alias(f"{name}{n + 1}.example") for n in range(first, first + count)}


class Chasing(unittest.TestCase):
    """One forwarder that never follows an alias by itself. What a name is answered with is a
    function of the question, that returns a packet or a list of actions, or None for silence."""

    def start(self, names, config=None, **more):
        self.names = names
        self.upstream = self.enterContext(FakeUpstream(self.handle))
        self.box = self.enterContext(Box(upstream=[self.upstream.url], config={**ONE, **(config or {})}, **more))

    def over_tcp(self):
        self.box.config["upstream"] = {"servers": [f"tcp://127.0.0.1:{self.upstream.port}"], "timeout_ms": 3000}
        self.box.write_config()
        self.box.start()

    def handle(self, asked, _):
        made = self.names.get(name_of(asked), lambda _: None)(asked)
        return made if isinstance(made, list) else [Send(made)] if made else []

    def texts(self, name, kind="A", **more):
        reply = self.box.ask(name, kind, timeout=8, **more)
        return reply.rcode, reply.texts()


class Whole(Chasing):
    def test_target_is_asked_and_the_chain_is_one_answer(self):
        """RFC 1034 section 5.3.3, step 4c; section 3.6.2: the alias stands first."""
        self.start({"a.example": alias("www.Target.test"), "www.target.test": addresses(GOOD, "192.0.2.2")})
        reply = self.box.ask("a.example")
        self.assertEqual(reply.rcode, "NOERROR")
        self.assertEqual([rr.type for rr in reply.answers], ["CNAME", "A", "A"])
        self.assertEqual([rr.name.lower() for rr in reply.answers],
                         ["a.example", "www.target.test", "www.target.test"])
        self.assertEqual(self.upstream.count(), 2)
        (_, first, port1), (_, second, port2) = self.upstream.asked
        self.assertNotEqual((first.id, port1), (second.id, port2))

    def test_second_client_asks_nothing(self):
        """RFC 1034 section 4.3.4: the answer is cached, and the target's too."""
        self.start({"a.example": alias("b.example"), "b.example": addresses(GOOD)})
        first = self.box.ask("a.example")
        for name, expected in (("a.example", ["b.example", GOOD]), ("b.example", [GOOD])):
            self.assertEqual(self.texts(name), ("NOERROR", expected))
        self.assertEqual((first.texts(), self.upstream.count()), (["b.example", GOOD], 2))

    def test_chain_over_many_messages(self):
        self.start({**chain("n", 5), "n5.example": addresses(GOOD)})
        rcode, texts = self.texts("n0.example")
        self.assertEqual((rcode, texts), ("NOERROR", [f"n{n}.example" for n in range(1, 6)] + [GOOD]))
        self.assertEqual(self.upstream.count(), 6)

    def test_several_links_in_each_message(self):
        def two(one, other):
            return lambda asked: dnswire.answer(asked, [(None, "CNAME", one, 300),
                                                        (one, "CNAME", other, 300)])
        self.start({"a.example": two("b.example", "c.example"), "c.example": two("d.example", "e.example"),
                    "e.example": addresses(GOOD)})
        self.assertEqual(self.texts("a.example"), ("NOERROR", [
            "b.example", "c.example", "d.example", "e.example", GOOD]))

    def test_ttls_are_those_of_the_records_and_age(self):
        """RFC 2181 section 5.2; RFC 1034 section 3.6: the shortest ends the entry."""
        self.start({"a.example": alias("b.example", 900), "b.example": addresses(GOOD, ttl=1)})
        self.assertEqual([rr.ttl for rr in self.box.ask("a.example").answers], [900, 1])
        wait_for(lambda: self.box.ask("a.example") and self.upstream.count("a.example") > 1,
                 "the entry's end")
        self.names["b.example"] = addresses(GOOD, ttl=500)
        wait_for(lambda: [rr.ttl for rr in self.box.ask("a.example").answers][1] > 400, "the new TTL")
        wait_for(lambda: self.box.ask("a.example").answers[0].ttl < 900, "age")
        reply = self.box.ask("a.example")
        self.assertEqual(900 - reply.answers[0].ttl, 500 - reply.answers[1].ttl)

    def test_denials_of_the_target_pass(self):
        """RFC 2308 section 2.1 and 2.2: RCODE and SOA are the target's; RFC 6604 section 3."""
        self.start({"nx.example": alias("no.example"), "nodata.example": alias("none.example"),
                    "no.example": lambda q: dnswire.answer(q, rcode=3, authority=[SOA]),
                    "none.example": lambda q: dnswire.answer(q, authority=[SOA])})
        for name, rcode, target in (("nx.example", "NXDOMAIN", "no.example"),
                                    ("nodata.example", "NOERROR", "none.example")):
            for _ in range(2):
                reply = self.box.ask(name)
                self.assertEqual((reply.rcode, reply.texts()), (rcode, [target]))
                self.assertEqual([rr.type for rr in reply.authority], ["SOA"])
            self.assertEqual((self.upstream.count(name), self.upstream.count(target)), (1, 1))

    def test_denial_that_the_server_gave_itself_is_not_asked_again(self):
        """A forwarder that follows aliases says so by the SOA."""
        self.start({"a.example": lambda q: dnswire.answer(q, [(None, "CNAME", "b.example", 300)],
                                                          authority=[SOA])})
        self.assertEqual(self.texts("a.example"), ("NOERROR", ["b.example"]))
        self.assertEqual(self.upstream.count(), 1)

    def test_no_data_without_soa_costs_one_more_question(self):
        """RFC 2308 section 2.2: it says nothing for sure; section 5: it is not cached."""
        self.start({"a.example": alias("b.example"), "b.example": lambda q: dnswire.answer(q)})
        self.assertEqual(self.texts("a.example"), ("NOERROR", ["b.example"]))
        self.assertEqual((self.upstream.count("a.example"), self.upstream.count("b.example")), (1, 1))

    def test_types_that_do_not_follow(self):
        """RFC 1034 section 3.6.2: CNAME matches the alias itself; RFC 4035 section 2.5."""
        self.start({"a.example": alias("b.example"), "b.example": addresses(GOOD)})
        for kind in ("CNAME", 46, 47):
            self.assertEqual(self.texts("a.example", kind)[1], ["b.example"], kind)
        self.assertEqual(self.upstream.count("b.example"), 0)

    def test_type_and_bits_of_the_question_go_on(self):
        """DO and CD (RFC 4035 section 3.2) are the client's in each question."""
        self.start({"a.example": alias("b.example"), "b.example": lambda q: dnswire.answer(q, authority=[SOA])})
        self.box.ask("a.example", "TXT", flags=RD | CD, edns=opt(dnssec_ok=True))
        self.assertEqual(self.upstream.count(), 2)
        for _, asked, _ in self.upstream.asked:
            self.assertEqual((asked.questions[0][1], asked.dnssec_ok, asked.flags & CD), ("TXT", True, CD))

    def test_signatures_and_proofs_of_each_step_with_do(self):
        """RFC 4035 section 3.1.3.3: a wildcard's alias needs its proof."""
        def signed(owner, covered):
            return dnswire.pack_name(owner) + struct.pack("!HHIH", 46, 1, 300, 21) + struct.pack(
                "!HBBIIIH", covered, 13, 2, 300, 9, 9, 9) + b"\0" + b"sg"
        def proof(owner):
            return dnswire.pack_name(owner) + struct.pack("!HHIH", 47, 1, 300, 4) + b"\0\0\1\x40"
        self.start({"a.example": lambda q: dnswire.answer(q, [
            (None, "CNAME", "b.test", 300), signed("a.example", 5), signed("b.test", 1)],
            authority=[proof("0.example")]),
            "b.test": lambda q: dnswire.answer(q, [(None, "A", GOOD, 300), signed("b.test", 1)])})
        reply = self.box.ask("a.example", edns=opt(dnssec_ok=True))
        self.assertEqual([(rr.name, rr.type) for rr in reply.answers], [
            ("a.example", "CNAME"), ("a.example", "46"), ("b.test", "A"), ("b.test", "46")])
        self.assertEqual([(rr.name, rr.type) for rr in reply.authority], [("0.example", "47")])
        reply = self.box.ask("a.example")
        self.assertEqual([rr.type for rr in reply.answers + reply.authority], ["CNAME", "A"])

    def test_ad_only_when_both_have_it(self):
        """RFC 6840 section 5.8, RFC 4035 section 3.2.3."""
        def made(flag, *records):
            return lambda q: dnswire.answer(q, records, flags=QR | RD | RA | flag)
        for first, second in ((AD, AD), (AD, 0), (0, AD)):
            name, target = f"a{first}{second}.example", f"b{first}{second}.example"
            if not hasattr(self, "box"):
                self.start({})
            self.names[name] = made(first, (None, "CNAME", target, 300))
            self.names[target] = made(second, (None, "A", GOOD, 300))
            reply = self.box.ask(name, flags=RD | AD)
            self.assertEqual((reply.texts(), reply.flags & AD), ([target, GOOD], first & second))

    def test_large_answer_behind_an_alias(self):
        """RFC 1035 section 4.1.4: it fits because owners are compressed."""
        target = ".".join(["x" * 60] * 3) + ".example"
        self.start({"a.example": alias(target), target: lambda q: dnswire.answer(
            q, [b"\xc0\x0c" + struct.pack("!HHIHI", 1, 1, 300, 4, 0x8000000 + n) for n in range(3000)])
            if q.tcp else dnswire.answer(q, flags=QR | RD | RA | dnswire.TC)})
        plain = self.upstream.handler
        def handler(asked, transport):
            asked.tcp = transport == "tcp"
            return plain(asked, transport)
        self.upstream.handler = handler
        self.assertEqual(len(self.box.ask("a.example", tcp=True).answers), 3001)


class Limits(Chasing):
    def fails(self, name, most=8):
        begin = time.monotonic()
        self.assertEqual(self.texts(name), ("SERVFAIL", []))
        self.assertLess(time.monotonic() - begin, 5.9)
        self.assertLessEqual(self.upstream.count(), most, self.upstream.asked)

    def test_loop_over_messages(self):
        """RFC 1034 section 5.2.2: loops of aliases are an error."""
        self.start({"a.example": alias("b.example"), "b.example": alias("c.example"),
                    "c.example": alias("a.example")})
        self.fails("a.example", 3)
        for name in ("a.example", "b.example"):  # and the failure is remembered (RFC 9520)
            self.assertEqual(self.texts(name)[0], "SERVFAIL")
        self.assertEqual(self.upstream.count("a.example"), 2)  # once for each of the two

    def test_loop_inside_a_message(self):
        both = lambda q: dnswire.answer(q, [("a.example", "CNAME", "b.example", 300),
                                            ("b.example", "CNAME", "a.example", 300)])
        self.start({"a.example": both, "b.example": both})
        self.fails("a.example", 4)  # taken for spoiled: over UDP, and over TCP, twice

    def test_two_that_lead_to_each_other_asked_at_once(self):
        """Neither waits for the other."""
        self.start({"a.example": lambda q: [Send(alias("b.example")(q), after=0.2)],
                    "b.example": lambda q: [Send(alias("a.example")(q), after=0.2)]},
                   {"server": {"workers": 4}})
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            got = list(pool.map(lambda n: self.texts("ab"[n % 2] + ".example", id=n + 1)[0], range(16)))
        self.assertEqual(set(got), {"SERVFAIL"})
        self.assertLess(time.monotonic() - begin, 4)

    def test_too_many_links(self):
        """As many as resolvers follow; RFC 1034 section 5.2.2."""
        def four(name, first):
            return lambda q: dnswire.answer(q, [(f"{name}{n}.example", "CNAME", f"{name}{n + 1}.example", 300)
                                                for n in range(first, first + 4)])
        self.start({"n0.example": four("n", 0), "n4.example": four("n", 4), "n8.example": addresses(GOOD),
                    "m0.example": four("m", 0), "m4.example": four("m", 4), "m8.example": alias("m9.example"),
                    "m9.example": addresses(GOOD)})
        self.assertEqual(self.texts("n0.example")[1][-1], GOOD)
        before = self.upstream.count()
        self.fails("m0.example", before + 3)

    def test_packets_of_a_question_in_all(self):
        """At most 8, whatever a chain and its servers do."""
        self.start(chain("n", 20))
        self.fails("n0.example")

    def test_packets_where_each_step_loses_some(self):
        seen = {}
        def handler(asked, _):
            name = name_of(asked)
            seen[name] = seen.get(name, 0) + 1
            return [Send(self.names[name](asked))] if seen[name] > 1 and name in self.names else []
        self.start(chain("n", 20))
        self.upstream.handler = handler
        self.fails("n0.example")

    def test_packets_with_several_servers_at_once(self):
        names = {**chain("n", 20), **chain("m", 2), "m2.example": addresses(GOOD)}
        servers = [self.enterContext(FakeUpstream(self.handle)) for _ in range(3)]
        self.start(names)
        box = self.enterContext(Box(upstream=[one.url for one in servers], config={
            **ONE, "upstream": {"strategy": "parallel"}}))
        self.assertEqual(box.ask("n0.example", timeout=8).rcode, "SERVFAIL")
        self.assertLessEqual(sum(one.count() for one in servers), 8)
        self.assertEqual(box.ask("m0.example", timeout=8).texts()[-1], GOOD)

    def test_failure_of_the_second_is_that_of_the_whole(self):
        """RFC 8767: an expired answer stands in; RFC 2308 section 7.1."""
        refused = lambda q: dnswire.answer(q, rcode=5)
        self.start({"a.example": alias("b.example"), "b.example": refused,
                    "s.example": alias("silent.example")})
        self.fails("a.example")
        self.fails("s.example", 16)

    def test_expired_answer_stands_in(self):
        self.start({"a.example": alias("b.example", 1), "b.example": addresses(GOOD, ttl=1)})
        self.assertEqual(self.texts("a.example")[1], ["b.example", GOOD])
        self.names["b.example"] = lambda q: dnswire.answer(q, rcode=2)
        reply = wait_for(lambda: next((one for one in [self.box.ask("a.example", timeout=8)]
                                       if one.ede), None), "a stale answer")
        self.assertEqual((reply.texts(), reply.ede[0][0]), (["b.example", GOOD], 3))

    def test_target_of_the_first_message_is_not_believed(self):
        """RFC 5452 section 6: what is there says the server of the target alone."""
        self.start({"a.example": lambda q: dnswire.answer(
            q, [(None, "CNAME", "bank.test", 300)], additional=[record("bank.test", "A", "203.0.113.66")]),
            "bank.test": lambda q: [Send(dnswire.answer(q, [(None, "A", "203.0.113.66", 300)], id=q.id ^ 1)),
                                    Send(addresses(GOOD)(q), after=0.05)]})
        self.assertEqual(self.texts("a.example"), ("NOERROR", ["bank.test", GOOD]))


class Zoned(Chasing):
    def test_zone_that_leads_outside_and_back(self):
        """RFC 1034 section 4.3.2: an authoritative server gives the alias alone."""
        aliases = ("$TTL 300\n@ SOA ns.test. admin.test. 1 3600 600 86400 60\n@ NS ns.test.\n"
                   "www CNAME www.outside.test.\nlost CNAME gone.nx.gone.\n")
        zone = Nsd({"school.lan": aliases})
        del zone.zones["."]
        self.enterContext(zone)
        outside = self.enterContext(FakeUpstream(lambda q, _: [Send(
            alias("back.lab.lan")(q) if name_of(q) == "www.outside.test" else
            dnswire.answer(q, rcode=3, authority=[record("gone", "SOA", 60)]))]))
        lab = self.enterContext(FakeUpstream(lambda q, _: [Send(
            dnswire.answer(q, [(None, "A", GOOD, 300)], flags=QR | AA))]))
        box = self.enterContext(Box(upstream=[outside.url], config={**ONE, "upstream": {"zones": [
            {"domain": "school.lan", "servers": [zone.url]}, {"domain": "lab.lan", "servers": [lab.url]}]}}))
        self.assertEqual(box.ask("www.school.lan").texts(), ["www.outside.test", "back.lab.lan", GOOD])
        self.assertEqual([outside.count("www.school.lan"), outside.count("back.lab.lan"), lab.count()], [0, 0, 1])
        self.assertEqual(box.ask("lost.school.lan").rcode, "NXDOMAIN")

    def test_outside_name_never_leads_to_an_inside_address(self):
        """DNS rebinding: the exception is for the name that was asked."""
        inside = self.enterContext(FakeUpstream(lambda q, _: [Send(addresses("10.0.0.9")(q))]))
        self.start({"evil.example": alias("nas.school.lan")}, {**ONE, "upstream": {"zones": [
            {"domain": "school.lan", "servers": [inside.url]}]}})
        self.assertEqual(self.texts("nas.school.lan"), ("NOERROR", ["10.0.0.9"]))
        self.assertNotIn("10.0.0.9", self.texts("evil.example")[1])

    def test_two_boxes_whose_aliases_lead_to_each_other(self):
        """It ends, with few packets."""
        ends = [self.enterContext(FakeUpstream(lambda q, _, n=n: [Send(alias(f"a.{'yx'[n]}.test")(q))]))
                for n in range(2)]
        boxes = [self.enterContext(Box(start=False)) for _ in range(2)]
        for n, box in enumerate(boxes):
            box.config["upstream"]["zones"] = [
                {"domain": f"{'xy'[n]}.test", "servers": [ends[n].url]},
                {"domain": f"{'yx'[n]}.test", "servers": [f"udp://127.0.0.1:{boxes[1 - n].port}"]}]
            box.write_config()
            box.start()
        begin = time.monotonic()
        self.assertEqual(boxes[0].ask("a.x.test", timeout=8).rcode, "SERVFAIL")
        self.assertLess(time.monotonic() - begin, 5.9)
        self.assertLessEqual(sum(one.count() for one in ends), 10)


class Filtered(Chasing):
    def test_blocked_name_anywhere_in_the_chain(self):
        """Fresh and from the cache, for each place and type."""
        self.start({**{f"{n}.example": alias(f"m.{n}.example") for n in ("end", "middle", "free")},
                    "m.end.example": alias("x.bad.test"), "x.bad.test": addresses(GOOD),
                    "m.middle.example": alias("y.bad.test"), "y.bad.test": alias("fine.test"),
                    "fine.test": addresses(GOOD), "m.free.example": alias("fine.test")},
                   lists=[("sites", "adult", ["||bad.test^"])])
        for _ in range(2):
            for name in ("end.example", "middle.example"):
                for kind in ("A", "AAAA", "TXT"):
                    reply = self.box.ask(name, kind)
                    self.assertEqual([code for code, _ in reply.ede], [17], (name, kind))
                    self.assertNotIn(GOOD, reply.texts())
            self.assertEqual(self.box.ask("free.example").texts()[-1], GOOD)


class Together(Chasing):
    def rush(self, asks):
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            return list(pool.map(lambda one: self.box.ask(one[1], id=one[0] + 1, timeout=8).texts(),
                                 enumerate(asks)))

    def late(self, made, after=0.3):
        return lambda q: [Send(made(q), after=after)]

    def test_all_workers_together_ask_each_step_once(self):
        self.start({"hot.example": self.late(alias("b.example")), "b.example": self.late(addresses(GOOD))},
                   {"server": {"workers": 4}, "upstream": {"timeout_ms": 3000}})
        self.assertEqual({tuple(one) for one in self.rush(["hot.example"] * 100)}, {("b.example", GOOD)})
        self.assertEqual((self.upstream.count("hot.example"), self.upstream.count("b.example")), (1, 1))

    def test_clients_wait_for_what_an_alias_asks(self):
        """On all workers, whether the target ends the chain or leads on."""
        self.start({"a.example": alias("b.example"), "b.example": self.late(addresses(GOOD), 0.6),
                    "c.example": alias("d.example"), "d.example": self.late(alias("e.example"), 0.6),
                    "e.example": addresses(GOOD)}, {"server": {"workers": 4}}, start=False)
        self.over_tcp()
        for first, target, chain_of in (("a.example", "b.example", []), ("c.example", "d.example", ["e.example"])):
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                asked = pool.submit(self.texts, first)
                wait_for(lambda name=target: self.upstream.count(name), "the second question")
                self.assertEqual({tuple(one) for one in self.rush([target] * 40)}, {(*chain_of, GOOD)})
                self.assertEqual(asked.result()[1], [target, *chain_of, GOOD])
        self.assertEqual(self.upstream.count("b.example"), 1)

    def test_several_aliases_share_their_target(self):
        self.start({**{f"a{n}.example": alias("cdn.example") for n in range(10)},
                    "cdn.example": self.late(alias("edge.example")), "edge.example": self.late(addresses(GOOD))}, start=False)
        self.over_tcp()  # where nothing is sent twice
        got = self.rush(["cdn.example"] * 3 + [f"a{n}.example" for n in range(10)])
        self.assertEqual([one[-1] for one in got], [GOOD] * 13)
        self.assertEqual((self.upstream.count("cdn.example"), self.upstream.count("edge.example")), (1, 1))

    def test_aliases_that_cannot_be_kept(self):
        """TTL 0: who waited asks again by himself, and nobody is held up."""
        self.start({"a.example": self.late(alias("b.example", 0), 0.03), "b.example": self.late(addresses(GOOD, ttl=0), 0.03)},
                   {"server": {"workers": 4}, "upstream": {"timeout_ms": 3000}})
        self.assertEqual({tuple(one) for one in self.rush(["a.example"] * 60)}, {("b.example", GOOD)})

    def test_refreshed_before_it_expires(self):
        """What is asked often is asked anew as a whole."""
        self.start({"a.example": alias("b.example", 10), "b.example": addresses(GOOD, ttl=10)})
        self.box.ask("a.example")
        wait_for(lambda: self.box.ask("a.example").texts() and self.upstream.count("a.example") > 1
                 and self.upstream.count("b.example") > 1, "a refresh", 20)
        reply = self.box.ask("a.example")
        self.assertEqual((reply.texts(), reply.ede), (["b.example", GOOD], []))

    def test_stop_and_reload_while_following(self):
        self.start({"a.example": alias("b.example"), "c.example": alias("d.example")})
        packet = dnswire.query("a.example")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(self.box.send, packet, timeout=8)
            wait_for(lambda: self.upstream.count("b.example"), "the second question")
            self.box.config["upstream"]["timeout_ms"] = 1500
            self.box.write_config()
            self.assertEqual(self.box.cli("reload").returncode, 0)
            self.names["b.example"] = addresses(GOOD)
            self.assertEqual(dnswire.Message(asked.result()).texts(), ["b.example", GOOD])
            pool.submit(self.box.send, dnswire.query("c.example"), timeout=3)
            wait_for(lambda: self.upstream.count("d.example"), "the second question")
            self.assertEqual(self.box.daemon.stop(), 0)
        self.assertIsNone(re.search("ERROR: |runtime error", self.box.daemon.text()))


class Streams(Chasing):
    def test_over_tcp(self):
        self.start({**chain("n", 3), "n3.example": addresses(GOOD)}, start=False)
        self.over_tcp()
        self.assertEqual(self.texts("n0.example")[1][-1], GOOD)
        self.assertEqual((self.upstream.count(), self.upstream.count(transport="tcp")), (4, 4))
        self.assertEqual(len(self.upstream.streams), 1)

    def test_over_tls_with_a_connection_closed_after_each_answer(self):
        certificate = self.enterContext(Certificate())
        self.names = {**chain("n", 2), "n2.example": addresses(GOOD)}
        self.upstream = self.enterContext(FakeUpstream(self.handle, tls=certificate))
        self.box = self.enterContext(Box(upstream=[f"{self.upstream.url}#sha256/{certificate.pin}"], config=ONE))
        for close_after, name in ((None, "n0.example"), (1, "n1.example")):
            self.upstream.close_after = close_after
            self.assertEqual(self.texts(name)[1][-1], GOOD)
        self.assertEqual(self.upstream.count(transport="tls"), self.upstream.count())


if __name__ == "__main__":
    unittest.main()
