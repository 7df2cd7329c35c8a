// SPDX-License-Identifier: Apache-2.0
/* Databases on a disk that fails, and what is no file at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blocklists/blockdb.h"

static const char *const good = "tests/fuzz/corpus/blockdb/starter";

/* Before the C library's: the octet at `unreadable` cannot be read. */
static off_t unreadable = -1;
ssize_t pread(int fd, void *out, size_t len, off_t at)
{
    if (unreadable >= at && unreadable < at + (off_t)len) {
        errno = EIO;
        return -1;
    }
    return lseek(fd, at, SEEK_SET) < 0 ? -1 : read(fd, out, len);
}

/* So it is called where a fortified build does not know how much room there is. */
ssize_t pread_checked(int fd, void *out, size_t len, off_t at) __asm__("__pread_chk");
ssize_t pread_checked(int fd, void *out, size_t len, off_t at)
{
    return pread(fd, out, len, at);
}

static void what_a_disk_cannot_read_is_an_error(void **state)
{
    (void)state;
    struct blockdb *db = NULL;
    struct diag diag = {0};
    struct stat info;
    assert_int_equal(stat(good, &info), 0);
    for (unreadable = 0; unreadable < info.st_size; unreadable += info.st_size - 1) {
        assert_int_equal(blockdb_open(good, &db, &diag), -EIO);
        assert_string_equal(diag.file, good);
        assert_null(db);
    }
    unreadable = -1;
    assert_int_equal(blockdb_open(good, &db, &diag), 0);
    blockdb_close(db);
}

static void what_is_no_file_is_not_waited_for(void **state)
{
    (void)state;
    struct blockdb *db = NULL;
    struct diag diag = {0};
    char path[64];
    snprintf(path, sizeof(path), "/tmp/gg-disk-%d", (int)getpid());
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(blockdb_open(path, &db, &diag), -EBADMSG);
    assert_string_equal(diag.text, "not a file");
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_disk_cannot_read_is_an_error),
        cmocka_unit_test(what_is_no_file_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
