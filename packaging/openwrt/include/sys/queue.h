// SPDX-License-Identifier: Apache-2.0
/* queue.h: for C libraries without BSD's (musl): the lists that greengate uses, under the
 * names that BSD gave them. The Makefile takes this file where the system has none. */
#pragma once

/* A list that is entered at its head. `link` points at what points here. */
#define LIST_HEAD(name, type)                                                                      \
    struct name {                                                                                  \
        struct type *lh_first;                                                                     \
    }
#define LIST_ENTRY(type)                                                                           \
    struct {                                                                                       \
        struct type *le_next, **le_link;                                                           \
    }
#define LIST_INIT(head)       ((head)->lh_first = NULL)
#define LIST_FIRST(head)      ((head)->lh_first)
#define LIST_EMPTY(head)      (!(head)->lh_first)
#define LIST_NEXT(one, field) ((one)->field.le_next)
#define LIST_FOREACH(one, head, field)                                                             \
    for ((one) = LIST_FIRST(head); (one); (one) = LIST_NEXT(one, field))
#define LIST_INSERT_HEAD(head, one, field)                                                         \
    do {                                                                                           \
        (one)->field.le_next = (head)->lh_first;                                                   \
        (one)->field.le_link = &(head)->lh_first;                                                  \
        if ((head)->lh_first) {                                                                    \
            (head)->lh_first->field.le_link = &(one)->field.le_next;                               \
        }                                                                                          \
        (head)->lh_first = (one);                                                                  \
    } while (0)
#define LIST_REMOVE(one, field)                                                                    \
    do {                                                                                           \
        if ((one)->field.le_next) {                                                                \
            (one)->field.le_next->field.le_link = (one)->field.le_link;                            \
        }                                                                                          \
        *(one)->field.le_link = (one)->field.le_next;                                              \
    } while (0)

/* A list with an end. */
#define TAILQ_HEAD(name, type)                                                                     \
    struct name {                                                                                  \
        struct type *tqh_first, **tqh_end;                                                         \
    }
#define TAILQ_ENTRY(type)                                                                          \
    struct {                                                                                       \
        struct type *tqe_next, **tqe_link;                                                         \
    }
#define TAILQ_INIT(head)                                                                           \
    do {                                                                                           \
        (head)->tqh_first = NULL;                                                                  \
        (head)->tqh_end = &(head)->tqh_first;                                                      \
    } while (0)
#define TAILQ_FIRST(head)      ((head)->tqh_first)
#define TAILQ_EMPTY(head)      (!(head)->tqh_first)
#define TAILQ_NEXT(one, field) ((one)->field.tqe_next)
#define TAILQ_FOREACH(one, head, field)                                                            \
    for ((one) = TAILQ_FIRST(head); (one); (one) = TAILQ_NEXT(one, field))
#define TAILQ_INSERT_TAIL(head, one, field)                                                        \
    do {                                                                                           \
        (one)->field.tqe_next = NULL;                                                              \
        (one)->field.tqe_link = (head)->tqh_end;                                                   \
        *(head)->tqh_end = (one);                                                                  \
        (head)->tqh_end = &(one)->field.tqe_next;                                                  \
    } while (0)
#define TAILQ_REMOVE(head, one, field)                                                             \
    do {                                                                                           \
        if ((one)->field.tqe_next) {                                                               \
            (one)->field.tqe_next->field.tqe_link = (one)->field.tqe_link;                         \
        } else {                                                                                   \
            (head)->tqh_end = (one)->field.tqe_link;                                               \
        }                                                                                          \
        *(one)->field.tqe_link = (one)->field.tqe_next;                                            \
    } while (0)
