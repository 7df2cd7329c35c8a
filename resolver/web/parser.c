// SPDX-License-Identifier: Apache-2.0
#include "web/parser.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADER_MARKS = 4 /* ": " and CRLF */ };

/* The headers that we look at. Without a place only their presence is noted, by the
 * flag; all others are counted and forgotten. */
struct wanted {
    const char *name;
    size_t place, cap; /* of a text in the struct; cap 0: none */
    size_t flag;       /* of a bool in it; 0: none */
};
static const struct wanted wanted[] = {
#define PLACE(field) offsetof(struct parser, field), sizeof(((struct parser *)0)->field)
    {"host", PLACE(host), 0},
    {"accept", PLACE(request.accept), 0},
    {"accept-language", PLACE(request.accept_language), 0},
    {"sec-fetch-dest", PLACE(request.fetch_dest), 0},
    {"referer", 0, 0, offsetof(struct parser, request.embedded)},
    {"origin", 0, 0, offsetof(struct parser, request.embedded)},
    {"content-length", 0, 0, offsetof(struct parser, has_length)},
    {"transfer-encoding", 0, 0, offsetof(struct parser, has_encoding)},
    {"expect", 0, 0, offsetof(struct parser, expects)},
#undef PLACE
};
/* And those of struct request_own. */
static const struct wanted wanted_of_own[] = {
#define PLACE(field)                                                                               \
    offsetof(struct request_own, field), sizeof(((struct request_own *)0)->field), 0
    {"cookie", PLACE(cookie)},
    {"authorization", PLACE(authorization)},
    {"origin", PLACE(origin)},
    {"x-csrf-token", PLACE(csrf)},
    {"content-type", PLACE(content_type)},
    {"if-none-match", PLACE(if_none_match)},
    {"accept-encoding", PLACE(accept_encoding)},
#undef PLACE
};
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The status to answer, and llhttp's sign to stop. */
static int refuse(struct parser *parser, int status)
{
    parser->status = status;
    return HPE_USER;
}

static int message_begins(llhttp_t *http)
{
    struct parser *parser = http->data;
    parser->phase = PARSER_HEADERS;
    return 0;
}

static int url_piece(llhttp_t *http, const char *at, size_t len)
{
    struct parser *parser = http->data;
    if (parser->url_len < sizeof(parser->url)) {
        size_t room = sizeof(parser->url) - parser->url_len;
        memcpy(parser->url + parser->url_len, at, len < room ? len : room);
    }
    parser->url_len += len;
    return parser->url_len > PARSER_URL_MAX ? refuse(parser, 414) : 0;
}

static int count_header(struct parser *parser, size_t len)
{
    parser->header_octets += len;
    return parser->header_octets > PARSER_HEADERS_MAX ? refuse(parser, 431) : 0;
}

static int name_piece(llhttp_t *http, const char *at, size_t len)
{
    struct parser *parser = http->data;
    for (size_t i = 0; i < len && parser->name_len < sizeof(parser->name); i++) {
        parser->name[parser->name_len++] = at[i];
    }
    return count_header(parser, len);
}

static const struct wanted *find_wanted(const struct parser *parser, const struct wanted *rows,
                                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(rows[i].name) == parser->name_len &&
            strncasecmp(rows[i].name, parser->name, parser->name_len) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

/* The value that comes is added behind what an earlier header of the same name had. */
static void take_value_at(struct parser *parser, void *object, const struct wanted *row)
{
    parser->value = (char *)object + row->place;
    parser->value_cap = (uint16_t)row->cap;
    parser->value_len = (uint16_t)strlen(parser->value);
}

static int name_complete(llhttp_t *http)
{
    struct parser *parser = http->data;
    const struct wanted *row = find_wanted(parser, wanted, COUNT(wanted));
    parser->value = NULL;
    if (row && row->flag) {
        *(bool *)((char *)parser + row->flag) = true;
    }
    if (row && row->cap) {
        take_value_at(parser, parser, row);
        parser->hosts += row == wanted;
    }
    row = parser->own ? find_wanted(parser, wanted_of_own, COUNT(wanted_of_own)) : NULL;
    if (row) {
        take_value_at(parser, parser->own, row);
    }
    parser->name_len = 0;
    return count_header(parser, HEADER_MARKS);
}

static int value_piece(llhttp_t *http, const char *at, size_t len)
{
    struct parser *parser = http->data;
    if (parser->value && len < (size_t)(parser->value_cap - parser->value_len)) {
        memcpy(parser->value + parser->value_len, at, len);
        parser->value_len = (uint16_t)(parser->value_len + len);
        parser->value[parser->value_len] = '\0';
    } else if (parser->value) {
        parser->value[0] = '\0'; /* as if it had not been sent */
        parser->value_len = 0;
        parser->value = NULL;
    }
    return count_header(parser, len);
}

static int value_complete(llhttp_t *http)
{
    struct parser *parser = http->data;
    while (parser->value && parser->value_len &&
           strchr(" \t", parser->value[parser->value_len - 1])) {
        parser->value[--parser->value_len] = '\0';
    }
    return 0;
}

/* "http://name/path": the name there counts, not the Host header (RFC 9112 3.2.2). */
static int take_absolute(struct parser *parser, const char **path)
{
    const char *mark = strstr(parser->url, "://");
    size_t scheme = mark ? (size_t)(mark - parser->url) : 0;
    bool http = scheme == 4 && strncasecmp(parser->url, "http", 4) == 0;
    bool https = scheme == 5 && strncasecmp(parser->url, "https", 5) == 0;
    if (!http && !https) {
        return -1;
    }
    const char *name = mark + 3;
    size_t len = strcspn(name, "/?#");
    *path = name + len;
    return len == 0 ? -1 : request_set_host(&parser->request, name, len);
}

/* What only our own pages look at; an address that does not fit is none of ours. */
static int take_own(struct parser *parser, const char *rest)
{
    struct request_own *own = parser->own;
    size_t len = *rest == '?' ? strcspn(rest + 1, "#") : 0;
    if (parser->url_len >= sizeof(parser->url) || len >= sizeof(own->query)) {
        return refuse(parser, 414);
    }
    memcpy(own->query, rest + (len > 0), len);
    own->query[len] = '\0';
    memcpy(own->authority, parser->host, sizeof(own->authority));
    return 0;
}

/* Host and path out of what was sent; a refusal or 0. */
static int take_target(struct parser *parser)
{
    struct request *request = &parser->request;
    parser->url[parser->url_len < sizeof(parser->url) ? parser->url_len : sizeof(parser->url) - 1] =
        '\0';
    const char *path = parser->url;
    if (parser->hosts > 1 || (parser->hosts == 0 && parser->http.http_minor == 1) ||
        (parser->hosts == 1 && !parser->host[0])) {
        return refuse(parser, 400);
    }
    if (request_set_host(request, parser->host, strlen(parser->host)) < 0) {
        return refuse(parser, 400);
    }
    bool star = strcmp(path, "*") == 0 && parser->http.method == HTTP_OPTIONS;
    if (*path != '/' && !star && take_absolute(parser, &path) < 0) {
        return refuse(parser, 400);
    }
    size_t len = strcspn(path, "?#");
    len = len < sizeof(request->path) ? len : sizeof(request->path) - 1;
    memcpy(request->path, len ? path : "/", len ? len : 1);
    request->path[len ? len : 1] = '\0';
    return parser->own ? take_own(parser, path + strcspn(path, "?#")) : 0;
}

static int headers_complete(llhttp_t *http)
{
    struct parser *parser = http->data;
    struct request *request = &parser->request;
    if (http->http_major != 1 || http->http_minor > 1) {
        return refuse(parser, 505);
    }
    if (http->method == HTTP_CONNECT || http->method == HTTP_TRACE) {
        return refuse(parser, 405);
    }
    if (parser->has_encoding && (parser->has_length || http->http_minor == 0)) {
        return refuse(parser, 400); /* two readers could see two messages */
    }
    if (take_target(parser) != 0) {
        return HPE_USER;
    }
    request->method = http->method == HTTP_GET    ? REQUEST_GET
                      : http->method == HTTP_HEAD ? REQUEST_HEAD
                      : http->method == HTTP_POST ? REQUEST_POST
                                                  : REQUEST_OTHER;
    request->close = request->method >= REQUEST_POST || http->upgrade || parser->expects ||
                     !llhttp_should_keep_alive(http);
    if (parser->own && parser->expects) {
        return refuse(parser, 417); /* else the body would not come, and that look like a wish */
    }
    if (parser->has_length && http->content_length > parser->body_max) {
        return refuse(parser, 413);
    }
    parser->phase = PARSER_BODY;
    if (request->method == REQUEST_POST &&
        (parser->own || strcmp(request->path, REQUEST_FORM_PATH) == 0)) {
        parser->body = malloc(parser->body_max); /* without memory the form comes empty */
    }
    request->body = parser->body;
    request->own = parser->own;
    return parser->expects; /* 1: answer at once, the body is not waited for */
}

static int body_piece(llhttp_t *http, const char *at, size_t len)
{
    struct parser *parser = http->data;
    if (parser->body_octets + len > parser->body_max) {
        return refuse(parser, 413);
    }
    if (parser->body) {
        memcpy(parser->body + parser->body_octets, at, len);
        parser->request.body_len += len;
    }
    parser->body_octets += len;
    return 0;
}

static int message_complete(llhttp_t *http)
{
    struct parser *parser = http->data;
    parser->phase = PARSER_DONE;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_message_begin = message_begins,
    .on_url = url_piece,
    .on_header_field = name_piece,
    .on_header_field_complete = name_complete,
    .on_header_value = value_piece,
    .on_header_value_complete = value_complete,
    .on_headers_complete = headers_complete,
    .on_body = body_piece,
    .on_message_complete = message_complete,
};

static void begin(struct parser *parser, struct request_own *own)
{
    memset(parser, 0, sizeof(*parser));
    parser->own = own;
    parser->body_max = own ? PARSER_OWN_BODY_MAX : PARSER_BODY_MAX;
    if (own) {
        memset(own, 0, sizeof(*own));
    }
}

void parser_init(struct parser *parser, struct request_own *own)
{
    begin(parser, own);
    llhttp_init(&parser->http, HTTP_REQUEST, &settings);
    parser->http.data = parser;
}

void parser_clear(struct parser *parser)
{
    free(parser->body);
    parser->body = NULL;
}

static void turn_bad(struct parser *parser, int status)
{
    parser->phase = PARSER_BAD;
    parser->status = parser->status ? parser->status : status;
}

size_t parser_feed(struct parser *parser, const uint8_t *data, size_t len)
{
    if (len == 0 || parser->phase == PARSER_DONE || parser->phase == PARSER_BAD) {
        return 0;
    }
    llhttp_errno_t err = llhttp_execute(&parser->http, (const char *)data, len);
    size_t used = len;
    if (err != HPE_OK) {
        const char *end = llhttp_get_error_pos(&parser->http);
        used = end ? (size_t)(end - (const char *)data) : len;
    }
    parser->octets += used;
    if (err != HPE_OK && !(err == HPE_PAUSED && parser->phase == PARSER_DONE)) {
        turn_bad(parser, 400);
    } else if (parser->phase != PARSER_DONE &&
               parser->octets > PARSER_WHOLE_SPARE + parser->body_max) {
        turn_bad(parser, parser->phase == PARSER_BODY ? 413 : 431);
    }
    return used;
}

void parser_next(struct parser *parser)
{
    if (parser->phase != PARSER_DONE || parser->request.close) {
        return;
    }
    llhttp_t http = parser->http;
    llhttp_resume(&http);
    parser_clear(parser);
    begin(parser, parser->own);
    parser->http = http;
}
