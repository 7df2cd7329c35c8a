// SPDX-License-Identifier: Apache-2.0
#include "query/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/query.h"

struct watch *watch_new(void)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    if (watch && pthread_mutex_init(&watch->lock, NULL) != 0) {
        free(watch);
        watch = NULL;
    }
    return watch;
}

void watch_free(struct watch *watch)
{
    if (watch) {
        pthread_mutex_destroy(&watch->lock);
        free(watch);
    }
}

void watch_start(struct watch *watch, const struct addr *client, int64_t until)
{
    pthread_mutex_lock(&watch->lock);
    memset(watch->entries, 0, sizeof(watch->entries));
    watch->next = 0;
    watch->client = *client;
    watch->until = until;
    pthread_mutex_unlock(&watch->lock);
    atomic_store(&watch->active, true);
}

void watch_stop(struct watch *watch)
{
    atomic_store(&watch->active, false);
    pthread_mutex_lock(&watch->lock);
    memset(watch->entries, 0, sizeof(watch->entries));
    watch->client = (struct addr){0};
    watch->until = 0;
    watch->next = 0;
    pthread_mutex_unlock(&watch->lock);
}

bool watch_sees(struct watch *watch, const struct addr *client, int64_t now)
{
    if (!atomic_load(&watch->active)) {
        return false;
    }
    pthread_mutex_lock(&watch->lock);
    bool sees = now < watch->until && addr_equal(client, &watch->client);
    pthread_mutex_unlock(&watch->lock);
    return sees;
}

size_t watch_read(struct watch *watch, struct watch_page *page)
{
    size_t count = 0;
    pthread_mutex_lock(&watch->lock);
    if (watch->next > WATCH_ENTRIES && page->from < watch->next - WATCH_ENTRIES) {
        page->from = watch->next - WATCH_ENTRIES; /* what is older was overwritten */
    }
    for (; page->from < watch->next && count < WATCH_PAGE; page->from++) {
        page->entries[count++] = watch->entries[page->from % WATCH_ENTRIES];
    }
    pthread_mutex_unlock(&watch->lock);
    return count;
}

void watch_note(struct watch *watch, const struct query *query)
{
    const struct snapshot *snapshot = query->worker->snapshot;
    const struct verdict *verdict = &query->verdict;
    int64_t now = clock_wall_s(query->worker->clock);
    pthread_mutex_lock(&watch->lock);
    if (now >= watch->until) {
        atomic_store(&watch->active, false);
    } else if (query->outcome == QUESTION_OK && addr_equal(&query->client, &watch->client)) {
        struct watch_entry *entry = &watch->entries[watch->next++ % WATCH_ENTRIES];
        *entry = (struct watch_entry){.at = now,
                                      .name = query->question.name,
                                      .type = query->question.type,
                                      .rcode = query->rcode,
                                      .blocked = verdict->blocked};
        snprintf(entry->reason, sizeof(entry->reason), "%s", reason_word(verdict->reason));
        if (verdict->category) {
            snprintf(entry->category, sizeof(entry->category), "%.31s",
                     snapshot->categories[verdict->category].id);
        }
    }
    pthread_mutex_unlock(&watch->lock);
}
