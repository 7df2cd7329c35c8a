// SPDX-License-Identifier: Apache-2.0
/* fetch: one source from its URL into a file, bounded in size and time.
 *
 * https:// with certificates checked, http:// only when the source says insecure,
 * file:// read as a plain file. A redirect never leads to a file nor from https to
 * http. Bytes are counted here: the server's word on lengths is not trusted. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"

enum { FETCH_TAG_MAX = 256 };

struct fetch_request {
    const char *url;
    bool insecure;
    const char *etag;                            /* of the last good copy, or "" */
    const char *last_modified;                   /* likewise */
    int fd;                                      /* where the body goes, an empty file */
    void (*on_bytes)(void *arg, uint64_t bytes); /* or NULL */
    void *arg;
};

struct fetch_result {
    bool unchanged; /* 304, or the file's time and size are as in last_modified */
    uint64_t bytes; /* received */
    char etag[FETCH_TAG_MAX];
    char last_modified[FETCH_TAG_MAX];
};

/* Once per process, before fetch_source(). */
__attribute__((warn_unused_result)) int fetch_init(void);

/* -EINVAL (URL), -EFBIG, -ETIMEDOUT, -ECONNREFUSED, -EACCES (certificate), -ENOENT
 * (404 and the like), -EIO; *diag says it in words, without the server's. */
__attribute__((warn_unused_result)) int fetch_source(const struct fetch_request *request,
                                                     struct fetch_result *ret_result,
                                                     struct diag *diag);
