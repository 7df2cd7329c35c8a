// SPDX-License-Identifier: Apache-2.0
#include "blocklists/zone.h"

#include <string.h>
#include <strings.h>

#include "blocklists/format.h"

/* Where a line's octets end, without its comment, and how deep it ends; -1: it closes
 * what was not open, or leaves a quote open. */
static int measure(const struct span *line, unsigned depth, size_t *ret_len, bool *ret_marks)
{
    bool quoted = false;
    size_t i = 0;
    for (; i < line->len; i++) {
        char c = line->text[i];
        if (c == '\\') {
            i++;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (quoted) {
            continue;
        } else if (c == ';') {
            break;
        } else if (c == '(') {
            *ret_marks = true;
            depth++;
        } else if (c == ')') {
            *ret_marks = true;
            if (depth-- == 0) {
                return -1;
            }
        }
    }
    *ret_len = i < line->len ? i : line->len;
    return quoted ? -1 : (int)depth;
}

/* Copy without comments, marks and ends of lines as blanks; `to` may be `from`. */
static size_t flatten(const char *from, size_t len, char *to)
{
    bool quoted = false;
    bool comment = false;
    size_t used = 0;
    for (size_t i = 0; i < len; i++) {
        char c = from[i];
        if (c == '\n') {
            comment = false;
            to[used++] = ' ';
        } else if (comment) {
            continue;
        } else if (c == '\\' && i + 1 < len && from[i + 1] != '\n') {
            to[used++] = c;
            to[used++] = from[++i];
        } else if (!quoted && c == ';') {
            comment = true;
        } else {
            quoted ^= c == '"';
            to[used++] = !quoted && (c == '(' || c == ')') ? ' ' : c;
        }
    }
    return used;
}

enum zone_frame zone_frame_alone(const struct span *line, char *buffer, struct span *ret_record)
{
    bool marks = false;
    size_t len = 0;
    if (measure(line, 0, &len, &marks) != 0) {
        return ZONE_BROKEN;
    }
    *ret_record = (struct span){line->text, len};
    if (marks) {
        *ret_record = (struct span){buffer, flatten(line->text, len, buffer)};
    }
    return ZONE_RECORD;
}

static bool gather(struct zone_state *zone, const struct span *line)
{
    if (zone->lines == ZONE_LINES_MAX || line->len >= ZONE_RECORD_MAX - zone->len) {
        return false;
    }
    memcpy(zone->text + zone->len, line->text, line->len);
    zone->len += line->len;
    zone->text[zone->len++] = '\n';
    zone->lines++;
    return true;
}

enum zone_frame zone_frame_line(struct zone_state *zone, const struct span *line,
                                struct span *ret_record)
{
    bool marks = false;
    size_t len = 0;
    int depth = measure(line, zone->depth, &len, &marks);
    if (zone->depth == 0 && depth == 0 && !marks) {
        *ret_record = (struct span){line->text, len};
        return ZONE_RECORD;
    }
    if (zone->depth == 0 && depth < 0) {
        return ZONE_BROKEN;
    }
    if (zone->depth == 0) {
        zone->len = zone->lines = 0;
    }
    if (!gather(zone, line)) {
        zone->depth = 0;
        return ZONE_TOO_LARGE;
    }
    if (depth < 0) {
        zone->depth = 0;
        return ZONE_UNCLOSED;
    }
    zone->depth = (unsigned)depth;
    if (depth > 0) {
        return ZONE_MORE;
    }
    zone->len = flatten(zone->text, zone->len, zone->text);
    *ret_record = (struct span){zone->text, zone->len};
    return ZONE_RECORD;
}

static bool append(struct zone_name *name, const char *text, size_t len)
{
    size_t dot = name->len > 0;
    if (len + dot >= ZONE_NAME_MAX - name->len) {
        return false;
    }
    if (dot) {
        name->text[name->len++] = '.';
    }
    memcpy(name->text + name->len, text, len);
    name->len += len;
    return true;
}

/* The absolute name that a word of the file stands for. Without any origin a relative
 * one is absolute. */
static bool resolve(const struct zone_state *zone, const struct span *word,
                    struct zone_name *ret_name)
{
    bool absolute = word->len && word->text[word->len - 1] == '.';
    ret_name->len = 0;
    if (!span_is(word, "@") && !append(ret_name, word->text, word->len - absolute)) {
        return false;
    }
    return absolute || !zone->has_origin || zone->origin.len == 0 ||
           append(ret_name, zone->origin.text, zone->origin.len);
}

static bool is_same(const struct zone_name *a, const struct zone_name *b)
{
    return a->len == b->len && strncasecmp(a->text, b->text, a->len) == 0;
}

static void find_place(struct zone_state *zone)
{
    zone->at_apex = !zone->has_origin || (zone->has_apex && is_same(&zone->origin, &zone->apex));
}

bool zone_set_origin(struct zone_state *zone, const struct span *name)
{
    struct zone_name origin;
    if (!resolve(zone, name, &origin)) {
        return false;
    }
    zone->origin = origin;
    zone->has_origin = true;
    if (!zone->has_apex) { /* until the SOA record says another */
        zone->apex = origin;
        zone->has_apex = true;
    }
    find_place(zone);
    return true;
}

void zone_set_apex(struct zone_state *zone, const struct span *owner)
{
    struct zone_name apex;
    bool known = zone->has_origin || (owner->len && owner->text[owner->len - 1] == '.');
    if (!known || !resolve(zone, owner, &apex)) {
        return; /* "@" where nothing says what that is: relative owners alone are known */
    }
    zone->apex = apex;
    zone->has_apex = true;
    if (!zone->has_origin) {
        zone->origin = apex;
        zone->has_origin = true;
    }
    find_place(zone);
}

/* Cut the apex off the end; false when it is not there. */
static bool cut_apex(const struct zone_state *zone, struct zone_name *name)
{
    size_t apex = zone->apex.len;
    if (apex == 0) {
        return true;
    }
    if (name->len < apex ||
        strncasecmp(name->text + name->len - apex, zone->apex.text, apex) != 0) {
        return false;
    }
    name->len -= apex;
    if (name->len > 0 && name->text[--name->len] != '.') {
        return false;
    }
    return true;
}

static bool take_owner(struct zone_state *zone, const struct span *owner)
{
    bool absolute = owner->text[owner->len - 1] == '.';
    if (!absolute && (zone->at_apex || !zone->has_apex)) {
        zone->owner.len = 0;
        return span_is(owner, "@") || append(&zone->owner, owner->text, owner->len);
    }
    return zone->has_apex && resolve(zone, owner, &zone->owner) && cut_apex(zone, &zone->owner);
}

bool zone_set_owner(struct zone_state *zone, const struct span *owner)
{
    zone->was_out = !take_owner(zone, owner);
    return !zone->was_out;
}
