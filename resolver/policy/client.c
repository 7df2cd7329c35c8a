// SPDX-License-Identifier: Apache-2.0
#include "policy/client.h"

#include <endian.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>

/* One order for both families, IPv4 first. */
struct key {
    uint64_t family, high, low;
};

struct range {
    struct key start; /* until the next range's start */
    uint16_t value;
};

struct client_index {
    size_t count;
    size_t ipv4_count;
    uint32_t *ipv4; /* starts of the first ranges once more: most clients, and close together */
    struct range ranges[];
};

/* A prefix as the run of keys it covers, both ends included. */
struct span {
    struct key first, last;
    uint16_t value;
};

static uint64_t load_be64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return be64toh(value);
}

static struct key key_of(const struct addr *addr)
{
    if (addr->family == AF_INET) {
        return (struct key){4, 0, load_be64(addr->bytes) >> 32};
    }
    return (struct key){6, load_be64(addr->bytes), load_be64(addr->bytes + 8)};
}

static int compare_keys(const struct key *a, const struct key *b)
{
    if (a->family != b->family) {
        return a->family < b->family ? -1 : 1;
    }
    if (a->high != b->high) {
        return a->high < b->high ? -1 : 1;
    }
    return a->low == b->low ? 0 : a->low < b->low ? -1 : 1;
}

static struct span span_of(const struct client_rule *rule)
{
    unsigned bits = rule->prefix.bits + (rule->prefix.addr.family == AF_INET ? 96 : 0);
    struct span span = {.first = key_of(&rule->prefix.addr), .value = rule->value};
    span.last.family = span.first.family;
    /* An IPv4 key is a 128-bit one whose first 96 bits are 0. */
    uint64_t high_rest = bits >= 64 ? 0 : bits == 0 ? UINT64_MAX : UINT64_MAX >> bits;
    uint64_t low_rest = bits <= 64 ? UINT64_MAX : bits == 128 ? 0 : UINT64_MAX >> (bits - 64);
    span.last.high = span.first.high | high_rest;
    span.last.low = span.first.low | low_rest;
    return span;
}

/* By start; of equal starts the wider first, so that what is open always encloses. */
static int compare_spans(const void *left, const void *right)
{
    const struct span *a = left, *b = right;
    int order = compare_keys(&a->first, &b->first);
    return order ? order : compare_keys(&b->last, &a->last);
}

/* What is open at a point of the sweep, innermost last, each with the least value of
 * itself and all around it. */
struct sweep {
    struct client_index *index;
    struct key end[130];
    uint16_t value[130];
    unsigned depth;
};

static void emit(struct sweep *sweep, struct key start)
{
    struct client_index *index = sweep->index;
    uint16_t value = sweep->depth ? sweep->value[sweep->depth - 1] : CLIENT_NONE;
    struct range *last = index->count ? &index->ranges[index->count - 1] : NULL;
    if (last && compare_keys(&last->start, &start) == 0) {
        last->value = value;
    } else if (!last || last->value != value) {
        index->ranges[index->count++] = (struct range){start, value};
    }
}

/* Close all that ends before `limit`; NULL closes all. */
static void close_before(struct sweep *sweep, const struct key *limit)
{
    while (sweep->depth && (!limit || compare_keys(&sweep->end[sweep->depth - 1], limit) < 0)) {
        struct key next = sweep->end[--sweep->depth];
        bool top = next.high == UINT64_MAX && next.low == UINT64_MAX;
        next.low++;
        next.high += next.low == 0;
        if (!top) {
            emit(sweep, next);
        }
    }
}

static void open_span(struct sweep *sweep, const struct span *span)
{
    uint16_t around = sweep->depth ? sweep->value[sweep->depth - 1] : CLIENT_NONE;
    sweep->end[sweep->depth] = span->last;
    sweep->value[sweep->depth++] = span->value < around ? span->value : around;
    emit(sweep, span->first);
}

static struct client_index *pick_ipv4(struct client_index *index)
{
    index->ipv4 = malloc((index->count + 1) * sizeof(*index->ipv4));
    if (!index->ipv4) {
        free(index);
        return NULL;
    }
    for (size_t i = 0; i < index->count; i++) {
        const struct key *start = &index->ranges[i].start;
        if (start->family != 4 || start->low > UINT32_MAX) {
            break;
        }
        index->ipv4[index->ipv4_count++] = (uint32_t)start->low;
    }
    return index;
}

struct client_index *client_index_new(const struct client_rule *rules, size_t count)
{
    struct client_index *index =
        malloc(sizeof(*index) + (2 * count + 1) * sizeof(index->ranges[0]));
    struct span *spans = malloc((count + 1) * sizeof(*spans));
    if (!index || !spans) {
        free(index);
        free(spans);
        return NULL;
    }
    *index = (struct client_index){0};
    for (size_t i = 0; i < count; i++) {
        spans[i] = span_of(&rules[i]);
    }
    qsort(spans, count, sizeof(*spans), compare_spans);
    struct sweep sweep = {.index = index};
    for (size_t i = 0; i < count; i++) {
        close_before(&sweep, &spans[i].first);
        bool again = i > 0 && compare_spans(&spans[i], &spans[i - 1]) == 0;
        if (again && sweep.depth) { /* the same prefix twice: the lower value stays */
            uint16_t *value = &sweep.value[sweep.depth - 1];
            *value = spans[i].value < *value ? spans[i].value : *value;
            emit(&sweep, spans[i].first);
        } else {
            open_span(&sweep, &spans[i]);
        }
    }
    close_before(&sweep, NULL);
    free(spans);
    return pick_ipv4(index);
}

void client_index_free(struct client_index *index)
{
    if (index) {
        free(index->ipv4);
        free(index);
    }
}

/* Without branches that depend on the data: each would be guessed wrong half the time. */
static uint16_t find_ipv4(const struct client_index *index, const struct addr *addr)
{
    uint32_t key = (uint32_t)(load_be64(addr->bytes) >> 32);
    const uint32_t *at = index->ipv4;
    size_t left = index->ipv4_count;
    while (left > 1) {
        size_t half = left / 2;
        at = at[half] <= key ? at + half : at;
        left -= half;
    }
    return left && *at <= key ? index->ranges[at - index->ipv4].value : CLIENT_NONE;
}

uint16_t client_find(const struct client_index *index, const struct addr *addr)
{
    if (addr->family == AF_INET) {
        return find_ipv4(index, addr);
    }
    struct key key = key_of(addr);
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_keys(&index->ranges[middle].start, &key) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low ? index->ranges[low - 1].value : CLIENT_NONE;
}

static uint8_t mask_bits(const struct sockaddr *mask)
{
    const uint8_t *at;
    size_t len = mask->sa_family == AF_INET ? 4 : 16;
    uint8_t bits = 0;
    at = mask->sa_family == AF_INET
             ? (const uint8_t *)&((const struct sockaddr_in *)mask)->sin_addr
             : (const uint8_t *)&((const struct sockaddr_in6 *)mask)->sin6_addr;
    for (size_t i = 0; i < len * 8 && (at[i / 8] & (0x80 >> i % 8)); i++) {
        bits++;
    }
    return bits;
}

size_t client_local_prefixes(struct client_rule *rules, size_t cap, uint16_t value)
{
    struct ifaddrs *all = NULL;
    size_t count = 0;
    if (getifaddrs(&all) < 0) {
        return 0;
    }
    for (struct ifaddrs *at = all; at && count < cap; at = at->ifa_next) {
        if (!at->ifa_addr || !at->ifa_netmask ||
            (at->ifa_addr->sa_family != AF_INET && at->ifa_addr->sa_family != AF_INET6)) {
            continue;
        }
        struct client_rule *rule = &rules[count];
        memset(rule, 0, sizeof(*rule));
        addr_from_sockaddr(at->ifa_addr, &rule->prefix.addr);
        rule->prefix.addr.scope = 0;
        rule->prefix.bits = mask_bits(at->ifa_netmask);
        rule->value = value;
        for (size_t bit = rule->prefix.bits; bit < 128; bit++) {
            rule->prefix.addr.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
        }
        count += rule->prefix.bits > 0;
    }
    freeifaddrs(all);
    return count;
}
