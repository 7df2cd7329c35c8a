// SPDX-License-Identifier: Apache-2.0
/* asker: who asks, by address, by what a trusted forwarder tells, or by a DoT client's id. */
#pragma once
#include "query/query.h"

uint16_t asker_group(const struct query *query);

/* Remember that somebody of that address or MAC asked at all, see query/presence.h. */
void asker_note(const struct query *query);
