// SPDX-License-Identifier: Apache-2.0
#include "blocklists/unpack.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { PIECE = 1 << 16, WINDOW_LOG_MAX = 23, RATIO_FREE = 1 << 20 };

enum coding { CODING_PLAIN, CODING_GZIP, CODING_ZSTD };

struct unpack {
    int fd;
    enum coding coding;
    uint64_t in, out; /* octets so far */
    bool inflating;   /* zlib was set up */
    bool ended;       /* at the end of a member or frame */
    size_t in_len, in_at;
    z_stream gzip;
    ZSTD_DStream *zstd;
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

static int begin(struct unpack *u)
{
    int err = refill(u);
    if (err < 0) {
        return err;
    }
    if (u->in_len >= 2 && u->input[0] == 0x1f && u->input[1] == 0x8b) {
        u->coding = CODING_GZIP;
        u->inflating = inflateInit2(&u->gzip, 15 + 16) == Z_OK;
        return u->inflating ? 0 : -ENOMEM;
    }
    if (u->in_len >= 4 && memcmp(u->input, "\x28\xb5\x2f\xfd", 4) == 0) {
        u->coding = CODING_ZSTD;
        u->zstd = ZSTD_createDStream();
        if (!u->zstd) {
            return -ENOMEM;
        }
        ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    }
    return 0;
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
        free(unpack);
    }
}

/* One step of zlib; several members may follow each other (RFC 1952 section 2.2). */
static int step_gzip(struct unpack *u, size_t *ret_len)
{
    if (u->ended) {
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
        int err = u->coding == CODING_GZIP ? step_gzip(u, ret_len) : step_zstd(u, ret_len);
        if (err < 0) {
            return err;
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

int unpack_next(struct unpack *unpack, const uint8_t **ret_data, size_t *ret_len, struct diag *diag)
{
    struct unpack *u = unpack;
    bool plain = u->coding == CODING_PLAIN;
    int err = plain ? next_plain(u, ret_len) : next_decoded(u, ret_len);
    if (err < 0) {
        return diag_set(diag, err, "%s",
                        err == -EBADMSG ? "compressed data is damaged or truncated"
                                        : strerror(-err));
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
