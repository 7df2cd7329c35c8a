// SPDX-License-Identifier: Apache-2.0
#include "config/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

enum {
    SIZE_MAX_OCTETS = 4 << 20,
    DEPTH_MAX = 16,
    NODES_MAX = 200000,
    KEYS_MAX = 512, /* of one map: looking for duplicates is quadratic */
};

/* An open list or map: where its next item goes, and the key that waits for it. */
struct level {
    struct yaml_node *node;
    struct yaml_node **tail;
    char *key; /* owned until its value comes */
    unsigned key_line, key_column;
};

struct builder {
    yaml_parser_t parser;
    const struct yaml_text *text;
    struct diag *diag;
    struct yaml_node *root;
    struct level levels[DEPTH_MAX];
    size_t depth;
    size_t nodes;
    unsigned documents;
};

static int fail(const struct builder *build, const yaml_mark_t *mark, const char *text)
{
    diag_at(build->diag, build->text->file, (unsigned)mark->line + 1, (unsigned)mark->column + 1);
    return diag_set(build->diag, -EINVAL, "%s", text);
}

/* A reader error has an offset in octets, no mark. */
static int fail_reader(const struct builder *build)
{
    size_t end = build->parser.problem_offset;
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < end && i < build->text->len; i++) {
        bool newline = build->text->data[i] == '\n';
        mark.line += newline;
        mark.column = newline ? 0 : mark.column + 1;
    }
    return fail(build, &mark, "not UTF-8 text without control characters");
}

/* Does a tab stand there, or among the blanks before? */
static bool is_tab(const struct builder *build, const yaml_mark_t *mark)
{
    const char *at = build->text->data, *end = at + build->text->len;
    for (size_t line = 0; line < mark->line && at < end; line++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline ? newline + 1 : end;
    }
    while (at < end && *at == ' ') {
        at++;
    }
    return at < end && *at == '\t';
}

static int fail_syntax(const struct builder *build)
{
    const yaml_parser_t *parser = &build->parser;
    if (parser->error == YAML_MEMORY_ERROR) {
        return -ENOMEM;
    }
    if (parser->error == YAML_READER_ERROR) {
        return fail_reader(build);
    }
    if (is_tab(build, &parser->problem_mark)) {
        return fail(build, &parser->problem_mark,
                    "not valid YAML: a tab stands here, and lines are indented by blanks");
    }
    char text[256];
    snprintf(text, sizeof(text), "not valid YAML: %s%s%s", parser->problem ? parser->problem : "",
             parser->context ? ", " : "", parser->context ? parser->context : "");
    return fail(build, &parser->problem_mark, text);
}

static int check_key(const struct builder *build, const yaml_event_t *event)
{
    const struct level *level = &build->levels[build->depth - 1];
    const char *text = (const char *)event->data.scalar.value;
    if (!*text) {
        return fail(build, &event->start_mark, "empty key");
    }
    if (level->node->count >= KEYS_MAX) {
        return fail(build, &event->start_mark, "more than 512 keys in one map");
    }
    for (const struct yaml_node *node = level->node->first; node; node = node->next) {
        if (strcmp(node->key, text) == 0) {
            char problem[160];
            snprintf(problem, sizeof(problem), "duplicate key '%.60s', first in line %u", text,
                     node->key_line);
            return fail(build, &event->start_mark, problem);
        }
    }
    return 0;
}

static int check_scalar(const struct builder *build, const yaml_event_t *event)
{
    if (event->data.scalar.anchor) {
        return fail(build, &event->start_mark, "anchors (&name) are not allowed");
    }
    if (event->data.scalar.tag) {
        return fail(build, &event->start_mark, "tags (!name) are not allowed");
    }
    if (memchr(event->data.scalar.value, '\0', event->data.scalar.length)) {
        return fail(build, &event->start_mark, "a zero octet (\\0) is not allowed");
    }
    return 0;
}

/* True when the next event is a key of the innermost map. */
static bool wants_key(const struct builder *build)
{
    if (build->depth == 0) {
        return false;
    }
    const struct level *level = &build->levels[build->depth - 1];
    return level->node->kind == YAML_MAP && !level->key;
}

/* Append a new node to the innermost list or map, or make it the root. */
static int add_node(struct builder *build, const yaml_event_t *event, struct yaml_node **ret_node)
{
    if (++build->nodes > NODES_MAX) {
        return fail(build, &event->start_mark, "more than 200000 values");
    }
    struct yaml_node *node = calloc(1, sizeof(*node));
    if (!node) {
        return -ENOMEM;
    }
    node->line = (unsigned)event->start_mark.line + 1;
    node->column = (unsigned)event->start_mark.column + 1;
    if (build->depth == 0) {
        build->root = node;
    } else {
        struct level *level = &build->levels[build->depth - 1];
        node->key = level->key;
        node->key_line = level->key_line;
        node->key_column = level->key_column;
        level->key = NULL;
        *level->tail = node;
        level->tail = &node->next;
        level->node->count++;
    }
    *ret_node = node;
    return 0;
}

static int take_scalar(struct builder *build, const yaml_event_t *event)
{
    int err = check_scalar(build, event);
    if (err < 0) {
        return err;
    }
    const char *text = (const char *)event->data.scalar.value;
    if (wants_key(build)) {
        err = check_key(build, event);
        if (err == 0) {
            struct level *level = &build->levels[build->depth - 1];
            level->key = strdup(text);
            level->key_line = (unsigned)event->start_mark.line + 1;
            level->key_column = (unsigned)event->start_mark.column + 1;
            err = level->key ? 0 : -ENOMEM;
        }
        return err;
    }
    struct yaml_node *node = NULL;
    err = add_node(build, event, &node);
    if (err < 0) {
        return err;
    }
    node->kind = YAML_SCALAR;
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = strdup(text);
    return node->text ? 0 : -ENOMEM;
}

static int take_start(struct builder *build, const yaml_event_t *event)
{
    bool map = event->type == YAML_MAPPING_START_EVENT;
    if (map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor) {
        return fail(build, &event->start_mark, "anchors (&name) are not allowed");
    }
    if (map ? event->data.mapping_start.tag : event->data.sequence_start.tag) {
        return fail(build, &event->start_mark, "tags (!name) are not allowed");
    }
    if (wants_key(build)) {
        return fail(build, &event->start_mark, "a key must be a plain word");
    }
    if (build->depth == DEPTH_MAX) {
        return fail(build, &event->start_mark, "nested deeper than 16 levels");
    }
    struct yaml_node *node = NULL;
    int err = add_node(build, event, &node);
    if (err < 0) {
        return err;
    }
    node->kind = map ? YAML_MAP : YAML_LIST;
    build->levels[build->depth++] = (struct level){.node = node, .tail = &node->first};
    return 0;
}

static int take_document(struct builder *build, const yaml_event_t *event)
{
    if (++build->documents > 1) {
        return fail(build, &event->start_mark, "several documents in one file (---)");
    }
    if (event->data.document_start.tag_directives.start !=
        event->data.document_start.tag_directives.end) {
        return fail(build, &event->start_mark, "tags (%TAG) are not allowed");
    }
    return 0;
}

static int take_event(struct builder *build, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT: return take_document(build, event);
    case YAML_ALIAS_EVENT:
        return fail(build, &event->start_mark, "aliases (*name) are not allowed");
    case YAML_SCALAR_EVENT: return take_scalar(build, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT: return take_start(build, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: build->depth--; return 0;
    default: return 0;
    }
}

static int build_tree(struct builder *build)
{
    for (;;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&build->parser, &event)) {
            return fail_syntax(build);
        }
        bool end = event.type == YAML_STREAM_END_EVENT;
        int err = take_event(build, &event);
        yaml_event_delete(&event);
        if (err < 0 || end) {
            return err;
        }
    }
}

/* No document, or one with nothing in it, counts as an empty map. */
static int settle_empty(struct builder *build)
{
    const struct yaml_node *root = build->root;
    bool empty = !root || (root->kind == YAML_SCALAR && !root->quoted && !*root->text);
    if (!empty) {
        return 0;
    }
    struct yaml_node *map = calloc(1, sizeof(*map));
    if (!map) {
        return -ENOMEM;
    }
    map->kind = YAML_MAP;
    map->line = 1;
    map->column = 1;
    yaml_free(build->root);
    build->root = map;
    return 0;
}

int yaml_parse(const struct yaml_text *text, struct yaml_node **ret_root, struct diag *diag)
{
    if (text->len > SIZE_MAX_OCTETS) {
        diag_at(diag, text->file, 0, 0);
        return diag_set(diag, -EINVAL, "larger than 4 MiB");
    }
    struct builder build = {.text = text, .diag = diag};
    if (!yaml_parser_initialize(&build.parser)) {
        return -ENOMEM;
    }
    yaml_parser_set_input_string(&build.parser, (const unsigned char *)text->data, text->len);
    int err = build_tree(&build);
    if (err == 0) {
        err = settle_empty(&build);
    }
    if (err == 0) {
        *ret_root = build.root;
        build.root = NULL;
    }
    for (size_t i = 0; i < build.depth; i++) {
        free(build.levels[i].key);
    }
    yaml_free(build.root);
    yaml_parser_delete(&build.parser);
    return err;
}

/* At most one octet more than allowed, so that yaml_parse() sees the excess. */
static int read_all(int fd, char *data, size_t *ret_len)
{
    size_t len = 0;
    while (len <= SIZE_MAX_OCTETS) {
        ssize_t got = read(fd, data + len, SIZE_MAX_OCTETS + 1 - len);
        if (got < 0 && errno != EINTR) {
            return -errno;
        }
        if (got == 0) {
            break;
        }
        len += got > 0 ? (size_t)got : 0;
    }
    *ret_len = len;
    return 0;
}

int yaml_read(const char *path, struct yaml_node **ret_root, struct diag *diag)
{
    char *data = NULL;
    size_t len = 0;
    int err = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        err = -errno;
        diag_at(diag, path, 0, 0);
        return diag_set(diag, err, "cannot open: %s", strerror(-err));
    }
    data = malloc(SIZE_MAX_OCTETS + 1);
    if (!data) {
        err = -ENOMEM;
        goto out;
    }
    err = read_all(fd, data, &len);
    if (err < 0) {
        diag_at(diag, path, 0, 0);
        err = diag_set(diag, err, "cannot read: %s", strerror(-err));
        goto out;
    }
    err = yaml_parse(&(struct yaml_text){data, len, path}, ret_root, diag);
out:
    free(data);
    close(fd);
    return err;
}

/* Depth is bounded when the tree is built. */
void yaml_node_free(struct yaml_node *root)
{
    while (root) {
        struct yaml_node *next = root->next;
        yaml_node_free(root->first);
        free(root->key);
        free(root->text);
        free(root);
        root = next;
    }
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    if (!map || map->kind != YAML_MAP) {
        return NULL;
    }
    for (const struct yaml_node *node = map->first; node; node = node->next) {
        if (strcmp(node->key, key) == 0) {
            return node;
        }
    }
    return NULL;
}

const char *yaml_get_text(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = yaml_get(map, key);
    return node && node->kind == YAML_SCALAR ? node->text : NULL;
}
