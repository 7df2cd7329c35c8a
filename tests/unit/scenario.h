// SPDX-License-Identifier: Apache-2.0
/* scenario: what a file of tests/scenarios has said so far, and its words about time. */
#pragma once
#include "mmdbfile.h"
#include "world.h"

enum { TEXT_MAX = 4096, WORDS_MAX = 32, FILES_MAX = 64 };

struct scenario {
    const char *path;
    unsigned line;
    char config[TEXT_MAX], groups[TEXT_MAX], shadows[TEXT_MAX], of_lists[TEXT_MAX];
    struct world_list lists[WORLD_LISTS_MAX];
    char texts[WORLD_LISTS_MAX][TEXT_MAX];
    char names[WORLD_LISTS_MAX][2][32];
    size_t list_count;
    struct rule rules[WORLD_RULES_MAX];
    size_t rule_count;
    struct window windows[16];
    size_t window_count;
    struct world_device devices[WORLD_DEVICES_MAX];
    size_t device_count;
    uint8_t mac[MEMBER_MAC_LEN]; /* that questions carry from now on */
    bool has_mac;
    char id[MEMBER_NAME_MAX];
    struct mmdb_place places[MMDB_PLACES_MAX];
    size_t place_count;
    struct world *world;
    uint64_t counted[STATS_VERDICTS]; /* before the newest question */
    uint64_t counted_places[STATS_COUNTRIES];
    bool changed; /* something was said since the last load */
};

/* Fail with the place in the file. */
void fail_here(const struct scenario *scenario, const char *what, const char *word);
/* Append text to a buffer of TEXT_MAX. */
void append(const struct scenario *scenario, char *to, const char *text);
char *blanks(char *word);

void say_schedule(struct scenario *scenario, char **words, size_t count);
void say_window(struct scenario *scenario, char **words, size_t count);
void say_zone(struct scenario *scenario, char **words, size_t count);
void say_place(struct scenario *scenario, char **words, size_t count);
void say_device(struct scenario *scenario, char **words, size_t count);
void say_who(struct scenario *scenario, char **words, size_t count);
void say_time(struct scenario *scenario, const char *word);
