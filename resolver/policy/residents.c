// SPDX-License-Identifier: Apache-2.0
#include "policy/residents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { PLACES_MIN = 16 };

struct residents {
    unsigned refs;
    size_t count, mask;
    struct resident *rows; /* [mask + 1], addr.family 0: free */
};

struct residents *residents_new(void)
{
    struct residents *residents = calloc(1, sizeof(*residents));
    struct resident *rows = calloc(PLACES_MIN, sizeof(*rows));
    if (!residents || !rows) {
        free(residents);
        free(rows);
        return NULL;
    }
    *residents = (struct residents){1, 0, PLACES_MIN - 1, rows};
    return residents;
}

void residents_ref(struct residents *residents)
{
    if (residents) {
        residents->refs++;
    }
}

void residents_unref(struct residents *residents)
{
    if (residents && --residents->refs == 0) {
        free(residents->rows);
        free(residents);
    }
}

/* The address as it is compared: a scope counts where it tells networks apart. */
static struct addr plain(const struct addr *addr)
{
    struct addr out = *addr;
    bool link_local =
        addr->family == AF_INET6 && addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80;
    out.port = 0;
    out.pad = 0;
    out.scope = link_local ? addr->scope : 0;
    return out;
}

static struct resident *seek(const struct residents *residents, const struct addr *addr)
{
    size_t at = hash_seeded(0, addr, sizeof(*addr)) & residents->mask;
    while (residents->rows[at].addr.family &&
           memcmp(&residents->rows[at].addr, addr, sizeof(*addr)) != 0) {
        at = (at + 1) & residents->mask;
    }
    return &residents->rows[at];
}

static int grow(struct residents *residents)
{
    struct residents old = *residents;
    size_t places = (old.mask + 1) * 2;
    residents->rows = calloc(places, sizeof(*residents->rows));
    if (!residents->rows) {
        residents->rows = old.rows;
        return -ENOMEM;
    }
    residents->mask = places - 1;
    for (size_t i = 0; i <= old.mask; i++) {
        if (old.rows[i].addr.family) {
            *seek(residents, &old.rows[i].addr) = old.rows[i];
        }
    }
    free(old.rows);
    return 0;
}

int residents_add(struct residents *residents, const struct resident *resident)
{
    const struct addr addr = plain(&resident->addr);
    int err = residents->count * 2 > residents->mask ? grow(residents) : 0;
    if (err < 0) {
        return err;
    }
    struct resident *row = seek(residents, &addr);
    residents->count += row->addr.family == 0;
    if (row->addr.family == 0 || resident->group < row->group) {
        *row = (struct resident){addr, resident->group, resident->why};
    }
    return 0;
}

const struct resident *residents_find(const struct residents *residents, const struct addr *addr)
{
    if (!residents || residents->count == 0) {
        return NULL;
    }
    const struct addr key = plain(addr);
    const struct resident *row = seek(residents, &key);
    return row->addr.family ? row : NULL;
}

bool residents_equal(const struct residents *a, const struct residents *b)
{
    if (!a || !b || a->count != b->count) {
        return a == b || (!a && b->count == 0) || (!b && a->count == 0);
    }
    bool equal = true;
    for (size_t i = 0; i <= a->mask && equal; i++) {
        const struct resident *row = &a->rows[i];
        const struct resident *twin = row->addr.family ? residents_find(b, &row->addr) : NULL;
        equal = !row->addr.family || (twin && twin->group == row->group && twin->why == row->why);
    }
    return equal;
}

size_t residents_count(const struct residents *residents, uint16_t group)
{
    size_t count = 0;
    for (size_t i = 0; residents && i <= residents->mask; i++) {
        count += residents->rows[i].addr.family && residents->rows[i].group == group;
    }
    return count;
}
