// SPDX-License-Identifier: Apache-2.0
/* turns: how much of a loop's turn the connections of a room take, each and together.
 *
 * Those who have had their share rest; they go on in the loop's next turns, who has
 * rested longest first. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum {
    TURN_EACH = 16, /* queries of a connection until others have their turn, */
    TURN_ALL = 256, /* and of all of them until UDP has its turn */
};

struct turns;

/* Of one connection; zero at first but for its owner. */
struct turn {
    void *owner;
    struct turn *next, **link; /* while it rests; link: NULL when it does not */
    uint64_t number;           /* the turn in which it was served last, */
    unsigned served;           /* and how often */
};

/* Called for one who rests no more. */
typedef void (*turns_go_on)(struct turn *turn);

struct turns {
    void *owner;
    uv_prepare_t begin; /* active when a turn was used or some rest */
    uv_idle_t awake;    /* active while some rest, so that the loop does not sleep */
    turns_go_on go_on;
    void (*on_closed)(struct turns *turns);
    struct turn *first, **last; /* who rests */
    uint64_t number;
    unsigned served; /* in this turn */
    unsigned open;   /* handles */
    bool unlimited;
};

void turns_init(struct turns *turns, uv_loop_t *loop, turns_go_on go_on);

/* May it be served one query more? If not, it rests. */
bool turns_may(struct turns *turns, struct turn *turn);

/* A query of it was served. */
void turns_count(struct turns *turns, struct turn *turn);

/* It rests no more, if it did. */
void turns_wake(struct turns *turns, struct turn *turn);

static inline bool turn_rests(const struct turn *turn)
{
    return turn->link != NULL;
}

/* All who rest go on, and there are no limits any more. The memory may go when
 * `on_closed` is called. */
void turns_stop(struct turns *turns, void (*on_closed)(struct turns *turns));
