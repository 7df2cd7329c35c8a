// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "webworld.h"

enum { HEADERS_MS = 300, BODY_MS = 300, IDLE_MS = 500 };

#define assert_says(text, words)   assert_non_null(strstr(text, words))
#define assert_silent(text, words) assert_null(strstr(text, words))

static size_t count(const char *text, const char *what)
{
    size_t found = 0;
    for (; (text = strstr(text, what)); text++) {
        found++;
    }
    return found;
}

static int set_up(void **state)
{
    (void)state;
    const struct server_limits limits = {12, 8, {HEADERS_MS, BODY_MS, IDLE_MS}};
    webworld_start(&limits);
    return 0;
}

static const struct row {
    const char *behaviour, *request, *says, *silent;
} rows[] = {
    {"blocked name", ASK("bad.example") LAST, "HTTP/1.1 403 Forbidden", "301"},
    {"its category", ASK("bad.example") "Accept-Language: en\r\n" LAST, "gambling", "cannot say"},
    {"in Korean", ASK("bad.example") "Accept-Language: ko\r\n" LAST, "Content-Language: ko",
     "gambling"},
    {"in the first language", ASK("bad.example") LAST, "<html lang=\"ko\">", NULL},
    {"whose policy", ASK("bad.example") LAST, "Green School", NULL},
    {"not stored", ASK("bad.example") LAST, "Cache-Control: no-store", "Set-Cookie"},
    {"nothing loaded", ASK("bad.example") LAST, "default-src 'none'; style-src 'sha256-", "unsafe"},
    {"not sniffed", ASK("bad.example") LAST, "X-Content-Type-Options: nosniff", NULL},
    {"no referrer", ASK("bad.example") LAST, "Referrer-Policy: no-referrer", NULL},
    {"varies by language", ASK("bad.example") LAST, "Vary: Accept-Language", NULL},
    {"path is not shown", "GET /se-cret HTTP/1.1\r\nHost: bad.example\r\n" LAST, "403", "se-cret"},
    {"query is not shown", "GET /?se=cret HTTP/1.1\r\nHost: bad.example\r\n" LAST, "403", "cret"},
    {"not blocked any more", ASK("open.example") LAST, "HTTP/1.1 503 ", "gambling"},
    {"when to come again", ASK("open.example") LAST, "Retry-After: 10", NULL},
    {"daemon says no", ASK("error.example") "Accept-Language: en\r\n" LAST, "cannot say why",
     "gambling"},
    {"daemon says half", ASK("half.example") "Accept-Language: en\r\n" LAST, "cannot say why",
     "gambling"},
    {"daemon knows no such client", ASK("stranger.example") "Accept-Language: en\r\n" LAST,
     "cannot say why", "gambling"},
    {"a forwarder asks for many", ASK("forwarded.example") "Accept-Language: en\r\n" LAST,
     "cannot say why", "gambling"},
    {"a rule for all names no group", ASK("rule.example") LAST, "Green School", "pupils"},
    {"a rule's own group is named", ASK("rule-staff.example") LAST, "staff", "pupils"},
    {"a rule has no help lines", ASK("rule.example") LAST, "rule.example", "tel:1336"},
    {"a list has help lines", ASK("bad.example") LAST, "tel:1336", NULL},
    {"daemon talks nonsense", ASK("junk.example") "Accept-Language: en\r\n" LAST, "cannot say why",
     "gambling"},
    {"daemon goes away", ASK("gone.example") "Accept-Language: en\r\n" LAST, "cannot say why",
     "gambling"},
    {"address has no reason", ASK("192.0.2.1") "Accept-Language: en\r\n" LAST, "cannot say why",
     "gambling"},
    {"no Host in HTTP/1.0", "GET / HTTP/1.0\r\nAccept-Language: en\r\n\r\n", "cannot say why",
     "gambling"},
    {"HTTP/1.0 is closed", "GET / HTTP/1.0\r\nHost: bad.example\r\n\r\n", "Connection: close",
     NULL},
    {"absolute form", "GET http://bad.example/ HTTP/1.1\r\nHost: x.example\r\n" LAST, "bad.example",
     "x.example"},
    {"HEAD has no body", "HEAD / HTTP/1.1\r\nHost: bad.example\r\n" LAST, "text/html", "<html"},
    {"POST gets the page", "POST / HTTP/1.1\r\nHost: bad.example\r\nContent-Length: 2\r\n\r\nab",
     "<html", NULL},
    {"POST is closed", "POST / HTTP/1.1\r\nHost: bad.example\r\nContent-Length: 2\r\n\r\nab",
     "Connection: close", NULL},
    {"odd method gets the page", "PROPFIND / HTTP/1.1\r\nHost: bad.example\r\n\r\n", "403", "200"},
    {"CONNECT is refused", "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n",
     "HTTP/1.1 405 ", "<html"},
    {"what is allowed", "TRACE / HTTP/1.1\r\nHost: a.example\r\nX: <echo>\r\n\r\n",
     "Allow: GET, HEAD", "echo"},
    {"picture gets nothing", ASK("bad.example") "Accept: image/png,*/*;q=0.8\r\n" LAST,
     "Content-Length: 0", "<html"},
    {"script gets nothing", ASK("bad.example") "Accept: */*\r\nReferer: http://a/\r\n" LAST,
     "Content-Length: 0", "<html"},
    {"frame gets the page", ASK("bad.example") "Sec-Fetch-Dest: iframe\r\n" LAST, "<html", NULL},
    {"favicon gets nothing", "GET /favicon.ico HTTP/1.1\r\nHost: bad.example\r\n" LAST, "403",
     "<html"},
    {"no Host", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", "<html"},
    {"bad Host", "GET / HTTP/1.1\r\nHost: <script>\r\n\r\n", "HTTP/1.1 400 ", "script"},
    {"length and encoding",
     ASK("bad.example") "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "HTTP/1.1 400 ", "403"},
    {"big body", ASK("bad.example") "Content-Length: 5000\r\n\r\n", "HTTP/1.1 413 ", "403"},
    {"TLS hello", "\x16\x03\x01\x02\x01\x01\x01", "HTTP/1.1 400 ", NULL},
    {"refusal is closed", "GET / HTTP/1.1\r\n\r\n", "Connection: close", NULL},
};

static void answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *answer = webworld_ask(rows[i].request);
        if (!strstr(answer, rows[i].says) || (rows[i].silent && strstr(answer, rows[i].silent))) {
            fail_msg("%s: got %.600s", rows[i].behaviour, answer);
        }
    }
}

static void octet_by_octet_is_the_same(void **state)
{
    (void)state;
    static const char request[] = ASK("bad.example") "Accept-Language: en\r\n" LAST;
    int fd = webworld_dial();
    for (size_t i = 0; request[i]; i++) {
        assert_int_equal(send(fd, request + i, 1, MSG_NOSIGNAL), 1);
    }
    const char *answer = webworld_hear_all(fd);
    close(fd);
    assert_says(answer, "403 Forbidden");
    assert_says(answer, "gambling");
}

static void pipelined_answers_keep_their_order(void **state)
{
    (void)state;
    /* The first waits for the daemon, the second needs none, the third waits again. */
    const char *answer = webworld_ask(ASK("late.example") "\r\n" ASK("192.0.2.7") "\r\n" ASK(
        "late2.example") "\r\n" ASK("192.0.2.8") LAST);
    assert_int_equal(count(answer, "HTTP/1.1 403 "), 4);
    assert_int_equal(count(answer, "Connection: keep-alive"), 3);
    const char *at = answer;
    static const char *const order[] = {">late.example<", ">192.0.2.7<", ">late2.example<",
                                        ">192.0.2.8<"};
    for (size_t i = 0; i < 4; i++) {
        at = strstr(at, order[i]);
        assert_non_null(at);
    }
}

static void connection_is_used_again(void **state)
{
    (void)state;
    int fd = webworld_dial();
    for (int i = 0; i < 3; i++) {
        webworld_say(fd, ASK("bad.example") "\r\n");
        assert_says(webworld_hear_one(fd), "403 Forbidden");
    }
    close(fd);
}

static void half_closed_client_is_answered(void **state)
{
    (void)state;
    int fd = webworld_dial();
    webworld_say(fd, ASK("late.example") "\r\n" ASK("bad.example") "\r\n");
    shutdown(fd, SHUT_WR);
    const char *answer = webworld_hear_all(fd);
    close(fd);
    assert_int_equal(count(answer, "HTTP/1.1 403 "), 2);
}

static void too_much_at_once_is_cut_not_kept(void **state)
{
    (void)state;
    int fd = webworld_dial();
    webworld_say(fd, ASK("late.example") "\r\n");
    char *much = malloc(200001);
    for (size_t i = 0; i < 200000; i++) {
        much[i] = (ASK("bad.example") "\r\n")[i % (sizeof(ASK("bad.example") "\r\n") - 1)];
    }
    much[200000] = '\0';
    (void)!send(fd, much, 200000, MSG_NOSIGNAL);
    free(much);
    const char *answer = webworld_hear_all(fd);
    close(fd);
    assert_says(answer, ">late.example<");
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, webworld_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(answers),
        ROW(octet_by_octet_is_the_same),
        ROW(pipelined_answers_keep_their_order),
        ROW(connection_is_used_again),
        ROW(half_closed_client_is_answered),
        ROW(too_much_at_once_is_cut_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
