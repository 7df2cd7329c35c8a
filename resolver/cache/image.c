// SPDX-License-Identifier: Apache-2.0
#include "cache/image.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/hash.h"
#include "dns/rr.h"

enum {
    VERSION = 1,
    BUFFER = 256 << 10, /* more than the longest record */
    TTL_LIMIT = 7 * 86400,
    GIVE_BACK = 1 << 20, /* octets after which the file's memory is given back */
};

static const char magic[8] = "GGCACHE";

struct header {
    char magic[8];
    uint32_t version, saved_s;
    uint8_t boot[16]; /* the clock counts from there */
    uint64_t entries, octets;
    uint64_t checksum; /* over this with 0 here, then the records */
};

/* Before each message, which is filled up to a multiple of 8. */
struct record {
    uint32_t stored_s, ttl_s;
    uint16_t len, ttl_count;
    uint8_t flags;
    uint8_t pad[3];
};

enum { FLAG_DO = 1, FLAG_NO_CHECK = 2, FLAG_NEGATIVE = 4, FLAG_ASKED = 8, FLAGS = 15 };

static int in_memory(int fd)
{
    struct statfs fs;
    if (fstatfs(fd, &fs) < 0) {
        return -errno;
    }
    return (uint32_t)fs.f_type == TMPFS_MAGIC || (uint32_t)fs.f_type == RAMFS_MAGIC ? 0 : -EXDEV;
}

/* The kernel's name for this boot; zeros when it has none. */
static void read_boot(uint8_t out[16])
{
    char text[36] = "";
    size_t used = 0;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof(text));
    memset(out, 0, 16);
    for (ssize_t i = 0; i + 1 < got && used < 16; i++) {
        if (text[i] != '-') {
            const char digits[3] = {text[i], text[i + 1], '\0'};
            out[used++] = (uint8_t)strtoul(digits, NULL, 16);
            i++;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
}

static uint64_t header_sum(const struct header *header)
{
    struct header bare = *header;
    bare.checksum = 0;
    return hash_seeded(0, &bare, sizeof(bare));
}

struct writer {
    int fd, err;
    struct header header;
    struct hash_stream *sum;
    size_t used;
    uint8_t buffer[BUFFER];
};

static int write_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t done = write(fd, data, len);
        if (done < 0 && errno != EINTR) {
            return -errno;
        }
        data += done > 0 ? done : 0;
        len -= done > 0 ? (size_t)done : 0;
    }
    return 0;
}

static void flush(struct writer *writer)
{
    if (writer->err == 0) {
        hash_stream_add(writer->sum, writer->buffer, writer->used);
        writer->err = write_all(writer->fd, writer->buffer, writer->used);
    }
    writer->header.octets += writer->used;
    writer->used = 0;
}

static void save_item(void *context, const struct cache_item *item)
{
    struct writer *writer = context;
    const struct record record = {
        .stored_s = item->stored_s,
        .ttl_s = item->ttl_s,
        .len = (uint16_t)item->len,
        .ttl_count = (uint16_t)item->ttl_count,
        .flags = (uint8_t)((item->dnssec_ok ? FLAG_DO : 0) |
                           (item->checking_disabled ? FLAG_NO_CHECK : 0) |
                           (item->negative ? FLAG_NEGATIVE : 0) | (item->asked ? FLAG_ASKED : 0)),
    };
    size_t padded = (item->len + 7) / 8 * 8;
    if (sizeof(record) + padded > BUFFER - writer->used) {
        flush(writer);
    }
    memcpy(writer->buffer + writer->used, &record, sizeof(record));
    memset(writer->buffer + writer->used + sizeof(record) + padded - 8, 0, 8);
    memcpy(writer->buffer + writer->used + sizeof(record), item->message, item->len);
    writer->used += sizeof(record) + padded;
    writer->header.entries++;
}

int image_save(struct cache *cache, int fd, uint32_t now_s)
{
    struct writer *writer = calloc(1, sizeof(*writer));
    int err = writer ? in_memory(fd) : -ENOMEM;
    if (err < 0) {
        goto out;
    }
    writer->fd = fd;
    writer->sum = hash_stream_new(0);
    writer->header = (struct header){.version = VERSION, .saved_s = now_s};
    memcpy(writer->header.magic, magic, sizeof(magic));
    read_boot(writer->header.boot);
    err = writer->sum ? write_all(fd, (uint8_t *)&writer->header, sizeof(writer->header)) : -ENOMEM;
    if (err < 0) {
        goto out;
    }
    cache_pour(cache, save_item, writer);
    flush(writer);
    err = writer->err;
    writer->header.checksum = header_sum(&writer->header) ^ hash_stream_end(writer->sum);
    writer->sum = NULL;
    const struct header header = writer->header;
    if (err == 0 && pwrite(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header)) {
        err = -EIO;
    }
out:
    if (writer && writer->sum) {
        (void)hash_stream_end(writer->sum);
    }
    free(writer);
    return err;
}

/* Exactly len octets; -EBADMSG when there are fewer. */
static int read_all(int fd, void *out, size_t len, off_t at)
{
    for (size_t done = 0; done < len;) {
        ssize_t got = pread(fd, (uint8_t *)out + done, len - done, at + (off_t)done);
        if (got == 0) {
            return -EBADMSG;
        }
        if (got < 0 && errno != EINTR) {
            return -errno;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

static int check_header(int fd, uint32_t now_s, struct header *ret_header)
{
    struct stat st;
    uint8_t boot[16];
    int err = in_memory(fd);
    if (err < 0 || fstat(fd, &st) < 0) {
        return err < 0 ? err : -errno;
    }
    err = read_all(fd, ret_header, sizeof(*ret_header), 0);
    if (err < 0 || memcmp(ret_header->magic, magic, sizeof(magic)) != 0) {
        return err < 0 ? err : -EBADMSG;
    }
    if (ret_header->version != VERSION) {
        return -EPROTO;
    }
    read_boot(boot);
    if (memcmp(boot, ret_header->boot, sizeof(boot)) != 0 || ret_header->saved_s > now_s) {
        return -ESTALE;
    }
    bool whole =
        st.st_size >= 0 && (uint64_t)st.st_size == sizeof(*ret_header) + ret_header->octets;
    return whole ? 0 : -EBADMSG;
}

static int check_sum(int fd, const struct header *header, uint8_t *buffer)
{
    struct hash_stream *sum = hash_stream_new(0);
    uint64_t left = header->octets;
    off_t at = sizeof(*header);
    int err = sum ? 0 : -ENOMEM;
    while (err == 0 && left > 0) {
        size_t len = left < BUFFER ? (size_t)left : BUFFER;
        err = read_all(fd, buffer, len, at);
        if (err == 0) {
            hash_stream_add(sum, buffer, len);
        }
        left -= len;
        at += (off_t)len;
    }
    if (!sum) {
        return err;
    }
    uint64_t found = header_sum(header) ^ hash_stream_end(sum);
    return err < 0 || found == header->checksum ? err : -EBADMSG;
}

/* What cache_put() needs, found again in the message; false when it is not one that a
 * cache can hold. */
static bool read_message(const struct record *record, uint8_t *message, uint16_t *ttl_at,
                         struct dname *ret_name)
{
    struct rr rr;
    size_t pos = DNS_HEADER, count = 0;
    if (record->len < DNS_HEADER + 5 || load_u16(message + 4) != 1 || load_u16(message + 10) != 0 ||
        dname_read(message, record->len, &pos, ret_name) < 0 || pos + 4 > record->len ||
        pos - DNS_HEADER != ret_name->len ||
        memcmp(message + DNS_HEADER, ret_name->wire, ret_name->len) != 0) {
        return false;
    }
    pos += 4;
    unsigned records = load_u16(message + 6) + load_u16(message + 8);
    for (unsigned i = 0; i < records; i++) {
        if (count == ANSWER_RECORDS_MAX || rr_read(message, record->len, &pos, &rr) < 0) {
            return false;
        }
        ttl_at[count++] = (uint16_t)(rr.rdata - 6);
    }
    return pos == record->len && count == record->ttl_count && count > 0;
}

struct loader {
    struct cache *cache;
    uint32_t now_s;
    uint64_t count;
    struct answer_room room;
};

static bool load_record(struct loader *loader, const struct record *record, const uint8_t *octets)
{
    struct dname name;
    struct answer_room *room = &loader->room;
    memcpy(room->wire, octets, record->len);
    if (record->flags > FLAGS || record->stored_s > loader->now_s || record->ttl_s == 0 ||
        record->ttl_s > TTL_LIMIT || !read_message(record, room->wire, room->ttl_at, &name)) {
        return false;
    }
    const struct cache_key key = {
        .name = &name,
        .type = load_u16(room->wire + DNS_HEADER + name.len),
        .dnssec_ok = record->flags & FLAG_DO,
        .checking_disabled = record->flags & FLAG_NO_CHECK,
    };
    const struct answer answer = {
        .wire = room->wire,
        .len = record->len,
        .ttl_at = room->ttl_at,
        .ttl_count = record->ttl_count,
        .ttl = record->ttl_s,
        .rcode = room->wire[3] & 0xf,
        .negative = record->flags & FLAG_NEGATIVE,
    };
    const struct cache_mark mark = {
        .now_s = record->stored_s,
        .known_good = record->flags & FLAG_ASKED,
        .restored = true,
    };
    cache_put(loader->cache, &key, &answer, &mark);
    loader->count++;
    return true;
}

/* The records; the sum was right, so that what is wrong here was written wrongly. */
static int load_records(struct loader *loader, int fd, const struct header *header, uint8_t *buffer)
{
    uint64_t at = sizeof(*header), end = at + header->octets, given_back = 0;
    while (at < end) {
        struct record record;
        size_t len = end - at < BUFFER / 2 ? (size_t)(end - at) : BUFFER / 2, pos = 0;
        int err = read_all(fd, buffer, len, (off_t)at);
        if (err < 0) {
            return err;
        }
        while (pos + sizeof(record) <= len) {
            memcpy(&record, buffer + pos, sizeof(record));
            size_t whole = sizeof(record) + (record.len + 7u) / 8 * 8;
            if (whole > len - pos) {
                break;
            }
            if (!load_record(loader, &record, buffer + pos + sizeof(record))) {
                return -EBADMSG;
            }
            pos += whole;
        }
        if (pos == 0) {
            return -EBADMSG; /* it ends in the middle of a record */
        }
        at += pos;
        if (at - given_back >= GIVE_BACK) {
            (void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)at);
            given_back = at;
        }
    }
    return 0;
}

int image_load(struct cache *cache, int fd, uint32_t now_s, uint64_t *ret_count)
{
    struct header header = {0};
    struct loader *loader = calloc(1, sizeof(*loader));
    uint8_t *buffer = malloc(BUFFER);
    int err = loader && buffer ? check_header(fd, now_s, &header) : -ENOMEM;
    if (err == 0) {
        err = check_sum(fd, &header, buffer);
    }
    if (err == 0) {
        loader->cache = cache;
        loader->now_s = now_s;
        err = load_records(loader, fd, &header, buffer);
        *ret_count = loader->count;
    }
    free(buffer);
    free(loader);
    return err;
}
