// SPDX-License-Identifier: Apache-2.0
/* texts: what the warning page says, which is data and changes without a release.
 *
 * Read from data_dir/texts.yaml: every text of texts.def in every language that the
 * file speaks, so that no page is half translated. */
#pragma once
#include "config/catalog.h"

#define PAGE_TEXT(id, where) TEXT_##id,
enum text_id {
#include "config/texts.def"
    TEXT_ID_COUNT,
};
#undef PAGE_TEXT

struct texts {
    struct {
        struct catalog_text *items;
        size_t count;
    } entries[TEXT_ID_COUNT];
};

/* -ENOENT, -EINVAL with *diag; *ret_texts is untouched on failure. */
__attribute__((warn_unused_result)) int texts_load(const char *data_dir, struct texts **ret_texts,
                                                   struct diag *diag);
void texts_free(struct texts *texts);

/* The text in `language`, else in English, else the first. */
const char *texts_get(const struct texts *texts, enum text_id id, const char *language);

bool texts_speak(const struct texts *texts, const char *language);
