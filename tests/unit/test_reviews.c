// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/reviews.h"

static const int64_t day_s = 86400, now = 1790000000, today = 20717;
static char folder[] = "/tmp/greengate-reviews-XXXXXX";
static char path[64];
static const struct review wish = {
    .name = "museum.example", .group = "pupils", .category = "games", .reason = "list"};

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(path, sizeof(path), "%s/requests.db", folder);
    return 0;
}

static int clear(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s/*", folder);
    return system(command);
}

static int tear_down(void **state)
{
    return clear(state) ? -1 : rmdir(folder);
}

static struct reviews *open_file(void)
{
    struct reviews *reviews = NULL;
    assert_int_equal(reviews_open(path, &reviews), 0);
    return reviews;
}

/* The code of a request on a day. */
static const char *add(struct reviews *reviews, const struct review *what, const char *text,
                       int64_t day)
{
    static struct review review;
    struct diag diag = {0};
    review = *what;
    review.last_day = day;
    if (reviews_add(reviews, &review, text, &diag) < 0) {
        fail_msg("%s: %s", diag.file, diag.text);
    }
    return review.code;
}

static int waiting(struct reviews *reviews)
{
    struct diag diag = {0};
    return reviews_waiting(reviews, &diag);
}

struct seen {
    unsigned count, texts;
    char names[8][256];
    char first_text[64];
};

static void see(void *context, const struct review *review,
                const char *const texts[REVIEW_TEXTS_MAX + 1])
{
    struct seen *seen = context;
    if (seen->count < 8) {
        snprintf(seen->names[seen->count], 256, "%s", review->name);
    }
    seen->count++;
    for (; texts[seen->texts] && seen->texts < REVIEW_TEXTS_MAX; seen->texts++) {
        if (seen->texts == 0) {
            snprintf(seen->first_text, sizeof(seen->first_text), "%s", texts[0]);
        }
    }
}

static struct seen walk(struct reviews *reviews, bool all)
{
    struct diag diag = {0};
    struct seen seen = {0};
    assert_int_equal(reviews_walk(reviews, &(struct review_visitor){all, see, &seen}, &diag), 0);
    return seen;
}

static void those_who_ask_for_the_same_share_a_code(void **state)
{
    char first[REVIEW_CODE_LEN + 1], second[REVIEW_CODE_LEN + 1];
    struct review review, other = wish;
    struct diag diag = {0};
    (void)state;
    struct reviews *reviews = open_file();
    snprintf(first, sizeof(first), "%s", add(reviews, &wish, "for history", today));
    snprintf(second, sizeof(second), "%s", add(reviews, &wish, "", today + 1));
    assert_string_equal(first, second);
    snprintf(other.group, sizeof(other.group), "staff");
    snprintf(second, sizeof(second), "%s", add(reviews, &other, "", today));
    assert_string_not_equal(first, second);
    assert_int_equal(reviews_find(reviews, first, &review, &diag), 0);
    assert_int_equal(review.times, 2);
    assert_int_equal(review.first_day, today);
    assert_int_equal(review.last_day, today + 1);
    assert_int_equal(review.state, REVIEW_WAITING);
    assert_int_equal(waiting(reviews), 2);
    reviews_close(reviews);
}

/* It stays over a restart; small letters are taken; the file is for the daemon's group alone. */
static void an_answer_is_found_by_its_code(void **state)
{
    char code[REVIEW_CODE_LEN + 1];
    struct review review;
    struct stat info;
    struct diag diag = {0};
    (void)state;
    struct reviews *reviews = open_file();
    snprintf(code, sizeof(code), "%s", add(reviews, &wish, "", today));
    assert_int_equal(reviews_find(reviews, code, &review, &diag), 0);
    review.state = REVIEW_DENIED;
    snprintf(review.answer, sizeof(review.answer), "see the library's page");
    assert_int_equal(reviews_answer(reviews, &review, now + day_s, &diag), 0);
    reviews_close(reviews);
    reviews = open_file();
    for (char *at = code; *at; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    assert_int_equal(reviews_find(reviews, code, &review, &diag), 0);
    assert_int_equal(review.state, REVIEW_DENIED);
    assert_string_equal(review.answer, "see the library's page");
    assert_int_equal(review.answered_day, today + 1);
    assert_int_equal(waiting(reviews), 0);
    assert_int_equal(walk(reviews, false).count, 0);
    assert_int_equal(walk(reviews, true).count, 1);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07, 0);
    /* After an answer the same wish is a new one. */
    char again[REVIEW_CODE_LEN + 1];
    snprintf(again, sizeof(again), "%s", add(reviews, &wish, "", today + 2));
    assert_int_equal(reviews_find(reviews, again, &review, &diag), 0);
    assert_int_equal(review.times, 1);
    reviews_close(reviews);
}

static void codes_that_are_none(void **state)
{
    static const char *const codes[] = {"",          "ABC",      "ABCDEFG!", "UUUUUUUU",
                                        "ABCDEFGHJ", "00000000", "' OR 1=1"};
    struct review review;
    struct diag diag = {0};
    (void)state;
    struct reviews *reviews = open_file();
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        assert_int_equal(reviews_find(reviews, codes[i], &review, &diag), -ENOENT);
    }
    reviews_close(reviews);
}

static void texts_are_few_and_each_once(void **state)
{
    char code[REVIEW_CODE_LEN + 1], text[20];
    (void)state;
    struct reviews *reviews = open_file();
    snprintf(code, sizeof(code), "%s", add(reviews, &wish, "it's \"for\" history", today));
    snprintf(code, sizeof(code), "%s", add(reviews, &wish, "it's \"for\" history", today));
    assert_int_equal(walk(reviews, false).texts, 1);
    assert_string_equal(walk(reviews, false).first_text, "it's \"for\" history");
    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof(text), "text %d", i);
        snprintf(code, sizeof(code), "%s", add(reviews, &wish, text, today));
    }
    assert_int_equal(walk(reviews, false).texts, REVIEW_TEXTS_MAX);
    reviews_close(reviews);
}

static void as_many_wait_as_may(void **state)
{
    struct review one = wish;
    struct diag diag = {0};
    (void)state;
    struct reviews *reviews = open_file();
    for (int i = 0; i < REVIEWS_WAITING_MAX; i++) {
        snprintf(one.name, sizeof(one.name), "n%d.example", i);
        add(reviews, &one, "", today);
    }
    add(reviews, &one, "", today); /* one that waits is still counted */
    snprintf(one.name, sizeof(one.name), "one-more.example");
    assert_int_equal(reviews_add(reviews, &one, "", &diag), -ENOSPC);
    assert_int_equal(reviews_expire(reviews, (today + REVIEW_KEEP_DAYS) * day_s, &diag), 0);
    assert_int_equal(waiting(reviews), REVIEWS_WAITING_MAX);
    /* Old ones make room. */
    add(reviews, &wish, "", today + REVIEW_KEEP_DAYS + 1);
    assert_int_equal(waiting(reviews), 1);
    assert_int_equal(reviews_expire(reviews, (today + 3 * REVIEW_KEEP_DAYS) * day_s, &diag), 0);
    assert_int_equal(walk(reviews, true).count, 0);
    reviews_close(reviews);
}

static void a_client_may_ask_a_few_times_an_hour(void **state)
{
    unsigned taken = 0;
    (void)state;
    struct reviews *reviews = open_file();
    for (int i = 0; i < 10; i++) {
        taken += reviews_admit(reviews, "a", 1, now);
    }
    assert_int_equal(taken, REVIEWS_HOURLY);
    assert_true(reviews_admit(reviews, "b", 1, now));
    assert_true(reviews_admit(reviews, "a", 1, now + 3600));
    for (int i = 0; i < 1000; i++) {
        taken += reviews_admit(reviews, &i, sizeof(i), now + 7200);
    }
    assert_int_equal(taken, REVIEWS_HOURLY + REVIEWS_HOURLY_ALL);
    reviews_close(reviews);
    assert_int_equal(access(path, F_OK), -1); /* nothing of it is written */
}

/* As /var is on OpenWrt. */
static void the_folder_may_be_a_link(void **state)
{
    char link[96], code[REVIEW_CODE_LEN + 1];
    (void)state;
    snprintf(link, sizeof(link), "%s/link", folder);
    assert_int_equal(symlink(".", link), 0);
    snprintf(link, sizeof(link), "%s/link/requests.db", folder);
    struct reviews *reviews = NULL;
    assert_int_equal(reviews_open(link, &reviews), 0);
    snprintf(code, sizeof(code), "%s", add(reviews, &wish, "", today));
    assert_int_equal(strlen(code), REVIEW_CODE_LEN);
    reviews_close(reviews);
}

/* What is there already is not touched, and said. */
static void files_that_are_none_of_ours(void **state)
{
    char code[REVIEW_CODE_LEN + 1];
    struct diag diag = {0};
    struct review one = wish;
    (void)state;
    FILE *file = fopen(path, "w");
    fputs("this is no database, and long enough to be seen as something that was damaged once",
          file);
    fclose(file);
    struct reviews *reviews = open_file();
    assert_int_equal(reviews_add(reviews, &one, "", &diag), -EBADMSG);
    assert_string_equal(diag.file, path);
    assert_true(waiting(reviews) < 0);
    /* Once it is moved away, all is well without a restart. */
    assert_int_equal(unlink(path), 0);
    snprintf(code, sizeof(code), "%s", add(reviews, &wish, "", today));
    reviews_close(reviews);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    reviews = open_file();
    assert_true(reviews_add(reviews, &one, "", &diag) < 0);
    assert_true(waiting(reviews) < 0);
    reviews_close(reviews);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(those_who_ask_for_the_same_share_a_code, clear),
        cmocka_unit_test_teardown(an_answer_is_found_by_its_code, clear),
        cmocka_unit_test_teardown(codes_that_are_none, clear),
        cmocka_unit_test_teardown(texts_are_few_and_each_once, clear),
        cmocka_unit_test_teardown(as_many_wait_as_may, clear),
        cmocka_unit_test_teardown(a_client_may_ask_a_few_times_an_hour, clear),
        cmocka_unit_test_teardown(the_folder_may_be_a_link, clear),
        cmocka_unit_test_teardown(files_that_are_none_of_ours, clear),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
