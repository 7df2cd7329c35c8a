// SPDX-License-Identifier: Apache-2.0
/* Databases of places: of our own making, of bad shape, and MaxMind's test files where they
 * are at hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mmdbfile.h"
#include "policy/geo.h"

static const struct mmdb_place places[] = {
    {"203.0.113.0/24", "KP", 0},
    {"198.51.100.0/24", "KR", 64500},
    {"2001:db8:5::/48", "", 4200000000},
};

enum { PLACES = sizeof(places) / sizeof(places[0]) };

static char path[] = "/tmp/greengate-geo-XXXXXX";

static int set_up(void **state)
{
    int fd = mkstemp(path);
    (void)state;
    return fd < 0 || close(fd) < 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_octets(const uint8_t *octets, size_t len)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0 && write(fd, octets, len) == (ssize_t)len);
    close(fd);
}

static int open_path(const char *file, struct geo **ret_geo, struct diag *diag)
{
    struct config *config = config_new();
    assert_non_null(config);
    free(config->geo.database);
    config->geo.database = strdup(file);
    int err = geo_open(config, ret_geo, diag);
    config_free(config);
    return err;
}

static void expect(const struct geo *geo, const char *address, const char *text)
{
    struct addr addr;
    char out[GEO_PLACE_MAX];
    assert_int_equal(addr_parse(address, &addr), 0);
    const struct geo_place place = geo_find(geo, &addr);
    assert_string_equal(geo_place_text(&place, out), text);
}

static void addresses_are_found(void **state)
{
    struct geo *geo = NULL;
    (void)state;
    mmdb_write(path, places, PLACES);
    assert_int_equal(open_path(path, &geo, NULL), 0);
    expect(geo, "203.0.113.0", "KP");
    expect(geo, "203.0.113.255", "KP");
    expect(geo, "203.0.114.0", "");
    expect(geo, "198.51.100.7", "KR AS64500");
    expect(geo, "::ffff:198.51.100.7", "KR AS64500");
    expect(geo, "2001:db8:5:ffff::1", "AS4200000000");
    expect(geo, "2001:db8:6::1", "");
    geo_unref(geo);
}

/* What is cut short or overwritten in place does not reach an open database. */
static void an_open_database_stays_as_it_was(void **state)
{
    struct geo *geo = NULL, *other = NULL;
    struct diag diag = {0};
    (void)state;
    mmdb_write(path, places, PLACES);
    assert_int_equal(open_path(path, &geo, NULL), 0);
    assert_int_equal(truncate(path, 10), 0);
    expect(geo, "203.0.113.5", "KP");
    assert_true(open_path(path, &other, &diag) < 0);
    assert_string_equal(diag.file, path);
    assert_true(strlen(diag.text) > 0);
    assert_int_equal(unlink(path), 0);
    expect(geo, "198.51.100.7", "KR AS64500");
    assert_int_equal(open_path(path, &other, NULL), -ENOENT);
    mmdb_write(path, places, PLACES);
    geo_unref(geo);
}

static void what_is_no_database_is_refused(void **state)
{
    struct geo *geo = NULL;
    (void)state;
    write_octets((const uint8_t *)"", 0);
    assert_true(open_path(path, &geo, NULL) < 0);
    write_octets((const uint8_t *)"\xab\xcd\xefMaxMind.com", 14);
    assert_true(open_path(path, &geo, NULL) < 0);
    assert_true(open_path("/tmp", &geo, NULL) < 0);
    assert_true(open_path("/dev/zero", &geo, NULL) < 0);
    assert_int_equal(open_path("", &geo, NULL), 0);
    assert_null(geo);
}

static void ask_all(const struct geo *geo)
{
    static const char *const asked[] = {
        "203.0.113.5",   "198.51.100.7", "0.0.0.0",    "255.255.255.255",
        "2001:db8:5::1", "::",           "2001:218::", "81.2.69.142"};
    struct addr addr;
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        assert_int_equal(addr_parse(asked[i], &addr), 0);
        (void)geo_find(geo, &addr);
    }
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Each octet changed, each length: refused or searched, never more. */
static void damaged_files_do_no_harm(void **state)
{
    size_t len, opened = 0;
    uint8_t *whole = mmdb_make(places, PLACES, &len);
    double begun = seconds();
    (void)state;
    for (size_t i = 0; i < len; i += i < len - 400 ? 41 : 1) {
        for (unsigned change = 0; change < 3; change++) {
            struct geo *geo = NULL;
            uint8_t kept = whole[i];
            whole[i] = change == 0 ? 0 : change == 1 ? 0xff : (uint8_t)(kept ^ 0x20);
            write_octets(whole, len);
            whole[i] = kept;
            if (open_path(path, &geo, NULL) == 0) {
                opened++;
                ask_all(geo);
            }
            geo_unref(geo);
        }
    }
    for (size_t cut = 0; cut < len; cut += cut < len - 300 ? 97 : 1) {
        struct geo *geo = NULL;
        write_octets(whole, cut);
        if (open_path(path, &geo, NULL) == 0) {
            ask_all(geo);
        }
        geo_unref(geo);
    }
    assert_true(opened > 10);
    assert_true(seconds() - begun < 60);
    free(whole);
}

static void choices_hold(void **state)
{
    struct geo_choice choice;
    char *countries[] = {"KP", "ZZ"}, *networks[] = {"AS64500", "AS3", "AS4294967295"};
    const struct config_group group = {.block_countries = {countries, 2},
                                       .block_networks = {networks, 3}};
    (void)state;
    assert_int_equal(geo_choice_read(&group, &choice), 0);
    assert_true(choice.any);
    static const struct {
        struct geo_place place;
        bool held;
    } cases[] = {
        {{'K' << 8 | 'P', 0}, true},
        {{'K' << 8 | 'R', 0}, false},
        {{'Z' << 8 | 'Z', 1}, true},
        {{'A' << 8 | 'A', 64500}, true},
        {{0, 3}, true},
        {{0, UINT32_MAX}, true},
        {{0, 0}, false},
        {{0, 4}, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(geo_choice_holds(&choice, &cases[i].place), cases[i].held);
    }
    geo_choice_clear(&choice);
}

/* Whatever MaxMind's own test files hold; two of them by what is known of them. */
static void real_files(void **state)
{
    char pattern[512];
    glob_t found;
    const char *folder = getenv("GREENGATE_DATA_SHARED");
    unsigned known = 0;
    (void)state;
    snprintf(pattern, sizeof(pattern), "%s/mmdb/*.mmdb", folder ? folder : "../shared/data");
    if (glob(pattern, 0, NULL, &found) != 0) {
        skip();
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct geo *geo = NULL;
        if (open_path(found.gl_pathv[i], &geo, NULL) < 0) {
            continue;
        }
        ask_all(geo);
        if (strstr(found.gl_pathv[i], "GeoIP2-Country-Test")) {
            expect(geo, "81.2.69.142", "GB");
            expect(geo, "2001:218::1", "JP");
            known++;
        } else if (strstr(found.gl_pathv[i], "GeoLite2-ASN-Test")) {
            expect(geo, "1.128.0.0", "AS1221");
            known++;
        }
        geo_unref(geo);
    }
    assert_int_equal(known, 2);
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_found),
        cmocka_unit_test(an_open_database_stays_as_it_was),
        cmocka_unit_test(what_is_no_database_is_refused),
        cmocka_unit_test(damaged_files_do_no_harm),
        cmocka_unit_test(choices_hold),
        cmocka_unit_test(real_files),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
