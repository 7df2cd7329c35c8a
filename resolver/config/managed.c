// SPDX-License-Identifier: Apache-2.0
#include "config/managed.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wholefile.h"
#include "config/catalog.h"
#include "config/referral.h"
#include "config/yaml.h"

enum { OCTETS_MAX = 4 << 20 }; /* what yaml_parse() takes */

static const char header[] =
    "# What commands said beside the configuration file and conf.d, which it overrides.\n"
    "# Written by greengated and `greengate lists`: change it with commands.\n";

/* One change, from reading the file to replacing it. */
struct session {
    const char *config_path;
    const char *put;
    char path[PATH_MAX];
    int lock;
    char *before; /* the text; NULL: there was no file */
    size_t before_len;
    struct yaml_node *root;
    char *after;
    size_t after_len;
    struct diag *diag;
};

static int say(const struct session *session, int err, const char *what)
{
    diag_at(session->diag, session->path, 0, 0);
    return diag_set(session->diag, err, "cannot %s: %s", what, strerror(-err));
}

static struct yaml_node *new_node(enum yaml_kind kind, const char *key)
{
    struct yaml_node *node = calloc(1, sizeof(*node));
    if (node) {
        node->kind = kind;
        node->key = key ? strdup(key) : NULL;
    }
    if (node && key && !node->key) {
        yaml_free(node);
        return NULL;
    }
    return node;
}

static void append(struct yaml_node *parent, struct yaml_node *child)
{
    struct yaml_node **tail = &parent->first;
    while (*tail) {
        tail = &(*tail)->next;
    }
    child->next = NULL;
    *tail = child;
    parent->count++;
}

/* Take a child out, by the link that holds it; the caller owns it. */
static struct yaml_node *detach(struct yaml_node *parent, struct yaml_node **link)
{
    struct yaml_node *child = *link;
    *link = child->next;
    child->next = NULL;
    parent->count--;
    return child;
}

/* The link that holds the child of this key, or the last link, which holds NULL. */
static struct yaml_node **find_key(struct yaml_node *map, const char *key)
{
    struct yaml_node **link = &map->first;
    while (*link && strcmp((*link)->key, key) != 0) {
        link = &(*link)->next;
    }
    return link;
}

static struct yaml_node **find_item(struct yaml_node *list, const char *key, const char *id)
{
    struct yaml_node **link = &list->first;
    for (; *link; link = &(*link)->next) {
        const char *text = yaml_get_text(*link, key);
        if (text && strcmp(text, id) == 0) {
            break;
        }
    }
    return link;
}

static bool is_null(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && !node->quoted && strcmp(node->text, "null") == 0;
}

/* Move the keys of `from` over those of `to`; a null takes the key away. */
static void merge_keys(struct yaml_node *to, struct yaml_node *from)
{
    while (from->first) {
        struct yaml_node *value = detach(from, &from->first);
        struct yaml_node **link = find_key(to, value->key);
        struct yaml_node *old = *link ? detach(to, link) : NULL;
        if (is_null(value)) {
            yaml_free(value);
        } else {
            value->next = *link; /* where the old one was */
            *link = value;
            to->count++;
        }
        yaml_free(old);
    }
}

/* There is nothing yet that a null could take away. */
static void drop_nulls(struct yaml_node *map)
{
    struct yaml_node **link = &map->first;
    while (*link) {
        if (is_null(*link)) {
            yaml_free(detach(map, link));
        } else {
            link = &(*link)->next;
        }
    }
}

/* An item that says no more than which one it is says nothing. */
static void merge_items(struct yaml_node *to, struct yaml_node *from, const char *key)
{
    while (from->first) {
        struct yaml_node *item = detach(from, &from->first);
        const char *id = yaml_get_text(item, key);
        struct yaml_node **link = id ? find_item(to, key, id) : NULL;
        struct yaml_node *mine = link ? *link : NULL;
        if (mine && item->kind == YAML_MAP) {
            merge_keys(mine, item);
            if (mine->count <= 1) {
                yaml_free(detach(to, find_item(to, key, yaml_get_text(mine, key))));
            }
            yaml_free(item);
        } else {
            drop_nulls(item);
            append(to, item); /* the loader says what is wrong with it */
        }
    }
}

/* The list or map of a key, made when it is missing or empty. NULL without memory. */
static struct yaml_node *ensure(struct yaml_node *map, const char *key, enum yaml_kind kind)
{
    struct yaml_node **link = find_key(map, key);
    if (*link && (*link)->kind == kind) {
        return *link;
    }
    struct yaml_node *node = new_node(kind, key);
    if (node) {
        yaml_free(*link ? detach(map, link) : NULL);
        append(map, node);
    }
    return node;
}

static int merge_list(struct yaml_node *parent, struct yaml_node *from, const char *key)
{
    struct yaml_node *to = ensure(parent, from->key, YAML_LIST);
    if (!to) {
        return -ENOMEM;
    }
    merge_items(to, from, key);
    return 0;
}

/* Only what the file may hold has a place to go; the rest is a mistake of the caller. */
static int merge(struct session *session, struct yaml_node *put)
{
    int err = 0;
    for (struct yaml_node *section = put->first; section && err == 0; section = section->next) {
        struct yaml_node *sources = section->kind == YAML_MAP ? section->first : NULL;
        if (strcmp(section->key, "groups") == 0 && section->kind == YAML_LIST) {
            err = merge_list(session->root, section, "name");
        } else if (strcmp(section->key, "lists") == 0 && section->count == 1 && sources &&
                   strcmp(sources->key, "sources") == 0 && sources->kind == YAML_LIST) {
            struct yaml_node *lists = ensure(session->root, "lists", YAML_MAP);
            err = lists ? merge_list(lists, sources, "id") : -ENOMEM;
        } else {
            err =
                diag_set(session->diag, -EINVAL, "only lists.sources and groups can be changed so");
        }
    }
    return err;
}

static int put(struct session *session, const char *text)
{
    struct yaml_node *root = NULL;
    int err = yaml_parse(&(struct yaml_text){text, strlen(text), ""}, &root, session->diag);
    if (err == 0 && root->kind != YAML_MAP) {
        err = diag_set(session->diag, -EINVAL, "the change is no map");
    }
    if (err == 0) {
        err = merge(session, root);
    }
    yaml_free(root);
    diag_at(session->diag, "", 0, 0);
    return err;
}

static int take_out(struct session *session, const char *id)
{
    struct yaml_node *lists = *find_key(session->root, "lists");
    struct yaml_node *none = NULL;
    struct yaml_node **link = lists && lists->kind == YAML_MAP ? find_key(lists, "sources") : &none;
    struct yaml_node *sources = *link;
    struct yaml_node **item =
        sources && sources->kind == YAML_LIST ? find_item(sources, "id", id) : &none;
    if (!*item) {
        return diag_set(session->diag, -ENOENT, "%.200s has no list %.63s", session->path, id);
    }
    yaml_free(detach(sources, item));
    return 0;
}

static int edit(struct session *session, const struct managed_change *change)
{
    int err = 0;
    for (size_t i = 0; i < change->remove_count && err == 0; i++) {
        err = take_out(session, change->remove[i]);
    }
    return err == 0 && *change->put ? put(session, change->put) : err;
}

/* Never waited for: the daemon's main thread comes through here. */
static int take_lock(struct session *session)
{
    char path[PATH_MAX];
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    snprintf(path, sizeof(path), "%.*s.lock", (int)(strlen(session->path) - strlen(".yaml")),
             session->path);
    session->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (session->lock < 0) {
        return say(session, -errno, "change it");
    }
    if (fcntl(session->lock, F_OFD_SETLK, &whole) < 0) {
        return diag_set(session->diag, -EAGAIN,
                        "another change is being made at this moment; try again");
    }
    return 0;
}

static int read_before(struct session *session)
{
    int err = wholefile_read(session->path, OCTETS_MAX, &session->before, &session->before_len);
    if (err == -ENOENT) {
        session->root = new_node(YAML_MAP, NULL);
        return session->root ? 0 : -ENOMEM;
    }
    if (err < 0) {
        return say(session, err, "read");
    }
    const struct yaml_text text = {session->before, session->before_len, session->path};
    err = yaml_parse(&text, &session->root, session->diag);
    if (err == 0 && session->root->kind != YAML_MAP) {
        diag_at(session->diag, session->path, 1, 1);
        err = diag_set(session->diag, -EINVAL, "expected a map of sections (lists, groups)");
    }
    return err;
}

static int begin(struct session *session)
{
    struct config *config = NULL;
    int err = config_load_with(session->config_path, NULL, &config, session->diag);
    if (err < 0) {
        return err == -ENOENT ? -EINVAL : err;
    }
    managed_path(config, session->path, sizeof(session->path));
    config_free(config);
    err = take_lock(session);
    return err < 0 ? err : read_before(session);
}

static int print(struct session *session)
{
    FILE *out = open_memstream(&session->after, &session->after_len);
    if (!out) {
        return -ENOMEM;
    }
    fputs(header, out);
    int err = yaml_write(session->root, out);
    return fclose(out) != 0 && err == 0 ? -ENOMEM : err;
}

static bool has_item(const struct config *config, const char *kind, const char *id)
{
    bool found = false;
    if (strcmp(kind, "sources") == 0) {
        for (size_t i = 0; i < config->source_count && !found; i++) {
            found = strcmp(config->sources[i].id, id) == 0;
        }
    } else {
        for (size_t i = 0; i < config->group_count && !found; i++) {
            found = strcmp(config->groups[i].name, id) == 0;
        }
    }
    return found;
}

/* What the loader leaves out, since it overrides nothing, is no change. */
static int check_items(const struct session *session, const struct config *config,
                       const struct yaml_node *list, const char *key)
{
    for (const struct yaml_node *item = list ? list->first : NULL; item; item = item->next) {
        const char *id = yaml_get_text(item, key);
        if (id && !has_item(config, list->key, id)) {
            return diag_set(session->diag, -ENOENT, "there is no %s %.63s",
                            strcmp(key, "id") == 0 ? "list" : "group", id);
        }
    }
    return 0;
}

static int check_put(const struct session *session, const struct config *config)
{
    struct yaml_node *root = NULL;
    const struct yaml_text text = {session->put, strlen(session->put), ""};
    int err = yaml_parse(&text, &root, NULL);
    if (err == 0) {
        err = check_items(session, config, yaml_get(yaml_get(root, "lists"), "sources"), "id");
    }
    if (err == 0) {
        err = check_items(session, config, yaml_get(root, "groups"), "name");
    }
    yaml_free(root);
    return err;
}

/* As the loader will: the place of a mistake is nothing that anybody can look at yet. */
static int validate(const struct session *session)
{
    struct config *config = NULL;
    const struct yaml_text text = {session->after, session->after_len, session->path};
    int err = config_load_with(session->config_path, &text, &config, session->diag);
    if (err == 0) {
        err = referral_check_own(config, session->diag);
    }
    if (err == 0) {
        err = check_put(session, config);
    }
    config_free(config);
    if (session->diag && strcmp(session->diag->file, session->path) == 0) {
        diag_at(session->diag, "", 0, 0);
    }
    return err;
}

static int replace(struct session *session, const struct managed_change *change)
{
    struct diag aside = {0};
    int err = wholefile_save(session->path, session->after, session->after_len);
    if (err < 0) {
        return say(session, err, "write");
    }
    err = change->use ? change->use(change->arg, session->diag) : 0;
    if (err == 0) {
        return 0;
    }
    int back = session->before ? wholefile_save(session->path, session->before, session->before_len)
                               : (unlink(session->path) < 0 ? -errno : 0);
    if (back < 0) {
        diag_print(session->diag, aside.text, sizeof(aside.text));
        diag_at(session->diag, "", 0, 0);
        diag_set(session->diag, err, "%.200s; %.100s is ahead of what is in force", aside.text,
                 session->path);
    }
    return err;
}

int managed_apply(const char *config_path, const struct managed_change *change, struct diag *diag)
{
    struct diag own = {0};
    struct session session = {
        .config_path = config_path, .put = change->put, .lock = -1, .diag = diag ? diag : &own};
    int err = begin(&session);
    if (err == 0) {
        err = edit(&session, change);
    }
    if (err == 0) {
        err = print(&session);
    }
    if (err == 0) {
        err = validate(&session);
    }
    if (err == 0) {
        err = replace(&session, change);
    }
    if (session.lock >= 0) {
        close(session.lock);
    }
    yaml_free(session.root);
    free(session.before);
    free(session.after);
    return err;
}

void managed_path(const struct config *config, char *out, size_t cap)
{
    snprintf(out, cap, "%s/%s", config->server.state_dir, MANAGED_NAME);
}
