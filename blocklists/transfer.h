// SPDX-License-Identifier: Apache-2.0
/* transfer: octets of one source on their way into a file, counted; shared by the
 * ways of fetching. */
#pragma once
#include <stddef.h>

#include "blocklists/fetch.h"
#include "blocklists/unpack.h"

struct transfer {
    const struct fetch_request *request;
    struct fetch_result *result;
    int err; /* why the body was refused */
    uint8_t head[UNPACK_HEAD];
};

/* -EFBIG, or an error of write(2). */
__attribute__((warn_unused_result)) int transfer_take(struct transfer *transfer,
                                                      const uint8_t *data, size_t len);

/* The most octets that may come, by what came so far. */
uint64_t transfer_limit(const struct transfer *transfer);

/* err of transfer_take() in words. */
int transfer_explain(const struct transfer *transfer, int err, struct diag *diag);

/* fetch_source() for file:// URLs. */
__attribute__((warn_unused_result)) int transfer_file(struct transfer *transfer, struct diag *diag);
