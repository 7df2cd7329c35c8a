// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include <time.h>

#include "base/version.h"
#include "tools/selftest.h"

static const char style[] =
    "@page{size:A4;margin:16mm}body{margin:0 auto;max-width:52rem;padding:2rem 1.5rem;"
    "color:#1c2a24;background:#fff;font:15px/1.55 system-ui,\"Apple SD Gothic Neo\","
    "\"Malgun Gothic\",\"Noto Sans KR\",\"Noto Sans CJK KR\",sans-serif;word-break:keep-all}"
    "h1{margin:0;font-size:1.7rem}table{width:100%;border-collapse:collapse;margin:1rem 0}"
    "th,td{padding:.25rem .5rem;border-bottom:1px solid #d5e0da;text-align:start;"
    "vertical-align:top}tr{break-inside:avoid}thead{display:table-header-group}"
    ".fault{font-weight:bold;color:#a02020}.sub{color:#4c5f56;margin:.2rem 0}"
    ".sum{background:#edf5f0;border-radius:8px;padding:.75rem 1rem}"
    ".sign{margin-top:3rem;border-top:1px solid #4c5f56;width:18rem;padding-top:.3rem}"
    "@media print{body{padding:0;max-width:none}}";

struct sheet {
    const struct selftest *test;
    FILE *out;
    bool html;
};

static void put(const struct sheet *sheet, const char *text)
{
    for (; *text; text++) {
        const char *entity = *text == '&'   ? "&amp;"
                             : *text == '<' ? "&lt;"
                             : *text == '>' ? "&gt;"
                             : *text == '"' ? "&quot;"
                                            : NULL;
        if (sheet->html && entity) {
            fputs(entity, sheet->out);
        } else {
            fputc(*text, sheet->out);
        }
    }
}

/* A text of the book with its {word}s, escaped as the sheet needs it. */
static void say(const struct sheet *sheet, const char *id, const char *const *fills)
{
    char text[2048] = "";
    FILE *memory = fmemopen(text, sizeof(text), "w");
    if (memory) {
        wordbook_print(sheet->test->book, sheet->test->language, &(struct wordbook_line){id, fills},
                       memory);
        fclose(memory);
    }
    text[sizeof(text) - 1] = '\0';
    put(sheet, text);
}

static void line(const struct sheet *sheet, const char *kind, const char *id,
                 const char *const *fills)
{
    if (sheet->html) {
        fprintf(sheet->out, "<p class=\"%s\">", kind);
    }
    say(sheet, id, fills);
    fputs(sheet->html ? "</p>\n" : "\n", sheet->out);
}

static void print_head(const struct sheet *sheet)
{
    char when[64], server[ADDR_TEXT_MAX], names[32];
    time_t now = time(NULL);
    struct tm tm;
    const struct selftest *test = sheet->test;
    localtime_r(&now, &tm);
    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S %Z", &tm);
    snprintf(names, sizeof(names), "%.0f", test->names);
    addr_print(&test->server, server);
    if (sheet->html) {
        fprintf(sheet->out,
                "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>",
                test->language);
        say(sheet, "title", NULL);
        fprintf(sheet->out, "</title><style>%s</style></head><body>\n<h1>", style);
    }
    say(sheet, "title", NULL);
    fputs(sheet->html ? "</h1>\n" : "\n", sheet->out);
    line(sheet, "sub", "made", (const char *const[]){"{time}", when, NULL});
    if (*test->config->web.organisation) {
        line(sheet, "sub", "policy_of",
             (const char *const[]){"{organisation}", test->config->web.organisation, NULL});
    }
    line(sheet, "sub", "asked",
         (const char *const[]){"{server}", server, "{group}", test->group, "{version}",
                               GREENGATE_VERSION, "{names}", names, NULL});
    if (test->starter) { /* it has the best-known names, which are those asked below */
        line(sheet, "fault", "starter", NULL);
    }
}

static const char *summary_of(const struct selftest *test)
{
    return test->faults ? "summary_faults" : test->starter ? "summary_starter" : "summary_good";
}

static void print_row_html(const struct sheet *sheet, const struct selftest_probe *probe)
{
    const struct selftest *test = sheet->test;
    fprintf(sheet->out, "<tr class=\"%s\"><td>", selftest_verdict_id(probe->verdict));
    say(sheet, selftest_verdict_id(probe->verdict), NULL);
    fputs("</td><td>", sheet->out);
    put(sheet, selftest_category(test, probe));
    fputs("</td><td>", sheet->out);
    put(sheet, probe->name);
    fputs("</td><td>", sheet->out);
    put(sheet, probe->by);
    fputs("</td><td>", sheet->out);
    say(sheet, selftest_seen_id(probe->seen), NULL);
    if (*probe->because) {
        fputs("; ", sheet->out);
        say(sheet, probe->because, NULL);
    }
    fputs("</td></tr>\n", sheet->out);
}

static void print_table_html(const struct sheet *sheet)
{
    static const char *const heads[] = {"head_result", "head_category", "head_name", "head_by",
                                        "head_seen"};
    fputs("<table><thead><tr>", sheet->out);
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        fputs("<th scope=\"col\">", sheet->out);
        say(sheet, heads[i], NULL);
        fputs("</th>", sheet->out);
    }
    fputs("</tr></thead><tbody>\n", sheet->out);
    for (size_t i = 0; i < sheet->test->count; i++) {
        print_row_html(sheet, &sheet->test->probes[i]);
    }
    fputs("</tbody></table>\n", sheet->out);
}

static void print_table_text(const struct sheet *sheet)
{
    const struct selftest *test = sheet->test;
    struct cli cli = *test->cli;
    struct cli_table table = {0};
    static const char *const heads[] = {"head_result", "head_category", "head_name", "head_by",
                                        "head_seen"};
    cli.out = sheet->out;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        table.headings[i] = selftest_say(test, heads[i]);
    }
    for (size_t i = 0; i < test->count; i++) {
        const struct selftest_probe *probe = &test->probes[i];
        cli_table_add(&table, "%s", selftest_say(test, selftest_verdict_id(probe->verdict)));
        cli_table_add(&table, "%s", selftest_category(test, probe));
        cli_table_add(&table, "%s", probe->name);
        cli_table_add(&table, "%s", probe->by);
        cli_table_add(&table, "%s%s%s", selftest_say(test, selftest_seen_id(probe->seen)),
                      *probe->because ? "; " : "",
                      *probe->because ? selftest_say(test, probe->because) : "");
    }
    fputc('\n', sheet->out);
    (void)cli_table_print(&cli, &table);
    fputc('\n', sheet->out);
}

void selftest_print(const struct selftest *test, bool html, FILE *out)
{
    const struct sheet sheet = {test, out, html};
    char count[24], faults[24];
    snprintf(count, sizeof(count), "%zu", test->count);
    snprintf(faults, sizeof(faults), "%zu", test->faults);
    print_head(&sheet);
    if (html) {
        print_table_html(&sheet);
    } else {
        print_table_text(&sheet);
    }
    line(&sheet, "sum", summary_of(test),
         (const char *const[]){"{count}", count, "{faults}", faults, NULL});
    line(&sheet, "sub", "what", NULL);
    if (html) {
        line(&sheet, "sign", "signature", NULL);
        fputs("</body></html>\n", out);
    }
}
