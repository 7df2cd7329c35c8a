// SPDX-License-Identifier: Apache-2.0
/* Octets of a connection into requests: whole and in pieces they must mean the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "web/parser.h"

enum { REQUESTS_MAX = 64 };

struct seen {
    size_t count;
    int status;
    struct request requests[REQUESTS_MAX];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct request *request)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.:";
    if (request->host[strspn(request->host, allowed)] || strpbrk(request->path, "?#")) {
        abort();
    }
    (void)request_wants_page(request);
}

static bool same(const struct request *a, const struct request *b)
{
    return a->method == b->method && a->host_kind == b->host_kind && a->close == b->close &&
           a->embedded == b->embedded && strcmp(a->host, b->host) == 0 &&
           strcmp(a->path, b->path) == 0 && strcmp(a->accept, b->accept) == 0 &&
           strcmp(a->accept_language, b->accept_language) == 0 &&
           strcmp(a->fetch_dest, b->fetch_dest) == 0;
}

static struct request_own *own; /* of the dashboard's listener, or NULL */

static void read_all(const uint8_t *data, size_t size, size_t piece, struct seen *seen)
{
    struct parser parser;
    parser_init(&parser, own);
    memset(seen, 0, sizeof(*seen));
    for (size_t at = 0; at < size && parser.phase != PARSER_BAD;) {
        size_t give = piece < size - at ? piece : size - at;
        size_t took = parser_feed(&parser, data + at, give);
        if (took > give || (took == 0 && parser.phase < PARSER_DONE)) {
            abort();
        }
        at += took;
        if (parser.phase == PARSER_DONE) {
            check(&parser.request);
            if (seen->count < REQUESTS_MAX) {
                seen->requests[seen->count++] = parser.request;
            }
            if (parser.request.close) {
                break;
            }
            parser_next(&parser);
        }
    }
    seen->status = parser.status;
    parser_clear(&parser);
}

static void compare(const uint8_t *data, size_t size)
{
    static struct seen whole, pieces;
    read_all(data, size, size, &whole);
    read_all(data, size, 1 + (size ? data[0] % 7 : 0), &pieces);
    if (whole.count != pieces.count || whole.status != pieces.status) {
        abort();
    }
    for (size_t i = 0; i < whole.count; i++) {
        if (!same(&whole.requests[i], &pieces.requests[i])) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct request_own room;
    if (size > PARSER_HEADERS_MAX) {
        return 0; /* beyond the bounds pieces may be refused a little earlier */
    }
    own = NULL;
    compare(data, size);
    own = &room;
    compare(data, size);
    return 0;
}
