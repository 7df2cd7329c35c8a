// SPDX-License-Identifier: Apache-2.0
/* unpack: a file as the octets it stands for, decompressed when it is gzip or zstd.
 *
 * Bounded in size and in ratio; a compressed file that stops short is an error, not a
 * short list. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

struct unpack;

enum {
    UNPACK_RATIO_MAX = 200, /* octets out per octet in, past the first megabyte */
};
#define UNPACK_BYTES_MAX (512ULL << 20)

/* Reads fd from its start (by offset: the file position does not matter). The fd
 * stays the caller's. -ENOMEM */
__attribute__((warn_unused_result)) int unpack_new(int fd, struct unpack **ret_unpack);
void unpack_free(struct unpack *unpack);

/* The next piece, valid until the next call; 0 at the end. -EBADMSG: damaged or
 * truncated, -EFBIG: over a limit, or an error of read(2). */
__attribute__((warn_unused_result)) int unpack_next(struct unpack *unpack, const uint8_t **ret_data,
                                                    size_t *ret_len, struct diag *diag);
