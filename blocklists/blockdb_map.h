// SPDX-License-Identifier: Apache-2.0
/* blockdb_map: a mapped database as blockdb_load.c lays it out for blockdb.c. */
#pragma once
#include "blocklists/blockdb.h"

struct blockdb {
    const uint8_t *map;
    size_t size;
    uint64_t checksum; /* of the file as it was read */
    const uint8_t *lines;
    uint64_t seed;
    uint32_t homes;
    uint32_t line_count;
    bool whole_names;    /* version 1: a name is hashed as one run of octets */
    uint64_t labels[2];  /* bit n: some name has n labels */
    unsigned labels_max; /* of the longest */
    uint64_t prefixes[3];
    uint64_t prefixes_4; /* bit n: some prefix has n bits */
    uint32_t *starts;    /* [classes + 1] into items */
    struct blockdb_item *items;
    struct blockdb_source *sources;
    struct blockdb_pattern *patterns;
    struct blockdb_data *data;
    uint32_t data_count;
    struct blockdb_info info;
};
