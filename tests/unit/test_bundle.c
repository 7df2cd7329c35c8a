// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "blocklists/bundle.h"
#include "blocklists/zip.h"

enum { CAP = 1 << 16 };

/* A ZIP archive while it is made. */
struct making {
    uint8_t data[CAP], directory[CAP];
    size_t len, directory_len;
    unsigned members;
};

static void put(uint8_t *at, uint32_t value, unsigned octets)
{
    for (unsigned i = 0; i < octets; i++) {
        at[i] = (uint8_t)(value >> 8 * i);
    }
}

static size_t deflate_into(const char *text, size_t len, uint8_t *out)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)text, .avail_in = (uInt)len};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_out = out;
    z.avail_out = CAP / 2;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t used = z.total_out;
    deflateEnd(&z);
    return used;
}

static void add(struct making *zip, const char *name, const char *text, bool deflated)
{
    size_t len = strlen(text), named = strlen(name);
    uint8_t *local = zip->data + zip->len, *entry = zip->directory + zip->directory_len;
    uint32_t crc = (uint32_t)crc32(0, (const Bytef *)text, (uInt)len);
    memcpy(local, "PK\3\4", 4);
    put(local + 26, (uint32_t)named, 2);
    memcpy(local + 30, name, named);
    uint8_t *body = local + 30 + named;
    size_t packed = deflated ? deflate_into(text, len, body) : len;
    if (!deflated) {
        memcpy(body, text, len);
    }
    memcpy(entry, "PK\1\2", 4);
    put(entry + 10, deflated ? 8 : 0, 2);
    put(entry + 16, crc, 4);
    put(entry + 20, (uint32_t)packed, 4);
    put(entry + 24, (uint32_t)len, 4);
    put(entry + 28, (uint32_t)named, 2);
    put(entry + 42, (uint32_t)zip->len, 4);
    memcpy(entry + 46, name, named);
    zip->len += 30 + named + packed;
    zip->directory_len += 46 + named;
    zip->members++;
}

static void finish(struct making *zip)
{
    uint8_t *end = zip->data + zip->len + zip->directory_len;
    memcpy(zip->data + zip->len, zip->directory, zip->directory_len);
    memcpy(end, "PK\5\6", 4);
    put(end + 8, zip->members, 2);
    put(end + 10, zip->members, 2);
    put(end + 12, (uint32_t)zip->directory_len, 4);
    put(end + 16, (uint32_t)zip->len, 4);
    zip->len += zip->directory_len + 22;
}

static int make_usual(void **state)
{
    struct making *zip = calloc(1, sizeof(*zip));
    add(zip, "a/one.txt", "stored text", false);
    add(zip, "two.txt", "deflated deflated deflated deflated text", true);
    add(zip, "empty", "", true);
    finish(zip);
    *state = zip;
    return 0;
}

static int drop(void **state)
{
    free(*state);
    return 0;
}

static int read_bundle(const void *data, size_t len, const struct bundle_limits *limits,
                       struct bundle *bundle)
{
    struct diag diag = {0};
    int fd = memfd_create("archive", 0);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    int err = bundle_read(fd, limits, bundle, &diag);
    assert_true(err == 0 || *diag.text);
    close(fd);
    return err;
}

static bool wants_two(const char *name)
{
    return strcmp(name, "two.txt") == 0;
}

static void members_come_whole(void **state)
{
    const struct making *zip = *state;
    const struct bundle_limits limits = {10, 1000, NULL};
    struct bundle bundle;
    assert_int_equal(read_bundle(zip->data, zip->len, &limits, &bundle), 0);
    assert_int_equal(bundle.count, 3);
    assert_string_equal((char *)bundle_find(&bundle, "a/one.txt")->data, "stored text");
    assert_string_equal((char *)bundle_find_base(&bundle, "one.txt")->data, "stored text");
    assert_string_equal((char *)bundle_find(&bundle, "two.txt")->data,
                        "deflated deflated deflated deflated text");
    assert_int_equal(bundle_find(&bundle, "empty")->len, 0);
    assert_null(bundle_find(&bundle, "one.txt"));
    bundle_clear(&bundle);
}

static void limits_hold_from_both_sides(void **state)
{
    const struct making *zip = *state;
    static const struct {
        const char *name;
        struct bundle_limits limits;
        int err;
    } rows[] = {
        {"files fit", {3, 1000, NULL}, 0},
        {"one file too many", {2, 1000, NULL}, -EFBIG},
        {"octets fit", {3, 51, NULL}, 0},
        {"one octet too many", {3, 50, NULL}, -EFBIG},
        {"what is not wanted counts for nothing", {1, 40, wants_two}, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bundle bundle = {0};
        int err = read_bundle(zip->data, zip->len, &rows[i].limits, &bundle);
        if (err != rows[i].err) {
            fail_msg("%s: %d", rows[i].name, err);
        }
        bundle_clear(&bundle);
    }
}

static void each_cut_is_an_error(void **state)
{
    const struct making *zip = *state;
    const struct bundle_limits limits = {10, 1000, NULL};
    for (size_t len = 0; len < zip->len; len++) {
        struct bundle bundle;
        assert_int_equal(read_bundle(zip->data, len, &limits, &bundle), -EBADMSG);
    }
}

/* Where a fault is planted: an offset from the end of the archive. */
static void damage_is_found(void **state)
{
    const struct making *whole = *state;
    struct making *zip = malloc(sizeof(*zip));
    const struct bundle_limits limits = {10, 100000, NULL};
    size_t directory = whole->len - 22 - whole->directory_len;
    const struct {
        const char *name;
        size_t at;
        uint32_t value;
        unsigned octets;
        int err;
    } rows[] = {
        {"text changed", 30 + 9, 'X', 1, -EBADMSG},
        {"checksum changed", directory + 16, 1, 4, -EBADMSG},
        {"data beyond the end", directory + 20, 60000, 4, -EBADMSG},
        {"larger than it is", directory + 46 + 9 + 24, 41, 4, -EBADMSG},
        {"smaller than it is", directory + 46 + 9 + 24, 39, 4, -EBADMSG},
        {"encrypted", directory + 8, 1, 2, -ENOTSUP},
        {"ZIP64", directory + 24, UINT32_MAX, 4, -ENOTSUP},
        {"packed otherwise", directory + 10, 12, 2, -ENOTSUP},
        {"its header elsewhere", directory + 42, 7, 4, -EBADMSG},
        {"its header outside", directory + 42, 70000, 4, -EBADMSG},
        {"a name longer than the directory", directory + 28, 60000, 2, -EBADMSG},
        {"a name of nothing", directory + 28, 0, 2, -EBADMSG},
        {"more members than there are", whole->len - 22 + 8, 0x00040004, 4, -EBADMSG},
        {"too many members", whole->len - 22 + 8, 0x10011001, 4, -EFBIG},
        {"split", whole->len - 22 + 4, 1, 2, -ENOTSUP},
        {"a directory outside", whole->len - 22 + 16, 60000, 4, -EBADMSG},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bundle bundle = {0};
        memcpy(zip, whole, sizeof(*zip));
        put(zip->data + rows[i].at, rows[i].value, rows[i].octets);
        int err = read_bundle(zip->data, zip->len, &limits, &bundle);
        if (err != rows[i].err) {
            fail_msg("%s: %d", rows[i].name, err);
        }
    }
    free(zip);
}

static void a_file_that_is_there_twice_is_damage(void **state)
{
    (void)state;
    struct making *zip = calloc(1, sizeof(*zip));
    const struct bundle_limits limits = {10, 1000, NULL};
    struct bundle bundle;
    add(zip, "x", "one", false);
    add(zip, "./x", "two", false);
    finish(zip);
    assert_int_equal(read_bundle(zip->data, zip->len, &limits, &bundle), -EBADMSG);
    free(zip);
}

static void a_comment_at_the_end_is_passed_over(void **state)
{
    const struct making *whole = *state;
    struct making *zip = malloc(sizeof(*zip));
    const struct bundle_limits limits = {10, 1000, NULL};
    struct bundle bundle;
    memcpy(zip, whole, sizeof(*zip));
    memcpy(zip->data + zip->len, "PK\5\6 not the end", 16);
    put(zip->data + zip->len - 2, 16, 2);
    assert_int_equal(read_bundle(zip->data, zip->len + 16, &limits, &bundle), 0);
    assert_int_equal(bundle.count, 3);
    bundle_clear(&bundle);
    free(zip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(members_come_whole, make_usual, drop),
        cmocka_unit_test_setup_teardown(limits_hold_from_both_sides, make_usual, drop),
        cmocka_unit_test_setup_teardown(each_cut_is_an_error, make_usual, drop),
        cmocka_unit_test_setup_teardown(damage_is_found, make_usual, drop),
        cmocka_unit_test_setup_teardown(a_comment_at_the_end_is_passed_over, make_usual, drop),
        cmocka_unit_test(a_file_that_is_there_twice_is_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
