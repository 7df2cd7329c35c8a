// SPDX-License-Identifier: Apache-2.0
/* member: what stands for devices in groups[].clients. */
#pragma once
#include "base/addr.h"

enum member_kind {
    MEMBER_PREFIX, /* 10.0.0.0/8, fd00::/8, 192.0.2.1 */
    MEMBER_MAC,    /* 02:00:00:00:00:01 */
    MEMBER_HOST,   /* host:tablet-anna, the name a device gave to the DHCP server */
    MEMBER_ID,     /* id:phone-anna, the first label of the name that a DoT client asks for */
};

enum { MEMBER_MAC_LEN = 6, MEMBER_NAME_MAX = 64 };

struct member {
    enum member_kind kind;
    struct prefix prefix;
    uint8_t mac[MEMBER_MAC_LEN];
    char name[MEMBER_NAME_MAX]; /* of a host or an id, in lower case */
};

/* -ERANGE: host bits of a subnet are set; -EINVAL: none of these. */
__attribute__((warn_unused_result)) int member_parse(const char *text, struct member *ret_member);

/* "02:00:00:00:00:01" or with dashes. -EINVAL. */
__attribute__((warn_unused_result)) int member_parse_mac(const char *text, size_t len,
                                                         uint8_t ret_mac[MEMBER_MAC_LEN]);

/* A host's name or an id in lower case: letters, digits and dashes. -EINVAL. */
__attribute__((warn_unused_result)) int member_take_name(const char *text, size_t len,
                                                         char ret_name[MEMBER_NAME_MAX]);
