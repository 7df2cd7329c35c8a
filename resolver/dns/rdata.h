// SPDX-License-Identifier: Apache-2.0
/* rdata: what stands in a record's data, by type. */
#pragma once
#include "base/wire.h"
#include "dns/rr.h"

/* Copy a record's data with every name in it written out in full, as RFC 3597 section 4
 * asks of names that may have come compressed. -EBADMSG when the data has not the shape
 * of its type, as far as we know that; -ENOBUFS. */
__attribute__((warn_unused_result)) int rdata_copy(const struct packet *packet, const struct rr *rr,
                                                   struct wire *out);
