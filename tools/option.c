// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "config/nearest.h"
#include "tools/cli.h"

static const struct cli_option *find(const struct cli_option *options, const char *arg)
{
    size_t len = strcspn(arg, "=");
    for (; options->name; options++) {
        if (strlen(options->name) == len && strncmp(options->name, arg, len) == 0) {
            return options;
        }
    }
    return NULL;
}

static int unknown(struct cli *cli, const char *command, const char *arg,
                   const struct cli_option *options)
{
    char text[256];
    struct nearest nearest;
    nearest_init(&nearest, arg);
    for (; options->name; options++) {
        nearest_offer(&nearest, options->name);
    }
    snprintf(text, sizeof(text),
             nearest.best ? "unknown option %.64s; %s?" : "unknown option %.64s", arg,
             nearest.best);
    cli_usage(cli, command, text);
    return -EINVAL;
}

/* One option at argv[at]; returns how many words it took. */
static int take(struct cli *cli, char **argv, int at, const struct cli_option *options)
{
    char text[128];
    const struct cli_option *option = find(options, argv[at]);
    const char *sign = strchr(argv[at], '=');
    if (!option) {
        return unknown(cli, argv[0], argv[at], options);
    }
    if (option->flag && !sign) {
        *option->flag = true;
        return 1;
    }
    if (option->value && (sign || argv[at + 1])) {
        *option->value = sign ? sign + 1 : argv[at + 1];
        return sign ? 1 : 2;
    }
    snprintf(text, sizeof(text), "%s %s", option->name,
             option->flag ? "takes no value" : "needs a value");
    cli_usage(cli, argv[0], text);
    return -EINVAL;
}

int cli_options(struct cli *cli, int argc, char **argv, const struct cli_option *options)
{
    int count = 0;
    bool ended = false;
    for (int i = 1; i < argc;) {
        if (ended || argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[++count] = argv[i++];
        } else if (strcmp(argv[i], "--") == 0) {
            ended = true;
            i++;
        } else {
            int taken = take(cli, argv, i, options);
            if (taken < 0) {
                return taken;
            }
            i += taken;
        }
    }
    argv[count + 1] = NULL;
    return count;
}
