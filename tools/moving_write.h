// SPDX-License-Identifier: Apache-2.0
/* moving_write: a configuration and local rules of ours, made of what moving.h describes,
 * and what became of each thing. */
#pragma once
#include "base/diag.h"
#include "config/config.h"
#include "config/known.h"
#include "config/listcatalog.h"

#include <cjson/cJSON.h>
#include <stdio.h>

struct moving_target {
    const struct listcatalog *catalog; /* NULL: none; gives lists their id and category */
    const struct known *known;         /* NULL: every service is taken */
    const char *category;              /* of lists of which nothing tells it */
    const char *last_group;            /* the name of the group that catches the rest */
};

struct moved {
    cJSON *config; /* a tree of sections; what "#" of an object says is a comment */
    char *text;    /* it as YAML, with what was left in comments; accepted by config_parse() */
    char *rules;   /* as rules.yaml; NULL: there are none */
    cJSON *items;  /* {kind, what, state, as, why}; state: taken, changed or left */
    unsigned taken, changed, left;
};

/* -EINVAL with *diag: what came out is no configuration; -ENOMEM. */
__attribute__((warn_unused_result)) int moving_write(const cJSON *moving,
                                                     const struct moving_target *target,
                                                     struct moved *ret_moved, struct diag *diag);
void moved_clear(struct moved *moved);

/* Tell what became of one thing: "taken", "changed" (why: what is different now), "left". */
struct moved_item {
    const char *kind, *what, *state, *as, *why;
};
void moved_tell(struct moved *moved, const struct moved_item *item);

/* A stranger's text as a comment and a terminal may show it, to be freed; NULL: no memory. */
char *moved_plain(const char *text);

/* NULL when the real checker takes a tree of sections, else why not (in *diag). */
const char *moved_refusal(const cJSON *tree, struct diag *diag);

/* The parts. moving_write_lists() gives each source its category and each group what it
 * blocks; moving_write_rules() needs the groups' names. */
void moving_write_lists(const cJSON *moving, const struct moving_target *target,
                        struct moved *moved);
void moving_write_groups(const cJSON *moving, const struct moving_target *target,
                         struct moved *moved);
__attribute__((warn_unused_result)) int moving_write_rules(const cJSON *moving, struct moved *moved,
                                                           struct diag *diag);

/* Whether a thing with these sets (NULL: of all) concerns a policy. */
bool moving_concerns(const cJSON *sets, const cJSON *policy);

/* Whether a rule is for a policy. */
bool moving_is_meant(const cJSON *rule, const cJSON *policy);

/* A tree of sections as YAML in block style. */
void moved_print_tree(const cJSON *tree, FILE *out);
