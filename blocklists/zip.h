// SPDX-License-Identifier: Apache-2.0
/* zip: the members of a ZIP archive in memory (PKWARE APPNOTE 6.3), stored or deflated.
 *
 * The central directory at the end is believed, and each member's own header only
 * for where its data begin. No ZIP64, no encryption, no split archives. Names are for
 * reading only: none is ever used as a path. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ZIP_NAME_MAX = 512, ZIP_MEMBERS_MAX = 4096 };

struct zip {
    const uint8_t *data; /* the caller's */
    size_t len;
    size_t at, end; /* what of the central directory is left */
    unsigned left;  /* members */
};

struct zip_member {
    char name[ZIP_NAME_MAX];
    uint32_t size, packed, crc;
    uint32_t offset; /* of its own header */
    uint16_t method;
    bool folder;
};

bool zip_is_archive(const uint8_t *data, size_t len);

/* -EBADMSG: no archive or damaged; -E2BIG: more than ZIP_MEMBERS_MAX; -ENOTSUP: split. */
__attribute__((warn_unused_result)) int zip_open(const uint8_t *data, size_t len,
                                                 struct zip *ret_zip);

/* The next member: 1, or 0 at the end; -EBADMSG; -ENOTSUP: ZIP64 or encrypted. */
__attribute__((warn_unused_result)) int zip_next(struct zip *zip, struct zip_member *ret_member);

/* A member's data, member->size octets and a NUL behind them, for the caller to free.
 * -EFBIG: more than `max`; -EBADMSG: damaged, or not what size and checksum say;
 * -ENOTSUP: packed in another way; -ENOMEM. */
__attribute__((warn_unused_result)) int
zip_unpack(const struct zip *zip, const struct zip_member *member, size_t max, uint8_t **ret_data);
