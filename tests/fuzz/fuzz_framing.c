// SPDX-License-Identifier: Apache-2.0
/* A stream of messages in pieces of any size: the same messages come out as when they
 * are cut out of it at once. The first octet says how the pieces are cut. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "listen/framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The stream as a reader sees it who has it all. */
struct oracle {
    const uint8_t *data;
    size_t len, at;
};

static void expect(struct oracle *oracle, enum framing_step step, const struct framing *framing)
{
    if (step == FRAMING_MORE || step == FRAMING_LARGE) {
        return;
    }
    size_t len = 0, want = load_u16(oracle->data + oracle->at);
    if (step == FRAMING_BROKEN) {
        if (want != 0) {
            abort();
        }
        return;
    }
    const uint8_t *message = framing_octets(framing, &len);
    if (len != want || oracle->at + 2 + want > oracle->len ||
        memcmp(message, oracle->data + oracle->at + 2, want) != 0) {
        abort();
    }
    oracle->at += 2 + want;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct framing framing;
    if (size < 2) {
        return 0;
    }
    size_t piece = 1 + data[0];
    struct oracle oracle = {data + 1, size - 1, 0};
    enum framing_step step = FRAMING_MORE;
    framing_init(&framing);
    for (size_t at = 0; at < oracle.len && step != FRAMING_BROKEN;) {
        size_t used, len = oracle.len - at < piece ? oracle.len - at : piece;
        step = framing_take(&framing, oracle.data + at, len, &used);
        if (used > len || used == 0) {
            abort();
        }
        expect(&oracle, step, &framing);
        if (step == FRAMING_WHOLE) {
            framing_next(&framing);
        } else if (step == FRAMING_LARGE && framing_grow(&framing) < 0) {
            abort();
        }
        at += used;
    }
    /* What is left over is the beginning of one message, no more. */
    if (step != FRAMING_BROKEN && framing.got != oracle.len - oracle.at) {
        abort();
    }
    framing_clear(&framing);
    return 0;
}
