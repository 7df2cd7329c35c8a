// SPDX-License-Identifier: Apache-2.0
/* registrable: the domain that somebody registered, of a name below it, by the Public Suffix List.
 *
 * libpsl decides, and is loaded when it is asked for, not with the program: with libidn2 and
 * libunistring it is 2 MB, which a resolver that tells no domains does not need. */
#pragma once

enum { REGISTRABLE_TEXT = 1024 };

struct registrable;

/* Load libpsl and the system's newest list. -ELIBACC without the library, -ENOENT without a list.
 * Before a program confines itself: no code comes into its memory afterwards. */
__attribute__((warn_unused_result)) int registrable_open(struct registrable **ret);
void registrable_close(struct registrable *list); /* accepts NULL */

/* The registrable domain of a name in small letters, inside `text`; NULL of a suffix itself, of
 * reverse zones, of one with letters that people do not register. */
const char *registrable_of(const struct registrable *list, const char *name,
                           char text[REGISTRABLE_TEXT]);
