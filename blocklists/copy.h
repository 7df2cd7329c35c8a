// SPDX-License-Identifier: Apache-2.0
/* copy: the last good download of a source, and a new one until it is judged.
 *
 * state_dir/sources/ID.zst, ID.json; ID.part and ID.new.zst exist only during an
 * update, under its lock. */
#pragma once
#include "blocklists/sync.h"

/* What is known about a source; has_copy is false when its copy came from another
 * URL. */
void copy_load(const struct sync_options *options, struct sync_source *source);

/* Ask the source and judge what it sends: sets status, and has_fresh for a new copy
 * that passed. Faults stand in meta.report. -ENOMEM. */
__attribute__((warn_unused_result)) int copy_refresh(const struct sync_options *options,
                                                     struct sync_source *source);

/* Is it time to ask again? */
bool copy_is_due(const struct sync_options *options, const struct sync_source *source);

/* Open the new copy, else the good one; -ENOENT. */
__attribute__((warn_unused_result)) int copy_open(const struct sync_options *options,
                                                  const struct sync_source *source);

/* Refuse the source's new copy, or the source itself when it has no other. */
void copy_refuse(const struct sync_options *options, struct sync_source *source,
                 const char *reason);

/* Make the new copy the good one, and write down what is known. */
__attribute__((warn_unused_result)) int copy_accept(const struct sync_options *options,
                                                    struct sync_source *source);

/* The update failed after this source was asked: what came is dropped, and asked for again
 * after a pause only. What cannot be written down is forgotten. */
void copy_postpone(const struct sync_options *options, struct sync_source *source, int err,
                   const char *reason);

/* Remove what a run leaves when nothing is kept, or what a killed one left. */
void copy_discard(const struct sync_options *options, const struct sync_source *source);
