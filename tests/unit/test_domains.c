// SPDX-License-Identifier: Apache-2.0
/* Which names leave memory: those that enough clients asked for, and no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stats/domains.h"

enum { LEAST = 10 };

static const int64_t noon = 1790000000 / 86400 * 86400 + 43200;

static void ask(struct domains_worker *worker, const char *name, uint32_t client, bool blocked)
{
    struct addr addr = {.family = AF_INET};
    uint32_t octets = htonl(client);
    memcpy(addr.bytes, &octets, 4);
    domains_count(worker, &(struct domains_event){name, &addr, blocked});
}

/* What may be written of a name; "" is all together. */
static uint64_t told(struct domains *domains, const char *name, bool blocked)
{
    unsigned count = 0;
    uint64_t sum = 0;
    const struct domains_row *rows = domains_rows(domains, &count);
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) == 0 && rows[i].blocked == blocked) {
            sum += rows[i].count;
        }
    }
    return sum;
}

static struct domains *begin(struct domains_worker **ret_worker)
{
    struct domains *domains = NULL;
    setenv("TZ", "Asia/Seoul", 1);
    tzset();
    assert_int_equal(domains_new(LEAST, &domains), 0);
    domains_take(domains, noon);
    domains_written(domains);
    *ret_worker = domains_worker_add(domains);
    assert_non_null(*ret_worker);
    return domains;
}

static void below_the_threshold_nothing_is_told(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) { /* each with a salt of its own */
        struct domains_worker *worker;
        struct domains *domains = begin(&worker);
        for (unsigned i = 0; i < 1000; i++) {
            ask(worker, "www.few.example", i % (LEAST - 1), false);
        }
        domains_take(domains, noon);
        assert_int_equal(told(domains, "few.example", false), 0);
        assert_int_equal(told(domains, "", false), 1000);
        domains_free(domains);
    }
}

static void names_of_many_are_told_by_registrable_domain(void **state)
{
    (void)state;
    struct domains_worker *worker;
    struct domains *domains = begin(&worker);
    for (unsigned i = 0; i < 40; i++) {
        ask(worker, i % 2 ? "a.Many.co.uk" : "b.many.co.uk", i, false);
        ask(worker, "bad.example", i, true);
        ask(worker, "4.3.2.1.in-addr.arpa", i, false);
        ask(worker, "co.uk", i, false);
    }
    domains_take(domains, noon);
    assert_int_equal(told(domains, "many.co.uk", false), 40);
    assert_int_equal(told(domains, "bad.example", true), 40);
    assert_int_equal(told(domains, "bad.example", false), 0);
    assert_int_equal(told(domains, "", false), 120);
    unsigned count = 0;
    domains_rows(domains, &count);
    assert_int_equal(count, 4); /* two totals, two names */
    domains_free(domains);
}

/* Nine before and one after a take, or at two workers, are ten. */
static void clients_add_up_over_the_day_and_the_workers(void **state)
{
    (void)state;
    struct domains_worker *first;
    struct domains *domains = begin(&first);
    struct domains_worker *second = domains_worker_add(domains);
    for (unsigned i = 0; i < 6; i++) {
        ask(first, "site.example", i, false);
        ask(second, "site.example", i, false); /* the same six */
    }
    domains_take(domains, noon);
    assert_int_equal(told(domains, "site.example", false), 0);
    domains_written(domains);
    for (unsigned i = 6; i < 20; i++) {
        ask(i % 2 ? first : second, "site.example", i, false);
    }
    domains_take(domains, noon + 60);
    assert_int_equal(told(domains, "site.example", false), 26); /* from the day's start */
    domains_written(domains);
    ask(first, "site.example", 1, false);
    domains_take(domains, noon + 120);
    assert_int_equal(told(domains, "site.example", false), 1);
    domains_free(domains);
}

/* Nine yesterday and nine others today are nine. */
static void each_day_begins_anew(void **state)
{
    (void)state;
    struct domains_worker *worker;
    struct domains *domains = begin(&worker);
    for (unsigned i = 0; i < LEAST - 1; i++) {
        ask(worker, "site.example", i, false);
    }
    domains_take(domains, noon + 11 * 3600); /* tomorrow in Seoul */
    domains_written(domains);
    for (unsigned i = 0; i < LEAST - 1; i++) {
        ask(worker, "site.example", 100 + i, false);
    }
    domains_take(domains, noon + 12 * 3600);
    assert_int_equal(told(domains, "site.example", false), 0);
    unsigned count = 0;
    const struct domains_row *rows = domains_rows(domains, &count);
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].day, domains_day(noon) + 1);
    domains_free(domains);
}

/* What is still asked for often stays, whatever else is asked once; totals stay exact. */
static void rare_names_give_way(void **state)
{
    (void)state;
    struct domains_worker *worker;
    struct domains *domains = begin(&worker);
    char name[64];
    for (unsigned i = 0; i < 50000; i++) {
        snprintf(name, sizeof(name), "n%u.example", i);
        ask(worker, name, i, false);
        ask(worker, "often.example", i % 30, false);
        if (i % 10000 == 9999) {
            domains_take(domains, noon);
            if (i < 40000) {
                domains_written(domains);
            }
        }
    }
    assert_int_equal(told(domains, "", false), 20000);
    assert_true(told(domains, "often.example", false) >= 9000);
    unsigned count = 0;
    domains_rows(domains, &count);
    assert_int_equal(count, 2);
    domains_free(domains);
}

/* While rows wait, workers go on; nothing is told twice. */
static void rows_that_cannot_be_written_wait(void **state)
{
    (void)state;
    struct domains_worker *worker;
    struct domains *domains = begin(&worker);
    for (unsigned i = 0; i < 40; i++) {
        ask(worker, "site.example", i, false);
        domains_take(domains, noon);
    }
    domains_written(domains);
    domains_take(domains, noon);
    assert_int_equal(told(domains, "site.example", false), 40);
    assert_int_equal(told(domains, "", false), 39);
    domains_free(domains);
}

/* Devices change the rest of an IPv6 address at will: one must not look like many. */
static void an_ipv6_network_is_one_client(void **state)
{
    (void)state;
    struct domains_worker *worker;
    struct domains *domains = begin(&worker);
    for (unsigned i = 0; i < 200; i++) {
        struct addr addr;
        char text[64];
        snprintf(text, sizeof(text), "2001:db8::%x", i + 1);
        assert_int_equal(addr_parse(text, &addr), 0);
        domains_count(worker, &(struct domains_event){"site.example", &addr, false});
    }
    domains_take(domains, noon);
    assert_int_equal(told(domains, "site.example", false), 0);
    domains_free(domains);
}

static void names_that_nobody_registers(void **state)
{
    static const char *const names[] = {"",
                                        ".",
                                        "com",
                                        "a..b.example",
                                        "x\\000y.example",
                                        "..",
                                        "\"quoted\".example",
                                        "a b.example",
                                        "localhost",
                                        "<script>.example"};
    char longest[300];
    (void)state;
    struct domains_worker *worker;
    struct domains *domains = begin(&worker);
    memset(longest, 'a', sizeof(longest));
    memcpy(longest + 280, ".example", 9);
    for (unsigned i = 0; i < 40; i++) {
        for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
            ask(worker, names[n], i, false);
        }
        ask(worker, longest, i, false);
    }
    domains_take(domains, noon);
    unsigned count = 0;
    const struct domains_row *rows = domains_rows(domains, &count);
    for (unsigned i = 0; i < count; i++) {
        assert_true(rows[i].name[strspn(rows[i].name, "abcdefghijklmnopqrstuvwxyz.")] == '\0');
    }
    assert_int_equal(told(domains, "", false), 440);
    domains_free(domains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(below_the_threshold_nothing_is_told),
        cmocka_unit_test(names_of_many_are_told_by_registrable_domain),
        cmocka_unit_test(clients_add_up_over_the_day_and_the_workers),
        cmocka_unit_test(each_day_begins_anew),
        cmocka_unit_test(rare_names_give_way),
        cmocka_unit_test(rows_that_cannot_be_written_wait),
        cmocka_unit_test(an_ipv6_network_is_one_client),
        cmocka_unit_test(names_that_nobody_registers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
