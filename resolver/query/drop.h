// SPDX-License-Identifier: Apache-2.0
/* drop: why queries get no answer, or not the one they would have. */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

/* DROP(NAME, word)
 * connection: a TCP connection that there was no place for, or that gave way;
 * rate: over dns.rate_limit_qps, silence; slipped: the same, but told to come over TCP
 * or with a cookie, or refused; policy: a list wants silence; no-socket: no room, socket or
 * memory to ask an upstream, so SERVFAIL or an expired answer. */
#define QUERY_DROP_ALL(DROP)                                                                       \
    DROP(MALFORMED, "malformed")                                                                   \
    DROP(STRANGER, "stranger")                                                                     \
    DROP(WAITING_FULL, "waiting-full")                                                             \
    DROP(WAITING_CLIENT, "waiting-client")                                                         \
    DROP(OVERLOAD, "overload")                                                                     \
    DROP(SEND, "send")                                                                             \
    DROP(CONNECTION, "connection")                                                                 \
    DROP(RATE, "rate")                                                                             \
    DROP(SLIPPED, "slipped")                                                                       \
    DROP(POLICY, "policy")                                                                         \
    DROP(NO_SOCKET, "no-socket")

#define DROP(name, word) DROP_##name,
enum query_drop { QUERY_DROP_ALL(DROP) QUERY_DROPS };
#undef DROP
extern const char *const query_drop_words[QUERY_DROPS];

typedef _Atomic uint64_t query_drops[QUERY_DROPS];

/* One writer: a plain addition that other threads may read at any time. */
static inline void query_count_drop(query_drops drops, enum query_drop drop)
{
    uint64_t now = atomic_load_explicit(&drops[drop], memory_order_relaxed);
    atomic_store_explicit(&drops[drop], now + 1, memory_order_relaxed);
}
