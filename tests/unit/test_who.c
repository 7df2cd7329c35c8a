// SPDX-License-Identifier: Apache-2.0
/* Devices: what groups name, the keyring, residents, netlink messages and lease files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "neigh/leases.h"
#include "neigh/neigh.h"
#include "policy/client.h"
#include "policy/residents.h"

static struct addr address(const char *text)
{
    struct addr addr;
    assert_int_equal(addr_parse(text, &addr), 0);
    return addr;
}

static void members_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
        enum member_kind kind;
    } cases[] = {
        {"10.0.0.0/8", 0, MEMBER_PREFIX},
        {"fd00::1", 0, MEMBER_PREFIX},
        {"10.0.0.1/8", -ERANGE, 0},
        {"02:00:00:00:00:01", 0, MEMBER_MAC},
        {"02-00-00-00-00-aF", 0, MEMBER_MAC},
        {"02:00:00-00:00:01", -EINVAL, 0},
        {"02:00:00:00:00", -EINVAL, 0},
        {"02:00:00:00:00:0g", -EINVAL, 0},
        {"02:00:00:00:00:01:02", -EINVAL, 0},
        {"host:Tablet-1", 0, MEMBER_HOST},
        {"host:", -EINVAL, 0},
        {"host:a_b", -EINVAL, 0},
        {"host:-a", -EINVAL, 0},
        {"id:phone", 0, MEMBER_ID},
        {"id:a.b", -EINVAL, 0},
        {"fe80::1%lo", -EINVAL, 0},
        {"somebody", -EINVAL, 0},
        {"", -EINVAL, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct member member;
        int err = member_parse(cases[i].text, &member);
        if (err != cases[i].err || (err == 0 && member.kind != cases[i].kind)) {
            fail_msg("%s: %d", cases[i].text, err);
        }
    }
}

static void the_least_group_has_the_key(void **state)
{
    (void)state;
    struct member member;
    struct keyring *ring = keyring_new(4);
    assert_int_equal(member_parse("host:ABC", &member), 0);
    keyring_add(ring, &member, 7);
    keyring_add(ring, &member, 3);
    keyring_add(ring, &member, 5);
    member.kind = MEMBER_ID;
    keyring_add(ring, &member, 9);
    assert_int_equal(keyring_find_name(ring, MEMBER_HOST, "abc"), 3);
    assert_int_equal(keyring_find_name(ring, MEMBER_ID, "abc"), 9);
    assert_int_equal(keyring_find_name(ring, MEMBER_HOST, "ab"), KEYRING_NONE);
    assert_int_equal(keyring_count(ring, MEMBER_HOST), 1);
    assert_int_equal(keyring_count(ring, MEMBER_MAC), 0);
    keyring_free(ring);
}

static void residents_are_found(void **state)
{
    (void)state;
    struct residents *all = residents_new(), *twin = residents_new();
    char text[64];
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(text, sizeof(text), i % 2 ? "fd00::%x" : "10.0.%u.%u", i % 2 ? i : i / 250,
                 i % 250);
        const struct resident row = {address(text), (uint16_t)(i % 9), RESIDENT_MAC};
        assert_int_equal(residents_add(all, &row), 0);
        assert_int_equal(residents_add(twin, &row), 0);
    }
    assert_int_equal(residents_find(all, &(struct addr){.family = 0}) == NULL, 1);
    struct addr one = address("fd00::7");
    one.port = 5353; /* a client's port does not matter */
    assert_int_equal(residents_find(all, &one)->group, 7);
    assert_null(residents_find(NULL, &one));
    assert_true(residents_equal(all, twin));
    assert_int_equal(residents_add(twin, &(struct resident){one, 2, RESIDENT_HOST}), 0);
    assert_int_equal(residents_find(twin, &one)->group, 2);
    assert_false(residents_equal(all, twin));
    struct addr link = address("fe80::1");
    link.scope = 3;
    assert_int_equal(residents_add(all, &(struct resident){link, 1, RESIDENT_MAC}), 0);
    link.scope = 4;
    assert_null(residents_find(all, &link));
    residents_unref(all);
    residents_unref(twin);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Seconds for 200,000 look-ups among `count` subnets and devices. */
static double look_up(unsigned count)
{
    struct client_rule *rules = calloc(count, sizeof(*rules));
    struct residents *residents = residents_new();
    char text[64];
    unsigned found = 0;
    for (unsigned i = 0; i < count; i++) {
        snprintf(text, sizeof(text), "10.%u.%u.0/24", i / 250, i % 250);
        assert_int_equal(prefix_parse(text, &rules[i].prefix), 0);
        rules[i].value = (uint16_t)i;
        snprintf(text, sizeof(text), "172.16.%u.%u", i / 250, i % 250);
        const struct resident row = {address(text), 1, RESIDENT_MAC};
        assert_int_equal(residents_add(residents, &row), 0);
    }
    struct client_index *index = client_index_new(rules, count);
    double begun = seconds();
    struct addr addr = address("10.0.0.7");
    for (unsigned i = 0; i < 200000; i++) {
        unsigned at = i * 2654435761U % count;
        addr.bytes[1] = (uint8_t)(at / 250);
        addr.bytes[2] = (uint8_t)(at % 250);
        found += client_find(index, &addr) == at && !residents_find(residents, &addr);
    }
    double took = seconds() - begun;
    assert_int_equal(found, 200000);
    client_index_free(index);
    residents_unref(residents);
    free(rules);
    return took;
}

/* A search line by line would take 1000 times as long. */
static void cost_does_not_grow_with_subnets(void **state)
{
    (void)state;
    double few = look_up(10), many = look_up(10000);
    assert_true(many < few * 20);
}

struct message {
    struct nlmsghdr head;
    struct ndmsg body;
    uint8_t attributes[64];
};

static size_t put(struct message *message, uint16_t type, const void *data, size_t len)
{
    size_t at = message->head.nlmsg_len - NLMSG_LENGTH(sizeof(struct ndmsg));
    const struct rtattr head = {(unsigned short)(RTA_LENGTH(0) + len), type};
    memcpy(message->attributes + at, &head, sizeof(head));
    memcpy(message->attributes + at + RTA_LENGTH(0), data, len);
    message->head.nlmsg_len += (unsigned)RTA_ALIGN(RTA_LENGTH(len));
    return message->head.nlmsg_len;
}

static size_t make(struct message *message, uint16_t type, uint16_t ndm_state, uint8_t last)
{
    const uint8_t dst[4] = {10, 0, 0, last}, mac[6] = {2, 0, 0, 0, 0, last};
    *message = (struct message){
        .head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ndmsg)), .nlmsg_type = type},
        .body = {.ndm_family = AF_INET, .ndm_state = ndm_state, .ndm_ifindex = 2}};
    put(message, NDA_DST, dst, sizeof(dst));
    return put(message, NDA_LLADDR, mac, sizeof(mac));
}

static void neighbours_come_and_go(void **state)
{
    (void)state;
    struct neigh *neigh = neigh_new();
    struct message message;
    const struct neighbour *rows;
    size_t len = make(&message, RTM_NEWNEIGH, NUD_REACHABLE, 7);
    assert_true(neigh_take(neigh, (uint8_t *)&message, len));
    assert_false(neigh_take(neigh, (uint8_t *)&message, len)); /* nothing new */
    assert_int_equal(neigh_rows(neigh, &rows), 1);
    assert_int_equal(rows[0].mac[5], 7);
    len = make(&message, RTM_NEWNEIGH, NUD_FAILED, 7);
    assert_true(neigh_take(neigh, (uint8_t *)&message, len));
    assert_int_equal(neigh_rows(neigh, &rows), 0);
    (void)make(&message, RTM_NEWNEIGH, NUD_STALE, 8);
    assert_true(neigh_take(neigh, (uint8_t *)&message, message.head.nlmsg_len));
    len = make(&message, RTM_DELNEIGH, NUD_STALE, 8);
    assert_true(neigh_take(neigh, (uint8_t *)&message, len));
    assert_int_equal(neigh_rows(neigh, &rows), 0);
    neigh_close(neigh);
}

static bool has_row_of(const struct neigh *neigh, int interface)
{
    const struct neighbour *rows;
    size_t count = neigh_rows(neigh, &rows);
    bool there = false;
    for (size_t i = 0; i < count; i++) {
        there |= rows[i].interface == interface;
    }
    return there;
}

/* The kernel's own table: what a whole dump did not name is gone; after an error another dump
 * is asked for. */
static void a_dump_sweeps_what_it_did_not_name(void **state)
{
    (void)state;
    enum { NOWHERE = 999999 };
    struct neigh *neigh = NULL;
    struct message message;
    if (neigh_open(&neigh) < 0) {
        skip();
    }
    (void)neigh_read(neigh);
    (void)make(&message, RTM_NEWNEIGH, NUD_STALE, 200);
    message.body.ndm_ifindex = NOWHERE;
    assert_true(neigh_take(neigh, (uint8_t *)&message, message.head.nlmsg_len));
    (void)neigh_read(neigh);
    assert_true(has_row_of(neigh, NOWHERE));
    struct {
        struct nlmsghdr head;
        struct nlmsgerr error;
    } busy = {.head = {.nlmsg_len = sizeof(busy), .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = 1},
              .error = {.error = -EBUSY}};
    assert_false(neigh_take(neigh, (const uint8_t *)&busy, sizeof(busy)));
    assert_true(neigh_read(neigh));
    assert_false(has_row_of(neigh, NOWHERE));
    neigh_close(neigh);
}

/* Each octet changed and each length: read within its bounds, whatever it says. */
static void damaged_messages_do_no_harm(void **state)
{
    (void)state;
    struct neigh *neigh = neigh_new();
    struct message message;
    size_t len = make(&message, RTM_NEWNEIGH, NUD_REACHABLE, 9);
    for (size_t i = 0; i < len; i++) {
        for (unsigned value = 0; value < 256; value += 15) {
            uint8_t *copy = malloc(len);
            memcpy(copy, &message, len);
            copy[i] = (uint8_t)value;
            (void)neigh_take(neigh, copy, len);
            free(copy);
        }
        uint8_t *cut = malloc(i + 1);
        memcpy(cut, &message, i + 1);
        (void)neigh_take(neigh, cut, i + 1);
        free(cut);
    }
    neigh_close(neigh);
}

static void read_text(const char *text, struct leases *leases)
{
    char path[] = "/tmp/greengate-leases-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    assert_int_equal(leases_read(path, leases), 0);
    unlink(path);
}

static void leases_of_each_form(void **state)
{
    (void)state;
    struct leases leases = {0};
    read_text("1790000000 02:00:00:00:00:05 10.0.0.5 tablet 01:02\n"
              "1790000000 123456 fd00::5 tablet.lan 00:01:00\n"
              "duid 00:01:00:01\n"
              "\n"
              "# br-lan 020000000006 ipv4 desk 1790000000 6 32 10.0.0.6/32\n"
              "# br-lan 00010001aabb 1 desk 1790000000 6 128 fd00::6/128 fd00:1::6/128\n"
              "10.0.0.7\tprinter.lan\n"
              "1790000000 02:00:00:00:00:08 10.0.0.8 * *\n",
              &leases);
    assert_int_equal(leases.count, 7);
    assert_int_equal(leases.skipped, 0);
    assert_true(leases.rows[0].has_mac && leases.rows[0].mac[5] == 5);
    assert_false(leases.rows[1].has_mac);
    assert_string_equal(leases.rows[1].host, "tablet");
    assert_true(leases.rows[2].has_mac && leases.rows[2].mac[5] == 6);
    assert_string_equal(leases.rows[4].host, "desk");
    assert_string_equal(leases.rows[5].host, "printer");
    assert_string_equal(leases.rows[6].host, "");
    leases_clear(&leases);
    assert_int_equal(leases_read("/nonexistent/leases", &leases), -ENOENT);
}

static void damaged_leases_are_skipped(void **state)
{
    (void)state;
    struct leases leases = {0};
    char text[4096] = "x\n1790000000 02:00 nonsense\n# br-lan\n# a b c d e f g h/1\n";
    size_t at = strlen(text);
    memset(text + at, 'y', 2000); /* longer than any line of these files */
    strcpy(text + at + 2000, "\n1 02:00:00:00:00:05 10.0.0.5 tablet *\n10.0.0.9");
    read_text(text, &leases);
    assert_int_equal(leases.count, 1);
    assert_int_equal(leases.skipped, 6);
    leases_clear(&leases);
}

/* Nothing that waits, is endless, or that anybody could have written. */
static void lease_files_of_strangers_are_refused(void **state)
{
    (void)state;
    char folder[] = "/tmp/greengate-leases-XXXXXX", path[80], link[80];
    struct leases leases = {0};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_true(leases_read(path, &leases) < 0);
    unlink(path);
    assert_true(leases_read("/dev/zero", &leases) < 0);
    assert_true(leases_read("/tmp", &leases) < 0);
    snprintf(path, sizeof(path), "%s/leases", folder);
    FILE *file = fopen(path, "w");
    assert_true(file && fputs("1 02:00:00:00:00:05 10.0.0.5 tablet *\n", file) >= 0);
    fclose(file);
    assert_int_equal(leases_read(path, &leases), 0);
    assert_int_equal(leases.count, 1);
    snprintf(link, sizeof(link), "%s/link", folder);
    assert_int_equal(symlink(path, link), 0);
    assert_true(leases_read(link, &leases) < 0);
    assert_int_equal(chmod(path, 0666), 0);
    assert_true(leases_read(path, &leases) < 0);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(leases_read(path, &leases), 0); /* our own */
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 65534, 65534), 0);
        assert_true(leases_read(path, &leases) < 0);
    }
    unlink(link);
    unlink(path);
    rmdir(folder);
    leases_clear(&leases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_read),
        cmocka_unit_test(the_least_group_has_the_key),
        cmocka_unit_test(residents_are_found),
        cmocka_unit_test(cost_does_not_grow_with_subnets),
        cmocka_unit_test(neighbours_come_and_go),
        cmocka_unit_test(damaged_messages_do_no_harm),
        cmocka_unit_test(leases_of_each_form),
        cmocka_unit_test(damaged_leases_are_skipped),
        cmocka_unit_test(lease_files_of_strangers_are_refused),
        cmocka_unit_test(a_dump_sweeps_what_it_did_not_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
