// SPDX-License-Identifier: Apache-2.0
#include "config/show.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "config/document.h"

static const char head[] =
    "# Settings\n"
    "\n"
    "Made from `resolver/config/settings.def` by `greengate config document`; do not edit.\n"
    "\n"
    "The file is YAML, by default `/etc/greengate/greengate.yaml`. Every key has a default and\n"
    "an empty file works. An unknown or duplicate key, a wrong type or a value out of bounds is\n"
    "an error with file, line and column. After the file come the `*.yaml` of the folder\n"
    "`conf.d` beside it, in name order, and at last `managed.yaml` of `server.state_dir`, where\n"
    "commands write what they change (only `lists.sources` and `groups` can stand there): maps\n"
    "merge by key, sources by id, groups by name, and new groups go before the last one.\n"
    "`greengate config show --origin` tells what is in force and where each value comes from.\n";

const char document_sources[] =
    "A list of maps, the blocklists to fetch; `id`, `url` and `category` are needed.";
const char document_groups[] = "A list of maps; the first group that has the client counts.";

/* What a text must look like, by the name of its check. */
static const struct {
    const char *shape, *words;
} shapes[] = {
    {"any", "text, one line"},
    {"path", "absolute path"},
    {"path_list", "absolute paths, divided by colons"},
    {"file", "absolute path"},
    {"socket", "absolute path, at most 107 octets"},
    {"address", "address:port"},
    {"client", "subnet, address or `local`"},
    {"prefix", "subnet or address"},
    {"upstream", "server URL or `system`"},
    {"ipv4", "IPv4 address"},
    {"ipv6", "IPv6 address"},
    {"name", "domain name"},
    {"record", "{name, address}"},
    {"zone", "{domain, servers}"},
    {"id", "short name (a-z 0-9 . _ -)"},
    {"url", "URL"},
    {"category", "category"},
    {"language", "language tag"},
    {"timezone", "IANA name (Asia/Seoul) or POSIX TZ (KST-9)"},
    {"schedule", "map of block, services, allow, except, days, from, to, times, bells, on, not_on"},
    {"category_mode", "map of category and mode"},
    {"bell", "map of name, from and to"},
    {"dates", "map of name and on"},
    {"window", "span of the day, `19:00-07:00` or `19:00-07:00 UTC`"},
    {"proxy", "URL of a proxy"},
    {"folder", "absolute path"},
    {"public_key", "minisign public key"},
    {"page_url", "URL"},
    {"member", "subnet, address, MAC, host:NAME or id:NAME"},
    {"country", "country of two capital letters"},
    {"network", "AS number"},
};

static const char *shape_words(const char *shape)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (strcmp(shapes[i].shape, shape) == 0) {
            return shapes[i].words;
        }
    }
    return shape;
}

void document_type(const struct setting *row, FILE *out)
{
    const char *const *words = row->kind == SETTING_CHOICE ? setting_words(row->set) : NULL;
    switch (row->kind) {
    case SETTING_INT: fprintf(out, "number, %" PRId64 " to %" PRId64, row->min, row->max); break;
    case SETTING_FLAG: fprintf(out, "true or false"); break;
    case SETTING_TEXT: fprintf(out, "%s", shape_words(row->shape)); break;
    case SETTING_LIST: fprintf(out, "list of: %s", shape_words(row->shape)); break;
    default: break;
    }
    for (size_t i = 0; words && words[i]; i++) {
        fprintf(out, "%s%s", i ? ", " : "", words[i]);
    }
}

static void put_list(const char *words, FILE *out)
{
    fprintf(out, "`[");
    for (; *words; words++) {
        if (*words == ' ') {
            fprintf(out, ", ");
        } else {
            fputc(*words, out);
        }
    }
    fprintf(out, "]`");
}

void document_default(const struct setting *row, FILE *out)
{
    switch (row->kind) {
    case SETTING_INT: fprintf(out, "%" PRId64, row->number); break;
    case SETTING_FLAG: fprintf(out, "%s", row->number ? "true" : "false"); break;
    case SETTING_LIST: put_list(row->text, out); break;
    default:
        fprintf(out, "%s%s%s", *row->text ? "`" : "-", row->text, *row->text ? "`" : "");
        break;
    }
}

static void put_text(const char *text, FILE *out)
{
    for (; *text; text++) {
        if (*text == '|') {
            fputc('\\', out);
        }
        fputc(*text, out);
    }
}

static void put_row(const struct setting *row, FILE *out)
{
    fprintf(out, "| `%s` | ", row->key);
    document_type(row, out);
    fprintf(out, " | ");
    document_default(row, out);
    fprintf(out, " | ");
    put_text(row->help, out);
    fprintf(out, " |\n");
}

static void put_heading(const char *name, const char *help, FILE *out)
{
    fprintf(out, "\n## %s\n\n%s\n\n", name, help);
    fprintf(out, "| key | type and bounds | default | what it is |\n|---|---|---|---|\n");
}

static void put_items(const struct setting_table *table, const char *help, FILE *out)
{
    put_heading(table->name, help, out);
    for (size_t i = 0; i < table->count; i++) {
        put_row(&table->rows[i], out);
    }
}

static void put_default_group(const struct config_group *group, FILE *out)
{
    fprintf(out, "\nWithout any group in any file there is one, `%s`, that blocks\n", group->name);
    for (size_t i = 0; i < group->block.count; i++) {
        fprintf(out, "%s%s", i == 0 ? "" : i == 6 ? ",\n" : ", ", group->block.items[i]);
    }
    fprintf(out, ".\n");
}

int config_document(FILE *out)
{
    struct config *defaults = config_new();
    if (!defaults) {
        return -ENOMEM;
    }
    fprintf(out, "%s", head);
    for (size_t i = 0; i < setting_config.count; i++) {
        const struct setting *row = &setting_config.rows[i];
        if (row->kind == SETTING_SECTION) {
            put_heading(row->key, row->help, out);
        } else if (setting_has_value(row)) {
            put_row(row, out);
        }
    }
    put_items(&setting_source, document_sources, out);
    put_items(&setting_group, document_groups, out);
    put_default_group(&defaults->groups[0], out);
    config_free(defaults);
    return 0;
}
