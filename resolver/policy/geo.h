// SPDX-License-Identifier: Apache-2.0
/* geo: the country and the network (AS number) of an address, from MaxMind DB files.
 *
 * A file is copied into memory that nobody can change or shorten, so that a file that is
 * overwritten in place cannot pull the ground from under a look-up; its look-ups are
 * bounded by its size. Immutable once opened; counted by the thread that makes snapshots. */
#pragma once
#include "base/addr.h"
#include "base/diag.h"
#include "config/config.h"

struct geo_place {
    uint16_t country; /* its two letters, 'K' << 8 | 'R'; 0 = not known */
    uint32_t network; /* AS number, 0 = not known */
};

struct geo;

/* The databases that geo.database and geo.asn_database name. 0 with *ret_geo NULL when
 * none is named; -ENOENT, -EBADMSG and the like with the path in *diag. */
__attribute__((warn_unused_result)) int geo_open(const struct config *config, struct geo **ret_geo,
                                                 struct diag *diag);
void geo_ref(struct geo *geo);   /* accepts NULL */
void geo_unref(struct geo *geo); /* accepts NULL */

/* Differs when the files did. */
uint64_t geo_serial(const struct geo *geo);

/* What the files looked like; changes when one is replaced. 0 when none is named. */
uint64_t geo_mark(const struct config *config);

/* Nothing is allocated; any thread. Unknown parts are 0. */
struct geo_place geo_find(const struct geo *geo, const struct addr *addr);

/* "KR", "" for 0; returns out. */
enum { GEO_COUNTRY_MAX = 3 };
const char *geo_country_text(uint16_t country, char out[GEO_COUNTRY_MAX]);

/* "KR AS4766", without what is not known; returns out. */
enum { GEO_PLACE_MAX = 24 };
const char *geo_place_text(const struct geo_place *place, char out[GEO_PLACE_MAX]);

/* Which places a group must not be led to. */
enum { GEO_COUNTRY_WORDS = 11 }; /* 26 * 26 bits */
struct geo_choice {
    uint64_t countries[GEO_COUNTRY_WORDS];
    uint32_t *networks; /* ascending */
    size_t network_count;
    bool any;
};

/* From groups[].block_countries and block_networks, which have been checked. -ENOMEM. */
__attribute__((warn_unused_result)) int geo_choice_read(const struct config_group *group,
                                                        struct geo_choice *ret_choice);
void geo_choice_clear(struct geo_choice *choice);
bool geo_choice_holds(const struct geo_choice *choice, const struct geo_place *place);

/* 1 to 676 for two capital letters, 0 for anything else. */
unsigned geo_country_index(uint16_t country);
