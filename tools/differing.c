// SPDX-License-Identifier: Apache-2.0
#include "tools/differing.h"

#include <inttypes.h>

static const struct {
    const char *word;
    char sign;
} words[DIFFERENCE_CHANGES] = {
    [DIFFERENCE_ADDED] = {"added", '+'},
    [DIFFERENCE_REMOVED] = {"removed", '-'},
    [DIFFERENCE_CHANGED] = {"changed", '~'},
};

void differing_add(cJSON *json, const struct difference *difference)
{
    cJSON *lists = cJSON_AddArrayToObject(json, "lists");
    cJSON *names = cJSON_AddArrayToObject(json, "names");
    for (size_t i = 0; i < difference->list_count; i++) {
        const struct difference_list *list = &difference->lists[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "list", list->id);
        for (size_t k = 0; k < DIFFERENCE_CHANGES; k++) {
            cJSON_AddNumberToObject(item, words[k].word, (double)list->counts[k]);
        }
        cJSON_AddBoolToObject(item, "whole", !list->unread);
        cJSON_AddItemToArray(lists, item);
    }
    for (size_t i = 0; i < difference->name_count; i++) {
        const struct difference_name *name = &difference->names[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", name->name);
        cJSON_AddStringToObject(item, "list", name->list);
        cJSON_AddStringToObject(item, "change", words[name->change].word);
        cJSON_AddItemToArray(names, item);
    }
}

static int print_lists(struct cli *cli, const struct difference *difference, uint64_t *ret_total)
{
    struct cli_table table = {.headings = {"list", ">added", ">removed", ">changed", "note"}};
    *ret_total = 0;
    for (size_t i = 0; i < difference->list_count; i++) {
        const struct difference_list *list = &difference->lists[i];
        cli_table_add(&table, "%s", list->id);
        for (size_t k = 0; k < DIFFERENCE_CHANGES; k++) {
            cli_table_add(&table, "%" PRIu64, list->counts[k]);
            *ret_total += list->counts[k];
        }
        cli_table_add(&table, "%s", list->unread ? "a text is not kept" : "-");
    }
    return cli_table_print(cli, &table);
}

int differing_print(struct cli *cli, const struct difference *difference)
{
    uint64_t total;
    int code = print_lists(cli, difference, &total);
    for (size_t i = 0; i < difference->name_count; i++) {
        const struct difference_name *name = &difference->names[i];
        char text[sizeof(name->name)];
        snprintf(text, sizeof(text), "%s", name->name); /* a pattern holds what it likes */
        cli_make_plain_text(text);
        fprintf(cli->out, "  %c %s (%s)\n", words[name->change].sign, text, name->list);
    }
    if (total > difference->name_count) {
        fprintf(cli->out, "  and %" PRIu64 " more\n", total - difference->name_count);
    } else if (total == 0) {
        fprintf(cli->out, "nothing is blocked differently\n");
    }
    return code;
}

void differing_add_newly(cJSON *json, const struct newly_set *newly)
{
    cJSON *array = cJSON_AddArrayToObject(json, "newly_blocked");
    for (size_t i = 0; i < newly->count; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", newly->items[i].name);
        cJSON_AddStringToObject(item, "list", newly->items[i].list);
        cJSON_AddStringToObject(item, "category", newly->items[i].category);
        cJSON_AddItemToArray(array, item);
    }
}

void differing_print_newly(struct cli *cli, const struct newly_set *newly)
{
    enum { SHOWN = 10 };
    if (newly->count) {
        fprintf(cli->out, "well-known names that would be blocked newly:\n");
    }
    for (size_t i = 0; i < newly->count && i < SHOWN; i++) {
        const struct newly_name *name = &newly->items[i];
        fprintf(cli->out, "  %s, by %s in category %s\n", name->name, name->list, name->category);
    }
    if (newly->count > SHOWN) {
        fprintf(cli->out, "  and %zu more: --json shows all\n", newly->count - SHOWN);
    }
}
