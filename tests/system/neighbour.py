# SPDX-License-Identifier: Apache-2.0
"""A router and a DHCP server for tests, on one interface: `neighbour.py IF RDNSS,... DNS,...`
("-" is none). Answers router solicitations and DHCPINFORM, and nothing else."""
import ipaddress
import select
import socket
import struct
import sys

SOLICIT, ADVERT = 133, 134
SERVER = ipaddress.ip_address("192.0.2.254")


def advertisement(resolvers):
    """RFC 4861 section 4.2, with RDNSS of RFC 8106 section 5.1; the kernel makes the checksum."""
    data = struct.pack("!BBHBBHII", ADVERT, 0, 0, 64, 0, 1800, 0, 0)
    if resolvers:
        data += struct.pack("!BBHI", 25, 1 + 2 * len(resolvers), 0, 600)
        data += b"".join(ipaddress.ip_address(one).packed for one in resolvers)
    return data


def dhcp_answer(asked, resolvers):
    options = b"\x35\x01\x05\x36\x04" + SERVER.packed  # ACK; server identifier
    if resolvers:
        options += bytes([6, 4 * len(resolvers)]) + b"".join(
            ipaddress.ip_address(one).packed for one in resolvers)
    return b"\x02" + asked[1:44] + bytes(192) + asked[236:240] + options + b"\xff"


def main(interface, rdnss, dns):
    rdnss = [] if rdnss == "-" else rdnss.split(",")
    dns = [] if dns == "-" else dns.split(",")
    router = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    router.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    router.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 255)
    router.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    index = socket.if_nametoindex(interface)
    router.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                      socket.inet_pton(socket.AF_INET6, "ff02::2") + struct.pack("@I", index))
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    server.bind(("0.0.0.0", 67))
    print("ready", flush=True)
    while True:
        for one in select.select([router, server], [], [])[0]:
            data, whence = one.recvfrom(2000)
            if one is router and data[0] == SOLICIT:
                router.sendto(advertisement(rdnss), (whence[0], 0, 0, index))
            elif one is server and data[242:243] == b"\x08":
                server.sendto(dhcp_answer(data, dns), (socket.inet_ntoa(data[12:16]), 68))


if __name__ == "__main__":
    main(*sys.argv[1:])
