// SPDX-License-Identifier: Apache-2.0
#include "blocklists/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/wholefile.h"
#include "blocklists/child.h"
#include "blocklists/unpack.h"

enum { PIECE = 1 << 16, LEVEL = 1 };

struct packing {
    int from_fd, to_fd;
    uint64_t decoder; /* octets of memory */
    ZSTD_CCtx *zstd;
    uint8_t out[PIECE];
};

static int compress_piece(struct packing *packing, ZSTD_inBuffer in, ZSTD_EndDirective mode)
{
    for (;;) {
        ZSTD_outBuffer out = {packing->out, PIECE, 0};
        size_t left = ZSTD_compressStream2(packing->zstd, &out, &in, mode);
        if (ZSTD_isError(left)) {
            return -ENOMEM;
        }
        int err = wholefile_put(packing->to_fd, packing->out, out.pos);
        if (err < 0 || (mode == ZSTD_e_end ? left == 0 : in.pos == in.size)) {
            return err;
        }
    }
}

static int pack(void *arg, struct diag *diag)
{
    struct packing *packing = arg;
    struct unpack *unpack = NULL;
    packing->zstd = ZSTD_createCCtx();
    int err = packing->zstd ? unpack_new(packing->from_fd, &unpack) : -ENOMEM;
    if (err < 0) {
        return diag_set(diag, err, "%s", strerror(-err));
    }
    unpack_bound(unpack, packing->decoder);
    ZSTD_CCtx_setParameter(packing->zstd, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(packing->zstd, ZSTD_c_checksumFlag, 1);
    for (;;) {
        const uint8_t *data;
        size_t len;
        err = unpack_next(unpack, &data, &len, diag);
        if (err < 0) {
            break;
        }
        ZSTD_inBuffer in = {data, len, 0};
        err = compress_piece(packing, in, len ? ZSTD_e_continue : ZSTD_e_end);
        if (err < 0 || len == 0) {
            err = err < 0 ? diag_set(diag, err, "storing the list: %s", strerror(-err)) : 0;
            break;
        }
    }
    unpack_free(unpack);
    ZSTD_freeCCtx(packing->zstd);
    return err;
}

int pack_file(int from_fd, int to_fd, const struct budget *budget, struct diag *diag)
{
    struct packing *packing = calloc(1, sizeof(*packing));
    if (!packing) {
        return -ENOMEM;
    }
    packing->from_fd = from_fd;
    packing->to_fd = to_fd;
    packing->decoder = budget->decoder;
    int err = child_run(pack, packing, budget->file, diag);
    free(packing);
    return err;
}
