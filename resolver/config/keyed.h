// SPDX-License-Identifier: Apache-2.0
/* keyed: a small map of the configuration kept as one line of words, "key=value key=a,b".
 *
 * `spec` names the keys, each followed by [] when its value is a list. Values hold no
 * blank, those of lists no comma either. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { KEYED_MAX = 1024 };

struct keyed_part {
    const char *key, *value;
    size_t key_len, len;
    bool list;
};

/* The next part of *text, which is moved behind it; false at the end. */
bool keyed_next(const char *spec, const char **text, struct keyed_part *ret_part);

/* The next item of a list's value, which is moved behind it; 0 at the end. */
size_t keyed_item(struct keyed_part *rest, const char **ret_item);

/* The value of a key, copied; false when it is not there (out is "" then) or too long. */
bool keyed_get(const char *text, const char *key, char *out, size_t cap);

/* Is it a key of the spec, and is its value a list? */
bool keyed_knows(const char *spec, const char *key, bool *ret_list);
