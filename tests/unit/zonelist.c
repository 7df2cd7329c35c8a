// SPDX-License-Identifier: Apache-2.0
#include "zonelist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blocklists/blockdb_write.h"
#include "blocklists/record.h"
#include "blocklists/sidetable.h"

enum { SEED = 5, RECORDS_MAX = 1 << 18, TTL = 120 };

struct writing {
    struct record *records;
    size_t count;
    struct sidetable *beside;
    uint16_t source;
    uint64_t addresses;
    uint32_t check;
};

static void need(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "zonelist: %s\n", what);
        abort();
    }
}

static void add_record(struct writing *w, uint64_t hash, unsigned flags, uint8_t action)
{
    need(w->count < RECORDS_MAX, "too many records");
    w->records[w->count++] =
        (struct record){hash, (uint32_t)hash, w->source, (uint8_t)flags, action};
}

static void add_data(struct writing *w, uint64_t hash, unsigned flags, const char *rest)
{
    char type[16], value[256];
    uint8_t octets[512];
    struct wire out;
    struct addr addr;
    struct dname name;
    need(sscanf(rest, "%15s %255s", type, value) == 2, rest);
    wire_init(&out, octets, sizeof(octets));
    wire_put_u16(&out, strcmp(type, "A") == 0      ? TYPE_A
                       : strcmp(type, "AAAA") == 0 ? TYPE_AAAA
                       : strcmp(type, "TXT") == 0  ? 16
                                                   : TYPE_CNAME);
    wire_put_u32(&out, TTL);
    if (strcmp(type, "CNAME") == 0) {
        need(dname_parse(value, &name) == 0, value);
        wire_put_u16(&out, name.len);
        wire_put(&out, name.wire, name.len);
    } else if (strcmp(type, "TXT") == 0) {
        wire_put_u16(&out, (uint16_t)(strlen(value) + 1));
        wire_put_u8(&out, (uint8_t)strlen(value));
        wire_put(&out, value, strlen(value));
    } else {
        need(addr_parse(value, &addr) == 0, value);
        wire_put_u16(&out, addr.family == AF_INET ? 4 : 16);
        wire_put(&out, addr.bytes, addr.family == AF_INET ? 4 : 16);
    }
    const struct side_owner owner = {hash, w->source, (uint8_t)flags};
    const struct span record = {(const char *)octets, out.len};
    need(sidetable_add_data(w->beside, &owner, &record) == 0, "local data");
}

static void add_rule(struct writing *w, uint64_t hash, unsigned flags, const char *rest)
{
    static const struct {
        const char *text;
        unsigned flags;
        uint8_t action;
    } rows[] = {
        {"CNAME .", 0, BLOCKDB_NXDOMAIN},
        {"CNAME *.", 0, BLOCKDB_NODATA},
        {"CNAME rpz-drop.", 0, BLOCKDB_DROP},
        {"CNAME rpz-tcp-only.", 0, BLOCKDB_TCP_ONLY},
        {"CNAME rpz-passthru.", BLOCKDB_EXCEPTION | BLOCKDB_CLOSEST, BLOCKDB_BLOCK},
        {"", 0, BLOCKDB_BLOCK},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].text, rest) == 0) {
            add_record(w, hash, flags | rows[i].flags, rows[i].action);
            return;
        }
    }
    add_record(w, hash, flags, BLOCKDB_LOCAL);
    add_data(w, hash, flags, rest);
}

/* "24.0.2.0.192.rpz-ip" */
static bool read_rpz_ip(const char *owner, struct prefix *ret_prefix)
{
    unsigned bits, d, c, b, a;
    char text[64];
    if (sscanf(owner, "%u.%u.%u.%u.%u.rpz-ip", &bits, &d, &c, &b, &a) != 5) {
        return false;
    }
    snprintf(text, sizeof(text), "%u.%u.%u.%u/%u", a, b, c, d, bits);
    return prefix_parse(text, ret_prefix) == 0;
}

static void add_pattern(struct writing *w, const char *line)
{
    unsigned exception = strncmp(line, "@@", 2) == 0 ? BLOCKDB_EXCEPTION : 0;
    const char *start = strchr(line, '/') + 1;
    const char *end = strrchr(line, '/');
    need(end >= start, line);
    const struct blockdb_pattern pattern = {NULL, w->source, (uint8_t)(BLOCKDB_SELF | exception),
                                            BLOCKDB_BLOCK};
    const struct span text = {start, (size_t)(end - start)};
    need(sidetable_add_pattern(w->beside, &pattern, &text) == 0, line);
}

static void add_line(struct writing *w, char *line)
{
    struct prefix prefix;
    struct dname name;
    if (line[0] == '/' || strncmp(line, "@@/", 3) == 0) {
        add_pattern(w, line);
        return;
    }
    char *rest = line + strcspn(line, " ");
    rest += *rest ? (*rest = '\0', 1) : 0;
    if (prefix_parse(line, &prefix) == 0 || read_rpz_ip(line, &prefix)) {
        uint64_t hash = blockdb_hash_address(SEED, &prefix);
        w->addresses++;
        add_rule(w, hash, BLOCKDB_SELF | ENTRY_ADDRESS, rest);
        return;
    }
    bool wild = strncmp(line, "*.", 2) == 0;
    unsigned flags = wild ? BLOCKDB_BELOW : *rest ? BLOCKDB_SELF : BLOCKDB_SELF | BLOCKDB_BELOW;
    need(dname_parse(wild ? line + 2 : line, &name) == 0, line);
    add_rule(w, blockdb_hash(SEED, &name), flags, rest);
}

static size_t count_names(const struct writing *w)
{
    size_t names = 0;
    for (size_t at = 0; at < w->count; names++) {
        int64_t group = record_group(w->records + at, w->count - at);
        need(group > 0, "a collision");
        at += (size_t)group;
    }
    return names;
}

static void write_group(struct writing *w, struct blockdb_writer *writer, size_t at, size_t len)
{
    struct blockdb_item items[64];
    int64_t count = record_items(w->records + at, len, items, 64);
    need(count > 0, "items");
    for (int64_t i = 0; i < count; i++) {
        const struct side_owner owner = {
            w->records[at].hash, items[i].source,
            (uint8_t)(items[i].flags | (w->records[at].flags & ENTRY_ADDRESS))};
        int64_t index = items[i].action == BLOCKDB_LOCAL ? sidetable_data(w->beside, &owner) : 0;
        need(index >= 0, "data");
        items[i].data = (uint32_t)index;
    }
    const struct blockdb_entry entry = {w->records[at].hash, items, (size_t)count};
    need(blockdb_write_entry(writer, &entry) == 0, "entry");
}

static void write_file(struct writing *w, int fd, const struct blockdb_source *sources,
                       uint32_t source_count)
{
    struct blockdb_plan plan = {.seed = SEED, .sources = sources, .source_count = source_count};
    struct blockdb_writer *writer = NULL;
    record_sort(w->records, w->count);
    sidetable_sort(w->beside);
    plan.names = count_names(w);
    plan.addresses = w->addresses;
    memset(plan.labels, 0xff, sizeof(plan.labels));
    plan.prefixes[0] = plan.prefixes[1] = ~0ULL;
    plan.prefixes[2] = 1;
    plan.prefixes_4 = (1ULL << 33) - 1;
    plan.patterns = sidetable_patterns(w->beside, &plan.pattern_count);
    need(blockdb_write_begin(fd, &plan, &writer) == 0, "begin");
    for (size_t at = 0; at < w->count;) {
        int64_t group = record_group(w->records + at, w->count - at);
        write_group(w, writer, at, (size_t)group);
        at += (size_t)group;
    }
    plan.data = sidetable_numbered(w->beside, &plan.data_count);
    need(blockdb_write_finish(writer) == 0, "finish");
    blockdb_write_free(writer);
}

void zonelist_write(int fd, const struct world_list *lists, size_t count, int64_t fetched_at)
{
    struct writing w = {.records = calloc(RECORDS_MAX, sizeof(*w.records)),
                        .beside = sidetable_new()};
    struct blockdb_source sources[WORLD_LISTS_MAX];
    need(w.records && w.beside && count <= WORLD_LISTS_MAX, "memory");
    for (size_t i = 0; i < count; i++) {
        need(i == 0 || strcmp(lists[i - 1].id, lists[i].id) < 0, "lists must be sorted by id");
        sources[i] = (struct blockdb_source){.id = lists[i].id,
                                             .category = lists[i].category,
                                             .url = "file:///list",
                                             .version = "1",
                                             .fetched_at = fetched_at};
        w.source = (uint16_t)i;
        char *text = strdup(lists[i].text), *rest = text;
        for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
            if (*line) {
                add_line(&w, line);
            }
        }
        free(text);
    }
    write_file(&w, fd, sources, (uint32_t)count);
    sidetable_free(w.beside);
    free(w.records);
}
