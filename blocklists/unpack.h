// SPDX-License-Identifier: Apache-2.0
/* unpack: a file as the octets it stands for, decompressed when it is gzip, xz or zstd.
 *
 * Bounded in size and in ratio; a compressed file that stops short is an error, not a
 * short list. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

struct unpack;

enum {
    UNPACK_RATIO_MAX = 200, /* octets out per octet in, past the first megabyte */
    UNPACK_HEAD = 6,        /* octets that tell what packed a file */
};
#define UNPACK_MEMORY    (20ULL << 20) /* of the xz decoder; that of zstd is smaller */
#define UNPACK_BYTES_MAX (512ULL << 20)

/* Reads fd from its start (by offset: the file position does not matter). The fd
 * stays the caller's. -ENOMEM */
__attribute__((warn_unused_result)) int unpack_new(int fd, struct unpack **ret_unpack);
void unpack_free(struct unpack *unpack);

/* Another bound on the xz decoder's memory, before the first unpack_next(). */
void unpack_bound(struct unpack *unpack, uint64_t memory);

/* Do a file's first octets say that it is packed? */
bool unpack_is_packed(const uint8_t head[UNPACK_HEAD], size_t len);

/* The next piece, valid until the next call; 0 at the end. -EBADMSG: damaged or
 * truncated, -EFBIG: over a limit, -ENOBUFS: xz needs more memory, or an error of read(2). */
__attribute__((warn_unused_result)) int unpack_next(struct unpack *unpack, const uint8_t **ret_data,
                                                    size_t *ret_len, struct diag *diag);
