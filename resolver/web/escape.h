// SPDX-License-Identifier: Apache-2.0
/* escape: text that others wrote, made harmless for HTML.
 *
 * Fit for element content and for double-quoted attributes. Control octets,
 * invisible and direction-changing characters and broken UTF-8 become visible
 * as U+FFFD, so that nothing can reorder or hide what stands around it. */
#pragma once
#include "web/text.h"

/* The same for what is stored as one line of plain text: white space becomes blanks, HTML's own
 * characters stay. */
void escape_plain(struct text *text, const char *data, size_t len);

void escape_html(struct text *text, const char *string);
void escape_html_len(struct text *text, const char *data, size_t len);
