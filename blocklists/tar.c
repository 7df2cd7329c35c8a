// SPDX-License-Identifier: Apache-2.0
#include "blocklists/tar.h"

#include <errno.h>
#include <string.h>

/* Fields of a header: offset and length (POSIX.1-2017, pax, "ustar Interchange Format"). */
enum {
    AT_NAME = 0,
    LEN_NAME = 100,
    AT_SIZE = 124,
    LEN_SIZE = 12,
    AT_CHECKSUM = 148,
    LEN_CHECKSUM = 8,
    AT_TYPE = 156,
    AT_LINK = 157,
    AT_MAGIC = 257,
    AT_PREFIX = 345,
    LEN_PREFIX = 155,
};

/* Octal digits, or GNU's base 256 when the top bit is set; UINT64_MAX for neither. */
static uint64_t read_number(const uint8_t *field, size_t len)
{
    uint64_t value = 0;
    if (field[0] & 0x80) {
        for (size_t i = 0; i < len; i++) {
            if (value >> 55) {
                return UINT64_MAX;
            }
            value = value << 8 | (i ? field[i] : field[i] & 0x7f);
        }
        return value;
    }
    size_t i = 0;
    while (i < len && field[i] == ' ') {
        i++;
    }
    for (; i < len && field[i] >= '0' && field[i] <= '7'; i++) {
        value = value << 3 | (uint64_t)(field[i] - '0');
    }
    return i == len || field[i] == 0 || field[i] == ' ' ? value : UINT64_MAX;
}

static bool is_valid(const uint8_t *header)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < TAR_BLOCK; i++) {
        bool own = i >= AT_CHECKSUM && i < AT_CHECKSUM + LEN_CHECKSUM;
        sum += own ? ' ' : header[i];
    }
    return read_number(header + AT_CHECKSUM, LEN_CHECKSUM) == sum;
}

static bool is_zero(const uint8_t *header)
{
    for (size_t i = 0; i < TAR_BLOCK; i++) {
        if (header[i]) {
            return false;
        }
    }
    return true;
}

/* A field that need not be terminated, behind what is there. */
static void copy_field(char out[TAR_NAME_MAX], const uint8_t *field, size_t len)
{
    size_t used = strlen(out);
    size_t take = strnlen((const char *)field, len);
    memcpy(out + used, field, take);
    out[used + take] = '\0';
}

static void read_name(struct tar_state *tar)
{
    const uint8_t *header = tar->header;
    struct tar_member *member = &tar->member;
    bool ustar = memcmp(header + AT_MAGIC, "ustar\0", 6) == 0;
    member->name[0] = member->link[0] = '\0';
    if (ustar && header[AT_PREFIX]) {
        copy_field(member->name, header + AT_PREFIX, LEN_PREFIX);
        copy_field(member->name, (const uint8_t *)"/", 1);
    }
    copy_field(member->name, header + AT_NAME, LEN_NAME);
    copy_field(member->link, header + AT_LINK, LEN_NAME);
    if (tar->has_name) {
        memcpy(member->name, tar->name, TAR_NAME_MAX);
    }
    if (tar->has_link) {
        memcpy(member->link, tar->link, TAR_NAME_MAX);
    }
    member->size = tar->has_size ? tar->size : read_number(header + AT_SIZE, LEN_SIZE);
    tar->has_name = tar->has_link = tar->has_size = false;
}

static enum tar_kind kind_of(char type)
{
    if (type == '0' || type == '\0' || type == '7') {
        return TAR_FILE;
    }
    return type == '2' ? TAR_SYMLINK : TAR_OTHER;
}

static int begin_member(struct tar_state *tar, const struct tar_handler *handler)
{
    tar->header_len = 0;
    if (is_zero(tar->header)) {
        tar->ended = true;
        return 0;
    }
    if (!is_valid(tar->header)) {
        return -EBADMSG;
    }
    if (tar->members++ == TAR_MEMBERS_MAX) {
        return -E2BIG;
    }
    tar->type = (char)tar->header[AT_TYPE];
    tar->extended = memchr("LKxg", tar->type, 4) != NULL && tar->type;
    if (tar->extended) {
        tar->member.size = read_number(tar->header + AT_SIZE, LEN_SIZE);
        tar->text_len = 0;
    } else {
        read_name(tar);
        tar->member.kind = kind_of(tar->type);
        tar->member.size = tar->member.kind == TAR_SYMLINK ? 0 : tar->member.size;
    }
    if (tar->member.size >> 40) {
        return -EBADMSG;
    }
    tar->left = tar->member.size;
    tar->padding = (unsigned)(-tar->left & (TAR_BLOCK - 1));
    if (!tar->extended) {
        handler->on_member(handler->arg, &tar->member);
    }
    return 0;
}

static void set_text(char out[TAR_NAME_MAX], bool *ret_has, const char *text, size_t len)
{
    len = strnlen(text, len);
    *ret_has = true;
    if (len >= TAR_NAME_MAX) {
        len = 0; /* no name that anybody asks for */
    }
    memcpy(out, text, len);
    out[len] = '\0';
}

/* "LENGTH key=value\n", LENGTH of all of it. */
static void read_pax(struct tar_state *tar)
{
    const char *at = tar->text;
    const char *end = tar->text + tar->text_len;
    while (at < end) {
        size_t len = 0;
        const char *digit = at;
        for (; digit < end && *digit >= '0' && *digit <= '9' && len < TAR_EXTENDED_MAX; digit++) {
            len = len * 10 + (size_t)(*digit - '0');
        }
        if (digit == end || *digit != ' ' || len > (size_t)(end - at) ||
            len < (size_t)(digit - at) + 2) {
            return;
        }
        const char *key = digit + 1;
        size_t rest = len - (size_t)(key - at) - 1; /* without its end of line */
        if (rest > 5 && memcmp(key, "path=", 5) == 0) {
            set_text(tar->name, &tar->has_name, key + 5, rest - 5);
        } else if (rest > 9 && memcmp(key, "linkpath=", 9) == 0) {
            set_text(tar->link, &tar->has_link, key + 9, rest - 9);
        } else if (rest > 5 && memcmp(key, "size=", 5) == 0) {
            tar->has_size = true;
            tar->size = 0;
            for (const char *c = key + 5; c < key + rest && *c >= '0' && *c <= '9'; c++) {
                tar->size = tar->size >> 50 ? tar->size : tar->size * 10 + (uint64_t)(*c - '0');
            }
        }
        at += len;
    }
}

static void end_extended(struct tar_state *tar)
{
    if (tar->type == 'L') {
        set_text(tar->name, &tar->has_name, tar->text, tar->text_len);
    } else if (tar->type == 'K') {
        set_text(tar->link, &tar->has_link, tar->text, tar->text_len);
    } else if (tar->type == 'x') {
        read_pax(tar);
    }
}

/* Octets of a member's data; returns how many were taken. */
static size_t take_data(struct tar_state *tar, const uint8_t *data, size_t len,
                        const struct tar_handler *handler)
{
    size_t part = len < tar->left ? len : (size_t)tar->left;
    if (tar->extended) {
        size_t room = TAR_EXTENDED_MAX - tar->text_len;
        size_t kept = part < room ? part : room;
        memcpy(tar->text + tar->text_len, data, kept);
        tar->text_len += kept;
    } else {
        handler->on_data(handler->arg, data, part);
    }
    tar->left -= part;
    if (tar->left == 0 && tar->extended) {
        end_extended(tar);
    } else if (tar->left == 0) {
        handler->on_end(handler->arg);
    }
    return part;
}

static int take_header(struct tar_state *tar, const uint8_t *data, size_t len,
                       const struct tar_handler *handler)
{
    memcpy(tar->header + tar->header_len, data, len);
    tar->header_len += len;
    if (tar->header_len < TAR_BLOCK) {
        return 0;
    }
    int err = begin_member(tar, handler);
    if (err == 0 && !tar->ended && tar->left == 0 && !tar->extended) {
        handler->on_end(handler->arg);
    }
    return err;
}

bool tar_is_archive(const uint8_t *data, size_t len)
{
    return len >= TAR_BLOCK && memcmp(data + AT_MAGIC, "ustar", 5) == 0 && is_valid(data);
}

int tar_feed(struct tar_state *tar, const uint8_t *data, size_t len,
             const struct tar_handler *handler)
{
    int err = 0;
    while (len && err == 0 && !tar->ended) {
        size_t part;
        if (tar->left) {
            part = take_data(tar, data, len, handler);
        } else if (tar->padding) {
            part = len < tar->padding ? len : tar->padding;
            tar->padding -= (unsigned)part;
        } else {
            size_t room = TAR_BLOCK - tar->header_len;
            part = len < room ? len : room;
            err = take_header(tar, data, part, handler);
        }
        data += part;
        len -= part;
    }
    return err;
}

int tar_end(const struct tar_state *tar)
{
    return tar->left || tar->padding || tar->header_len || tar->members == 0 ? -EBADMSG : 0;
}
