// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "blocklists/budget.h"

enum { MIB = 1 << 20 };

/* Whatever the setting, what may grow at the same time stays within it. */
static void the_shares_fit(void **state)
{
    (void)state;
    struct config config = {.server = {.state_dir = "/proc"}};
    for (config.lists.memory_mb = 20; config.lists.memory_mb <= 1024; config.lists.memory_mb++) {
        struct budget budget = budget_of(&config);
        uint64_t left = (uint64_t)(config.lists.memory_mb - 16) * MIB;
        assert_true(budget.records >= 2 * MIB && budget.records <= left / 2);
        assert_true(budget.decoder >= 2 * MIB && budget.decoder <= left);
        assert_int_equal(budget.file, 0);
    }
}

static void files_count_where_they_lie_in_memory(void **state)
{
    (void)state;
    char path[64];
    int fd = memfd_create("tmpfs", MFD_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct config config = {.server = {.state_dir = path}, .lists = {.memory_mb = 32}};
    struct budget budget = budget_of(&config);
    assert_int_equal(budget.file, 8 * MIB);
    assert_true(budget.file + budget.records <= (32 - 16) * MIB);
    close(fd);
}

/* What is said to be enough is. */
static void the_remedy_helps(void **state)
{
    (void)state;
    for (uint64_t names = 1000; names <= 10000000; names *= 10) {
        uint64_t left = (uint64_t)(budget_needed(names) - 16) * MIB;
        assert_true(left / 2 >= names * 26);
        assert_true(left / 2 <= names * 26 + 2 * MIB);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shares_fit),
        cmocka_unit_test(files_count_where_they_lie_in_memory),
        cmocka_unit_test(the_remedy_helps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
