// SPDX-License-Identifier: Apache-2.0
#include "base/diag.h"

#include <stdio.h>
#include <string.h>

int diag_set(struct diag *diag, int err, const char *format, ...)
{
    if (diag) {
        va_list args;
        va_start(args, format);
        vsnprintf(diag->text, sizeof(diag->text), format, args);
        va_end(args);
    }
    return err;
}

void diag_at(struct diag *diag, const char *file, unsigned line, unsigned column)
{
    if (diag) {
        snprintf(diag->file, sizeof(diag->file), "%s", file ? file : "");
        diag->line = line;
        diag->column = column;
    }
}

int diag_need(struct diag *diag, int err)
{
    return diag && !diag->text[0] ? diag_set(diag, err, "%s", strerror(-err)) : err;
}

void diag_clear(struct diag *diag)
{
    if (diag) {
        *diag = (struct diag){0};
    }
}

void diag_print(const struct diag *diag, char *out, size_t cap)
{
    char place[DIAG_FILE_MAX + 32] = "";
    if (diag->file[0] && diag->line && diag->column) {
        snprintf(place, sizeof(place), "%s:%u:%u: ", diag->file, diag->line, diag->column);
    } else if (diag->file[0] && diag->line) {
        snprintf(place, sizeof(place), "%s:%u: ", diag->file, diag->line);
    } else if (diag->file[0]) {
        snprintf(place, sizeof(place), "%s: ", diag->file);
    }
    snprintf(out, cap, "%s%s", place, diag->text);
}
