// SPDX-License-Identifier: Apache-2.0
#include "pulse.h"

#include "base/notify.h"
#include "daemon.h"

unsigned pulse_interval_ms(void)
{
    return notify_interval_ms(PULSE_MS);
}

/* Queries that nobody would have had to drop with more time or room. */
static uint64_t count_shed(const struct daemon *daemon)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < daemon->worker_count; i++) {
        const struct query_worker *worker = worker_query(daemon->workers[i]);
        sum += worker->drops[DROP_WAITING_FULL] + worker->drops[DROP_OVERLOAD] +
               worker->drops[DROP_NO_SOCKET];
    }
    return sum;
}

void pulse_beat(struct daemon *daemon)
{
    struct pulse *pulse = &daemon->pulse;
    bool alive = true;
    for (unsigned i = 0; i < daemon->worker_count; i++) {
        struct worker *worker = daemon->workers[i];
        uint32_t beats = worker_beats(worker);
        bool answered = beats != pulse->beats[i] || worker_has_ended(worker);
        pulse->missed[i] = answered ? 0 : pulse->missed[i] + (pulse->missed[i] < UINT8_MAX);
        pulse->beats[i] = beats;
        alive &= pulse->missed[i] <= PULSE_MISSED_MAX;
        worker_ping(worker);
    }
    uint64_t shed = count_shed(daemon);
    if (shed != pulse->shed) {
        pulse->shed = shed;
        pulse->shed_at_us = clock_mono_us(daemon->clock);
    }
    if (alive && notify_is_watched()) {
        notify_send("WATCHDOG=1");
    }
}

unsigned pulse_stuck(const struct daemon *daemon)
{
    unsigned stuck = 0;
    for (unsigned i = 0; i < daemon->worker_count; i++) {
        stuck += daemon->pulse.missed[i] > PULSE_MISSED_MAX;
    }
    return stuck;
}

bool pulse_has_shed(const struct daemon *daemon)
{
    uint64_t at_us = daemon->pulse.shed_at_us;
    return at_us && clock_mono_us(daemon->clock) - at_us < PULSE_SHED_TOLD_S * 1000000ULL;
}
