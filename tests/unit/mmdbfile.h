// SPDX-License-Identifier: Apache-2.0
/* mmdbfile: MaxMind DB files for tests, from rows of prefixes (format 2.0, trees of IPv6). */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { MMDB_PLACES_MAX = 16 };

struct mmdb_place {
    char prefix[64];  /* "203.0.113.0/24" */
    char country[3];  /* "" = none */
    uint32_t network; /* 0 = none */
};

/* The file's octets, for the caller to free. Aborts on a row that is wrong. */
uint8_t *mmdb_make(const struct mmdb_place *places, size_t count, size_t *ret_len);

void mmdb_write(const char *path, const struct mmdb_place *places, size_t count);
