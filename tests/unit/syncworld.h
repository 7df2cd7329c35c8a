// SPDX-License-Identifier: Apache-2.0
/* syncworld: a state folder, lists as files, and updates on them, for tests of sync. */
#pragma once
#include "blocklists/sync.h"

extern char state_dir[128];
extern char urls[3][256]; /* file:// */
extern struct config_source sources[3];
extern struct config config;
extern int64_t now; /* each update goes on by 10 */

int syncworld_set_up(void **state);
int syncworld_tear_down(void **state);

void write_list(unsigned i, const char *text);
int sync_with(struct sync_options options, struct sync_result *result);
int sync_plain(struct sync_result *result);

/* Does the database in force hold the name? */
bool blocks(const char *text);

/* The status of both sources and the generation; clears the result. */
void expect(struct sync_result *result, enum sync_status first, enum sync_status second,
            unsigned generation);
