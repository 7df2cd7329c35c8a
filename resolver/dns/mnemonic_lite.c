// SPDX-License-Identifier: Apache-2.0
/* Names of types for builds without ldns (make LITE=1): those that people ask for; others as
 * TYPE257 (RFC 3597 section 5). */
#include "dns/rr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text;
    uint16_t type;
} names[] = {
    {"A", TYPE_A},       {"NS", TYPE_NS},           {"CNAME", TYPE_CNAME},
    {"SOA", TYPE_SOA},   {"PTR", TYPE_PTR},         {"HINFO", TYPE_HINFO},
    {"MX", TYPE_MX},     {"TXT", TYPE_TXT},         {"AAAA", TYPE_AAAA},
    {"LOC", 29},         {"SRV", TYPE_SRV},         {"NAPTR", TYPE_NAPTR},
    {"KX", TYPE_KX},     {"DNAME", TYPE_DNAME},     {"DS", TYPE_DS},
    {"SSHFP", 44},       {"RRSIG", TYPE_RRSIG},     {"NSEC", TYPE_NSEC},
    {"DNSKEY", 48},      {"NSEC3", TYPE_NSEC3},     {"TLSA", 52},
    {"SVCB", TYPE_SVCB}, {"HTTPS", TYPE_HTTPS},     {"SPF", 99},
    {"ANY", TYPE_ANY},   {"RESINFO", TYPE_RESINFO}, {"CAA", 257},
};

const char *type_print(uint16_t type, char out[16])
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].type == type) {
            snprintf(out, 16, "%s", names[i].text);
            return out;
        }
    }
    snprintf(out, 16, "TYPE%u", type);
    return out;
}

int type_parse(const char *text, uint16_t *ret_type)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(text, names[i].text) == 0) {
            *ret_type = names[i].type;
            return 0;
        }
    }
    size_t digits = strncasecmp(text, "TYPE", 4) == 0 ? strspn(text + 4, "0123456789") : 0;
    unsigned long number =
        digits > 0 && digits <= 5 && !text[4 + digits] ? strtoul(text + 4, NULL, 10) : 0;
    if (number == 0 || number > UINT16_MAX) {
        return -EINVAL;
    }
    *ret_type = (uint16_t)number;
    return 0;
}
