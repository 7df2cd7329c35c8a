// SPDX-License-Identifier: Apache-2.0
/* localnames: our own name and those of dns.records, found by name and by address;
 * zones that have servers of their own.
 *
 * Immutable once made. */
#pragma once
#include "base/addr.h"
#include "config/config.h"
#include "dns/name.h"

enum { LOCAL_NAMES_PREFIX = 5 }; /* octets of the label _dns, which may stand before our own name */

struct local_record {
    struct dname name;
    struct addr address;
    unsigned order; /* in the settings */
};

struct local_names;

/* NULL without memory. The configuration has been checked. */
struct local_names *local_names_new(const struct config *config);
void local_names_free(struct local_names *names);

/* server.name */
const struct dname *local_names_own(const struct local_names *names);

/* Can the name be one of them, or _dns below our own, at all? Almost always not, and
 * cheap to tell. */
bool local_names_may_have(const struct local_names *names, const struct dname *name);

/* The records of a name, in the order of the settings; NULL when it has none. */
const struct local_record *local_names_find(const struct local_names *names,
                                            const struct dname *name, size_t *ret_count);

/* The first name of an address, or NULL. */
const struct dname *local_names_of(const struct local_names *names, const struct addr *address);

/* Does the name lie in one of upstream.zones, whose servers are asked though it be
 * private? */
bool local_names_is_elsewhere(const struct local_names *names, const struct dname *name);

/* Walk over all records. */
const struct local_record *local_names_all(const struct local_names *names, size_t *ret_count);
