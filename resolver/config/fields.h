// SPDX-License-Identifier: Apache-2.0
/* fields: items of the data files into structs, by tables of their keys. */
#pragma once
#include "config/catalog.h"
#include "config/value.h"

enum field_kind {
    FIELD_TEXT,   /* char * */
    FIELD_TEXTS,  /* struct catalog_text *, and a size_t at count_offset */
    FIELD_MODE,   /* int, enum block_mode */
    FIELD_LIST,   /* struct text_list */
    FIELD_FLAG,   /* bool */
    FIELD_NUMBER, /* int64_t, 0 to a thousand million */
};

struct field {
    const char *name; /* NULL ends a table */
    enum field_kind kind;
    bool needed;
    size_t offset, count_offset;
    setting_check check; /* FIELD_TEXT, and each item of FIELD_LIST */
};

/* Fill an object of zeros from a map. -EINVAL for an unknown, missing or wrong key;
 * what was filled already is the caller's to free. */
__attribute__((warn_unused_result)) int fields_take(const struct field *fields, void *object,
                                                    const struct yaml_node *item,
                                                    const struct complaint *to);

void fields_clear_texts(struct catalog_text *texts, size_t count);
