// SPDX-License-Identifier: Apache-2.0
/* document: what a setting may be, in words, for docs/settings.md and greengate.yaml(5). */
#pragma once
#include "config/setting.h"

#include <stdio.h>

/* "number, 0 to 64", "list of: category", "page, nxdomain, ..." */
void document_type(const struct setting *row, FILE *out);

/* "`page`", "-" for none. */
void document_default(const struct setting *row, FILE *out);

extern const char document_sources[], document_groups[]; /* what these two are */
