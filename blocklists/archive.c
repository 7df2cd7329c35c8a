// SPDX-License-Identifier: Apache-2.0
#include "blocklists/archive.h"

#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/wholefile.h"
#include "blocklists/tar.h"

enum { PIECE = 1 << 16, LEVEL = 3, AT_CHECKSUM = 148 };

struct archive {
    int fd;
    ZSTD_CCtx *zstd;
    uint8_t out[PIECE];
};

int archive_new(int fd, struct archive **ret_archive)
{
    struct archive *archive = calloc(1, sizeof(*archive));
    if (!archive) {
        return -ENOMEM;
    }
    archive->fd = fd;
    archive->zstd = ZSTD_createCCtx();
    if (!archive->zstd) {
        free(archive);
        return -ENOMEM;
    }
    ZSTD_CCtx_setParameter(archive->zstd, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(archive->zstd, ZSTD_c_checksumFlag, 1);
    *ret_archive = archive;
    return 0;
}

void archive_free(struct archive *archive)
{
    if (archive) {
        ZSTD_freeCCtx(archive->zstd);
        free(archive);
    }
}

static int put(struct archive *archive, const void *data, size_t len, ZSTD_EndDirective mode)
{
    ZSTD_inBuffer in = {data, len, 0};
    for (;;) {
        ZSTD_outBuffer out = {archive->out, PIECE, 0};
        size_t left = ZSTD_compressStream2(archive->zstd, &out, &in, mode);
        if (ZSTD_isError(left)) {
            return -ENOMEM;
        }
        int err = wholefile_put(archive->fd, archive->out, out.pos);
        if (err < 0 || (mode == ZSTD_e_end ? left == 0 : in.pos == in.size)) {
            return err;
        }
    }
}

/* Numbers are octal digits and a NUL (POSIX.1-2017, pax, "ustar Interchange Format"). */
static void fill_header(const struct archive_file *file, char header[TAR_BLOCK])
{
    unsigned sum = 0;
    memset(header, 0, TAR_BLOCK);
    snprintf(header, 100, "%s", file->name);
    snprintf(header + 100, 8, "%07o", file->mode & 07777U);
    snprintf(header + 108, 8, "%07o", 0U);
    snprintf(header + 116, 8, "%07o", 0U);
    snprintf(header + 124, 12, "%011llo", (unsigned long long)file->len);
    snprintf(header + 136, 12, "%011llo", (unsigned long long)file->made_at);
    header[156] = '0';
    memcpy(header + 257, "ustar", 6);
    memcpy(header + 263, "00", 2);
    memset(header + AT_CHECKSUM, ' ', 8);
    for (size_t i = 0; i < TAR_BLOCK; i++) {
        sum += (uint8_t)header[i];
    }
    snprintf(header + AT_CHECKSUM, 8, "%06o", sum & 0777777U);
}

int archive_add(struct archive *archive, const struct archive_file *file)
{
    static const char zeros[TAR_BLOCK];
    char header[TAR_BLOCK];
    if (strlen(file->name) > ARCHIVE_NAME_MAX) {
        return -ENAMETOOLONG;
    }
    fill_header(file, header);
    int err = put(archive, header, TAR_BLOCK, ZSTD_e_continue);
    err = err < 0 ? err : put(archive, file->data, file->len, ZSTD_e_continue);
    size_t padding = -file->len & (TAR_BLOCK - 1);
    return err < 0 ? err : put(archive, zeros, padding, ZSTD_e_continue);
}

int archive_finish(struct archive *archive)
{
    static const char zeros[2 * TAR_BLOCK];
    return put(archive, zeros, sizeof(zeros), ZSTD_e_end);
}

void archive_checksum(const void *data, size_t len, char out[ARCHIVE_CHECKSUM])
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, data, len);
    sodium_bin2hex(out, ARCHIVE_CHECKSUM, hash, sizeof(hash));
}
