// SPDX-License-Identifier: Apache-2.0
/* minisign: the signature files of minisign(1), Ed25519.
 *
 * Four lines: an untrusted comment, the signature, a trusted comment, and a second
 * signature that covers the first one and the trusted comment. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

enum { MINISIGN_FILE_MAX = 4096, MINISIGN_MARK_MAX = 96, MINISIGN_NAME_MAX = 256 };

struct minisign {
    bool prehashed; /* "ED": of BLAKE2b-512; else "Ed": of the octets themselves */
    uint8_t key_id[8];
    uint8_t signature[64];
    uint8_t global[64]; /* over signature and comment */
    char comment[MINISIGN_FILE_MAX];
    char mark[MINISIGN_MARK_MAX]; /* the global signature as text: tells two files apart */
    /* said by the trusted comment; true only once verified */
    int64_t serial;               /* 0 = none */
    int64_t expires;              /* seconds since 1970, 0 = never */
    char file[MINISIGN_NAME_MAX]; /* what was signed, "" = not said */
};

/* Read a signature file. -EBADMSG with *diag. */
__attribute__((warn_unused_result)) int minisign_read(const char *text, size_t len,
                                                      struct minisign *ret_sign, struct diag *diag);

/* Is it the key's signature of all octets of fd? -EBADMSG when not, -EINVAL: no such key,
 * -EFBIG: of the old kind over more than `memory` octets; or an error of reading. */
struct minisign_file {
    int fd;
    uint64_t memory;
};
__attribute__((warn_unused_result)) int minisign_verify(const struct minisign *sign,
                                                        const char *public_key,
                                                        const struct minisign_file *file,
                                                        struct diag *diag);
