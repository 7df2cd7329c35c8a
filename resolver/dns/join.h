// SPDX-License-Identifier: Apache-2.0
/* join: two answers made one, as if one server had told the whole chain (RFC 1034
 * section 5.3.3, step 4c).
 *
 * The first says where its alias leads, and nothing of what is there: that is the second's
 * alone. */
#pragma once
#include "dns/answer.h"

enum { JOIN_LINKS_MAX = 8 }; /* aliases over all messages */

/* Two rebuilt answers: to `ask`, which is open, and to the question for its last name. */
struct join_source {
    const struct ask *ask;
    const struct answer *first, *second;
    struct answer_limits limits;
};

/* Room for the largest; owned by the caller and used again and again. */
struct join_room {
    uint8_t wire[DNS_MESSAGE_MAX];
    struct answer_room room;
};

/* Does an alias at the name lead further when that type is asked for? */
bool join_follows(uint16_t type);

/* The whole answer, which is in `room`. It has AD only if both have it; TTLs are kept.
 * -ELOOP: the chain has too many links; -EBADMSG: the second leads back, or it is too
 * long for a message. */
__attribute__((warn_unused_result)) int
join_answers(const struct join_source *source, struct join_room *room, struct answer *ret_answer);
