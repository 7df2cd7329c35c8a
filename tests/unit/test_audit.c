// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wholefile.h"
#include "store/audit.h"

static char folder[] = "/tmp/greengate-audit-XXXXXX";
static char path[64];

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(path, sizeof(path), "%s/audit.log", folder);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static int clear(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s/*", folder);
    return system(command);
}

static void add(struct audit_log *log, const char *details)
{
    const struct audit_entry entry = {1790000000, 1000, "block", details};
    assert_int_equal(audit_add(log, &entry), 0);
}

struct seen {
    unsigned lines, states[AUDIT_CUT + 1];
    unsigned first_bad; /* line number */
    char last[AUDIT_LINE_MAX];
};

static void see(void *context, const struct audit_line *line)
{
    struct seen *seen = context;
    seen->lines++;
    seen->states[line->state]++;
    if (line->state != AUDIT_GOOD && !seen->first_bad) {
        seen->first_bad = line->number;
    }
    snprintf(seen->last, sizeof(seen->last), "%s", line->text);
}

static struct seen walk(void)
{
    struct seen seen = {0};
    assert_int_equal(audit_walk(path, see, &seen, NULL), 0);
    return seen;
}

static void write_some(unsigned count)
{
    struct audit_log *log = NULL;
    assert_int_equal(audit_open(path, &log), 0);
    for (unsigned i = 0; i < count; i++) {
        add(log, "{\"name\":\"games.example\",\"note\":\"Ms Kim\"}");
    }
    audit_close(log);
}

/* Change the file's text by hand. */
static void edit(const char *from, const char *to)
{
    char *text = NULL;
    size_t len;
    assert_int_equal(wholefile_read(path, 1 << 22, &text, &len), 0);
    char *at = strstr(text, from);
    assert_non_null(at);
    char *out = malloc(len + 256);
    size_t head = (size_t)(at - text);
    memcpy(out, text, head);
    strcpy(out + head, to);
    strcat(out, at + strlen(from));
    assert_int_equal(wholefile_save(path, out, strlen(out)), 0);
    free(out);
    free(text);
}

static void the_chain_holds_over_restarts(void **state)
{
    (void)state;
    assert_int_equal(audit_walk(path, see, &(struct seen){0}, NULL), -ENOENT);
    write_some(3);
    write_some(2);
    struct seen seen = walk();
    assert_int_equal(seen.lines, 5);
    assert_int_equal(seen.states[AUDIT_GOOD], 5);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
}

static void what_was_changed_is_found(void **state)
{
    (void)state;
    write_some(4);
    edit("games.example", "gamez.example");
    struct seen seen = walk();
    assert_int_equal(seen.states[AUDIT_CHANGED], 1);
    assert_int_equal(seen.states[AUDIT_UNLINKED], 1);
    assert_int_equal(seen.first_bad, 1);
    write_some(1); /* and the log goes on */
    assert_int_equal(walk().states[AUDIT_GOOD], 3);
}

static void what_was_taken_out_is_found(void **state)
{
    char *text = NULL;
    size_t len;
    (void)state;
    write_some(4);
    assert_int_equal(wholefile_read(path, 1 << 22, &text, &len), 0);
    char *second = strchr(text, '\n') + 1, *third = strchr(second, '\n') + 1;
    memmove(second, third, strlen(third) + 1);
    assert_int_equal(wholefile_save(path, text, strlen(text)), 0);
    free(text);
    struct seen seen = walk();
    assert_int_equal(seen.lines, 3);
    assert_int_equal(seen.states[AUDIT_UNLINKED], 1);
    assert_int_equal(seen.first_bad, 2);
}

/* The first lines of all are missed, too; so is a whole file that was removed meanwhile. */
static void what_was_taken_from_the_front_is_found(void **state)
{
    struct audit_log *log = NULL;
    char *text = NULL;
    size_t len;
    (void)state;
    write_some(4);
    assert_int_equal(wholefile_read(path, 1 << 22, &text, &len), 0);
    char *second = strchr(text, '\n') + 1;
    assert_int_equal(wholefile_save(path, second, strlen(second)), 0);
    free(text);
    assert_int_equal(walk().states[AUDIT_UNLINKED], 1);
    assert_int_equal(audit_open(path, &log), 0);
    add(log, "{}");
    assert_int_equal(unlink(path), 0);
    add(log, "{}");
    assert_int_equal(walk().states[AUDIT_UNLINKED], 1);
    audit_close(log);
}

/* Two writers, as a command beside the daemon: each goes on where the other ended. */
static void two_writers_share_the_chain(void **state)
{
    struct audit_log *one = NULL, *two = NULL;
    (void)state;
    assert_int_equal(audit_open(path, &one), 0);
    assert_int_equal(audit_open(path, &two), 0);
    for (unsigned i = 0; i < 5; i++) {
        add(one, "{}");
        add(two, "{}");
    }
    assert_int_equal(walk().states[AUDIT_GOOD], 10);
    audit_close(one);
    audit_close(two);
}

/* A rotation whose first line failed: the chain goes on from the full file. */
static void an_empty_file_after_a_full_one(void **state)
{
    char name[80];
    (void)state;
    write_some(3);
    snprintf(name, sizeof(name), "%s.1", path);
    assert_int_equal(rename(path, name), 0);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0640);
    assert_true(fd >= 0 && write(fd, "half", 4) == 4);
    close(fd);
    write_some(1);
    struct seen seen = walk();
    assert_int_equal(seen.states[AUDIT_GOOD], 4);
    assert_non_null(strstr(seen.last, "\"cut_before\":4"));
}

static void a_line_that_is_cut_short_goes_and_is_told(void **state)
{
    struct stat info;
    (void)state;
    write_some(3);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(truncate(path, info.st_size - 30), 0);
    assert_int_equal(walk().states[AUDIT_CUT], 1);
    write_some(1);
    struct seen seen = walk();
    assert_int_equal(seen.lines, 3);
    assert_int_equal(seen.states[AUDIT_GOOD], 3);
    assert_non_null(strstr(seen.last, "\"cut_before\":"));
}

static void what_cannot_be_written_is_counted(void **state)
{
    struct audit_log *log = NULL;
    const struct audit_entry entry = {1790000000, 0, "block", "{}"};
    (void)state;
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(audit_open(path, &log), 0);
    assert_true(audit_add(log, &entry) < 0);
    assert_true(audit_add(log, &entry) < 0);
    assert_string_not_equal(audit_trouble(log), "");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(audit_add(log, &entry), 0);
    assert_string_equal(audit_trouble(log), "");
    assert_non_null(strstr(walk().last, "\"missing_before\":2"));
    audit_close(log);
    assert_int_equal(audit_add(NULL, &entry), 0);
}

/* A full disk, as far as a file can show it: no half line stays. */
static void full_files_make_room(void **state)
{
    struct audit_log *log = NULL;
    char details[AUDIT_DETAILS_MAX - 100], name[80];
    struct stat info;
    (void)state;
    memset(details, 'x', sizeof(details));
    memcpy(details, "{\"a\":\"", 6);
    memcpy(details + sizeof(details) - 3, "\"}", 3);
    assert_int_equal(audit_open(path, &log), 0);
    unsigned lines = 12 * AUDIT_FILE_OCTETS / sizeof(details);
    for (unsigned i = 0; i < lines; i++) {
        add(log, details);
    }
    audit_close(log);
    write_some(1);
    snprintf(name, sizeof(name), "%s.%d", path, AUDIT_FILES);
    assert_int_equal(stat(name, &info), 0);
    assert_true(info.st_size < AUDIT_FILE_OCTETS + AUDIT_LINE_MAX);
    snprintf(name, sizeof(name), "%s.%d", path, AUDIT_FILES + 1);
    assert_int_equal(stat(name, &info), -1);
    struct seen seen = walk();
    assert_int_equal(seen.states[AUDIT_GOOD], seen.lines);
    assert_true(seen.lines > 9 * AUDIT_FILE_OCTETS / AUDIT_LINE_MAX);
}

static void too_much_is_left_out(void **state)
{
    struct audit_log *log = NULL;
    char *details = calloc(1, AUDIT_DETAILS_MAX + 100);
    (void)state;
    memset(details, ' ', AUDIT_DETAILS_MAX + 50);
    assert_int_equal(audit_open(path, &log), 0);
    add(log, details);
    assert_non_null(strstr(walk().last, "\"left_out\":true"));
    audit_close(log);
    free(details);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_chain_holds_over_restarts, clear),
        cmocka_unit_test_teardown(what_was_changed_is_found, clear),
        cmocka_unit_test_teardown(what_was_taken_out_is_found, clear),
        cmocka_unit_test_teardown(what_was_taken_from_the_front_is_found, clear),
        cmocka_unit_test_teardown(two_writers_share_the_chain, clear),
        cmocka_unit_test_teardown(an_empty_file_after_a_full_one, clear),
        cmocka_unit_test_teardown(a_line_that_is_cut_short_goes_and_is_told, clear),
        cmocka_unit_test_teardown(what_cannot_be_written_is_counted, clear),
        cmocka_unit_test_teardown(full_files_make_room, clear),
        cmocka_unit_test_teardown(too_much_is_left_out, clear),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
