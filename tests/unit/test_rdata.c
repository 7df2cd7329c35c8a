// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "dns/rdata.h"

#define DATA(text) text, sizeof(text) - 1
#define FIXED_18   "\0\1\x0d\2\0\0\1\x2c\0\0\0\2\0\0\0\1\0\7"

static const struct row {
    const char *behaviour;
    uint16_t type;
    const char *data;
    size_t len;
    int result;
} rows[] = {
    {"an address is four octets", TYPE_A, DATA("\1\2\3\4"), 0},
    {"three are none", TYPE_A, DATA("\1\2\3"), -EBADMSG},
    {"text is strings", TYPE_TXT, DATA("\1a\0\2bc"), 0},
    {"at least one", TYPE_TXT, DATA(""), -EBADMSG},
    {"a string ends inside", TYPE_TXT, DATA("\1a\3bc"), -EBADMSG},
    {"HINFO is two strings", TYPE_HINFO, DATA("\1a\1b"), 0},
    {"not three", TYPE_HINFO, DATA("\1a\1b\0"), -EBADMSG},
    {"an exchange has a name", TYPE_MX, DATA("\0\1\1a\0"), 0},
    {"and nothing behind it", TYPE_MX, DATA("\0\1\1a\0\0"), -EBADMSG},
    {"names have labels of 63 octets", TYPE_MX, DATA("\0\1\x40"), -EBADMSG},
    {"NAPTR ends with its name", TYPE_NAPTR, DATA("\0\1\0\2\1s\0\0\1a\0"), 0},
    {"a key has octets", 48, DATA("\1\1\3\x0d"), -EBADMSG},
    {"a signature too", TYPE_RRSIG, DATA(FIXED_18 "\1a\0"), -EBADMSG},
    {"a signed signature", TYPE_RRSIG, DATA(FIXED_18 "\1a\0s"), 0},
    {"a signer is written in full", TYPE_RRSIG, DATA(FIXED_18 "\xc0\x0cs"), -EBADMSG},
    {"types in a bitmap", TYPE_NSEC, DATA("\1a\0\0\2\x40\1\1\1\x40"), 0},
    {"its blocks rise", TYPE_NSEC, DATA("\1a\0\1\1\x40\0\1\x40"), -EBADMSG},
    {"none is empty", TYPE_NSEC, DATA("\1a\0\0\0"), -EBADMSG},
    {"none has more than 32", TYPE_NSEC, DATA("\1a\0\0\x21"), -EBADMSG},
    {"a block ends inside", TYPE_NSEC, DATA("\1a\0\0\2\x40"), -EBADMSG},
    {"NSEC3 may have no types", TYPE_NSEC3, DATA("\1\0\0\1\0\2hh"), 0},
    {"its hash ends inside", TYPE_NSEC3, DATA("\1\0\0\1\0\3hh"), -EBADMSG},
    {"a prefix of each family", 42, DATA("\0\1\x10\2\x0a\x14\0\2\x40\x82\x20\1"), 0},
    {"fits its family", 42, DATA("\0\1\x21\1\x0a"), -EBADMSG},
    {"an authority has a tag", 257, DATA("\0\5issueca.test"), 0},
    {"of letters", 257, DATA("\0\2a.x"), -EBADMSG},
    {"that is not empty", 257, DATA("\0\0x"), -EBADMSG},
    {"a digest has the length of its type", TYPE_DS,
     DATA("\0\1\x0d\1"
          "01234567890123456789"),
     0},
    {"or is none", TYPE_DS,
     DATA("\0\1\x0d\2"
          "01234567890123456789"),
     -EBADMSG},
    {"types of digests to come have some", TYPE_DS, DATA("\0\1\x0d\x63x"), 0},
    {"not none", TYPE_DS, DATA("\0\1\x0d\x63"), -EBADMSG},
    {"a place", 29, DATA("\0\x12\x16\x13\x89\x17\x2d\xd0\x70\xbe\x15\xf0\0\x98\x8d\x20"), 0},
    {"is no further south than a pole", 29,
     DATA("\0\x12\x16\x13\0\x17\x2d\xd0\x70\xbe\x15\xf0\0\x98\x8d\x20"), -EBADMSG},
    {"its sizes are digits", 29,
     DATA("\0\xa2\x16\x13\x89\x17\x2d\xd0\x70\xbe\x15\xf0\0\x98\x8d\x20"), -EBADMSG},
    {"a binding without parameters", TYPE_SVCB, DATA("\0\0\1a\0"), 0},
    {"with some", TYPE_HTTPS, DATA("\0\1\0\0\1\0\3\2h2\0\3\0\2\1\xbb"), 0},
    {"that rise", TYPE_HTTPS, DATA("\0\1\0\0\3\0\2\1\xbb\0\1\0\3\2h2"), -EBADMSG},
    {"none comes twice", TYPE_HTTPS, DATA("\0\1\0\0\5\0\1\7\0\5\0\1\7"), -EBADMSG},
    {"and end inside", TYPE_HTTPS, DATA("\0\1\0\0\1\0\4\2h2"), -EBADMSG},
    {"protocols have names", TYPE_HTTPS, DATA("\0\1\0\0\1\0\1\0"), -EBADMSG},
    {"names of protocols end inside", TYPE_HTTPS, DATA("\0\1\0\0\1\0\2\2h"), -EBADMSG},
    {"a port is two octets", TYPE_HTTPS, DATA("\0\1\0\0\3\0\1\1"), -EBADMSG},
    {"hints are whole addresses", TYPE_HTTPS, DATA("\0\1\0\0\4\0\3\1\2\3"), -EBADMSG},
    {"mandatory keys are there", TYPE_HTTPS, DATA("\0\1\0\0\0\0\2\0\3\0\3\0\2\1\xbb"), 0},
    {"or it is damaged", TYPE_HTTPS, DATA("\0\1\0\0\0\0\2\0\4\0\3\0\2\1\xbb"), -EBADMSG},
    {"key 0 is not one of them", TYPE_HTTPS, DATA("\0\1\0\0\0\0\2\0\0"), -EBADMSG},
    {"keys that we do not know hold anything", TYPE_HTTPS, DATA("\0\1\0\x10\0\0\1x"), 0},
    {"so do types that we do not know", 65280, DATA("\xc0\xff\0"), 0},
    {"and nothing", 65280, DATA(""), 0},
};

static void data_has_the_shape_of_its_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        const struct packet packet = {(const uint8_t *)row->data, row->len};
        const struct rr rr = {.type = row->type, .rdlen = (uint16_t)row->len, .end = row->len};
        uint8_t copy[64];
        struct wire out;
        wire_init(&out, copy, sizeof(copy));
        int result = rdata_copy(&packet, &rr, &out);
        if (result != row->result) {
            fail_msg("%s: %d", row->behaviour, result);
        }
        if (result == 0) {
            assert_int_equal(out.len, row->len);
            assert_memory_equal(copy, row->data, row->len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(data_has_the_shape_of_its_type)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
