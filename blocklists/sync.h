// SPDX-License-Identifier: Apache-2.0
/* sync: from the configured sources to the database in force.
 *
 * fetch, pack, count, compile, gate, install: each step leaves the old state whole
 * until the last rename. A source that fails keeps its last good copy. */
#pragma once
#include "blocklists/gate.h"
#include "blocklists/meta.h"
#include "blocklists/newly.h"
#include "blocklists/popular.h"
#include "config/config.h"

enum sync_status {
    SYNC_KEPT,      /* not due or not asked for: its copy is used */
    SYNC_UPDATED,   /* a new copy is in force */
    SYNC_UNCHANGED, /* the source has nothing new */
    SYNC_FAILED,    /* see meta.report.error_text; the old copy is used, if any */
    SYNC_HELD,      /* the new copy was refused by the gate; likewise */
};

struct sync_source {
    const struct config_source *config;
    struct source_meta meta;  /* of the copy in use; its error is that of this run */
    struct source_meta fresh; /* of the new copy, while it is judged */
    struct text_list folders; /* of the UT1 archive that belong to its category */
    enum sync_status status;
    bool has_copy;           /* a last good copy from this URL exists */
    bool has_fresh;          /* a new copy waits to be accepted */
    bool excluded;           /* held by the gate without another copy */
    bool unverified;         /* what came is no list, or was refused */
    bool used;               /* stands in the compiled database */
    unsigned protected_hits; /* protected names that it blocks */
    struct popular_source popular;
    int64_t retry_after_s; /* as the server asked for, 0 = it did not */
};

/* A protected name that a list blocks; the verdict allows it all the same. */
struct sync_hit {
    char list[80];
    char name[256], entry[256];
    bool popular;  /* one of the best-known names; else a protected one */
    uint64_t line; /* of the entry in the list, 0 = not found */
    char text[160];
};

struct sync_result {
    struct sync_source *sources;
    size_t count;
    size_t tried;      /* fetched, well or not */
    size_t bad;        /* failed or held */
    size_t unverified; /* of the bad: came, and was no list or refused */
    struct sync_hit *hits;
    size_t hit_count;
    bool current;        /* nothing was due: not even compiled */
    unsigned pinned;     /* a rollback keeps this generation: nothing was asked; 0 = none */
    bool installed;      /* a new generation is in force */
    unsigned generation; /* in force after the run, 0 = none */
    struct difference *difference; /* of a dry run against what is in force, or NULL */
    struct newly_set newly;        /* likewise */
    uint64_t names;                /* of the compiled database */
};

struct sync_event {
    const char *source; /* id, or NULL: all together */
    const char
        *phase; /* "fetching", "fetched", "counting", "reading", "sorting", "writing", "checking" */
    uint64_t bytes, names;
    const struct sync_source *ended; /* it was asked and judged, "fetched"; else NULL */
};

struct sync_options {
    const struct config *config;
    const char *const *ids; /* only these are fetched; none = all */
    size_t id_count;
    bool force;   /* fetch although not due, unchanged or pinned, and accept a changed size */
    bool dry_run; /* judge, but keep nothing */
    bool if_due;  /* fetch only what schedule.h says is due */
    int64_t now;
    uint64_t salt;                                               /* schedule_salt() */
    void (*on_event)(void *arg, const struct sync_event *event); /* or NULL */
    void *arg;
};

/* 0, also when some sources failed (ret_result->bad). -EBUSY: another update runs;
 * -EINVAL: unknown id; -ENODATA: no source could be used, nothing was changed; or an
 * error of the disk or the compiler. With *diag. *ret_result is filled in any case. */
__attribute__((warn_unused_result)) int sync_run(const struct sync_options *options,
                                                 struct sync_result *ret_result, struct diag *diag);
void sync_clear(struct sync_result *result);

const char *sync_status_word(enum sync_status status);

/* Hold the update lock of a state folder: a file descriptor to close, -EBUSY. */
__attribute__((warn_unused_result)) int sync_lock(const char *state_dir, struct diag *diag);
