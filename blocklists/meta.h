// SPDX-License-Identifier: Apache-2.0
/* meta: what is kept about a source beside its last good copy, as JSON.
 *
 * state_dir/sources/ID.json; the copy is ID.zst. */
#pragma once
#include <cjson/cJSON.h>

#include "blocklists/fetch.h"
#include "blocklists/report.h"

enum { META_URL_MAX = 2048 };

struct source_meta {
    char url[META_URL_MAX]; /* was asked; the copy, if any, came from there */
    char etag[FETCH_TAG_MAX];
    char last_modified[FETCH_TAG_MAX];
    char signed_by[64];      /* the public_key that vouched for the copy, or "" */
    char signature[96];      /* the last line of the signature file that did */
    int64_t serial;          /* of the newest signature accepted; 0 = none said */
    int64_t expires;         /* by its signature; 0 = never */
    int64_t fetched_at;      /* of the copy */
    int64_t checked_at;      /* last time the source was asked and answered */
    int64_t tried_at;        /* last time it was asked */
    int64_t failing_since;   /* 0: the last try was good */
    int64_t failures;        /* in a row */
    int64_t retry_at;        /* while it fails: not asked by the schedule before that */
    uint64_t previous_names; /* of the copy before */
    unsigned previous_yield;
    struct source_report report; /* of the copy; its error is that of the last try */
};

/* -ENOENT, -EBADMSG; *ret_meta is zeroed on failure. */
__attribute__((warn_unused_result)) int meta_load(const char *path, struct source_meta *ret_meta);

/* By way of a temporary file. */
__attribute__((warn_unused_result)) int meta_save(const char *path, const struct source_meta *meta);

/* As kept in the file and printed by `lists show ID --json`; NULL without memory. */
cJSON *meta_json(const struct source_meta *meta);
