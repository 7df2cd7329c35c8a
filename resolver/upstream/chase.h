// SPDX-License-Identifier: Apache-2.0
/* chase: an answer that ends in an alias is followed (RFC 1034 section 5.3.3, step 4c);
 * inside upstream/ only.
 *
 * What the alias leads to is a question of its own, with servers, id, port and case of its
 * own; the flight stays in its place meanwhile, so that who asks the same waits with it. */
#pragma once
#include "upstream/flight.h"

/* Give an accepted answer to who waits for it, or ask for what its alias leads to. The
 * flight may be gone then. */
void chase_settle(struct flight *flight, const struct answer *answer);

/* Wait for the answer of that flight; returns how many packets may be sent for it. */
unsigned chase_join(struct chase *chase, struct flight *asked);

/* Tell the flights that follow an alias to this one's question. */
void chase_tell(struct flight *asked, const struct upstream_result *result);

/* The flight waits for nothing more. */
void chase_drop(struct flight *flight);
