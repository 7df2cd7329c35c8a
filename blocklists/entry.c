// SPDX-License-Identifier: Apache-2.0
#include "blocklists/entry.h"

#include <idn2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"

enum { LABEL_MAX = 63, IDN_TEXT_MAX = 512 };

/* What an octet of a token means: the folded octet of a name, or one of these. */
enum { DOT = 1, HIGH = 2 }; /* 0: not in a name */

/* clang-format off */
static const uint8_t octet_class[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '-', DOT, 0,
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 0, 0, 0, 0, 0, 0,
    0, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 0, 0, 0, 0, '_',
    0, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 0, 0, 0, 0, 0,
    [128 ... 255] = HIGH,
};
/* clang-format on */

static bool close_label(struct dname *name, size_t start, size_t end)
{
    size_t len = end - start - 1;
    if (len == 0 || len > LABEL_MAX || name->labels == DNAME_LABELS_MAX) {
        return false;
    }
    name->wire[start] = (uint8_t)len;
    name->offset[name->labels++] = (uint8_t)start;
    return true;
}

/* The plain case in one pass: octet i goes to wire[i + 1], behind a length to be filled
 * in. *ret_high is set when the token holds octets over 0x7f. */
static bool read_name(const char *text, size_t len, struct dname *name, bool *ret_high)
{
    const size_t room = len < DNAME_WIRE_MAX - 2 ? len : DNAME_WIRE_MAX - 2;
    size_t start = 0; /* of the label being read, at its length octet */
    size_t i = 0;
    name->labels = 0;
    for (; i < room; i++) {
        uint8_t class = octet_class[(uint8_t)text[i]];
        name->wire[i + 1] = class;
        if (class > HIGH) {
            continue;
        }
        if (class != DOT || !close_label(name, start, i + 1)) {
            break;
        }
        start = i + 1;
    }
    *ret_high = i < len && octet_class[(uint8_t)text[i]] == HIGH;
    if (i < len || !close_label(name, start, i + 1)) {
        return false;
    }
    name->wire[i + 1] = 0;
    name->len = (uint8_t)(i + 2);
    return true;
}

bool entry_is_address(const char *text, size_t len)
{
    char copy[ADDR_TEXT_MAX];
    struct addr addr;
    const char *slash = memchr(text, '/', len);
    if (slash) {
        size_t bits = len - (size_t)(slash - text) - 1;
        for (size_t i = 1; i <= bits; i++) {
            if (bits > 3 || slash[i] < '0' || slash[i] > '9') {
                return false;
            }
        }
        len = bits ? (size_t)(slash - text) : 0;
    }
    const char *zone = memchr(text, '%', len);
    len = zone ? (size_t)(zone - text) : len;
    if (len == 0 || len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    return addr_parse(copy, &addr) == 0;
}

static bool is_local(const char *text, size_t len)
{
    static const char *const names[] = {
        "localhost",
        "localhost.localdomain",
        "localhost4",
        "localhost6",
        "local",
        "localdomain",
        "broadcasthost",
        "ip6-localhost",
        "ip6-loopback",
        "ip6-localnet",
        "ip6-allnodes",
        "ip6-mcastprefix",
        "ip6-allrouters",
        "ip6-allhosts",
        "localhost4.localdomain4",
        "localhost6.localdomain6",
    };
    if (!memchr("lLbBiI", text[0], 6)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == len && strncasecmp(names[i], text, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool label_is_numeric(const struct dname *name, unsigned label)
{
    const uint8_t *at = name->wire + name->offset[label];
    for (unsigned i = 1; i <= *at; i++) {
        if (at[i] < '0' || at[i] > '9') {
            return false;
        }
    }
    return true;
}

/* Why a token that is not plain is no name. */
static enum skip_reason name_fault(const char *text, size_t len)
{
    if (entry_is_address(text, len)) {
        return SKIP_ADDRESS;
    }
    if (memchr(text, '/', len) || memchr(text, '?', len)) {
        return SKIP_PATH;
    }
    if (memchr(text, '*', len)) {
        return SKIP_WILDCARD;
    }
    const char *colon = memchr(text, ':', len);
    if (colon && colon > text) {
        size_t digits = 0;
        size_t rest = len - (size_t)(colon - text) - 1;
        while (digits < rest && colon[1 + digits] >= '0' && colon[1 + digits] <= '9') {
            digits++;
        }
        return rest && digits == rest ? SKIP_PORT : SKIP_NAME;
    }
    return SKIP_NAME;
}

static enum skip_reason read_idn(const char *text, size_t len, struct dname *ret_name)
{
    char copy[IDN_TEXT_MAX];
    char *ascii = NULL;
    bool high;
    if (len >= sizeof(copy) || memchr(text, 0, len)) {
        return SKIP_IDN;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (idn2_to_ascii_8z(copy, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK) {
        return SKIP_IDN;
    }
    size_t ascii_len = strlen(ascii);
    bool ok = read_name(ascii, ascii_len, ret_name, &high);
    idn2_free(ascii);
    return ok ? SKIP_NONE : SKIP_IDN;
}

enum skip_reason entry_parse(const char *text, size_t len, struct dname *ret_name)
{
    bool high;
    if (len > 1 && text[len - 1] == '.') {
        len--;
    }
    if (len == 0 || len > LABEL_MAX * 16) {
        return SKIP_NAME;
    }
    if (!read_name(text, len, ret_name, &high)) {
        enum skip_reason fault = name_fault(text, len);
        return high && fault == SKIP_NAME ? read_idn(text, len, ret_name) : fault;
    }
    if (label_is_numeric(ret_name, ret_name->labels - 1U)) {
        return entry_is_address(text, len) ? SKIP_ADDRESS : SKIP_NAME;
    }
    return is_local(text, len) ? SKIP_LOCAL : SKIP_NONE;
}

const char *entry_print_unicode(const struct dname *name, char out[ENTRY_UNICODE_MAX])
{
    char ascii[DNAME_TEXT_MAX];
    char *text = NULL;
    dname_print(name, ascii);
    bool shown = idn2_to_unicode_8z8z(ascii, &text, 0) == IDN2_OK;
    int len = snprintf(out, ENTRY_UNICODE_MAX, "%s", shown ? text : ascii);
    if (len >= ENTRY_UNICODE_MAX) {
        snprintf(out, ENTRY_UNICODE_MAX, "%.*s", ENTRY_UNICODE_MAX - 1, ascii);
    }
    idn2_free(text);
    return out;
}
