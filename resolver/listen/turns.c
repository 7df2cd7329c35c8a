// SPDX-License-Identifier: Apache-2.0
#include "listen/turns.h"

#include <assert.h>
#include <stddef.h>

static void rest(struct turns *turns, struct turn *turn)
{
    assert(!turn_rests(turn)); /* who rests is not read from */
    turn->next = NULL;
    turn->link = turns->last;
    *turns->last = turn;
    turns->last = &turn->next;
}

void turns_wake(struct turns *turns, struct turn *turn)
{
    if (!turn_rests(turn)) {
        return;
    }
    *turn->link = turn->next;
    if (turn->next) {
        turn->next->link = turn->link;
    } else {
        turns->last = turn->link;
    }
    turn->link = NULL;
}

static void stay_awake(uv_idle_t *awake)
{
    (void)awake;
}

/* A new turn: those who rest have theirs, though none has two, as far as it goes. */
static void on_begin(uv_prepare_t *begin)
{
    struct turns *turns = begin->data;
    turns->number++;
    turns->served = 0;
    while (turns->first && turns->first->number != turns->number && turns->served < TURN_ALL) {
        struct turn *turn = turns->first;
        turn->number = turns->number;
        turn->served = 0;
        turns_wake(turns, turn);
        turns->go_on(turn);
    }
    if (!turns->first) {
        uv_idle_stop(&turns->awake);
    }
    if (!turns->first && turns->served == 0) {
        uv_prepare_stop(begin);
    }
}

void turns_init(struct turns *turns, uv_loop_t *loop, turns_go_on go_on)
{
    *turns = (struct turns){.go_on = go_on, .last = &turns->first, .open = 2};
    uv_prepare_init(loop, &turns->begin); /* these cannot fail */
    uv_idle_init(loop, &turns->awake);
    turns->begin.data = turns->awake.data = turns;
}

bool turns_may(struct turns *turns, struct turn *turn)
{
    if (turn->number != turns->number) {
        turn->number = turns->number;
        turn->served = 0;
    }
    if (turns->unlimited || (turn->served < TURN_EACH && turns->served < TURN_ALL)) {
        return true;
    }
    rest(turns, turn);
    uv_prepare_start(&turns->begin, on_begin);
    uv_idle_start(&turns->awake, stay_awake);
    return false;
}

void turns_count(struct turns *turns, struct turn *turn)
{
    turn->served++;
    if (turns->served++ == 0 && !turns->unlimited) {
        uv_prepare_start(&turns->begin, on_begin);
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct turns *turns = handle->data;
    if (--turns->open == 0) {
        turns->on_closed(turns);
    }
}

void turns_stop(struct turns *turns, void (*on_closed)(struct turns *turns))
{
    turns->unlimited = true;
    while (turns->first) {
        struct turn *turn = turns->first;
        turns_wake(turns, turn);
        turns->go_on(turn);
    }
    turns->on_closed = on_closed;
    uv_close((uv_handle_t *)&turns->begin, on_handle_closed);
    uv_close((uv_handle_t *)&turns->awake, on_handle_closed);
}
