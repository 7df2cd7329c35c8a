// SPDX-License-Identifier: Apache-2.0
/* report: what became of one source, counted while it is read.
 *
 * Plain data of fixed size: a child process fills it in shared memory, and whoever
 * reads it there closes the texts first (report_close). */
#pragma once
#include <stdint.h>

#include "base/diag.h"

/* SKIP(name, word, understood, text): `understood` lines are part of the format and
 * do not count against the yield; the others say that this is no such list. */
#define SKIP_REASONS(SKIP)                                                                         \
    SKIP(NONE, "none", 1, "")                                                                      \
    SKIP(ADDRESS, "address", 1, "an IP address, not a name")                                       \
    SKIP(LOCAL, "local", 1, "a name of the machine itself")                                        \
    SKIP(MAPPING, "mapping", 1, "maps a name to a real address")                                   \
    SKIP(PORT, "port", 1, "a host with a port")                                                    \
    SKIP(PATH, "path", 1, "a rule for a path, not for a whole host")                               \
    SKIP(BROWSER, "browser", 1, "a rule that only a browser can follow")                           \
    SKIP(COSMETIC, "cosmetic", 1, "hides parts of a page")                                         \
    SKIP(MODIFIER, "modifier", 1, "a modifier that is not supported")                              \
    SKIP(DIRECTIVE, "directive", 1, "a setting that blocks nothing")                               \
    SKIP(REGEX, "regex", 1, "a regular expression that cannot be used")                            \
    SKIP(WILDCARD, "wildcard", 1, "a wildcard inside a name")                                      \
    SKIP(WIDE, "wide", 1, "would block far too much")                                              \
    SKIP(PRIVATE, "private", 1, "an address of local networks")                                    \
    SKIP(TRIGGER, "trigger", 1, "an RPZ trigger that is not supported")                            \
    SKIP(ZONE, "zone", 1, "outside of its zone")                                                   \
    SKIP(RECORD, "record", 0, "not a valid record of a zone")                                      \
    SKIP(NAME, "name", 0, "not a domain name")                                                     \
    SKIP(IDN, "idn", 0, "not a valid international name")                                          \
    SKIP(LENGTH, "length", 0, "longer than 4096 octets")

#define SKIP(name, word, understood, text) SKIP_##name,
enum skip_reason { SKIP_REASONS(SKIP) SKIP_COUNT };
#undef SKIP

enum { QUOTES_MAX = 3, QUOTE_TEXT_MAX = 96, QUOTE_FILE_MAX = 48, VERSION_TEXT_MAX = 64 };

struct quote {
    uint32_t line;
    uint32_t reason; /* enum skip_reason */
    char text[QUOTE_TEXT_MAX];
    char file[QUOTE_FILE_MAX]; /* of an archive, "adult/domains"; else empty */
};

struct source_report {
    uint64_t bytes;      /* octets after decompression */
    uint64_t lines;      /* lines read, comments and empty ones too */
    uint64_t names;      /* names that lines gave, duplicates too */
    uint64_t entries;    /* different entries; 0 until compiled */
    uint64_t duplicates; /* names that said nothing new, once compiled */
    uint64_t exceptions; /* of names */
    uint64_t cancels;    /* $badfilter lines, not in names */
    uint64_t cancelled;  /* names that they took out, once compiled */
    uint64_t narrowed;   /* public suffixes kept as the name alone */
    uint64_t closest;    /* exceptions of RPZ kind, which folding would widen, and the like */
    uint64_t folded;     /* of names: covered by a parent that the list says the same of */
    uint64_t addresses;  /* addresses and prefixes that lines gave, not in names */
    uint64_t patterns;   /* regular expressions, not in names */
    uint64_t skipped[SKIP_COUNT];
    struct quote quotes[QUOTES_MAX];
    uint32_t quote_count;
    int32_t format; /* index for format_name(), -1 = not known */
    int32_t error;  /* 0, or why the source was not used */
    char error_text[DIAG_TEXT_MAX];
    char version[VERSION_TEXT_MAX]; /* from the list's own header, or empty */
};

const char *skip_word(unsigned reason);
const char *skip_text(unsigned reason);

/* What lines gave: names, addresses, patterns and cancels. */
static inline uint64_t report_entries(const struct source_report *report)
{
    return report->names + report->addresses + report->patterns + report->cancels;
}

/* Percent of the lines that hold something which are valid; 100 without any. */
unsigned report_yield(const struct source_report *report);

/* Terminate the texts and bound the counts of a report that a child wrote. */
void report_close(struct source_report *report);

/* Set error and error_text, as diag_set(); returns err. */
int report_fail(struct source_report *report, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
