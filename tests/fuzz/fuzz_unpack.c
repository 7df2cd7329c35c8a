// SPDX-License-Identifier: Apache-2.0
/* Any octets are a packed list: unpacked within the bounds, or refused. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "blocklists/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct unpack *unpack = NULL;
    uint64_t sum = 0;
    size_t len = 1;
    int fd = memfd_create("packed", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || unpack_new(fd, &unpack) < 0) {
        abort();
    }
    for (int err = 0; err == 0 && len > 0;) {
        const uint8_t *piece;
        err = unpack_next(unpack, &piece, &len, NULL);
        sum += err == 0 ? len : 0;
    }
    if (sum > (2 << 20) && sum / UNPACK_RATIO_MAX > size) {
        abort();
    }
    unpack_free(unpack);
    close(fd);
    return 0;
}
