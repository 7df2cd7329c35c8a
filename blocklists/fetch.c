// SPDX-License-Identifier: Apache-2.0
#include "blocklists/fetch.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blocklists/unpack.h"

/* What may come over the wire: packed lists are small, plain ones may be large. */
#define PACKED_MAX (64ULL << 20)
enum {
    CONNECT_SECONDS = 20,
    TOTAL_SECONDS = 600,
    SLOW_BYTES = 1024, /* a second, over SLOW_SECONDS, is too slow */
    SLOW_SECONDS = 60,
    REDIRECTS_MAX = 3,
    COPY = 1 << 16,
};

struct transfer {
    const struct fetch_request *request;
    struct fetch_result *result;
    int err; /* why the body was refused */
    bool packed;
};

int fetch_init(void)
{
    signal(SIGPIPE, SIG_IGN); /* a server that hangs up must not end the update */
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -ENOMEM;
}

static int take_bytes(struct transfer *transfer, const uint8_t *data, size_t len)
{
    struct fetch_result *result = transfer->result;
    if (result->bytes == 0 && len >= 4) {
        transfer->packed =
            memcmp(data, "\x1f\x8b", 2) == 0 || memcmp(data, "\x28\xb5\x2f\xfd", 4) == 0;
    }
    result->bytes += len;
    if (result->bytes > (transfer->packed ? PACKED_MAX : UNPACK_BYTES_MAX)) {
        return -EFBIG;
    }
    while (len > 0) {
        ssize_t done = write(transfer->request->fd, data, len);
        if (done < 0 && errno != EINTR) {
            return -errno;
        }
        if (done > 0) {
            data += done;
            len -= (size_t)done;
        }
    }
    if (transfer->request->on_bytes) {
        transfer->request->on_bytes(transfer->request->arg, result->bytes);
    }
    return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    transfer->err = take_bytes(transfer, (const uint8_t *)data, size * count);
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
    struct transfer *transfer = arg;
    size_t len = size * count;
    if (len > 5 && strncmp(line, "HTTP/", 5) == 0) { /* of the last answer only */
        transfer->result->etag[0] = '\0';
        transfer->result->last_modified[0] = '\0';
    }
    keep_header(line, len, "ETag:", transfer->result->etag);
    keep_header(line, len, "Last-Modified:", transfer->result->last_modified);
    return len;
}

static struct curl_slist *request_headers(const struct fetch_request *request)
{
    char line[FETCH_TAG_MAX + 32];
    struct curl_slist *headers = curl_slist_append(NULL, "Accept-Encoding: gzip, zstd");
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

static void set_options(CURL *curl, struct transfer *transfer, struct curl_slist *headers)
{
    const struct fetch_request *request = transfer->request;
    bool plain = strncasecmp(request->url, "http://", 7) == 0;
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, plain ? "http,https" : "https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, plain ? "http,https" : "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "greengate");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TOTAL_SECONDS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
}

static int curl_error(const struct transfer *transfer, CURLcode code, long status,
                      struct diag *diag)
{
    if (transfer->err == -EFBIG) {
        return diag_set(diag, -EFBIG, "larger than %llu MiB",
                        (transfer->packed ? PACKED_MAX : UNPACK_BYTES_MAX) >> 20);
    }
    if (transfer->err < 0) {
        return diag_set(diag, transfer->err, "storing the download: %s", strerror(-transfer->err));
    }
    switch (code) {
    case CURLE_HTTP_RETURNED_ERROR:
        return diag_set(diag, -ENOENT, "the server answered %ld", status);
    case CURLE_OPERATION_TIMEDOUT: return diag_set(diag, -ETIMEDOUT, "too slow or no answer");
    case CURLE_PEER_FAILED_VERIFICATION:
        return diag_set(diag, -EACCES, "the server's certificate is not valid");
    case CURLE_UNSUPPORTED_PROTOCOL:
        return diag_set(diag, -EINVAL, "a redirect to another protocol was refused");
    default: return diag_set(diag, -EIO, "%s", curl_easy_strerror(code));
    }
}

static int fetch_http(struct transfer *transfer, struct diag *diag)
{
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = request_headers(transfer->request);
    if (!curl || !headers) {
        curl_slist_free_all(headers);
        curl_easy_cleanup(curl);
        return -ENOMEM;
    }
    set_options(curl, transfer, headers);
    CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    int err = code == CURLE_OK ? 0 : curl_error(transfer, code, status, diag);
    if (err == 0 && status != 200 && status != 304) {
        err = diag_set(diag, -ENOENT, "the server answered %ld", status);
    }
    transfer->result->unchanged = err == 0 && status == 304;
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return err;
}

static int copy_file(struct transfer *transfer, int fd, struct diag *diag)
{
    uint8_t data[COPY];
    for (;;) {
        ssize_t got = read(fd, data, sizeof(data));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        int err = got < 0 ? -errno : got > 0 ? take_bytes(transfer, data, (size_t)got) : 0;
        if (err == -EFBIG) {
            return diag_set(diag, err, "larger than the limit");
        }
        if (err < 0) {
            return diag_set(diag, err, "%s", strerror(-err));
        }
        if (got == 0) {
            return 0;
        }
    }
}

/* "file:///a%20b" as a path; only the local host. */
static int file_path(const char *url, char *out, size_t cap)
{
    const char *at = url + 7;
    at += strncmp(at, "localhost/", 10) == 0 ? 9 : 0;
    if (*at != '/') {
        return -EINVAL;
    }
    size_t used = 0;
    for (; *at; at++) {
        unsigned octet = (unsigned char)*at;
        if (*at == '%') {
            if (!isxdigit((unsigned char)at[1]) || !isxdigit((unsigned char)at[2]) ||
                sscanf(at + 1, "%2x", &octet) != 1 || octet == 0) {
                return -EINVAL;
            }
            at += 2;
        }
        if (used + 1 == cap) {
            return -ENAMETOOLONG;
        }
        out[used++] = (char)octet;
    }
    out[used] = '\0';
    return 0;
}

static int fetch_file(struct transfer *transfer, struct diag *diag)
{
    char path[4096];
    struct stat st;
    struct fetch_result *result = transfer->result;
    int err = file_path(transfer->request->url, path, sizeof(path));
    if (err < 0) {
        return diag_set(diag, -EINVAL, "file:// needs an absolute path");
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        err = fd < 0 ? -errno : -EINVAL;
        diag_set(diag, err, "%s", fd < 0 ? strerror(-err) : "not a plain file");
        goto out;
    }
    snprintf(result->last_modified, sizeof(result->last_modified), "%lld.%09ld-%lld",
             (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long long)st.st_size);
    if (strcmp(result->last_modified, transfer->request->last_modified) == 0) {
        result->unchanged = true;
        goto out;
    }
    err = copy_file(transfer, fd, diag);
out:
    if (fd >= 0) {
        close(fd);
    }
    return err;
}

int fetch_source(const struct fetch_request *request, struct fetch_result *ret_result,
                 struct diag *diag)
{
    *ret_result = (struct fetch_result){0};
    struct transfer transfer = {.request = request, .result = ret_result};
    if (strncasecmp(request->url, "file://", 7) == 0) {
        return fetch_file(&transfer, diag);
    }
    if (strncasecmp(request->url, "https://", 8) == 0 ||
        (request->insecure && strncasecmp(request->url, "http://", 7) == 0)) {
        return fetch_http(&transfer, diag);
    }
    return diag_set(diag, -EINVAL, "http:// needs insecure: true; else https:// or file://");
}
