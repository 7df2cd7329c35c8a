// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"

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

static cJSON *ask(struct test_backend *backend)
{
    cJSON *request = cJSON_Parse("{\"command\": \"metrics\"}");
    cJSON *reply = control_answer(&backend->control,
                                  &(struct control_asker){.role = ROLE_WEB, .request = request});
    cJSON_Delete(request);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(reply, "ok")));
    return reply;
}

static bool has_line(const cJSON *reply, const char *want)
{
    const cJSON *line;
    cJSON_ArrayForEach(line, cJSON_GetObjectItem(reply, "lines"))
    {
        if (strcmp(line->valuestring, want) == 0) {
            return true;
        }
    }
    return false;
}

static void count(struct test_backend *backend, const struct stats_event *event)
{
    stats_count(backend->worker, event);
}

static void sums_stand_under_their_labels(void **state)
{
    static const char *const lines[] = {
        "greengate_dns_requests_total{transport=\"udp\",type=\"AAAA\"} 1",
        "greengate_dns_requests_total{transport=\"tcp\",type=\"A\"} 2",
        "greengate_dns_responses_total{rcode=\"NXDOMAIN\",source=\"upstream\"} 1",
        "greengate_dns_responses_total{rcode=\"NOERROR\",source=\"policy\"} 2",
        "greengate_dns_request_duration_seconds_bucket{le=\"0.00025\"} 1",
        "greengate_dns_request_duration_seconds_bucket{le=\"0.0005\"} 2",
        "greengate_dns_request_duration_seconds_bucket{le=\"0.001\"} 2",
        "greengate_dns_request_duration_seconds_bucket{le=\"+Inf\"} 3",
        "greengate_dns_request_duration_seconds_sum 20.0005",
        "greengate_dns_request_duration_seconds_count 3",
        "greengate_blocked_total{category=\"odd \\\"one\\\\\",group=\"pupils\"} 2",
        "greengate_protected 0.5",
    };
    struct test_backend *backend = *state;
    uint16_t group = stats_name_group(backend->stats, "pupils");
    uint16_t category = stats_name_category(backend->stats, "odd \"one\\");
    count(backend, &(struct stats_event){.group = group,
                                         .type = 28,
                                         .rcode = 3,
                                         .origin = STATS_UPSTREAM,
                                         .latency_us = 20000000});
    count(backend, &(struct stats_event){.group = group,
                                         .category = category,
                                         .type = 1,
                                         .verdict = STATS_BLOCKED,
                                         .transport = STATS_TCP,
                                         .origin = STATS_POLICY,
                                         .latency_us = 100});
    count(backend, &(struct stats_event){.group = group,
                                         .category = category,
                                         .type = 1,
                                         .verdict = STATS_BLOCKED,
                                         .transport = STATS_TCP,
                                         .origin = STATS_POLICY,
                                         .latency_us = 400});
    cJSON *reply = ask(backend);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (!has_line(reply, lines[i])) {
            fail_msg("no line %s in %s", lines[i], cJSON_Print(reply));
        }
    }
    cJSON_Delete(reply);
}

/* Behind one label's closing quote, or NULL. */
static const char *skip_label(const char *at)
{
    size_t name = strspn(at, "abcdefghijklmnopqrstuvwxyz_");
    if (name == 0 || strncmp(at + name, "=\"", 2) != 0) {
        return NULL;
    }
    for (at += name + 2; *at && *at != '"'; at++) {
        at += *at == '\\' && at[1];
    }
    return *at ? at + 1 : NULL;
}

/* name{label="value",...} number: as the exposition format has it. */
static bool is_sample(const char *line)
{
    const char *at = line + strspn(line, "abcdefghijklmnopqrstuvwxyz_");
    if (strncmp(line, "greengate_", 10) != 0) {
        return false;
    }
    if (*at == '{') {
        do {
            at = skip_label(at + 1);
        } while (at && *at == ',');
        if (!at || *at++ != '}') {
            return false;
        }
    }
    char *end;
    if (*at != ' ' || isspace((unsigned char)at[1])) {
        return false;
    }
    strtod(at + 1, &end);
    return end > at + 1 && *end == '\0';
}

static void every_line_keeps_to_the_format(void **state)
{
    cJSON *reply = ask(*state);
    const cJSON *line;
    char family[128] = "";
    cJSON_ArrayForEach(line, cJSON_GetObjectItem(reply, "lines"))
    {
        const char *text = line->valuestring;
        if (strncmp(text, "# HELP ", 7) == 0) {
            size_t len = strcspn(text + 7, " ");
            assert_in_range(len, 11, sizeof(family) - 1);
            memcpy(family, text + 7, len);
            family[len] = '\0';
        } else if (strncmp(text, "# TYPE ", 7) == 0) {
            assert_memory_equal(text + 7, family, strlen(family));
        } else {
            print_message("%s\n", text);
            assert_true(is_sample(text));
            assert_memory_equal(text, family, strlen(family));
        }
    }
    cJSON_Delete(reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sums_stand_under_their_labels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_line_keeps_to_the_format, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
