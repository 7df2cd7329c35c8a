// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "dns/answer.h"

static struct answer_room room;
static const struct answer_limits limits = {0, 86400, 3600, false};

/* A message under construction. */
struct message {
    uint8_t octets[4096];
    struct wire out;
};

static void put_name(struct wire *out, const char *text)
{
    struct dname name;
    assert_int_equal(dname_parse(text, &name), 0);
    wire_put(out, name.wire, name.len);
}

static void begin(struct message *message, const char *name, uint16_t type, uint16_t flags)
{
    wire_init(&message->out, message->octets, sizeof(message->octets));
    wire_put_u16(&message->out, 0x4242);
    wire_put_u16(&message->out, (uint16_t)(FLAG_QR | FLAG_RA | flags));
    wire_put_u16(&message->out, 1);
    wire_put_u32(&message->out, 0);
    wire_put_u16(&message->out, 0);
    put_name(&message->out, name);
    wire_put_u16(&message->out, type);
    wire_put_u16(&message->out, CLASS_IN);
}

/* section: 6 answer, 8 authority, 10 additional (the count's offset). */
static size_t record(struct message *message, unsigned section, const char *owner, uint16_t type)
{
    struct wire *out = &message->out;
    put_name(out, owner);
    wire_put_u16(out, type);
    wire_put_u16(out, CLASS_IN);
    wire_put_u32(out, 300);
    wire_put_u16(out, 0);
    wire_patch_u16(out, section, (uint16_t)(load_u16(message->octets + section) + 1));
    return out->len;
}

static void end_data(struct message *message, size_t start)
{
    wire_patch_u16(&message->out, start - 2, (uint16_t)(message->out.len - start));
}

static void add_a(struct message *message, unsigned section, const char *owner, uint32_t address)
{
    size_t start = record(message, section, owner, TYPE_A);
    wire_put_u32(&message->out, address);
    end_data(message, start);
}

static void add_cname(struct message *message, const char *owner, const char *target)
{
    size_t start = record(message, 6, owner, TYPE_CNAME);
    put_name(&message->out, target);
    end_data(message, start);
}

static void add_soa(struct message *message, const char *owner, uint32_t minimum)
{
    size_t start = record(message, 8, owner, TYPE_SOA);
    put_name(&message->out, "ns.example");
    put_name(&message->out, "root.example");
    const uint32_t numbers[5] = {1, 2, 3, 4, minimum};
    for (unsigned i = 0; i < 5; i++) {
        wire_put_u32(&message->out, numbers[i]);
    }
    end_data(message, start);
}

static int rebuild(const struct message *message, const char *name, uint16_t type,
                   struct answer *answer)
{
    struct ask ask = {.type = type};
    assert_int_equal(dname_parse(name, &ask.name), 0);
    const struct answer_source source = {&ask, {message->octets, message->out.len}, limits};
    return answer_rebuild(&source, &room, answer);
}

static unsigned count(const struct answer *answer, unsigned section)
{
    return load_u16(answer->wire + section);
}

static void an_address_is_kept(void **state)
{
    (void)state;
    struct message message;
    struct answer answer;
    begin(&message, "www.example", TYPE_A, 0);
    add_a(&message, 6, "www.example", 0xc0000201);
    assert_int_equal(rebuild(&message, "www.example", TYPE_A, &answer), 0);
    assert_int_equal(count(&answer, 6), 1);
    assert_int_equal(answer.ttl, 300);
    assert_int_equal(answer.ttl_count, 1);
    assert_int_equal(load_u16(answer.wire), 0);
    assert_int_equal(load_u32(answer.wire + answer.len - 4), 0xc0000201);
    assert_false(answer.negative);
    answer_age(answer.wire, answer.ttl_at, answer.ttl_count, 100);
    assert_int_equal(load_u32(answer.wire + answer.ttl_at[0]), 200);
    answer_age(answer.wire, answer.ttl_at, answer.ttl_count, 1000);
    assert_int_equal(load_u32(answer.wire + answer.ttl_at[0]), 0);
}

static int note_target(void *context, const struct dname *target)
{
    char text[DNAME_TEXT_MAX];
    strcat(context, dname_print(target, text));
    strcat(context, " ");
    return 0;
}

static void a_chain_is_followed_in_any_order(void **state)
{
    (void)state;
    struct message message;
    struct answer answer;
    char targets[256] = "";
    begin(&message, "www.example", TYPE_A, 0);
    add_a(&message, 6, "c.example", 3);
    add_cname(&message, "b.example", "c.example");
    add_cname(&message, "www.example", "b.example");
    assert_int_equal(rebuild(&message, "www.example", TYPE_A, &answer), 0);
    assert_int_equal(count(&answer, 6), 3);
    assert_int_equal(answer_walk_targets(answer.wire, answer.len, note_target, targets), 0);
    assert_string_equal(targets, "b.example c.example "); /* each before what it leads to */
    assert_int_equal(load_u16(answer.wire + answer.len - 14), TYPE_A);
}

static void records_of_a_name_keep_their_order(void **state)
{
    (void)state;
    struct message message;
    struct answer answer;
    begin(&message, "www.example", TYPE_A, 0);
    add_a(&message, 6, "b.example", 1);
    add_cname(&message, "www.example", "b.example");
    add_a(&message, 6, "b.example", 2);
    add_a(&message, 6, "b.example", 3);
    assert_int_equal(rebuild(&message, "www.example", TYPE_A, &answer), 0);
    assert_int_equal(answer.told, 1);
    assert_int_equal(answer.ttl_count, 4);
    for (uint32_t i = 1; i < 4; i++) {
        assert_int_equal(load_u32(answer.wire + answer.ttl_at[i] + 6), i);
    }
}

static void an_answer_for_other_names_alone_is_none(void **state)
{
    (void)state;
    struct message message;
    struct answer answer;
    begin(&message, "www.example", TYPE_A, 0);
    add_a(&message, 6, "bank.example", 0xc0000201);
    assert_int_equal(rebuild(&message, "www.example", TYPE_A, &answer), -EBADMSG);
    begin(&message, "www.example", TYPE_A, 0);
    add_cname(&message, "bank.example", "evil.example");
    add_a(&message, 6, "evil.example", 0xc0000201);
    assert_int_equal(rebuild(&message, "www.example", TYPE_A, &answer), -EBADMSG);
    begin(&message, "www.example", TYPE_A, 0);
    add_cname(&message, "www.example", "b.example");
    add_a(&message, 6, "c.example", 0xc0000201);
    assert_int_equal(rebuild(&message, "www.example", TYPE_A, &answer), -EBADMSG);
    begin(&message, "www.example", TYPE_AAAA, 0);
    end_data(&message, record(&message, 6, "www.example", TYPE_TXT));
    assert_int_equal(rebuild(&message, "www.example", TYPE_AAAA, &answer), -EBADMSG);
    /* Servers that know addresses alone give them for every type: that says no. */
    begin(&message, "www.example", TYPE_AAAA, 0);
    add_a(&message, 6, "www.example", 0xc0000201);
    assert_int_equal(rebuild(&message, "www.example", TYPE_AAAA, &answer), 0);
    assert_true(answer.negative);
    assert_int_equal(answer.ttl, 0);
}

static void a_referral_is_told_from_a_denial(void **state)
{
    static const struct {
        const char *behaviour, *owner;
        uint16_t type, flags;
        bool referral;
    } rows[] = {
        {"servers of a parent", "example", TYPE_NS, 0, true},
        {"the root's servers", ".", TYPE_NS, 0, true},
        {"servers of another name", "a.www.example", TYPE_NS, 0, false},
        {"said by who knows", "example", TYPE_NS, FLAG_AA, false},
        {"no such name", "example", TYPE_NS, RCODE_NXDOMAIN, false},
        {"nothing", "example", TYPE_TXT, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct message message;
        struct answer answer;
        print_message("%s\n", rows[i].behaviour);
        begin(&message, "www.example", TYPE_A, rows[i].flags);
        size_t start = record(&message, 8, rows[i].owner, rows[i].type);
        put_name(&message.out, "ns.example");
        end_data(&message, start);
        assert_int_equal(rebuild(&message, "www.example", TYPE_A, &answer), 0);
        assert_int_equal(answer.referral, rows[i].referral);
    }
}

static void foreign_records_are_left_out(void **state)
{
    (void)state;
    struct message message;
    struct answer answer;
    begin(&message, "www.example", TYPE_A, 0);
    add_a(&message, 6, "www.example", 1);
    add_a(&message, 6, "bank.example", 666);
    add_cname(&message, "other.example", "bank.example");
    size_t start = record(&message, 8, "example", TYPE_NS);
    put_name(&message.out, "evil.example");
    end_data(&message, start);
    add_a(&message, 10, "evil.example", 666);
    assert_int_equal(rebuild(&message, "www.example", TYPE_A, &answer), 0);
    assert_int_equal(count(&answer, 6), 1);
    assert_int_equal(count(&answer, 8), 0);
    assert_int_equal(count(&answer, 10), 0);
}

static void a_negative_answer_lives_as_its_soa_says(void **state)
{
    (void)state;
    struct message message;
    struct answer answer;
    static const struct {
        const char *behaviour, *owner;
        uint32_t minimum, ttl;
    } rows[] = {
        {"the minimum field (RFC 2308)", "example", 60, 60},
        {"the SOA's own TTL", "example", 900, 300},
        {"a SOA of a foreign zone is none", "foreign", 60, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].behaviour);
        begin(&message, "no.example", TYPE_A, RCODE_NXDOMAIN);
        add_soa(&message, rows[i].owner, rows[i].minimum);
        assert_int_equal(rebuild(&message, "no.example", TYPE_A, &answer), 0);
        assert_true(answer.negative);
        assert_int_equal(answer.rcode, RCODE_NXDOMAIN);
        assert_int_equal(answer.ttl, rows[i].ttl);
    }
}

/* RFC 2181 section 5.2: "In no case may a server send an RRSet with TTLs not all equal." */
static void records_of_a_set_have_its_lowest_ttl(void **state)
{
    (void)state;
    struct message message;
    struct answer answer;
    begin(&message, "www.example", TYPE_A, 0);
    add_cname(&message, "www.example", "b.example");
    for (uint32_t i = 0; i < 3; i++) {
        add_a(&message, 6, "b.example", i);
        store_u32(message.octets + message.out.len - 10, i == 1 ? 60 : 200);
    }
    assert_int_equal(rebuild(&message, "www.example", TYPE_A, &answer), 0);
    static const uint32_t expected[] = {300, 60, 60, 60};
    assert_int_equal(answer.ttl_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(load_u32(answer.wire + answer.ttl_at[i]), expected[i]);
    }
    assert_int_equal(answer.ttl, 60);
}

/* RFC 3597 section 4: SIG, NXT and NAPTR too SHOULD be decompressed. */
static void names_of_old_types_are_written_out(void **state)
{
    static const struct {
        const char *behaviour;
        uint16_t type;
        uint8_t before, after;
        const char *data; /* with a pointer to the question's name */
    } rows[] = {
        {"MX", TYPE_MX, 2, 0, "\0\1\xc0\x0c"},
        {"SIG", 24, 18, 3,
         "\0\1\5\3\0\0\0\1\0\0\0\2\0\0\0\3\0\4\xc0\x0c"
         "abc"},
        {"NXT", 30, 0, 2, "\xc0\x0c\x40\1"},
        {"NAPTR", TYPE_NAPTR, 14, 0, "\0\1\0\2\1U\6E2U+ab\0\xc0\x0c"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct message message;
        struct answer answer;
        size_t at = rows[i].before, len = at + 2 + rows[i].after;
        print_message("%s\n", rows[i].behaviour);
        begin(&message, "www.example", rows[i].type, 0);
        size_t start = record(&message, 6, "www.example", rows[i].type);
        wire_put(&message.out, rows[i].data, len);
        end_data(&message, start);
        assert_int_equal(rebuild(&message, "www.example", rows[i].type, &answer), 0);
        const uint8_t *data = answer.wire + answer.len - (len + 11);
        assert_int_equal(load_u16(data - 2), len + 11);
        assert_memory_equal(data, rows[i].data, at);
        assert_memory_equal(data + at, "\3www\7example", 13);
        assert_memory_equal(data + at + 13, rows[i].data + at + 2, rows[i].after);
        message.octets[message.out.len - rows[i].after - 2] = 0x3f; /* a label with no end */
        assert_int_equal(rebuild(&message, "www.example", rows[i].type, &answer), -EBADMSG);
    }
}

static void damaged_messages_are_refused_whole(void **state)
{
    (void)state;
    struct message message;
    struct answer answer;
    begin(&message, "www.example", TYPE_A, 0);
    add_a(&message, 6, "www.example", 1);
    add_soa(&message, "example", 60);
    add_a(&message, 10, "x.example", 1);
    size_t whole = message.out.len;
    size_t question = DNS_HEADER + 13 + 4;
    for (size_t len = question; len < whole; len++) {
        message.out.len = len;
        assert_int_equal(rebuild(&message, "www.example", TYPE_A, &answer), -EBADMSG);
    }
    begin(&message, "www.example", TYPE_A, 0);
    size_t start = record(&message, 6, "www.example", TYPE_A);
    wire_put(&message.out, "abc", 3); /* three octets are no address */
    end_data(&message, start);
    assert_int_equal(rebuild(&message, "www.example", TYPE_A, &answer), -EBADMSG);
}

static void a_chain_may_have_16_links(void **state)
{
    (void)state;
    struct message message;
    struct answer answer;
    for (int links = 16; links <= 17; links++) {
        begin(&message, "n0.example", TYPE_A, 0);
        for (int i = 0; i < links; i++) {
            char owner[] = "n0.example", target[] = "n0.example";
            owner[1] = (char)('a' + i - 1);
            target[1] = (char)('a' + i);
            add_cname(&message, i ? owner : "n0.example", target);
        }
        assert_int_equal(rebuild(&message, "n0.example", TYPE_A, &answer),
                         links == 16 ? 0 : -EBADMSG);
    }
}

static void circles_end(void **state)
{
    (void)state;
    struct message message;
    struct answer answer;
    begin(&message, "a.example", TYPE_A, 0);
    add_cname(&message, "a.example", "b.example");
    add_cname(&message, "b.example", "a.example");
    assert_int_equal(rebuild(&message, "a.example", TYPE_A, &answer), -EBADMSG);
    begin(&message, "a.example", TYPE_A, 0); /* twice the same is none */
    add_cname(&message, "a.example", "b.example");
    add_cname(&message, "a.example", "b.example");
    assert_int_equal(rebuild(&message, "a.example", TYPE_A, &answer), 0);
}

static void only_the_asked_answer_is_ours(void **state)
{
    (void)state;
    static const struct ask_extras extras = {.random = {0x12, 0x34, 0xff, 0x00, 0xff}};
    struct ask ask = {.type = TYPE_A};
    struct ask_mark mark;
    uint8_t octets[512], changed[512];
    struct wire out;
    assert_int_equal(dname_parse("www.example.com", &ask.name), 0);
    wire_init(&out, octets, sizeof(octets));
    ask_write(&ask, &extras, &out, &mark);
    size_t len = DNS_HEADER + ask.name.len + 4;
    store_u16(octets + 2, FLAG_QR | FLAG_RA);
    static const struct {
        const char *behaviour;
        size_t at;
        uint8_t flip;
        enum ask_match match;
    } rows[] = {
        {"itself", 0, 0, ASK_OURS},
        {"another id", 1, 1, ASK_FOREIGN},
        {"a query", 2, 0x80, ASK_FOREIGN},
        {"another opcode", 2, 0x20, ASK_FOREIGN},
        {"TC", 2, 0x02, ASK_TRUNCATED},
        {"two questions", 5, 3, ASK_FOREIGN},
        {"another name", DNS_HEADER + 1, 1, ASK_FOREIGN},
        {"another case", DNS_HEADER + 1, 0x20, ASK_CASE},
        {"another type", DNS_HEADER + 18, 2, ASK_FOREIGN},
        {"another class", DNS_HEADER + 20, 2, ASK_FOREIGN},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].behaviour);
        memcpy(changed, octets, sizeof(changed));
        changed[rows[i].at] ^= rows[i].flip;
        const struct packet packet = {changed, len};
        assert_int_equal(ask_check(&ask, &mark, &packet), rows[i].match);
    }
    for (size_t cut = 0; cut < len; cut++) {
        const struct packet packet = {octets, cut};
        assert_int_equal(ask_check(&ask, &mark, &packet), ASK_FOREIGN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_kept),
        cmocka_unit_test(a_chain_is_followed_in_any_order),
        cmocka_unit_test(records_of_a_name_keep_their_order),
        cmocka_unit_test(an_answer_for_other_names_alone_is_none),
        cmocka_unit_test(a_referral_is_told_from_a_denial),
        cmocka_unit_test(foreign_records_are_left_out),
        cmocka_unit_test(a_negative_answer_lives_as_its_soa_says),
        cmocka_unit_test(records_of_a_set_have_its_lowest_ttl),
        cmocka_unit_test(names_of_old_types_are_written_out),
        cmocka_unit_test(damaged_messages_are_refused_whole),
        cmocka_unit_test(a_chain_may_have_16_links),
        cmocka_unit_test(circles_end),
        cmocka_unit_test(only_the_asked_answer_is_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
