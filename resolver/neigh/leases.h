// SPDX-License-Identifier: Apache-2.0
/* leases: which host has which address, from the files of dnsmasq and odhcpd.
 *
 * Names in them were chosen by the devices. */
#pragma once
#include "base/addr.h"

enum { LEASE_NAME_MAX = 64, LEASES_MAX = 16384 };

struct lease {
    struct addr addr;
    bool has_mac;
    uint8_t mac[6];
    char host[LEASE_NAME_MAX]; /* its first label as written, "" = none */
};

struct leases {
    struct lease *rows;
    size_t count;
    unsigned skipped; /* lines that are none of the known forms */
};

/* Add the rows of a file; lines that cannot be read are counted and skipped. -ENOENT and
 * what open(2) says; -EPERM: no plain file of at most 4 MiB, open to all for writing, or in
 * such a folder and not of a system user; -ENOMEM. */
__attribute__((warn_unused_result)) int leases_read(const char *path, struct leases *leases);
void leases_clear(struct leases *leases);
