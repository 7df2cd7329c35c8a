// SPDX-License-Identifier: Apache-2.0
/* adblock: the DNS part of the Adblock syntax.
 *
 * "||x^" is x and all below, "|x^" and a bare x are that host, "||*.x^" all below;
 * "@@" takes back. What only a browser can do is counted and never widened to a
 * block (or an exception) of the whole name. */
#include "blocklists/format.h"

#include <string.h>

#include "blocklists/blockdb.h"
#include "blocklists/entry.h"

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

/* The modifiers behind '$': adds to *flags, or why the rule cannot be used. */
static enum skip_reason read_modifiers(struct span rest, unsigned *flags)
{
    static const char *const dns[] = {"badfilter", "denyallow",  "dnstype", "client",
                                      "ctag",      "dnsrewrite", NULL};
    while (rest.len) {
        struct span modifier = span_until(&rest, ',');
        size_t used = modifier.len < rest.len ? modifier.len + 1 : modifier.len;
        rest.text += used;
        rest.len -= used;
        modifier = span_trim(&modifier);
        struct span word = span_until(&modifier, '=');
        if (span_is(&modifier, "important")) {
            *flags |= BLOCKDB_IMPORTANT;
        } else if (is_one_of(&word, dns)) {
            return SKIP_MODIFIER;
        } else if (!span_is(&modifier, "all")) {
            return SKIP_BROWSER;
        }
    }
    return SKIP_NONE;
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

static void parse_rule(const struct span *line, struct line_sink *sink)
{
    struct span pattern = span_until(line, '$');
    struct span modifiers = {line->text + pattern.len, line->len - pattern.len};
    unsigned flags = 0;
    if (modifiers.len) {
        modifiers.text++;
        modifiers.len--;
    }
    if (span_starts(&pattern, "@@")) {
        flags |= BLOCKDB_EXCEPTION;
        pattern.text += 2;
        pattern.len -= 2;
    }
    pattern = span_trim(&pattern);
    enum skip_reason fault = read_modifiers(modifiers, &flags);
    unsigned covers = read_anchor(&pattern);
    struct dname name;
    if (covers == 0 && memchr(pattern.text, '^', pattern.len)) {
        fault = fault ? fault : SKIP_BROWSER; /* matches the end of longer names too */
    }
    fault = fault ? fault : cut_end(&pattern);
    if (fault == SKIP_NONE && covers == 0) {
        /* a bare word is a part of an address for a browser; only a whole name counts */
        enum skip_reason bare = entry_parse(pattern.text, pattern.len, &name);
        bool markup =
            memchr(pattern.text, ' ', pattern.len) || memchr(pattern.text, '<', pattern.len);
        fault = bare == SKIP_NAME && !markup           ? SKIP_BROWSER
                : bare == SKIP_NONE && name.labels < 2 ? SKIP_BROWSER
                                                       : SKIP_NONE;
    }
    if (fault) {
        sink_skip(sink, fault);
        return;
    }
    sink_name(sink, &pattern, flags | (covers ? covers : BLOCKDB_SELF));
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
    if (first == '/' && rule.len > 1 && rule.text[1] != '/') {
        struct span pattern = span_until(&rule, '$');
        sink_skip(sink, pattern.text[pattern.len - 1] == '/' ? SKIP_REGEX : SKIP_PATH);
    } else if (is_hosts_line(&rule)) {
        hosts_parse_line(&rule, sink);
    } else {
        parse_rule(&rule, sink);
    }
}
