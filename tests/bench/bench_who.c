// SPDX-License-Identifier: Apache-2.0
/* bench_who: what it costs to find a client's group among 10 and among 10,000 subnets,
 * MACs and devices of known address. Both take turns; the median of the rounds counts. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "policy/client.h"
#include "policy/residents.h"

enum { ROUNDS = 15, LOOKS = 200000, FEW = 10, MANY = 10000, KINDS = 3 };

static const char *const words[KINDS] = {"subnet", "device", "MAC"};

struct side {
    unsigned count;
    struct client_index *subnets;
    struct residents *residents;
    struct keyring *keys;
    double ns[KINDS][ROUNDS];
};

static struct addr addr_of(unsigned net, unsigned at)
{
    return (struct addr){.family = AF_INET,
                         .bytes = {(uint8_t)net, (uint8_t)(at >> 8), (uint8_t)at, 7}};
}

static void fill(struct side *side, unsigned count)
{
    struct client_rule *rules = calloc(count, sizeof(*rules));
    side->count = count;
    side->residents = residents_new();
    side->keys = keyring_new(count);
    for (unsigned i = 0; i < count; i++) {
        struct member member = {.kind = MEMBER_MAC,
                                .mac = {2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}};
        rules[i] = (struct client_rule){{addr_of(10, i), 24}, (uint16_t)(i % 200)};
        rules[i].prefix.addr.bytes[3] = 0;
        if (residents_add(side->residents, &(struct resident){addr_of(172, i), 1, 0}) < 0) {
            abort();
        }
        keyring_add(side->keys, &member, (uint16_t)(i % 200));
    }
    side->subnets = client_index_new(rules, count);
    free(rules);
}

static unsigned look(const struct side *side, unsigned kind, unsigned at)
{
    const struct addr addr = addr_of(kind == 0 ? 10 : 172, at);
    const uint8_t mac[6] = {2, 0, 0, 0, (uint8_t)(at >> 8), (uint8_t)at};
    return kind == 0   ? client_find(side->subnets, &addr) != CLIENT_NONE
           : kind == 1 ? residents_find(side->residents, &addr) != NULL
                       : keyring_find_mac(side->keys, mac) != KEYRING_NONE;
}

static double measure(const struct side *side, unsigned kind)
{
    unsigned found = 0;
    uint64_t start = clock_mono_us(&clock_system);
    for (unsigned i = 0; i < LOOKS; i++) {
        found += look(side, kind, i * 2654435761U % side->count);
    }
    double ns = (double)(clock_mono_us(&clock_system) - start) * 1000 / LOOKS;
    if (found != LOOKS) {
        abort();
    }
    return ns;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(void)
{
    static struct side sides[2];
    fill(&sides[0], FEW);
    fill(&sides[1], MANY);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned kind = 0; kind < KINDS; kind++) {
            for (unsigned k = 0; k < 2; k++) {
                sides[k].ns[kind][round] = measure(&sides[k], kind);
            }
        }
    }
    printf("%-8s %12s %12s %8s\n", "by", "10, ns", "10000, ns", "ratio");
    for (unsigned kind = 0; kind < KINDS; kind++) {
        double median[2];
        for (unsigned k = 0; k < 2; k++) {
            qsort(sides[k].ns[kind], ROUNDS, sizeof(double), by_value);
            median[k] = sides[k].ns[kind][ROUNDS / 2];
        }
        printf("%-8s %12.1f %12.1f %8.2f\n", words[kind], median[0], median[1],
               median[1] / median[0]);
    }
    return 0;
}
