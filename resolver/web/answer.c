// SPDX-License-Identifier: Apache-2.0
#include "web/answer.h"

#include <time.h>

static const struct {
    int status;
    const char *phrase;
} phrases[] = {
    {200, "OK"},
    {303, "See Other"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

static const char *phrase_of(int status)
{
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
        if (phrases[i].status == status) {
            return phrases[i].phrase;
        }
    }
    return "";
}

static void add_header(struct text *text, const char *name, const char *value)
{
    if (value) {
        text_printf(text, "%s: %s\r\n", name, value);
    }
}

void answer_write_head(const struct answer *answer, bool close, struct text *text)
{
    char date[64] = "";
    time_t now = time(NULL);
    struct tm tm;
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
    text_printf(text, "HTTP/1.1 %d %s\r\n", answer->status, phrase_of(answer->status));
    add_header(text, "Date", date);
    add_header(text, "Content-Type", answer->type);
    add_header(text, "Content-Language", answer->language);
    add_header(text, "Content-Security-Policy", answer->policy);
    add_header(text, "Location", answer->location);
    add_header(text, "Allow", answer->allow);
    if (answer->retry_s) {
        text_printf(text, "Retry-After: %u\r\n", answer->retry_s);
    }
    add_header(text, "Set-Cookie", answer->cookie);
    add_header(text, "ETag", answer->etag);
    add_header(text, "Content-Encoding", answer->encoding);
    add_header(text, "Cache-Control", answer->etag ? "no-cache" : "no-store");
    text_add(text, "Referrer-Policy: no-referrer\r\n"
                   "X-Content-Type-Options: nosniff\r\n");
    add_header(text, "Vary",
               answer->encoding || answer->etag ? "Accept-Encoding" : "Accept-Language");
    if (!answer->stream) {
        text_printf(text, "Content-Length: %zu\r\n", answer->len);
    }
    text_printf(text, "Connection: %s\r\n\r\n", close ? "close" : "keep-alive");
}
