// SPDX-License-Identifier: Apache-2.0
#include "blocklists/proxy.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"

enum { WORD_MAX = 256 };

/* The lower-case variable first, as curl; HTTP_PROXY is left out: a CGI's client can set
 * that one. */
static const char *from_environment(const char *scheme)
{
    static const char *const plain[] = {"http_proxy", "all_proxy", "ALL_PROXY"};
    static const char *const safe[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    bool is_plain = strcmp(scheme, "http") == 0;
    size_t count = is_plain ? 3 : 4;
    for (size_t i = 0; i < count; i++) {
        const char *value = getenv(is_plain ? plain[i] : safe[i]);
        if (value && *value) {
            return value;
        }
    }
    return "";
}

/* "*", a domain with all below it, an address or a subnet. */
static bool word_matches(const char *word, const char *host)
{
    struct prefix prefix;
    struct addr addr;
    if (strcmp(word, "*") == 0) {
        return true;
    }
    if (addr_parse(host, &addr) == 0) {
        return prefix_parse(word, &prefix) == 0 && prefix_covers(&prefix, &addr);
    }
    word += *word == '.';
    size_t len = strlen(word);
    size_t room = strlen(host);
    return len > 0 && len <= room && strcasecmp(host + room - len, word) == 0 &&
           (len == room || host[room - len - 1] == '.');
}

static bool is_excepted(const char *host)
{
    const char *list = getenv("no_proxy");
    list = list ? list : getenv("NO_PROXY");
    for (const char *at = list ? list : ""; *at;) {
        char word[WORD_MAX];
        size_t len = strcspn(at, ", ");
        snprintf(word, sizeof(word), "%.*s", (int)(len < WORD_MAX ? len : 0), at);
        if (word_matches(word, host)) {
            return true;
        }
        at += len;
        at += strspn(at, ", ");
    }
    return false;
}

/* The host without the brackets of an IPv6 address and without a last dot. */
static void bare_host(char *host)
{
    size_t len = strlen(host);
    if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
        memmove(host, host + 1, len - 2);
        len -= 2;
    } else {
        len -= len > 1 && host[len - 1] == '.';
    }
    host[len] = '\0';
}

int proxy_choose(const char *setting, const char *url, char out[PROXY_MAX])
{
    CURLU *parts = curl_url();
    char *host = NULL;
    char *scheme = NULL;
    int err = -EINVAL;
    if (!parts || curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK) {
        goto out;
    }
    bare_host(host);
    const char *proxy = *setting ? setting : is_excepted(host) ? "" : from_environment(scheme);
    err = strlen(proxy) < PROXY_MAX ? 0 : -ENAMETOOLONG;
    if (err == 0) {
        snprintf(out, PROXY_MAX, "%s", proxy);
    }
out:
    curl_free(host);
    curl_free(scheme);
    curl_url_cleanup(parts);
    return err;
}
