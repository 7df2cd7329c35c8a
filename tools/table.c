// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "tools/cli.h"

enum { CELL_MAX = 1200, GAP = 2 };

void cli_table_add(struct cli_table *table, const char *format, ...)
{
    char text[CELL_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (table->cell_count == table->cell_cap) {
        size_t cap = table->cell_cap ? table->cell_cap * 2 : 64;
        char **cells = realloc(table->cells, cap * sizeof(*cells));
        if (!cells) {
            table->failed = true;
            return;
        }
        table->cells = cells;
        table->cell_cap = cap;
    }
    char *copy = strdup(text);
    if (!copy) {
        table->failed = true;
        return;
    }
    table->cells[table->cell_count++] = copy;
}

/* Columns of a terminal: Hangul takes two. */
static int width_of(const char *text)
{
    int width = 0;
    mbstate_t state = {0};
    while (*text) {
        wchar_t c;
        size_t used = mbrtowc(&c, text, MB_CUR_MAX, &state);
        if (used == (size_t)-1 || used == (size_t)-2) {
            return width + (int)strlen(text);
        }
        int more = wcwidth(c);
        width += more > 0 ? more : 0;
        text += used;
    }
    return width;
}

static void print_cell(FILE *out, const char *text, int width, bool right, bool last)
{
    int pad = width - width_of(text);
    if (right) {
        fprintf(out, "%*s%s", pad, "", text);
    } else {
        fprintf(out, "%s%*s", text, last ? 0 : pad, "");
    }
    fprintf(out, "%*s", last ? 0 : GAP, "");
}

static size_t count_columns(const struct cli_table *table)
{
    size_t columns = 0;
    while (columns < CLI_COLUMNS_MAX && table->headings[columns]) {
        columns++;
    }
    return columns;
}

static void measure(const struct cli_table *table, size_t columns, int widths[CLI_COLUMNS_MAX])
{
    for (size_t i = 0; i < columns; i++) {
        widths[i] = width_of(table->headings[i] + (table->headings[i][0] == '>'));
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        int width = width_of(table->cells[i]);
        widths[i % columns] = width > widths[i % columns] ? width : widths[i % columns];
    }
}

static void print_all(struct cli *cli, const struct cli_table *table)
{
    int widths[CLI_COLUMNS_MAX];
    size_t columns = count_columns(table);
    measure(table, columns, widths);
    fputs(cli_color(cli, CLI_BOLD), cli->out);
    for (size_t i = 0; i < columns; i++) {
        bool right = table->headings[i][0] == '>';
        print_cell(cli->out, table->headings[i] + right, widths[i], right, i + 1 == columns);
    }
    fprintf(cli->out, "%s\n", cli_color(cli, CLI_PLAIN));
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t column = i % columns;
        bool right = table->headings[column][0] == '>';
        print_cell(cli->out, table->cells[i], widths[column], right, column + 1 == columns);
        if (column + 1 == columns) {
            fputc('\n', cli->out);
        }
    }
}

int cli_table_print(struct cli *cli, struct cli_table *table)
{
    bool failed = table->failed;
    if (!failed) {
        print_all(cli, table);
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        free(table->cells[i]);
    }
    free(table->cells);
    table->cells = NULL;
    table->cell_count = table->cell_cap = 0;
    table->failed = false;
    return failed ? cli_fail(cli, CLI_FAILED, "no memory for a table") : CLI_DONE;
}
