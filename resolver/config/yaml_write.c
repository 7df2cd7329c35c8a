// SPDX-License-Identifier: Apache-2.0
#include "config/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A word that means the same with and without quotes, but for its type. */
static bool is_word(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789._-");
    return len > 0 && !text[len] && text[0] != '-' && text[0] != '.';
}

static int put_text(const char *text, bool quoted, FILE *out)
{
    if (!quoted && (is_word(text) || !*text)) {
        fputs(text, out);
        return 0;
    }
    char *quote = yaml_quote(text);
    if (!quote) {
        return -ENOMEM;
    }
    fputs(quote, out);
    free(quote);
    return 0;
}

/* [a, b] and {k: v}; depth is bounded when the tree is built. */
static int put_flow(const struct yaml_node *node, FILE *out)
{
    if (node->kind == YAML_SCALAR) {
        return put_text(node->text, node->quoted, out);
    }
    int err = 0;
    fputc(node->kind == YAML_LIST ? '[' : '{', out);
    for (const struct yaml_node *at = node->first; at && err == 0; at = at->next) {
        fputs(at == node->first ? "" : ", ", out);
        if (at->key) {
            err = put_text(at->key, false, out);
            fputs(": ", out);
        }
        err = err == 0 ? put_flow(at, out) : err;
    }
    fputc(node->kind == YAML_LIST ? ']' : '}', out);
    return err;
}

static int put_map(const struct yaml_node *map, unsigned indent, bool in_item, FILE *out);

static int put_items(const struct yaml_node *list, unsigned indent, FILE *out)
{
    int err = 0;
    for (const struct yaml_node *at = list->first; at && err == 0; at = at->next) {
        fprintf(out, "%*s- ", (int)indent, "");
        if (at->kind == YAML_MAP && at->first) {
            err = put_map(at, indent + 2, true, out);
        } else {
            err = put_flow(at, out);
            fputc('\n', out);
        }
    }
    return err;
}

static int put_value(const struct yaml_node *node, unsigned indent, FILE *out)
{
    if (node->kind == YAML_MAP && node->first) {
        fputc('\n', out);
        return put_map(node, indent + 2, false, out);
    }
    if (node->kind == YAML_LIST && node->first && node->first->kind == YAML_MAP) {
        fputc('\n', out);
        return put_items(node, indent + 2, out);
    }
    fputc(' ', out);
    int err = put_flow(node, out);
    fputc('\n', out);
    return err;
}

/* in_item: its first key stands behind the dash already. */
static int put_map(const struct yaml_node *map, unsigned indent, bool in_item, FILE *out)
{
    int err = 0;
    for (const struct yaml_node *at = map->first; at && err == 0; at = at->next) {
        bool behind_dash = in_item && at == map->first;
        fprintf(out, "%*s", behind_dash ? 0 : (int)indent, "");
        err = put_text(at->key, false, out);
        fputc(':', out);
        err = err == 0 ? put_value(at, indent, out) : err;
    }
    return err;
}

int yaml_write(const struct yaml_node *root, FILE *out)
{
    if (root->kind == YAML_MAP && root->first) {
        return put_map(root, 0, false, out);
    }
    int err = put_flow(root, out);
    fputc('\n', out);
    return err;
}
