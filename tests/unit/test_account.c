// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account/password.h"
#include "account/sessions.h"

static char folder[] = "/tmp/greengate-account-XXXXXX";
static char path[64];

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(path, sizeof(path), "%s/accounts.db", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)!unlink(path);
    return rmdir(folder);
}

static struct account make(const char *name, enum account_role role)
{
    struct account account = {.role = role, .recipe = {{1, 2, 3}, 3, 1024}, .changed_day = 20000};
    snprintf(account.name, sizeof(account.name), "%s", name);
    secret_hash(name, strlen(name), &account.verifier);
    return account;
}

static void count_one(void *context, const struct account *account)
{
    (void)account;
    ++*(int *)context;
}

static void accounts_are_kept(void **state)
{
    struct accounts *accounts = NULL;
    struct account found;
    struct diag diag = {0};
    struct stat info;
    (void)state;
    assert_int_equal(accounts_open(path, &accounts), 0);
    assert_int_equal(accounts_find(accounts, "kim", &found, &diag), -ENOENT);
    assert_int_equal(accounts_count(accounts, &diag), 0);
    assert_int_not_equal(access(path, F_OK), 0); /* nothing was made to be looked at */
    const struct account kim = make("kim", ACCOUNT_ADMIN), lee = make("lee", ACCOUNT_VIEWER);
    assert_int_equal(accounts_put(accounts, &kim, &diag), 0);
    assert_int_equal(accounts_put(accounts, &lee, &diag), 0);
    accounts_close(accounts);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(accounts_open(path, &accounts), 0);
    assert_int_equal(accounts_find(accounts, "kim", &found, &diag), 0);
    assert_string_equal(found.name, "kim");
    assert_int_equal(found.role, ACCOUNT_ADMIN);
    assert_memory_equal(&found.recipe, &kim.recipe, sizeof(kim.recipe));
    assert_true(secret_equal(&found.verifier, &kim.verifier));
    assert_int_equal(found.changed_day, kim.changed_day);
    int count = 0;
    assert_int_equal(accounts_walk(accounts, count_one, &count, &diag), 0);
    assert_int_equal(count, 2);
    accounts_close(accounts);
}

static void the_last_admin_stays(void **state)
{
    struct accounts *accounts = NULL;
    struct diag diag = {0};
    (void)state;
    assert_int_equal(accounts_open(path, &accounts), 0);
    const struct account less = make("kim", ACCOUNT_TEACHER), other = make("lee", ACCOUNT_ADMIN);
    assert_int_equal(accounts_remove(accounts, "kim", &diag), -EBUSY);
    assert_int_equal(accounts_put(accounts, &less, &diag), -EBUSY);
    assert_non_null(strstr(diag.text, "last admin"));
    assert_int_equal(accounts_put(accounts, &other, &diag), 0);
    assert_int_equal(accounts_put(accounts, &less, &diag), 0);
    assert_int_equal(accounts_remove(accounts, "kim", &diag), 0);
    assert_int_equal(accounts_remove(accounts, "kim", &diag), -ENOENT);
    accounts_close(accounts);
}

static void accounts_have_a_limit(void **state)
{
    struct accounts *accounts = NULL;
    struct diag diag = {0};
    char name[16];
    int err = 0;
    (void)state;
    assert_int_equal(accounts_open(path, &accounts), 0);
    for (int i = accounts_count(accounts, &diag); i < ACCOUNTS_MAX && err == 0; i++) {
        snprintf(name, sizeof(name), "a%d", i);
        const struct account one = make(name, ACCOUNT_VIEWER);
        err = accounts_put(accounts, &one, &diag);
    }
    assert_int_equal(err, 0);
    const struct account more = make("more", ACCOUNT_VIEWER), again = make("a7", ACCOUNT_TEACHER);
    assert_int_equal(accounts_put(accounts, &more, &diag), -ENOSPC);
    assert_int_equal(accounts_put(accounts, &again, &diag), 0); /* it is there already */
    accounts_close(accounts);
}

static void tokens_are_known_by_their_hash(void **state)
{
    struct accounts *accounts = NULL;
    struct diag diag = {0};
    struct token token = {.role = ACCOUNT_METRICS, .label = "prometheus", .made_day = 20000}, found;
    char text[SECRET_TOKEN_LEN + 1], id[SECRET_ID_LEN + 1];
    (void)state;
    assert_int_equal(accounts_open(path, &accounts), 0);
    secret_new_token(text, token.id);
    assert_int_equal(strlen(text), SECRET_TOKEN_LEN);
    secret_hash(text, SECRET_TOKEN_LEN, &token.verifier);
    assert_int_equal(tokens_add(accounts, &token, &diag), 0);
    assert_true(secret_token_id(text, id));
    assert_int_equal(tokens_find(accounts, id, &found, &diag), 0);
    assert_true(secret_equal(&found.verifier, &token.verifier));
    assert_int_equal(tokens_touch(accounts, id, 20001, &diag), 0);
    assert_int_equal(tokens_find(accounts, id, &found, &diag), 0);
    assert_int_equal(found.used_day, 20001);
    assert_int_equal(tokens_remove(accounts, id, &diag), 0);
    assert_int_equal(tokens_find(accounts, id, &found, &diag), -ENOENT);
    static const char *const none[] = {"", "gg_", "gg_12345678", "xx_12345678_",
                                       "gg_123456789_23456789012345678901234567890123456789x"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_false(secret_token_id(none[i], id));
    }
    accounts_close(accounts);
}

static void a_damaged_file_lets_nobody_in(void **state)
{
    struct accounts *accounts = NULL;
    struct account found;
    struct diag diag = {0};
    (void)state;
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("this is no database, but long enough to be taken for the head of one ..............."
          "..................................................................................",
          out);
    fclose(out);
    assert_int_equal(accounts_open(path, &accounts), 0);
    assert_true(accounts_find(accounts, "kim", &found, &diag) < 0);
    assert_true(accounts_count(accounts, &diag) < 0); /* not 0: that would print an invitation */
    assert_string_equal(diag.file, path);
    accounts_close(accounts);
}

static void sessions_end_by_themselves(void **state)
{
    static const struct {
        const char *name;
        int64_t used, asked;
        bool found;
    } rows[] = {
        {"at once", 0, 0, true},
        {"just within the idle time", 0, SESSION_IDLE_S, true},
        {"behind it", 0, SESSION_IDLE_S + 1, false},
        {"used in between", SESSION_IDLE_S, 2 * SESSION_IDLE_S, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sessions *sessions = NULL;
        char text[SECRET_DIGITS + 1];
        const struct account kim = make("kim", ACCOUNT_ADMIN);
        assert_int_equal(sessions_new(&sessions), 0);
        sessions_begin(sessions, &kim, 1000, text);
        (void)sessions_find(sessions, text, 1000 + rows[i].used, true);
        bool found = sessions_find(sessions, text, 1000 + rows[i].asked, true);
        if (found != rows[i].found) {
            fail_msg("%s", rows[i].name);
        }
        sessions_free(sessions);
    }
}

static void a_session_has_a_whole_time_and_watching_is_no_use(void **state)
{
    struct sessions *sessions = NULL;
    char text[SECRET_DIGITS + 1];
    const struct account kim = make("kim", ACCOUNT_ADMIN);
    (void)state;
    assert_int_equal(sessions_new(&sessions), 0);
    sessions_begin(sessions, &kim, 0, text);
    for (int64_t at = 0; at <= SESSION_WHOLE_S; at += SESSION_IDLE_S / 2) {
        assert_non_null(sessions_find(sessions, text, at, true));
    }
    assert_null(sessions_find(sessions, text, SESSION_WHOLE_S + 1, true));
    sessions_begin(sessions, &kim, 0, text);
    assert_non_null(sessions_find(sessions, text, SESSION_IDLE_S, false));
    assert_null(sessions_find(sessions, text, SESSION_IDLE_S + 1, false));
    sessions_free(sessions);
}

static void sessions_of_an_account_end_together(void **state)
{
    struct sessions *sessions = NULL;
    char one[SECRET_DIGITS + 1], two[SECRET_DIGITS + 1], other[SECRET_DIGITS + 1];
    const struct account kim = make("kim", ACCOUNT_ADMIN), lee = make("lee", ACCOUNT_VIEWER);
    (void)state;
    assert_int_equal(sessions_new(&sessions), 0);
    sessions_begin(sessions, &kim, 0, one);
    sessions_begin(sessions, &kim, 0, two);
    sessions_begin(sessions, &lee, 0, other);
    sessions_end_of(sessions, "kim", sessions_find(sessions, one, 0, true));
    assert_non_null(sessions_find(sessions, one, 0, true));
    assert_null(sessions_find(sessions, two, 0, true));
    assert_non_null(sessions_find(sessions, other, 0, true));
    assert_null(sessions_find(sessions, "", 0, true));
    for (int i = 0; i < SESSIONS_MAX; i++) { /* the one that idled longest makes room */
        char more[SECRET_DIGITS + 1];
        sessions_begin(sessions, &lee, 10 + i, more);
    }
    assert_null(sessions_find(sessions, one, 200, true));
    sessions_free(sessions);
}

static bool attempt(struct sessions *sessions, const char *client, const char *account, int64_t at)
{
    const struct session_try attempt = {(const uint8_t *)client, strlen(client), 8, account};
    return sessions_may_try(sessions, &attempt, at);
}

static void tries_are_counted_by_address_and_minute(void **state)
{
    struct sessions *sessions = NULL;
    (void)state;
    assert_int_equal(sessions_new(&sessions), 0);
    for (int i = 0; i < SESSION_TRIES; i++) {
        assert_true(attempt(sessions, "networkA0000000a", "kim", 59));
    }
    assert_false(attempt(sessions, "networkA0000000a", "kim", 59));
    assert_true(attempt(sessions, "networkA0000000a", "lee", 59)); /* another account */
    assert_true(attempt(sessions, "networkA0000000b", "kim", 59)); /* a neighbour */
    assert_true(attempt(sessions, "networkA0000000a", "kim", 60)); /* a minute later */
    sessions_free(sessions);
}

static void tries_of_a_network_have_a_limit(void **state)
{
    struct sessions *sessions = NULL;
    char client[17];
    unsigned count = 0;
    (void)state;
    assert_int_equal(sessions_new(&sessions), 0);
    for (unsigned i = 0; i < 2 * SESSION_TRIES_ALL; i++) {
        snprintf(client, sizeof(client), "networkA%08x", i);
        count += attempt(sessions, client, "kim", 0);
    }
    assert_true(count <= SESSION_TRIES_ALL && count > SESSION_TRIES_ALL / 2);
    assert_true(attempt(sessions, "networkB00000000", "kim", 0));
    sessions_free(sessions);
}

static void an_invitation_is_for_once_and_an_hour(void **state)
{
    struct sessions *sessions = NULL;
    char old[SECRET_DIGITS + 1], text[SECRET_DIGITS + 1];
    (void)state;
    assert_int_equal(sessions_new(&sessions), 0);
    assert_false(sessions_is_invited(sessions, "", 0));
    sessions_invite(sessions, 0, old);
    sessions_invite(sessions, 10, text);
    assert_false(sessions_is_invited(sessions, old, 10));
    assert_true(sessions_is_invited(sessions, text, 10 + SESSION_INVITED_S));
    assert_false(sessions_is_invited(sessions, text, 11 + SESSION_INVITED_S));
    sessions_uninvite(sessions);
    assert_false(sessions_is_invited(sessions, text, 10));
    sessions_free(sessions);
}

static void keys_come_from_passwords(void **state)
{
    struct recipe recipe, other;
    struct secret key, again, different;
    (void)state;
    password_new_recipe(&recipe);
    password_new_recipe(&other);
    assert_memory_not_equal(recipe.salt, other.salt, RECIPE_SALT);
    recipe.kib = other.kib = 64;
    assert_int_equal(password_derive("twelve green apples", &recipe, &key), 0);
    assert_int_equal(password_derive("twelve green apples", &recipe, &again), 0);
    assert_memory_equal(&key, &again, sizeof(key));
    assert_int_equal(password_derive("twelve green apples", &other, &different), 0);
    assert_memory_not_equal(&key, &different, sizeof(key));
    assert_int_equal(password_derive("short", &recipe, &key), -EINVAL);
    recipe.kib = RECIPE_KIB_MAX + 1; /* a daemon that asks for all our memory */
    assert_int_equal(password_derive("twelve green apples", &recipe, &key), -EINVAL);
}

static void names_of_accounts(void **state)
{
    static const struct {
        const char *name;
        bool good;
    } rows[] = {
        {"kim", true},
        {"k.i-m_7", true},
        {"", false},
        {"Kim", false},
        {"-kim", false},
        {".kim", false},
        {"k m", false},
        {"김", false},
        {"abcdefghijklmnopqrstuvwxyz012345", true},
        {"abcdefghijklmnopqrstuvwxyz0123456", false},
        {"a/b", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (account_is_name(rows[i].name) != rows[i].good) {
            fail_msg("%s", rows[i].name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_are_kept),
        cmocka_unit_test(the_last_admin_stays),
        cmocka_unit_test(accounts_have_a_limit),
        cmocka_unit_test(tokens_are_known_by_their_hash),
        cmocka_unit_test(a_damaged_file_lets_nobody_in),
        cmocka_unit_test(sessions_end_by_themselves),
        cmocka_unit_test(a_session_has_a_whole_time_and_watching_is_no_use),
        cmocka_unit_test(sessions_of_an_account_end_together),
        cmocka_unit_test(tries_are_counted_by_address_and_minute),
        cmocka_unit_test(tries_of_a_network_have_a_limit),
        cmocka_unit_test(an_invitation_is_for_once_and_an_hour),
        cmocka_unit_test(keys_come_from_passwords),
        cmocka_unit_test(names_of_accounts),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
