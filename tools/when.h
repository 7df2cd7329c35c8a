// SPDX-License-Identifier: Apache-2.0
/* when: moments as people write them, in the local time of server.timezone. */
#pragma once
#include "tools/cli.h"

#define WHEN_FORMS "16:30, \"mon 08:00\", 2026-12-24, \"2026-12-24 16:30\""

/* Take server.timezone over, as the daemon does; while the configuration has a mistake, the
 * running daemon's. Once, before a command. */
void when_use_timezone(const struct cli *cli);

/* Seconds since 1970, 0 when it is none of the forms. A time without a date is today's;
 * with `ahead` the next one after now. */
int64_t when_parse(const char *text, int64_t now, bool ahead);

enum { WHEN_TEXT_MAX = 32 };

/* "Tue 2026-12-01 16:30", "-" for 0. */
const char *when_print(int64_t at, char out[WHEN_TEXT_MAX]);

/* "2026-12-01 16:30", for records and tables, and the day alone; "-" for 0. */
const char *when_stamp(int64_t at, char out[WHEN_TEXT_MAX]);
const char *when_day(int64_t at, char out[WHEN_TEXT_MAX]);
