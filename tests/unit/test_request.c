// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/parser.h"

enum { OUT_MAX = 256 };

/* What comes of some octets: "GET host /path" for each request, "status" when bad. */
static void parse(const char *input, size_t len, size_t piece, char out[OUT_MAX])
{
    const size_t cap = OUT_MAX;
    static const char *const methods[] = {"GET", "HEAD", "POST", "OTHER"};
    struct parser parser;
    parser_init(&parser, NULL);
    size_t used = 0;
    out[0] = '\0';
    for (size_t at = 0; at < len;) {
        size_t give = piece < len - at ? piece : len - at;
        size_t took = parser_feed(&parser, (const uint8_t *)input + at, give);
        assert_true(took <= give);
        at += took;
        size_t room = cap - used;
        if (parser.phase == PARSER_BAD) {
            snprintf(out + used, room, "%d;", parser.status);
            break;
        }
        if (parser.phase == PARSER_DONE) {
            const struct request *request = &parser.request;
            used += (size_t)snprintf(out + used, room, "%s %s %s%s;", methods[request->method],
                                     request->host_kind ? request->host : "-", request->path,
                                     request->close ? " close" : "");
            if (request->close) {
                break;
            }
            parser_next(&parser);
        } else {
            assert_int_equal(took, give);
        }
    }
    parser_clear(&parser);
    if (parser.phase == PARSER_HEADERS || parser.phase == PARSER_BODY) {
        snprintf(out + used, cap - used, "more");
    }
}

#define H "Host: a.com\r\n"

static const struct row {
    const char *behaviour, *input, *output;
} rows[] = {
    {"simple request", "GET / HTTP/1.1\r\n" H "\r\n", "GET a.com /;"},
    {"query is not kept", "GET /p?secret=1 HTTP/1.1\r\n" H "\r\n", "GET a.com /p;"},
    {"a name below localhost stands for the name",
     "GET / HTTP/1.1\r\nHost: A.com.localhost:8080\r\n\r\n", "GET a.com /;"},
    {"localhost itself stays", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET localhost /;"},
    {"host is folded, port and dot go", "GET / HTTP/1.1\r\nHost: WWW.A.com.:8080\r\n\r\n",
     "GET www.a.com /;"},
    {"two in a row", "GET /1 HTTP/1.1\r\n" H "\r\nHEAD /2 HTTP/1.1\r\n" H "\r\n",
     "GET a.com /1;HEAD a.com /2;"},
    {"blank lines between",
     "\r\n\r\nGET /1 HTTP/1.1\r\n" H "\r\n\r\n\r\nGET /2 HTTP/1.1\r\n" H "\r\n",
     "GET a.com /1;GET a.com /2;"},
    {"body is read and left",
     "GET / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\n" H "\r\n",
     "GET a.com /;GET a.com /2;"},
    {"chunked body is read and left",
     "GET / HTTP/1.1\r\n" H
     "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n" H "\r\n",
     "GET a.com /;GET a.com /2;"},
    {"POST closes", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx", "POST a.com / close;"},
    {"DELETE closes", "DELETE /x HTTP/1.1\r\n" H "\r\n", "OTHER a.com /x close;"},
    {"Expect is answered without the body",
     "POST / HTTP/1.1\r\n" H "Content-Length: 9\r\nExpect: 100-continue\r\n\r\n",
     "POST a.com / close;"},
    {"Upgrade is not followed",
     "GET / HTTP/1.1\r\n" H "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
     "GET a.com / close;"},
    {"Connection: close", "GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n", "GET a.com / close;"},
    {"HTTP/1.0 closes", "GET / HTTP/1.0\r\n" H "\r\n", "GET a.com / close;"},
    {"HTTP/1.0 can stay", "GET / HTTP/1.0\r\n" H "Connection: keep-alive\r\n\r\n", "GET a.com /;"},
    {"HTTP/1.0 needs no Host", "GET / HTTP/1.0\r\n\r\n", "GET - / close;"},
    {"HTTP/1.1 needs a Host", "GET / HTTP/1.1\r\n\r\n", "400;"},
    {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "400;"},
    {"two Hosts", "GET / HTTP/1.1\r\n" H "Host: b.com\r\n\r\n", "400;"},
    {"two equal Hosts", "GET / HTTP/1.1\r\n" H H "\r\n", "400;"},
    {"markup as Host", "GET / HTTP/1.1\r\nHost: <script>\r\n\r\n", "400;"},
    {"blank in Host", "GET / HTTP/1.1\r\nHost: a.com b.com\r\n\r\n", "400;"},
    {"slash in Host", "GET / HTTP/1.1\r\nHost: a.com/b\r\n\r\n", "400;"},
    {"user in Host", "GET / HTTP/1.1\r\nHost: me@a.com\r\n\r\n", "400;"},
    {"backslash in Host", "GET / HTTP/1.1\r\nHost: a\\.com\r\n\r\n", "400;"},
    {"dots in Host", "GET / HTTP/1.1\r\nHost: a..com\r\n\r\n", "400;"},
    {"UTF-8 in Host", "GET / HTTP/1.1\r\nHost: \xea\xb0\x80.com\r\n\r\n", "400;"},
    {"bad port in Host", "GET / HTTP/1.1\r\nHost: a.com:8x\r\n\r\n", "400;"},
    {"address as Host", "GET / HTTP/1.1\r\nHost: 192.0.2.1:80\r\n\r\n", "GET 192.0.2.1 /;"},
    {"IPv6 address as Host", "GET / HTTP/1.1\r\nHost: [2001:DB8::1]:80\r\n\r\n",
     "GET 2001:db8::1 /;"},
    {"broken IPv6 address", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "400;"},
    {"absolute form beats Host", "GET http://b.com:80/p?q HTTP/1.1\r\n" H "\r\n", "GET b.com /p;"},
    {"absolute form without path", "GET http://b.com HTTP/1.1\r\n" H "\r\n", "GET b.com /;"},
    {"absolute form needs Host too", "GET http://b.com/ HTTP/1.1\r\n\r\n", "400;"},
    {"absolute form with user", "GET http://me@b.com/ HTTP/1.1\r\n" H "\r\n", "400;"},
    {"absolute form without name", "GET http:///x HTTP/1.1\r\n" H "\r\n", "400;"},
    {"foreign scheme", "GET ftp://b.com/ HTTP/1.1\r\n" H "\r\n", "400;"},
    {"star is for OPTIONS", "OPTIONS * HTTP/1.1\r\n" H "\r\n", "OTHER a.com * close;"},
    {"star is not for GET", "GET * HTTP/1.1\r\n" H "\r\n", "400;"},
    {"CONNECT is not ours", "CONNECT a.com:443 HTTP/1.1\r\n" H "\r\n", "405;"},
    {"TRACE is not ours", "TRACE / HTTP/1.1\r\n" H "\r\n", "405;"},
    {"length then encoding",
     "GET / HTTP/1.1\r\n" H "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "400;"},
    {"encoding then length",
     "GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
     "400;"},
    {"two lengths", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
     "400;"},
    {"negative length", "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", "400;"},
    {"encoding that is not chunked", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\nx",
     "400;"},
    {"encoding in HTTP/1.0", "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "400;"},
    {"blank before the colon", "GET / HTTP/1.1\r\nHost : a.com\r\n\r\n", "400;"},
    {"control octet in a header", "GET / HTTP/1.1\r\n" H "X: a\x01\r\n\r\n", "400;"},
    {"big body announced", "POST / HTTP/1.1\r\n" H "Content-Length: 5000\r\n\r\n", "413;"},
    {"huge body announced",
     "POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999999\r\n\r\n", "400;"},
    {"not HTTP", "\x16\x03\x01\x02", "400;"},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400;"},
    {"unknown version", "GET / HTTP/1.7\r\n" H "\r\n", "400;"},
    {"unknown method", "BREW / HTTP/1.1\r\n" H "\r\n", "400;"},
    {"lower case method", "get / HTTP/1.1\r\n" H "\r\n", "400;"},
    {"half a request", "GET / HTTP/1.1\r\nHo", "more"},
    {"half a body", "POST / HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\nab", "more"},
};

static void parses_whole_and_in_pieces(void **state)
{
    (void)state;
    static const size_t pieces[] = {1 << 20, 1, 2, 3, 7};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
            char out[OUT_MAX];
            parse(rows[i].input, strlen(rows[i].input), pieces[p], out);
            if (strcmp(out, rows[i].output) != 0) {
                fail_msg("%s, pieces of %zu: got \"%s\"", rows[i].behaviour, pieces[p], out);
            }
        }
    }
}

/* head + unit * count + tail. */
static const struct bulk {
    const char *behaviour, *head, *unit, *tail, *output;
    size_t count;
} bulks[] = {
    {"url of 8,000 octets", "GET /", "u", " HTTP/1.1\r\n" H "\r\n", "GET a.com /", 8000},
    {"url of 9,000 octets", "GET /", "u", " HTTP/1.1\r\n" H "\r\n", "414;", 9000},
    {"one header of 16,000", "GET / HTTP/1.1\r\n" H "X: ", "v", "\r\n\r\n", "GET a.com /;", 16000},
    {"one header of 17,000", "GET / HTTP/1.1\r\n" H "X: ", "v", "\r\n\r\n", "431;", 17000},
    {"a header name of 17,000", "GET / HTTP/1.1\r\n" H, "n", ": v\r\n\r\n", "431;", 17000},
    {"many small headers", "GET / HTTP/1.1\r\n" H, "a: b\r\n", "\r\n", "431;", 3000},
    {"many empty headers", "GET / HTTP/1.1\r\n" H, "a:\r\n", "\r\n", "431;", 4000},
    {"a megabyte of headers", "GET / HTTP/1.1\r\n" H, "x-header: value\r\n", "\r\n", "431;", 62000},
    {"blanks before a value", "GET / HTTP/1.1\r\n" H "X:", " ", "v\r\n\r\n", "431;", 60000},
    {"blank lines for ever", "", "\r\n", "", "431;", 40000},
    {"long Host", "GET / HTTP/1.1\r\nHost: ", "h", "\r\n\r\n", "400;", 300},
    {"body at the bound", "POST / HTTP/1.1\r\n" H "Content-Length: 4096\r\n\r\n", "b", "",
     "POST a.com / close;", 4096},
    {"chunks beyond the bound", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n",
     "5\r\nabcde\r\n", "0\r\n\r\n", "413;", 1000},
    {"chunk marks beyond the bound", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n",
     "1;ext=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n", "0\r\n\r\n", "413;", 2000},
};

static void bounds_hold_whole_and_in_pieces(void **state)
{
    (void)state;
    static const size_t pieces[] = {1448, 1};
    for (size_t i = 0; i < sizeof(bulks) / sizeof(bulks[0]); i++) {
        const struct bulk *bulk = &bulks[i];
        size_t unit = strlen(bulk->unit);
        size_t cap = strlen(bulk->head) + unit * bulk->count + strlen(bulk->tail) + 1;
        char *input = malloc(cap);
        assert_non_null(input);
        char *at = stpcpy(input, bulk->head);
        for (size_t n = 0; n < bulk->count; n++, at += unit) {
            memcpy(at, bulk->unit, unit);
        }
        memcpy(at, bulk->tail, strlen(bulk->tail) + 1);
        for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
            char out[OUT_MAX];
            parse(input, cap - 1, pieces[p], out);
            if (strncmp(out, bulk->output, strlen(bulk->output)) != 0) {
                fail_msg("%s, pieces of %zu: got \"%s\"", bulk->behaviour, pieces[p], out);
            }
        }
        free(input);
    }
}

static const struct wish {
    const char *behaviour, *accept, *dest;
    bool embedded, page;
} wishes[] = {
    {"browser's page", "text/html,application/xhtml+xml,*/*;q=0.8", "", true, true},
    {"browser's page over TLS", "text/html,*/*;q=0.8", "document", false, true},
    {"frame", "text/html,*/*;q=0.8", "iframe", true, true},
    {"picture", "image/avif,image/webp,*/*;q=0.8", "", true, false},
    {"picture over TLS", "image/*,*/*;q=0.8", "image", true, false},
    {"script of a page", "*/*", "", true, false},
    {"script that says so", "*/*", "script", false, false},
    {"fetch that says so", "text/html", "empty", false, false},
    {"style sheet", "text/css,*/*;q=0.1", "", true, false},
    {"curl", "*/*", "", false, true},
    {"no Accept at all", "", "", false, true},
    {"text browser", "text/*, image/*;q=0.5", "", false, true},
    {"html refused", "text/html;q=0, application/json", "", false, false},
    {"html with low weight", "text/html;q=0.1, application/json", "", false, true},
    {"JSON client", "application/json", "", false, false},
    {"case is no obstacle", "Text/HTML", "", false, true},
};

static void tells_pages_from_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        struct request request = {.embedded = wishes[i].embedded};
        snprintf(request.accept, sizeof(request.accept), "%s", wishes[i].accept);
        snprintf(request.fetch_dest, sizeof(request.fetch_dest), "%s", wishes[i].dest);
        if (request_wants_page(&request) != wishes[i].page) {
            fail_msg("%s", wishes[i].behaviour);
        }
    }
}

static struct request read_one(struct parser *parser, const char *input, size_t piece)
{
    parser_init(parser, NULL);
    size_t len = strlen(input);
    for (size_t at = 0; at < len && parser->phase < PARSER_DONE;) {
        at += parser_feed(parser, (const uint8_t *)input + at, piece < len - at ? piece : len - at);
    }
    assert_int_equal(parser->phase, PARSER_DONE);
    return parser->request;
}

static void the_body_of_our_form_alone_is_kept(void **state)
{
    (void)state;
    struct parser parser;
    static const char *const ours[] = {
        "POST /review?x HTTP/1.1\r\n" H "Content-Length: 6\r\n\r\na=b&c=",
        "POST /review HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
        "2\r\na=\r\n4\r\nb&c=\r\n0\r\n\r\n",
    };
    static const char *const others[] = {
        "POST /review/x HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx",
        "POST /login HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx",
        "PUT /review HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx",
        "GET /review HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx",
    };
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        for (size_t piece = 1; piece < 200; piece += 33) {
            struct request request = read_one(&parser, ours[i], piece);
            assert_int_equal(request.body_len, 6);
            assert_memory_equal(request.body, "a=b&c=", 6);
            parser_clear(&parser);
        }
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct request request = read_one(&parser, others[i], 100);
        assert_null(request.body);
        assert_int_equal(request.body_len, 0);
        parser_clear(&parser);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_whole_and_in_pieces),
        cmocka_unit_test(bounds_hold_whole_and_in_pieces),
        cmocka_unit_test(the_body_of_our_form_alone_is_kept),
        cmocka_unit_test(tells_pages_from_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
