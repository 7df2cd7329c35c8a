// SPDX-License-Identifier: Apache-2.0
/* zone: lines of a zone file as records (RFC 1035 section 5.1), and their owners as
 * names below the zone's apex.
 *
 * What a record may take is bounded, and a line that is no record never takes the next
 * ones with it: an open parenthesis is given up and its lines are read one by one. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span;

enum { ZONE_RECORD_MAX = 1 << 16, ZONE_LINES_MAX = 1024, ZONE_NAME_MAX = 1024 };

struct zone_name {
    size_t len;
    char text[ZONE_NAME_MAX]; /* absolute, without the last dot; the root is "" */
};

struct zone_state {
    bool has_apex, has_origin;
    bool at_apex; /* relative owners are names below the apex as they stand */
    bool was_out; /* the last owner was no name below the apex */
    uint32_t ttl; /* of $TTL */
    struct zone_name apex, origin;
    struct zone_name owner; /* the last one, below the apex; "" is the apex */
    unsigned depth;         /* of parentheses */
    unsigned lines;         /* in text */
    size_t len;
    char text[ZONE_RECORD_MAX]; /* of an open parenthesis, as it came */
};

enum zone_frame {
    ZONE_RECORD,   /* *ret_record is one; it may be blank */
    ZONE_MORE,     /* it goes on in the next line */
    ZONE_BROKEN,   /* quotes or parentheses that do not match */
    ZONE_UNCLOSED, /* the lines in the text, this one too, are no record: read each alone */
    ZONE_TOO_LARGE /* the same, but for this line */
};

/* Take a line; *ret_record lies in the line or in the state until the next call. */
enum zone_frame zone_frame_line(struct zone_state *zone, const struct span *line,
                                struct span *ret_record);

/* A line by itself: ZONE_RECORD or ZONE_BROKEN. Its comment is cut off, its text is
 * copied to `buffer` of its length when parentheses must be taken out. */
enum zone_frame zone_frame_alone(const struct span *line, char *buffer, struct span *ret_record);

/* $ORIGIN, relative or not; false when it is too long. */
bool zone_set_origin(struct zone_state *zone, const struct span *name);

/* The owner of the SOA record. */
void zone_set_apex(struct zone_state *zone, const struct span *owner);

/* Set zone->owner; false when it is outside of the zone or too long. */
bool zone_set_owner(struct zone_state *zone, const struct span *owner);
