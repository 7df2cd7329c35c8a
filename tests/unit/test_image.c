// SPDX-License-Identifier: Apache-2.0
/* The cache's way to the next process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cache/image.h"

enum { ANSWERS = 3000, NOW = 1000 };

static uint8_t buffer[DNS_MESSAGE_MAX + 1 + ANSWER_RECORDS_MAX * 2];

/* Answer number i: an A record, every tenth a NXDOMAIN with a SOA. */
static void make_answer(unsigned i, struct dname *name, struct answer *answer)
{
    static uint8_t wire[512];
    static uint16_t ttl_at[1];
    struct wire out;
    char text[64];
    bool none = i % 10 == 0;
    snprintf(text, sizeof(text), "host%u.example", i);
    assert_int_equal(dname_parse(text, name), 0);
    wire_init(&out, wire, sizeof(wire));
    wire_put_u32(&out, FLAG_QR | FLAG_RA | (none ? RCODE_NXDOMAIN : 0));
    wire_put_u16(&out, 1);
    wire_put_u16(&out, !none);
    wire_put_u16(&out, none);
    wire_put_u16(&out, 0);
    wire_put(&out, name->wire, name->len);
    wire_put_u32(&out, 0x00010001);
    wire_put_u16(&out, 0xc00c);
    wire_put_u16(&out, none ? TYPE_SOA : TYPE_A);
    wire_put_u16(&out, CLASS_IN);
    ttl_at[0] = (uint16_t)out.len;
    wire_put_u32(&out, 600);
    wire_put_u16(&out, none ? 22 : 4);
    wire_put(&out, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", none ? 18 : 0);
    wire_put_u32(&out, i);
    *answer = (struct answer){wire, out.len, ttl_at, 1, 600, none ? RCODE_NXDOMAIN : 0, none};
}

static struct cache *filled_cache(void)
{
    struct cache *cache = cache_new(1 << 20);
    for (unsigned i = 0; i < ANSWERS; i++) {
        struct dname name;
        struct answer answer;
        make_answer(i, &name, &answer);
        const struct cache_key key = {&name, TYPE_A, i % 3 == 0, i % 7 == 0};
        const struct cache_mark mark = {.now_s = NOW - 100};
        cache_put(cache, &key, &answer, &mark);
    }
    return cache;
}

static unsigned found(struct cache *cache)
{
    unsigned count = 0;
    for (unsigned i = 0; i < ANSWERS; i++) {
        struct dname name;
        struct answer answer;
        struct cache_copy copy;
        make_answer(i, &name, &answer);
        const struct cache_key key = {&name, TYPE_A, i % 3 == 0, i % 7 == 0};
        const struct cache_key other = {&name, TYPE_A, i % 3 != 0, i % 7 == 0};
        const struct cache_want want = {buffer, sizeof(buffer), NOW, 0};
        assert_false(cache_get(cache, &other, &want, &copy));
        if (cache_get(cache, &key, &want, &copy)) {
            assert_int_equal(copy.len, answer.len);
            assert_memory_equal(buffer, answer.wire, copy.len);
            assert_int_equal(copy.ttl_count, 1);
            assert_int_equal(copy.ttl_at[0], answer.ttl_at[0]);
            assert_int_equal(copy.left_s, 500); /* it ages while nobody runs */
            assert_int_equal(copy.generation, 0);
            count++;
        }
    }
    return count;
}

/* The image of a cache; how many of the answers that held in *ret_found. */
static int saved_of(struct cache *cache, unsigned *ret_found)
{
    int fd = memfd_create("image", MFD_CLOEXEC);
    assert_true(fd >= 0);
    *ret_found = found(cache);
    assert_int_equal(image_save(cache, fd, NOW), 0);
    cache_free(cache);
    return fd;
}

static int saved(void)
{
    unsigned count;
    return saved_of(filled_cache(), &count);
}

static void what_was_saved_is_found_again(void **state)
{
    (void)state;
    unsigned before;
    int fd = saved_of(filled_cache(), &before);
    uint64_t count = 0;
    struct cache *cache = cache_new(1 << 20);
    assert_int_equal(image_load(cache, fd, NOW, &count), 0);
    assert_true(before > ANSWERS * 9 / 10);
    assert_int_equal(count, before);
    assert_true(found(cache) > before * 9 / 10); /* its shards fill otherwise */
    cache_free(cache);
    close(fd);
}

static void what_is_newer_is_kept(void **state)
{
    (void)state;
    struct cache *cache = cache_new(1 << 20);
    struct dname name;
    struct answer answer;
    struct cache_copy copy;
    uint64_t count = 0;
    int fd = saved();
    make_answer(1, &name, &answer);
    const struct cache_key key = {&name, TYPE_A, false, false};
    const struct cache_want want = {buffer, sizeof(buffer), NOW, 0};
    const struct cache_mark mark = {.now_s = NOW};
    cache_put(cache, &key, &answer, &mark);
    assert_int_equal(image_load(cache, fd, NOW, &count), 0);
    assert_true(cache_get(cache, &key, &want, &copy));
    assert_int_equal(copy.left_s, 600);
    cache_free(cache);
    close(fd);
}

static void a_single_octet_that_changed_spoils_it(void **state)
{
    (void)state;
    struct stat st;
    int fd = saved();
    assert_int_equal(fstat(fd, &st), 0);
    for (off_t at = 0; at < st.st_size; at += at < 512 ? 1 : 4999) {
        struct cache *cache = cache_new(1 << 20);
        struct cache_use use;
        uint8_t octet;
        uint64_t count = 0;
        assert_int_equal(pread(fd, &octet, 1, at), 1);
        octet ^= 0x10;
        assert_int_equal(pwrite(fd, &octet, 1, at), 1);
        assert_true(image_load(cache, fd, NOW, &count) < 0);
        cache_measure(cache, &use);
        assert_int_equal(use.entries, 0);
        octet ^= 0x10;
        assert_int_equal(pwrite(fd, &octet, 1, at), 1);
        cache_free(cache);
    }
    close(fd);
}

static void what_is_short_long_or_not_of_this_boot_is_not_used(void **state)
{
    (void)state;
    static const off_t lengths[] = {0, 1, 55, 56, 57, 1000};
    struct cache *cache = cache_new(1 << 20);
    struct stat st;
    uint64_t count = 0;
    int fd = saved();
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(ftruncate(fd, st.st_size + 1), 0);
    assert_int_equal(image_load(cache, fd, NOW, &count), -EBADMSG);
    assert_int_equal(ftruncate(fd, st.st_size), 0);
    assert_int_equal(image_load(cache, fd, NOW - 1, &count), -ESTALE); /* a clock that began anew */
    for (size_t i = sizeof(lengths) / sizeof(lengths[0]); i > 0; i--) {
        assert_int_equal(ftruncate(fd, lengths[i - 1]), 0);
        assert_int_equal(image_load(cache, fd, NOW, &count), -EBADMSG);
    }
    assert_int_equal(count, 0);
    cache_free(cache);
    close(fd);
}

static void nothing_is_written_to_a_disk(void **state)
{
    (void)state;
    char path[] = "/var/tmp/gg-image-XXXXXX";
    struct cache *cache = filled_cache();
    struct stat st;
    struct statfs fs;
    uint64_t count = 0;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(fstatfs(fd, &fs), 0);
    if (fs.f_type == 0x01021994) {
        cache_free(cache);
        close(fd);
        skip(); /* /var/tmp is in memory here */
    }
    assert_int_equal(image_save(cache, fd, NOW), -EXDEV);
    assert_int_equal(image_load(cache, fd, NOW, &count), -EXDEV);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, 0);
    cache_free(cache);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_saved_is_found_again),
        cmocka_unit_test(what_is_newer_is_kept),
        cmocka_unit_test(a_single_octet_that_changed_spoils_it),
        cmocka_unit_test(what_is_short_long_or_not_of_this_boot_is_not_used),
        cmocka_unit_test(nothing_is_written_to_a_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
