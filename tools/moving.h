// SPDX-License-Identifier: Apache-2.0
/* moving: what another filter's configuration says, in words that belong to neither.
 *
 * Readers of foreign formats fill it in a confined child; moving_write.h makes our
 * configuration of it. It is JSON, so that it passes from one to the other as text:
 *
 *   from       "Pi-hole"
 *   lists      {url, name, enabled, sets?, allow?}; sets: of which sets of lists it is,
 *              absent = of all; allow: its names are exceptions
 *   policies   {name, clients, sets, block?, services?, schedule?, safe_search?, youtube?,
 *              open?, divided?}; the last one is for everybody else; divided: of one
 *              policy, that stands here more than once
 *   rules      {action, name | pattern, exact, sets?, policy?, note?, important?}; for the
 *              policies that have one of the sets, or for the one named; else for all.
 *              moving_rank_rules() adds lost, lost_to: for which policies (by number; true:
 *              all) another rule wins; also: which need it as their own; weak: names win over the pattern
 *   records    {name, address};  zones {domain, servers};  upstreams [server URL]
 *   settings   {section: {key: value}}, as they are
 *   left       {kind, what, why}: what could not be taken over */
#pragma once
#include "base/diag.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum { MOVING_TEXT_MAX = 400, MOVING_ITEMS_MAX = 50000 };

struct moving {
    cJSON *root;
    unsigned items; /* of all kinds, bounded */
};

/* -ENOMEM */
__attribute__((warn_unused_result)) int moving_init(struct moving *moving, const char *from);
void moving_clear(struct moving *moving);

/* A new object at the end of one of the arrays above; never NULL: beyond the bound, or
 * without memory, one that nobody sees. */
cJSON *moving_add(struct moving *moving, const char *array);

/* Say that something is not taken over, and why. */
struct moving_thing {
    const char *kind, *what;
};
#define THING(kind, what) (&(const struct moving_thing){kind, what})
void moving_leave(struct moving *moving, const struct moving_thing *thing, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A list; the caller may add sets. */
cJSON *moving_add_list(struct moving *moving, const char *url, const char *name, bool enabled);

/* A rule for a name: covers all below it unless exact. Says so when it is no name. */
cJSON *moving_add_rule(struct moving *moving, const char *action, const char *name, bool exact);

/* A rule by a regular expression. Those that stand for a name and all below it,
 * "(\.|^)x\.example$", become rules for a name. */
cJSON *moving_add_pattern(struct moving *moving, const char *action, const char *pattern);

/* A name that is answered with an address; says so when it is none. */
void moving_add_record(struct moving *moving, const char *name, const char *address);

/* A server in any of the ways in which others write it: "9.9.9.9", "9.9.9.9#53",
 * "tls://dns.quad9.net", "tcp-tls:...", "[::1]:53"; says so when it cannot be one. */
void moving_add_upstream(struct moving *moving, const char *text);

/* Other servers, in the same ways, for a domain; text: divided by commas or spaces. */
void moving_add_zone(struct moving *moving, const char *domain, const char *servers);

/* The domain that stands for the way back from a subnet: 192.168.0.0/24 gives
 * 0.168.192.in-addr.arpa. -EINVAL; only whole octets (IPv4) and nibbles (IPv6). */
__attribute__((warn_unused_result)) int moving_reverse(const char *subnet, char *out, size_t cap);

/* A client as groups.clients has it, or why it cannot be one (NULL: it can). */
enum { MOVING_CLIENT_MAX = 96 };
const char *moving_client(const char *text, char out[MOVING_CLIENT_MAX]);

/* Narrower clients first: what was decided by the narrowest name, is here by the first. */
void moving_order_clients(struct moving *moving);

/* After that: which rules win, where the order of rules is another one here. */
void moving_rank_rules(struct moving *moving);

/* A setting of ours. The value is taken. */
void moving_set(struct moving *moving, const char *section, const char *key, cJSON *value);

/* A text as one word of ids: a-z 0-9 . _ - ; "" becomes `otherwise`. */
enum { MOVING_ID_MAX = 48 };
void moving_id(const char *text, const char *otherwise, char out[MOVING_ID_MAX]);

/* Texts of an array of objects, for readers. */
const char *moving_text(const cJSON *object, const char *key);

/* Lines of a text without comments and blanks at both ends; line by line, 0 at the end. */
struct moving_lines {
    const char *at;
    unsigned number;
    char line[1024]; /* of a longer one: its beginning, and `cut` */
    bool cut;
};
bool moving_next_line(struct moving_lines *lines);
