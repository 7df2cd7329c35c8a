// SPDX-License-Identifier: Apache-2.0
/* clock: the only source of time, so that tests can give their own.
 *
 * Durations are counted on the monotonic clock; the wall clock is for schedules,
 * statistics and the age of lists. */
#pragma once
#include <stdint.h>

struct clock {
    int64_t (*wall_s)(const struct clock *clock);   /* seconds since 1970, UTC */
    uint64_t (*mono_us)(const struct clock *clock); /* never goes back */
};

/* The system's clocks. */
extern const struct clock clock_system;

static inline int64_t clock_wall_s(const struct clock *clock)
{
    return clock->wall_s(clock);
}

static inline uint64_t clock_mono_us(const struct clock *clock)
{
    return clock->mono_us(clock);
}
