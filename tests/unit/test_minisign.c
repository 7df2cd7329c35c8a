// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "blocklists/minisign.h"

/* Made by minisign itself, of the four octets "test". */
static const char known_key[] = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
static const char known_hashed[] =
    "untrusted comment: signature from minisign secret key\n"
    "RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/"
    "z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=\n"
    "trusted comment: timestamp:1633700835\tfile:test\tprehashed\n"
    "wLMDjy9FLAuxZ3q4NlEvkgtyhrr0gtTu6KC4KBJdITbbOeAi1zBIYo0v4iTgt8jJpIidRJnp94ABQkJAgAooBQ==\n";
static const char known_whole[] =
    "untrusted comment: signature from minisign secret key\n"
    "RWQf6LRCGA9i59SLOFxz6NxvASXDJeRtuZykwQepbDEGt87ig1BNpWaVWuNrm73YiIiJbq71Wi+"
    "dP9eKL8OC351vwIasSSbXxwA=\n"
    "trusted comment: timestamp:1555779966\tfile:test\n"
    "QtKMXWyYcwdpZAlPF7tE2ENJkRd1ujvKjlj1m9RtHTBnZPa5WKU5uWRs5GoP5M/VqE81QFuMKI5k/SfNQUaOAA==\n";

static const char list[] = "a.example\nb.example\nc.example\n";

/* A key of our own, and what it signs. */
static uint8_t public_octets[42], secret[crypto_sign_SECRETKEYBYTES];
static char public_text[128];

static int make_key(void **state)
{
    (void)state;
    if (sodium_init() < 0) {
        return -1;
    }
    memcpy(public_octets, "Ed12345678", 10);
    crypto_sign_keypair(public_octets + 10, secret);
    sodium_bin2base64(public_text, sizeof(public_text), public_octets, sizeof(public_octets),
                      sodium_base64_VARIANT_ORIGINAL);
    return 0;
}

struct sample {
    bool hashed;
    const char *comment;
    uint8_t first[74], global[64];
    char text[MINISIGN_FILE_MAX];
    char list[256];
};

static void print(struct sample *sample)
{
    char first[128];
    char global[128];
    sodium_bin2base64(first, sizeof(first), sample->first, 74, sodium_base64_VARIANT_ORIGINAL);
    sodium_bin2base64(global, sizeof(global), sample->global, 64, sodium_base64_VARIANT_ORIGINAL);
    snprintf(sample->text, sizeof(sample->text),
             "untrusted comment: x\n%s\ntrusted comment: %s\n%s\n", first, sample->comment, global);
}

static void sign(struct sample *sample)
{
    uint8_t message[1024];
    size_t len = strlen(sample->comment);
    strcpy(sample->list, list);
    memcpy(sample->first, sample->hashed ? "ED12345678" : "Ed12345678", 10);
    if (sample->hashed) {
        crypto_generichash(message, 64, (const uint8_t *)list, strlen(list), NULL, 0);
        crypto_sign_detached(sample->first + 10, NULL, message, 64, secret);
    } else {
        crypto_sign_detached(sample->first + 10, NULL, (const uint8_t *)list, strlen(list), secret);
    }
    memcpy(message, sample->first + 10, 64);
    memcpy(message + 64, sample->comment, len);
    crypto_sign_detached(sample->global, NULL, message, 64 + len, secret);
    print(sample);
}

static int verify_text(const char *text, const char *key, const char *octets, struct diag *diag)
{
    struct minisign sign;
    struct minisign_file file = {memfd_create("list", MFD_CLOEXEC), 1 << 20};
    assert_int_equal(write(file.fd, octets, strlen(octets)), strlen(octets));
    int err = minisign_read(text, strlen(text), &sign, diag);
    err = err < 0 ? err : minisign_verify(&sign, key, &file, diag);
    close(file.fd);
    return err;
}

static int verify(const struct sample *sample, struct diag *diag)
{
    return verify_text(sample->text, public_text, sample->list, diag);
}

static void known_signatures_are_valid(void **state)
{
    (void)state;
    assert_int_equal(verify_text(known_hashed, known_key, "test", NULL), 0);
    assert_int_equal(verify_text(known_whole, known_key, "test", NULL), 0);
    assert_int_equal(verify_text(known_hashed, known_key, "Test", NULL), -EBADMSG);
    assert_int_equal(verify_text(known_whole, known_key, "test\n", NULL), -EBADMSG);
    assert_int_equal(verify_text(known_whole, known_key, "", NULL), -EBADMSG);
}

/* One bit of each octet: of the key's id, the signature, the comment, the second
 * signature, the list. */
static void a_flipped_bit_anywhere_is_noticed(void **state)
{
    (void)state;
    for (int hashed = 0; hashed < 2; hashed++) {
        char comment[] = "serial:7 expires:2030-01-01";
        struct sample sample = {.hashed = hashed, .comment = comment};
        sign(&sample);
        assert_int_equal(verify(&sample, NULL), 0);
        for (size_t i = 0; i < 74 + 64 + strlen(list) + strlen(comment); i++) {
            struct sample bad = sample;
            char other[sizeof(comment)];
            strcpy(other, comment);
            bad.comment = other;
            size_t at = i;
            uint8_t *octet = at < 74                     ? bad.first + at
                             : (at -= 74) < 64           ? bad.global + at
                             : (at -= 64) < strlen(list) ? (uint8_t *)bad.list + at
                                                         : (uint8_t *)other + at - strlen(list);
            *octet ^= 1;
            print(&bad);
            assert_int_equal(verify(&bad, NULL), -EBADMSG);
        }
        for (size_t i = 74; i < sizeof(sample.text) && sample.text[i]; i++) {
            struct sample bad = sample;
            bad.text[i] = '\0'; /* cut short */
            size_t whole = strlen(sample.text) - 1;
            assert_int_equal(verify(&bad, NULL), i < whole ? -EBADMSG : 0);
        }
    }
}

static void other_keys_are_not_this_one(void **state)
{
    (void)state;
    struct diag diag = {0};
    struct sample sample = {.hashed = true, .comment = "x"};
    uint8_t other[42];
    uint8_t unused[crypto_sign_SECRETKEYBYTES];
    char text[128];
    sign(&sample);
    assert_int_equal(verify_text(sample.text, known_key, list, &diag), -EBADMSG);
    assert_non_null(strstr(diag.text, "another key"));
    memcpy(other, public_octets, 10); /* the same id */
    crypto_sign_keypair(other + 10, unused);
    sodium_bin2base64(text, sizeof(text), other, 42, sodium_base64_VARIANT_ORIGINAL);
    assert_int_equal(verify_text(sample.text, text, list, &diag), -EBADMSG);
    assert_non_null(strstr(diag.text, "the list is not what public_key has signed"));
    assert_int_equal(verify_text(sample.text, "RWQ", list, &diag), -EINVAL);
}

static void words_of_the_comment(void **state)
{
    (void)state;
    static const struct {
        const char *comment;
        int err;
        int64_t serial, expires;
        const char *file;
    } rows[] = {
        {"", 0, 0, 0, ""},
        {"serial:12\texpires:1893456000", 0, 12, 1893456000, ""},
        {"timestamp:1 file:a.txt serial:0 hashed", 0, 0, 0, "a.txt"},
        {"expires:2029-12-31", 0, 0, 1893456000, ""},
        {"expires:2028-02-29", 0, 0, 1835481600, ""},
        {"my serial: is not a word serial:3", -EBADMSG, 0, 0, ""},
        {"serial:x", -EBADMSG, 0, 0, ""},
        {"serial:-1", -EBADMSG, 0, 0, ""},
        {"serial:1234567890123456", -EBADMSG, 0, 0, ""},
        {"expires:2029-13-01", -EBADMSG, 0, 0, ""},
        {"expires:2029-02-30", -EBADMSG, 0, 0, ""},
        {"expires:29-02-01", -EBADMSG, 0, 0, ""},
        {"expires:", -EBADMSG, 0, 0, ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sample sample = {.hashed = true, .comment = rows[i].comment};
        struct minisign read = {0};
        sign(&sample);
        if (minisign_read(sample.text, strlen(sample.text), &read, NULL) != rows[i].err) {
            fail_msg("%s", rows[i].comment);
        }
        assert_int_equal(read.serial, rows[i].serial);
        assert_int_equal(read.expires, rows[i].expires);
        assert_string_equal(read.file, rows[i].file);
    }
}

static void what_is_no_signature_file(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "\n",
        "<html>",
        "a.example\nb.example\n",
        "untrusted comment: x\n",
        "untrusted comment: x\nRWQ=\ntrusted comment: y\nRWQ=\n",
    };
    struct minisign read;
    struct diag diag;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(minisign_read(rows[i], strlen(rows[i]), &read, &diag), -EBADMSG);
        assert_string_equal(diag.text, "its signature is no file of minisign");
    }
    struct sample sample = {.hashed = true, .comment = "x"};
    sign(&sample);
    size_t len = strlen(sample.text);
    strcpy(sample.text + len, "more\n");
    assert_int_equal(minisign_read(sample.text, len + 5, &read, NULL), -EBADMSG);
    assert_int_equal(minisign_read(sample.text, len, &read, NULL), 0);
    sample.text[25] = '\0';
    assert_int_equal(minisign_read(sample.text, len, &read, NULL), -EBADMSG);
}

static void line_ends_of_other_systems(void **state)
{
    (void)state;
    struct sample sample = {.hashed = true, .comment = "serial:1"};
    char text[MINISIGN_FILE_MAX];
    size_t used = 0;
    sign(&sample);
    for (const char *at = sample.text; *at; at++) {
        used += *at == '\n';
        text[used - (*at == '\n')] = '\r';
        text[used++] = *at;
    }
    text[used] = '\0';
    assert_int_equal(verify_text(text, public_text, list, NULL), 0);
}

/* The old kind needs the list in memory. */
static void the_old_kind_is_bounded(void **state)
{
    (void)state;
    struct sample sample = {.comment = "x"};
    struct minisign read;
    struct diag diag = {0};
    struct minisign_file file = {memfd_create("list", MFD_CLOEXEC), strlen(list)};
    sign(&sample);
    assert_int_equal(write(file.fd, list, strlen(list)), strlen(list));
    assert_int_equal(minisign_read(sample.text, strlen(sample.text), &read, NULL), 0);
    assert_int_equal(minisign_verify(&read, public_text, &file, NULL), 0);
    file.memory--;
    assert_int_equal(minisign_verify(&read, public_text, &file, &diag), -EFBIG);
    assert_non_null(strstr(diag.text, "of the old kind"));
    close(file.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_signatures_are_valid),
        cmocka_unit_test(a_flipped_bit_anywhere_is_noticed),
        cmocka_unit_test(other_keys_are_not_this_one),
        cmocka_unit_test(words_of_the_comment),
        cmocka_unit_test(what_is_no_signature_file),
        cmocka_unit_test(line_ends_of_other_systems),
        cmocka_unit_test(the_old_kind_is_bounded),
    };
    return cmocka_run_group_tests(tests, make_key, NULL);
}
