// SPDX-License-Identifier: Apache-2.0
#include "dns/rrsets.h"

#include "base/wire.h"

enum { NO_SET = RRSETS_MAX };

static uint8_t find_set(struct rrsets *sets, const struct rrset *rrset)
{
    unsigned i = 0;
    if (rrset->owner < 0) {
        return NO_SET;
    }
    while (i < sets->count &&
           (sets->set[i].owner != rrset->owner || sets->set[i].type != rrset->type)) {
        i++;
    }
    if (i == sets->count && i < RRSETS_MAX) {
        sets->set[sets->count++] = *rrset;
    }
    return (uint8_t)i;
}

void rrsets_add(struct rrsets *sets, const struct rrset *rrset)
{
    uint8_t set = find_set(sets, rrset);
    if (set < NO_SET && rrset->ttl < sets->set[set].ttl) {
        sets->set[set].ttl = rrset->ttl;
    }
    sets->of[sets->records++] = set;
}

void rrsets_level(const struct rrsets *sets, uint8_t *wire, const uint16_t *ttl_at)
{
    for (unsigned i = 0; i < sets->records; i++) {
        if (sets->of[i] < NO_SET) {
            store_u32(wire + ttl_at[i], sets->set[sets->of[i]].ttl);
        }
    }
}
