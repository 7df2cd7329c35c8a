// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backend.h"
#include "control/status.h"
#include "policy/explain.h"
#include "store/rulefile.h"

static int set_up(void **state)
{
    *state = test_backend_new();
    return 0;
}

static int tear_down(void **state)
{
    test_backend_free(*state);
    return 0;
}

static cJSON *ask_as(struct test_backend *backend, enum control_role role, const char *text)
{
    cJSON *request = cJSON_Parse(text);
    assert_non_null(request);
    cJSON *reply = control_answer(&backend->control,
                                  &(struct control_asker){.role = role, .request = request});
    assert_non_null(reply);
    cJSON_Delete(request);
    return reply;
}

static cJSON *ask(struct test_backend *backend, const char *text)
{
    return ask_as(backend, ROLE_ADMIN, text);
}

static bool is_ok(const cJSON *reply)
{
    return cJSON_IsTrue(cJSON_GetObjectItem(reply, "ok"));
}

static const char *text_of(const cJSON *reply, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(reply, key));
    return text ? text : "";
}

static double number_of(const cJSON *reply, const char *key)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItem(reply, key));
}

static void must_succeed(struct test_backend *backend, const char *text)
{
    cJSON *reply = ask(backend, text);
    if (!is_ok(reply)) {
        fail_msg("%s: %s", text, text_of(reply, "error"));
    }
    cJSON_Delete(reply);
}

static const struct {
    const char *name, *request;
    enum control_role role;
    int exit;
    const char *says;
} wrong_requests[] = {
    {"no command", "{}", ROLE_ADMIN, 2, "no command"},
    {"command is a number", "{\"command\": 7}", ROLE_ADMIN, 2, "no command"},
    {"unknown command", "{\"command\": \"dance\"}", ROLE_ADMIN, 2, "unknown command"},
    {"web may not block", "{\"command\": \"block\", \"name\": \"a.example\"}", ROLE_WEB, 1,
     "not allowed"},
    {"web may not see rules", "{\"command\": \"rules\"}", ROLE_WEB, 1, "not allowed"},
    {"web alone may not see sums", "{\"command\": \"stats\"}", ROLE_WEB, 1, "not allowed"},
    {"web alone may not ask about others", "{\"command\": \"check\", \"name\": \"a.example\"}",
     ROLE_WEB, 1, "not allowed"},
    {"a viewer may not allow", "{\"command\": \"allow\", \"name\": \"a.example\"}", ROLE_VIEWER, 1,
     "not allowed"},
    {"a teacher may not change lists", "{\"command\": \"change\"}", ROLE_TEACHER, 1, "not allowed"},
    {"a collector may not see rules", "{\"command\": \"rules\"}", ROLE_METRICS, 1, "not allowed"},
    {"nobody is signed in without accounts", "{\"command\": \"status\", \"session\": \"x\"}",
     ROLE_WEB, 1, "not signed in"},
    {"an admin socket cannot sign in", "{\"command\": \"sign-in\"}", ROLE_ADMIN, 1, "not allowed"},
    {"no accounts, no list of them", "{\"command\": \"accounts\"}", ROLE_ADMIN, 1,
     "nobody can sign in"},
    {"an update of what", "{\"command\": \"update-request\", \"what\": \"rm\"}", ROLE_ADMIN, 2,
     "what:"},
    {"a rollback to what", "{\"command\": \"update-request\", \"what\": \"rollback\"}", ROLE_ADMIN,
     2, "generation:"},
    {"web may not reload", "{\"command\": \"reload\"}", ROLE_WEB, 1, "not allowed"},
    {"allow without a name", "{\"command\": \"allow\"}", ROLE_ADMIN, 2, "name:"},
    {"allow of the root", "{\"command\": \"allow\", \"name\": \".\"}", ROLE_ADMIN, 2, "name:"},
    {"allow with a bad name", "{\"command\": \"allow\", \"name\": \"a..b\"}", ROLE_ADMIN, 2,
     "name:"},
    {"name is a list", "{\"command\": \"allow\", \"name\": [1]}", ROLE_ADMIN, 2, "name:"},
    {"group is a number", "{\"command\": \"allow\", \"name\": \"a.b\", \"group\": 4}", ROLE_ADMIN,
     2, "group:"},
    {"exact is a text", "{\"command\": \"allow\", \"name\": \"a.b\", \"exact\": \"x\"}", ROLE_ADMIN,
     2, "exact:"},
    {"mistyped member", "{\"command\": \"block\", \"name\": \"a.b\", \"for\": 7}", ROLE_ADMIN, 2,
     "for: unknown member"},
    {"unknown group", "{\"command\": \"allow\", \"name\": \"a.b\", \"group\": \"x\"}", ROLE_ADMIN,
     2, "no group is named x"},
    {"negative time", "{\"command\": \"allow\", \"name\": \"a.b\", \"for_s\": -1}", ROLE_ADMIN, 2,
     "for_s"},
    {"no time", "{\"command\": \"allow\", \"name\": \"a.b\", \"for_s\": 0}", ROLE_ADMIN, 2,
     "for_s"},
    {"endless time", "{\"command\": \"allow\", \"name\": \"a.b\", \"for_s\": 1e300}", ROLE_ADMIN, 2,
     "for_s"},
    {"half a second", "{\"command\": \"allow\", \"name\": \"a.b\", \"for_s\": 1.5}", ROLE_ADMIN, 2,
     "for_s"},
    {"note with an escape",
     "{\"command\": \"allow\", \"name\": \"a.b\", \"note\": "
     "\"\\u001b[2J\"}",
     ROLE_ADMIN, 2, "note"},
    {"remove what is not there", "{\"command\": \"remove\", \"name\": \"a.b\"}", ROLE_ADMIN, 1,
     "no rule"},
    {"rules from nowhere", "{\"command\": \"rules\", \"offset\": \"x\"}", ROLE_ADMIN, 2, "offset"},
    {"check without a name", "{\"command\": \"check\"}", ROLE_ADMIN, 2, "name:"},
    {"check for no client", "{\"command\": \"check\", \"name\": \"a.b\", \"client\": \"x\"}",
     ROLE_ADMIN, 2, "client:"},
    {"check for no group", "{\"command\": \"check\", \"name\": \"a.b\", \"group\": \"x\"}",
     ROLE_ADMIN, 2, "no group"},
    {"stats by client", "{\"command\": \"stats\", \"by\": \"client\"}", ROLE_ADMIN, 2, "by:"},
    {"stats since never", "{\"command\": \"stats\", \"since\": null}", ROLE_ADMIN, 2, "since"},
    {"web may not change lists", "{\"command\": \"change\"}", ROLE_WEB, 1, "not allowed"},
    {"change by a list", "{\"command\": \"change\", \"put\": []}", ROLE_ADMIN, 2, "put:"},
    {"change of a server's setting",
     "{\"command\": \"change\", \"put\": {\"server\": {\"workers\": 1}}}", ROLE_ADMIN, 2,
     "only lists.sources"},
    {"change to what is no URL",
     "{\"command\": \"change\", \"put\": {\"lists\": {\"sources\": [{\"id\": \"a\", "
     "\"category\": \"ads\", \"url\": \"ftp://a\"}]}}}",
     ROLE_ADMIN, 2, "not an https://"},
    {"removal of a number", "{\"command\": \"change\", \"remove\": [1]}", ROLE_ADMIN, 2, "remove:"},
    {"removal of what is not there", "{\"command\": \"change\", \"remove\": [\"a\"]}", ROLE_ADMIN,
     1, "no list a"},
};

static void wrong_requests_are_refused(void **state)
{
    struct test_backend *backend = *state;
    for (size_t i = 0; i < sizeof(wrong_requests) / sizeof(wrong_requests[0]); i++) {
        cJSON *reply = ask_as(backend, wrong_requests[i].role, wrong_requests[i].request);
        if (is_ok(reply) || number_of(reply, "exit") != wrong_requests[i].exit ||
            !strstr(text_of(reply, "error"), wrong_requests[i].says)) {
            fail_msg("%s: %s", wrong_requests[i].name, cJSON_Print(reply));
        }
        cJSON_Delete(reply);
    }
    struct stat info;
    assert_int_equal(stat(backend->rules_path, &info), -1);
}

static void status_tells_state_and_numbers(void **state)
{
    cJSON *reply = ask_as(*state, ROLE_WEB, "{\"command\": \"status\"}");
    assert_true(is_ok(reply));
    assert_string_equal(text_of(reply, "state"), "degraded");
    const cJSON *reasons = cJSON_GetObjectItem(reply, "reasons");
    assert_string_equal(cJSON_GetArrayItem(reasons, 0)->valuestring, "no upstream answers");
    assert_int_equal(number_of(reply, "queries"), 10);
    const cJSON *lists = cJSON_GetObjectItem(reply, "lists");
    assert_string_equal(text_of(lists, "generation"), "fedcba9876543210");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(lists, "sources")), 1);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(reply, "upstreams")), 1);
    cJSON_Delete(reply);
}

static void a_rule_acts_at_once_and_is_kept(void **state)
{
    struct test_backend *backend = *state;
    must_succeed(backend, "{\"command\": \"block\", \"name\": \"Games.Example.\", "
                          "\"group\": \"pupils\", \"note\": \"exam week\", \"for_s\": 7200}");
    assert_int_equal(backend->rules_set, 1);
    cJSON *reply = ask(backend, "{\"command\": \"why\", \"host\": \"www.games.example\", "
                                "\"client\": \"10.1.2.3\"}");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(reply, "blocked")));
    assert_string_equal(text_of(reply, "reason"), "block-rule");
    assert_string_equal(text_of(reply, "group"), "pupils");
    assert_string_equal(text_of(reply, "entry"), "games.example");
    cJSON_Delete(reply);
    reply = ask(backend, "{\"command\": \"check\", \"name\": \"games.example\"}");
    assert_false(cJSON_IsTrue(cJSON_GetObjectItem(reply, "blocked")));
    assert_string_equal(text_of(reply, "group"), "rest");
    cJSON_Delete(reply);

    struct rule_list rules = {0};
    assert_int_equal(rulefile_load(backend->rules_path, &rules, NULL), 0);
    assert_int_equal(rules.count, 1);
    assert_string_equal(rules.items[0].note, "exam week");
    assert_int_equal(rules.items[0].expires_at - rules.items[0].made_at, 7200);
    rule_list_clear(&rules);
}

static void a_rule_is_replaced_listed_and_taken_back(void **state)
{
    struct test_backend *backend = *state;
    must_succeed(backend, "{\"command\": \"block\", \"name\": \"a.example\"}");
    must_succeed(backend, "{\"command\": \"allow\", \"name\": \"a.example\"}");
    must_succeed(backend,
                 "{\"command\": \"allow\", \"name\": \"b.example\", \"group\": \"pupils\"}");
    cJSON *reply = ask(backend, "{\"command\": \"rules\"}");
    const cJSON *rules = cJSON_GetObjectItem(reply, "rules");
    assert_int_equal(number_of(reply, "count"), 2);
    assert_string_equal(text_of(cJSON_GetArrayItem(rules, 0), "action"), "allow");
    assert_string_equal(text_of(cJSON_GetArrayItem(rules, 1), "group"), "pupils");
    cJSON_Delete(reply);
    reply = ask(backend, "{\"command\": \"rules\", \"offset\": 1}");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(reply, "rules")), 1);
    cJSON_Delete(reply);

    reply = ask(backend, "{\"command\": \"remove\", \"name\": \"b.example\"}");
    assert_false(is_ok(reply));
    assert_non_null(strstr(text_of(reply, "error"), "pupils"));
    cJSON_Delete(reply);
    reply = ask(backend, "{\"command\": \"remove\", \"name\": \"a.example\", "
                         "\"action\": \"block\"}");
    assert_false(is_ok(reply));
    cJSON_Delete(reply);
    must_succeed(backend, "{\"command\": \"remove\", \"name\": \"a.example\"}");
    must_succeed(backend,
                 "{\"command\": \"remove\", \"name\": \"b.example\", \"group\": \"pupils\"}");
    assert_int_equal(backend->rules_set, 0);
}

static void every_page_of_rules_fits_a_frame(void **state)
{
    struct test_backend *backend = *state;
    struct rule_list rules = {.count = 5000};
    rules.items = calloc(rules.count, sizeof(*rules.items));
    for (size_t i = 0; i < rules.count; i++) {
        char name[64];
        snprintf(name, sizeof(name), "name%zu.with-a-longer-label.example", i);
        assert_int_equal(dname_parse(name, &rules.items[i].name), 0);
        memset(rules.items[i].note, i % 2 ? '"' : 'x', RULE_NOTE_MAX - 1);
    }
    assert_int_equal(rulefile_save(backend->rules_path, &rules, NULL), 0);
    int got = 0, pages = 0;
    while (got < (int)rules.count) {
        char request[64];
        size_t len = 0;
        snprintf(request, sizeof(request), "{\"command\": \"rules\", \"offset\": %d}", got);
        cJSON *reply = ask(backend, request);
        uint8_t *frame = client_frame(reply, &len);
        int page = cJSON_GetArraySize(cJSON_GetObjectItem(reply, "rules"));
        assert_non_null(frame);
        assert_true(page > 0);
        got += page;
        pages++;
        free(frame);
        cJSON_Delete(reply);
    }
    assert_int_equal(got, rules.count);
    assert_in_range(pages, 2, 10);
    rule_list_clear(&rules);
}

static void a_rule_that_cannot_act_is_not_kept(void **state)
{
    struct test_backend *backend = *state;
    must_succeed(backend, "{\"command\": \"block\", \"name\": \"a.example\"}");
    backend->set_rules_result = -ENOMEM;
    cJSON *reply = ask(backend, "{\"command\": \"block\", \"name\": \"b.example\"}");
    assert_false(is_ok(reply));
    assert_non_null(strstr(text_of(reply, "error"), "no memory for rules"));
    cJSON_Delete(reply);
    struct rule_list rules = {0};
    assert_int_equal(rulefile_load(backend->rules_path, &rules, NULL), 0);
    assert_int_equal(rules.count, 1);
    rule_list_clear(&rules);
}

static void a_broken_rule_file_is_not_overwritten(void **state)
{
    struct test_backend *backend = *state;
    char text[64] = "";
    FILE *file = fopen(backend->rules_path, "w");
    assert_non_null(file);
    fputs("rules: broken\n", file);
    fclose(file);
    cJSON *reply = ask(backend, "{\"command\": \"block\", \"name\": \"b.example\"}");
    assert_false(is_ok(reply));
    assert_non_null(strstr(text_of(reply, "error"), "rules.yaml:1"));
    cJSON_Delete(reply);
    file = fopen(backend->rules_path, "r");
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    assert_string_equal(text, "rules: broken\n");
}

static void sums_come_as_columns_and_rows(void **state)
{
    struct test_backend *backend = *state;
    const struct stats_event event = {.verdict = STATS_ANSWERED, .type = 1, .latency_us = 100};
    stats_count(backend->worker, &event);
    stats_count(backend->worker, &event);
    cJSON *reply = ask_as(backend, ROLE_VIEWER, "{\"command\": \"stats\", \"by\": \"group\"}");
    const cJSON *row = cJSON_GetArrayItem(cJSON_GetObjectItem(reply, "rows"), 0);
    assert_true(is_ok(reply));
    assert_int_equal(cJSON_GetArraySize(row),
                     cJSON_GetArraySize(cJSON_GetObjectItem(reply, "columns")));
    assert_string_equal(cJSON_GetArrayItem(row, 0)->valuestring, "pupils");
    assert_int_equal(cJSON_GetArrayItem(row, 1)->valueint, 2);
    assert_int_equal(number_of(cJSON_GetObjectItem(reply, "totals"), "answered"), 2);
    assert_int_equal(number_of(cJSON_GetObjectItem(reply, "totals"), "latency_mean_us"), 100);
    cJSON_Delete(reply);
}

static void reload_says_what_is_wrong(void **state)
{
    struct test_backend *backend = *state;
    must_succeed(backend, "{\"command\": \"reload\"}");
    backend->reload_result = -EINVAL;
    cJSON *reply = ask(backend, "{\"command\": \"reload\"}");
    assert_int_equal(number_of(reply, "exit"), 4);
    assert_string_equal(text_of(reply, "error"), "greengate.yaml:3:5: unknown key");
    cJSON_Delete(reply);
}

static const char add_list[] =
    "{\"command\": \"change\", \"put\": {\"lists\": {\"sources\": [{\"id\": \"a\", \"url\": "
    "\"https://l.example/\", \"category\": \"ads\"}]}}}";

static void a_change_is_written_and_taken_back(void **state)
{
    struct stat info;
    struct test_backend *backend = *state;
    cJSON *reply = ask(backend, add_list);
    assert_true(is_ok(reply));
    assert_int_equal(stat(text_of(reply, "file"), &info), 0);
    cJSON_Delete(reply);
    must_succeed(backend, "{\"command\": \"change\", \"remove\": [\"a\"]}");
    reply = ask(backend, "{\"command\": \"change\", \"remove\": [\"a\"]}");
    assert_int_equal(number_of(reply, "exit"), 1);
    cJSON_Delete(reply);
}

static void a_change_that_cannot_act_is_not_kept(void **state)
{
    struct stat info;
    char path[160];
    struct test_backend *backend = *state;
    backend->reload_result = -EIO;
    cJSON *reply = ask(backend, add_list);
    assert_int_equal(number_of(reply, "exit"), 1);
    assert_non_null(strstr(text_of(reply, "error"), "unknown key"));
    snprintf(path, sizeof(path), "%s/managed.yaml", backend->folder);
    assert_int_equal(stat(path, &info), -1);
    cJSON_Delete(reply);
}

static void a_change_removes_so_many_and_no_more(void **state)
{
    for (int count = 256; count <= 257; count++) {
        cJSON *request = cJSON_CreateObject();
        cJSON_AddStringToObject(request, "command", "change");
        cJSON *ids = cJSON_AddArrayToObject(request, "remove");
        for (int i = 0; i < count; i++) {
            cJSON_AddItemToArray(ids, cJSON_CreateString("a"));
        }
        char *text = cJSON_PrintUnformatted(request);
        cJSON *reply = ask(*state, text);
        assert_int_equal(number_of(reply, "exit"), count == 256 ? 1 : 2);
        cJSON_Delete(reply);
        cJSON_Delete(request);
        cJSON_free(text);
    }
}

static struct daemon_devices devices;

static void give_devices(void *owner, struct daemon_devices *ret_devices)
{
    (void)owner;
    *ret_devices = devices;
}

/* One alert, when many devices are silent and it is not too early to tell. */
static void radar_tells_of_silent_devices(void **state)
{
    struct test_backend *backend = *state;
    static const struct {
        unsigned all, silent;
        int64_t up_s;
        bool alert;
    } cases[] = {
        {10, 4, 7200, true},    {10, 4, 600, false},   {10, 3, 7200, false},
        {2, 1, 7200, false},    {10, 10, 7200, false}, /* a forwarder asks for them */
        {600, 300, 7200, true},
    };
    backend->control.devices = give_devices;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        devices = (struct daemon_devices){.known = true, .up_s = cases[i].up_s};
        devices.devices[0] = cases[i].all / 2;
        devices.silent[0] = cases[i].silent / 2;
        devices.devices[1] = cases[i].all - devices.devices[0];
        devices.silent[1] = cases[i].silent - devices.silent[0];
        cJSON *reply = ask(backend, "{\"command\":\"radar\"}");
        assert_true(is_ok(reply));
        if ((*text_of(reply, "alert") != 0) != cases[i].alert) {
            fail_msg("%u of %u: '%s'", cases[i].silent, cases[i].all, text_of(reply, "alert"));
        }
        cJSON_Delete(reply);
    }
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(wrong_requests_are_refused),
        ROW(status_tells_state_and_numbers),
        ROW(a_rule_acts_at_once_and_is_kept),
        ROW(a_rule_is_replaced_listed_and_taken_back),
        ROW(every_page_of_rules_fits_a_frame),
        ROW(a_rule_that_cannot_act_is_not_kept),
        ROW(a_broken_rule_file_is_not_overwritten),
        ROW(sums_come_as_columns_and_rows),
        ROW(reload_says_what_is_wrong),
        ROW(radar_tells_of_silent_devices),
        ROW(a_change_is_written_and_taken_back),
        ROW(a_change_that_cannot_act_is_not_kept),
        ROW(a_change_removes_so_many_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
