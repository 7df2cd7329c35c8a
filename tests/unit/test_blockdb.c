// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blocklists/blockdb.h"
#include "blocklists/blockdb_key.h"
#include "blocklists/blockdb_write.h"

enum { SEED = 7, MANY = 20000 };

static char path[] = "/tmp/greengate-test-blockdb-XXXXXX";

static const struct blockdb_source sources[] = {
    {"alpha", "adult", "file:///alpha", "1.0", 1000, 2, 1, 0},
    {"beta", "gambling", "file:///beta", "", 2000, 1, 2, 1},
};

static const struct blockdb_item self[] = {{0, BLOCKDB_SELF, 0, 0}};
static const struct blockdb_item both[] = {{0, BLOCKDB_SELF | BLOCKDB_BELOW, 0, 0},
                                           {1, BLOCKDB_SELF, 0, 0}};

static int by_hash(const void *a, const void *b)
{
    uint64_t x = ((const struct blockdb_entry *)a)->hash;
    uint64_t y = ((const struct blockdb_entry *)b)->hash;
    return (x > y) - (x < y);
}

static struct dname name_of(const char *text)
{
    struct dname name;
    assert_int_equal(dname_parse(text, &name), 0);
    return name;
}

static int write_entries(struct blockdb_entry *entries, size_t count, uint8_t max_labels)
{
    struct blockdb_plan plan = {.seed = SEED,
                                .names = count,
                                .sources = sources,
                                .source_count = 2,
                                .labels = {(2ULL << max_labels) - 1}};
    struct blockdb_writer *writer = NULL;
    int fd = open(path, O_RDWR | O_TRUNC);
    assert_true(fd >= 0);
    if (count) {
        qsort(entries, count, sizeof(*entries), by_hash);
    }
    int err = blockdb_write_begin(fd, &plan, &writer);
    for (size_t i = 0; i < count && err == 0; i++) {
        err = blockdb_write_entry(writer, &entries[i]);
    }
    err = err < 0 ? err : blockdb_write_finish(writer);
    blockdb_write_free(writer);
    close(fd);
    return err;
}

static struct blockdb_entry entry_of(const char *text, const struct blockdb_item *items,
                                     size_t count)
{
    struct dname name = name_of(text);
    return (struct blockdb_entry){blockdb_hash(SEED, &name), items, count};
}

static void write_small(void)
{
    struct blockdb_entry entries[] = {entry_of("bad.example", self, 1),
                                      entry_of("b.worse.example", both, 2),
                                      entry_of("worse.example", both, 2)};
    assert_int_equal(write_entries(entries, 3, 3), 0);
}

static struct blockdb *open_good(void)
{
    struct blockdb *db = NULL;
    struct diag diag = {0};
    assert_int_equal(blockdb_open(path, &db, &diag), 0);
    return db;
}

static size_t find(const struct blockdb *db, const char *text, struct blockdb_hit *hits)
{
    struct dname name = name_of(text);
    struct blockdb_probe probe;
    blockdb_probe(db, &name, &probe);
    return blockdb_find(db, &probe, hits);
}

static struct prefix prefix_of(const char *text)
{
    struct prefix prefix;
    assert_int_equal(prefix_parse(text, &prefix), 0);
    return prefix;
}

/* One address, two prefixes around it, one of IPv6 that begins with the same octets. */
static void write_beside(void)
{
    static const char *const texts[] = {"192.0.2.1", "192.0.2.0/24", "192.0.0.0/11",
                                        "c000:201::/32"};
    static const uint8_t record[] = {0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 9};
    static const struct blockdb_data data[] = {{record, sizeof(record)}};
    static const struct blockdb_pattern patterns[] = {{"^ad[0-9]", 1, BLOCKDB_SELF, 0}};
    static const struct blockdb_item local[] = {{1, BLOCKDB_SELF, BLOCKDB_LOCAL, 1}};
    struct blockdb_plan plan = {.seed = SEED,
                                .names = 5,
                                .sources = sources,
                                .source_count = 2,
                                .addresses = 4,
                                .labels = {1 << 2},
                                .prefixes = {1ULL << 32},
                                .prefixes_4 = 1ULL << 32 | 1 << 24 | 1 << 11,
                                .data = data,
                                .data_count = 1,
                                .patterns = patterns,
                                .pattern_count = 1};
    struct blockdb_entry entries[5] = {entry_of("walled.example", local, 1)};
    for (size_t i = 0; i < 4; i++) {
        struct prefix prefix = prefix_of(texts[i]);
        entries[i + 1] = (struct blockdb_entry){blockdb_hash_address(SEED, &prefix), self, 1};
    }
    qsort(entries, 5, sizeof(entries[0]), by_hash);
    struct blockdb_writer *writer = NULL;
    int fd = open(path, O_RDWR | O_TRUNC);
    assert_int_equal(blockdb_write_begin(fd, &plan, &writer), 0);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(blockdb_write_entry(writer, &entries[i]), 0);
    }
    assert_int_equal(blockdb_write_finish(writer), 0);
    blockdb_write_free(writer);
    close(fd);
}

static void hits_name_their_suffix(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t count;
        uint8_t skips[2];
        size_t items;
    } rows[] = {
        {"bad.example", 1, {0}, 1},
        {"BAD.Example.", 1, {0}, 1},
        {"www.bad.example", 1, {1}, 1},
        {"b.worse.example", 2, {0, 1}, 2},
        {"x.y.z.b.worse.example", 2, {3, 4}, 2},
        {"example", 0, {0}, 0},
        {".", 0, {0}, 0},
        {"good.example", 0, {0}, 0},
        {"bad.example.net", 0, {0}, 0},
    };
    write_small();
    struct blockdb *db = open_good();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct blockdb_hit hits[DNAME_LABELS_MAX];
        print_message("%s\n", rows[i].name);
        size_t count = find(db, rows[i].name, hits);
        assert_int_equal(count, rows[i].count);
        for (size_t h = 0; h < count; h++) {
            size_t items = 0;
            assert_int_equal(hits[h].skip, rows[i].skips[h]);
            assert_non_null(blockdb_class(db, hits[h].class_id, &items));
            assert_int_equal(items, rows[i].items);
        }
    }
    blockdb_close(db);
}

static void info_and_sources_come_back(void **state)
{
    (void)state;
    write_small();
    struct blockdb *db = open_good();
    const struct blockdb_info *info = blockdb_info(db);
    assert_int_equal(info->names, 3);
    assert_int_equal(info->classes, 2);
    assert_int_equal(info->sources, 2);
    assert_int_equal(info->built_at, 2000);
    assert_true(info->generation != 0);
    assert_string_equal(blockdb_source(db, 1)->id, "beta");
    assert_string_equal(blockdb_source(db, 0)->category, "adult");
    assert_string_equal(blockdb_source(db, 0)->version, "1.0");
    assert_int_equal(blockdb_source(db, 0)->entries, 2);
    assert_null(blockdb_source(db, 2));
    size_t items;
    assert_null(blockdb_class(db, 0, &items));
    assert_null(blockdb_class(db, 3, &items));
    assert_null(blockdb_class(db, 65535, &items));
    blockdb_close(db);
}

static void empty_database_finds_nothing(void **state)
{
    (void)state;
    struct blockdb_hit hits[DNAME_LABELS_MAX];
    assert_int_equal(write_entries(NULL, 0, 0), 0);
    struct blockdb *db = open_good();
    assert_int_equal(find(db, "a.b.c", hits), 0);
    blockdb_close(db);
}

/* At load 0.80 several hundred of these lie behind a full line. */
static void every_entry_is_found_behind_full_lines(void **state)
{
    (void)state;
    struct blockdb_entry *entries = calloc(MANY, sizeof(*entries));
    struct blockdb_hit hits[DNAME_LABELS_MAX];
    char text[64];
    for (size_t i = 0; i < MANY; i++) {
        snprintf(text, sizeof(text), "n%zu.example", i);
        entries[i] = entry_of(text, i % 2 ? self : both, i % 2 ? 1 : 2);
    }
    assert_int_equal(write_entries(entries, MANY, 2), 0);
    struct blockdb *db = open_good();
    assert_true(blockdb_info(db)->bytes < MANY * 9 + 1024);
    for (size_t i = 0; i < MANY; i++) {
        size_t items;
        snprintf(text, sizeof(text), "n%zu.example", i);
        assert_int_equal(find(db, text, hits), 1);
        assert_non_null(blockdb_class(db, hits[0].class_id, &items));
        assert_int_equal(items, i % 2 ? 1 : 2);
        snprintf(text, sizeof(text), "m%zu.example", i);
        assert_int_equal(find(db, text, hits), 0);
    }
    blockdb_close(db);
    free(entries);
}

/* One hash for all homes: the run is filled until no line within reach has room. */
static void overfull_run_and_equal_fingerprints_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t step;
        size_t count, fails_at;
    } rows[] = {
        {1, BLOCKDB_RUN_MAX * BLOCKDB_SLOTS + 1, BLOCKDB_RUN_MAX * BLOCKDB_SLOTS},
        {1ULL << 40, 3, 1},
    };
    for (size_t r = 0; r < 2; r++) {
        struct blockdb_plan plan = {
            .seed = SEED, .names = 100000, .sources = sources, .source_count = 2};
        struct blockdb_writer *writer = NULL;
        int fd = open(path, O_RDWR | O_TRUNC);
        assert_int_equal(blockdb_write_begin(fd, &plan, &writer), 0);
        for (size_t i = 0; i < rows[r].count; i++) {
            struct blockdb_entry entry = {1 + i * rows[r].step, self, 1};
            int err = blockdb_write_entry(writer, &entry);
            assert_int_equal(err, i < rows[r].fails_at ? 0 : -EEXIST);
            if (err < 0) {
                break;
            }
        }
        blockdb_write_free(writer);
        close(fd);
    }
}

static void too_many_classes_are_refused(void **state)
{
    (void)state;
    struct blockdb_plan plan = {
        .seed = SEED, .names = 70000, .sources = sources, .source_count = 2};
    struct blockdb_writer *writer = NULL;
    int fd = open(path, O_RDWR | O_TRUNC);
    assert_int_equal(blockdb_write_begin(fd, &plan, &writer), 0);
    int err = 0;
    uint64_t i = 0;
    for (; i < 70000 && err == 0; i++) {
        struct blockdb_item items[] = {{0, (uint8_t)i, (uint8_t)(i >> 8), 0},
                                       {1, 1, (uint8_t)(i >> 16), 0}};
        struct blockdb_entry entry = {i * (UINT64_MAX / 70000), items, 2};
        err = blockdb_write_entry(writer, &entry);
    }
    assert_int_equal(err, -E2BIG);
    assert_int_equal(i, BLOCKDB_CLASS_MAX + 1);
    blockdb_write_free(writer);
    close(fd);
}

static void expect_damaged(const uint8_t *data, size_t len, int want)
{
    struct blockdb *db = NULL;
    struct diag diag = {0};
    FILE *file = fopen(path, "wb");
    assert_int_equal(fwrite(data, 1, len, file), len);
    fclose(file);
    assert_int_equal(blockdb_open(path, &db, &diag), want);
    assert_null(db);
    assert_true(diag.text[0] != '\0');
}

static size_t read_back(uint8_t *data, size_t cap)
{
    FILE *file = fopen(path, "rb");
    size_t len = fread(data, 1, cap, file);
    fclose(file);
    return len;
}

static void damage_is_always_noticed(void **state)
{
    (void)state;
    static uint8_t data[8192];
    write_small();
    size_t len = read_back(data, sizeof(data));
    assert_true(len < sizeof(data));
    for (size_t at = 0; at < len; at++) {
        for (unsigned bit = 0; bit < 8; bit += 3) {
            data[at] ^= (uint8_t)(1U << bit);
            expect_damaged(data, len, -EBADMSG);
            data[at] ^= (uint8_t)(1U << bit);
        }
    }
    for (size_t cut = 0; cut < len; cut += 13) {
        expect_damaged(data, cut, -EBADMSG);
    }
    data[len] = 0;
    expect_damaged(data, len + 1, -EBADMSG);
}

/* Figures for people, and which lengths to look for: no table hangs on them. */
static bool is_harmless(unsigned at)
{
    return at == BLOCKDB_AT_LABELS_1 || at / 8 * 8 == BLOCKDB_AT_ADDRESSES ||
           (at >= BLOCKDB_AT_LABELS && at < BLOCKDB_AT_PREFIXES + 16) ||
           at == BLOCKDB_AT_PREFIXES_4;
}

/* A checksum that fits is no licence: every table is checked against the file. */
static void forge_headers(void)
{
    static uint8_t data[8192];
    size_t len = read_back(data, sizeof(data));
    for (unsigned at = BLOCKDB_AT_HOMES; at < BLOCKDB_AT_SPARE; at += 4) {
        uint8_t kept[4];
        if (is_harmless(at)) {
            continue;
        }
        memcpy(kept, data + at, 4);
        memset(data + at, 0xff, 4);
        le64_store(data + BLOCKDB_AT_CHECKSUM, blockdb_checksum(data, len));
        expect_damaged(data, len, -EBADMSG);
        memcpy(data + at, kept, 4);
    }
    le32_store(data + BLOCKDB_AT_VERSION, BLOCKDB_VERSION + 1);
    le64_store(data + BLOCKDB_AT_CHECKSUM, blockdb_checksum(data, len));
    expect_damaged(data, len, -EPROTO);
}

static void forged_headers_stay_in_bounds(void **state)
{
    (void)state;
    write_small();
    forge_headers();
    write_beside();
    forge_headers();
}

static void addresses_hit_their_prefixes_longest_first(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        size_t count;
        uint8_t bits[3];
    } rows[] = {
        {"192.0.2.1", 3, {32, 24, 11}}, {"192.0.2.2", 2, {24, 11}}, {"192.31.255.255", 1, {11}},
        {"192.32.0.0", 0, {0}},         {"c000:201::1", 1, {32}},   {"c000:202::1", 0, {0}},
    };
    write_beside();
    struct blockdb *db = open_good();
    assert_int_equal(blockdb_info(db)->addresses, 4);
    assert_int_equal(blockdb_info(db)->names, 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct blockdb_address_hit hits[BLOCKDB_ADDRESS_HITS_MAX];
        struct addr addr;
        print_message("%s\n", rows[i].address);
        assert_int_equal(addr_parse(rows[i].address, &addr), 0);
        assert_int_equal(blockdb_find_address(db, &addr, hits), rows[i].count);
        for (size_t h = 0; h < rows[i].count; h++) {
            assert_int_equal(hits[h].bits, rows[i].bits[h]);
        }
    }
    blockdb_close(db);
}

static void local_data_and_patterns_come_back(void **state)
{
    (void)state;
    struct blockdb_hit hits[DNAME_LABELS_MAX];
    size_t items;
    write_beside();
    struct blockdb *db = open_good();
    assert_int_equal(find(db, "walled.example", hits), 1);
    const struct blockdb_item *item = blockdb_class(db, hits[0].class_id, &items);
    assert_int_equal(item->action, BLOCKDB_LOCAL);
    struct blockdb_data data = blockdb_data(db, item->data);
    assert_int_equal(data.len, 12);
    assert_int_equal(data.records[11], 9);
    assert_int_equal(blockdb_data(db, 0).len, 0);
    assert_int_equal(blockdb_data(db, 2).len, 0);
    assert_int_equal(blockdb_info(db)->patterns, 1);
    assert_string_equal(blockdb_pattern(db, 0)->text, "^ad[0-9]");
    assert_int_equal(blockdb_pattern(db, 0)->source, 1);
    assert_null(blockdb_pattern(db, 1));
    assert_int_equal(blockdb_source(db, 1)->format, 2);
    assert_int_equal(blockdb_source(db, 1)->match, 1);
    blockdb_close(db);
}

static void version_before_is_read(void **state)
{
    (void)state;
    struct blockdb *db = NULL;
    struct diag diag = {0};
    struct blockdb_hit hits[DNAME_LABELS_MAX];
    size_t items;
    assert_int_equal(blockdb_open("tests/fuzz/corpus/blockdb/starter", &db, &diag), 0);
    assert_int_equal(blockdb_info(db)->version, 1);
    assert_int_equal(find(db, "www.bet365.com", hits), 1);
    assert_int_equal(hits[0].skip, 1);
    assert_int_equal(blockdb_class(db, hits[0].class_id, &items)->action, BLOCKDB_BLOCK);
    struct addr addr;
    struct blockdb_address_hit prefixes[BLOCKDB_ADDRESS_HITS_MAX];
    assert_int_equal(addr_parse("192.0.2.1", &addr), 0);
    assert_int_equal(blockdb_find_address(db, &addr, prefixes), 0);
    blockdb_close(db);
}

static void missing_file_and_folder_are_told_apart(void **state)
{
    (void)state;
    struct blockdb *db = NULL;
    assert_int_equal(blockdb_open("/nonexistent/x.ggdb", &db, NULL), -ENOENT);
    assert_int_equal(blockdb_open("/", &db, NULL), -EBADMSG);
}

static void inline_hashes_equal_the_library_s(void **state)
{
    (void)state;
    uint8_t data[255];
    for (unsigned i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i * 37 + 11);
    }
    for (size_t len = 1; len <= sizeof(data); len++) {
        uint64_t seed = len * 0x9e3779b97f4a7c15ULL;
        struct hash_tail tail = hash_tail(seed, data, len);
        for (size_t at = 0; at < len; at++) {
            uint64_t want = hash_seeded(seed, data + at, len - at);
            assert_true(hash_suffix(&tail, data + at, len - at) == want);
            assert_true(hash_seeded_inline(seed, data + at, len - at) == want);
        }
        struct hash128 want = hash_seeded128(seed, data, len);
        struct hash128 got = hash_seeded128_inline(seed, data, len);
        assert_true(got.low == want.low && got.high == want.high);
        struct hash_stream *stream = hash_stream_new(seed);
        assert_non_null(stream);
        hash_stream_add(stream, data, len / 3);
        hash_stream_add(stream, data + len / 3, len - len / 3);
        assert_true(hash_stream_end(stream) == hash_seeded(seed, data, len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inline_hashes_equal_the_library_s),
        cmocka_unit_test(hits_name_their_suffix),
        cmocka_unit_test(info_and_sources_come_back),
        cmocka_unit_test(empty_database_finds_nothing),
        cmocka_unit_test(every_entry_is_found_behind_full_lines),
        cmocka_unit_test(overfull_run_and_equal_fingerprints_are_refused),
        cmocka_unit_test(too_many_classes_are_refused),
        cmocka_unit_test(damage_is_always_noticed),
        cmocka_unit_test(forged_headers_stay_in_bounds),
        cmocka_unit_test(addresses_hit_their_prefixes_longest_first),
        cmocka_unit_test(local_data_and_patterns_come_back),
        cmocka_unit_test(version_before_is_read),
        cmocka_unit_test(missing_file_and_folder_are_told_apart),
    };
    int fd = mkstemp(path);
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
