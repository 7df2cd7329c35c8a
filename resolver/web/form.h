// SPDX-License-Identifier: Apache-2.0
/* form: fields of a posted form (application/x-www-form-urlencoded, URL standard section 5). */
#pragma once
#include "web/text.h"

/* Add the first field of that name, made plain by escape_plain(); the text is full when it is too
 * long. False: there is none. */
bool form_get(const char *body, size_t len, const char *name, struct text *text);
