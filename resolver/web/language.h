// SPDX-License-Identifier: Apache-2.0
/* language: which of our languages a reader asks for.
 *
 * Accept-Language (RFC 9110 section 12.5.4) by basic prefix matching (RFC 4647):
 * "ko-KR" is served by "ko". */
#pragma once
#include <stddef.h>

/* Index into the offered tags; 0 when nothing fits or nothing was asked. Of equal
 * weights the one that the reader named first wins. */
size_t language_choose(const char *const *offered, size_t count, const char *accept);
