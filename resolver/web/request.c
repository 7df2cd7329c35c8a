// SPDX-License-Identifier: Apache-2.0
#include "web/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "dns/name.h"

static bool is_port(const char *text, size_t len)
{
    if (len > 5) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return true;
}

static int set_address(struct request *request, const char *text)
{
    struct addr addr;
    char print[ADDR_TEXT_MAX];
    if (addr_parse(text, &addr) < 0) {
        return -EINVAL;
    }
    addr.scope = 0;
    snprintf(request->host, sizeof(request->host), "%s", addr_print(&addr, print));
    request->host_kind = HOST_ADDRESS;
    return 0;
}

/* "[::1]" or "[::1]:80". */
static int set_bracketed(struct request *request, const char *text, size_t len)
{
    char inner[64];
    const char *end = memchr(text, ']', len);
    size_t size = end ? (size_t)(end - text) - 1 : 0;
    if (!end || size >= sizeof(inner)) {
        return -EINVAL;
    }
    size_t rest = len - size - 2;
    if (rest && (end[1] != ':' || !is_port(end + 2, rest - 1))) {
        return -EINVAL;
    }
    memcpy(inner, text + 1, size);
    inner[size] = '\0';
    return strchr(inner, ':') ? set_address(request, inner) : -EINVAL;
}

static bool is_host_octet(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

/* Browsers take NAME.localhost to this machine without DNS (RFC 6761 section 6.3), so
 * that the page of NAME can be seen where DNS does not lead here yet. */
static bool drop_localhost(char *host)
{
    static const char suffix[] = ".localhost";
    size_t len = strlen(host), tail = sizeof(suffix) - 1;
    bool local = len > tail && strcmp(host + len - tail, suffix) == 0;
    if (local) {
        host[len - tail] = '\0';
    }
    return local;
}

int request_set_host(struct request *request, const char *text, size_t len)
{
    struct dname name;
    request->host[0] = '\0';
    request->host_kind = HOST_NONE;
    request->local = false;
    if (len == 0) {
        return 0;
    }
    if (text[0] == '[') {
        return set_bracketed(request, text, len);
    }
    const char *colon = memchr(text, ':', len);
    size_t size = colon ? (size_t)(colon - text) : len;
    if (colon && !is_port(colon + 1, len - size - 1)) {
        return -EINVAL;
    }
    for (size_t i = 0; i < size; i++) {
        if (!is_host_octet(text[i])) {
            return -EINVAL;
        }
    }
    if (size == 0 || size >= sizeof(request->host) || dname_parse_len(text, size, &name) < 0 ||
        name.labels == 0) {
        return -EINVAL;
    }
    size -= text[size - 1] == '.';
    for (size_t i = 0; i < size; i++) {
        request->host[i] = (char)octet_fold((uint8_t)text[i]);
    }
    request->host[size] = '\0';
    request->local = drop_localhost(request->host);
    request->host_kind = HOST_NAME;
    if (set_address(request, request->host) < 0) {
        request->host_kind = HOST_NAME;
    }
    return 0;
}

/* The media range is among those of an Accept header, with any weight but 0. */
static bool accepts(const char *accept, const char *range)
{
    size_t len = strlen(range);
    for (const char *at = accept; *at; at += strcspn(at, ","), at += strspn(at, ",")) {
        at += strspn(at, " \t");
        size_t type = strcspn(at, ",; \t");
        if (type == len && strncasecmp(at, range, len) == 0) {
            const char *end = at + strcspn(at, ",");
            const char *q = strstr(at, "q=0");
            return !q || q > end || q[3] == '.';
        }
    }
    return false;
}

bool request_wants_page(const struct request *request)
{
    static const char *const documents[] = {"document", "iframe", "frame", "fencedframe"};
    if (request->fetch_dest[0]) {
        for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
            if (strcasecmp(request->fetch_dest, documents[i]) == 0) {
                return true;
            }
        }
        return false;
    }
    if (accepts(request->accept, "text/html") || accepts(request->accept, "text/*")) {
        return true;
    }
    /* Browsers send no Sec-Fetch-Dest over plain http. Their scripts and pictures say
     * who embeds them; curl and wget, which a person uses, do not. */
    bool anything = !request->accept[0] || strcmp(request->accept, "*/*") == 0;
    return anything && !request->embedded;
}
