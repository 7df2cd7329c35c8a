// SPDX-License-Identifier: Apache-2.0
/* watch: what one client is answered, for some minutes, because something does not work there.
 *
 * In memory alone; one client at a time; it ends by itself and is overwritten then. Shared by
 * the workers, who take its lock for that client's queries alone. */
#pragma once
#include "base/addr.h"
#include "dns/name.h"

#include <pthread.h>
#include <stdatomic.h>

enum { WATCH_ENTRIES = 512, WATCH_WORD_MAX = 32, WATCH_MOST_S = 1800 };

struct watch_entry {
    int64_t at; /* seconds since 1970 */
    struct dname name;
    uint16_t type;
    uint8_t rcode;
    bool blocked;
    char reason[WATCH_WORD_MAX];   /* of verdict.def */
    char category[WATCH_WORD_MAX]; /* "" = none */
};

struct watch {
    _Atomic bool active;
    pthread_mutex_t lock;
    struct addr client;
    int64_t until; /* seconds since 1970 */
    uint64_t next; /* number of the next entry */
    struct watch_entry entries[WATCH_ENTRIES];
};

/* NULL without memory. */
struct watch *watch_new(void);
void watch_free(struct watch *watch); /* accepts NULL */

/* From now on that client alone, until then; what was kept of another is forgotten. */
void watch_start(struct watch *watch, const struct addr *client, int64_t until);
void watch_stop(struct watch *watch);

/* Is it watched at that time? */
bool watch_sees(struct watch *watch, const struct addr *client, int64_t now);

/* Copy entries from number page->from on; how many. page->from is then the number after the
 * last. */
enum { WATCH_PAGE = 128 };
struct watch_page {
    uint64_t from;
    struct watch_entry entries[WATCH_PAGE];
};
size_t watch_read(struct watch *watch, struct watch_page *page);

/* One query more is answered. */
struct query;
void watch_note(struct watch *watch, const struct query *query);
