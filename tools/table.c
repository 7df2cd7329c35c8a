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

struct column {
    int width;
    bool right, last;
};

static void print_cell(FILE *out, const char *text, const struct column *column)
{
    int pad = column->width - width_of(text);
    if (column->right) {
        fprintf(out, "%*s%s", pad, "", text);
    } else {
        fprintf(out, "%s%*s", text, column->last ? 0 : pad, "");
    }
    fprintf(out, "%*s", column->last ? 0 : GAP, "");
}

static size_t count_columns(const struct cli_table *table)
{
    size_t columns = 0;
    while (columns < CLI_COLUMNS_MAX && table->headings[columns]) {
        columns++;
    }
    return columns;
}

static void measure(const struct cli_table *table, size_t count,
                    struct column columns[CLI_COLUMNS_MAX])
{
    for (size_t i = 0; i < count; i++) {
        bool right = table->headings[i][0] == '>';
        columns[i] = (struct column){width_of(table->headings[i] + right), right, i + 1 == count};
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        int width = width_of(table->cells[i]);
        struct column *column = &columns[i % count];
        column->width = width > column->width ? width : column->width;
    }
}

static void print_all(struct cli *cli, const struct cli_table *table, size_t count)
{
    struct column columns[CLI_COLUMNS_MAX];
    measure(table, count, columns);
    fputs(cli_color(cli, CLI_BOLD), cli->out);
    for (size_t i = 0; i < count; i++) {
        print_cell(cli->out, table->headings[i] + columns[i].right, &columns[i]);
    }
    fprintf(cli->out, "%s\n", cli_color(cli, CLI_PLAIN));
    for (size_t i = 0; i < table->cell_count; i++) {
        print_cell(cli->out, table->cells[i], &columns[i % count]);
        if (columns[i % count].last) {
            fputc('\n', cli->out);
        }
    }
}

int cli_table_print(struct cli *cli, struct cli_table *table)
{
    bool failed = table->failed;
    size_t count = count_columns(table);
    if (!failed && count > 0) {
        print_all(cli, table, count);
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
