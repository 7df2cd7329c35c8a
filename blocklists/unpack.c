// SPDX-License-Identifier: Apache-2.0
#include "blocklists/unpack.h"

#include <errno.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { PIECE = 1 << 16, WINDOW_LOG_MAX = 23, RATIO_FREE = 1 << 20, MIB = 1 << 20 };

enum coding { CODING_PLAIN, CODING_GZIP, CODING_ZSTD, CODING_XZ };

struct unpack {
    int fd;
    enum coding coding;
    uint64_t in, out; /* octets so far */
    bool inflating;   /* zlib was set up */
    bool ended;       /* at the end of a member or frame */
    size_t in_len, in_at;
    z_stream gzip;
    ZSTD_DStream *zstd;
    lzma_stream xz;
    uint8_t input[PIECE];
    uint8_t output[PIECE];
};

static int refill(struct unpack *u)
{
    ssize_t got;
    do {
        got = pread(u->fd, u->input, PIECE, (off_t)u->in);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return -errno;
    }
    u->in += (uint64_t)got;
    u->in_len = (size_t)got;
    u->in_at = 0;
    return 0;
}

static enum coding coding_of(const uint8_t *head, size_t len)
{
    if (len >= 2 && head[0] == 0x1f && head[1] == 0x8b) {
        return CODING_GZIP;
    }
    if (len >= 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0) {
        return CODING_ZSTD;
    }
    return len >= 6 && memcmp(head,
                              "\xfd"
                              "7zXZ\0",
                              6) == 0
               ? CODING_XZ
               : CODING_PLAIN;
}

bool unpack_is_packed(const uint8_t head[UNPACK_HEAD], size_t len)
{
    return coding_of(head, len) != CODING_PLAIN;
}

/* The window of zstd is kept below the same bound. */
static int begin_zstd(struct unpack *u)
{
    u->zstd = ZSTD_createDStream();
    if (!u->zstd) {
        return -ENOMEM;
    }
    ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    return 0;
}

static int begin(struct unpack *u)
{
    int err = refill(u);
    if (err < 0) {
        return err;
    }
    u->coding = coding_of(u->input, u->in_len);
    switch (u->coding) {
    case CODING_GZIP:
        u->inflating = inflateInit2(&u->gzip, 15 + 16) == Z_OK;
        return u->inflating ? 0 : -ENOMEM;
    case CODING_ZSTD: return begin_zstd(u);
    case CODING_XZ:
        return lzma_stream_decoder(&u->xz, UNPACK_MEMORY, LZMA_CONCATENATED) == LZMA_OK ? 0
                                                                                        : -ENOMEM;
    default: return 0;
    }
}

int unpack_new(int fd, struct unpack **ret_unpack)
{
    struct unpack *u = calloc(1, sizeof(*u));
    if (!u) {
        return -ENOMEM;
    }
    u->fd = fd;
    int err = begin(u);
    if (err < 0) {
        unpack_free(u);
        return err;
    }
    *ret_unpack = u;
    return 0;
}

void unpack_free(struct unpack *unpack)
{
    if (unpack) {
        if (unpack->inflating) {
            inflateEnd(&unpack->gzip);
        }
        ZSTD_freeDStream(unpack->zstd);
        lzma_end(&unpack->xz);
        free(unpack);
    }
}

void unpack_bound(struct unpack *unpack, uint64_t memory)
{
    if (unpack->coding == CODING_XZ) {
        (void)lzma_memlimit_set(&unpack->xz, memory); /* too little shows when decoding */
    }
}

/* One step of zlib; several members may follow each other (RFC 1952 section 2.2), and
 * zeros up to a block's end, as tapes leave them. */
static int step_gzip(struct unpack *u, size_t *ret_len)
{
    if (u->ended) {
        while (u->in_at < u->in_len && u->input[u->in_at] == 0) {
            u->in_at++;
        }
        if (u->in_at == u->in_len) {
            return 0;
        }
        if (inflateReset(&u->gzip) != Z_OK) {
            return -EBADMSG;
        }
        u->ended = false;
    }
    u->gzip.next_in = u->input + u->in_at;
    u->gzip.avail_in = (uInt)(u->in_len - u->in_at);
    u->gzip.next_out = u->output;
    u->gzip.avail_out = PIECE;
    int code = inflate(&u->gzip, Z_NO_FLUSH);
    u->in_at = u->in_len - u->gzip.avail_in;
    *ret_len = PIECE - u->gzip.avail_out;
    u->ended = code == Z_STREAM_END;
    return code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR ? 0 : -EBADMSG;
}

static int step_zstd(struct unpack *u, size_t *ret_len)
{
    ZSTD_inBuffer in = {u->input, u->in_len, u->in_at};
    ZSTD_outBuffer out = {u->output, PIECE, 0};
    size_t code = ZSTD_decompressStream(u->zstd, &out, &in);
    u->in_at = in.pos;
    *ret_len = out.pos;
    u->ended = code == 0;
    return ZSTD_isError(code) ? -EBADMSG : 0;
}

/* One step of liblzma, which tells the end of the last of several streams only when
 * it hears of the end of the input. */
static int step_xz(struct unpack *u, size_t *ret_len)
{
    u->xz.next_in = u->input + u->in_at;
    u->xz.avail_in = u->in_len - u->in_at;
    u->xz.next_out = u->output;
    u->xz.avail_out = PIECE;
    lzma_ret code = lzma_code(&u->xz, u->in_len ? LZMA_RUN : LZMA_FINISH);
    u->in_at = u->in_len - u->xz.avail_in;
    *ret_len = PIECE - u->xz.avail_out;
    u->ended = code == LZMA_STREAM_END;
    if (code == LZMA_MEMLIMIT_ERROR) {
        return -ENOBUFS;
    }
    return code == LZMA_OK || code == LZMA_STREAM_END ? 0 : -EBADMSG;
}

static int step(struct unpack *u, size_t *ret_len)
{
    switch (u->coding) {
    case CODING_GZIP: return step_gzip(u, ret_len);
    case CODING_ZSTD: return step_zstd(u, ret_len);
    default: return step_xz(u, ret_len);
    }
}

/* Decode until there is output or the input ends. */
static int next_decoded(struct unpack *u, size_t *ret_len)
{
    *ret_len = 0;
    while (*ret_len == 0) {
        if (u->in_at == u->in_len) {
            int err = refill(u);
            if (err < 0) {
                return err;
            }
            if (u->in_len == 0 && u->ended) {
                return 0;
            }
        }
        size_t before = u->in_at;
        int err = step(u, ret_len);
        if (err < 0) {
            return err;
        }
        if (*ret_len == 0 && u->coding == CODING_XZ && u->ended) {
            return 0;
        }
        if (*ret_len == 0 && u->in_at == before && !u->ended) {
            return -EBADMSG; /* wants more than there is */
        }
    }
    return 0;
}

static int next_plain(struct unpack *u, size_t *ret_len)
{
    if (u->in_at == u->in_len) {
        int err = refill(u);
        if (err < 0) {
            return err;
        }
    }
    *ret_len = u->in_len - u->in_at;
    u->in_at = u->in_len;
    return 0;
}

/* What stopped the decoder, and what helps. */
static int explain(struct unpack *u, int err, struct diag *diag)
{
    if (err == -ENOBUFS) {
        uint64_t needs = lzma_memusage(&u->xz);
        return diag_set(diag, err,
                        "xz needs %llu MiB of memory to decompress this, and %llu MiB are allowed: "
                        "raise lists.memory_mb by %llu, or take a copy made by `xz -6` or gzip",
                        (unsigned long long)(needs + MIB - 1) / MIB,
                        (unsigned long long)lzma_memlimit_get(&u->xz) / MIB,
                        (unsigned long long)(needs - lzma_memlimit_get(&u->xz) + MIB - 1) / MIB);
    }
    return diag_set(diag, err, "%s",
                    err == -EBADMSG ? "compressed data is damaged or truncated" : strerror(-err));
}

int unpack_next(struct unpack *unpack, const uint8_t **ret_data, size_t *ret_len, struct diag *diag)
{
    struct unpack *u = unpack;
    bool plain = u->coding == CODING_PLAIN;
    int err = plain ? next_plain(u, ret_len) : next_decoded(u, ret_len);
    if (err < 0) {
        return explain(u, err, diag);
    }
    u->out += *ret_len;
    if (u->out > UNPACK_BYTES_MAX) {
        return diag_set(diag, -EFBIG, "larger than %llu MiB", UNPACK_BYTES_MAX >> 20);
    }
    uint64_t taken = u->in - (u->in_len - u->in_at);
    if (!plain && u->out > RATIO_FREE && u->out / UNPACK_RATIO_MAX > taken) {
        return diag_set(diag, -EFBIG, "grows more than %d times when decompressed",
                        UNPACK_RATIO_MAX);
    }
    *ret_data = plain ? u->input : u->output;
    return 0;
}
