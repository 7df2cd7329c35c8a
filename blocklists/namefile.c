// SPDX-License-Identifier: Apache-2.0
#include "blocklists/namefile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST = 1024, LINE_OCTETS = 1200 };

static int add_name(struct name_list *list, size_t *cap, const struct dname *name)
{
    if (list->count == NAMEFILE_MAX) {
        return -E2BIG;
    }
    if (list->count == *cap) {
        *cap = *cap ? 2 * *cap : FIRST;
        void *items = realloc(list->items, *cap * sizeof(*list->items));
        if (!items) {
            return -ENOMEM;
        }
        list->items = items;
    }
    list->items[list->count++] = *name;
    return 0;
}

static int read_lines(FILE *file, struct name_list *list, struct diag *diag)
{
    char line[LINE_OCTETS];
    size_t cap = 0;
    unsigned number = 0;
    while (fgets(line, sizeof(line), file)) {
        struct dname name;
        number++;
        line[strcspn(line, "#\r\n")] = '\0';
        char *word = line + strspn(line, " \t");
        size_t len = strcspn(word, " \t");
        bool rest = word[len + strspn(word + len, " \t")] != '\0';
        if (*word == '\0') {
            continue;
        }
        if (rest || dname_parse_len(word, len, &name) < 0 || name.labels == 0) {
            diag->line = number;
            return diag_set(diag, -EBADMSG, "not a domain name, one in a line is expected");
        }
        int err = add_name(list, &cap, &name);
        if (err < 0) {
            return diag_set(diag, err, "more than %d names", NAMEFILE_MAX);
        }
    }
    return ferror(file) ? diag_set(diag, -EIO, "cannot be read") : 0;
}

int namefile_load(const char *path, struct name_list *ret_list, struct diag *diag)
{
    struct name_list list = {0};
    FILE *file = fopen(path, "re");
    int err = file ? 0 : -errno;
    diag_at(diag, path, 0, 0);
    if (err < 0) {
        return diag_set(diag, err, "%s", strerror(-err));
    }
    err = read_lines(file, &list, diag);
    fclose(file);
    if (err < 0) {
        name_list_clear(&list);
        return err;
    }
    diag_at(diag, "", 0, 0);
    *ret_list = list;
    return 0;
}

void name_list_clear(struct name_list *list)
{
    free(list->items);
    *list = (struct name_list){0};
}
