// SPDX-License-Identifier: Apache-2.0
/* rr: resource records and header fields as they stand in a message. */
#pragma once
#include "dns/name.h"

enum {
    DNS_HEADER = 12,
    DNS_UDP_PLAIN = 512, /* without EDNS (RFC 1035 section 4.2.1) */
    DNS_UDP_OURS = 1232, /* what we ask for and send at most over UDP */
    DNS_MESSAGE_MAX = 65535,
};

enum dns_type {
    TYPE_A = 1,
    TYPE_NS = 2,
    TYPE_CNAME = 5,
    TYPE_SOA = 6,
    TYPE_PTR = 12,
    TYPE_HINFO = 13,
    TYPE_MX = 15,
    TYPE_TXT = 16,
    TYPE_AAAA = 28,
    TYPE_SRV = 33,
    TYPE_NAPTR = 35,
    TYPE_KX = 36,
    TYPE_DNAME = 39,
    TYPE_OPT = 41,
    TYPE_DS = 43,
    TYPE_RRSIG = 46,
    TYPE_NSEC = 47,
    TYPE_NSEC3 = 50,
    TYPE_SVCB = 64,
    TYPE_HTTPS = 65,
    TYPE_META_FIRST = 128, /* to TYPE_ANY: no data has these (RFC 6895 section 3.1) */
    TYPE_TKEY = 249,
    TYPE_TSIG = 250,
    TYPE_IXFR = 251,
    TYPE_AXFR = 252,
    TYPE_MAILB = 253,
    TYPE_MAILA = 254,
    TYPE_ANY = 255,
    TYPE_RESINFO = 261, /* RFC 9606 */
};

enum { CLASS_IN = 1 };

enum dns_rcode {
    RCODE_NOERROR = 0,
    RCODE_FORMERR = 1,
    RCODE_SERVFAIL = 2,
    RCODE_NXDOMAIN = 3,
    RCODE_NOTIMP = 4,
    RCODE_REFUSED = 5,
    RCODE_YXDOMAIN = 6, /* what a DNAME makes of the name is too long (RFC 6672 section 2.2) */
    RCODE_BADVERS = 16,
    RCODE_BADCOOKIE = 23,
};

enum dns_flag { /* of the header's second 16 bits */
                FLAG_QR = 0x8000,
                FLAG_AA = 0x0400,
                FLAG_TC = 0x0200,
                FLAG_RD = 0x0100,
                FLAG_RA = 0x0080,
                FLAG_AD = 0x0020,
                FLAG_CD = 0x0010,
};

enum dns_ede { /* extended errors, RFC 8914 section 4 */
               EDE_OTHER = 0,
               EDE_STALE = 3,
               EDE_FORGED = 4,
               EDE_BLOCKED = 15,
               EDE_FILTERED = 17,
               EDE_PROHIBITED = 18,
               EDE_STALE_NXDOMAIN = 19,
               EDE_NOT_AUTHORITATIVE = 20,
               EDE_NO_REACHABLE_AUTHORITY = 22,
               EDE_NETWORK_ERROR = 23,
               EDE_INVALID_TYPE = 30,
};

enum dns_option {                        /* of an OPT record */
                  OPTION_COOKIE = 10,    /* RFC 7873 */
                  OPTION_KEEPALIVE = 11, /* RFC 7828 */
                  OPTION_PADDING = 12,   /* RFC 7830 */
                  OPTION_EDE = 15,       /* RFC 8914 */
                  OPTION_MAC = 65001,    /* these two of dnsmasq, see dns/device.h */
                  OPTION_DEVICE = 65073,
};

/* A record where it stands in a packet. */
struct rr {
    size_t owner; /* offset of the owner name */
    uint16_t type;
    uint16_t class_code;
    uint32_t ttl;
    uint16_t rdlen;
    size_t rdata; /* offset */
    size_t end;
};

/* Read the record at *pos and move behind it. -EBADMSG. */
__attribute__((warn_unused_result)) int rr_read(const uint8_t *packet, size_t len, size_t *pos,
                                                struct rr *ret_rr);

struct packet {
    const uint8_t *data;
    size_t len;
};

/* A name with its case kept; octets in *ret_len. -EBADMSG. */
__attribute__((warn_unused_result)) int rr_expand_name(const struct packet *packet, size_t *pos,
                                                       uint8_t out[DNAME_WIRE_MAX],
                                                       size_t *ret_len);

/* Where the name begins to which the record leads: the target of a CNAME, DNAME, MX, SRV,
 * NAPTR, KX, SVCB or HTTPS; SIZE_MAX of other types. */
size_t rr_target(const uint8_t *packet, const struct rr *rr);

/* "A", "HTTPS", "TYPE65280" and back; -EINVAL. */
const char *type_print(uint16_t type, char out[16]);
__attribute__((warn_unused_result)) int type_parse(const char *text, uint16_t *ret_type);
