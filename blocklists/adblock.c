// SPDX-License-Identifier: Apache-2.0
/* adblock: the DNS part of the Adblock syntax.
 *
 * "||x^" is x and all below, "|x^" and a bare x are that host, "||*.x^" all below;
 * "@@" takes back, $badfilter cancels the same rule of the list, and $denyallow= is an
 * exception for each name below the rule (against the whole list, as an "@@" is). What only a browser can do is counted and never widened to a
 * block (or an exception) of the whole name. */
#include <string.h>

#include "blocklists/blockdb.h"
#include "blocklists/entry.h"
#include "blocklists/rewrite.h"

static bool is_one_of(const struct span *span, const char *const *words)
{
    for (; *words; words++) {
        if (span_is(span, *words)) {
            return true;
        }
    }
    return false;
}

static bool is_cosmetic(const struct span *line)
{
    static const char *const marks[] = {"##", "#@#", "#?#", "#$#", "#%#", "#@?#", "#@$#", "$$"};
    if (!memchr(line->text, '#', line->len) && !memchr(line->text, '$', line->len)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (span_contains(line, marks[i])) {
            return true;
        }
    }
    return false;
}

struct rule {
    struct span pattern;
    struct span denied;      /* what $denyallow= names: "x|y" */
    unsigned flags;          /* but for what the anchor says */
    struct sink_rule action; /* what $dnsrewrite= says; its flags are not used */
    bool rewrites;
    uint8_t *record; /* [RDATA_RECORD_MAX] for it */
};

/* Whether $denyallow= can be said by exceptions: those take back no important rule. */
static bool is_expressible(const struct rule *rule)
{
    const unsigned never = BLOCKDB_EXCEPTION | BLOCKDB_IMPORTANT | ENTRY_CANCELS;
    bool rewrites = rule->rewrites && (rule->flags & BLOCKDB_EXCEPTION);
    return (rule->denied.len == 0 || !(rule->flags & never)) && !rewrites;
}

/* The modifiers behind '$', or why the rule cannot be used. */
static enum skip_reason read_modifiers(struct span rest, struct rule *rule,
                                       const struct line_sink *sink)
{
    static const char *const dns[] = {"denyallow", "dnstype", "client", "ctag", NULL};
    while (rest.len) {
        struct span modifier = span_until(&rest, ',');
        size_t used = modifier.len < rest.len ? modifier.len + 1 : modifier.len;
        rest.text += used;
        rest.len -= used;
        modifier = span_trim(&modifier);
        struct span word = span_until(&modifier, '=');
        if (span_is(&modifier, "important")) {
            rule->flags |= BLOCKDB_IMPORTANT;
        } else if (span_is(&modifier, "badfilter")) {
            rule->flags |= ENTRY_CANCELS;
        } else if (span_starts(&modifier, "denyallow=") && modifier.len > 10) {
            rule->denied = (struct span){modifier.text + 10, modifier.len - 10};
        } else if (span_is(&word, "dnsrewrite")) {
            rule->rewrites = true;
            enum skip_reason fault = rewrite_read(sink, &modifier, &rule->action, rule->record);
            if (fault) {
                return fault;
            }
        } else if (is_one_of(&word, dns)) {
            return SKIP_MODIFIER;
        } else if (!span_is(&modifier, "all")) {
            return SKIP_BROWSER;
        }
    }
    return is_expressible(rule) ? SKIP_NONE : SKIP_MODIFIER;
}

/* Cut the anchor off the front: the flags that it stands for. */
static unsigned read_anchor(struct span *pattern)
{
    static const struct {
        const char *mark;
        size_t cut;
        unsigned flags;
    } anchors[] = {
        {"||*.", 4, BLOCKDB_BELOW},
        {"||.", 3, BLOCKDB_BELOW},
        {"||", 2, BLOCKDB_SELF | BLOCKDB_BELOW},
        {"//", 2, BLOCKDB_SELF},
        {"|", 1, BLOCKDB_SELF},
        {"*.", 2, BLOCKDB_SELF | BLOCKDB_BELOW},
    };
    for (size_t i = 0; i < sizeof(anchors) / sizeof(anchors[0]); i++) {
        if (span_starts(pattern, anchors[i].mark)) {
            pattern->text += anchors[i].cut;
            pattern->len -= anchors[i].cut;
            return anchors[i].flags;
        }
    }
    return 0;
}

/* "x^" or "x^|" or "x|" with an anchor; a bare name without. What stands behind the
 * mark must be nothing. */
static enum skip_reason cut_end(struct span *pattern)
{
    struct span host = span_until(pattern, '^');
    size_t rest = pattern->len - host.len;
    const char *end = host.text + host.len;
    if (rest > 2 || (rest == 2 && end[1] != '|')) {
        return end[1] == ':' ? SKIP_PORT : SKIP_PATH;
    }
    if (rest == 0 && host.len && host.text[host.len - 1] == '|') {
        host.len--;
    }
    *pattern = host;
    return SKIP_NONE;
}

/* A bare word is a part of an address for a browser; only a whole name counts. */
static enum skip_reason judge_bare(const struct span *pattern)
{
    struct dname name;
    enum skip_reason bare = entry_parse(pattern->text, pattern->len, &name);
    bool markup =
        memchr(pattern->text, ' ', pattern->len) || memchr(pattern->text, '<', pattern->len);
    bool part = (bare == SKIP_NAME && !markup) || (bare == SKIP_NONE && name.labels < 2);
    return part ? SKIP_BROWSER : SKIP_NONE;
}

static struct span cut_denied(struct span *rest)
{
    struct span name = span_until(rest, '|');
    size_t used = name.len < rest->len ? name.len + 1 : name.len;
    rest->text += used;
    rest->len -= used;
    return name;
}

/* Whether the rule and all that $denyallow= names are names. */
static bool is_denyallow(const struct rule *rule)
{
    struct dname name;
    struct span rest = rule->denied;
    bool ok = entry_parse(rule->pattern.text, rule->pattern.len, &name) == SKIP_NONE;
    while (ok && rest.len) {
        struct span denied = cut_denied(&rest);
        ok = entry_parse(denied.text, denied.len, &name) == SKIP_NONE;
    }
    return ok;
}

/* An exception for each named domain that the rule covers; the others it never met. */
static void take_denied(const struct rule *rule, struct line_sink *sink)
{
    struct dname name, parent;
    struct span rest = rule->denied;
    if (entry_parse(rule->pattern.text, rule->pattern.len, &parent) != SKIP_NONE) {
        return;
    }
    while (rest.len) {
        struct span denied = cut_denied(&rest);
        if (entry_parse(denied.text, denied.len, &name) == SKIP_NONE &&
            dname_is_below(&name, &parent)) {
            sink_name(sink, &denied, BLOCKDB_EXCEPTION | BLOCKDB_SELF | BLOCKDB_BELOW);
        }
    }
}

static void take_rule(struct rule *rule, enum skip_reason fault, struct line_sink *sink)
{
    unsigned covers = read_anchor(&rule->pattern);
    if (covers == 0 && memchr(rule->pattern.text, '^', rule->pattern.len)) {
        fault = fault ? fault : SKIP_BROWSER; /* matches the end of longer names too */
    }
    fault = fault ? fault : cut_end(&rule->pattern);
    if (fault == SKIP_NONE && covers == 0) {
        fault = judge_bare(&rule->pattern);
    }
    if (fault == SKIP_NONE && rule->denied.len && !is_denyallow(rule)) {
        fault = SKIP_MODIFIER;
    }
    if (fault) {
        sink_skip(sink, fault);
        return;
    }
    rule->action.flags = rule->flags | (covers ? covers : BLOCKDB_SELF);
    sink_name_rule(sink, &rule->pattern, &rule->action);
    take_denied(rule, sink);
}

/* Cut "@@" off the front. */
static void cut_exception(struct rule *rule)
{
    if (span_starts(&rule->pattern, "@@")) {
        rule->flags |= BLOCKDB_EXCEPTION;
        rule->pattern.text += 2;
        rule->pattern.len -= 2;
    }
    rule->pattern = span_trim(&rule->pattern);
}

static void parse_rule(const struct span *line, struct line_sink *sink)
{
    uint8_t record[RDATA_RECORD_MAX];
    struct rule rule = {.pattern = span_until(line, '$'), .record = record};
    struct span modifiers = {line->text + rule.pattern.len, line->len - rule.pattern.len};
    if (modifiers.len) {
        modifiers.text++;
        modifiers.len--;
    }
    cut_exception(&rule);
    enum skip_reason fault = read_modifiers(modifiers, &rule, sink);
    take_rule(&rule, fault, sink);
}

/* "/text/" is an expression for a DNS filter and a part of a path for a browser's list:
 * without a mark that no path has it is taken for the latter. */
static bool is_expression(const struct span *text)
{
    for (size_t i = 0; i < text->len; i++) {
        if (memchr("^$\\[(*+?|{", text->text[i], 10)) {
            return true;
        }
    }
    return false;
}

/* "/expression/$modifiers"; the last slash ends it. */
static void parse_expression(const struct span *line, struct line_sink *sink)
{
    uint8_t record[RDATA_RECORD_MAX];
    struct rule rule = {.pattern = *line, .record = record};
    cut_exception(&rule);
    const char *end = memrchr(rule.pattern.text, '/', rule.pattern.len);
    struct span text = {rule.pattern.text + 1, (size_t)(end - rule.pattern.text)};
    struct span rest = {end + 1, rule.pattern.len - text.len - 1};
    text.len -= text.len > 0;
    if ((rest.len && rest.text[0] != '$') || !is_expression(&text)) {
        sink_skip(sink, SKIP_PATH);
        return;
    }
    rest.text += rest.len > 0;
    rest.len -= rest.len > 0;
    enum skip_reason fault = read_modifiers(rest, &rule, sink);
    bool local = rule.action.action == BLOCKDB_LOCAL;
    if (fault == SKIP_NONE && (local || rule.denied.len || rule.flags & ENTRY_CANCELS)) {
        fault = SKIP_MODIFIER;
    }
    if (fault) {
        sink_skip(sink, fault);
        return;
    }
    rule.action.flags = rule.flags | BLOCKDB_SELF;
    sink_pattern(sink, &text, &rule.action);
}

static bool is_hosts_line(const struct span *line)
{
    struct span rest = *line;
    struct span first = span_token(&rest);
    return rest.len && entry_is_address(first.text, first.len);
}

/* Without a comment behind a blank. */
static struct span cut_comment(const struct span *line)
{
    struct span out = *line;
    for (size_t i = 1; i < line->len; i++) {
        if (line->text[i] == '#' && span_is_blank(line->text[i - 1])) {
            out.len = i;
            return span_trim(&out);
        }
    }
    return out;
}

void adblock_parse_line(const struct span *line, struct line_sink *sink)
{
    char first = line->text[0];
    bool hash = first == '#' && (line->len == 1 || !strchr("#@?$%", line->text[1]));
    if (first == '!' || first == '[' || hash) {
        sink_comment(sink, line);
        return;
    }
    if (is_cosmetic(line)) {
        sink_skip(sink, SKIP_COSMETIC);
        return;
    }
    struct span rule = cut_comment(line);
    size_t mark = span_starts(&rule, "@@") ? 2 : 0;
    if (rule.len > mark + 1 && rule.text[mark] == '/' && rule.text[mark + 1] != '/') {
        parse_expression(&rule, sink);
    } else if (is_hosts_line(&rule)) {
        hosts_parse_line(&rule, sink);
    } else {
        parse_rule(&rule, sink);
    }
}
