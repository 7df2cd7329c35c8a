// SPDX-License-Identifier: Apache-2.0
/* format: the list formats, one table row and one file each.
 *
 * A format sees one line at a time and tells a sink what it holds. Adding a format is
 * a row in format.c, a word in settings.def and a file. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "blocklists/report.h"
#include "config/config.h"

struct line_sink;

/* A run of octets of the line; not terminated. */
struct span {
    const char *text;
    size_t len;
};

struct format {
    const char *name;
    enum list_format id;
    /* line: without its end and without blanks around it, 1..4096 octets */
    void (*parse_line)(const struct span *line, struct line_sink *sink);
    bool raw;                            /* lines keep their blanks, and empty ones come too */
    bool addresses;                      /* an address where a name stands covers answers */
    void (*end)(struct line_sink *sink); /* after the last line, or NULL */
};

/* NULL for FORMAT_AUTO and unknown ids. */
const struct format *format_find(enum list_format id);
const char *format_name(int id);    /* "?" when unknown */
int format_named(const char *name); /* enum list_format, or -1 */

void hosts_parse_line(const struct span *line, struct line_sink *sink);
void domains_parse_line(const struct span *line, struct line_sink *sink);
void adblock_parse_line(const struct span *line, struct line_sink *sink);
void dnsmasq_parse_line(const struct span *line, struct line_sink *sink);
void unbound_parse_line(const struct span *line, struct line_sink *sink);
void bind_parse_line(const struct span *line, struct line_sink *sink);
void dnscrypt_parse_line(const struct span *line, struct line_sink *sink);
void rpz_parse_line(const struct span *line, struct line_sink *sink);
void rpz_end(struct line_sink *sink);
void ut1_parse_line(const struct span *line, struct line_sink *sink); /* of a member */
void addresses_parse_line(const struct span *line, struct line_sink *sink);
void regex_parse_line(const struct span *line, struct line_sink *sink);

/* Whether an address is one that lists use to say "nowhere". */
bool hosts_is_sink(const struct span *token);

/* Beside enum blockdb_flag, never in a file: the record is of an address; the rule
 * cancels the one of its own list that is the same but for this flag. */
enum { ENTRY_ADDRESS = 64, ENTRY_CANCELS = 128 };

/* What is said about a name, an address or a pattern. */
struct sink_rule {
    unsigned flags;   /* enum blockdb_flag */
    uint8_t action;   /* enum blockdb_action */
    struct span data; /* of BLOCKDB_LOCAL: one record as in struct blockdb_data */
};

/* What a parser says about a line. Flags are those of enum blockdb_flag. */
void sink_name(struct line_sink *sink, const struct span *token, unsigned flags);
void sink_name_rule(struct line_sink *sink, const struct span *token, const struct sink_rule *rule);

/* An address or a prefix, "192.0.2.0/24"; host bits are taken off. It covers answers. */
void sink_address(struct line_sink *sink, const struct span *token, const struct sink_rule *rule);

/* A regular expression, without its slashes. One that PCRE2 does not compile, that takes
 * too long, or that matches most well-known names is skipped. */
void sink_pattern(struct line_sink *sink, const struct span *text, const struct sink_rule *rule);
void sink_skip(struct line_sink *sink, enum skip_reason reason);
void sink_comment(struct line_sink *sink, const struct span *text);

/* Which format the beginning of a file is in (FORMAT_HOSTS ...), or -EINVAL with the
 * reason in *diag: empty, HTML, binary, UTF-16, IDS rules, another filter's syntax. */
__attribute__((warn_unused_result)) int sniff_format(const uint8_t *head, size_t len,
                                                     struct diag *diag);

/* Whether the beginning of a file cannot be a list at all, whatever its format is
 * said to be: -EINVAL as above. */
__attribute__((warn_unused_result)) int sniff_refuse(const uint8_t *head, size_t len,
                                                     struct diag *diag);

static inline bool span_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static inline bool span_is(const struct span *span, const char *word)
{
    return span->len == strlen(word) && memcmp(span->text, word, span->len) == 0;
}

/* Inline, so that the length of a constant prefix is known. */
static inline bool span_starts(const struct span *span, const char *prefix)
{
    size_t len = strlen(prefix);
    return span->len >= len && memcmp(span->text, prefix, len) == 0;
}

bool span_contains(const struct span *span, const char *needle);

static inline struct span span_trim(const struct span *span)
{
    struct span out = *span;
    while (out.len && span_is_blank(out.text[0])) {
        out.text++;
        out.len--;
    }
    while (out.len && span_is_blank(out.text[out.len - 1])) {
        out.len--;
    }
    return out;
}

/* Cut the next token, ended by blanks, off the front; len 0 at the end. */
static inline struct span span_token(struct span *rest)
{
    *rest = span_trim(rest);
    struct span token = {rest->text, 0};
    while (token.len < rest->len && !span_is_blank(rest->text[token.len])) {
        token.len++;
    }
    rest->text += token.len;
    rest->len -= token.len;
    return token;
}

/* The span up to an octet, or all of it. */
struct span span_until(const struct span *span, char stop);
