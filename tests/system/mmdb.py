# SPDX-License-Identifier: Apache-2.0
"""MaxMind DB files for tests: make([("203.0.113.0/24", "KP", 0), ...]) gives the octets."""
import ipaddress
import struct


def head(kind, size):
    return bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])


def text(value):
    return head(2, len(value)) + value.encode()


def number(key, kind, value):
    return text(key) + (head(5, 2) + struct.pack("!H", value) if kind == 16
                        else head(6, 4) + struct.pack("!I", value))


def make(rows):
    nodes, data, offsets = [[None, None]], b"", []
    for prefix, country, network in rows:
        offsets.append(len(data))
        data += head(7, bool(country) + bool(network))
        if country:
            data += text("country") + head(7, 1) + text("iso_code") + text(country)
        if network:
            data += number("autonomous_system_number", 32, network)
        net = ipaddress.ip_network(prefix)
        bits = f"{int(net.network_address):0{net.max_prefixlen}b}"[:net.prefixlen]
        at, path = 0, ("0" * 96 if net.version == 4 else "") + bits
        for bit in map(int, path[:-1]):
            if nodes[at][bit] is None:
                nodes.append([None, None])
                nodes[at][bit] = len(nodes) - 1
            at = nodes[at][bit]
        nodes[at][int(path[-1])] = -len(offsets)
    count = len(nodes)
    tree = b"".join(struct.pack("!I", count if one is None else one if one > 0 else
                                count + 16 + offsets[-one - 1]) for node in nodes for one in node)
    return (tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + head(7, 9)
            + number("binary_format_major_version", 16, 2) + number("binary_format_minor_version", 16, 0)
            + text("build_epoch") + head(9, 4) + struct.pack("!I", 1790000000)
            + text("database_type") + text("Test")
            + text("description") + head(7, 0) + number("ip_version", 16, 6) + text("languages")
            + head(11, 0) + number("node_count", 32, count) + number("record_size", 16, 32))
