// SPDX-License-Identifier: Apache-2.0
/* selftest: the names of filter tests, and what the own resolver answered. */
#pragma once
#include "config/catalog.h"
#include "config/config.h"
#include "tools/cli.h"
#include "tools/probe.h"
#include "tools/wordbook.h"

enum { SELFTEST_PROBES_MAX = 200, SELFTEST_TEXT_MAX = 256 };

enum selftest_seen { SEEN_BLOCKED, SEEN_SAFE, SEEN_OPEN, SEEN_SILENCE, SEEN_FAILURE };
enum selftest_verdict { VERDICT_GOOD, VERDICT_NOTE, VERDICT_FAULT };

struct selftest_probe {
    char name[SELFTEST_TEXT_MAX], category[64], by[SELFTEST_TEXT_MAX];
    bool known;
    enum selftest_seen seen;
    enum selftest_verdict verdict;
    const char *because; /* an id of selftest.yaml, "" = nothing to explain */
};

struct selftest {
    struct cli *cli;
    const struct config *config;
    const struct catalog *catalog;
    const struct known *known;
    const struct wordbook *book;
    const char *language;
    struct addr server;
    char group[64];
    double names; /* of the lists in force */
    bool starter; /* the list that ships is all that is in force */
    struct selftest_probe probes[SELFTEST_PROBES_MAX];
    size_t count, faults;
};

/* data_dir/probes.yaml. -ENOENT, -EINVAL with *diag. */
__attribute__((warn_unused_result)) int selftest_load(struct selftest *test, struct diag *diag);

/* Ask for each name and judge the answer. */
void selftest_run(struct selftest *test);

/* The words of a probe's category, verdict and answer. */
const char *selftest_say(const struct selftest *test, const char *id);
const char *selftest_category(const struct selftest *test, const struct selftest_probe *probe);
const char *selftest_seen_id(enum selftest_seen seen);
const char *selftest_verdict_id(enum selftest_verdict verdict);

/* The sheet, as text or as one self-contained page. */
void selftest_print(const struct selftest *test, bool html, FILE *out);
