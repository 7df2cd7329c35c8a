// SPDX-License-Identifier: Apache-2.0
/* tar: the members of an archive as a stream (POSIX ustar, GNU, pax).
 *
 * Names are for reading only: none is ever used as a path. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TAR_BLOCK = 512,
    TAR_NAME_MAX = 512,
    TAR_EXTENDED_MAX = 8192, /* octets of a long name or of pax records */
    TAR_MEMBERS_MAX = 65536,
};

enum tar_kind { TAR_FILE, TAR_SYMLINK, TAR_OTHER };

struct tar_member {
    enum tar_kind kind;
    uint64_t size;
    char name[TAR_NAME_MAX];
    char link[TAR_NAME_MAX]; /* of a symlink: where it leads */
};

struct tar_handler {
    void (*on_member)(void *arg, const struct tar_member *member);
    void (*on_data)(void *arg, const uint8_t *data, size_t len); /* of the last member */
    void (*on_end)(void *arg);                                   /* of its data */
    void *arg;
};

/* Zero it before the first octet. */
struct tar_state {
    struct tar_member member;
    uint64_t left; /* octets of the member's data, then of what fills its last block */
    unsigned padding;
    unsigned members;
    bool ended;    /* a block of zeros was there */
    bool extended; /* the data say something about the next member */
    char type;
    size_t header_len, text_len;
    bool has_name, has_link, has_size; /* from extended headers, for the next member */
    char name[TAR_NAME_MAX], link[TAR_NAME_MAX];
    uint64_t size;
    uint8_t header[TAR_BLOCK];
    char text[TAR_EXTENDED_MAX];
};

/* Whether these octets are the beginning of an archive. */
bool tar_is_archive(const uint8_t *data, size_t len);

/* -EBADMSG: no archive, or damaged; -E2BIG: more than TAR_MEMBERS_MAX members. */
__attribute__((warn_unused_result)) int tar_feed(struct tar_state *tar, const uint8_t *data,
                                                 size_t len, const struct tar_handler *handler);

/* -EBADMSG when the archive stops inside of a member. */
__attribute__((warn_unused_result)) int tar_end(const struct tar_state *tar);
