// SPDX-License-Identifier: Apache-2.0
/* framing: messages out of a stream, each behind its length (RFC 1035 section 4.2.2). */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { FRAMING_SMALL = 2 + 512 }; /* a length and message that need no memory of their own */

struct framing {
    size_t got;       /* octets of the message being read, its length included */
    uint8_t *message; /* small, or as many as the length asks for */
    uint8_t small[FRAMING_SMALL];
};

enum framing_step {
    FRAMING_MORE,   /* all octets are taken, the message is not whole */
    FRAMING_WHOLE,  /* framing_octets() is a message; framing_next() before going on */
    FRAMING_LARGE,  /* framing_grow() before going on */
    FRAMING_BROKEN, /* a length of 0: there is no such message */
};

void framing_init(struct framing *framing);
void framing_clear(struct framing *framing);

/* Take octets up to the next step; *ret_used of them. */
enum framing_step framing_take(struct framing *framing, const uint8_t *data, size_t len,
                               size_t *ret_used);

/* Memory for a message that is longer than most. -ENOMEM. */
__attribute__((warn_unused_result)) int framing_grow(struct framing *framing);

/* The whole message, *ret_len octets. */
const uint8_t *framing_octets(const struct framing *framing, size_t *ret_len);

/* Done with the message: begin the next one. */
void framing_next(struct framing *framing);

static inline int framing_is_large(const struct framing *framing)
{
    return framing->message != framing->small;
}
