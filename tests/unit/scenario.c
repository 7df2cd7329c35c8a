// SPDX-License-Identifier: Apache-2.0
#include "scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void fail_here(const struct scenario *scenario, const char *what, const char *word)
{
    fail_msg("%s:%u: %s '%s'", scenario->path, scenario->line, what, word);
}

void append(const struct scenario *scenario, char *to, const char *text)
{
    size_t len = strlen(to);
    if (len + strlen(text) + 1 > TEXT_MAX) {
        fail_here(scenario, "too long at", text);
    }
    strcpy(to + len, text);
}

/* An underscore stands for a blank, but for that of the key not_on. */
char *blanks(char *word)
{
    for (char *c = strchr(word, '_'); c; c = strchr(c + 1, '_')) {
        *c = c - word >= 3 && strncmp(c - 3, "not_on", 6) == 0 ? '_' : ' ';
    }
    return word;
}

/* schedule GROUP ROW: a row of its schedule, as in the configuration */
void say_schedule(struct scenario *scenario, char **words, size_t count)
{
    if (count != 3) {
        fail_here(scenario, "schedule needs a group and a row", words[0]);
    }
    char at[64];
    snprintf(at, sizeof(at), "{name: %s,", words[1]);
    char *group = strstr(scenario->groups, at);
    char *end = group ? strchr(group, '\n') : NULL;
    char *rows = group ? strstr(group, ", schedule: [") : NULL;
    char rest[TEXT_MAX], line[512];
    if (!end) {
        fail_here(scenario, "no group", words[1]);
    }
    end--; /* the brace that closes the group */
    if (rows && rows < end) {
        end -= 1; /* the bracket of the rows */
        snprintf(line, sizeof(line), ", %s", blanks(words[2]));
    } else {
        snprintf(line, sizeof(line), ", schedule: [%s]", blanks(words[2]));
    }
    snprintf(rest, sizeof(rest), "%s", end);
    *end = '\0';
    append(scenario, scenario->groups, line);
    append(scenario, scenario->groups, rest);
}

/* pause SECONDS [group G]; window block|allow WHAT SECONDS [group G] */
void say_window(struct scenario *scenario, char **words, size_t count)
{
    bool pause = strcmp(words[0], "pause") == 0;
    size_t at = pause ? 1 : 3;
    int64_t now = scenario->world ? scenario->world->wall_s : 1800000000;
    struct window *window = &scenario->windows[scenario->window_count++];
    if (count <= at || scenario->window_count > 15) {
        fail_here(scenario, "bad window", words[0]);
    }
    *window = (struct window){.from = now, .until = now + atoi(words[at])};
    window->kind = pause                            ? WINDOW_PAUSE
                   : strcmp(words[1], "block") == 0 ? WINDOW_BLOCK
                                                    : WINDOW_ALLOW;
    snprintf(window->what, sizeof(window->what), "%s", pause ? "" : words[2]);
    if (count > at + 2 && strcmp(words[at + 1], "group") == 0) {
        snprintf(window->group, sizeof(window->group), "%s", words[at + 2]);
    }
}

/* zone NAME */
void say_zone(struct scenario *scenario, char **words, size_t count)
{
    (void)scenario;
    (void)count;
    setenv("TZ", words[1], 1);
    tzset();
}

/* time 2026-03-29T01:30: of the wall, in the zone; the monotonic clock goes on with it */
void say_time(struct scenario *scenario, const char *word)
{
    struct tm tm = {.tm_isdst = -1};
    if (!strptime(word, "%Y-%m-%dT%H:%M", &tm)) {
        fail_here(scenario, "no time:", word);
    }
    scenario->world->wall_s = mktime(&tm);
    scenario->world->mono_us += 1000000;
    world_tick(scenario->world);
}
