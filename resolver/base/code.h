// SPDX-License-Identifier: Apache-2.0
/* code: what people read to each other: base 32 without letters that look alike (Crockford). */
#pragma once

extern const char code_digits[33];

/* The value of a letter as people write it: small ones, and O, I and L for 0 and 1; else -1. */
int code_digit(char letter);
