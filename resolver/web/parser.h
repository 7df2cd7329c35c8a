// SPDX-License-Identifier: Apache-2.0
/* parser: octets of one HTTP/1 connection into requests, with all bounds.
 *
 * No sockets and no time here, so that a fuzzer can drive it. It stops behind each
 * whole request, so that an answer that takes time keeps its place in the row. */
#pragma once
#include "web/request.h"

#include <llhttp.h>
#include <stdint.h>

enum {
    PARSER_URL_MAX = 8 * 1024,
    PARSER_HEADERS_MAX = 16 * 1024, /* names, values and what separates them */
    PARSER_BODY_MAX = 4 * 1024,
    PARSER_OWN_BODY_MAX = 48 * 1024, /* on our own listener */
    PARSER_WHOLE_SPARE = 36 * 1024, /* octets of one message beside its body, chunk marks and all */
};

enum parser_phase {
    PARSER_IDLE,    /* no octet of a request yet */
    PARSER_HEADERS, /* within the request line or the headers */
    PARSER_BODY,
    PARSER_DONE, /* a request is complete; parser_next() goes on */
    PARSER_BAD,  /* `status` says what to answer; the connection must end */
};

struct parser {
    llhttp_t http;
    enum parser_phase phase;
    int status; /* of PARSER_BAD */
    struct request request;
    size_t url_len, header_octets, body_octets, octets;
    char url[640]; /* its start: scheme, host and the first of the path */
    char name[24]; /* of the header that is being read; longer ones are not ours */
    uint8_t name_len;
    char *value; /* where its value goes, NULL: nowhere */
    uint16_t value_len, value_cap;
    char host[280]; /* the Host header as it came */
    uint8_t hosts;  /* how many there were */
    bool has_length, has_encoding, expects;
    char *body; /* of request.body */
    size_t body_max;
    struct request_own *own; /* of whoever began; NULL on the sinkhole */
};

/* With a place for what only our own pages may know, or NULL. */
void parser_init(struct parser *parser, struct request_own *own);
void parser_clear(struct parser *parser);

/* Read on. Returns the octets used, fewer than len when a request is complete or bad. */
size_t parser_feed(struct parser *parser, const uint8_t *data, size_t len);

/* Behind PARSER_DONE: go on with the next request. */
void parser_next(struct parser *parser);
