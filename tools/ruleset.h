// SPDX-License-Identifier: Apache-2.0
/* ruleset: an nftables table that leads a network's DNS to us and shuts other ways. */
#pragma once
#include "base/addr.h"
#include "config/config.h"

#include <stdio.h>

enum { RULESET_INTERFACES_MAX = 32, RULESET_INTERFACE_TEXT_MAX = 16 };

/* Where port 53 of one family is led. */
struct ruleset_way {
    enum { WAY_NONE, WAY_REDIRECT, WAY_DNAT } kind;
    struct addr to; /* WAY_DNAT: with its port; WAY_REDIRECT: the port alone */
};

struct ruleset {
    const struct config *config;
    bool openwrt;
    char interfaces[RULESET_INTERFACES_MAX][RULESET_INTERFACE_TEXT_MAX];
    size_t interface_count;
    bool *exempt; /* [group_count] groups that may ask whom they like */
    struct ruleset_way ipv4, ipv6;
    struct text_list doh; /* addresses of both families */
};

/* The whole file for `nft -f`; loading it again replaces what was there. */
void ruleset_print(const struct ruleset *set, FILE *out);
