// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "blocklists/unpack.h"

enum { CAP = 1 << 20, TEXT = 300000 };

enum packer { PLAIN, GZIP, XZ, ZSTD };
static const enum packer packers[] = {GZIP, XZ, ZSTD};

static uint8_t text[TEXT];

/* Lines that do not pack to nothing. */
static int make_text(void **state)
{
    (void)state;
    unsigned seed = 1;
    for (size_t i = 0; i < TEXT; i++) {
        seed = seed * 1103515245 + 12345;
        text[i] = i % 20 == 19 ? '\n' : (uint8_t)('a' + (seed >> 16) % 26);
    }
    return 0;
}

static size_t pack_gzip(const uint8_t *data, size_t len, uint8_t *out)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)len};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_out = out;
    z.avail_out = CAP;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t used = z.total_out;
    deflateEnd(&z);
    return used;
}

static size_t pack(enum packer packer, const uint8_t *data, size_t len, uint8_t *out)
{
    size_t used = 0;
    switch (packer) {
    case GZIP: return pack_gzip(data, len, out);
    case XZ:
        assert_int_equal(
            lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, NULL, data, len, out, &used, CAP),
            LZMA_OK);
        return used;
    case ZSTD: return ZSTD_compress(out, CAP, data, len, 3);
    default: memcpy(out, data, len); return len;
    }
}

static int file_of(const uint8_t *data, size_t len)
{
    int fd = memfd_create("packed", MFD_CLOEXEC);
    assert_int_equal(write(fd, data, len), len);
    return fd;
}

/* Unpack all: the octets are counted and compared with `text`, over and over. */
static int drain(int fd, uint64_t memory, uint64_t *ret_len, struct diag *diag)
{
    struct unpack *unpack = NULL;
    *ret_len = 0;
    assert_int_equal(unpack_new(fd, &unpack), 0);
    if (memory) {
        unpack_bound(unpack, memory);
    }
    for (;;) {
        const uint8_t *data;
        size_t len;
        int err = unpack_next(unpack, &data, &len, diag);
        if (err < 0 || len == 0) {
            unpack_free(unpack);
            close(fd);
            return err;
        }
        for (size_t i = 0; i < len; i++, ++*ret_len) {
            if (data[i] != text[*ret_len % TEXT]) {
                fail_msg("octet %llu differs", (unsigned long long)*ret_len);
            }
        }
    }
}

static int drain_octets(const uint8_t *data, size_t len, uint64_t *ret_len, struct diag *diag)
{
    return drain(file_of(data, len), 0, ret_len, diag);
}

static void every_packer_gives_the_same_octets(void **state)
{
    (void)state;
    static uint8_t out[CAP];
    for (enum packer packer = PLAIN; packer <= ZSTD; packer++) {
        uint64_t len;
        size_t used = pack(packer, text, TEXT, out);
        assert_int_equal(unpack_is_packed(out, used), packer != PLAIN);
        assert_int_equal(drain_octets(out, used, &len, NULL), 0);
        assert_int_equal(len, TEXT);
    }
}

static void several_members_follow_each_other(void **state)
{
    (void)state;
    static uint8_t out[3 * CAP];
    for (size_t i = 0; i < 3; i++) {
        uint64_t len;
        size_t used = pack(packers[i], text, TEXT, out);
        used += pack(packers[i], text, TEXT, out + used);
        assert_int_equal(drain_octets(out, used, &len, NULL), 0);
        assert_int_equal(len, 2 * TEXT);
    }
}

static void padding_of_zeros_is_no_member(void **state)
{
    (void)state;
    static uint8_t out[CAP];
    static const enum packer padded[] = {GZIP, XZ};
    for (size_t i = 0; i < 2; i++) {
        uint64_t len;
        size_t used = pack(padded[i], text, TEXT, out);
        memset(out + used, 0, 512);
        assert_int_equal(drain_octets(out, used + 512, &len, NULL), 0);
        assert_int_equal(len, TEXT);
        out[used + 511] = 'x';
        assert_int_equal(drain_octets(out, used + 512, &len, NULL), -EBADMSG);
    }
}

/* Cut at each of many places, in the second member too. */
static void what_stops_short_is_an_error(void **state)
{
    (void)state;
    static uint8_t out[2 * CAP];
    for (size_t i = 0; i < 3; i++) {
        size_t first = pack(packers[i], text, TEXT, out);
        size_t used = first + pack(packers[i], text, TEXT, out + first);
        for (size_t cut = 8; cut < used; cut += used / 23) {
            uint64_t len;
            struct diag diag = {0};
            if (cut != first) {
                assert_int_equal(drain_octets(out, cut, &len, &diag), -EBADMSG);
                assert_string_equal(diag.text, "compressed data is damaged or truncated");
            }
        }
        uint64_t len;
        assert_int_equal(drain_octets(out, used - 1, &len, NULL), -EBADMSG);
    }
}

static void a_flipped_octet_is_noticed(void **state)
{
    (void)state;
    static uint8_t out[CAP];
    static const enum packer checked[] = {GZIP, XZ};
    for (size_t i = 0; i < 2; i++) {
        size_t used = pack(checked[i], text, TEXT, out);
        uint64_t len;
        struct unpack *unpack = NULL;
        out[used / 2] ^= 0x10;
        int fd = file_of(out, used);
        assert_int_equal(unpack_new(fd, &unpack), 0);
        int err = 0;
        const uint8_t *data;
        size_t got = 1;
        for (len = 0; err == 0 && got; len += got) {
            err = unpack_next(unpack, &data, &got, NULL);
        }
        assert_int_equal(err, -EBADMSG);
        unpack_free(unpack);
        close(fd);
    }
}

/* Zeros: a member of 8 MiB, as often as makes a gigabyte. */
static void a_bomb_is_refused_early(void **state)
{
    (void)state;
    enum { BLOCK = 8 << 20, TIMES = 128 };
    uint8_t *zeros = calloc(1, BLOCK);
    uint8_t *out = malloc(CAP);
    for (size_t i = 0; i < 3; i++) {
        struct diag diag = {0};
        struct unpack *unpack = NULL;
        const uint8_t *data;
        size_t len = 1;
        uint64_t sum = 0;
        int err = 0;
        int fd = memfd_create("bomb", MFD_CLOEXEC);
        size_t used = pack(packers[i], zeros, BLOCK, out);
        for (unsigned n = 0; n < TIMES; n++) {
            assert_int_equal(write(fd, out, used), used);
        }
        assert_int_equal(unpack_new(fd, &unpack), 0);
        for (; err == 0 && len; sum += len) {
            err = unpack_next(unpack, &data, &len, &diag);
        }
        assert_int_equal(err, -EFBIG);
        assert_non_null(strstr(diag.text, "grows more than 200 times"));
        assert_true(sum < (64 << 20));
        unpack_free(unpack);
        close(fd);
    }
    free(zeros);
    free(out);
}

static void xz_keeps_to_its_memory(void **state)
{
    (void)state;
    static uint8_t out[CAP];
    struct diag diag = {0};
    uint64_t len;
    size_t used = pack(XZ, text, TEXT, out); /* level 6: a dictionary of 8 MiB */
    assert_int_equal(drain(file_of(out, used), 4 << 20, &len, &diag), -ENOBUFS);
    assert_non_null(strstr(diag.text, "xz needs 9 MiB"));
    assert_non_null(strstr(diag.text, "4 MiB are allowed: raise lists.memory_mb by 5"));
    assert_int_equal(drain(file_of(out, used), 9 << 20, &len, &diag), 0);
    assert_int_equal(len, TEXT);
}

static void an_empty_file_is_empty(void **state)
{
    (void)state;
    uint64_t len;
    assert_int_equal(drain_octets(text, 0, &len, NULL), 0);
    assert_int_equal(len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_packer_gives_the_same_octets),
        cmocka_unit_test(several_members_follow_each_other),
        cmocka_unit_test(padding_of_zeros_is_no_member),
        cmocka_unit_test(what_stops_short_is_an_error),
        cmocka_unit_test(a_flipped_octet_is_noticed),
        cmocka_unit_test(a_bomb_is_refused_early),
        cmocka_unit_test(xz_keeps_to_its_memory),
        cmocka_unit_test(an_empty_file_is_empty),
    };
    return cmocka_run_group_tests(tests, make_text, NULL);
}
