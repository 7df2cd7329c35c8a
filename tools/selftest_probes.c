// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/datafile.h"
#include "config/known.h"
#include "config/value.h"
#include "config/yaml.h"
#include "tools/selftest.h"

enum { TIMEOUT_MS = 5000, SILENCES_MAX = 3 };
enum { EDE_CENSORED = 16 };

static int take_probe(const struct yaml_node *item, struct selftest_probe *probe,
                      const struct complaint *to)
{
    static const char *const keys[] = {"name", "category", "by", "source", "date"};
    struct dname name;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *text = item->kind == YAML_MAP ? yaml_get_text(item, keys[i]) : NULL;
        if (!text || !*text || strlen(text) >= SELFTEST_TEXT_MAX) {
            return complain(to, item, "a probe needs %s", keys[i]);
        }
    }
    if (dname_parse(yaml_get_text(item, "name"), &name) < 0) {
        return complain(to, item, "not a domain name");
    }
    const char *known = yaml_get_text(item, "known");
    snprintf(probe->name, sizeof(probe->name), "%s", yaml_get_text(item, "name"));
    snprintf(probe->category, sizeof(probe->category), "%.63s", yaml_get_text(item, "category"));
    snprintf(probe->by, sizeof(probe->by), "%s", yaml_get_text(item, "by"));
    probe->known = known && strcmp(known, "true") == 0;
    probe->because = "";
    return 0;
}

int selftest_load(struct selftest *test, struct diag *diag)
{
    char path[4096];
    struct yaml_node *root = NULL;
    const struct complaint to = {path, diag};
    datafile_path(test->config->server.data_dir, "probes.yaml", path, sizeof(path));
    int err = yaml_read(path, &root, diag);
    if (err < 0) {
        return err;
    }
    const struct yaml_node *probes = root->kind == YAML_MAP ? yaml_get(root, "probes") : NULL;
    if (!probes || probes->kind != YAML_LIST || probes->count > SELFTEST_PROBES_MAX) {
        err = complain(&to, root, "expected probes, a list of at most %d", SELFTEST_PROBES_MAX);
    }
    const struct yaml_node *item = err == 0 && probes ? probes->first : NULL;
    for (; err == 0 && item; item = item->next) {
        err = take_probe(item, &test->probes[test->count], &to);
        test->count += err == 0;
    }
    yaml_free(root);
    return err;
}

/* Is it the name of an engine's safe mode? */
static bool is_target(const struct known *known, const char *target)
{
    for (size_t i = known->first[KNOWN_ENGINE]; *target && i < known->first[KNOWN_ENGINE + 1];
         i++) {
        const struct known_item *item = &known->items[i];
        if ((item->target && strcmp(item->target, target) == 0) ||
            (item->moderate && strcmp(item->moderate, target) == 0)) {
            return true;
        }
    }
    return false;
}

static enum selftest_seen ask(const struct selftest *test, const char *name)
{
    struct dname dname;
    uint16_t rcode;
    struct probe_seen seen = {.ede = -1};
    const struct probe probe = {test->server, false, TIMEOUT_MS, &seen};
    if (dname_parse(name, &dname) < 0) {
        return SEEN_FAILURE;
    }
    enum probe_result result = probe_ask(&probe, &dname, TYPE_A, &rcode);
    if (result == PROBE_SILENCE) {
        return SEEN_SILENCE;
    }
    if (seen.ede == EDE_BLOCKED || seen.ede == EDE_CENSORED || seen.ede == EDE_FILTERED) {
        return SEEN_BLOCKED;
    }
    if (result != PROBE_ADDRESSES) { /* nobody could visit it, which proves no filter */
        return SEEN_FAILURE;
    }
    return is_target(test->known, seen.target) ? SEEN_SAFE : SEEN_OPEN;
}

static const struct config_group *group_of(const struct selftest *test)
{
    for (size_t i = 0; i < test->config->group_count; i++) {
        if (strcmp(test->config->groups[i].name, test->group) == 0) {
            return &test->config->groups[i];
        }
    }
    return &test->config->groups[test->config->group_count - 1];
}

static bool has(const struct text_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], text) == 0) {
            return true;
        }
    }
    return false;
}

/* What the policy of the group promises: a category, or safe modes. */
static bool is_promised(const struct selftest *test, const struct selftest_probe *probe)
{
    const struct config_group *group = group_of(test);
    if (strcmp(probe->category, "search") != 0) {
        return has(&group->block, probe->category);
    }
    return strstr(probe->name, "youtube") ? group->youtube != YOUTUBE_OFF : group->safe_search;
}

static void judge(const struct selftest *test, struct selftest_probe *probe)
{
    bool stays_open = strcmp(probe->category, "open") == 0;
    bool held = probe->seen == SEEN_BLOCKED || probe->seen == SEEN_SAFE;
    probe->verdict = VERDICT_GOOD;
    if (probe->seen == SEEN_SILENCE || (stays_open && probe->seen != SEEN_OPEN)) {
        probe->verdict = VERDICT_FAULT;
    } else if (stays_open || held) {
        return;
    } else if (!is_promised(test, probe)) {
        probe->verdict = VERDICT_NOTE;
        probe->because = "because_policy";
    } else if (!probe->known) {
        probe->verdict = VERDICT_NOTE;
        probe->because = "because_unlisted";
    } else {
        probe->verdict = VERDICT_FAULT;
    }
}

void selftest_run(struct selftest *test)
{
    unsigned silences = 0;
    for (size_t i = 0; i < test->count; i++) {
        struct selftest_probe *probe = &test->probes[i];
        probe->seen = silences < SILENCES_MAX ? ask(test, probe->name) : SEEN_SILENCE;
        silences = probe->seen == SEEN_SILENCE ? silences + 1 : 0;
        judge(test, probe);
        test->faults += probe->verdict == VERDICT_FAULT;
    }
}

const char *selftest_say(const struct selftest *test, const char *id)
{
    return wordbook_get(test->book, test->language, id);
}

const char *selftest_category(const struct selftest *test, const struct selftest_probe *probe)
{
    const struct catalog_category *category = catalog_find(test->catalog, probe->category);
    return category ? catalog_text_in(category->names, category->name_count, test->language)
                    : selftest_say(test, probe->category);
}

const char *selftest_seen_id(enum selftest_seen seen)
{
    static const char *const ids[] = {"seen_blocked", "seen_safe", "seen_open", "seen_silence",
                                      "seen_failure"};
    return ids[seen];
}

const char *selftest_verdict_id(enum selftest_verdict verdict)
{
    static const char *const ids[] = {"good", "note", "fault"};
    return ids[verdict];
}
