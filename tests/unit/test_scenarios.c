// SPDX-License-Identifier: Apache-2.0
/* Runs tests/scenarios/NAME.txt: the real stages of a query under a fake clock and a
 * fake upstream. tests/scenarios/README.md tells the words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/explain.h"
#include "policy/geo.h"
#include "scenario.h"
#include "zonelist.h"

static size_t split(char *line, char *words[WORDS_MAX])
{
    size_t count = 0;
    for (char *word = strtok(line, " \t\n"); word && count < WORDS_MAX;
         word = strtok(NULL, " \t\n")) {
        words[count++] = word;
    }
    return count;
}

static int format_of(const struct scenario *scenario, const char *word)
{
    static const char *const formats[] = {"auto", "hosts", "domains", "adblock"};
    if (strcmp(word, "zone") == 0) {
        return FORMAT_ZONELIST;
    }
    for (int i = 0; i < 4; i++) {
        if (strcmp(word, formats[i]) == 0) {
            return i;
        }
    }
    fail_here(scenario, "unknown format", word);
    return -1;
}

/* list ID CATEGORY FORMAT LINE ... (an underscore in a line stands for a blank) */
static void say_list(struct scenario *scenario, char **words, size_t count)
{
    if (scenario->list_count == WORLD_LISTS_MAX || count < 5) {
        fail_here(scenario, "a list needs id, category, format, lines", words[0]);
    }
    size_t at = scenario->list_count++;
    snprintf(scenario->names[at][0], 32, "%s", words[1]);
    snprintf(scenario->names[at][1], 32, "%s", words[2]);
    for (size_t i = 4; i < count; i++) {
        append(scenario, scenario->texts[at], blanks(words[i]));
        append(scenario, scenario->texts[at], "\n");
    }
    scenario->lists[at] =
        (struct world_list){scenario->names[at][0], scenario->names[at][1],
                            format_of(scenario, words[3]), MATCH_AUTO, scenario->texts[at]};
}

/* group NAME [SUBNET ...] blocks CATEGORY ... [mode MODE] [KEY: VALUE]; the last as in the
 * configuration, an underscore for a blank */
static void say_group(struct scenario *scenario, char **words, size_t count)
{
    const char *part = "clients";
    char line[TEXT_MAX];
    snprintf(line, sizeof(line), "  - {name: %s, clients: [", words[1]);
    for (size_t i = 2; i < count; i++) {
        if (strcmp(words[i], "blocks") == 0) {
            append(scenario, line, "], block: [");
            part = "block";
        } else if (strcmp(words[i], "mode") == 0 && i + 1 < count) {
            append(scenario, line, "], mode: ");
            append(scenario, line, words[++i]);
            part = NULL;
        } else if (strchr(words[i], ':') && words[i][strlen(words[i]) - 1] == ':' &&
                   i + 1 < count) {
            append(scenario, line, part ? "], " : ", ");
            append(scenario, line, words[i]);
            append(scenario, line, " ");
            append(scenario, line, blanks(words[++i]));
            part = NULL;
        } else {
            append(scenario, line, "\"");
            append(scenario, line, words[i]);
            append(scenario, line, "\", ");
        }
    }
    append(scenario, line, part ? "]}\n" : "}\n");
    append(scenario, scenario->groups, line);
}

/* set SECTION KEY VALUE */
static void say_set(struct scenario *scenario, char **words, size_t count)
{
    char line[512];
    if (count != 4) {
        fail_here(scenario, "set needs section, key, value", words[0]);
    }
    blanks(words[3]);
    if (strcmp(words[1], "lists") == 0) {
        snprintf(line, sizeof(line), "  %s: %s\n", words[2], words[3]);
        append(scenario, scenario->of_lists, line);
        return;
    }
    snprintf(line, sizeof(line), "%s: {%s: %s}\n", words[1], words[2], words[3]);
    append(scenario, scenario->config, line);
}

/* rule allow|block NAME [exact] [group G] */
static void say_rule(struct scenario *scenario, char **words, size_t count)
{
    struct rule rule = {.allow = strcmp(words[1], "allow") == 0};
    size_t len = count >= 3 ? strlen(words[2]) : 0;
    bool pattern = len > 2 && words[2][0] == '/' && words[2][len - 1] == '/';
    if (pattern) {
        rule.name.len = 1;
        snprintf(rule.pattern, sizeof(rule.pattern), "%.*s", (int)len - 2, words[2] + 1);
    }
    if (scenario->rule_count == WORLD_RULES_MAX || count < 3 ||
        (!pattern && dname_parse(words[2], &rule.name) < 0)) {
        fail_here(scenario, "bad rule", words[1]);
    }
    for (size_t i = 3; i < count; i++) {
        rule.exact |= strcmp(words[i], "exact") == 0;
        if (strcmp(words[i], "group") == 0 && i + 1 < count) {
            snprintf(rule.group, sizeof(rule.group), "%s", words[i + 1]);
        }
    }
    scenario->rules[scenario->rule_count++] = rule;
}

/* shadow ID: the list only counts */
static void say_shadow(struct scenario *scenario, char **words, size_t count)
{
    char line[256];
    if (count != 2) {
        fail_here(scenario, "shadow needs the id of a list", words[0]);
    }
    snprintf(line, sizeof(line),
             "    - {id: %s, url: \"file:///list\", category: adult, shadow: true}\n", words[1]);
    append(scenario, scenario->shadows, line);
}

static void load(struct scenario *scenario)
{
    char config[4 * TEXT_MAX + 64];
    bool of_lists = scenario->of_lists[0] || scenario->shadows[0];
    snprintf(config, sizeof(config), "%s%s%s%s%s%s%s", scenario->config, of_lists ? "lists:\n" : "",
             scenario->of_lists, scenario->shadows[0] ? "  sources:\n" : "", scenario->shadows,
             scenario->groups[0] ? "groups:\n" : "", scenario->groups);
    const struct world_setup setup = {config,
                                      scenario->lists,
                                      scenario->list_count,
                                      scenario->rules,
                                      scenario->rule_count,
                                      scenario->windows,
                                      scenario->window_count,
                                      scenario->devices,
                                      scenario->device_count,
                                      scenario->places,
                                      scenario->place_count};
    if (scenario->world) {
        world_change(scenario->world, &setup);
    } else {
        scenario->world = world_new(&setup);
    }
    scenario->changed = false;
}

/* "00:01:+example.org:..." : octets in hex; behind a plus a name, behind = a text */
static bool read_data(struct world *world, char *word)
{
    struct wire out;
    struct dname name;
    bool good = true;
    wire_init(&out, world->upstream_data, sizeof(world->upstream_data));
    for (char *save = NULL, *part = strtok_r(word, ":", &save); part && good;
         part = strtok_r(NULL, ":", &save)) {
        char *end = part;
        if (*part == '+') {
            good = dname_parse(part + 1, &name) == 0;
            wire_put(&out, name.wire, name.len);
        } else if (*part == '=') {
            wire_put(&out, part + 1, strlen(part + 1));
        } else {
            wire_put_u8(&out, (uint8_t)strtoul(part, &end, 16));
            good = !*end;
        }
    }
    world->upstream_data_len = out.len;
    return good && !out.full;
}

/* upstream answers ADDRESS [ttl N] | data OCTETS | alias NAME ADDRESS | nxdomain | fails */
static void say_upstream(struct scenario *scenario, char **words, size_t count)
{
    struct world *world = scenario->world;
    bool good = true;
    if (strcmp(words[1], "answers") == 0 && count >= 3) {
        world->upstream = WORLD_ADDRESS;
        good = addr_parse(words[2], &world->upstream_address) == 0;
        world->upstream_ttl = count == 5 ? (uint32_t)atoi(words[4]) : 300;
    } else if (strcmp(words[1], "alias") == 0 && count == 4) {
        world->upstream = WORLD_ALIAS;
        good = dname_parse(words[2], &world->upstream_alias) == 0 &&
               addr_parse(words[3], &world->upstream_address) == 0;
    } else if (strcmp(words[1], "data") == 0 && count == 3) {
        world->upstream = WORLD_DATA;
        good = read_data(world, words[2]);
    } else if (strcmp(words[1], "nxdomain") == 0) {
        world->upstream = WORLD_NXDOMAIN;
    } else {
        world->upstream = WORLD_FAILS;
        good = strcmp(words[1], "fails") == 0;
    }
    if (!good) {
        fail_here(scenario, "unknown words of the upstream", words[1]);
    }
}

static bool has_address(const struct world *world, const char *address)
{
    char record[DNAME_TEXT_MAX + 64];
    for (unsigned i = 0;; i++) {
        snprintf(record, sizeof(record), "%s", world_record(world, i));
        char *start = strchr(record, ' ');
        char *end = start ? strchr(start + 1, ' ') : NULL;
        if (!end) {
            return false;
        }
        *end = '\0';
        if (strcmp(start + 1, address) == 0) {
            return true;
        }
    }
}

/* Is that, in hex without colons, the data of the first record? */
static bool has_data(const struct world *world, const char *hex)
{
    size_t pos = DNS_HEADER;
    struct dname name;
    struct rr rr;
    char text[2 * 512 + 1] = "";
    if (load_u16(world->reply + 6) == 0 ||
        dname_read(world->reply, world->reply_len, &pos, &name) < 0) {
        return false;
    }
    pos += 4;
    if (rr_read(world->reply, world->reply_len, &pos, &rr) < 0 || rr.rdlen > 512) {
        return false;
    }
    for (size_t i = 0; i < rr.rdlen; i++) {
        snprintf(text + 2 * i, 3, "%02x", world->reply[rr.rdata + i]);
    }
    if (strcmp(text, hex) != 0) {
        print_error("the data are %s\n", text);
    }
    return strcmp(text, hex) == 0;
}

static uint64_t sum_verdict(const struct world *world, int verdict)
{
    uint64_t sum = 0;
    for (unsigned g = 0; g < STATS_GROUPS_MAX; g++) {
        for (unsigned c = 0; c < STATS_CATEGORIES_MAX; c++) {
            sum += world->worker.stats->sums[g][c][verdict];
        }
    }
    return sum;
}

static bool reason_is(const struct scenario *scenario, char **words, const char *reason)
{
    struct explanation why;
    struct dname name;
    struct addr client;
    if (dname_parse(words[3], &name) < 0 || addr_parse(words[0], &client) < 0) {
        return false;
    }
    const struct asker asker = {.client = &client};
    policy_explain(scenario->world->snapshot, &name, &asker, &why);
    return strcmp(why.reason, reason) == 0;
}

/* Did the statistics' verdict of that name grow by one with the newest question? */
static bool counted_as(const struct scenario *scenario, const char *verdict)
{
    for (int v = 0; v < STATS_VERDICTS; v++) {
        if (strcmp(stats_verdict_names[v], verdict) == 0) {
            return sum_verdict(scenario->world, v) == scenario->counted[v] + 1;
        }
    }
    return false;
}

/* Was one country counted for the newest question, or with "none" none? */
static bool country_counted(const struct scenario *scenario, const char *country)
{
    unsigned wanted = geo_country_index((uint16_t)(country[0] << 8 | country[1]));
    bool good = true;
    for (unsigned i = 0; i < STATS_COUNTRIES; i++) {
        uint64_t more = scenario->world->worker.stats->countries[i] - scenario->counted_places[i];
        good = good && more == (wanted && i == wanted);
    }
    return good;
}

/* One word of what is expected. */
static bool holds(const struct scenario *scenario, char **words, const char *word)
{
    const struct world *world = scenario->world;
    const char *value = strchr(word, '=');
    const char *record = world_record(world, 0);
    static const struct {
        const char *word;
        uint8_t rcode;
    } rcodes[] = {{"nxdomain", 3}, {"refused", 5}, {"servfail", 2}, {"noerror", 0}};
    for (size_t i = 0; i < sizeof(rcodes) / sizeof(rcodes[0]); i++) {
        if (strcmp(word, rcodes[i].word) == 0) {
            return world->reply_len > 0 && world_rcode(world) == rcodes[i].rcode;
        }
    }
    if (strcmp(word, "truncated") == 0) {
        return world_truncated(world) && !*record;
    }
    if (strcmp(word, "silence") == 0) {
        return world->reply_len == 0;
    }
    if (strcmp(word, "empty") == 0) {
        return world_rcode(world) == 0 && !*record;
    }
    if (strncmp(word, "ede=", 4) == 0) {
        return world_ede(world) == atoi(value + 1);
    }
    if (strncmp(word, "ttl=", 4) == 0) {
        const char *ttl = strrchr(record, ' ');
        return ttl && strcmp(ttl + 1, value + 1) == 0;
    }
    if (strncmp(word, "alias=", 6) == 0) {
        char alias[DNAME_TEXT_MAX + 16];
        snprintf(alias, sizeof(alias), "CNAME %s ", value + 1);
        return strncmp(record, alias, strlen(alias)) == 0;
    }
    if (strncmp(word, "data=", 5) == 0) {
        return has_data(world, value + 1);
    }
    if (strncmp(word, "resolved=", 9) == 0) {
        char name[DNAME_TEXT_MAX];
        return strcmp(dname_print(&world->asked_name, name), value + 1) == 0;
    }
    if (strncmp(word, "counted=", 8) == 0) {
        return counted_as(scenario, value + 1);
    }
    if (strncmp(word, "country=", 8) == 0) {
        return country_counted(scenario, value + 1);
    }
    if (strncmp(word, "reason=", 7) == 0) {
        return reason_is(scenario, words, value + 1);
    }
    return has_address(world, word);
}

/* CLIENT asks|asks-tcp TYPE NAME -> [asked|cached] WORD ... */
static void say_ask(struct scenario *scenario, char **words, size_t count)
{
    struct world *world = scenario->world;
    struct world_question question = {.client = words[0],
                                      .name = words[3],
                                      .edns = true,
                                      .tcp = strcmp(words[1], "asks-tcp") == 0};
    if (count < 6 || strcmp(words[4], "->") != 0 || type_parse(words[2], &question.type) < 0) {
        fail_here(scenario, "expected: CLIENT asks TYPE NAME -> WORDS, not", words[0]);
    }
    unsigned before = world->asked;
    for (int v = 0; v < STATS_VERDICTS; v++) {
        scenario->counted[v] = sum_verdict(world, v);
    }
    for (unsigned i = 0; i < STATS_COUNTRIES; i++) {
        scenario->counted_places[i] = world->worker.stats->countries[i];
    }
    question.mac = scenario->has_mac ? scenario->mac : NULL;
    question.id = scenario->id;
    world_ask(world, &question);
    for (size_t i = 5; i < count; i++) {
        bool asked = strcmp(words[i], "asked") == 0, cached = strcmp(words[i], "cached") == 0;
        bool good = asked    ? world->asked == before + 1
                    : cached ? world->asked == before
                             : holds(scenario, words, words[i]);
        if (!good) {
            print_error("got rcode %u, ede %d, first record '%s', upstream asked %u times\n",
                        world_rcode(world), world_ede(world), world_record(world, 0),
                        world->asked - before);
            fail_here(scenario, "does not hold:", words[i]);
        }
    }
}

static void run_line(struct scenario *scenario, char *line)
{
    static const struct {
        const char *word;
        void (*say)(struct scenario *scenario, char **words, size_t count);
    } settings[] = {{"list", say_list},    {"group", say_group},   {"set", say_set},
                    {"rule", say_rule},    {"shadow", say_shadow}, {"schedule", say_schedule},
                    {"pause", say_window}, {"window", say_window}, {"zone", say_zone},
                    {"place", say_place},  {"device", say_device}};
    char *words[WORDS_MAX];
    line[strcspn(line, "#")] = '\0';
    size_t count = split(line, words);
    for (size_t i = 0; count > 1 && i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (strcmp(words[0], settings[i].word) == 0) {
            settings[i].say(scenario, words, count);
            scenario->changed = true;
            return;
        }
    }
    if (count == 2 && strcmp(words[0], "forget") == 0) { /* forget lists|rules|groups|shadows */
        scenario->list_count = strcmp(words[1], "lists") ? scenario->list_count : 0;
        scenario->rule_count = strcmp(words[1], "rules") ? scenario->rule_count : 0;
        scenario->groups[0] = strcmp(words[1], "groups") ? scenario->groups[0] : '\0';
        scenario->shadows[0] = strcmp(words[1], "shadows") ? scenario->shadows[0] : '\0';
        scenario->device_count = strcmp(words[1], "devices") ? scenario->device_count : 0;
        scenario->place_count = strcmp(words[1], "places") ? scenario->place_count : 0;
        scenario->window_count = strcmp(words[1], "windows") ? scenario->window_count : 0;
        memset(scenario->texts[0], 0, scenario->list_count ? 0 : sizeof(scenario->texts));
        scenario->changed = true;
        return;
    }
    if (count == 0) {
        return;
    }
    if (scenario->changed) {
        load(scenario);
    }
    if (strcmp(words[0], "upstream") == 0 && count > 1) {
        say_upstream(scenario, words, count);
    } else if (strcmp(words[0], "after") == 0 && count == 2) {
        scenario->world->mono_us += (uint64_t)atoi(words[1]) * 1000000;
        scenario->world->wall_s += atoi(words[1]);
        world_tick(scenario->world);
    } else if (strcmp(words[0], "time") == 0 && count == 2) {
        say_time(scenario, words[1]);
    } else if (strcmp(words[0], "says") == 0 && count >= 2) {
        say_who(scenario, words, count);
    } else if (strcmp(words[0], "clock") == 0 && count == 2) {
        scenario->world->clock_in_doubt = strcmp(words[1], "doubtful") == 0;
        world_tick(scenario->world);
    } else if (count > 1 && strncmp(words[1], "asks", 4) == 0) {
        say_ask(scenario, words, count);
    } else {
        fail_here(scenario, "unknown words", words[0]);
    }
}

static void run_scenario(void **state)
{
    struct scenario *scenario = calloc(1, sizeof(*scenario));
    char line[TEXT_MAX];
    unsigned asks = 0;
    scenario->path = *state;
    scenario->changed = true;
    FILE *file = fopen(scenario->path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        scenario->line++;
        asks += strstr(line, " asks ") != NULL;
        run_line(scenario, line);
    }
    fclose(file);
    assert_true(asks > 0);
    world_free(scenario->world);
    free(scenario);
}

int main(void)
{
    static struct CMUnitTest tests[FILES_MAX];
    glob_t found;
    size_t count = 0;
    if (glob("tests/scenarios/*.txt", 0, NULL, &found) != 0) {
        fprintf(stderr, "no tests/scenarios/*.txt: run from the top folder\n");
        return 1;
    }
    for (; count < found.gl_pathc && count < FILES_MAX; count++) {
        const char *base = strrchr(found.gl_pathv[count], '/') + 1;
        tests[count] = (struct CMUnitTest){base, run_scenario, NULL, NULL, found.gl_pathv[count]};
    }
    int failed = _cmocka_run_group_tests("scenarios", tests, count, NULL, NULL);
    globfree(&found);
    return failed;
}
