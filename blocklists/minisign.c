// SPDX-License-Identifier: Apache-2.0
#include "blocklists/minisign.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { KEY_ID = 8, PIECE = 1 << 16, DIGITS_MAX = 15, DAY = 86400 };

_Static_assert(crypto_sign_BYTES == 64, "as in the file");

struct public_key {
    uint8_t key_id[KEY_ID];
    uint8_t key[crypto_sign_PUBLICKEYBYTES];
};

struct text {
    const char *at, *end;
};

/* The next line without its end, LF or CRLF. */
static bool take_line(struct text *text, char *out, size_t cap)
{
    if (text->at == text->end) {
        return false;
    }
    const char *end = memchr(text->at, '\n', (size_t)(text->end - text->at));
    const char *next = end ? end + 1 : text->end;
    end = end ? end : text->end;
    end -= end > text->at && end[-1] == '\r';
    size_t len = (size_t)(end - text->at);
    if (len >= cap || memchr(text->at, '\0', len)) {
        return false;
    }
    memcpy(out, text->at, len);
    out[len] = '\0';
    text->at = next;
    return true;
}

/* Exactly `want` octets. */
static bool decode(const char *text, uint8_t *out, size_t want)
{
    size_t len = 0;
    return sodium_base642bin(out, want, text, strlen(text), NULL, &len, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           len == want;
}

static bool read_number(const char *text, int64_t *ret_number)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > DIGITS_MAX || text[digits]) {
        return false;
    }
    *ret_number = strtoll(text, NULL, 10);
    return true;
}

/* Seconds since 1970, or a day, at whose end it expires (UTC). */
static bool read_time(const char *text, int64_t *ret_time)
{
    struct tm tm = {0};
    if (read_number(text, ret_time)) {
        return true;
    }
    const char *end = strlen(text) == 10 ? strptime(text, "%Y-%m-%d", &tm) : NULL;
    if (!end || *end) {
        return false;
    }
    int day = tm.tm_mday;
    *ret_time = (int64_t)timegm(&tm) + DAY;
    return tm.tm_mday == day; /* no February 30th */
}

/* Words that other programs write, such as timestamp:, are theirs. */
static int read_word(const char *word, struct minisign *sign, struct diag *diag)
{
    bool fine = true;
    if (strncmp(word, "serial:", 7) == 0) {
        fine = read_number(word + 7, &sign->serial);
    } else if (strncmp(word, "expires:", 8) == 0) {
        fine = read_time(word + 8, &sign->expires);
    } else if (strncmp(word, "file:", 5) == 0) {
        int len = snprintf(sign->file, sizeof(sign->file), "%s", word + 5);
        fine = len >= 0 && (size_t)len < sizeof(sign->file);
    }
    return fine ? 0
                : diag_set(diag, -EBADMSG,
                           "the signature's comment has a word that cannot be read: serial: wants "
                           "a number, expires: a day (2026-12-31) or seconds since 1970");
}

static int read_comment(struct minisign *sign, struct diag *diag)
{
    char words[MINISIGN_FILE_MAX];
    char *rest = NULL;
    int err = 0;
    memcpy(words, sign->comment, sizeof(words));
    for (char *word = strtok_r(words, " \t", &rest); word && err == 0;
         word = strtok_r(NULL, " \t", &rest)) {
        err = read_word(word, sign, diag);
    }
    return err;
}

int minisign_read(const char *text, size_t len, struct minisign *ret_sign, struct diag *diag)
{
    static const char untrusted[] = "untrusted comment: ";
    static const char trusted[] = "trusted comment: ";
    struct text rest = {text, text + len};
    struct minisign sign = {0};
    char line[MINISIGN_FILE_MAX];
    uint8_t first[2 + KEY_ID + sizeof(sign.signature)];
    bool fits =
        take_line(&rest, line, sizeof(line)) && strncmp(line, untrusted, strlen(untrusted)) == 0;
    fits = fits && take_line(&rest, line, sizeof(line)) && decode(line, first, sizeof(first)) &&
           first[0] == 'E' && (first[1] == 'd' || first[1] == 'D');
    fits = fits && take_line(&rest, line, sizeof(line)) &&
           strncmp(line, trusted, strlen(trusted)) == 0;
    if (fits) {
        snprintf(sign.comment, sizeof(sign.comment), "%s", line + strlen(trusted));
    }
    fits = fits && take_line(&rest, line, sizeof(line)) &&
           decode(line, sign.global, sizeof(sign.global)) && strlen(line) < sizeof(sign.mark) &&
           rest.at == rest.end;
    if (!fits) {
        return diag_set(diag, -EBADMSG, "its signature is no file of minisign");
    }
    sign.prehashed = first[1] == 'D';
    memcpy(sign.key_id, first + 2, KEY_ID);
    memcpy(sign.signature, first + 2 + KEY_ID, sizeof(sign.signature));
    memcpy(sign.mark, line, strlen(line) + 1);
    int err = read_comment(&sign, diag);
    if (err == 0) {
        *ret_sign = sign;
    }
    return err;
}

static int read_key(const char *text, struct public_key *ret_key, struct diag *diag)
{
    uint8_t octets[2 + sizeof(*ret_key)];
    if (!decode(text, octets, sizeof(octets)) || memcmp(octets, "Ed", 2) != 0) {
        return diag_set(diag, -EINVAL, "public_key is no minisign key");
    }
    memcpy(ret_key->key_id, octets + 2, KEY_ID);
    memcpy(ret_key->key, octets + 2 + KEY_ID, sizeof(ret_key->key));
    return 0;
}

static int hash_file(int fd, uint8_t hash[crypto_generichash_BYTES_MAX])
{
    crypto_generichash_state state;
    uint8_t data[PIECE];
    off_t at = 0;
    crypto_generichash_init(&state, NULL, 0, crypto_generichash_BYTES_MAX);
    for (;;) {
        ssize_t got = pread(fd, data, sizeof(data), at);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            crypto_generichash_final(&state, hash, crypto_generichash_BYTES_MAX);
            return got < 0 ? -errno : 0;
        }
        crypto_generichash_update(&state, data, (unsigned long long)got);
        at += got;
    }
}

/* "ED". 1 when it is the key's. */
static int verify_hashed(const struct minisign *sign, const struct public_key *key, int fd)
{
    uint8_t hash[crypto_generichash_BYTES_MAX];
    int err = hash_file(fd, hash);
    return err < 0
               ? err
               : crypto_sign_verify_detached(sign->signature, hash, sizeof(hash), key->key) == 0;
}

/* "Ed" wants all octets at once. */
static int verify_whole(const struct minisign *sign, const struct public_key *key,
                        const struct minisign_file *file)
{
    struct stat st;
    if (fstat(file->fd, &st) < 0) {
        return -errno;
    }
    size_t size = (size_t)st.st_size;
    if (size > file->memory) {
        return -EFBIG;
    }
    const uint8_t *data = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, file->fd, 0) : NULL;
    if (data == MAP_FAILED) {
        return -errno;
    }
    bool fine = crypto_sign_verify_detached(sign->signature, data, size, key->key) == 0;
    if (size) {
        munmap((void *)(uintptr_t)data, size);
    }
    return fine;
}

static bool verify_comment(const struct minisign *sign, const struct public_key *key)
{
    uint8_t message[sizeof(sign->signature) + sizeof(sign->comment)];
    size_t len = strlen(sign->comment);
    memcpy(message, sign->signature, sizeof(sign->signature));
    memcpy(message + sizeof(sign->signature), sign->comment, len);
    return crypto_sign_verify_detached(sign->global, message, sizeof(sign->signature) + len,
                                       key->key) == 0;
}

int minisign_verify(const struct minisign *sign, const char *public_key,
                    const struct minisign_file *file, struct diag *diag)
{
    struct public_key key;
    if (sodium_init() < 0) {
        return diag_set(diag, -EIO, "the cryptographic library does not start");
    }
    int err = read_key(public_key, &key, diag);
    if (err < 0) {
        return err;
    }
    if (memcmp(key.key_id, sign->key_id, KEY_ID) != 0) {
        return diag_set(diag, -EBADMSG, "it is signed by another key than public_key");
    }
    int fine =
        sign->prehashed ? verify_hashed(sign, &key, file->fd) : verify_whole(sign, &key, file);
    if (fine == -EFBIG) {
        return diag_set(diag, fine,
                        "its signature is of the old kind, for lists of at most %llu MiB here: "
                        "sign it with minisign 0.10 or later",
                        (unsigned long long)file->memory >> 20);
    }
    if (fine < 0) {
        return diag_set(diag, fine, "reading the download: %s", strerror(-fine));
    }
    if (!fine || !verify_comment(sign, &key)) {
        return diag_set(diag, -EBADMSG, "%s is not what public_key has signed",
                        fine ? "the signature's comment" : "the list");
    }
    return 0;
}
