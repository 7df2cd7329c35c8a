// SPDX-License-Identifier: Apache-2.0
#include "policy/literal.h"

#include <string.h>

enum { DEPTH_MAX = 16 };

/* A walk over a pattern. `lost` is set at what is not plain syntax. */
struct walk {
    const char *at;
    unsigned depth;
    bool lost;
};

/* One branch of an alternative: the run of letters at hand, and the best so far. */
struct branch {
    char run[LITERAL_MAX + 1];
    unsigned run_len;
    struct literals best;
};

static size_t shortest(const struct literals *literals)
{
    size_t least = literals->count ? SIZE_MAX : 0;
    for (unsigned i = 0; i < literals->count; i++) {
        size_t len = strlen(literals->text[i]);
        least = len < least ? len : least;
    }
    return least;
}

static void offer(struct branch *branch, const struct literals *found)
{
    size_t ours = shortest(&branch->best), theirs = shortest(found);
    if (theirs > ours || (theirs == ours && found->count < branch->best.count)) {
        branch->best = *found;
    }
}

static void end_run(struct branch *branch)
{
    if (branch->run_len >= LITERAL_MIN) {
        struct literals found = {.count = 1};
        memcpy(found.text[0], branch->run, branch->run_len);
        offer(branch, &found);
    }
    branch->run_len = 0;
}

static void add_letter(struct branch *branch, char letter)
{
    if (branch->run_len < LITERAL_MAX) {
        branch->run[branch->run_len++] =
            letter >= 'A' && letter <= 'Z' ? (char)(letter | 0x20) : letter;
        return;
    }
    end_run(branch); /* a part of a long text is as good */
}

/* Step over a quantifier. Returns the least number of repetitions, -1 without one. */
static int skip_quantifier(struct walk *walk)
{
    int least = -1;
    if (*walk->at == '*' || *walk->at == '?') {
        least = 0;
        walk->at++;
    } else if (*walk->at == '+') {
        least = 1;
        walk->at++;
    } else if (*walk->at == '{') {
        least = walk->at[1] >= '1' && walk->at[1] <= '9';
        const char *end = walk->at + 1 + strspn(walk->at + 1, "0123456789,");
        if (*end != '}' || end == walk->at + 1) {
            walk->lost = true;
            return 0;
        }
        walk->at = end + 1;
    }
    if (least >= 0 && (*walk->at == '?' || *walk->at == '+')) {
        walk->at++; /* lazy or possessive */
    }
    return least;
}

/* A letter that stands for itself, and what its quantifier makes of it. */
static void take_letter(struct walk *walk, struct branch *branch, char letter)
{
    int least = skip_quantifier(walk);
    if (least != 0) {
        add_letter(branch, letter);
    }
    if (least >= 0) {
        end_run(branch);
    }
}

/* A class stands for one character or another: nothing is known of it. */
static void skip_class(struct walk *walk)
{
    const char *at = walk->at + 1;
    at += *at == '^';
    at += *at == ']';
    while (*at && *at != ']') {
        bool named = at[0] == '[' && (at[1] == ':' || at[1] == '.' || at[1] == '=');
        const char *end = named ? strstr(at, ":]") : NULL;
        if (named && !end) {
            break;
        }
        at = named ? end + 2 : at[0] == '\\' && at[1] ? at + 2 : at + 1;
    }
    walk->lost |= *at != ']';
    walk->at = *at ? at + 1 : at;
}

static void take_escape(struct walk *walk, struct branch *branch)
{
    char next = walk->at[1];
    walk->at += next ? 2 : 1;
    if (next && strchr("dDwWsShHvV", next)) {
        end_run(branch);
        (void)skip_quantifier(walk);
    } else if (next && strchr("bB", next)) {
        return; /* takes no room */
    } else if (next && strchr(".-_/$^*+?()[]{}|:@!=", next)) {
        take_letter(walk, branch, next);
    } else {
        walk->lost = true;
    }
}

static void merge(struct literals *all, const struct literals *more)
{
    if (all->count + more->count > LITERALS_MAX || more->count == 0) {
        all->count = 0;
        return;
    }
    memcpy(all->text[all->count], more->text[0], more->count * sizeof(more->text[0]));
    all->count += more->count;
}

/* Take one character or class; false at the end of the branch or at a group. */
static bool take_plain(struct walk *walk, struct branch *branch)
{
    char now = *walk->at;
    if (now == '\0' || now == '|' || now == '(' || now == ')') {
        return false;
    }
    if (now == '\\') {
        take_escape(walk, branch);
    } else if (now == '[') {
        skip_class(walk);
        end_run(branch);
        (void)skip_quantifier(walk);
    } else if (now == '.') {
        walk->at++;
        end_run(branch);
        (void)skip_quantifier(walk);
    } else if (now == '^' || now == '$') {
        walk->at++;
    } else if (strchr("*+?{", now)) {
        walk->lost = true;
    } else {
        walk->at++;
        take_letter(walk, branch, now);
    }
    return true;
}

/* The alternatives up to a closing parenthesis or the end. A group within is read by
 * the same function: the depth is bounded. */
static void read_alternatives(struct walk *walk, struct literals *ret_literals)
{
    struct literals all = {.count = 0};
    bool first = true, none = false;
    do {
        struct branch branch = {.run_len = 0};
        while (!walk->lost) {
            if (take_plain(walk, &branch)) {
                continue;
            }
            if (*walk->at != '(') {
                break;
            }
            bool named = walk->at[1] == '?' && walk->at[2] == ':';
            if (++walk->depth > DEPTH_MAX || (!named && strchr("?*", walk->at[1]))) {
                walk->lost = true;
                break;
            }
            struct literals inner;
            walk->at += named ? 3 : 1;
            end_run(&branch);
            read_alternatives(walk, &inner);
            walk->lost |= *walk->at != ')';
            walk->at += *walk->at == ')';
            walk->depth--;
            if (!walk->lost && skip_quantifier(walk) != 0) {
                offer(&branch, &inner);
            }
        }
        end_run(&branch);
        none |= branch.best.count == 0;
        if (first) {
            all = branch.best;
        } else {
            merge(&all, &branch.best);
            none |= all.count == 0;
        }
        first = false;
    } while (!walk->lost && *walk->at == '|' && *walk->at++);
    all.count = none || walk->lost ? 0 : all.count;
    *ret_literals = all;
}

void literal_require(const char *pattern, struct literals *ret_literals)
{
    struct walk walk = {.at = pattern};
    read_alternatives(&walk, ret_literals);
    if (*walk.at) {
        ret_literals->count = 0;
    }
}
