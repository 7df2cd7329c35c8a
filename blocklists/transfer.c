// SPDX-License-Identifier: Apache-2.0
#include "blocklists/transfer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What may come over the wire: packed lists are small, plain ones may be large. */
#define PACKED_MAX (64ULL << 20)

uint64_t transfer_limit(const struct transfer *transfer)
{
    uint64_t come = transfer->result->bytes;
    size_t len = come < UNPACK_HEAD ? (size_t)come : UNPACK_HEAD;
    uint64_t most = unpack_is_packed(transfer->head, len) ? PACKED_MAX : UNPACK_BYTES_MAX;
    uint64_t asked = transfer->request->max_bytes;
    return asked && asked < most ? asked : most;
}

int transfer_explain(const struct transfer *transfer, int err, struct diag *diag)
{
    uint64_t limit = transfer_limit(transfer);
    if (err != -EFBIG) {
        return diag_set(diag, err, "storing the download: %s", strerror(-err));
    }
    if (limit == transfer->request->max_bytes && transfer->request->limit_reason) {
        return diag_set(diag, err, "%s", transfer->request->limit_reason);
    }
    return diag_set(diag, err, "larger than %llu %s",
                    (unsigned long long)(limit >> 20 ? limit >> 20 : limit),
                    limit >> 20 ? "MiB" : "octets");
}

int transfer_take(struct transfer *transfer, const uint8_t *data, size_t len)
{
    struct fetch_result *result = transfer->result;
    for (size_t i = 0; i < len && result->bytes + i < UNPACK_HEAD; i++) {
        transfer->head[result->bytes + i] = data[i];
    }
    result->bytes += len;
    if (result->bytes > transfer_limit(transfer)) {
        return -EFBIG;
    }
    while (len > 0) {
        ssize_t done = write(transfer->request->fd, data, len);
        if (done < 0 && errno != EINTR) {
            return -errno;
        }
        if (done > 0) {
            data += done;
            len -= (size_t)done;
        }
    }
    if (transfer->request->on_bytes) {
        transfer->request->on_bytes(transfer->request->arg, result->bytes);
    }
    return 0;
}
