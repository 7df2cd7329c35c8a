// SPDX-License-Identifier: Apache-2.0
/* rpz: response policy zones (draft-vixie-dnsop-dns-rpz).
 *
 * The owner says what is meant: a name, all below one ("*."), or an address ("rpz-ip");
 * the record says what to do. A downloaded zone may not send names to addresses of its
 * maker: without `local_data: true` such a record is a plain block. */
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "blocklists/rdata.h"
#include "blocklists/scan.h"

/* A record behind its owner. */
struct record {
    struct span type, data;
    uint32_t ttl;
};

static bool is_word(const struct span *span, const char *word)
{
    return span->len == strlen(word) && strncasecmp(span->text, word, span->len) == 0;
}

/* "3600", "1h30m" */
static bool read_ttl(const struct span *word, uint32_t *ret_ttl)
{
    static const char units[] = "smhdw";
    static const uint32_t seconds[] = {1, 60, 3600, 86400, 604800};
    uint64_t sum = 0;
    uint64_t number = 0;
    for (size_t i = 0; i < word->len; i++) {
        char c = (char)(word->text[i] | 0x20);
        const char *unit = memchr(units, c, sizeof(units) - 1);
        if (word->text[i] >= '0' && word->text[i] <= '9') {
            number = number * 10 + (uint64_t)(word->text[i] - '0');
        } else if (unit && i > 0) {
            sum += number * seconds[unit - units];
            number = 0;
        } else {
            return false;
        }
        if (sum + number > INT32_MAX) {
            return false;
        }
    }
    *ret_ttl = (uint32_t)(sum + number);
    return word->len > 0 && word->text[0] >= '0' && word->text[0] <= '9';
}

/* "[TTL] [class] type data" with TTL and class in any order. */
static bool read_record(struct span rest, uint32_t ttl, struct record *ret_record)
{
    ret_record->ttl = ttl;
    ret_record->type = span_token(&rest);
    for (unsigned i = 0; i < 2; i++) {
        bool skips =
            is_word(&ret_record->type, "IN") || read_ttl(&ret_record->type, &ret_record->ttl);
        if (skips) {
            ret_record->type = span_token(&rest);
        }
    }
    ret_record->data = span_trim(&rest);
    return ret_record->type.len > 0 && ret_record->data.len > 0;
}

/* The serial is the version of the list (RFC 1035 section 3.3.13). */
static void take_soa(struct line_sink *sink, const struct span *data)
{
    struct span rest = *data;
    struct source_report *report = sink->report;
    span_token(&rest);
    span_token(&rest);
    struct span serial = span_token(&rest);
    for (size_t i = 0; i < serial.len; i++) {
        if (serial.text[i] < '0' || serial.text[i] > '9') {
            return;
        }
    }
    if (serial.len > 0 && serial.len <= 10) {
        snprintf(report->version, sizeof(report->version), "%.*s", (int)serial.len, serial.text);
    }
}

static bool is_of_zone_only(const struct span *type)
{
    static const char *const types[] = {"SOA",     "NS",     "DNAME", "DS",         "DNSKEY",
                                        "RRSIG",   "NSEC",   "NSEC3", "NSEC3PARAM", "CDS",
                                        "CDNSKEY", "ZONEMD", "SIG"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (is_word(type, types[i])) {
            return true;
        }
    }
    return false;
}

/* The actions that are said by the target of a CNAME; false: it is local data. */
static bool read_action(const struct zone_name *owner, const struct span *target,
                        struct sink_rule *rule)
{
    static const struct {
        const char *target;
        uint8_t action;
    } actions[] = {
        {".", BLOCKDB_NXDOMAIN},
        {"*.", BLOCKDB_NODATA},
        {"rpz-drop.", BLOCKDB_DROP},
        {"rpz-tcp-only.", BLOCKDB_TCP_ONLY},
    };
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (is_word(target, actions[i].target)) {
            rule->action = actions[i].action;
            return true;
        }
    }
    bool itself = target->len == owner->len + 1 && target->text[owner->len] == '.' &&
                  strncasecmp(target->text, owner->text, owner->len) == 0;
    if (itself || is_word(target, "rpz-passthru.")) {
        rule->flags |= BLOCKDB_EXCEPTION | BLOCKDB_CLOSEST;
        return true;
    }
    return false;
}

/* "24.0.2.0.192" or "48.zz.2.db8.2001" as a prefix in its usual order; false: neither. */
static bool read_ip_trigger(struct span text, char out[ADDR_TEXT_MAX])
{
    struct span bits = span_until(&text, '.');
    size_t used = 0;
    unsigned dots = 0;
    size_t end = text.len;
    if (text.len >= ADDR_TEXT_MAX - 8 || bits.len == text.len || bits.len == 0) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        dots += text.text[i] == '.';
    }
    bool v4 = dots == 4 && !memmem(text.text, text.len, "zz", 2);
    while (end > bits.len) {
        const char *dot = memrchr(text.text, '.', end);
        struct span part = {dot + 1, (size_t)(text.text + end - dot) - 1};
        bool gap = is_word(&part, "zz");
        if (used > 0 && out[used - 1] != ':') {
            out[used++] = v4 ? '.' : ':';
        }
        if (gap) {
            memcpy(out + used, "::", 2);
            used += used ? 1 : 2;
        } else {
            memcpy(out + used, part.text, part.len);
            used += part.len;
        }
        end = (size_t)(dot - text.text);
    }
    snprintf(out + used, ADDR_TEXT_MAX - used, "/%.*s", (int)bits.len, bits.text);
    return true;
}

static void take_ip(struct line_sink *sink, const struct span *trigger,
                    const struct sink_rule *rule)
{
    char text[ADDR_TEXT_MAX];
    if (!read_ip_trigger(*trigger, text)) {
        sink_skip(sink, SKIP_RECORD);
        return;
    }
    sink_address(sink, &(struct span){text, strlen(text)}, rule);
}

/* Cut the label "rpz-..." of another trigger off the end; its length, 0 for a name. */
static struct span cut_trigger(struct span *name)
{
    const char *dot = memrchr(name->text, '.', name->len);
    const char *last = dot ? dot + 1 : name->text;
    struct span label = {last, (size_t)(name->text + name->len - last)};
    if (label.len < 4 || strncasecmp(last, "rpz-", 4) != 0) {
        return (struct span){last, 0};
    }
    name->len = dot ? (size_t)(dot - name->text) : 0;
    return label;
}

static void take_rule(struct line_sink *sink, struct sink_rule *rule)
{
    const struct zone_name *owner = &sink->zone.owner;
    struct span name = {owner->text, owner->len};
    struct span trigger = cut_trigger(&name);
    if (is_word(&trigger, "rpz-ip")) {
        rule->flags |= BLOCKDB_SELF;
        take_ip(sink, &name, rule);
    } else if (trigger.len) {
        sink_skip(sink, SKIP_TRIGGER);
    } else if (span_is(&name, "*")) {
        sink_skip(sink, SKIP_WIDE);
    } else if (span_starts(&name, "*.")) {
        name.text += 2;
        name.len -= 2;
        rule->flags |= BLOCKDB_BELOW;
        sink_name_rule(sink, &name, rule);
    } else {
        rule->flags |= BLOCKDB_SELF;
        sink_name_rule(sink, &name, rule);
    }
}

static void take_local(struct line_sink *sink, const struct record *record)
{
    uint8_t octets[RDATA_RECORD_MAX];
    const struct zone_name *origin = &sink->zone.origin;
    struct rdata_text text = {record->type, record->data, {origin->text, origin->len}, record->ttl};
    struct sink_rule rule = {.action = BLOCKDB_BLOCK};
    int len = rdata_read(&text, octets);
    if (len < 0) {
        sink_skip(sink, SKIP_RECORD);
        return;
    }
    if (sink->local_data) {
        rule.action = BLOCKDB_LOCAL;
        rule.data = (struct span){(const char *)octets, (size_t)len};
    }
    take_rule(sink, &rule);
}

/* zone->owner says whose record it is. */
static void take_record(struct line_sink *sink, const struct record *record)
{
    struct span rest = record->data;
    struct sink_rule rule = {0};
    if (sink->zone.owner.len == 0) {
        return; /* what the zone says of itself */
    }
    if (is_word(&record->type, "CNAME")) {
        struct span target = span_token(&rest);
        if (span_token(&rest).len) {
            sink_skip(sink, SKIP_RECORD);
            return;
        }
        if (read_action(&sink->zone.owner, &target, &rule)) {
            take_rule(sink, &rule);
            return;
        }
    }
    if (is_of_zone_only(&record->type)) {
        sink_skip(sink, SKIP_DIRECTIVE);
    } else {
        take_local(sink, record);
    }
}

static void take_directive(struct line_sink *sink, struct span rest)
{
    struct span word = span_token(&rest);
    struct span value = span_token(&rest);
    struct zone_state *zone = &sink->zone;
    bool ok = value.len > 0;
    if (is_word(&word, "$ORIGIN")) {
        ok = ok && zone_set_origin(zone, &value);
    } else if (is_word(&word, "$TTL")) {
        ok = ok && read_ttl(&value, &zone->ttl);
    } else { /* $INCLUDE reads no file of ours, $GENERATE makes no names */
        sink_skip(sink, SKIP_DIRECTIVE);
        return;
    }
    if (!ok) {
        sink_skip(sink, SKIP_RECORD);
    }
}

static void take_text(struct line_sink *sink, struct span text)
{
    struct zone_state *zone = &sink->zone;
    struct record record;
    struct span rest = text;
    if (text.len && text.text[0] == '$') {
        take_directive(sink, text);
        return;
    }
    struct span owner = {NULL, 0};
    if (text.len && !span_is_blank(text.text[0])) {
        owner = span_token(&rest);
    } else if (span_trim(&rest).len == 0) {
        return;
    }
    if (!read_record(rest, zone->ttl, &record)) {
        sink_skip(sink, SKIP_RECORD);
        zone->was_out |= owner.len > 0; /* what follows without an owner is not the name's before */
        return;
    }
    if (is_word(&record.type, "SOA")) {
        if (owner.len) {
            zone_set_apex(zone, &owner);
        }
        take_soa(sink, &record.data);
    }
    bool inside = owner.len ? zone_set_owner(zone, &owner) : !zone->was_out;
    if (inside) {
        take_record(sink, &record);
    } else {
        sink_skip(sink, SKIP_ZONE);
    }
}

/* A line of a record that was given up, `back` lines before the last one read. */
static void take_alone(struct line_sink *sink, const struct span *line, uint64_t back)
{
    char buffer[SCAN_LINE_MAX + 1];
    struct span record;
    sink->line = span_trim(line);
    sink->lines_before += back;
    if (zone_frame_alone(line, buffer, &record) == ZONE_BROKEN) {
        sink_skip(sink, SKIP_RECORD);
        sink->zone.was_out = true;
    } else {
        take_text(sink, record);
    }
    sink->lines_before -= back;
}

/* `since`: lines read after the last of the record. */
static void give_up(struct line_sink *sink, uint64_t since)
{
    struct zone_state *zone = &sink->zone;
    struct span rest = {zone->text, zone->len};
    uint64_t back = zone->lines + since;
    while (rest.len) {
        struct span line = span_until(&rest, '\n');
        rest.text += line.len + 1;
        rest.len -= line.len + 1;
        take_alone(sink, &line, --back);
    }
    zone->len = zone->lines = zone->depth = 0;
}

void rpz_parse_line(const struct span *line, struct line_sink *sink)
{
    struct zone_state *zone = &sink->zone;
    struct span record;
    if (zone->depth == 0 && line->len && (line->text[0] == ';' || line->text[0] == '#')) {
        sink_comment(sink, line);
        return;
    }
    switch (zone_frame_line(zone, line, &record)) {
    case ZONE_RECORD: take_text(sink, record); break;
    case ZONE_MORE: break;
    case ZONE_BROKEN: sink_skip(sink, SKIP_RECORD); break;
    case ZONE_UNCLOSED: give_up(sink, 0); break;
    case ZONE_TOO_LARGE:
        give_up(sink, 1);
        rpz_parse_line(line, sink); /* nothing is open now */
        break;
    }
}

void rpz_end(struct line_sink *sink)
{
    if (sink->zone.depth > 0) {
        give_up(sink, 0);
    }
}
