// SPDX-License-Identifier: Apache-2.0
/* Any octets are an archive of UT1: in one piece and in small ones it gives the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "blocklists/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint64_t members, octets, sum, ends, left;
};

static void on_member(void *arg, const struct tar_member *member)
{
    struct seen *seen = arg;
    seen->members++;
    seen->left = member->size;
    if (seen->members != seen->ends + 1 || strnlen(member->name, TAR_NAME_MAX) == TAR_NAME_MAX ||
        strnlen(member->link, TAR_NAME_MAX) == TAR_NAME_MAX) {
        abort();
    }
    for (const char *c = member->name; *c; c++) {
        seen->sum = seen->sum * 31 + (uint8_t)*c;
    }
}

static void on_data(void *arg, const uint8_t *data, size_t len)
{
    struct seen *seen = arg;
    if (len > seen->left) {
        abort();
    }
    seen->left -= len;
    seen->octets += len;
    for (size_t i = 0; i < len; i++) {
        seen->sum = seen->sum * 31 + data[i];
    }
}

static void on_end(void *arg)
{
    struct seen *seen = arg;
    seen->ends++;
    if (seen->left || seen->ends != seen->members) {
        abort();
    }
}

static int read_in(const uint8_t *data, size_t size, size_t step, struct seen *seen)
{
    const struct tar_handler handler = {on_member, on_data, on_end, seen};
    struct tar_state *tar = calloc(1, sizeof(*tar));
    int err = 0;
    for (size_t at = 0; err == 0 && at < size; at += step) {
        err = tar_feed(tar, data + at, size - at < step ? size - at : step, &handler);
    }
    err = err < 0 ? err : tar_end(tar);
    free(tar);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen whole = {0};
    struct seen small = {0};
    int err = read_in(data, size, size + 1, &whole);
    if (read_in(data, size, 7, &small) != err || memcmp(&whole, &small, sizeof(whole)) != 0) {
        abort();
    }
    return 0;
}
