// SPDX-License-Identifier: Apache-2.0
#include "mmdbfile.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/wire.h"

enum { NODES_MAX = 4096, ROOM = 1 << 17, IPV4_BITS = 96, DATA_GAP = 16 };
enum { TYPE_TEXT = 2, TYPE_U16 = 5, TYPE_U32 = 6, TYPE_MAP = 7, TYPE_U64 = 9, TYPE_ARRAY = 11 };

/* What a branch holds: 0 nothing, a node's number, or minus a row's number less one. */
struct tree {
    int branches[NODES_MAX][2];
    int count;
};

static void need(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "mmdbfile: %s\n", what);
        abort();
    }
}

static unsigned bit_of(const struct prefix *prefix, unsigned at)
{
    if (prefix->addr.family == AF_INET) {
        if (at < IPV4_BITS) {
            return 0;
        }
        at -= IPV4_BITS;
    }
    return prefix->addr.bytes[at / 8] >> (7 - at % 8) & 1;
}

static void add(struct tree *tree, const struct mmdb_place *place, int row)
{
    struct prefix prefix;
    int node = 0;
    need(prefix_parse(place->prefix, &prefix) == 0, place->prefix);
    unsigned bits = prefix.bits + (prefix.addr.family == AF_INET ? IPV4_BITS : 0);
    for (unsigned i = 0; i + 1 < bits; i++) {
        int *branch = &tree->branches[node][bit_of(&prefix, i)];
        need(*branch >= 0 && tree->count < NODES_MAX, "prefixes must not nest");
        if (*branch == 0) {
            *branch = tree->count++;
        }
        node = *branch;
    }
    int *leaf = &tree->branches[node][bit_of(&prefix, bits - 1)];
    need(bits > 0 && *leaf == 0, "prefixes must not nest");
    *leaf = -row - 1;
}

static void put_head(struct wire *out, unsigned type, unsigned len)
{
    if (type < 8) {
        wire_put_u8(out, (uint8_t)(type << 5 | len));
    } else {
        wire_put_u8(out, (uint8_t)len);
        wire_put_u8(out, (uint8_t)(type - 7));
    }
}

static void put_text(struct wire *out, const char *text)
{
    put_head(out, TYPE_TEXT, (unsigned)strlen(text));
    wire_put(out, text, strlen(text));
}

static void put_number(struct wire *out, const char *key, unsigned type, uint32_t value)
{
    put_text(out, key);
    put_head(out, type, type == TYPE_U16 ? 2 : 4);
    if (type == TYPE_U16) {
        wire_put_u16(out, (uint16_t)value);
    } else {
        wire_put_u32(out, value);
    }
}

static void put_row(struct wire *out, const struct mmdb_place *place)
{
    put_head(out, TYPE_MAP, (*place->country != 0) + (place->network != 0));
    if (*place->country) {
        put_text(out, "country");
        put_head(out, TYPE_MAP, 1);
        put_text(out, "iso_code");
        put_text(out, place->country);
    }
    if (place->network) {
        put_number(out, "autonomous_system_number", TYPE_U32, place->network);
    }
}

static void put_metadata(struct wire *out, uint32_t nodes)
{
    wire_put(out, "\xab\xcd\xefMaxMind.com", 14);
    put_head(out, TYPE_MAP, 9);
    put_number(out, "binary_format_major_version", TYPE_U16, 2);
    put_number(out, "binary_format_minor_version", TYPE_U16, 0);
    put_number(out, "build_epoch", TYPE_U64, 1790000000);
    put_text(out, "database_type");
    put_text(out, "Test");
    put_text(out, "description");
    put_head(out, TYPE_MAP, 0);
    put_number(out, "ip_version", TYPE_U16, 6);
    put_text(out, "languages");
    put_head(out, TYPE_ARRAY, 0);
    put_number(out, "node_count", TYPE_U32, nodes);
    put_number(out, "record_size", TYPE_U16, 32);
}

uint8_t *mmdb_make(const struct mmdb_place *places, size_t count, size_t *ret_len)
{
    struct tree *tree = calloc(1, sizeof(*tree));
    uint8_t *octets = malloc(ROOM), data_octets[4096];
    uint32_t offsets[MMDB_PLACES_MAX];
    struct wire out, data;
    need(tree && octets && count <= MMDB_PLACES_MAX, "memory");
    wire_init(&out, octets, ROOM);
    wire_init(&data, data_octets, sizeof(data_octets));
    tree->count = 1;
    for (size_t i = 0; i < count; i++) {
        add(tree, &places[i], (int)i);
        offsets[i] = (uint32_t)data.len;
        put_row(&data, &places[i]);
    }
    uint32_t nodes = (uint32_t)tree->count;
    for (int i = 0; i < tree->count; i++) {
        for (int side = 0; side < 2; side++) {
            int branch = tree->branches[i][side];
            wire_put_u32(&out, branch > 0   ? (uint32_t)branch
                               : branch < 0 ? nodes + DATA_GAP + offsets[-branch - 1]
                                            : nodes);
        }
    }
    wire_put(&out, (const uint8_t[DATA_GAP]){0}, DATA_GAP);
    wire_put(&out, data_octets, data.len);
    put_metadata(&out, nodes);
    need(!out.full && !data.full, "room");
    free(tree);
    *ret_len = out.len;
    return octets;
}

void mmdb_write(const char *path, const struct mmdb_place *places, size_t count)
{
    char temp[512];
    size_t len;
    uint8_t *octets = mmdb_make(places, count, &len);
    snprintf(temp, sizeof(temp), "%s.new", path);
    FILE *file = fopen(temp, "w");
    need(file && fwrite(octets, 1, len, file) == len && fclose(file) == 0 &&
             rename(temp, path) == 0,
         temp);
    free(octets);
}
