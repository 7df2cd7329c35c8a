// SPDX-License-Identifier: Apache-2.0
#include "blocklists/meta.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blocklists/format.h"

enum { FILE_MAX = 1 << 16 };

struct text_field {
    const char *key;
    size_t offset, cap;
};

struct number_field {
    const char *key;
    size_t offset;
};

#define TEXT(key, member)                                                                          \
    {                                                                                              \
        key, offsetof(struct source_meta, member), sizeof(((struct source_meta *)0)->member)       \
    }
#define NUMBER(key, member)                                                                        \
    {                                                                                              \
        key, offsetof(struct source_meta, member)                                                  \
    }

static const struct text_field texts[] = {
    TEXT("url", url),
    TEXT("etag", etag),
    TEXT("last_modified", last_modified),
    TEXT("signed_by", signed_by),
    TEXT("signature", signature),
    TEXT("version", report.version),
    TEXT("error", report.error_text),
};

/* All are 64 bits wide. */
static const struct number_field numbers[] = {
    NUMBER("serial", serial),
    NUMBER("expires", expires),
    NUMBER("fetched_at", fetched_at),
    NUMBER("checked_at", checked_at),
    NUMBER("tried_at", tried_at),
    NUMBER("failing_since", failing_since),
    NUMBER("failures", failures),
    NUMBER("retry_at", retry_at),
    NUMBER("previous_names", previous_names),
    NUMBER("bytes", report.bytes),
    NUMBER("lines", report.lines),
    NUMBER("names", report.names),
    NUMBER("entries", report.entries),
    NUMBER("duplicates", report.duplicates),
    NUMBER("exceptions", report.exceptions),
    NUMBER("cancels", report.cancels),
    NUMBER("cancelled", report.cancelled),
    NUMBER("folded", report.folded),
    NUMBER("addresses", report.addresses),
    NUMBER("patterns", report.patterns),
    NUMBER("narrowed", report.narrowed),
};

enum { TEXTS = sizeof(texts) / sizeof(texts[0]), NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };

static void add_skipped(cJSON *json, const struct source_report *report)
{
    cJSON *skipped = cJSON_AddObjectToObject(json, "skipped");
    for (unsigned i = 1; i < SKIP_COUNT; i++) {
        if (report->skipped[i]) {
            cJSON_AddNumberToObject(skipped, skip_word(i), (double)report->skipped[i]);
        }
    }
    cJSON *quotes = cJSON_AddArrayToObject(json, "skipped_lines");
    for (unsigned i = 0; i < report->quote_count && i < QUOTES_MAX; i++) {
        cJSON *quote = cJSON_CreateObject();
        cJSON_AddNumberToObject(quote, "line", report->quotes[i].line);
        cJSON_AddStringToObject(quote, "reason", skip_word(report->quotes[i].reason));
        cJSON_AddStringToObject(quote, "text", report->quotes[i].text);
        if (report->quotes[i].file[0]) {
            cJSON_AddStringToObject(quote, "file", report->quotes[i].file);
        }
        cJSON_AddItemToArray(quotes, quote);
    }
}

cJSON *meta_json(const struct source_meta *meta)
{
    cJSON *json = cJSON_CreateObject();
    const char *base = (const char *)meta;
    for (size_t i = 0; i < TEXTS; i++) {
        cJSON_AddStringToObject(json, texts[i].key, base + texts[i].offset);
    }
    for (size_t i = 0; i < NUMBERS; i++) {
        int64_t value;
        memcpy(&value, base + numbers[i].offset, sizeof(value));
        cJSON_AddNumberToObject(json, numbers[i].key, (double)value);
    }
    cJSON_AddStringToObject(json, "format", format_name(meta->report.format));
    cJSON_AddNumberToObject(json, "yield", report_yield(&meta->report));
    cJSON_AddNumberToObject(json, "previous_yield", meta->previous_yield);
    add_skipped(json, &meta->report);
    return json;
}

static unsigned skip_find(const char *word)
{
    for (unsigned i = 1; word && i < SKIP_COUNT; i++) {
        if (strcmp(skip_word(i), word) == 0) {
            return i;
        }
    }
    return SKIP_NONE;
}

static double number_of(const cJSON *json, const char *key)
{
    double value = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(json, key));
    return value >= 0 && value < 9e15 ? value : 0;
}

static void read_skipped(const cJSON *json, struct source_report *report)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "skipped"))
    {
        double count = cJSON_GetNumberValue(item);
        report->skipped[skip_find(item->string)] = count >= 0 && count < 9e15 ? (uint64_t)count : 0;
    }
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "skipped_lines"))
    {
        const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "text"));
        const char *reason = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "reason"));
        if (report->quote_count == QUOTES_MAX || !text) {
            break;
        }
        struct quote *quote = &report->quotes[report->quote_count++];
        quote->line = (uint32_t)number_of(item, "line");
        quote->reason = skip_find(reason);
        const char *file = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "file"));
        snprintf(quote->text, sizeof(quote->text), "%s", text);
        snprintf(quote->file, sizeof(quote->file), "%s", file ? file : "");
    }
}

static void read_json(const cJSON *json, struct source_meta *meta)
{
    char *base = (char *)meta;
    for (size_t i = 0; i < TEXTS; i++) {
        const char *text =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, texts[i].key));
        snprintf(base + texts[i].offset, texts[i].cap, "%s", text ? text : "");
    }
    for (size_t i = 0; i < NUMBERS; i++) {
        int64_t value = (int64_t)number_of(json, numbers[i].key);
        memcpy(base + numbers[i].offset, &value, sizeof(value));
    }
    const char *format = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "format"));
    meta->report.format = format ? format_named(format) : -1;
    meta->previous_yield = (unsigned)number_of(json, "previous_yield");
    read_skipped(json, &meta->report);
    meta->report.error = meta->report.error_text[0] ? -EIO : 0;
}

int meta_load(const char *path, struct source_meta *ret_meta)
{
    memset(ret_meta, 0, sizeof(*ret_meta));
    ret_meta->report.format = -1;
    FILE *file = fopen(path, "re");
    if (!file) {
        return -errno;
    }
    char *text = malloc(FILE_MAX);
    size_t len = text ? fread(text, 1, FILE_MAX - 1, file) : 0;
    fclose(file);
    cJSON *json = text ? cJSON_ParseWithLength(text, len) : NULL;
    free(text);
    if (!json) {
        return -EBADMSG;
    }
    read_json(json, ret_meta);
    cJSON_Delete(json);
    return 0;
}

static int write_file(const char *path, const char *text)
{
    size_t left = strlen(text);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int err = fd < 0 ? -errno : 0;
    while (err == 0 && left > 0) {
        ssize_t done = write(fd, text, left);
        err = done < 0 && errno != EINTR ? -errno : 0;
        text += done > 0 ? done : 0;
        left -= done > 0 ? (size_t)done : 0;
    }
    if (err == 0 && fsync(fd) < 0) {
        err = -errno;
    }
    if (fd >= 0) {
        close(fd);
    }
    return err;
}

/* So that a serial that was accepted is not forgotten with the power. */
static int sync_folder_of(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int err = fd < 0 || fsync(fd) < 0 ? -errno : 0;
    if (fd >= 0) {
        close(fd);
    }
    return err;
}

int meta_save(const char *path, const struct source_meta *meta)
{
    char temp[PATH_MAX];
    cJSON *json = meta_json(meta);
    char *text = json ? cJSON_Print(json) : NULL;
    cJSON_Delete(json);
    if (!text) {
        return -ENOMEM;
    }
    snprintf(temp, sizeof(temp), "%s.tmp", path);
    int err = write_file(temp, text);
    free(text);
    if (err == 0 && rename(temp, path) < 0) {
        err = -errno;
    }
    if (err < 0) {
        unlink(temp);
    }
    return err < 0 ? err : sync_folder_of(path);
}
