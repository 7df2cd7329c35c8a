// SPDX-License-Identifier: Apache-2.0
/* pack: a download, whatever its compression, as one zstd file. */
#pragma once
#include "base/diag.h"
#include "blocklists/budget.h"

/* Unpack from_fd and compress into to_fd, in a confined child. The errors of
 * unpack_next(), or of write(2); -EFBIG also when to_fd grows over budget->file. */
__attribute__((warn_unused_result)) int pack_file(int from_fd, int to_fd,
                                                  const struct budget *budget, struct diag *diag);
