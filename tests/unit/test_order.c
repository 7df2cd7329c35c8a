// SPDX-License-Identifier: Apache-2.0
/* The same lists give the same bytes, in whatever order sources and lines come: names,
 * addresses, expressions and local data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "blocklists/blockdb.h"
#include "blocklists/compile.h"

enum { LINES = 3000, LISTS = 4, CAP = 1 << 20 };

static char out[] = "/tmp/greengate-test-order-XXXXXX";

/* A line of a list; the same for the same numbers. */
static void print_line(FILE *file, unsigned list, unsigned line)
{
    switch (list) {
    case 0:
        fprintf(file, line % 5 ? "||n%u.a%u.example^\n" : "@@||n%u.a%u.example^$important\n",
                line / 2, line % 7);
        break;
    case 1: fprintf(file, "198.%u.%u.0/%u\n", line % 90, line % 250, 16 + line % 9); break;
    case 2: fprintf(file, "^x%u[0-9]+\\.\n", line % 900); break;
    default:
        if (line % 3 == 0) {
            fprintf(file, "h%u.example 60 A 192.0.2.%u\n", line % 200, line % 250);
        } else {
            fprintf(file, "%sh%u.example CNAME %s\n", line % 2 ? "*." : "", line % 300,
                    line % 4 ? "." : "rpz-drop.");
        }
    }
}

static uint32_t rng;

static unsigned random_below(unsigned bound)
{
    rng ^= rng << 13;
    rng ^= rng >> 17;
    rng ^= rng << 5;
    return rng % bound;
}

static int make_list(unsigned list)
{
    static unsigned order[LINES];
    FILE *file = tmpfile();
    for (unsigned i = 0; i < LINES; i++) {
        unsigned at = random_below(i + 1);
        order[i] = order[at];
        order[at] = i;
    }
    for (unsigned i = 0; i < LINES; i++) {
        print_line(file, list, order[i]);
    }
    fflush(file);
    int fd = dup(fileno(file));
    fclose(file);
    return fd;
}

static size_t compile_shuffled(unsigned seed, uint8_t *bytes, struct blockdb_info *ret_info)
{
    static const int formats[] = {FORMAT_ADBLOCK, FORMAT_ADDRESSES, FORMAT_REGEX, FORMAT_RPZ};
    static const char *const ids[] = {"a", "b", "c", "d"};
    struct build_source sources[LISTS];
    struct source_report reports[LISTS];
    struct diag diag = {0};
    struct blockdb *db = NULL;
    rng = seed;
    for (unsigned i = 0; i < LISTS; i++) {
        unsigned list = (i + seed) % LISTS;
        sources[i] = (struct build_source){.id = ids[list],
                                           .category = "ads",
                                           .url = "",
                                           .format = formats[list],
                                           .local_data = true,
                                           .fetched_at = 1000,
                                           .fd = make_list(list)};
    }
    struct build_job job = {.sources = sources, .source_count = LISTS};
    assert_int_equal(compile_file(&job, out, reports, &diag), 0);
    for (unsigned i = 0; i < LISTS; i++) {
        assert_string_equal(reports[i].error_text, "");
        close(sources[i].fd);
    }
    assert_int_equal(blockdb_open(out, &db, &diag), 0);
    *ret_info = *blockdb_info(db);
    blockdb_close(db);
    FILE *file = fopen(out, "rb");
    size_t len = fread(bytes, 1, CAP, file);
    fclose(file);
    return len;
}

static void order_changes_nothing(void **state)
{
    (void)state;
    static uint8_t first[CAP], other[CAP];
    struct blockdb_info info;
    size_t len = compile_shuffled(1, first, &info);
    assert_in_range(len, 4096, CAP - 1);
    assert_int_equal(info.patterns, 500);
    assert_in_range(info.addresses, 100, LINES);
    for (unsigned seed = 2; seed < 8; seed++) {
        assert_int_equal(compile_shuffled(seed, other, &info), len);
        assert_memory_equal(first, other, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_changes_nothing),
    };
    close(mkstemp(out));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(out);
    return failed;
}
