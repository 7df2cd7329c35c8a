// SPDX-License-Identifier: Apache-2.0
#include "upstream/chase.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* A flight that waits for the answer of another; owned by the first. */
struct chase {
    struct chase *next; /* of those that wait for the same */
    struct flight *flight;
    struct flight *asked; /* NULL once it is told */
    unsigned sent;        /* packets of that flight before */
    struct answer first;  /* what the flight has by now */
    uint8_t wire[];
};

static void finish(struct flight *flight, int err)
{
    const struct upstream_result result = {.err = err};
    flight_finish(flight, &result);
}

static void on_deadline(uv_timer_t *timer)
{
    finish(timer->data, -ETIMEDOUT);
}

static struct chase *new_chase(struct flight *flight, const struct answer *answer)
{
    struct chase *chase = malloc(sizeof(*chase) + answer->len);
    if (chase) {
        *chase = (struct chase){.flight = flight, .first = *answer};
        memcpy(chase->wire, answer->wire, answer->len);
        chase->first.wire = chase->wire;
    }
    return chase;
}

/* Ask for the last name of an open answer. When this returns 0 it may be over already. */
static int follow(struct flight *flight, const struct answer *answer)
{
    struct upstream *upstream = flight->upstream;
    uint64_t now_us = clock_mono_us(upstream->setup.clock);
    struct ask ask = flight->ask;
    size_t at = answer->last;
    ask.plain = false;
    if (flight->packets >= UPSTREAM_PACKETS_MAX ||
        dname_read(answer->wire, answer->len, &at, &ask.name) < 0) {
        return -EREMOTEIO;
    }
    if (now_us >= flight->deadline_us) {
        return -ETIMEDOUT;
    }
    flight->chase = new_chase(flight, answer);
    if (!flight->chase) {
        return -ENOMEM;
    }
    uv_timer_start(&flight->timer, on_deadline, (flight->deadline_us - now_us) / 1000, 0);
    return upstream_follow(upstream, &ask, flight->chase);
}

/* An answer that aliases led to is followed as far as it goes; one that has too many of
 * them in itself is passed on as it is. */
static bool leads_on(const struct flight *flight, const struct answer *answer)
{
    return answer->open && !flight->probe && join_follows(flight->ask.type) &&
           (flight->aliased || answer->links <= JOIN_LINKS_MAX);
}

void chase_settle(struct flight *flight, const struct answer *answer)
{
    struct upstream *upstream = flight->upstream;
    const struct upstream_result result = {.answer = answer};
    if (!leads_on(flight, answer)) {
        if (!flight->probe) {
            upstream->setup.arrived(upstream->setup.context, &flight->ask, answer);
        }
        flight_finish(flight, &result);
        return;
    }
    flight->aliased = true;
    flight_end_attempts(flight);
    chase_tell(flight, &result);
    int err = flight->waiters ? follow(flight, answer) : -ECANCELED; /* then nobody hears it */
    if (err < 0) {
        finish(flight, err);
    }
}

unsigned chase_join(struct chase *chase, struct flight *asked)
{
    chase->asked = asked;
    chase->sent = asked->packets;
    chase->next = asked->followers;
    asked->followers = chase;
    return asked->packets + UPSTREAM_PACKETS_MAX - chase->flight->packets;
}

/* What the alias leads to is known, or is not to be had. */
static void take(struct chase *chase, const struct upstream_result *result)
{
    struct flight *flight = chase->flight;
    struct answer answer;
    flight->packets += chase->asked->packets - chase->sent;
    chase->asked = NULL;
    if (result->err < 0) {
        finish(flight, result->err);
        return;
    }
    const struct join_source source = {&flight->ask, &chase->first, result->answer,
                                       flight->upstream->limits};
    assert(!flight->followers); /* told when the alias came: `joined` is for one alone */
    int err = join_answers(&source, &flight->upstream->joined, &answer);
    chase_drop(flight);
    if (err < 0) {
        finish(flight, -EREMOTEIO);
    } else {
        chase_settle(flight, &answer);
    }
}

void chase_tell(struct flight *asked, const struct upstream_result *result)
{
    while (asked->followers) {
        struct chase *chase = asked->followers;
        asked->followers = chase->next;
        take(chase, result);
    }
}

void chase_drop(struct flight *flight)
{
    struct chase *chase = flight->chase;
    flight->chase = NULL;
    if (chase && chase->asked) {
        struct chase **at = &chase->asked->followers;
        while (*at != chase) {
            at = &(*at)->next;
        }
        *at = chase->next;
    }
    free(chase);
}
