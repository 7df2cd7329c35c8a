// SPDX-License-Identifier: Apache-2.0
#include "listen/framing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"

void framing_init(struct framing *framing)
{
    framing->got = 0;
    framing->message = framing->small;
}

void framing_clear(struct framing *framing)
{
    framing_next(framing);
}

static size_t whole(const struct framing *framing)
{
    return 2 + (size_t)load_u16(framing->message);
}

enum framing_step framing_take(struct framing *framing, const uint8_t *data, size_t len,
                               size_t *ret_used)
{
    *ret_used = 0;
    while (*ret_used < len) {
        size_t want = framing->got < 2 ? 2 : whole(framing);
        size_t left = len - *ret_used;
        size_t take = want - framing->got < left ? want - framing->got : left;
        memcpy(framing->message + framing->got, data + *ret_used, take);
        framing->got += take;
        *ret_used += take;
        if (framing->got == 2 && whole(framing) == 2) {
            return FRAMING_BROKEN;
        }
        if (framing->got == 2 && whole(framing) > sizeof(framing->small)) {
            return FRAMING_LARGE;
        }
        if (framing->got > 2 && framing->got == whole(framing)) {
            return FRAMING_WHOLE;
        }
    }
    return FRAMING_MORE;
}

int framing_grow(struct framing *framing)
{
    uint8_t *large = malloc(whole(framing));
    if (!large) {
        return -ENOMEM;
    }
    memcpy(large, framing->small, 2);
    framing->message = large;
    return 0;
}

const uint8_t *framing_octets(const struct framing *framing, size_t *ret_len)
{
    *ret_len = framing->got - 2;
    return framing->message + 2;
}

void framing_next(struct framing *framing)
{
    if (framing_is_large(framing)) {
        free(framing->message);
        framing->message = framing->small;
    }
    framing->got = 0;
}
