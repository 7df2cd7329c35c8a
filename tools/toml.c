// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/foreign.h"

enum { KEY_MAX = 128, STRING_MAX = 4000 };

/* Sections, keys, strings, numbers, truth values and arrays of these (TOML 1.0); what else
 * TOML has, pihole.toml does not. */
struct reader {
    const char *at;
    unsigned line;
    struct diag *diag;
    cJSON *values;
    char section[KEY_MAX];
};

static int fail(struct reader *reader, const char *text)
{
    diag_at(reader->diag, "pihole.toml", reader->line, 0);
    return diag_set(reader->diag, -EINVAL, "%s", text);
}

/* Blanks, comments and, in an array, ends of lines. */
static void skip(struct reader *reader, bool lines)
{
    for (;;) {
        reader->at += strspn(reader->at, " \t\r");
        if (*reader->at == '#') {
            reader->at += strcspn(reader->at, "\n");
        }
        if (!lines || *reader->at != '\n') {
            return;
        }
        reader->at++;
        reader->line++;
    }
}

/* A basic string; escapes of one letter alone, others stay as they are. */
static int read_string(struct reader *reader, cJSON **ret_value)
{
    static const char escapes[] = "b\bt\tn\nf\fr\r\"\"\\\\";
    char text[STRING_MAX];
    size_t used = 0;
    char quote = *reader->at++;
    while (*reader->at && *reader->at != quote && *reader->at != '\n') {
        char c = *reader->at++;
        if (c == '\\' && quote == '"' && *reader->at) {
            const char *escape = strchr(escapes, *reader->at);
            bool known = escape && (escape - escapes) % 2 == 0;
            c = known ? escape[1] : c;
            reader->at += known;
        }
        if (used + 1 == sizeof(text)) {
            return fail(reader, "a string of more than 4000 octets");
        }
        text[used++] = c;
    }
    if (*reader->at != quote) {
        return fail(reader, "a string without its end");
    }
    reader->at++;
    text[used] = '\0';
    *ret_value = cJSON_CreateString(text);
    return *ret_value ? 0 : -ENOMEM;
}

static int read_plain(struct reader *reader, cJSON **ret_value)
{
    size_t len = strcspn(reader->at, " \t\r\n,]#");
    char word[64], *end = NULL;
    if (len == 0 || len >= sizeof(word)) {
        return fail(reader, "a value is expected");
    }
    memcpy(word, reader->at, len);
    word[len] = '\0';
    reader->at += len;
    double number = strtod(word, &end);
    bool truth = strcmp(word, "true") == 0;
    if (truth || strcmp(word, "false") == 0) {
        *ret_value = cJSON_CreateBool(truth);
    } else if (!*end) {
        *ret_value = cJSON_CreateNumber(number);
    } else {
        return fail(reader, "a string, a number, true, false or an array is expected");
    }
    return *ret_value ? 0 : -ENOMEM;
}

static int read_scalar(struct reader *reader, cJSON **ret_value)
{
    return *reader->at == '"' || *reader->at == '\'' ? read_string(reader, ret_value)
                                                     : read_plain(reader, ret_value);
}

static int read_array(struct reader *reader, cJSON *array)
{
    reader->at++;
    for (unsigned count = 0;; count++) {
        cJSON *value = NULL;
        skip(reader, true);
        if (*reader->at == ']') {
            reader->at++;
            return 0;
        }
        if (count == MOVING_ITEMS_MAX) {
            return fail(reader, "too many values in an array");
        }
        int err = read_scalar(reader, &value);
        if (err < 0) {
            return err;
        }
        cJSON_AddItemToArray(array, value);
        skip(reader, true);
        if (*reader->at != ',' && *reader->at != ']') {
            return fail(reader, "an array without its end");
        }
        reader->at += *reader->at == ',';
    }
}

static int read_value(struct reader *reader, cJSON **ret_value)
{
    if (*reader->at != '[') {
        return read_scalar(reader, ret_value);
    }
    cJSON *array = cJSON_CreateArray();
    int err = array ? read_array(reader, array) : -ENOMEM;
    if (err < 0) {
        cJSON_Delete(array);
        return err;
    }
    *ret_value = array;
    return 0;
}

static size_t key_length(const char *at)
{
    size_t len = 0;
    while (isalnum((unsigned char)at[len]) || (at[len] && strchr("_-.", at[len]))) {
        len++;
    }
    return len;
}

static int read_section(struct reader *reader)
{
    size_t len = key_length(reader->at + 1);
    if (len == 0 || len >= KEY_MAX || reader->at[len + 1] != ']') {
        return fail(reader, "not the name of a section");
    }
    memcpy(reader->section, reader->at + 1, len);
    reader->section[len] = '\0';
    reader->at += len + 2;
    return 0;
}

static int read_pair(struct reader *reader)
{
    char key[2 * KEY_MAX];
    cJSON *value = NULL;
    size_t len = key_length(reader->at);
    if (len == 0 || len >= KEY_MAX) {
        return fail(reader, "a key or a section is expected");
    }
    snprintf(key, sizeof(key), "%s%s%.*s", reader->section, *reader->section ? "." : "", (int)len,
             reader->at);
    reader->at += len;
    skip(reader, false);
    if (*reader->at != '=') {
        return fail(reader, "'=' is expected behind a key");
    }
    reader->at++;
    skip(reader, false);
    int err = read_value(reader, &value);
    if (err == 0) {
        cJSON_AddItemToObject(reader->values, key, value);
    }
    return err;
}

int foreign_read_toml(const char *text, cJSON **ret_values, struct diag *diag)
{
    struct reader reader = {text, 1, diag, cJSON_CreateObject(), ""};
    int err = reader.values ? 0 : -ENOMEM;
    for (unsigned count = 0; err == 0; count++) {
        skip(&reader, true);
        if (!*reader.at) {
            break;
        }
        err = count == MOVING_ITEMS_MAX ? fail(&reader, "too many lines")
              : *reader.at == '['       ? read_section(&reader)
                                        : read_pair(&reader);
        skip(&reader, false);
        if (err == 0 && *reader.at && *reader.at != '\n') {
            err = fail(&reader, "the end of the line is expected");
        }
    }
    if (err < 0) {
        cJSON_Delete(reader.values);
        return err;
    }
    *ret_values = reader.values;
    return 0;
}
