// SPDX-License-Identifier: Apache-2.0
/* Hit rates of the cache and of an exact LRU of the same size over a trace of names:
 * bench_cache FILE (a name per line, in the order in which they were asked). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/cache.h"

enum { NAMES_MAX = 1 << 20, TTL = 86400, STUFFED_EVERY = 2, ENTRY_OVERHEAD = 40 };

static char *names[NAMES_MAX];
static unsigned count;

/* A whole message with one A record. */
static size_t make_answer(const struct dname *name, struct answer *answer)
{
    static uint8_t wire[512];
    static uint16_t ttl_at[1];
    struct wire out;
    wire_init(&out, wire, sizeof(wire));
    wire_put_u32(&out, FLAG_QR);
    wire_put_u32(&out, 0x00010001);
    wire_put_u32(&out, 0);
    wire_put(&out, name->wire, name->len);
    wire_put_u32(&out, 0x00010001);
    wire_put_u16(&out, 0xc00c);
    wire_put_u32(&out, 0x00010001);
    ttl_at[0] = (uint16_t)out.len;
    wire_put_u32(&out, TTL);
    wire_put_u16(&out, 4);
    wire_put_u32(&out, 0);
    *answer = (struct answer){wire, out.len, ttl_at, 1, TTL, RCODE_NOERROR, false};
    return (out.len + 9) / 8 * 8 + ENTRY_OVERHEAD;
}

/* The n-th name of the trace; with stuffing a random one of its own comes between. */
static bool trace_name(unsigned at, bool stuffed, char text[300])
{
    if (stuffed && at % STUFFED_EVERY) {
        snprintf(text, 300, "r%u.random-subdomain.example", at);
        return false;
    }
    snprintf(text, 300, "%s", names[(stuffed ? at / STUFFED_EVERY : at) % count]);
    return true;
}

static double run_cache(size_t bytes, bool stuffed)
{
    static uint8_t buffer[DNS_MESSAGE_MAX + 1 + ANSWER_RECORDS_MAX * 2];
    struct cache *cache = cache_new(bytes);
    unsigned hits = 0, steps = count * (stuffed ? STUFFED_EVERY : 1);
    for (unsigned at = 0; cache && at < steps; at++) {
        char text[300];
        struct dname name;
        struct cache_copy copy;
        struct answer answer;
        bool counts = trace_name(at, stuffed, text);
        const struct cache_key key = {.name = &name, .type = TYPE_A};
        const struct cache_want want = {buffer, sizeof(buffer), 1, 0};
        const struct cache_mark mark = {.now_s = 1};
        if (dname_parse(text, &name) < 0) {
            continue;
        }
        if (cache_get(cache, &key, &want, &copy)) {
            hits += counts;
            continue;
        }
        make_answer(&name, &answer);
        cache_put(cache, &key, &answer, &mark);
    }
    cache_free(cache);
    return (double)hits / count;
}

/* A plain list from the newest to the oldest; slow and right. */
struct node {
    struct node *older, *newer, *chain;
    size_t size;
    char text[];
};

struct lru {
    struct node *newest, *oldest, *buckets[1 << 16];
    size_t used;
};

static unsigned long hash_text(const char *text)
{
    unsigned long hash = 5381;
    while (*text) {
        hash = hash * 33 ^ (unsigned char)*text++;
    }
    return hash & 0xffff;
}

static void take_out(struct lru *lru, struct node *node)
{
    *(node->newer ? &node->newer->older : &lru->newest) = node->older;
    *(node->older ? &node->older->newer : &lru->oldest) = node->newer;
}

static void put_first(struct lru *lru, struct node *node)
{
    node->newer = NULL;
    node->older = lru->newest;
    *(lru->newest ? &lru->newest->newer : &lru->oldest) = node;
    lru->newest = node;
}

static void drop_last(struct lru *lru)
{
    struct node *node = lru->oldest, **at = &lru->buckets[hash_text(node->text)];
    while (*at != node) {
        at = &(*at)->chain;
    }
    *at = node->chain;
    take_out(lru, node);
    lru->used -= node->size;
    free(node);
}

/* True when it was there; it is the newest afterwards. */
static bool lru_ask(struct lru *lru, const char *text, size_t bytes)
{
    struct node **bucket = &lru->buckets[hash_text(text)], *node = *bucket;
    struct dname name;
    struct answer answer;
    while (node && strcmp(node->text, text) != 0) {
        node = node->chain;
    }
    if (node) {
        take_out(lru, node);
        put_first(lru, node);
        return true;
    }
    if (dname_parse(text, &name) < 0 || !(node = calloc(1, sizeof(*node) + strlen(text) + 1))) {
        return false;
    }
    strcpy(node->text, text);
    node->size = make_answer(&name, &answer);
    node->chain = *bucket;
    *bucket = node;
    put_first(lru, node);
    lru->used += node->size;
    while (lru->used > bytes) {
        drop_last(lru);
    }
    return false;
}

static double run_lru(size_t bytes, bool stuffed)
{
    struct lru *lru = calloc(1, sizeof(*lru));
    unsigned hits = 0, steps = count * (stuffed ? STUFFED_EVERY : 1);
    for (unsigned at = 0; lru && at < steps; at++) {
        char text[300];
        bool counts = trace_name(at, stuffed, text);
        hits += lru_ask(lru, text, bytes) && counts;
    }
    while (lru && lru->oldest) {
        drop_last(lru);
    }
    free(lru);
    return (double)hits / count;
}

int main(int argc, char **argv)
{
    static const size_t sizes_kb[] = {64, 128, 256, 512, 1024, 2048};
    char line[300];
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (!file) {
        fprintf(stderr, "usage: bench_cache FILE\n");
        return 2;
    }
    while (count < NAMES_MAX && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        names[count++] = strdup(line);
    }
    fclose(file);
    printf("%u questions; an LRU of the same bytes pays for no index\n"
           "   size     cache       LRU    the same, every other question a random name\n",
           count);
    for (size_t i = 0; i < sizeof(sizes_kb) / sizeof(sizes_kb[0]); i++) {
        size_t bytes = sizes_kb[i] << 10;
        printf("%4zu KB  %7.2f %%  %7.2f %%    %7.2f %%  %7.2f %%\n", sizes_kb[i],
               100 * run_cache(bytes, false), 100 * run_lru(bytes, false),
               100 * run_cache(bytes, true), 100 * run_lru(bytes, true));
    }
    return 0;
}
