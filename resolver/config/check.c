// SPDX-License-Identifier: Apache-2.0
#include "config/check.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/addr.h"
#include "config/member.h"
#include "config/schedule.h"
#include "config/server_url.h"
#include "config/setting.h"

enum {
    ID_MAX = 63,
    CATEGORY_MAX = 31,
    URL_MAX = 1000,
    LABEL_MAX = 63,
    DNAME_MAX = 253,
    DNS_PORT = 53
};

static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
static const char lower_digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool has_control(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return true;
        }
    }
    return false;
}

const char *check_any(const char *text)
{
    return has_control(text) ? "not one line of text" : NULL;
}

const char *check_path(const char *text)
{
    return text[0] == '/' && !has_control(text) ? NULL : "not an absolute path (/...)";
}

const char *check_path_list(const char *text)
{
    for (const char *at = text;; at++) {
        const char *why = check_path(at);
        at += strcspn(at, ":");
        if (why || !*at) {
            return why;
        }
    }
}

const char *check_file(const char *text)
{
    return text[0] ? check_path(text) : NULL;
}

const char *check_socket(const char *text)
{
    struct sockaddr_un sun;
    if (strlen(text) >= sizeof(sun.sun_path)) {
        return "longer than the 107 octets that a socket's path may have";
    }
    return check_path(text);
}

const char *check_address(const char *text)
{
    struct addr addr;
    if (addr_parse_port(text, DNS_PORT, &addr) < 0) {
        return "not an address with a port (192.0.2.1:53, \"[::1]:53\")";
    }
    return addr.port ? NULL : "on port 0, where nobody can ask";
}

const char *check_prefix(const char *text)
{
    struct prefix prefix;
    int err = strchr(text, '%') ? -EINVAL : prefix_parse(text, &prefix);
    if (err == -ERANGE) {
        return "not a subnet: bits are set to the right of its length";
    }
    return err == 0 ? NULL : "not a subnet or address (10.0.0.0/8, \"fd00::/8\", 192.0.2.1)";
}

const char *check_member(const char *text)
{
    struct member member;
    int err = member_parse(text, &member);
    if (err == -ERANGE) {
        return "not a subnet: bits are set to the right of its length";
    }
    return err == 0 ? NULL
                    : "not a subnet, an address, a MAC, host:NAME or id:NAME (10.0.0.0/8, "
                      "\"02:00:00:00:00:01\", host:tablet-anna)";
}

const char *check_client(const char *text)
{
    return strcmp(text, "local") == 0 ? NULL : check_prefix(text);
}

const char *check_upstream(const char *text)
{
    struct server_url url;
    return server_url_parse(text, &url) == 0
               ? NULL
               : "not udp://IP:PORT, tcp://IP:PORT, tls://IP:PORT#NAME, "
                 "tls://IP:PORT#sha256/PIN or system";
}

static bool is_host(const char *text, int family)
{
    struct addr addr;
    return addr_parse(text, &addr) == 0 && addr.family == family && !addr.scope &&
           !addr_is_any(&addr);
}

const char *check_ipv4(const char *text)
{
    return !*text || is_host(text, AF_INET) ? NULL : "not an IPv4 address (192.0.2.1)";
}

const char *check_ipv6(const char *text)
{
    return !*text || is_host(text, AF_INET6) ? NULL : "not an IPv6 address (\"2001:db8::1\")";
}

/* A name as people write it, the last dot allowed. Narrower than what the DNS can
 * carry (RFC 1035 section 5.1): escapes and wildcards do not belong into a setting. */
const char *check_name(const char *text)
{
    static const char wrong[] = "not a domain name (example.org; other scripts in their xn-- form)";
    size_t total = strlen(text);
    total -= total > 1 && text[total - 1] == '.';
    if (total == 0 || total > DNAME_MAX) {
        return wrong;
    }
    for (size_t at = 0; at < total;) {
        size_t len = strspn(text + at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789_-");
        bool ends = at + len == total;
        if (len == 0 || len > LABEL_MAX || (!ends && text[at + len] != '.') ||
            (!ends && at + len + 1 == total)) {
            return wrong;
        }
        at += len + 1;
    }
    return NULL;
}

/* "NAME ADDRESS" */
const char *check_record(const char *text)
{
    char name[DNAME_MAX + 2];
    struct addr addr;
    size_t len = strcspn(text, " ");
    if (len >= sizeof(name)) {
        return "longer than a name can be";
    }
    memcpy(name, text, len);
    name[len] = '\0';
    const char *why = check_name(name);
    bool good = addr_parse(text + len + (text[len] == ' '), &addr) == 0 && !addr.scope;
    return why ? why : good ? NULL : "without an address (192.0.2.1, \"2001:db8::1\")";
}

/* "DOMAIN SERVER SERVER ..." */
const char *check_zone(const char *text)
{
    char word[DNAME_MAX + 64];
    const char *why = NULL;
    unsigned count = 0;
    for (const char *at = text; !why && *at; count++) {
        size_t len = strcspn(at, " ");
        if (len >= sizeof(word)) {
            return "longer than it can be";
        }
        memcpy(word, at, len);
        word[len] = '\0';
        at += len + (at[len] == ' ');
        why = count ? check_upstream(word) : check_name(word);
    }
    return why ? why : count > 1 ? NULL : "without servers";
}

const char *check_id(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-");
    bool starts = *text && strchr(lower_digits, *text);
    if (!starts || text[len] || len > ID_MAX) {
        return "not a short name (at most 63 of a-z 0-9 . _ -, a letter or digit first)";
    }
    return NULL;
}

/* Printable ASCII without blanks; what libcurl or a file system needs behind it is
 * theirs to judge. */
const char *check_url(const char *text)
{
    for (const char *at = text; *at; at++) {
        if (*at <= ' ' || *at > '~') {
            return "not a URL: blanks and letters beyond ASCII must be %-encoded";
        }
    }
    if (strlen(text) > URL_MAX) {
        return "longer than 1000 octets";
    }
    if (has_prefix(text, "file://")) {
        return text[7] == '/' ? NULL : "not file:// and an absolute path (file:///...)";
    }
    bool https = has_prefix(text, "https://");
    const char *host = text + (https ? 8 : 7);
    if ((!https && !has_prefix(text, "http://")) || !*host || strchr("/?#:@", *host)) {
        return "not an https://, http:// or file:// URL";
    }
    return NULL;
}

const char *check_page_url(const char *text)
{
    if (!*text) {
        return NULL;
    }
    bool good = has_prefix(text, "https://") && strlen(text) > 8 && strlen(text) <= 200 &&
                !has_control(text) && !strpbrk(text, " \"<>");
    return good ? NULL : "not the https:// address of a page, at most 200 octets";
}

const char *check_category(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
    bool starts = *text && strchr(lower, *text);
    if (!starts || text[len] || len > CATEGORY_MAX || strcmp(text, "all") == 0) {
        return "not the name of a category (adult, self-harm)";
    }
    return NULL;
}

const char *check_country(const char *text)
{
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (strlen(text) != 2 || strspn(text, capitals) != 2) {
        return "not a country by its two letters of ISO 3166 (KR, DE)";
    }
    return strcmp(text, "UK") == 0 ? "not in ISO 3166: the United Kingdom is GB" : NULL;
}

const char *check_network(const char *text)
{
    char *end = NULL;
    bool number = strncmp(text, "AS", 2) == 0 && text[2] >= '1' && text[2] <= '9';
    unsigned long long value = number ? strtoull(text + 2, &end, 10) : 0;
    return number && !*end && value <= UINT32_MAX ? NULL : "not a network by number (AS64500)";
}

/* The shapes of BCP 47 that pages use: ko, pt-BR, zh-Hant. */
const char *check_language(const char *text)
{
    size_t len = strspn(text, lower);
    if ((len == 2 || len == 3) && text[len] == '-') {
        size_t part = 0;
        const char *rest = text + len + 1;
        while (strchr(lower_digits, rest[part] | 0x20) && rest[part]) {
            part++;
        }
        len = part >= 2 && part <= 8 ? len + 1 + part : 0;
    }
    return len >= 2 && !text[len] && (len <= 3 || strchr(text, '-'))
               ? NULL
               : "not a language tag (ko, en, zh-Hant)";
}

const char *check_window(const char *text)
{
    char from[6] = "", to[6] = "";
    size_t len = strcspn(text, "-"), rest = text[len] ? strcspn(text + len + 1, " ") : 0;
    if (!*text) {
        return NULL;
    }
    if (len < sizeof(from) && rest < sizeof(to)) {
        memcpy(from, text, len);
        memcpy(to, text + len + (rest > 0), rest);
    }
    const char *zone = text + len + (rest > 0) + rest;
    if (schedule_time(from) < 0 || schedule_time(to) < 0 || (*zone && strcmp(zone, " UTC") != 0)) {
        return "not a span of the day (19:00-07:00, or \"19:00-07:00 UTC\")";
    }
    return schedule_time(from) == schedule_time(to) ? "empty: it begins when it ends" : NULL;
}

const char *check_proxy(const char *text)
{
    static const char *const schemes[] = {"http://", "https://", "socks5://", "socks5h://"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t len = strlen(schemes[i]);
        bool named = strncmp(text, schemes[i], len) == 0;
        if (named && text[len] && !strchr("/?#:@", text[len]) && !strpbrk(text, " \t\r\n")) {
            return has_control(text) ? "not one line of text" : NULL;
        }
    }
    return *text ? "not http://HOST:PORT, https://HOST:PORT or socks5h://HOST:PORT" : NULL;
}

const char *check_folder(const char *text)
{
    return *text ? check_path(text) : NULL;
}

/* 42 octets in base64, the first two of them "Ed"; the rest is for who verifies. */
const char *check_public_key(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/");
    bool fits = !*text || (len == 56 && !text[len] && has_prefix(text, "RW"));
    return fits ? NULL : "not a minisign public key (56 characters, RW first)";
}

/* "CATEGORY MODE" */
const char *check_category_mode(const char *text)
{
    char category[CATEGORY_MAX + 1];
    size_t len = strcspn(text, " ");
    if (len >= sizeof(category)) {
        return "longer than the name of a category";
    }
    memcpy(category, text, len);
    category[len] = '\0';
    const char *why = check_category(category);
    bool known = text[len] && setting_find_word("block_mode", text + len + 1) >= 0;
    return why ? why : known ? NULL : "without a mode (page, nxdomain, nodata, zero, refused)";
}
