// SPDX-License-Identifier: Apache-2.0
/* reviewpage: the form "please review this site", and what came of it. */
#pragma once
#include "web/page.h"

/* How a request stands, or why it was not taken. */
struct review_view {
    enum text_id heading, words;
    int64_t until;      /* it is open until then; 0 = nothing is said */
    const char *code;   /* "" = none */
    const char *answer; /* the word back, "" = none */
    bool ask;           /* whom to ask stands there */
};

/* The form, below a page that says why. */
void reviewpage_add_form(struct text *text, const struct page *page);

/* The body of PAGE_REVIEW. */
void reviewpage_add(struct text *text, const struct page *page);
