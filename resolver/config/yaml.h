// SPDX-License-Identifier: Apache-2.0
/* yaml: a small tree of nodes that remember where they stood.
 *
 * Strict on purpose: anchors, aliases, tags, duplicate keys, several documents and
 * anything deeper than 16 levels are errors with file, line and column. */
#pragma once
#include "base/diag.h"

#include <stdbool.h>
#include <stdio.h>

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    bool quoted;           /* scalar: written in quotes */
    unsigned line, column; /* 1-based, of the value */
    unsigned key_line, key_column;
    char *key;              /* in a map: the key; else NULL */
    char *text;             /* scalar: its text, never NULL */
    struct yaml_node *next; /* next item of the same list or map */
    struct yaml_node *first;
    size_t count; /* items of a list or map */
};

/* The file's only document; an empty file gives an empty map. At most 4 MiB, 200000
 * values, and 512 keys in one map.
 * -ENOENT, -EINVAL with *diag. */
__attribute__((warn_unused_result)) int yaml_read(const char *path, struct yaml_node **ret_root,
                                                  struct diag *diag);

/* The same from memory; `file` is only for messages. */
struct yaml_text {
    const char *data;
    size_t len;
    const char *file;
};
__attribute__((warn_unused_result)) int yaml_parse(const struct yaml_text *text,
                                                   struct yaml_node **ret_root, struct diag *diag);

void yaml_node_free(struct yaml_node *root);

/* libyaml.so has a function of this name inside, which would take the place of an
 * external one here, or ours of its own. */
static inline void yaml_free(struct yaml_node *root)
{
    yaml_node_free(root);
}

/* The value of a key, or NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* The text of a scalar value of a key, or NULL. */
const char *yaml_get_text(const struct yaml_node *map, const char *key);

/* Write a tree as YAML that yaml_parse() reads back; plain scalars stay plain when a
 * word is all they are. What the stream made of it, ferror() tells; -ENOMEM. */
__attribute__((warn_unused_result)) int yaml_write(const struct yaml_node *root, FILE *out);

/* What a comment cannot hold becomes question marks: ends of lines, controls, and octets
 * that are no UTF-8. */
void yaml_make_comment(char *text);

/* Write text as a double-quoted YAML scalar into a new string; NULL without memory. */
char *yaml_quote(const char *text);
