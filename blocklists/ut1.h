// SPDX-License-Identifier: Apache-2.0
/* ut1: the archive of the Université Toulouse Capitole: a folder for each category with
 * "domains", "urls", "expressions" and "usage"; other names of a folder are symlinks.
 *
 * An archive is read twice, since what a folder is for stands behind its names. */
#pragma once
#include "base/diag.h"
#include "blocklists/scan.h"

struct ut1;

enum { UT1_FOLDERS_MAX = 512, UT1_FOLDER_NAME_MAX = 64 };

/* What a member's lines are. */
enum ut1_role { UT1_DOMAINS, UT1_URLS, UT1_EXPRESSIONS, UT1_USAGE, UT1_IGNORED };

struct ut1_wish {
    const struct text_list *folders;
    bool named; /* by the configuration: each must be there */
    bool white; /* also those whose usage says white */
};

/* Look through the archive behind fd (by offset) for its folders; then give the lines of
 * the wanted ones to the sink. -EBADMSG, -EINVAL with *diag, or an error of unpacking. */
__attribute__((warn_unused_result)) int ut1_open(int fd, const struct ut1_wish *wish,
                                                 struct ut1 **ret_ut1, struct diag *diag);
void ut1_close(struct ut1 *ut1); /* accepts NULL */

__attribute__((warn_unused_result)) int ut1_feed(struct ut1 *ut1, struct line_sink *sink,
                                                 const struct span *data);
__attribute__((warn_unused_result)) int ut1_end(struct ut1 *ut1);
