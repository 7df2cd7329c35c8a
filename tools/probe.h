// SPDX-License-Identifier: Apache-2.0
/* probe: one question to one server, waited for. */
#pragma once
#include "base/addr.h"
#include "dns/rr.h"

enum probe_result {
    PROBE_SILENCE,   /* nothing came, or nothing that answers the question */
    PROBE_ADDRESSES, /* an address of the asked type */
    PROBE_NO_DATA,   /* the name is there, without one */
    PROBE_NXDOMAIN,
    PROBE_FAILURE, /* another RCODE, see *ret_rcode */
};

/* What else an answer showed. */
struct probe_seen {
    int ede;                     /* extended error (RFC 8914), -1 = none */
    char target[DNAME_TEXT_MAX]; /* of the first CNAME, "" = none */
};

struct probe {
    struct addr server;
    bool tcp;
    unsigned timeout_ms;
    struct probe_seen *seen; /* NULL: nobody asks */
};

/* Asks once. */
enum probe_result probe_ask(const struct probe *probe, const struct dname *name, uint16_t type,
                            uint16_t *ret_rcode);
