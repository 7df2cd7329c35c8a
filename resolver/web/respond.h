// SPDX-License-Identifier: Apache-2.0
/* respond: a page as the answer to an exchange. */
#pragma once
#include "web/exchange.h"
#include "web/page.h"

/* A page of this kind in the reader's language; the caller adds what the kind needs. */
struct page respond_begin(const struct exchange *exchange, enum page_kind kind);

/* Answer the exchange with it. */
void respond_page(struct exchange *exchange, const struct page *page, int status);
