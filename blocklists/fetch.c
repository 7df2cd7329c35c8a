// SPDX-License-Identifier: Apache-2.0
#include "blocklists/fetch.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "blocklists/proxy.h"
#include "blocklists/transfer.h"

enum {
    CONNECT_SECONDS = 20,
    SLOW_BYTES = 1024, /* a second, over SLOW_SECONDS, is too slow */
    SLOW_SECONDS = 60,
    REDIRECTS_MAX = 3,
    URL_MAX = 2048,
    REST_MAX = 1 << 16, /* of a body that nobody wants */
    X509_EXPIRED = 10,  /* X509_V_ERR_CERT_HAS_EXPIRED */
};

/* One source over HTTP. */
struct journey {
    struct transfer *transfer;
    CURL *curl;
    char url[URL_MAX]; /* asked now */
    bool by_proxy;
    long status;
    size_t rest;                 /* octets of bodies that were dropped */
    uint64_t end_us;             /* by when all must be done */
    char refused[ADDR_TEXT_MAX]; /* an address that must not be connected to */
};

int fetch_init(void)
{
    signal(SIGPIPE, SIG_IGN); /* a server that hangs up must not end the update */
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -ENOMEM;
}

/* Called with the very address that will be connected to: what a name stood for before
 * does not matter. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct journey *journey = arg;
    struct addr addr;
    (void)purpose;
    addr_from_sockaddr(&to->addr, &addr);
    if (!journey->by_proxy && !journey->transfer->request->source->allow_private &&
        !addr_is_public(&addr)) {
        addr.port = 0;
        addr_print(&addr, journey->refused);
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct journey *journey = arg;
    struct transfer *transfer = journey->transfer;
    long status = 0;
    curl_easy_getinfo(journey->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        journey->rest += size * count;
        return journey->rest > REST_MAX ? 0 : size * count;
    }
    transfer->err = transfer_take(transfer, (const uint8_t *)data, size * count);
    return transfer->err < 0 ? 0 : size * count;
}

/* Keep a header's value when it is short and printable. */
static void keep_header(const char *line, size_t len, const char *name, char out[FETCH_TAG_MAX])
{
    size_t start = strlen(name);
    if (len <= start || strncasecmp(line, name, start) != 0) {
        return;
    }
    while (start < len && isspace((unsigned char)line[start])) {
        start++;
    }
    while (len > start && isspace((unsigned char)line[len - 1])) {
        len--;
    }
    if (len - start >= FETCH_TAG_MAX) {
        return;
    }
    for (size_t i = start; i < len; i++) {
        if (line[i] < 0x20 || line[i] > 0x7e) {
            return;
        }
    }
    memcpy(out, line + start, len - start);
    out[len - start] = '\0';
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    const struct journey *journey = arg;
    struct fetch_result *result = journey->transfer->result;
    size_t len = size * count;
    if (len > 5 && strncmp(line, "HTTP/", 5) == 0) { /* of the last answer only */
        result->etag[0] = '\0';
        result->last_modified[0] = '\0';
    }
    keep_header(line, len, "ETag:", result->etag);
    keep_header(line, len, "Last-Modified:", result->last_modified);
    return len;
}

/* What is signed is the file as it lies there: no encoding may change its octets. */
static struct curl_slist *request_headers(const struct fetch_request *request)
{
    char line[FETCH_TAG_MAX + 32];
    bool is_signed = *request->source->public_key;
    struct curl_slist *headers = curl_slist_append(NULL, is_signed ? "Accept-Encoding: identity"
                                                                   : "Accept-Encoding: gzip, zstd");
    if (request->etag[0]) {
        snprintf(line, sizeof(line), "If-None-Match: %s", request->etag);
        headers = curl_slist_append(headers, line);
    }
    if (request->last_modified[0]) {
        snprintf(line, sizeof(line), "If-Modified-Since: %s", request->last_modified);
        headers = curl_slist_append(headers, line);
    }
    return headers;
}

static bool is_plain(const char *url)
{
    return strncasecmp(url, "http://", 7) == 0;
}

static bool is_safe(const char *url)
{
    return strncasecmp(url, "https://", 8) == 0;
}

/* The certificates that the machine trusts, or those the environment names to curl and
 * OpenSSL. */
static void set_trust(CURL *curl)
{
    const char *file = getenv("CURL_CA_BUNDLE");
    file = file && *file ? file : getenv("SSL_CERT_FILE");
    if (file && *file) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, file);
    }
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
}

static void set_options(struct journey *journey, struct curl_slist *headers)
{
    CURL *curl = journey->curl;
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "greengate");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, journey);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, journey);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, journey);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    set_trust(curl);
}

/* The options of one request: its URL, its way there, and the time that is left. */
static int set_hop(struct journey *journey, struct diag *diag)
{
    char proxy[PROXY_MAX];
    CURL *curl = journey->curl;
    const struct config *config = journey->transfer->request->config;
    uint64_t now = clock_mono_us(&clock_system);
    if (now + 1000 > journey->end_us) {
        return diag_set(diag, -ETIMEDOUT, "not done within lists.timeout_s, %lld seconds",
                        (long long)config->lists.timeout_s);
    }
    int err = proxy_choose(config->lists.proxy, journey->url, proxy);
    if (err < 0) {
        return diag_set(diag, -ENOTSUP, "not a URL that can be asked, or its proxy is not");
    }
    journey->by_proxy = *proxy;
    curl_easy_setopt(curl, CURLOPT_URL, journey->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, is_plain(journey->url) ? "http" : "https");
    curl_easy_setopt(curl, CURLOPT_PROXY, proxy);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, ""); /* was asked already */
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)((journey->end_us - now) / 1000));
    return 0;
}

static int explain_certificate(const struct journey *journey, struct diag *diag)
{
    long result = 0;
    curl_easy_getinfo(journey->curl, CURLINFO_SSL_VERIFYRESULT, &result);
    if (result == X509_EXPIRED) {
        return diag_set(diag, -EACCES,
                        "the server's certificate has expired, or this machine's clock is wrong");
    }
    return diag_set(diag, -EACCES,
                    "the server's certificate is not valid: for another name, or signed by nobody "
                    "whom this machine trusts");
}

/* "example.org: Couldn't resolve host name". */
static int explain_host(const struct journey *journey, CURLcode code, struct diag *diag)
{
    int err = code == CURLE_COULDNT_CONNECT ? -ECONNREFUSED : -EIO;
    const char *host = strstr(journey->url, "://");
    host = host ? host + 3 : journey->url;
    return diag_set(diag, err, "%.*s%s: %s", (int)strcspn(host, "/?#"), host,
                    journey->by_proxy ? ", by the proxy" : "", curl_easy_strerror(code));
}

static int explain(const struct journey *journey, CURLcode code, struct diag *diag)
{
    const struct transfer *transfer = journey->transfer;
    if (transfer->err < 0) {
        return transfer_explain(transfer, transfer->err, diag);
    }
    switch (code) {
    case CURLE_HTTP_RETURNED_ERROR:
        return diag_set(diag, -ENOENT, "the server answered %ld", journey->status);
    case CURLE_OPERATION_TIMEDOUT:
        return diag_set(diag, -ETIMEDOUT, "too slow, or no answer within lists.timeout_s");
    case CURLE_PEER_FAILED_VERIFICATION: return explain_certificate(journey, diag);
    case CURLE_WRITE_ERROR: return diag_set(diag, -EIO, "a longer answer than such a one may be");
    case CURLE_COULDNT_CONNECT:
        if (journey->refused[0]) {
            return diag_set(diag, -EACCES,
                            "its address %s is not public; if that server is yours, say "
                            "allow_private: true",
                            journey->refused);
        }
        return explain_host(journey, code, diag);
    default: return explain_host(journey, code, diag);
    }
}

/* Where a redirect leads, into journey->url: never to another protocol, never from
 * https to http. */
static int follow(struct journey *journey, struct diag *diag)
{
    const char *next = NULL;
    curl_easy_getinfo(journey->curl, CURLINFO_REDIRECT_URL, &next);
    if (!next || strlen(next) >= URL_MAX) {
        return diag_set(diag, -EIO, "the server answered %ld, and not where the list is",
                        journey->status);
    }
    if (!is_plain(next) && !is_safe(next)) {
        return diag_set(diag, -EACCES, "a redirect to another protocol than http was refused");
    }
    if (is_safe(journey->url) && is_plain(next)) {
        return diag_set(diag, -EACCES, "a redirect from https:// to http:// was refused");
    }
    snprintf(journey->url, URL_MAX, "%s", next);
    return 0;
}

/* One request and its answer; 1 when a redirect is to be followed. */
static int ask_once(struct journey *journey, struct diag *diag)
{
    curl_off_t wait = 0;
    int err = set_hop(journey, diag);
    if (err < 0) {
        return err;
    }
    CURLcode code = curl_easy_perform(journey->curl);
    curl_easy_getinfo(journey->curl, CURLINFO_RESPONSE_CODE, &journey->status);
    curl_easy_getinfo(journey->curl, CURLINFO_RETRY_AFTER, &wait);
    if (code != CURLE_OK) {
        journey->transfer->result->retry_after_s = wait > 0 ? (int64_t)wait : 0;
        return explain(journey, code, diag);
    }
    if (journey->status == 200 || journey->status == 304) {
        journey->transfer->result->unchanged = journey->status == 304;
        return 0;
    }
    if (journey->status < 301 || journey->status > 308) {
        return diag_set(diag, -ENOENT, "the server answered %ld", journey->status);
    }
    err = follow(journey, diag);
    return err < 0 ? err : 1;
}

static int ask(struct journey *journey, struct diag *diag)
{
    for (unsigned redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
        int err = ask_once(journey, diag);
        if (err <= 0) {
            return err;
        }
    }
    return diag_set(diag, -EIO, "more than %d redirects, or a loop of redirects", REDIRECTS_MAX);
}

static int fetch_http(struct transfer *transfer, struct diag *diag)
{
    const struct fetch_request *request = transfer->request;
    struct curl_slist *headers = request_headers(request);
    struct journey journey = {
        .transfer = transfer,
        .curl = curl_easy_init(),
        .end_us =
            clock_mono_us(&clock_system) + (uint64_t)request->config->lists.timeout_s * 1000000,
    };
    int err = journey.curl && headers ? 0 : -ENOMEM;
    if (err == 0) {
        snprintf(journey.url, URL_MAX, "%s", request->url);
        set_options(&journey, headers);
        err = ask(&journey, diag);
    }
    curl_easy_cleanup(journey.curl);
    curl_slist_free_all(headers);
    return err;
}

int fetch_source(const struct fetch_request *request, struct fetch_result *ret_result,
                 struct diag *diag)
{
    *ret_result = (struct fetch_result){0};
    struct transfer transfer = {.request = request, .result = ret_result};
    bool plain_may = request->source->insecure || *request->source->public_key;
    if (strncasecmp(request->url, "file://", 7) == 0) {
        return transfer_file(&transfer, diag);
    }
    if (is_safe(request->url) || (plain_may && is_plain(request->url))) {
        return fetch_http(&transfer, diag);
    }
    return diag_set(diag, -ENOTSUP,
                    "http:// needs a public_key or insecure: true; else https:// or file://");
}
