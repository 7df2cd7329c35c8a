// SPDX-License-Identifier: Apache-2.0
/* child: the process that touches the bytes of strangers, and its bounds. */
#pragma once
#include <stdint.h>

#include "base/diag.h"

/* In a new child: bound memory, time, file size (octets, 0 = as always) and privileges,
 * end with the parent. Writing behind the bound is then -EFBIG. A negative errno. */
__attribute__((warn_unused_result)) int child_confine(uint64_t file_max);

/* Run work(arg) in a confined child; its result and diag are the caller's. -ECHILD
 * with *diag when it died. */
__attribute__((warn_unused_result)) int child_run(int (*work)(void *arg, struct diag *diag),
                                                  void *arg, uint64_t file_max, struct diag *diag);
