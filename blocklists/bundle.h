// SPDX-License-Identifier: Apache-2.0
/* bundle: an archive's files in memory, bounded: ZIP, or tar as it is or packed by gzip,
 * xz or zstd. Names are for reading only: none is ever used as a path. */
#pragma once
#include "base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bundle_file {
    char *name;
    uint8_t *data; /* len octets and a NUL behind them */
    size_t len;
};

struct bundle {
    struct bundle_file *files;
    size_t count;
};

struct bundle_limits {
    size_t files;                        /* that are kept; all others count for nothing */
    size_t octets;                       /* of those that are kept, together */
    bool (*is_wanted)(const char *name); /* NULL: all */
};

/* Is this the beginning of something that bundle_read() takes? */
bool bundle_is_archive(const uint8_t *head, size_t len);

/* -EBADMSG: damaged or no archive, -EFBIG: over a limit, -ENOTSUP, -ENOMEM or an error of
 * read(2), each with *diag. A file that stands there twice is damage too. */
__attribute__((warn_unused_result)) int bundle_read(int fd, const struct bundle_limits *limits,
                                                    struct bundle *ret_bundle, struct diag *diag);
void bundle_clear(struct bundle *bundle);

/* NULL when there is none. */
const struct bundle_file *bundle_find(const struct bundle *bundle, const char *name);

/* The first whose last part is this name, whatever folder it is in. */
const struct bundle_file *bundle_find_base(const struct bundle *bundle, const char *base);
