// SPDX-License-Identifier: Apache-2.0
#include "web/language.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { WEIGHT_MAX = 1000, WISHES_MAX = 32 };

/* One item of the header: its tag and what it weighs, 0..1000. */
struct wish {
    const char *tag;
    size_t len;
    unsigned weight;
};

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* "0.75" -> 750; what is no qvalue counts as 0: such an item is not wanted. */
static unsigned parse_weight(const char *at)
{
    unsigned weight = *at == '1' ? WEIGHT_MAX : 0;
    if (*at != '0' && *at != '1') {
        return 0;
    }
    at++;
    if (*at == '.') {
        unsigned unit = WEIGHT_MAX / 10;
        for (at++; *at >= '0' && *at <= '9' && unit; at++, unit /= 10) {
            weight += (unsigned)(*at - '0') * unit;
        }
    }
    return weight > WEIGHT_MAX ? WEIGHT_MAX : weight;
}

/* The item at `at`, which ends before the next comma. */
static struct wish parse_wish(const char *at)
{
    struct wish wish = {at, strcspn(at, ",; \t"), WEIGHT_MAX};
    size_t end = strcspn(at, ",");
    const char *mark = memchr(at, ';', end);
    if (mark) {
        const char *name = skip_blanks(mark + 1);
        bool known = (*name == 'q' || *name == 'Q') && name[1] == '=';
        wish.weight = known ? parse_weight(name + 2) : 0;
    }
    return wish;
}

/* How exactly a wish names an offered tag: 0 not at all, 1 by "*", 2 by the primary
 * language, 3 whole. */
static int fit(const struct wish *wish, const char *offered)
{
    if (wish->len == 1 && wish->tag[0] == '*') {
        return 1;
    }
    size_t primary = strcspn(offered, "-");
    size_t asked = 0;
    while (asked < wish->len && wish->tag[asked] != '-') {
        asked++;
    }
    if (wish->len == strlen(offered) && strncasecmp(wish->tag, offered, wish->len) == 0) {
        return 3;
    }
    return asked == primary && strncasecmp(wish->tag, offered, asked) == 0 ? 2 : 0;
}

/* How much an offered tag is wanted, by the wish that names it most exactly: first the
 * weight, then the place in the header, then the exactness. 0 = not at all. */
static unsigned rank(const char *offered, const struct wish *wishes, size_t count)
{
    int best = 0;
    unsigned most = 0;
    for (size_t i = 0; i < count; i++) {
        int how = fit(&wishes[i], offered);
        unsigned wanted = wishes[i].weight << 8 | (unsigned)(WISHES_MAX - i) << 2 | (unsigned)how;
        wanted = wishes[i].weight ? wanted : 0;
        if (how > best || (how && how == best && wanted > most)) {
            best = how;
            most = wanted;
        }
    }
    return most;
}

size_t language_choose(const char *const *offered, size_t count, const char *accept)
{
    struct wish wishes[WISHES_MAX];
    size_t wish_count = 0;
    for (const char *at = skip_blanks(accept); *at && wish_count < WISHES_MAX;) {
        if (*at != ',') {
            wishes[wish_count++] = parse_wish(at);
        }
        at += strcspn(at, ",");
        at = skip_blanks(at + strspn(at, ","));
    }
    size_t chosen = 0;
    unsigned most = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned wanted = rank(offered[i], wishes, wish_count);
        if (wanted > most) {
            chosen = i;
            most = wanted;
        }
    }
    return chosen;
}
