// SPDX-License-Identifier: Apache-2.0
/* archive: a tar file (POSIX ustar) packed by zstd, written file by file; bundle.h reads it. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct archive;

enum { ARCHIVE_NAME_MAX = 99, ARCHIVE_CHECKSUM = 65 };

struct archive_file {
    const char *name; /* at most ARCHIVE_NAME_MAX octets */
    unsigned mode;
    int64_t made_at; /* seconds since 1970 */
    const void *data;
    size_t len;
};

/* Writes to fd, which stays the caller's. -ENOMEM. */
__attribute__((warn_unused_result)) int archive_new(int fd, struct archive **ret_archive);

/* -ENAMETOOLONG, or an error of write(2). */
__attribute__((warn_unused_result)) int archive_add(struct archive *archive,
                                                    const struct archive_file *file);

/* The end of the archive; nothing may follow. */
__attribute__((warn_unused_result)) int archive_finish(struct archive *archive);
void archive_free(struct archive *archive); /* accepts NULL */

/* SHA-256 in hexadecimal. */
void archive_checksum(const void *data, size_t len, char out[ARCHIVE_CHECKSUM]);
