// SPDX-License-Identifier: Apache-2.0
/* audit: the log of what people changed: hash-chained lines in state_dir/audit.log.
 *
 * A line is one JSON object whose last member is "hash": the SHA-256 of the octets of the
 * line before ,"hash". "previous" is the hash of the line before, so that a line that is
 * changed or taken out breaks the chain at that place. Full files become audit.log.1 and so
 * on, up to AUDIT_FILES; the chain goes on from file to file. */
#pragma once
#include "base/diag.h"

#include <stdbool.h>
#include <stdint.h>

enum { AUDIT_HASH_TEXT = 65, AUDIT_LINE_MAX = 8192, AUDIT_DETAILS_MAX = 6000, AUDIT_FILES = 9 };
enum { AUDIT_FILE_OCTETS = 1 << 20 };

struct audit_log;

/* Nothing is opened yet. -ENOMEM. */
__attribute__((warn_unused_result)) int audit_open(const char *path, struct audit_log **ret_log);
void audit_close(struct audit_log *log); /* accepts NULL */

struct audit_entry {
    int64_t at;          /* seconds since 1970 */
    int64_t uid;         /* of whoever asked for it, -1: nobody did, a signal for example */
    const char *command; /* a word */
    const char *details; /* a JSON object; too long a one is left out, and the line says so */
};

/* Append a line behind the last one that is whole, and have it written to the disk; the file
 * is locked meanwhile. A line that was cut short, by a crash or a full disk, is taken off, and
 * the new line says so. On failure the change has been made all
 * the same: the next line tells how many are missing. NULL is allowed: nothing happens. */
__attribute__((warn_unused_result)) int audit_add(struct audit_log *log,
                                                  const struct audit_entry *entry);

/* Why lines cannot be written, "" = they can. NULL is allowed. */
const char *audit_trouble(const struct audit_log *log);

enum audit_state {
    AUDIT_GOOD,
    AUDIT_CHANGED,  /* its own hash does not fit */
    AUDIT_UNLINKED, /* lines before it are missing or were changed */
    AUDIT_CUT,      /* no line feed: it was cut short */
};

struct audit_line {
    const char *file;
    unsigned number; /* in the file, from 1 */
    const char *text;
    enum audit_state state;
    char hash[AUDIT_HASH_TEXT]; /* of AUDIT_GOOD and AUDIT_UNLINKED */
};

/* Every line of all files, oldest first. -ENOENT: there is no log; -EACCES ... with *diag. */
typedef void (*audit_visit)(void *context, const struct audit_line *line);
__attribute__((warn_unused_result)) int audit_walk(const char *path, audit_visit visit,
                                                   void *context, struct diag *diag);
