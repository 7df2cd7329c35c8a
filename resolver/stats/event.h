// SPDX-License-Identifier: Apache-2.0
/* event: what of a query is counted. */
#pragma once
#include <stdint.h>

enum {
    STATS_GROUPS_MAX = 256,
    STATS_CATEGORIES_MAX = 64, /* 0 is "none" */
    STATS_TYPES = 257,         /* QTYPE 0..255; 256 is "other" */
    STATS_RCODES = 24,
    STATS_RCODE_NONE = 12, /* no answer was sent; DNS does not use this code */
    STATS_COUNTRIES = 677, /* 0 is "not known"; 1 to 676: two letters, AA to ZZ */
    STATS_LATENCIES = 16,  /* bucket i: up to 250 us << i, the last without end */
};

/* What became of a query. Names in stats_verdict_names[], which the CLI shows. */
enum stats_verdict {
    STATS_ANSWERED, /* passed on or from the cache */
    STATS_BLOCKED,
    STATS_ALLOWED, /* a local rule or protected name overrode a block */
    STATS_REFUSED, /* not allowed to ask, or not answerable: FORMERR, NOTIMP ... */
    STATS_FAILED,  /* SERVFAIL */
    STATS_SHADOW,  /* answered, but a source in shadow mode would have blocked it */
    STATS_VERDICTS,
};
extern const char *const stats_verdict_names[STATS_VERDICTS];

/* By what a blocked name would have gone around the filter; 0 = by nothing. */
enum stats_way {
    STATS_WAY_NONE,
    STATS_WAY_CANARY, /* asks whether it may */
    STATS_WAY_RELAY,  /* a canary of a relay */
    STATS_WAY_DOH,
    STATS_WAY_VPN,
    STATS_WAY_PROXY,
    STATS_WAY_TOR,
    STATS_WAY_PAGES,   /* translators and caches that show other pages */
    STATS_WAY_ADDRESS, /* a name that bears the address it leads to */
    STATS_WAY_LISTED,  /* a list of the category bypass */
    STATS_WAYS,
};
extern const char *const stats_way_names[STATS_WAYS];

enum stats_transport { STATS_UDP, STATS_TCP, STATS_TLS, STATS_TRANSPORTS };
enum stats_origin { STATS_CACHE, STATS_STALE, STATS_UPSTREAM, STATS_POLICY, STATS_ORIGINS };

struct stats_event {
    uint16_t group;    /* stable id, see stats_name_group() */
    uint16_t category; /* stable id, 0 = none */
    uint16_t type;     /* QTYPE */
    uint8_t rcode;
    uint8_t verdict;
    uint8_t transport;
    uint8_t origin;
    uint8_t way;      /* enum stats_way */
    uint16_t country; /* to which an answer leads, 0 = not known */
    uint32_t latency_us;
};
