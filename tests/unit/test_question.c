// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "dns/rdata.h"
#include "dns/reply.h"

#define HEADER(flags, qd, an, ns, ar) "\x12\x34" flags "\0" qd "\0" an "\0" ns "\0" ar
#define WWW                           "\3wWw\7Example\3com\0"
#define OPT(version, dlen)            "\0\0\x29\x10\0\0" version "\0\0\0" dlen

#define SOA                                                                                        \
    "\0\0\6\0\1\0\0\0\0\0\x16\0\0"                                                                 \
    "12345678901234567890"
#define COOKIE(rdlen, len) "\0\0\x29\x10\0\0\0\0\0\0" rdlen "\0\xa\0" len

static const struct {
    const char *behaviour;
    const char *packet;
    size_t len;
    enum question_outcome outcome;
} rows[] = {
#define ROW(behaviour, packet, outcome)                                                            \
    {                                                                                              \
        behaviour, packet, sizeof(packet) - 1, outcome                                             \
    }
    ROW("a plain query", HEADER("\1\0", "\1", "\0", "\0", "\0") WWW "\0\1\0\1", QUESTION_OK),
    ROW("eleven octets", "\x12\x34\1\0\0\1\0\0\0\0\0", QUESTION_DROP),
    ROW("a response", HEADER("\x81\0", "\1", "\0", "\0", "\0") WWW "\0\1\0\1", QUESTION_DROP),
    ROW("opcode NOTIFY", HEADER("\x20\0", "\1", "\0", "\0", "\0") WWW "\0\1\0\1", QUESTION_NOTIMP),
    ROW("no question", HEADER("\1\0", "\0", "\0", "\0", "\0"), QUESTION_FORMERR),
    ROW("two questions (RFC 9619)",
        HEADER("\1\0", "\2", "\0", "\0", "\0") WWW "\0\1\0\1" WWW "\0\1\0\1", QUESTION_FORMERR),
    ROW("an answer record", HEADER("\1\0", "\1", "\1", "\0", "\0") WWW "\0\1\0\1",
        QUESTION_FORMERR),
    ROW("a cut name", HEADER("\1\0", "\1", "\0", "\0", "\0") "\3ww", QUESTION_FORMERR),
    ROW("a cut type", HEADER("\1\0", "\1", "\0", "\0", "\0") WWW "\0\1\0", QUESTION_FORMERR),
    ROW("a compressed question", HEADER("\1\0", "\1", "\0", "\0", "\0") "\xc0\x0c\0\1\0\1",
        QUESTION_FORMERR),
    ROW("octets behind the end", HEADER("\1\0", "\1", "\0", "\0", "\0") WWW "\0\1\0\1x",
        QUESTION_FORMERR),
    ROW("EDNS", HEADER("\1\0", "\1", "\0", "\0", "\1") WWW "\0\1\0\1" OPT("\0", "\0"), QUESTION_OK),
    ROW("EDNS version 1 (RFC 6891)",
        HEADER("\1\0", "\1", "\0", "\0", "\1") WWW "\0\1\0\1" OPT("\1", "\0"), QUESTION_BADVERS),
    ROW("two OPT records",
        HEADER("\1\0", "\1", "\0", "\0", "\2") WWW "\0\1\0\1" OPT("\0", "\0") OPT("\0", "\0"),
        QUESTION_FORMERR),
    ROW("an unknown option",
        HEADER("\1\0", "\1", "\0", "\0", "\1") WWW "\0\1\0\1" OPT("\0", "\6") "\xff\1\0\2ab",
        QUESTION_OK),
    ROW("an option longer than its record",
        HEADER("\1\0", "\1", "\0", "\0", "\1") WWW "\0\1\0\1" OPT("\0", "\6") "\xff\1\0\3ab",
        QUESTION_FORMERR),
    ROW("class CH", HEADER("\1\0", "\1", "\0", "\0", "\0") WWW "\0\1\0\3", QUESTION_REFUSED),
    ROW("AXFR", HEADER("\1\0", "\1", "\0", "\0", "\0") WWW "\0\xfc\0\1", QUESTION_REFUSED),
    ROW("QTYPE OPT", HEADER("\1\0", "\1", "\0", "\0", "\0") WWW "\0\x29\0\1", QUESTION_BADTYPE),
    ROW("QTYPE 0", HEADER("\1\0", "\1", "\0", "\0", "\0") WWW "\0\0\0\1", QUESTION_BADTYPE),
    ROW("QTYPE 127, the last of data", HEADER("\1\0", "\1", "\0", "\0", "\0") WWW "\0\x7f\0\1",
        QUESTION_OK),
    ROW("QTYPE 128, NXNAME (RFC 9824)", HEADER("\1\0", "\1", "\0", "\0", "\0") WWW "\0\x80\0\1",
        QUESTION_BADTYPE),
    ROW("QTYPE MAILA", HEADER("\1\0", "\1", "\0", "\0", "\0") WWW "\0\xfe\0\1", QUESTION_BADTYPE),
    ROW("ANY", HEADER("\1\0", "\1", "\0", "\0", "\0") WWW "\0\xff\0\1", QUESTION_OK),
    ROW("IXFR with its SOA and EDNS (RFC 1995)",
        HEADER("\1\0", "\1", "\0", "\1", "\1") WWW "\0\xfb\0\1" SOA OPT("\0", "\0"),
        QUESTION_REFUSED),
    ROW("a SOA in another query", HEADER("\1\0", "\1", "\0", "\1", "\0") WWW "\0\1\0\1" SOA,
        QUESTION_FORMERR),
    ROW("a client cookie",
        HEADER("\1\0", "\1", "\0", "\0", "\1") WWW "\0\1\0\1" COOKIE("\xc", "\x8") "12345678",
        QUESTION_OK),
    ROW("a cookie too short (RFC 7873)",
        HEADER("\1\0", "\1", "\0", "\0", "\1") WWW "\0\1\0\1" COOKIE("\xb", "\7") "1234567",
        QUESTION_BADCOOKIE),
    ROW("a cookie between the lengths",
        HEADER("\1\0", "\1", "\0", "\0", "\1") WWW
        "\0\1\0\1" COOKIE("\x13", "\xf") "123456789abcdef",
        QUESTION_BADCOOKIE),
    ROW("a cookie too long",
        HEADER("\1\0", "\1", "\0", "\0", "\1") WWW
        "\0\1\0\1" COOKIE("\x2d", "\x29") "12345678901234567890123456789012345678901",
        QUESTION_BADCOOKIE),
    ROW("a cookie without a question (RFC 7873)",
        HEADER("\1\0", "\0", "\0", "\0", "\1") COOKIE("\xc", "\x8") "12345678",
        QUESTION_COOKIE_ONLY),
    ROW("EDNS without a question", HEADER("\1\0", "\0", "\0", "\0", "\1") OPT("\0", "\0"),
        QUESTION_FORMERR),
    ROW("an unknown type (RFC 3597)", HEADER("\1\0", "\1", "\0", "\0", "\0") WWW "\xff\x37\0\1",
        QUESTION_OK),
#undef ROW
};

static void each_packet_has_its_outcome(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct question question;
        print_message("%s\n", rows[i].behaviour);
        assert_int_equal(question_parse((const uint8_t *)rows[i].packet, rows[i].len, &question),
                         rows[i].outcome);
        if (rows[i].outcome == QUESTION_OK) {
            char text[DNAME_TEXT_MAX];
            assert_string_equal(dname_print(&question.name, text), "www.example.com");
            assert_int_equal(question.id, 0x1234);
        }
    }
}

static void every_cut_of_a_query_is_refused(void **state)
{
    (void)state;
    static const char whole[] =
        HEADER("\1\0", "\1", "\0", "\0", "\1") WWW "\0\1\0\1" OPT("\0", "\6") "\xff\1\0\2ab";
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        struct question question;
        assert_int_equal(question_parse((const uint8_t *)whole, len, &question),
                         len < DNS_HEADER ? QUESTION_DROP : QUESTION_FORMERR);
    }
}

static void a_bare_reply_reflects_nothing(void **state)
{
    (void)state;
    struct question question;
    uint8_t octets[64];
    struct wire out;
    static const char query[] = HEADER("\1\0", "\2", "\0", "\0", "\0") WWW;
    assert_int_equal(question_parse((const uint8_t *)query, sizeof(query) - 1, &question),
                     QUESTION_FORMERR);
    wire_init(&out, octets, sizeof(octets));
    reply_bare(&out, &question, RCODE_FORMERR);
    assert_int_equal(out.len, DNS_HEADER);
    assert_memory_equal(octets, "\x12\x34\x81\x01\0\0\0\0\0\0\0\0", 12);
}

static void the_clients_case_comes_back_and_large_replies_are_cut(void **state)
{
    (void)state;
    struct question question;
    static uint8_t octets[4096];
    static const uint8_t bulk[900];
    struct wire out;
    static const char query[] = HEADER("\1\0", "\1", "\0", "\0", "\0") WWW "\0\1\0\1";
    const struct packet data = {bulk, sizeof(bulk)};
    assert_int_equal(question_parse((const uint8_t *)query, sizeof(query) - 1, &question),
                     QUESTION_OK);
    wire_init(&out, octets, sizeof(octets));
    reply_begin(&out, &question, (const uint8_t *)query, RCODE_NOERROR);
    assert_memory_equal(octets + DNS_HEADER, WWW, sizeof(WWW) - 1);
    reply_add(&out, 16, 5, &data);
    reply_fit_udp(&out, &question);
    assert_int_equal(out.len, DNS_HEADER + question.wire_len);
    assert_true(load_u16(octets + 2) & FLAG_TC);
    assert_int_equal(load_u16(octets + 6), 0);
}

/* RFC 8914 section 3: "servers SHOULD truncate messages by dropping EDE options before
 * dropping other data", and set TC. */
static void an_extended_error_goes_before_the_data(void **state)
{
    static const struct {
        const char *behaviour;
        size_t data; /* octets; beside them stand 84, and 17 of the error */
        size_t len;
    } sizes[] = {
        {"all fits", 411, 512},
        {"but for the error", 412, 496},
        {"exactly without it", 428, 512},
        {"not even so", 429, 72},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct question question;
        uint8_t octets[1024];
        struct wire out;
        static const uint8_t zeros[512];
        static const char query[] =
            HEADER("\1\0", "\1", "\0", "\0", "\1") WWW "\0\1\0\1" COOKIE("\xc", "\x8") "12345678";
        const struct packet data = {zeros, sizes[i].data};
        const struct reply_error why = {EDE_STALE, "from before"};
        print_message("%s\n", sizes[i].behaviour);
        assert_int_equal(question_parse((const uint8_t *)query, sizeof(query) - 1, &question),
                         QUESTION_OK);
        question.udp_size = 512;
        wire_init(&out, octets, sizeof(octets));
        reply_begin(&out, &question, (const uint8_t *)query, RCODE_NOERROR);
        reply_add(&out, TYPE_TXT, 5, &data);
        reply_end(&out, &question, 0, &why);
        reply_fit_udp(&out, &question);
        assert_int_equal(out.len, sizes[i].len);
        assert_int_equal((load_u16(octets + 2) & FLAG_TC) != 0, i > 0);
        assert_int_equal(load_u16(octets + 6), i < 3);
        assert_int_equal(load_u16(octets + 10), 1);
    }
}

static void an_opt_that_does_not_fit_is_left_out_whole(void **state)
{
    (void)state;
    struct question question;
    uint8_t octets[80];
    struct wire out;
    static const char query[] =
        HEADER("\1\0", "\1", "\0", "\0", "\1") WWW "\0\1\0\1" OPT("\0", "\0");
    const struct reply_error why = {EDE_FILTERED, "a text that does not fit into what is left"};
    assert_int_equal(question_parse((const uint8_t *)query, sizeof(query) - 1, &question),
                     QUESTION_OK);
    wire_init(&out, octets, sizeof(octets));
    reply_begin(&out, &question, (const uint8_t *)query, RCODE_NOERROR);
    size_t before = out.len;
    reply_end(&out, &question, 0, &why);
    assert_int_equal(out.len, before);
    assert_false(out.full);
    assert_int_equal(load_u16(octets + 10), 0);
}

static void a_negative_reply_carries_a_whole_soa(void **state)
{
    (void)state;
    struct question question;
    static uint8_t octets[512], copied[512];
    struct wire out, data;
    struct rr rr;
    static const char query[] =
        HEADER("\1\0", "\1", "\0", "\0", "\1") WWW "\0\1\0\1" OPT("\0", "\0");
    assert_int_equal(question_parse((const uint8_t *)query, sizeof(query) - 1, &question),
                     QUESTION_OK);
    wire_init(&out, octets, sizeof(octets));
    reply_begin(&out, &question, (const uint8_t *)query, RCODE_NXDOMAIN);
    reply_add_soa(&out, 10);
    const struct reply_error why = {EDE_FILTERED, "adult list"};
    reply_end(&out, &question, RCODE_NXDOMAIN, &why);
    assert_false(out.full);
    assert_int_equal(load_u16(octets + 8), 1);
    size_t pos = DNS_HEADER + question.wire_len;
    assert_int_equal(rr_read(octets, out.len, &pos, &rr), 0);
    assert_int_equal(rr.type, TYPE_SOA);
    const struct packet packet = {octets, out.len};
    wire_init(&data, copied, sizeof(copied));
    assert_int_equal(rdata_copy(&packet, &rr, &data), 0);
    assert_int_equal(load_u32(copied + data.len - 4), 10);
    assert_int_equal(rr_read(octets, out.len, &pos, &rr), 0);
    assert_int_equal(rr.type, TYPE_OPT);
    assert_memory_equal(octets + rr.rdata,
                        "\0\xf\0\xc\0\x11"
                        "adult list",
                        16);
    assert_int_equal(pos, out.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_packet_has_its_outcome),
        cmocka_unit_test(every_cut_of_a_query_is_refused),
        cmocka_unit_test(a_bare_reply_reflects_nothing),
        cmocka_unit_test(the_clients_case_comes_back_and_large_replies_are_cut),
        cmocka_unit_test(an_extended_error_goes_before_the_data),
        cmocka_unit_test(an_opt_that_does_not_fit_is_left_out_whole),
        cmocka_unit_test(a_negative_reply_carries_a_whole_soa),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
