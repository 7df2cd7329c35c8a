// SPDX-License-Identifier: Apache-2.0
/* reviews: what people ask to be looked at again, in state_dir/requests.db (SQLite).
 *
 * A review is a name that is blocked for a group, and perhaps some words; never who asked,
 * nor the hour. All who ask for the same name and group share one review and its code, by
 * which the answer can be looked up. One writer: the daemon's main thread. */
#pragma once
#include "base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    REVIEW_CODE_LEN = 8,
    REVIEW_TEXT_MAX = 500, /* characters of what one person wrote */
    REVIEW_TEXT_OCTETS = REVIEW_TEXT_MAX * 4 + 1,
    REVIEW_TEXTS_MAX = 5,      /* kept of one review */
    REVIEW_ANSWER_MAX = 600,   /* octets of the word back, the last a 0 */
    REVIEWS_WAITING_MAX = 500, /* then no new ones are taken */
    REVIEW_KEEP_DAYS = 120,    /* since it was answered, or last asked for */
};

enum review_state { REVIEW_WAITING, REVIEW_APPROVED, REVIEW_DENIED };

struct review {
    char code[REVIEW_CODE_LEN + 1]; /* digits and capitals without I, L, O and U */
    char name[256];                 /* the name, as host of an URL */
    char group[64];
    char category[64]; /* id, "" = none */
    char reason[32];   /* of verdict.def */
    enum review_state state;
    unsigned times;              /* how often it was asked for */
    int64_t first_day, last_day; /* days since 1970, UTC */
    int64_t answered_day;        /* 0: not yet */
    int64_t until;               /* of REVIEW_APPROVED: seconds since 1970, 0 = for good */
    char answer[REVIEW_ANSWER_MAX];
};

struct reviews;

/* Nothing is opened yet. -ENOMEM. */
__attribute__((warn_unused_result)) int reviews_open(const char *path,
                                                     struct reviews **ret_reviews);
void reviews_close(struct reviews *reviews); /* accepts NULL */

/* May a client, an address or network of len octets, ask now? Counts it: REVIEWS_HOURLY of one
 * and REVIEWS_HOURLY_ALL of all, as keyed hashes in memory alone, forgotten with the hour. */
enum { REVIEWS_HOURLY = 5, REVIEWS_HOURLY_ALL = 100 };
bool reviews_admit(struct reviews *reviews, const void *client, size_t len, int64_t now);

/* Ask for review->name, group, category and reason on the day review->last_day, with perhaps a
 * text. The one that waits already for the same name and group is counted up. review->code is
 * set. -ENOSPC: too many wait; else negative errno with *diag. */
__attribute__((warn_unused_result)) int reviews_add(struct reviews *reviews, struct review *review,
                                                    const char *text, struct diag *diag);

/* -ENOENT: no such code. Small letters, and O, I and L for 0 and 1, are taken. */
__attribute__((warn_unused_result)) int reviews_find(struct reviews *reviews, const char *code,
                                                     struct review *ret_review, struct diag *diag);

/* Who looks at requests, the newest first: those that wait, or all. */
struct review_visitor {
    bool all;
    void (*visit)(void *context, const struct review *review,
                  const char *const texts[REVIEW_TEXTS_MAX + 1]); /* a NULL ends them */
    void *context;
};
__attribute__((warn_unused_result)) int
reviews_walk(struct reviews *reviews, const struct review_visitor *visitor, struct diag *diag);

/* Write review->state, until and answer of the code. */
__attribute__((warn_unused_result)) int reviews_answer(struct reviews *reviews,
                                                       const struct review *review, int64_t now,
                                                       struct diag *diag);

/* Delete those that are too old; to be called once a day. */
__attribute__((warn_unused_result)) int reviews_expire(struct reviews *reviews, int64_t now,
                                                       struct diag *diag);

/* How many wait; 0 without a file or for NULL. Negative errno with *diag. */
__attribute__((warn_unused_result)) int reviews_waiting(struct reviews *reviews, struct diag *diag);
