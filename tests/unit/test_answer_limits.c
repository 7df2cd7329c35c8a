// SPDX-License-Identifier: Apache-2.0
/* What the largest answers of a hostile upstream cost: not many times what is in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "dns/answer.h"
#include "dns/chain.h"

enum { TYPE_UNKNOWN = 65280 };

static struct answer_room room;
static uint8_t octets[DNS_MESSAGE_MAX];

static void begin(struct wire *out, const struct ask *ask)
{
    wire_init(out, octets, sizeof(octets));
    wire_put_u16(out, 0);
    wire_put_u16(out, FLAG_QR | FLAG_RA);
    wire_put_u16(out, 1);
    wire_put_u32(out, 0);
    wire_put_u16(out, 0);
    wire_put(out, ask->name.wire, ask->name.len);
    wire_put_u16(out, ask->type);
    wire_put_u16(out, CLASS_IN);
}

struct data {
    const void *octets;
    uint16_t len;
};

/* A record of the answer section; the owner was written before. */
static void add(struct wire *out, size_t owner, uint16_t type, struct data data)
{
    wire_patch_u16(out, 6, (uint16_t)(load_u16(octets + 6) + 1));
    wire_put_u16(out, (uint16_t)(0xc000 | owner));
    wire_put_u16(out, type);
    wire_put_u16(out, CLASS_IN);
    wire_put_u32(out, 300);
    wire_put_u16(out, data.len);
    wire_put(out, data.octets, data.len);
}

static void add_empty(struct wire *out, size_t owner, uint16_t type)
{
    add(out, owner, type, (struct data){"", 0});
}

static void add_address(struct wire *out, size_t owner)
{
    add(out, owner, TYPE_A, (struct data){"\xc0\0\2\1", 4});
}

static void add_cname(struct wire *out, size_t owner, size_t target)
{
    uint8_t pointer[2];
    store_u16(pointer, (uint16_t)(0xc000 | target));
    add(out, owner, TYPE_CNAME, (struct data){pointer, sizeof(pointer)});
}

/* An answer to www.example with so many records of a type at its own name. */
static int rebuild_many(uint16_t type, unsigned records, struct answer *ret_answer)
{
    struct ask ask = {.type = TYPE_A};
    struct wire out;
    assert_int_equal(dname_parse("www.example", &ask.name), 0);
    begin(&out, &ask);
    add_address(&out, DNS_HEADER);
    while (load_u16(octets + 6) < records) {
        if (type == TYPE_CNAME) {
            add_cname(&out, DNS_HEADER, DNS_HEADER + 4); /* to "example" */
        } else {
            add_empty(&out, DNS_HEADER, type);
        }
    }
    const struct answer_source source = {&ask, {octets, out.len}, {0, 86400, 3600, false}};
    return answer_rebuild(&source, &room, ret_answer);
}

static void records_are_limited(void **state)
{
    static const struct {
        const char *behaviour;
        uint16_t type;
        unsigned records;
        int err;
    } rows[] = {
        {"as many aliases as may be", TYPE_CNAME, CHAIN_ALIASES_MAX + 1, 0},
        {"one more", TYPE_CNAME, CHAIN_ALIASES_MAX + 2, -EBADMSG},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct answer answer;
        print_message("%s\n", rows[i].behaviour);
        assert_int_equal(rebuild_many(rows[i].type, rows[i].records, &answer), rows[i].err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
