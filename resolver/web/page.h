// SPDX-License-Identifier: Apache-2.0
/* page: the warning page as HTML.
 *
 * One file without script, cookie or third party. Everything that others wrote goes
 * through escape_html(); of the request only the host appears. */
#pragma once
#include "config/config.h"
#include "config/texts.h"
#include "web/reason.h"
#include "web/text.h"

enum { PAGE_MAX = 12 * 1024 };

enum page_kind {
    PAGE_BLOCKED, /* with what, why, whose rule and whom to ask */
    PAGE_OPEN,    /* the daemon says that the name is not blocked (any more) */
    PAGE_REVIEW,  /* how a request to review a site stands */
    PAGE_OWN,     /* about the filter itself, at its own name */
    PAGE_NEUTRAL, /* nothing is known, and nothing is invented */
};

struct page {
    enum page_kind kind;
    const struct config *config;
    const struct catalog *catalog;
    const struct texts *texts;
    const char *language;
    const char *host;                 /* "" = none */
    const struct reason *reason;      /* of PAGE_BLOCKED */
    unsigned wait_s;                  /* of PAGE_OPEN */
    int64_t now;                      /* seconds since 1970 */
    const char *origin;               /* where the form of PAGE_BLOCKED leads; "" = no form */
    char token[20];                   /* and what it carries */
    const struct review_view *review; /* of PAGE_REVIEW */
    const char *desk;                 /* of PAGE_OWN: the dashboard; "" = out of reach */
};

void page_write(const struct page *page, struct text *text);

/* The one inline style sheet, whose hash stands in the Content-Security-Policy. */
extern const char page_style[];
