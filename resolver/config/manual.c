// SPDX-License-Identifier: Apache-2.0
#include "config/show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mdoc.h"
#include "config/document.h"

static const char head[] =
    ".Sh NAME\n"
    ".Nm greengate.yaml\n"
    ".Nd configuration of the filtering DNS resolver greengated\n"
    ".Sh SYNOPSIS\n"
    ".Pa /etc/greengate/greengate.yaml\n"
    ".Pp\n"
    ".Pa /etc/greengate/conf.d/*.yaml\n"
    ".Pp\n"
    ".Pa /var/lib/greengate/managed.yaml\n"
    ".Sh DESCRIPTION\n"
    "The configuration of\n"
    ".Xr greengated 8 ,\n"
    ".Xr greengate-web 8\n"
    "and\n"
    ".Xr greengate 1\n"
    "is YAML.\n"
    "Every key has a default and an empty file works.\n"
    "An unknown or duplicate key, a wrong type or a value out of bounds is an error with file,\n"
    "line and column.\n"
    ".Pp\n"
    "After the file come those of the folder\n"
    ".Pa conf.d\n"
    "beside it, in name order, and at last\n"
    ".Pa managed.yaml\n"
    "of\n"
    ".Cm server.state_dir ,\n"
    "where commands write what they change; only\n"
    ".Cm lists.sources\n"
    "and\n"
    ".Cm groups\n"
    "can stand there.\n"
    "Maps merge by key, sources by\n"
    ".Cm id ,\n"
    "groups by\n"
    ".Cm name ,\n"
    "and new groups go before the last one.\n"
    ".Pp\n"
    ".Ic greengate config check\n"
    "tells what is wrong,\n"
    ".Ic greengate config show --origin\n"
    "what is in force and where each value comes from,\n"
    ".Ic greengate reload\n"
    "puts it in force; on a mistake nothing changes.\n"
    "What takes effect at the next start alone is said by the reload.\n"
    ".Pp\n"
    "In parentheses behind each key stands what it may be, and its default, if it has any.\n";

static const char tail[] =
    ".Sh FILES\n"
    ".Bl -tag -width Ds\n"
    ".It Pa /etc/greengate/greengate.yaml\n"
    "The configuration, unless\n"
    ".Fl c\n"
    "names another one.\n"
    ".It Pa /usr/share/greengate\n"
    "Categories, services, help lines, texts, the catalogue of lists.\n"
    ".It Pa /etc/greengate/data\n"
    "Your own instead.\n"
    ".El\n"
    ".Sh EXAMPLES\n"
    "A school whose pupils have a timetable:\n"
    ".Bd -literal -offset indent\n"
    "dns:\n"
    "  listen: [\"127.0.0.1:53\", \"192.168.1.2:53\"]\n"
    "upstream:\n"
    "  servers: [\"tls://9.9.9.9#dns.quad9.net\"]\n"
    "web:\n"
    "  organisation: \"Our school\"\n"
    "groups:\n"
    "  - name: staff\n"
    "    clients: [10.1.0.0/16]\n"
    "    block: [malware, phishing]\n"
    "  - name: pupils\n"
    "    clients: []\n"
    "    block: [adult, gambling, malware, phishing, bypass]\n"
    "    safe_search: true\n"
    "    schedule:\n"
    "      - {block: [games, social], days: mon-fri, from: \"08:30\", to: \"16:30\"}\n"
    ".Ed\n"
    ".Sh SEE ALSO\n"
    ".Xr greengate 1 ,\n"
    ".Xr greengate-web 8 ,\n"
    ".Xr greengated 8\n"
    ".Pp\n"
    ".Pa /usr/share/doc/greengate ,\n"
    "where the other pages that are named here lie.\n";

/* As text of a page; what a table's cell would hold. */
static int put_cell(void (*print)(const struct setting *row, FILE *out), const struct setting *row,
                    FILE *out)
{
    char *text = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&text, &len);
    if (!memory) {
        return -ENOMEM;
    }
    print(row, memory);
    int err = fclose(memory) == 0 ? 0 : -ENOMEM;
    if (err == 0) {
        mdoc_text(text, len, out);
    }
    free(text);
    return err;
}

static void put_bounds(const struct setting *row, FILE *out)
{
    fputc('(', out);
    document_type(row, out);
    if (row->kind == SETTING_INT || row->kind == SETTING_FLAG || row->text[0]) {
        fputs("; default: ", out);
        document_default(row, out);
    }
    fputc(')', out);
}

static int put_row(const struct setting *row, FILE *out)
{
    fprintf(out, ".It Cm %s\n", row->key);
    int err = put_cell(put_bounds, row, out);
    fprintf(out, ".br\n");
    mdoc_text(row->help, strlen(row->help), out);
    return err;
}

static void put_heading(const char *name, const char *help, FILE *out)
{
    fprintf(out, ".Ss %s\n", name);
    mdoc_text(help, strlen(help), out);
    fprintf(out, ".Bl -tag -width Ds\n");
}

static int put_items(const struct setting_table *table, const char *help, FILE *out)
{
    int err = 0;
    put_heading(table->name, help, out);
    for (size_t i = 0; i < table->count && err == 0; i++) {
        err = put_row(&table->rows[i], out);
    }
    fprintf(out, ".El\n");
    return err;
}

static void put_default_group(const struct config_group *group, FILE *out)
{
    fprintf(out, ".Pp\nWithout any group in any file there is one,\n.Cm %s ,\nthat blocks\n",
            group->name);
    for (size_t i = 0; i < group->block.count; i++) {
        fprintf(out, "%s%s\n", group->block.items[i], i + 1 < group->block.count ? "," : ".");
    }
}

int config_manual(FILE *out)
{
    const struct mdoc_page page = {"GREENGATE.YAML 5", "resolver/config/settings.def",
                                   "greengate config manual"};
    struct config *defaults = config_new();
    int err = defaults ? 0 : -ENOMEM;
    mdoc_begin(&page, out);
    fprintf(out, "%s.Sh SETTINGS\n", head);
    for (size_t i = 0; i < setting_config.count && err == 0; i++) {
        const struct setting *row = &setting_config.rows[i];
        if (row->kind == SETTING_SECTION) {
            put_heading(row->key, row->help, out);
        } else if (row->kind == SETTING_END) {
            fprintf(out, ".El\n");
        } else {
            err = put_row(row, out);
        }
    }
    if (err == 0) {
        err = put_items(&setting_source, document_sources, out);
    }
    if (err == 0) {
        err = put_items(&setting_group, document_groups, out);
    }
    if (err == 0) {
        put_default_group(&defaults->groups[0], out);
        fprintf(out, "%s", tail);
    }
    config_free(defaults);
    return err;
}
