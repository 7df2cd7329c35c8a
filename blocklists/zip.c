// SPDX-License-Identifier: Apache-2.0
#include "blocklists/zip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Lengths of the fixed parts: local header, entry of the directory, end of it. */
enum { LOCAL = 30, ENTRY = 46, END = 22, COMMENT_MAX = 65535 };
enum { STORED = 0, DEFLATED = 8, ENCRYPTED = 1 };

static const uint8_t local_mark[4] = {'P', 'K', 3, 4};
static const uint8_t entry_mark[4] = {'P', 'K', 1, 2};
static const uint8_t end_mark[4] = {'P', 'K', 5, 6};

static uint16_t read_16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t read_32(const uint8_t *at)
{
    return read_16(at) | (uint32_t)read_16(at + 2) << 16;
}

bool zip_is_archive(const uint8_t *data, size_t len)
{
    return len >= 4 && (memcmp(data, local_mark, 4) == 0 || memcmp(data, end_mark, 4) == 0);
}

/* The end of the directory lies before a comment of unknown length. */
static const uint8_t *find_end(const uint8_t *data, size_t len)
{
    for (size_t back = END; back <= len && back <= END + COMMENT_MAX; back++) {
        const uint8_t *at = data + len - back;
        if (memcmp(at, end_mark, 4) == 0 && read_16(at + 20) == back - END) {
            return at;
        }
    }
    return NULL;
}

int zip_open(const uint8_t *data, size_t len, struct zip *ret_zip)
{
    const uint8_t *end = find_end(data, len);
    if (!end) {
        return -EBADMSG;
    }
    uint32_t size = read_32(end + 12), offset = read_32(end + 16);
    if (read_16(end + 4) || read_16(end + 6) || read_16(end + 8) != read_16(end + 10) ||
        offset == UINT32_MAX) {
        return -ENOTSUP;
    }
    if ((uint64_t)offset + size > (uint64_t)(end - data)) {
        return -EBADMSG;
    }
    if (read_16(end + 10) > ZIP_MEMBERS_MAX) {
        return -E2BIG;
    }
    *ret_zip = (struct zip){.data = data,
                            .len = len,
                            .at = offset,
                            .end = (size_t)offset + size,
                            .left = read_16(end + 10)};
    return 0;
}

int zip_next(struct zip *zip, struct zip_member *ret_member)
{
    if (zip->left == 0) {
        return 0;
    }
    const uint8_t *entry = zip->data + zip->at;
    if (zip->end - zip->at < ENTRY || memcmp(entry, entry_mark, 4) != 0) {
        return -EBADMSG;
    }
    size_t name = read_16(entry + 28);
    size_t whole = ENTRY + name + read_16(entry + 30) + read_16(entry + 32);
    if (whole > zip->end - zip->at || name == 0 || name >= ZIP_NAME_MAX ||
        memchr(entry + ENTRY, '\0', name)) {
        return -EBADMSG;
    }
    struct zip_member member = {.method = read_16(entry + 10),
                                .crc = read_32(entry + 16),
                                .packed = read_32(entry + 20),
                                .size = read_32(entry + 24),
                                .offset = read_32(entry + 42)};
    if (member.packed == UINT32_MAX || member.size == UINT32_MAX || member.offset == UINT32_MAX ||
        (read_16(entry + 8) & ENCRYPTED)) {
        return -ENOTSUP;
    }
    memcpy(member.name, entry + ENTRY, name);
    member.folder = member.name[name - 1] == '/';
    zip->at += whole;
    zip->left--;
    *ret_member = member;
    return 1;
}

/* Where the packed octets are, or NULL when they do not lie in the archive. */
static const uint8_t *find_data(const struct zip *zip, const struct zip_member *member)
{
    if (zip->len < LOCAL || member->offset > zip->len - LOCAL) {
        return NULL;
    }
    const uint8_t *header = zip->data + member->offset;
    uint64_t from = (uint64_t)member->offset + LOCAL + read_16(header + 26) + read_16(header + 28);
    bool fits = memcmp(header, local_mark, 4) == 0 && from + member->packed <= zip->len;
    return fits ? zip->data + from : NULL;
}

/* Exactly member->size octets come out, or it is damaged: more cannot, there is no room. */
static int inflate_all(const struct zip_member *member, const uint8_t *from, uint8_t *to)
{
    z_stream stream = {0};
    uint8_t one;
    if (inflateInit2(&stream, -15) != Z_OK) {
        return -ENOMEM;
    }
    stream.next_in = (Bytef *)(uintptr_t)from;
    stream.avail_in = member->packed;
    stream.next_out = member->size ? to : &one;
    stream.avail_out = member->size ? member->size : 1;
    int code = inflate(&stream, Z_FINISH);
    bool good = code == Z_STREAM_END && stream.total_out == member->size;
    inflateEnd(&stream);
    return good ? 0 : -EBADMSG;
}

int zip_unpack(const struct zip *zip, const struct zip_member *member, size_t max,
               uint8_t **ret_data)
{
    const uint8_t *from = find_data(zip, member);
    if (!from) {
        return -EBADMSG;
    }
    if (member->size > max) {
        return -EFBIG;
    }
    uint8_t *data = malloc((size_t)member->size + 1);
    if (!data) {
        return -ENOMEM;
    }
    int err = -ENOTSUP;
    if (member->method == STORED) {
        err = member->packed == member->size ? 0 : -EBADMSG;
        memcpy(data, from, err == 0 ? member->size : 0);
    } else if (member->method == DEFLATED) {
        err = inflate_all(member, from, data);
    }
    if (err == 0 && crc32(0, data, member->size) != member->crc) {
        err = -EBADMSG;
    }
    if (err < 0) {
        free(data);
        return err;
    }
    data[member->size] = '\0';
    *ret_data = data;
    return 0;
}
