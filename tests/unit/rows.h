// SPDX-License-Identifier: Apache-2.0
/* rows: tests of list formats, a row for each thing that a line may hold. */
#pragma once
#include "blocklists/scan.h"

struct row {
    const char *what;
    int format; /* enum list_format */
    const char *text;
    const char *
        names; /* "name:flags", blank-separated; s self, b below, e exception, i important, c closest,
                  x cancels; then the action: N nxdomain, O nodata, D drop, T TCP only, L local data */
    const char *skips; /* words of the reasons, blank-separated, in order of the enum */
};

#define H FORMAT_HOSTS
#define D FORMAT_DOMAINS
#define A FORMAT_ADBLOCK
#define M FORMAT_DNSMASQ
#define U FORMAT_UNBOUND
#define B FORMAT_BIND
#define C FORMAT_DNSCRYPT
#define Z FORMAT_RPZ
#define I FORMAT_ADDRESSES
#define X FORMAT_REGEX

struct seen {
    char names[4096]; /* as in struct row */
};

/* For struct line_sink; arg is a struct seen. */
void rows_note(void *arg, const struct scan_entry *entry);

void rows_scan(const struct row *row, enum list_match match, struct seen *seen,
               struct source_report *report);

/* Fails with all rows that are wrong. */
void rows_check(const struct row *rows, size_t count);
