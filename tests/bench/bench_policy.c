// SPDX-License-Identifier: Apache-2.0
/* bench_policy: what 100,000 addresses and 100 patterns add to a query that is blocked
 * by a name, or answered from the cache; and what patterns cost by their kind.
 *
 * The real stages run in this process. Both worlds take turns, so that a slower moment
 * of the machine is both's; the median of the rounds counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/lists.h"
#include "tests/unit/zonelist.h"

enum { NAMES = 50000, ADDRESSES = 100000, PATTERNS = 100, ASKS = 20000, ROUNDS = 25 };

/* Without a limit of clients: one asks them all. */
static const char config[] = "dns: {rate_limit_qps: 0}\n"
                             "groups: [{name: all, clients: [], block: [adult]}]\n"
                             "block: {mode: nxdomain}\n";

struct side {
    struct world *world;
    double ns[2][ROUNDS]; /* blocked, cached */
};

static char *make_lines(bool more)
{
    /* As they stand in lists that people use: texts before and behind a number. */
    static const char *const kinds[][2] = {
        {"/(^|\\.)track", "[a-z]*\\./"},
        {"/^ad[sx]?", "[._-]server/"},
        {"/casino", ".*\\.(com|net)$/"},
        {"/^(.+[_.-])?telemetry", "[_.-]/"},
    };
    size_t cap = 64UL * (NAMES + ADDRESSES + PATTERNS), at = 0;
    char *lines = malloc(cap);
    for (unsigned i = 0; i < NAMES; i++) {
        at += (size_t)sprintf(lines + at, "bad%u.listed%u.example\n", i, i % 977);
    }
    for (unsigned i = 0; more && i < ADDRESSES; i++) {
        at += (size_t)sprintf(lines + at, "%u.%u.%u.%u\n", 20 + i % 50, i / 50 % 251, i / 12550 % 8,
                              i * 7 % 251);
    }
    for (unsigned i = 0; more && i < PATTERNS; i++) {
        const char *const *kind = kinds[i % 4];
        at += (size_t)sprintf(lines + at, "%s%02u%s\n", kind[0], i, kind[1]);
    }
    lines[at] = '\0';
    return lines;
}

static void ask(struct world *world, const char *name)
{
    const struct world_question question = {.client = "10.0.0.7", .name = name, .type = 1};
    world_ask(world, &question);
}

static double ask_many(struct side *side, bool blocked)
{
    char names[256][64];
    for (unsigned i = 0; i < 256; i++) {
        snprintf(names[i], sizeof(names[i]),
                 blocked ? "bad%u.listed%u.example" : "www.host%u.example", i * 31, i * 31 % 977);
        ask(side->world, names[i]);
    }
    unsigned asked = side->world->asked;
    uint64_t start = clock_mono_us(&clock_system);
    for (unsigned i = 0; i < ASKS; i++) {
        ask(side->world, names[i % 256]);
    }
    double ns = (double)(clock_mono_us(&clock_system) - start) * 1000 / ASKS;
    if (side->world->asked != asked || (world_rcode(side->world) == RCODE_NXDOMAIN) != blocked) {
        fprintf(stderr, "bench_policy: not what was to be measured\n");
        exit(1);
    }
    return ns;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof(*values), by_value);
    return values[ROUNDS / 2];
}

static void print_cost(const struct world *world)
{
    struct regex_cost cost;
    if (regex_measure(world->snapshot->db, 0, &cost) == 0) {
        printf("       %u patterns: %.0f ns per name, %u always tried\n", cost.patterns,
               cost.ns_per_name, cost.always);
    }
}

int main(void)
{
    struct side sides[2];
    bool good = true;
    for (int more = 0; more < 2; more++) {
        char *lines = make_lines(more);
        const struct world_list list = {"list", "adult", FORMAT_ZONELIST, 0, lines};
        const struct world_setup setup = {config, &list, 1, NULL, 0};
        sides[more].world = world_new(&setup);
        free(lines);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int which = 0; which < 4; which++) {
            struct side *side = &sides[which & 1];
            side->ns[which / 2][round] = ask_many(side, which < 2);
        }
    }
    for (int kind = 0; kind < 2; kind++) {
        double without = median(sides[0].ns[kind]), with = median(sides[1].ns[kind]);
        bool ok = with <= 1.1 * without;
        printf("  %s %s: %.0f ns without, %.0f ns with %d addresses and %d patterns: %.3f times, "
               "goal 1.1\n",
               ok ? "ok  " : "OVER", kind ? "cached" : "blocked", without, with, ADDRESSES,
               PATTERNS, with / without);
        good &= ok;
    }
    print_cost(sides[1].world);
    world_free(sides[0].world);
    world_free(sides[1].world);
    return good ? 0 : 1;
}
