// SPDX-License-Identifier: Apache-2.0
/* rdata: a record as zone files write it, in the form that a database keeps. */
#pragma once
#include "blocklists/format.h"

enum { RDATA_RECORD_MAX = 4096 };

struct rdata_text {
    struct span type;   /* "A", in any case */
    struct span data;   /* behind it, on one line */
    struct span origin; /* of relative names, without the last dot */
    uint32_t ttl;
};

/* Type, TTL, RDLENGTH and RDATA as in struct blockdb_data; returns how many octets.
 * -EINVAL: no such record, -EPROTONOSUPPORT: of a type that no answer of ours has. */
__attribute__((warn_unused_result)) int rdata_read(const struct rdata_text *text,
                                                   uint8_t record[RDATA_RECORD_MAX]);
