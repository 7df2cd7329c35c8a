// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/addr.h"
#include "config/yaml.h"
#include "tools/setup.h"

/* Those of a package, else the one that the README makes. */
static const struct users {
    const char *user, *web_user;
} users[] = {{"greengate", "greengate-web"}, {"_greengate", ""}, {"", ""}};

static bool is_user(const char *name)
{
    return !*name || getpwnam(name) != NULL;
}

static const struct users *find_users(void)
{
    const struct users *found = users;
    while (!is_user(found->user) || !is_user(found->web_user)) {
        found++; /* the last is nobody */
    }
    return found;
}

static void quote(const char *text, FILE *out)
{
    char *quoted = yaml_quote(text);
    fputs(quoted ? quoted : "\"\"", out);
    free(quoted);
}

static void print_list(const struct text_list *list, FILE *out)
{
    fputc('[', out);
    for (size_t i = 0; i < list->count; i++) {
        fputs(i ? ", " : "", out);
        quote(list->items[i], out);
    }
    fputs("]\n", out);
}

bool setup_is_safe(const struct setup *setup)
{
    return strcmp(setup->answers.ages, "adult") != 0;
}

const char *setup_youtube(const struct setup *setup)
{
    return !setup_is_safe(setup)                       ? "off"
           : strcmp(setup->answers.ages, "young") == 0 ? "strict"
                                                       : "moderate";
}

static void print_head(const struct setup *setup, FILE *out)
{
    char day[16];
    time_t now = time(NULL);
    struct tm tm;
    localtime_r(&now, &tm);
    strftime(day, sizeof(day), "%Y-%m-%d", &tm);
    fprintf(out,
            "# greengate's configuration, made by `greengate setup` on %s (%s, %s).\n"
            "# All keys: docs/settings.md, or `greengate config show`. After a change:\n"
            "# `greengate config check`, then `greengate reload`.\n\n",
            day, setup->answers.place, setup->answers.ages);
}

/* Loopback is served besides, so that this machine can ask too; on a port where it can be. */
static void print_listen(const struct setup *setup, FILE *out)
{
    bool loopback = false, other_port = false, any = false;
    for (size_t i = 0; i < setup->listen.count; i++) {
        struct addr addr;
        if (addr_parse_port(setup->listen.items[i], 53, &addr) == 0) {
            loopback |= addr_is_loopback(&addr);
            any |= addr_is_any(&addr);
            other_port |= addr.port != 53;
        }
    }
    fputs("  listen: [", out);
    for (size_t i = 0; i < setup->listen.count; i++) {
        fputs(i ? ", " : "", out);
        quote(setup->listen.items[i], out);
    }
    fputs(loopback || any || other_port ? "]\n" : ", \"127.0.0.1:53\"]\n", out);
}

static void print_services(const struct setup *setup, FILE *out)
{
    const struct users *found = find_users();
    fprintf(out,
            "server:\n"
            "  # Who the programs continue as once the ports are theirs. %s\n"
            "  user: \"%s\"\n"
            "  web_user: \"%s\" # the same of greengate-web; empty: as user\n\n",
            *found->user ? "Empty: they stay root."
                         : "Recommended:\n  # adduser --system --group --no-create-home _greengate",
            found->user, found->web_user);
    fputs(
        "dns:\n"
        "  # Where devices ask: addresses of this machine. The DHCP server must hand these out.\n",
        out);
    print_listen(setup, out);
    fputs("\nupstream:\n"
          "  # Who is asked for what is allowed. tls:// is encrypted; system = /etc/resolv.conf.\n"
          "  servers: ",
          out);
    print_list(&setup->upstream, out);
}

static void print_page(const struct setup *setup, FILE *out)
{
    static const char *const languages[] = {"ko", "en", "zh", "vi", "ja"};
    fputs("\nweb:\n"
          "  # Whose policy this is, and whom to ask; shown on the warning page.\n"
          "  organisation: ",
          out);
    quote(setup->organisation, out);
    fprintf(out,
            "\n  contact: \"\"\n"
            "  # The first is used when a browser asks for none of them.\n"
            "  languages: [%s",
            setup->answers.language);
    for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++) {
        if (strcmp(languages[i], setup->answers.language) != 0) {
            fprintf(out, ", %s", languages[i]);
        }
    }
    fputs("]\n", out);
    if (strcmp(setup->answers.place, "home") == 0) {
        fputs("\nstats:\n"
              "  # In a home few devices ask; only matters with privacy: domains.\n"
              "  min_clients: 2\n",
              out);
    }
}

static void print_source(const struct listcatalog_list *list, FILE *out)
{
    fprintf(out, "    # %s, %s; licence: %s\n", list->title, list->homepage, list->licence);
    fprintf(out, "    - id: \"%s\"\n      url: ", list->id);
    quote(list->url, out);
    fprintf(out, "\n      format: %s\n      match: %s\n      category: %s\n", list->format,
            list->match, list->category);
    if (list->window) {
        fprintf(out, "      update_window: \"%s\" # its publisher asks for it\n", list->window);
    }
    if (list->every_h) {
        fprintf(out, "      update_every_h: %d\n", (int)list->every_h);
    }
}

static void print_lists(const struct setup *setup, FILE *out)
{
    fprintf(out,
            "\nlists:\n"
            "  # Those of the preset %s. Others: greengate lists catalog\n"
            "  sources:\n",
            setup->preset->id);
    for (size_t i = 0; i < setup->preset->lists.count; i++) {
        const struct listcatalog_list *list =
            listcatalog_find(setup->lists, setup->preset->lists.items[i]);
        if (list) {
            print_source(list, out);
        }
    }
}

static void print_groups(const struct setup *setup, FILE *out)
{
    fputs(
        "\n# The first group that has the client counts; the last has no clients and catches the\n"
        "# rest. More: docs/groups.md, docs/schedules.md\n"
        "groups:\n"
        "  - name: everyone\n"
        "    clients: []\n"
        "    block:\n",
        out);
    for (size_t i = 0; i < setup->preset->block.count; i++) {
        const char *id = setup->preset->block.items[i];
        const struct catalog_category *category = catalog_find(setup->catalog, id);
        fprintf(out, "      - %-12s # %s\n", id,
                category ? catalog_text_in(category->names, category->name_count, setup->language)
                         : "");
    }
    fprintf(out,
            "    # Search engines with their safe mode; YouTube: off, moderate or strict.\n"
            "    safe_search: %s\n"
            "    youtube: \"%s\"\n",
            setup_is_safe(setup) ? "true" : "false", setup_youtube(setup));
}

int setup_write(const struct setup *setup, FILE *out)
{
    print_head(setup, out);
    print_services(setup, out);
    print_page(setup, out);
    print_lists(setup, out);
    print_groups(setup, out);
    return ferror(out) ? -ENOMEM : 0;
}
