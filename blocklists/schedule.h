// SPDX-License-Identifier: Apache-2.0
/* schedule: when a source is asked again, as `update --if-due` keeps it.
 *
 * Pure arithmetic on seconds since 1970; what it needs to remember stands in
 * sources/ID.json. */
#pragma once
#include <stdbool.h>

#include "config/config.h"

enum { SCHEDULE_PAUSE_MIN = 15 * 60, SCHEDULE_PAUSE_MAX = 24 * 3600 };

/* A number of this machine, the same after each start. */
uint64_t schedule_salt(void);

/* Seconds between two questions: the source's interval and up to a tenth more, by
 * machine and source, so that not all ask at once; never less than the interval. */
int64_t schedule_interval(const struct config *config, const struct config_source *source,
                          uint64_t salt);

/* Is it the time of day that the source's window, else that of lists, allows? */
bool schedule_allows(const struct config *config, const struct config_source *source, int64_t now);

/* Seconds to wait after so many failures in a row: 15 minutes, doubling up to a day; longer
 * when the server asked for it, but a day at most. */
int64_t schedule_pause(uint64_t failures, int64_t retry_after_s);
