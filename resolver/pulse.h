// SPDX-License-Identifier: Apache-2.0
/* pulse: are the workers' loops still turning? Asked once a second by the main loop,
 * which tells the service manager's watchdog only while all of them answer. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct daemon;

enum {
    PULSE_MS = 1000,
    PULSE_WORKERS_MAX = 64,
    PULSE_MISSED_MAX = 3,  /* beats that a worker may miss before it counts as stuck */
    PULSE_SHED_TOLD_S = 60 /* how long `status` tells that queries were dropped */
};

/* What is known of the workers. */
struct pulse {
    uint32_t beats[PULSE_WORKERS_MAX];
    uint8_t missed[PULSE_WORKERS_MAX];
    uint64_t shed, shed_at_us; /* queries dropped for want of time or room, and when */
};

/* One turn: look who answered the last time, ask again. */
void pulse_beat(struct daemon *daemon);

/* How many workers are stuck; whether queries were shed in the last minute. */
unsigned pulse_stuck(const struct daemon *daemon);
bool pulse_has_shed(const struct daemon *daemon);

/* What WATCHDOG_USEC wishes, in milliseconds between two turns: at most PULSE_MS, so
 * that the manager hears at least twice in its time. */
unsigned pulse_interval_ms(void);
