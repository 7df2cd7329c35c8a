// SPDX-License-Identifier: Apache-2.0
/* bind: what the BIND format keeps from line to line, as a statement may take several. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { BIND_NAME_MAX = 512 };

enum bind_want { BIND_NOTHING, BIND_ZONE_NAME, BIND_ZONE_TYPE };

struct bind_state {
    bool in_comment;
    bool begun;     /* words since the last of "{};" */
    bool in_zone;   /* the fields below are of this one */
    bool is_remote; /* a type that asks other servers */
    bool has_body;
    enum bind_want want;
    unsigned depth; /* of braces */
    size_t name_len;
    char name[BIND_NAME_MAX];
};
