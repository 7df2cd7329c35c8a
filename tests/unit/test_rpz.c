// SPDX-License-Identifier: Apache-2.0
/* RPZ zones: local data, the version, and what a record may take at most. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blocklists/scan.h"

struct seen {
    unsigned names, local;
    char last[DNAME_TEXT_MAX];
    uint8_t data[4096];
    size_t data_len;
};

static void note(void *arg, const struct scan_entry *entry)
{
    struct seen *seen = arg;
    seen->names++;
    dname_print(&entry->name, seen->last);
    if (entry->action == BLOCKDB_LOCAL) {
        assert_in_range(entry->data.len, 1, sizeof(seen->data) - seen->data_len);
        memcpy(seen->data + seen->data_len, entry->data.text, entry->data.len);
        seen->data_len += entry->data.len;
        seen->local++;
    }
}

static struct seen seen;
static struct source_report report;

static void scan(const char *text, size_t len, bool local_data)
{
    struct line_sink *sink = calloc(1, sizeof(*sink));
    seen = (struct seen){0};
    report = (struct source_report){0};
    sink->format = format_find(FORMAT_RPZ);
    sink->report = &report;
    sink->local_data = local_data;
    sink->on_entry = note;
    sink->arg = &seen;
    scan_feed(sink, (const uint8_t *)text, len);
    scan_end(sink);
    free(sink);
}

static void scan_text(const char *text, bool local_data)
{
    scan(text, strlen(text), local_data);
}

static void assert_data(const char *octets, size_t len)
{
    assert_int_equal(seen.data_len, len);
    assert_memory_equal(seen.data, octets, len);
}

#define DATA(octets) assert_data(octets, sizeof(octets) - 1)

/* Only a source that says `local_data: true` may send a name somewhere. */
static void local_data_is_honoured_when_allowed(void **state)
{
    (void)state;
    const char *zone = "$TTL 60\na.example A 192.0.2.1\n";
    scan_text(zone, false);
    assert_int_equal(seen.names, 1);
    assert_int_equal(seen.local, 0);
    scan_text(zone, true);
    assert_int_equal(seen.local, 1);
    DATA("\0\1\0\0\0\x3c\0\4\xc0\0\2\1");
}

static void local_data_of_each_type(void **state)
{
    (void)state;
    scan_text("a.example 5 AAAA 2001:db8::1\n", true);
    DATA("\0\x1c\0\0\0\5\0\x10\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1");
    scan_text("a.example 5 TXT \"x ; ( y\" z\n", true);
    DATA("\0\x10\0\0\0\5\0\x0a\7x ; ( y\1z");
    scan_text("a.example 5 MX 10 m.example.\n", true);
    DATA("\0\x0f\0\0\0\5\0\x0d\0\x0a\1m\7example\0");
    scan_text("*.a.example 5 CNAME *.w.example.\n", true);
    DATA("\0\5\0\0\0\5\0\x0d\1*\1w\7example\0");
    scan_text("$ORIGIN rpz.test.\na.example 5 CNAME g\n", true);
    DATA("\0\5\0\0\0\5\0\x0c\1g\3rpz\4test\0");
    scan_text("a.example 5 A 192.0.2.1\n  A 192.0.2.2\n", true);
    assert_int_equal(seen.local, 2);
}

/* The actions are no data, whatever the source may say. */
static void actions_stay_actions(void **state)
{
    (void)state;
    scan_text("a.example CNAME .\nb.example CNAME *.\nc.example CNAME rpz-drop.\n", true);
    assert_int_equal(seen.names, 3);
    assert_int_equal(seen.local, 0);
}

static void serial_is_the_version(void **state)
{
    (void)state;
    scan_text("; Updated: yesterday\n$ORIGIN rpz.test.\n@ IN SOA a. b. (\n 2026112501 ; serial\n"
              " 1h 15m 30d 2h )\na.example CNAME .\n",
              false);
    assert_string_equal(report.version, "2026112501");
    assert_int_equal(seen.names, 1);
    scan_text("a.example CNAME .\n", false);
    assert_string_equal(report.version, "");
}

/* A record of 64 KiB is one; of more it is none, and the next is whole again. */
static void records_are_bounded(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        char *text = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&text, &len);
        fprintf(out, "a.example (\n");
        for (unsigned i = 0; i < (over ? 17 : 15); i++) {
            fprintf(out, "%4000s; %90s\n", "", "");
        }
        fprintf(out, " CNAME . )\nb.example CNAME .\n");
        fclose(out);
        scan(text, len, false);
        free(text);
        assert_int_equal(seen.names, over ? 1 : 2);
        assert_string_equal(seen.last, "b.example");
        assert_true(over ? report.skipped[SKIP_RECORD] > 0 : report.skipped[SKIP_RECORD] == 0);
    }
}

static void many_lines_are_bounded(void **state)
{
    (void)state;
    for (unsigned lines = ZONE_LINES_MAX; lines <= ZONE_LINES_MAX + 1; lines++) {
        char text[2 * ZONE_LINES_MAX + 64] = "a.example (\n";
        size_t len = strlen(text);
        for (unsigned i = 0; i < lines - 2; i++) {
            text[len++] = '\n';
        }
        len += (size_t)snprintf(text + len, sizeof(text) - len, "CNAME .)\nb.example CNAME .\n");
        scan(text, len, false);
        assert_int_equal(seen.names, lines == ZONE_LINES_MAX ? 2 : 1);
        assert_string_equal(seen.last, "b.example");
    }
}

/* A quote names the line that was wrong, also behind a parenthesis that stayed open. */
static void quotes_name_the_line(void **state)
{
    (void)state;
    scan_text("a.example CNAME .\nb.example (\nc.example CNAME .\nd.example CNAME\n", false);
    assert_int_equal(seen.names, 2);
    assert_int_equal(report.quote_count, 2);
    assert_int_equal(report.quotes[0].line, 2);
    assert_string_equal(report.quotes[0].text, "b.example (");
    assert_int_equal(report.quotes[1].line, 4);
}

/* What opens in each line costs no more than its length, however many there are. */
static void open_parentheses_cost_little(void **state)
{
    (void)state;
    size_t len = 4 << 20;
    char *text = malloc(len);
    for (size_t i = 0; i < len; i++) {
        text[i] = "(x\n"[i % 3];
    }
    scan(text, len, false);
    free(text);
    assert_int_equal(seen.names, 0);
    assert_int_equal(report.skipped[SKIP_RECORD], (len + 2) / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(local_data_is_honoured_when_allowed),
        cmocka_unit_test(local_data_of_each_type),
        cmocka_unit_test(actions_stay_actions),
        cmocka_unit_test(serial_is_the_version),
        cmocka_unit_test(records_are_bounded),
        cmocka_unit_test(many_lines_are_bounded),
        cmocka_unit_test(quotes_name_the_line),
        cmocka_unit_test(open_parentheses_cost_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
