// SPDX-License-Identifier: Apache-2.0
#include "blocklists/rewrite.h"

#include <string.h>

#include "blocklists/entry.h"

enum { REWRITE_TTL = 300 };

/* "RCODE;TYPE;VALUE"; the short forms are an RCODE, an address or a name alone. */
struct rewrite {
    struct span rcode, type, value;
};

static struct span cut_field(struct span *rest)
{
    struct span field = span_until(rest, ';');
    size_t used = field.len < rest->len ? field.len + 1 : field.len;
    rest->text += used;
    rest->len -= used;
    return span_trim(&field);
}

static bool is_rcode(const struct span *word)
{
    return span_is(word, "NOERROR") || span_is(word, "NXDOMAIN") || span_is(word, "REFUSED") ||
           span_is(word, "SERVFAIL");
}

static struct rewrite split(const struct span *value)
{
    static const struct span noerror = {"NOERROR", 7};
    struct span rest = *value;
    struct rewrite out = {.rcode = cut_field(&rest)};
    if (rest.len == 0 && !is_rcode(&out.rcode)) {
        bool v6 = memchr(value->text, ':', value->len) != NULL;
        bool address = entry_is_address(value->text, value->len);
        const char *type = !address ? "CNAME" : v6 ? "AAAA" : "A";
        return (struct rewrite){noerror, {type, strlen(type)}, *value};
    }
    out.type = cut_field(&rest);
    out.value = span_trim(&rest);
    return out;
}

static enum skip_reason read_local(const struct line_sink *sink, const struct rewrite *rewrite,
                                   struct sink_rule *rule, uint8_t record[RDATA_RECORD_MAX])
{
    struct rdata_text text = {rewrite->type, rewrite->value, {"", 0}, REWRITE_TTL};
    int len = rdata_read(&text, record);
    if (len < 0) {
        return SKIP_MODIFIER;
    }
    if (!sink->local_data) {
        return SKIP_MAPPING;
    }
    rule->action = BLOCKDB_LOCAL;
    rule->data = (struct span){(const char *)record, (size_t)len};
    return SKIP_NONE;
}

enum skip_reason rewrite_read(const struct line_sink *sink, const struct span *modifier,
                              struct sink_rule *rule, uint8_t record[RDATA_RECORD_MAX])
{
    struct span value = {modifier->text, modifier->len};
    if (!span_starts(modifier, "dnsrewrite=") || modifier->len == 11) {
        return SKIP_MODIFIER;
    }
    value.text += 11;
    value.len -= 11;
    struct rewrite rewrite = split(&value);
    if (span_is(&rewrite.rcode, "NXDOMAIN")) {
        rule->action = BLOCKDB_NXDOMAIN;
    } else if (span_is(&rewrite.rcode, "REFUSED")) {
        rule->action = BLOCKDB_BLOCK; /* as the group answers blocks */
    } else if (!span_is(&rewrite.rcode, "NOERROR")) {
        return SKIP_MODIFIER;
    } else if (rewrite.type.len == 0) {
        rule->action = BLOCKDB_NODATA;
    } else if (hosts_is_sink(&rewrite.value)) {
        rule->action = BLOCKDB_BLOCK;
    } else {
        return read_local(sink, &rewrite, rule, record);
    }
    return SKIP_NONE;
}
