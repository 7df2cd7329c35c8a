// SPDX-License-Identifier: Apache-2.0
/* The reference code of the warning page. */
#include <errno.h>

#include "base/code.h"
#include "base/hash.h"
#include "policy/decide.h"

enum { HASH_BITS = 24, HASH_MASK = (1 << HASH_BITS) - 1 };

void verdict_ref(const struct verdict *verdict, const struct dname *name, char out[REF_MAX])
{
    size_t len;
    bool of_name = verdict->reason != REASON_LIST_ADDRESS && verdict->reason != REASON_PLACE &&
                   verdict->reason != REASON_REBINDING; /* else skip counts bits */
    const uint8_t *suffix = dname_suffix(name, of_name ? verdict->skip : 0, &len);
    uint64_t which = verdict->class_id ? verdict->class_id : (uint64_t)verdict->pattern;
    uint64_t bits = which << HASH_BITS | (hash_seeded(0, suffix, len) & HASH_MASK);
    for (unsigned i = 0; i < REF_MAX - 1; i++) {
        out[i] = code_digits[bits >> (35 - 5 * i) & 31];
    }
    out[REF_MAX - 1] = '\0';
}

int ref_parse(const char *text, struct ref *ret_ref)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < REF_MAX - 1; i++) {
        int digit = code_digit(text[i]);
        if (digit < 0) {
            return -EINVAL;
        }
        bits = bits << 5 | (unsigned)digit;
    }
    if (text[REF_MAX - 1]) {
        return -EINVAL;
    }
    *ret_ref = (struct ref){(unsigned)(bits >> HASH_BITS), (uint32_t)(bits & HASH_MASK)};
    return 0;
}

bool ref_fits(const struct ref *ref, const struct dname *name)
{
    return (hash_seeded(0, name->wire, name->len) & HASH_MASK) == ref->hash;
}
