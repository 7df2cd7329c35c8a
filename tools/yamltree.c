// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/yaml.h"
#include "tools/moving_write.h"

static void print_indent(unsigned depth, FILE *out)
{
    fprintf(out, "%*s", (int)depth * 2, "");
}

static void print_scalar(const cJSON *value, FILE *out)
{
    if (cJSON_IsBool(value)) {
        fputs(cJSON_IsTrue(value) ? "true" : "false", out);
    } else if (cJSON_IsNumber(value)) {
        fprintf(out, "%.0f", value->valuedouble);
    } else {
        char *quoted = yaml_quote(cJSON_IsString(value) ? value->valuestring : "");
        fputs(quoted ? quoted : "\"\"", out);
        free(quoted);
    }
}

/* On one line, as deep as it is. */
static void print_flow(const cJSON *value, FILE *out)
{
    const cJSON *item;
    bool map = cJSON_IsObject(value);
    if (!map && !cJSON_IsArray(value)) {
        print_scalar(value, out);
        return;
    }
    fputc(map ? '{' : '[', out);
    cJSON_ArrayForEach(item, value)
    {
        fprintf(out, "%s", item->prev && item != value->child ? ", " : "");
        if (map) {
            fprintf(out, "%s: ", item->string);
        }
        print_flow(item, out);
    }
    fputc(map ? '}' : ']', out);
}

static void print_comment(const cJSON *object, unsigned depth, FILE *out)
{
    const cJSON *comment = cJSON_GetObjectItemCaseSensitive(object, "#");
    if (cJSON_IsString(comment)) {
        char *plain = moved_plain(comment->valuestring);
        print_indent(depth, out);
        fprintf(out, "# %s\n", plain ? plain : "");
        free(plain);
    }
}

/* "key: value" of an item of a list, one a line; the first stands behind the dash. */
static void print_item(const cJSON *object, unsigned depth, FILE *out)
{
    const cJSON *key;
    bool first = true;
    print_comment(object, depth, out);
    cJSON_ArrayForEach(key, object)
    {
        if (strcmp(key->string, "#") == 0) {
            continue;
        }
        print_indent(first ? depth : depth + 1, out);
        fprintf(out, "%s%s: ", first ? "- " : "", key->string);
        print_flow(key, out);
        fputc('\n', out);
        first = false;
    }
}

static void print_value(const cJSON *value, unsigned depth, FILE *out)
{
    const cJSON *item;
    if (!cJSON_IsArray(value) || !cJSON_IsObject(value->child)) {
        fputc(' ', out);
        print_flow(value, out);
        fputc('\n', out);
        return;
    }
    fputc('\n', out);
    cJSON_ArrayForEach(item, value)
    {
        print_item(item, depth, out);
    }
}

void moved_print_tree(const cJSON *tree, FILE *out)
{
    const cJSON *section, *key;
    cJSON_ArrayForEach(section, tree)
    {
        fprintf(out, "%s:", section->string);
        if (!cJSON_IsObject(section)) {
            print_value(section, 1, out);
            continue;
        }
        fputc('\n', out);
        print_comment(section, 1, out);
        cJSON_ArrayForEach(key, section)
        {
            if (strcmp(key->string, "#") != 0) {
                fprintf(out, "  %s:", key->string);
                print_value(key, 2, out);
            }
        }
    }
}
