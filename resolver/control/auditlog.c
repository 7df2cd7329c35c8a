// SPDX-License-Identifier: Apache-2.0
/* The newest lines of the audit log, for an admin's page. `greengate audit verify` judges them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/commands.h"
#include "policy/snapshot.h"
#include "store/audit.h"

enum { LINES = 200, OFFSET_MAX = 1000000 };

/* The last lines but `offset`, in a ring. */
struct tail {
    char *lines[LINES];
    bool good[LINES];
    size_t count, capacity; /* seen; that are wanted of them, from the first on */
    unsigned bad;
};

static void count_line(void *context, const struct audit_line *line)
{
    struct tail *tail = context;
    tail->capacity++;
    tail->bad += line->state != AUDIT_GOOD;
}

static void keep_line(void *context, const struct audit_line *line)
{
    struct tail *tail = context;
    if (tail->count < tail->capacity) {
        size_t place = tail->count % LINES;
        free(tail->lines[place]);
        tail->lines[place] = strdup(line->text);
        tail->good[place] = line->state == AUDIT_GOOD;
    }
    tail->count++;
}

static void add_entries(cJSON *reply, const struct tail *tail)
{
    cJSON *entries = cJSON_AddArrayToObject(reply, "entries");
    size_t end = tail->count < tail->capacity ? tail->count : tail->capacity;
    for (size_t left = end; left > 0 && left + LINES > end; left--) {
        const char *line = tail->lines[(left - 1) % LINES];
        cJSON *entry = line ? cJSON_Parse(line) : NULL;
        if (cJSON_IsObject(entry)) {
            cJSON_DeleteItemFromObjectCaseSensitive(entry, "hash");
            cJSON_DeleteItemFromObjectCaseSensitive(entry, "previous");
            cJSON_AddBoolToObject(entry, "good", tail->good[(left - 1) % LINES]);
            cJSON_AddItemToArray(entries, entry);
        } else {
            cJSON_Delete(entry);
        }
    }
}

int control_do_audit(struct control_call *call)
{
    char path[4096];
    struct tail tail = {0};
    int64_t offset = 0;
    const struct snapshot *snapshot = call->backend->snapshot(call->backend->owner);
    if (!snapshot) {
        return diag_set(call->diag, CONTROL_FAILED, "not ready yet");
    }
    if (control_number(call, "offset", OFFSET_MAX, &offset) == -EINVAL) {
        return diag_set(call->diag, CONTROL_USAGE, "offset: how many of the newest to skip");
    }
    snprintf(path, sizeof(path), "%s/audit.log", snapshot->config->server.state_dir);
    int err = audit_walk(path, count_line, &tail, call->diag);
    size_t all = tail.capacity;
    tail.capacity = all > (size_t)offset ? all - (size_t)offset : 0;
    if (err == 0) {
        err = audit_walk(path, keep_line, &tail, call->diag);
    }
    if (err == 0 || err == -ENOENT) {
        add_entries(call->reply, &tail);
        cJSON_AddNumberToObject(call->reply, "count", (double)all);
        cJSON_AddNumberToObject(call->reply, "broken", tail.bad);
    }
    for (size_t i = 0; i < LINES; i++) {
        free(tail.lines[i]);
    }
    return err == 0 || err == -ENOENT ? CONTROL_DONE : CONTROL_FAILED;
}
