// SPDX-License-Identifier: Apache-2.0
/* Without descriptors nothing is known of a data file; that is not a missing one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config/known.h"
#include "policy/rules.h"
#include "policy/snapshot.h"

static void limit_files(rlim_t most, rlim_t *ret_before)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    *ret_before = limit.rlim_cur;
    limit.rlim_cur = most;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static int shortage_of_known(const char *data_dir, bool *ret_missing)
{
    struct known *known = NULL;
    assert_int_equal(known_load(data_dir, &known), 0);
    int shortage = known->shortage;
    *ret_missing = known->missing[KNOWN_SERVICE];
    known_free(known);
    return shortage;
}

static void known_names(void **state)
{
    rlim_t before;
    bool missing;
    (void)state;
    assert_int_equal(shortage_of_known("blocklists/catalog", &missing), 0);
    assert_false(missing);
    assert_int_equal(shortage_of_known("/nonexistent", &missing), 0);
    assert_true(missing);
    limit_files(0, &before);
    int shortage = shortage_of_known("blocklists/catalog", &missing);
    limit_files(before, &before);
    assert_int_equal(shortage, -EMFILE);
}

static int shortage_of_rules(const struct policy_config *config, bool *ret_lacking)
{
    struct policy_rules *rules = NULL;
    assert_int_equal(policy_rules_new(NULL, 0, config, &rules), 0);
    int shortage = policy_rules_shortage(rules);
    *ret_lacking = rules_lack_built_in(rules) && rules_lack_canaries(rules);
    policy_rules_unref(rules);
    return shortage;
}

static void protected_names(void **state)
{
    struct diag diag = {0};
    struct policy_config *config = NULL;
    rlim_t before;
    bool lacking;
    char path[] = "/tmp/greengate-shortage-XXXXXX";
    int fd = mkstemp(path);
    char *data_dir = realpath("blocklists/catalog", NULL);
    (void)state;
    assert_true(fd >= 0 && data_dir);
    assert_true(dprintf(fd, "server:\n  data_dir: %s\n", data_dir) > 0);
    close(fd);
    free(data_dir);
    assert_int_equal(policy_config_load(path, &config, &diag), 0);
    unlink(path);
    assert_int_equal(policy_config_shortage(config), 0);
    assert_int_equal(shortage_of_rules(config, &lacking), 0);
    assert_false(lacking);
    limit_files(0, &before);
    int shortage = shortage_of_rules(config, &lacking);
    limit_files(before, &before);
    assert_int_equal(shortage, -EMFILE);
    assert_true(lacking);
    policy_config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_names),
        cmocka_unit_test(protected_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
