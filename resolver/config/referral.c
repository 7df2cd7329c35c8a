// SPDX-License-Identifier: Apache-2.0
#include "config/referral.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "config/keyed.h"
#include "config/nearest.h"
#include "config/origins.h"
#include "config/texts.h"

struct checking {
    const struct config *config;
    const struct catalog *catalog;
    const struct known *known;
    struct diag *diag;
};

/* One word of a group, and where it stands. */
struct word {
    const char *text;
    const char *where; /* begins the sentence */
    struct origin place;
};

/* What a word could have been. */
struct hint {
    const char *kind; /* "category" */
    const char *known;
    struct nearest nearest;
};

/* "... 'x', which is no category; did you mean 'y'?" */
static int fail_unknown(const struct checking *check, const struct word *word,
                        const struct hint *could)
{
    char hint[DIAG_TEXT_MAX];
    const char *best = could->nearest.best;
    snprintf(hint, sizeof(hint), best ? "did you mean '%.40s'?" : "known: %.250s",
             best ? best : could->known);
    diag_at(check->diag, word->place.file, word->place.line, word->place.column);
    return diag_set(check->diag, -EINVAL, "%s '%.63s', which is no %s; %s", word->where, word->text,
                    could->kind, hint);
}

static int check_category(const struct checking *check, const struct word *word)
{
    char list[DIAG_TEXT_MAX] = "";
    struct hint hint = {.kind = "category", .known = list};
    if (catalog_find(check->catalog, word->text)) {
        return 0;
    }
    nearest_init(&hint.nearest, word->text);
    for (size_t i = 0, len = 0; i < check->catalog->category_count && len < sizeof(list); i++) {
        const char *known = check->catalog->categories[i].id;
        nearest_offer(&hint.nearest, known);
        len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "", known);
    }
    return fail_unknown(check, word, &hint);
}

/* Without its file no service can be told from a mistake: the daemon says `degraded`. */
static int check_service(const struct checking *check, const struct word *word)
{
    const struct known *known = check->known;
    struct hint hint = {.kind = "service", .known = "see `greengate services`"};
    if (known->missing[KNOWN_SERVICE] || known_find(known, KNOWN_SERVICE, word->text) >= 0) {
        return 0;
    }
    nearest_init(&hint.nearest, word->text);
    for (size_t i = known->first[KNOWN_SERVICE]; i < known->first[KNOWN_SERVICE + 1]; i++) {
        nearest_offer(&hint.nearest, known->items[i].id);
    }
    return fail_unknown(check, word, &hint);
}

/* Where item i of a group's list stands. A configuration that was not loaded has no
 * origins. */
static struct origin place_of(const struct config *config, size_t group, const char *key, size_t i)
{
    if (!config->origins) {
        return (struct origin){0};
    }
    const struct setting *row = origins_row(&setting_group, key);
    return origins_item(config, origins_find(config, &setting_group, group, row), i);
}

/* The categories or services in one row of a schedule; "all" stands for every category. */
static int check_row(const struct checking *check, const char *row, const struct word *of_row)
{
    char text[KEYED_MAX];
    struct word word = *of_row;
    const char *item;
    struct keyed_part part;
    int err = 0;
    while (err == 0 && keyed_next("block[] services[] allow[] except[]", &row, &part)) {
        bool service = strncmp(part.key, "services", part.key_len) == 0;
        bool block = strncmp(part.key, "block", part.key_len) == 0;
        bool allow = strncmp(part.key, "allow", part.key_len) == 0;
        while (err == 0 && part.list && part.len) {
            size_t len = keyed_item(&part, &item);
            snprintf(text, sizeof(text), "%.*s", (int)len, item);
            word.text = text;
            bool all = (block || allow) && strcmp(text, "all") == 0;
            bool named = allow && known_find(check->known, KNOWN_SERVICE, text) >= 0;
            if (!all && !named) {
                err = service ? check_service(check, &word) : check_category(check, &word);
            }
        }
    }
    return err;
}

static int check_schedule_words(const struct checking *check, size_t group)
{
    const struct text_list *rows = &check->config->groups[group].schedule;
    char where[128];
    int err = 0;
    snprintf(where, sizeof(where), "group '%.64s' has in its schedule",
             check->config->groups[group].name);
    for (size_t i = 0; i < rows->count && err == 0; i++) {
        const struct word word = {NULL, where, place_of(check->config, group, "schedule", i)};
        err = check_row(check, rows->items[i], &word);
    }
    return err;
}

/* A default that the catalogue does not know is no mistake of the file's author. */
static bool is_default(const struct word *word, const char *key)
{
    return strcmp(key, "prefer") == 0 && !word->place.file;
}

static int check_group(const struct checking *check, size_t at)
{
    const struct config_group *group = &check->config->groups[at];
    const struct {
        const char *key, *verb;
        const struct text_list *list;
        int (*check)(const struct checking *check, const struct word *word);
    } rows[] = {
        {"block", "blocks", &group->block, check_category},
        {"only", "has in only", &group->only, check_category},
        {"prefer", "prefers", &group->prefer, check_category},
        {"modes", "has a mode for", &group->modes, check_category},
        {"services", "blocks the service", &group->services, check_service},
    };
    char where[128], text[KEYED_MAX];
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        snprintf(where, sizeof(where), "group '%.64s' %s", group->name, rows[row].verb);
        for (size_t i = 0; i < rows[row].list->count; i++) {
            const char *item = rows[row].list->items[i];
            snprintf(text, sizeof(text), "%.*s", (int)strcspn(item, " "), item);
            const struct word word = {text, where, place_of(check->config, at, rows[row].key, i)};
            int err = is_default(&word, rows[row].key) ? 0 : rows[row].check(check, &word);
            if (err < 0) {
                return err;
            }
        }
    }
    return check_schedule_words(check, at);
}

static int check_source(const struct checking *check, size_t source)
{
    char where[128];
    struct origin place = {0};
    const struct config *config = check->config;
    snprintf(where, sizeof(where), "source '%.64s' has category", config->sources[source].id);
    if (config->origins) {
        const struct setting *row = origins_row(&setting_source, "category");
        place = *origins_find(config, &setting_source, source, row);
    }
    const struct word word = {config->sources[source].category, where, place};
    return check_category(check, &word);
}

static int check_user(const struct config *config, const char *key, const char *user,
                      struct diag *diag)
{
    struct origin place = {0};
    if (!user || !*user || getpwnam(user)) {
        return 0;
    }
    if (config->origins) {
        place = *origins_find_key(config, "server", key);
    }
    diag_at(diag, place.file, place.line, place.column);
    return diag_set(diag, -EINVAL, "server.%s: there is no user '%.64s'", key, user);
}

static int check_users(const struct config *config, struct diag *diag)
{
    int err = check_user(config, "user", config->server.user, diag);
    return err < 0 ? err : check_user(config, "web_user", config->server.web_user, diag);
}

int referral_check(const struct config *config, const struct referral *to, struct diag *diag)
{
    const struct checking check = {config, to->catalog, to->known, diag};
    int err = 0;
    for (size_t i = 0; i < config->group_count && err == 0; i++) {
        err = check_group(&check, i);
    }
    for (size_t i = 0; i < config->source_count && err == 0; i++) {
        err = check_source(&check, i);
    }
    return err == 0 ? check_users(config, diag) : err;
}

int referral_check_own(const struct config *config, struct diag *diag)
{
    struct catalog *catalog = NULL;
    struct known *known = NULL;
    int err = catalog_load(config->server.data_dir, &catalog, diag);
    if (err == 0) {
        err = known_load(config->server.data_dir, &known);
    }
    if (err == 0) {
        err = referral_check(config, &(struct referral){catalog, known}, diag);
    }
    catalog_free(catalog);
    known_free(known);
    return err;
}

/* "ko, en, zh" */
static void list_languages(const struct texts *texts, char *out, size_t cap)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < texts->entries[0].count && len < cap; i++) {
        len += (size_t)snprintf(out + len, cap - len, "%s%s", len ? ", " : "",
                                texts->entries[0].items[i].language);
    }
}

int referral_check_texts(const struct config *config, struct diag *diag)
{
    char known[160];
    struct texts *texts = NULL;
    int err = 0;
    if (texts_load(config->server.data_dir, &texts, NULL) < 0) {
        return 0;
    }
    for (size_t i = 0; i < config->web.languages.count && err == 0; i++) {
        const char *language = config->web.languages.items[i];
        if (!texts_speak(texts, language)) {
            const struct origin place =
                origins_item(config, origins_find_key(config, "web", "languages"), i);
            list_languages(texts, known, sizeof(known));
            diag_at(diag, place.file, place.line, place.column);
            err = diag_set(diag, -EINVAL, "web.languages: there are no texts in '%s'; known: %s",
                           language, known);
        }
    }
    texts_free(texts);
    return err;
}
