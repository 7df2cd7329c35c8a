// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/version.h"
#include "tools/report.h"

enum { CHART_WIDTH = 720, CHART_HEIGHT = 150, NUMBER_MAX = 40 };

/* Prints on A4 without cutting a table's row or a chart. */
static const char style[] =
    "@page{size:A4;margin:16mm}*{box-sizing:border-box}"
    "body{margin:0 auto;max-width:52rem;padding:2rem 1.5rem;color:#1c2a24;background:#fff;"
    "font:15px/1.55 system-ui,\"Apple SD Gothic Neo\",\"Malgun Gothic\",\"Noto Sans KR\","
    "\"Noto Sans CJK KR\",sans-serif;word-break:keep-all}"
    "h1{margin:0;font-size:1.7rem;line-height:1.3}h2{margin:2rem 0 .5rem;font-size:1.15rem;"
    "border-bottom:2px solid #2c7a56;padding-bottom:.2rem;break-after:avoid}"
    ".sub{margin:.2rem 0 0;color:#4c5f56}.figures{display:grid;gap:.75rem;padding:0;margin:1rem 0;"
    "grid-template-columns:repeat(auto-fit,minmax(7rem,1fr));list-style:none}"
    ".figures li{border:1px solid #d5e0da;border-radius:8px;padding:.6rem .8rem}"
    ".figures b{display:block;font-size:1.35rem}"
    "svg{display:block;width:100%;height:auto;margin:.5rem 0;break-inside:avoid}"
    "svg text{font-size:11px;fill:#4c5f56}.all{fill:#cfe3d8}.part{fill:#2c7a56}"
    "table{width:100%;border-collapse:collapse;margin:.5rem 0;font-variant-numeric:tabular-nums}"
    "th,td{padding:.25rem .5rem;border-bottom:1px solid #d5e0da;text-align:start;"
    "vertical-align:top}thead th{border-bottom:1px solid #4c5f56}"
    "tr{break-inside:avoid}thead{display:table-header-group}.n{text-align:end}"
    ".bar{display:inline-block;height:.7rem;background:#2c7a56;border-radius:2px;"
    "print-color-adjust:exact;-webkit-print-color-adjust:exact}rect{print-color-adjust:exact}"
    ".note{background:#edf5f0;border-radius:8px;"
    "padding:.75rem 1rem;margin:1rem 0}footer{margin-top:2rem;color:#4c5f56;font-size:.85rem}"
    "@media print{body{padding:0;max-width:none}}";

static void escape(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        default: fputc((unsigned char)*text < ' ' ? ' ' : *text, out); break;
        }
    }
}

/* A text with its {word}s filled in; pairs of word and value, NULL ends them. */
static void say(const struct report *report, FILE *out, const char *id, const char *const *fills)
{
    const char *text = wordbook_get(report->texts, report->language, id);
    while (*text) {
        const char *const *fill = fills;
        while (fill && *fill && strncmp(text, fill[0], strlen(fill[0])) != 0) {
            fill += 2;
        }
        if (fill && *fill) {
            escape(out, fill[1]);
            text += strlen(fill[0]);
        } else {
            const char one[2] = {*text++, '\0'};
            escape(out, one);
        }
    }
}

static void words(const struct report *report, FILE *out, const char *id)
{
    say(report, out, id, NULL);
}

/* "1,234,567" */
static const char *number(double value, char out[NUMBER_MAX])
{
    char digits[NUMBER_MAX];
    int len = snprintf(digits, sizeof(digits), "%.0f", value < 0 ? 0 : value), at = 0;
    for (int i = 0; i < len && at < NUMBER_MAX - 2; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            out[at++] = ',';
        }
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

static void heading(const struct report *report, FILE *out, const char *id)
{
    fputs("<h2>", out);
    words(report, out, id);
    fputs("</h2>\n", out);
}

static void write_head(const struct report *report, FILE *out)
{
    char year[16], month[16], made[32];
    time_t when = (time_t)report->made;
    struct tm tm;
    localtime_r(&when, &tm);
    strftime(made, sizeof(made), "%Y-%m-%d %H:%M", &tm);
    snprintf(year, sizeof(year), "%d", report->year);
    snprintf(month, sizeof(month), strcmp(report->language, "en") == 0 ? "%02d" : "%d",
             report->month);
    const char *const when_fills[] = {"{year}", year, "{month}", month, NULL};
    const char *const made_fills[] = {"{time}", made, NULL};
    fprintf(out,
            "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
            report->language);
    words(report, out, "title");
    fputc(' ', out);
    say(report, out, "month", when_fills);
    fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<header>\n<h1>", style);
    words(report, out, "title");
    fputs("</h1>\n<p class=\"sub\"><b>", out);
    say(report, out, "month", when_fills);
    fputs("</b> ", out);
    escape(out, report->config->web.organisation);
    fputs("</p>\n<p class=\"sub\">", out);
    say(report, out, "made", made_fills);
    fputs("</p>\n</header>\n<main>\n", out);
}

static void note(const struct report *report, FILE *out, const char *id)
{
    fputs("<p class=\"note\">", out);
    words(report, out, id);
    fputs("</p>\n", out);
}

static void figure(const struct report *report, FILE *out, const char *id, const char *value)
{
    fputs("<li>", out);
    words(report, out, id);
    fprintf(out, "<b>%s</b></li>\n", value);
}

static void write_figures(const struct report *report, FILE *out)
{
    char text[NUMBER_MAX];
    heading(report, out, "figures");
    fputs("<ul class=\"figures\">\n", out);
    figure(report, out, "queries", number(report->queries, text));
    figure(report, out, "blocked", number(report->blocked, text));
    snprintf(text, sizeof(text), "%.1f %%", percent(report->blocked, report->queries));
    figure(report, out, "share", text);
    figure(report, out, "allowed", number(report->allowed, text));
    figure(report, out, "failed", number(report->failed, text));
    fputs("</ul>\n", out);
}

/* Bars of `count` sums, labelled from `first` on; all of each, and what was blocked. */
struct bars {
    const struct report_sum *sums;
    int count, first;
    const char *title;
    bool blocked_alone;
};

static void write_bars(const struct report *report, FILE *out, const struct bars *bars)
{
    double most = 1, step = (double)CHART_WIDTH / bars->count;
    char text[NUMBER_MAX];
    for (int i = 0; i < bars->count; i++) {
        double value = bars->blocked_alone ? bars->sums[i].blocked : bars->sums[i].queries;
        most = value > most ? value : most;
    }
    fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", CHART_WIDTH,
            CHART_HEIGHT + 34);
    words(report, out, bars->title);
    fprintf(out, "\">\n<text x=\"0\" y=\"10\">%s</text>\n", number(most, text));
    for (int i = 0; i < bars->count; i++) {
        double all = bars->sums[i].queries / most * CHART_HEIGHT;
        double part = bars->sums[i].blocked / most * CHART_HEIGHT;
        double left = i * step + step * 0.12, width = step * 0.76, base = CHART_HEIGHT + 16;
        if (!bars->blocked_alone) {
            fprintf(out,
                    "<rect class=\"all\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
                    left, base - all, width, all);
        }
        fprintf(out,
                "<rect class=\"part\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>"
                "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>\n",
                left, base - part, width, part, left + width / 2, CHART_HEIGHT + 30,
                bars->first + i);
    }
    fputs("</svg>\n", out);
}

static void cell_number(FILE *out, double value)
{
    char text[NUMBER_MAX];
    fprintf(out, "<td class=\"n\">%s</td>", number(value, text));
}

static void cell_share(FILE *out, double part, double whole)
{
    fprintf(out, "<td class=\"n\">%.1f %%</td>", percent(part, whole));
}

/* Headings; an id that begins with '>' is aligned to the right. */
static void begin_table(const struct report *report, FILE *out, const char *const *ids)
{
    fputs("<table>\n<thead><tr>", out);
    for (; *ids; ids++) {
        bool right = **ids == '>';
        fprintf(out, "<th scope=\"col\"%s>", right ? " class=\"n\"" : "");
        words(report, out, *ids + right);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
}

static void end_table(FILE *out)
{
    fputs("</tbody>\n</table>\n", out);
}

static void write_charts(const struct report *report, FILE *out)
{
    const struct bars days = {report->by_day, report->days, 1, "days", false};
    const struct bars hours = {report->by_hour, REPORT_HOURS, 0, "hours", true};
    heading(report, out, days.title);
    write_bars(report, out, &days);
    heading(report, out, hours.title);
    write_bars(report, out, &hours);
}

static void write_days(const struct report *report, FILE *out)
{
    static const char *const head[] = {"day", ">queries", ">blocked", ">share", NULL};
    begin_table(report, out, head);
    for (int i = 0; i < report->days; i++) {
        const struct report_sum *sum = &report->by_day[i];
        if (sum->queries > 0) {
            fprintf(out, "<tr><th scope=\"row\">%04d-%02d-%02d</th>", report->year, report->month,
                    i + 1);
            cell_number(out, sum->queries);
            cell_number(out, sum->blocked);
            cell_share(out, sum->blocked, sum->queries);
            fputs("</tr>\n", out);
        }
    }
    end_table(out);
}

static void write_hours(const struct report *report, FILE *out)
{
    static const char *const head[] = {"hour", ">queries", ">blocked", ">share", NULL};
    begin_table(report, out, head);
    for (int i = 0; i < REPORT_HOURS; i++) {
        const struct report_sum *sum = &report->by_hour[i];
        fprintf(out, "<tr><th scope=\"row\">%02d:00</th>", i);
        cell_number(out, sum->queries);
        cell_number(out, sum->blocked);
        cell_share(out, sum->blocked, sum->queries);
        fputs("</tr>\n", out);
    }
    end_table(out);
}

/* The names of columns stand in the reply: a later daemon may have more. */
static int column_of(const cJSON *reply, const char *name)
{
    const cJSON *column;
    int at = 0;
    cJSON_ArrayForEach(column, cJSON_GetObjectItemCaseSensitive(reply, "columns"))
    {
        if (column->valuestring && strcmp(column->valuestring, name) == 0) {
            return at;
        }
        at++;
    }
    return -1;
}

static double cell_of(const cJSON *row, int column)
{
    const cJSON *cell = column < 0 ? NULL : cJSON_GetArrayItem(row, column);
    return cell && cJSON_IsNumber(cell) ? cell->valuedouble : 0;
}

static const char *label_of(const cJSON *row)
{
    const char *label = cJSON_GetStringValue(cJSON_GetArrayItem(row, 0));
    return label ? label : "";
}

static const char *category_name(const struct report *report, const char *id)
{
    const struct catalog_category *category = catalog_find(report->catalog, id);
    if (strcmp(id, "none") == 0) {
        return wordbook_get(report->texts, report->language, "no_category");
    }
    return category ? catalog_text_in(category->names, category->name_count, report->language) : id;
}

static void write_categories(const struct report *report, FILE *out)
{
    static const char *const head[] = {"category", ">blocked", ">share", "", NULL};
    const cJSON *row;
    int blocked = column_of(report->categories, "blocked");
    heading(report, out, "categories");
    begin_table(report, out, head);
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(report->categories, "rows"))
    {
        double count = cell_of(row, blocked);
        if (count > 0) {
            fputs("<tr><th scope=\"row\">", out);
            escape(out, category_name(report, label_of(row)));
            fputs("</th>", out);
            cell_number(out, count);
            cell_share(out, count, report->blocked);
            fprintf(out, "<td><span class=\"bar\" style=\"width:%.1frem\"></span></td></tr>\n",
                    percent(count, report->blocked) * 0.16);
        }
    }
    end_table(out);
}

static void write_groups(const struct report *report, FILE *out)
{
    static const char *const head[] = {"group", ">queries", ">blocked", ">share", NULL};
    const cJSON *row;
    int queries = column_of(report->groups, "queries"),
        blocked = column_of(report->groups, "blocked");
    heading(report, out, "groups");
    begin_table(report, out, head);
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(report->groups, "rows"))
    {
        fputs("<tr><th scope=\"row\">", out);
        escape(out, label_of(row));
        fputs("</th>", out);
        cell_number(out, cell_of(row, queries));
        cell_number(out, cell_of(row, blocked));
        cell_share(out, cell_of(row, blocked), cell_of(row, queries));
        fputs("</tr>\n", out);
    }
    end_table(out);
}

/* The row with the most in a column below a count, the first of equals behind `last`. */
static const cJSON *next_most(const cJSON *rows, int column, const cJSON *last)
{
    const cJSON *row, *best = NULL;
    bool behind = false; /* `last` has been passed */
    double limit = last ? cell_of(last, column) : HUGE_VAL;
    cJSON_ArrayForEach(row, rows)
    {
        double count = cell_of(row, column);
        bool fits = count < limit || (count == limit && behind);
        behind = behind || row == last;
        if (fits && count > 0 && strcmp(label_of(row), "other") != 0 &&
            (!best || count > cell_of(best, column))) {
            best = row;
        }
    }
    return best;
}

/* The ten most asked for, by one column. */
static void write_top(const struct report *report, FILE *out, const char *column)
{
    enum { SHOWN = 10 };
    const char *const head[] = {"domain", *column == 'b' ? ">blocked" : ">queries", NULL};
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(report->domains, "rows");
    int at = column_of(report->domains, column);
    const cJSON *row = next_most(rows, at, NULL);
    begin_table(report, out, head);
    for (int shown = 0; row && shown < SHOWN; shown++, row = next_most(rows, at, row)) {
        fputs("<tr><th scope=\"row\">", out);
        escape(out, label_of(row));
        fputs("</th>", out);
        cell_number(out, cell_of(row, at));
        fputs("</tr>\n", out);
    }
    end_table(out);
}

static void write_domains(const struct report *report, FILE *out)
{
    char least[NUMBER_MAX];
    const char *const fills[] = {"{n}", number((double)report->config->stats.min_clients, least),
                                 NULL};
    heading(report, out, "domains");
    fputs("<p>", out);
    say(report, out, "domains_rule", fills);
    fputs("</p>\n", out);
    write_top(report, out, "blocked");
    write_top(report, out, "answered");
}

static void write_policy(const struct report *report, FILE *out)
{
    static const char *const head[] = {"group", "blocks", "services", "safe_search", NULL};
    heading(report, out, "policy");
    begin_table(report, out, head);
    for (size_t i = 0; i < report->config->group_count; i++) {
        const struct config_group *group = &report->config->groups[i];
        fputs("<tr><th scope=\"row\">", out);
        escape(out, group->name);
        fputs("</th><td>", out);
        for (size_t k = 0; k < group->block.count; k++) {
            fputs(k ? ", " : "", out);
            escape(out, category_name(report, group->block.items[k]));
        }
        fputs("</td><td>", out);
        for (size_t k = 0; k < group->services.count; k++) {
            fputs(k ? ", " : "", out);
            escape(out, group->services.items[k]);
        }
        fputs("</td><td>", out);
        words(report, out, group->safe_search ? "yes" : "no");
        fputs("</td></tr>\n", out);
    }
    end_table(out);
}

static void write_lists(const struct report *report, FILE *out)
{
    static const char *const head[] = {"list", "category", ">names", "fetched", NULL};
    const cJSON *lists = cJSON_GetObjectItemCaseSensitive(report->status, "lists");
    const cJSON *source;
    heading(report, out, "lists");
    begin_table(report, out, head);
    cJSON_ArrayForEach(source, cJSON_GetObjectItemCaseSensitive(lists, "sources"))
    {
        char date[32] = "-";
        time_t when = (time_t)cli_number(source, "fetched_at");
        struct tm tm;
        if (when > 0 && localtime_r(&when, &tm)) {
            strftime(date, sizeof(date), "%Y-%m-%d", &tm);
        }
        fputs("<tr><th scope=\"row\">", out);
        escape(out, cli_text(source, "id"));
        fputs("</th><td>", out);
        escape(out, category_name(report, cli_text(source, "category")));
        fputs("</td>", out);
        cell_number(out, cli_number(source, "entries"));
        fprintf(out, "<td>%s</td></tr>\n", date);
    }
    end_table(out);
}

static void write_foot(const struct report *report, FILE *out)
{
    const char *const fills[] = {"{version}", GREENGATE_VERSION, NULL};
    heading(report, out, "privacy_heading");
    note(report, out, "privacy");
    fputs("</main>\n<footer>", out);
    say(report, out, "by_greengate", fills);
    fputs("</footer>\n</body>\n</html>\n", out);
}

void report_write(const struct report *report, FILE *out)
{
    write_head(report, out);
    if (report->made < report->end) {
        note(report, out, "partial_month");
    }
    if (report->partial) {
        note(report, out, "partial_data");
    }
    if (report->queries > 0) {
        write_figures(report, out);
        write_charts(report, out);
        write_categories(report, out);
        write_groups(report, out);
        if (report->domains) {
            write_domains(report, out);
        }
    } else {
        note(report, out, "nothing");
    }
    write_policy(report, out);
    write_lists(report, out);
    if (report->queries > 0) {
        heading(report, out, "tables");
        write_days(report, out);
        write_hours(report, out);
    }
    write_foot(report, out);
}
