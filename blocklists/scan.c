// SPDX-License-Identifier: Apache-2.0
#include "blocklists/scan.h"

#include <stdio.h>
#include <string.h>

#include "blocklists/addresses.h"
#include "blocklists/entry.h"
#include "blocklists/pattern.h"

/* Printable, one line, bounded: it will stand in reports. */
static void keep_quote(struct line_sink *sink, enum skip_reason reason)
{
    struct source_report *report = sink->report;
    const struct span *line = &sink->line;
    struct quote *quote = &report->quotes[report->quote_count++];
    size_t len = line->len < QUOTE_TEXT_MAX - 1 ? line->len : QUOTE_TEXT_MAX - 1;
    quote->line = (uint32_t)(report->lines - sink->lines_before);
    quote->reason = reason;
    snprintf(quote->file, sizeof(quote->file), "%s", sink->member ? sink->member : "");
    for (size_t i = 0; i < len; i++) {
        char c = line->text[i];
        quote->text[i] = c >= 0x20 && c < 0x7f ? c : '?';
    }
    quote->text[len] = '\0';
}

/* Local names and comments are no news; the rest is quoted. */
void sink_skip(struct line_sink *sink, enum skip_reason reason)
{
    struct source_report *report = sink->report;
    report->skipped[reason]++;
    if (report->quote_count < QUOTES_MAX && reason != SKIP_LOCAL) {
        keep_quote(sink, reason);
    }
}

/* The value of "Version: x" and its kin in the head of a list. */
void sink_comment(struct line_sink *sink, const struct span *text)
{
    static const char *const keys[] = {
        "Version:", "Last modified:", "Last updated:", "Updated:", "Date:"};
    struct source_report *report = sink->report;
    if (report->version[0] || report->lines > 50) {
        return;
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *at = memmem(text->text, text->len, keys[i], strlen(keys[i]));
        if (!at) {
            continue;
        }
        at += strlen(keys[i]);
        struct span value = {at, text->len - (size_t)(at - text->text)};
        value = span_trim(&value);
        size_t len = value.len < VERSION_TEXT_MAX - 1 ? value.len : VERSION_TEXT_MAX - 1;
        for (size_t c = 0; c < len; c++) {
            report->version[c] =
                value.text[c] >= 0x20 && value.text[c] < 0x7f ? value.text[c] : '?';
        }
        report->version[len] = '\0';
        return;
    }
}

/* What the source's `match` makes of a block; exceptions stay as written. */
static unsigned apply_match(const struct line_sink *sink, unsigned flags)
{
    if (flags & BLOCKDB_EXCEPTION || sink->match == MATCH_AUTO) {
        return flags;
    }
    flags &= ~(unsigned)(BLOCKDB_SELF | BLOCKDB_BELOW);
    return flags | BLOCKDB_SELF | (sink->match == MATCH_SUBTREE ? BLOCKDB_BELOW : 0);
}

void sink_name_rule(struct line_sink *sink, const struct span *token, const struct sink_rule *rule)
{
    struct scan_entry entry;
    struct source_report *report = sink->report;
    enum skip_reason fault = entry_parse(token->text, token->len, &entry.name);
    if (fault == SKIP_ADDRESS && sink->format->addresses) {
        sink_address(sink, token, rule);
        return;
    }
    if (fault != SKIP_NONE) {
        sink_skip(sink, fault);
        return;
    }
    unsigned flags = apply_match(sink, rule->flags);
    if (flags & BLOCKDB_BELOW && sink->suffixes && suffix_is_public(sink->suffixes, &entry.name)) {
        flags &= ~(unsigned)BLOCKDB_BELOW;
        if (!(flags & BLOCKDB_SELF)) {
            sink_skip(sink, SKIP_WIDE);
            return;
        }
        if (report->quote_count < QUOTES_MAX) {
            keep_quote(sink, SKIP_WIDE);
        }
        report->narrowed++;
    }
    if (flags & ENTRY_CANCELS) {
        report->cancels++;
    } else {
        report->names++;
        report->exceptions += (flags & BLOCKDB_EXCEPTION) != 0;
    }
    entry.kind = SCAN_NAME;
    entry.flags = (uint8_t)flags;
    entry.action = rule->action;
    entry.data = rule->data;
    sink->on_entry(sink->arg, &entry);
}

void sink_name(struct line_sink *sink, const struct span *token, unsigned flags)
{
    sink_name_rule(sink, token, &(struct sink_rule){.flags = flags});
}

void sink_address(struct line_sink *sink, const struct span *token, const struct sink_rule *rule)
{
    struct scan_entry entry = {.kind = SCAN_ADDRESS};
    enum skip_reason fault = SKIP_NONE;
    if (!address_read(token, &entry.prefix)) {
        fault = SKIP_ADDRESS;
    } else if (entry.prefix.bits < (entry.prefix.addr.family == AF_INET ? 8 : 16)) {
        fault = SKIP_WIDE;
    } else if (!(rule->flags & BLOCKDB_EXCEPTION) && address_is_local(&entry.prefix)) {
        fault = SKIP_PRIVATE;
    }
    if (fault) {
        sink_skip(sink, fault);
        return;
    }
    *(rule->flags & ENTRY_CANCELS ? &sink->report->cancels : &sink->report->addresses) += 1;
    entry.flags = (uint8_t)((rule->flags & ~(unsigned)BLOCKDB_BELOW) | BLOCKDB_SELF);
    entry.action = rule->action;
    entry.data = rule->data;
    sink->on_entry(sink->arg, &entry);
}

void sink_pattern(struct line_sink *sink, const struct span *text, const struct sink_rule *rule)
{
    struct scan_entry entry = {.kind = SCAN_PATTERN, .pattern = *text};
    enum skip_reason fault = SKIP_REGEX;
    if (text->len <= SCAN_PATTERN_MAX && sink->patterns < SCAN_PATTERNS_MAX) {
        sink->patterns++;
        fault = pattern_judge(text);
    }
    if (fault) {
        sink_skip(sink, fault);
        return;
    }
    sink->report->patterns++;
    entry.flags = (uint8_t)((rule->flags & ~(unsigned)BLOCKDB_BELOW) | BLOCKDB_SELF);
    entry.action = rule->action;
    sink->on_entry(sink->arg, &entry);
}

static void take_line(struct line_sink *sink, const char *text, size_t len)
{
    struct span raw = {text, len};
    sink->report->lines++;
    if (!sink->begun) {
        sink->begun = true;
        if (span_starts(&raw, "\xef\xbb\xbf")) {
            raw.text += 3;
            raw.len -= 3;
        }
    }
    sink->line = span_trim(&raw);
    if (sink->format->raw) {
        sink->format->parse_line(&raw, sink);
    } else if (sink->line.len) {
        sink->format->parse_line(&sink->line, sink);
    }
}

static void take_long(struct line_sink *sink)
{
    sink->report->lines++;
    sink->begun = true;
    sink->line = (struct span){sink->carry, sink->carried};
    sink_skip(sink, SKIP_LENGTH);
}

/* Keep an unfinished line for the next piece; past the limit only its start stays. */
static void carry(struct line_sink *sink, const char *text, size_t len)
{
    size_t room = SCAN_LINE_MAX - sink->carried;
    size_t part = len < room ? len : room;
    memcpy(sink->carry + sink->carried, text, part);
    sink->carried += part;
    sink->dropping |= len > room;
}

static void end_line(struct line_sink *sink, const char *text, size_t len)
{
    if (sink->carried == 0 && len <= SCAN_LINE_MAX) {
        take_line(sink, text, len);
        return;
    }
    carry(sink, text, len);
    if (sink->dropping) {
        take_long(sink);
    } else {
        take_line(sink, sink->carry, sink->carried);
    }
    sink->carried = 0;
    sink->dropping = false;
}

/* One LF-ended piece; a CR at its end belongs to the end, any other one is an end of
 * its own. */
static void split_returns(struct line_sink *sink, const char *text, size_t len)
{
    if (len && text[len - 1] == '\r') {
        len--;
    }
    const char *cr;
    while ((cr = memchr(text, '\r', len))) {
        end_line(sink, text, (size_t)(cr - text));
        len -= (size_t)(cr - text) + 1;
        text = cr + 1;
    }
    end_line(sink, text, len);
}

/* A piece without LF: what ends with CR is complete, the rest waits. */
static void take_rest(struct line_sink *sink, const char *text, size_t len)
{
    const char *cr = memrchr(text, '\r', len);
    if (cr) {
        size_t whole = (size_t)(cr - text);
        split_returns(sink, text, whole);
        text += whole + 1;
        len -= whole + 1;
        sink->after_cr = len == 0;
    }
    carry(sink, text, len);
}

void scan_feed(struct line_sink *sink, const uint8_t *data, size_t len)
{
    const char *text = (const char *)data;
    sink->report->bytes += len;
    if (len && sink->after_cr) {
        size_t cut = *text == '\n';
        text += cut;
        len -= cut;
        sink->after_cr = false;
    }
    while (len) {
        const char *end = memchr(text, '\n', len);
        if (!end) {
            take_rest(sink, text, len);
            return;
        }
        split_returns(sink, text, (size_t)(end - text));
        len -= (size_t)(end - text) + 1;
        text = end + 1;
    }
}

void scan_end(struct line_sink *sink)
{
    if (sink->carried) {
        split_returns(sink, "", 0);
    }
    sink->after_cr = false;
    if (sink->format && sink->format->end) {
        sink->format->end(sink);
    }
}
