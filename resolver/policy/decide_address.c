// SPDX-License-Identifier: Apache-2.0
/* The judgement over an address that an answer holds. */
#include "policy/decide.h"
#include "policy/geo.h"
#include "policy/listing.h"
#include "policy/snapshot.h"

/* Is the address in a country or network that the group must not be led to? */
static void apply_place(const struct snapshot *snapshot, uint16_t group, const struct addr *addr,
                        struct verdict *verdict)
{
    const struct geo_choice *choice = &snapshot->places[group];
    if (!snapshot->parts.geo || !choice->any || addr_is_internal(addr)) {
        return;
    }
    const struct geo_place place = geo_find(snapshot->parts.geo, addr);
    if (geo_choice_holds(choice, &place)) {
        *verdict = (struct verdict){.blocked = true,
                                    .reason = REASON_PLACE,
                                    .country = place.country,
                                    .network = place.network,
                                    .rule = -1};
    }
}

void policy_decide_address(const struct snapshot *snapshot, const struct subject *subject,
                           const struct addr *addr, struct verdict *ret_verdict)
{
    const struct effective_group *effective = &snapshot->effective[subject->group];
    struct verdict verdict = {.reason = REASON_NONE, .rule = -1, .mode = MODE_UNSET};
    if (snapshot->db && blockdb_info(snapshot->db)->addresses && !effective->paused) {
        const struct listing listing = {snapshot->parts.lists, effective->blocked, subject->name,
                                        subject->probe, addr};
        listing_judge(&listing, &verdict);
    }
    if (!verdict.blocked && !effective->paused && subject->name &&
        snapshot_guards(snapshot, subject->name) && addr_is_internal(addr)) {
        verdict = (struct verdict){.blocked = true, .reason = REASON_REBINDING, .rule = -1};
    }
    if (!verdict.blocked && !effective->paused) {
        apply_place(snapshot, subject->group, addr, &verdict);
    }
    if (verdict.blocked) {
        verdict.mode = verdict_mode(snapshot, &verdict, subject->group);
    }
    *ret_verdict = verdict;
}
