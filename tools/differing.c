// SPDX-License-Identifier: Apache-2.0
#include "tools/differing.h"

#include <inttypes.h>

void differing_add(cJSON *json, const struct difference *difference)
{
    cJSON *lists = cJSON_AddArrayToObject(json, "lists");
    cJSON *names = cJSON_AddArrayToObject(json, "names");
    for (size_t i = 0; i < difference->list_count; i++) {
        const struct difference_list *list = &difference->lists[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "list", list->id);
        cJSON_AddNumberToObject(item, "added", (double)list->added);
        cJSON_AddNumberToObject(item, "removed", (double)list->removed);
        cJSON_AddBoolToObject(item, "whole", !list->unread);
        cJSON_AddItemToArray(lists, item);
    }
    for (size_t i = 0; i < difference->name_count; i++) {
        const struct difference_name *name = &difference->names[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", name->name);
        cJSON_AddStringToObject(item, "list", name->list);
        cJSON_AddStringToObject(item, "change", name->added ? "added" : "removed");
        cJSON_AddItemToArray(names, item);
    }
}

static int print_lists(struct cli *cli, const struct difference *difference, uint64_t *ret_total)
{
    struct cli_table table = {.headings = {"list", ">added", ">removed", "note"}};
    *ret_total = 0;
    for (size_t i = 0; i < difference->list_count; i++) {
        const struct difference_list *list = &difference->lists[i];
        cli_table_add(&table, "%s", list->id);
        cli_table_add(&table, "%" PRIu64, list->added);
        cli_table_add(&table, "%" PRIu64, list->removed);
        cli_table_add(&table, "%s", list->unread ? "a text is not kept" : "-");
        *ret_total += list->added + list->removed;
    }
    return cli_table_print(cli, &table);
}

int differing_print(struct cli *cli, const struct difference *difference)
{
    uint64_t total;
    int code = print_lists(cli, difference, &total);
    for (size_t i = 0; i < difference->name_count; i++) {
        const struct difference_name *name = &difference->names[i];
        fprintf(cli->out, "  %c %s (%s)\n", name->added ? '+' : '-', name->name, name->list);
    }
    if (total > difference->name_count) {
        fprintf(cli->out, "  and %" PRIu64 " more\n", total - difference->name_count);
    } else if (total == 0) {
        fprintf(cli->out, "no name is blocked differently\n");
    }
    return code;
}
