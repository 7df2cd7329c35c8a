# SPDX-License-Identifier: Apache-2.0
"""DNS messages for tests: written and read with nothing but the standard library."""
import ipaddress
import random
import struct

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28,
         "SRV": 33, "OPT": 41, "SVCB": 64, "HTTPS": 65, "ANY": 255}
NAMES = {number: name for name, number in TYPES.items()}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED",
          16: "BADVERS"}
QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020, 0x0010


def pack_name(name):
    """Presentation form to wire form; bytes are taken as they are."""
    if isinstance(name, bytes):
        return name
    out = b""
    for label in name.rstrip(".").split("."):
        if label:
            octets = label.encode("latin-1")
            out += bytes([len(octets)]) + octets
    return out + b"\0"


def read_name(packet, at):
    """(name as sent, position behind it)."""
    labels, end, jumps = [], None, 0
    while True:
        length = packet[at]
        if length & 0xC0 == 0xC0:
            end = end or at + 2
            at = (length & 0x3F) << 8 | packet[at + 1]
            jumps += 1
            if jumps > 126:
                raise ValueError("pointers go in a circle")
            continue
        at += 1
        if length == 0:
            return ".".join(labels) or ".", end or at
        labels.append(packet[at:at + length].decode("latin-1"))
        at += length


def pack_rdata(kind, value):
    if isinstance(value, bytes):
        return value
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind in ("CNAME", "NS", "PTR"):
        return pack_name(value)
    if kind == "TXT":
        return bytes([len(value)]) + value.encode()
    if kind == "SOA":
        return pack_name("ns.test") + pack_name("admin.test") + struct.pack("!5I", 1, 3600, 600,
                                                                           86400, value)
    raise ValueError(kind)


def record(name, kind, value, ttl=300):
    rdata = pack_rdata(kind, value)
    return pack_name(name) + struct.pack("!HHIH", TYPES[kind], 1, ttl, len(rdata)) + rdata


def opt(size=1232, version=0, dnssec_ok=False, options=b""):
    return b"\0" + struct.pack("!HHIH", 41, size, version << 16 | dnssec_ok << 15,
                               len(options)) + options


def query(name, kind="A", **more):
    """A query. more: id, flags, opcode, qclass, edns (bytes of an OPT record, or None), count."""
    number = TYPES[kind] if isinstance(kind, str) else kind
    flags = more.get("flags", RD) | more.get("opcode", 0) << 11
    edns = more.get("edns", opt())
    head = struct.pack("!6H", more.get("id", random.getrandbits(16)), flags, more.get("count", 1),
                       0, 0, 1 if edns else 0)
    return head + pack_name(name) + struct.pack("!HH", number, more.get("qclass", 1)) + (edns or b"")


class Record:
    def __init__(self, packet, at):
        self.name, at = read_name(packet, at)
        number, self.qclass, self.ttl, length = struct.unpack_from("!HHIH", packet, at)
        self.type = NAMES.get(number, str(number))
        at += 10
        self.rdata = packet[at:at + length]
        if len(self.rdata) != length:
            raise ValueError("record data is cut short")
        self.end = at + length
        if self.type in ("A", "AAAA"):
            self.text = str(ipaddress.ip_address(self.rdata))
        elif self.type in ("CNAME", "NS", "PTR"):
            self.text = read_name(packet, at)[0]
        else:
            self.text = self.rdata.hex()

    def __repr__(self):
        return f"{self.name} {self.ttl} {self.type} {self.text}"


class Message:
    """A parsed message. ValueError, IndexError or struct.error when it is none."""

    def __init__(self, packet):
        self.raw = packet
        self.id, self.flags, questions, *counts = struct.unpack_from("!6H", packet)
        self.rcode_number = self.flags & 15
        at, self.questions, self.sections = 12, [], []
        for _ in range(questions):
            name, at = read_name(packet, at)
            number, qclass = struct.unpack_from("!HH", packet, at)
            self.questions.append((name, NAMES.get(number, str(number)), qclass))
            at += 4
        for count in counts:
            section = []
            for _ in range(count):
                section.append(Record(packet, at))
                at = section[-1].end
            self.sections.append(section)
        self.trailing = len(packet) - at
        self.answers, self.authority, self.additional = self.sections
        self.read_opt()

    def read_opt(self):
        self.opt, self.options, self.ede = None, [], []
        for rr in self.additional:
            if rr.type != "OPT":
                continue
            self.opt = rr
            self.udp_size, self.version = rr.qclass, rr.ttl >> 16 & 255
            self.dnssec_ok = bool(rr.ttl & 0x8000)
            self.rcode_number |= rr.ttl >> 24 << 4
            at = 0
            while at + 4 <= len(rr.rdata):
                code, length = struct.unpack_from("!HH", rr.rdata, at)
                data = rr.rdata[at + 4:at + 4 + length]
                self.options.append((code, data))
                if code == 15:
                    self.ede.append((struct.unpack("!H", data[:2])[0], data[2:].decode()))
                at += 4 + length
        self.additional = [rr for rr in self.additional if rr.type != "OPT"]

    @property
    def rcode(self):
        return RCODES.get(self.rcode_number, str(self.rcode_number))

    @property
    def truncated(self):
        return bool(self.flags & TC)

    def texts(self, kind=None):
        return [rr.text for rr in self.answers if kind in (None, rr.type)]

    def __repr__(self):
        return (f"<{self.rcode} {self.questions} answers={self.answers} "
                f"authority={self.authority} ede={self.ede}>")


def answer(asked, records=(), **more):
    """A reply to a Message: records are (name or None, kind, value, ttl). more: id, rcode, flags,
    questions (packed), authority, additional (lists of packed records)."""
    name, kind, qclass = asked.questions[0]
    number = TYPES.get(kind) or int(kind)
    question = more.get("question", pack_name(name) + struct.pack("!HH", number, qclass))
    packed = [r if isinstance(r, bytes) else record(r[0] or name, *r[1:]) for r in records]
    authority, additional = more.get("authority", []), more.get("additional", [])
    if asked.opt is not None:
        additional = [*additional, opt()]
    head = struct.pack("!6H", more.get("id", asked.id),
                       more.get("flags", QR | RD | RA) | more.get("rcode", 0),
                       more.get("count", 1), len(packed), len(authority), len(additional))
    return head + question + b"".join(packed) + b"".join(authority) + b"".join(additional)
