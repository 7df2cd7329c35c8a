// SPDX-License-Identifier: Apache-2.0
/* textstore: the lists as they were compiled, kept with each generation.
 *
 * generations/NNNNNN.lists/ID.zst is a link to sources/ID.zst: no time at compiling, no
 * room on the disk while a list stays the same. Read by the CLI alone. */
#pragma once
#include <stddef.h>

#include "blocklists/blockdb.h"
#include "blocklists/build.h"

/* Where to look. */
struct textstore {
    const char *state_dir;
    const char *data_dir;        /* of the starter list */
    unsigned generation;         /* 0: none, the starter list is in force */
    const struct config *config; /* which folders of an archive a source takes; or NULL */
    struct text_list folders;    /* of the text that was opened last */
};

/* Free what the last textstore_open() left. */
void textstore_clear(struct textstore *store);

/* Keep the copies that the database of that generation was compiled from, as far as they
 * are still there; texts that are kept already stay. Negative errno. */
__attribute__((warn_unused_result)) int textstore_keep(const struct textstore *store);

/* Remove what belongs to no generation any more. */
void textstore_prune(const char *state_dir);

/* The text of a source of a database of that generation, for build_source: fd (the
 * caller's to close), format, match and folders, until the next call. -ENOENT when it is not kept, -EACCES. */
__attribute__((warn_unused_result)) int textstore_open(struct textstore *store,
                                                       const struct blockdb_source *source,
                                                       struct build_source *ret_source);
