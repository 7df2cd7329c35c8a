// SPDX-License-Identifier: Apache-2.0
/* rulefile: the local rules and windows of time in state_dir/rules.yaml.
 *
 * Written by the daemon's main thread only (temp file, fsync, rename, mode 0640);
 * anybody who may read it can load it. */
#pragma once
#include "base/diag.h"
#include "policy/rule.h"

enum { RULE_LIST_MAX = 10000 };

struct rule_list {
    struct rule *items;
    size_t count, cap; /* cap: there is room for so many, 0 = not known */
    struct window *windows;
    size_t window_count;
};

/* An absent file is an empty list. -EINVAL with *diag; *ret_rules untouched then. */
__attribute__((warn_unused_result)) int rulefile_load(const char *path, struct rule_list *ret_rules,
                                                      struct diag *diag);
/* So with any file that a person names, also a pipe. */
__attribute__((warn_unused_result)) int rulefile_read(const char *path, struct rule_list *ret_rules,
                                                      struct diag *diag);
__attribute__((warn_unused_result)) int
rulefile_save(const char *path, const struct rule_list *rules, struct diag *diag);
/* The text of such a file under a title, lines that begin with "#", for the caller to free() in any
 * case. -ENOMEM; -EFBIG: it could not be read again. */
__attribute__((warn_unused_result)) int
rulefile_print(const struct rule_list *rules, const char *title, char **ret_text, size_t *ret_len);
/* Same name, exactness and group: replaced. -ENOMEM; -E2BIG beyond
 * RULE_LIST_MAX. */
__attribute__((warn_unused_result)) int rule_list_put(struct rule_list *rules,
                                                      const struct rule *rule);
/* Remove what put() would replace; -ENOENT. */
__attribute__((warn_unused_result)) int rule_list_remove(struct rule_list *rules,
                                                         const struct rule *rule);
/* Append a window. -ENOMEM; -E2BIG beyond WINDOWS_MAX. */
__attribute__((warn_unused_result)) int rule_list_add_window(struct rule_list *rules,
                                                             const struct window *window);
/* A copy of all. -ENOMEM. */
__attribute__((warn_unused_result)) int rule_list_copy(const struct rule_list *from,
                                                       struct rule_list *ret_to);
/* Drop rules and windows whose time is over; returns how many. */
size_t rule_list_expire(struct rule_list *rules, int64_t now);
/* The next moment at which a rule or window is over; 0 = none ever is. */
int64_t rule_list_next_end(const struct rule_list *rules);
void rule_list_clear(struct rule_list *rules);
