// SPDX-License-Identifier: Apache-2.0
/* addr: IPv4 and IPv6 addresses, ports and prefixes as plain data.
 *
 * IPv4-mapped IPv6 addresses (::ffff:a.b.c.d) are always turned into IPv4, so
 * that one client has one form. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADDR_TEXT_MAX = 80 };

struct addr {
    uint8_t family;    /* AF_INET, AF_INET6, or 0: none */
    uint8_t pad;       /* always 0, so that addresses compare with memcmp */
    uint16_t port;     /* host byte order, 0: none */
    uint32_t scope;    /* IPv6 scope id, 0: none */
    uint8_t bytes[16]; /* network byte order; IPv4 uses the first 4, the rest is 0 */
};

struct prefix {
    struct addr addr; /* host bits are 0 */
    uint8_t bits;     /* 0..32 or 0..128 */
};

/* "192.0.2.1", "::1", "fe80::1%eth0"; -EINVAL. The port is 0. */
__attribute__((warn_unused_result)) int addr_parse(const char *text, struct addr *ret_addr);

/* As above with an optional port: "192.0.2.1:53", "[::1]:53"; without one,
 * `port` is used. -EINVAL. */
__attribute__((warn_unused_result)) int addr_parse_port(const char *text, uint16_t port,
                                                        struct addr *ret_addr);

/* "10.0.0.0/8", or an address alone (all bits). Host bits set: -ERANGE. */
__attribute__((warn_unused_result)) int prefix_parse(const char *text, struct prefix *ret_prefix);

bool prefix_covers(const struct prefix *prefix, const struct addr *addr);

bool addr_equal(const struct addr *a, const struct addr *b); /* without port and scope */
bool addr_is_loopback(const struct addr *addr);

/* Octets that tell clients apart. A device takes any address of its IPv6 network of 64
 * bits, and many devices share one: there limits hold for the address, and looser ones
 * for the first ADDR_NETWORK octets. */
enum { ADDR_NETWORK = 8 };
static inline size_t addr_octets(const struct addr *addr)
{
    return addr->family == AF_INET6 ? 16 : 4;
}
bool addr_is_any(const struct addr *addr);

/* Reachable from anywhere: none of the special blocks of RFC 6890 (private, loopback,
 * link-local, shared, multicast, documentation, ...), also where an IPv6 address
 * carries an IPv4 one. */
bool addr_is_public(const struct addr *addr);

/* Of this host or this site: what an answer from outside must not lead to. Unspecified,
 * loopback, link-local, private and shared (RFC 1918, 6598, 4193, 3927), also where an
 * IPv6 address carries an IPv4 one. */
bool addr_is_internal(const struct addr *addr);

void addr_from_sockaddr(const struct sockaddr *sa, struct addr *ret_addr);

/* Returns the length for connect(2) and friends. */
socklen_t addr_to_sockaddr(const struct addr *addr, struct sockaddr_storage *ret_sa);

/* "192.0.2.1" or, with a port, "192.0.2.1:53" and "[::1]:53"; returns out. */
const char *addr_print(const struct addr *addr, char out[ADDR_TEXT_MAX]);
