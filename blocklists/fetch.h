// SPDX-License-Identifier: Apache-2.0
/* fetch: one source from its URL into a file, bounded in size and time.
 *
 * https:// with certificates checked, http:// only when the source says insecure or has
 * a key to verify with, file:// read as a plain file. A redirect never leads to a file
 * nor from https to http. Every address that is connected to must be public, unless the
 * source allows private ones or a proxy connects. Bytes are counted here: the server's
 * word on lengths is not trusted. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "config/config.h"

enum { FETCH_TAG_MAX = 256 };

struct fetch_request {
    const struct config *config; /* its lists.proxy, file_folder and timeout_s */
    const struct config_source *source;
    const char *url;           /* of the source, or of its signature */
    const char *etag;          /* of the last good copy, or "" */
    const char *last_modified; /* likewise */
    int fd;                    /* where the body goes, an empty file */
    uint64_t max_bytes;        /* 0: as much as fetch allows */
    const char *limit_reason;  /* said when max_bytes is not enough; NULL: its number */
    void (*on_bytes)(void *arg, uint64_t bytes); /* or NULL */
    void *arg;
};

struct fetch_result {
    bool unchanged;        /* 304, or the file's time and size are as in last_modified */
    uint64_t bytes;        /* received */
    int64_t retry_after_s; /* the server wants to be left alone that long, 0 = no word */
    char etag[FETCH_TAG_MAX];
    char last_modified[FETCH_TAG_MAX];
};

/* Once per process, before fetch_source(). */
__attribute__((warn_unused_result)) int fetch_init(void);

/* -ENOTSUP (URL, no plain file), -EFBIG, -ETIMEDOUT, -EACCES (certificate, address, redirect, folder),
 * -ENOENT (404 and the like), -EIO; *diag says it in words, without the server's. */
__attribute__((warn_unused_result)) int fetch_source(const struct fetch_request *request,
                                                     struct fetch_result *ret_result,
                                                     struct diag *diag);
