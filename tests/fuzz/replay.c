// SPDX-License-Identifier: Apache-2.0
/* replay: a main() for fuzz targets without libFuzzer.
 *
 * Each file is given as it is, then cut short at every length and with single
 * octets changed, the same way on every run. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 1 << 20, CUTS = 512, CHANGES = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Give the target exactly len octets of its own, so that ASan sees a read past them. */
static void feed(const uint8_t *data, size_t len)
{
    uint8_t *own = malloc(len > 0 ? len : 1);
    if (own == NULL) {
        abort();
    }
    if (len > 0) {
        memcpy(own, data, len);
    }
    (void)LLVMFuzzerTestOneInput(own, len);
    free(own);
}

static void feed_variants(uint8_t *data, size_t len)
{
    uint32_t state = 2463534242u;

    feed(data, len);
    for (size_t cut = 0; cut < len && cut < CUTS; cut++) {
        feed(data, cut);
    }
    for (int i = 0; i < CHANGES && len > 0; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        size_t at = (state >> 8) % len;
        uint8_t kept = data[at];
        data[at] = (uint8_t)state;
        feed(data, len);
        data[at] = kept;
    }
}

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    uint8_t *data = malloc(INPUT_MAX);
    if (data == NULL) {
        abort();
    }
    size_t len = fread(data, 1, INPUT_MAX, file);
    fclose(file);
    feed_variants(data, len);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        failed |= replay(argv[i]);
    }
    return failed;
}
