// SPDX-License-Identifier: Apache-2.0
/* A pattern and, behind a line feed, a text that it may match: what is said to stand in
 * every match stands in it. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "policy/literal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool matches(const char *pattern, const char *text)
{
    int code = 0;
    PCRE2_SIZE at = 0;
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                         PCRE2_NEVER_UTF | PCRE2_CASELESS, &code, &at, NULL);
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    pcre2_set_match_limit(context, 10000);
    bool found = compiled &&
                 pcre2_match(compiled, (PCRE2_SPTR)text, strlen(text), 0, 0, match, context) >= 0;
    pcre2_match_data_free(match);
    pcre2_code_free(compiled);
    pcre2_match_context_free(context);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct literals literals;
    char *pattern = strndup((const char *)data, size);
    char *text = strchr(pattern, '\n');
    if (text) {
        *text++ = '\0';
        literal_require(pattern, &literals);
        bool held = literals.count == 0;
        for (unsigned i = 0; i < literals.count; i++) {
            held |= strcasestr(text, literals.text[i]) != NULL;
        }
        if (!held && matches(pattern, text)) {
            abort();
        }
    }
    free(pattern);
    return 0;
}
