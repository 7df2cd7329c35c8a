// SPDX-License-Identifier: Apache-2.0
/* wholefile: small files that are read and replaced as a whole, so that a reader and a
 * power cut see the old text or the new one. */
#pragma once
#include <stddef.h>

/* The text of a file, NUL-terminated, at most `max` octets. -ENOENT, -EFBIG and what
 * open(2) and read(2) say. */
__attribute__((warn_unused_result)) int wholefile_read(const char *path, size_t max,
                                                       char **ret_text, size_t *ret_len);

/* Write "path.new" with mode 0640, fsync, rename. The old file stays on failure. */
__attribute__((warn_unused_result)) int wholefile_save(const char *path, const char *text,
                                                       size_t len);

/* Write all octets to a descriptor that does not wait for a peer; a negative errno. */
__attribute__((warn_unused_result)) int wholefile_put(int fd, const void *data, size_t len);
