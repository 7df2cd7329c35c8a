// SPDX-License-Identifier: Apache-2.0
#include "blocklists/rdata.h"

#include <errno.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MAX_OCTETS = 3000, HEAD = 8 }; /* type, TTL, RDLENGTH */

static bool is_known(const struct span *type)
{
    static const char *const types[] = {"A",   "AAAA", "CNAME", "TXT",  "MX",    "SRV",
                                        "PTR", "CAA",  "NAPTR", "TLSA", "SSHFP", "HINFO"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (type->len == strlen(types[i]) && strncasecmp(type->text, types[i], type->len) == 0) {
            return true;
        }
    }
    return false;
}

/* ldns is not meant for what is no text at all. */
static bool is_text(const struct span *span)
{
    for (size_t i = 0; i < span->len; i++) {
        char c = span->text[i];
        if ((c < 0x20 && c != '\t') || c >= 0x7f) {
            return false;
        }
    }
    return span->len > 0;
}

static int write_record(const ldns_rr *rr, uint8_t *record)
{
    ldns_buffer *buffer = ldns_buffer_new(LDNS_MIN_BUFLEN);
    if (!buffer) {
        return -ENOMEM;
    }
    int len = -EINVAL;
    bool ok = ldns_rr_rdata2buffer_wire(buffer, rr) == LDNS_STATUS_OK;
    size_t size = ok ? ldns_buffer_position(buffer) : 0;
    if (size > 0 && size <= RDATA_RECORD_MAX - HEAD) {
        ldns_write_uint16(record, (uint16_t)ldns_rr_get_type(rr));
        ldns_write_uint32(record + 2, ldns_rr_ttl(rr));
        ldns_write_uint16(record + 6, (uint16_t)size);
        memcpy(record + HEAD, ldns_buffer_begin(buffer), size);
        len = (int)size + HEAD;
    }
    ldns_buffer_free(buffer);
    return len;
}

int rdata_read(const struct rdata_text *text, uint8_t record[RDATA_RECORD_MAX])
{
    char line[LINE_MAX_OCTETS + 64];
    char origin[1100];
    if (!is_known(&text->type)) {
        return -EPROTONOSUPPORT;
    }
    if (!is_text(&text->data) || text->data.len > LINE_MAX_OCTETS || text->origin.len > 1024) {
        return -EINVAL;
    }
    snprintf(line, sizeof(line), "x. %u IN %.*s %.*s", text->ttl, (int)text->type.len,
             text->type.text, (int)text->data.len, text->data.text);
    snprintf(origin, sizeof(origin), "%.*s.", (int)text->origin.len, text->origin.text);
    ldns_rdf *base = ldns_dname_new_frm_str(origin);
    ldns_rr *rr = NULL;
    int len = -EINVAL;
    if (base && ldns_rr_new_frm_str(&rr, line, text->ttl, base, NULL) == LDNS_STATUS_OK) {
        len = write_record(rr, record);
    }
    ldns_rr_free(rr);
    ldns_rdf_deep_free(base);
    return len;
}
