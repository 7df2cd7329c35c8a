// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blocklists/generation.h"
#include "syncworld.h"

static void a_first_update_installs_and_a_second_changes_nothing(void **state)
{
    (void)state;
    struct sync_result result;
    assert_int_equal(sync_plain(&result), 0);
    assert_true(result.installed);
    assert_int_equal(result.names, 5);
    expect(&result, SYNC_UPDATED, SYNC_UPDATED, 1);
    assert_true(blocks("a.example"));
    assert_int_equal(sync_plain(&result), 0);
    assert_false(result.installed);
    expect(&result, SYNC_UNCHANGED, SYNC_UNCHANGED, 1);
}

/* A server that knows no ETag must not make a generation at each update. */
static void the_same_octets_again_are_no_new_generation(void **state)
{
    (void)state;
    struct sync_result result;
    assert_int_equal(sync_plain(&result), 0);
    sync_clear(&result);
    write_list(0, "a.example\nb.example\nc.example\nd.example\n"); /* a new time of change */
    assert_int_equal(sync_with((struct sync_options){.force = true}, &result), 0);
    assert_false(result.installed);
    expect(&result, SYNC_UNCHANGED, SYNC_UNCHANGED, 1);
}

static void a_failed_source_keeps_its_last_good_copy(void **state)
{
    (void)state;
    struct sync_result result;
    assert_int_equal(sync_plain(&result), 0);
    sync_clear(&result);
    unlink(urls[0] + 7);
    write_list(1, "||x.example^\n||y.example^\n");
    assert_int_equal(sync_plain(&result), 0);
    assert_non_null(strstr(result.sources[0].meta.report.error_text, "No such file"));
    assert_int_equal(result.unverified, 0); /* nothing came */
    assert_true(result.sources[0].meta.failing_since > 0);
    assert_int_equal(result.sources[0].meta.report.entries, 4);
    expect(&result, SYNC_FAILED, SYNC_UPDATED, 2);
    assert_true(blocks("a.example"));
    assert_true(blocks("www.y.example"));
    write_list(0, "a.example\nb.example\nc.example\nnew.example\n");
    assert_int_equal(sync_plain(&result), 0);
    assert_int_equal(result.sources[0].meta.failing_since, 0);
    expect(&result, SYNC_UPDATED, SYNC_UNCHANGED, 3);
    assert_true(blocks("new.example"));
}

static void bad_downloads_never_replace_a_good_copy(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
        enum sync_status status;
    } rows[] = {
        {"<!DOCTYPE html><html>log in</html>", "HTML", SYNC_FAILED},
        {"", "empty", SYNC_FAILED},
        {"a.example\n", "shrank from 4 to 1", SYNC_HELD},
        {"\x1f\x8b\x08 broken", "damaged", SYNC_FAILED},
        {"Service unavailable, try again later.\n", "not a known list", SYNC_FAILED},
    };
    struct sync_result result;
    assert_int_equal(sync_plain(&result), 0);
    sync_clear(&result);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        write_list(0, rows[i].text);
        assert_int_equal(sync_plain(&result), 0);
        print_message("%s\n", result.sources[0].meta.report.error_text);
        assert_non_null(strstr(result.sources[0].meta.report.error_text, rows[i].says));
        assert_int_equal(result.tried, 2);
        assert_int_equal(result.unverified, 1);
        expect(&result, rows[i].status, SYNC_UNCHANGED, 1);
        assert_true(blocks("d.example"));
    }
    write_list(0, "a.example\n");
    assert_int_equal(sync_with((struct sync_options){.force = true}, &result), 0);
    expect(&result, SYNC_UPDATED, SYNC_UNCHANGED, 2);
    assert_false(blocks("d.example"));
}

static void growth_is_held_until_forced(void **state)
{
    (void)state;
    static char text[1 << 16];
    struct sync_result result;
    size_t used = 0;
    assert_int_equal(sync_plain(&result), 0);
    sync_clear(&result);
    for (unsigned i = 0; i < 1000; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "n%u.example\n", i);
    }
    write_list(0, text);
    assert_int_equal(sync_plain(&result), 0);
    assert_non_null(strstr(result.sources[0].meta.report.error_text, "grew from 4 to 1000"));
    expect(&result, SYNC_HELD, SYNC_UNCHANGED, 1);
}

static void a_list_that_blocks_many_protected_names_is_held(void **state)
{
    (void)state;
    static const char evil[] =
        "||apple.com^\n||microsoft.com^\n||google.com^\n||debian.org^\n||ubuntu.com^\n||naver.com^\n"
        "||wikipedia.org^\n||github.com^\n||gstatic.com^\n||windowsupdate.com^\n||mozilla.org^\n";
    struct sync_result result;
    write_list(1, evil);
    assert_int_equal(sync_plain(&result), 0);
    assert_non_null(strstr(result.sources[1].meta.report.error_text, "protected names"));
    expect(&result, SYNC_UPDATED, SYNC_HELD, 1);
    assert_false(blocks("apple.com"));
    write_list(1, "||x.example^\n||time.apple.com^\n");
    assert_int_equal(sync_plain(&result), 0);
    assert_int_equal(result.hit_count, 1);
    assert_string_equal(result.hits[0].list, "beta");
    assert_string_equal(result.hits[0].entry, "time.apple.com");
    expect(&result, SYNC_UNCHANGED, SYNC_UPDATED, 2);
    write_list(1, evil);
    assert_int_equal(sync_with((struct sync_options){.force = true}, &result), 0);
    expect(&result, SYNC_UNCHANGED, SYNC_HELD, 2);
    assert_true(blocks("x.example"));
    assert_false(blocks("apple.com"));
}

static void nothing_usable_changes_nothing(void **state)
{
    (void)state;
    struct sync_result result;
    write_list(0, "");
    write_list(1, "<html>");
    assert_int_equal(sync_plain(&result), -ENODATA);
    expect(&result, SYNC_FAILED, SYNC_FAILED, 0);
    config.source_count = 0;
    assert_int_equal(sync_plain(&result), 0);
    assert_int_equal(result.count, 0);
    assert_int_equal(result.generation, 0);
    sync_clear(&result);
}

static void chosen_sources_and_dry_runs(void **state)
{
    (void)state;
    struct sync_result result;
    const char *ids[] = {"beta", "nobody"};
    assert_int_equal(sync_with((struct sync_options){.dry_run = true}, &result), 0);
    assert_int_equal(result.names, 5);
    expect(&result, SYNC_UPDATED, SYNC_UPDATED, 0);
    assert_int_equal(sync_with((struct sync_options){.ids = ids, .id_count = 1}, &result), 0);
    assert_false(result.sources[0].used);
    expect(&result, SYNC_KEPT, SYNC_UPDATED, 1);
    assert_int_equal(sync_with((struct sync_options){.ids = ids, .id_count = 2}, &result), -EINVAL);
    sync_clear(&result);
}

static void two_updates_at_once_are_impossible(void **state)
{
    (void)state;
    struct sync_result result;
    struct diag diag = {0};
    int lock = sync_lock(state_dir, &diag);
    assert_true(lock >= 0);
    assert_int_equal(sync_plain(&result), -EBUSY);
    sync_clear(&result);
    close(lock);
    assert_int_equal(sync_plain(&result), 0);
    sync_clear(&result);
}

static void generations_are_kept_pruned_and_rolled_back(void **state)
{
    (void)state;
    char text[128];
    struct sync_result result;
    struct generation all[GENERATIONS_MAX];
    struct diag diag = {0};
    for (unsigned i = 0; i < 4; i++) {
        snprintf(text, sizeof(text), "||x%u.example^\n||y.example^\n", i);
        write_list(1, text);
        assert_int_equal(sync_plain(&result), 0);
        sync_clear(&result);
    }
    assert_int_equal(generation_list(state_dir, all), 2);
    assert_int_equal(all[0].number, 3);
    assert_true(all[1].in_force);
    assert_int_equal(all[1].names, 6);
    assert_int_equal(generation_previous(state_dir), 3);
    assert_int_equal(generation_use(state_dir, 3, &diag), 0);
    assert_int_equal(generation_in_force(state_dir), 3);
    assert_true(blocks("x2.example"));
    assert_false(blocks("x3.example"));
    assert_int_equal(generation_pinned(state_dir), -ENOENT);
    assert_int_equal(generation_pin(state_dir, &diag), 1);
    assert_int_equal(generation_use(state_dir, 1, &diag), -ENOENT);
    assert_int_equal(generation_previous(state_dir), -ENOENT);
    assert_int_equal(generation_in_force(state_dir), 3);
}

static void a_rollback_is_not_undone_by_an_update(void **state)
{
    (void)state;
    struct sync_result result;
    struct diag diag = {0};
    assert_int_equal(sync_plain(&result), 0);
    sync_clear(&result);
    write_list(1, "||y.example^\n");
    assert_int_equal(sync_plain(&result), 0);
    expect(&result, SYNC_UNCHANGED, SYNC_UPDATED, 2);
    assert_int_equal(generation_pin(state_dir, &diag), 0); /* the newest */
    assert_int_equal(generation_pinned(state_dir), -ENOENT);
    assert_int_equal(generation_use(state_dir, 1, &diag), 0);
    assert_int_equal(generation_pin(state_dir, &diag), 1);
    write_list(1, "||z.example^\n");
    for (int if_due = 0; if_due < 2; if_due++) {
        now += 7 * 3600;
        assert_int_equal(sync_with((struct sync_options){.if_due = if_due}, &result), 0);
        assert_int_equal(result.pinned, 1);
        assert_false(result.installed);
        expect(&result, SYNC_KEPT, SYNC_KEPT, 1);
    }
    assert_true(blocks("x.example"));
    assert_int_equal(sync_with((struct sync_options){.force = true, .dry_run = true}, &result), 0);
    sync_clear(&result);
    assert_int_equal(generation_pinned(state_dir), 1);
    assert_int_equal(sync_with((struct sync_options){.force = true}, &result), 0);
    assert_int_equal(result.pinned, 0);
    expect(&result, SYNC_UNCHANGED, SYNC_UPDATED, 3);
    assert_true(blocks("z.example"));
    assert_int_equal(generation_pinned(state_dir), -ENOENT);
}

/* What a killed run leaves is removed by the next one. */
static void leftovers_are_cleaned_up(void **state)
{
    (void)state;
    static const char *const left[] = {"sources/alpha.part", "sources/alpha.new.zst",
                                       "generations/next.tmp.tmp77"};
    char path[256];
    struct sync_result result;
    assert_int_equal(sync_plain(&result), 0);
    sync_clear(&result);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", state_dir, left[i]);
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
    assert_int_equal(sync_plain(&result), 0);
    sync_clear(&result);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", state_dir, left[i]);
        assert_int_equal(access(path, F_OK), -1);
    }
}

static void a_damaged_copy_is_noticed_and_fetched_again(void **state)
{
    (void)state;
    char path[256];
    struct sync_result result;
    assert_int_equal(sync_plain(&result), 0);
    sync_clear(&result);
    snprintf(path, sizeof(path), "%s/sources/alpha.zst", state_dir);
    assert_int_equal(truncate(path, 20), 0);
    assert_int_equal(sync_plain(&result), 0);
    assert_non_null(strstr(result.sources[0].meta.report.error_text, "damaged"));
    expect(&result, SYNC_FAILED, SYNC_UNCHANGED, 2);
    assert_int_equal(sync_plain(&result), 0);
    expect(&result, SYNC_UPDATED, SYNC_UNCHANGED, 3);
    assert_true(blocks("a.example"));
}

static void plain_http_needs_consent_and_files_must_be_plain(void **state)
{
    (void)state;
    static const struct {
        char *url;
        bool insecure;
        const char *says;
    } rows[] = {
        {"http://127.0.0.1:9/x", false, "insecure"},
        {"ftp://127.0.0.1/x", true, "https://"},
        {"file:///", false, "plain file"},
        {"file:///dev/zero", false, "plain file"},
        {"file://otherhost/x", false, "absolute path"},
        {"http://127.0.0.1:9/x", true, "not public"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sync_result result;
        config.source_count = 1;
        sources[0].url = rows[i].url;
        sources[0].insecure = rows[i].insecure;
        assert_int_equal(sync_plain(&result), -ENODATA);
        print_message("%s\n", result.sources[0].meta.report.error_text);
        assert_non_null(strstr(result.sources[0].meta.report.error_text, rows[i].says));
        sync_clear(&result);
    }
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, syncworld_set_up, syncworld_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(a_first_update_installs_and_a_second_changes_nothing),
        ROW(the_same_octets_again_are_no_new_generation),
        ROW(a_failed_source_keeps_its_last_good_copy),
        ROW(bad_downloads_never_replace_a_good_copy),
        ROW(growth_is_held_until_forced),
        ROW(a_list_that_blocks_many_protected_names_is_held),
        ROW(nothing_usable_changes_nothing),
        ROW(chosen_sources_and_dry_runs),
        ROW(two_updates_at_once_are_impossible),
        ROW(generations_are_kept_pruned_and_rolled_back),
        ROW(a_rollback_is_not_undone_by_an_update),
        ROW(leftovers_are_cleaned_up),
        ROW(a_damaged_copy_is_noticed_and_fetched_again),
        ROW(plain_http_needs_consent_and_files_must_be_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
