// SPDX-License-Identifier: Apache-2.0
/* "Please review this site": asked on the warning page, answered by whoever runs the filter. */
#include "store/reviews.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "control/rulechange.h"
#include "policy/snapshot.h"

enum { YEAR_S = 366 * 86400, PAGE_OCTETS = CLIENT_FRAME_MAX * 3 / 4 };

/* By which the rule of an approval is known. */
#define RULE_NOTE "review %s"

static const char *const state_words[] = {
    [REVIEW_WAITING] = "waiting",
    [REVIEW_APPROVED] = "approved",
    [REVIEW_DENIED] = "denied",
};

static const int64_t day_s = 86400;

static int need_reviews(const struct control_call *call)
{
    return call->backend->reviews ? CONTROL_DONE
                                  : diag_set(call->diag, CONTROL_FAILED, "no requests are taken");
}

static void add_review(cJSON *object, const struct review *review)
{
    cJSON_AddStringToObject(object, "code", review->code);
    cJSON_AddStringToObject(object, "state", state_words[review->state]);
    cJSON_AddStringToObject(object, "name", review->name);
    cJSON_AddStringToObject(object, "group", review->group);
    cJSON_AddStringToObject(object, "category", review->category);
    cJSON_AddStringToObject(object, "reason", review->reason);
    cJSON_AddNumberToObject(object, "times", review->times);
    cJSON_AddNumberToObject(object, "first_day", (double)(review->first_day * day_s));
    cJSON_AddNumberToObject(object, "last_day", (double)(review->last_day * day_s));
    cJSON_AddNumberToObject(object, "answered_day", (double)(review->answered_day * day_s));
    cJSON_AddNumberToObject(object, "until", (double)review->until);
    cJSON_AddStringToObject(object, "answer", review->answer);
}

/* What the client is answered for the name now, in the words of `check`. NULL after a failure. */
static cJSON *check_now(struct control_call *call, int *ret_code)
{
    struct control_call inner = {call->backend, call->asker, call->request, cJSON_CreateObject(),
                                 call->diag};
    *ret_code = inner.reply ? control_do_check(&inner) : CONTROL_FAILED;
    if (*ret_code != CONTROL_DONE) {
        cJSON_Delete(inner.reply);
        return NULL;
    }
    return inner.reply;
}

static void copy(const cJSON *object, const char *key, char *out, size_t cap)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    snprintf(out, cap, "%s", text ? text : "");
}

/* Why it is not taken, for the page; "" = it is. */
static const char *take(struct control_call *call, struct review *wish, const char *text)
{
    struct addr client;
    struct diag aside = {0};
    struct reviews *reviews = call->backend->reviews;
    int64_t now = clock_wall_s(call->backend->clock);
    if (addr_parse(control_text(call, "client"), &client) < 0) {
        return "unknown";
    }
    if (!reviews_admit(reviews, client.bytes, sizeof(client.bytes), now)) {
        return "limit";
    }
    wish->last_day = now / day_s;
    int err = reviews_add(reviews, wish, text, &aside);
    cJSON_AddStringToObject(call->reply, "code", wish->code);
    return err == -ENOSPC ? "full" : err < 0 ? "failed" : "";
}

int control_do_review(struct control_call *call)
{
    char text[REVIEW_TEXT_OCTETS];
    struct addr addr;
    struct review wish = {.state = REVIEW_WAITING};
    int code = need_reviews(call);
    if (code == CONTROL_DONE && !control_copy_plain(call, "text", text, sizeof(text))) {
        code = diag_set(call->diag, CONTROL_USAGE, "text: at most %d plain characters",
                        REVIEW_TEXT_MAX);
    }
    if (code == CONTROL_DONE && addr_parse(control_text(call, "host"), &addr) == 0) {
        code = diag_set(call->diag, CONTROL_USAGE, "host: a domain name is expected");
    }
    cJSON *seen = code == CONTROL_DONE ? check_now(call, &code) : NULL;
    if (!seen) {
        return code;
    }
    copy(seen, "name", wish.name, sizeof(wish.name));
    copy(seen, "group", wish.group, sizeof(wish.group));
    copy(seen, "category", wish.category, sizeof(wish.category));
    copy(seen, "reason", wish.reason, sizeof(wish.reason));
    bool blocked = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(seen, "blocked"));
    bool admitted = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(seen, "admitted"));
    bool forwarder = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(seen, "forwarder"));
    cJSON_Delete(seen);
    const char *why = !admitted || forwarder ? "unknown"
                      : !blocked             ? "open"
                                             : take(call, &wish, text);
    cJSON_AddBoolToObject(call->reply, "taken", !*why);
    cJSON_AddStringToObject(call->reply, "why", why);
    return CONTROL_DONE;
}

static int find(struct control_call *call, struct review *ret_review)
{
    int code = need_reviews(call);
    if (code != CONTROL_DONE) {
        return code;
    }
    int err =
        reviews_find(call->backend->reviews, control_text(call, "code"), ret_review, call->diag);
    return err < 0 ? CONTROL_FAILED : CONTROL_DONE;
}

/* Is the rule that an approval made still in force? */
static bool is_open_still(const struct control_call *call, const struct review *review)
{
    char note[sizeof(((struct rule *)0)->note)];
    struct rule_list rules = {0};
    bool found = false;
    snprintf(note, sizeof(note), RULE_NOTE, review->code);
    if (rulechange_load(call, &rules) < 0) {
        return true; /* nobody can tell */
    }
    for (size_t i = 0; i < rules.count && !found; i++) {
        found = rules.items[i].allow && strcmp(rules.items[i].note, note) == 0;
    }
    rule_list_clear(&rules);
    return found;
}

int control_do_review_state(struct control_call *call)
{
    struct review review;
    struct diag *diag = call->diag;
    int code = find(call, &review);
    bool absent = code == CONTROL_FAILED && diag->text[0] && !diag->file[0];
    if (code != CONTROL_DONE && !absent) {
        return code;
    }
    cJSON_AddBoolToObject(call->reply, "known", !absent);
    if (!absent) {
        bool ended = review.state == REVIEW_APPROVED && !is_open_still(call, &review);
        add_review(call->reply, &review);
        if (ended) {
            cJSON_ReplaceItemInObject(call->reply, "state", cJSON_CreateString("ended"));
        }
    }
    return CONTROL_DONE;
}

struct listing {
    cJSON *array;
    size_t octets;
    bool cut;
};

static void list_one(void *context, const struct review *review,
                     const char *const texts[REVIEW_TEXTS_MAX + 1])
{
    struct listing *listing = context;
    cJSON *item = cJSON_CreateObject();
    add_review(item, review);
    cJSON *words = cJSON_AddArrayToObject(item, "texts");
    for (size_t i = 0; texts[i]; i++) {
        cJSON_AddItemToArray(words, cJSON_CreateString(texts[i]));
        listing->octets += 2 * strlen(texts[i]);
    }
    /* A quote may need a backslash. */
    listing->octets += 400 + 2 * (strlen(review->name) + strlen(review->group) +
                                  strlen(review->category) + strlen(review->answer));
    if (listing->octets > PAGE_OCTETS) {
        listing->cut = true;
        cJSON_Delete(item);
    } else {
        cJSON_AddItemToArray(listing->array, item);
    }
}

int control_do_reviews(struct control_call *call)
{
    int code = need_reviews(call);
    if (code != CONTROL_DONE) {
        return code;
    }
    struct listing listing = {.array = cJSON_AddArrayToObject(call->reply, "reviews")};
    const struct review_visitor visitor = {control_flag(call, "all"), list_one, &listing};
    int err = reviews_walk(call->backend->reviews, &visitor, call->diag);
    cJSON_AddBoolToObject(call->reply, "cut", listing.cut);
    return err < 0 ? CONTROL_FAILED : CONTROL_DONE;
}

/* The request, with the word back that goes to whoever asked. */
static int begin_answer(struct control_call *call, struct review *review)
{
    int code = find(call, review);
    if (code == CONTROL_DONE &&
        !control_copy_plain(call, "note", review->answer, sizeof(review->answer))) {
        code = diag_set(call->diag, CONTROL_USAGE, "note: at most %d plain octets",
                        REVIEW_ANSWER_MAX - 1);
    }
    return code;
}

static int end_answer(struct control_call *call, const struct review *review)
{
    int err = reviews_answer(call->backend->reviews, review, clock_wall_s(call->backend->clock),
                             call->diag);
    cJSON *item = cJSON_AddObjectToObject(call->reply, "review");
    add_review(item, review);
    return err < 0 ? CONTROL_FAILED : CONTROL_DONE;
}

/* An allow rule for the name and all below it, of the group that was asked for. */
static int make_rule(struct control_call *call, struct review *review)
{
    int64_t for_s = 0;
    struct rule rule = {.allow = true, .made_at = clock_wall_s(call->backend->clock)};
    int err = control_number(call, "for_s", 10LL * YEAR_S, &for_s);
    if (err == -EINVAL || (err == 0 && for_s == 0)) {
        return diag_set(call->diag, CONTROL_USAGE, "for_s: seconds, from 1 to ten years");
    }
    if (dname_parse(review->name, &rule.name) < 0) {
        return diag_set(call->diag, CONTROL_FAILED, "'%.100s' is no name", review->name);
    }
    if (!control_flag(call, "everybody")) {
        const struct snapshot *snapshot = call->backend->snapshot(call->backend->owner);
        snprintf(rule.group, sizeof(rule.group), "%s", review->group);
        if (!snapshot || snapshot_find_group(snapshot, rule.group) < 0) {
            return diag_set(call->diag, CONTROL_FAILED,
                            "there is no group '%.60s' any more; approve it for everybody",
                            rule.group);
        }
    }
    snprintf(rule.note, sizeof(rule.note), RULE_NOTE, review->code);
    rule.expires_at = review->until = for_s ? rule.made_at + for_s : 0;
    return rulechange_put(call, &rule);
}

/* A rule of the group's own comes before one for everybody. */
static void note_still_blocked(struct control_call *call, const struct review *review)
{
    struct diag aside = {0};
    cJSON *question = cJSON_CreateObject();
    struct control_call inner = {call->backend, call->asker, question, cJSON_CreateObject(),
                                 &aside};
    cJSON_AddStringToObject(question, "name", review->name);
    cJSON_AddStringToObject(question, "group", review->group);
    bool blocked = inner.reply && control_do_check(&inner) == CONTROL_DONE &&
                   cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(inner.reply, "blocked"));
    cJSON_AddBoolToObject(call->reply, "still_blocked", blocked);
    cJSON_Delete(question);
    cJSON_Delete(inner.reply);
}

int control_do_approve(struct control_call *call)
{
    struct review review;
    int code = begin_answer(call, &review);
    if (code == CONTROL_DONE) {
        code = make_rule(call, &review);
    }
    if (code != CONTROL_DONE) {
        return code;
    }
    review.state = REVIEW_APPROVED;
    if (end_answer(call, &review) != CONTROL_DONE) { /* the rule acts, so it is done and logged */
        cJSON_AddStringToObject(call->reply, "warning",
                                "the rule is in force, but the request could not be marked");
    }
    note_still_blocked(call, &review);
    return CONTROL_DONE;
}

int control_do_deny(struct control_call *call)
{
    struct review review;
    int code = begin_answer(call, &review);
    if (code == CONTROL_DONE && review.state == REVIEW_APPROVED && is_open_still(call, &review)) {
        code = diag_set(call->diag, CONTROL_FAILED,
                        "it was approved: take the rule back, `greengate rules remove %.200s`",
                        review.name);
    }
    if (code != CONTROL_DONE) {
        return code;
    }
    review.state = REVIEW_DENIED;
    review.until = 0;
    return end_answer(call, &review);
}
