// SPDX-License-Identifier: Apache-2.0
/* image: the cache as one run of octets in memory, for the next process.
 *
 * For a memfd or a file in a tmpfs, never a disk: what people asked for does not outlive
 * the power. Every octet is checked when it is read; anything odd, and nothing is used. */
#pragma once
#include "base/diag.h"
#include "cache/cache.h"

/* Empty the cache into the file. -EXDEV when the file is not in memory; what write(2)
 * says. The cache is good for nothing but cache_free() afterwards. */
__attribute__((warn_unused_result)) int image_save(struct cache *cache, int fd, uint32_t now_s);

/* Add what the file holds and the cache does not; *ret_count answers. -EXDEV when it is
 * not in memory, -ESTALE when it is of another boot, -EPROTO of another version, -EBADMSG
 * when damaged: then the cache is as before. The file's memory is given back on the way. */
__attribute__((warn_unused_result)) int image_load(struct cache *cache, int fd, uint32_t now_s,
                                                   uint64_t *ret_count);
