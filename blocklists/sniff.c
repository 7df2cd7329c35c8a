// SPDX-License-Identifier: Apache-2.0
/* sniff: what a download really is, whatever its address says. */
#include "blocklists/format.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "blocklists/entry.h"
#include "blocklists/tar.h"

enum { VOTES_MIN_PERCENT = 50, LINES_MAX = 2000, HEAD_TEXT = 2048 };

enum ballot {
    VOTE_HOSTS,
    VOTE_DOMAINS,
    VOTE_ADBLOCK,
    VOTE_DNSMASQ,
    VOTE_UNBOUND,
    VOTE_BIND,
    VOTE_STATEMENT, /* of BIND, inside of a zone perhaps */
    VOTE_DNSCRYPT,
    VOTE_ADDRESS,
    VOTE_RPZ,
    VOTE_REGEX,
    VOTE_FOREIGN,
    VOTE_JUNK,
    VOTES
};

struct magic {
    const char *octets;
    size_t len;
    const char *what;
};

static const struct magic magics[] = {
    {"\xff\xfe", 2, "UTF-16 text: convert it to UTF-8"},
    {"\xfe\xff", 2, "UTF-16 text: convert it to UTF-8"},
    {"PK\x03\x04", 4, "a zip archive"},
    {"\xfd"
     "7zXZ",
     5, "xz data, which is not supported"},
    {"\x7f"
     "ELF",
     4, "a program"},
    {"%PDF", 4, "a PDF document"},
    {"\x89PNG", 4, "a picture"},
    {"GIF8", 4, "a picture"},
    {"GGDB", 4, "a compiled blocklist database"},
    {"SQLite format 3", 15, "an SQLite database"},
};

/* Lines that no format of ours understands. */
static const struct magic foreign[] = {
    {"alert ", 6, "IDS rules"},
    {"drop ", 5, "IDS rules"},
    {"reject ", 7, "IDS rules"},
};

static const char *find_magic(const struct magic *table, size_t count, const struct span *text)
{
    for (size_t i = 0; i < count; i++) {
        if (text->len >= table[i].len && memcmp(text->text, table[i].octets, table[i].len) == 0) {
            return table[i].what;
        }
    }
    return NULL;
}

static bool is_html(const struct span *text)
{
    static const char *const tags[] = {"<!doctype html", "<html",   "<head", "<body", "<?xml",
                                       "<title",         "<script", "<meta", "<div",  "<!--"};
    char head[HEAD_TEXT];
    size_t len = 0;
    for (size_t i = 0; i < text->len && len < sizeof(head) - 1; i++) {
        if (len || !isspace((unsigned char)text->text[i])) {
            head[len++] = (char)tolower((unsigned char)text->text[i]);
        }
    }
    head[len] = '\0';
    for (size_t i = 0; head[0] == '<' && i < sizeof(tags) / sizeof(tags[0]); i++) {
        if (strstr(head, tags[i])) {
            return true;
        }
    }
    return false;
}

/* Control octets that no text has: over 1 % of them is binary. */
static bool is_binary(const struct span *text)
{
    size_t controls = 0;
    for (size_t i = 0; i < text->len; i++) {
        uint8_t c = (uint8_t)text->text[i];
        controls += (c < 0x20 && !isspace(c)) || c == 0x7f;
    }
    return controls * 100 > text->len;
}

int sniff_refuse(const uint8_t *head, size_t len, struct diag *diag)
{
    struct span text = {(const char *)head, len};
    if (span_starts(&text, "\xef\xbb\xbf")) {
        text.text += 3;
        text.len -= 3;
    }
    const char *what = find_magic(magics, sizeof(magics) / sizeof(magics[0]), &text);
    if (what) {
        return diag_set(diag, -EINVAL, "not a list: it is %s", what);
    }
    if (is_html(&text)) {
        return diag_set(diag, -EINVAL, "not a list: it is an HTML page");
    }
    if (is_binary(&text)) {
        return diag_set(diag, -EINVAL, "not a list: it is binary data");
    }
    return 0;
}

static bool is_comment(const struct span *line)
{
    char c = line->text[0];
    bool marks = c == '#' && (line->len < 2 || !strchr("#@?$%", line->text[1]));
    bool ruler = c == '=' && (line->len < 2 || !isalnum((unsigned char)line->text[1]));
    return marks || c == '!' || c == ';' || c == '[' || ruler || span_starts(line, "// ");
}

static bool is_adblock(const struct span *line)
{
    return span_starts(line, "||") || span_starts(line, "@@") || span_starts(line, "|") ||
           span_starts(line, "/") || line->text[0] == '.' || memchr(line->text, '^', line->len) ||
           span_contains(line, "##") || span_contains(line, "#@#") || span_contains(line, "$");
}

/* A record or a directive of a zone file: "[owner] [TTL] [IN] TYPE data". */
static bool is_zone_line(const struct span *line)
{
    static const char *const types[] = {"CNAME", "SOA", "NS", "A", "AAAA", "TXT", "MX", NULL};
    struct span rest = *line;
    if (span_starts(line, "$TTL") || span_starts(line, "$ORIGIN")) {
        return true;
    }
    for (unsigned i = 0; i < 4; i++) {
        struct span word = span_token(&rest);
        for (const char *const *type = types; *type; type++) {
            if (word.len == strlen(*type) && strncasecmp(word.text, *type, word.len) == 0) {
                return span_trim(&rest).len > 0;
            }
        }
    }
    return false;
}

/* Marks that stand in expressions and in no name, address or rule. */
static bool is_regex(const struct span *line)
{
    bool starts = line->text[0] == '^' || line->text[0] == '(';
    char last = line->text[line->len - 1];
    bool slashes = line->len > 2 && line->text[0] == '/' && last == '/';
    return slashes ||
           ((starts || last == '$' || last == '.') &&
            (span_contains(line, "\\.") || span_contains(line, "[") || span_contains(line, "(")));
}

/* The statements of other servers; VOTE_JUNK for none. */
static enum ballot vote_statement(const struct span *line)
{
    static const struct {
        const char *start;
        enum ballot ballot;
    } statements[] = {
        {"address=/", VOTE_DNSMASQ},
        {"server=/", VOTE_DNSMASQ},
        {"local=/", VOTE_DNSMASQ},
        {"server:", VOTE_UNBOUND},
        {"local-zone:", VOTE_UNBOUND},
        {"local-data:", VOTE_UNBOUND},
        {"local-data-ptr:", VOTE_UNBOUND},
        {"zone ", VOTE_BIND},
        {"zone\t", VOTE_BIND},
    };
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        if (span_starts(line, statements[i].start)) {
            return statements[i].ballot;
        }
    }
    char last = line->text[line->len - 1];
    return last == ';' || last == '{' || span_is(line, "}") ? VOTE_STATEMENT : VOTE_JUNK;
}

static enum ballot vote(const struct span *line)
{
    struct dname name;
    struct span rest = span_until(line, '#');
    struct span first = span_token(&rest);
    struct span second = span_token(&rest);
    if (find_magic(foreign, sizeof(foreign) / sizeof(foreign[0]), line)) {
        return VOTE_FOREIGN;
    }
    enum ballot statement = vote_statement(line);
    if (statement != VOTE_JUNK) {
        return statement;
    }
    if (first.len > 1 && first.text[0] == '=') {
        return entry_parse(first.text + 1, first.len - 1, &name) ? VOTE_JUNK : VOTE_DNSCRYPT;
    }
    if (first.len && entry_is_address(first.text, first.len)) {
        return second.len ? VOTE_HOSTS : VOTE_ADDRESS;
    }
    bool wild = span_starts(&first, "*.");
    struct span bare = {first.text + (wild ? 2 : 0), first.len - (wild ? 2 : 0)};
    if (bare.len && bare.text[0] == '.' && !memchr(bare.text, '/', bare.len)) {
        bare.text++;
        bare.len--;
    }
    if (wild && entry_is_address(bare.text, bare.len)) {
        return VOTE_ADDRESS;
    }
    if (!second.len && bare.len && entry_parse(bare.text, bare.len, &name) == SKIP_NONE) {
        return VOTE_DOMAINS;
    }
    if (is_zone_line(line)) {
        return VOTE_RPZ;
    }
    if (is_regex(line)) {
        return VOTE_REGEX;
    }
    return is_adblock(line) ? VOTE_ADBLOCK : VOTE_JUNK;
}

static void count_votes(struct span text, unsigned votes[VOTES], const char **ret_foreign)
{
    for (unsigned lines = 0; text.len && lines < LINES_MAX; lines++) {
        struct span line = span_until(&text, '\n');
        if (line.len == text.len) {
            struct span cr = span_until(&text, '\r'); /* CR alone, or the cut last line */
            line = cr.len < text.len ? cr : line;
        }
        size_t used = line.len < text.len ? line.len + 1 : line.len;
        text.text += used;
        text.len -= used;
        line.len -= line.len && line.text[line.len - 1] == '\r';
        line = span_trim(&line);
        if (line.len == 0 || is_comment(&line)) {
            continue;
        }
        enum ballot ballot = vote(&line);
        votes[ballot]++;
        if (ballot == VOTE_FOREIGN) {
            *ret_foreign = find_magic(foreign, sizeof(foreign) / sizeof(foreign[0]), &line);
        }
    }
}

/* A format of another server, or 0. */
static int elect_server(const unsigned votes[VOTES], unsigned total)
{
    unsigned bind = votes[VOTE_BIND] ? votes[VOTE_BIND] + votes[VOTE_STATEMENT] : 0;
    unsigned dnscrypt = votes[VOTE_DNSCRYPT] ? votes[VOTE_DNSCRYPT] + votes[VOTE_DOMAINS] : 0;
    if (votes[VOTE_DNSMASQ] * 100 >= total * VOTES_MIN_PERCENT) {
        return FORMAT_DNSMASQ;
    }
    if (votes[VOTE_UNBOUND] * 100 >= total * VOTES_MIN_PERCENT) {
        return FORMAT_UNBOUND;
    }
    if (bind * 100 >= total * VOTES_MIN_PERCENT) {
        return FORMAT_BIND;
    }
    if (votes[VOTE_RPZ] * 100 >= total * VOTES_MIN_PERCENT) {
        return FORMAT_RPZ;
    }
    return dnscrypt * 100 >= total * VOTES_MIN_PERCENT ? FORMAT_DNSCRYPT : 0;
}

static int elect(const unsigned votes[VOTES], const char *what, struct diag *diag)
{
    unsigned total = 0;
    for (unsigned i = 0; i < VOTES; i++) {
        total += votes[i];
    }
    if (total == 0) {
        return diag_set(diag, -EINVAL, "empty: no line holds anything");
    }
    if (votes[VOTE_FOREIGN] * 100 >= total * VOTES_MIN_PERCENT) {
        return diag_set(diag, -EINVAL, "not a supported list: it is %s", what);
    }
    int server = elect_server(votes, total);
    if (server > 0) {
        return server;
    }
    /* bare names stand in Adblock lists too, addresses in lists of names */
    unsigned adblock = votes[VOTE_ADBLOCK] + votes[VOTE_DOMAINS] + votes[VOTE_REGEX];
    unsigned domains = votes[VOTE_DOMAINS] + votes[VOTE_ADDRESS];
    if (votes[VOTE_HOSTS] >= adblock && votes[VOTE_HOSTS] * 100 >= total * VOTES_MIN_PERCENT) {
        return FORMAT_HOSTS;
    }
    if (votes[VOTE_REGEX] * 100 >= total * VOTES_MIN_PERCENT) {
        return FORMAT_REGEX;
    }
    if (adblock == 0 && domains * 100 >= total * VOTES_MIN_PERCENT) {
        return FORMAT_ADDRESSES; /* the last line is cut anywhere */
    }
    if (votes[VOTE_ADBLOCK] * 4 > votes[VOTE_DOMAINS] &&
        adblock * 100 >= total * VOTES_MIN_PERCENT) {
        return FORMAT_ADBLOCK;
    }
    if (domains * 100 >= total * VOTES_MIN_PERCENT) {
        return FORMAT_DOMAINS;
    }
    return diag_set(
        diag, -EINVAL,
        "not a known list format (hosts, domains, adblock, dnsmasq, unbound, bind, dnscrypt, rpz, "
        "ut1, addresses, regex)");
}

int sniff_format(const uint8_t *head, size_t len, struct diag *diag)
{
    unsigned votes[VOTES] = {0};
    const char *what = NULL;
    if (tar_is_archive(head, len)) {
        return FORMAT_UT1;
    }
    int err = sniff_refuse(head, len, diag);
    if (err < 0) {
        return err;
    }
    struct span text = {(const char *)head, len};
    if (span_starts(&text, "\xef\xbb\xbf")) {
        text.text += 3;
        text.len -= 3;
    }
    count_votes(text, votes, &what);
    return elect(votes, what, diag);
}
